"""The footage requests of this home's neighborhoods: kept up to date, matched here, told once.

Every request is compared with this home's own cameras and clips. Nothing is asked of anybody for that, and
nobody learns what came of it.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
import logging
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .footage.matching import CameraPlace, Matching, matching_clips
from .footage_answers import EVENT_CLOSED, EVENT_EXTENDED, EVENT_REMINDER, EVENT_REQUEST
from .neighborhood.changes import ChangeKind
from .neighborhood.feed_items import FeedChange
from .neighborhood.ledger import Ledger
from .neighborhood.requests import RequestItem, read_requests
from .recording import FAILURES, Recordings

if TYPE_CHECKING:
    from .neighborhood_home import Neighborhood
    from .neighborhoods import Neighborhoods

_LOGGER = logging.getLogger(__name__)

# What a request says may come after its record: it was kept back until a moderator had looked.
LATER_S: Final = (0.2, 0.5, 2.0, 5.0, 20.0, 60.0, 300.0)
LOOK_EVERY: Final = timedelta(minutes=5)  # at what has ended by the clock, and at what was recorded since
MAX_TOLD: Final = 500
ABOUT: Final = frozenset(
    {
        ChangeKind.AGENCY,
        ChangeKind.AVAILABILITY,
        ChangeKind.CLOSED,
        ChangeKind.DETAILS,
        ChangeKind.ERASE,
        ChangeKind.EXTENSION,
        ChangeKind.FROZEN,
        ChangeKind.GONE,
        ChangeKind.HIDDEN,
        ChangeKind.MODERATION,
        ChangeKind.OFFICER,
        ChangeKind.RELEASED,
        ChangeKind.REMINDER,
        ChangeKind.REQUEST,
        ChangeKind.ROLE,
        ChangeKind.SHOWN,
    }
)
NEWS: Final = {
    ChangeKind.RELEASED: EVENT_REQUEST,
    ChangeKind.REMINDER: EVENT_REMINDER,
    ChangeKind.EXTENSION: EVENT_EXTENDED,
    ChangeKind.CLOSED: EVENT_CLOSED,
}

type RequestListener = Callable[[Neighborhood, str, RequestItem, int], None]


class FootageRequests:
    """What is asked, by neighborhood. Lives in the event loop."""

    def __init__(
        self,
        hass: HomeAssistant,
        neighborhoods: Neighborhoods,
        recordings: Recordings,
        *,
        places: Callable[[], list[CameraPlace]],
        on_news: RequestListener,
        on_update: Callable[[], None],
    ) -> None:
        """Prepare. `on_news` is told of news: the neighborhood, the event's type, the request, matches."""
        self._hass = hass
        self._neighborhoods = neighborhoods
        self._recordings = recordings
        self._places = places
        self._on_news = on_news
        self._on_update = on_update
        self._items: dict[str, tuple[RequestItem, ...]] = {}
        self._matches: dict[str, int] = {}
        self._told: dict[tuple[str, str], None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unlisten: list[CALLBACK_TYPE] = []
        self._closed = False

    @callback
    def async_start(self) -> None:
        """Follow all neighborhoods."""
        self._unlisten = [
            self._neighborhoods.async_listen_for_changes(self._changed),
            async_track_time_interval(self._hass, self._async_look, LOOK_EVERY),
        ]
        for running in self._neighborhoods:
            self._spawn(self.async_refresh(running))

    async def async_stop(self) -> None:
        """End."""
        self._closed = True
        while self._unlisten:
            self._unlisten.pop()()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- what others ask --------------------------------------------------------------------------

    def of(self, subentry_id: str) -> tuple[RequestItem, ...]:
        """Return the requests of a neighborhood, newest first."""
        return self._items.get(subentry_id, ())

    def get(self, subentry_id: str, request_id: str) -> RequestItem | None:
        """Return one."""
        return next((item for item in self.of(subentry_id) if item.id == request_id), None)

    def open_of(self, subentry_id: str) -> int:
        """Return how many are open."""
        return sum(item.is_open for item in self.of(subentry_id))

    def matches(self, request_id: str) -> int:
        """Return how many of the home's own clips match, as far as that was looked at."""
        return self._matches.get(request_id, 0)

    async def async_match(self, request: RequestItem, *, limit: int) -> Matching:
        """Return the clips of this home that match a request, oldest first."""
        places = self._places()
        try:
            return await self._hass.async_add_executor_job(
                lambda: matching_clips(
                    self._recordings.store.questions,
                    places,
                    request.area,
                    request.start_s,
                    request.end_s,
                    limit=limit,
                )
            )
        except FAILURES as err:
            _LOGGER.warning("Clips could not be compared with a request: %s", err)
            return Matching((), 0)

    async def async_refresh(self, running: Neighborhood) -> None:
        """Read a neighborhood's requests anew, and what matches them."""

        def ask(ledger: Ledger) -> tuple[RequestItem, ...]:
            if not ledger.state.is_founded:
                return ()
            return tuple(read_requests(ledger, ledger.state.subject_of(running.home.public_key)))

        try:
            items = await running.home.async_ask(ask)
        except (OSError, sqlite3.Error, RuntimeError) as err:  # closed meanwhile, or the disk is gone
            _LOGGER.debug("%s: requests could not be read: %s", running.title, err)
            return
        matches = {item.id: (await self.async_match(item, limit=1)).count for item in items if item.is_open}
        if self._closed or self._neighborhoods.get(running.subentry_id) is not running:
            return
        before = self._items.get(running.subentry_id, ())
        self._items[running.subentry_id] = items
        for item in before:
            self._matches.pop(item.id, None)
        self._matches |= matches
        self._on_update()

    # ---- news -------------------------------------------------------------------------------------

    @callback
    def _changed(self, subentry_id: str, changes: tuple[FeedChange, ...]) -> None:
        running = self._neighborhoods.get(subentry_id)
        if running is None:
            return
        about = [change for change in changes if change.kind in ABOUT]
        if about:
            self._spawn(self._async_tell(running, about))

    async def _async_tell(self, running: Neighborhood, changes: Iterable[FeedChange]) -> None:
        await self.async_refresh(running)
        for change in changes:
            if change.kind in NEWS and not change.old:
                self._spawn(self._async_tell_one(running, change))
            elif change.kind is ChangeKind.REQUEST and not change.old:
                self._spawn(self._async_wait_for_words(running, change.id))

    async def _async_wait_for_words(self, running: Neighborhood, request_id: str) -> None:
        """Show a request to a moderator once its words are here: nothing else tells of their coming."""
        if not await running.async_moderates():
            return
        for pause_s in LATER_S:
            item = self.get(running.subentry_id, request_id)
            if item is not None and item.details is not None:
                return
            await asyncio.sleep(pause_s)
            await self.async_refresh(running)

    async def _async_tell_one(self, running: Neighborhood, change: FeedChange) -> None:
        """Tell of it once there is something to read: its words may still be on their way."""
        for pause_s in LATER_S:
            item = self.get(running.subentry_id, change.id)
            if item is None:
                return
            if item.details is not None or change.kind is not ChangeKind.RELEASED:
                break
            await asyncio.sleep(pause_s)
            await self.async_refresh(running)
        key = (NEWS[change.kind], change.id)
        if item is None or key in self._told:
            return
        self._told[key] = None
        while len(self._told) > MAX_TOLD:
            del self._told[next(iter(self._told))]
        self._on_news(running, NEWS[change.kind], item, self.matches(item.id))

    async def _async_look(self, _now: datetime) -> None:
        for running in self._neighborhoods:
            await self.async_refresh(running)

    def _spawn(self, job: Any) -> None:
        task = self._hass.async_create_background_task(job, "Ringwatch footage requests")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
