"""Takes back what a hub has forgotten, from the host's home: after an older backup was restored.

What comes is the order that this hub has signed itself, and is checked with its own key. So nothing comes
in that was never there, nor anything else than what homes were shown.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
import sqlite3

from ..neighborhood.apply import apply
from ..neighborhood.bodies import Alert, Post
from ..neighborhood.changes import Change
from ..neighborhood.envelope import Record
from ..neighborhood.keys import PrivateKey
from ..neighborhood.order import ORDER_CONTEXT, Entry, Position, verify_chain
from ..neighborhood.rows import Subject
from ..neighborhood.segments import unpack_segment
from ..neighborhood.sqlite_store import SqliteHistory
from . import table

type Follow = Callable[[sqlite3.Connection, tuple[Change, ...]], list[str]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was taken back."""

    position: Position
    changes: tuple[Change, ...]
    unlink: tuple[str, ...]  # files that nobody names any more


def restore(
    db: sqlite3.Connection, neighborhood: str, hub: PrivateKey, data: bytes, *, now_s: int, follow: Follow
) -> Restored:
    """Append a part of the order, as packed as a segment is. In a transaction. Raise Violation."""
    state = table.state_of(db)
    at = state.position
    # By the last entry's time: what the hub has signed since it was restored is newer than what comes
    [time_s] = db.execute("SELECT time_s FROM records WHERE number = ?", (at.number,)).fetchone()
    placed = unpack_segment(data, neighborhood, SqliteHistory(db))
    verify_chain(
        [one.entry for one in placed],
        neighborhood=neighborhood,
        hub_key=hub.public,
        after=replace(at, time_s=time_s),
        now_s=now_s,
    )
    changes: list[Change] = []
    unlink: list[str] = []
    for one in placed:
        subject = state.subject_of(one.record.author)
        found = apply(one.record, state, one.entry)
        table.insert(db, one.record, _signed(hub, one.entry))
        if subject is not None:
            _name(db, one.record, subject)
        changes += found
        unlink += follow(db, found)
    return Restored(state.position, tuple(changes), tuple(unlink))


def _signed(hub: PrivateKey, entry: Entry) -> Entry:
    """Return an entry with its signature: only the last one of what comes has it, which covers all."""
    return replace(entry, sig=hub.sign(ORDER_CONTEXT, bytes.fromhex(entry.head)))


def _name(db: sqlite3.Connection, record: Record, subject: Subject) -> None:
    """Note which files a record names. They are brought afterwards, as far as the host's home has them."""
    body = record.body
    if isinstance(body, Post | Alert):
        for one in (body.post if isinstance(body, Alert) else body).media:
            db.execute("INSERT OR IGNORE INTO names VALUES (?, ?, ?)", (one.sha256, record.id, subject.id))
