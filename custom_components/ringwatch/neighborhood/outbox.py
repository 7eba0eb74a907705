"""What this home has signed and the hub has not put into the order yet. On disk; it goes in order, once.

A record keeps its id as long as what it follows stays. If the order has other records of this key (a home
restored from a backup), or the hub refuses one, those behind are signed anew: they were never in the order,
so nothing is there twice. `seq` stays the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
import json
import sqlite3
from typing import Final, override

from .apply import apply
from .bodies import (
    Appeal,
    Body,
    Close,
    Comment,
    Extension,
    Flag,
    FootageRequest,
    Join,
    Moderation,
    Reminder,
    Replace,
    Thanks,
    Withdraw,
)  # fmt: skip
from .canonical import encode
from .envelope import Record, sign_record
from .keys import PrivateKey
from .order import Entry
from .rules import check
from .state import State
from .store import History, Overlay, RecordPlace
from .violations import LimitReached, RecordViolation

MAX_WAITING: Final = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that is on its way."""

    seq: int
    record: Record
    tries: int
    entry: Entry | None  # the place that the hub has promised


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that didn't get through."""

    seq: int
    record: Record
    code: str
    about: str


class _Pretended(History):
    """What is in the order, and what would be once the outbox is in it."""

    def __init__(self, base: History) -> None:
        self._base = base
        self.places: dict[str, RecordPlace] = {}

    @override
    def place_of(self, record_id: str) -> RecordPlace | None:
        return self.places.get(record_id) or self._base.place_of(record_id)

    @override
    def number_of(self, head: str) -> int | None:
        return self._base.number_of(head)

    @override
    def id_at(self, number: int) -> str | None:
        return self._base.id_at(number)

    @override
    def head_at(self, number: int) -> str | None:
        return self._base.head_at(number)


class Outbox:
    """The table `outbox`. Transactions are the owner's."""

    def __init__(self, db: sqlite3.Connection, neighborhood: str) -> None:
        self._db = db
        self._neighborhood = neighborhood

    def waiting(self) -> Iterator[Waiting]:
        """Yield what is on its way, oldest first."""
        rows = self._db.execute(
            "SELECT seq, record, tries, entry FROM outbox WHERE code IS NULL ORDER BY seq"
        ).fetchall()
        for seq, record, tries, entry in rows:
            promised = Entry.parse(json.loads(entry), self._neighborhood) if entry else None
            yield Waiting(seq, Record.from_wire(json.loads(record), trusted=True), tries, promised)

    def refused(self) -> Iterator[Refused]:
        """Yield what didn't get through, until it is dismissed."""
        rows = self._db.execute(
            "SELECT seq, record, code, about FROM outbox WHERE code IS NOT NULL ORDER BY seq"
        ).fetchall()
        for seq, record, code, about in rows:
            yield Refused(seq, Record.from_wire(json.loads(record), trusted=True), code, about)

    def add(self, key: PrivateKey, body: Body, state: State, *, now_s: int, salt: bytes) -> Waiting:
        """Sign a record behind those that wait. Raise RecordViolation if the rules refuse it."""
        trial, prev = self.settle(key, state, now_s)
        if sum(1 for _ in self.waiting()) >= MAX_WAITING:
            raise LimitReached(f"{MAX_WAITING} records wait for the hub")
        record = self._sign(key, body, trial, prev=prev, created_s=now_s, salt=salt)
        check(record, trial, now_s)
        cursor = self._db.execute(
            "INSERT INTO outbox (id, record) VALUES (?, ?)", (bytes.fromhex(record.id), _text(record))
        )
        return Waiting(int(cursor.lastrowid or 0), record, 0, None)

    def settle(self, key: PrivateKey, state: State, now_s: int) -> tuple[State, str | None]:
        """Make what waits follow what is in the order; what the rules refuse by now is marked.

        Return the state as if it were in the order, and its last record.
        """
        history = _Pretended(state.history)
        trial = State(Overlay(state.store), history)
        author = state.author(key.public)
        prev = author.tip if author else None
        renamed: dict[str, str] = {}
        for one in self.waiting():
            if state.history.place_of(one.record.id):
                self.forget(one.record.id)
                continue
            record = self._follow(key, one, trial, prev, renamed)
            try:
                self._pretend(record, trial, history, now_s)
            except RecordViolation as refusal:
                self.refuse(record.id, refusal.code, refusal.about)
                continue
            prev = record.id
        return trial, prev

    def _follow(
        self, key: PrivateKey, one: Waiting, trial: State, prev: str | None, renamed: dict[str, str]
    ) -> Record:
        """Sign a record anew if it follows another one now."""
        record = one.record
        body = _retargeted(record.body, renamed)
        first = isinstance(body, Join | Replace)
        if body is None or record.salt is None or record.author != key.public:
            return record
        if body == record.body and (first or record.envelope.prev == prev):
            return record
        salt = bytes.fromhex(record.salt)
        again = self._sign(key, body, trial, prev=prev, created_s=record.envelope.created_s, salt=salt)
        renamed[record.id] = again.id
        self._db.execute(
            "UPDATE outbox SET id = ?, record = ?, tries = 0, entry = NULL WHERE seq = ?",
            (bytes.fromhex(again.id), _text(again), one.seq),
        )
        return again

    def _sign(
        self, key: PrivateKey, body: Body, state: State, *, prev: str | None, created_s: int, salt: bytes
    ) -> Record:
        head = state.store.get("meta", "seen") or state.position.head
        return sign_record(
            key,
            body,
            neighborhood=self._neighborhood,
            created_s=created_s,
            prev=None if isinstance(body, Join | Replace) else prev,
            head=str(head) if head else None,
            salt=salt,
        )

    def _pretend(self, record: Record, trial: State, history: _Pretended, now_s: int) -> None:
        """Let a record take effect in the trial."""
        at = trial.position
        if trial.store.get("meta", "seen") is None:
            trial.store.put("meta", "seen", at.head)  # the newest real head, under the pretended ones
        entry = Entry(self._neighborhood, at.number + 1, record.id, max(now_s, at.time_s), at.head, None)
        step = Overlay(trial.store)
        apply(record, State(step, history), entry, complete=True)
        step.commit()
        history.places[record.id] = RecordPlace(entry.number, record.author, record.envelope.prev)

    def tried(self, record_id: str) -> None:
        """Count an attempt."""
        self._db.execute("UPDATE outbox SET tries = tries + 1 WHERE id = ?", (bytes.fromhex(record_id),))

    def promise(self, record_id: str, entry: Entry) -> None:
        """Note the place that the hub gave a record. It leaves when it is there."""
        text = encode(entry.to_json()).decode()
        self._db.execute("UPDATE outbox SET entry = ? WHERE id = ?", (text, bytes.fromhex(record_id)))

    def refuse(self, record_id: str, code: str, about: str) -> None:
        """Note that a record won't get through."""
        self._db.execute(
            "UPDATE outbox SET code = ?, about = ? WHERE id = ?", (code, about, bytes.fromhex(record_id))
        )

    def forget(self, record_id: str) -> None:
        """Drop a record: it is in the order, or somebody has read why it isn't."""
        self._db.execute("DELETE FROM outbox WHERE id = ?", (bytes.fromhex(record_id),))


def _text(record: Record) -> str:
    return encode(record.to_wire()).decode()


def _retargeted(body: Body | None, renamed: dict[str, str]) -> Body | None:
    """Return a body that is about a waiting record by the name that this one has now."""
    match body:
        case FootageRequest() if body.details in renamed:
            return replace(body, details=renamed[body.details])
        case Extension() | Reminder() | Close() if body.request in renamed:
            return replace(body, request=renamed[body.request])
        case Comment() if body.post in renamed:
            return replace(body, post=renamed[body.post])
        case Thanks() | Flag() | Moderation() | Appeal() | Withdraw() if body.target in renamed:
            return replace(body, target=renamed[body.target])
    return body
