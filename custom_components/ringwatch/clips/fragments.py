"""Fragments of an MP4 while it is being recorded (`moof` and `mdat`), written and read back after a kill."""

from dataclasses import dataclass, field
from itertools import pairwise
import struct
from typing import BinaryIO

from .boxes import Box, BrokenFileError, box, boxes, children, full_box, meta_in, read_body
from .formats import AAC_FRAME
from .tables import AUDIO_ID, DELTA_FLAGS, SYNC_FLAGS, VIDEO_ID, Tables

_DATA_OFFSET, _FIRST_FLAGS, _DURATION, _SIZE, _FLAGS, _SHIFT = 0x1, 0x4, 0x100, 0x200, 0x400, 0x800
_BASE_IS_MOOF = 0x020000
MDAT_HEADER = 8


@dataclass(frozen=True, slots=True)
class Sample:
    """One coded picture, or one AAC frame, that waits to be written."""

    dts: int
    shift: int
    duration: int
    data: bytes
    key: bool


@dataclass(slots=True)
class Fragment:
    """What goes into the next `moof` and `mdat`."""

    video: list[Sample] = field(default_factory=list)
    audio: list[Sample] = field(default_factory=list)
    size_bytes: int = 0

    def pack(self, number: int, at: int, tables: Tables) -> list[bytes]:
        """Return the fragment's bytes for this place of the file, and enter its samples into the tables.

        In pieces: joining them would copy all pictures once more.
        """
        present = [(VIDEO_ID, self.video), (AUDIO_ID, self.audio)]
        runs = [(track, samples) for track, samples in present if samples]
        bare = self._moof(number, runs, [0] * len(runs))
        place = len(bare) + MDAT_HEADER
        offsets = []
        for track, samples in runs:
            table = tables.video if track == VIDEO_ID else tables.audio
            table.chunks.append((at + place, len(samples)))
            offsets.append(place)
            for sample in samples:
                table.add(sample.dts, sample.shift, len(sample.data), sample.duration, key=sample.key)
                place += len(sample.data)
        data = [sample.data for _, samples in runs for sample in samples]
        header = struct.pack(">I4s", MDAT_HEADER + sum(map(len, data)), b"mdat")
        return [self._moof(number, runs, offsets), header, *data]

    def _moof(self, number: int, runs: list[tuple[int, list[Sample]]], offsets: list[int]) -> bytes:
        tracks = [
            _run(track, samples, offset) for (track, samples), offset in zip(runs, offsets, strict=True)
        ]
        return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", number)), *tracks)


def _run(track: int, samples: list[Sample], offset: int) -> bytes:
    video = track == VIDEO_ID
    flags = _DATA_OFFSET | _SIZE
    first_only = video and not any(sample.key for sample in samples[1:])
    if video:
        flags |= _DURATION | (_FIRST_FLAGS if first_only else _FLAGS)
    elif any(after.dts - before.dts != AAC_FRAME for before, after in pairwise(samples)):
        flags |= _DURATION  # sound was missing
    if any(sample.shift for sample in samples):
        flags |= _SHIFT
    rows = []
    for index, sample in enumerate(samples):
        if flags & _DURATION:
            following = samples[index + 1].dts if index + 1 < len(samples) else None
            rows.append(struct.pack(">I", sample.duration if following is None else following - sample.dts))
        rows.append(struct.pack(">I", len(sample.data)))
        if flags & _FLAGS:
            rows.append(struct.pack(">I", SYNC_FLAGS if sample.key else DELTA_FLAGS))
        if flags & _SHIFT:
            rows.append(struct.pack(">i", sample.shift))
    first = struct.pack(">I", SYNC_FLAGS if samples[0].key else DELTA_FLAGS) if first_only else b""
    return box(
        b"traf",
        full_box(b"tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", track)),
        full_box(b"tfdt", 1, 0, struct.pack(">Q", samples[0].dts)),
        full_box(b"trun", 1, flags, struct.pack(">Ii", len(samples), offset), first, *rows),
    )


@dataclass(slots=True)
class Fragments:
    """What could be read back: samples, the last document noted, and the end of what is whole."""

    tables: Tables
    document: bytes | None
    end: int
    count: int


def read_fragments(file: BinaryIO, start: int, end: int) -> Fragments:
    """Read the fragments from `start` on, up to the first that is not whole."""
    found = Fragments(Tables(), None, start, 0)
    head: Box | None = None
    for at in boxes(file, start, end):
        if at.kind == b"uuid" and head is None:
            found.document = meta_in(read_body(file, at)) or found.document
        elif at.kind == b"moof" and head is None:
            head = at
            continue
        elif at.kind == b"mdat" and head is not None:
            if not _enter(read_body(file, head), head.start, at.end, found.tables):
                return found
            head = None
            found.count += 1
        else:
            return found
        found.end = at.end
    return found


def _enter(moof: bytes, start: int, end: int, tables: Tables) -> bool:
    """Enter a fragment's samples. False if it doesn't fit its data: it was not written whole."""
    runs: list[tuple[int, list[tuple[int, int, int, int, bool]], int]] = []
    try:
        for kind, first, last in children(moof):
            if kind == b"traf":
                runs.append(_read_run(moof[first:last]))
    except BrokenFileError, struct.error:
        return False
    for _, samples, offset in runs:
        if not samples or start + offset + sum(sample[2] for sample in samples) > end:
            return False
    for track, samples, offset in runs:
        table = tables.video if track == VIDEO_ID else tables.audio
        table.chunks.append((start + offset, len(samples)))
        for dts, shift, size, duration, key in samples:
            table.add(dts, shift, size, duration, key=key)
    return bool(runs)


def _read_run(traf: bytes) -> tuple[int, list[tuple[int, int, int, int, bool]], int]:
    parts = {kind: (first, last) for kind, first, last in children(traf)}
    if not {b"tfhd", b"tfdt", b"trun"} <= parts.keys():
        raise BrokenFileError("a fragment without a run")
    (track,) = struct.unpack_from(">I", traf, parts[b"tfhd"][0] + 4)
    (dts,) = struct.unpack_from(">Q", traf, parts[b"tfdt"][0] + 4)
    at = parts[b"trun"][0]
    head, count, offset = struct.unpack_from(">IIi", traf, at)
    at += 12
    first_flags = None
    if head & _FIRST_FLAGS:
        (first_flags,) = struct.unpack_from(">I", traf, at)
        at += 4
    samples = []
    for number in range(count):
        duration, shift = AAC_FRAME, 0
        flags = SYNC_FLAGS if track == AUDIO_ID else DELTA_FLAGS
        if number == 0 and first_flags is not None:
            flags = first_flags
        if head & _DURATION:
            (duration,) = struct.unpack_from(">I", traf, at)
            at += 4
        (size,) = struct.unpack_from(">I", traf, at)
        at += 4
        if head & _FLAGS:
            (flags,) = struct.unpack_from(">I", traf, at)
            at += 4
        if head & _SHIFT:
            (shift,) = struct.unpack_from(">i", traf, at)
            at += 4
        samples.append((dts, shift, size, duration, track == VIDEO_ID and flags == SYNC_FLAGS))
        dts += duration
    return track, samples, offset
