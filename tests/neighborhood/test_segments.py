"""Segments: what comes compressed is bounded, whole and what it says."""

from dataclasses import replace
import gzip

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.order import Position, verify_chain
from custom_components.ringwatch.neighborhood.segments import (
    MAX_PACKED_BYTES,
    MAX_UNPACKED_BYTES,
    Placed,
    pack_lines,
    pack_segment,
    unpack_lines,
    unpack_segment,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.violations import BadSegment, HubViolation, WrongRecord

from .street import HUB, Street


def street() -> Street:
    found = Street()
    ann = found.join("Ann")
    found.comment(ann, found.post(ann))
    return found


STREET = street()
HOOD = str(STREET.id)
LINES = pack_lines(STREET.placed)


def test_a_segment_reads_back_and_its_last_signature_covers_it() -> None:
    read = unpack_segment(pack_segment(STREET.placed), HOOD)
    assert [one.record for one in read] == [one.record for one in STREET.placed]
    assert [one.entry.sig is None for one in read] == [True, True, True, False]
    entries = [one.entry for one in read]
    end = verify_chain(entries, neighborhood=HOOD, hub_key=HUB.public, after=Position(), now_s=STREET.now_s)
    assert end.head == STREET.state.position.head
    assert pack_segment(STREET.placed) == pack_segment(STREET.placed)
    assert unpack_lines(b"", HOOD) == []


def test_erased_bodies_change_nothing_else() -> None:
    erased = [replace(one, record=one.record.erased()) for one in STREET.placed[2:]]
    read = unpack_segment(pack_segment([*STREET.placed[:2], *erased]), HOOD)
    assert [one.record.id for one in read] == [one.record.id for one in STREET.placed]
    assert [one.record.body is None for one in read] == [False, False, True, True]


def test_a_bomb_does_not_go_off() -> None:
    bomb = gzip.compress(b"\n" * (MAX_UNPACKED_BYTES * 4))
    with pytest.raises(BadSegment):
        unpack_segment(bomb, HOOD)
    with pytest.raises(BadSegment):
        unpack_segment(b"\x00" * (MAX_PACKED_BYTES + 1), HOOD)
    with pytest.raises(BadSegment):
        unpack_lines(b"\n" * (MAX_UNPACKED_BYTES + 1), HOOD)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not gzip",
        pack_segment(STREET.placed)[:-1],
        pack_segment(STREET.placed) + b"x",
        pack_segment(STREET.placed) * 2,
        gzip.compress(LINES[:-1]),
        gzip.compress(LINES + b"{}\n"),
        gzip.compress(b"\n" * 1_001),
    ],
)
def test_what_is_cut_or_has_something_added_is_refused(data: bytes) -> None:
    with pytest.raises(BadSegment):
        unpack_segment(data, HOOD)


def test_a_tail_is_no_longer_than_asked() -> None:
    with pytest.raises(BadSegment):
        unpack_lines(LINES, HOOD, limit=3)


def test_another_record_beside_an_entry_is_refused() -> None:
    one, two = STREET.placed[2:]
    for changed in (
        Placed(one.entry, two.record),
        Placed(one.entry, replace(one.record, sig=two.record.sig)),
    ):
        with pytest.raises(WrongRecord):
            unpack_lines(pack_lines([changed]), HOOD)


@given(st.integers(0, len(LINES) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, flip: int) -> None:
    """A line that still reads has another head, which the last signature doesn't fit."""
    changed = bytearray(LINES)
    changed[at] ^= flip
    with pytest.raises(HubViolation):
        verify_chain(
            [one.entry for one in unpack_lines(bytes(changed), HOOD)],
            neighborhood=HOOD,
            hub_key=HUB.public,
            after=Position(),
            now_s=STREET.now_s,
        )
