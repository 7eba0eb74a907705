"""Clips kept for the answers to requests: retention spares them, up to a share of the space for clips.

Beyond that the oldest holds end, and it is told. A hold is in the file's note as well as in its row, so it
outlives the catalogue.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from .catalogue import to_ms
from .model import Clip, ClipNews, Hold, HoldsEnded
from .placing import Placer
from .retention import RetentionPolicy
from .wishes import change_clips

LARGEST_SHARE: Final = 0.2  # of the space for clips: the rest is for what goes on happening


class Holds:
    """What is held. `add`, `release` and `held` block, for an executor; the rest is the store's thread."""

    def __init__(
        self,
        ask: Callable[[Callable[[], Any]], Any],
        hands: Callable[[], Placer],
        now: Callable[[], datetime],
        notify: Callable[[ClipNews], None],
        keep_limits: Callable[[], None],
    ) -> None:
        """`ask` has something done in the store's thread and returns its result."""
        self._ask, self._hands, self._now = ask, hands, now
        self._notify, self._keep_limits = notify, keep_limits

    def add(self, clip_ids: Iterable[str], request: str) -> list[Clip]:
        """Hold clips for the answer to a request; return those that are held for it then."""
        found: list[Clip] = self._ask(lambda: self._add(list(clip_ids), request))
        return found

    def release(self, request: str) -> list[Clip]:
        """Hold clips for a request no longer; return those that were."""
        found: list[Clip] = self._ask(lambda: self._release(request))
        return found

    def held(self, request: str | None = None) -> list[Clip]:
        """Return the clips that are held, or held for one request, oldest first."""
        found: list[Clip] = self._ask(lambda: self._held(request))
        return found

    def keep_within(self, space_bytes: int) -> None:
        """End the oldest holds beyond the share of the space for clips."""
        over = beyond(self._hands().catalogue.held(), round(space_bytes * LARGEST_SHARE))
        if over:
            ended = change_clips(self._hands(), [clip.id for clip in over], _unheld)
            self._notify(HoldsEnded(tuple(ended)))

    def _held(self, request: str | None) -> list[Clip]:
        clips = self._hands().catalogue.held()
        wanted = [clip for clip in clips if request is None or _is_for(clip, request)]
        return sorted(wanted, key=lambda clip: (clip.start, clip.id))

    def _add(self, clip_ids: list[str], request: str) -> list[Clip]:
        hold = Hold(request, to_ms(self._now()))
        change_clips(
            self._hands(),
            clip_ids,
            lambda clip: clip if _is_for(clip, request) else replace(clip, held=(*clip.held, hold)),
        )
        self._keep_limits()
        return self._held(request)

    def _release(self, request: str) -> list[Clip]:
        return change_clips(
            self._hands(),
            [clip.id for clip in self._held(request)],
            lambda clip: replace(clip, held=tuple(h for h in clip.held if h.request != request)),
        )


def space_for_clips(policy: RetentionPolicy, sizes: Mapping[str, int], free_bytes: int) -> int:
    """Return how many bytes clips may take: what the owner allows, and what the disk has room for."""
    room = max(0, sum(sizes.values()) + free_bytes - policy.reserve_bytes)
    return room if policy.overall.size_bytes is None else min(room, policy.overall.size_bytes)


def beyond(held: Iterable[Clip], size_bytes: int) -> list[Clip]:
    """Return the clips whose holds have to end so that the others fit: held longest first, then oldest."""
    waiting = sorted(held, key=lambda clip: (clip.held[0].since_ms, clip.start, clip.id))
    over = sum(clip.size_bytes for clip in waiting) - size_bytes
    ended: list[Clip] = []
    for clip in waiting:
        if over <= 0:
            break
        ended.append(clip)
        over -= clip.size_bytes
    return ended


def _is_for(clip: Clip, request: str) -> bool:
    return any(hold.request == request for hold in clip.held)


def _unheld(clip: Clip) -> Clip:
    return replace(clip, held=())
