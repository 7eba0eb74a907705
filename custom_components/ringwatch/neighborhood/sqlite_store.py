"""A state's store and history in SQLite: a million records cost no memory. Transactions are the owner's."""

from collections.abc import Iterator
import json
import sqlite3
from typing import Final, override

from .canonical import Json
from .store import History, RecordPlace, Store

STATE_SCHEMA: Final = """
    CREATE TABLE state (
        tbl TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tbl, key)
    ) WITHOUT ROWID;
"""
# What History asks of a table of records. Whoever has one may have more columns.
RECORDS_SCHEMA: Final = """
    CREATE TABLE records (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        head BLOB NOT NULL UNIQUE,
        author BLOB NOT NULL,
        prev BLOB,
        time_s INTEGER NOT NULL,
        previous BLOB,
        sig BLOB,
        envelope TEXT NOT NULL,
        record_sig BLOB NOT NULL,
        salt BLOB,
        body TEXT
    );
"""
_BATCH: Final = 200
_SCAN: Final = "SELECT key, value FROM state WHERE tbl = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"
_SCAN_BACK: Final = _SCAN.replace("ORDER BY key", "ORDER BY key DESC")


class SqliteStore(Store):
    """The table `state` of a database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @override
    def get(self, table: str, key: str) -> Json | None:
        row = self._db.execute("SELECT value FROM state WHERE tbl = ? AND key = ?", (table, key)).fetchone()
        if row is None:
            return None
        value: Json = json.loads(row[0])
        return value

    @override
    def put(self, table: str, key: str, value: Json) -> None:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (table, key, text))

    @override
    def delete(self, table: str, key: str) -> None:
        self._db.execute("DELETE FROM state WHERE tbl = ? AND key = ?", (table, key))

    @override
    def scan(
        self, table: str, start: str = "", stop: str | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[str, Json]]:
        low, high = start, "\U0010ffff" if stop is None else stop
        query = _SCAN_BACK if reverse else _SCAN
        while True:  # in parts, so that the table may be changed meanwhile
            rows = self._db.execute(query, (table, low, high, _BATCH)).fetchall()
            for key, value in rows:
                yield key, json.loads(value)
            if len(rows) < _BATCH:
                return
            if reverse:
                high = rows[-1][0]
            else:
                low = rows[-1][0] + "\x00"


class SqliteHistory(History):
    """The table `records` of a database."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @override
    def place_of(self, record_id: str) -> RecordPlace | None:
        row = self._db.execute(
            "SELECT number, author, prev FROM records WHERE id = ?", (bytes.fromhex(record_id),)
        ).fetchone()
        if row is None:
            return None
        number, author, prev = row
        return RecordPlace(number, author.hex(), prev.hex() if prev else None)

    @override
    def number_of(self, head: str) -> int | None:
        row = self._db.execute("SELECT number FROM records WHERE head = ?", (bytes.fromhex(head),)).fetchone()
        return None if row is None else int(row[0])

    @override
    def id_at(self, number: int) -> str | None:
        row = self._db.execute("SELECT id FROM records WHERE number = ?", (number,)).fetchone()
        return None if row is None else str(row[0].hex())

    @override
    def head_at(self, number: int) -> str | None:
        row = self._db.execute("SELECT head FROM records WHERE number = ?", (number,)).fetchone()
        return None if row is None else str(row[0].hex())
