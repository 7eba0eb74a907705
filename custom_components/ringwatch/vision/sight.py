"""What one frame shows, before anything is learned from it.

The two halves of the detector meet here: looking changes nothing, so that a key frame can be looked at first
and the frames before it be taken in only if there is something to see.
"""

from dataclasses import dataclass, field

import numpy as np

from .align import Alignment
from .primitives import Gray, Mask
from .regions import Regions


@dataclass(slots=True, eq=False)
class Seen:
    """A frame against the model: `frame` is `small` in the model's light and place.

    `regions` is None where the light has jumped. `in_zone`: something was outside the watched part.
    """

    small: Gray
    frame: Gray
    alignment: Alignment
    place: tuple[float, float]
    shake: float
    weak: Mask = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    mask: Mask = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    in_zone: bool = False
    regions: Regions | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One frame; `seen` is None where it begins a model."""

    luma: Gray
    time_s: float
    seen: Seen | None

    @property
    def is_suspicious(self) -> bool:
        """Whether there is something that may be motion, or a jump of light that may hide it."""
        if self.seen is None:
            return False
        return self.seen.regions is None or bool(self.seen.regions.regions)
