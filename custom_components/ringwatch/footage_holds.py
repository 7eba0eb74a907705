"""Clips that a request asks for are held from retention while somebody may still answer it, and no longer."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
import logging
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .clips import Clip
from .neighborhood.requests import RequestItem
from .recording import FAILURES, Recordings

_LOGGER = logging.getLogger(__name__)

TIDY_EVERY: Final = timedelta(hours=1)


class Holds:
    """Holds and lets go. Lives in the event loop; the store's thread does the work."""

    def __init__(
        self,
        hass: HomeAssistant,
        recordings: Recordings,
        *,
        find: Callable[[str], RequestItem | None],
        is_living: Callable[[str], bool],
        on_ended: Callable[[tuple[Clip, ...]], None],
    ) -> None:
        """`find` gives a request that is known here, `is_living` tells of an answer that is not over."""
        self._hass = hass
        self._recordings = recordings
        self._find = find
        self._is_living = is_living
        self._on_ended = on_ended
        self._unlisten: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self) -> None:
        """Begin to tidy."""
        self._unlisten = [
            async_track_time_interval(self._hass, self.async_tidy, TIDY_EVERY),
            self._recordings.async_listen_for_holds(self._on_ended),
        ]

    @callback
    def async_stop(self) -> None:
        """End."""
        while self._unlisten:
            self._unlisten.pop()()

    async def async_hold(self, request_id: str, clips: Iterable[Clip]) -> int:
        """Keep clips from being deleted by age; return how many are held that were not before."""
        ids = [clip.id for clip in clips if all(hold.request != request_id for hold in clip.held)]
        if not ids:
            return 0
        try:
            held = await self._hass.async_add_executor_job(self._recordings.store.holds.add, ids, request_id)
        except FAILURES as err:
            _LOGGER.warning("Clips could not be held for a request: %s", err)
            return 0
        return len(held)

    async def async_let_go(self, request_id: str) -> None:
        """Leave the clips of a request to their age again."""
        try:
            await self._hass.async_add_executor_job(self._recordings.store.holds.release, request_id)
        except FAILURES as err:
            _LOGGER.warning("Clips could not be released: %s", err)

    async def async_tidy(self, _now: datetime | None = None) -> None:
        """Let go what is held for requests that are over, and that nobody answers."""
        try:
            held = await self._hass.async_add_executor_job(self._recordings.store.holds.held)
        except FAILURES as err:
            _LOGGER.debug("Held clips could not be read: %s", err)
            return
        for request_id in {hold.request for clip in held for hold in clip.held}:
            request = self._find(request_id)
            if request is not None and not request.is_open and not self._is_living(request_id):
                await self.async_let_go(request_id)
