"""What has to go so that what comes has room. Values in, decisions out.

Oldest first; protected clips stay. Limits of a camera first, then those of all cameras, then the disk's
reserve. Where what may go is not enough, `blocked` says so: recording stops until there is room.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
import heapq
from typing import Final

GIGABYTE: Final = 1_000_000_000
RESERVE_BYTES: Final = 2 * GIGABYTE  # Home Assistant's own database and updates need room too
BATCH: Final = 200  # rows read at once; retention usually deletes one or two
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much is kept. None: without a limit."""

    days: float | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """The owner's choice: for all cameras together, for single ones, and what stays free on the disk."""

    overall: Limits = Limits(days=30)
    cameras: Mapping[str, Limits] = field(default_factory=dict)
    reserve_bytes: int = RESERVE_BYTES


@dataclass(frozen=True, slots=True)
class Verdict:
    """Clips to delete, oldest first, and the cameras ("" all) for which there is no room afterwards."""

    delete: tuple[str, ...]
    blocked: Mapping[str, str]


type Oldest = Callable[[str, int], list[tuple[str, int, int]]]
"""(camera, limit) -> (id, start in ms, bytes) of the oldest clips that may be deleted."""


class _Queue:
    """The deletable clips of one camera, oldest first, without those that go already."""

    def __init__(self, camera: str, oldest: Oldest) -> None:
        self._camera = camera
        self._oldest = oldest
        self._limit = BATCH
        self._rows = oldest(camera, self._limit)
        self._at = 0

    def peek(self) -> tuple[str, int, int] | None:
        if self._at == len(self._rows) == self._limit:
            self._limit *= 4
            self._rows = self._oldest(self._camera, self._limit)
        return self._rows[self._at] if self._at < len(self._rows) else None

    def pop(self) -> None:
        self._at += 1


def decide(
    policy: RetentionPolicy, sizes: Mapping[str, int], oldest: Oldest, *, now_ms: int, free_bytes: int
) -> Verdict:
    """Return what to delete now. `sizes` is what each camera's clips take, protected ones too."""
    queues = {camera: _Queue(camera, oldest) for camera in sizes}
    left = dict(sizes)
    delete: list[str] = []
    blocked: dict[str, str] = {}

    def drop(camera: str) -> None:
        row = queues[camera].peek()
        if row is not None:
            delete.append(row[0])
            left[camera] -= row[2]
            queues[camera].pop()

    for camera, queue in queues.items():
        limits = policy.cameras.get(camera, Limits())
        ages = [days for days in (limits.days, policy.overall.days) if days is not None]
        while ages and (row := queue.peek()) and row[1] < now_ms - min(ages) * DAY_MS:
            drop(camera)
        if limits.size_bytes is not None:
            while left[camera] > limits.size_bytes and queue.peek():
                drop(camera)
            if left[camera] > limits.size_bytes:
                blocked[camera] = "limit_reached"
    everything = sum(left.values())
    missing = policy.reserve_bytes - (free_bytes + sum(sizes.values()) - everything)
    if policy.overall.size_bytes is not None:
        missing = max(missing, everything - policy.overall.size_bytes)
    for camera, size in _by_age(queues):
        if missing <= 0:
            break
        missing -= size
        drop(camera)
    if missing > 0:
        full = policy.overall.size_bytes is not None and sum(left.values()) > policy.overall.size_bytes
        blocked[""] = "limit_reached" if full else "disk_full"
    return Verdict(tuple(delete), blocked)


def _by_age(queues: Mapping[str, _Queue]) -> Iterator[tuple[str, int]]:
    """Yield camera and size of the oldest clip of all, again and again; the caller drops it."""
    heads = [(row[1], camera) for camera, queue in queues.items() if (row := queue.peek())]
    heapq.heapify(heads)
    while heads:
        _, camera = heapq.heappop(heads)
        row = queues[camera].peek()
        if row is None:
            continue
        yield camera, row[2]
        if following := queues[camera].peek():
            heapq.heappush(heads, (following[1], camera))
