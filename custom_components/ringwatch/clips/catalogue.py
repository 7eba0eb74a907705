"""The catalogue of clips: SQLite, one connection that writes (the store's thread), any number that read.

A clip's row comes before its file and goes after it, with a state that says which of the two is under way:
so after a kill at any moment the rows tell what to finish (see store.py).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import IntEnum
import json
from pathlib import Path
import sqlite3
from typing import Any, Final
import zlib

from .model import Clip, holds_document, read_holds, read_moments
from .schema import migrate

NAME: Final = "catalogue.db"
BUSY_S = 5.0  # readers don't block the writer (WAL); a checkpoint may, shortly
SIDE_FILES: Final = ("-wal", "-shm", "-journal")


class State(IntEnum):
    """Where a clip's file is on its way."""

    COMING = 0  # the file may still be in the spool folder
    READY = 1
    GOING = 2  # the file may be gone already


class DamagedCatalogueError(Exception):
    """The database can't be used; it can be rebuilt from the files."""


PROTECTED: Final = 1  # what `keep` is a sum of
HELD: Final = 2

_COLUMNS = "id, path, size, sha256, keep, shared, held, document"
_INSERT = """
    INSERT INTO clips (
        id, recording, camera, start_ms, end_ms, size, keep, state, path, sha256, document, shared,
        held
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open the database. A reader never creates it, and changes no row.

    Whoever closes it last puts its log away, which a connection opened read-only could not do.
    """
    mode = "rwc" if write else "rw"
    quoted = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    db = sqlite3.connect(
        f"file:{quoted}?mode={mode}", uri=True, timeout=BUSY_S, autocommit=True, check_same_thread=False
    )
    db.execute("PRAGMA foreign_keys = OFF")
    if not write:
        db.execute("PRAGMA query_only = ON")
    else:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # a row is on disk before its file is moved
    return db


def set_aside(folder: Path, now: datetime) -> Path | None:
    """Rename a damaged database and what belongs to it, so that a new one can be begun."""
    damaged = folder / NAME
    aside = folder / f"{NAME}.damaged-{now.astimezone(UTC):%Y%m%d-%H%M%S}"
    found = None
    for suffix in ("", *SIDE_FILES):
        file = damaged.with_name(damaged.name + suffix)
        with suppress(FileNotFoundError):
            file.replace(aside.with_name(aside.name + suffix))
            found = aside
    return found


class Catalogue:
    """The writing side. Owned by one thread."""

    def __init__(self, folder: Path) -> None:
        """Open or create it. Raise DamagedCatalogueError, NewerCatalogueError or OSError."""
        self.path = folder / NAME
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._db = connect(self.path, write=True)
            try:
                self._check()
                migrate(self._db)
            except BaseException:
                self._db.close()
                raise
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in {
                sqlite3.SQLITE_CANTOPEN,
                sqlite3.SQLITE_FULL,
                sqlite3.SQLITE_IOERR,
            }:
                raise OSError(f"the catalogue can't be opened: {error}") from error
            raise DamagedCatalogueError(str(error)) from error
        except sqlite3.DatabaseError as error:
            raise DamagedCatalogueError(str(error)) from error

    def _check(self) -> None:
        (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise DamagedCatalogueError(str(verdict))

    def close(self) -> None:
        """Close it; everything goes into the one file."""
        self._db.close()

    def checkpoint(self) -> None:
        """Bring everything into the main file, so that a copy of it is complete."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do several writes at once or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # The store itself

    def value(self, key: str) -> str | None:
        """Return a fact about the store."""
        row = self._db.execute("SELECT value FROM store WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_value(self, key: str, value: str) -> None:
        """Keep a fact about the store."""
        self._db.execute("INSERT OR REPLACE INTO store VALUES (?, ?)", (key, value))

    def folders(self) -> dict[str, str]:
        """Return each camera's folder."""
        return dict(self._db.execute("SELECT id, folder FROM cameras").fetchall())

    def set_folder(self, camera_id: str, name: str, folder: str) -> None:
        """Keep a camera's name and folder."""
        self._db.execute("INSERT OR REPLACE INTO cameras VALUES (?, ?, ?)", (camera_id, name, folder))

    # Clips

    def add(self, clip: Clip, state: State) -> None:
        """Add a clip, or what has become of it."""
        self.add_all([clip], state)

    def add_all(self, clips: Iterable[Clip], state: State) -> None:
        """Add clips at once."""
        with self.transaction():
            for clip in clips:
                self._remove(clip.id)
                self._insert(clip, state)

    def _insert(self, clip: Clip, state: State) -> None:
        start_ms = to_ms(clip.start)
        document = clip.document()
        moments = document.pop("moments")  # much, and asked for one clip at a time: not in the row
        self._db.execute(
            _INSERT,
            (
                clip.id,
                clip.recording,
                clip.camera_id,
                start_ms,
                to_ms(clip.end),
                clip.size_bytes,
                _keep(clip),
                state,
                clip.path,
                clip.sha256,
                _dump(document),
                _dump(clip.shared),
                _dump(holds_document(clip.held)),
            ),
        )
        if moments:
            packed = zlib.compress(_dump(moments).encode())
            self._db.execute("INSERT OR REPLACE INTO moments VALUES (?, ?)", (clip.id, packed))
        rows = [(tag, clip.camera_id, start_ms, clip.id) for tag in tags_of(clip)]
        self._db.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?, ?, ?)", rows)

    def _remove(self, clip_id: str) -> None:
        self._db.execute("DELETE FROM clips WHERE id = ?", (clip_id,))
        self._db.execute("DELETE FROM tags WHERE id = ?", (clip_id,))
        self._db.execute("DELETE FROM moments WHERE id = ?", (clip_id,))

    def set_state(self, clip_id: str, state: State) -> None:
        """Say where its file is on its way."""
        self._db.execute("UPDATE clips SET state = ? WHERE id = ?", (state, clip_id))

    def set_sha256(self, clip_id: str, digest: str, size_bytes: int) -> None:
        """Keep the digest of a file that was found without one."""
        self._db.execute("UPDATE clips SET sha256 = ?, size = ? WHERE id = ?", (digest, size_bytes, clip_id))

    def set_flags(self, clip: Clip) -> None:
        """Keep what became of a clip: protected, shared, held."""
        self._db.execute(
            "UPDATE clips SET keep = ?, shared = ?, held = ? WHERE id = ?",
            (_keep(clip), _dump(clip.shared), _dump(holds_document(clip.held)), clip.id),
        )

    def remove(self, clip_ids: Iterable[str]) -> None:
        """Forget clips whose files are gone."""
        with self.transaction():
            for clip_id in clip_ids:
                self._remove(clip_id)

    def clear(self) -> None:
        """Forget all clips: they are read from the files again."""
        with self.transaction():
            self._db.execute("DELETE FROM clips")
            self._db.execute("DELETE FROM tags")
            self._db.execute("DELETE FROM moments")

    def get(self, clip_id: str) -> Clip | None:
        """Return a clip in whatever state."""
        clip = next(self._select("WHERE id = ?", (clip_id,)), None)
        return None if clip is None else with_moments(self._db, clip)

    def of_recording(self, recording: str) -> list[Clip]:
        """Return the parts of a recording that are whole."""
        found = self._select("WHERE recording = ? AND state = 1", (recording,))
        return sorted(found, key=lambda clip: clip.part)

    def held(self) -> list[Clip]:
        """Return the clips that are held for open answers."""
        return list(self._select("INDEXED BY clips_held WHERE held <> '[]' AND state = 1", ()))

    def unfinished(self) -> list[tuple[Clip, State]]:
        """Return the clips whose files were on their way when the process ended."""
        rows = self._db.execute(f"SELECT state, {_COLUMNS} FROM clips WHERE state <> 1").fetchall()  # noqa: S608
        return [(to_clip(row[1:]), State(row[0])) for row in rows]

    def unhashed(self) -> tuple[str, str] | None:
        """Return id and path of a clip whose digest isn't known."""
        query = (
            "SELECT id, path FROM clips INDEXED BY clips_unhashed WHERE sha256 IS NULL AND state = 1 LIMIT 1"
        )
        row = self._db.execute(query).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def paths(self) -> dict[str, str]:
        """Return id by path, of every clip that is whole."""
        return dict(self._db.execute("SELECT path, id FROM clips WHERE state = 1").fetchall())

    def has_path(self, path: str) -> bool:
        """Tell whether a path is taken."""
        return self._db.execute("SELECT 1 FROM clips WHERE path = ?", (path,)).fetchone() is not None

    # Retention

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each camera's clips."""
        return dict(self._db.execute("SELECT camera, SUM(size) FROM clips GROUP BY camera").fetchall())

    def cameras(self) -> list[str]:
        """Return the ids of all cameras that have clips."""
        # One seek per camera instead of a walk through the whole index.
        found: list[str] = []
        while True:
            query = "SELECT MIN(camera) FROM clips WHERE camera > ?"
            (camera,) = self._db.execute(query, (found[-1] if found else "",)).fetchone()
            if camera is None:
                return found
            found.append(str(camera))

    def oldest(self, camera_id: str, limit: int) -> list[tuple[str, int, int]]:
        """Return (id, start in ms, bytes) of the oldest clips that may be deleted."""
        query = (
            "SELECT id, start_ms, size FROM clips INDEXED BY clips_to_delete"
            " WHERE camera = ? AND keep = 0 AND state = 1 ORDER BY start_ms, id LIMIT ?"
        )
        return [
            (str(i), int(s), int(b)) for i, s, b in self._db.execute(query, (camera_id, limit)).fetchall()
        ]

    def _select(self, where: str, values: tuple[Any, ...]) -> Iterator[Clip]:
        for row in self._db.execute(f"SELECT {_COLUMNS} FROM clips {where}", values).fetchall():  # noqa: S608
            yield to_clip(row)


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _keep(clip: Clip) -> int:
    return PROTECTED * clip.protected + HELD * bool(clip.held)


def to_ms(time: datetime) -> int:
    """Return a time as the catalogue keeps it."""
    return round(time.timestamp() * 1000)


def tags_of(clip: Clip) -> list[str]:
    """Return what a clip can be found by besides camera and time."""
    return [f"trigger:{trigger}" for trigger in clip.triggers] + [f"zone:{zone}" for zone in clip.zones]


def to_clip(row: tuple[Any, ...]) -> Clip:
    """Make a clip of a row, without where things moved."""
    _, path, size, sha256, keep, shared, held, document = row
    return Clip.from_document(
        json.loads(document) | {"moments": []},
        path=path,
        size_bytes=size,
        sha256=sha256,
        protected=bool(keep & PROTECTED),
        shared=tuple(json.loads(shared)),
        held=read_holds(json.loads(held)) if keep & HELD else (),
    )


def with_moments(db: sqlite3.Connection, clip: Clip) -> Clip:
    """Add where things moved."""
    row = db.execute("SELECT moments FROM moments WHERE id = ?", (clip.id,)).fetchone()
    return clip if row is None else replace(clip, moments=read_moments(json.loads(zlib.decompress(row[0]))))
