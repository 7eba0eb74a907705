"""Whether this machine's clock can be believed. What a hub signs can't be taken back, and time erases.

The order's time never goes back, and posts and clips end by it. So a clock that jumps ahead, as that of a
machine without a battery may, would erase the feed, here and at every home. From the last time that was
signed on, the time that the machine has been running since says how late it may be. A clock that is further
ahead is not followed: nothing is signed, nothing ends, reading goes on. It is followed again when it is back,
when other members' signed calls agree with it, or when the host says so.

A clock that is behind does no harm: the time stands still until it has caught up (`hood.py`).
"""

from collections.abc import Callable
import time
from typing import Final

from ..neighborhood.limits import DAY_S

AHEAD_S: Final = 3_600  # how far a clock may be put forward while the hub runs
DOWN_S: Final = 3 * DAY_S  # and at its start: it was switched off over a long weekend
SETTLING_S: Final = 600.0  # so long after a start a clock may still be set by the network
AGREE_S: Final = 3_600  # another clock that is as near as that agrees
WITNESSES: Final = 2  # other members that have to agree, if there are as many


def running_s() -> float:
    """Return for how long this machine has been running, asleep or not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockGuard:
    """Looks at the clock of one hub, from a time on that was right: the last one that it has signed."""

    def __init__(
        self, signed_s: float, clock: Callable[[], float], running: Callable[[], float] = running_s
    ) -> None:
        """`signed_s` is 0 where nothing was ever signed: then there is nothing to lose."""
        self.is_held = False
        """The clock is not believed. Look with `now_s` first."""
        self._clock = clock
        self._running = running
        self._began = (signed_s, running())
        self._right = self._began
        self._settled: float | None = 0.0 if signed_s == 0 else None  # since when it was near the right time
        self._offset = 0.0
        self._witnesses: set[str] = set()

    def now_s(self) -> float:
        """Return what the clock says, believed or not. Sets `is_held`."""
        now_s, running = self._clock(), self._running()
        if self._right[0] == 0:
            self._right = (now_s, running)
            self._settled = running
        limit_s = _later(self._right, running) + AHEAD_S
        if self._settled is None or running - self._settled < SETTLING_S:
            limit_s = max(limit_s, _later(self._began, running) + DOWN_S)
        self.is_held = now_s > limit_s
        if self.is_held:
            if abs(now_s - running - self._offset) > AGREE_S:  # it has jumped again
                self._offset = now_s - running
                self._witnesses.clear()
        elif now_s >= _later(self._right, running):
            self._right = (now_s, running)
            if self._settled is None:
                self._settled = running
        return now_s

    def agrees(self, time_s: float) -> bool:
        """Return whether another clock says about the same."""
        return abs(self._clock() - time_s) <= AGREE_S

    def hear(self, who: str, time_s: float, others: int) -> None:
        """Take another member's word for it, of `others` that there are."""
        if self.is_held and self.agrees(time_s):
            self._witnesses.add(who)
            if len(self._witnesses) >= max(1, min(WITNESSES, others)):
                self.believe()

    def believe(self) -> None:
        """Go by the clock as it is now: somebody knows that it is right."""
        self._right = (self._clock(), self._running())
        self._settled = self._right[1]
        self._witnesses.clear()
        self.is_held = False


def _later(known: tuple[float, float], running: float) -> float:
    """Return what time it is, as far as the time that has run since shows."""
    return known[0] + running - known[1]
