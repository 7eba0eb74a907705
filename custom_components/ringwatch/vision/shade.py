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

# The gray levels that a background's gray level may have become.
_LEAST = np.ceil(DARKEST * np.arange(256)).astype(np.uint8)
_MOST = np.minimum(np.floor(BRIGHTEST * np.arange(256)), 255).astype(np.uint8)


def shaded(primitives: Primitives, frame: Gray, background: Gray, mask: Mask) -> Mask:
    """Return which pixels of a mask differ from the background by a factor only."""
    result = np.zeros_like(mask)
    places = np.flatnonzero(mask)
    light, before = frame.take(places), background.take(places)
    possible = (light >= _LEAST.take(before)) & (light <= _MOST.take(before))
    places = places[possible]
    if not places.size:
        return result
    rows, columns = np.divmod(places, mask.shape[1])
    margin = 2 * RADIUS
    part = (
        slice(max(0, rows[0] - margin), rows[-1] + 1 + margin),
        slice(max(0, columns.min() - margin), columns.max() + 1 + margin),
    )
    here, there = frame[part], background[part]
    expected = box_sum(here).astype(np.float32)
    expected /= np.maximum(box_sum(there), 1)
    expected *= there
    np.rint(expected, out=expected)
    np.subtract(here, expected, out=expected)
    np.abs(expected, out=expected)
    np.minimum(expected, 255, out=expected)
    texture = box_sum(expected.astype(np.uint8))
    size = (2 * RADIUS + 1) ** 2
    result.ravel()[places] = True
    inner = result[part]
    same = inner & (texture < TEXTURE_TOLERANCE * size)
    if same.any():
        for _ in range(RADIUS):  # a window over the shadow's outline sees both sides of it
            same = primitives.maximum3(same.view(np.uint8)).view(np.bool_)
        inner &= same
    else:
        inner[:] = False
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
