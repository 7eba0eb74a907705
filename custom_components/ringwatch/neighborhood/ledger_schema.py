"""The tables of a home's ledger, and the way from each version of them to the next."""

from pathlib import Path
import sqlite3
from typing import Final

from .sqlite_store import RECORDS_SCHEMA, STATE_SCHEMA

NAME: Final = "ledger.db"
BUSY_S: Final = 5.0  # readers don't block the writer (WAL); a checkpoint may, shortly

# Each script brings the tables from its index to the next version (PRAGMA user_version). Never change one
# that was released: add one.
MIGRATIONS: Final = (
    RECORDS_SCHEMA
    + STATE_SCHEMA
    + """
    CREATE TABLE kept (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id BLOB NOT NULL UNIQUE,
        record TEXT NOT NULL,
        entry TEXT,
        tries INTEGER NOT NULL DEFAULT 0,
        code TEXT,
        about TEXT
    );
    """,
)


class NewerLedgerError(Exception):
    """The database was written by a newer version."""


class DamagedLedgerError(Exception):
    """The database can't be used. The hub has what it held, but for the outbox."""


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open the database. A reader never creates it."""
    quoted = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    db = sqlite3.connect(
        f"file:{quoted}?mode={'rwc' if write else 'rw'}",
        uri=True,
        timeout=BUSY_S,
        autocommit=True,
        check_same_thread=False,
    )
    if write:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # what is in the outbox survives a power cut
        db.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
    else:
        db.execute("PRAGMA query_only = ON")
    return db


def migrate(db: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring the tables to the newest version, each step whole or not at all."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise NewerLedgerError(f"the ledger has version {version}, this Ringwatch knows {len(migrations)}")
    for number, script in enumerate(migrations[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def open_database(folder: Path) -> sqlite3.Connection:
    """Open or create a ledger's database to write. Raise DamagedLedgerError, NewerLedgerError or OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        db = connect(folder / NAME, write=True)
        try:
            _check(db)
            migrate(db)
        except BaseException:
            db.close()
            raise
    except sqlite3.OperationalError as error:
        raise OSError(f"the ledger can't be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        raise DamagedLedgerError(str(error)) from error
    return db


def _check(db: sqlite3.Connection) -> None:
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise DamagedLedgerError(str(verdict))


def set_aside(folder: Path, stamp: str) -> Path | None:
    """Rename a damaged database and what belongs to it, so that a new one can be begun."""
    found = None
    for suffix in ("", "-wal", "-shm"):
        file = folder / f"{NAME}{suffix}"
        if file.exists():
            found = file.replace(folder / f"{NAME}.damaged-{stamp}{suffix}")
    return found
