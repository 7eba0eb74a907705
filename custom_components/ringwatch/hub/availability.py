"""Rounds of "did anybody record?": who is asked, what they send, and the one word that is told in the end.

A round follows from a release: its roster is fixed then, and it is answered at a set time, whether anybody
was asked or not, so that the time tells nothing. What homes send are masked numbers of which only the sum
means anything; they and the roster are erased once the answer stands. What is kept is which place and time
was asked about, so that nothing is asked twice, and how often each home was asked of late.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
import hashlib
import json
import os
import sqlite3
from typing import Any, Final

from ..neighborhood.availability import (
    ANSWERS,
    ANSWERS_IN_S,
    MAX_CELLS,
    MAX_ROSTER,
    MEMBER_S,
    MIN_ROSTER,
    Cell,
    OptIn,
    Question,
    cells_of,
    hours_of,
    is_likely,
)
from ..neighborhood.bodies import Availability
from ..neighborhood.bodies.requests import Answer
from ..neighborhood.envelope import sign_record
from ..neighborhood.keys import SALT_BYTES
from ..neighborhood.limits import DAY_S
from ..neighborhood.rows import Kind, Subject
from ..neighborhood.rows_requests import RequestRow
from ..neighborhood.state import State
from .errors import Refusal, not_found
from .hood import Hood
from .table import state_of

# A request asks about the last 30 days and lives 15 at most: nothing older overlaps with anything new.
KEPT_S: Final = 62 * DAY_S
EMPTYING: Final = 5  # tries at the write-ahead log, while somebody reads
EMPTYING_S: Final = 0.2
SWITCH: Final = "availability"


@dataclass(frozen=True, slots=True)
class Round:
    """A round. Nobody was asked if it has no roster."""

    request: str
    closes_s: int
    cells: tuple[Cell, ...]
    hours: tuple[int, ...]
    roster: tuple[OptIn, ...]
    answer: Answer | None

    def question(self, neighborhood: str) -> Question:
        """Return what homes are asked."""
        return Question(neighborhood, self.request, self.cells, self.hours, self.roster, self.closes_s)


# ---- members --------------------------------------------------------------------------------------


def opt_in(db: sqlite3.Connection, member: Subject, consent: OptIn, now_s: int) -> int:
    """Keep a member's consent; return since when it holds. Raise Refusal: for others nothing is here."""
    if member.kind is not Kind.MEMBER or consent.member != member.key:
        raise not_found()
    db.execute(
        "INSERT INTO consents VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (subject)"
        " DO UPDATE SET member = ?2, key = ?3, sig = ?4, since_s = ?5 WHERE member <> ?2 OR key <> ?3",
        (member.id, consent.member, consent.key, consent.sig, now_s),
    )
    row = db.execute("SELECT since_s FROM consents WHERE subject = ?", (member.id,)).fetchone()
    return int(row[0])


def opt_out(db: sqlite3.Connection, member: Subject) -> None:
    """Forget a member's consent."""
    db.execute("DELETE FROM consents WHERE subject = ?", (member.id,))


def questions(db: sqlite3.Connection, neighborhood: str, key: str, now_s: int) -> list[Question]:
    """Return what a member is asked now."""
    return [
        one.question(neighborhood)
        for one in _rounds(db, "WHERE answer IS NULL AND closes_s > ?", now_s)
        if any(asked.member == key for asked in one.roster)
    ]


def take_share(db: sqlite3.Connection, request: str, key: str, share: str, now_s: int) -> None:
    """Keep what a member of the roster sends, once. Raise Refusal."""
    found = next(_rounds(db, "WHERE request = ?", request), None)
    if found is None or not any(asked.member == key for asked in found.roster):
        raise not_found()
    if found.answer is not None or now_s >= found.closes_s:
        raise Refusal(409, "too_late", "the answer stands, or its time has come")
    row = db.execute("SELECT share FROM shares WHERE request = ? AND member = ?", (request, key)).fetchone()
    if row is None:
        db.execute("INSERT INTO shares VALUES (?, ?, ?)", (request, key, share))
    elif row[0] != share:
        raise Refusal(409, "already_done", "what a home sends is final")


# ---- the host -------------------------------------------------------------------------------------


def is_on(db: sqlite3.Connection) -> bool:
    """Return whether homes are asked at all. Not before the host has said so."""
    row = db.execute("SELECT value FROM switches WHERE name = ?", (SWITCH,)).fetchone()
    return row is not None and bool(row[0])


def switch(db: sqlite3.Connection, on: bool) -> None:
    """Have homes asked from the next release on, or no more."""
    db.execute("INSERT OR REPLACE INTO switches VALUES (?, ?)", (SWITCH, int(on)))


def held(db: sqlite3.Connection, subject: str | None, request: str | None) -> Iterator[dict[str, Any]]:
    """Yield what there is of a member, of a request, or (both None) of all: for an export."""
    if request is None:
        for who, key, sig, since_s in db.execute("SELECT subject, key, sig, since_s FROM consents"):
            if subject in {None, who}:
                yield {"kind": "takes_part", "subject": who, "key": key, "sig": sig, "since": since_s}
        for who, closes_s, count in db.execute("SELECT subject, closes_s, count FROM turns"):
            if subject in {None, who}:
                yield {"kind": "was_asked", "subject": who, "closes": closes_s, "count": count}
    if subject is None:
        for one in _rounds(db, "WHERE ?1 IS NULL OR request = ?1", request):
            shares = db.execute(
                "SELECT member, share FROM shares WHERE request = ?", (one.request,)
            ).fetchall()
            yield {
                "kind": "round",
                "request": one.request,
                "closes": one.closes_s,
                "cells": [list(cell) for cell in one.cells],
                "hours": list(one.hours),
                "roster": [asked.member for asked in one.roster],
                "shares": dict(shares),
                "answer": one.answer.value if one.answer else None,
            }


# ---- time -----------------------------------------------------------------------------------------


async def pass_rounds(hood: Hood, answer_s: int) -> None:
    """Begin what was released, answer what is due, and tell it. Raise Refusal."""
    now_s = hood.now_s()
    if await hood.read(lambda db: bool(_to_begin(db)) or _is_due(db, now_s)):
        erased = await hood.writer.do(lambda db: _pass(db, now_s, answer_s))
        if erased:
            await _empty_log(hood)
    for request, answer in await hood.read(_to_tell):
        await _tell(hood, request, answer)


def _pass(db: sqlite3.Connection, now_s: int, answer_s: int) -> bool:
    """Begin and end rounds; return whether anything was erased."""
    state = state_of(db)
    for row in _to_begin(db):
        _begin(db, state, row, now_s, answer_s)
    due = list(_rounds(db, "WHERE answer IS NULL AND closes_s <= ?", now_s))
    for one in due:
        _close(db, one)
    db.execute("DELETE FROM turns WHERE closes_s <= ?", (now_s - ANSWERS_IN_S,))
    db.execute("DELETE FROM rounds WHERE told AND closes_s < ?", (now_s - KEPT_S,))
    return bool(due)


def _to_begin(db: sqlite3.Connection) -> list[RequestRow]:
    state = state_of(db)
    return [
        row
        for row in state.open_requests()
        if row.asks
        and row.answer is None
        and row.released_s is not None
        and not db.execute("SELECT 1 FROM rounds WHERE request = ?", (row.id,)).fetchone()
    ]


def _is_due(db: sqlite3.Connection, now_s: int) -> bool:
    return (
        db.execute("SELECT 1 FROM rounds WHERE answer IS NULL AND closes_s <= ?", (now_s,)).fetchone()
        is not None
    )


def _begin(db: sqlite3.Connection, state: State, row: RequestRow, now_s: int, answer_s: int) -> None:
    released_s = row.released_s or 0
    closes_s = released_s + answer_s
    cells, hours = cells_of(row.area), hours_of(row.start_s, row.end_s)
    roster: list[tuple[str, OptIn]] = []
    # A hub that was away until half of the time was over asks nobody: they would have to answer at once
    if is_on(db) and len(cells) <= MAX_CELLS and now_s < released_s + answer_s // 2:
        overlaps = any(
            one.question(state.hood.id).overlaps(cells, hours) for one in _rounds(db, "WHERE asked")
        )
        roster = [] if overlaps else _roster(db, state, row.id, released_s, now_s)
    if len(roster) < MIN_ROSTER:
        roster = []
    db.executemany(
        "INSERT INTO turns VALUES (?, ?, 1) ON CONFLICT (subject, closes_s) DO UPDATE SET count = count + 1",
        [(subject, closes_s) for subject, _ in roster],
    )
    db.execute(
        "INSERT INTO rounds (request, closes_s, cells, hours, roster, asked) VALUES (?, ?, ?, ?, ?, ?)",
        (
            row.id,
            closes_s,
            json.dumps(cells),
            json.dumps(hours),
            json.dumps([consent.to_json() for _, consent in roster]) if roster else None,
            bool(roster),
        ),
    )


def _roster(
    db: sqlite3.Connection, state: State, request: str, released_s: int, now_s: int
) -> list[tuple[str, OptIn]]:
    """Return who is asked: who took part before the release, is long enough here, and has turns left."""
    found = []
    for subject_id, member, key, sig in db.execute(
        "SELECT subject, member, key, sig FROM consents WHERE since_s < ?", (released_s,)
    ).fetchall():
        subject = state.subject(subject_id)
        if subject is None or not subject.is_active or subject.frozen or subject.key != member:
            continue
        [turns] = db.execute(
            "SELECT coalesce(sum(count), 0) FROM turns WHERE subject = ? AND closes_s > ?",
            (subject_id, now_s - ANSWERS_IN_S),
        ).fetchone()
        if subject.since_s <= released_s - MEMBER_S and turns < ANSWERS:
            found.append((subject_id, OptIn(member, key, sig)))
    # Each agrees on a mask with each: of very many, others are drawn for each request
    found.sort(key=lambda one: hashlib.sha256(f"{request} {one[1].member}".encode()).digest())
    return sorted(found[:MAX_ROSTER], key=lambda one: one[1].member)


def _close(db: sqlite3.Connection, one: Round) -> None:
    """Settle the answer, and erase all that it was made of."""
    shares = [
        int(row[0], 16) for row in db.execute("SELECT share FROM shares WHERE request = ?", (one.request,))
    ]
    is_whole = len(one.roster) >= MIN_ROSTER and len(shares) == len(one.roster)
    answer = Answer.LIKELY if is_whole and is_likely(shares) else Answer.NOT_ENOUGH
    db.execute("UPDATE rounds SET answer = ?, roster = NULL WHERE request = ?", (answer.value, one.request))
    db.execute("DELETE FROM shares WHERE request = ?", (one.request,))


def _to_tell(db: sqlite3.Connection) -> list[tuple[str, Answer]]:
    rows = db.execute("SELECT request, answer FROM rounds WHERE NOT told AND answer IS NOT NULL")
    return [(request, Answer(answer)) for request, answer in rows.fetchall()]


async def _tell(hood: Hood, request: str, answer: Answer) -> None:
    """Give the answer its place in the order, unless the request is over or has one. Raise Refusal."""
    row = await hood.read(lambda db: state_of(db).request(request))
    if row is not None and row.released_s is None:
        return  # its release was undone; it may come again
    if row is not None and row.closed_s is None and row.answer is None:
        record = sign_record(
            hood.hub,
            Availability(request, answer),
            neighborhood=hood.id,
            created_s=hood.now_s(),
            prev=None,
            head=hood.position.head,
            salt=os.urandom(SALT_BYTES),
        )
        await hood.post(record)
    await hood.writer.do(lambda db: db.execute("UPDATE rounds SET told = 1 WHERE request = ?", (request,)))


async def _empty_log(hood: Hood) -> None:
    """Have what was erased overwritten: the write-ahead log holds it until it begins anew."""
    for _ in range(EMPTYING):
        is_busy, *_ = await hood.writer.aside(
            lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        )
        if not is_busy:
            return
        await asyncio.sleep(EMPTYING_S)


def _rounds(db: sqlite3.Connection, where: str, *values: Any) -> Iterator[Round]:
    rows = db.execute(
        f"SELECT request, closes_s, cells, hours, roster, answer FROM rounds {where}",  # noqa: S608 - its own
        values,
    ).fetchall()
    for request, closes_s, cells, hours, roster, answer in rows:
        yield Round(
            request,
            closes_s,
            tuple((row, column) for row, column in json.loads(cells)),
            tuple(json.loads(hours)),
            tuple(OptIn(one["member"], one["key"], one["sig"]) for one in json.loads(roster or "[]")),
            Answer(answer) if answer else None,
        )
