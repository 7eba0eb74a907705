"""Carries confirmed answers to their agencies: waits, packs, uploads, and asks for receipts.

Each step is on disk before the next one begins, so a kill at any moment leaves an answer that goes on where
it was. Before anything is released it is compared with the neighborhood as it stands then: a closed request
ends it, another key or other terms of the agency take it back to the owner. Where nothing is confirmed,
nothing is called.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
import logging
from pathlib import Path
from random import Random
import sqlite3
import threading
import time
from typing import Final

import aiohttp

from ..neighborhood.hub_client import HubError
from ..neighborhood.keys import PrivateKey
from . import answer_states as states
from .answer_states import Answer, AnswerError, State, WrongStateError
from .answers import AnswerStore
from .mailbox import HubAccess, Mailbox, Parcel
from .package import PackageError, PackagePlan, Sealed
from .packing import pack, plan_package
from .sending_rules import FAILS, WAITS, disk_problem, poll_s, wrong_receipt
from .standing import Next, Standing, decide

_LOGGER = logging.getLogger(__name__)

RETRY_S: Final = 30.0
MAX_RETRY_S: Final = 3600.0
JITTER: Final = 0.2  # so that homes that lost the hub together don't come back together
NOTED_BYTES: Final = (
    16 * 1024 * 1024
)  # of an upload: how far it is matters to people, the hub knows it anyway
KEEP_OWN_S: Final = 90 * 86_400  # the home's own encrypted copy
IDLE_S: Final = 3600.0
type Access = Callable[[str], HubAccess | None]
type Look = Callable[[str, str], Awaitable[Standing | None]]


class Sender:
    """Owned by the event loop. Disks and encryption are waited for in threads."""

    def __init__(
        self,
        store: AnswerStore,
        access: Access,
        look: Look,
        session: aiohttp.ClientSession,
        *,
        listener: Callable[[Answer], None],
        own_recipient: str,
        software: str,
        now: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        """`access` and `look` give None while a neighborhood is not there. Nothing is done before `start`."""
        self._store, self._access, self._look, self._session = store, access, look, session
        self._listener, self._own_recipient, self._software = listener, own_recipient, software
        self._now, self._random = now, random or Random()
        self._due: dict[str, float] = {}  # when an answer is looked at again
        self._tries: dict[str, int] = {}
        self._refused: set[str] = set()  # signatures of receipts that were not taken
        self._running: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._loop_task = asyncio.create_task(self._async_run(), name="ringwatch footage sender")

    async def async_stop(self) -> None:
        """End; what is under way goes on at the next start."""
        if self._loop_task is not None:
            self._loop_task.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop_task
            self._loop_task = None

    def wake(self, answer_id: str | None = None) -> None:
        """Look now: something was confirmed, a hub is back."""
        if answer_id is None:
            self._due.clear()
        else:
            self._due.pop(answer_id, None)
        self._wake.set()

    async def async_withdraw(self, answer_id: str, by: str) -> Answer:
        """End an answer, as long as the agency can't have it. Raise AnswerError: hub_away, wrong_state."""
        self._due[answer_id] = self._now() + RETRY_S  # the loop leaves it alone meanwhile
        if (task := self._running.get(answer_id)) is not None:
            task.cancel()
            await asyncio.wait([task])
        answer = await self._async_get(answer_id)
        if answer.state is State.SENDING and answer.delivery is not None:
            await self._async_take_back(answer)
        return self._tell(await self._async_do(lambda: self._store.withdraw(answer_id, by)))

    async def async_tick(self) -> float:
        """Do what is due. Return the seconds until something is due again."""
        answers = await asyncio.to_thread(self._store.all)
        now_s = self._now()
        for answer in answers:
            if self._due_s(answer) <= now_s:
                self._running[answer.id] = asyncio.create_task(self._async_handle(answer))
        if self._running:
            tasks = list(self._running.values())
            try:
                await asyncio.wait(tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self._running.clear()
            for task in tasks:
                if not task.cancelled():
                    task.result()
            answers = await asyncio.to_thread(self._store.all)
        waits = [self._due_s(answer) - self._now() for answer in answers]
        return max(0.0, min([IDLE_S, *waits]))

    async def _async_run(self) -> None:
        while True:
            self._wake.clear()
            try:
                wait_s = await self.async_tick()
            except OSError, sqlite3.Error:  # the answers can't be read: the next try says so, or goes on
                _LOGGER.warning("Answers to footage requests can't be read; trying again", exc_info=True)
                wait_s = RETRY_S
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    def _due_s(self, answer: Answer) -> float:
        """Return when an answer is to be looked at; never, for most."""
        due_s = self._due.get(answer.id, 0.0)
        match answer.state:
            case State.CONFIRMED:
                return max(due_s, float(answer.release_s or 0))
            case State.SENDING:
                return due_s
            case State.SENT | State.RECEIVED if poll_s(answer, self._now()) is not None:
                return due_s
        return float("inf")

    async def _async_handle(self, answer: Answer) -> None:
        problem, retry_s = None, None
        try:
            await self._async_do(self._store.flush_log)  # nothing goes on that isn't in the log
            if answer.state is State.CONFIRMED:
                problem = await self._async_release(answer)
            elif answer.state is State.SENDING:
                problem = await self._async_carry(answer)
            else:
                await self._async_ask(answer)
        except HubError as error:
            problem, retry_s = await self._async_refused(answer, error), error.retry_after_s
        except PackageError as error:
            code = f"package_{error.code}"
            self._tell(await self._async_do(lambda: self._store.fail(answer.id, code)))
        except AnswerError:
            pass  # a person was faster
        except (OSError, sqlite3.Error) as error:
            problem = disk_problem(error)
        await self._async_later(answer.id, problem, retry_s)

    # ---- from confirmed to sent --------------------------------------------------------------------

    async def _async_release(self, answer: Answer) -> str | None:
        if (problem := await self._async_check(answer, await self._async_look(answer))) is not None:
            return problem or None
        seed = PrivateKey.generate().seed
        released = await self._async_do(lambda: self._store.release(answer.id, seed))
        return await self._async_carry(self._tell(released))

    async def _async_carry(self, answer: Answer) -> str | None:
        if await self._async_is_there(answer):
            return None
        standing = await self._async_look(answer)
        if (problem := await self._async_check(answer, standing)) is not None or standing is None:
            return problem or None
        access, seed = self._access(answer.neighborhood), answer.delivery_seed
        if access is None or seed is None:
            return "neighborhood_away"
        key = PrivateKey(seed)
        mailbox = Mailbox(self._session, answer.neighborhood, access, key)
        parcel = await self._async_parcel(answer, standing, access, key)
        delivery = await mailbox.async_announce(parcel)
        await self._async_do(
            lambda: self._store.change(answer.id, lambda one: states.announced(one, delivery))
        )

        async def progress(offset: int) -> None:
            await self._async_progress(answer.id, offset, parcel.size_bytes)

        arrival = await mailbox.async_deliver(parcel, delivery, progress)
        self._tell(await self._async_do(lambda: self._store.arrived(answer.id, arrival)))
        return None

    async def _async_is_there(self, answer: Answer) -> bool:
        """Ask whether the hub handed it over before this home heard of it. Raise HubError."""
        mailbox = self._mailbox(answer)
        if mailbox is None or answer.delivery is None or answer.uploaded_bytes != answer.size_bytes:
            return False
        arrival = await mailbox.async_arrival(self._parcel(answer), answer.delivery)
        if arrival is not None:
            self._tell(await self._async_do(lambda: self._store.arrived(answer.id, arrival)))
        return arrival is not None

    async def _async_check(self, answer: Answer, standing: Standing | None) -> str | None:
        """Return None if it may go; else why it waits, or "" if it is over with it."""
        found, why = decide(answer, standing)
        match found:
            case Next.GO:
                return None
            case Next.WAIT:
                return why
            case Next.STALE | Next.FAIL:
                await self._async_end(answer, found, why)
        return ""

    async def _async_end(self, answer: Answer, found: Next, why: str) -> None:
        if answer.delivery is not None:
            with suppress(HubError, AnswerError):
                await self._async_take_back(answer)
                answer = await self._async_get(answer.id)
        end = self._store.stale if found is Next.STALE else self._store.fail
        self._tell(await self._async_do(lambda: end(answer.id, why)))

    async def _async_parcel(
        self, answer: Answer, standing: Standing, access: HubAccess, key: PrivateKey
    ) -> Parcel:
        """Return the sealed package; make it if there is none yet."""
        file = self._store.sealed_file(answer)
        size = await asyncio.to_thread(_size, file)
        if answer.sha256 is None or size is None or size != answer.size_bytes:
            plan = plan_package(
                answer,
                standing,
                folder=self._store.preview_folder(answer),
                delivery=key,
                member=access.key,
                own_recipient=self._own_recipient,
                software=self._software,
            )
            sealed = await self._async_pack(plan, file)
            answer = await self._async_do(
                lambda: self._store.change(
                    answer.id, lambda one: states.packed(one, sealed.sha256, sealed.size_bytes)
                )
            )
        return self._parcel(answer)

    def _parcel(self, answer: Answer) -> Parcel:
        file = self._store.sealed_file(answer)
        return Parcel(answer.request, answer.sha256 or "", answer.size_bytes or 0, file)

    def _mailbox(self, answer: Answer) -> Mailbox | None:
        access, seed = self._access(answer.neighborhood), answer.delivery_seed
        if access is None or seed is None:
            return None
        return Mailbox(self._session, answer.neighborhood, access, PrivateKey(seed))

    async def _async_pack(self, plan: PackagePlan, file: Path) -> Sealed:
        stopped, part = threading.Event(), file.with_suffix(".part")
        try:
            sealed = await asyncio.to_thread(pack, plan, part, stopped)
            part.replace(file)
        finally:
            stopped.set()
            part.unlink(missing_ok=True)
        return sealed

    async def _async_progress(self, answer_id: str, offset: int, size: int) -> None:
        answer = await self._async_get(answer_id)
        noted = answer.uploaded_bytes
        if offset == size or not 0 <= offset - noted < NOTED_BYTES:
            answer = await self._async_do(
                lambda: self._store.change(answer_id, lambda one: states.uploaded(one, offset))
            )
        self._tell(replace(answer, uploaded_bytes=offset))

    async def _async_take_back(self, answer: Answer) -> None:
        """Have the hub forget what the agency doesn't have yet. Raise AnswerError if it may have it."""
        mailbox = self._mailbox(answer)
        complete = answer.uploaded_bytes == answer.size_bytes  # then handing it over was tried, perhaps
        if mailbox is None or answer.delivery is None:
            if complete:
                raise AnswerError("hub_away", "whether the agency has it, only the hub knows")
            return
        try:
            await mailbox.async_drop(answer.delivery)
        except HubError as error:
            if error.violation == "delivery_sent":
                self.wake(answer.id)
                raise WrongStateError("wrong_state", "the agency may have it already") from error
            if error.violation != "not_found" and complete:
                raise AnswerError("hub_away", "whether the agency has it, only the hub knows") from error

    # ---- receipts ----------------------------------------------------------------------------------

    async def _async_ask(self, answer: Answer) -> None:
        mailbox, standing = self._mailbox(answer), await self._async_look(answer)
        await self._async_forget_copy(answer)
        if mailbox is None or standing is None or answer.delivery is None:
            return
        for receipt in await mailbox.async_receipts(answer.delivery):
            if receipt in answer.receipts or receipt.sig in self._refused:
                continue
            if (code := wrong_receipt(receipt, answer, standing)) is not None:
                self._refused.add(receipt.sig)
                note = self._store.note
                await self._async_do(lambda: note("receipt_refused", answer=answer.id, code=code))  # noqa: B023
                continue
            answer = await self._async_do(lambda: self._store.receipted(answer.id, receipt))  # noqa: B023
            self._tell(answer)

    async def _async_forget_copy(self, answer: Answer) -> None:
        if answer.arrival is not None and self._now() > answer.arrival.time_s + KEEP_OWN_S:
            await asyncio.to_thread(self._store.own_copy(answer).unlink, missing_ok=True)

    # ---- what goes wrong ---------------------------------------------------------------------------

    async def _async_refused(self, answer: Answer, error: HubError) -> str | None:
        """Return why it waits; None if it is over with it."""
        if error.code in WAITS:
            return WAITS[error.code]
        if not error.for_good:
            return "hub_away"
        if answer.state in {State.SENT, State.RECEIVED}:
            return None  # the hub has forgotten it: there will be no more receipts
        now = await self._async_get(answer.id)
        violation = error.violation or ""
        if violation == "agency_on_hold":
            return "agency_on_hold"
        if violation == "agency_changed":
            await self._async_end(now, Next.STALE, "agency_changed")
        elif violation in {"duplicate_delivery", "wrong_bytes"} or (
            violation == "not_found" and now.delivery is not None
        ):
            await self._async_do(lambda: self._store.change(answer.id, states.unpacked))
            return "hub_away"  # packed anew in a while: the hub no longer takes this ciphertext
        else:
            await self._async_end(now, Next.FAIL, FAILS.get(violation, "hub_refused"))
        return None

    async def _async_later(self, answer_id: str, problem: str | None, retry_s: float | None) -> None:
        """Say why an answer waits, and when it is looked at again."""
        answer = await asyncio.to_thread(self._store.get, answer_id)
        if answer is None:
            return
        if answer.problem != problem and not answer.is_over:
            with suppress(OSError, sqlite3.Error):  # it is said again the next time
                await self._async_do(
                    lambda: self._store.change(answer_id, lambda one: states.waiting(one, problem))
                )
            self._tell(replace(answer, problem=problem))
        tries = self._tries[answer_id] = self._tries.get(answer_id, -1) + 1 if problem else -1
        wait_s = poll_s(answer, self._now()) or 0.0
        if problem:
            wait_s = max(min(RETRY_S * 2**tries, MAX_RETRY_S), float(retry_s or 0))
        self._due[answer_id] = self._now() + wait_s * self._random.uniform(1 - JITTER, 1 + JITTER)

    # ---- small things ------------------------------------------------------------------------------

    async def _async_look(self, answer: Answer) -> Standing | None:
        return await self._look(answer.neighborhood, answer.request)

    async def _async_get(self, answer_id: str) -> Answer:
        answer = await asyncio.to_thread(self._store.get, answer_id)
        if answer is None:
            raise WrongStateError("wrong_state", "an answer that was forgotten")
        return answer

    async def _async_do[T](self, step: Callable[[], T]) -> T:
        """Make a step in a thread, to its end even if this task is cancelled meanwhile."""
        task = asyncio.create_task(asyncio.to_thread(step))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    def _tell(self, answer: Answer) -> Answer:
        self._listener(answer)
        return answer


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.exists() else None
