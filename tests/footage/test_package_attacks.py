"""Bags and records that somebody made on purpose: refused, each by its code, before a clip comes out.

Whoever delivers holds a valid delivery key and knows the agency's recipient, so everything here can be signed
and encrypted rightly; what is wrong is inside.
"""

from collections.abc import Callable
from dataclasses import replace
import io
from pathlib import Path
from typing import Any

import pytest

from ringwatch.footage.custody import Custody, Signatures, sign_custody
from ringwatch.footage.package import Expected, read_package
from ringwatch.footage.parties import Identity, IdentityKind
from ringwatch.footage.zip_stored import (
    from_bytes,
    write_archive,
)
from ringwatch.neighborhood.canonical import encode, parse

from .forging import TOP, files, packed, refused, sealed
from .giving import (
    AGENCY,
    AGENCY_RECORD,
    DELIVERY,
    HOST,
    MEMBER,
    POLICE,
    REQUEST_RECORD,
    Made,
    agency_body,
    key,
    make,
    recipient,
    record,
)

STRANGER = key("stranger")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)


# ---- the bag ------------------------------------------------------------------------------------------


def test_a_clip_that_isnt_what_the_manifest_says(made: Made) -> None:
    contents = files(made)
    contents["data/clip-01.mp4"] = b"\0" + contents["data/clip-01.mp4"][1:]
    refused(packed(contents, anew=False), "digest_differs")


def test_a_clip_with_a_manifest_to_fit_isnt_what_the_custody_record_says(made: Made) -> None:
    contents = files(made)
    contents["data/clip-01.mp4"] = b"\0" + contents["data/clip-01.mp4"][1:]
    refused(packed(contents), "bad_custody")


@pytest.mark.parametrize(
    "name", ["data/extra.mp4", "data/clip-03.mp4", "data/run.html", "extra.txt", "data/a/b"]
)
def test_a_file_more_is_refused(made: Made, name: str) -> None:
    contents = files(made) | {name: b"<script>alert(1)</script>"}
    refused(packed(contents, anew=False), "bad_manifest")
    refused(packed(contents), "bad_custody", "bad_manifest")


@pytest.mark.parametrize(
    "name",
    ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "custody.sig", "padding.bin", "data/custody.json"],
)
def test_a_file_less_is_refused(made: Made, name: str) -> None:
    contents = files(made)
    del contents[name]
    refused(packed(contents, anew=False), "bad_manifest", "bad_bag")


@pytest.mark.parametrize(
    "line",
    [
        b"not a digest  data/clip-01.mp4\n",
        b"00" * 32 + b" data/clip-01.mp4\n",
        b"00" * 32 + b"  ../../etc/passwd\n",
        b"\xff" * 80 + b"\n",
    ],
)
def test_a_manifest_with_other_lines_is_refused(made: Made, line: bytes) -> None:
    contents = files(made)
    contents["manifest-sha256.txt"] += line
    refused(packed(contents, anew=False), "bad_manifest")


def test_a_manifest_that_names_a_file_twice_is_refused(made: Made) -> None:
    contents = files(made)
    contents["manifest-sha256.txt"] += contents["manifest-sha256.txt"].splitlines(keepends=True)[0]
    refused(packed(contents, anew=False), "bad_manifest")


def test_small_files_that_are_large_are_refused(made: Made) -> None:
    contents = files(made)
    for name in ("custody.sig", "data/custody.json", "manifest-sha256.txt"):
        refused(packed({**contents, name: b" " * 400_000}, anew=False), "too_large", "digest_differs")


def test_another_version_of_bagit_is_refused(made: Made) -> None:
    refused(packed(files(made) | {"bagit.txt": b"BagIt-Version: 0.97\n"}), "bad_bag")


def test_two_folders_are_refused(made: Made) -> None:
    entries = [from_bytes(f"{TOP}/{name}", data) for name, data in files(made).items()]
    out = io.BytesIO()
    write_archive(out, [*entries, from_bytes("ringwatch-00000000/readme.txt", b"")])
    refused(sealed(out.getvalue()), "bad_bag")


def test_the_folder_of_another_delivery_is_refused(made: Made) -> None:
    refused(packed(files(made), top="ringwatch-00000000"), "bad_bag")


# ---- the custody record -------------------------------------------------------------------------------


def with_custody(made: Made, custody: bytes, signatures: bytes | None = None) -> io.BytesIO:
    contents = files(made) | {"data/custody.json": custody}
    if signatures is not None:
        contents["custody.sig"] = signatures
    return packed(contents)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"camera":"Front yard"', b'"camera":"Back yard"'),
        (b'"offset_ms":-120', b'"offset_ms":-920'),
        (b'"muted":true', b'"muted":false'),
        (b'"retention_days":90', b'"retention_days":9000'),
        (b'"kind":"anonymous"', b'"kind":"anonymous" '),
    ],
)
def test_an_altered_custody_record_is_refused(made: Made, before: bytes, after: bytes) -> None:
    written = files(made)["data/custody.json"]
    assert before in written
    refused(with_custody(made, written.replace(before, after, 1)), "bad_signature", "bad_custody")


def signed_by(made: Made, custody: Custody, **changes: Any) -> io.BytesIO:
    """Return a package with another record, rightly signed by the delivery's key."""
    certificates = changes.get("certificates", (AGENCY_RECORD, REQUEST_RECORD))
    signed = sign_custody(custody, changes.get("by", DELIVERY), changes.get("member"), certificates)
    return with_custody(made, custody.to_bytes(), signed.to_bytes())


def changed(made: Made, **fields: Any) -> Custody:
    return replace(made.plan.custody, **fields)


def test_a_record_signed_by_another_key_is_refused(made: Made) -> None:
    refused(signed_by(made, made.plan.custody, by=STRANGER), "bad_signature")


def test_the_home_that_is_named_has_to_sign(made: Made) -> None:
    named = changed(made, identity=Identity(IdentityKind.NAME, "A neighbor"), member_key=MEMBER.public)
    refused(signed_by(made, named), "bad_signature")
    refused(signed_by(made, named, member=STRANGER), "bad_signature")
    assert read_package(signed_by(made, named, member=MEMBER), POLICE.secret).custody == named


def test_an_anonymous_record_with_a_homes_signature_is_refused(made: Made) -> None:
    signed = Signatures.parse(files(made)["custody.sig"])
    forged = Signatures(signed.key, signed.sig, (MEMBER.public, signed.sig), signed.certificates)
    refused(with_custody(made, made.plan.custody.to_bytes(), forged.to_bytes()), "bad_signature")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Another agency"},
        {"domain": "evil.example"},
        {"key": STRANGER.public},
        {"age_recipient": "age1" + "q" * 58},
        {"retention_days": 1},
        {"sharing": "none"},
        {"face_recognition": "with_warrant"},
        {"agency_id": "00" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_agency_is_the_one_of_the_neighborhoods_record(made: Made, change: dict[str, Any]) -> None:
    refused(signed_by(made, changed(made, recipient=recipient(**change))), "bad_certificate")


def test_certificates_have_to_be_there_and_signed(made: Made) -> None:
    custody = made.plan.custody
    refused(signed_by(made, custody, certificates=(AGENCY_RECORD,)), "bad_certificate")
    refused(signed_by(made, custody, certificates=(REQUEST_RECORD,)), "bad_certificate")
    other = record(HOST, agency_body(name="Another agency"))
    refused(signed_by(made, custody, certificates=(other, REQUEST_RECORD)), "bad_certificate")
    wires: list[Any] = [AGENCY_RECORD.to_wire(), REQUEST_RECORD.to_wire()]
    wires[0] = {**wires[0], "sig": "00" * 64}
    signed = Signatures.parse(files(made)["custody.sig"])
    forged = encode({"key": signed.key, "sig": signed.sig, "certificates": wires})
    refused(with_custody(made, custody.to_bytes(), forged), "bad_signature")


def test_a_package_of_another_neighborhood_is_refused(made: Made) -> None:
    refused(signed_by(made, changed(made, neighborhood="00" * 32)), "bad_certificate")


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value | {"v": 2},
        lambda value: value | {"more": 1},
        lambda value: value | {"clips": []},
        lambda value: value | {"clips": value["clips"] * 2},
        lambda value: value | {"clips": [value["clips"][0] | {"file": "../clip-01.mp4"}]},
        lambda value: value | {"clips": [value["clips"][0] | {"end_ms": 0}]},
        lambda value: value | {"identity": {"kind": "name"}},
        lambda value: value | {"identity": {"kind": "anonymous", "name": "x", "member_key": MEMBER.public}},
        lambda value: value | {"created": -1},
        lambda value: [value],
    ],
)
def test_a_record_of_another_form_is_refused(made: Made, damage: Callable[[Any], Any]) -> None:
    value = parse(made.plan.custody.to_bytes(), 100_000)
    refused(with_custody(made, encode(damage(value))), "bad_custody")


# ---- replayed -----------------------------------------------------------------------------------------


def test_a_package_that_was_made_for_something_else_is_refused(made: Made) -> None:
    file = io.BytesIO(made.data)
    refused(file, "other_request", expected=Expected(request="00" * 32))
    refused(file, "other_delivery", expected=Expected(REQUEST_RECORD.id, STRANGER.public))
    refused(file, "other_recipient", expected=Expected(agency_key=STRANGER.public))
    right = Expected(REQUEST_RECORD.id, DELIVERY.public, AGENCY.public)
    assert read_package(file, POLICE.secret, right).custody == made.plan.custody
