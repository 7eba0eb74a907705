"""From masks to regions: connected, large enough, with a core that is clearly not background."""

from dataclasses import dataclass

import numpy as np

from .components import Components
from .primitives import Mask, Primitives

MIN_CORE_PIXELS = 2


@dataclass(frozen=True, slots=True)
class Region:
    """A connected region; box is (left, top, right, bottom) in analysis pixels, end exclusive."""

    label: int
    area: int
    box: tuple[int, int, int, int]
    center: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions of a frame; `labels` is 0 where there is none."""

    components: Components
    regions: tuple[Region, ...]
    too_small: int

    def mask(self, labels: list[int]) -> Mask:
        """Return the pixels of some regions."""
        if not labels:
            return np.zeros(self.components.labels.shape, np.bool_)
        chosen = np.zeros(len(self.components.areas) + 1, np.bool_)
        chosen[labels] = True
        return chosen.take(self.components.labels)


def close(primitives: Primitives, weak: Mask) -> Mask:
    """Close gaps of a pixel."""
    return primitives.minimum3(primitives.maximum3(weak.view(np.uint8))).view(np.bool_)


def find_regions(primitives: Primitives, mask: Mask, strong: Mask, min_area: int) -> Regions:
    """Return the regions of a mask that are large enough and have a strong core."""
    components = primitives.components(mask)
    count = len(components.areas)
    if not count:
        return Regions(components, (), 0)
    core = np.bincount(components.labels[strong & mask], minlength=count + 1)[1:]
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
        )
        for index in np.flatnonzero(kept)
    ]
    regions.sort(key=lambda region: (-region.area, region.box))
    return Regions(components, tuple(regions), count - len(regions))
