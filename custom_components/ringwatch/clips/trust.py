"""Whether this machine's clock can be believed: clips are deleted by age, and a clock may jump ahead.

A small computer without a battery starts with an old or a wild time until NTP has put it right.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

JUMP_S: Final = 3600.0  # daylight saving doesn't touch UTC, so a clock that goes on by this at once is wrong
TRUST_AFTER_S: Final = 3600.0  # ... for so long; by then NTP has put it right
REST: Final = timedelta(days=1)  # after a longer rest the clock is watched for a while as well
NOTE_EVERY: Final = timedelta(hours=1)
NEVER: Final = datetime.fromtimestamp(0, UTC)


class ClockTrust:
    """Watches the clock. `last_seen` is what `watch` said to keep the last time, "" if nothing was."""

    def __init__(self, now: Callable[[], datetime], clock: Callable[[], float], last_seen: str) -> None:
        self._now, self._clock = now, clock
        self._last = datetime.fromisoformat(last_seen) if last_seen else None
        self._drift_s = self._drift()
        self._trusted_at_s = clock()
        if self._last is not None and now() - self._last > REST:
            self._trusted_at_s += TRUST_AFTER_S

    def _drift(self) -> float:
        return self._now().timestamp() - self._clock()

    def watch(self) -> str | None:
        """Look at the clock, every few seconds. Return what to keep over a restart, if that is new."""
        drift_s = self._drift()
        if drift_s - self._drift_s > JUMP_S:
            self._trusted_at_s = self._clock() + TRUST_AFTER_S
        self._drift_s = drift_s
        now = self._now()
        if self._last is not None and abs(now - self._last) < NOTE_EVERY:
            return None
        self._last = now
        return now.isoformat()

    def now_for_ages(self) -> datetime:
        """Return the time that ages count from: a very early one while the clock is not to be believed."""
        return self._now() if self._clock() >= self._trusted_at_s else NEVER
