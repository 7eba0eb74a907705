"""Packages that somebody made on purpose: refused, each by its code, before a byte of a clip comes out.

Whoever delivers holds a valid delivery key and knows the agency's recipient, so everything here can be signed
and encrypted rightly; what is wrong is inside.
"""

from collections.abc import Callable
from dataclasses import replace
import hashlib
import io
from pathlib import Path
import stat
import struct
from typing import Any
import zipfile

import pytest

from ringwatch.footage.age_file import AgeReader, AgeWriter
from ringwatch.footage.custody import Custody, Signatures, sign_custody
from ringwatch.footage.package import Expected, PackageError, read_package
from ringwatch.footage.parties import Identity, IdentityKind
from ringwatch.footage.zip_stored import (
    MAX_ARCHIVE_BYTES,
    ZipError,
    from_bytes,
    read_directory,
    write_archive,
)
from ringwatch.neighborhood.canonical import encode, parse

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

TOP = f"ringwatch-{DELIVERY.public[:8]}"
STRANGER = key("stranger")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)


def plain(made: Made) -> bytes:
    return AgeReader(io.BytesIO(made.data), POLICE.secret).readall() or b""


def files(made: Made) -> dict[str, bytes]:
    """Return what is in a good package, by the names below its folder."""
    with zipfile.ZipFile(io.BytesIO(plain(made))) as archive:
        return {name.removeprefix(f"{TOP}/"): archive.read(name) for name in archive.namelist()}


def sealed(archive: bytes) -> io.BytesIO:
    out = io.BytesIO()
    writer = AgeWriter(out, (POLICE.recipient, POLICE.recipient))
    writer.write(archive)
    writer.close()
    return out


def packed(
    contents: dict[str, bytes] | list[tuple[str, bytes]], *, anew: bool = True, top: str = TOP
) -> io.BytesIO:
    """Pack files as we write archives; `anew` makes the manifests fit again."""
    if isinstance(contents, dict):
        if anew:
            contents = with_manifests(contents)
        contents = list(contents.items())
    out = io.BytesIO()
    write_archive(out, [from_bytes(f"{top}/{name}", data) for name, data in contents])
    return sealed(out.getvalue())


def with_manifests(contents: dict[str, bytes]) -> dict[str, bytes]:
    tags = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "custody.sig", "padding.bin")
    payload = sorted(name for name in contents if name.startswith("data/"))
    fitted = contents | {"manifest-sha256.txt": lines(contents, payload)}
    return fitted | {"tagmanifest-sha256.txt": lines(fitted, sorted(tags))}


def lines(contents: dict[str, bytes], names: list[str]) -> bytes:
    return "".join(f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in names).encode()


def zipped(entries: list[tuple[Any, bytes]], **options: Any) -> io.BytesIO:
    """Pack with Python's own zipfile, which can do what we never do."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return sealed(out.getvalue())


def refused(file: io.BytesIO, *codes: str, expected: Expected | None = None) -> None:
    with pytest.raises(PackageError) as raised:
        read_package(file, POLICE.secret, expected or Expected())
    assert raised.value.code in codes, raised.value


def test_the_helpers_make_packages_that_are_taken(made: Made) -> None:
    """Else everything below would be refused for another reason."""
    assert read_package(packed(files(made)), POLICE.secret).custody == made.plan.custody
    assert read_package(packed(files(made), anew=False), POLICE.secret).custody == made.plan.custody


# ---- ciphertext ---------------------------------------------------------------------------------------


def test_altered_ciphertext_is_refused_wherever_it_was_altered(made: Made) -> None:
    for at in range(0, len(made.data), 1_009):
        altered = bytearray(made.data)
        altered[at] ^= 0x40
        refused(io.BytesIO(altered), "altered", "not_age", "not_for_us")


def test_a_package_without_its_end_is_refused(made: Made) -> None:
    for cut in (1, 16, 17, 5_000, 70_000):
        refused(io.BytesIO(made.data[:-cut]), "altered")


def test_what_is_no_package_at_all(made: Made) -> None:
    refused(io.BytesIO(b""), "not_age")
    refused(io.BytesIO(plain(made)), "not_age")
    refused(sealed(b""), "bad_archive")
    refused(sealed(b"#!/bin/sh\necho hello\n" * 20), "bad_archive")


# ---- the archive --------------------------------------------------------------------------------------


def test_compressed_entries_are_refused_so_no_bomb_can_be_packed() -> None:
    bomb = zipped([(f"{TOP}/data/clip-01.mp4", bytes(30_000_000))], compression=zipfile.ZIP_DEFLATED)
    assert len(bomb.getvalue()) < 40_000
    refused(bomb, "not_stored")


def test_overlapping_entries_are_refused(made: Made) -> None:
    """The other kind of bomb: many entries of a directory share the bytes of one file."""
    archive = bytearray(plain(made))
    end = len(archive) - 22
    at = struct.unpack_from("<I", archive, end + 16)[0]
    central = bytes(archive[at:end])
    forged = archive[:at] + central + central + archive[end:]
    count = struct.unpack_from("<H", archive, end + 8)[0]
    struct.pack_into("<HHI", forged, len(forged) - 14, 2 * count, 2 * count, 2 * len(central))
    refused(sealed(bytes(forged)), "bad_archive", "doubled_entry")


def test_sizes_that_lie_are_refused(made: Made) -> None:
    archive = bytearray(plain(made))
    at = struct.unpack_from("<I", archive, len(archive) - 6)[0]
    for offset in (20, 24, 42):  # packed size, size, where it begins
        forged = bytearray(archive)
        struct.pack_into("<I", forged, at + offset, 0xFFFFFFFF if offset < 42 else 4)
        refused(sealed(bytes(forged)), "bad_archive", "not_stored")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.sh",
        f"{TOP}/../../evil.sh",
        "/etc/cron.d/evil",
        "C:/Windows/evil.dll",
        "C:\\Windows\\evil.dll",
        f"{TOP}/data/..",
        f"{TOP}//bagit.txt",
        f"{TOP}/data/",
        f"{TOP}/.bashrc",
        f"{TOP}/data/clip-01.mp4\0.exe",
        f"{TOP}/data/clip-01.mp4 ",
        f"{TOP}/data/CON:",
        f"{TOP}/data/-rf",
        f"{TOP}/data/clip-01.MP4",
        f"{TOP}/data/\u202e4pm.exe",
        f"{TOP}/data/{'a' * 200}",
        "",
    ],
)
def test_names_that_lead_elsewhere_are_refused(made: Made, name: str) -> None:
    contents = [(f"{TOP}/{file}", data) for file, data in files(made).items()]
    refused(zipped([*contents, (name, b"evil")]), "bad_name", "bad_archive", "link")
    # and in our own form, where only the name is wrong
    refused(forge_name(plain(made), name), "bad_name", "bad_archive")


def forge_name(archive: bytes, name: str) -> io.BytesIO:
    """Put one more file, of any name, at the end of an archive of our form."""
    encoded = name.encode()
    at = struct.unpack_from("<I", archive, len(archive) - 6)[0]
    count = struct.unpack_from("<H", archive, len(archive) - 14)[0]
    crc = 0xCBF43926  # of b"123456789"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 10, 0, 0, 0, 0x21, crc, 9, 9, len(encoded), 0) + encoded
    entry = (b"PK\1\2", 0x030A, 10, 0, 0, 0, 0x21, crc, 9, 9, len(encoded), 0, 0, 0, 0, 0o100644 << 16, at)
    central = archive[at:-22] + struct.pack("<4sHHHHHHIIIHHHHHII", *entry) + encoded
    start = at + len(local) + 9
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count + 1, count + 1, len(central), start, 0)
    return sealed(archive[:at] + local + b"123456789" + central + end)


def test_a_forged_name_of_ours_would_be_taken_by_the_archive_reader(made: Made) -> None:
    """So that the test above shows what it means to: this one fails at the manifest only."""
    refused(forge_name(plain(made), f"{TOP}/data/clip-03.mp4"), "bad_manifest")


def test_links_and_folders_are_refused() -> None:
    link = zipfile.ZipInfo(f"{TOP}/data/clip-01.mp4")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(zipped([(link, b"/etc/passwd")]), "link")
    refused(zipped([(zipfile.ZipInfo(f"{TOP}/data/"), b"")]), "bad_name", "link")


def test_a_file_twice_is_refused(made: Made) -> None:
    contents = files(made)
    twice = [*contents.items(), ("data/clip-01.mp4", b"another one")]
    refused(packed(twice), "doubled_entry")


def test_more_than_64_entries_are_refused() -> None:
    entries = [(f"{TOP}/data/f-{number}.mp4", b"x") for number in range(65)]
    refused(zipped(entries), "too_many_entries")


def test_something_before_or_behind_the_archive_is_refused(made: Made) -> None:
    archive = plain(made)
    refused(sealed(b"MZ" + archive), "bad_archive")
    refused(sealed(archive + b"more"), "bad_archive")
    comment = bytearray(archive + b"more")
    struct.pack_into("<H", comment, len(archive) - 2, 4)
    refused(sealed(bytes(comment)), "bad_archive")


def test_two_tales_of_one_entry_are_refused(made: Made) -> None:
    """A local header that says something else than the directory: programs differ in which they believe."""
    archive = plain(made)
    name = f"{TOP}/data/clip-02.mp4".encode()
    first = archive.index(name)
    forged = archive[:first] + name.replace(b"02", b"09") + archive[first + len(name) :]
    refused(sealed(forged), "bad_archive")


def test_an_archive_that_is_too_large_is_refused_by_its_length(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb+") as file:
        file.truncate(MAX_ARCHIVE_BYTES + 1)  # sparse
        with pytest.raises(ZipError, match="too_large"):
            read_directory(file)


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
