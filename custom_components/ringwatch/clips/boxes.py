"""Boxes of the ISO base media file format (ISO/IEC 14496-12), built and walked."""

from collections.abc import Iterator
from dataclasses import dataclass
import struct
from typing import BinaryIO, override

HEADER_BYTES = 8
LARGE_HEADER_BYTES = 16
UUID_BYTES = 16
MAX_HEAD_BOX_BYTES = 32 * 1024 * 1024  # tables of a day's clip; more is not read into memory

# Names the boxes in which Ringwatch keeps what it knows of a clip, as JSON.
META_UUID = bytes.fromhex("6f1c2b0a7d3e4c58a1d25e9b8f40c7d6")


class BrokenFileError(ValueError):
    """A file is not built as an MP4 of Ringwatch's."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies in its file; `start` is that of its header."""

    kind: bytes
    start: int
    size: int
    header: int

    @property
    def end(self) -> int:
        """Return the place of the next box."""
        return self.start + self.size

    @property
    def body(self) -> int:
        """Return the place after the header."""
        return self.start + self.header

    @override
    def __repr__(self) -> str:
        return f"<{self.kind.decode('latin-1')} {self.start}+{self.size}>"


def box(kind: bytes, *content: bytes) -> bytes:
    """Return a box."""
    body = b"".join(content)
    return struct.pack(">I4s", HEADER_BYTES + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Return a box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def meta_box(document: bytes) -> bytes:
    """Return a box of Ringwatch's own."""
    return box(b"uuid", META_UUID, document)


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two places of a file; ends at the first that is not whole."""
    at = start
    while at + HEADER_BYTES <= end:
        file.seek(at)
        head = file.read(LARGE_HEADER_BYTES)
        size, kind = struct.unpack_from(">I4s", head)
        header = HEADER_BYTES
        if size == 1 and len(head) == LARGE_HEADER_BYTES:
            header = LARGE_HEADER_BYTES
            (size,) = struct.unpack_from(">Q", head, HEADER_BYTES)
        if size < header or at + size > end:
            return
        yield Box(kind, at, size, header)
        at += size


def children(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of the bodies of the boxes in here."""
    at, stop = start, len(data) if end is None else end
    while at + HEADER_BYTES <= stop:
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < HEADER_BYTES or at + size > stop:
            return
        yield kind, at + HEADER_BYTES, at + size
        at += size


def find(data: bytes, *path: bytes) -> bytes:
    """Return the body of the first box on this path. Raise BrokenFileError if there is none."""
    start, end = 0, len(data)
    for wanted in path:
        for kind, first, last in children(data, start, end):
            if kind == wanted:
                start, end = first, last
                break
        else:
            raise BrokenFileError(f"no {wanted.decode('latin-1')} box")
    return data[start:end]


def read_body(file: BinaryIO, found: Box) -> bytes:
    """Return what is in a box."""
    if found.size > MAX_HEAD_BOX_BYTES:
        raise BrokenFileError(f"{found!r} is too large")
    file.seek(found.body)
    return file.read(found.size - found.header)


def meta_in(body: bytes) -> bytes | None:
    """Return the document in the body of a uuid box, None if it is somebody else's."""
    return body[UUID_BYTES:] if body[:UUID_BYTES] == META_UUID else None
