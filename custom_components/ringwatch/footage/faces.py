"""Where faces are in a picture, to hide them. Nothing here tells one face from another.

Two small models (faces_model.py) on ncnn: UltraFace finds faces that look this way, at two sizes of the
picture; NanoDet finds people, whose heads are taken too, for faces that are turned away or too small.
"""

from dataclasses import dataclass
from enum import StrEnum
import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..vision import Box
from .faces_model import FACE_BIN, FACE_PARAM, PERSON_BIN, PERSON_PARAM, check_faces

if TYPE_CHECKING:
    import ncnn  # type: ignore[import-untyped]

type Frame = NDArray[np.uint8]
"""(height, width, 3), RGB."""
type _Rows = NDArray[np.float32]
"""(n, 5): left, top, right, bottom, score; pixels of the frame."""


class Kind(StrEnum):
    """What was found."""

    FACE = "face"
    HEAD = "head"  # the upper part of a person


@dataclass(frozen=True, slots=True)
class Found:
    """A face or head: left, top, right, bottom in 0..1. `sure` ones count alone, others only beside such."""

    box: Box
    score: float
    kind: Kind
    sure: bool


# UltraFace (Linzaer, MIT): its anchors, of which the smallest are 10 pixels
_MIN_SIZES: Final = ((10, 16, 24), (32, 48), (64, 96), (128, 192, 256))
_STRIDES: Final = (8, 16, 32, 64)
_CENTER_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2
# A small picture is looked at twice as large, for faces of few pixels; a large one no larger than this.
LARGEST_PX: Final = 1280
MAGNIFY: Final = 2.0
# The second look is for near faces. From the first one only those are taken that it can't miss: what it
# finds at the size of a whole body is mostly none.
SMALLER: Final = 0.4
LARGE_FACE_PX: Final = 112
FACE_SCORE: Final = 0.4
SURE_FACE: Final = 0.7
# Floors and walls may look like a face that fills the picture. Where there is such a face there is a person.
LARGE_FACE: Final = 0.12  # of the picture's height
SURE_LARGE_FACE: Final = 0.97
# NanoDet-m (RangiLyu, Apache-2.0)
PERSON_PX: Final = 640  # the longer side; twice what it was trained at, for people at a distance
PERSON_SCORE: Final = 0.3
SURE_PERSON: Final = 0.52
_PERSON_OUTPUTS: Final = ((8, "792", "795"), (16, "814", "817"), (32, "836", "839"))
_BINS: Final = 8
_PERSON_STEP: Final = 32
# A head with what is around it is the upper quarter of who stands; of who bends, sits or is cut off by the
# picture's edge it is about as high as half the width.
HEAD_OF_HEIGHT: Final = 0.25
HEAD_OF_WIDTH: Final = 0.55
OVERLAP: Final = 0.4


class FaceFinder:
    """Finds faces and heads. Use one from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Load the models. Raise FacesUnavailableError."""
        check_faces(folder)
        self._faces = _load(folder / FACE_PARAM.name, folder / FACE_BIN.name)
        self._people = _load(folder / PERSON_PARAM.name, folder / PERSON_BIN.name)
        self._anchors: dict[tuple[int, int], NDArray[np.float32]] = {}

    def find(self, frame: Frame) -> tuple[Found, ...]:
        """Return faces and heads in a picture, (H, W, 3) RGB."""
        height, width = frame.shape[:2]
        image = Image.fromarray(frame)
        faces = self._find_faces(image)
        people = self._find_people(image)
        large = faces[:, 3] - faces[:, 1] > LARGE_FACE * height
        alone = large & ~_in_any(faces, people[people[:, 4] >= SURE_PERSON])
        return (
            *_as_found(faces[~alone], width, height, Kind.FACE, SURE_FACE),
            *_as_found(faces[alone], width, height, Kind.FACE, SURE_LARGE_FACE),
            *_as_found(_heads(people), width, height, Kind.HEAD, SURE_PERSON),
        )

    def _find_faces(self, image: Image.Image) -> _Rows:
        longer = max(image.size)
        scale = min(MAGNIFY, LARGEST_PX / longer)
        near = self._faces_at(image, scale)
        sizes = (near[:, 3] - near[:, 1]) * scale
        return suppress(
            np.concatenate([near[sizes < LARGE_FACE_PX], self._faces_at(image, scale * SMALLER)]), OVERLAP
        )

    def _faces_at(self, image: Image.Image, scale: float) -> _Rows:
        import ncnn

        size = _scaled(image.size, scale)
        pixels = _pixels(image, size)
        given = ncnn.Mat.from_pixels(pixels, ncnn.Mat.PixelType.PIXEL_RGB, *size)
        given.substract_mean_normalize([127.0] * 3, [1 / 128] * 3)
        extractor = self._faces.create_extractor()
        extractor.input("input", given)
        scores = np.array(extractor.extract("scores")[1])[:, 1]
        kept = np.flatnonzero(scores > FACE_SCORE)
        if not kept.size:
            return _none()
        offsets = np.array(extractor.extract("boxes")[1])[kept]
        if size not in self._anchors:
            self._anchors = {key: self._anchors[key] for key in list(self._anchors)[-3:]}
            self._anchors[size] = _anchors(*size)
        anchors = self._anchors[size][kept]
        centers = offsets[:, :2] * _CENTER_VARIANCE * anchors[:, 2:] + anchors[:, :2]
        halves = np.exp(offsets[:, 2:] * _SIZE_VARIANCE) * anchors[:, 2:] / 2
        rows = np.concatenate([centers - halves, centers + halves, scores[kept, np.newaxis]], axis=1)
        rows[:, :4] *= np.tile(np.array(image.size, np.float32), 2)
        return _rows(rows)

    def _find_people(self, image: Image.Image) -> _Rows:
        import ncnn

        scale = PERSON_PX / max(image.size)
        size = _scaled(image.size, scale)
        pixels = _pixels(image, size)
        right, below = -size[0] % _PERSON_STEP, -size[1] % _PERSON_STEP
        padded = np.ascontiguousarray(np.pad(pixels, ((0, below), (0, right), (0, 0))))
        given = ncnn.Mat.from_pixels(
            padded, ncnn.Mat.PixelType.PIXEL_RGB2BGR, size[0] + right, size[1] + below
        )
        given.substract_mean_normalize([103.53, 116.28, 123.675], [1 / 57.375, 1 / 57.12, 1 / 58.395])
        extractor = self._people.create_extractor()
        extractor.input("input.1", given)
        found = [_none()]
        for stride, classes, edges in _PERSON_OUTPUTS:
            scores = np.array(extractor.extract(classes)[1])[:, 0]
            kept = np.flatnonzero(scores > PERSON_SCORE)
            if kept.size:
                spread = np.array(extractor.extract(edges)[1])[kept].reshape(-1, 4, _BINS)
                found.append(_person_rows(spread, scores[kept], kept, stride, (size[0] + right) // stride))
        rows = np.concatenate(found)
        rows[:, :4] /= scale
        return suppress(rows, OVERLAP)


def _person_rows(
    spread: NDArray[np.float32], scores: NDArray[np.float32], cells: NDArray[np.intp], stride: int, row: int
) -> _Rows:
    """Return boxes from distributions over distances in cells (generalized focal loss, Li et al. 2020)."""
    weights = np.exp(spread - spread.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    far = weights @ np.arange(_BINS, dtype=np.float32) * stride
    x, y = (cells % row + 0.5) * stride, (cells // row + 0.5) * stride
    return _rows(np.stack([x - far[:, 0], y - far[:, 1], x + far[:, 2], y + far[:, 3], scores], axis=1))


def _heads(people: _Rows) -> _Rows:
    """Return the upper parts of people."""
    heads = people.copy()
    widths, heights = people[:, 2] - people[:, 0], people[:, 3] - people[:, 1]
    high = np.minimum(heights, np.maximum(HEAD_OF_HEIGHT * heights, HEAD_OF_WIDTH * widths))
    heads[:, 3] = people[:, 1] + high
    return heads


def _in_any(faces: _Rows, people: _Rows) -> NDArray[np.bool_]:
    """Tell which faces have their middle in a person and are no larger than one."""
    x, y = (faces[:, :1] + faces[:, 2:3]) / 2, (faces[:, 1:2] + faces[:, 3:4]) / 2
    left, top, right, bottom, _ = people.T
    inside = (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
    fits = faces[:, 3:4] - faces[:, 1:2] <= bottom - top
    found: NDArray[np.bool_] = (inside & fits).any(axis=1)
    return found


def suppress(rows: _Rows, overlap: float) -> _Rows:
    """Return the best of those that share more than `overlap` of their area (of their union)."""
    order = np.argsort(-rows[:, 4], kind="stable")
    areas = (rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        width = np.minimum(rows[best, 2], rows[rest, 2]) - np.maximum(rows[best, 0], rows[rest, 0])
        height = np.minimum(rows[best, 3], rows[rest, 3]) - np.maximum(rows[best, 1], rows[rest, 1])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        order = rest[shared <= overlap * (areas[best] + areas[rest] - shared)]
    return rows[kept]


def _as_found(rows: _Rows, width: int, height: int, kind: Kind, sure: float) -> list[Found]:
    found = []
    for left, top, right, bottom, score in rows.tolist():
        box = (
            max(0.0, left / width),
            max(0.0, top / height),
            min(1.0, right / width),
            min(1.0, bottom / height),
        )
        if box[0] < box[2] and box[1] < box[3]:
            found.append(Found(box, score, kind, score >= sure))
    return found


def _rows(values: NDArray[np.floating]) -> _Rows:
    rows: _Rows = values.astype(np.float32)
    return rows


def _none() -> _Rows:
    return np.zeros((0, 5), np.float32)


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _pixels(image: Image.Image, size: tuple[int, int]) -> Frame:
    scaled = image if image.size == size else image.resize(size, Image.Resampling.BILINEAR)
    return np.ascontiguousarray(scaled, np.uint8)


def _anchors(width: int, height: int) -> NDArray[np.float32]:
    """Return (n, 4): center x and y, width and height of each anchor, 0..1, in the model's order."""
    found: list[NDArray[np.float32]] = []
    for stride, sizes in zip(_STRIDES, _MIN_SIZES, strict=True):
        y, x, at = np.mgrid[: math.ceil(height / stride), : math.ceil(width / stride), : len(sizes)]
        size = np.array(sizes)[at]
        parts = (x + 0.5) * stride / width, (y + 0.5) * stride / height, size / width, size / height
        found.append(np.stack(parts, axis=-1).reshape(-1, 4).astype(np.float32))
    return np.concatenate(found)


def _load(param: Path, weights: Path) -> ncnn.Net:
    import ncnn

    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = 1  # Home Assistant goes on beside it
    net.load_param(str(param))
    net.load_model(str(weights))
    return net
