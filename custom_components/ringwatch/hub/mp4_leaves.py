"""The boxes of an MP4 that hold no others: each is read, and not a byte longer than what it says."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
import struct
from typing import Final

from .media_errors import MediaError
from .mp4_entry import Coding, read_entry

MAX_SAMPLES: Final = 200_000  # ten minutes at 60 pictures a second, with sound, and to spare
MAX_EDITS: Final = 16
MAX_GROUPS: Final = 16
_BRANDS: Final = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"mp41", b"mp42", b"hvc1", b"dash"}
)
MAX_BRANDS: Final = 16
# What FFmpeg writes even when it has nothing to say: a list of metadata without an entry
_EMPTY_METADATA: Final = (
    b"\0\0\0\x35meta\0\0\0\0\0\0\0\x21hdlr\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0\0\0\0\x08ilst"
)
_HANDLERS: Final = {b"vide": (b"VideoHandler", b""), b"soun": (b"SoundHandler", b"")}
_ONE_FILE: Final = b"\0\0\0\0\0\0\0\1\0\0\0\x0curl \0\0\0\x01"  # dref: one entry, in this file
_HEADERS: Final = {"mvhd": (100, 112), "tkhd": (84, 96), "mdhd": (24, 36)}  # version 0, 1
_SHORT: Final = {"vmhd": 12, "smhd": 8}
_GROUPINGS: Final = {b"roll": 2, b"rap ": 1}  # and how long a description is


@dataclass(slots=True)
class Track:
    """What the boxes of a track say."""

    kind: bytes = b""
    coding: Coding | None = None
    sizes: tuple[int, ...] = ()
    chunks: tuple[int, ...] = ()
    runs: tuple[tuple[int, ...], ...] = ()  # first chunk (from 1), samples in each, entry
    times: int | None = None  # how many samples stts speaks of
    shifts: int | None = None  # ctts
    keys: tuple[int, ...] = ()
    flags: int | None = None  # sdtp
    grouped: int = 0  # sbgp, the longest

    def check(self) -> None:
        """Compare the tables: each speaks of the samples that there are. Raise MediaError."""
        count = len(self.sizes)
        if self.times != count or not {self.shifts, self.flags} <= {None, count} or self.grouped > count:
            raise MediaError("hidden_data")
        if any(not a < b for a, b in zip((0, *self.keys), (*self.keys, count + 1), strict=True)):
            raise MediaError("hidden_data")

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Yield where each chunk begins, and how long it is. Raise MediaError."""
        for start, sizes in self._by_chunk():
            yield start, sum(sizes)

    def samples(self) -> Iterator[tuple[int, int]]:
        """Yield where each sample begins, and how long it is. Raise MediaError."""
        for start, sizes in self._by_chunk():
            yield from zip(accumulate(sizes, initial=start), sizes, strict=False)

    def _by_chunk(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        if not self.runs or self.runs[0][0] != 1:
            raise MediaError("not_mp4")
        sample = at = 0
        for number, start in enumerate(self.chunks, 1):
            while at + 1 < len(self.runs) and self.runs[at + 1][0] <= number:
                at += 1
            count = self.runs[at][1]
            yield start, self.sizes[sample : sample + count]
            sample += count
        if sample != len(self.sizes):
            raise MediaError("not_mp4")


def look(kind: str, data: bytes, track: Track) -> None:
    """Look at a box's content. Raise MediaError, struct.error or IndexError."""
    match kind:
        case "ftyp":
            brands = {data[:4], *(data[start : start + 4] for start in range(8, len(data), 4))}
            if not brands <= _BRANDS or len(data) % 4 or len(data) > 8 + 4 * MAX_BRANDS:
                raise MediaError("brand")
        case "free" | "skip":
            if data.strip(b"\0"):
                raise MediaError("hidden_data")
        case "udta":
            if data != _EMPTY_METADATA:
                raise MediaError("metadata")
        case "mvhd" | "tkhd" | "mdhd":
            if any(struct.unpack_from(">QQ" if data[0] == 1 else ">II", data, 4)):
                raise MediaError("creation_time")
            _exactly(data, _HEADERS[kind][data[0]])
        case "vmhd" | "smhd":
            _exactly(data, _SHORT[kind])
        case "hdlr":
            track.kind = data[8:12]
            if any(data[:8]) or data[24:].rstrip(b"\0") not in _HANDLERS.get(track.kind, ()):
                raise MediaError("handler")
            if any(data[12:24]) or len(data) > 24 + 16:
                raise MediaError("hidden_data")
        case "dref":
            if data != _ONE_FILE:
                raise MediaError("outside_data")
        case "elst":
            _rows(data, ">QqI" if data[0] == 1 else ">IiI", MAX_EDITS)
        case "sgpd" | "sbgp":
            _look_at_groups(kind, data, track)
        case _:
            _look_at_table(kind, data, track)


def _look_at_table(kind: str, data: bytes, track: Track) -> None:
    """Look at what says where samples are, and when."""
    if any(data[1:4]) or data[0] > (kind == "ctts"):
        raise MediaError("hidden_data")
    match kind:
        case "stsd":
            track.coding = read_entry(data)
        case "stsz":
            track.sizes = _sizes(data)
        case "stco" | "co64":
            if track.chunks:
                raise MediaError("box_twice")
            track.chunks = tuple(row[0] for row in _rows(data, ">Q" if kind == "co64" else ">I"))
        case "stsc":
            track.runs = _rows(data, ">III")
            if any(row[2] != 1 for row in track.runs):
                raise MediaError("hidden_data")
        case "stts":
            track.times = sum(row[0] for row in _rows(data, ">II"))
        case "ctts":
            track.shifts = sum(row[0] for row in _rows(data, ">Ii"))
        case "stss":
            track.keys = tuple(row[0] for row in _rows(data, ">I"))
        case "sdtp":
            track.flags = len(data) - 4
        case _:
            raise MediaError("box_not_allowed")


def _look_at_groups(kind: str, data: bytes, track: Track) -> None:
    """Look at what says from where a decoder may start: descriptions, or which samples they are of."""
    length = _GROUPINGS.get(data[4:8])
    if length is None or any(data[1:4]):
        raise MediaError("box_not_allowed")
    if kind == "sbgp":
        if data[0]:
            raise MediaError("box_not_allowed")
        rows = _rows(data, ">II", at=8)
        track.grouped = max(track.grouped, sum(row[0] for row in rows))
        return
    if data[0] != 1 or struct.unpack_from(">I", data, 8) != (length,):
        raise MediaError("box_not_allowed")
    _rows(data, f">{length}B", MAX_GROUPS, at=12)


def _exactly(data: bytes, length: int) -> None:
    if len(data) != length:
        raise MediaError("hidden_data")


def _rows(data: bytes, form: str, most: int = MAX_SAMPLES, *, at: int = 4) -> tuple[tuple[int, ...], ...]:
    """Return the rows of a table that begins with their number, and ends with the last one."""
    [count] = struct.unpack_from(">I", data, at)
    if count > most:
        raise MediaError("too_many_samples")
    _exactly(data, at + 4 + count * struct.calcsize(form))
    rows: tuple[tuple[int, ...], ...] = tuple(struct.iter_unpack(form, data[at + 4 :]))
    return rows


def _sizes(data: bytes) -> tuple[int, ...]:
    fixed, count = struct.unpack_from(">II", data, 4)
    if count > MAX_SAMPLES:
        raise MediaError("too_many_samples")
    if fixed:
        _exactly(data, 12)
        sizes: tuple[int, ...] = (fixed,) * count
        return sizes
    return tuple(row[0] for row in _rows(data, ">I", at=8))
