"""Parts of pictures are hidden before they are encoded, so that no trace of them is in the file.

A box is filled with what is around it: its color is that of its rim, and a faint pattern says that something
is hidden. Nothing in it depends on what was there, so no number of pictures gives it back. Where everything
but a box is hidden there is no rim: there a coarse mosaic shows what kind of place it is.
"""

from collections.abc import Iterable, Sequence
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..vision import Box

CELLS: Final = 6  # along the longer side: of a mosaic, and of the pattern
# Of a mosaic, never smaller than this, however small the picture.
MIN_CELL_PX: Final = 16
# A mosaic that follows each picture gives away, over many pictures, what is finer than its cells.
HOLD_S: Final = 0.5
LEVELS: Final = 32
# Of chroma, so twice as much of luma; wide enough that one thing beside the box doesn't color it
RIM_PX: Final = 6
PATTERN: Final = 14  # levels of brightness: seen, and not taken for something that was there
NEUTRAL: Final = 128  # where everything around is hidden too

type Planes = NDArray[np.uint8]
type Area = tuple[int, int, int, int]  # left, top, right, bottom in pixels


class Hider:
    """Hides the same parts of all pictures of a clip, and others in each of them. Planes are yuv420p."""

    def __init__(self, boxes: tuple[Box, ...], keep_only: Box | None) -> None:
        """`boxes` are hidden in every picture; and all but `keep_only`, if given."""
        self._boxes = boxes
        self._keep_only = keep_only
        self._made_at_s = -math.inf
        self._mosaics: list[Planes] = []

    def hide(self, planes: Planes, at_s: float, moving: Sequence[Box]) -> None:
        """Hide in place; planes (H * 3 / 2, W)."""
        height, width = planes.shape[0] * 2 // 3, planes.shape[1]
        chroma = planes[height:].reshape(2, height // 2, width // 2)
        layers = planes[:height], chroma[0], chroma[1]
        if self._keep_only is not None:
            self._keep(layers, self._keep_only, at_s)
        fill(layers, (*self._boxes, *moving))

    def _keep(self, layers: tuple[Planes, Planes, Planes], shown: Box, at_s: float) -> None:
        anew = not 0 <= at_s - self._made_at_s < HOLD_S
        if anew:
            self._made_at_s = at_s
            self._mosaics = [
                _mosaic(layer, max(MIN_CELL_PX // scale, math.ceil(max(layer.shape) / CELLS)))
                for layer, scale in zip(layers, (1, 2, 2), strict=True)
            ]
        height, width = layers[0].shape
        for layer, mosaic, scale in zip(layers, self._mosaics, (1, 2, 2), strict=True):
            left, top, right, bottom = (edge // scale for edge in _inner(shown, width, height))
            uncovered = layer[top:bottom, left:right].copy()
            layer[:] = mosaic
            layer[top:bottom, left:right] = uncovered


def fill(layers: tuple[Planes, Planes, Planes], boxes: Iterable[Box]) -> None:
    """Fill boxes with the color of their rims, in place."""
    height, width = layers[0].shape
    areas = [area for box in boxes if (area := _outer(box, width, height))[0] < area[2] and area[1] < area[3]]
    hidden = np.zeros((height // 2, width // 2), np.bool_)
    for left, top, right, bottom in areas:
        hidden[top // 2 : bottom // 2, left // 2 : right // 2] = True
    # All colors first: what fills one box is nothing that another one covers.
    colors = [[_rim(layer, hidden, area) for layer in layers] for area in areas]
    for (left, top, right, bottom), (luma, *chroma) in zip(areas, colors, strict=True):
        cell = max(2, math.ceil(max(right - left, bottom - top) / CELLS))
        odd = (np.arange(bottom - top)[:, np.newaxis] // cell + np.arange(right - left) // cell) % 2
        low = min(max(luma - PATTERN // 2, 0), 255 - PATTERN)
        layers[0][top:bottom, left:right] = low + PATTERN * odd
        for layer, color in zip(layers[1:], chroma, strict=True):
            layer[top // 2 : bottom // 2, left // 2 : right // 2] = color


def _rim(layer: Planes, hidden: NDArray[np.bool_], area: Area) -> int:
    """Return the mean of what is seen just around a box, coarsely."""
    left, top, right, bottom = (edge // 2 for edge in area)
    rows = slice(max(0, top - RIM_PX), bottom + RIM_PX)
    columns = slice(max(0, left - RIM_PX), right + RIM_PX)
    seen = ~hidden[rows, columns]
    if not seen.any():
        return NEUTRAL
    if layer.shape != hidden.shape:
        layer = layer[::2, ::2]
    step = 256 // LEVELS
    return int(layer[rows, columns][seen].mean()) // step * step + step // 2


def _mosaic(layer: Planes, cell_px: int) -> Planes:
    """Return a layer as few cells of one coarse level each."""
    rows = np.arange(0, layer.shape[0], cell_px)
    columns = np.arange(0, layer.shape[1], cell_px)
    sums = np.add.reduceat(np.add.reduceat(layer.astype(np.uint32), rows, axis=0), columns, axis=1)
    heights = np.diff([*rows, layer.shape[0]])
    widths = np.diff([*columns, layer.shape[1]])
    step = 256 // LEVELS
    means = (sums // np.outer(heights, widths)).astype(np.uint8) // step * step + step // 2
    mosaic: Planes = np.repeat(np.repeat(means, heights, axis=0), widths, axis=1)
    return mosaic


def _outer(box: Box, width: int, height: int) -> Area:
    """Return the pixels that a box touches, in whole pairs."""
    left, top, right, bottom = box
    return (
        max(0, math.floor(left * width / 2) * 2),
        max(0, math.floor(top * height / 2) * 2),
        min(width, math.ceil(right * width / 2) * 2),
        min(height, math.ceil(bottom * height / 2) * 2),
    )


def _inner(box: Box, width: int, height: int) -> Area:
    """Return the pixels that lie in a box altogether, in whole pairs."""
    left, top, right, bottom = box
    return (
        max(0, math.ceil(left * width / 2) * 2),
        max(0, math.ceil(top * height / 2) * 2),
        min(width, math.floor(right * width / 2) * 2),
        min(height, math.floor(bottom * height / 2) * 2),
    )
