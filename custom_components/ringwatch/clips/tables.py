"""What an MP4's `moov` says: one table of samples per track, and the boxes made of it (ISO/IEC 14496-12)."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
import struct

from .boxes import box, full_box, meta_box
from .formats import AAC_FRAME, AudioFormat, VideoFormat

VIDEO_SCALE = 90_000  # ticks per second, as in the packets; the movie's scale too
VIDEO_ID, AUDIO_ID = 1, 2
EPOCH_1904 = datetime(1904, 1, 1, tzinfo=UTC)
MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
SYNC_FLAGS = 0x02000000  # depends on nothing
DELTA_FLAGS = 0x01010000  # depends on others, is no sync sample
LARGEST_32 = 2**32 - 1


@dataclass(slots=True)
class SampleTable:
    """The samples of one track, in order of decoding. Stamps in ticks, offsets in bytes of the file."""

    dts: array[int] = field(default_factory=lambda: array("q"))
    shift: array[int] = field(default_factory=lambda: array("i"))  # presentation less decoding time
    size: array[int] = field(default_factory=lambda: array("I"))
    keys: list[int] = field(default_factory=list)  # numbers of the samples to start from
    chunks: list[tuple[int, int]] = field(default_factory=list)  # (offset, samples)
    last_duration: int = 0

    def add(self, dts: int, shift: int, size: int, duration: int, *, key: bool) -> None:
        """Append a sample; `duration` counts only while it is the last."""
        if key:
            self.keys.append(len(self.dts))
        self.dts.append(dts)
        self.shift.append(shift)
        self.size.append(size)
        self.last_duration = duration

    @property
    def first_pts(self) -> int:
        """Return the time of the first picture shown: of those held back for reordering, the first."""
        return min((self.dts[i] + self.shift[i] for i in range(min(len(self.dts), 17))), default=0)

    @property
    def end_pts(self) -> int:
        """Return when the last picture has been shown."""
        last = len(self.dts) - 1
        tail = range(max(0, last - 16), last + 1)
        shown = max((self.dts[i] + self.shift[i] for i in tail), default=0)
        return shown + self.last_duration

    def durations(self) -> list[int]:
        """Return how long each sample lasts."""
        return [b - a for a, b in zip(self.dts, self.dts[1:], strict=False)] + [self.last_duration]


@dataclass(frozen=True, slots=True)
class Head:
    """What stays the same in a file from its first byte on."""

    video: VideoFormat
    audio: AudioFormat | None
    start: datetime


@dataclass(slots=True)
class Tables:
    """Both tracks. Sound's stamps are in its own samples, from the first picture shown."""

    video: SampleTable = field(default_factory=SampleTable)
    audio: SampleTable = field(default_factory=SampleTable)

    @property
    def duration(self) -> int:
        """Return the length of the pictures in ticks."""
        return max(0, self.video.end_pts - self.video.first_pts) if self.video.dts else 0


def initial_moov(head: Head, document: bytes) -> bytes:
    """Return a `moov` without samples, for fragments to follow."""
    tracks = [_track(head, SampleTable(), audio=False, length=0)]
    extends = [struct.pack(">IIIII", VIDEO_ID, 1, 0, 0, DELTA_FLAGS)]
    if head.audio:
        tracks.append(_track(head, SampleTable(), audio=True, length=0))
        extends.append(struct.pack(">IIIII", AUDIO_ID, 1, AAC_FRAME, 0, SYNC_FLAGS))
    mvex = box(b"mvex", *(full_box(b"trex", 0, 0, extend) for extend in extends))
    return box(b"moov", _movie_header(head, 0), *tracks, mvex, meta_box(document))


def final_moov(head: Head, tables: Tables, document: bytes) -> bytes:
    """Return the `moov` of a finished file."""
    length = tables.duration
    content = [_movie_header(head, length), _track(head, tables.video, audio=False, length=length)]
    if head.audio and tables.audio.dts:
        content.append(_track(head, tables.audio, audio=True, length=length))
    return box(b"moov", *content, meta_box(document))


def _created(head: Head) -> int:
    return max(0, int((head.start - EPOCH_1904).total_seconds()))


def _movie_header(head: Head, length: int) -> bytes:
    created = _created(head)
    times = struct.pack(">QQIQ", created, created, VIDEO_SCALE, length)
    return full_box(
        b"mvhd",
        1,
        0,
        times,
        struct.pack(">IH10x", 0x10000, 0x100),
        MATRIX,
        b"\x00" * 24,
        struct.pack(">I", 3),
    )


def _track(head: Head, table: SampleTable, *, audio: bool, length: int) -> bytes:
    sound = head.audio if audio else None
    created = _created(head)
    scale = sound.rate_hz if sound else VIDEO_SCALE
    width, height = (0, 0) if sound else (head.video.width, head.video.height)
    track_header = full_box(
        b"tkhd",
        1,
        3,  # enabled, in the movie
        struct.pack(">QQI4xQ8x", created, created, AUDIO_ID if sound else VIDEO_ID, length),
        struct.pack(">hhHxx", 0, 1 if sound else 0, 0x100 if sound else 0),
        MATRIX,
        struct.pack(">II", width << 16, height << 16),
    )
    media_length = table.dts[-1] - table.dts[0] + table.last_duration if table.dts else 0
    media = box(
        b"mdia",
        full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", created, created, scale, media_length, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, struct.pack(">4x4s12x", b"soun" if sound else b"vide"), b"Ringwatch\x00"),
        box(
            b"minf",
            full_box(b"smhd", 0, 0, b"\x00" * 4) if sound else full_box(b"vmhd", 0, 1, b"\x00" * 8),
            box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))),
            _sample_boxes(sound.sample_entry() if sound else head.video.sample_entry(), table, audio=audio),
        ),
    )
    edits = _edits(table, sound, length) if table.dts else b""
    return box(b"trak", track_header, edits, media)


def _edits(table: SampleTable, sound: AudioFormat | None, length: int) -> bytes:
    """Say from where on the track is shown: past reordering and priming, sound from when it begins.

    In a finished file the first sample is at 0 of its track's own time.
    """
    if sound is None:
        entries = [(length, table.first_pts - table.dts[0])]
    else:
        late = table.dts[0] * VIDEO_SCALE // sound.rate_hz
        heard = (
            (table.dts[-1] - table.dts[0] + table.last_duration - sound.priming)
            * VIDEO_SCALE
            // sound.rate_hz
        )
        entries = [(late, -1)] if late > 0 else []
        entries.append((max(0, min(heard, length - late)), sound.priming))
    rows = b"".join(struct.pack(">QqI", duration, start, 0x10000) for duration, start in entries)
    return box(b"edts", full_box(b"elst", 1, 0, struct.pack(">I", len(entries)), rows))


def _sample_boxes(entry: bytes, table: SampleTable, *, audio: bool) -> bytes:
    runs = (
        [(len(list(group)), duration) for duration, group in groupby(table.durations())] if table.dts else []
    )
    content = [
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        _rows(b"stts", 0, ">II", runs),
    ]
    if any(table.shift):
        shifts = [(len(list(group)), shift) for shift, group in groupby(table.shift)]
        content.append(_rows(b"ctts", 1, ">Ii", shifts))
    if not audio:
        content.append(_rows(b"stss", 0, ">I", [(key + 1,) for key in table.keys]))
    per_chunk: list[tuple[int, int, int]] = []
    for number, (_, samples) in enumerate(table.chunks, 1):
        if not per_chunk or per_chunk[-1][1] != samples:
            per_chunk.append((number, samples, 1))
    content.append(_rows(b"stsc", 0, ">III", per_chunk))
    sizes = table.size
    swapped = array("I", sizes)
    if struct.pack("=I", 1) != struct.pack(">I", 1):
        swapped.byteswap()
    content.append(full_box(b"stsz", 0, 0, struct.pack(">II", 0, len(sizes)), swapped.tobytes()))
    offsets = [(offset,) for offset, _ in table.chunks]
    if offsets and offsets[-1][0] > LARGEST_32:
        content.append(_rows(b"co64", 0, ">Q", offsets))
    else:
        content.append(_rows(b"stco", 0, ">I", offsets))
    return box(b"stbl", *content)


def _rows(kind: bytes, version: int, layout: str, rows: Sequence[tuple[int, ...]]) -> bytes:
    packer = struct.Struct(layout)
    return full_box(
        kind, version, 0, struct.pack(">I", len(rows)), b"".join(packer.pack(*row) for row in rows)
    )
