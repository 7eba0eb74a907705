"""What hub and officer sign about a package on its way: nothing in it can be changed, nothing left out."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.canonical import Json, encode
from custom_components.ringwatch.neighborhood.delivery import (
    Arrival,
    Receipt,
    ReceiptKind,
    read_arrival,
    read_receipt,
    sign_arrival,
    sign_receipt,
)
from custom_components.ringwatch.neighborhood.keys import PrivateKey
from custom_components.ringwatch.neighborhood.violations import (
    BadField,
    BadSignature,
    BadText,
    NotCanonical,
    RecordViolation,
)

HUB = PrivateKey(b"h" * 32)
OFFICER = PrivateKey(b"o" * 32)
OTHER = PrivateKey(b"x" * 32)
NAMED: dict[str, Any] = {"delivery": "1a" * 32, "request": "2b" * 32, "sha256": "3c" * 32}


def arrival() -> Arrival:
    return sign_arrival(HUB, **NAMED, size_bytes=70_000, time_s=1_780_000_000)


def receipt(**changes: Any) -> Receipt:
    fields = {
        "kind": ReceiptKind.RECEIVED,
        "time_s": 1_780_000_100,
        "retention_until_s": 1_790_000_000,
        "about": "Case 26-004711",
    }
    return sign_receipt(OFFICER, **NAMED, **(fields | changes))


def test_what_was_signed_reads_back_as_itself() -> None:
    assert read_arrival(encode(arrival().to_json()), HUB.public) == arrival()
    assert read_receipt(encode(receipt().to_json())) == receipt()
    assert receipt(retention_until_s=None, about="").to_json()["retention_until"] is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (arrival().to_json(), lambda data: read_arrival(data, HUB.public)),
        (receipt().to_json(), read_receipt),
    ],
    ids=["arrival", "receipt"],
)
def test_no_field_can_be_changed_left_out_or_added(
    written: dict[str, Json], read: Callable[[bytes], object]
) -> None:
    for name, value in written.items():
        match value:
            case int():
                other: Json = value + 1
            case str() if name == "kind":
                other = "deleted"
            case str():
                other = ("0" if value[0] != "0" else "1") + value[1:]
        with pytest.raises(RecordViolation):
            read(encode({**written, name: other}))
        with pytest.raises(BadField):
            read(encode({key: kept for key, kept in written.items() if key != name}))
    with pytest.raises(BadField):
        read(encode({**written, "more": 1}))
    with pytest.raises(NotCanonical):
        read(encode(written) + b" ")


def test_only_the_hub_says_that_something_arrived() -> None:
    forged = sign_arrival(OTHER, **NAMED, size_bytes=70_000, time_s=1_780_000_000)
    with pytest.raises(BadSignature):
        forged.check(HUB.public)


def test_a_receipt_of_one_key_is_not_anothers() -> None:
    with pytest.raises(BadSignature):
        Receipt.parse({**receipt().to_json(), "officer": OTHER.public}).check()


def test_an_arrival_cannot_pass_for_a_receipt() -> None:
    """The words before the digest keep the two apart, even if one key signed both."""
    with pytest.raises(BadField):
        read_receipt(encode(arrival().to_json()))


def test_nobody_shares_without_saying_with_whom() -> None:
    with pytest.raises(BadField):
        receipt(kind=ReceiptKind.SHARED_WITH, about="")
    assert receipt(kind=ReceiptKind.SHARED_WITH, about="County attorney").about == "County attorney"


def test_texts_that_mislead_are_refused() -> None:
    with pytest.raises(BadText):
        receipt(about="kept \u202e for ever")
    with pytest.raises(BadText):
        receipt(about="x" * 501)


def test_the_longest_receipt_can_be_read() -> None:
    longest = receipt(about="\U0001f6b2" * 500)
    assert read_receipt(encode(longest.to_json())) == longest
