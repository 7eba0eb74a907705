"""Records in their order, many at once: lines of canonical JSON, in gzip where they are settled.

A line leaves out what its reader can compute: the record's id, the neighborhood, the hash of a body that is
there, and in place of `prev` and `head` it has the numbers of their entries. The first line says where it
begins, the last one has the hub's signature, which covers all. A segment holds 1,000 entries and gets another
form (and another ETag) only when bodies are erased or come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
import zlib

from .canonical import Json, encode, parse
from .envelope import MAX_RECORD_BYTES, VERSION, Record, hash_body
from .fields import MAX_TIME_S, Fields
from .order import Entry
from .store import History
from .violations import BadField, BadSegment, OrderGap, RecordViolation, WrongRecord

SEGMENT_RECORDS: Final = 1_000
MAX_LINE_BYTES: Final = MAX_RECORD_BYTES + 1_024
# The longest records there can be, a thousand of them: members in league must not make a segment that nobody
# can read. It also bounds what a bomb can become.
MAX_UNPACKED_BYTES: Final = 36 * 1024 * 1024
MAX_PACKED_BYTES: Final = MAX_UNPACKED_BYTES  # what is random does not get smaller
_GZIP: Final = 31  # zlib's word for 32 KiB of window and gzip around it


@dataclass(frozen=True, slots=True)
class Placed:
    """A record and its place."""

    entry: Entry
    record: Record


def pack_lines(placed: Sequence[Placed], history: History) -> bytes:
    """Return lines: the tail, as the hub answers a poll. Raise BadField for what stands behind nothing."""
    near = _Near(history)
    lines: list[bytes] = []
    before: Entry | None = None
    for at, one in enumerate(placed):
        entry, record = one.entry, one.record
        envelope = record.envelope
        line: dict[str, Json] = {
            "type": envelope.type.value,
            "author": envelope.author,
            "ago": entry.time_s - envelope.created_s,
            "prev": near.number_of_record(envelope.prev),
            "head": near.number_of_head(envelope.head),
            "sig": record.sig,
        }
        if before is None or entry.number != before.number + 1:
            line |= {"number": entry.number, "previous": entry.previous, "time": entry.time_s}
        else:
            line["later"] = entry.time_s - before.time_s
        if record.body is None:
            line["body_hash"] = envelope.body_hash
        else:
            line |= {"body": record.body.to_json(), "salt": record.salt}
        if at == len(placed) - 1:
            line["signed"] = entry.sig
        lines.append(encode(line))
        near.add(entry)
        before = entry
    return b"".join(line + b"\n" for line in lines)


def pack_segment(placed: Sequence[Placed], history: History) -> bytes:
    """Return a segment, or a tail as it is sent. The same records give the same bytes."""
    lines = pack_lines(placed, history)
    # Most of a line is random digits, which happen to repeat in strings of three or four. Pointing back at
    # those costs more than writing them out: without (Z_FILTERED) a minute's records are 4 % smaller, 500
    # are 9 %.
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP, zlib.DEF_MEM_LEVEL, zlib.Z_FILTERED)
    return packer.compress(lines) + packer.flush()


def unpack_lines(
    data: bytes, neighborhood: str, history: History, *, limit: int = SEGMENT_RECORDS
) -> list[Placed]:
    """Read lines: each record's form, hash and signature.

    Whether the entries follow each other and what this reader has is the next question (`verify_chain`).
    Raise BadSegment, WrongRecord or OrderGap.
    """
    if len(data) > MAX_UNPACKED_BYTES:
        raise BadSegment(f"{len(data)} bytes, {MAX_UNPACKED_BYTES} at most")
    if data and not data.endswith(b"\n"):
        raise BadSegment("the last line is not complete")
    if data.count(b"\n") > limit:
        raise BadSegment(f"more than {limit} lines")
    reader = _Reader(neighborhood, history)
    return [reader.read(line) for line in data.split(b"\n")[:-1]]


def unpack_segment(data: bytes, neighborhood: str, history: History) -> list[Placed]:
    """Read a segment. Raise BadSegment, WrongRecord or OrderGap."""
    if len(data) > MAX_PACKED_BYTES:
        raise BadSegment(f"{len(data)} bytes, {MAX_PACKED_BYTES} at most")
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        lines = unpacker.decompress(data, MAX_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise BadSegment("not gzip, or damaged") from error
    if not unpacker.eof or unpacker.unused_data:
        raise BadSegment("incomplete, too large, or with something behind its end")
    return unpack_lines(lines, neighborhood, history)


class _Near:
    """What was just read or written, and what stands in the order before it."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._numbers: dict[str, int] = {}  # of records
        self._heads: dict[str, int] = {}
        self._entries: dict[int, Entry] = {}

    def add(self, entry: Entry) -> None:
        self._numbers[entry.id] = self._heads[entry.head] = entry.number
        self._entries[entry.number] = entry

    def number_of_record(self, record_id: str | None) -> int | None:
        if record_id is None:
            return None
        place = self._history.place_of(record_id)
        number = self._numbers.get(record_id) or (place.number if place else None)
        if number is None:
            raise BadField("`prev` stands nowhere in the order")
        return number

    def number_of_head(self, head: str | None) -> int | str | None:
        """Return a head's number; one that stands nowhere is written as it is, so that readers can say so."""
        return (self._heads.get(head) or self._history.number_of(head) or head) if head else None

    def id_at(self, number: int) -> str | None:
        entry = self._entries.get(number)
        return entry.id if entry else self._history.id_at(number)

    def head_at(self, number: int) -> str | None:
        entry = self._entries.get(number)
        return entry.head if entry else self._history.head_at(number)


class _Reader:
    def __init__(self, neighborhood: str, history: History) -> None:
        self._neighborhood = neighborhood
        self._near = _Near(history)
        self._before: Entry | None = None

    def read(self, line: bytes) -> Placed:
        """Read a line and make its entry the one before the next."""
        try:
            fields = Fields(parse(line, MAX_LINE_BYTES), "line")
            number, time_s, previous = self._place(fields)
            signed = fields.optional("signed", fields.signature) if fields.has("signed") else None
            wire = self._wire(fields, number, time_s)
            fields.end()
        except RecordViolation as error:
            raise BadSegment(f"a line can't be read ({error.code})") from error
        try:
            record = Record.from_wire(wire)
        except RecordViolation as error:
            raise WrongRecord(f"the record of entry {number}: {error}") from error
        entry = Entry(self._neighborhood, number, record.id, time_s, previous, signed)
        self._near.add(entry)
        self._before = entry
        return Placed(entry, record)

    def _place(self, fields: Fields) -> tuple[int, int, str | None]:
        """Return number, time and the head before."""
        before = self._before
        if before is not None and not fields.has("number"):
            later_s = fields.integer("later", 0, MAX_TIME_S)
            return before.number + 1, min(before.time_s + later_s, MAX_TIME_S), before.head
        number = fields.integer("number", 1)
        if before is not None:
            raise OrderGap(f"entry {before.number + 1} is missing, {number} came")
        if number > 1 and self._near.head_at(number - 1) is None:
            raise OrderGap(f"entry {number} came, and the one before it is not known here")
        return number, fields.time("time"), fields.optional("previous", fields.digest)

    def _wire(self, fields: Fields, number: int, time_s: int) -> dict[str, Json]:
        """Return the record as it is written alone."""
        created_s = time_s - fields.integer("ago", -MAX_TIME_S, MAX_TIME_S)
        prev = fields.optional("prev", lambda name: _known(name, self._near.id_at(fields.integer(name, 1))))
        head = fields.optional("head", lambda name: self._head(fields, name))
        wire: dict[str, Json] = {"sig": fields.signature("sig")}
        if fields.has("body_hash"):
            body_hash = fields.digest("body_hash")
        else:
            body, salt = fields.take("body"), fields.salt("salt")
            body_hash = hash_body(body, salt)
            wire |= {"body": body, "salt": salt}
        wire["envelope"] = {
            "v": VERSION,
            "type": fields.string("type"),
            "neighborhood": None if number == 1 else self._neighborhood,
            "author": fields.key("author"),
            "created": created_s,
            "prev": prev,
            "head": head,
            "body_hash": body_hash,
        }
        return wire

    def _head(self, fields: Fields, name: str) -> str:
        if isinstance(fields.peek(name), str):
            return fields.digest(name)
        return _known(name, self._near.head_at(fields.integer(name, 1)))


def _known(name: str, found: str | None) -> str:
    if found is None:
        raise BadField(f"{name}: an entry that is not known here")
    return found
