"""ZIP archives of stored entries (APPNOTE 6.3), in one form only: what is written here.

Local headers, data and central directory stand back to back, from the first byte to the last; nothing is
compressed, doubled, hidden between two entries or said twice in two ways. The reader takes nothing else, so
two programs can't unpack two things from one archive, and what comes out is never more than what came in.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
import os
import struct
from typing import BinaryIO, Final, Protocol
import zlib

MAX_ENTRIES: Final = 64
MAX_ARCHIVE_BYTES: Final = 512 * 1024 * 1024  # far below where ZIP64 would be needed
MAX_NAME_BYTES: Final = 96
READ_BYTES: Final = 256 * 1024

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_VERSION: Final = 10  # stored files
_MADE_BY: Final = 3 << 8 | _VERSION  # Unix: the mode below is one
_TIME: Final = 0
_DATE: Final = 0x21  # 1 January 1980: when it was made stands in the custody record
_MODE: Final = 0o100644 << 16


class ZipError(Exception):
    """Not an archive of this form; `code` says why."""

    def __init__(self, code: str, about: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {about}")
        self.code = code
        self.about = about


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take all of them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive. `start` is where its bytes are."""

    name: str
    size_bytes: int
    crc32: int
    start: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """A file that is to go in: its bytes come in pieces, the same each time they are asked for."""

    name: str
    size_bytes: int
    crc32: int
    pieces: Callable[[], Iterable[bytes]]


def from_bytes(name: str, data: bytes) -> Content:
    """Return what is small enough to be held."""
    return Content(name, len(data), zlib.crc32(data), lambda: (data,))


def archive_bytes(names_and_sizes: Iterable[tuple[str, int]]) -> int:
    """Return how long an archive of such files gets."""
    return _END.size + sum(
        _LOCAL.size + _CENTRAL.size + 2 * len(name.encode()) + size for name, size in names_and_sizes
    )


def write_archive(sink: Sink, contents: Sequence[Content]) -> None:
    """Write them in their order. Raise ZipError if a file is no longer what it was said to be."""
    if len(contents) > MAX_ENTRIES:
        raise ZipError("too_many_entries", f"{len(contents)} files, {MAX_ENTRIES} at most")
    at, central = 0, bytearray()
    for content in contents:
        name = content.name.encode("ascii")
        sink.write(_local(content, name))
        _write_pieces(sink, content)
        central += _central(content, name, at)
        at += _LOCAL.size + len(name) + content.size_bytes
    sink.write(bytes(central) + _end(len(contents), len(central), at))


def _write_pieces(sink: Sink, content: Content) -> None:
    size = crc32 = 0
    for piece in content.pieces():
        size, crc32 = size + len(piece), zlib.crc32(piece, crc32)
        if size > content.size_bytes:
            break
        sink.write(piece)
    if (size, crc32) != (content.size_bytes, content.crc32):
        raise ZipError("changed", "a file has changed since it was looked at")


def read_directory(file: BinaryIO) -> tuple[Entry, ...]:
    """Return an archive's files, in their order. Raise ZipError for any other form than ours."""
    size = file.seek(0, os.SEEK_END)
    if not _END.size <= size <= MAX_ARCHIVE_BYTES:
        raise ZipError("too_large" if size > MAX_ARCHIVE_BYTES else "bad_archive", f"{size} bytes")
    file.seek(size - _END.size)
    magic, disk, first, here, count, central_bytes, central_at, comment = _END.unpack(file.read(_END.size))
    if magic != b"PK\5\6" or disk or first or here != count or comment:
        raise ZipError("bad_archive", "no end of an archive where it has to be")
    if count > MAX_ENTRIES:
        raise ZipError("too_many_entries", f"{count} files, {MAX_ENTRIES} at most")
    if central_at + central_bytes + _END.size != size:
        raise ZipError("bad_archive", "something stands before or behind the archive")
    if central_bytes > count * (_CENTRAL.size + MAX_NAME_BYTES):
        raise ZipError("bad_archive", "a directory that is too long")
    file.seek(central_at)
    entries = tuple(_entries(file.read(central_bytes), count, central_at))
    for entry in entries:
        _check_local(file, entry)
    names = {entry.name.lower() for entry in entries}
    if len(names) != len(entries):
        raise ZipError("doubled_entry", "two files have one name")
    return entries


def read_entry(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """Yield a file's bytes in pieces. Raise ZipError at the end if its checksum doesn't fit."""
    at, left, crc32 = entry.start, entry.size_bytes, 0
    while left:
        file.seek(at)
        piece = file.read(min(left, READ_BYTES))
        if not piece:
            raise ZipError("bad_archive", "a file ends too early")
        at, left, crc32 = at + len(piece), left - len(piece), zlib.crc32(piece, crc32)
        yield piece
    if crc32 != entry.crc32:
        raise ZipError("bad_archive", "a checksum doesn't fit")


def _entries(central: bytes, count: int, end: int) -> Iterator[Entry]:
    """Read the directory. What follows from what we write is compared, not interpreted."""
    at, data_at = 0, 0
    for _ in range(count):
        if at + _CENTRAL.size > len(central):
            raise ZipError("bad_archive", "a directory that ends too early")
        found = _CENTRAL.unpack_from(central, at)
        method, crc32, packed, size, name_bytes = found[4], *found[7:11]
        name = _name(central[at + _CENTRAL.size : at + _CENTRAL.size + name_bytes])
        if method or packed != size:
            raise ZipError("not_stored", "a compressed file")
        if found[15] != _MODE:
            raise ZipError("link", "something else than an ordinary file")
        entry = Entry(name, size, crc32, data_at + _LOCAL.size + name_bytes)
        expected = _central(entry, name.encode(), data_at)
        if central[at : at + len(expected)] != expected:
            raise ZipError("bad_archive", "a directory in another form")
        yield entry
        at += len(expected)
        data_at = entry.start + size
    if at != len(central) or data_at != end:
        raise ZipError("bad_archive", "the directory doesn't say what is there")


def _check_local(file: BinaryIO, entry: Entry) -> None:
    """Compare what stands before a file with what the directory says of it."""
    expected = _local(entry, entry.name.encode())
    file.seek(entry.start - len(expected))
    if file.read(len(expected)) != expected:
        raise ZipError("bad_archive", "a file's header says something else than the directory")


def _name(written: bytes) -> str:
    """Return a name that is safe on every system. Raise ZipError."""
    try:
        name = written.decode("ascii")
    except UnicodeDecodeError as error:
        raise ZipError("bad_name", "a name that isn't ASCII") from error
    parts = name.split("/")
    safe = set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    if not 0 < len(name) <= MAX_NAME_BYTES or not all(
        part and set(part) <= safe and part[0] not in ".-" and part[-1] != "." for part in parts
    ):
        raise ZipError("bad_name", "a name that could lead elsewhere")
    return name


def _local(entry: Entry | Content, name: bytes) -> bytes:
    size = entry.size_bytes
    header = (b"PK\3\4", _VERSION, 0, 0, _TIME, _DATE, entry.crc32, size, size, len(name), 0)
    return _LOCAL.pack(*header) + name


def _central(entry: Entry | Content, name: bytes, at: int) -> bytes:
    size = entry.size_bytes
    sizes = (entry.crc32, size, size, len(name), 0, 0, 0, 0, _MODE, at)
    return _CENTRAL.pack(b"PK\1\2", _MADE_BY, _VERSION, 0, 0, _TIME, _DATE, *sizes) + name


def _end(count: int, central_bytes: int, at: int) -> bytes:
    return _END.pack(b"PK\5\6", 0, 0, count, count, central_bytes, at, 0)
