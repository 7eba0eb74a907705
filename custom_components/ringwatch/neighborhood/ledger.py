"""A home's own copy of a neighborhood: records, their places, the state they come to, and what waits.

One SQLite file. One thread owns a Ledger and writes; any thread may open a LedgerView and read. What the hub
sends is written whole or not at all, and a lie leaves everything as it was.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
import json
from pathlib import Path
import secrets
import sqlite3
from typing import Any, Self

from .apply import advance, apply, supply
from .bodies import Body, Founding
from .canonical import encode
from .changes import Change, ChangeKind
from .envelope import Record
from .keys import SALT_BYTES, PrivateKey
from .ledger_schema import NAME, connect, open_database
from .order import MAX_AHEAD_S, Checkpoint, Entry, Position, verify_chain, verify_checkpoint
from .outbox import Outbox, Refused, Waiting
from .record_table import RecordTable
from .segments import Placed
from .sqlite_store import SqliteHistory, SqliteStore
from .state import State, may_have_body
from .violations import (
    OrderForked,
    RecordRefused,
    RecordViolation,
    TimeBackwards,
    UnknownHead,
    UnknownTarget,
    WrongRecord,
)  # fmt: skip


class LedgerView:
    """Reading a ledger."""

    def __init__(self, db: sqlite3.Connection, neighborhood: str) -> None:
        self.neighborhood = neighborhood
        self._db = db
        self.records = RecordTable(db, neighborhood)
        self.state = State(SqliteStore(db), SqliteHistory(db))
        self.outbox = Outbox(db, neighborhood)

    @classmethod
    def open(cls, folder: Path, neighborhood: str) -> Self:
        """Open what a Ledger has made. Raise sqlite3.Error if there is none."""
        return cls(connect(folder / NAME, write=False), neighborhood)

    def close(self) -> None:
        """Close it."""
        self._db.close()

    @property
    def position(self) -> Position:
        """Where this home is in the order."""
        return self.state.position

    def record(self, record_id: str) -> Record | None:
        """Return a record, with its body if that is there."""
        placed = self.records.get(record_id)
        return placed.record if placed else None

    def waiting(self) -> tuple[Waiting, ...]:
        """Return what is to be sent, or was and isn't in the order yet."""
        return tuple(self.outbox.waiting())

    def refused(self) -> tuple[Refused, ...]:
        """Return what didn't get through."""
        return tuple(self.outbox.refused())

    def bodies_wanted(self, key: str, limit: int = 100) -> list[str]:
        """Return records whose body the hub may give to this key's owner, and hasn't."""
        viewer = self.state.subject_of(key)
        found: list[str] = []
        for record_id in self.state.waiting():
            if len(found) < limit and may_have_body(self.state, record_id, viewer):
                found.append(record_id)
        return found


class Ledger(LedgerView):
    """The one that writes. Owned by one thread."""

    def __init__(
        self,
        folder: Path,
        neighborhood: str,
        hub_key: str,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """Open or create it. Raise DamagedLedgerError, NewerLedgerError or OSError."""
        super().__init__(open_database(folder), neighborhood)
        self.hub_key = hub_key
        self._random = random
        self._log_has_erased = True  # as a kill may have left it
        self._caught_up = False  # since it was opened: a restored backup doesn't know what it has sent

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do several writes at once or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # ---- what comes -------------------------------------------------------------------------------

    def receive(self, placed: Sequence[Placed], now_s: int) -> tuple[Change, ...]:
        """Take the next part of the order. What is known already is compared. Raise HubViolation."""
        with self.transaction():
            news = [one for one in placed if not self._is_known(one.entry)]
            at = self.position
            verify_chain(
                [one.entry for one in news],
                neighborhood=self.neighborhood,
                hub_key=self.hub_key,
                after=at,
                now_s=now_s,
            )
            self._compare_promises(news)
            changes: list[Change] = []
            for one in news:
                changes += self._take(one)
            self._erase(changes)
        self._empty_log()
        return tuple(changes)

    def _is_known(self, entry: Entry) -> bool:
        if entry.number > self.position.number:
            return False
        if self.state.history.number_of(entry.head) != entry.number:
            raise OrderForked(f"entry {entry.number} is another one than this home was shown before")
        return True

    def _take(self, placed: Placed) -> tuple[Change, ...]:
        placed = self._with_own_body(placed)
        entry, record = placed.entry, placed.record
        if record.id != entry.id:
            raise WrongRecord(f"the record beside entry {entry.number} is another one")
        if entry.number == 1:
            body = record.body
            ours = isinstance(body, Founding) and body.hub_key == self.hub_key
            if record.id != self.neighborhood or not ours:
                raise WrongRecord("the first record is not the founding of this neighborhood")
        try:
            changes = apply(record, self.state, entry)
        except UnknownHead as refusal:
            raise OrderForked(
                f"the author of entry {entry.number} was shown another order than this home"
            ) from refusal
        except RecordViolation as refusal:
            raise RecordRefused(f"entry {entry.number} should have been refused: {refusal}") from refusal
        self.records.add(placed)
        self.outbox.forget(record.id)
        return changes

    def _with_own_body(self, placed: Placed) -> Placed:
        """Put back the body of this home's own: the hub gives it to nobody while it is kept back."""
        if placed.record.body is None:
            for one in self.outbox.waiting():
                if one.record.id == placed.record.id:
                    return Placed(placed.entry, one.record)
        return placed

    def _compare_promises(self, news: Sequence[Placed]) -> None:
        """Compare with what the hub has signed about these places earlier."""
        heads = {one.entry.number: one.entry.head for one in news}
        promised = [(one.entry.number, one.entry.head) for one in self.outbox.waiting() if one.entry]
        checkpoint = self._checkpoint()
        if checkpoint:
            promised.append((checkpoint.number, checkpoint.head))
        for number, head in promised:
            if heads.get(number, head) != head:
                raise OrderForked(f"entry {number} is another one than the hub has signed before")

    def receive_checkpoint(self, checkpoint: Checkpoint, now_s: int) -> tuple[Change, ...]:
        """Hear what the hub's newest head is. Raise HubViolation."""
        if checkpoint.time_s > now_s + MAX_AHEAD_S:
            raise TimeBackwards(
                f"a checkpoint is dated {checkpoint.time_s - now_s} s ahead of the clock here"
            )
        newest = self._checkpoint()
        with self.transaction():
            verify_checkpoint(
                checkpoint,
                neighborhood=self.neighborhood,
                hub_key=self.hub_key,
                at=self.position,
                history=self.state.history,
                newest_s=newest.time_s if newest else 0,
            )
            self._compare_checkpoints(newest, checkpoint)
            self._keep("checkpoint", encode(checkpoint.to_json()).decode())
            if checkpoint.number > self.position.number:
                self._caught_up = False
                return ()
            self._caught_up = True
            changes = advance(self.state, checkpoint.time_s)
            self._erase(changes)
        self._empty_log()
        return changes

    def _compare_checkpoints(self, old: Checkpoint | None, new: Checkpoint) -> None:
        if old and (new.number < old.number or (new.number == old.number and new.head != old.head)):
            raise OrderForked("two checkpoints of the hub contradict each other")

    def supply(self, record: Record) -> tuple[Change, ...]:
        """Take a body that came later. Raise UnknownTarget if nobody waits for it."""
        with self.transaction():
            try:
                changes = supply(record, self.state)
            except UnknownTarget:
                raise
            except RecordViolation as refusal:
                raise RecordRefused(f"a body should have been refused: {refusal}") from refusal
            self.records.put_body(record)
            self._erase(changes)
        self._empty_log()
        return changes

    def _erase(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.kind is ChangeKind.ERASE:
                self.records.erase(change.id)
                self._log_has_erased = True

    def _empty_log(self) -> None:
        """Have what was erased overwritten: the write-ahead log holds it until it begins anew."""
        if self._log_has_erased:
            busy, *_ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._log_has_erased = bool(busy)  # somebody reads just now: next time

    # ---- what goes --------------------------------------------------------------------------------

    def enqueue(self, key: PrivateKey, body: Body, now_s: int) -> Waiting:
        """Sign a record and keep it until the hub has it. Raise RecordViolation if the rules refuse it."""
        with self.transaction():
            return self.outbox.add(key, body, self.state, now_s=now_s, salt=self._random(SALT_BYTES))

    def to_send(self, key: PrivateKey, now_s: int) -> tuple[Waiting, ...]:
        """Return what to send now, in this order. Nothing before this home has heard all that the hub has.

        Without that, a home restored from a backup would sign a second record behind one it has forgotten.
        """
        if not self._caught_up:
            return ()
        with self.transaction():
            self.outbox.settle(key, self.state, now_s)
        return tuple(one for one in self.outbox.waiting() if one.entry is None)

    def sent(self, record_id: str, entry: Entry) -> None:
        """Keep the place that the hub gave a record. Raise OrderForked if it isn't one."""
        if entry.id != record_id or not entry.is_signed_by(self.hub_key):
            raise OrderForked("the hub's receipt is for another record, or not signed")
        known = self.state.history.place_of(record_id)
        if known is None and entry.number <= self.position.number:
            raise OrderForked(f"the hub gave a record the place {entry.number}, where another one is")
        with self.transaction():
            self.outbox.promise(record_id, entry)

    def tried(self, record_id: str) -> None:
        """Count an attempt that came to nothing."""
        self.outbox.tried(record_id)

    def refuse(self, record_id: str, code: str, about: str) -> None:
        """Keep the hub's refusal. What waits behind it is signed anew."""
        self.outbox.refuse(record_id, code, about)

    def dismiss(self, record_id: str) -> None:
        """Forget a record of the outbox: its refusal was read, or it is not to be sent any more."""
        self.outbox.forget(record_id)

    # ---- small things -----------------------------------------------------------------------------

    def _checkpoint(self) -> Checkpoint | None:
        row: Any = self._db.execute("SELECT value FROM kept WHERE key = 'checkpoint'").fetchone()
        return Checkpoint.parse(json.loads(row[0]), self.neighborhood) if row else None

    def _keep(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (key, value))
