"""A clip's file: a fragmented MP4 while it grows, a faststart MP4 when it is finished, written once.

While recording the file is `ftyp`, `moov` without samples, `free` (room), then fragments: what is on disk
can be played at any moment. To finish, the full `moov` and the header of one `mdat` around all fragments are
written into the room, where nobody looks; then eight bytes turn the first `moov` into a part of the `free`
box before it. Those eight bytes are the only step that matters: before it the file is what it was, after it
it is finished. Nothing is copied. Where the room doesn't do (long clips of few bytes) it is copied once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
import json
import os
from pathlib import Path
import struct
from typing import Any, BinaryIO, Self

from .boxes import (
    HEADER_BYTES,
    LARGE_HEADER_BYTES,
    BrokenFileError,
    box,
    boxes,
    children,
    meta_box,
    meta_in,
    read_body,
)
from .formats import AudioFormat, VideoFormat
from .fragments import Fragment, Fragments, Sample, read_fragments
from .tables import VIDEO_SCALE, Head, Tables, final_moov, initial_moov

FTYP = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso6iso2mp41")
# The full moov takes about 4 bytes a sample, 16 a chunk and 1,500 for the rest, where frames come evenly.
MIN_ROOM_BYTES = 8 * 1024
COPY_BYTES = 1024 * 1024
WRITE_PIECES = 512  # half of what Linux takes in one call
FORMAT = "format"  # where a file that isn't finished keeps what its tables will need
FINISHING = ".finishing"  # ends the name of a copy that is being made

type Document = Mapping[str, Any]


def _encode(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


class Mp4Writer:
    """Writes one file. Owned by one thread at a time; raises OSError where the disk does."""

    def __init__(
        self,
        path: Path,
        video: VideoFormat,
        audio: AudioFormat | None,
        *,
        start: datetime,
        document: Document,
        room_bytes: int = 0,
    ) -> None:
        self.path = path
        self.head = Head(video, audio, start)
        self.tables = Tables()
        self._fragment = Fragment()
        self._number = 0
        fields = dict(document) | {FORMAT: _format_document(self.head)}
        front = FTYP + initial_moov(self.head, _encode(fields))
        room = max(room_bytes, MIN_ROOM_BYTES) + len(video.config)
        self._file: BinaryIO = path.open("xb", buffering=0)
        # The room is a hole: it costs no writing until it is used.
        self._file.write(front + struct.pack(">I4s", room, b"free"))
        self._at = len(front) + room

    @property
    def size_bytes(self) -> int:
        """Return how large the file will be once what waits is written."""
        return self._at + self._fragment.size_bytes

    @property
    def waiting_s(self) -> float:
        """Return how much of the picture waits to be written."""
        waiting = self._fragment.video
        return (waiting[-1].dts + waiting[-1].duration - waiting[0].dts) / VIDEO_SCALE if waiting else 0.0

    @property
    def waiting_bytes(self) -> int:
        """Return how much waits to be written."""
        return self._fragment.size_bytes

    def add_video(self, sample: Sample) -> None:
        """Take a picture."""
        self._fragment.video.append(sample)
        self._fragment.size_bytes += len(sample.data)

    def add_audio(self, sample: Sample) -> None:
        """Take an AAC frame."""
        self._fragment.audio.append(sample)
        self._fragment.size_bytes += len(sample.data)

    def note(self, document: Document) -> None:
        """Write what is known of the clip by now, for the case that it can't be finished."""
        self._append([meta_box(_encode(dict(document) | {FORMAT: _format_document(self.head)}))])

    def flush(self) -> None:
        """Write what waits as a fragment."""
        fragment, self._fragment = self._fragment, Fragment()
        if fragment.video or fragment.audio:
            self._number += 1
            self._append(fragment.pack(self._number, self._at, self.tables))

    def sync(self) -> None:
        """Have what was written survive a power cut."""
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Write what waits, and close the file as it is; `finish` makes a clip of it."""
        if not self._file.closed:
            try:
                self.flush()
            finally:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, pieces: list[bytes]) -> None:
        """Write pieces at the end, all of them, however much the kernel takes at once."""
        for start in range(0, len(pieces), WRITE_PIECES):
            waiting: list[bytes | memoryview] = [*pieces[start : start + WRITE_PIECES]]
            while waiting:
                written = os.pwritev(self._file.fileno(), waiting, self._at)
                self._at += written
                while waiting and written >= len(waiting[0]):
                    written -= len(waiting.pop(0))
                if waiting:
                    waiting[0] = memoryview(waiting[0])[written:]


def _format_document(head: Head) -> dict[str, object]:
    video, audio = head.video, head.audio
    document: dict[str, object] = {
        "start": head.start.isoformat(),
        "video": [video.codec, video.width, video.height, video.config.hex()],
    }
    if audio:
        document["audio"] = [audio.rate_hz, audio.channels, audio.config.hex(), audio.priming]
    return document


def _read_head(fields: Mapping[str, Any]) -> Head:
    try:
        found = fields[FORMAT]
        codec, width, height, config = found["video"]
        video = VideoFormat(str(codec), int(width), int(height), bytes.fromhex(config))
        audio = None
        if "audio" in found:
            rate_hz, channels, sound, priming = found["audio"]
            audio = AudioFormat(int(rate_hz), int(channels), bytes.fromhex(sound), int(priming))
        return Head(video, audio, datetime.fromisoformat(found["start"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenFileError("what the file says of itself can't be read") from error


@dataclass(frozen=True, slots=True)
class FileState:
    """What a file is, by its boxes."""

    finished: bool
    document: dict[str, Any]
    head: Head | None  # None if finished
    front: int  # where the moov begins
    room: int  # where the free box begins; 0 if finished
    first: int  # where the fragments begin; 0 if finished
    fragments: Fragments | None  # None if finished


def inspect(path: Path) -> FileState:
    """Read what a file of Ringwatch's is. Raise BrokenFileError if it isn't one, or nothing of it is left."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        top = []
        for found in boxes(file, 0, end):
            top.append(found)
            if found.kind in {b"mdat", b"moof"}:
                break
        moov = next((at for at in top if at.kind == b"moov"), None)
        if moov is None or top[0].kind != b"ftyp":
            raise BrokenFileError("no moov box")
        body = read_body(file, moov)
        document = _document(body)
        finished = not any(kind == b"mvex" for kind, _, _ in children(body))
        if finished:
            return FileState(True, document, None, moov.start, 0, 0, None)
        room = next((at for at in top if at.kind == b"free" and at.start == moov.end), None)
        if room is None:
            raise BrokenFileError("no room for the tables")
        fragments = read_fragments(file, room.end, end)
        if fragments.document is not None:
            document |= _decode(fragments.document)
    return FileState(False, document, _read_head(document), moov.start, room.start, room.end, fragments)


def _document(moov: bytes) -> dict[str, Any]:
    for kind, first, last in children(moov):
        if kind == b"uuid" and (found := meta_in(moov[first:last])) is not None:
            return _decode(found)
    raise BrokenFileError("the file says nothing of itself")


def _decode(found: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(found)
    except ValueError as error:
        raise BrokenFileError("what the file says of itself can't be read") from error
    if not isinstance(decoded, dict):
        raise BrokenFileError("what the file says of itself can't be read")
    return decoded


type Amend = Callable[[FileState, Tables], Document]


def finish(path: Path, amend: Amend) -> FileState:
    """Make a finished MP4 of a recorded file, in place; do nothing if it is one.

    `amend` is given what the file says of itself and its samples, and returns what it shall say in the end.
    The file is on disk, synced, when this returns. Raise BrokenFileError if there is no picture in it.
    """
    path.with_name(path.name + FINISHING).unlink(missing_ok=True)
    state = inspect(path)
    if state.fragments is None or state.head is None:
        return state
    tables = state.fragments.tables
    if not tables.video.dts or not tables.video.keys or tables.video.keys[0] != 0:
        raise BrokenFileError("nothing was recorded")
    document = _encode({key: value for key, value in amend(state, tables).items() if key != FORMAT})
    if not _finish_in_place(path, state, tables, document):
        _finish_by_copy(path, state, tables, document)
    return inspect(path)


def _finish_in_place(path: Path, state: FileState, tables: Tables, document: bytes) -> bool:
    if state.fragments is None or state.head is None:
        return False
    # The free box's own header stays: until the last step it says where the fragments are.
    at = state.room + HEADER_BYTES
    space = state.first - LARGE_HEADER_BYTES - at
    moov = final_moov(state.head, tables, document)
    if 0 < space - len(moov) < HEADER_BYTES:  # too little for a box of its own
        moov = final_moov(state.head, tables, document + b" " * HEADER_BYTES)
    left = space - len(moov)
    if left < 0:
        return False
    filling = struct.pack(">I4s", left, b"free") + b"\x00" * (left - HEADER_BYTES) if left else b""
    length = state.fragments.end - (state.first - LARGE_HEADER_BYTES)
    with path.open("r+b", buffering=0) as file:
        file.truncate(state.fragments.end)
        file.seek(at)
        file.write(moov + filling[:HEADER_BYTES])
        file.seek(state.first - LARGE_HEADER_BYTES)
        file.write(struct.pack(">I4sQ", 1, b"mdat", length))
        os.fsync(file.fileno())
        file.seek(state.front)
        file.write(struct.pack(">I4s", at - state.front, b"free"))
        os.fsync(file.fileno())
    return True


def _finish_by_copy(path: Path, state: FileState, tables: Tables, document: bytes) -> None:
    """Copy the samples behind a moov of the right size, without the fragments' own boxes."""
    if state.head is None:
        return
    ranges: list[tuple[int, int]] = []
    for table in (tables.video, tables.audio):
        sample = 0
        for offset, count in table.chunks:
            ranges.append((offset, sum(table.size[sample : sample + count])))
            sample += count
    ranges.sort()
    total = sum(size for _, size in ranges)
    size = len(final_moov(state.head, tables, document))
    moved: dict[int, int] = {}
    place = len(FTYP) + size + LARGE_HEADER_BYTES
    for offset, length in ranges:
        moved[offset] = place
        place += length
    for table in (tables.video, tables.audio):
        table.chunks = [(moved[offset], count) for offset, count in table.chunks]
    moov = final_moov(state.head, tables, document)
    if len(moov) != size:
        raise BrokenFileError("the tables grew")  # only where offsets need more than 32 bits
    copy = path.with_name(path.name + FINISHING)
    with path.open("rb") as source, copy.open("wb") as target:
        target.write(FTYP + moov + struct.pack(">I4sQ", 1, b"mdat", LARGE_HEADER_BYTES + total))
        for offset, length in ranges:
            source.seek(offset)
            left = length
            while left:
                data = source.read(min(left, COPY_BYTES))
                if not data:
                    raise BrokenFileError("the file became shorter")
                target.write(data)
                left -= len(data)
        target.flush()
        os.fsync(target.fileno())
    copy.replace(path)


def room_for(duration_s: float, samples_per_s: float, bytes_per_s: float) -> int:
    """Return how much room to leave for the tables of a file that may become so long.

    Never more than 0.8 % of the first 12 s (a short clip's length): room is size, if not writing.
    """
    wanted = 2048 + duration_s * (samples_per_s * 4.2 + 40 + 60)  # 60: where things moved
    return round(min(max(wanted, MIN_ROOM_BYTES), max(MIN_ROOM_BYTES, 0.008 * 12 * bytes_per_s)))


__all__ = ["BrokenFileError", "FileState", "Mp4Writer", "finish", "inspect", "room_for"]
