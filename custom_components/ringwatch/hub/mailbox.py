"""Mailboxes: packages on their way from a home to an agency, ciphertext only.

A member announces a package; from then on everything about it is signed with a key that was made for it
alone. How much a member has announced is counted in memory and nowhere else, so nothing that this hub keeps
joins a member and a package. Each step is on the disk before it is acknowledged, and may be repeated.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from ..neighborhood.canonical import Json
from ..neighborhood.delivery import Arrival, Receipt, sign_arrival
from ..neighborhood.limits import DAY_S
from ..neighborhood.rows import Subject
from ..neighborhood.rows_requests import AgencyRow
from ..neighborhood.state import RequestStatus, State, request_status
from . import mailbox_table as rows, notices, partnership
from .blobs import PART_BYTES
from .callers import Caller
from .errors import Refusal, bad_request, busy, not_found, quota_exceeded, storage_full
from .hood import Hood
from .mailbox_files import MailboxFiles
from .mailbox_table import Announced, Delivery
from .table import state_of
from .writer import MAX_PENDING, is_full

LATE_S: Final = DAY_S  # after a request has ended: who confirmed in its last hour still delivers
PER_REQUEST: Final = 3  # packages of one member
PER_DAY: Final = 10  # packages of one member: three requests, and a mistake
BYTES_PER_DAY: Final = 2 * 1024**3  # of one member: four packages of the largest kind
COUNTED_DAYS: Final = 16  # longer than a request can be open: 7 days, 7 more, and a day after
HASHING: Final = 2  # packages that are looked at at the same time: half a gigabyte takes seconds


class Announcements:
    """How much members have announced of late. In memory only: it must not outlive the process."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, int], tuple[int, int]] = {}
        self._requests: dict[tuple[str, str], tuple[int, int]] = {}

    def count(self, member: str, announced: Announced, now_s: int) -> None:
        """Count a package. Raise Refusal."""
        day = now_s // DAY_S
        count, size = self._days.get((member, day), (0, 0))
        for_request, _ = self._requests.get((member, announced.request), (0, 0))
        if for_request >= PER_REQUEST:
            raise quota_exceeded("packages for one request", DAY_S)
        if count >= PER_DAY or size + announced.size_bytes > BYTES_PER_DAY:
            raise quota_exceeded("packages a day", DAY_S - now_s % DAY_S)
        self._days[member, day] = (count + 1, size + announced.size_bytes)
        self._requests[member, announced.request] = (for_request + 1, day)

    def take_back(self, member: str, announced: Announced, now_s: int) -> None:
        """Uncount a package that was not taken, or was known already."""
        day = now_s // DAY_S
        count, size = self._days.get((member, day), (0, 0))
        if count:
            self._days[member, day] = (count - 1, size - announced.size_bytes)
        for_request, since = self._requests.get((member, announced.request), (0, 0))
        if for_request:
            self._requests[member, announced.request] = (for_request - 1, since)

    def forget(self, now_s: int) -> None:
        """Forget what no longer counts."""
        day = now_s // DAY_S
        self._days = {key: value for key, value in self._days.items() if key[1] == day}
        self._requests = {
            key: value for key, value in self._requests.items() if value[1] > day - COUNTED_DAYS and value[0]
        }


class Mailbox:
    """The mailboxes of one neighborhood's agencies."""

    def __init__(
        self, hood: Hood, *, limit_bytes: Callable[[], int], keep_free_bytes: Callable[[], int]
    ) -> None:
        self._hood = hood
        self._limit_bytes = limit_bytes
        self._keep_free_bytes = keep_free_bytes
        self._files = MailboxFiles(hood.folder)
        self._announcements = Announcements()
        self._busy: set[str] = set()
        self._arriving: dict[str, asyncio.Task[Arrival]] = {}
        self._hashing = asyncio.Semaphore(HASHING)
        self._is_swept = False

    # ---- the home ---------------------------------------------------------------------------------

    async def begin(self, announced: Announced, member: Subject) -> tuple[Delivery, bool]:
        """Announce a package; return it, and whether it is new. Raise Refusal."""
        now_s = self._hood.now_s()
        if self._hood.writer.pending >= MAX_PENDING:
            raise busy()
        known = await self._hood.read(lambda db: rows.known(db, announced))
        if known:  # the answer to the first time got lost
            return known, False
        await self._ask_for_space(announced.size_bytes)
        self._announcements.count(member.id, announced, now_s)

        def job(db: Any) -> tuple[Delivery, bool]:
            state = state_of(db)
            if state.author(announced.key) is not None or announced.key == self._hood.hub.public:
                raise Refusal(422, "bad_field", "body.key: a key that is known here would say who sends it")
            agency = receiver(state, announced.request, now_s)
            return rows.begin(
                db,
                announced,
                agency=agency.root,
                agency_key=_key_of(state, agency),
                limit_bytes=self._limit_bytes(),
                now_s=now_s,
            )

        try:
            delivery, is_new = await self._hood.writer.do(job)
        except Refusal:
            self._announcements.take_back(member.id, announced, now_s)
            raise
        if not is_new:
            self._announcements.take_back(member.id, announced, now_s)
        return delivery, is_new

    async def caller(self, key: str, delivery: str) -> Caller:
        """Return whose key a package's is: nobody's whom the hub knows. Raise Refusal."""
        found = await self._hood.read(lambda db: rows.find(db, delivery))
        if found is None or found.key != key:
            raise not_found()
        return Caller(key, None)

    async def state(self, delivery: str) -> Delivery:
        """Return how far a package is."""
        found = await self._hood.read(lambda db: rows.find(db, delivery))
        if found is None:
            raise not_found()
        return found

    async def part(self, delivery: str, offset: int, data: bytes) -> int:
        """Take a part; return how much is there now. Raise Refusal."""
        if delivery in self._busy:
            raise _moved(offset)
        self._busy.add(delivery)
        try:
            found = await self.state(delivery)
            if len(data) != min(PART_BYTES, found.size_bytes - offset) or offset % PART_BYTES:
                raise bad_request("a part is as long as `part_bytes`, the last one as long as the rest")
            if offset != found.offset:
                raise _moved(found.offset)  # a part whose answer got lost is there already
            await self._hood.read(lambda db: rows.ask_for_space(db, len(data), self._limit_bytes()))
            await self._ask_for_space(len(data))
            await self._in_thread(self._files.write, delivery, offset, data)
            now_s = self._hood.now_s()
            return await self._hood.writer.do(lambda db: rows.advance(db, delivery, offset, len(data), now_s))
        finally:
            self._busy.discard(delivery)

    async def commit(self, delivery: str) -> Arrival:
        """Look at a package that is there, whole, and say since when. Raise Refusal."""
        task = self._arriving.get(delivery)
        if task is None:
            task = self._arriving[delivery] = asyncio.create_task(self._arrive(delivery))
            task.add_done_callback(lambda _: self._arriving.pop(delivery, None))
        return await asyncio.shield(task)

    async def drop(self, delivery: str) -> None:
        """Forget a package that the agency has not been given. Raise Refusal."""
        if delivery in self._busy or delivery in self._arriving:
            raise busy()
        self._busy.add(delivery)
        try:
            if not await self._hood.writer.do(lambda db: rows.drop(db, delivery)):
                raise Refusal(409, "delivery_sent", "the agency may have it already")
            await self._in_thread(self._files.delete, delivery)
        finally:
            self._busy.discard(delivery)

    async def receipts(self, delivery: str) -> list[Json]:
        """Return what officers have said of a package."""
        return await self._hood.read(lambda db: rows.receipts(db, delivery))

    # ---- the agency -------------------------------------------------------------------------------

    async def list(self, viewer: Subject, cursor: int | None) -> list[Delivery]:
        """Return an agency's packages, the newest first. Raise Refusal: others have no mailbox."""

        def ask(db: Any) -> list[Delivery]:
            return rows.page(db, self._root(state_of(db), viewer), cursor)

        return await self._hood.read(ask)

    async def opened(self, viewer: Subject, delivery: str) -> tuple[Delivery, Any]:
        """Return a package that the agency may fetch, and its file. Raise Refusal."""
        found = await self._hood.read(lambda db: self._of_agency(db, viewer, delivery))
        if found.state != rows.SENT:
            raise not_found()
        return found, self._files.path(delivery)

    async def add_receipt(self, viewer: Subject, receipt: Receipt) -> bool:
        """Take an officer's receipt; return whether it is new. Raise Refusal."""

        def job(db: Any) -> tuple[bool, bool]:
            found = self._of_agency(db, viewer, receipt.delivery)
            if (receipt.request, receipt.sha256) != (found.request, found.sha256):
                raise Refusal(422, "bad_field", "the receipt is about another package")
            return rows.add_receipt(db, receipt)

        is_new, is_done = await self._hood.writer.do(job)
        if is_done:
            await self._in_thread(self._files.delete, receipt.delivery)
        return is_new

    # ---- time -------------------------------------------------------------------------------------

    async def forget(self) -> None:
        """Delete what is due, here and beside, and once after a start what a kill left behind."""
        now_s = self._hood.now_s()
        self._announcements.forget(now_s)

        def job(db: Any) -> list[str]:
            partnership.forget(db, now_s)
            notices.forget(db, now_s)
            return rows.forget(db, now_s)

        for delivery in await self._hood.writer.do(job):
            await self._in_thread(self._files.delete, delivery)
        if not self._is_swept:
            await self._hood.writer.aside(lambda db: self._files.sweep(lambda one: rows.has_file(db, one)))
            self._is_swept = True

    async def close(self) -> None:
        """Finish what is being looked at."""
        if self._arriving:
            await asyncio.wait(list(self._arriving.values()))

    # ---- inside -----------------------------------------------------------------------------------

    async def _arrive(self, delivery: str) -> Arrival:
        if delivery in self._busy:
            raise busy()
        self._busy.add(delivery)
        try:
            found = await self.state(delivery)
            if found.arrival is not None:
                return found.arrival
            if not found.is_complete:
                raise _moved(found.offset)
            async with self._hashing:
                await self._look(found)
            now_s = self._hood.now_s()
            return await self._hood.writer.do(lambda db: self._write_arrival(db, found, now_s))
        finally:
            self._busy.discard(delivery)

    async def _look(self, found: Delivery) -> None:
        """Compare a file with what was announced. Raise Refusal."""
        try:
            sha256, is_age = await self._in_thread(self._files.look, found.id)
        except FileNotFoundError:
            sha256, is_age = "", True  # a backup has the row and not the file: all parts again
        if sha256 != found.sha256:
            await self._hood.writer.do(lambda db: rows.begin_anew(db, found.id))
            raise Refusal(422, "wrong_bytes", "other bytes than announced: send all of them again")
        if not is_age:
            await self._hood.writer.do(lambda db: rows.drop(db, found.id))
            await self._in_thread(self._files.delete, found.id)
            raise Refusal(422, "not_encrypted", "not a file that is encrypted for an agency")

    def _write_arrival(self, db: Any, found: Delivery, now_s: int) -> Arrival:
        state = state_of(db)
        agency = receiver(state, found.request, now_s)
        if _key_of(state, agency) != found.agency_key:
            raise Refusal(409, "agency_changed", "the agency has another key now: look and confirm again")
        arrival = sign_arrival(
            self._hood.hub,
            delivery=found.id,
            request=found.request,
            sha256=found.sha256,
            size_bytes=found.size_bytes,
            time_s=now_s,
        )
        rows.arrive(db, arrival)
        return arrival

    def _root(self, state: State, viewer: Subject) -> str:
        root = state.root_of(viewer)
        if root is None:
            raise not_found()
        return root

    def _of_agency(self, db: Any, viewer: Subject, delivery: str) -> Delivery:
        found = rows.find(db, delivery)
        if found is None or found.arrival is None or found.agency != self._root(state_of(db), viewer):
            raise not_found()
        return found

    async def _ask_for_space(self, more: int) -> None:
        free = await asyncio.to_thread(self._files.free_bytes)
        if free - more < self._keep_free_bytes():
            raise storage_full()

    async def _in_thread[*Args, T](self, do: Callable[[*Args], T], *args: *Args) -> T:
        try:
            return await asyncio.to_thread(do, *args)
        except OSError as error:
            if is_full(error):
                raise storage_full() from error
            raise


def receiver(state: State, request_id: str, now_s: int) -> AgencyRow:
    """Return which agency a package for a request goes to. Raise Refusal."""
    request = state.request(request_id)
    if request is None or request.released_s is None:
        raise not_found()
    agency = state.agency_now(request.agency)
    subject = state.subject(agency.id) if agency else None
    if agency is None or subject is None or not subject.is_active:
        raise Refusal(409, "agency_gone", "the agency is not enrolled now")
    if agency.hold_until_s is not None and now_s < agency.hold_until_s:
        raise Refusal(
            409, "agency_on_hold", "the agency's key has changed lately", more={"until": agency.hold_until_s}
        )
    status = request_status(state, request)
    is_late = (
        status in {RequestStatus.CLOSED, RequestStatus.EXPIRED}
        and request.closed_s is not None
        and now_s < request.closed_s + LATE_S
    )
    if status is not RequestStatus.OPEN and not is_late:
        raise Refusal(409, "not_open", "the request is not open")
    return agency


def _key_of(state: State, agency: AgencyRow) -> str:
    """Return for which key of an agency packages are made: signing and reading one together."""
    subject = state.subject(agency.id)
    return f"{subject.key if subject else ''} {agency.age_recipient}"


def _moved(offset: int) -> Refusal:
    return Refusal(409, "offset_moved", "the package is somewhere else", more={"offset": offset})
