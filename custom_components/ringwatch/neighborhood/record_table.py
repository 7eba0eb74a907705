"""Records on disk, by number and by id: the table `records` of a home's or a hub's database."""

from collections.abc import Iterator
import json
import sqlite3
from typing import Any, Final

from .canonical import Json, encode
from .envelope import Record
from .order import Entry
from .segments import Placed

_COLUMNS: Final = "number, id, head, author, prev, time_s, previous, sig, envelope, record_sig, salt, body"
_INSERT: Final = f"INSERT INTO records ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_BY_ID: Final = f"SELECT {_COLUMNS} FROM records WHERE id = ?"  # noqa: S608
_RANGE: Final = f"SELECT {_COLUMNS} FROM records WHERE number >= ? ORDER BY number LIMIT ?"  # noqa: S608


class RecordTable:
    """Reading and writing records. Transactions are the owner's."""

    def __init__(self, db: sqlite3.Connection, neighborhood: str) -> None:
        self._db = db
        self._neighborhood = neighborhood

    def add(self, placed: Placed) -> None:
        """Append a record with its place."""
        entry, record = placed.entry, placed.record
        envelope = record.envelope
        row = (
            entry.number,
            bytes.fromhex(record.id),
            bytes.fromhex(entry.head),
            bytes.fromhex(record.author),
            bytes.fromhex(envelope.prev) if envelope.prev else None,
            entry.time_s,
            bytes.fromhex(entry.previous) if entry.previous else None,
            bytes.fromhex(entry.sig) if entry.sig else None,
            encode(envelope.to_json()).decode(),
            bytes.fromhex(record.sig),
            bytes.fromhex(record.salt) if record.salt else None,
            encode(record.body.to_json()).decode() if record.body else None,
        )
        self._db.execute(_INSERT, row)

    def get(self, record_id: str) -> Placed | None:
        """Return a record with its place."""
        row = self._db.execute(_BY_ID, (bytes.fromhex(record_id),)).fetchone()
        return self._placed(row) if row else None

    def range(self, first: int, limit: int) -> Iterator[Placed]:
        """Yield records from a number on."""
        yield from map(self._placed, self._db.execute(_RANGE, (first, limit)).fetchall())

    def put_body(self, record: Record) -> None:
        """Set the body of a record that came without it."""
        if record.body is not None and record.salt is not None:
            self._db.execute(
                "UPDATE records SET salt = ?, body = ? WHERE id = ?",
                (
                    bytes.fromhex(record.salt),
                    encode(record.body.to_json()).decode(),
                    bytes.fromhex(record.id),
                ),
            )

    def erase(self, record_id: str) -> None:
        """Forget a record's body and salt: with `secure_delete` they are overwritten in the file."""
        self._db.execute(
            "UPDATE records SET salt = NULL, body = NULL WHERE id = ?", (bytes.fromhex(record_id),)
        )

    def _placed(self, row: Any) -> Placed:
        number, id_, _, _, _, time_s, previous, sig, envelope, record_sig, salt, body = row
        wire: dict[str, Json] = {"envelope": json.loads(envelope), "sig": record_sig.hex()}
        if body is not None:
            wire |= {"body": json.loads(body), "salt": salt.hex()}
        entry = Entry(
            self._neighborhood,
            number,
            id_.hex(),
            time_s,
            previous.hex() if previous else None,
            sig.hex() if sig else None,
        )
        return Placed(entry, Record.from_wire(wire, trusted=True))
