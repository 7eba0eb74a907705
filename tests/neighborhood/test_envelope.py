"""Records: what is signed is what was said, or it is refused."""

from dataclasses import replace
import hashlib
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.bodies import Comment, Thanks
from custom_components.ringwatch.neighborhood.canonical import Json, encode
from custom_components.ringwatch.neighborhood.envelope import (
    MAX_RECORD_BYTES,
    Envelope,
    Record,
    hash_body,
    parse_record,
    sign_record,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.keys import verify
from custom_components.ringwatch.neighborhood.types import Type
from custom_components.ringwatch.neighborhood.violations import (
    BadField,
    BadSignature,
    BodyAltered,
    BodyMissing,
    NotCanonical,
    RecordViolation,
    TooLarge,
    UnknownType,
    UnknownVersion,
)  # fmt: skip

from .street import NOON_S, founding, key, seed
from .test_bodies import POST

ID = seed("id").hex()


def signed(body: Any = POST, **changes: Any) -> Record:
    fields: dict[str, Any] = {
        "neighborhood": ID, "created_s": NOON_S, "prev": ID, "head": ID, "salt": b"s" * 16
    } | changes  # fmt: skip
    return sign_record(key("ann"), body, **fields)


RECORD = signed()
WIRE = encode(RECORD.to_wire())


def test_a_record_reads_back() -> None:
    assert parse_record(WIRE) == RECORD
    assert (RECORD.author, RECORD.type) == (key("ann").public, Type.POST)


def test_id_hash_and_signature_are_those_of_the_protocol() -> None:
    envelope = encode(RECORD.envelope.to_json())
    body = encode(POST.to_json())
    assert RECORD.id == hashlib.sha256(envelope).hexdigest()
    assert RECORD.envelope.body_hash == hashlib.sha256(b"s" * 16 + body).hexdigest()
    assert verify(RECORD.author, "ringwatch/record/v1", bytes.fromhex(RECORD.id), RECORD.sig)


def test_the_body_goes_and_the_rest_still_verifies() -> None:
    erased = RECORD.erased()
    assert erased.id == RECORD.id
    assert parse_record(encode(erased.to_wire())) == erased
    assert b"red one" not in encode(erased.to_wire())
    assert erased.with_body(POST.to_json(), str(RECORD.salt)) == RECORD
    with pytest.raises(BodyAltered):
        erased.with_body(replace(POST, text="").to_json(), str(RECORD.salt))
    with pytest.raises(BodyAltered):
        erased.with_body(POST.to_json(), "00" * 16)


def test_the_salt_keeps_a_short_body_from_being_guessed() -> None:
    assert signed(Thanks(ID)).envelope.body_hash != signed(Thanks(ID), salt=b"t" * 16).envelope.body_hash


@given(st.integers(0, len(WIRE) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, flip: int) -> None:
    changed = bytearray(WIRE)
    changed[at] ^= flip
    with pytest.raises(RecordViolation):
        parse_record(bytes(changed))


@given(st.sampled_from(["type", "neighborhood", "author", "created", "prev", "head", "body_hash"]))
def test_a_forged_envelope_is_refused(field: str) -> None:
    wire: dict[str, Any] = RECORD.to_wire()
    other: dict[str, Json] = {"type": "comment", "created": 1, "author": key("bob").public}
    wire["envelope"] = wire["envelope"] | {field: other.get(field, seed("x").hex())}
    with pytest.raises(BadSignature):
        Record.from_wire(wire)


def test_unknown_versions_types_and_fields_are_refused() -> None:
    envelope = RECORD.envelope.to_json()
    for change, kind in (
        ({"v": 2}, UnknownVersion),
        ({"type": "gossip"}, UnknownType),
        ({"x": 1}, BadField),
        ({"created": -1}, BadField),
        ({"prev": ""}, BadField),
        ({"author": "01" + "00" * 31}, BadField),
    ):
        with pytest.raises(kind):
            Envelope.parse(envelope | change)
    for wire in (
        RECORD.to_wire() | {"x": 1},
        {"envelope": envelope},
        [],
        RECORD.erased().to_wire() | {"body": {}},
    ):
        with pytest.raises(BadField):
            Record.from_wire(wire)  # type: ignore[arg-type]
    with pytest.raises(BodyAltered):
        Record.from_wire(RECORD.to_wire() | {"body": None})


def test_what_the_neighborhood_stands_on_keeps_its_body() -> None:
    record = signed(founding(), neighborhood=None, prev=None, head=None)
    with pytest.raises(BodyMissing):
        parse_record(encode(record.erased().to_wire()))


def test_other_forms_of_the_same_record_are_refused() -> None:
    for data in (WIRE.replace(b":", b": ", 1), b" " + WIRE, WIRE[:-1] + b',"sig":""}'):
        with pytest.raises(NotCanonical):
            parse_record(data)
    with pytest.raises(TooLarge):
        parse_record(WIRE + b" " * MAX_RECORD_BYTES)
    with pytest.raises(TooLarge):
        hash_body("x" * 30_000, "00" * 16)


def test_nothing_is_signed_that_others_refuse() -> None:
    with pytest.raises(RecordViolation):
        signed(Comment(ID, "a\u202eb"))
    with pytest.raises(RecordViolation):
        signed(replace(POST, title=""))
    with pytest.raises(BadField):
        signed(replace(POST, media=list(POST.media)))  # what reads back is a tuple


def test_the_longest_post_fits() -> None:
    body = replace(POST, title="\U0001f98a" * 120, text="\U0001f98a" * 4_000)
    assert len(encode(signed(body).to_wire())) < MAX_RECORD_BYTES
