"""Records in the database: a row each, written once; only bodies go."""

from collections.abc import Iterator, Sequence
import json
import sqlite3
from typing import Any, Final

from ..neighborhood.bodies import Alert, Post, parse_body
from ..neighborhood.envelope import Envelope, Record
from ..neighborhood.order import Entry
from ..neighborhood.segments import SEGMENT_RECORDS, Placed
from ..neighborhood.sqlite_store import SqliteHistory, SqliteStore
from ..neighborhood.state import State
from ..neighborhood.types import Type

_COLUMNS: Final = (
    "number, id, time_s, sig, type, author, created_s, prev, seen, body_hash, record_sig, salt, body,"
    " withheld"
)
_BY_ID: Final = f"SELECT {_COLUMNS} FROM records WHERE id = ?"  # noqa: S608 - its own columns
_BY_NUMBER: Final = f"SELECT {_COLUMNS} FROM records WHERE number BETWEEN ? AND ? ORDER BY number"  # noqa: S608
_BY_IDS: Final = (
    f"SELECT {_COLUMNS} FROM records"  # noqa: S608 - its own columns
    " WHERE id IN (SELECT unhex(value) FROM json_each(?))"
)
_STATE: Final = "SELECT key, value FROM state WHERE tbl = ? AND key IN (SELECT value FROM json_each(?))"
_INSERT: Final = (
    f"INSERT INTO records (head, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"  # noqa: S608
)


def state_of(db: sqlite3.Connection) -> State:
    """Return the neighborhood's state, read through this connection."""
    return State(SqliteStore(db), SqliteHistory(db))


def insert(db: sqlite3.Connection, record: Record, entry: Entry) -> None:
    """Write an accepted record."""
    envelope = record.envelope
    body = record.body
    db.execute(
        _INSERT,
        (
            bytes.fromhex(entry.head),
            entry.number,
            bytes.fromhex(record.id),
            entry.time_s,
            _bytes(entry.sig),
            envelope.type.value,
            bytes.fromhex(envelope.author),
            envelope.created_s,
            _bytes(envelope.prev),
            _bytes(envelope.head),
            bytes.fromhex(envelope.body_hash),
            bytes.fromhex(record.sig),
            _bytes(record.salt),
            None if body is None else json.dumps(body.to_json(), ensure_ascii=False, separators=(",", ":")),
        ),
    )
    if isinstance(body, Post | Alert):
        post = body.post if isinstance(body, Alert) else body
        db.execute(
            "INSERT INTO texts (rowid, title, text) VALUES (?, ?, ?)", (entry.number, post.title, post.text)
        )


def erase(db: sqlite3.Connection, record_id: str) -> None:
    """Erase a record's body and salt, and what the index of texts has of it."""
    row = db.execute(
        "UPDATE records SET body = NULL, salt = NULL WHERE id = ? AND body IS NOT NULL"
        " RETURNING number, type",
        (bytes.fromhex(record_id),),
    ).fetchone()
    if row:
        if row[1] in {Type.POST, Type.ALERT}:
            db.execute("DELETE FROM texts WHERE rowid = ?", (row[0],))
        _new_form(db, row[0])


def withhold(db: sqlite3.Connection, record_id: str, withheld: bool) -> None:
    """Keep a body back, or no longer."""
    row = db.execute(
        "UPDATE records SET withheld = ?1 WHERE id = ?2 AND withheld <> ?1 RETURNING number",
        (int(withheld), bytes.fromhex(record_id)),
    ).fetchone()
    if row:
        _new_form(db, row[0])


def forms(db: sqlite3.Connection, segment: int) -> int:
    """Return how often a segment has changed."""
    row = db.execute("SELECT forms FROM segments WHERE number = ?", (segment,)).fetchone()
    return row[0] if row else 0


def placed(db: sqlite3.Connection, neighborhood: str, first: int, count: int) -> list[Placed]:
    """Return records and entries from a number on, as everybody may have them."""
    rows = db.execute(
        _BY_NUMBER,
        (first, first + count - 1),
    ).fetchall()
    previous = head_of(db, first - 1)
    found = []
    for row in rows:
        one = _placed(row, neighborhood, previous, open_body=not row[13])
        previous = one.entry.head
        found.append(one)
    return found


def whole(
    db: sqlite3.Connection, neighborhood: str, first: int, count: int
) -> Iterator[tuple[int, int, Record]]:
    """Yield records from a number on, with number, time and the bodies that are there: for the host."""
    for row in db.execute(_BY_NUMBER, (first, first + count - 1)).fetchall():
        yield row[0], row[2], _record(row, neighborhood, open_body=True)


def records(db: sqlite3.Connection, neighborhood: str, ids: Sequence[str]) -> Iterator[Record]:
    """Yield records by id, with the bodies that are there."""
    for record_id in ids:
        row = db.execute(_BY_ID, (bytes.fromhex(record_id),)).fetchone()
        if row:
            yield _record(row, neighborhood, open_body=True)


def wires(db: sqlite3.Connection, neighborhood: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return records as they are written, by id: in one question, as the loop has its turn after each."""
    found = {}
    for row in db.execute(_BY_IDS, (json.dumps(ids),)).fetchall():
        wire: dict[str, Any] = _record(row, neighborhood, open_body=False).to_wire()
        if row[12] is not None:  # it was checked when it came
            wire |= {"body": json.loads(row[12]), "salt": row[11].hex()}
        found[row[1].hex()] = wire
    return found


def state_rows(db: sqlite3.Connection, name: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return rows of one of the state's tables by their keys, in one question."""
    return {key: json.loads(value) for key, value in db.execute(_STATE, (name, json.dumps(keys))).fetchall()}


def entry_of(db: sqlite3.Connection, neighborhood: str, record_id: str) -> Entry | None:
    """Return a record's place in the order."""
    row = db.execute(_BY_ID, (bytes.fromhex(record_id),)).fetchone()
    if row is None:
        return None
    return _placed(row, neighborhood, head_of(db, row[0] - 1), open_body=False).entry


def head_of(db: sqlite3.Connection, number: int) -> str | None:
    """Return the head at a number."""
    row = db.execute("SELECT head FROM records WHERE number = ?", (number,)).fetchone()
    return row[0].hex() if row else None


def segment_of(number: int) -> int:
    """Return which segment an entry is in, from 1."""
    return (number - 1) // SEGMENT_RECORDS + 1


def _new_form(db: sqlite3.Connection, number: int) -> None:
    db.execute(
        "INSERT INTO segments VALUES (?, 1) ON CONFLICT (number) DO UPDATE SET forms = forms + 1",
        (segment_of(number),),
    )


def _placed(row: Any, neighborhood: str, previous: str | None, *, open_body: bool) -> Placed:
    entry = Entry(neighborhood, row[0], row[1].hex(), row[2], previous, row[3].hex())
    return Placed(entry, _record(row, neighborhood, open_body=open_body))


def _record(row: Any, neighborhood: str, *, open_body: bool) -> Record:
    number, _, _, _, type_, author, created_s, prev, seen, body_hash, sig, salt, body, _ = row
    envelope = Envelope(
        type=Type(type_),
        neighborhood=None if number == 1 else neighborhood,
        author=author.hex(),
        created_s=created_s,
        prev=_hex(prev),
        head=_hex(seen),
        body_hash=body_hash.hex(),
    )
    if body is None or not open_body:
        return Record(envelope, sig.hex(), None, None)
    return Record(envelope, sig.hex(), parse_body(Type(type_), json.loads(body)), salt.hex())


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()
