"""Packages in the officer's page: what a home packs opens, what somebody forged is refused by a code."""

import base64
from collections.abc import Callable
from dataclasses import replace
import hashlib
import io
import json
from pathlib import Path
import stat
import struct
from typing import Any
import zipfile

from playwright.async_api import Browser, Page
import pytest

from ringwatch.footage.age_file import generate_identity
from ringwatch.footage.custody import sign_custody
from ringwatch.footage.parties import Identity, IdentityKind
from ringwatch.footage.zip_stored import from_bytes, write_archive
from ringwatch.neighborhood.canonical import encode
from ringwatch.neighborhood.delivery import ReceiptKind, sign_arrival, sign_receipt
from ringwatch.neighborhood.hub_link import HubLink
from ringwatch.neighborhood.key_file import KeyFile, seal
from script.lib.core import ROOT
from tests.footage.forging import TOP, files, packed, plain, sealed, zipped
from tests.footage.giving import (
    AGENCY,
    AGENCY_RECORD,
    DELIVERY,
    HOST,
    MEMBER,
    NEIGHBORHOOD,
    OFFICER,
    POLICE,
    REQUEST_RECORD,
    Made,
    agency_body,
    key,
    make,
    recipient,
    record,
)
from tests.footage.test_archive_attacks import forge_name

HUB = key("hub")
STRANGER = key("stranger")
ARRIVED_S = 1_780_000_100
PASSPHRASE = "correct horse battery staple"
OPEN = """async ([text, wanted]) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return ringwatch.open(new Blob([bytes]), wanted);
}"""


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)


@pytest.fixture
async def officer(built: Path, browser: Browser, tmp_path: Path) -> Page:
    """Return a page with nothing in it but what the officer's page does, opened from the disk."""
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>officer</title>")
    page = await browser.new_page()
    await page.goto(blank.as_uri())
    await page.add_script_tag(path=ROOT / "frontend/dist/officer.js")
    return page


def wanted(data: bytes, **changes: Any) -> dict[str, Any]:
    """Return what the page expects of a delivery: the hub has signed for these bytes."""
    arrival = sign_arrival(
        HUB,
        delivery="dd" * 32,
        request=REQUEST_RECORD.id,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        time_s=ARRIVED_S,
    )
    return {
        "neighborhood": NEIGHBORHOOD,
        "arrival": arrival.to_json(),
        "hubKey": HUB.public,
        "deliveryKey": DELIVERY.public,
        "agencyKey": AGENCY.public,
        "hostKey": HOST.public,
        "request": REQUEST_RECORD.id,
        "identity": POLICE.secret,
    } | changes


async def opened(page: Page, data: bytes, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(
        OPEN, [base64.b64encode(data).decode(), wanted(data, **changes)]
    )
    return found


async def test_a_home_s_package_opens(officer: Page, made: Made) -> None:
    found = await opened(officer, made.data)
    assert [tuple(clip) for clip in found["clips"]] == [
        ("data/clip-01.mp4", 70_000),
        ("data/clip-02.mp4", 3_000),
    ]
    assert found["most"] == 100
    custody = found["custody"]
    assert custody["identity"] == {"kind": "anonymous", "name": None, "address": None, "memberKey": None}
    assert custody["clips"][0]["camera"] == "Front yard"
    assert custody["clips"][0]["changes"] == {
        "trimmed": True,
        "muted": True,
        "faces_blurred": True,
        "boxes": 2,
        "keep_only": False,
        "encoded": True,
        "masked": False,
    }


async def test_a_name_that_was_ticked_comes_with_the_homes_signature(officer: Page, tmp_path: Path) -> None:
    named = make(
        tmp_path,
        identity=Identity(IdentityKind.ADDRESS, "A neighbor", "4 Elm Street"),
        member_key=MEMBER.public,
    )
    found = await opened(officer, named.data)
    assert found["custody"]["identity"] == {
        "kind": "address",
        "name": "A neighbor",
        "address": "4 Elm Street",
        "memberKey": MEMBER.public,
    }


async def test_altered_ciphertext_is_refused_wherever_it_was_altered(officer: Page, made: Made) -> None:
    """Even by a hub that signs for the altered bytes."""
    for at in range(0, len(made.data), 6_007):
        altered = bytearray(made.data)
        altered[at] ^= 0x40
        assert (await opened(officer, bytes(altered)))["code"] in {"altered", "not_for_us"}, at
    for cut in (1, 17, 70_000):
        assert (await opened(officer, made.data[:-cut]))["code"] == "altered"
    assert (await opened(officer, made.data + b"more"))["code"] == "altered"
    assert (await opened(officer, b"age-encryption.org/v1\n" + b"-> X25519 x\n" * 5_000))["code"] == "altered"


async def test_it_is_only_what_the_hub_has_signed_for(officer: Page, made: Made) -> None:
    other = wanted(made.data[:-1] + b"x")
    assert (await opened(officer, made.data, arrival=other["arrival"]))["code"] == "altered"
    assert (await opened(officer, made.data, identity=generate_identity().secret))["code"] == "not_for_us"
    assert (await opened(officer, made.data, deliveryKey=STRANGER.public))["code"] == "wrong_delivery"
    assert (await opened(officer, made.data, agencyKey=STRANGER.public))["code"] == "wrong_delivery"
    assert (await opened(officer, made.data, neighborhood="00" * 32))["code"] == "wrong_delivery"
    assert (await opened(officer, made.data, request="00" * 32))["code"] == "wrong_delivery"
    assert (await opened(officer, made.data, hostKey=STRANGER.public))["code"] == "wrong_delivery"
    another = wanted(made.data)["arrival"] | {"request": "00" * 32}
    with pytest.raises(Exception, match="bad_signature"):
        await opened(officer, made.data, arrival=another)


def _link(name: str) -> zipfile.ZipInfo:
    link = zipfile.ZipInfo(name)
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return link


def _overlapping(archive: bytes) -> io.BytesIO:
    """Have a directory name all files twice."""
    end = len(archive) - 22
    at = struct.unpack_from("<I", archive, end + 16)[0]
    central = archive[at:end]
    forged = bytearray(archive[:at] + central + central + archive[end:])
    count = struct.unpack_from("<H", archive, end + 8)[0]
    struct.pack_into("<HHI", forged, len(forged) - 14, 2 * count, 2 * count, 2 * len(central))
    return sealed(bytes(forged))


def _lying(archive: bytes, offset: int, value: int) -> io.BytesIO:
    """Change a number in the directory's first entry."""
    forged = bytearray(archive)
    struct.pack_into("<I", forged, struct.unpack_from("<I", archive, len(archive) - 6)[0] + offset, value)
    return sealed(bytes(forged))


def _commented(archive: bytes) -> io.BytesIO:
    forged = bytearray(archive + b"more")
    struct.pack_into("<H", forged, len(archive) - 2, 4)
    return sealed(bytes(forged))


def _two_folders(contents: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    entries = [from_bytes(f"{TOP}/{name}", data) for name, data in contents.items()]
    write_archive(out, [*entries, from_bytes("ringwatch-00000000/bagit.txt", b"")])
    return sealed(out.getvalue())


ARCHIVES: dict[str, Callable[[Made], io.BytesIO]] = {
    "empty": lambda _: sealed(b""),
    "no archive": lambda _: sealed(b"#!/bin/sh\necho hello\n" * 20),
    "a bomb": lambda _: zipped(
        [(f"{TOP}/data/clip-01.mp4", bytes(30_000_000))], compression=zipfile.ZIP_DEFLATED
    ),
    "overlapping": lambda made: _overlapping(plain(made)),
    "packed size": lambda made: _lying(plain(made), 20, 0xFFFFFFFF),
    "size": lambda made: _lying(plain(made), 24, 0xFFFFFFFF),
    "where it begins": lambda made: _lying(plain(made), 42, 4),
    "checksum": lambda made: _lying(plain(made), 16, 1),
    "a link": lambda _: zipped([(_link(f"{TOP}/data/clip-01.mp4"), b"/etc/passwd")]),
    "a folder": lambda _: zipped([(zipfile.ZipInfo(f"{TOP}/data/"), b"")]),
    "twice": lambda made: packed([*files(made).items(), ("data/clip-01.mp4", b"another one")]),
    "65 files": lambda _: zipped([(f"{TOP}/data/f-{number}.mp4", b"x") for number in range(65)]),
    "before": lambda made: sealed(b"MZ" + plain(made)),
    "behind": lambda made: sealed(plain(made) + b"more"),
    "a comment": lambda made: _commented(plain(made)),
    "two folders": lambda made: _two_folders(files(made)),
    "a page among the clips": lambda made: packed(
        files(made) | {"data/run.html": b"<script>alert(1)</script>"}
    ),
    **{
        f"the name {name!r}": lambda made, name=name: forge_name(plain(made), name)
        for name in (
            "../evil.sh",
            f"{TOP}/../../evil.sh",
            "/etc/cron.d/evil",
            "C:\\Windows\\evil.dll",
            f"{TOP}/data/..",
            f"{TOP}//bagit.txt",
            f"{TOP}/data/clip-01.mp4\0.exe",
            f"{TOP}/data/clip-01.MP4",
            f"{TOP}/data/\u202e4pm.exe",
            f"{TOP}/data/clip-11.mp4",
            f"{TOP}/data/{'a' * 200}",
            "",
        )
    },
}


async def test_archives_in_any_other_form_are_refused(officer: Page, made: Made) -> None:
    assert "custody" in await opened(officer, packed(files(made)).getvalue())
    for name, forge in ARCHIVES.items():
        found = await opened(officer, forge(made).getvalue())
        assert found.get("code") == "bad_archive", (name, found)


async def test_bags_that_dont_fit_their_lists_are_refused(officer: Page, made: Made) -> None:
    contents = files(made)
    other_clip = contents | {"data/clip-01.mp4": b"\0" + contents["data/clip-01.mp4"][1:]}
    manifest = contents["manifest-sha256.txt"]
    bags: dict[str, io.BytesIO] = {
        "an altered clip": packed(other_clip, anew=False),
        "another version": packed(contents | {"bagit.txt": b"BagIt-Version: 0.97\n"}),
        "a line of no digest": packed(
            contents | {"manifest-sha256.txt": manifest + b"no  data/clip-01.mp4\n"}, anew=False
        ),
        "a line twice": packed(
            contents | {"manifest-sha256.txt": manifest + manifest.splitlines(keepends=True)[0]}, anew=False
        ),
        "a clip more": packed(contents | {"data/clip-03.mp4": b"x"}, anew=False),
        **{
            f"without {name}": packed({k: v for k, v in contents.items() if k != name}, anew=False)
            for name in (
                "bagit.txt",
                "manifest-sha256.txt",
                "custody.sig",
                "padding.bin",
                "data/custody.json",
            )
        },
    }
    for name, package in bags.items():
        found = await opened(officer, package.getvalue())
        assert found.get("code") == "bad_bag", (name, found)
    assert (await opened(officer, packed(other_clip).getvalue()))["code"] == "bad_custody"
    more = packed(contents | {"data/clip-03.mp4": b"x"})
    assert (await opened(officer, more.getvalue()))["code"] == "bad_custody"


async def test_custody_records_that_were_altered_or_signed_by_others_are_refused(
    officer: Page, made: Made
) -> None:
    written = files(made)["data/custody.json"]

    def with_record(custody: bytes, signatures: bytes | None = None) -> bytes:
        contents = files(made) | {"data/custody.json": custody}
        return packed(contents | ({"custody.sig": signatures} if signatures else {})).getvalue()

    for before, after in (
        (b'"camera":"Front yard"', b'"camera":"Back yard"'),
        (b'"offset_ms":-120', b'"offset_ms":-920'),
        (b'"muted":true', b'"muted":false'),
    ):
        assert (await opened(officer, with_record(written.replace(before, after, 1))))[
            "code"
        ] == "bad_signature"
    value = json.loads(written)
    for name, damaged in (
        ("version", value | {"v": 2}),
        ("more", value | {"more": 1}),
        ("no clips", value | {"clips": []}),
        ("path", value | {"clips": [value["clips"][0] | {"file": "../clip-01.mp4"}]}),
        ("backwards", value | {"clips": [value["clips"][0] | {"end_ms": 0}]}),
        ("nameless", value | {"identity": {"kind": "name"}}),
        ("invisible", value | {"software": "Ring\u202ewatch"}),
    ):
        found = await opened(officer, with_record(encode(damaged)))
        assert found.get("code") == "bad_custody", (name, found)

    def signed(custody: Any, by: Any = DELIVERY, member: Any = None, certificates: Any = None) -> bytes:
        under = sign_custody(custody, by, member, certificates or (AGENCY_RECORD, REQUEST_RECORD))
        return with_record(custody.to_bytes(), under.to_bytes())

    custody = made.plan.custody
    named = replace(custody, identity=Identity(IdentityKind.NAME, "A neighbor"), member_key=MEMBER.public)
    for name, package, code in (
        ("right", signed(custody), None),
        ("a stranger", signed(custody, by=STRANGER), "bad_signature"),
        ("the home that is named", signed(named), "bad_signature"),
        ("another home", signed(named, member=STRANGER), "bad_signature"),
        ("no request", signed(custody, certificates=(AGENCY_RECORD,)), "wrong_delivery"),
        (
            "another profile",
            signed(custody, certificates=(record(HOST, agency_body(name="Other")), REQUEST_RECORD)),
            "wrong_delivery",
        ),
        ("other terms", signed(replace(custody, recipient=recipient(retention_days=1))), "wrong_delivery"),
        ("another request", signed(replace(custody, request="00" * 32)), "wrong_delivery"),
    ):
        assert (await opened(officer, package)).get("code") == code, name


async def test_key_files_of_script_agency_open_and_keep_their_secrets(officer: Page) -> None:
    hub = HubLink("https://hub.example", NEIGHBORHOOD, HUB.public).link
    text = seal(KeyFile("Chandler PD", hub, OFFICER.seed, POLICE.secret), PASSPHRASE).decode()
    call = "([text, passphrase]) => ringwatch.keyFile(text, passphrase)"
    assert await officer.evaluate(call, [text, PASSPHRASE]) == {
        "publicKey": OFFICER.public,
        "recipient": POLICE.recipient,
        "agency": "Chandler PD",
        "hub": hub,
        "extractable": [False, False],
    }
    assert await officer.evaluate(call, [text, PASSPHRASE + "!"]) == "wrong_passphrase"
    changed_file = json.loads(text)
    changed_file["data"] = changed_file["data"][:-8] + "AAAAAAA="
    assert await officer.evaluate(call, [json.dumps(changed_file), PASSPHRASE]) == "wrong_passphrase"
    slow = json.loads(text)
    slow["kdf"]["iterations"] = 10**9
    for bad in ("{}", "[]", "no", json.dumps(slow), json.dumps(json.loads(text) | {"format": "other/1"})):
        assert await officer.evaluate(call, [bad, PASSPHRASE]) == "not_a_key_file"
    reading = seal(KeyFile("Chandler PD", None, None, POLICE.secret), PASSPHRASE).decode()
    assert (await officer.evaluate(call, [reading, PASSPHRASE]))["publicKey"] is None


async def test_receipts_and_links_are_those_of_the_homes(officer: Page) -> None:
    said = {
        "delivery": "dd" * 32,
        "request": REQUEST_RECORD.id,
        "sha256": "ab" * 32,
        "kind": "shared_with",
        "time": ARRIVED_S,
        "retention_until": None,
        "about": "County prosecutor",
    }
    by_page = await officer.evaluate(
        "([seed, said]) => ringwatch.receipt(seed, said)", [OFFICER.seed.hex(), said]
    )
    assert (
        by_page
        == sign_receipt(
            OFFICER,
            delivery="dd" * 32,
            request=REQUEST_RECORD.id,
            sha256="ab" * 32,
            kind=ReceiptKind.SHARED_WITH,
            time_s=ARRIVED_S,
            about="County prosecutor",
        ).to_json()
    )
    code = "value => ringwatch.receiptCode(value)"
    assert await officer.evaluate(code, by_page) is None
    assert await officer.evaluate(code, by_page | {"time": 1}) == "bad_signature"
    assert await officer.evaluate(code, by_page | {"about": ""}) == "bad_field"
    good = HubLink("https://hub.example:8443/way", NEIGHBORHOOD, HUB.public).link
    assert await officer.evaluate("text => ringwatch.link(text)", f" {good} ") == good
    for bad in (
        "",
        "https://hub.example/hub",
        good.replace("/hub#", "/join#"),
        good + "A",
        good[:-4],
        f"ftp{good[5:]}",
    ):
        assert await officer.evaluate("text => ringwatch.link(text)", bad) is None, bad
