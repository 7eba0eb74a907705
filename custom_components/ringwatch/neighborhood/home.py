"""One home in one neighborhood: its copy, kept in step with the hub, and what it wants to say there.

Two tasks: one follows the hub, the other sends. Nothing that a hub says is believed before the ledger has
checked it. A hub that lies is told of (`Listener.trouble`); it is asked again, since it may have been
restored from a backup, but nothing is sent to it before it makes sense again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
import contextlib
from dataclasses import dataclass
import logging
import os
from pathlib import Path
from random import Random
import sqlite3
import time
from typing import Any, Final, Protocol

import aiohttp

from .bodies import Body
from .bodies.feed import Media
from .canonical import Json, encode
from .envelope import Record
from .feed_items import FeedChange, FeedItem
from .home_copy import HomeCopy, media_of
from .home_sync import Follower, Sender
from .hub_client import HubClient, HubError
from .invites import Invite, create_invite
from .keys import PrivateKey, is_digest
from .ledger import Ledger
from .signed_calls import HubClock
from .transfers import async_download
from .violations import BadField, HubViolation, RecordViolation

_LOGGER = logging.getLogger(__name__)

RETRY_S: Final = (2.0, 5.0, 15.0, 60.0, 300.0)  # after one failure, two, ...
MAX_NOTICES: Final = 50
LIE_S: Final = 1800.0
REMOVED_S: Final = 3600.0
DISK_S: Final = 60.0
JITTER: Final = 0.2  # homes that lost their hub at once don't come back at once
GONE: Final = frozenset({"removed", "not_a_member"})


@dataclass(frozen=True, slots=True)
class HomeConfig:
    """Which neighborhood, where its hub is, and where the copy is kept."""

    url: str
    neighborhood: str
    hub_key: str
    folder: Path


class Listener(Protocol):
    """Hears of what happens. Called in the event loop; must not block."""

    def changed(self, changes: tuple[FeedChange, ...]) -> None:
        """Something is new or different; the counts are, even if there is no change."""

    def connected(self, connected: bool) -> None:
        """The hub answers, or doesn't any more."""

    def trouble(self, code: str | None, about: str) -> None:
        """Say what a person should know: hub_<what it did>, clock_off, removed, disk. None: all is well."""

    def refused(self, record_id: str, code: str) -> None:
        """Something that was to be sent will not be."""


class Home:
    """Make one, `async_open` it, `start` it, `async_stop` it."""

    def __init__(
        self,
        config: HomeConfig,
        key: PrivateKey,
        session: aiohttp.ClientSession,
        listener: Listener,
        *,
        now: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        """Prepare; nothing is opened yet."""
        self.config = config
        self.connected = False
        self.trouble: str | None = None
        self._key = key
        self._listener = listener
        self._random = random or Random()
        self._clock = HubClock(now)
        self._client = HubClient(
            session,
            config.url,
            neighborhood=config.neighborhood,
            hub_key=config.hub_key,
            key=key,
            clock=self._clock,
        )
        self.copy = HomeCopy(config.folder, config.neighborhood, config.hub_key, key)
        self._follower = Follower(self._client, self.copy, key, config.neighborhood, self._async_tell)
        self._sender = Sender(self._client, self.copy, key, config.neighborhood)
        self._tasks: list[asyncio.Task[None]] = []
        self._to_send = asyncio.Event()
        self._told_refused: set[str] = set()
        self._downloads: dict[str, asyncio.Task[Path]] = {}
        self._files = asyncio.Lock()  # files are in the folder shortly before a record names them

    async def async_open(self) -> None:
        """Open the copy. Raise OSError, sqlite3.Error or NewerLedgerError."""
        await self.copy.async_open()

    def start(self) -> None:
        """Begin to follow the hub."""
        turns = (self._async_follow, self._async_send)
        self._tasks = [asyncio.create_task(self._async_forever(turn)) for turn in turns]

    async def async_stop(self) -> None:
        """End. What waits to be sent stays on the disk."""
        tasks, self._tasks = [*self._tasks, *self._downloads.values()], []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.copy.async_close()

    # ---- what others want of it -------------------------------------------------------------------

    @property
    def members(self) -> int:
        """How many homes there are."""
        return self.copy.members

    @property
    def unread(self) -> int:
        """How many posts and alerts of others nobody here has looked at."""
        return self.copy.unread

    @property
    def pending(self) -> int:
        """How much waits to be sent."""
        return self.copy.pending

    @property
    def public_key(self) -> str:
        """The key that this home is known by."""
        return self._key.public

    @property
    def key(self) -> PrivateKey:
        """What this home signs its calls with."""
        return self._key

    @property
    def clock(self) -> HubClock:
        """The hub's time, as far as it is known."""
        return self._clock

    def hub_time_s(self) -> int:
        """Return the hub's time, as far as it is known."""
        return self._clock.now_s()

    async def async_ask[T](self, question: Callable[[Ledger], T]) -> T:
        """Ask the copy something, in its thread."""
        return await self.copy.async_ask(question)

    async def async_item(self, item_id: str) -> FeedItem | None:
        """Return a post, an alert or a comment, if it is still there."""
        return await self.copy.async_item(item_id)

    async def async_submit(self, body: Body, media: Sequence[Path] = ()) -> Record:
        """Sign something and keep it until the hub has it. Raise RecordViolation if the rules refuse it.

        The files are moved into the copy's folder; the body names them by their digests.
        """
        announced = {one.sha256 for one in media_of(body)}
        async with self._files if media else contextlib.nullcontext():
            try:
                for file in media:
                    if await asyncio.to_thread(self.copy.media.add, file) not in announced:
                        raise BadField("a file that the post doesn't name")
                now_s = self._clock.now_s()
                waiting = await self.copy.async_ask(lambda ledger: ledger.enqueue(self._key, body, now_s))
            except RecordViolation:
                if media:
                    await self.copy.async_prune()
                raise
        for file in media:
            await asyncio.to_thread(file.unlink, missing_ok=True)
        await self.copy.async_count()
        self._listener.changed(())
        self._to_send.set()
        return waiting.record

    async def async_media(self, media: Media) -> Path:
        """Return a clip or picture, fetched if it isn't here yet. Raise HubError or OSError."""
        if await asyncio.to_thread(self.copy.media.has, media.sha256):
            return self.copy.media.path(media.sha256)
        task = self._downloads.get(media.sha256)
        if task is None:  # whoever asks next waits for the same
            task = asyncio.create_task(self._async_fetch(media))
            self._downloads[media.sha256] = task
            task.add_done_callback(lambda _: self._downloads.pop(media.sha256, None))
        return await asyncio.shield(task)

    async def _async_fetch(self, media: Media) -> Path:
        """Fetch a file; leave nothing of it here if its post is taken back meanwhile."""
        self.copy.coming.add(media.sha256)
        try:
            path = await async_download(self._client, media, self.copy.media)
        finally:
            is_gone = media.sha256 not in self.copy.coming
            self.copy.coming.discard(media.sha256)
            if is_gone:
                await asyncio.to_thread(self.copy.media.delete, media.sha256)
        if is_gone:
            raise HubError("refused", "it was taken back meanwhile")
        return path

    async def async_mark_read(self) -> None:
        """Note that a person has seen what there is."""
        await self.copy.async_mark_read()
        self._listener.changed(())

    async def async_dismiss(self, record_id: str) -> None:
        """Forget something that was refused, or that is not to be sent any more."""
        async with self._files:
            await self.copy.async_ask(lambda ledger: ledger.dismiss(record_id))
            await self.copy.async_prune()
        await self.copy.async_count()
        self._listener.changed(())

    def create_invite(self, url: str) -> Invite:
        """Invite somebody; for the host. The hub is not asked. Raise LinkViolation for a bad address."""
        return create_invite(
            self._key,
            neighborhood=self.config.neighborhood,
            hub_key=self.config.hub_key,
            url=url,
            now_s=self._clock.now_s(),
            seed=os.urandom(32),
        )

    async def async_revoke_invite(self, invite: str) -> None:
        """Have the hub refuse an invite from now on; for the host. Raise HubError."""
        await self._client.post("/invites/revoke", {"invite": invite})

    async def async_hub_clock(self) -> tuple[bool, int, int]:
        """Return whether the hub waits for its clock, what that says, what it signed last; for the host.

        Raise HubError.
        """
        said = (await self._client.get("/clock")).json()
        held, time_s, signed_s = (said.get(name) for name in ("held", "time", "signed"))
        if not isinstance(held, bool) or not isinstance(time_s, int) or not isinstance(signed_s, int):
            raise HubError("bad_answer", "a clock that can't be read")
        return held, time_s, signed_s

    async def async_confirm_hub_clock(self, time_s: int) -> None:
        """Have the hub go by its clock, of which somebody has seen that it is right. Raise HubError."""
        await self._client.post("/clock", {"time": time_s})

    async def async_usage(self) -> dict[str, Any]:
        """Return what the hub says of its space; for the host. Raise HubError."""
        return (await self._client.get("/usage")).json()

    async def async_notices(self) -> list[tuple[str, str]]:
        """Return what the hub tells this member of legal demands: id and text of each. Raise HubError."""
        you = (await self._client.get("")).json().get("you")
        found = you.get("notices") if isinstance(you, dict) else None
        if not isinstance(found, list):
            raise HubError("bad_answer", "notices that can't be read")
        return [
            (one["demand"], one["text"])
            for one in found[:MAX_NOTICES]
            if isinstance(one, dict) and is_digest(one.get("demand")) and isinstance(one.get("text"), str)
        ]

    async def async_notify(self, demand: str, subjects: Sequence[str], text: str, from_s: int = 0) -> None:
        """Have the hub tell members of a demand that concerns them, from a time on; for the host.

        Raise HubError.
        """
        body: dict[str, Json] = {"demand": demand, "subjects": [*subjects], "text": text, "from": from_s}
        await self._client.post("/notices", body)

    async def async_demand_export(self, wanted: Mapping[str, str], max_bytes: int) -> bytes:
        """Return all that the hub holds of a `subject` or `request`; for the host. Raise HubError."""
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        path = f"/demand-export?{query}" if query else "/demand-export"
        return (await self._client.get(path, max_bytes=max_bytes)).data

    async def async_partnerships(self) -> dict[str, Any]:
        """Return how many households redeemed which code, in steps; for the host. Raise HubError."""
        return (await self._client.get("/partnership")).json()

    async def async_redeem(self, code: str) -> None:
        """Have this household counted for a partnership. Raise HubError."""
        await self._client.post("/partnership/redeem", {"code": code})

    async def async_set_availability(self, on: bool) -> None:
        """Have the hub ask "did anybody record?" from the next release on, or not; for the host.

        Raise HubError.
        """
        await self._client.call("PUT", "/availability/settings", encode({"on": on}))

    # ---- its two tasks ----------------------------------------------------------------------------

    async def _async_follow(self) -> float:
        waits = self.connected
        pause_s = await self._follower.async_turn(wait=waits)
        if self._follower.caught_up:
            if not waits:
                pause_s = 0.0  # that was a question without patience; the next one waits for news, if it may
            if self.pending:
                await self.copy.async_count()  # of what was sent, some may be there by now
                self._listener.changed(())
            self._set_connected(True)
            self._tell_trouble("clock_off" if self._clock.is_far_off else None, f"{self._clock.offset_s} s")
            self._to_send.set()
        return pause_s

    async def _async_send(self) -> float:
        await self._to_send.wait()
        self._to_send.clear()
        if not self.connected:
            return 0.0  # the other task says when
        try:
            refused = await self._sender.async_turn()
        except HubError:
            self._to_send.set()
            raise
        for record_id, code in refused:
            if record_id not in self._told_refused:
                self._told_refused.add(record_id)
                self._listener.refused(record_id, code)
        return 0.0

    async def _async_forever(self, turn: Callable[[], Awaitable[float]]) -> None:
        """Do turn after turn, and after one that fails wait, longer each time."""
        follows = turn == self._async_follow
        failures = 0
        while True:
            try:
                pause_s = await turn()
                failures = 0
            except HubViolation as lie:
                self._set_connected(False)
                self._tell_trouble(f"hub_{lie.code}", lie.about)
                pause_s = LIE_S
            except HubError as error:
                pause_s = max(RETRY_S[min(failures, len(RETRY_S) - 1)], float(error.retry_after_s or 0))
                failures += 1
                _LOGGER.debug("The hub of a neighborhood: %s", error)
                if error.violation in GONE:
                    self._tell_trouble("removed", error.about)
                    pause_s = REMOVED_S
                if follows:
                    self._set_connected(False)
            except (sqlite3.Error, OSError) as error:
                _LOGGER.warning("A neighborhood's copy can't be written: %s", error)
                self._tell_trouble("disk", str(error))
                pause_s = DISK_S
            if pause_s:
                await asyncio.sleep(pause_s * (1 + JITTER * self._random.random()))

    async def _async_tell(self, changes: tuple[FeedChange, ...]) -> None:
        if changes:
            await self.copy.async_count()
            self._listener.changed(changes)

    def _set_connected(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            self._listener.connected(connected)

    def _tell_trouble(self, code: str | None, about: str) -> None:
        if code != self.trouble:
            self.trouble = code
            self._listener.trouble(code, about)
