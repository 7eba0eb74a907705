"""How long to wait before a source is opened again: growing, and never in step with other cameras."""

import random as random_module

GROWTH = 2.0
SPREAD = 0.5  # a wait is between half and all of its step, so cameras that fell together come back apart


class Backoff:
    """Jittered, growing waits from `first_s` to `ceiling_s` (seconds)."""

    def __init__(self, random: random_module.Random, first_s: float = 1.0, ceiling_s: float = 60.0) -> None:
        self._random = random
        self._first_s = first_s
        self._ceiling_s = ceiling_s
        self._step_s = first_s

    def next_s(self) -> float:
        """Return the next wait: never under `first_s`, never over `ceiling_s`."""
        step = self._step_s
        self._step_s = min(step * GROWTH, self._ceiling_s)
        return max(self._first_s, step * self._random.uniform(1.0 - SPREAD, 1.0))

    def reset(self) -> None:
        """Start again at `first_s`: the source has delivered."""
        self._step_s = self._first_s
