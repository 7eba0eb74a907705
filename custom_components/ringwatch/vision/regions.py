"""From masks to regions: connected, large enough, with a core that is clearly not background."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .components import Components
from .primitives import Gray, Mask, Primitives

MIN_CORE_PIXELS = 2  # one may be noise
SOFT_MIN_AREA = 12  # pixels: smaller regions have too little inside to tell
SOFT_RATIO = 0.45  # of the contrast inside: an outline that is softer belongs to light


# Light multiplies: in logarithms its difference to the background is smooth, whatever the texture.
_LOGARITHMS = np.rint(64 * np.log((np.arange(256) + 16) / 16)).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Region:
    """A connected region; box is (left, top, right, bottom) in analysis pixels, end exclusive."""

    label: int
    area: int
    box: tuple[int, int, int, int]
    center: tuple[float, float]
    restless_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions of a frame; `labels` is 0 where there is none.

    `small` and `soft` are the labels of what was dropped for its size or its missing core, and as light.
    """

    components: Components
    regions: tuple[Region, ...]
    small: tuple[int, ...] = ()
    soft: tuple[int, ...] = ()
    _masks: dict[frozenset[int], Mask] = field(default_factory=dict, repr=False, compare=False)

    def mask(self, labels: Iterable[int]) -> Mask:
        """Return the pixels of some regions; not to be written to, it may be asked for again."""
        wanted = frozenset(labels)
        mask = self._masks.get(wanted)
        if mask is None:
            chosen = np.zeros(len(self.components.areas) + 1, np.bool_)
            chosen[list(wanted)] = True
            mask = self._masks[wanted] = chosen.take(self.components.labels)
        return mask


def close(primitives: Primitives, weak: Mask) -> Mask:
    """Close gaps of a pixel."""
    return primitives.minimum3(primitives.maximum3(weak.view(np.uint8))).view(np.bool_)


def find_regions(
    primitives: Primitives, mask: Mask, strong: Mask, min_area: int, restless_s: NDArray[np.float32]
) -> Regions:
    """Return the regions of a mask that are large enough and have a strong core."""
    components = primitives.components(mask)
    count = len(components.areas)
    if not count:
        return Regions(components, ())
    places = np.flatnonzero(mask)
    labels = components.labels.take(places)
    core = np.bincount(labels[strong.take(places)], minlength=count + 1)[1:]
    restless = np.bincount(labels, restless_s.take(places), count + 1)[1:] / components.areas
    kept = (components.areas >= min_area) & (core >= MIN_CORE_PIXELS)
    regions = [
        Region(
            int(index) + 1,
            int(components.areas[index]),
            (
                int(components.boxes[index, 0]),
                int(components.boxes[index, 1]),
                int(components.boxes[index, 2]),
                int(components.boxes[index, 3]),
            ),
            (float(components.centers[index, 0]), float(components.centers[index, 1])),
            float(restless[index]),
        )
        for index in np.flatnonzero(kept)
    ]
    regions.sort(key=lambda region: (-region.area, region.box))
    small = tuple(int(index) + 1 for index in np.flatnonzero(~kept))
    return Regions(components, tuple(regions), small)


def drop_soft(regions: Regions, frame: Gray, background: Gray, primitives: Primitives) -> Regions:
    """Drop the regions that fade in: a beam of light has no outline, a thing does.

    The outline of a region is soft where the difference to the background changes little across it,
    measured against how large the difference is inside.
    """
    large = [region for region in regions.regions if region.area >= SOFT_MIN_AREA]
    if not large:
        return regions
    left, top = (max(0, min(region.box[side] for region in large) - 1) for side in (0, 1))
    right, bottom = (max(region.box[side] for region in large) + 1 for side in (2, 3))
    part = (slice(top, bottom), slice(left, right))
    frame, background, labels = frame[part], background[part], regions.components.labels[part]
    count = len(regions.components.areas)
    difference = _LOGARITHMS.take(frame) - _LOGARITHMS.take(background)
    levels = np.minimum(np.maximum(difference + np.int16(128), 0), 255).astype(np.uint8)
    inside = labels > 0
    outline = np.flatnonzero(inside & ~primitives.minimum3(inside.view(np.uint8)).view(np.bool_))
    step = primitives.maximum3(levels).take(outline) - primitives.minimum3(levels).take(outline)
    owners = labels.take(outline)
    steps = np.bincount(owners, step, count + 1)
    outlines = np.bincount(owners, minlength=count + 1)
    places = np.flatnonzero(inside)
    contrast = np.bincount(labels.take(places), np.abs(difference.take(places)), count + 1)
    soft = set()
    for region in large:
        across = steps[region.label] / max(1, outlines[region.label])
        if across < SOFT_RATIO * contrast[region.label] / region.area:
            soft.add(region.label)
    if not soft:
        return regions
    kept = tuple(region for region in regions.regions if region.label not in soft)
    return Regions(regions.components, kept, regions.small, tuple(sorted(soft)))
