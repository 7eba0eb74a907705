"""What a film has room for beside its pictures: boxes longer than what they say, messages, filling."""

from collections.abc import Callable
import io
from pathlib import Path
import struct
import time

import pytest

from ringwatch.clips.redact import Redaction, redact
from ringwatch.hub.jpeg import check_jpeg
from ringwatch.hub.media_errors import MediaError
from ringwatch.hub.mp4 import check_mp4

from . import media

SECRET = b"41.8812,-87.6230"
INSIDE = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf")


def reason(data: bytes) -> str | None:
    """Return why a film is refused."""
    try:
        check_mp4(io.BytesIO(data), len(data))
    except MediaError as error:
        return error.reason
    return None


def changed(data: bytes, kind: bytes, change: Callable[[bytes], bytes], at: int = 0) -> bytes:
    """Return a film (its moov at its end) with another content in the first boxes of a kind; lengths fit."""
    found = b""
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + length]
        if name == kind:
            body = change(body)
        elif name in INSIDE:
            body = changed(body, kind, change)
        elif name == b"stsd":
            front = 8 + (36 if body[12:16] == b"mp4a" else 86)
            entry = body[8:front] + changed(body[front:], kind, change)
            body = body[:8] + struct.pack(">I", len(entry)) + entry[4:]
        found += struct.pack(">I4s", 8 + len(body), name) + body
        at += length
    return found


def late(codec: str = "libx264", *, sound: bool = True) -> bytes:
    """Return a film whose moov is at its end: it may grow without moving the samples."""
    return media.film(codec, sound=sound, movflags="-faststart")


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("sound", [False, True])
def test_what_says_nothing_more_passes(codec: str, sound: bool) -> None:
    assert reason(late(codec, sound=sound)) is None
    assert changed(late(codec), b"none", lambda body: body) == late(codec)


@pytest.mark.parametrize(
    "kind",
    [
        b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"vmhd", b"smhd", b"elst", b"stts", b"stsz", b"stsc", b"stco",
        b"stss", b"stsd", b"sgpd", b"sbgp", b"avcC", b"btrt", b"esds",
    ],
)  # fmt: skip
def test_a_box_is_as_long_as_what_it_says(kind: bytes) -> None:
    """Up to 8 MiB were let through behind each of these."""
    data = changed(late(), kind, lambda body: body + SECRET)
    assert SECRET in data
    assert reason(data) is not None


@pytest.mark.parametrize("kind", [b"ctts", b"sdtp", b"hvcC"])
def test_those_of_h265_too(kind: bytes) -> None:
    data = changed(late("libx265"), kind, lambda body: body + SECRET)
    assert SECRET in data
    assert reason(data) is not None


def _parameter_set(config: bytes) -> bytes:
    """Return a configuration with one more picture parameter set of half a kilobyte."""
    size = config[6] << 8 | config[7]
    count = 8 + size
    more = struct.pack(">H", 700) + b"\x68" + SECRET.ljust(699)
    return config[:count] + bytes([config[count] + 1]) + config[count + 1 :] + more


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (b"avcC", _parameter_set),
        (
            b"avcC",
            lambda body: body[:6] + struct.pack(">H", 20) + b"\x06\x05" + SECRET + b"\x80\0" + body[8:],
        ),
        (b"esds", lambda body: body.replace(b"\x06\x80\x80\x80\x01\x02", b"\x06\x80\x80\x80\x01\x03")),
        (b"stsz", lambda body: body[:8] + struct.pack(">I", 1_000) + b"\0\0\0\1" * 1_000),
        (b"stss", lambda body: struct.pack(">IIII", 0, 2, 1, 1)),
        (b"stts", lambda body: struct.pack(">IIIIII", 0, 2, 20, 512, 1 << 31, 0)),
        (b"sgpd", lambda body: body.replace(b"roll", b"hide")),
        (b"hdlr", lambda body: body[:12] + SECRET[:12] + body[24:]),
        (b"moov", lambda body: body + struct.pack(">I4s", 8 + len(SECRET), b"iods") + SECRET),
    ],
)
def test_what_it_says_fits_the_samples(kind: bytes, change: Callable[[bytes], bytes]) -> None:
    data = changed(late(), kind, change)
    assert data != late()
    assert reason(data) is not None


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_messages_between_the_pictures_are_refused(codec: str) -> None:
    """x264 and x265 write their settings there, cameras what they like."""
    assert reason(media.film(codec, messages=True)) == "metadata"


def with_units(*units: bytes) -> bytes:
    """Return a film with more units in front of its last picture."""
    data = media.film(movflags="-faststart")
    sizes = data.index(b"stsz") + 4
    [count] = struct.unpack_from(">I", data, sizes + 8)
    last = sizes + 12 + 4 * (count - 1)
    [size] = struct.unpack_from(">I", data, last)
    at = data.index(b"mdat") - 4
    [length] = struct.unpack_from(">I", data, at)
    more = b"".join(struct.pack(">I", len(unit)) + unit for unit in units)
    grown = struct.pack(">I", length + len(more))
    place = at + length - size
    return (
        data[:at] + grown + data[at + 4 : place] + more + data[place:last]
        + struct.pack(">I", size + len(more)) + data[last + 4 :]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "why"),
    [
        (b"\x09\x30", None),  # a delimiter
        (b"\x06\x05\x20" + SECRET + SECRET, "metadata"),
        (b"\x0c" + b"\xff" * 60_000 + b"\x80", "hidden_data"),  # filling
        (b"\x09" + SECRET, "hidden_data"),
        (b"\x18" + SECRET, "hidden_data"),  # a kind that players skip
        (b"\x68" + SECRET * 40, "hidden_data"),  # a long parameter set
        (b"\x86\x05", "not_decodable"),
        (b"\x09", "not_decodable"),
    ],
)
def test_units_that_are_no_pictures(unit: bytes, why: str | None) -> None:
    assert reason(with_units(unit)) == why


def test_parameter_sets_can_change_a_few_times_only() -> None:
    assert reason(with_units(*[b"\x68" + SECRET] * 100)) is None
    often = [b"\x68" + SECRET + bytes([number]) for number in range(100)]
    assert reason(with_units(*often)) == "hidden_data"


def test_a_clip_that_this_home_makes_passes(tmp_path: Path) -> None:
    """The encoder's messages, and a camera's, are left out of what is shared."""
    (tmp_path / "camera.mp4").write_bytes(media.film(sound=True, messages=True))
    assert b"x264 - core" in (tmp_path / "camera.mp4").read_bytes()
    for name, wanted in (
        ("copied", Redaction()),
        ("with_sound", Redaction(mute=False)),
        ("encoded", Redaction(blur=((0.1, 0.1, 0.4, 0.4),))),
    ):
        made = redact(tmp_path / "camera.mp4", tmp_path / f"{name}.mp4", wanted)
        data = (tmp_path / f"{name}.mp4").read_bytes()
        assert made.encoded == (name == "encoded")
        assert made.has_sound == (name == "with_sound")
        assert b"x264" not in data
        assert reason(data) is None, name


def test_looking_at_every_unit_is_quick() -> None:
    """The most units that there may be, in samples of two each."""
    data = media.film(movflags="-faststart")
    unit = struct.pack(">I", 2) + b"\x09\x30"
    count = 200_000
    at = data.index(b"mdat") - 4
    [length] = struct.unpack_from(">I", data, at)
    head = data[:at]
    body = unit * 2 * count
    tail = data[at + length :]
    film = head + struct.pack(">I4s", 8 + len(body), b"mdat") + body + tail
    for kind, content in (
        (b"stsz", struct.pack(">III", 0, 12, count)),
        (b"stco", struct.pack(">III", 0, 1, at + 8)),
        (b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1)),
        (b"stts", struct.pack(">IIII", 0, 1, count, 1)),
        (b"stss", struct.pack(">III", 0, 1, 1)),
    ):
        film = changed(film, kind, lambda _, content=content: content)  # type: ignore[misc]
    began_s = time.process_time()
    assert reason(film) is None  # there is no picture in it: what decodes says so
    assert time.process_time() - began_s < 5


def test_tables_of_a_picture_are_no_room_either() -> None:
    data = media.picture()
    table = b"\xff\xdb\x00\x43\x00" + SECRET * 4
    assert check_jpeg(data[:2] + table + data[2:]) == (64, 48)  # another table, which the next one replaces
    with pytest.raises(MediaError) as refused:
        check_jpeg(data[:2] + table * 300 + data[2:])
    assert refused.value.reason == "hidden_data"
