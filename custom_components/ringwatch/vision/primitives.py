"""The few pixel operations that have an OpenCV and a NumPy form, one signature each.

NumPy is all that Home Assistant OS has; OpenCV is used where it is installed. All operations
agree exactly on 8 bit data, so nothing above this module can tell which one runs
(tests/vision/test_primitives.py holds them to it).
"""

import importlib
import math
from typing import Any, Literal, Protocol, override

import numpy as np
from numpy.typing import NDArray

from .components import Components, label_runs
from .types import EngineError

type Gray = NDArray[np.uint8]
type Mask = NDArray[np.bool_]
type EngineName = Literal["auto", "opencv", "numpy"]

_ROWS_PER_CELL = 4  # read at most this many rows of a cell: the noise falls little below that


class Primitives(Protocol):
    """One signature per pixel operation."""

    name: str

    def minimum3(self, image: Gray) -> Gray:
        """Return the minimum over 3x3 neighbors; pixels outside the picture do not count."""

    def maximum3(self, image: Gray) -> Gray:
        """Return the maximum over 3x3 neighbors; pixels outside the picture do not count."""

    def median3(self, image: Gray) -> Gray:
        """Return the median over 3x3 neighbors of a 0/1 image; the border repeats."""

    def components(self, mask: Mask) -> Components:
        """Label the 8-connected components of a mask."""


def analysis_factor(height: int, width: int, target_width: int = 160) -> int:
    """Return how many pixels make a side of a cell.

    The analyzed picture is about `target_width` wide for 16:9, with as many cells for any other shape.
    """
    cells = target_width * target_width * 9 / 16 * 1.15
    return max(1, round(math.sqrt(height * width / cells)))


def select_primitives(name: EngineName = "auto") -> Primitives:
    """Return an engine by name; raise EngineError where OpenCV is asked for and absent."""
    if name == "numpy":
        return NumpyPrimitives()
    try:
        return OpenCVPrimitives()
    except ImportError as err:
        if name == "opencv":
            raise EngineError("OpenCV is not installed; choose numpy or auto") from err
        return NumpyPrimitives()


def area_average(luma: Gray, factor: int) -> Gray:
    """Average (factor x factor) cells, rounded half up; (H, W) -> (H // factor, W // factor).

    At most four rows of a cell are read. One form only: at 1080p it is twice as fast as
    OpenCV's INTER_AREA.
    """
    height, width = luma.shape[0] // factor, luma.shape[1] // factor
    luma = luma[: height * factor, : width * factor]
    if factor == 1:
        return luma.copy()
    read = min(factor, _ROWS_PER_CELL)
    offsets = [int((k + 0.5) * factor / read) for k in range(read)]
    rows = luma[offsets[0] :: factor].astype(np.uint16)
    for offset in offsets[1:]:
        rows += luma[offset::factor]
    total = rows[:, factor - 1 :: factor].copy()  # 4 rows of 64 columns still fit 16 bits
    if factor % 2 == 0:
        total += rows[:, factor - 2 :: factor]
    if factor > 2:
        pairs = rows[:, :-1] + rows[:, 1:]  # reading in steps costs more than adding
        for column in range(0, factor - 2, 2):
            total += pairs[:, column::factor]
    count = np.uint16(read * factor)
    return ((total + count // 2) // count).astype(np.uint8)


def resize_mask(mask: Mask, factor: int, height: int, width: int) -> Mask:
    """Scale a mask of the analysis size back to (height, width) pixels; remainders repeat."""
    rows = np.minimum(np.arange(height) // factor, mask.shape[0] - 1)
    columns = np.minimum(np.arange(width) // factor, mask.shape[1] - 1)
    resized: Mask = mask[rows[:, None], columns[None, :]]
    return resized


def _reduce3(operation: np.ufunc, image: Gray) -> Gray:
    """Separable 3x3 minimum or maximum."""
    result = image.copy()
    operation(result[1:], image[:-1], out=result[1:])
    operation(result[:-1], image[1:], out=result[:-1])
    across = result.copy()
    operation(across[:, 1:], result[:, :-1], out=across[:, 1:])
    operation(across[:, :-1], result[:, 1:], out=across[:, :-1])
    return across


class NumpyPrimitives(Primitives):
    """Everything with NumPy alone."""

    name = "numpy"

    @override
    def minimum3(self, image: Gray) -> Gray:
        return _reduce3(np.minimum, image)

    @override
    def maximum3(self, image: Gray) -> Gray:
        return _reduce3(np.maximum, image)

    @override
    def median3(self, image: Gray) -> Gray:
        height, width = image.shape
        padded = np.empty((height + 2, width + 2), np.uint8)
        padded[1:-1, 1:-1] = image
        padded[0, 1:-1], padded[-1, 1:-1] = image[0], image[-1]
        padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
        rows = padded[:-2] + padded[1:-1] + padded[2:]
        count = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
        majority: Gray = (count >= 5).view(np.uint8)
        return majority

    @override
    def components(self, mask: Mask) -> Components:
        return label_runs(mask)


class OpenCVPrimitives(Primitives):
    """The same through OpenCV."""

    name = "opencv"

    def __init__(self) -> None:
        """Import OpenCV; raise ImportError where it is absent."""
        self._cv: Any = importlib.import_module("cv2")
        self._kernel = np.ones((3, 3), np.uint8)

    @override
    def minimum3(self, image: Gray) -> Gray:
        result: Gray = self._cv.erode(image, self._kernel)
        return result

    @override
    def maximum3(self, image: Gray) -> Gray:
        result: Gray = self._cv.dilate(image, self._kernel)
        return result

    @override
    def median3(self, image: Gray) -> Gray:
        result: Gray = self._cv.medianBlur(image, 3)
        return result

    @override
    def components(self, mask: Mask) -> Components:
        _, labels, stats, centers = self._cv.connectedComponentsWithStats(
            mask.view(np.uint8), connectivity=8, ltype=self._cv.CV_32S
        )
        stats = stats[1:].astype(np.int64)
        boxes = stats[:, :4].copy()
        boxes[:, 2:] += boxes[:, :2]
        return Components(labels, stats[:, 4], boxes, centers[1:])
