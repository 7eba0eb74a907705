"""The sample entry of a track: how its pictures or sounds are coded. Every byte of it is accounted for.

ISO/IEC 14496-12 (entries), -15 (avcC, hvcC), -14 and -1 (esds), -3 (AudioSpecificConfig).
"""

from collections.abc import Iterator
from dataclasses import dataclass
import struct
from typing import Final

from .media_errors import MediaError

VIDEO: Final = {b"avc1": "h264", b"hvc1": "hevc"}
_VIDEO_ENTRY: Final = 78  # bytes of an entry before its boxes, from the first reserved one on
_SOUND_ENTRY: Final = 28
MAX_SET_BYTES: Final = 512  # of one parameter set: those of encoders take 20 to 100
MAX_SETS: Final = 16
# What else may be in an entry, and how long it is then
_EXTRAS: Final = {b"pasp": {8}, b"btrt": {12}, b"fiel": {2}, b"clap": {32}, b"colr": {10, 11}}
_COLORS: Final = {b"nclx": 11, b"nclc": 10}
_AVC_HIGH: Final = frozenset({100, 110, 122, 144})  # profiles whose avcC says more
H264_SETS: Final = frozenset({7, 8})  # sequence and picture parameters
HEVC_SETS: Final = frozenset({32, 33, 34})  # and video parameters
_AAC: Final = 0x40
_AUDIO_STREAM: Final = 0x15
_MAX_AUDIO_CONFIG: Final = 8
MAX_CHANNELS: Final = 7  # configurations 1 to 7; 0 would bring a table with room for a comment


@dataclass(frozen=True, slots=True)
class Coding:
    """What a track's samples are."""

    name: str  # h264, hevc, aac
    sets: tuple[bytes, ...] = ()  # parameter sets of video
    length_bytes: int = 4  # of each unit's length in a sample of video
    channels: int = 0  # of sound


def read_entry(data: bytes) -> Coding:
    """Read the content of a `stsd` box. Raise MediaError or struct.error."""
    flags, count, length, kind = struct.unpack_from(">III4s", data)
    if flags or count != 1 or length != len(data) - 8:
        raise MediaError("coding")
    entry = data[16:]
    if entry[:8] != b"\0\0\0\0\0\0\0\1":
        raise MediaError("hidden_data")
    if kind in VIDEO:
        return _video(VIDEO[kind], entry)
    if kind == b"mp4a":
        return _sound(entry)
    raise MediaError("coding")


def _video(name: str, entry: bytes) -> Coding:
    compressor = entry[42:74]
    if compressor.strip(b"\0") and not compressor[1:].startswith((b"Lavc", b"AVC Coding", b"HEVC Coding")):
        raise MediaError("device_name")
    if compressor.strip(b"\0") and compressor[0] > 31:
        raise MediaError("device_name")
    if any(entry[8:24]) or any(entry[36:40]):
        raise MediaError("hidden_data")
    config: bytes | None = None
    for kind, body in _boxes(entry[_VIDEO_ENTRY:]):
        if kind == (b"avcC" if name == "h264" else b"hvcC"):
            config = body
        else:
            _check_extra(kind, body)
    if config is None:
        raise MediaError("coding")
    return _avc(config) if name == "h264" else _hevc(config)


def _sound(entry: bytes) -> Coding:
    if any(entry[8:16]) or any(entry[20:24]):
        raise MediaError("hidden_data")
    found: Coding | None = None
    for kind, body in _boxes(entry[_SOUND_ENTRY:]):
        if kind == b"esds":
            found = _esds(body)
        elif kind == b"btrt":
            _check_extra(kind, body)
        else:
            raise MediaError("box_not_allowed")
    if found is None:
        raise MediaError("coding")
    return found


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    seen = set()
    while data:
        length, kind = struct.unpack_from(">I4s", data)
        if not 8 <= length <= len(data):
            raise MediaError("not_mp4")
        if kind in seen:
            raise MediaError("box_twice")
        seen.add(kind)
        yield kind, data[8:length]
        data = data[length:]


def _check_extra(kind: bytes, body: bytes) -> None:
    if kind not in _EXTRAS:
        raise MediaError("box_not_allowed")
    if len(body) not in _EXTRAS[kind] or (kind == b"colr" and len(body) != _COLORS.get(body[:4])):
        raise MediaError("hidden_data")


class _Reader:
    """Takes bytes off the front of something that has to end with them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            raise MediaError("not_mp4")
        self._at += count
        return found

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count))

    def parameter_set(self) -> bytes:
        return self.take(self.number(2))

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def end(self) -> None:
        if self.left:
            raise MediaError("hidden_data")


def check_sets(sets: tuple[bytes, ...]) -> None:
    """Look at parameter sets: few, and not long. Raise MediaError."""
    if len(sets) > MAX_SETS or any(not 2 <= len(one) <= MAX_SET_BYTES for one in sets):
        raise MediaError("hidden_data")


def _avc(config: bytes) -> Coding:
    reader = _Reader(config)
    version, profile, _, _ = reader.take(4)
    lengths, count = reader.take(2)
    if version != 1 or lengths & 0xFC != 0xFC or count & 0xE0 != 0xE0:
        raise MediaError("coding")
    sequence = tuple(reader.parameter_set() for _ in range(count & 0x1F))
    picture = tuple(reader.parameter_set() for _ in range(reader.number(1)))
    if profile in _AVC_HIGH and reader.left:
        more = reader.take(4)
        if (more[0] & 0xFC, more[1] & 0xF8, more[2] & 0xF8, more[3]) != (0xFC, 0xF8, 0xF8, 0):
            raise MediaError("hidden_data")
    reader.end()
    kinds = [one[0] & 0x1F for one in sequence if one] + [one[0] & 0x1F for one in picture if one]
    if kinds != [7] * len(sequence) + [8] * len(picture):
        raise MediaError("hidden_data")
    check_sets(sequence + picture)
    return Coding("h264", sequence + picture, (lengths & 3) + 1)


def _hevc(config: bytes) -> Coding:
    reader = _Reader(config)
    head = reader.take(22)
    if head[0] != 1 or head[13] & 0xF0 != 0xF0 or head[15] & 0xFC != 0xFC:
        raise MediaError("coding")
    sets: list[bytes] = []
    for _ in range(reader.number(1)):
        kind = reader.number(1) & 0x3F
        for _ in range(reader.number(2)):
            one = reader.parameter_set()
            if kind not in HEVC_SETS or len(one) < 2 or one[0] >> 1 & 0x3F != kind:
                raise MediaError("metadata" if kind in {39, 40} else "hidden_data")
            sets.append(one)
    reader.end()
    check_sets(tuple(sets))
    return Coding("hevc", tuple(sets), (head[21] & 3) + 1)


def _esds(data: bytes) -> Coding:
    reader = _Reader(data)
    if reader.number(4):
        raise MediaError("hidden_data")
    stream = _descriptor(reader, 3)
    reader.end()
    if stream.take(3)[2]:  # flags: a dependency, an address, a clock
        raise MediaError("hidden_data")
    decoder = _descriptor(stream, 4)
    layer = _descriptor(stream, 6)
    stream.end()
    if layer.take(1) != b"\2":
        raise MediaError("hidden_data")
    layer.end()
    kind, stream_type = decoder.take(2)
    decoder.take(11)  # a buffer's size, and rates
    if kind != _AAC or stream_type & 0xFE != _AUDIO_STREAM & 0xFE:
        raise MediaError("coding")
    special = _descriptor(decoder, 5)
    decoder.end()
    if not 2 <= special.left <= _MAX_AUDIO_CONFIG:
        raise MediaError("hidden_data")
    config = special.number(2)
    channels = config >> 3 & 0x0F
    if config >> 11 not in {2, 5, 29} or config >> 7 & 0x0F == 15 or not 1 <= channels <= MAX_CHANNELS:
        raise MediaError("coding")
    return Coding("aac", channels=8 if channels == 7 else channels)


def _descriptor(reader: _Reader, kind: int) -> _Reader:
    """Take a descriptor of MPEG-4: its kind, its length in groups of seven bits, its content."""
    if reader.number(1) != kind:
        raise MediaError("hidden_data")
    length = 0
    for _ in range(4):
        part = reader.number(1)
        length = length << 7 | part & 0x7F
        if not part & 0x80:
            return _Reader(reader.take(length))
    raise MediaError("not_mp4")
