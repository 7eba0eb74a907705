"""Records and their places, many at once: gzip of JSON lines for what is settled, plain lines for the tail.

A line is canonical JSON: {"entry": ..., "record": ...}. Inside, entries have no signature: the last one's
covers all. A segment
holds 1,000 entries. It gets another form (and another ETag) only when bodies are erased, or shown again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
import gzip
from typing import Final
import zlib

from .canonical import encode, parse
from .envelope import MAX_RECORD_BYTES, Record
from .fields import Fields
from .order import Entry
from .violations import BadSegment, RecordViolation, WrongRecord

SEGMENT_RECORDS: Final = 1_000
MAX_LINE_BYTES: Final = MAX_RECORD_BYTES + 1_024
MAX_PACKED_BYTES: Final = 8 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 16 * 1024 * 1024  # also bounds what a bomb can become


@dataclass(frozen=True, slots=True)
class Placed:
    """A record and its place."""

    entry: Entry
    record: Record


def pack_lines(placed: Sequence[Placed]) -> bytes:
    """Return JSON lines: the tail, as the hub answers a poll. Signatures inside are left out."""
    last = len(placed) - 1
    lines: list[bytes] = []
    for at, one in enumerate(placed):
        entry = one.entry if at == last else replace(one.entry, sig=None)
        lines.append(encode({"entry": entry.to_json(), "record": one.record.to_wire()}))
    return b"".join(line + b"\n" for line in lines)


def pack_segment(placed: Sequence[Placed]) -> bytes:
    """Return a segment. The same records give the same bytes."""
    return gzip.compress(pack_lines(placed), compresslevel=6, mtime=0)


def unpack_lines(data: bytes, neighborhood: str, *, limit: int = SEGMENT_RECORDS) -> list[Placed]:
    """Read JSON lines: each record's form, hash and signature, and that it is the one its entry names.

    Whether the entries follow each other is the next question (`verify_chain`). Raise BadSegment or
    WrongRecord.
    """
    if len(data) > MAX_UNPACKED_BYTES:
        raise BadSegment(f"{len(data)} bytes, {MAX_UNPACKED_BYTES} at most")
    if data and not data.endswith(b"\n"):
        raise BadSegment("the last line is not complete")
    if data.count(b"\n") > limit:
        raise BadSegment(f"more than {limit} lines")
    return [_read_line(line, neighborhood) for line in data.split(b"\n")[:-1]]


def unpack_segment(data: bytes, neighborhood: str) -> list[Placed]:
    """Read a segment. Raise BadSegment or WrongRecord."""
    if len(data) > MAX_PACKED_BYTES:
        raise BadSegment(f"{len(data)} bytes, {MAX_PACKED_BYTES} at most")
    unpacker = zlib.decompressobj(wbits=31)  # gzip
    try:
        lines = unpacker.decompress(data, MAX_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise BadSegment("not gzip, or damaged") from error
    if not unpacker.eof or unpacker.unused_data:
        raise BadSegment("incomplete, too large, or with something behind its end")
    return unpack_lines(lines, neighborhood)


def _read_line(line: bytes, neighborhood: str) -> Placed:
    try:
        fields = Fields(parse(line, MAX_LINE_BYTES), "line")
        entry = Entry.parse(fields.take("entry"), neighborhood)
        wire = fields.take("record")
        fields.end()
    except RecordViolation as error:
        raise BadSegment(f"a line can't be read ({error.code})") from error
    try:
        record = Record.from_wire(wire)
    except RecordViolation as error:
        raise WrongRecord(f"the record of entry {entry.number}: {error}") from error
    if record.id != entry.id:
        raise WrongRecord(f"the record beside entry {entry.number} is another one")
    return Placed(entry, record)
