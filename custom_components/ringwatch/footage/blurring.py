"""Faces of a clip are followed from picture to picture, and hidden in all of them.

A few pictures of each second are looked at. What is found is linked into tracks; between two looks a track
covers the way from one to the other, and for a second before its first and after its last it goes on as it
was going, growing: a face is there before it is found.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import av.error
import numpy as np

from ..clips.redact import Redacted, RedactError, Redaction, redact
from ..vision import Box
from .faces import Found, Frame, Kind

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

LOOK_EVERY_S: Final = 0.2  # a head that turns is missed for less than a second
CARRY_S: Final = 1.0  # before the first and after the last time that a face was found
LINK_S: Final = 1.0  # a track that was not seen for so long is over
# How far a face may have moved between two looks: a runner close by crosses two heads' sizes in 0.2 s.
REACH: Final = 1.5  # in sizes of it, with its padding
ALIKE: Final = 2.5  # how many times as wide the same face may be at the next look
GROWTH: Final = 0.5  # sizes per second, where a track only goes on as it was going
SPEED_OVER_S: Final = 0.3  # a speed is taken over so long at least
# Around what was found: UltraFace's boxes end at brow and chin; a head's is wide already.
PADDING: Final = {Kind.FACE: 0.4, Kind.HEAD: 0.2}
LARGEST_PX: Final = 1920  # pictures are looked at no larger

type Find = Callable[[Frame], Sequence[Found]]


class BlurringStoppedError(Exception):
    """Whoever asked wants it no longer."""


@dataclass(frozen=True, slots=True)
class Blurred:
    """What was written, and how many faces were followed (one that was lost and found again counts twice)."""

    redacted: Redacted
    faces: int


@dataclass(slots=True)
class _Track:
    """One face or head, as it was found; `times_s` grow."""

    kind: Kind
    times_s: list[float] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    sure: bool = False

    def add(self, at_s: float, found: Found) -> None:
        self.times_s.append(at_s)
        self.boxes.append(_padded(found.box, PADDING[found.kind]))
        self.sure |= found.sure

    def covers(self, at_s: float) -> Box | None:
        """Return what is to be hidden at a time."""
        if not self.times_s[0] - CARRY_S <= at_s <= self.times_s[-1] + CARRY_S:
            return None
        place = bisect_right(self.times_s, at_s)
        if place == 0:
            return self._beyond(0, at_s)
        if place == len(self.times_s):
            return self._beyond(-1, at_s)
        if at_s == self.times_s[place - 1]:
            return self.boxes[place - 1]
        return _hull(self.boxes[place - 1], self.boxes[place])

    def _beyond(self, end: int, at_s: float) -> Box:
        """Return where it would be, and where it was last (or first) seen, and all between."""
        box, since_s = self.boxes[end], at_s - self.times_s[end]
        grown = _padded(box, GROWTH * abs(since_s))
        across, down = self._speed(end)
        moved = (
            grown[0] + across * since_s,
            grown[1] + down * since_s,
            grown[2] + across * since_s,
            grown[3] + down * since_s,
        )
        return _hull(box, moved)

    def _speed(self, end: int) -> tuple[float, float]:
        order = range(len(self.times_s)) if end == 0 else range(len(self.times_s) - 1, -1, -1)
        for index in order:
            took_s = self.times_s[index] - self.times_s[end]
            if abs(took_s) >= SPEED_OVER_S:
                x, y = _center(self.boxes[index])
                end_x, end_y = _center(self.boxes[end])
                return (x - end_x) / took_s, (y - end_y) / took_s
        return 0.0, 0.0


class Faces:
    """What was found in a clip; tells what to hide in each picture of it."""

    def __init__(self, looks: Iterable[tuple[float, Sequence[Found]]]) -> None:
        """`looks`: seconds of the clip, growing, and what was found then."""
        open_: list[_Track] = []
        tracks: list[_Track] = []
        for at_s, found in looks:
            open_ = [track for track in open_ if at_s - track.times_s[-1] <= LINK_S]
            free = list(open_)
            for one in sorted(found, key=lambda one: -one.score):
                nearest = min(free, key=lambda track: _apart(track, one), default=None)
                if nearest is not None and _apart(nearest, one) <= REACH:
                    free.remove(nearest)
                else:
                    nearest = _Track(one.kind)
                    open_.append(nearest)
                    tracks.append(nearest)
                nearest.add(at_s, one)
        self._tracks = tuple(track for track in tracks if track.sure)

    @property
    def count(self) -> int:
        """How many tracks there are."""
        return len(self._tracks)

    def boxes(self, at_s: float) -> tuple[Box, ...]:
        """Return what to hide at a time of the clip."""
        covered = [track.covers(at_s) for track in self._tracks]
        return tuple(_clipped(box) for box in covered if box is not None and _is_seen(box))


def find_faces(
    source: Path,
    find: Find,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Faces:
    """Look for faces in a part of a clip. Blocks for about as long as the clip; raises RedactError.

    Raise BlurringStoppedError once `stopped` says so.
    """
    looks: list[tuple[float, Sequence[Found]]] = []
    last_s = None if end_s is None else end_s + CARRY_S
    try:
        with av.logging.Capture(), av.open(str(source)) as reader:
            if start_s > CARRY_S:
                reader.seek(round((start_s - CARRY_S) * av.time_base), backward=True)
            due_s = start_s - CARRY_S
            for frame in reader.decode(video=0):
                if stopped():
                    raise BlurringStoppedError
                if frame.time is None or frame.time < due_s:
                    continue
                if last_s is not None and frame.time > last_s:
                    break
                looks.append((frame.time, find(_pixels(frame))))
                due_s = frame.time + LOOK_EVERY_S - 0.001
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        if isinstance(error, OSError):
            raise
        raise RedactError("unreadable") from error
    return Faces(looks)


def blur_faces(
    source: Path,
    target: Path,
    wanted: Redaction,
    find: Find,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Blurred:
    """Write what is left of a clip, without faces. Blocks; raises what `find_faces` and `redact` raise."""
    faces = find_faces(source, find, start_s=wanted.start_s, end_s=wanted.end_s, stopped=stopped)
    return Blurred(redact(source, target, wanted, moving=faces.boxes), faces.count)


def _pixels(frame: VideoFrame) -> Frame:
    shrink = min(1.0, LARGEST_PX / max(frame.width, frame.height))
    if shrink < 1:
        frame = frame.reformat(round(frame.width * shrink), round(frame.height * shrink))
    return frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def _apart(track: _Track, found: Found) -> float:
    """Return how far what was found is from where a track was, in sizes of the smaller of the two.

    It is endless for another kind, and for what is much larger or smaller: that is something else.
    """
    if track.kind is not found.kind:
        return float("inf")
    one, other = track.boxes[-1], _padded(found.box, PADDING[found.kind])
    (x, y), (other_x, other_y) = _center(one), _center(other)
    wide, other_wide = one[2] - one[0], other[2] - other[0]
    high, other_high = one[3] - one[1], other[3] - other[1]
    if max(wide, other_wide) > ALIKE * min(wide, other_wide):
        return float("inf")
    return max(abs(other_x - x) / min(wide, other_wide), abs(other_y - y) / min(high, other_high))


def _center(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _padded(box: Box, share: float) -> Box:
    across, down = (box[2] - box[0]) * share, (box[3] - box[1]) * share
    return box[0] - across, box[1] - down, box[2] + across, box[3] + down


def _hull(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _is_seen(box: Box) -> bool:
    return box[0] < 1 and box[1] < 1 and box[2] > 0 and box[3] > 0


def _clipped(box: Box) -> Box:
    return max(0.0, box[0]), max(0.0, box[1]), min(1.0, box[2]), min(1.0, box[3])
