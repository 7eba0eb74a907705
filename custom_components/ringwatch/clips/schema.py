"""The catalogue's tables, and the way from each version of them to the next."""

import sqlite3
from typing import Final

# Each script brings the tables from its index to the next version (PRAGMA user_version). Never change one
# that was released: add one.
MIGRATIONS: Final = (
    """
    CREATE TABLE store (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE cameras (id TEXT PRIMARY KEY, name TEXT NOT NULL, folder TEXT NOT NULL UNIQUE) WITHOUT ROWID;
    CREATE TABLE clips (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        recording TEXT NOT NULL,
        camera TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        end_ms INTEGER NOT NULL,
        size INTEGER NOT NULL,
        keep INTEGER NOT NULL DEFAULT 0,
        state INTEGER NOT NULL,
        path TEXT NOT NULL UNIQUE,
        sha256 TEXT,
        document TEXT NOT NULL,
        shared TEXT NOT NULL DEFAULT '[]'
    );
    CREATE INDEX clips_by_camera ON clips (camera, start_ms, id, state, size);
    CREATE INDEX clips_by_time ON clips (start_ms, id, state, size);
    CREATE INDEX clips_by_recording ON clips (recording);
    CREATE INDEX clips_by_length ON clips (end_ms - start_ms);
    CREATE INDEX clips_sizes ON clips (camera, size);
    CREATE INDEX clips_to_delete ON clips (camera, start_ms, id, size) WHERE keep = 0 AND state = 1;
    CREATE INDEX clips_unfinished ON clips (state) WHERE state <> 1;
    CREATE INDEX clips_unhashed ON clips (seq) WHERE sha256 IS NULL;
    CREATE TABLE moments (id TEXT PRIMARY KEY, moments BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE tags (
        tag TEXT NOT NULL,
        camera TEXT NOT NULL,
        start_ms INTEGER NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (tag, camera, start_ms, id)
    ) WITHOUT ROWID;
    CREATE INDEX tags_by_time ON tags (tag, start_ms, id, camera);
    CREATE INDEX tags_by_clip ON tags (id);
    """,
    # keep is a sum from here on: 1 protected, 2 held for an open answer
    """
    ALTER TABLE clips ADD COLUMN held TEXT NOT NULL DEFAULT '[]';
    CREATE INDEX clips_held ON clips (id) WHERE held <> '[]';
    """,
)
VERSION: Final = len(MIGRATIONS)


class NewerCatalogueError(Exception):
    """The database was written by a newer version of Ringwatch."""


def migrate(db: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring the tables to the newest version, each step whole or not at all."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise NewerCatalogueError(
            f"the catalogue has version {version}, this Ringwatch knows {len(migrations)}"
        )
    for number in range(version, len(migrations)):
        step = f"BEGIN IMMEDIATE; {migrations[number]}; PRAGMA user_version = {number + 1}; COMMIT;"
        try:
            db.executescript(step)
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
