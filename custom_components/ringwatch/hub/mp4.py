"""What an MP4 may consist of, box by box. Not allowed: metadata, fragments, hidden data.

A file passes only if every byte of it belongs to a box that is known here, every byte of its media data to a
sample of a track, and no box is longer than what it has to say; so it can't be another kind of file at the
same time. `mp4_leaves.py` and `mp4_entry.py` look into the boxes, `mp4_units.py` into the samples. ISO/IEC
14496-12 (boxes), -14 (MP4), -15 (AVC, HEVC).
"""

from dataclasses import dataclass
import struct
from typing import BinaryIO, Final

from .media_errors import MediaError
from .mp4_entry import VIDEO
from .mp4_leaves import Track, look
from .mp4_units import MAX_SOUND_BYTES, check_pictures

MAX_HEADER_BYTES: Final = 8 * 1024 * 1024  # moov of ten minutes at 30 pictures a second is below 1 MiB
MAX_BOXES: Final = 2_000
MAX_TRACKS: Final = 2
MAX_FILLING_BYTES: Final = 64 * 1024

# What may be inside what
_INSIDE: Final[dict[str, frozenset[str]]] = {
    "": frozenset({"ftyp", "moov", "mdat", "free", "skip"}),
    "moov": frozenset({"mvhd", "trak", "free", "udta"}),
    "trak": frozenset({"tkhd", "edts", "mdia", "free"}),
    "edts": frozenset({"elst"}),
    "mdia": frozenset({"mdhd", "hdlr", "minf"}),
    "minf": frozenset({"vmhd", "smhd", "dinf", "stbl"}),
    "dinf": frozenset({"dref"}),
    "stbl": frozenset(
        {"stsd", "stts", "ctts", "stss", "stsc", "stsz", "stco", "co64", "sgpd", "sbgp", "sdtp"}
    ),
}


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
        self._tracks: list[Track] = []

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
                    if len(self._tracks) == MAX_TRACKS:
                        raise MediaError("tracks")
                    self._tracks.append(Track())
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
        for track in self._tracks:
            track.check()
        self._check_coverage()
        video = next(track for track in self._tracks if track.kind == b"vide")
        if video.coding is None or video.coding.name not in VIDEO.values():
            raise MediaError("coding")
        for track in self._tracks:
            if track is not video:
                _check_sound(track)
        check_pictures(self._file, video.samples(), video.coding)
        return Outline(video.coding.name, len(kinds) == 2)

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
            look(kind, data, self._tracks[-1] if self._tracks else Track())
        except (struct.error, IndexError) as error:
            raise MediaError("not_mp4") from error

    def _check_coverage(self) -> None:
        """Every byte of the media data is a sample's, once."""
        pieces = sorted(piece for track in self._tracks for piece in track.pieces())
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


def _check_sound(track: Track) -> None:
    if track.coding is None or track.coding.name != "aac":
        raise MediaError("coding")
    if max(track.sizes, default=0) > MAX_SOUND_BYTES * track.coding.channels:
        raise MediaError("hidden_data")
