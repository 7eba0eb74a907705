"""What the host tells single members of a legal demand about them: each alone, and from a time on.

The register says that there was a demand; this says whom it was about. Where a court forbids to tell before a
day, the notice is written down at once and told by itself on that day.
"""

from dataclasses import dataclass
import sqlite3
from typing import Final

from ..neighborhood.fields import Fields
from ..neighborhood.limits import DAY_S
from ..neighborhood.rows import Kind
from ..neighborhood.state import State
from ..neighborhood.types import Type
from .errors import Refusal, not_found

MAX_TEXT: Final = 2_000
MAX_SUBJECTS: Final = 100  # of one call
MAX_EACH: Final = 20  # notices of one member
KEPT_S: Final = 400 * DAY_S  # after it could be read first
MAX_WAIT_S: Final = 5 * 365 * DAY_S  # longer orders of silence are not told by a machine


@dataclass(frozen=True, slots=True)
class Notice:
    """Words for members."""

    demand: str
    subjects: tuple[str, ...]
    text: str
    from_s: int

    @classmethod
    def read(cls, fields: Fields) -> Notice:
        """Read a call's body. Raise RecordViolation."""
        subjects = fields.items("subjects", 1, MAX_SUBJECTS)
        return cls(
            fields.digest("demand"),
            tuple(dict.fromkeys(Fields({"id": one}, "body.subjects").digest("id") for one in subjects)),
            fields.text("text", MAX_TEXT, lines=True, empty=False),
            fields.time("from"),
        )


def add(db: sqlite3.Connection, state: State, notice: Notice, now_s: int) -> None:
    """Keep a notice for each member. What somebody may have read already stays as it was. Raise Refusal."""
    row = db.execute("SELECT type FROM records WHERE id = ?", (bytes.fromhex(notice.demand),)).fetchone()
    if row is None or row[0] != Type.LEGAL_DEMAND:
        raise not_found()
    if notice.from_s > now_s + MAX_WAIT_S:
        raise Refusal(422, "bad_field", "body.from: within 5 years")
    for subject_id in notice.subjects:
        subject = state.subject(subject_id)
        if subject is None or subject.kind is not Kind.MEMBER:
            raise not_found()
        [count] = db.execute("SELECT count(*) FROM notices WHERE subject = ?", (subject_id,)).fetchone()
        if count >= MAX_EACH:
            raise Refusal(409, "too_many_notices", f"{MAX_EACH} notices for one member")
        db.execute(
            "INSERT INTO notices VALUES (?1, ?2, ?3, ?4) ON CONFLICT (subject, demand)"
            " DO UPDATE SET text = ?3, from_s = ?4 WHERE from_s > ?5",
            (subject_id, notice.demand, notice.text, max(notice.from_s, now_s), now_s),
        )


def of(db: sqlite3.Connection, subject: str, now_s: int) -> list[dict[str, object]]:
    """Return what a member is to be told now, the newest first."""
    rows = db.execute(
        "SELECT demand, text, from_s FROM notices WHERE subject = ? AND from_s <= ? ORDER BY from_s DESC",
        (subject, now_s),
    )
    return [{"demand": demand, "text": text, "time": from_s} for demand, text, from_s in rows.fetchall()]


def written(db: sqlite3.Connection) -> list[dict[str, object]]:
    """Return for the host whom what was told, or will be."""
    rows = db.execute("SELECT subject, demand, from_s FROM notices ORDER BY from_s DESC, subject")
    return [
        {"subject": subject, "demand": demand, "from": from_s} for subject, demand, from_s in rows.fetchall()
    ]


def forget(db: sqlite3.Connection, now_s: int) -> None:
    """Delete what everybody had long enough to read."""
    db.execute("DELETE FROM notices WHERE from_s < ?", (now_s - KEPT_S,))
