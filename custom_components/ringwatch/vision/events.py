"""From moving frames to events: an event ends at the last moving frame before a second of quiet.

What leaves over the picture's edge is gone: something else that then comes in over the edge is an
event of its own, however soon it follows. All else that happens within the second belongs to the event.
"""

from dataclasses import dataclass, field

from .types import Box, MotionEnd, MotionStart, Reason

QUIET_S = 1.0  # how long nothing must move before an event is over


@dataclass(frozen=True, slots=True)
class Moving:
    """What moves in one frame; `first_s` is when the oldest of it was first seen.

    `tracks` are the numbers of what moves; `at_edge` says that all of it touches the picture's edge,
    `entered` that all of it was first seen there.
    """

    first_s: float
    tracks: frozenset[int]
    at_edge: bool
    entered: bool
    level: float
    box: Box
    zones: frozenset[str]
    score: float
    reason: Reason


@dataclass(slots=True)
class _Open:
    start_s: float
    last_s: float
    peak: float
    box: Box
    score: float
    reason: Reason
    at_edge: bool
    tracks: set[int] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)

    def is_over_before(self, moving: Moving) -> bool:
        """Whether all of this event left over the edge before what moves now came in over it."""
        return (
            self.at_edge
            and moving.entered
            and moving.first_s > self.last_s
            and self.tracks.isdisjoint(moving.tracks)
        )

    def end(self) -> MotionEnd:
        return MotionEnd(
            self.start_s,
            self.last_s,
            self.peak,
            self.box,
            frozenset(self.zones),
            self.score,
            self.reason,
        )


class Events:
    """The open event, if any."""

    def __init__(self) -> None:
        """Begin with quiet."""
        self._open: _Open | None = None
        self._ended_s = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether an event is open."""
        return self._open is not None

    def update(self, time_s: float, moving: Moving | None) -> tuple[MotionStart | None, MotionEnd | None]:
        """Take one frame; return what began and what ended with it."""
        event = self._open
        if moving is None:
            if event is None or time_s - event.last_s < QUIET_S:
                return None, None
            return None, self.close()
        if event is None:
            return self._begin(time_s, moving), None
        if event.is_over_before(moving):
            ended = self.close()
            return self._begin(time_s, moving), ended
        event.last_s = time_s
        event.at_edge = moving.at_edge
        event.tracks |= moving.tracks
        event.zones |= moving.zones
        if moving.level > event.peak:
            event.peak, event.box = moving.level, moving.box
        if moving.score >= event.score:
            event.score, event.reason = moving.score, moving.reason
        return None, None

    def _begin(self, time_s: float, moving: Moving) -> MotionStart:
        start_s = max(moving.first_s, self._ended_s)
        self._open = _Open(
            start_s,
            time_s,
            moving.level,
            moving.box,
            moving.score,
            moving.reason,
            moving.at_edge,
            set(moving.tracks),
            set(moving.zones),
        )
        return MotionStart(start_s, time_s, moving.box, moving.zones, moving.score, moving.reason)

    def close(self) -> MotionEnd | None:
        """End the open event now."""
        if self._open is None:
            return None
        ended = self._open.end()
        self._open = None
        self._ended_s = ended.end_s
        return ended
