"""Segments, packed: made when somebody first asks, and kept as files until a body in them goes or comes back.

A file's name says which form of the segment it holds, so an older form is never served; older ones are
deleted, as they hold bodies that were erased.
"""

from dataclasses import dataclass
import os
from pathlib import Path
import re
import sqlite3
from typing import Final

from ..neighborhood.segments import SEGMENT_RECORDS, pack_segment
from ..neighborhood.sqlite_store import SqliteHistory
from . import table

_NAME: Final = re.compile(r"([0-9]{1,9})-([0-9]{1,12})\.gz")


@dataclass(frozen=True, slots=True)
class Segment:
    """A packed segment and the name of its form."""

    etag: str
    data: bytes


class SegmentFiles:
    """The folder of one neighborhood's segments. Blocking."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "segments"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, db: sqlite3.Connection, neighborhood: str, number: int) -> Segment:
        """Return a full segment, in the form that this reader's snapshot of the database has."""
        form = table.forms(db, number)
        path = self._folder / f"{number}-{form}.gz"
        etag = f'"{number}-{form}"'
        try:
            return Segment(etag, path.read_bytes())
        except FileNotFoundError:
            first = (number - 1) * SEGMENT_RECORDS + 1
            data = pack_segment(table.placed(db, neighborhood, first, SEGMENT_RECORDS), SqliteHistory(db))
        part = path.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.part")
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError:  # a full disk: it can be served without being kept
            part.unlink(missing_ok=True)
        return Segment(etag, data)

    def sweep(self, db: sqlite3.Connection) -> None:
        """Delete older forms, and what a kill left."""
        for path in list(self._folder.iterdir()):
            match = _NAME.fullmatch(path.name)
            if match is None or int(match[2]) != table.forms(db, int(match[1])):
                path.unlink(missing_ok=True)
