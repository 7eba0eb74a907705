"""What this hub holds, written out for a court: about one member, one request, or everything.

Lines of JSON: first what is asked for and which kinds of things a hub holds and which not, then each thing as
it is held, last how many lines there were, their SHA-256 and the hub's signature over it. Files stay where
they are: the lines name them. Written for the host alone; who is told what of a demand is in `notices.py`
and in the record `legal_demand`.
"""

from collections.abc import Iterator
import hashlib
import json
import sqlite3
from typing import Any, Final

from ..neighborhood.canonical import Json
from ..neighborhood.envelope import Record
from ..neighborhood.keys import PrivateKey
from ..neighborhood.rows import Subject
from ..neighborhood.state import State
from . import availability, mailbox_table, notices, partnership, table
from .errors import not_found

FORMAT: Final = "ringwatch-demand-export/1"
CONTEXT: Final = "ringwatch/export/v1"
BATCH: Final = 500  # records that are looked through in one go

HELD: Final = (
    "records: every signed record with its time and place in the order; its text until it is withdrawn or",
    "    expires, also while moderators keep it back",
    "members: name, public keys, when somebody joined; the invite's public key; who was removed or left",
    "uploads: clips and pictures that were posted, by SHA-256, in the folder `blobs`; how many bytes each",
    "    member sent today and yesterday",
    "deliveries: packages for agencies, encrypted for them, in the folder `mailbox`: for which request,",
    "    how large, when they came, under a key made for that package; the officers' receipts",
    "redeemed: how many households have redeemed a partnership's code, and for two weeks a keyed mark each",
    "notices: what members were told of legal demands",
    'consents, rounds, shares, turns: who takes part in "did anybody record?", where and when was asked',
    "    about, masked numbers until the answer stands, and how often each was asked in the last 30 days",
    "hub.key: the hub's own private key",
)
NOT_HELD: Final = (
    "who sent a package, or whether a member looked at, ignored or declined a request",
    "network addresses and times of calls: counted in memory, not written down",
    "the keys that open packages; footage and clips that were not posted; where cameras are",
    "what was withdrawn or has expired: only a signed envelope without its text is left",
    "which member redeemed a code, once two weeks are over",
    "which home recorded: what homes send says so of all of them together, and with noise",
)


class Export:
    """One export: what is looked for, and the lines so far. `header`, `batch` and `end` block."""

    def __init__(
        self, neighborhood: str, hub: PrivateKey, *, subject: str | None, request: str | None, now_s: int
    ) -> None:
        self._neighborhood = neighborhood
        self._hub = hub
        self._subject = subject
        self._request = request
        self._now_s = now_s
        self._keys: frozenset[str] = frozenset()
        self._ids: frozenset[str] = frozenset()
        self._digest = hashlib.sha256()
        self._count = 0
        self.last = 0
        """The number of the last record that there was when the export began."""

    @property
    def _is_all(self) -> bool:
        return self._subject is None and self._request is None

    def header(self, db: sqlite3.Connection) -> bytes:
        """Begin: say what is asked for and find whose records it is about. Raise Refusal."""
        state = table.state_of(db)
        self.last = state.position.number
        lines: list[dict[str, Any]] = [
            {
                "format": FORMAT,
                "neighborhood": self._neighborhood,
                "hub_key": self._hub.public,
                "made": self._now_s,
                "about": {"subject": self._subject, "request": self._request},
                "position": {"number": state.position.number, "head": state.position.head},
                "held": list(HELD),
                "not_held": list(NOT_HELD),
            }
        ]
        if self._subject is not None:
            lines += self._of_subject(db, state, self._subject)
        elif self._request is not None:
            row = state.request(self._request)
            if row is None:
                raise not_found()
            self._ids = frozenset({row.id, row.details})
        lines += self._tables(db, state)
        return self._written(lines)

    def batch(self, db: sqlite3.Connection, first: int) -> bytes:
        """Return the lines of records from a number on."""
        count = min(BATCH, self.last - first + 1)
        return self._written(
            {"kind": "record", "number": number, "time": time_s, "record": record.to_wire()}
            for number, time_s, record in table.whole(db, self._neighborhood, first, count)
            if self._is_wanted(record)
        )

    def end(self) -> bytes:
        """Return the last line."""
        digest = self._digest.digest()
        last = {
            "kind": "end",
            "lines": self._count,
            "sha256": digest.hex(),
            "sig": self._hub.sign(CONTEXT, digest),
        }
        return json.dumps(last).encode() + b"\n"

    def _is_wanted(self, record: Record) -> bool:
        return (
            self._is_all
            or record.id in self._ids
            or record.author in self._keys
            or (record.body is not None and _names(record.body.to_json(), self._ids))
        )

    def _of_subject(self, db: sqlite3.Connection, state: State, subject_id: str) -> Iterator[dict[str, Any]]:
        subject = state.subject(subject_id)
        if subject is None:
            raise not_found()
        authors = (state.author(key) for key, _ in state.store.scan("keys"))
        self._keys = frozenset(one.key for one in authors if one and one.subject == subject_id)
        own = db.execute(
            f"SELECT id FROM records WHERE author IN ({', '.join('?' * len(self._keys))})",  # noqa: S608 - question marks
            [bytes.fromhex(key) for key in self._keys],
        )
        self._ids = frozenset({subject_id, *(found[0].hex() for found in own)})
        yield {"kind": "subject", **_subject(subject), "keys": sorted(self._keys)}

    def _tables(self, db: sqlite3.Connection, state: State) -> Iterator[dict[str, Any]]:
        """Yield what stands beside the records."""
        if self._is_all:
            for subject_id, _ in state.store.scan("subjects"):
                if subject := state.subject(subject_id):
                    yield {"kind": "subject", **_subject(subject)}
            for total in partnership.totals(db, state):
                yield {
                    "kind": "redeemed",
                    **total,
                    "about": "in steps of 20; the number is in hub.db, table redeemed",
                }
            [marks] = db.execute("SELECT count(*) FROM redeemers").fetchone()
            yield {"kind": "redeemers", "marks": marks}
            for (invite,) in db.execute("SELECT invite FROM revoked ORDER BY invite").fetchall():
                yield {"kind": "revoked_invite", "invite": invite}
        if self._request is None:
            yield from self._of_members(db)
        if self._subject is None:
            yield from self._deliveries(db)
        yield from availability.held(db, self._subject, self._request)

    def _of_members(self, db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
        where, values = ("WHERE owner = ?", (self._subject,)) if self._subject else ("", ())
        rows = db.execute(
            f"SELECT owner, media, ready, touched_s FROM uploads {where} ORDER BY owner, sha256",  # noqa: S608
            values,
        )
        for owner, media, ready, touched_s in rows.fetchall():
            yield {
                "kind": "upload",
                "subject": owner,
                "media": json.loads(media),
                "complete": bool(ready),
                "touched": touched_s,
                "file": f"blobs/{json.loads(media)['sha256'][:2]}/{json.loads(media)['sha256']}",
            }
        rows = db.execute(f"SELECT owner, day, up FROM spent {where} ORDER BY owner, day", values)  # noqa: S608
        for owner, day, up in rows.fetchall():
            yield {"kind": "sent_bytes", "subject": owner, "day": day, "bytes": up}
        for notice in notices.written(db):
            if self._subject in {None, notice["subject"]}:
                yield {"kind": "notice", **notice}

    def _deliveries(self, db: sqlite3.Connection) -> Iterator[dict[str, Any]]:
        """Yield packages. Nothing here says who sent one."""
        for found in mailbox_table.every(db, self._request):
            yield {
                "kind": "delivery",
                "delivery": found.id,
                "request": found.request,
                "agency": found.agency,
                "key": found.key,
                "sha256": found.sha256,
                "size": found.size_bytes,
                "state": found.state,
                "arrival": found.arrival.to_json() if found.arrival else None,
                "receipts": mailbox_table.receipts(db, found.id),
                "file": f"mailbox/{found.id}" if mailbox_table.has_file(db, found.id) else None,
            }
        for request, count in mailbox_table.counts(db, self._request):
            yield {"kind": "delivered", "request": request, "count": count}

    def _written(self, lines: Any) -> bytes:
        found = b""
        for line in lines:
            written = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            self._digest.update(written)
            self._count += 1
            found += written
        return found


def _subject(subject: Subject) -> dict[str, Json]:
    return {
        "subject": subject.id,
        "is": subject.kind.value,
        "name": subject.name,
        "key": subject.key,
        "standing": subject.standing.value,
        "since": subject.since_s,
        "agency": subject.agency,
        "expires": subject.expires_s or None,
        "frozen": subject.frozen,
    }


def _names(value: Json, ids: frozenset[str]) -> bool:
    """Return whether a body names one of these anywhere."""
    match value:
        case str():
            return value in ids
        case list():
            return any(_names(one, ids) for one in value)
        case dict():
            return any(_names(one, ids) for one in value.values())
    return False
