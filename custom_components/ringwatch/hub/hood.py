"""One neighborhood on this hub: its database, its files, its newest head, and who waits for the next one."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
import shutil
import sqlite3
import threading
import time
from typing import Any, Final

from ..neighborhood.apply import advance, apply
from ..neighborhood.bodies import Founding
from ..neighborhood.changes import Change, ChangeKind
from ..neighborhood.envelope import Record
from ..neighborhood.keys import PrivateKey
from ..neighborhood.order import Checkpoint, Entry, Position, next_entry, sign_checkpoint
from ..neighborhood.rows import Kind
from ..neighborhood.segments import SEGMENT_RECORDS, pack_segment
from ..neighborhood.signed_calls import WINDOW_S
from ..neighborhood.sqlite_store import SqliteHistory
from ..neighborhood.state import may_have_body, numbered
from . import blobs, table
from .blob_files import BlobFiles
from .blobs import Quotas
from .callers import Caller, KnownKeys, look_up
from .clock import ClockGuard, running_s
from .errors import Refusal, busy, forbidden
from .log import Log
from .restoring import restore
from .schema import open_database, open_reader
from .segment_files import SegmentFiles
from .waiting import Waiters
from .writer import MAX_PENDING, Writer

READERS: Final = 3
TAIL_RECORDS: Final = 500  # in one answer
TAIL_REACH: Final = 2 * SEGMENT_RECORDS  # further back there are segments
MAX_TAILS: Final = 64  # kept packed, by where they begin
MAX_TAIL_BYTES: Final = 8 * 1024 * 1024  # that those take together: 500 long posts are 5 MB alone
MAX_READS: Final = 1_500  # waiting for a reader: all who waited come back at once after a restart
CLOCK_S: Final = 60  # when to send again what the hub can't sign, as its clock isn't believed
DUE_AT_ONCE: Final = 200  # things that end in one transaction
_PEOPLE: Final = frozenset({
    ChangeKind.MEMBER, ChangeKind.ROLE, ChangeKind.AGENCY, ChangeKind.OFFICER, ChangeKind.FOUNDING,
})  # fmt: skip
_SEEN: Final = frozenset({
    ChangeKind.POST, ChangeKind.ALERT, ChangeKind.COMMENT, ChangeKind.HIDDEN, ChangeKind.SHOWN,
    ChangeKind.DETAILS, ChangeKind.REQUEST, ChangeKind.RELEASED, ChangeKind.CLOSED,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest records after a number: gzip of JSON lines, and where they end."""

    number: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class _Written:
    entry: Entry
    is_new: bool
    changes: tuple[Change, ...] = ()
    unlink: tuple[str, ...] = ()


class Hood:
    """Everything of one neighborhood. `open` blocks; the rest belongs to the loop."""

    def __init__(
        self,
        folder: Path,
        neighborhood: str,
        hub: PrivateKey,
        log: Log,
        clock: Callable[[], float] = time.time,
        *,
        running: Callable[[], float] = running_s,
    ) -> None:
        self.id = neighborhood
        self.hub = hub
        self.folder = folder
        self.known = KnownKeys()
        self.waiters = Waiters()
        self.position = Position()
        self.accepted = 0
        self._log = log
        self._clock = clock
        self._running = running
        self.guard = ClockGuard(0, clock, running)
        self._tails: OrderedDict[tuple[int, int, int], asyncio.Task[Tail]] = OrderedDict()
        self._forms = 0  # how often a body went or came back, since the start
        self._checkpoint: Checkpoint | None = None
        self._signed_s = 0  # the newest time that homes were given: no entry may be dated before it
        self._reading = 0
        self._needs_truncate = False
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._threads = ThreadPoolExecutor(READERS, "hub-reader")

    def open(self) -> None:
        """Open the database and clean up after a kill. Blocking. Raise DatabaseError, OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.files = BlobFiles(self.folder)
        self.segments = SegmentFiles(self.folder)
        db = open_database(self.folder / "hub.db")
        state = table.state_of(db)
        self.position = state.position
        self.guard = ClockGuard(state.position.time_s, self._clock, self._running)
        for subject in state.subjects(Kind.MEMBER):  # or all of a town is looked up in its first minute
            if subject.is_active:
                self.known.add(Caller(subject.key, subject), 0)
        self.files.sweep(
            lambda sha256: blobs.is_wanted(db, sha256),
            lambda sha256, owner: blobs.find(db, sha256, owner) is not None,
        )
        self.segments.sweep(db)
        self.writer = Writer(db, self._log)

    async def close(self) -> None:
        """End; what was taken on is finished."""
        self.waiters.end()
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()
        await self.writer.close()

    def now_s(self) -> int:
        """Return the hub's time: never behind what was signed, and not that of a clock that has jumped."""
        signed_s = max(self.position.time_s, self._signed_s)
        was_held = self.guard.is_held
        now_s = int(self.guard.now_s())
        if self.guard.is_held != was_held:
            self._tell_clock(now_s - signed_s)
        return signed_s if self.guard.is_held else max(now_s, signed_s)

    def call_time_s(self, claimed: str, *, reads: bool) -> int:
        """Return what time to compare a call's with.

        With a clock that isn't believed nobody's is known to be wrong, as long as it is between the last time
        that was signed and the clock's. Then calls that read are let in: their times may settle it. Raise
        Refusal for others, unless they go by the same clock.
        """
        now_s = self.now_s()
        if not self.guard.is_held or not claimed.isascii() or not claimed.isdigit() or len(claimed) > 15:
            return now_s
        claimed_s, clock_s = int(claimed), int(self.guard.now_s())
        if reads:
            return claimed_s if now_s <= claimed_s <= clock_s + WINDOW_S else now_s
        if not self.guard.agrees(claimed_s):
            raise self._waits_for_clock()
        return clock_s

    def _waits_for_clock(self) -> Refusal:
        return Refusal(503, "clock", "the hub waits for its clock", retry_after_s=CLOCK_S)

    async def hear(self, caller: Caller, time_s: int) -> None:
        """Hear what time it is elsewhere. The host's home is on this machine, or beside it: it can't tell."""
        if self.guard.is_held and caller.subject is not None and not caller.is_host:
            others = await self.read(lambda db: table.state_of(db).count("members")) - 1
            self.guard.hear(caller.id, time_s, others)
            self.now_s()

    def _tell_clock(self, ahead_s: int) -> None:
        if self.guard.is_held:
            about = "the clock is further ahead than this machine has run: nothing is signed or erased until"
            self._log.warning("clock", about=f"{about} it is confirmed", ahead_s=ahead_s)
        else:
            self._log.info("clock", about="the clock is believed again", ahead_s=ahead_s)

    # ---- reading ----------------------------------------------------------------------------------

    async def read[T](self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Ask the database in a thread, in one snapshot. Raise Refusal."""
        if self._reading >= MAX_READS:
            raise busy()
        self._reading += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, question)
        finally:
            self._reading -= 1

    async def caller(self, key: str, invite: str | None) -> Caller:
        """Return whose key it is. Raise Refusal."""
        now = self._clock()
        found = self.known.get(key, now)
        if found is None:
            changes = self.known.changes
            found = await self.read(lambda db: look_up(db, key, invite, self.now_s()))
            if found.subject is not None and changes == self.known.changes:
                self.known.add(found, now)
        return found

    async def tail(self, after: int) -> Tail:
        """Return what is new after a number. The same answer is packed once for all who ask."""
        until = self.position.number  # not what was written since: the checkpoint beside it must not be older
        key = (after, until, self._forms)
        task = self._tails.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.create_task(self.read(lambda db: self._pack_tail(db, after, until)))
            self._tails[key] = task
            while len(self._tails) > 1 and (
                len(self._tails) > MAX_TAILS or self._tail_bytes() > MAX_TAIL_BYTES
            ):
                self._tails.popitem(last=False)
        return await asyncio.shield(task)

    def _tail_bytes(self) -> int:
        done = (task for task in self._tails.values() if task.done() and not task.cancelled())
        return sum(len(task.result().packed) for task in done if task.exception() is None)

    def checkpoint(self) -> Checkpoint:
        """Return the newest head, signed with the present time (once a second)."""
        now_s, at = self.now_s(), self.position
        found = self._checkpoint
        if found is None or found.number != at.number or found.time_s != now_s:
            found = sign_checkpoint(self.hub, self.id, at.number, at.head or "", now_s)
            self._checkpoint, self._signed_s = found, now_s
        return found

    # ---- writing ----------------------------------------------------------------------------------

    async def post(self, record: Record) -> tuple[Entry, bool]:
        """Give a record its place, if the rules allow it; return it, and whether it is new. Raise Refusal."""
        self.now_s()
        if self.guard.is_held:
            raise self._waits_for_clock()
        if self.writer.pending >= MAX_PENDING:
            raise busy()
        written = await self.writer.do(lambda db: self._post(db, record))
        self._take_over(written.changes, written.unlink)
        if written.is_new:
            self.accepted += 1
            if written.entry.number > self.position.number:
                self.position = written.entry.position
                self.waiters.ring()
        return written.entry, written.is_new

    async def restore(self, data: bytes) -> Position:
        """Take back a part of the order that was lost with an older backup; return where that leads.

        Raise Refusal: for what isn't this hub's own order, or doesn't follow what is here.
        """
        now_s = int(self.guard.now_s())
        found = await self.writer.do(
            lambda db: restore(db, self.id, self.hub, data, now_s=now_s, follow=follow)
        )
        self._take_over(found.changes, found.unlink)
        self.position = found.position
        self.guard = ClockGuard(found.position.time_s, self._clock, self._running)
        self._log.warning("restored", number=found.position.number)
        self.waiters.ring()
        return found.position

    async def pass_time(self) -> None:
        """Let end what is due: posts, clips, uploads that came to nothing."""
        while True:
            until_s = await self.read(lambda db: due_s(db, self.now_s()))
            if until_s is None:
                break
            changes, unlink = await self.writer.do(partial(self._advance, until_s))
            self._take_over(changes, unlink)
        if self._needs_truncate:
            await self.read(self.segments.sweep)
            # What was erased is overwritten in the database; the log of changes still has it, until it
            # begins anew.
            busy_, *_ = await self.writer.aside(
                lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            )
            self._needs_truncate = bool(busy_)

    async def keep_time(self) -> None:
        """Have the newest time that was signed on the disk, in case that the clock is set back meanwhile."""
        signed_s = self._signed_s
        if signed_s > self.position.time_s:
            changes, unlink = await self.writer.do(partial(self._advance, signed_s))
            self.position = replace(self.position, time_s=max(signed_s, self.position.time_s))
            self._take_over(changes, unlink)

    async def forget_uploads(self) -> None:
        """Delete what no record names after a day, and files that nobody knows."""
        now_s = self.now_s()
        gone = await self.writer.do(lambda db: blobs.forgotten(db, now_s))
        for sha256, owner in gone:
            await asyncio.to_thread(self.files.delete_part, sha256, owner)
        await self.delete_unwanted([sha256 for sha256, _ in gone])
        await self.read(self.segments.sweep)

    async def delete_unwanted(self, digests: list[str]) -> None:
        """Delete files that nobody names. In the writer's thread: nobody begins to want them meanwhile."""
        if digests:
            await self.writer.aside(lambda db: self._unlink(db, digests))

    async def quotas(self) -> Quotas:
        """Return what holds."""
        return await self.read(quotas_of)

    def _ask[T](self, question: Callable[[sqlite3.Connection], T]) -> T:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = open_reader(self.folder / "hub.db")
            self._connections.append(db)
        db.execute("BEGIN")
        try:
            return question(db)
        finally:
            db.execute("ROLLBACK")

    def _pack_tail(self, db: sqlite3.Connection, after: int, until: int) -> Tail:
        found = table.placed(db, self.id, after + 1, min(TAIL_RECORDS, until - after))
        number = found[-1].entry.number if found else after
        return Tail(number, pack_segment(found, SqliteHistory(db)))

    def _post(self, db: sqlite3.Connection, record: Record) -> _Written:
        before = table.entry_of(db, self.id, record.id)
        if before is not None:
            return _Written(before, False)
        if isinstance(record.body, Founding) and record.body.hub_key != self.hub.public:
            raise forbidden("other_hub", "the founding names another hub's key")
        state = table.state_of(db)
        entry = next_entry(self.hub, self.id, record.id, self.now_s(), state.position)
        subject = state.subject_of(record.author)
        changes = apply(record, state, entry, complete=True)
        table.insert(db, record, entry)
        if subject is not None:
            blobs.name(db, record.body, record.id, subject)
        return _Written(entry, True, changes, tuple(follow(db, changes)))

    def _advance(self, until_s: int, db: sqlite3.Connection) -> tuple[tuple[Change, ...], list[str]]:
        changes = advance(table.state_of(db), until_s)
        return changes, follow(db, changes)

    def _take_over(self, changes: tuple[Change, ...], unlink: tuple[str, ...] | list[str]) -> None:
        kinds = {change.kind for change in changes}
        if kinds & _PEOPLE:
            self.known.clear()
        if kinds & {ChangeKind.ERASE, ChangeKind.ERASE_MEDIA}:
            self._needs_truncate = True
        if kinds & {ChangeKind.ERASE, ChangeKind.HIDDEN, ChangeKind.SHOWN, ChangeKind.CLOSED}:
            self._forms += 1
            self._tails.clear()
        if unlink:
            self._background(self.delete_unwanted(list(unlink)))

    def _background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)

    def _unlink(self, db: sqlite3.Connection, digests: list[str]) -> None:
        for sha256 in digests:
            if not blobs.is_wanted(db, sha256):
                self.files.delete(sha256)


_TASKS: set[asyncio.Task[None]] = set()


def quotas_of(db: sqlite3.Connection) -> Quotas:
    """Return the quotas that the host has set, or the usual ones."""
    return Quotas(**dict(db.execute("SELECT name, value FROM settings").fetchall()))


def remove_folder(folder: Path) -> None:
    """Remove a neighborhood that was not founded after all."""
    shutil.rmtree(folder, ignore_errors=True)


def due_s(db: sqlite3.Connection, now_s: int) -> int | None:
    """Return up to when the time may go on in one transaction, or None if nothing is due."""
    rows = db.execute(
        "SELECT key FROM state WHERE tbl = 'due' AND key < ? ORDER BY key LIMIT ?",
        (numbered(now_s + 1), DUE_AT_ONCE),
    ).fetchall()
    if not rows:
        return None
    return now_s if len(rows) < DUE_AT_ONCE else int(rows[-1][0].partition("/")[0])


def follow(db: sqlite3.Connection, changes: tuple[Change, ...]) -> list[str]:
    """Bring the tables beside the state to what has changed; return files to delete."""
    gone: list[str] = []
    state = table.state_of(db)
    for change in changes:
        if change.kind in _SEEN:
            request = state.request(change.id)
            for record_id in (change.id, request.details) if request else (change.id,):
                table.withhold(db, record_id, not may_have_body(state, record_id, None))
        elif change.kind is ChangeKind.ERASE:
            table.erase(db, change.id)
        elif change.kind is ChangeKind.ERASE_MEDIA:
            gone += blobs.unname(db, change.id)
    return gone
