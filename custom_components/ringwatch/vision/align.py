"""How the whole picture moved and brightened since the model was made.

A shaken camera shifts it, exposure and clouds scale it. Both are found in one robust least-squares
fit of the frame to the model's picture (Lucas and Kanade 1981, with gain and offset as in Baker et
al. 2003), coarse to fine, over the pixels that are not foreground.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .primitives import Gray, Mask

type Float = NDArray[np.float32]

COARSE_STEPS = 4
FINE_STEPS = 2
INLIER = np.float32(16.0)  # gray levels: what fits worse is an object, not the scene
GAIN_PRIOR = 300.0  # gray levels squared per pixel: noise must not look like a loss of contrast
LIGHT_QUANTILES = (0.1, 0.5, 0.9)
MIN_INLIERS = 50
SEARCH_COST = 3.0  # mean residual above which a larger shift is looked for
SEARCH_CELLS = 3  # of a quarter of the size
MAX_SHIFT = 14.0  # analysis pixels, 8 % of the width: more is another view
MIN_SHIFT = 0.12  # a smaller shift is not worth the blur of undoing it
MIN_IMPROVEMENT = 0.94  # a shift must lower the residual to this, or it is not believed


@dataclass(frozen=True, slots=True)
class Alignment:
    """frame(x + dx, y + dy) * gain + offset looks like the model."""

    dx: float = 0.0
    dy: float = 0.0
    gain: float = 1.0
    offset: float = 0.0

    def light_table(self) -> NDArray[np.uint8]:
        """Return what every gray level of the frame is in the model's light."""
        table = np.arange(256) * self.gain + self.offset
        return _as_levels(table)

    def inverse_light_table(self) -> NDArray[np.uint8]:
        """Return what every gray level of the model is in the frame's light."""
        table = (np.arange(256) - self.offset) / self.gain
        return _as_levels(table)

    @property
    def is_shifted(self) -> bool:
        """Whether the frame has to be moved."""
        return self.dx != 0.0 or self.dy != 0.0


class Aligner:
    """Fits frames to one reference picture."""

    def __init__(self, reference: Gray, usable: Mask) -> None:
        """Take the model's picture and where it may be looked at."""
        self._fine = _Level(reference.astype(np.float32), usable)
        self._coarse = _Level(
            _halve(self._fine.image), usable[: usable.shape[0] & ~1, : usable.shape[1] & ~1][::2, ::2]
        )
        self._quarter = _halve(self._coarse.image)
        self._last = Alignment()

    def fit(self, frame: Gray, foreground: Mask) -> Alignment:
        """Return the alignment of a frame (h, w)."""
        image = frame.astype(np.float32)
        small = _halve(image)
        height, width = small.shape
        level = self._coarse
        background = ~foreground[: 2 * height : 2, : 2 * width : 2]
        start = Alignment()
        best = min((start, self._last), key=lambda a: level.cost(small, background, a))
        first_cost = level.cost(small, background, start)
        if first_cost > 0.4 * float(INLIER):
            best = self._light(small, background)
        if level.cost(small, background, best) > SEARCH_COST:
            best = min(
                (best, self._search(small, background, best)), key=lambda a: level.cost(small, background, a)
            )
        found = level.refine(small, background, best, COARSE_STEPS)
        doubled = Alignment(2 * found.dx, 2 * found.dy, found.gain, found.offset)
        if max(abs(doubled.dx), abs(doubled.dy)) < MIN_SHIFT:
            self._last = start
            return Alignment(0.0, 0.0, found.gain, found.offset)
        fine = self._fine.refine(image, ~foreground, doubled, FINE_STEPS)
        unshifted = level.refine(small, background, Alignment(0, 0, found.gain, found.offset), 1, False)
        plain = self._fine.cost(image, ~foreground, unshifted)
        if (
            max(abs(fine.dx), abs(fine.dy)) > MAX_SHIFT
            or self._fine.cost(image, ~foreground, fine) > MIN_IMPROVEMENT * plain
        ):
            self._last = start
            return unshifted
        self._last = Alignment(fine.dx / 2, fine.dy / 2)
        return fine

    def _search(self, image: Float, background: Mask, light: Alignment) -> Alignment:
        """Try every shift in whole cells of a quarter of the size."""
        here = _halve(image * np.float32(light.gain) + np.float32(light.offset))
        there = self._quarter
        height, width = here.shape
        usable = (background & self._coarse.usable)[: 2 * height : 2, : 2 * width : 2]
        usable = usable[SEARCH_CELLS:-SEARCH_CELLS, SEARCH_CELLS:-SEARCH_CELLS]
        middle = there[SEARCH_CELLS:-SEARCH_CELLS, SEARCH_CELLS:-SEARCH_CELLS]
        best, best_cost = (0, 0), np.inf
        span = range(2 * SEARCH_CELLS + 1)
        for down in span:
            for across in span:
                moved = here[down : down + middle.shape[0], across : across + middle.shape[1]]
                residual = np.minimum(np.abs(moved - middle), INLIER)
                cost = float((residual * usable).sum())
                if cost < best_cost:
                    best, best_cost = (across, down), cost
        return Alignment(
            2.0 * (best[0] - SEARCH_CELLS), 2.0 * (best[1] - SEARCH_CELLS), light.gain, light.offset
        )

    def _light(self, image: Float, background: Mask) -> Alignment:
        """Start from the gain and offset that map the frame's quantiles to the reference's."""
        where = background & self._coarse.usable
        if not where.any():
            return Alignment()
        low, middle, high = np.quantile(image[where], LIGHT_QUANTILES)
        low_to, middle_to, high_to = np.quantile(self._coarse.image[where], LIGHT_QUANTILES)
        gain = float(np.clip((high_to - low_to) / max(high - low, 1.0), 0.3, 3.0))
        return Alignment(0.0, 0.0, gain, float(middle_to - gain * middle))


class _Level:
    """One scale: the reference and its gradients."""

    def __init__(self, image: Float, usable: Mask) -> None:
        self.image = image
        self.usable = usable.copy()
        self.usable[[0, -1]] = False
        self.usable[:, [0, -1]] = False
        self._across = np.zeros_like(image)
        self._down = np.zeros_like(image)
        self._across[:, 1:-1] = (image[:, 2:] - image[:, :-2]) / 2
        self._down[1:-1] = (image[2:] - image[:-2]) / 2

    def cost(self, image: Float, background: Mask, at: Alignment) -> float:
        """Return the mean capped residual."""
        residual = np.abs(self.image - self._moved(image, at))
        np.minimum(residual, INLIER, out=residual)
        where = background & self.usable
        count = int(np.count_nonzero(where))
        return float((residual * where).sum()) / count if count else 0.0

    def refine(
        self, image: Float, background: Mask, at: Alignment, steps: int, shift: bool = True
    ) -> Alignment:
        """Return the alignment after some Gauss-Newton steps."""
        where = background & self.usable
        for _ in range(steps):
            moved = self._moved(image, at)
            residual = self.image - moved
            inliers = where & (np.abs(residual) < INLIER)
            if np.count_nonzero(inliers) < MIN_INLIERS:
                return at
            plain = (moved - np.float32(at.offset)) / np.float32(at.gain)
            values = plain[inliers]
            middle = values.mean(dtype=np.float64)
            columns = [values - np.float32(middle), np.ones(np.count_nonzero(inliers), np.float32)]
            if shift:
                columns = [self._across[inliers], self._down[inliers], *columns]
            matrix = np.stack(columns)
            normal = (matrix @ matrix.T).astype(np.float64)
            right = (matrix @ residual[inliers]).astype(np.float64)
            prior = GAIN_PRIOR * matrix.shape[1]
            normal[-2, -2] += prior
            right[-2] += prior * (1.0 - at.gain)
            normal[np.diag_indices_from(normal)] += 1e-3 * matrix.shape[1]
            step = np.linalg.solve(normal, right)
            dx, dy = (float(step[0]), float(step[1])) if shift else (0.0, 0.0)
            at = Alignment(
                at.dx + max(-2.0, min(2.0, dx)),
                at.dy + max(-2.0, min(2.0, dy)),
                min(3.0, max(0.3, at.gain + float(step[-2]))),
                at.offset + float(step[-1]) - float(step[-2]) * float(middle),
            )
            if abs(dx) < 0.02 and abs(dy) < 0.02:
                break
        return at

    def _moved(self, image: Float, at: Alignment) -> Float:
        moved = shifted(image, at.dx, at.dy) if at.is_shifted else image
        return moved * np.float32(at.gain) + np.float32(at.offset)


def shifted(image: Float, dx: float, dy: float) -> Float:
    """Return image(x + dx, y + dy), bilinear, the border repeated."""
    return _shift_axis(_shift_axis(image, dy, 0), dx, 1)


def _shift_axis(image: Float, amount: float, axis: int) -> Float:
    whole = int(np.floor(amount))
    part = np.float32(amount - whole)
    last = image.shape[axis] - 1
    places = np.arange(last + 1)
    first = np.take(image, np.clip(places + whole, 0, last), axis=axis)
    if part == 0:
        return first
    second = np.take(image, np.clip(places + whole + 1, 0, last), axis=axis)
    second -= first
    second *= part
    second += first
    return second


def _halve(image: Float) -> Float:
    height, width = image.shape[0] & ~1, image.shape[1] & ~1
    rows = image[0:height:2, :width] + image[1:height:2, :width]
    halved: Float = (rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25)
    return halved


def _as_levels(values: NDArray[np.floating]) -> Gray:
    levels: Gray = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels
