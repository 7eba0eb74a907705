"""One home's part in "did anybody record?": what is asked is checked here first, then one number goes out.

A hub could ask a home alone, or the same thing again and again. So a home compares the question with its own
copy of the neighborhood, and with what it has answered. The number is made and written down first, and goes
at a random moment that was drawn before it was made: homes with footage and homes without send as many bytes
at the same times.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
import logging
from random import Random, SystemRandom
from typing import Any, Final

import aiohttp

from ..clips import Questions
from ..neighborhood.availability import (
    ANSWERS,
    ANSWERS_IN_S,
    HOUR_S,
    MEMBER_S,
    Question,
    cell_of,
    cells_of,
    hours_of,
    opt_in,
    share_of,
)
from ..neighborhood.canonical import Json, encode
from ..neighborhood.home import Home
from ..neighborhood.hub_client import HubClient, HubError
from ..neighborhood.keys import PrivateKey
from ..neighborhood.ledger import Ledger
from ..neighborhood.limits import DAY_S
from ..neighborhood.places import Place
from ..neighborhood.rows import Kind
from ..neighborhood.rows_requests import RequestRow
from ..neighborhood.violations import RecordViolation
from .asking_store import Asked, AskingStore
from .matching import CameraPlace

_LOGGER = logging.getLogger(__name__)

MAX_ANSWER_S: Final = 2 * DAY_S  # a hub answers some hours after a release
MAX_QUESTIONS: Final = 50
FIRST_S: Final = 60  # homes hear of a release at once; they don't all ask at once
# Looking for clips takes some milliseconds more where there are any; a hub could read that from when a home's
# next call comes. So it takes as long each time.
STEADY_S: Final = 2.0
# When to ask again what this home is asked: the hub begins a round within half a minute, or was away
AGAIN_S: Final = (60, 120, 300, 600, 1_800)


class NotAnsweredError(Exception):
    """A question that this home doesn't answer. `code` is stable."""

    def __init__(self, code: str) -> None:
        """Keep why."""
        super().__init__(code)
        self.code = code


def check_question(
    question: Question,
    request: RequestRow,
    own: PrivateKey,
    *,
    since: Mapping[str, int],
    asked: Sequence[Asked],
    now_s: int,
) -> None:
    """Raise NotAnsweredError unless all is as this home knows it. `since`: members' keys and joining."""
    released_s = request.released_s
    if question.request != request.id or not request.asks or released_s is None or request.answer is not None:
        raise NotAnsweredError("other_request")
    if opt_in(own) not in question.roster:
        raise NotAnsweredError("not_on_roster")
    if any(since.get(one.member, released_s) > released_s - MEMBER_S for one in question.roster):
        raise NotAnsweredError("not_members")
    if question.cells != cells_of(request.area) or question.hours != hours_of(request.start_s, request.end_s):
        raise NotAnsweredError("other_place_or_time")
    if not max(now_s, released_s) < question.closes_s <= released_s + MAX_ANSWER_S:
        raise NotAnsweredError("bad_end")
    if any(one.request == request.id for one in asked):
        raise NotAnsweredError("answered")
    if sum(one.made_s > now_s - ANSWERS_IN_S for one in asked) >= ANSWERS:
        raise NotAnsweredError("too_often")
    if any(one.overlaps(question.cells, question.hours) for one in asked):
        raise NotAnsweredError("overlaps")


def has_recorded(questions: Questions, places: Sequence[CameraPlace], question: Question) -> bool:
    """Return whether a camera in the cells has a clip of the hours. Blocks."""
    cells = set(question.cells)
    cameras = {place.camera_id for place in places if cell_of(Place(place.lat_e6, place.lon_e6)) in cells}
    if not cameras:
        return False
    start_s, end_s = min(question.hours) * HOUR_S, (max(question.hours) + 1) * HOUR_S
    _, count = questions.unsure_overlapping(
        datetime.fromtimestamp(start_s, UTC),
        datetime.fromtimestamp(end_s, UTC),
        cameras=cameras,
        unsure_s=0.0,
        limit=0,
    )
    return count > 0


class Asker:
    """One neighborhood's. `async_turn` does what is due; whoever drives it comes back when it says."""

    def __init__(
        self,
        home: Home,
        session: aiohttp.ClientSession,
        store: AskingStore,
        recorded: Callable[[Question], Awaitable[bool]],
        *,
        note: Callable[[str], Awaitable[None]] | None = None,
        random: Random | None = None,
        first_s: int = FIRST_S,
        steady_s: float = STEADY_S,
    ) -> None:
        """Call nobody yet. `note` is awaited with the request first: what it can't note is not answered."""
        config = home.config
        self._home = home
        self._neighborhood = config.neighborhood
        self._client = HubClient(
            session,
            config.url,
            neighborhood=config.neighborhood,
            hub_key=config.hub_key,
            key=home.key,
            clock=home.clock,
        )
        self._store = store
        self._recorded = recorded
        self._note = note
        self._random = random or SystemRandom()
        self._first_s = first_s
        self._steady_s = steady_s
        self._consented = False
        self._looks: dict[str, tuple[int, int]] = {}  # by request: how often, and when next

    async def async_turn(self, takes_part: bool) -> float | None:
        """Do what is due; return in how many seconds there is more to do, None if nothing is known of.

        Raise HubError, OSError, AskingDamagedError, or what asking the clips raises.
        """
        if not takes_part:
            await self._async_take_no_part()
            return None
        if not self._consented:
            await self._store.async_set_consent(self._neighborhood, True)
            consent = opt_in(self._home.key)
            given: dict[str, Json] = {"key": consent.key, "sig": consent.sig}
            await self._async_call("PUT", "/availability", given)
            self._consented = True
        await self._async_look()
        await self._async_send()
        now_s = self._now_s()
        due = [when_s for _, when_s in self._looks.values()]
        due += [one.send_s for one in await self._async_unsent()]
        return None if not due else float(max(1, min(due) - now_s))

    def _now_s(self) -> int:
        """Return the hub's time, but near to this home's own: a hub must not stretch a month."""
        return self._home.clock.judging_s()

    async def _async_take_no_part(self) -> None:
        self._consented = False
        self._looks.clear()
        if not await self._store.async_consents(self._neighborhood):
            return  # nobody there knows of it: nothing is sent
        await self._store.async_over(*(one.request for one in await self._async_unsent()))
        await self._async_call("DELETE", "/availability")
        await self._store.async_set_consent(self._neighborhood, False)

    async def _async_look(self) -> None:
        """Ask what this home is asked, about each request for a while after its release."""
        asked = {one.request for one in await self._store.async_asked()}
        wanted = {row.id: row for row in await self._home.async_ask(_asking) if row.id not in asked}
        now_s = self._now_s()
        first = {one: (0, now_s + int(self._random.random() * self._first_s)) for one in wanted}
        self._looks = {one: self._looks.get(one, first[one]) for one in wanted}
        if not any(when_s <= now_s for _, when_s in self._looks.values()):
            return
        for one, (count, when_s) in self._looks.items():
            if when_s <= now_s:
                self._looks[one] = (count + 1, now_s + AGAIN_S[min(count, len(AGAIN_S) - 1)])
        found = (await self._client.get("/availability")).json().get("questions")
        if not isinstance(found, list) or len(found) > MAX_QUESTIONS:
            raise HubError("bad_answer", "questions that can't be read")
        for value in found:
            try:
                await self._async_prepare(value, wanted)
            except RecordViolation as error:
                _LOGGER.warning("A question that can't be read was not answered: %s", error)
            except NotAnsweredError as error:
                _LOGGER.info("A question was not answered: %s", error.code)

    async def _async_prepare(self, value: Json, wanted: Mapping[str, RequestRow]) -> None:
        question = await asyncio.to_thread(Question.parse, value, self._neighborhood)
        request = wanted.get(question.request)
        if request is None:
            return  # answered already, or over
        since = await self._home.async_ask(lambda ledger: _since(ledger, question))
        async with self._store.lock:
            now_s = self._now_s()
            check_question(
                question,
                request,
                self._home.key,
                since=since,
                asked=await self._store.async_asked(),
                now_s=now_s,
            )
            send_s = now_s + int(self._random.random() * (question.closes_s - now_s) / 2)
            settled = asyncio.get_running_loop().time() + self._steady_s
            recorded = await self._recorded(question)
            await asyncio.sleep(settled - asyncio.get_running_loop().time())
            share = await asyncio.to_thread(share_of, question, self._home.key, recorded, self._random)
            if self._note is not None:
                await self._note(question.request)
            await self._store.async_add(
                Asked(
                    self._neighborhood,
                    question.request,
                    question.cells,
                    question.hours,
                    now_s,
                    send_s,
                    question.closes_s,
                    f"{share:016x}",
                )
            )
        self._looks.pop(question.request, None)

    async def _async_send(self) -> None:
        now_s = self._now_s()
        for one in await self._async_unsent():
            if now_s < one.send_s:
                continue
            if now_s < one.closes_s:
                try:
                    await self._async_call("POST", f"/availability/{one.request}", {"share": one.share})
                except HubError as error:
                    if not error.for_good:
                        raise
                    _LOGGER.info("The hub didn't take a share: %s", error)
            await self._store.async_over(one.request)

    async def _async_unsent(self) -> list[Asked]:
        return [
            one
            for one in await self._store.async_asked()
            if one.neighborhood == self._neighborhood and one.share is not None
        ]

    async def _async_call(self, method: str, path: str, body: dict[str, Json] | None = None) -> Any:
        return await self._client.call(method, path, b"" if body is None else encode(body))


def _asking(ledger: Ledger) -> list[RequestRow]:
    """Return the open requests that ask and have no answer."""
    state = ledger.state
    if not state.is_founded:
        return []
    return [row for row in state.open_requests() if row.known and row.asks and row.answer is None]


def _since(ledger: Ledger, question: Question) -> dict[str, int]:
    """Return since when those on a roster are members here."""
    found: dict[str, int] = {}
    for one in question.roster:
        subject = ledger.state.subject_of(one.member)
        if subject is not None and subject.kind is Kind.MEMBER and subject.is_active:
            found[one.member] = subject.since_s
    return found
