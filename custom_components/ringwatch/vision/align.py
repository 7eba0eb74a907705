"""How the whole picture moved and brightened since the model was made.

A shaken camera shifts it, exposure and clouds scale it. Both are found in one robust least-squares fit of
the frame to the model's picture (Lucas and Kanade 1981, with gain and offset as in Baker et al. 2003), coarse
to fine. Only a thousand points are looked at: the strongest edges tell the shift, a grid the light.
"""

from dataclasses import dataclass, replace
import math

import numpy as np
from numpy.typing import NDArray

from .primitives import Gray, Mask

type Float = NDArray[np.float32]
type Places = NDArray[np.intp]

COARSE_STEPS = 3  # Gauss-Newton steps at half the size: the step shrinks tenfold each time
FINE_STEPS = 2
EDGE_POINTS = 900  # of each level
GRID_POINTS = 300  # of each level, everywhere: gain needs dark and bright
INLIER = np.float32(16.0)  # gray levels: what fits worse is an object, not the scene
GAIN_PRIOR = 300.0  # gray levels squared per point: noise must not look like a loss of contrast
LIGHT_QUANTILES = (0.1, 0.5, 0.9)  # darker and brighter ones clip
GAINS = (0.3, 3.0)  # one automatic exposure step is at most about this
EXTREME_OFFSET = 80.0  # gray levels
MIN_INLIERS = 50  # points: four unknowns want a dozen each
SMALL_STEP = 0.05  # pixels: the fit has arrived
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
    cost: float = -1.0  # mean residual that it left at half the size; below 0: not to be relied on

    def light_table(self) -> Gray:
        """Return what every gray level of the frame is in the model's light."""
        return _as_levels(np.arange(256) * self.gain + self.offset)

    def lit(self, frame: Gray) -> Gray:
        """Return a frame in the model's light."""
        if self.gain == 1.0 and self.offset == 0.0:
            return frame
        lit = frame * np.float32(self.gain)  # faster than looking every pixel up
        lit += np.float32(self.offset)
        return _as_levels(lit)

    def inverse_light_table(self) -> Gray:
        """Return what every gray level of the model is in the frame's light."""
        return _as_levels((np.arange(256) - self.offset) / self.gain)

    @property
    def is_relit(self) -> bool:
        """Whether the light is corrected by more than a gray level or so."""
        return abs(self.gain - 1.0) > 0.01 or abs(self.offset) > 1.0

    @property
    def is_extreme(self) -> bool:
        """Whether the light is corrected by so much that any picture would fit: a black one, infrared."""
        return not GAINS[0] < self.gain < GAINS[1] or abs(self.offset) > EXTREME_OFFSET

    @property
    def is_shifted(self) -> bool:
        """Whether the frame has to be moved."""
        return self.dx != 0.0 or self.dy != 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Views:
    """A frame at full and half size, what covers the scene, and which coarse points are free of it."""

    image: Float
    foreground: Mask
    half: Float
    covered: Mask
    free: Mask


class Aligner:
    """Fits frames to one reference picture."""

    def __init__(self, reference: Gray, usable: Mask) -> None:
        """Take the model's picture and where it may be looked at."""
        image = reference.astype(np.float32)
        half = _halve(image)
        height, width = half.shape
        self._fine = _Level(image, usable, MAX_SHIFT)
        self._coarse = _Level(half, usable[: 2 * height : 2, : 2 * width : 2], MAX_SHIFT / 2)
        self._quarter = _halve(half).astype(np.int16)
        self._quarter_usable = usable[: 4 * (height // 2) : 4, : 4 * (width // 2) : 4]

    def fit(self, frame: Gray, foreground: Mask, before: Alignment, *, steady: bool = False) -> Alignment:
        """Return the alignment of a frame (h, w); `before` is that of the last one.

        While the camera is steady, what fitted the last frame as well as its own is taken as it is.
        """
        views = self._views(frame, foreground)
        level = self._coarse
        last = Alignment(before.dx / 2, before.dy / 2, before.gain, before.offset)
        if steady and before.cost >= 0:
            _, cost = level.best(views.half, views.free, (last,))
            if cost <= before.cost:  # allowing 2 % more kept the light of a passing beam for too long
                return before
        found = self._fit(views, last)
        halved = Alignment(found.dx / 2, found.dy / 2, found.gain, found.offset)
        _, cost = level.best(views.half, views.free, (halved,))
        return replace(found, cost=cost)

    def cost(self, frame: Gray, foreground: Mask, at: Alignment) -> float:
        """Return the mean residual that an alignment leaves at half the size."""
        views = self._views(frame, foreground)
        halved = Alignment(at.dx / 2, at.dy / 2, at.gain, at.offset)
        return self._coarse.best(views.half, views.free, (halved,))[1]

    def _views(self, frame: Gray, foreground: Mask) -> _Views:
        image = frame.astype(np.float32)
        half = _halve(image)
        height, width = half.shape
        covered = foreground[: 2 * height : 2, : 2 * width : 2]
        return _Views(image, foreground, half, covered, self._coarse.free(covered))

    def _fit(self, views: _Views, last: Alignment) -> Alignment:
        level, half, free = self._coarse, views.half, views.free
        starts = (Alignment(), Alignment(last.dx, last.dy)) if last.is_shifted else (Alignment(),)
        best, cost = level.best(half, free, starts)
        if cost > 0.4 * float(INLIER):
            best, cost = level.best(half, free, (best, self._light(half, free)))
        if cost > SEARCH_COST:
            best, _ = level.best(half, free, (best, self._search(half, views.covered, best)))
        found = level.refine(half, free, best, COARSE_STEPS)
        doubled = Alignment(2 * found.dx, 2 * found.dy, found.gain, found.offset)
        if max(abs(doubled.dx), abs(doubled.dy)) < MIN_SHIFT:
            return Alignment(0.0, 0.0, found.gain, found.offset)
        in_place = level.refine(half, free, Alignment(0.0, 0.0, found.gain, found.offset), 1, shift=False)
        image, free = views.image, self._fine.free(views.foreground)
        fine = self._fine.refine(image, free, doubled, FINE_STEPS)
        _, unshifted_cost = self._fine.best(image, free, (in_place,))
        _, fine_cost = self._fine.best(image, free, (fine,))
        if max(abs(fine.dx), abs(fine.dy)) > MAX_SHIFT or fine_cost > MIN_IMPROVEMENT * unshifted_cost:
            return in_place
        return fine

    def _search(self, half: Float, covered: Mask, light: Alignment) -> Alignment:
        """Try every shift in whole cells of a quarter of the size."""
        here = _halve(half * np.float32(light.gain) + np.float32(light.offset)).astype(np.int16)
        inner = slice(SEARCH_CELLS, -SEARCH_CELLS)
        middle = self._quarter[inner, inner]
        if not middle.size:
            return light
        height, width = here.shape
        usable = (self._quarter_usable & ~covered[: 2 * height : 2, : 2 * width : 2])[inner, inner]
        moved = np.lib.stride_tricks.sliding_window_view(here, middle.shape)
        residual = np.minimum(np.abs(moved - middle), np.int16(INLIER))
        residual *= usable
        costs = residual.sum(axis=(2, 3))
        down, across = np.unravel_index(int(np.argmin(costs)), costs.shape)
        return Alignment(
            2.0 * (int(across) - SEARCH_CELLS), 2.0 * (int(down) - SEARCH_CELLS), light.gain, light.offset
        )

    def _light(self, half: Float, free: Mask) -> Alignment:
        """Start from the gain and offset that map the frame's quantiles to the reference's."""
        here, there = self._coarse.pairs(half, free)
        if not here.size:
            return Alignment()
        low, middle, high = _quantiles(here)
        low_to, middle_to, high_to = _quantiles(there)
        gain = min(GAINS[1], max(GAINS[0], (high_to - low_to) / max(high - low, 1.0)))
        return Alignment(0.0, 0.0, gain, float(middle_to - gain * middle))


class _Level:
    """One scale: the chosen points of the reference and its gradients there."""

    def __init__(self, image: Float, usable: Mask, reach: float) -> None:
        height, width = image.shape
        self._width = width
        margin = int(reach) + 2  # a shifted point is still inside
        self._reach = reach
        inner = np.zeros_like(usable)
        inner[margin : height - margin, margin : width - margin] = True
        places = np.flatnonzero(inner & usable)
        across = np.zeros_like(image)
        down = np.zeros_like(image)
        across[:, 1:-1] = (image[:, 2:] - image[:, :-2]) / 2
        down[1:-1] = (image[2:] - image[:-2]) / 2
        strength = np.maximum(np.abs(across), np.abs(down)).take(places)
        edges = places
        if places.size > EDGE_POINTS:
            edges = places[np.argpartition(-strength, EDGE_POINTS)[:EDGE_POINTS]]
        grid = places[:: max(1, places.size // GRID_POINTS)]
        self._places: Places = np.sort(np.concatenate((edges, grid)))
        self._values = image.take(self._places)
        self._across = across.take(self._places)
        self._down = down.take(self._places)

    def free(self, covered: Mask) -> Mask:
        """Return which of the points nothing covers."""
        free: Mask = ~covered.take(self._places)
        return free

    def best(self, image: Float, free: Mask, starts: tuple[Alignment, ...]) -> tuple[Alignment, float]:
        """Return the alignment with the lowest mean capped residual, and that."""
        count = max(1, int(np.count_nonzero(free)))
        costs = []
        for at in starts:
            residual = np.minimum(np.abs(self._values - self._moved(image, at)), INLIER)
            costs.append(float((residual * free).sum()) / count)
        lowest = min(range(len(costs)), key=costs.__getitem__)
        return starts[lowest], costs[lowest]

    def pairs(self, image: Float, free: Mask) -> tuple[Float, Float]:
        """Return the frame's and the reference's gray levels at the points that are free."""
        return image.take(self._places[free]), self._values[free]

    def refine(self, image: Float, free: Mask, at: Alignment, steps: int, *, shift: bool = True) -> Alignment:
        """Return the alignment after some Gauss-Newton steps."""
        for _ in range(steps):
            moved = self._moved(image, at)
            residual = self._values - moved
            inliers = np.flatnonzero(free & (np.abs(residual) < INLIER))
            if inliers.size < MIN_INLIERS:
                return at
            values = (moved.take(inliers) - np.float32(at.offset)) / np.float32(at.gain)
            middle = float(values.mean(dtype=np.float64))
            matrix = np.empty((4 if shift else 2, inliers.size), np.float32)
            if shift:
                self._across.take(inliers, out=matrix[0], mode="clip")
                self._down.take(inliers, out=matrix[1], mode="clip")
            np.subtract(values, np.float32(middle), out=matrix[-2])
            matrix[-1] = 1
            normal = (matrix @ matrix.T).astype(np.float64)
            right = (matrix @ residual.take(inliers)).astype(np.float64)
            prior = GAIN_PRIOR * inliers.size
            normal[-2, -2] += prior
            right[-2] += prior * (1.0 - at.gain)
            normal.flat[:: len(normal) + 1] += 1e-3 * inliers.size
            step = np.linalg.solve(normal, right)
            dx, dy = (float(step[0]), float(step[1])) if shift else (0.0, 0.0)
            at = Alignment(
                at.dx + max(-2.0, min(2.0, dx)),
                at.dy + max(-2.0, min(2.0, dy)),
                min(GAINS[1], max(GAINS[0], at.gain + float(step[-2]))),
                at.offset + float(step[-1]) - float(step[-2]) * middle,
            )
            if abs(dx) < SMALL_STEP and abs(dy) < SMALL_STEP:
                break
        return at

    def _moved(self, image: Float, at: Alignment) -> Float:
        """Return the frame's gray levels, in the reference's light, at the shifted points (bilinear)."""
        dx = min(self._reach, max(-self._reach, at.dx))
        dy = min(self._reach, max(-self._reach, at.dy))
        right, down = math.floor(dx), math.floor(dy)
        part_x, part_y = np.float32(dx - right), np.float32(dy - down)
        offset = down * self._width + right
        places = self._places + offset if offset else self._places
        moved: Float = image.take(places)
        if part_x or part_y:
            below = image.take(places + self._width)
            moved += (image.take(places + 1) - moved) * part_x
            below += (image.take(places + (self._width + 1)) - below) * part_x
            moved += (below - moved) * part_y
        return moved * np.float32(at.gain) + np.float32(at.offset)


def shifted(image: Float, dx: float, dy: float) -> Float:
    """Return image(x + dx, y + dy), bilinear, the border repeated."""
    right, down = math.floor(dx), math.floor(dy)
    height, width = image.shape
    rows = np.clip(np.arange(down, down + height + 1), 0, height - 1)
    columns = np.clip(np.arange(right, right + width + 1), 0, width - 1)
    moved = image.take(rows, axis=0).take(columns, axis=1)
    across = moved[:, :-1] + (moved[:, 1:] - moved[:, :-1]) * np.float32(dx - right)
    between: Float = across[:-1] + (across[1:] - across[:-1]) * np.float32(dy - down)
    return between


def outside(shape: tuple[int, ...], at: Alignment) -> Mask:
    """Return where a shifted frame has nothing to show."""
    height, width = shape
    rows = np.arange(height) + at.dy
    columns = np.arange(width) + at.dx
    mask: Mask = ((rows < 0) | (rows > height - 1))[:, None] | ((columns < 0) | (columns > width - 1))[
        None, :
    ]
    return mask


def moved_back(mask: Mask, at: Alignment) -> Mask:
    """Return a mask in the model's place as it lies in the frame."""
    dx, dy = round(at.dx), round(at.dy)
    if not dx and not dy:
        return mask
    height, width = mask.shape
    moved = np.zeros_like(mask)
    moved[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = mask[
        max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)
    ]
    return moved


def _quantiles(values: Float) -> tuple[float, float, float]:
    """Return the LIGHT_QUANTILES, the nearest value each: `np.quantile` takes ten times as long."""
    ordered = np.sort(values)
    low, middle, high = (float(ordered[round(share * (ordered.size - 1))]) for share in LIGHT_QUANTILES)
    return low, middle, high


def _halve(image: Float) -> Float:
    height, width = image.shape[0] & ~1, image.shape[1] & ~1
    rows = image[0:height:2, :width] + image[1:height:2, :width]
    halved: Float = (rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25)
    return halved


def _as_levels(values: NDArray[np.floating]) -> Gray:
    levels: NDArray[np.floating] = np.rint(values)
    np.minimum(levels, 255, out=levels)
    np.maximum(levels, 0, out=levels)
    return levels.astype(np.uint8)
