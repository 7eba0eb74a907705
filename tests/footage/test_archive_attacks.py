"""Archives that somebody made on purpose, and ciphertexts that were touched: refused, each by its code."""

import io
from pathlib import Path
import stat
import struct
import zipfile

import pytest

from ringwatch.footage.package import read_package
from ringwatch.footage.zip_stored import (
    MAX_ARCHIVE_BYTES,
    ZipError,
    read_directory,
)

from .forging import TOP, files, packed, plain, refused, sealed, zipped
from .giving import (
    POLICE,
    Made,
    make,
)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)


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
