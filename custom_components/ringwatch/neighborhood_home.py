"""One neighborhood that this home is in: brings what its Home says to entities, events and repair issues."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
import logging
from pathlib import Path
import sqlite3
from typing import Any, Final

import aiohttp

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from . import neighborhood_issues as issues
from .const import CONF_HOSTED, CONF_HUB_KEY, CONF_HUB_URL, CONF_NEIGHBORHOOD
from .neighborhood.bodies import Leave
from .neighborhood.bodies.feed import MediaType
from .neighborhood.changes import ChangeKind
from .neighborhood.feed import page
from .neighborhood.feed_items import FeedChange, FeedItem, read_item
from .neighborhood.home import Home, HomeConfig
from .neighborhood.hub_client import HubError
from .neighborhood.keys import PrivateKey
from .neighborhood.ledger import Ledger
from .neighborhood.rows import MODERATING, Hood, Status
from .neighborhood.types import Type
from .neighborhood.violations import RecordViolation
from .neighborhood_answers import EVENT_GONE, EVENT_MODERATION, NEWS, item_answer, moderation_of

_LOGGER = logging.getLogger(__name__)

POLL_S: Final = 0.1
SENT_POLLS: Final = 100  # one's own hub takes a moment, not 10 s
LEAVE_S: Final = 4.0  # to tell the hub that this home goes; then it goes without
MAX_PLACES: Final = 200  # on the map, the newest ones: each is an entity
LOOK_EVERY: Final = timedelta(minutes=5)  # at what has ended by the clock
# A post's text may come after its record: it was kept back until a moderator had looked.
LATER_S: Final = (0.5, 2.0, 5.0, 20.0, 60.0, 300.0)
PICTURE_BYTES: Final = 512 * 1024  # a picture that is fetched by itself
DAY_BYTES: Final = 5 * 1024 * 1024  # of those, in a day
MAX_ANNOUNCED: Final = 2_000
# What a person does is no news to that person; what happens to one's own post is.
OWN: Final = frozenset({ChangeKind.POST, ChangeKind.ALERT, ChangeKind.COMMENT})

type FeedEventListener = Callable[[str, dict[str, Any]], None]


class Neighborhood:
    """Made when its subentry is there and its key is; ended when either isn't."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        subentry: ConfigSubentry,
        *,
        key: PrivateKey,
        url: str,
        session: aiohttp.ClientSession,
        folder: Path,
        on_update: Callable[[], None],
        on_event: FeedEventListener,
        on_changes: Callable[[tuple[FeedChange, ...]], None],
    ) -> None:
        """Prepare; nothing is opened before `async_start`.

        `on_update` is called when what entities show has changed, `on_event` with each event's type and
        attributes.
        """
        self.hass = hass
        self.entry = entry
        self.subentry = subentry
        self.title = subentry.title  # Home Assistant changes a subentry in place
        self.session = session
        self.home = Home(
            HomeConfig(url, subentry.data[CONF_NEIGHBORHOOD], subentry.data[CONF_HUB_KEY], folder),
            key,
            session,
            self,
        )
        self.identity = (url, key.public)
        self.places: dict[str, FeedItem] = {}
        """Visible posts and alerts that have a place, by id: what the map shows."""
        self.hood: Hood | None = None
        self._follows = False
        self._update = on_update
        self._on_event = on_event
        self._on_changes = on_changes
        self._announced: dict[str, None] = {}  # in the order in which they came
        self._tasks: set[asyncio.Task[None]] = set()
        self._fetched_bytes = 0
        self._fetched_day = 0
        self._unlisten: CALLBACK_TYPE | None = None

    # ---- what it is -----------------------------------------------------------------------------

    @property
    def subentry_id(self) -> str:
        """The subentry."""
        return self.subentry.subentry_id

    @property
    def hosted(self) -> bool:
        """Whether its hub runs here."""
        return bool(self.subentry.data[CONF_HOSTED])

    @property
    def hub_url(self) -> str:
        """Where neighbors find the hub."""
        return str(self.subentry.data[CONF_HUB_URL])

    async def async_until_sent(self) -> bool:
        """Wait until the hub has what was just written; tell whether it has it within some seconds."""
        for _ in range(SENT_POLLS):
            if self.home.pending == 0:
                return True
            await asyncio.sleep(POLL_S)
        return False

    async def async_start(self) -> None:
        """Open the copy. Raise OSError, sqlite3.Error or NewerLedgerError."""
        await self.home.async_open()
        self.hood, self.places = await self.home.async_ask(self._look)
        for item_id in await self.home.async_ask(_told_before):
            self._remember(item_id)
        self._unlisten = async_track_time_interval(self.hass, self._async_look_again, LOOK_EVERY)

    @callback
    def async_follow_hub(self) -> None:
        """Begin to follow the hub, unless that was begun before."""
        if not self._follows:
            self._follows = True
            self.home.start()

    async def async_stop(self) -> None:
        """End; what waits to be sent is on disk."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        await self._async_cancel()
        await self.home.async_stop()
        await self._async_cancel()  # what its last words began

    async def _async_cancel(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def async_leave(self) -> None:
        """Tell the hub that this home goes, if it can be told within some seconds. The host can't leave."""
        if self.hosted:
            return
        try:
            async with asyncio.timeout(LEAVE_S):
                await self.home.async_submit(Leave())
                while self.home.pending and self.home.connected:  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.1)
        except (RecordViolation, OSError, sqlite3.Error, TimeoutError) as err:
            _LOGGER.info("%s was left without telling its hub (%s)", self.title, err)

    async def async_hood(self) -> Hood | None:
        """Return what the neighborhood is, None before the hub was heard for the first time."""
        return await self.home.async_ask(
            lambda ledger: ledger.state.hood if ledger.state.is_founded else None
        )

    async def async_moderates(self) -> bool:
        """Tell whether this home decides what is to be seen."""

        def ask(ledger: Ledger) -> bool:
            me = ledger.state.subject_of(self.home.public_key)
            return me is not None and me.standing in MODERATING

        return await self.home.async_ask(ask)

    # ---- what the Home says ---------------------------------------------------------------------

    def connected(self, connected: bool) -> None:
        """The hub answers, or doesn't any more."""
        _LOGGER.info("%s: the hub %s", self.title, "answers" if connected else "doesn't answer")
        self._update()

    def trouble(self, code: str | None, about: str) -> None:
        """Something is wrong, or all is well again."""
        if code is not None:
            _LOGGER.warning("%s: %s (%s)", self.title, code, about)
        issues.async_set_trouble(self.hass, self.subentry_id, self.title, code, about)
        self._update()

    def refused(self, record_id: str, code: str) -> None:
        """Something that was written here will never be in the neighborhood."""
        self._spawn(self._async_refused(record_id, code))

    def changed(self, changes: tuple[FeedChange, ...]) -> None:
        """There is news, or the counts are others."""
        if any(change.kind is ChangeKind.FOUNDING for change in changes):
            self._spawn(self._async_read_hood())
        if changes:
            self._spawn(self._async_tell(changes))
            self._on_changes(changes)
        for change in changes:
            self._place(change)
            if change.kind in {ChangeKind.GONE, ChangeKind.HIDDEN}:
                self._on_event(EVENT_GONE, {"id": change.id})
        self._update()

    # ---- news -----------------------------------------------------------------------------------

    async def _async_tell(self, changes: tuple[FeedChange, ...]) -> None:
        """Fire events for what is new."""
        moderates = await self.async_moderates()
        decided = {change.id for change in changes if change.kind is ChangeKind.MODERATION}
        for change in changes:
            item = change.item
            if item is None or change.old:
                continue
            if change.kind in OWN | {ChangeKind.SHOWN}:
                if (change.kind in OWN and change.by_me) or item.mine:
                    self._remember(item.id)
                elif item.is_visible and not item.text and not item.title:
                    self._spawn(self._async_tell_later(item.id))
                else:
                    self._announce(item, moderates=moderates)
            if change.id in decided and change.kind in {ChangeKind.HIDDEN, ChangeKind.SHOWN}:
                continue  # the decision says it
            if (action := moderation_of(change, moderates=moderates)) is not None:
                self._fire(EVENT_MODERATION, item, action=action)

    async def _async_tell_later(self, item_id: str) -> None:
        """Wait for the text of a post, then tell of it."""
        for pause_s in LATER_S:
            await asyncio.sleep(pause_s)
            item = await self.home.async_item(item_id)
            if item is None or not item.is_visible:
                return
            if item.text or item.title:
                self._announce(item, moderates=False)
                self._show(item)
                self._update()
                return

    def _announce(self, item: FeedItem, *, moderates: bool) -> None:
        """Tell of a post once, to those who may read it."""
        if item.id in self._announced or not (item.is_visible or (moderates and item.text + item.title)):
            return
        self._remember(item.id)
        self._fire(NEWS[item.type], item)
        self._spawn(self._async_fetch_picture(item))

    def _remember(self, item_id: str) -> None:
        self._announced[item_id] = None
        while len(self._announced) > MAX_ANNOUNCED:
            del self._announced[next(iter(self._announced))]

    def _fire(self, event_type: str, item: FeedItem, **more: str) -> None:
        self._on_event(event_type, item_answer(self.subentry_id, item) | more)

    async def _async_fetch_picture(self, item: FeedItem) -> None:
        """Have the picture of a new post here before somebody looks; within what a day may cost."""
        today = self.home.hub_time_s() // 86_400
        if today != self._fetched_day:
            self._fetched_day, self._fetched_bytes = today, 0
        for media in item.media:
            if media.type is not MediaType.JPEG or media.size_bytes > PICTURE_BYTES:
                continue
            if self._fetched_bytes + media.size_bytes > DAY_BYTES:
                return
            self._fetched_bytes += media.size_bytes
            try:
                await self.home.async_media(media)
            except (HubError, OSError) as err:
                _LOGGER.debug("%s: a picture did not come: %s", self.title, err)

    async def _async_refused(self, record_id: str, code: str) -> None:
        refused = await self.home.async_ask(lambda ledger: ledger.refused())
        body = next((one.record.body for one in refused if one.record.id == record_id), None)
        title = str(getattr(body, "title", "") or getattr(body, "text", ""))[:60]
        issues.async_set_refused(
            self.hass, self.subentry_id, self.title, record_id=record_id, code=code, title=title
        )

    async def _async_read_hood(self) -> None:
        self.hood = await self.async_hood()
        self._update()

    # ---- the map --------------------------------------------------------------------------------

    def _look(self, ledger: Ledger) -> tuple[Hood | None, dict[str, FeedItem]]:
        """Read what is there at the start. In the ledger's thread."""
        if not ledger.state.is_founded:
            return None, {}
        me = ledger.state.subject_of(self.home.public_key)
        places: dict[str, FeedItem] = {}
        cursor: int | None = None
        while True:
            found = page(
                ledger.state,
                cursor=cursor,
                limit=100,
                wanted=lambda item: item.place is not None and item.status is Status.VISIBLE,
            )
            places |= {item.id: read_item(ledger, item, me) for item in found.items}
            cursor = found.cursor
            if cursor is None or len(places) >= MAX_PLACES:
                break
        now_s = self.home.hub_time_s()
        kept = list({key: item for key, item in places.items() if not _has_ended(item, now_s)}.items())
        return ledger.state.hood, dict(reversed(kept[:MAX_PLACES]))  # the oldest first, as news comes

    def _place(self, change: FeedChange) -> None:
        if change.item is None or change.kind is ChangeKind.GONE:
            self.places.pop(change.id, None)
        else:
            self._show(change.item)

    def _show(self, item: FeedItem) -> None:
        """Have an item on the map, if it belongs there."""
        if item.type not in {Type.POST, Type.ALERT}:
            return
        ended = _has_ended(item, self.home.hub_time_s())
        if not item.is_visible or item.place is None or ended:
            self.places.pop(item.id, None)
            return
        self.places[item.id] = item
        while len(self.places) > MAX_PLACES:
            del self.places[next(iter(self.places))]

    @callback
    def _async_look_again(self, _now: datetime) -> None:
        now_s = self.home.hub_time_s()
        ended = [key for key, item in self.places.items() if _has_ended(item, now_s)]
        for key in ended:
            del self.places[key]
        if ended:
            self._update()

    # ---- small things ---------------------------------------------------------------------------

    def _spawn(self, job: Any) -> None:
        task = self.entry.async_create_background_task(self.hass, job, f"Ringwatch {self.subentry_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _told_before(ledger: Ledger) -> list[str]:
    """Return what is no news any more, though it is new: it was told before this start."""
    number = ledger.position.number
    newest = ledger.records.range(max(1, number - MAX_ANNOUNCED + 1), MAX_ANNOUNCED)
    return [
        placed.record.id for placed in newest if placed.record.type in NEWS and placed.record.body is not None
    ]


def _has_ended(item: FeedItem, now_s: int) -> bool:
    """Tell whether an item is over: alerts say until when they hold."""
    return item.expires_s <= now_s or 0 < item.valid_until_s <= now_s
