"""Neighborhoods that a hub carries no more: set aside in its folder, until taken up again or erased.

    <data>/<neighborhood>/         carried
    <data>/left/<neighborhood>/    set aside: a hub that starts doesn't look there

Blocking, and only while no hub runs on the folder. What is set aside ends on its day all the same: texts and
clips were promised to be erased then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import shutil
import sqlite3
from typing import Final

from ..neighborhood.apply import advance
from ..neighborhood.keys import is_digest
from . import blobs, table
from .blob_files import BlobFiles
from .hood import due_s, follow
from .keys import FILE, KeyDamagedError, load_key, sync_folder
from .schema import DatabaseError, open_database
from .segment_files import SegmentFiles

LEFT: Final = "left"
DATABASE: Final = "hub.db"


@dataclass(frozen=True, slots=True)
class LeftHood:
    """What is known of one: its name, who hosted it, and with which keys it could go on."""

    id: str
    name: str
    handle: str
    host_key: str
    hub_key: str
    members: int


def carried(data: Path) -> list[str]:
    """Return the ids of those that a hub on this folder would carry."""
    return [folder.name for folder in _folders(data)]


def set_aside(data: Path, neighborhood: str) -> None:
    """Have a hub carry one no more. Raise OSError."""
    _move(data / neighborhood, data / LEFT / neighborhood)


def take_up(data: Path, neighborhood: str) -> None:
    """Have a hub carry one again. Raise OSError."""
    _move(data / LEFT / neighborhood, data / neighborhood)


def erase(data: Path, neighborhood: str) -> None:
    """Delete all that was set aside of one."""
    if not is_digest(neighborhood):
        raise ValueError("not a digest")
    shutil.rmtree(data / LEFT / neighborhood, ignore_errors=True)


def look(data: Path) -> list[LeftHood]:
    """Return those that were set aside and that this folder's hub key could carry again."""
    key = _hub_key(data)
    return [hood for hood in _read(data / LEFT) if hood.hub_key == key]


def hosts(data: Path) -> set[str]:
    """Return the keys of the hosts of all that there are, carried or set aside."""
    return {hood.host_key for folder in (data, data / LEFT) for hood in _read(folder)}


def let_end(data: Path, now_s: int) -> None:
    """Erase texts and files of what was set aside and has ended. A database that can't be read stays."""
    for folder in _folders(data / LEFT):
        try:
            db = open_database(folder / DATABASE)
        except DatabaseError, sqlite3.Error:
            continue
        try:
            _let_end(db, folder, now_s)
        except sqlite3.Error, OSError:  # a full disk: on another day
            continue
        finally:
            db.close()


def _let_end(db: sqlite3.Connection, folder: Path, now_s: int) -> None:
    files = BlobFiles(folder)
    erased = False
    while (until_s := due_s(db, now_s)) is not None:
        db.execute("BEGIN IMMEDIATE")
        try:
            unlink = follow(db, advance(table.state_of(db), until_s))
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        for sha256 in unlink:
            if not blobs.is_wanted(db, sha256):
                files.delete(sha256)
        erased = True
    if erased:
        SegmentFiles(folder).sweep(db)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or its log would have the texts still


def _read(folder: Path) -> Iterator[LeftHood]:
    for one in _folders(folder):
        try:
            db = open_database(one / DATABASE)
        except DatabaseError, sqlite3.Error:
            continue
        try:
            state = table.state_of(db)
            if state.is_founded:
                hood, host = state.hood, state.host
                yield LeftHood(hood.id, hood.name, host.name, host.key, hood.hub_key, state.count("members"))
        except sqlite3.Error:
            continue
        finally:
            db.close()


def _folders(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError:  # there is none yet, or nobody may read it
        return []
    return [path for path in found if is_digest(path.name) and (path / DATABASE).is_file()]


def _hub_key(data: Path) -> str | None:
    if not (data / FILE).exists():
        return None
    try:
        return load_key(data).public
    except KeyDamagedError, OSError:
        return None


def _move(before: Path, after: Path) -> None:
    if not is_digest(before.name):
        raise ValueError("not a digest")
    after.parent.mkdir(mode=0o700, exist_ok=True)
    before.rename(after)
    sync_folder(after.parent)
    sync_folder(before.parent)
