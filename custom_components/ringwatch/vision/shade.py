"""Shadows, reflections and patches of light: the same texture, darker or brighter by a common factor.

Within a small window a shadow multiplies the background by one number (Jacques et al. 2005 test
the ratio's spread, Cucchiara et al. 2003 its range). A thing has a texture of its own.
"""

import numpy as np
from numpy.typing import NDArray

from .primitives import Gray, Mask, Primitives

DARKEST = 0.76  # share of the background's light left in a shadow; below it things look alike
BRIGHTEST = 1.25  # of a reflection on a floor
TEXTURE_TOLERANCE = 4.0  # gray levels, mean over the window, that texture may differ by
RADIUS = 2  # of the window


def shaded(primitives: Primitives, frame: Gray, background: Gray, mask: Mask) -> Mask:
    """Return which pixels of a mask differ from the background by a factor only."""
    rows = np.flatnonzero(mask.any(axis=1))
    result = np.zeros_like(mask)
    if not rows.size:
        return result
    columns = np.flatnonzero(mask.any(axis=0))
    margin = 2 * RADIUS
    part = (
        slice(max(0, rows[0] - margin), rows[-1] + 1 + margin),
        slice(max(0, columns[0] - margin), columns[-1] + 1 + margin),
    )
    here, there = frame[part], background[part]
    total_here, total_there = box_sum(here), np.maximum(box_sum(there), 1)
    ratio = total_here.astype(np.float32) / total_there
    expected = there * ratio
    np.rint(expected, out=expected)
    texture = box_sum(np.minimum(np.abs(here - expected), 255).astype(np.uint8))
    size = (2 * RADIUS + 1) ** 2
    possible = mask[part] & (here >= DARKEST * there) & (here <= BRIGHTEST * there)
    same = possible & (texture < TEXTURE_TOLERANCE * size)
    if not same.any():
        return result
    for _ in range(RADIUS):  # a window over the shadow's outline sees both sides of it
        same = primitives.maximum3(same.view(np.uint8)).view(np.bool_)
    result[part] = same & possible
    return result


def box_sum(image: Gray) -> NDArray[np.uint16]:
    """Return sums over 5x5 neighbors, the border repeated."""
    height, width = image.shape
    padded = np.empty((height + 2 * RADIUS, width + 2 * RADIUS), np.uint16)
    inner = slice(RADIUS, -RADIUS)
    padded[inner, inner] = image
    padded[:RADIUS, inner], padded[-RADIUS:, inner] = image[0], image[-1]
    padded[:, :RADIUS], padded[:, -RADIUS:] = padded[:, [RADIUS]], padded[:, [-RADIUS - 1]]
    rows = padded[:height].copy()
    for offset in range(1, 2 * RADIUS + 1):
        rows += padded[offset : offset + height]
    total = rows[:, :width].copy()
    for offset in range(1, 2 * RADIUS + 1):
        total += rows[:, offset : offset + width]
    return total
