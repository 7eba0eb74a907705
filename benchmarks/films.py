"""Films to measure with: a still scene, a sensor's noise, and whoever crosses it, as H.264."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from script.lib.core import ROOT

from .nuisances import FRAME_S, Picture, car, person

GOP_S = 2.0
SEED = 7
GRAINS = 4  # fields of noise; each frame has one of them, rolled by chance
TEXTURE = 4.0  # gray levels: what scaling up took from the scene
LENGTH_S = 40.0
KINDS_S = (("person", 4.0), ("car", 2.5))

type Crossing = tuple[str, float, float]


def film(scene: Picture, sigma: float, planned: list[Crossing], length_s: float) -> Iterator[Picture]:
    """Yield (luma) a still scene with a sensor's noise and whoever crosses it, 25 frames a second."""
    rng = np.random.default_rng(SEED)
    grains = [rng.standard_normal(scene.shape, np.float32) * np.float32(sigma) for _ in range(GRAINS)]
    for number in range(round(length_s / FRAME_S)):
        time_s = number * FRAME_S
        grain = np.roll(grains[number % GRAINS], rng.integers(0, min(scene.shape), 2), (0, 1))
        picture = drawn(scene, planned, time_s) + grain
        yield np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def drawn(scene: Picture, planned: list[Crossing], time_s: float) -> Picture:
    """Return the scene with whoever is in it at a time."""
    for kind, begin_s, end_s in planned:
        if begin_s <= time_s <= end_s:
            draw = person if kind == "person" else car
            scene = draw(scene, (time_s - begin_s) / (end_s - begin_s))
    return scene


def busy(length_s: float) -> list[Crossing]:
    """Return crossings without a pause."""
    planned: list[Crossing] = []
    at_s = 0.0
    while at_s < length_s:
        kind, long_s = KINDS_S[len(planned) % 2]
        planned.append((kind, at_s, at_s + long_s))
        at_s += 0.7 * long_s
    return planned


def encode(pictures: Iterable[Picture], path: Path, *, kbps: int = 0) -> None:
    """Write gray pictures as H.264 with a key frame every two seconds, at a bit rate or at CRF 25."""
    gop = round(GOP_S / FRAME_S)
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0"
    options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": params}
    options |= {"b": f"{kbps}k"} if kbps else {"crf": "25"}
    part = path.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=round(1 / FRAME_S), options=options)
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            gray = np.asarray(picture, np.uint8)[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
            if not number:
                stream.height, stream.width = gray.shape
            frame = av.VideoFrame.from_ndarray(gray, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, round(1 / FRAME_S))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    part.replace(path)


def camera_film(scene: Picture, width: int, height: int, kbps: int, *, moving: bool) -> Path:
    """Return 40 s as a camera of this size would send them, made once."""
    folder = ROOT / ".tools" / "media"
    path = folder / f"cost-{width}x{height}-{kbps}-{'moving' if moving else 'idle'}.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        large = np.asarray(cv2.resize(scene, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
        large += np.random.default_rng(SEED).standard_normal(large.shape, np.float32) * np.float32(TEXTURE)
        encode(film(large, 1.5, busy(LENGTH_S) if moving else [], LENGTH_S), path, kbps=kbps)
    return path
