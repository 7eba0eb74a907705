"""From a stream's own time to this machine's clock: a packet arrives some time after it was made."""

from collections import deque

WINDOW_S = 10.0  # long enough for a segment of HLS, short enough to follow a camera's clock that drifts


class ClockMap:
    """The least and the most that packets were late within the last seconds.

    `late_s` and `early_s` are both "clock less stream time". A start is converted with the larger one and an
    end with the smaller one, so that what is asked for is covered whichever packet the asker went by.
    """

    def __init__(self) -> None:
        self._most: deque[tuple[float, float]] = deque()
        self._least: deque[tuple[float, float]] = deque()

    @property
    def known(self) -> bool:
        """Whether there has been a packet."""
        return bool(self._most)

    @property
    def late_s(self) -> float:
        """Return the largest difference."""
        return self._most[0][1]

    @property
    def early_s(self) -> float:
        """Return the smallest difference: the closest to the time at which a packet was made."""
        return self._least[0][1]

    def add(self, time_s: float, arrival_s: float) -> None:
        """Take a packet's times."""
        difference = arrival_s - time_s
        while self._most and self._most[-1][1] <= difference:
            self._most.pop()
        while self._least and self._least[-1][1] >= difference:
            self._least.pop()
        self._most.append((arrival_s, difference))
        self._least.append((arrival_s, difference))
        for window in (self._most, self._least):
            while window[0][0] < arrival_s - WINDOW_S:
                window.popleft()

    def clear(self) -> None:
        """Forget: another connection."""
        self._most.clear()
        self._least.clear()
