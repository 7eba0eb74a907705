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
CHECK_INTERVAL_S = 0.2
GHOST_AFTER_S = 0.8
STILL_AFTER_S = 20.0
GHOST_VOTES = 0.25  # net share of the free outline where the background's edge is stronger
EDGE_MARGIN = 6
FREE_SHARE = 0.5
MIN_PIXELS = 4


class Stillness:
    """Per pixel of foreground: how long it has looked the same."""

    def __init__(self, primitives: Primitives, height: int, width: int) -> None:
        """Begin with nothing still."""
        self._primitives = primitives
        self._candidate = np.zeros((height, width), np.uint8)
        self._age_s: NDArray[np.float32] = np.zeros((height, width), np.float32)
        self._since_check_s = 0.0

    def relight(self, table: NDArray[np.uint8]) -> None:
        """Replace every gray level: the light on the scene has changed."""
        self._candidate = table[self._candidate]

    def update(
        self, frame: Gray, foreground: Mask, background: Gray, elapsed_s: float
    ) -> tuple[Mask | None, Mask | None]:
        """Return (ghosts, still): what the background should take over now, None for nothing."""
        change = np.maximum(frame, self._candidate) - np.minimum(frame, self._candidate)
        same = foreground & (change <= STILL_TOLERANCE)
        self._age_s += np.float32(elapsed_s)
        self._age_s *= same
        np.copyto(self._candidate, frame, where=~same)
        self._since_check_s += elapsed_s
        if self._since_check_s < CHECK_INTERVAL_S:
            return None, None
        self._since_check_s = 0.0
        still = self._age_s >= STILL_AFTER_S
        resting = self._age_s >= GHOST_AFTER_S
        ghosts = self._ghosts(frame, resting, foreground, background) if resting.any() else None
        return ghosts, still if still.any() else None

    def _ghosts(self, frame: Gray, resting: Mask, foreground: Mask, background: Gray) -> Mask | None:
        primitives = self._primitives
        components = primitives.components(resting)
        count = len(components.areas)
        labels = components.labels
        outline = (resting.view(np.uint8) - primitives.minimum3(resting.view(np.uint8))).view(np.bool_)
        rim = resting & primitives.maximum3((~foreground).view(np.uint8)).view(np.bool_)
        perimeter = np.bincount(labels[outline], minlength=count + 1)[1:]
        chosen = labels[rim]
        free = np.bincount(chosen, minlength=count + 1)[1:]
        here = (primitives.maximum3(frame) - primitives.minimum3(frame))[rim].astype(np.int16)
        there = (primitives.maximum3(background) - primitives.minimum3(background))[rim].astype(np.int16)
        votes = np.sign(there - here) * (np.abs(there - here) > EDGE_MARGIN)
        total = np.bincount(chosen, votes, count + 1)[1:]
        ghost = (
            (total > GHOST_VOTES * free) & (free >= FREE_SHARE * perimeter) & (components.areas >= MIN_PIXELS)
        )
        if not ghost.any():
            return None
        mask: Mask = np.concatenate(([False], ghost))[labels]
        return mask
