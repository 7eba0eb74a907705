"""Labeled sequences, read in lockstep with their labels, and how a detector is scored on them.

A folder holds `index.json` (per sequence: `first_labelled_frame`, `fps`), `NAME.mp4` and a lossless label
video `NAME.gt.mkv`: 0 background, 50 shadow, 85 outside the scored region, 170 unknown, 255 motion.
A frame moves if more than 0.02 % of its pixels are 255; it is still if none is and 170 and 50 together cover
less than 0.2 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
import json
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

MOVING_SHARE = 0.0002
UNSURE_SHARE = 0.002
EPISODE_GAP_S = 1.0  # labeled motion that stops for longer is another episode
QUIET_S = 1.0  # an event ends at the last moving frame before this much quiet

type Gray = NDArray[np.uint8]
type Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sequence:
    """One labeled video."""

    name: str
    video: Path
    labels: Path
    first_labelled: int
    fps: float


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame with its labels; `bgr` is there where it was asked for."""

    time_s: float
    luma: Gray
    label: Gray
    scored: bool
    bgr: NDArray[np.uint8] | None


def find_sequences(folder: Path) -> list[Sequence]:
    """Return the sequences of a folder; raise FileNotFoundError where a part is missing."""
    index = json.loads((folder / "index.json").read_text())
    found = []
    for name, entry in sorted(index.items()):
        video, labels = folder / f"{name}.mp4", folder / f"{name}.gt.mkv"
        for path in (video, labels):
            if not path.is_file():
                raise FileNotFoundError(path)
        found.append(Sequence(name, video, labels, int(entry["first_labelled_frame"]), float(entry["fps"])))
    return found


def read(sequence: Sequence, fps: float, *, color: bool = False) -> Iterator[Shot]:
    """Yield the frames to analyze: all of them, or `fps` a second."""
    next_s = -1.0
    with av.open(str(sequence.video)) as video, av.open(str(sequence.labels)) as labels:
        pairs = zip(video.decode(video=0), labels.decode(video=0), strict=True)
        for number, (frame, label) in enumerate(pairs):
            time_s = number / sequence.fps
            if fps and time_s < next_s - 1e-6:
                continue
            next_s = time_s + 1 / fps if fps else 0.0
            yield Shot(
                time_s,
                _plane(frame),
                _plane(label.reformat(format="gray")),
                number >= sequence.first_labelled,
                np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) if color else None,
            )


def _plane(frame: av.VideoFrame) -> Gray:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[: frame.height, : frame.width]


@dataclass(slots=True)
class Truth:
    """What the labels say about the analyzed frames of a sequence."""

    times_s: list[float] = field(default_factory=list)
    moving: list[bool] = field(default_factory=list)
    still: list[bool] = field(default_factory=list)

    def add(self, shot: Shot) -> None:
        """Take one analyzed frame."""
        motion = np.count_nonzero(shot.label == 255) / shot.label.size
        unsure = np.count_nonzero((shot.label == 170) | (shot.label == 50)) / shot.label.size
        self.times_s.append(shot.time_s)
        self.moving.append(shot.scored and bool(motion > MOVING_SHARE))
        self.still.append(shot.scored and bool(motion == 0 and unsure < UNSURE_SHARE))

    def episodes(self) -> list[tuple[float, float]]:
        """Return (first, last) moving frame of every labeled episode."""
        moving = [t for t, moves in zip(self.times_s, self.moving, strict=True) if moves]
        return spans(moving, EPISODE_GAP_S)

    def floor(self) -> float:
        """Return the false positives on still frames of the labels' own events.

        Still frames between two labeled motions less than a second apart lie inside an event by definition.
        """
        return _share_inside(self.times_s, self.still, self.episodes())


@dataclass(slots=True)
class Tally:
    """One detector on one sequence."""

    hits: int = 0
    false: int = 0
    missed: int = 0
    frames: int = 0
    cpu_s: float = 0.0
    events: list[tuple[float, float]] = field(default_factory=list)

    def add(self, shot: Shot, mask: Mask, cpu_s: float) -> None:
        """Take the foreground mask, at the video's size, of one analyzed frame."""
        self.frames += 1
        self.cpu_s += cpu_s
        if shot.scored:
            motion = shot.label == 255
            nothing = (shot.label == 0) | (shot.label == 50)
            hits = int(np.count_nonzero(mask & motion))
            self.hits += hits
            self.missed += int(np.count_nonzero(motion)) - hits
            self.false += int(np.count_nonzero(mask & nothing))

    def figures(self, truth: Truth) -> dict[str, float | None]:
        """Return pixel F, frame recall, false positives, onset delay, events a minute, ms a frame."""
        delays = []
        for first, last in truth.episodes():
            starts = [max(start, first) for start, end in self.events if end >= first and start <= last]
            if starts:
                delays.append(min(starts) - first)
        return {
            "pixel_f": 2 * self.hits / max(1, 2 * self.hits + self.false + self.missed),
            "precision": self.hits / max(1, self.hits + self.false),
            "pixel_recall": self.hits / max(1, self.hits + self.missed),
            "frame_recall": _share_inside(truth.times_s, truth.moving, self.events)
            if any(truth.moving)
            else None,
            "false_positives": _share_inside(truth.times_s, truth.still, self.events)
            if any(truth.still)
            else None,
            "false_positive_floor": truth.floor() if any(truth.still) else None,
            "onset_delay_s": float(np.median(delays)) if delays else None,
            "onset_delay_max_s": max(delays) if delays else None,
            "events_per_minute": 60 * len(self.events) / max(1e-9, truth.times_s[-1] - truth.times_s[0]),
            "ms_per_frame": 1000 * self.cpu_s / self.frames,
        }


def spans(times_s: list[float], gap_s: float) -> list[tuple[float, float]]:
    """Join times no more than `gap_s` apart into (first, last)."""
    joined: list[tuple[float, float]] = []
    for time_s in times_s:
        if joined and time_s - joined[-1][1] <= gap_s:
            joined[-1] = (joined[-1][0], time_s)
        else:
            joined.append((time_s, time_s))
    return joined


def _share_inside(times_s: list[float], chosen: list[bool], events: list[tuple[float, float]]) -> float:
    times = [time_s for time_s, counts in zip(times_s, chosen, strict=True) if counts]
    if not times:
        return 0.0
    return sum(any(s - 1e-6 <= t <= e + 1e-6 for s, e in events) for t in times) / len(times)
