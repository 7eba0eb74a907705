"""The neighborhoods of the entry: a Home for each subentry, and the hub if one is hosted here.

They have nothing to do with cameras: a neighborhood that changes, breaks or hangs leaves those as they are.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
import logging
from pathlib import Path
import secrets
import shutil
import sqlite3
from typing import Any, Final

import aiohttp

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_call_later, async_track_time_interval

from . import neighborhood_issues as issues
from .const import (
    CONF_ALLOW_HTTP,
    CONF_HOSTED,
    CONF_HUB_URL,
    CONF_KEY,
    CONF_NEIGHBORHOOD,
    DOMAIN,
    SUBENTRY_NEIGHBORHOOD,
)
from .exports import Exports
from .hub.config import MAX_HOODS
from .hub_process import STARTING, HubProcess, HubSettings, hub_settings
from .left_neighborhoods import LeftNeighborhoods
from .neighborhood.changes import ChangeKind
from .neighborhood.feed_items import FeedChange
from .neighborhood.hub_client import HubError
from .neighborhood.joining import async_look
from .neighborhood.ledger_schema import NewerLedgerError
from .neighborhood.violations import LinkViolation
from .neighborhood_home import FeedEventListener, Neighborhood
from .neighborhood_keys import KeysUnreadableError, NeighborhoodKeys
from .pending_posts import PendingPosts

_LOGGER = logging.getLogger(__name__)

OUTSIDE_S: Final = 30.0  # after the hub is up, its public address is tried; a proxy may be slow to notice
MAX_PICTURES: Final = 20
LONGEST_PAUSE_S: Final = 1800.0  # a backup that takes longer does without us
LET_END_EVERY: Final = timedelta(hours=6)  # what is kept of a neighborhood that isn't hosted any more
# What at the public address means that somebody else is there; everything else, that nobody is.
OTHERS: Final = frozenset({"not_a_hub", "wrong_hub", "bad_answer", "refused"})

type ChangeListener = Callable[[str, tuple[FeedChange, ...]], None]


class Neighborhoods:
    """Owned by the loaded entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; nothing is read or started yet."""
        self._hass = hass
        self._entry = entry
        self.keys = NeighborhoodKeys(hass)
        self.hub = HubProcess(hass)
        self.left = LeftNeighborhoods(hass, self.keys, self.hub)
        self.folder = Path(hass.config.path(DOMAIN, "neighborhoods"))
        self.pending = PendingPosts(hass)
        self.exports = Exports(hass, entry)
        self.invite_pictures: dict[str, bytes] = {}
        """QR codes of invites that were just made, by a name that nobody can guess. In memory only."""
        self.platforms: list[Callable[[], None]] = []
        """Each brings its platform's entities into line with what there is."""
        self.paused = False
        self._running: dict[str, Neighborhood] = {}
        self._updates: dict[str, list[Callable[[], None]]] = {}
        self._events: dict[str, list[FeedEventListener]] = {}
        self._changes: list[ChangeListener] = []
        self._lent: dict[str, HubSettings] = {}  # by the flow that founds
        self._lock = asyncio.Lock()
        self._closed = False
        self._unlisten: list[CALLBACK_TYPE] = []
        self._cancel_look: CALLBACK_TYPE | None = None
        self._cancel_pause: CALLBACK_TYPE | None = None

    def __iter__(self) -> Iterator[Neighborhood]:
        """Yield those that run."""
        return iter(list(self._running.values()))

    def get(self, subentry_id: str) -> Neighborhood | None:
        """Return one that runs."""
        return self._running.get(subentry_id)

    @callback
    def async_listen(self, subentry_id: str, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call the listener when anything that a neighborhood's entities show has changed."""
        listeners = self._updates.setdefault(subentry_id, [])
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    @callback
    def async_listen_for_events(self, subentry_id: str, listener: FeedEventListener) -> CALLBACK_TYPE:
        """Call the listener with the type and the attributes of each event of a neighborhood."""
        listeners = self._events.setdefault(subentry_id, [])
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    @callback
    def async_listen_for_changes(self, listener: ChangeListener) -> CALLBACK_TYPE:
        """Call the listener with the subentry's id and each change of any neighborhood."""
        self._changes.append(listener)
        return lambda: self._changes.remove(listener)

    # ---- coming and going -----------------------------------------------------------------------

    async def async_start(self) -> None:
        """Start what there is a subentry for. One that can't be opened says so in the repairs."""
        self._unlisten = [
            self.hub.async_listen(self._hub_turned),
            async_track_time_interval(self._hass, self._async_let_end, LET_END_EVERY),
        ]
        await self.exports.async_start()
        await self.async_follow()
        await self._async_let_end(None)
        names = {
            subentry.subentry_id: subentry.title
            for subentry in self._entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)
        }
        await self.pending.async_start(names)

    async def async_stop(self) -> None:
        """End all, within a bounded time."""
        self._closed = True
        self.pending.async_stop()
        for cancel in (*self._unlisten, self._cancel_look, self._cancel_pause):
            if cancel is not None:
                cancel()
        self._unlisten, self._cancel_look, self._cancel_pause = [], None, None
        async with self._lock:
            await self._async_end_all()

    async def _async_end_all(self) -> None:
        running, self._running = self._running, {}
        await asyncio.gather(*(one.async_stop() for one in running.values()))
        await self.hub.async_stop()

    async def async_follow(self) -> None:
        """Bring what runs into line with the subentries. What did not change goes on undisturbed."""
        async with self._lock:
            if self._closed or self.paused:
                return
            subentries = self._entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)
            wanted = {subentry.subentry_id: subentry for subentry in subentries}
            for subentry_id in self._running.keys() - wanted.keys():
                await self._async_remove(self._running.pop(subentry_id))
            await self._hass.async_add_executor_job(_prune, self.folder, set(wanted))
            if not self._lent:  # else a flow may be founding something just now
                hosted = {one.data[CONF_NEIGHBORHOOD] for one in wanted.values() if one.data[CONF_HOSTED]}
                await self.left.async_set_aside(hosted)
            await self._async_run_hub()
            for subentry in wanted.values():
                await self._async_run(subentry)
        self._sync()

    @callback
    def _sync(self) -> None:
        for sync in self.platforms:
            sync()
        for subentry_id in list(self._updates):
            self._update(subentry_id)

    async def _async_remove(self, gone: Neighborhood) -> None:
        """End a neighborhood that this home is no longer in."""
        for post in self.pending.of(gone.subentry_id):
            await self.pending.async_discard(post.id)
        await gone.async_leave()
        await gone.async_stop()
        issues.async_clear_neighborhood(self._hass, gone.subentry_id)
        if gone.hosted:
            return  # its key stays as long as its data do: it can be taken up again
        try:
            await self.keys.async_forget(gone.home.public_key)
        except HomeAssistantError as err:
            _LOGGER.warning("%s", err)

    async def _async_run(self, subentry: ConfigSubentry) -> None:
        """Start a neighborhood, or let it go on, or start it anew if it is another one now."""
        url = self.hub.url if subentry.data[CONF_HOSTED] else subentry.data[CONF_HUB_URL]
        running = self._running.get(subentry.subentry_id)
        if running is not None:
            if running.identity == (url, subentry.data[CONF_KEY]):
                self._rename(running, subentry)
                return
            del self._running[subentry.subentry_id]
            await running.async_stop()
        issues.async_set_trouble(self._hass, subentry.subentry_id, subentry.title, None)
        try:
            key = await self.keys.async_get(subentry.data[CONF_KEY])
        except KeysUnreadableError as err:
            _LOGGER.warning("%s", err)
            key = None
        if key is None:
            issues.async_set_trouble(self._hass, subentry.subentry_id, subentry.title, "key_lost")
            return
        made = Neighborhood(
            self._hass,
            self._entry,
            subentry,
            key=key,
            url=url,
            session=self._session(subentry),
            folder=self.folder / subentry.subentry_id,
            on_update=partial(self._update, subentry.subentry_id),
            on_event=partial(self._tell, subentry.subentry_id),
            on_changes=partial(self._pass_on, subentry.subentry_id),
        )
        try:
            await made.async_start()
        except (OSError, sqlite3.Error, NewerLedgerError) as err:
            code = "newer_copy" if isinstance(err, NewerLedgerError) else "disk"
            issues.async_set_trouble(self._hass, subentry.subentry_id, subentry.title, code, str(err))
            await made.async_stop()
            return
        self._running[subentry.subentry_id] = made
        self.exports.stale.add(subentry.subentry_id)
        if not made.hosted or self.hub.ready is not None:
            made.async_follow_hub()  # a hub that doesn't serve yet would fail it, and have it wait

    @callback
    def _update(self, subentry_id: str) -> None:
        running = self._running.get(subentry_id)
        if running is not None and running.home.connected:
            self.exports.async_follow(subentry_id, running.home, running.title)
        for listener in list(self._updates.get(subentry_id, ())):
            listener()

    @callback
    def _tell(self, subentry_id: str, event_type: str, attributes: dict[str, Any]) -> None:
        for listener in list(self._events.get(subentry_id, ())):
            listener(event_type, attributes)

    @callback
    def _pass_on(self, subentry_id: str, changes: tuple[FeedChange, ...]) -> None:
        if any(change.kind in {ChangeKind.GONE, ChangeKind.HIDDEN} for change in changes):
            self.exports.stale.add(subentry_id)
        for listener in list(self._changes):
            listener(subentry_id, changes)

    def _session(self, subentry: ConfigSubentry) -> aiohttp.ClientSession:
        """Return the session for a hub. Our own is asked here, where its certificate's name doesn't fit.

        Nothing rests on that: what a hub says is signed with its key.
        """
        return async_get_clientsession(self._hass, verify_ssl=not subentry.data[CONF_HOSTED])

    def session_of(self, running: Neighborhood) -> aiohttp.ClientSession:
        """Return the session with which a neighborhood's hub is called."""
        return self._session(running.subentry)

    def _rename(self, running: Neighborhood, subentry: ConfigSubentry) -> None:
        renamed = running.title != subentry.title
        running.subentry, running.title = subentry, subentry.title
        if not renamed:
            return
        devices = dr.async_get(self._hass)
        device = devices.async_get_device_by_identifier((DOMAIN, running.subentry_id), self._entry.entry_id)
        if device is not None:
            devices.async_update_device(device.id, name=subentry.title)

    @callback
    def async_keep_picture(self, png: bytes) -> str:
        """Keep an invite's QR code for a while, and return its name."""
        name = secrets.token_hex(16)
        self.invite_pictures[name] = png
        while len(self.invite_pictures) > MAX_PICTURES:
            del self.invite_pictures[next(iter(self.invite_pictures))]
        return name

    # ---- the hub --------------------------------------------------------------------------------

    async def async_lend(self, flow_id: str, settings: HubSettings) -> None:
        """Run the hub for a flow that founds a neighborhood."""
        async with self._lock:
            self._lent[flow_id] = settings
            await self._async_run_hub()

    @callback
    def async_take_back(self, flow_id: str) -> None:
        """A flow has ended."""
        if self._lent.pop(flow_id, None) is not None and not self._closed:
            self._entry.async_create_task(self._hass, self.async_follow(), "follow neighborhoods")

    @property
    def hosts_most(self) -> bool:
        """Whether this hub carries as many as it may."""
        subentries = self._entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)
        return sum(bool(subentry.data[CONF_HOSTED]) for subentry in subentries) >= MAX_HOODS

    async def async_take_up(self, neighborhood: str, flow_id: str, settings: HubSettings) -> None:
        """Have the hub carry one again that was left, for a flow that hosts it. Raise OSError."""
        async with self._lock:
            self._lent[flow_id] = settings
            await self.left.async_take_up(neighborhood)
            await self._async_run_hub()

    async def async_erase_left(self, neighborhood: str) -> None:
        """Erase what is left of one."""
        async with self._lock:
            await self.left.async_erase(neighborhood)

    async def _async_let_end(self, _now: datetime | None) -> None:
        async with self._lock:
            if not self._closed and not self.paused:
                await self.left.async_let_end()

    async def _async_run_hub(self) -> None:
        hosted = [
            hub_settings(subentry.data)
            for subentry in self._entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)
            if subentry.data[CONF_HOSTED]
        ]
        lent = list(self._lent.values())
        settings = next(iter((*hosted, *lent)), None)
        if settings is not None:
            hosts = dict.fromkeys(host for one in (*hosted, *lent) for host in one.hosts)
            settings = replace(settings, hosts=tuple(hosts))
        await self.hub.async_apply(settings)

    @callback
    def _hub_turned(self) -> None:
        """The hub is up, down or in trouble."""
        code = None if self.hub.code == STARTING else self.hub.code
        port = self.hub.settings.port if self.hub.settings else 0
        issues.async_set_hub(self._hass, code, str(self.hub.folder), port)
        if self._cancel_look is not None:
            self._cancel_look()
            self._cancel_look = None
        if self.hub.ready is not None:
            for running in self:
                running.async_follow_hub()
            self._cancel_look = async_call_later(self._hass, OUTSIDE_S, self._async_look_from_outside)

    async def _async_look_from_outside(self, _now: datetime) -> None:
        """See whether this hub, with its key, answers at its public address."""
        self._cancel_look = None
        for running in self:
            if running.hosted:
                await self.async_look_from_outside(running)

    async def async_look_from_outside(self, running: Neighborhood) -> str | None:
        """Return what is wrong at a hosted one's public address: unreachable, other; None: nothing."""
        session = async_get_clientsession(self._hass)
        code: str | None = None
        try:
            link = running.home.create_invite(running.hub_url).link
            await async_look(session, link, allow_http=bool(running.subentry.data[CONF_ALLOW_HTTP]))
        except HubError as err:
            code = "other" if err.code in OTHERS else "unreachable"
        except LinkViolation:
            code = "other"
        issues.async_set_outside(self._hass, running.subentry_id, running.title, running.hub_url, code)
        return code

    # ---- backups --------------------------------------------------------------------------------

    async def async_pause(self) -> None:
        """End everything for a backup, so that what it copies is whole. Goes on by itself after a while."""
        async with self._lock:
            if self._closed or self.paused:
                return
            self.paused = True
            self._cancel_pause = async_call_later(self._hass, LONGEST_PAUSE_S, self._async_pause_is_over)
            await self._async_end_all()
        self._sync()

    async def async_resume(self) -> None:
        """Go on after a backup."""
        if not self.paused:
            return
        self.paused = False
        if self._cancel_pause is not None:
            self._cancel_pause()
            self._cancel_pause = None
        async with self._lock:
            if not self._closed:
                await self.hub.async_resume()
        await self.async_follow()

    async def _async_pause_is_over(self, _now: datetime) -> None:
        self._cancel_pause = None
        _LOGGER.warning("A backup takes long; the neighborhoods go on meanwhile")
        await self.async_resume()


def _prune(folder: Path, wanted: set[str]) -> None:
    """Delete the copies of neighborhoods that this home is no longer in."""
    with suppress(OSError):  # there is no such folder yet, or nobody may read it
        for path in list(folder.iterdir()):
            if path.name not in wanted:
                shutil.rmtree(path, ignore_errors=True)
