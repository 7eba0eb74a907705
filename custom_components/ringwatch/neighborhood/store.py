"""What a state stands on: tables of keys and small JSON values, and a way to look up what is in the order.

The same rules run over dictionaries (tests, the officer's page) and over SQLite (`sqlite_store`), where a
million
records cost no memory. `Overlay` tries something out and throws it away.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
import json
from typing import Final, Protocol, Self, override

from .canonical import Json, digest, encode


class Store(Protocol):
    """Tables of keys and values, each table ordered by key."""

    def get(self, table: str, key: str) -> Json | None:
        """Return a value, or None."""

    def put(self, table: str, key: str, value: Json) -> None:
        """Set a value. It belongs to the store from then on: never change it."""

    def delete(self, table: str, key: str) -> None:
        """Forget a value, if there is one."""

    def scan(
        self, table: str, start: str = "", stop: str | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[str, Json]]:
        """Yield keys from `start` up to but without `stop`, in order. The table may be changed meanwhile."""


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """A record's place in the order."""

    number: int
    author: str
    prev: str | None


class History(Protocol):
    """What is in the order, by record and by head."""

    def place_of(self, record_id: str) -> RecordPlace | None:
        """Return where a record stands, or None."""

    def number_of(self, head: str) -> int | None:
        """Return which entry a head is of, or None."""

    def id_at(self, number: int) -> str | None:
        """Return the record of an entry, or None."""

    def head_at(self, number: int) -> str | None:
        """Return the head of an entry, or None."""


class MemoryStore(Store):
    """Dictionaries, and their keys in order."""

    def __init__(self, tables: dict[str, dict[str, Json]] | None = None) -> None:
        self.tables = tables or {}
        self._keys = {table: sorted(rows) for table, rows in self.tables.items()}

    @override
    def get(self, table: str, key: str) -> Json | None:
        return self.tables.get(table, {}).get(key)

    @override
    def put(self, table: str, key: str, value: Json) -> None:
        rows = self.tables.setdefault(table, {})
        if key not in rows:
            insort(self._keys.setdefault(table, []), key)
        rows[key] = value

    @override
    def delete(self, table: str, key: str) -> None:
        if self.tables.get(table, {}).pop(key, None) is not None:
            keys = self._keys[table]
            del keys[bisect_left(keys, key)]

    @override
    def scan(
        self, table: str, start: str = "", stop: str | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[str, Json]]:
        keys = self._keys.get(table, [])
        found = keys[bisect_left(keys, start) : len(keys) if stop is None else bisect_left(keys, stop)]
        for key in reversed(found) if reverse else found:
            if key in self.tables[table]:
                yield key, self.tables[table][key]

    def copy(self) -> Self:
        """Return another one that changes on its own. The values are shared: nobody changes them."""
        return type(self)({table: dict(rows) for table, rows in self.tables.items()})


class Overlay(Store):
    """Changes above a store that stays as it is."""

    def __init__(self, base: Store) -> None:
        self._base = base
        self._changed: dict[str, dict[str, Json | None]] = {}

    @override
    def get(self, table: str, key: str) -> Json | None:
        changed = self._changed.get(table, {})
        return changed[key] if key in changed else self._base.get(table, key)

    @override
    def put(self, table: str, key: str, value: Json) -> None:
        self._changed.setdefault(table, {})[key] = value

    @override
    def delete(self, table: str, key: str) -> None:
        self._changed.setdefault(table, {})[key] = None

    @override
    def scan(
        self, table: str, start: str = "", stop: str | None = None, *, reverse: bool = False
    ) -> Iterator[tuple[str, Json]]:
        rows: dict[str, Json] = dict(self._base.scan(table, start, stop))
        for key, value in self._changed.get(table, {}).items():
            if start <= key and (stop is None or key < stop):
                if value is None:
                    rows.pop(key, None)
                else:
                    rows[key] = value
        for key in sorted(rows, reverse=reverse):
            yield key, rows[key]

    def commit(self) -> None:
        """Write the changes into the store below."""
        for table, rows in self._changed.items():
            for key, value in rows.items():
                if value is None:
                    self._base.delete(table, key)
                else:
                    self._base.put(table, key, value)
        self._changed = {}


class MemoryHistory(History):
    """Dictionaries of what is in the order."""

    def __init__(self) -> None:
        self.places: dict[str, RecordPlace] = {}
        self.heads: dict[str, int] = {}
        self.numbers: dict[int, tuple[str, str]] = {}  # id, head

    def add(self, record_id: str, place: RecordPlace, head: str) -> None:
        """Note an entry."""
        self.places[record_id] = place
        self.heads[head] = place.number
        self.numbers[place.number] = record_id, head

    @override
    def place_of(self, record_id: str) -> RecordPlace | None:
        return self.places.get(record_id)

    @override
    def number_of(self, head: str) -> int | None:
        return self.heads.get(head)

    @override
    def id_at(self, number: int) -> str | None:
        found = self.numbers.get(number)
        return found[0] if found else None

    @override
    def head_at(self, number: int) -> str | None:
        found = self.numbers.get(number)
        return found[1] if found else None


TABLES: Final = (
    *("meta", "keys", "subjects", "handles", "invites", "items", "below"),
    *("feed", "due", "mine", "once", "log", "waiting"),
    *("agencies", "requests", "asked", "open", "details", "cases", "partnerships", "demands"),
)


def snapshot(store: Store) -> bytes:
    """Return everything in a store. Equal states give equal bytes."""
    return encode({table: dict(store.scan(table)) for table in TABLES})


def restore(data: bytes) -> MemoryStore:
    """Return a store from what `snapshot` gave, on this machine: it is not checked."""
    return MemoryStore({table: rows for table, rows in json.loads(data).items() if rows})


def state_digest(store: Store) -> str:
    """Return the SHA-256 of everything in a store."""
    return digest(snapshot(store))
