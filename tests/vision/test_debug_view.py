"""The debug view: what became of each part and why, and nothing private in it."""

import io
import json
from pathlib import Path
import subprocess

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image
import pytest

from custom_components.ringwatch.debug_view import COLORS, LINE_PX, WIDTH_PX, draw, draw_jpeg
from custom_components.ringwatch.vision import Detector, DetectorSettings, Shown, Zone, ZoneKind
from script.lib.core import ROOT

HEIGHT, WIDTH = 240, 320
type Frame = NDArray[np.uint8]


def scene() -> Frame:
    picture = np.full((HEIGHT, WIDTH), 120, np.uint8)
    picture[150:] = 90
    return picture


def walk(detector: Detector, seconds: float, *, also: Frame | None = None) -> Frame:
    """Play somebody who walks in after 3 s, and something that flickers; return the last frame."""
    rng = np.random.default_rng(5)
    frame = scene()
    for number in range(round(seconds * 10)):
        frame = scene()
        if number >= 30:
            left = round((number - 30) * 5)
            frame[80:140, left : left + 24] = 25
        if also is not None and number % 5 < 2:
            frame[180:210, 200:230] = also
        noisy = np.clip(np.rint(frame + rng.normal(0, 1.0, frame.shape)), 0, 255).astype(np.uint8)
        detector.analyze(noisy, number / 10)
    return frame


def rgb(frame: Frame) -> NDArray[np.uint8]:
    return np.repeat(frame[:, :, None], 3, axis=2)


def test_says_why_something_counts() -> None:
    detector = Detector()
    assert detector.explain() is None
    walk(detector, 6)
    explanation = detector.explain()
    assert explanation is not None
    (walker,) = (part for part in explanation.shown if part.kind == "motion")
    assert walker.code == "moved"
    assert "of the picture's width" in walker.text
    x, y, _, height = walker.box
    assert x == pytest.approx(29 * 5 / WIDTH, abs=0.03)
    assert y == pytest.approx(80 / HEIGHT, abs=0.03)
    assert height == pytest.approx(60 / HEIGHT, abs=0.05)
    assert explanation.mask.any()


def test_says_why_something_does_not_count() -> None:
    detector = Detector()
    rng = np.random.default_rng(6)
    codes = set()
    texts = []
    for seconds in range(20, 24):
        detector.reset()
        walk(detector, 2.9 + (seconds - 20) / 10, also=rng.integers(0, 255, (30, 30), np.uint8))
        explanation = detector.explain()
        assert explanation is not None
        waiting = [part for part in explanation.shown if part.kind == "candidate"]
        codes |= {part.code for part in waiting}
        texts += [part.text for part in waiting]
    assert codes & {"young", "restless", "no_displacement", "small"}
    assert all("{" not in text for text in texts)


def test_shows_the_frame_the_model_and_the_mask() -> None:
    detector = Detector()
    frame = walk(detector, 6)
    explanation = detector.explain()
    assert explanation is not None
    view = draw(rgb(frame), explanation, (), "Front door")
    assert view.shape[1] == WIDTH_PX * 4 // 3
    assert view.shape[0] % 2 == 0
    assert (view == COLORS["motion"]).all(axis=2).sum() > 500
    with Image.open(io.BytesIO(draw_jpeg(rgb(frame), explanation))) as picture:
        assert picture.size == (view.shape[1], view.shape[0])


def test_privacy_is_black_in_every_panel() -> None:
    zone = Zone("Neighbor", ZoneKind.PRIVACY, ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
    detector = Detector(DetectorSettings(zones=(zone,)))
    frame = walk(detector, 6)
    explanation = detector.explain()
    assert explanation is not None
    view = draw(rgb(frame), explanation, (zone,))
    height = round(HEIGHT * WIDTH_PX / WIDTH)
    assert not view[LINE_PX : LINE_PX + height, : WIDTH_PX // 2 - 4].any()
    assert view[LINE_PX + height - 9, WIDTH_PX // 2 + 20 : WIDTH_PX].all()
    assert not explanation.model[:, : explanation.model.shape[1] // 2].any()
    assert not explanation.mask[:, : explanation.mask.shape[1] // 2].any()


def test_zones_are_drawn_and_specks_are_not_written_about() -> None:
    zones = (
        Zone("Path", ZoneKind.WATCH, ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))),
        Zone("Bush", ZoneKind.IGNORE, ((0.6, 0.2), (0.8, 0.2), (0.8, 0.5), (0.6, 0.5))),
    )
    detector = Detector(DetectorSettings(zones=zones))
    frame = walk(detector, 3)
    explanation = detector.explain()
    assert explanation is not None
    plain = draw(rgb(frame), explanation)
    assert (plain != draw(rgb(frame), explanation, zones)).any()
    assert explanation.unwatched[0, 0]
    assert isinstance(explanation.shown, tuple)
    assert all(isinstance(part, Shown) for part in explanation.shown)


def test_a_jump_of_light_is_told() -> None:
    detector = Detector()
    walk(detector, 3)
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT // 8, WIDTH // 8), np.uint8)
    detector.analyze(noise.repeat(8, 0).repeat(8, 1), 3.0)
    explanation = detector.explain()
    assert explanation is not None
    assert explanation.light_jumped
    draw(rgb(scene()), explanation)


def test_watch_writes_the_view(tmp_path: Path) -> None:
    source, out = tmp_path / "in.mkv", tmp_path / "out.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(30):
            frame = scene()
            frame[80:140, number * 5 : number * 5 + 24] = 25
            picture = av.VideoFrame.from_ndarray(frame, format="gray").reformat(format="yuv420p")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    for mode in ("full", "auto"):
        options = ["--show", out, "--mode", mode, "--json", "--frames"]
        done = subprocess.run(
            [ROOT / "script" / "watch", source, *options], check=True, capture_output=True, timeout=60
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        with av.open(str(out)) as container:
            frames = list(container.decode(video=0))
        times = [line["t"] for line in lines if line["type"] == "frame"]
        assert len(times) >= 15
        assert [frame.time for frame in frames] == pytest.approx(times, abs=0.002)
    wrong = [ROOT / "script" / "watch", source, "--show", tmp_path / "out.avi"]
    refused = subprocess.run(wrong, check=False, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2
    assert ".mp4" in refused.stderr
