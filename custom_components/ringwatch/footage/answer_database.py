"""The tables of this home's answers, and the way from each version of them to the next."""

from pathlib import Path
import sqlite3
from typing import Final

from ..neighborhood.ledger_schema import NewerLedgerError, migrate

NAME: Final = "footage.db"
BUSY_S: Final = 5.0
# Never change a script that was released: add one.
MIGRATIONS: Final = (
    """
    CREATE TABLE answers (
        id TEXT PRIMARY KEY, neighborhood TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL,
        created_s INTEGER NOT NULL, document TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX answers_request ON answers (request);
    CREATE TABLE declines (
        neighborhood TEXT NOT NULL, request TEXT NOT NULL, time_s INTEGER NOT NULL,
        PRIMARY KEY (neighborhood, request)
    ) WITHOUT ROWID;
    CREATE TABLE to_log (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, ref TEXT NOT NULL, what TEXT NOT NULL, facts TEXT NOT NULL
    );
    """,
)


class NewerAnswersError(Exception):
    """The database was written by a newer version."""


def open_database(folder: Path) -> sqlite3.Connection:
    """Open or create it. Raise sqlite3.DatabaseError if it is damaged, NewerAnswersError."""
    path = folder / NAME
    db = sqlite3.connect(path, timeout=BUSY_S, autocommit=True, check_same_thread=False)
    try:
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")  # it holds the keys of deliveries
        _check(db)
        migrate(db, MIGRATIONS)
    except NewerLedgerError as error:
        db.close()
        raise NewerAnswersError(str(error)) from error
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection) -> None:
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict))


def set_aside(folder: Path, stamp: int) -> None:
    """Rename a damaged database and what belongs to it, so that a new one can be begun."""
    for suffix in ("", "-wal", "-shm"):
        file = folder / f"{NAME}{suffix}"
        if file.exists():
            file.replace(folder / f"{NAME}.damaged-{stamp}{suffix}")
