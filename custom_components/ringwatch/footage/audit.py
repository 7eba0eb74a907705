"""The log of everything that was asked, shown, confirmed, sent and withdrawn: lines that hang together.

    {"facts": {...}, "hash": H, "n": 12, "previous": hash of line 11, "time": ..., "what": "sent"}
    H = SHA-256 of the line's canonical JSON without "hash"

A line is on disk before `append` returns, and nothing leaves the house before its line is there. A line that
was changed, taken out or moved shows, as no later line fits any more; that the end was cut off shows against
the newest head, which is kept elsewhere (`Anchor`). Whoever can rewrite both can rewrite the past: the log
guards against accidents and against meddling by somebody who has one of the two.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
import hashlib
import itertools
import os
from pathlib import Path
import threading
import time
from typing import Final, Literal, Self

from ..neighborhood.canonical import Json, encode, parse
from ..neighborhood.keys import is_digest
from ..neighborhood.violations import RecordViolation

NAME: Final = "audit.jsonl"
FIRST: Final = "0" * 64  # what the first line hangs on
MAX_LINE_BYTES: Final = 64 * 1024
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened."""

    n: int
    time_s: int
    what: str
    facts: Mapping[str, Json]
    previous: str
    hash: str

    @classmethod
    def make(cls, n: int, time_s: int, what: str, facts: Mapping[str, Json], previous: str) -> Self:
        """Return a line with its hash."""
        unhashed = cls(n, time_s, what, facts, previous, "")
        return cls(n, time_s, what, facts, previous, hashlib.sha256(unhashed._bytes()).hexdigest())

    @classmethod
    def read(cls, written: bytes) -> Self:
        """Read a line. Raise ValueError for what is none, or one whose hash doesn't fit."""
        try:
            value = parse(written, MAX_LINE_BYTES)
        except RecordViolation as error:
            raise ValueError("not a line of this log") from error
        match value:
            case {
                "n": int(n),
                "time": int(time_s),
                "what": str(what),
                "facts": dict(facts),
                "previous": str(previous),
                "hash": str(hashed),
                **more,
            } if not more:
                line = cls.make(n, time_s, what, facts, previous)
                if line.hash == hashed:
                    return line
        raise ValueError("not a line of this log, or one that was changed")

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        unhashed: dict[str, Json] = {
            "n": self.n,
            "time": self.time_s,
            "what": self.what,
            "facts": dict(self.facts),
            "previous": self.previous,
        }
        return unhashed | {"hash": self.hash} if self.hash else unhashed

    def _bytes(self) -> bytes:
        return encode(self.to_json())


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the log had come."""

    n: int
    hash: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Where the log is no longer what it was: the number of the line, counted from 1."""

    n: int
    code: Literal["altered", "missing", "truncated", "unreadable"]


class AuditLog:
    """The file. Any thread may append; the owner is one process."""

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float] = time.time,
        on_head: Callable[[Anchor], None] = lambda anchor: None,
    ) -> None:
        """Open or begin it. What a power cut left of a line is cut off, and that is noted. Raise OSError."""
        self._path = folder / NAME
        self._now = now
        self.on_head = on_head  # is told of each new head, in the thread that appended
        self._lock = threading.RLock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _sync_folder(folder)
            torn = self._cut_torn_line()
            self._head = self._read_head()
            if torn:
                self.append("log_repaired", bytes=torn)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Close it."""
        with self._lock:
            fd, self._fd = self._fd, -1  # its number may be another file's from now on
            os.close(fd)

    @property
    def head(self) -> Anchor:
        """The newest line; n 0 before the first."""
        with self._lock:
            return self._head

    def append(self, what: str, /, **facts: Json) -> Line:
        """Write a line; it is on disk when this returns. Raise OSError, with nothing written."""
        with self._lock:
            line = Line.make(self._head.n + 1, int(self._now()), what, facts, self._head.hash)
            written = encode(line.to_json()) + b"\n"
            if len(written) > MAX_LINE_BYTES:
                raise ValueError(f"a line of {len(written)} bytes")
            size = os.fstat(self._fd).st_size
            try:
                _write(self._fd, written)
                os.fsync(self._fd)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._fd, size)
                raise
            self._head = Anchor(line.n, line.hash)
            self.on_head(self._head)
            return line

    def lines(self, before: int | None = None, limit: int = PAGE) -> tuple[Line, ...]:
        """Return lines, newest first; `before` is the number of the last one that was seen."""
        stop = None if before is None else max(before - 1, 0)
        kept = deque(itertools.islice(self._written(), stop), maxlen=limit)
        found = []
        for written in reversed(kept):
            with suppress(ValueError):
                found.append(Line.read(written))
        return tuple(found)

    def verify(self, anchor: Anchor | None = None) -> Trouble | None:
        """Read all of it. Return the first place where something is wrong."""
        previous, n = FIRST, 0
        for n, written in enumerate(self._written(), 1):
            try:
                line = Line.read(written)
            except ValueError:
                return Trouble(n, "unreadable" if not written.startswith(b"{") else "altered")
            if line.n > n:
                return Trouble(n, "missing")
            if line.n != n or line.previous != previous:
                return Trouble(n, "altered")
            if anchor is not None and n == anchor.n and line.hash != anchor.hash:
                return Trouble(n, "altered")
            previous = line.hash
        if anchor is not None and n < anchor.n:
            return Trouble(n + 1, "truncated")
        return None

    def all(self) -> Iterator[Line]:
        """Yield all lines that can be read, oldest first."""
        for written in self._written():
            with suppress(ValueError):
                yield Line.read(written)

    def _written(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            for written in file:
                yield written.removesuffix(b"\n")

    def _cut_torn_line(self) -> int:
        """Cut off what has no end. Return how much that was."""
        size = os.fstat(self._fd).st_size
        at, kept = size, b""
        while at and b"\n" not in kept:
            start = max(0, at - MAX_LINE_BYTES)
            kept = os.pread(self._fd, at - start, start)
            at = start
        end = at + kept.rfind(b"\n") + 1
        if end < size:
            os.ftruncate(self._fd, end)
            os.fsync(self._fd)
        return size - end

    def _read_head(self) -> Anchor:
        """Return the last line's number and hash, so that the next one hangs on it, damaged or not."""
        last, n = b"", 0
        for n, last in enumerate(self._written(), 1):  # noqa: B007
            pass
        if not n:
            return Anchor(0, FIRST)
        try:
            return Anchor(n, Line.read(last).hash)
        except ValueError:
            found = hashlib.sha256(last).hexdigest()
            return Anchor(n, found if is_digest(found) else FIRST)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
