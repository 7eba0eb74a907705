"""age files: read by three other programs, and nothing comes out of one that was touched."""

import io
import json
from pathlib import Path
import shutil
import subprocess

from hypothesis import HealthCheck, given, settings, strategies as st
import pyrage
import pytest

from ringwatch.footage import bech32
from ringwatch.footage.age_file import (
    CHUNK_BYTES,
    AgeError,
    AgeReader,
    AgeWriter,
    generate_identity,
    recipient_of,
    sealed_bytes,
)

from .giving import HOME, POLICE, clip_bytes

FRONTEND = Path(__file__).parents[2] / "frontend"
SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 200_001)

needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="needs Debian's age")
needs_node = pytest.mark.skipif(
    not (FRONTEND / "node_modules/age-encryption").is_dir(), reason="needs the packages of frontend/"
)


def seal(data: bytes, *recipients: str, step: int = 50_000) -> bytes:
    out = io.BytesIO()
    writer = AgeWriter(out, recipients or (POLICE.recipient, HOME.recipient))
    for at in range(0, len(data), step):
        writer.write(data[at : at + step])
    writer.close()
    return out.getvalue()


def unseal(data: bytes, secret: str = POLICE.secret) -> bytes:
    return AgeReader(io.BytesIO(data), secret).readall() or b""


@pytest.mark.parametrize("size", SIZES)
def test_both_recipients_read_what_was_written(size: int) -> None:
    data = clip_bytes(1, size)
    sealed = seal(data)
    assert len(sealed) == sealed_bytes(size)
    assert unseal(sealed) == unseal(sealed, HOME.secret) == data


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_reads_it(size: int) -> None:
    data = clip_bytes(2, size)
    for one in (POLICE, HOME):
        assert pyrage.decrypt(seal(data), [pyrage.x25519.Identity.from_str(one.secret)]) == data


@needs_age
def test_debians_age_reads_it_and_is_read(tmp_path: Path) -> None:
    data = clip_bytes(3, 200_000)
    (tmp_path / "key.txt").write_text(POLICE.secret + "\n")
    (tmp_path / "sealed.age").write_bytes(seal(data))
    command = ["age", "-d", "-i", str(tmp_path / "key.txt"), str(tmp_path / "sealed.age")]
    assert subprocess.run(command, check=True, capture_output=True).stdout == data
    command = ["age", "-r", POLICE.recipient, "-r", HOME.recipient]
    theirs = subprocess.run(command, input=data, check=True, capture_output=True).stdout
    assert unseal(theirs) == data


@needs_age
def test_debians_age_agrees_on_keys() -> None:
    out = subprocess.run(["age-keygen"], check=True, capture_output=True, text=True).stdout
    secret = out.splitlines()[-1]
    assert f"# public key: {recipient_of(secret)}" in out


@needs_node
def test_the_pages_library_reads_it(tmp_path: Path) -> None:
    data = clip_bytes(4, 200_000)
    (tmp_path / "sealed.age").write_bytes(seal(data))
    script = """
        import { readFileSync, writeFileSync } from "node:fs";
        import { Decrypter } from "age-encryption";
        const [secret, from, to] = JSON.parse(process.argv.at(-1));
        const reader = new Decrypter();
        reader.addIdentity(secret);
        writeFileSync(to, await reader.decrypt(readFileSync(from)));
    """
    arguments = json.dumps([POLICE.secret, str(tmp_path / "sealed.age"), str(tmp_path / "plain")])
    command = ["node", "--input-type=module", "-e", script, "--", arguments]
    subprocess.run(command, check=True, cwd=FRONTEND, capture_output=True)
    assert (tmp_path / "plain").read_bytes() == data


def test_any_place_can_be_read() -> None:
    data = clip_bytes(5, 3 * CHUNK_BYTES + 17)
    reader = io.BufferedReader(AgeReader(io.BytesIO(seal(data)), POLICE.secret))
    for at in (
        0,
        5,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        2 * CHUNK_BYTES + 9,
        len(data) - 3,
        len(data),
        len(data) + 9,
    ):
        reader.seek(at)
        assert reader.read(70_000) == data[at : at + 70_000]
    reader.seek(-4, io.SEEK_END)
    assert reader.read(99) == data[-4:]


SEALED = seal(clip_bytes(6, 2 * CHUNK_BYTES + 100))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_noticed_before_anything_is_read(at: int, difference: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= difference
    with pytest.raises(AgeError) as raised:
        AgeReader(io.BytesIO(changed), POLICE.secret)
    assert raised.value.code in {"altered", "not_age", "not_for_us"}


@pytest.mark.parametrize(
    "cut", [0, 10, 150, len(SEALED) - 116 - CHUNK_BYTES, len(SEALED) - 116, len(SEALED) - 1]
)
def test_a_file_that_was_cut_gives_nothing(cut: int) -> None:
    with pytest.raises(AgeError):
        AgeReader(io.BytesIO(SEALED[:cut]), POLICE.secret)


def test_chunks_that_changed_places_are_noticed() -> None:
    payload = len(SEALED) - 116 - 2 * (CHUNK_BYTES + 16)
    first, second = (SEALED[payload + n * (CHUNK_BYTES + 16) :][: CHUNK_BYTES + 16] for n in (0, 1))
    with pytest.raises(AgeError, match="altered"):
        AgeReader(io.BytesIO(SEALED[:payload] + second + first + SEALED[-116:]), POLICE.secret)


def test_more_behind_the_end_is_noticed() -> None:
    with pytest.raises(AgeError, match="altered"):
        AgeReader(io.BytesIO(SEALED + bytes(16)), POLICE.secret)


def test_others_cannot_open_it() -> None:
    with pytest.raises(AgeError, match="not_for_us"):
        unseal(SEALED, generate_identity().secret)


def test_a_file_that_changes_while_it_is_read_gives_nothing_wrong() -> None:
    file = io.BytesIO(SEALED)
    reader = AgeReader(file, POLICE.secret)
    file.getbuffer()[len(SEALED) - 200 - CHUNK_BYTES] ^= 1
    with pytest.raises(AgeError, match="altered"):
        reader.readall()


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "age1",
        POLICE.secret,
        POLICE.recipient[:-1] + "q",
        bech32.encode("age", bytes(32)),
        "ssh-ed25519 AAAA",
    ],
    ids=["nothing", "short", "a secret", "mistyped", "everybody's", "ssh"],
)
def test_nothing_is_written_for_what_is_no_recipient(recipient: str) -> None:
    out = io.BytesIO()
    with pytest.raises(AgeError, match="bad_key"):
        AgeWriter(out, (recipient,))
    assert not out.getvalue()


def test_a_secret_is_not_printed() -> None:
    assert POLICE.secret not in repr(POLICE)


@given(st.binary(max_size=64))
def test_bech32_reads_what_it_writes(data: bytes) -> None:
    assert bech32.decode("age", bech32.encode("age", data)) == data


@given(st.integers(0, 57), st.sampled_from(bech32.CHARSET))
def test_bech32_finds_a_wrong_letter(at: int, letter: str) -> None:
    text = POLICE.recipient
    mistyped = text[: 4 + at] + letter + text[5 + at :]
    if mistyped != text:
        with pytest.raises(bech32.Bech32Error):
            bech32.decode("age", mistyped)
