"""The background model: what each pixel looked like during the last half minute.

A pixel keeps samples of its past (ViBe, Barnich and Van Droogenbroeck 2011; KNN, Zivkovic
2006), spread over *seconds*, so that 5 and 25 frames a second learn alike. A sample is kept as
the interval of its 3x3 neighborhood: what sways or shakes by a pixel is still explained by it.
A pixel is foreground where fewer than two samples explain it.
"""

import numpy as np
from numpy.typing import NDArray

from .primitives import Gray, Mask, Primitives

SAMPLES = 16
SAMPLE_INTERVAL_S = 1.5  # 16 samples: half-lives of the model of about 24 s
FIRST_INTERVAL_S = 0.1  # a new model learns in small steps, each a half longer than the last
INTERVAL_GROWTH = 1.3
MATCHES = 2  # samples that must explain a pixel (ViBe's number)

BASE_TOLERANCE = 9.0  # gray levels at sensitivity 50: 3 sigma of a noisy sensor after averaging
STRONG_RATIO = 2.0  # a region needs a core this much further off


class Background:
    """Samples of one picture size. Never writes to the frames it is given."""

    def __init__(self, primitives: Primitives, first: Gray, time_s: float) -> None:
        """Fill all samples with the first frame (h, w)."""
        self._primitives = primitives
        height, width = first.shape
        self._low = np.empty((SAMPLES, height, width), np.uint8)
        self._high = np.empty_like(self._low)
        self._center = np.empty_like(self._low)
        self._slot = 0
        self._interval_s = FIRST_INTERVAL_S
        self._next_s = time_s + self._interval_s
        self.refill(first, None)

    def classify(self, frame: Gray, tolerance: float) -> tuple[Mask, Mask]:
        """Return (weak, strong): pixels that less than two samples explain."""
        return self._unexplained(frame, tolerance), self._unexplained(frame, tolerance * STRONG_RATIO)

    def _unexplained(self, frame: Gray, tolerance: float) -> Mask:
        reach = np.uint8(min(255, round(tolerance)))
        low = self._low - np.minimum(self._low, reach)
        span = self._high + np.minimum(255 - self._high, reach)
        span -= low
        matches = (frame - low) <= span  # wraps round below low: one comparison tests both sides
        count = np.add.reduce(matches.view(np.uint8), axis=0, dtype=np.uint8)
        unexplained: Mask = count < MATCHES
        return unexplained

    def learn(self, frame: Gray, time_s: float, protected: Mask) -> bool:
        """Take a sample where nothing is protected, if one is due; return whether it was."""
        if time_s < self._next_s:
            return False
        self._interval_s = min(SAMPLE_INTERVAL_S, self._interval_s * INTERVAL_GROWTH)
        self._next_s = time_s + self._interval_s
        self._slot = (self._slot + 1) % SAMPLES
        self._store(self._slot, frame, ~protected)
        return True

    def refill(self, frame: Gray, where: Mask | None) -> None:
        """Forget the past (where a mask is given, only there) and start from this frame."""
        low, high = self._primitives.minimum3(frame), self._primitives.maximum3(frame)
        if where is None:
            self._low[:], self._high[:], self._center[:] = low, high, frame
            return
        self._low[:, where] = low[where]
        self._high[:, where] = high[where]
        self._center[:, where] = frame[where]

    def picture(self) -> Gray:
        """Return what the background looks like: the median of the samples."""
        middle: NDArray[np.uint8] = np.partition(self._center, SAMPLES // 2, axis=0)[SAMPLES // 2]
        return middle

    def _store(self, slot: int, frame: Gray, where: Mask) -> None:
        np.copyto(self._center[slot], frame, where=where)
        np.copyto(self._low[slot], self._primitives.minimum3(frame), where=where)
        np.copyto(self._high[slot], self._primitives.maximum3(frame), where=where)
