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
SAMPLE_INTERVAL_S = 1.5  # 16 samples are 24 s: longer than a gust, shorter than a parked car matters
FIRST_INTERVAL_S = 0.1  # a new model learns in small steps, each longer than the last
INTERVAL_GROWTH = 1.3  # 0.1 s has become 1.5 s after 6 s
MATCHES = 2  # samples that must explain a pixel (ViBe's number)

BASE_TOLERANCE = 5.0  # gray levels at sensitivity 50, before a pixel's own noise
NOISE_GAIN = 2.0  # mean deviations a pixel may be off by: 2 are 1.6 sigma, on top of the base
NOISE_CAP = 6.0  # gray levels: a restless pixel asks for more evidence, it is never blind
NOISE_MEMORY_S = 6.0  # some swings of a branch
QUIET_NOISE = 1.5  # gray levels of deviation that the base already covers
OBSERVE_INTERVAL_S = 0.15  # looking more often tells no more
FIRST_NOISE = 2.0  # until a pixel's own is known
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
        self._bottom = np.empty_like(self._low)
        self._span = np.empty_like(self._low)
        self._count = np.empty((height, width), np.uint8)
        self._offset = np.empty((height, width), np.uint8)
        self._matches = np.empty((height, width), np.bool_)
        self._noise = np.full((height, width), FIRST_NOISE, np.float32)
        self._scale = 1.0
        self._observed_s = time_s
        self._picture = first.copy()
        self._low[:], self._high[:], self._center[:] = first, first, first
        self._tolerate()
        self._slot = 0
        self._interval_s = FIRST_INTERVAL_S
        self._next_s = time_s + self._interval_s
        self.refill(first, None)

    def classify(self, frame: Gray, scale: float) -> tuple[Mask, Mask]:
        """Return (weak, strong): what samples do not explain, and what is far off as well."""
        if scale != self._scale:
            self._scale = scale
            self._tolerate()
        count, offset, matches = self._count, self._offset, self._matches
        count[:] = 0
        matched = matches.view(np.uint8)
        for bottom, span in zip(self._bottom, self._span, strict=True):
            np.subtract(frame, bottom, out=offset)  # wraps round below: one test for both sides
            np.less_equal(offset, span, out=matches)
            np.add(count, matched, out=count)
        weak: Mask = count < MATCHES
        distance = np.maximum(frame, self._picture) - np.minimum(frame, self._picture)
        strong: Mask = weak & (distance > self._far)
        return weak, strong

    def unexplained(self, frame: Gray, places: NDArray[np.intp]) -> Mask:
        """Say of some (flat) places only which of them the samples do not explain."""
        flat = (SAMPLES, -1)
        offsets = frame.ravel()[places] - self._bottom.reshape(flat).take(places, axis=1)
        matches = offsets <= self._span.reshape(flat).take(places, axis=1)
        unexplained: Mask = matches.sum(axis=0, dtype=np.uint8) < MATCHES
        return unexplained

    def observe(self, frame: Gray, foreground: Mask, time_s: float) -> None:
        """Learn, a few times a second, how far a pixel that is background strays from the model's picture."""
        elapsed_s = time_s - self._observed_s
        if elapsed_s < OBSERVE_INTERVAL_S:
            return
        self._observed_s = time_s
        distance = np.maximum(frame, self._picture) - np.minimum(frame, self._picture)
        step = distance - self._noise
        step *= np.float32(min(1.0, elapsed_s / NOISE_MEMORY_S))
        step *= ~foreground
        self._noise += step

    @property
    def tolerance(self) -> Gray:
        """How far each pixel may be off, in gray levels."""
        return self._reach

    def _tolerate(self) -> None:
        noise = np.clip(self._noise - QUIET_NOISE, 0.0, NOISE_CAP)
        reach = self._scale * (BASE_TOLERANCE + NOISE_GAIN * noise)
        self._reach = np.clip(np.rint(reach), 1, 255).astype(np.uint8)
        self._far = np.clip(np.rint(STRONG_RATIO * reach), 1, 255).astype(np.uint8)
        self._widen(slice(None))

    def _widen(self, slots: slice) -> None:
        """Recompute the intervals that explain a pixel: a sample's, wider by the tolerance."""
        reach = self._reach
        low, high = self._low[slots], self._high[slots]
        self._bottom[slots] = low - np.minimum(low, reach)
        self._span[slots] = high + np.minimum(255 - high, reach) - self._bottom[slots]

    def learn(self, frame: Gray, time_s: float, protected: Mask) -> bool:
        """Take a sample where nothing is protected, if one is due; return whether it was."""
        if time_s < self._next_s:
            return False
        self._interval_s = min(SAMPLE_INTERVAL_S, self._interval_s * INTERVAL_GROWTH)
        self._next_s = time_s + self._interval_s
        self._slot = (self._slot + 1) % SAMPLES
        self._store(self._slot, frame, ~protected)
        self._picture = _upper_median(self._center)
        self._tolerate()
        return True

    def refill(self, frame: Gray, where: Mask | None) -> None:
        """Forget the past (where a mask is given, only there) and start from this frame."""
        low, high = self._primitives.minimum3(frame), self._primitives.maximum3(frame)
        if where is None:
            self._low[:], self._high[:], self._center[:] = low, high, frame
            self._picture = frame.copy()
            self._widen(slice(None))
            return
        self._low[:, where] = low[where]
        self._high[:, where] = high[where]
        self._center[:, where] = frame[where]
        self._picture[where] = frame[where]
        self._widen(slice(None))

    def relight(self, table: NDArray[np.uint8]) -> None:
        """Replace every gray level: the light on the scene has changed."""
        for part in (self._low, self._high, self._center):
            np.take(table, part, out=part, mode="clip")
        self._picture = table[self._picture]
        self._widen(slice(None))

    def roll(self, right: int, down: int) -> None:
        """Move the model by whole pixels; what comes in at the border repeats it."""
        height, width = self._picture.shape
        rows = np.clip(np.arange(height) - down, 0, height - 1)[:, None]
        columns = np.clip(np.arange(width) - right, 0, width - 1)[None, :]
        for part in (self._low, self._high, self._center):
            part[:] = part[:, rows, columns]
        self._picture = self._picture[rows, columns]
        self._widen(slice(None))

    def picture(self) -> Gray:
        """Return what the background looks like: the median of the samples."""
        return self._picture

    def _store(self, slot: int, frame: Gray, where: Mask) -> None:
        np.copyto(self._center[slot], frame, where=where)
        np.copyto(self._low[slot], self._primitives.minimum3(frame), where=where)
        np.copyto(self._high[slot], self._primitives.maximum3(frame), where=where)


def _upper_median(samples: NDArray[np.uint8]) -> Gray:
    """Return the upper median over the first axis by Batcher's odd-even merge sort (1968).

    Whole pictures are compared at once, ten times faster than NumPy's partition across pictures.
    """
    rows = list(samples.copy())
    for first, second in _COMPARATORS:
        lower = np.minimum(rows[first], rows[second])
        np.maximum(rows[first], rows[second], out=rows[second])
        rows[first] = lower
    median: Gray = rows[len(rows) // 2]
    return median


def _comparators(count: int) -> list[tuple[int, int]]:
    """Return the comparators of Batcher's network for a power of two."""
    pairs = []
    size = 1
    while size < count:
        step = size
        while step >= 1:
            pairs += [
                (place, place + step)
                for start in range(step % size, count - step, 2 * step)
                for place in range(start, min(start + step, count - step))
                if place // (2 * size) == (place + step) // (2 * size)
            ]
            step //= 2
        size *= 2
    return pairs


_COMPARATORS = _comparators(SAMPLES)
