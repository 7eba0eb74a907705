"""Connected components in pure NumPy: runs of each row, joined by label propagation.

A mask of 160x110 has a few hundred runs at most, so everything after finding them works on
arrays of that length.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Components:
    """8-connected components: `labels` (H, W), 0 is no component; component k is row k - 1.

    `boxes` are (left, top, right, bottom), right and bottom exclusive; `centers` are (x, y).
    The order of the components is the engine's.
    """

    labels: NDArray[np.int32]
    areas: NDArray[np.int64]
    boxes: NDArray[np.int64]
    centers: NDArray[np.float64]


def label_runs(mask: NDArray[np.bool_]) -> Components:
    """Label the 8-connected components of a mask in the order of their first pixels.

    Two-pass labeling with union by minimum over the graph of touching runs (Suzuki et al.
    2003, the run-based form), with pointer jumping instead of a tree.
    """
    height, width = mask.shape
    stride = width + 2  # a gap of two between rows: no run of a row touches the next in memory
    padded = np.zeros((height, stride), np.int8)
    padded[:, 1:-1] = mask
    edges = np.flatnonzero(np.diff(padded.ravel()))
    starts, ends = edges[0::2] + 1, edges[1::2] + 1  # flat, end exclusive
    if not starts.size:
        return Components(
            np.zeros(mask.shape, np.int32),
            np.zeros(0, np.int64),
            np.zeros((0, 4), np.int64),
            np.zeros((0, 2), np.float64),
        )
    # Runs j of the row above that touch run i: end_j + stride >= start_i, start_j + stride <= end_i.
    first = np.searchsorted(ends + stride, starts, side="left")
    last = np.searchsorted(starts + stride, ends, side="right")
    touches = np.maximum(last - first, 0)
    lower = np.repeat(np.arange(starts.size), touches)
    upper = np.arange(lower.size) - np.repeat(np.cumsum(touches) - touches, touches)
    upper += np.repeat(first, touches)

    roots = _join(starts.size, lower, upper)
    unique, run_labels = np.unique(roots, return_inverse=True)
    count = unique.size

    lengths = ends - starts
    labels = np.zeros(height * stride, np.int32)
    labels[_expand(starts, lengths)] = np.repeat(run_labels + 1, lengths)

    rows = starts // stride
    left = starts - rows * stride - 1
    right = left + lengths
    areas = np.bincount(run_labels, lengths, count)
    sum_x = np.bincount(run_labels, lengths * (left + right - 1) / 2, count)
    sum_y = np.bincount(run_labels, lengths * rows, count)
    boxes = np.empty((count, 4), np.int64)
    boxes[:, :2] = max(height, width)
    boxes[:, 2:] = 0
    np.minimum.at(boxes[:, 0], run_labels, left)
    np.minimum.at(boxes[:, 1], run_labels, rows)
    np.maximum.at(boxes[:, 2], run_labels, right)
    np.maximum.at(boxes[:, 3], run_labels, rows + 1)
    return Components(
        np.ascontiguousarray(labels.reshape(height, stride)[:, 1:-1]),
        areas.astype(np.int64),
        boxes,
        np.stack((sum_x / areas, sum_y / areas), axis=1),
    )


def _expand(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return every flat index of every run."""
    offsets = np.cumsum(lengths) - lengths
    flat: NDArray[np.intp] = np.arange(int(lengths.sum())) + np.repeat(starts - offsets, lengths)
    return flat


def _join(count: int, lower: NDArray[np.intp], upper: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each of `count` runs the smallest run that it is connected to."""
    roots: NDArray[np.intp] = np.arange(count)
    while True:
        low, up = roots[lower], roots[upper]
        differing = low != up
        if not differing.any():
            return roots
        low, up = low[differing], up[differing]
        np.minimum.at(roots, np.maximum(low, up), np.minimum(low, up))
        while True:
            jumped: NDArray[np.intp] = roots[roots]
            if np.array_equal(jumped, roots):
                break
            roots = jumped
