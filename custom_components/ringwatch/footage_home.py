"""Footage requests, at home: what joins requests, clips, answers, the audit log and whoever sends.

Who does the work are footage_keeping.py (the answers' database and the log), footage_requests.py (what is
asked, and which clips match), footage_preparing.py (files) and footage/sending.py. Nothing here decides alone
that something is sent: that takes a code, which takes a person who has seen the very files
(footage_websocket.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
import logging
import sqlite3
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.loader import async_get_integration

from . import footage_issues as issues
from .clips import Clip
from .const import DOMAIN, SUBENTRY_CAMERA
from .footage.age_file import generate_identity, recipient_of
from .footage.answer_database import NewerAnswersError
from .footage.answer_states import Answer, AnswerError, Selection, State
from .footage.answers import AnswerStore
from .footage.audit import Anchor, AuditLog, Trouble
from .footage.confirming import Confirming
from .footage.matching import CameraPlace
from .footage.parties import Identity
from .footage.sending import Sender
from .footage.served import ServedRegister
from .footage_asking import Askings
from .footage_faces import Faces
from .footage_holds import Holds
from .footage_hubs import Hubs
from .footage_keeping import Keeping
from .footage_news import ANSWERING, News, NewsListener
from .footage_notices import FootageNotices
from .footage_preparing import Preparing
from .footage_requests import FootageRequests
from .footage_store import FootageStore
from .footage_told import DemandNotices
from .neighborhood.requests import RequestItem
from .neighborhood_home import Neighborhood
from .neighborhoods import Neighborhoods
from .recording import Recordings

_LOGGER = logging.getLogger(__name__)

MOST_HELD: Final = 500  # clips of one request

type Changed = Callable[[], None]


class Footage:
    """Owned by the loaded entry."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, neighborhoods: Neighborhoods, recordings: Recordings
    ) -> None:
        """Prepare; nothing is read yet."""
        self.hass = hass
        self.entry = entry
        self.neighborhoods = neighborhoods
        self.recordings = recordings
        self.store = FootageStore(hass)
        self.faces = Faces(hass, self.async_tell)
        self.confirming = Confirming()
        self.news = News(self)
        self.hubs = Hubs(neighborhoods, self.wake)
        self.preparing = Preparing(self)
        self.keeping = Keeping(hass, self.store)
        self.requests = FootageRequests(
            hass,
            neighborhoods,
            recordings,
            places=self.places,
            on_news=self.news.async_tell,
            on_update=self.async_tell,
        )
        self.notices = FootageNotices(hass)
        self.holds = Holds(
            hass,
            recordings,
            find=self._find_request,
            is_living=self._is_living,
            on_ended=self._holds_ended,
        )
        self._demands = DemandNotices(hass, neighborhoods, self.store)
        self.asking = Askings(
            hass,
            neighborhoods,
            recordings,
            self.store,
            self.keeping.folder,
            places=self.places,
            note=lambda request: self.answers.note("took_part", request=request),
        )
        self._sender: Sender | None = None
        self._listeners: list[Changed] = []
        self._living: dict[str, Answer] = {}
        self._stopping = False
        self._interrupted: list[str] = []  # answers whose files are made after the backup
        self._pausing = asyncio.Lock()

    # ---- coming and going -------------------------------------------------------------------------

    async def async_start(self) -> None:
        """Open what is kept. What can't be opened says so in the repairs; then requests are only shown."""
        await self.store.async_load()
        issues.async_set_settings_damaged(self.hass, self.store.damaged)
        if not self.store.damaged:
            await self._async_open(self.keeping.async_open)
        await self.faces.async_start()
        self.requests.async_start()
        self.neighborhoods.platforms.append(self._follow)
        self._follow()
        self._demands.start()
        self.holds.async_start()
        if not self.store.damaged:
            self.async_listen(self.asking.async_wake)
            self.asking.async_wake()

    async def _async_open(self, opening: Callable[[], Awaitable[tuple[str | None, list[Answer]]]]) -> None:
        """Open answers and log, and begin to send what was confirmed."""
        try:
            if not self.store.kept.age_identity:
                await self.store.async_keep(age_identity=generate_identity().secret)
            trouble, stale = await opening()
            await self._async_read()
        except (OSError, sqlite3.Error, AnswerError, NewerAnswersError, HomeAssistantError) as err:
            _LOGGER.warning("Answers to footage requests can't be opened: %s", err)
            issues.async_set_closed(self.hass, str(self.keeping.folder), str(err))
            return
        issues.async_set_closed(self.hass, None)
        issues.async_set_log_changed(self.hass, trouble)
        integration = await async_get_integration(self.hass, DOMAIN)
        self._sender = Sender(
            self.answers,
            self.hubs.access,
            self.hubs.async_look,
            async_get_clientsession(self.hass),
            listener=self._sent,
            own_recipient=recipient_of(self.store.kept.age_identity),
            software=f"Ringwatch {integration.version}",  # no more: what few homes run tells them apart
        )
        self._sender.start()
        for answer in stale:
            self._sent(answer)

    async def async_stop(self) -> None:
        """End all, within a bounded time. What is on its way goes on after the next start."""
        self._stopping = True
        self._demands.stop()
        self.hubs.async_leave()
        self.holds.async_stop()
        await self.asking.async_stop()
        await self.requests.async_stop()
        async with self._pausing:
            await self._async_rest()
            await self.preparing.async_stop()
            await self.keeping.async_close()

    async def _async_rest(self) -> list[str]:
        """End what sends, and what makes files; return the answers whose files were being made."""
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.async_stop()
        return await self.preparing.async_rest()

    # ---- backups ----------------------------------------------------------------------------------

    async def async_pause(self) -> None:
        """Close answers and log, so that what a backup copies is whole. Nothing is sent meanwhile."""
        async with self._pausing:
            if self.keeping.paused or not self.is_open:
                return
            self._interrupted = await self._async_rest()
            await self.keeping.async_pause()
        self.async_tell()

    async def async_resume(self) -> None:
        """Go on after a backup."""
        async with self._pausing:
            if not self.keeping.paused or self._stopping:
                return
            await self._async_open(self.keeping.async_resume)
            interrupted, self._interrupted = self._interrupted, []
            for answer in filter(None, map(self._living.get, interrupted)):
                if answer.state is State.DRAFTED:
                    self.preparing.async_begin(answer)
        self.async_tell()

    @property
    def is_open(self) -> bool:
        """Whether requests can be answered."""
        return self._sender is not None

    @property
    def answers(self) -> AnswerStore:
        """The answers. Raise HomeAssistantError where they are not open."""
        return self.keeping.answers

    @property
    def log(self) -> AuditLog:
        """The audit log. Raise HomeAssistantError where it is not open."""
        return self.keeping.log

    # ---- who listens ------------------------------------------------------------------------------

    @callback
    def async_listen(self, listener: Changed) -> CALLBACK_TYPE:
        """Call the listener when anything about requests or answers has changed."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_listen_for_news(self, subentry_id: str, listener: NewsListener) -> CALLBACK_TYPE:
        """Call the listener with the type, the request and the matching clips of each piece of news."""
        return self.news.async_listen(subentry_id, listener)

    @callback
    def async_tell(self) -> None:
        """Tell those who listen that something has changed."""
        for listener in list(self._listeners):
            listener()

    @callback
    def _follow(self) -> None:
        if self.keeping.paused and not self.neighborhoods.paused:  # a backup that takes too long
            self.async_spawn(self.async_resume(), "ringwatch footage after a backup")
        self.hubs.async_follow()
        for running in self.neighborhoods:
            self.async_spawn(self.requests.async_refresh(running), "ringwatch footage requests")
        self.asking.async_wake()

    async def async_refresh(self) -> None:
        """Compare all requests with the home's clips anew: where cameras are has changed."""
        for running in self.neighborhoods:
            await self.requests.async_refresh(running)
        self.async_tell()

    # ---- places and clips -------------------------------------------------------------------------

    def places(self) -> list[CameraPlace]:
        """Return where the cameras are: where the home is, unless the owner said something else."""
        config = self.hass.config
        home = (round(config.latitude * 1e6), round(config.longitude * 1e6))
        chosen = self.store.settings.places
        return [
            CameraPlace(subentry.subentry_id, *chosen.get(subentry.subentry_id, home))
            for subentry in self.entry.get_subentries_of_type(SUBENTRY_CAMERA)
        ]

    async def async_hold(self, request: RequestItem) -> None:
        """Keep what matches a request from being deleted by age, while it is looked at."""
        found = await self.requests.async_match(request, limit=MOST_HELD)
        if held := await self.holds.async_hold(request.id, found.clips):
            await self.async_run(partial(self.answers.note, "clip_held", request=request.id, clips=held))

    def _find_request(self, request_id: str) -> RequestItem | None:
        found = (self.requests.get(one.subentry_id, request_id) for one in self.neighborhoods)
        return next((item for item in found if item is not None), None)

    def _is_living(self, request_id: str) -> bool:
        return any(one.request == request_id and not one.is_over for one in self._living.values())

    @callback
    def _holds_ended(self, clips: tuple[Clip, ...]) -> None:
        self.async_spawn(self.notices.async_show_let_go(len(clips)), "ringwatch holds")

    # ---- answers ----------------------------------------------------------------------------------

    async def async_run[T](self, job: Callable[..., T], *args: Any) -> T:
        """Run what reads or writes answers or the log. Raise AnswerError, or HomeAssistantError."""
        return await self.keeping.async_run(job, *args)

    def living(self) -> list[Answer]:
        """Return all answers as they were last heard of, newest first."""
        return sorted(self._living.values(), key=lambda answer: answer.created_s, reverse=True)

    def answer(self, answer_id: str) -> Answer | None:
        """Return one."""
        return self._living.get(answer_id)

    def is_preparing(self, answer_id: str) -> bool:
        """Whether its files are being made."""
        return answer_id in self.preparing

    def failure(self, answer_id: str) -> str | None:
        """Return why its files could not be made."""
        return self.preparing.failure(answer_id)

    async def _async_read(self) -> None:
        self._living = {answer.id: answer for answer in await self.async_run(self.answers.all)}
        self.async_tell()

    @callback
    def async_keep(self, answer: Answer) -> Answer:
        """Take note of how an answer is now, and tell."""
        before = self._living.get(answer.id)
        self._living[answer.id] = answer
        if before is not None and before.contents != answer.contents:
            self.confirming.void(answer.id)
        if answer.state in ANSWERING:
            self.notices.async_hide(answer.request)
        self.async_tell()
        return answer

    async def async_prepare(
        self,
        running: Neighborhood,
        request: RequestItem,
        selections: Sequence[Selection],
        identity: Identity,
        *,
        by: str | None,
        replaces: str | None = None,
    ) -> Answer:
        """Begin to make an answer's files; what becomes of it is told. Raise AnswerError."""
        if replaces is not None:
            await self.preparing.async_cancel(replaces)
        chosen = tuple(selections)
        if replaces is None:
            answer = await self.async_run(
                self.answers.draft, running.home.config.neighborhood, request.id, chosen, identity, by
            )
        else:
            self.confirming.void(replaces)
            answer = await self.async_run(self.answers.edit, replaces, chosen, identity)
        await self.async_hold(request)
        self.preparing.async_begin(answer)
        return self.async_keep(answer)

    async def async_wait_prepared(self, answer_id: str) -> Answer | None:
        """Wait until an answer's files are there, or aren't going to be."""
        await self.preparing.async_wait(answer_id)
        return self.answer(answer_id)

    async def async_confirm(self, answer: Answer, by: str) -> Answer:
        """Send an answer after the undo window. Whoever calls has redeemed a code. Raise AnswerError."""
        confirmed = await self.async_run(
            self.answers.confirm, answer.id, answer.contents, by, self.store.settings.undo_s
        )
        self.wake(answer.id)
        return self.async_keep(confirmed)

    async def async_undo(self, answer_id: str, by: str) -> Answer:
        """Call an answer back while it can be; it has to be looked at again. Raise AnswerError."""
        answer = self.async_keep(await self.async_run(self.answers.undo, answer_id, by))
        self.wake(answer_id)
        return answer

    async def async_withdraw(self, answer_id: str, by: str) -> Answer:
        """Take an answer back for good, and delete its files. Raise AnswerError."""
        if self._sender is None:
            raise self.keeping.closed()
        await self.preparing.async_cancel(answer_id)
        self.confirming.void(answer_id)
        answer = self.async_keep(await self._sender.async_withdraw(answer_id, by))
        if not self._is_living(answer.request):
            await self.holds.async_let_go(answer.request)
        return answer

    async def async_renew(self, answer_id: str) -> Answer:
        """Have an answer confirmed anew for the agency as it is now. Raise AnswerError."""
        answer = self.answer(answer_id)
        standing = None if answer is None else await self.hubs.async_look(answer.neighborhood, answer.request)
        if standing is None:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="footage_not_open")
        self.confirming.void(answer_id)
        return self.async_keep(await self.async_run(self.answers.renew, answer_id, standing.recipient))

    async def async_decline(self, running: Neighborhood, request_id: str, by: str) -> None:
        """Note that nothing is given. It stays here."""
        await self.async_run(self.answers.decline, running.home.config.neighborhood, request_id, by)
        self.notices.async_hide(request_id)
        await self.holds.async_let_go(request_id)
        self.async_tell()

    async def async_reconsider(self, running: Neighborhood, request_id: str, by: str) -> None:
        """Forget that it was declined."""
        await self.async_run(self.answers.undecline, running.home.config.neighborhood, request_id, by)
        self.async_tell()

    async def async_mine(self, running: Neighborhood, request_id: str) -> str | None:
        """Return what this home did about a request: an answer's id, "declined", or nothing."""
        for answer in self.living():
            if answer.request == request_id and answer.state is not State.WITHDRAWN:
                return answer.id
        declined = await self.async_run(self.answers.declined, running.home.config.neighborhood, request_id)
        return None if declined is None else "declined"

    def wake(self, answer_id: str | None = None) -> None:
        """Have the sender look again, at one answer or all. What people do is never a reason for all.

        The hub would see by the calls about others that somebody has confirmed or undone something.
        """
        if self._sender is not None:
            self._sender.wake(answer_id)

    def running_of(self, answer: Answer) -> Neighborhood | None:
        """Return an answer's neighborhood while it runs."""
        return self.hubs.running(answer.neighborhood)

    @callback
    def _sent(self, answer: Answer) -> None:
        self.async_keep(answer)
        if answer.state in {State.SENT, State.RECEIVED, State.FAILED, State.STALE}:
            self.async_spawn(self.notices.async_show_answer(answer), f"ringwatch answer {answer.id[:8]}")

    # ---- the log ----------------------------------------------------------------------------------

    @property
    def anchor(self) -> Anchor | None:
        """How far the log had come when that was last noted, outside of it."""
        return self.keeping.anchor

    @property
    def served(self) -> ServedRegister:
        """The register of warrants that were served on this home."""
        return ServedRegister(self.log)

    def trouble_of_log(self) -> Trouble | None:
        """Return what is wrong with the log, None if nothing is. Blocks."""
        return self.keeping.trouble_of_log()

    @callback
    def async_spawn[T](self, job: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run something that ends with the entry."""
        return self.entry.async_create_background_task(self.hass, job, name)
