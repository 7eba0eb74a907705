"""Where things move all the time: sway and screens come to nothing, on a road motion is usual.

Kept per pixel in seconds of the last half minute or so: the same at 5 and at 25 frames a second. It asks for
more evidence (tracks.py), it never makes a pixel blind.
"""

import numpy as np

from .primitives import Mask
from .self_check import ActivityCounter

MEMORY_S = 20.0  # half-life
INTERVAL_S = 0.09  # looking more often tells no more


class Restlessness:
    """`seconds` (h, w) is above 0 where motion came to nothing lately and below 0 where it was confirmed."""

    def __init__(self, shape: tuple[int, ...], time_s: float) -> None:
        """Begin with nothing known."""
        self.seconds = np.zeros(shape, np.float32)
        self.activity = ActivityCounter(shape)
        self._at_s = time_s

    def is_due(self, time_s: float) -> bool:
        """Whether enough time has passed to look again."""
        return time_s - self._at_s >= INTERVAL_S

    def learn(self, mask: Mask, confirmed: Mask, time_s: float) -> None:
        """Take in what moves (h, w) and which of it has been confirmed."""
        since_s = time_s - self._at_s
        self._at_s = time_s
        unconfirmed = mask & ~confirmed
        self.seconds *= np.float32(0.5 ** (since_s / MEMORY_S))
        self.seconds.ravel()[np.flatnonzero(unconfirmed)] += np.float32(since_s)
        self.seconds.ravel()[np.flatnonzero(confirmed)] -= np.float32(since_s)
        self.activity.add(unconfirmed, confirmed, since_s)
