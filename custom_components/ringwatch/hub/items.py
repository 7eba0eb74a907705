"""How items of the feed are answered: the record, and what has become of it."""

from collections.abc import Iterable
import re
import sqlite3
from typing import Any, Final

from ..neighborhood.rows import Item, Subject
from ..neighborhood.state import State, may_see_body, once_key
from . import table

MAX_WORDS: Final = 16
MAX_HITS: Final = 2_000  # looked at for one page
_WORD: Final = re.compile(r"\w+")


def to_json(
    db: sqlite3.Connection, state: State, items: Iterable[Item], viewer: Subject, *, moderates: bool
) -> list[dict[str, Any]]:
    """Return items as they are answered."""
    shown = list(items)
    records = table.wires(db, state.hood.id, [item.id for item in shown])
    subjects = table.state_rows(db, "subjects", sorted({item.subject for item in shown}))
    authors = {key: Subject.unpack(key, row) for key, row in subjects.items()}
    marks = [once_key(what, item.id, viewer.id) for item in shown for what in ("thanks", "flag")]
    made = table.state_rows(db, "once", marks)
    found = []
    for item in shown:
        if item.id not in records:
            continue
        author = authors.get(item.subject)
        one: dict[str, Any] = {
            "id": item.id,
            "number": item.number,
            "time": item.time_s,
            "expires": item.expires_s,
            "type": item.type.value,
            "status": item.status.value,
            "subject": item.subject,
            "handle": author.name if author else "",
            "role": _role(author),
            "parent": item.parent,
            "thanks": item.thanks,
            "comments": item.comments,
            "thanked": once_key("thanks", item.id, viewer.id) in made,
            "flagged": once_key("flag", item.id, viewer.id) in made,
            "media_gone": item.media_gone,
            "record": records[item.id],
        }
        if moderates:
            one |= {"flags": item.open_flags, "appealed": item.open_appeal}
        found.append(one)
    return found


def find_text(
    db: sqlite3.Connection, state: State, text: str, cursor: int | None, viewer: Subject
) -> list[Item]:
    """Return posts and alerts with all these words that the viewer may see, newest first, before a number."""
    words = _WORD.findall(text)[:MAX_WORDS]
    if not words:
        return []
    question = " ".join(f'"{word}"' for word in words)
    rows = db.execute(
        "SELECT records.id FROM texts JOIN records ON records.number = texts.rowid"
        " WHERE texts MATCH ? AND texts.rowid < ? ORDER BY texts.rowid DESC LIMIT ?",
        (question, cursor or 2**62, MAX_HITS),
    )
    found = (state.item(row[0].hex()) for row in rows.fetchall())
    return [item for item in found if item and item.known and may_see_body(item, viewer)]


def _role(subject: Subject | None) -> str:
    if subject is None:
        return ""
    return subject.standing.value if subject.kind.value == "member" else subject.kind.value
