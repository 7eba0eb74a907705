"""A hub's data folder with very many records in it, made once and kept: real members, real rules, real order.

Records are brought in by `apply` as the hub does, with the same rows; only their signatures are random bytes,
as nobody checks those again in what a hub has stored. They come at the pace of the benchmark, the last one
now, so that what is a month old has expired and lost its body, as in a street that has lived so long.
"""

from dataclasses import dataclass, replace
import hashlib
import json
import os
from pathlib import Path
from random import Random
import shutil
import sqlite3
import sys
import time
from typing import Final

from script.lib.core import ROOT, load_core

load_core()

from ringwatch.hub import table
from ringwatch.hub.hood import follow
from ringwatch.hub.keys import load_key
from ringwatch.hub.schema import open_database
from ringwatch.neighborhood.apply import apply
from ringwatch.neighborhood.bodies import Body, Comment, Founding, Post
from ringwatch.neighborhood.bodies.feed import Category, Span
from ringwatch.neighborhood.bodies.people import Mode
from ringwatch.neighborhood.envelope import Envelope, Record, hash_body, sign_record
from ringwatch.neighborhood.invites import create_invite, join_body
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.order import Entry, next_entry
from ringwatch.neighborhood.types import Type
from script.lib.hub_client import CENTER

A_MINUTE: Final = 11  # a post and ten comments
BATCH: Final = 2_000
VERSION: Final = 1
TALK: Final = """
I saw a white van near the corner about ten and the driver left two boxes at the wrong door so please look
whether yours is there my dog barked at somebody with a lamp around the garden sheds last night nothing is
missing here but the gate was open thanks for telling us we will ask across the street
"""
WORDS: Final = TALK.split()


@dataclass
class _Author:
    key: PrivateKey
    tip: str | None = None


def member_key(number: int) -> PrivateKey:
    """Return the key of a home of the store."""
    return PrivateKey(hashlib.sha256(f"home {number}".encode()).digest())


def store(records: int, homes: int) -> tuple[Path, str]:
    """Return a folder that a hub can serve, and its neighborhood; made if it isn't there yet."""
    folder = ROOT / ".tools" / "bench" / f"hub-{records}-{homes}-v{VERSION}"
    note = folder / "neighborhood"
    if not note.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        note.write_text(_Maker(folder, records, homes).make())
    return folder, note.read_text()


class _Maker:
    def __init__(self, folder: Path, records: int, homes: int) -> None:
        self._folder = folder
        self._records = records
        self._homes = homes
        self._hub = load_key(folder)
        self._random = Random(records)
        self._now_s = int(time.time()) - (records - homes) * 60 // A_MINUTE - homes // 100
        self._seen: str | None = None  # the head that homes know: of the last minute
        self._head: str | None = None

    def make(self) -> str:
        host = _Author(member_key(0))
        body = Founding("Bench", "Holly", CENTER, 8_047, self._hub.public, Mode.AFTER, 30, 14, "")
        record = sign_record(
            host.key,
            body,
            neighborhood=None,
            created_s=self._now_s,
            prev=None,
            head=None,
            salt=os.urandom(16),
        )
        self._id = record.id
        place = self._folder / record.id
        place.mkdir()
        self._db = open_database(place / "hub.db")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA cache_size = -262144")
        self._db.execute("BEGIN")
        self._state = table.state_of(self._db)
        self._take(record, host)
        authors = [host, *(self._join(number, host) for number in range(1, self._homes))]
        count = self._long_ago(authors)
        posts = [""]
        while count < self._records:
            author = authors[self._random.randrange(len(authors))]
            if count % A_MINUTE == 0 or not posts[0]:
                self._now_s += 60
                self._seen = self._head
                self._write(author, self._post())
                posts = [author.tip or "", *posts[:5]]
            else:
                target = posts[min(len(posts) - 2, self._random.randrange(6))] if len(posts) > 1 else posts[0]
                self._write(author, Comment(target or posts[0], self._text(60)))
            count += 1
            if count % BATCH == 0:
                self._db.execute("COMMIT")
                self._db.execute("BEGIN")
                if count % (25 * BATCH) == 0:
                    print(f"store: {count} records", file=sys.stderr)
        self._db.execute("COMMIT")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()
        (self._folder / "tips.json").write_text(json.dumps([author.tip for author in authors]))
        return record.id

    def _long_ago(self, authors: list[_Author]) -> int:
        """Bring in what is older than a month as it is left then: entries and envelopes."""
        count = len(authors)
        live = 30 * 24 * 60 * A_MINUTE
        at = self._state.position
        while count < self._records - live:
            author = self._random.choice(authors)
            if count % A_MINUTE == 0:
                self._now_s += 60
                self._seen = at.head
            envelope = Envelope(
                Type.COMMENT, self._id, author.key.public, self._now_s, author.tip, self._seen,
                self._random.randbytes(32).hex(),
            )  # fmt: skip
            record = Record(envelope, self._random.randbytes(64).hex(), None, None)
            entry = Entry(self._id, at.number + 1, record.id, self._now_s, at.head, "0" * 128)
            if entry.number % 1_000 == 0:
                entry = next_entry(self._hub, self._id, record.id, self._now_s, at)
            table.insert(self._db, record, entry)
            author.tip, self._head, at = record.id, entry.head, entry.position
            count += 1
        self._state.store.put("meta", "position", [at.number, at.head, at.time_s])
        for author in authors:
            if known := self._state.author(author.key.public):
                self._state.store.put("keys", known.key, replace(known, tip=author.tip).pack())
        return count

    def _join(self, number: int, host: _Author) -> _Author:
        author = _Author(member_key(number))
        invite = create_invite(
            host.key, neighborhood=self._id, hub_key=self._hub.public, url="http://127.0.0.1",
            now_s=self._now_s, seed=hashlib.sha256(f"invite {number}".encode()).digest(),
        )  # fmt: skip
        self._seen = self._head
        if number % 100 == 0:
            self._now_s += 1
        self._write(author, join_body(invite, author.key, f"Home {number}"))
        if number % BATCH == 0:
            self._db.execute("COMMIT")
            self._db.execute("BEGIN")
        return author

    def _write(self, author: _Author, body: Body) -> None:
        salt = self._random.randbytes(16).hex()
        envelope = Envelope(
            body.TYPE, self._id, author.key.public, self._now_s, author.tip, self._seen,
            hash_body(body.to_json(), salt),
        )  # fmt: skip
        self._take(Record(envelope, self._random.randbytes(64).hex(), body, salt), author)

    def _take(self, record: Record, author: _Author) -> None:
        at = self._state.position
        # Signed as the hub does only every thousandth time: nobody looks at what lies between
        entry = Entry(self._id, at.number + 1, record.id, max(self._now_s, at.time_s), at.head, "0" * 128)
        if entry.number % 1_000 == 0 or entry.number < 10:
            entry = next_entry(self._hub, self._id, record.id, self._now_s, at)
        changes = apply(record, self._state, entry, complete=True)
        table.insert(self._db, record, entry)
        follow(self._db, changes)
        author.tip, self._head = record.id, entry.head

    def _post(self) -> Post:
        return Post(
            self._random.choice(list(Category)),
            self._text(30),
            self._text(120),
            CENTER,
            Span(self._now_s, self._now_s),
        )

    def _text(self, length: int) -> str:
        text = ""
        while len(text) < length:
            text += self._random.choice(WORDS) + " "
        return text.strip()


def size_bytes(folder: Path, neighborhood: str) -> int:
    """Return how large the database is."""
    with sqlite3.connect(folder / neighborhood / "hub.db") as db:
        [pages] = db.execute("PRAGMA page_count").fetchone()
        [page] = db.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(page)


if __name__ == "__main__":
    began_s = time.perf_counter()
    print(store(int(sys.argv[1]), int(sys.argv[2])), f"{time.perf_counter() - began_s:.1f} s")
