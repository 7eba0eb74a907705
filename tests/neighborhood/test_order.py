"""The order: what follows what, and what a hub that lies is caught at."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.apply import apply
from custom_components.ringwatch.neighborhood.order import (
    Checkpoint,
    Entry,
    Position,
    contradict,
    next_entry,
    sign_checkpoint,
    verify_chain,
    verify_checkpoint,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.store import MemoryHistory
from custom_components.ringwatch.neighborhood.violations import (
    BadField,
    OrderBroken,
    OrderForked,
    OrderGap,
    OrderRewound,
    OrderUnsigned,
    TimeBackwards,
)  # fmt: skip

from .street import HUB, NOON_S, Street, key, seed

HOOD = seed("hood").hex()


def chain(length: int, hub: Any = HUB, name: str = "r", after: Position | None = None) -> list[Entry]:
    at, found = after or Position(), []
    for number in range(length):
        found.append(next_entry(hub, HOOD, seed(f"{name}{number}").hex(), NOON_S + number, at))
        at = found[-1].position
    return found


def verified(entries: list[Entry], after: Position | None = None, now_s: int = NOON_S + 60) -> Position:
    return verify_chain(
        entries, neighborhood=HOOD, hub_key=HUB.public, after=after or Position(), now_s=now_s
    )


def test_an_order_goes_on_from_where_a_reader_is() -> None:
    entries = chain(5)
    at = verified(entries[:2])
    assert at == entries[1].position
    assert verified(entries[2:], at) == entries[-1].position
    assert verified([], at) == at


def test_the_last_signature_covers_all_before() -> None:
    entries = chain(5)
    bare = [replace(entry, sig=None) for entry in entries]
    assert verified([*bare[:4], entries[4]]) == entries[4].position
    with pytest.raises(OrderUnsigned):
        verified(bare)
    with pytest.raises(OrderUnsigned):
        verified([replace(entries[0], sig=entries[1].sig), *entries[1:]])


def test_an_entry_reads_back() -> None:
    for entry in chain(2):
        assert Entry.parse(entry.to_json(), HOOD) == entry
    with pytest.raises(BadField):
        Entry.parse(chain(1)[0].to_json() | {"x": 1}, HOOD)


def test_a_hub_that_drops_a_record_is_caught() -> None:
    entries = chain(5)
    with pytest.raises(OrderGap):
        verified(entries[:2] + entries[3:])
    with pytest.raises(OrderGap):
        verified(entries[1:])


def test_a_hub_that_drops_a_record_and_renumbers_is_caught() -> None:
    entries = chain(5)
    closed = next_entry(HUB, HOOD, entries[3].id, NOON_S, entries[1].position)
    with pytest.raises(OrderBroken):
        verified([closed, *entries[4:]], entries[2].position.__class__(2, entries[2].head, NOON_S))


def test_a_hub_that_reorders_is_caught() -> None:
    one, two, three = chain(3)
    with pytest.raises(OrderGap):
        verified([two, one, three])
    swapped = [replace(one, id=two.id), replace(two, id=one.id), three]
    with pytest.raises(OrderUnsigned):
        verified(swapped)
    with pytest.raises(OrderBroken):
        verified([replace(entry, sig=None) for entry in swapped[:2]] + [three])


def test_a_hub_that_alters_or_is_another_one_is_caught() -> None:
    entries = chain(3)
    for field, value in (("time_s", NOON_S + 7), ("id", seed("x").hex())):
        with pytest.raises(OrderUnsigned):
            verified([*entries[:2], replace(entries[2], **{field: value})])
    with pytest.raises(OrderUnsigned):
        verified(chain(3, key("another hub")))
    with pytest.raises(OrderBroken):
        verify_chain(
            entries, neighborhood=seed("x").hex(), hub_key=HUB.public, after=Position(), now_s=NOON_S + 60
        )


def test_a_hub_that_shows_another_order_is_caught() -> None:
    ours, theirs = chain(3), chain(5, name="other")
    with pytest.raises(OrderBroken):
        verified(theirs[3:], ours[2].position)


def test_the_hubs_time_goes_on() -> None:
    one = chain(1)[0]
    assert next_entry(HUB, HOOD, seed("x").hex(), NOON_S - 99, one.position).time_s == one.time_s
    early = replace(next_entry(HUB, HOOD, seed("x").hex(), NOON_S, one.position), time_s=NOON_S - 1)
    with pytest.raises(TimeBackwards):
        verified([early], one.position)
    with pytest.raises(TimeBackwards):
        verified([one], now_s=NOON_S - 601)


def checked(
    checkpoint: Checkpoint, at: Position, history: MemoryHistory | None = None, newest_s: int = 0
) -> None:
    verify_checkpoint(
        checkpoint,
        neighborhood=HOOD,
        hub_key=HUB.public,
        at=at,
        history=history or MemoryHistory(),
        newest_s=newest_s,
    )


def test_a_checkpoint_says_where_the_hub_is() -> None:
    one, two = chain(2)
    now = sign_checkpoint(HUB, HOOD, 2, two.head, NOON_S)
    assert Checkpoint.parse(now.to_json(), HOOD) == now
    checked(now, two.position)
    checked(now, one.position)
    with pytest.raises(OrderUnsigned):
        checked(replace(now, time_s=NOON_S + 1), two.position)
    with pytest.raises(OrderUnsigned):
        checked(sign_checkpoint(HUB, seed("x").hex(), 2, two.head, NOON_S), two.position)


def test_a_hub_that_replays_what_is_old_is_caught() -> None:
    one, two = chain(2)
    with pytest.raises(OrderRewound):
        checked(sign_checkpoint(HUB, HOOD, 1, one.head, NOON_S), two.position)
    with pytest.raises(OrderRewound):
        checked(sign_checkpoint(HUB, HOOD, 2, two.head, NOON_S - 1), two.position, newest_s=NOON_S)


def test_a_hub_with_two_orders_is_caught_and_both_signatures_prove_it() -> None:
    ours, theirs = chain(3), chain(3, name="other")
    with pytest.raises(OrderForked):
        checked(sign_checkpoint(HUB, HOOD, 3, theirs[2].head, NOON_S), ours[2].position)
    history = MemoryHistory()
    history.heads[ours[1].head] = 2
    with pytest.raises(OrderForked):
        checked(sign_checkpoint(HUB, HOOD, 9, ours[1].head, NOON_S), ours[2].position, history)
    statement = sign_checkpoint(HUB, HOOD, 3, theirs[2].head, NOON_S)
    assert contradict(ours[2], statement, HUB.public)
    assert contradict(ours[2], theirs[2], HUB.public)
    assert not contradict(ours[2], ours[2], HUB.public)
    assert not contradict(ours[2], chain(3, key("eve"), "other")[2], HUB.public)
    assert not contradict(ours[1], theirs[2], HUB.public)


def test_an_entry_is_applied_in_its_place_only() -> None:
    street = Street()
    placed = street.placed[0]
    with pytest.raises(OrderGap):
        apply(placed.record, street.state, placed.entry)
