"""Questions to the catalogue, from any thread: a page of clips, what overlaps a window, sums."""

import base64
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
import json
from pathlib import Path
import sqlite3
from typing import Any

from .catalogue import NAME, connect, to_clip, to_ms, with_moments
from .model import Clip, Trigger

MAX_PAGE = 500
MAX_OFFSET_S = 3600.0  # a clock that is off by more is a wrong clock: then nobody knows by how much
QUARTER_MS = 900_000  # midnight is at a full quarter of an hour UTC, whatever the zone
_FIELDS = "c.id, c.path, c.size, c.sha256, c.keep, c.shared, c.held, c.document"
# No clip is longer than the longest: so only a short stretch of the index has to be looked at.
_LONGEST = "(SELECT COALESCE(MAX(end_ms - start_ms), 0) FROM clips)"
_ONE = "SELECT id, path, size, sha256, keep, shared, held, document FROM clips WHERE id = ? AND state = 1"


class BadCursorError(ValueError):
    """A cursor that no page was given with."""


@dataclass(frozen=True, slots=True)
class Page:
    """Clips, newest first; `cursor` leads to the next page, None if this is the last."""

    clips: tuple[Clip, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is."""

    clips: int
    size_bytes: int


class Questions:
    """The reading side. Every question has a connection of its own: it may come from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(connect(self._path, write=False)) as db:
            yield db

    def get(self, clip_id: str) -> Clip | None:
        """Return a clip that is whole, with where things moved in it."""
        with self._open() as db:
            row = db.execute(_ONE, (clip_id,)).fetchone()
            return None if row is None else with_moments(db, to_clip(row))

    def page(
        self,
        *,
        camera_id: str | Collection[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        begun_before: bool = False,
        trigger: Trigger | None = None,
        zone: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Return clips that begin in [start, end), newest first, without `moments`. Raise BadCursorError.

        With `begun_before`, those as well that had begun by `start` and go on after it.
        """
        limit = min(max(limit, 1), MAX_PAGE)
        tags = [f"trigger:{trigger}"] if trigger else []
        tags += [f"zone:{zone}"] if zone else []
        lead = "t0" if tags else "c"
        source = "clips c"
        if tags:
            source = "tags t0 CROSS JOIN clips c ON c.id = t0.id"
        where, values = ["c.state = 1"], list[Any]()
        if tags:
            where.append("t0.tag = ?")
            values.append(tags[0])
        for tag in tags[1:]:
            where.append("EXISTS (SELECT 1 FROM tags t WHERE t.id = c.id AND t.tag = ?)")
            values.append(tag)
        if isinstance(camera_id, str):
            where.append(f"{lead}.camera = ?")
            values.append(camera_id)
        elif camera_id is not None:
            where.append(f"{lead}.camera IN ({', '.join('?' * len(camera_id))})")
            values += camera_id
        if start is not None and begun_before:
            where.append(f"{lead}.start_ms > ? - {_LONGEST} AND c.end_ms > ?")
            values += [to_ms(start) - 1, to_ms(start)]
        elif start is not None:
            where.append(f"{lead}.start_ms >= ?")
            values.append(to_ms(start))
        if end is not None:
            where.append(f"{lead}.start_ms < ?")
            values.append(to_ms(end))
        if cursor is not None:
            where.append(f"({lead}.start_ms, {lead}.id) < (?, ?)")
            values += _read_cursor(cursor)
        query = (
            f"SELECT {_FIELDS} FROM {source} WHERE {' AND '.join(where)}"  # noqa: S608
            f" ORDER BY {lead}.start_ms DESC, {lead}.id DESC LIMIT ?"
        )
        with self._open() as db:
            rows = db.execute(query, (*values, limit + 1)).fetchall()
        clips = tuple(to_clip(row) for row in rows[:limit])
        more = len(rows) > limit
        return Page(clips, _cursor(clips[-1]) if more else None)

    def overlapping(
        self, start: datetime, end: datetime, *, camera_id: str | None = None
    ) -> tuple[Clip, ...]:
        """Return the clips that show any moment of [start, end), oldest first, without `moments`."""
        with self._open() as db:
            query = (
                f"SELECT {_FIELDS} FROM clips c WHERE c.state = 1"  # noqa: S608
                f" AND c.start_ms < ? AND c.start_ms > ? - {_LONGEST} AND c.end_ms > ?"
                + (" AND c.camera = ?" if camera_id is not None else "")
            )
            values: list[Any] = [to_ms(end), to_ms(start) - 1, to_ms(start)]
            if camera_id is not None:
                values.append(camera_id)
            rows = db.execute(query + " ORDER BY c.start_ms, c.id", values).fetchall()
        return tuple(to_clip(row) for row in rows)

    def unsure_overlapping(
        self, start: datetime, end: datetime, *, cameras: Collection[str], unsure_s: float, limit: int
    ) -> tuple[tuple[Clip, ...], int]:
        """Return the first clips that may show a moment of [start, end), oldest first, and their number.

        A clip's times may be wrong by as much as the offset that it knows of its clock, or else by
        `unsure_s`; no offset beyond MAX_OFFSET_S is looked for. Without `moments`.
        """
        if not cameras:
            return (), 0
        farthest_ms = round(max(MAX_OFFSET_S, unsure_s) * 1000)
        marks = ", ".join("?" * len(cameras))
        query = (
            "SELECT c.start_ms, c.end_ms, c.seq,"  # noqa: S608
            " json_extract(c.document, '$.clock_offset_s') FROM clips c WHERE c.state = 1"
            f" AND c.start_ms < ? AND c.start_ms > ? - {_LONGEST} AND c.end_ms > ? AND c.camera IN ({marks})"
            " ORDER BY c.start_ms, c.id"
        )
        start_ms, end_ms = to_ms(start), to_ms(end)
        first_ms, last_ms = start_ms - farthest_ms, end_ms + farthest_ms
        with self._open() as db:
            found = [
                seq
                for begun_ms, over_ms, seq, offset_s in db.execute(
                    query, (last_ms, first_ms - 1, first_ms, *cameras)
                )
                if begun_ms < end_ms + (unsure_ms := abs(unsure_s if offset_s is None else offset_s) * 1000)
                and over_ms > start_ms - unsure_ms
            ]
            shown = found[: max(0, limit)]
            rows = db.execute(
                f"SELECT {_FIELDS} FROM clips c WHERE c.seq IN ({', '.join('?' * len(shown))})"  # noqa: S608
                " ORDER BY c.start_ms, c.id",
                shown,
            ).fetchall()
        return tuple(to_clip(row) for row in rows), len(found)

    def totals(
        self, *, camera_id: str | None = None, start: datetime | None = None, end: datetime | None = None
    ) -> Totals:
        """Return number and bytes of the clips that begin in [start, end)."""
        where, values = ["state = 1"], list[Any]()
        for term, value in (("camera = ?", camera_id), ("start_ms >= ?", start), ("start_ms < ?", end)):
            if value is not None:
                where.append(term)
                values.append(to_ms(value) if isinstance(value, datetime) else value)
        with self._open() as db:
            query = f"SELECT COUNT(*), COALESCE(SUM(size), 0) FROM clips WHERE {' AND '.join(where)}"  # noqa: S608
            count, size = db.execute(query, values).fetchone()
        return Totals(int(count), int(size))

    def days(self, camera_id: str, zone: tzinfo) -> list[tuple[str, int]]:
        """Return (date, number of clips) of each day with clips, newest first. Days are the zone's."""
        with self._open() as db:
            query = (
                "SELECT start_ms / ? AS quarter, COUNT(*) FROM clips"
                " WHERE camera = ? AND state = 1 GROUP BY quarter ORDER BY quarter DESC"
            )
            quarters = db.execute(query, (QUARTER_MS, camera_id)).fetchall()
        days: Counter[str] = Counter()
        for quarter, count in quarters:
            days[datetime.fromtimestamp(quarter * QUARTER_MS / 1000, zone).date().isoformat()] += count
        return list(days.items())

    def cameras(self) -> dict[str, str]:
        """Return id and name of each camera that there are clips of, whether it still is there or not."""
        with self._open() as db:
            query = (
                "SELECT id, name FROM cameras c"
                " WHERE EXISTS (SELECT 1 FROM clips WHERE camera = c.id AND state = 1)"
            )
            return dict(db.execute(query).fetchall())


def _cursor(clip: Clip) -> str:
    return base64.urlsafe_b64encode(json.dumps([to_ms(clip.start), clip.id]).encode()).decode()


def _read_cursor(cursor: str) -> list[Any]:
    try:
        start_ms, clip_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return [int(start_ms), str(clip_id)]
    except (ValueError, TypeError) as error:
        raise BadCursorError("this cursor was not given with a page") from error
