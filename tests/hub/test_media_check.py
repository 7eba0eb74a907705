"""What an uploaded file may be: what the boxes and markers show, and what the limited process finds."""

import io
import json
import os
from pathlib import Path
import struct
import subprocess
import sys
import time

from PIL import Image
import pytest

from ringwatch.hub.jpeg import check_jpeg
from ringwatch.hub.media_errors import MediaError
from ringwatch.hub.mp4 import check_mp4
from ringwatch.neighborhood.bodies.feed import Media, MediaType
from script.lib.hub_client import PROGRAM, describe

from . import media


def reason(data: bytes) -> str | None:
    """Return why a film is refused."""
    try:
        check_mp4(io.BytesIO(data), len(data))
    except MediaError as error:
        return error.reason
    return None


def picture_reason(data: bytes) -> str | None:
    try:
        check_jpeg(data)
    except MediaError as error:
        return error.reason
    return None


def look_into(path: Path, announced: Media) -> dict[str, object]:
    """Run the limited process as the hub does."""
    with path.open("rb") as file:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), "look-into", json.dumps(announced.to_json())],
            stdin=file,
            capture_output=True,
            timeout=60,
            check=False,
        )
    if done.returncode:
        return {"status": done.returncode}
    _walls, answer = (json.loads(line) for line in done.stdout.splitlines())
    return dict(answer)


def box(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("sound", [False, True])
def test_what_the_integration_writes_passes(codec: str, sound: bool, tmp_path: Path) -> None:
    data = media.film(codec, sound=sound)
    assert reason(data) is None
    (tmp_path / "film").write_bytes(data)
    assert look_into(tmp_path / "film", media.film_media(data)) == {"ok": True}


def test_a_film_without_faststart_passes() -> None:
    assert reason(media.film(movflags="-faststart")) is None


def test_metadata_of_the_muxer_is_refused() -> None:
    assert reason(media.film(fflags="-bitexact")) == "metadata"  # the program's name


def test_a_fragmented_film_is_refused() -> None:
    assert reason(media.film(movflags="frag_keyframe+empty_moov")) == "box_not_allowed"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data + b"PK\x03\x04 and an archive", "not_mp4"),
        (lambda data: data + box(b"uuid", b"gps"), "box_not_allowed"),
        (lambda data: data + box(b"free", b"PK\x03\x04 an archive"), "hidden_data"),
        (lambda data: data + box(b"mdat", b"<script>"), "hidden_data"),
        (lambda data: b"<html>" + data, "not_mp4"),
        (lambda data: box(b"free", b"\0" * 8) + data, "not_mp4"),  # something before ftyp
        (lambda data: data[:-1], "not_mp4"),
        (lambda data: data.replace(b"avc1\0\0\0\0\0\0\0\1", b"mp4v\0\0\0\0\0\0\0\1"), "coding"),
        (lambda data: data.replace(b"VideoHandler", b"Joe's iPhone"), "handler"),
        (lambda data: data.replace(b"isomiso2avc1mp41", b"isomiso2qt  mp41"), "brand"),
        (lambda data: data.replace(b"url \0\0\0\x01", b"url \0\0\0\0"), "outside_data"),
        (lambda data: _with_creation_time(data), "creation_time"),
        (lambda data: data + box(b"free") * 3_000, "too_many_boxes"),
        (lambda _: b"", "not_mp4"),
        (lambda _: b"\0\0\0\x08ftyp", "brand"),
        (lambda data: data[:4] + b"moov" * 40, "not_mp4"),
    ],
)
def test_what_is_more_than_a_film_is_refused(change: object, why: str) -> None:
    data = change(media.film())  # type: ignore[operator]
    assert data != media.film()
    assert reason(data) == why


def _with_creation_time(data: bytes) -> bytes:
    at = data.index(b"mvhd") + 8
    return data[:at] + struct.pack(">I", 3_700_000_000) + data[at + 4 :]


@pytest.mark.parametrize("table", [b"stsz", b"stco", b"stsc"])
def test_a_table_that_claims_billions_costs_nothing(table: bytes) -> None:
    data = bytearray(media.film())
    at = data.index(table) + 8 + (4 if table == b"stsz" else 0)
    data[at : at + 4] = b"\xff\xff\xff\xff"
    began_s = time.perf_counter()
    assert reason(bytes(data)) == "too_many_samples"
    assert time.perf_counter() - began_s < 0.5


def test_pictures() -> None:
    assert check_jpeg(media.picture()) == (64, 48)
    progressive = io.BytesIO()
    Image.new("CMYK", (32, 32)).save(progressive, "JPEG", progressive=True)
    assert check_jpeg(progressive.getvalue()) == (32, 32)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data + b"PK\x03\x04", "hidden_data"),
        (lambda data: data[:2] + b"\xff\xe1\x00\x0aExif\0\0ab" + data[2:], "metadata"),
        (lambda data: data[:2] + b"\xff\xfe\x00\x06GPS!" + data[2:], "metadata"),
        (lambda data: data[:-2], "not_jpeg"),
        (lambda _: b"GIF89a" + b"\0" * 100, "not_jpeg"),
        (lambda _: b"\xff\xd8\xff\xd9", "not_jpeg"),
        (lambda _: b"\xff\xd8" + b"\xff\xdd\x00\x04\0\0" * 2_000, "too_many_markers"),
    ],
)
def test_what_is_more_than_a_picture_is_refused(change: object, why: str) -> None:
    assert picture_reason(change(media.picture())) == why  # type: ignore[operator]


def test_a_picture_with_a_thumbnail_is_refused() -> None:
    data = media.picture()
    at = data.index(b"JFIF\0") - 2
    thumbnail = b"\0\x13" + data[at + 2 : at + 14] + b"\1\1" + b"\x80\x80\x80"
    assert picture_reason(data[:at] + thumbnail + data[at + 16 :]) == "metadata"


@pytest.mark.parametrize(
    ("announced", "why"),
    [
        ({"width": 176}, "picture_size"),
        ({"duration_ms": 5_000}, "duration"),
        ({"size_bytes": 77}, "size"),
        ({"type": MediaType.JPEG, "duration_ms": 0}, "not_jpeg"),
    ],
)
def test_what_was_announced_has_to_be_true(announced: dict[str, object], why: str, tmp_path: Path) -> None:
    from dataclasses import replace

    data = media.film()
    (tmp_path / "film").write_bytes(data)
    lie = replace(media.film_media(data), **announced)  # type: ignore[arg-type]
    assert look_into(tmp_path / "film", lie) == {"reason": why}


def test_a_picture_that_grows_to_gigabytes_ends_the_small_process_only(tmp_path: Path) -> None:
    """A JPEG of a few bytes that claims 65,500 x 65,500: 12 GiB when decoded."""
    data = bytearray(media.picture())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    (tmp_path / "bomb").write_bytes(data)
    announced = {
        "sha256": "0" * 64, "size": len(data), "type": "image/jpeg", "duration_ms": 0,
        "width": 65_500, "height": 65_500,
    }  # fmt: skip
    with (tmp_path / "bomb").open("rb") as file:
        done = subprocess.run(
            [sys.executable, str(PROGRAM), "look-into", json.dumps(announced)],
            stdin=file, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode != 0 or "reason" in json.loads(done.stdout.splitlines()[-1])


def test_what_is_cut_or_damaged_is_refused(tmp_path: Path) -> None:
    data = bytearray(media.film())
    at = data.index(b"mdat") + 4
    data[at : at + 400] = os.urandom(400)
    (tmp_path / "film").write_bytes(data)
    found = look_into(
        tmp_path / "film", describe(bytes(data), MediaType.MP4, media.WIDTH, media.HEIGHT, 2_000)
    )
    assert found == {"reason": "not_decodable"}
