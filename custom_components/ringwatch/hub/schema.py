"""The database of one neighborhood: opened, brought up to date, never repaired silently.

Each step of `STEPS` takes the database one version further; what is there is never edited. What is erased is
overwritten (secure_delete), in the index of texts too, and the write-ahead log is emptied after it
(`hood.py`).
"""

from pathlib import Path
import sqlite3
from typing import Final

from ..neighborhood.sqlite_store import STATE_SCHEMA

APPLICATION_ID: Final = 0x52574842  # "RWHB"
BUSY_TIMEOUT_MS: Final = 5_000
CACHE_KIB: Final = 4_096  # per connection; the system caches the file as well

_TABLES: Final = """
    -- An envelope is taken apart: half the size of its JSON. `withheld`: its body is kept back from most.
    CREATE TABLE records (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        head BLOB NOT NULL UNIQUE,
        time_s INTEGER NOT NULL,
        sig BLOB NOT NULL,
        type TEXT NOT NULL,
        author BLOB NOT NULL,
        created_s INTEGER NOT NULL,
        prev BLOB,
        seen BLOB,
        body_hash BLOB NOT NULL,
        record_sig BLOB NOT NULL,
        salt BLOB,
        body TEXT,
        withheld INTEGER NOT NULL DEFAULT 0
    );
    -- How often bodies of a segment went or came back: the name of its present form.
    CREATE TABLE segments (number INTEGER PRIMARY KEY, forms INTEGER NOT NULL);
    CREATE VIRTUAL TABLE texts USING fts5(title, text, tokenize = 'unicode61 remove_diacritics 2');
    CREATE TABLE uploads (
        sha256 TEXT NOT NULL,
        owner TEXT NOT NULL,
        media TEXT NOT NULL,
        size INTEGER NOT NULL,
        offset INTEGER NOT NULL DEFAULT 0,
        ready INTEGER NOT NULL DEFAULT 0,
        token BLOB,
        touched_s INTEGER NOT NULL,
        PRIMARY KEY (sha256, owner)
    ) WITHOUT ROWID;
    CREATE INDEX uploads_by_owner ON uploads (owner);
    -- Which records name which media.
    CREATE TABLE names (
        sha256 TEXT NOT NULL, record TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (sha256, record)
    ) WITHOUT ROWID;
    CREATE INDEX names_by_record ON names (record);
    CREATE TABLE spent (owner TEXT NOT NULL, day INTEGER NOT NULL, up INTEGER NOT NULL, PRIMARY KEY (owner,
    day))
        WITHOUT ROWID;
    CREATE TABLE revoked (invite TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO texts(texts, rank) VALUES ('secure-delete', 1);
"""
_MAILBOXES: Final = """
    -- Packages for agencies. No column says who sent one; `key` was made for this one package.
    CREATE TABLE deliveries (
        id TEXT PRIMARY KEY,
        request TEXT NOT NULL,
        agency TEXT NOT NULL,
        agency_key TEXT NOT NULL,
        key TEXT NOT NULL,
        sha256 TEXT NOT NULL UNIQUE,
        size INTEGER NOT NULL,
        offset INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'open',
        number INTEGER,
        arrival TEXT,
        touched_s INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX deliveries_by_agency ON deliveries (agency, number) WHERE number IS NOT NULL;
    CREATE TABLE receipts (
        delivery TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, receipt TEXT NOT NULL,
        PRIMARY KEY (delivery, number)
    ) WITHOUT ROWID;
    -- How many packages came for a request: for the register, for good.
    CREATE TABLE answers (request TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    -- Households that redeemed an agency's code: a number, and for two weeks what keeps one from being two.
    CREATE TABLE redeemed (agency TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE redeemers (mark BLOB PRIMARY KEY, until_s INTEGER NOT NULL) WITHOUT ROWID;
    -- What members are told of a legal demand about them, each alone, from a time on.
    CREATE TABLE notices (
        subject TEXT NOT NULL, demand TEXT NOT NULL, text TEXT NOT NULL, from_s INTEGER NOT NULL,
        PRIMARY KEY (subject, demand)
    ) WITHOUT ROWID;
"""
_AVAILABILITY: Final = """
    -- "Did anybody record?" Who takes part, with a key for masks that each has signed.
    CREATE TABLE consents (
        subject TEXT PRIMARY KEY, member TEXT NOT NULL, key TEXT NOT NULL, sig TEXT NOT NULL,
        since_s INTEGER NOT NULL
    ) WITHOUT ROWID;
    -- What was asked. Roster and shares are there until the answer stands.
    CREATE TABLE rounds (
        request TEXT PRIMARY KEY,
        closes_s INTEGER NOT NULL,
        cells TEXT NOT NULL,
        hours TEXT NOT NULL,
        roster TEXT,
        asked INTEGER NOT NULL,
        answer TEXT,
        told INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    -- Masked numbers: one tells nothing, and there is no column for when it came.
    CREATE TABLE shares (
        request TEXT NOT NULL, member TEXT NOT NULL, share TEXT NOT NULL, PRIMARY KEY (request, member)
    ) WITHOUT ROWID;
    -- How often a member was asked in the last 30 days.
    CREATE TABLE turns (
        subject TEXT NOT NULL, closes_s INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (subject, closes_s)
    ) WITHOUT ROWID;
    CREATE TABLE switches (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
STEPS: Final = (STATE_SCHEMA + _TABLES, _MAILBOXES, _AVAILABILITY)


class DatabaseError(Exception):
    """The database is damaged, of something else, or of a newer version."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open for writing; make it or bring it up to date. Raise DatabaseError."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "secure_delete = ON",
            "journal_mode = WAL",
            "synchronous = FULL",  # what was acknowledged survives a power cut
            f"cache_size = -{CACHE_KIB}",
            "journal_size_limit = 4194304",
            "trusted_schema = OFF",
        ):
            db.execute(f"PRAGMA {pragma}")
        _migrate(db)
    except sqlite3.OperationalError:
        db.close()
        raise
    except (sqlite3.DatabaseError, DatabaseError) as error:
        db.close()
        raise DatabaseError(f"{path.name} can't be used: {error}") from error
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    """Open for reading only."""
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    db.execute("PRAGMA query_only = ON")
    db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return db


def _migrate(db: sqlite3.Connection) -> None:
    [version] = db.execute("PRAGMA user_version").fetchone()
    [application] = db.execute("PRAGMA application_id").fetchone()
    [tables] = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or application):
        raise DatabaseError("it belongs to another program")
    if version > len(STEPS):
        raise DatabaseError(f"it is of version {version}, this program knows {len(STEPS)}")
    for number, step in enumerate(STEPS[version:], version + 1):
        try:
            db.executescript(
                f"BEGIN IMMEDIATE; {step}; PRAGMA application_id = {APPLICATION_ID};"
                f" PRAGMA user_version = {number}; COMMIT;"
            )
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
