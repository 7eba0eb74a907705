"""A package is what its description says: other programs open it, and its length tells little."""

import io
import json
from pathlib import Path
import shutil
import subprocess
import sys
import zipfile

import bagit
from hypothesis import given, strategies as st
import pytest

from ringwatch.footage.age_file import AgeReader
from ringwatch.footage.custody import Custody, Signatures
from ringwatch.footage.package import (
    Expected,
    PackageError,
    padded_bytes,
    read_package,
    write_package,
)
from ringwatch.footage.parties import Identity, IdentityKind

from .giving import DELIVERY, HOME, MEMBER, POLICE, REQUEST_RECORD, clip_bytes, make

ROOT = Path(__file__).parents[2]
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="needs Debian's age")


def unpack(data: bytes, folder: Path) -> Path:
    """Unpack as somebody without Ringwatch does."""
    plain = AgeReader(io.BytesIO(data), POLICE.secret)
    with zipfile.ZipFile(io.BytesIO(plain.readall() or b"")) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder / f"ringwatch-{DELIVERY.public[:8]}"


def test_it_reads_back(tmp_path: Path) -> None:
    made = make(tmp_path)
    for one in (POLICE, HOME):
        found = read_package(io.BytesIO(made.data), one.secret, Expected(REQUEST_RECORD.id, DELIVERY.public))
        assert found.custody == made.plan.custody
        assert b"".join(found.clip("clip-01.mp4")) == clip_bytes(1, 70_000)
        assert b"".join(found.clip("clip-02.mp4")) == clip_bytes(2, 3_000)
    assert (made.sealed.size_bytes, len(made.sealed.sha256)) == (len(made.data), 64)


def test_the_bagit_library_and_sha256sum_find_it_right(tmp_path: Path) -> None:
    folder = unpack(make(tmp_path / "clips").data, tmp_path)
    bag = bagit.Bag(str(folder))
    bag.validate()
    assert bag.info["Payload-Oxum"] == f"{sum(p.stat().st_size for p in (folder / 'data').iterdir())}.3"
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "-c", "--strict", manifest], cwd=folder, check=True, capture_output=True)
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "bagit.txt",
        "bag-info.txt",
        "manifest-sha256.txt",
        "tagmanifest-sha256.txt",
        "custody.sig",
        "padding.bin",
        "data/custody.json",
        "data/clip-01.mp4",
        "data/clip-02.mp4",
    }


def test_a_clip_that_was_changed_after_unpacking_is_found(tmp_path: Path) -> None:
    folder = unpack(make(tmp_path / "clips").data, tmp_path)
    clip = folder / "data/clip-02.mp4"
    clip.write_bytes(clip.read_bytes()[:-1] + b"!")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(folder)).validate()
    failed = subprocess.run(
        ["sha256sum", "-c", "manifest-sha256.txt"], cwd=folder, check=False, capture_output=True
    )
    assert b"data/clip-02.mp4: FAILED" in failed.stdout


@needs_age
def test_an_agency_without_ringwatch_opens_it_with_age_and_unzip(tmp_path: Path) -> None:
    made = make(tmp_path / "clips")
    (tmp_path / "key.txt").write_text(POLICE.secret + "\n")
    (tmp_path / "sealed.age").write_bytes(made.data)
    command = ["age", "-d", "-i", "key.txt", "-o", "package.zip", "sealed.age"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
        name = next(name for name in archive.namelist() if name.endswith("custody.json"))
        assert Custody.parse(archive.read(name)) == made.plan.custody


def test_an_anonymous_package_holds_nothing_of_the_home(tmp_path: Path) -> None:
    plain = AgeReader(io.BytesIO(make(tmp_path).data), POLICE.secret).readall() or b""
    assert MEMBER.public.encode() not in plain
    assert b'"identity":{"kind":"anonymous"}' in plain
    assert HOME.recipient.encode() not in plain
    assert str(tmp_path).encode() not in plain


@pytest.mark.parametrize(
    "identity",
    [
        Identity(IdentityKind.NAME, "R. Alvarez"),
        Identity(IdentityKind.ADDRESS, "R. Alvarez", "12 Maple Street"),
    ],
    ids=["name", "address"],
)
def test_a_name_is_signed_by_the_home_itself(tmp_path: Path, identity: Identity) -> None:
    made = make(tmp_path, identity=identity, member_key=MEMBER.public)
    found = read_package(io.BytesIO(made.data), POLICE.secret)
    assert found.custody.identity == identity
    assert found.signatures.member is not None
    assert found.signatures.member[0] == MEMBER.public
    assert (b"Maple Street" in found.custody.to_bytes()) == (identity.kind is IdentityKind.ADDRESS)


def test_signatures_read_back(tmp_path: Path) -> None:
    found = read_package(io.BytesIO(make(tmp_path).data), POLICE.secret)
    assert Signatures.parse(found.signatures.to_bytes()) == found.signatures


def test_a_clip_that_isnt_what_was_confirmed_is_not_packed(tmp_path: Path) -> None:
    made = make(tmp_path)
    (tmp_path / "clip-02.mp4").write_bytes(clip_bytes(9, 3_000))
    out = io.BytesIO()
    with pytest.raises(PackageError, match="changed"):
        write_package(out, made.plan)
    assert not out.getvalue()


def test_a_clip_that_changes_while_it_is_packed_leaves_no_package(tmp_path: Path) -> None:
    made = make(tmp_path)

    class Meddling(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            (tmp_path / "clip-02.mp4").write_bytes(clip_bytes(9, 3_000))
            return super().write(data)

    out = Meddling()
    with pytest.raises(PackageError, match="changed"):
        write_package(out, made.plan)
    with pytest.raises(PackageError):
        read_package(out, POLICE.secret)


def test_the_same_clips_make_another_ciphertext_each_time(tmp_path: Path) -> None:
    made = make(tmp_path)
    again = io.BytesIO()
    sealed = write_package(again, made.plan)
    assert sealed.size_bytes == made.sealed.size_bytes
    assert sealed.sha256 != made.sealed.sha256


def test_the_length_tells_little(tmp_path: Path) -> None:
    """Of 200,000 bytes or 219,000: six lengths in all. Of 400,000 and some more: one."""
    lengths = {make(tmp_path / str(n), (200_000 + n * 1_000,)).sealed.size_bytes for n in range(20)}
    assert len(lengths) <= 6
    assert len({make(tmp_path / str(n), (400_000 + n,)).sealed.size_bytes for n in range(6)}) == 1


@given(st.integers(1, 600_000_000))
def test_padding_costs_at_most_an_eighth(size: int) -> None:
    padded = padded_bytes(size)
    assert size <= padded <= size * 1.125 + 1
    assert padded_bytes(padded) == padded


def test_there_are_few_lengths() -> None:
    """From a kilobyte to 500 MB: 509."""
    seen, size = 0, 1_024
    while size <= 500_000_000:
        size = padded_bytes(size) + 1
        seen += 1
    assert seen == 509


def test_packing_and_opening_much_needs_little_memory(tmp_path: Path) -> None:
    """64 MB, in a process of its own: some megabytes beyond what the process has anyway."""
    command = [sys.executable, "-m", "benchmarks.package", "--bytes", "64000000", "--folder", str(tmp_path)]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = json.loads(out)
    assert found["sealed_bytes"] > found["clips_bytes"] == 64_000_000
    assert found["pack_mib"] < 12
    assert found["open_mib"] < 12
