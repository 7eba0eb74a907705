"""A neighborhood on a real hub with an agency that asks, and a home that answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Any

import aiohttp
import pytest

from ringwatch.footage.age_file import generate_identity
from ringwatch.footage.answer_states import Answer, Prepared, Selection
from ringwatch.footage.answers import AnswerStore
from ringwatch.footage.audit import AuditLog
from ringwatch.footage.mailbox import HubAccess, Mailbox
from ringwatch.footage.sending import Sender
from ringwatch.footage.standing import Standing, read_standing
from ringwatch.neighborhood.bodies import Close
from ringwatch.neighborhood.bodies.requests import Outcome
from ringwatch.neighborhood.ledger import Ledger
from ringwatch.neighborhood.segments import unpack_lines
from ringwatch.neighborhood.signed_calls import HubClock
from script.lib.hub_agency import Police, ask, enrol, release
from script.lib.hub_client import HubProcess, Member, Street, found, join

from .giving import write_clips

UNDO_S = 900
HOME = generate_identity()
CASES = iter(range(1, 10_000))


@dataclass
class Scene:
    """A neighborhood with an agency and an officer."""

    street: Street
    police: Police
    officer: Member
    asked: int = 0

    def ask(self) -> str:
        """Return a request that was let through."""
        self.asked += 1
        request = ask(self.officer, f"26-{next(CASES):04}")
        release(self.street, request)
        return request

    def close(self, request: str) -> None:
        self.officer.catch_up()
        assert self.officer.post(Close(request, Outcome.NOT_NEEDED)).status == 201


def make_scene(folder: Path) -> Scene:
    street = found(HubProcess(folder))
    police = enrol(street)
    return Scene(street, police, police.officer())


class Shared:
    """A scene for tests that leave the agency as it is; another one once it has asked as often as it may."""

    MOST = 7  # of ten requests a day, as one test asks three times

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.folders = folders
        self.scene: Scene | None = None

    def get(self) -> Scene:
        if self.scene is None or self.scene.asked > self.MOST:
            self.stop()
            self.scene = make_scene(self.folders.mktemp("hub"))
        return self.scene

    def stop(self) -> None:
        if self.scene is not None:
            self.scene.street.hub.stop()


class Home:
    """A home that answers: its member, its store, its sender, and a clock that is moved."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.folder = folder
        self.member = join(scene.street, f"Neighbor {next(CASES)}")
        self.ahead_s = 0.0
        self.told: list[Answer] = []
        self.port = scene.street.hub.port
        self.change: Callable[[Standing | None], Standing | None] = lambda standing: standing
        self.open()

    def open(self) -> None:
        self.log = AuditLog(self.folder / "footage", self.now)
        self.store = AnswerStore(self.folder / "footage", self.log, self.now)

    def close(self) -> None:
        self.store.close()
        self.log.close()

    def now(self) -> float:
        return time.time() + self.ahead_s

    def access(self, neighborhood: str) -> HubAccess | None:
        assert neighborhood == self.scene.street.id
        url = f"http://127.0.0.1:{self.port}"
        return HubAccess(url, self.scene.street.hub.key, self.member.key, HubClock(time.time))

    async def look(self, neighborhood: str, request: str) -> Standing | None:
        return self.change(await asyncio.to_thread(self.standing, request))

    def standing(self, request: str) -> Standing | None:
        """Read all records into a ledger, as a home does, and look there."""
        folder = self.folder / f"ledger-{os.urandom(4).hex()}"
        ledger = Ledger(folder, self.scene.street.id, self.scene.street.hub.key)
        data = self.member.call("GET", "/records?after=0").body
        ledger.receive(unpack_lines(data, ledger.neighborhood, ledger.state.history), int(time.time()))
        me = ledger.state.subject_of(self.member.key.public)
        found_standing = read_standing(ledger, request, me, int(time.time()))
        ledger.close()
        return found_standing

    def ready(self, request: str, sizes: tuple[int, ...] = (70_000, 3_000), **fields: Any) -> Answer:
        answer = self.store.draft(self.scene.street.id, request, (Selection("clip"),), **fields)
        clips = write_clips(self.store.preview_folder(answer), sizes)
        standing = self.standing(request)
        assert standing is not None
        prepared = tuple(Prepared("clip", clip) for clip in clips)
        return self.store.prepared(answer.id, prepared, standing.recipient, answer.revision)

    def confirmed(self, request: str, sizes: tuple[int, ...] = (70_000, 3_000), **fields: Any) -> Answer:
        answer = self.ready(request, sizes, **fields)
        return self.store.confirm(answer.id, answer.contents or "", "Rosa", UNDO_S)

    @asynccontextmanager
    async def sender(self) -> AsyncIterator[Sender]:
        async with aiohttp.ClientSession() as session:
            sender = Sender(
                self.store,
                self.access,
                self.look,
                session,
                listener=self.told.append,
                own_recipient=HOME.recipient,
                software="Ringwatch tests",
                now=self.now,
            )
            yield sender
            await sender.async_stop()

    def answer(self, answer: Answer) -> Answer:
        return self.store.get(answer.id) or pytest.fail("it is gone")

    def inbox(self) -> list[dict[str, Any]]:
        return list(self.scene.officer.call("GET", "/deliveries").json["deliveries"])

    def delivered(self, answer: Answer) -> dict[str, Any]:
        [one] = [one for one in self.inbox() if one["request"] == answer.request]
        return one


class Killed(BaseException):
    """The process ends here."""


async def crash(home: Home, where: str, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """Run the sender until it would call something, and stop it there as a power cut does."""
    target: Any = Mailbox if hasattr(Mailbox, where) else AnswerStore
    right = getattr(target, where)

    async def killed_async(self: Any, *arguments: Any) -> Any:
        if after:
            await right(self, *arguments)
        raise Killed

    def killed(self: Any, *arguments: Any) -> Any:
        if after:
            right(self, *arguments)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(
            target, where, killed_async if where.startswith("async") or "_async" in where else killed
        )
        async with home.sender() as sender:
            with pytest.raises(Killed):
                await sender.async_tick()
    home.close()
    home.open()
