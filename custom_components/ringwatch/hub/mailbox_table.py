"""Mailboxes in the database: which packages wait for which agency. Nothing in here says who sent one.

A row is made when a member announces a package, and from then on belongs to the key that was made for this
one package: parts, arrival and receipts go by that key. Ids are random and rows lie in their order, times are
whole hours until the package is there, so no row tells which call made it.
"""

from dataclasses import dataclass
import json
import secrets
import sqlite3
from typing import Any, Final

from ..neighborhood.canonical import Json, digest, encode
from ..neighborhood.delivery import Arrival, Receipt, ReceiptKind
from ..neighborhood.limits import DAY_S
from .errors import Refusal, quota_exceeded

HOUR_S: Final = 3_600
KEPT_S: Final = 30 * DAY_S  # of the ciphertext, unless the agency has said that it has it
UNFINISHED_S: Final = DAY_S
ROW_S: Final = 400 * DAY_S  # of the row, for receipts: what was kept a year has been deleted by then
MAX_UNFINISHED: Final = 500
MAX_ROWS: Final = 20_000
MAX_RECEIPTS: Final = 20  # of one package
PAGE: Final = 100
_COLUMNS: Final = "id, request, agency, agency_key, key, sha256, size, offset, state, number, arrival"

OPEN, SENT, RECEIVED, GONE = "open", "sent", "received", "gone"


@dataclass(frozen=True, slots=True)
class Announced:
    """What a member says of a package before it comes."""

    request: str
    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One package."""

    id: str
    request: str
    agency: str
    agency_key: str  # for which it was made: not the agency's present one after a change
    key: str
    sha256: str
    size_bytes: int
    offset: int
    state: str
    number: int | None  # in which order packages came
    arrival: Arrival | None

    @property
    def is_complete(self) -> bool:
        """Whether all its bytes are there."""
        return self.offset >= self.size_bytes


def find(db: sqlite3.Connection, delivery: str) -> Delivery | None:
    """Return a package, or None."""
    row = db.execute(f"SELECT {_COLUMNS} FROM deliveries WHERE id = ?", (delivery,)).fetchone()  # noqa: S608
    return _delivery(row) if row else None


def known(db: sqlite3.Connection, announced: Announced) -> Delivery | None:
    """Return the row of a package that was announced before. Raise Refusal if it was another one's."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM deliveries WHERE sha256 = ?",  # noqa: S608 - its own columns
        (announced.sha256,),
    ).fetchone()
    if row is None:
        return None
    found = _delivery(row)
    before = Announced(found.request, found.key, found.sha256, found.size_bytes)
    if before != announced:
        raise Refusal(409, "duplicate_delivery", "this package has been here before")
    return found


def begin(
    db: sqlite3.Connection,
    announced: Announced,
    *,
    agency: str,
    agency_key: str,
    limit_bytes: int,
    now_s: int,
) -> tuple[Delivery, bool]:
    """Make a row, or find the one that was made already; return whether it is new. Raise Refusal."""
    if found := known(db, announced):
        return found, False
    [rows, unfinished] = db.execute(
        "SELECT count(*), coalesce(sum(state = 'open'), 0) FROM deliveries"
    ).fetchone()
    if rows >= MAX_ROWS or unfinished >= MAX_UNFINISHED:
        raise quota_exceeded("packages", HOUR_S)
    ask_for_space(db, announced.size_bytes, limit_bytes)
    made = Delivery(
        secrets.token_hex(32),
        announced.request,
        agency,
        agency_key,
        announced.key,
        announced.sha256,
        announced.size_bytes,
        0,
        OPEN,
        None,
        None,
    )
    db.execute(
        "INSERT INTO deliveries (id, request, agency, agency_key, key, sha256, size, touched_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            made.id,
            made.request,
            agency,
            agency_key,
            made.key,
            made.sha256,
            made.size_bytes,
            now_s // HOUR_S * HOUR_S,
        ),
    )
    return made, True


def ask_for_space(db: sqlite3.Connection, more: int, limit_bytes: int) -> None:
    """Raise Refusal if there is no space for more. What was only announced takes none yet."""
    [stored] = db.execute(
        "SELECT coalesce(sum(CASE state WHEN 'open' THEN offset ELSE size END), 0)"
        " FROM deliveries WHERE state IN ('open', 'sent')"
    ).fetchone()
    if stored + more > limit_bytes:
        raise quota_exceeded("mailboxes", HOUR_S)


def advance(db: sqlite3.Connection, delivery: str, offset: int, length: int, now_s: int) -> int:
    """Note that a part is on the disk; return how much there is."""
    db.execute(
        "UPDATE deliveries SET offset = ?, touched_s = ? WHERE id = ? AND offset = ? AND state = 'open'",
        (offset + length, now_s // HOUR_S * HOUR_S, delivery, offset),
    )
    row = db.execute("SELECT offset FROM deliveries WHERE id = ?", (delivery,)).fetchone()
    return int(row[0]) if row else 0


def begin_anew(db: sqlite3.Connection, delivery: str) -> None:
    """Have all parts sent again."""
    db.execute("UPDATE deliveries SET offset = 0 WHERE id = ? AND state = 'open'", (delivery,))


def arrive(db: sqlite3.Connection, arrival: Arrival) -> None:
    """Note that a package is there, whole; count it for the register."""
    [last] = db.execute("SELECT coalesce(max(number), 0) FROM deliveries").fetchone()
    changed = db.execute(
        "UPDATE deliveries SET state = 'sent', number = ?, arrival = ?, touched_s = ?"
        " WHERE id = ? AND state = 'open'",
        (last + 1, encode(arrival.to_json()).decode(), arrival.time_s, arrival.delivery),
    ).rowcount
    if changed:
        db.execute(
            "INSERT INTO answers VALUES (?, 1) ON CONFLICT (request) DO UPDATE SET count = count + 1",
            (arrival.request,),
        )


def drop(db: sqlite3.Connection, delivery: str) -> bool:
    """Forget a package that hasn't arrived. Return whether there was one."""
    return bool(db.execute("DELETE FROM deliveries WHERE id = ? AND state = 'open'", (delivery,)).rowcount)


def page(db: sqlite3.Connection, agency: str, cursor: int | None) -> list[Delivery]:
    """Return an agency's packages, the newest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM deliveries WHERE agency = ? AND number < ? ORDER BY number DESC LIMIT ?",  # noqa: S608
        (agency, cursor or 2**62, PAGE),
    )
    return [_delivery(row) for row in rows.fetchall()]


def add_receipt(db: sqlite3.Connection, receipt: Receipt) -> tuple[bool, bool]:
    """Keep a receipt. Return whether it is new, and whether the ciphertext goes with it. Raise Refusal."""
    written = encode(receipt.to_json())
    number = db.execute("SELECT count(*) FROM receipts WHERE delivery = ?", (receipt.delivery,)).fetchone()[0]
    known = db.execute(
        "SELECT 1 FROM receipts WHERE delivery = ? AND digest = ?", (receipt.delivery, digest(written))
    ).fetchone()
    if known:
        return False, False
    if number >= MAX_RECEIPTS:
        raise Refusal(409, "too_many_receipts", f"{MAX_RECEIPTS} receipts for one package")
    db.execute(
        "INSERT INTO receipts VALUES (?, ?, ?, ?)",
        (receipt.delivery, number, digest(written), written.decode()),
    )
    if receipt.kind is not ReceiptKind.RECEIVED:
        return True, False
    changed = db.execute(
        "UPDATE deliveries SET state = 'received' WHERE id = ? AND state = 'sent'", (receipt.delivery,)
    ).rowcount
    return True, bool(changed)


def receipts(db: sqlite3.Connection, delivery: str) -> list[Json]:
    """Return what officers have said of a package, in the order in which they did."""
    rows = db.execute("SELECT receipt FROM receipts WHERE delivery = ? ORDER BY number", (delivery,))
    return [json.loads(row[0]) for row in rows.fetchall()]


def forget(db: sqlite3.Connection, now_s: int) -> list[str]:
    """Let end what is due; return whose ciphertext is to be deleted."""
    gone = [
        row[0]
        for row in db.execute(
            "DELETE FROM deliveries WHERE state = 'open' AND touched_s < ? RETURNING id",
            (now_s - UNFINISHED_S - HOUR_S,),
        ).fetchall()
    ]
    gone += [
        row[0]
        for row in db.execute(
            "UPDATE deliveries SET state = 'gone' WHERE state = 'sent' AND touched_s < ? RETURNING id",
            (now_s - KEPT_S,),
        ).fetchall()
    ]
    old = "state IN ('received', 'gone') AND touched_s < ?"
    until_s = now_s - ROW_S
    db.execute(f"DELETE FROM receipts WHERE delivery IN (SELECT id FROM deliveries WHERE {old})", (until_s,))  # noqa: S608
    db.execute(f"DELETE FROM deliveries WHERE {old}", (until_s,))  # noqa: S608
    return gone


def has_file(db: sqlite3.Connection, delivery: str) -> bool:
    """Return whether a package's ciphertext is kept."""
    return bool(
        db.execute(
            "SELECT 1 FROM deliveries WHERE id = ? AND state IN ('open', 'sent')", (delivery,)
        ).fetchone()
    )


def every(db: sqlite3.Connection, request: str | None) -> list[Delivery]:
    """Return all packages, or those for one request."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM deliveries WHERE ?1 IS NULL OR request = ?1 ORDER BY id",  # noqa: S608
        (request,),
    )
    return [_delivery(row) for row in rows.fetchall()]


def counts(db: sqlite3.Connection, request: str | None = None) -> list[tuple[str, int]]:
    """Return how many packages came for each request, or for one."""
    return db.execute(
        "SELECT request, count FROM answers WHERE ?1 IS NULL OR request = ?1 ORDER BY request", (request,)
    ).fetchall()


def _delivery(row: Any) -> Delivery:
    found = Arrival.parse(json.loads(row[-1])) if row[-1] else None
    return Delivery(*(*row[:-1], found))
