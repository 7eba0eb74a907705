"""When files and rows are compared: at the start, once a day, and when somebody met a gap.

In the store's thread.
"""

from collections.abc import Callable, Iterator

from .placing import Reconciled
from .worker import Worker

COMPARE_S = 86_400.0  # files also come and go by hand, in a file manager
AGAIN_S = 3_600.0  # after a start or a storage that came back: somebody may still be copying clips into it


class Comparing:
    """Has one comparison at a time done in the background."""

    def __init__(self, worker: Worker, clock: Callable[[], float], changed: Callable[[], None]) -> None:
        """`changed` is called after one that found something."""
        self._worker, self._clock, self._changed = worker, clock, changed
        self._running = False
        self._soon = False
        self._due_at_s = 0.0

    @property
    def due(self) -> bool:
        """Whether the last one is a day ago."""
        return not self._running and self._clock() >= self._due_at_s

    def begin(self, steps: Callable[[Reconciled], Iterator[None]], *, anew: bool = False) -> None:
        """Begin one, unless one is being done (of other rows: `anew`). `steps` is `Placer.reconcile`."""
        if anew or not self._running:
            self._running = True
            self._soon = anew
            self._worker.add_background(self._follow(steps))

    def _follow(self, steps: Callable[[Reconciled], Iterator[None]]) -> Iterator[None]:
        result = Reconciled()
        try:
            yield from steps(result)
        finally:
            self._running = False
            self._due_at_s = self._clock() + (AGAIN_S if self._soon else COMPARE_S)
        if result.adopted or result.removed or result.moved:
            self._changed()
