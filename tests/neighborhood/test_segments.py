"""Segments: what comes compressed is bounded, whole and what it says."""

from dataclasses import replace
import gzip

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.bodies import Comment
from custom_components.ringwatch.neighborhood.order import Position, next_entry, verify_chain
from custom_components.ringwatch.neighborhood.segments import (
    MAX_PACKED_BYTES,
    MAX_UNPACKED_BYTES,
    Placed,
    pack_lines,
    pack_segment,
    unpack_lines,
    unpack_segment,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.store import MemoryHistory
from custom_components.ringwatch.neighborhood.violations import BadField, BadSegment, HubViolation, OrderGap

from .street import HUB, Neighbor, Street, key


def street() -> Street:
    found = Street()
    ann = found.join("Ann")
    found.comment(ann, found.post(ann))
    return found


STREET = street()
HOOD = str(STREET.id)
NOTHING = MemoryHistory()  # a reader who has nothing yet
LINES = pack_lines(STREET.placed, STREET.history)


def test_a_segment_reads_back_and_its_last_signature_covers_it() -> None:
    read = unpack_segment(pack_segment(STREET.placed, STREET.history), HOOD, NOTHING)
    assert [one.record for one in read] == [one.record for one in STREET.placed]
    assert [one.entry.sig is None for one in read] == [True, True, True, False]
    entries = [one.entry for one in read]
    end = verify_chain(entries, neighborhood=HOOD, hub_key=HUB.public, after=Position(), now_s=STREET.now_s)
    assert end.head == STREET.state.position.head
    assert pack_segment(STREET.placed, STREET.history) == pack_segment(STREET.placed, STREET.history)
    assert unpack_lines(b"", HOOD, NOTHING) == []


def test_erased_bodies_change_nothing_else() -> None:
    erased = [replace(one, record=one.record.erased()) for one in STREET.placed[2:]]
    read = unpack_segment(pack_segment([*STREET.placed[:2], *erased], STREET.history), HOOD, NOTHING)
    assert [one.record.id for one in read] == [one.record.id for one in STREET.placed]
    assert [one.record.body is None for one in read] == [False, False, True, True]


def test_a_bomb_does_not_go_off() -> None:
    bomb = gzip.compress(b"\n" * (MAX_UNPACKED_BYTES * 4))
    with pytest.raises(BadSegment):
        unpack_segment(bomb, HOOD, NOTHING)
    with pytest.raises(BadSegment):
        unpack_segment(b"\x00" * (MAX_PACKED_BYTES + 1), HOOD, NOTHING)
    with pytest.raises(BadSegment):
        unpack_lines(b"\n" * (MAX_UNPACKED_BYTES + 1), HOOD, NOTHING)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not gzip",
        pack_segment(STREET.placed, STREET.history)[:-1],
        pack_segment(STREET.placed, STREET.history) + b"x",
        pack_segment(STREET.placed, STREET.history) * 2,
        gzip.compress(LINES[:-1]),
        gzip.compress(LINES + b"{}\n"),
        gzip.compress(b"\n" * 1_001),
    ],
)
def test_what_is_cut_or_has_something_added_is_refused(data: bytes) -> None:
    with pytest.raises(BadSegment):
        unpack_segment(data, HOOD, NOTHING)


def test_a_tail_is_no_longer_than_asked() -> None:
    with pytest.raises(BadSegment):
        unpack_lines(LINES, HOOD, NOTHING, limit=3)


def read_and_check(data: bytes, street: Street, after: Position) -> None:
    placed = unpack_lines(data, HOOD, street.history)
    entries = [one.entry for one in placed]
    verify_chain(entries, neighborhood=HOOD, hub_key=HUB.public, after=after, now_s=street.now_s)


def test_another_record_beside_an_entry_is_refused() -> None:
    one, two = STREET.placed[2:]
    after = STREET.placed[1].entry.position
    read_and_check(pack_lines([one], STREET.history), STREET, after)
    for changed in (
        Placed(one.entry, two.record),
        Placed(one.entry, replace(one.record, sig=two.record.sig)),
        Placed(one.entry, replace(one.record, body=replace(one.record.body, title="A wolf"))),  # type: ignore[type-var]
    ):
        with pytest.raises(HubViolation):
            read_and_check(pack_lines([changed], STREET.history), STREET, after)


def test_a_reader_who_misses_what_comes_before_says_so() -> None:
    with pytest.raises(OrderGap):
        unpack_lines(pack_lines(STREET.placed[2:], STREET.history), HOOD, NOTHING)
    with pytest.raises(OrderGap):
        unpack_lines(pack_lines([STREET.placed[0], *STREET.placed[2:]], STREET.history), HOOD, NOTHING)


def test_a_head_that_stands_nowhere_is_sent_as_it_is() -> None:
    """So that a home can tell a hub that forks from a line that is damaged."""
    ann = Neighbor(key("Ann"), tip=STREET.placed[3].record.id)
    stray = STREET.sign(ann, Comment(STREET.placed[2].record.id, "Two orders?"), head="9" * 64)
    entry = next_entry(HUB, HOOD, stray.id, STREET.now_s, STREET.placed[3].entry.position)
    [read] = unpack_lines(pack_lines([Placed(entry, stray)], STREET.history), HOOD, STREET.history)
    assert read.record == stray


def test_what_stands_nowhere_in_the_order_is_not_packed() -> None:
    stray = STREET.sign(STREET.host, Comment(STREET.placed[2].record.id, "Behind nothing"), prev="9" * 64)
    entry = next_entry(HUB, HOOD, stray.id, STREET.now_s, STREET.placed[3].entry.position)
    with pytest.raises(BadField):
        pack_lines([Placed(entry, stray)], STREET.history)


def test_lines_that_refer_to_what_is_not_there_are_refused() -> None:
    for name in (b'"prev":2', b'"head":1'):
        assert name in LINES
        with pytest.raises(BadSegment):
            unpack_lines(LINES.replace(name, name[:-1] + b"77"), HOOD, NOTHING)


@given(st.integers(0, len(LINES) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, flip: int) -> None:
    """A line that still reads has another head, which the last signature doesn't fit."""
    changed = bytearray(LINES)
    changed[at] ^= flip
    with pytest.raises(HubViolation):
        verify_chain(
            [one.entry for one in unpack_lines(bytes(changed), HOOD, NOTHING)],
            neighborhood=HOOD,
            hub_key=HUB.public,
            after=Position(),
            now_s=STREET.now_s,
        )
