"""What is known of a camera now, and what its events tell."""

from dataclasses import dataclass
from datetime import datetime, timedelta
import time

from homeassistant.util import dt as dt_util

from .vision import Box, MotionEnd, MotionStart


@dataclass(frozen=True, slots=True)
class MotionState:
    """What the entities of a camera show."""

    connected: bool = False
    seeing: bool = False  # the source in which motion is looked for delivers
    motion: bool = False
    zones: frozenset[str] = frozenset()  # watch zones with motion, hold time included
    level: float = 0.0
    last_motion: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class MotionDetail:
    """One motion, as its event tells it."""

    kind: str
    start: datetime
    end: datetime | None
    box: Box
    zones: tuple[str, ...]
    score: float
    reason: str
    snapshot: str | None


@dataclass(frozen=True, slots=True)
class Press:
    """One press of the doorbell."""

    time: datetime
    snapshot: str | None


def wall_time(clock_s: float) -> datetime:
    """Return when the monotonic clock showed this."""
    return dt_util.utcnow() - timedelta(seconds=time.monotonic() - clock_s)


def motion_detail(
    kind: str, motion: MotionStart | MotionEnd, start: datetime, end: datetime | None, snapshot: str | None
) -> MotionDetail:
    """Return what the event tells; `kind` is "started" or "ended"."""
    zones = tuple(sorted(motion.zones))
    return MotionDetail(kind, start, end, motion.box, zones, motion.score, str(motion.reason), snapshot)
