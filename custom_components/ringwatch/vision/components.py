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
    padded = np.zeros((height, stride), np.bool_)
    padded[:, 1:-1] = mask
    flat = padded.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    starts, ends = edges[0::2] + 1, edges[1::2] + 1  # flat, end exclusive
    if not starts.size:
        return Components(
            np.zeros(mask.shape, np.int32),
            np.zeros(0, np.int64),
            np.zeros((0, 4), np.int64),
            np.zeros((0, 2), np.float64),
        )
    # Runs j of the row above that touch run i: end_j + stride >= start_i, start_j + stride <= end_i.
    first = np.searchsorted(ends, starts - stride, side="left")
    touches = np.maximum(np.searchsorted(starts, ends - stride, side="right") - first, 0)
    roots = _join(first, touches)
    order = np.arange(starts.size)
    unique = np.flatnonzero(roots == order)
    count = unique.size
    run_labels = (np.cumsum(roots == order) - 1)[roots]

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
    boxes[:, 0] = width
    boxes[:, 2] = 0
    np.minimum.at(boxes[:, 0], run_labels, left)
    np.maximum.at(boxes[:, 2], run_labels, right)
    boxes[:, 1] = rows[unique]  # runs come row by row
    boxes[run_labels, 3] = rows + 1  # the last one stays
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


def _join(first: NDArray[np.intp], touches: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each run the smallest run that it is connected to.

    Run i touches `touches[i]` runs of the row above, from run `first[i]` on.
    """
    roots: NDArray[np.intp] = np.arange(first.size)
    np.copyto(roots, first, where=touches > 0)
    roots = _jump(roots)
    forks = np.flatnonzero(touches > 1)
    if not forks.size:
        return roots
    more = touches[forks] - 1
    lower = np.repeat(forks, more)
    upper = np.arange(1, lower.size + 1) - np.repeat(np.cumsum(more) - more, more) + first[lower]
    while True:
        low, up = roots[lower], roots[upper]
        differing = np.flatnonzero(low != up)
        if not differing.size:
            return roots
        low, up = low[differing], up[differing]
        np.minimum.at(roots, np.maximum(low, up), np.minimum(low, up))
        roots = _jump(roots)


def _jump(roots: NDArray[np.intp]) -> NDArray[np.intp]:
    """Follow pointers to their ends, twice as far each time."""
    while True:
        jumped: NDArray[np.intp] = roots[roots]
        if np.array_equal(jumped, roots):
            return roots
        roots = jumped
