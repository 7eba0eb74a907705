"""Token buckets, by member and by address: how often, how much. Bounded; the oldest are forgotten."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MAX_BUCKETS: Final = 50_000  # twice the members that a neighborhood may have


class Rates:
    """So much a second on average, so much at once."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, amount: float = 1.0) -> float:
        """Take that much. Return 0, or the seconds after which it will be there; nothing is taken then."""
        now = self._clock()
        left, since = self._buckets.get(who, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_s)
        if left < amount:
            return (amount - left) / self._per_s
        self._buckets[who] = (left - amount, now)
        self._buckets.move_to_end(who)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return 0.0

    def forget_full(self) -> None:
        """Forget whoever has a full bucket again: no address is kept longer than it is needed."""
        now = self._clock()
        full = [
            who
            for who, (left, since) in self._buckets.items()
            if left + (now - since) * self._per_s >= self._burst
        ]
        for who in full:
            del self._buckets[who]

    def __len__(self) -> int:
        return len(self._buckets)
