"""Stores: dictionaries, an overlay and SQLite do the same."""

from collections.abc import Callable
import sqlite3

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.canonical import Json
from custom_components.ringwatch.neighborhood.order import next_entry
from custom_components.ringwatch.neighborhood.record_table import RecordTable
from custom_components.ringwatch.neighborhood.sqlite_store import (
    RECORDS_SCHEMA,
    STATE_SCHEMA,
    SqliteHistory,
    SqliteStore,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.store import MemoryStore, Overlay, Store

from .street import Street, seed

KEYS = st.sampled_from(["", "a", "a/1", "a/2", "a0", "b", "\u00e9", "\U0001f98a"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from("xy"), KEYS, st.integers(0, 9))
)


def in_sqlite() -> SqliteStore:
    db = sqlite3.connect(":memory:", autocommit=True)
    db.executescript(STATE_SCHEMA)
    return SqliteStore(db)


def over_memory() -> Overlay:
    base = MemoryStore()
    base.put("x", "a", 7)
    base.put("x", "zzz", 7)
    overlay = Overlay(base)
    overlay.delete("x", "a")
    overlay.delete("x", "zzz")
    return overlay


@pytest.mark.parametrize("make", [in_sqlite, over_memory])
@given(STEPS, KEYS, st.none() | KEYS, st.booleans())
def test_a_store_is_a_store(
    make: Callable[[], Store],
    steps: list[tuple[str, str, str, Json]],
    start: str,
    stop: str | None,
    reverse: bool,
) -> None:
    one, two = MemoryStore(), make()
    for what, table, name, value in steps:
        for store in (one, two):
            if what == "put":
                store.put(table, name, [value])
            else:
                store.delete(table, name)
            assert store.get(table, name) == ([value] if what == "put" else None)
    for table in "xy":
        expected = list(one.scan(table, start, stop, reverse=reverse))
        assert list(two.scan(table, start, stop, reverse=reverse)) == expected
        assert [name for name, _ in expected] == sorted((name for name, _ in expected), reverse=reverse)


@pytest.mark.parametrize("make", [in_sqlite, MemoryStore, over_memory])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_table_is_changed_while_it_is_read(make: Callable[[], Store], reverse: bool) -> None:
    store = make()
    names = [f"{at:04}" for at in range(450)]
    for name in names:
        store.put("x", name, 1)
    seen = []
    for name, _ in store.scan("x", reverse=reverse):
        store.delete("x", name)
        seen.append(name)
    assert seen == (names[::-1] if reverse else names)
    assert list(store.scan("x")) == []


def test_an_overlay_changes_nothing_until_it_is_committed() -> None:
    base = MemoryStore()
    base.put("x", "a", 1)
    base.put("x", "b", 1)
    overlay = Overlay(base)
    overlay.put("x", "c", 2)
    overlay.delete("x", "a")
    copy = base.copy()
    assert dict(base.scan("x")) == {"a": 1, "b": 1}
    overlay.commit()
    assert dict(base.scan("x")) == {"b": 1, "c": 2}
    assert dict(copy.scan("x")) == {"a": 1, "b": 1}


def test_records_on_disk_read_back_and_are_looked_up() -> None:
    street = Street()
    ann = street.join("Ann")
    street.post(ann)
    db = sqlite3.connect(":memory:", autocommit=True)
    db.executescript(RECORDS_SCHEMA)
    table, history = RecordTable(db, str(street.id)), SqliteHistory(db)
    for one in street.placed:
        table.add(one)
    assert list(table.range(1, 99)) == street.placed
    assert list(table.range(2, 1)) == street.placed[1:2]
    for one in street.placed:
        assert table.get(one.record.id) == one
        assert history.place_of(one.record.id) == street.history.place_of(one.record.id)
        assert history.number_of(one.entry.head) == one.entry.number
    assert table.get(seed("x").hex()) is None
    assert history.place_of(seed("x").hex()) is None
    assert history.number_of(seed("x").hex()) is None
    last = street.placed[-1].record
    table.erase(last.id)
    assert table.get(last.id).record == last.erased()  # type: ignore[union-attr]
    table.put_body(last.erased())
    table.put_body(last)
    assert table.get(last.id).record == last  # type: ignore[union-attr]
    bare = next_entry(street.host.key, str(street.id), seed("x").hex(), 1, street.state.position)
    assert bare.number == 4
