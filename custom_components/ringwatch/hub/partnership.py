"""Households that redeem a partnership's code: counted, each once, and never who.

What keeps a household from counting twice is a keyed mark, under a key that is made of the hub's own and
stands in no database. It goes within two weeks: by then the household can't redeem any more, as it joined too
long ago. So what is left is a number, and of that even the host is told steps of 20 only.
"""

import hashlib
import hmac
import sqlite3
from typing import Final

from ..neighborhood.bodies.partnership import HOUSEHOLDS_STEP
from ..neighborhood.keys import PrivateKey
from ..neighborhood.limits import DAY_S
from ..neighborhood.rows import Kind, Subject
from ..neighborhood.state import State
from .errors import Refusal, not_found

REDEEM_S: Final = 7 * DAY_S  # after joining: a code brings households in, it doesn't pay those who are there
_CONTEXT: Final = b"ringwatch/redeem/v1"


def redeem(
    db: sqlite3.Connection, state: State, member: Subject, code: str, *, hub: PrivateKey, now_s: int
) -> None:
    """Count a household. Raise Refusal."""
    if member.kind is not Kind.MEMBER:
        raise not_found()
    until_s = member.since_s + REDEEM_S
    if now_s >= until_s:
        raise Refusal(409, "too_late", "a code is redeemed within 7 days of joining")
    found = next((row for row in state.partnerships() if row.code == code and not row.replaced), None)
    if found is None:
        raise Refusal(422, "unknown_code", "no partnership here has this code")
    db.execute("DELETE FROM redeemers WHERE until_s <= ?", (now_s,))
    mark = _mark(hub, state.hood.id, member.id)
    if db.execute("SELECT 1 FROM redeemers WHERE mark = ?", (mark,)).fetchone():
        raise Refusal(409, "already_done", "a household redeems one code, once")
    # Until the end of next week, whoever it was: by the time of joining it would be told who
    weeks = now_s // REDEEM_S + 2
    db.execute("INSERT INTO redeemers VALUES (?, ?)", (mark, weeks * REDEEM_S))
    db.execute(
        "INSERT INTO redeemed VALUES (?, 1) ON CONFLICT (agency) DO UPDATE SET count = count + 1",
        (_counted_by(state, found.id),),
    )


def totals(db: sqlite3.Connection, state: State) -> list[dict[str, object]]:
    """Return what the host may tell everybody: households in steps of 20, and what they have earned."""
    found: list[dict[str, object]] = []
    for row in state.partnerships():
        counted = db.execute(
            "SELECT count FROM redeemed WHERE agency = ?", (_counted_by(state, row.id),)
        ).fetchone()
        households = (counted[0] if counted else 0) // HOUSEHOLDS_STEP * HOUSEHOLDS_STEP
        found.append(
            {
                "partnership": row.id,
                "code": row.code,
                "replaced": row.replaced,
                "households": households,
                "told": row.households,
                "cameras": row.seed_cameras + households // HOUSEHOLDS_STEP,
                "cameras_given": row.cameras_given,
            }
        )
    return found


def forget(db: sqlite3.Connection, now_s: int) -> None:
    """Let go of marks that keep nobody from anything any more."""
    db.execute("DELETE FROM redeemers WHERE until_s <= ?", (now_s,))


def _mark(hub: PrivateKey, neighborhood: str, member: str) -> bytes:
    key = hmac.digest(hub.seed, _CONTEXT, hashlib.sha256)
    return hmac.digest(key, bytes.fromhex(neighborhood + member), hashlib.sha256)


def _counted_by(state: State, partnership: str) -> str:
    """Return by what an agency's households are counted: its agreements follow each other."""
    row = state.partnership(partnership)
    return row.agency if row else partnership
