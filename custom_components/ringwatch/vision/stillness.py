"""What has stopped changing: ghosts and things put down go back to the background.

A ghost is where something was when the model was made and has left: the background shows an
outline there that the frame does not (Cucchiara et al. 2003 call it a ghost and tell it by its
lack of motion; the test of edges is that of intermittent-motion detectors since). A thing put down
has its outline in the frame.
"""

import numpy as np
from numpy.typing import NDArray

from .primitives import Gray, Mask, Primitives

STILL_TOLERANCE = 8  # gray levels that a still pixel may wander
UPDATE_INTERVAL_S = 0.09  # looking more often tells no more
CHECK_INTERVAL_S = 0.2
GHOST_AFTER_S = 0.8  # a step while walking is shorter
UNREST_WEIGHT = np.float32(4.0)  # a noisy frame costs a still pixel this many frames
SUPPORT_RATIO = 5.0  # times as long as the background was seen there: a young background is soon outvoted
STILL_AFTER_S = 20.0  # something put down belongs to the scene after this
GHOST_VOTES = 0.25  # net share of the free outline where the background's edge is stronger
EDGE_MARGIN = 6  # gray levels: smaller differences of two edges are noise
ACROSS = 3  # pixels from just inside to just outside of a blurred outline
FREE_SHARE = 0.5  # of the outline that must border on background for the votes to mean anything
MIN_PIXELS = 4  # fewer have hardly an outline


class Stillness:
    """Per pixel of foreground: how long it has looked the same."""

    def __init__(self, primitives: Primitives, height: int, width: int) -> None:
        """Begin with nothing still."""
        self._primitives = primitives
        self._candidate = np.zeros((height, width), np.uint8)
        self._age_s: NDArray[np.float32] = np.zeros((height, width), np.float32)
        self._support_s = np.zeros((height, width), np.float32)
        self._since_update_s = 0.0
        self._since_check_s = 0.0

    def relight(self, table: NDArray[np.uint8]) -> None:
        """Replace every gray level: the light on the scene has changed."""
        self._candidate = table[self._candidate]

    def update(
        self, frame: Gray, foreground: Mask, background: Gray, elapsed_s: float
    ) -> tuple[Mask | None, Mask | None]:
        """Return (ghosts, still): what the background should take over now, None for nothing."""
        self._since_update_s += elapsed_s
        if self._since_update_s < UPDATE_INTERVAL_S:
            return None, None
        elapsed_s, self._since_update_s = self._since_update_s, 0.0
        step_s = np.float32(elapsed_s)
        places = np.flatnonzero(foreground)  # little of the picture: the rest only gains support
        now, before = frame.ravel()[places], self._candidate.ravel()[places]
        change = np.maximum(now, before) - np.minimum(now, before)
        ages_s = self._age_s.ravel()[places]
        ages_s += np.where(change <= STILL_TOLERANCE, step_s, -UNREST_WEIGHT * step_s)
        np.maximum(ages_s, 0, out=ages_s)
        supports_s = self._support_s.ravel()[places]
        self._support_s += step_s
        np.minimum(self._support_s, STILL_AFTER_S, out=self._support_s)
        self._support_s.ravel()[places] = supports_s
        self._age_s[:] = 0
        self._age_s.ravel()[places] = ages_s
        np.copyto(self._candidate, frame)
        self._candidate.ravel()[places] = np.where(ages_s == 0, now, before)
        self._since_check_s += elapsed_s
        if self._since_check_s < CHECK_INTERVAL_S:
            return None, None
        self._since_check_s = 0.0
        if not (ages_s >= GHOST_AFTER_S).any():
            return None, None
        resting = self._age_s >= GHOST_AFTER_S
        still = resting & (self._age_s >= SUPPORT_RATIO * self._support_s)
        ghosts = self._ghosts(frame, resting, foreground, background)
        self._support_s[still] = np.minimum(self._age_s[still], STILL_AFTER_S)
        return ghosts, still if still.any() else None

    def _ghosts(self, frame: Gray, resting: Mask, foreground: Mask, background: Gray) -> Mask | None:
        primitives = self._primitives
        components = primitives.components(resting)
        count = len(components.areas)
        labels = components.labels
        outline = (resting.view(np.uint8) - primitives.minimum3(resting.view(np.uint8))).view(np.bool_)
        perimeter = np.bincount(labels[outline], minlength=count + 1)[1:]
        rim = resting & primitives.maximum3((~foreground).view(np.uint8)).view(np.bool_)
        free = np.bincount(labels[rim], minlength=count + 1)[1:]
        votes, pairs = np.zeros(count), np.zeros(count)
        for axis in (0, 1):
            gained = _steps(background, axis) - _steps(frame, axis)
            sign = np.sign(gained) * (np.abs(gained) > EDGE_MARGIN)
            near, far = _both_sides(axis)
            for inside, outside in ((near, far), (far, near)):
                over = (labels[inside] > 0) & ~foreground[outside]
                votes += np.bincount(labels[inside][over], sign[over], count + 1)[1:]
                pairs += np.bincount(labels[inside][over], minlength=count + 1)[1:]
        ghost = (votes > GHOST_VOTES * pairs) & (free >= FREE_SHARE * perimeter)
        ghost &= components.areas >= MIN_PIXELS
        if not ghost.any():
            return None
        mask: Mask = np.concatenate(([False], ghost))[labels]
        return mask


def _both_sides(axis: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where the nearer and the farther pixel of every pair ACROSS apart are."""
    near, far, whole = slice(None, -ACROSS), slice(ACROSS, None), slice(None)
    return ((near, whole), (far, whole)) if axis == 0 else ((whole, near), (whole, far))


def _steps(image: Gray, axis: int) -> NDArray[np.int16]:
    """Return how much the gray level changes between the pixels of every pair."""
    near, far = _both_sides(axis)
    steps: NDArray[np.int16] = np.abs(image[far].astype(np.int16) - image[near])
    return steps
