"""Whether this machine keeps up with the camera.

A stream's time stamps and this machine's clock advance together while every packet is handled at once.
When decoding takes longer than real time, packets wait in the socket and their time stamps fall behind
the clock. The difference, less the smallest one seen lately, is the lag. Past a second of it the frames
up to the next key frame are not worth decoding.
"""

from .video import MediaPacket

LATE_S = 1.0  # beyond this an alert comes noticeably late
DRIFT_S_PER_S = 0.001  # camera clocks may be this wrong, and a smallest difference must not last forever
WINDOW_S = 60.0
BEHIND_SHARE = 0.2  # a fifth of the time not looked at is worth telling the owner
WINDOWS_BEHIND = 5  # a short burst of other work is not


class Pressure:
    """Measures lag packet by packet and the share of time that had to be dropped, minute by minute."""

    def __init__(self) -> None:
        """Begin without a history."""
        self.dropped = 0.0
        self._bad_windows = 0
        self._behind = False
        self._told = False
        self.restart()

    def restart(self) -> None:
        """Forget the clock difference: a new connection has a new time base."""
        self._smallest_s: float | None = None
        self._last_clock_s = 0.0
        self._last_time_s = 0.0
        self._window_s = 0.0
        self._dropped_s = 0.0
        self._dropping = False

    def too_late(self, packet: MediaPacket, clock_s: float) -> bool:
        """Take in one video packet; True where it and what follows up to a key frame should be dropped."""
        difference_s = clock_s - packet.time_s
        if self._smallest_s is None:
            self._smallest_s, self._last_clock_s, self._last_time_s = difference_s, clock_s, packet.time_s
        self._smallest_s = min(
            difference_s, self._smallest_s + (clock_s - self._last_clock_s) * DRIFT_S_PER_S
        )
        step_s = max(0.0, packet.time_s - self._last_time_s)
        self._last_clock_s, self._last_time_s = clock_s, packet.time_s
        late = difference_s - self._smallest_s > LATE_S
        began = late and not self._dropping
        if packet.is_key or late:
            self._dropping = late
        self._count(step_s)
        return began or (late and packet.is_key)

    def changed(self) -> bool | None:
        """Return whether the machine is behind, once after each change, else None."""
        if self._behind == self._told:
            return None
        self._told = self._behind
        return self._behind

    def _count(self, step_s: float) -> None:
        self._window_s += step_s
        if self._dropping:
            self._dropped_s += step_s
        if self._window_s < WINDOW_S:
            return
        self.dropped = self._dropped_s / self._window_s
        self._window_s = self._dropped_s = 0.0
        self._bad_windows = self._bad_windows + 1 if self.dropped > BEHIND_SHARE else 0
        if self._bad_windows >= WINDOWS_BEHIND:
            self._behind = True
        elif self._bad_windows == 0:
            self._behind = False
