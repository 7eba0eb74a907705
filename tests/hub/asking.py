"""A hub in this process, on a clock that is moved, and homes that follow it over loopback."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
import hashlib
from pathlib import Path
from random import Random
import sqlite3
import time
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from ringwatch.footage.asking import Asker
from ringwatch.footage.asking_store import AskingStore
from ringwatch.hub import availability as rounds, server
from ringwatch.hub.config import Config
from ringwatch.hub.hood import Hood
from ringwatch.hub.log import Log
from ringwatch.hub.server import Hub
from ringwatch.hub.table import state_of
from ringwatch.neighborhood.availability import MEMBER_S, Question, opt_in, share_of
from ringwatch.neighborhood.bodies import Body, Founding, Moderation, Officer
from ringwatch.neighborhood.bodies.agencies import OfficerAction
from ringwatch.neighborhood.bodies.care import Action
from ringwatch.neighborhood.bodies.people import Mode
from ringwatch.neighborhood.envelope import sign_record
from ringwatch.neighborhood.home import Home, HomeConfig
from ringwatch.neighborhood.invites import create_invite, join_body
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.rows_requests import RequestRow
from script.lib.hub_agency import HOUR_S, details, profile, request
from script.lib.hub_client import CENTER

DAY_S = 86_400
ANSWER_S = 6 * HOUR_S
FOUNDED_S = 1_900_000_000 // HOUR_S * HOUR_S


def key(name: str) -> PrivateKey:
    """Return somebody's key, the same each time."""
    return PrivateKey(hashlib.sha256(name.encode()).digest())


@dataclass
class Author:
    """Somebody who signs records."""

    key: PrivateKey
    tip: str | None = None


@dataclass
class Seen:
    """A call, as the hub got it."""

    time_s: int
    who: str
    method: str
    path: str
    names: tuple[str, ...]  # of its headers
    size: int  # of its headers
    body: bytes


class Quiet:
    """A home's listener that says nothing."""

    def changed(self, changes: Any) -> None:
        """Say nothing."""

    def connected(self, connected: bool) -> None:
        """Say nothing."""

    def trouble(self, code: str | None, about: str) -> None:
        """Say nothing."""

    def refused(self, record_id: str, code: str) -> None:
        """Say nothing."""


@dataclass
class Taking:
    """A home that takes part."""

    name: str
    home: Home
    asker: Asker
    store: AskingStore
    has: bool = False
    noted: list[str] = field(default_factory=list)
    looked: float = 0.0  # when clips were looked for
    made: float = 0.0  # when the share was there

    async def turn(self, takes_part: bool = True) -> float | None:
        """Do what is due."""
        return await self.asker.async_turn(takes_part)


class Town:
    """A neighborhood: its hub, a host, an agency's officer, and homes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.now_s = FOUNDED_S
        self.hub_key = key("hub")
        self.host, self.officer, self.agency = (Author(key(name)) for name in ("host", "officer", "agency"))
        self.head: str | None = None
        self.seen: list[Seen] = []
        self.homes: list[Taking] = []
        self.members: dict[str, Author] = {}
        self._cases = 0
        read_body = server.read_body

        async def reading(request: web.BaseRequest, limit: int) -> bytes:
            body = await read_body(request, limit)
            headers = request.headers
            self.seen.append(
                Seen(
                    self.now_s,
                    headers.get("Ringwatch-Key", ""),
                    request.method,
                    request.raw_path,
                    tuple(headers),
                    sum(len(name) + len(value) for name, value in headers.items()),
                    body,
                )
            )
            return body

        monkeypatch.setattr(server, "read_body", reading)

    def clock(self) -> float:
        """Return the time here."""
        return float(self.now_s)

    async def open(self, homes: int = 12, *, on: bool = True) -> Town:
        """Found it, have homes join, and let a month pass."""
        founding = Founding("Elm", "Holly", CENTER, 1_609, self.hub_key.public, Mode.AFTER, 30, 14, "")
        record = sign_record(
            self.host.key, founding, neighborhood=None, created_s=self.now_s, prev=None, head=None,
            salt=bytes(16),
        )  # fmt: skip
        self.id = record.id
        folder = self.folder / "hub" / record.id
        self.hood = Hood(folder, record.id, self.hub_key, Log(), self.clock, running=self.clock)
        self.hood.open()
        entry, _ = await self.hood.post(record)
        self.host.tip, self.head = record.id, entry.head
        self.hub = Hub(Config(data=self.folder / "hub", keep_free_bytes=0), self.hub_key, Log())
        self.hub.add(self.hood)
        self._server = await asyncio.get_running_loop().create_server(
            web.Server(self.hub.handle, access_log=None), "127.0.0.1", 0
        )
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.session = aiohttp.ClientSession()
        await self.say(self.host, profile(self.agency.key, issued_s=self.now_s, age_recipient=RECIPIENT))
        expires_s = self.now_s + 300 * DAY_S
        await self.say(
            self.agency, Officer(OfficerAction.CERTIFY, self.officer.key.public, "Reyes", expires_s)
        )
        for number in range(homes):
            await self.join(f"home {number}")
        if on:
            await self.hood.writer.do(lambda db: rounds.switch(db, True))
        self.now_s += MEMBER_S + DAY_S
        return self

    async def close(self) -> None:
        """End it."""
        for one in self.homes:
            await one.home.async_stop()
        await self.session.close()
        self.hood.waiters.end()
        self._server.close()
        await self.hub.close()

    async def say(self, who: Author, body: Body) -> str:
        """Have somebody sign a record; return it."""
        record = sign_record(
            who.key, body, neighborhood=self.id, created_s=self.now_s, prev=who.tip,
            head=self.hood.position.head, salt=bytes(16),
        )  # fmt: skip
        await self.hood.post(record)
        who.tip = record.id
        return record.id

    async def join(self, name: str) -> Author:
        """Have somebody join."""
        invite = create_invite(
            self.host.key, neighborhood=self.id, hub_key=self.hub_key.public, url="http://127.0.0.1",
            now_s=self.now_s, seed=hashlib.sha256(f"invite {name}".encode()).digest(),
        )  # fmt: skip
        found = self.members[name] = Author(key(name))
        await self.say(found, join_body(invite, found.key, name.capitalize()))
        return found

    async def home(
        self,
        name: str,
        *,
        has: bool = False,
        seed: int = 0,
        who: str = "",
        folder: str = "",
        steady_s: float = 0.0,
        looks_s: float = 0.0,
    ) -> Taking:
        """Return a home that follows the hub, and will take part."""
        config = HomeConfig(self.url, self.id, self.hub_key.public, self.folder / name)
        home = Home(config, self.members[who or name].key, self.session, Quiet(), now=self.clock)
        await home.async_open()
        home.start()
        store = AskingStore(self.folder / (folder or name))
        made = Taking(name, home, None, store, has)  # type: ignore[arg-type]

        async def recorded(question: Question) -> bool:
            made.looked = time.monotonic()
            if made.has:
                await asyncio.sleep(looks_s)
            return made.has

        async def note(asked: str) -> None:
            made.noted.append(asked)
            made.made = time.monotonic()

        made.asker = Asker(
            home, self.session, store, recorded, note=note, random=Random(f"{name} {seed}"), first_s=1,
            steady_s=steady_s,
        )  # fmt: skip
        self.homes.append(made)
        return made

    async def all_homes(self, having: Collection[int] = (), *, seed: int = 0) -> list[Taking]:
        """Return all that have joined; some have footage. All have said that they take part."""
        for number, name in enumerate(self.members):
            await self.home(name, has=number in having, seed=seed)
        for one in self.homes:
            await one.turn()
        self.now_s += 60
        return self.homes

    async def ask(self, *, ended_s: int = HOUR_S, **changes: Any) -> str:
        """Ask for an hour's footage, and let it through; return the request once all homes have it."""
        self._cases += 1
        asked = await self.say(self.officer, details(f"26-{self._cases:04}"))
        changes = {"availability": True} | changes
        body = request(asked, now_s=self.now_s - ended_s + HOUR_S, **changes)
        asked = await self.say(self.officer, body)
        await self.say(self.host, Moderation(asked, Action.RESTORE, ""))
        for one in self.homes:
            await self.until(one, lambda row: row.known and row.released_s is not None, asked)
        return asked

    async def until(self, one: Taking, met: Callable[[RequestRow], object], asked: str) -> RequestRow:
        """Wait for what a home's copy says of a request."""
        deadline_s = time.monotonic() + 15
        while True:
            row = await one.home.async_ask(lambda ledger: ledger.state.request(asked))
            if row is not None and met(row):
                return row
            assert time.monotonic() < deadline_s, (one.name, row)
            await asyncio.sleep(0.02)

    async def tick(self, seconds: int = 0) -> None:
        """Let the hub do what is due, some time later."""
        self.now_s += seconds
        await self.hood.pass_time()
        await rounds.pass_rounds(self.hood, ANSWER_S)

    async def play(self, but: Collection[str] = ()) -> None:
        """Have a round begun, and all homes (but some) ask and send."""
        await self.tick()
        self.now_s += 2
        for wait_s in (ANSWER_S // 2, 0):
            for one in self.homes:
                if one.name not in but:
                    await one.turn()
            self.now_s += wait_s

    # ---- the hub alone, without homes that follow it ----------------------------------------------

    async def consent(self, *names: str) -> None:
        """Have members take part, without homes."""
        for name in names or self.members:
            signer = self.members[name].key
            member = await self.hood.read(lambda db, at=signer.public: state_of(db).subject_of(at))
            assert member is not None
            given = opt_in(signer)
            await self.hood.writer.do(
                lambda db, member=member, given=given: rounds.opt_in(db, member, given, self.now_s)
            )
        self.now_s += 60

    async def answer_all(self, asked: str) -> int:
        """Have a round begun and everybody on its roster answer that there is footage; return how many."""
        await self.tick()
        signers = {one.key.public: one.key for one in self.members.values()}
        found = [
            question
            for signer in signers
            for question in await self.hood.read(
                lambda db, at=signer: rounds.questions(db, self.id, at, self.now_s)
            )
            if question.request == asked
        ]
        for one in found[0].roster if found else ():
            share = share_of(found[0], signers[one.member], True, Random(1))
            await self.hood.writer.do(
                lambda db, at=one.member, share=share: rounds.take_share(
                    db, asked, at, f"{share:016x}", self.now_s
                )
            )
        return len(found)

    async def answer(self, asked: str) -> str | None:
        """Return what the order says of a request."""
        row = await self.hood.read(lambda db: state_of(db).request(asked))
        assert row is not None
        return row.answer.value if row.answer else None

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that the hub's database holds."""
        with sqlite3.connect(self.hood.folder / "hub.db") as db:
            names = [
                name
                for (name,) in db.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'texts%'"
                    " ORDER BY name"
                )
            ]
            found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608
        db.close()
        return found

    def bytes_held(self) -> bytes:
        """Return every byte of every file that the hub keeps of the neighborhood."""
        return b"".join(path.read_bytes() for path in sorted(self.hood.folder.rglob("*")) if path.is_file())


RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
