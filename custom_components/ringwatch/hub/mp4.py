"""What an MP4 may consist of, box by box. Not allowed: metadata, fragments, hidden data.

A file passes only if every byte of it belongs to a box that is known here, and every byte of its media data
to a sample of a track; so it can't be another kind of file at the same time. ISO/IEC 14496-12 (boxes), -14
(MP4), -15 (AVC, HEVC).
"""

from collections.abc import Iterator
from dataclasses import dataclass
import struct
from typing import BinaryIO, Final

from .media_errors import MediaError

MAX_HEADER_BYTES: Final = 8 * 1024 * 1024  # moov of ten minutes at 30 pictures a second is below 1 MiB
MAX_BOXES: Final = 2_000
MAX_SAMPLES: Final = 200_000  # ten minutes at 60 pictures a second, with sound, and to spare
MAX_FILLING_BYTES: Final = 64 * 1024

# What may be inside what
_INSIDE: Final[dict[str, frozenset[str]]] = {
    "": frozenset({"ftyp", "moov", "mdat", "free", "skip"}),
    "moov": frozenset({"mvhd", "trak", "free", "iods", "udta"}),
    "trak": frozenset({"tkhd", "edts", "mdia", "free"}),
    "edts": frozenset({"elst"}),
    "mdia": frozenset({"mdhd", "hdlr", "minf"}),
    "minf": frozenset({"vmhd", "smhd", "dinf", "stbl"}),
    "dinf": frozenset({"dref"}),
    "stbl": frozenset(
        {"stsd", "stts", "ctts", "stss", "stsc", "stsz", "stco", "co64", "sgpd", "sbgp", "sdtp"}
    ),
}
_LEAVES: Final = frozenset({"sgpd", "sbgp", "sdtp", "elst", "vmhd", "smhd", "ctts", "stss", "stts", "iods"})
_VIDEO: Final = {"avc1": "h264", "hvc1": "hevc"}
_IN_ENTRY: Final = frozenset({"avcC", "hvcC", "colr", "pasp", "btrt", "fiel", "esds", "chrm", "clap"})
_BRANDS: Final = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"mp41", b"mp42", b"hvc1", b"dash"}
)
# What FFmpeg writes even when it has nothing to say: a list of metadata without an entry
_EMPTY_METADATA: Final = (
    b"\0\0\0\x35meta\0\0\0\0\0\0\0\x21hdlr\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0\0\0\0\x08ilst"
)
_HANDLERS: Final = {b"vide": (b"VideoHandler", b""), b"soun": (b"SoundHandler", b"")}


@dataclass(slots=True)
class _Track:
    kind: bytes = b""
    sizes: tuple[int, ...] = ()
    chunks: tuple[int, ...] = ()
    runs: tuple[tuple[int, int], ...] = ()  # first chunk (from 1), samples in each
    coding: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """What the boxes say of a film."""

    coding: str  # h264 or hevc
    has_sound: bool


def check_mp4(file: BinaryIO, size: int) -> Outline:
    """Walk through all boxes. Raise MediaError."""
    walker = _Walker(file, size)
    walker.walk("", 0, size, 0)
    return walker.finish()


class _Walker:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._boxes = 0
        self._seen: list[str] = []
        self._data: list[tuple[int, int]] = []
        self._tracks: list[_Track] = []

    def walk(self, parent: str, start: int, end: int, depth: int) -> None:
        """Look at all boxes between two places."""
        seen: list[str] = []
        at = start
        while at < end:
            self._boxes += 1
            if self._boxes > MAX_BOXES:
                raise MediaError("too_many_boxes")
            length, kind, header = self._header(at, end)
            if kind not in _INSIDE[parent]:
                raise MediaError("box_not_allowed")
            if kind in seen and kind not in {"trak", "mdat", "free", "skip", "sgpd", "sbgp"}:
                raise MediaError("box_twice")
            if not parent and not seen and kind != "ftyp":
                raise MediaError("not_mp4")
            seen.append(kind)
            if kind == "mdat":
                self._data.append((at + header, at + length))
            elif kind in _INSIDE:
                if kind == "trak":
                    self._tracks.append(_Track())
                self.walk(kind, at + header, at + length, depth + 1)
            else:
                self._leaf(kind, at + header, length - header)
            at += length
        if not parent:
            self._seen = seen

    def finish(self) -> Outline:
        """Check what only the whole file shows."""
        if self._seen.count("moov") != 1 or not self._data:
            raise MediaError("not_mp4")
        kinds = sorted(track.kind for track in self._tracks)
        if kinds not in ([b"vide"], [b"soun", b"vide"]):
            raise MediaError("tracks")
        self._check_coverage()
        video = next(track for track in self._tracks if track.kind == b"vide")
        if video.coding not in _VIDEO.values():
            raise MediaError("coding")
        if any(track.coding != "aac" for track in self._tracks if track.kind == b"soun"):
            raise MediaError("coding")
        return Outline(video.coding, len(kinds) == 2)

    def _header(self, at: int, end: int) -> tuple[int, str, int]:
        head = self._read(at, min(16, end - at))
        if len(head) < 8:
            raise MediaError("not_mp4")
        length, kind = struct.unpack_from(">I4s", head)
        header = 8
        if length == 1:
            if len(head) < 16:
                raise MediaError("not_mp4")
            [length] = struct.unpack_from(">Q", head, 8)
            header = 16
        if (
            length < header or at + length > end
        ):  # a length of 0, "to the end", too: nothing may follow unseen
            raise MediaError("not_mp4")
        try:
            return length, kind.decode("ascii"), header
        except UnicodeDecodeError as error:
            raise MediaError("box_not_allowed") from error

    def _leaf(self, kind: str, at: int, length: int) -> None:
        if length > (MAX_FILLING_BYTES if kind in {"free", "skip"} else MAX_HEADER_BYTES):
            raise MediaError("box_too_large")
        data = self._read(at, length)
        try:
            self._look(kind, data)
        except (struct.error, IndexError) as error:
            raise MediaError("not_mp4") from error

    def _look(self, kind: str, data: bytes) -> None:
        track = self._tracks[-1] if self._tracks else _Track()
        match kind:
            case "ftyp":
                brands = {data[:4], *(data[start : start + 4] for start in range(8, len(data), 4))}
                if not brands <= _BRANDS or len(data) % 4:
                    raise MediaError("brand")
            case "free" | "skip":
                if data.strip(b"\0"):
                    raise MediaError("hidden_data")
            case "udta":
                if data != _EMPTY_METADATA:
                    raise MediaError("metadata")
            case "mvhd" | "tkhd" | "mdhd":
                times = struct.unpack_from(">QQ" if data[0] == 1 else ">II", data, 4)
                if any(times):
                    raise MediaError("creation_time")
            case "hdlr":
                track.kind = data[8:12]
                if data[24:].rstrip(b"\0") not in _HANDLERS.get(track.kind, ()):
                    raise MediaError("handler")
            case "dref":
                # one entry, "url ", in this file
                if data != struct.pack(">IIII4sI", 0, 1, 12, 0, b"", 0)[:8] + b"\0\0\0\x0curl \0\0\0\x01":
                    raise MediaError("outside_data")
            case "stsd":
                track.coding = _sample_entry(data)
            case "stsz":
                track.sizes = _sizes(data)
            case "stco" | "co64":
                track.chunks = _table(data, "Q" if kind == "co64" else "I")
            case "stsc":
                track.runs = tuple((run[0], run[1]) for run in _rows(data, 3))
            case _ if kind not in _LEAVES:
                raise MediaError("box_not_allowed")

    def _check_coverage(self) -> None:
        """Every byte of the media data is a sample's, once."""
        pieces = sorted(piece for track in self._tracks for piece in _pieces(track))
        rest = list(self._data)
        place, end = rest.pop(0)
        for start, length in pieces:
            while place == end and rest:
                place, end = rest.pop(0)
            if start != place or start + length > end:
                raise MediaError("hidden_data")
            place += length
        if place != end or any(start != stop for start, stop in rest):
            raise MediaError("hidden_data")

    def _read(self, at: int, length: int) -> bytes:
        self._file.seek(at)
        return self._file.read(length)


def _sample_entry(data: bytes) -> str:
    """Return the coding of a track with one sample entry; look at what is inside the entry."""
    [count, length] = struct.unpack_from(">II", data, 4)
    kind = data[12:16].decode("ascii", "replace")
    if count != 1 or length != len(data) - 8:
        raise MediaError("coding")
    if kind in _VIDEO:
        name = data[8 + 50 : 8 + 82]  # the compressor's name: a device's often
        if name.strip(b"\0") and not name[1:].startswith((b"Lavc", b"AVC Coding", b"HEVC Coding")):
            raise MediaError("device_name")
        inside = 8 + 86
        coding = _VIDEO[kind]
    elif kind == "mp4a":
        inside = 8 + 36
        coding = "aac"
    else:
        raise MediaError("coding")
    while inside < len(data):
        [length, name] = struct.unpack_from(">I4s", data, inside)
        if length < 8 or name.decode("ascii", "replace") not in _IN_ENTRY:
            raise MediaError("box_not_allowed")
        inside += length
    if inside != len(data):
        raise MediaError("not_mp4")
    return coding


def _sizes(data: bytes) -> tuple[int, ...]:
    fixed, count = struct.unpack_from(">II", data, 4)
    if count > MAX_SAMPLES:
        raise MediaError("too_many_samples")
    sizes: tuple[int, ...] = (fixed,) * count if fixed else struct.unpack_from(f">{count}I", data, 12)
    return sizes


def _table(data: bytes, form: str) -> tuple[int, ...]:
    [count] = struct.unpack_from(">I", data, 4)
    if count > MAX_SAMPLES:
        raise MediaError("too_many_samples")
    found: tuple[int, ...] = struct.unpack_from(f">{count}{form}", data, 8)
    return found


def _rows(data: bytes, columns: int) -> Iterator[tuple[int, ...]]:
    [count] = struct.unpack_from(">I", data, 4)
    if count > MAX_SAMPLES:
        raise MediaError("too_many_samples")
    flat = struct.unpack_from(f">{count * columns}I", data, 8)
    return (flat[at : at + columns] for at in range(0, len(flat), columns))


def _pieces(track: _Track) -> Iterator[tuple[int, int]]:
    """Yield where each chunk of a track begins, and how long it is."""
    sample = 0
    runs = list(track.runs)
    if not runs or runs[0][0] != 1:
        raise MediaError("not_mp4")
    at = 0
    for number, start in enumerate(track.chunks, 1):
        while at + 1 < len(runs) and runs[at + 1][0] <= number:
            at += 1
        count = runs[at][1]
        yield start, sum(track.sizes[sample : sample + count])
        sample += count
    if sample != len(track.sizes):
        raise MediaError("not_mp4")
