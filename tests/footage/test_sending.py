"""From a confirmed answer to a receipt, over a real hub: what is sent, when, and what is never sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
import io
import os
from pathlib import Path
import time
from typing import Any

import aiohttp
import pytest

from ringwatch.footage.age_file import generate_identity
from ringwatch.footage.answer_states import Answer, AnswerError, Prepared, Selection, State
from ringwatch.footage.answers import AnswerStore
from ringwatch.footage.audit import AuditLog
from ringwatch.footage.mailbox import HubAccess, Mailbox
from ringwatch.footage.package import Expected, read_package
from ringwatch.footage.parties import Identity, IdentityKind
from ringwatch.footage.sending import RETRY_S, Sender
from ringwatch.footage.standing import Standing, read_standing
from ringwatch.neighborhood.bodies import Close
from ringwatch.neighborhood.bodies.requests import Outcome
from ringwatch.neighborhood.delivery import ReceiptKind
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.ledger import Ledger
from ringwatch.neighborhood.segments import unpack_lines
from ringwatch.neighborhood.signed_calls import HubClock
from script.lib.hub_agency import Package, Police, ask, enrol, receipt, release, sign_for
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


@pytest.fixture(scope="module")
def shared_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    shared = Shared(tmp_path_factory)
    yield shared
    shared.stop()


@pytest.fixture
def shared(shared_scene: Shared) -> Scene:
    return shared_scene.get()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Scene]:
    """Return a scene of a test's own."""
    scene = make_scene(tmp_path / "hub")
    yield scene
    scene.street.hub.stop()


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


@pytest.fixture
def home(shared: Scene, tmp_path: Path) -> Iterator[Home]:
    home = Home(shared, tmp_path)
    yield home
    home.close()


@pytest.fixture
def own_home(own: Scene, tmp_path: Path) -> Iterator[Home]:
    home = Home(own, tmp_path)
    yield home
    home.close()


async def test_the_agency_gets_what_was_confirmed_and_the_home_its_receipt(home: Home) -> None:
    request = home.scene.ask()
    answer = home.confirmed(request)
    confirmed = [one.clip for one in answer.prepared]
    home.ahead_s = UNDO_S
    async with home.sender() as sender:
        await sender.async_tick()
        sent = home.answer(answer)
        assert sent.state is State.SENT
        assert sent.arrival is not None
        delivered = home.delivered(answer)
        data = home.scene.officer.call("GET", f"/deliveries/{delivered['delivery']}").body
        expected = Expected(request, delivered["key"], home.scene.police.member.key.public)
        opened = read_package(io.BytesIO(data), home.scene.police.identity, expected)
        assert [clip.sha256 for clip in opened.custody.clips] == [clip.sha256 for clip in confirmed]
        assert opened.custody.identity == Identity()
        assert home.member.key.public.encode() not in opened.custody.to_bytes()
        own_copy = home.store.own_copy(sent).read_bytes()
        assert own_copy == data
        assert read_package(io.BytesIO(own_copy), HOME.secret).custody == opened.custody

        package = Package(home.member, request, data, PrivateKey.generate(), delivered["delivery"])
        assert sign_for(home.scene.officer, package).status == 201
        home.ahead_s += 3_600
        await sender.async_tick()
    received = home.answer(answer)
    assert received.state is State.RECEIVED
    assert [one.kind for one in received.receipts] == ["received"]
    assert home.log.verify(home.log.head) is None
    said = [line.what for line in home.log.all() if line.facts.get("answer") == answer.id]
    assert said == ["answer_opened", "answer_prepared", "confirmed", "sending", "sent", "receipt"]
    assert home.told[-1].state is State.RECEIVED


async def test_a_name_goes_along_only_if_it_was_ticked(home: Home) -> None:
    request = home.scene.ask()
    answer = home.confirmed(request, identity=Identity(IdentityKind.NAME, "Rosa Alvarez"))
    home.ahead_s = UNDO_S
    async with home.sender() as sender:
        await sender.async_tick()
    data = home.scene.officer.call("GET", f"/deliveries/{home.delivered(answer)['delivery']}").body
    opened = read_package(io.BytesIO(data), home.scene.police.identity)
    assert opened.custody.identity.name == "Rosa Alvarez"
    assert opened.custody.member_key == home.member.key.public


async def test_nothing_is_sent_while_one_may_undo_nor_after_undoing(home: Home) -> None:
    request = home.scene.ask()
    answer = home.confirmed(request)
    async with home.sender() as sender:
        wait_s = await sender.async_tick()
        assert UNDO_S - 20 < wait_s <= UNDO_S
        home.ahead_s = UNDO_S - 10
        await sender.async_tick()
        home.store.undo(answer.id, "Rosa")
        home.ahead_s = 10 * UNDO_S
        sender.wake()
        await sender.async_tick()
    assert home.answer(answer).state is State.AWAITING_CONFIRMATION
    assert not [one for one in home.inbox() if one["request"] == request]


async def test_declining_looking_and_ignoring_make_no_call(home: Home) -> None:
    """The hub counts its requests: whatever is done with a request short of confirming, there is none."""
    requests = [home.scene.ask() for _ in range(3)]
    home.store.note("request_seen", request=requests[0])
    home.store.decline(home.scene.street.id, requests[0], "Rosa")
    answer = home.ready(requests[1])
    home.store.preview_file(answer.id, "clip-01.mp4").read_bytes()
    withdrawn = home.ready(requests[2])
    home.store.withdraw(withdrawn.id, "Rosa")

    def calls() -> int:
        return int(home.scene.street.hub.request("GET", "/health").json["requests"])

    before = calls()
    async with home.sender() as sender:
        sender.start()
        sender.wake()
        await asyncio.sleep(0.3)
    assert calls() - before == 1  # the second question itself


# ---- kills and breaks ----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["release", "async_announce", "_async_put", "async_deliver", "arrived"])
async def test_a_kill_at_any_step_sends_it_once(
    home: Home, monkeypatch: pytest.MonkeyPatch, where: str, after: bool
) -> None:
    request = home.scene.ask()
    answer = home.confirmed(request, (1_500_000, 900_000))
    home.ahead_s = UNDO_S
    await crash(home, where, monkeypatch, after=after)
    async with home.sender() as sender:
        await sender.async_tick()
    assert home.answer(answer).state is State.SENT
    data = home.scene.officer.call("GET", f"/deliveries/{home.delivered(answer)['delivery']}").body
    opened = read_package(io.BytesIO(data), home.scene.police.identity)
    assert opened.custody.request == request
    said = [line.what for line in home.log.all() if line.facts.get("answer") == answer.id]
    assert said == ["answer_opened", "answer_prepared", "confirmed", "sending", "sent"]
    assert not list((home.folder / "footage" / "outgoing").iterdir())


async def test_a_hub_that_is_away_is_waited_for(home: Home) -> None:
    answer = home.confirmed(home.scene.ask())
    home.ahead_s = UNDO_S
    home.port = 1  # nothing answers there
    async with home.sender() as sender:
        waits = []
        for _ in range(3):
            waits.append(await sender.async_tick())
            home.ahead_s += waits[-1] + 1
        assert home.answer(answer).problem == "hub_away"
        assert home.answer(answer).state is State.SENDING
        assert RETRY_S * 0.8 <= waits[0] <= RETRY_S * 1.2
        assert waits[0] < waits[1] < waits[2]
        home.port = home.scene.street.hub.port
        sender.wake()
        await sender.async_tick()
    assert home.answer(answer).state is State.SENT
    assert home.answer(answer).problem is None


async def test_a_neighborhood_that_isnt_there_yet_is_waited_for(home: Home) -> None:
    answer = home.confirmed(home.scene.ask())
    home.ahead_s = UNDO_S
    home.change = lambda standing: None
    async with home.sender() as sender:
        await sender.async_tick()
        assert home.answer(answer).state is State.CONFIRMED
        assert home.answer(answer).problem == "neighborhood_away"


async def test_a_full_disk_is_waited_for_and_leaves_nothing_half(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringwatch.footage import packing

    answer = home.confirmed(home.scene.ask())
    home.ahead_s = UNDO_S

    def full(self: Any, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    async with home.sender() as sender:
        with monkeypatch.context() as patched:
            patched.setattr(packing._Out, "write", full)
            await sender.async_tick()
        assert home.answer(answer).problem == "disk_full"
        assert not list((home.folder / "footage" / "outgoing").iterdir())
        sender.wake()
        await sender.async_tick()
    assert home.answer(answer).state is State.SENT


async def test_what_was_changed_after_confirming_is_not_sent(home: Home) -> None:
    answer = home.confirmed(home.scene.ask())
    file = home.store.preview_folder(answer) / "clip-02.mp4"
    file.write_bytes(b"!" + file.read_bytes()[1:])
    home.ahead_s = UNDO_S
    async with home.sender() as sender:
        await sender.async_tick()
    assert home.answer(answer).state is State.FAILED
    assert home.answer(answer).code == "package_changed"
    assert not [one for one in home.inbox() if one["request"] == answer.request]


# ---- what changes meanwhile ----------------------------------------------------------------------------


async def test_a_request_that_was_closed_long_ago_ends_it(home: Home) -> None:
    answer = home.confirmed(home.scene.ask())
    home.scene.close(answer.request)
    home.ahead_s = UNDO_S
    home.change = lambda standing: replace(standing, now_s=standing.now_s + 90_000) if standing else None
    async with home.sender() as sender:
        await sender.async_tick()
    assert (home.answer(answer).state, home.answer(answer).code) == (State.FAILED, "request_closed")


async def test_who_confirmed_in_the_last_hour_still_delivers(home: Home) -> None:
    answer = home.confirmed(home.scene.ask())
    home.scene.close(answer.request)
    home.ahead_s = UNDO_S
    async with home.sender() as sender:
        await sender.async_tick()
    assert home.answer(answer).state is State.SENT


async def test_a_rotated_key_means_a_new_confirmation_and_72_hours(own_home: Home) -> None:
    """Never a silent re-encryption: it goes back to its owner, and waits even when confirmed again."""
    home = own_home
    answer = home.confirmed(home.scene.ask())
    rotated = home.scene.police.change(key=PrivateKey.generate(), age_recipient=generate_identity().recipient)
    home.ahead_s = UNDO_S
    async with home.sender() as sender:
        await sender.async_tick()
        stale = home.answer(answer)
        assert (stale.state, stale.code) == (State.STALE, "agency_changed")
        assert not list((home.folder / "footage" / "outgoing").iterdir())

        standing = home.standing(answer.request)
        assert standing is not None
        assert standing.recipient.key == rotated.member.key.public
        renewed = home.store.renew(answer.id, standing.recipient)
        home.store.confirm(answer.id, renewed.contents or "", "Rosa", 0)
        sender.wake()
        await sender.async_tick()
        assert home.answer(answer).state is State.CONFIRMED
        assert home.answer(answer).problem == "agency_on_hold"
        home.change = lambda standing: replace(standing, hold_until_s=None) if standing else None
        sender.wake()
        await sender.async_tick()  # this home would; the hub still says no
    assert home.answer(answer).problem == "agency_on_hold"


async def test_an_amended_policy_means_a_new_confirmation(own_home: Home) -> None:
    home = own_home
    answer = home.confirmed(home.scene.ask())
    home.scene.police.change(retention_days=365)
    home.ahead_s = UNDO_S
    async with home.sender() as sender:
        await sender.async_tick()
    assert home.answer(answer).state is State.STALE


async def test_a_key_that_is_rotated_while_it_uploads_is_noticed(
    own_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = own_home
    answer = home.confirmed(home.scene.ask(), (1_500_000,))
    home.ahead_s = UNDO_S
    await crash(home, "_async_put", monkeypatch, after=True)
    home.scene.police.change(key=PrivateKey.generate())
    async with home.sender() as sender:
        await sender.async_tick()
    assert home.answer(answer).state is State.STALE
    assert home.answer(answer).delivery is None


# ---- withdrawing ---------------------------------------------------------------------------------------


async def test_what_is_being_uploaded_can_be_withdrawn(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = home.confirmed(home.scene.ask(), (3_500_000,))
    home.ahead_s = UNDO_S
    right, begun = Mailbox._async_put, asyncio.Event()

    async def slow(self: Mailbox, *arguments: Any) -> int:
        offset = await right(self, *arguments)
        begun.set()
        await asyncio.sleep(30)
        return offset

    monkeypatch.setattr(Mailbox, "_async_put", slow)
    async with home.sender() as sender:
        sender.start()
        await asyncio.wait_for(begun.wait(), 20)
        seed, delivery = home.answer(answer).delivery_seed, home.answer(answer).delivery
        withdrawn = await sender.async_withdraw(answer.id, "Rosa")
    assert withdrawn.state is State.WITHDRAWN
    assert seed is not None
    gone = home.member.call("GET", f"/deliveries/{delivery}/state", key=PrivateKey(seed))
    assert gone.status == 404
    assert not list((home.folder / "footage" / "outgoing").iterdir())
    assert not list((home.folder / "footage" / "prepared").iterdir())


async def test_what_the_agency_may_have_cannot_be_withdrawn(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = home.confirmed(home.scene.ask())
    home.ahead_s = UNDO_S
    await crash(home, "arrived", monkeypatch, after=False)
    async with home.sender() as sender:
        port, home.port = home.port, 1
        with pytest.raises(AnswerError, match="hub_away"):
            await sender.async_withdraw(answer.id, "Rosa")
        home.port = port
        with pytest.raises(AnswerError, match="wrong_state"):
            await sender.async_withdraw(answer.id, "Rosa")
        await sender.async_tick()
    assert home.answer(answer).state is State.SENT


# ---- receipts ------------------------------------------------------------------------------------------


async def test_only_an_officer_of_the_agency_signs_receipts(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = home.confirmed(home.scene.ask())
    home.ahead_s = UNDO_S
    async with home.sender() as sender:
        await sender.async_tick()
        sent = home.answer(answer)
        package = Package(
            home.member, answer.request, home.store.own_copy(sent).read_bytes(), PrivateKey.generate()
        )
        package.id = sent.delivery or ""
        stranger = Member(home.scene.street.hub, neighborhood=home.scene.street.id)
        forged = [
            receipt(stranger, package),
            receipt(home.scene.officer, package, sha256="00" * 32),
            receipt(home.scene.officer, package, delivery="00" * 32),
        ]

        async def lying(self: Mailbox, delivery: str) -> list[Any]:
            return forged

        with monkeypatch.context() as patched:
            patched.setattr(Mailbox, "async_receipts", lying)
            for _ in range(2):
                home.ahead_s += 7_200
                await sender.async_tick()
        assert home.answer(answer).receipts == ()
        refused = [line.facts["code"] for line in home.log.all() if line.what == "receipt_refused"]
        assert refused == ["not_an_officer", "other_delivery", "other_delivery"]

        for kind, about in (
            (ReceiptKind.RECEIVED, ""),
            (ReceiptKind.USED, "Case 26-1"),
            (ReceiptKind.SHARED_WITH, "County attorney"),
        ):
            assert (
                sign_for(
                    home.scene.officer, package, receipt(home.scene.officer, package, kind, about=about)
                ).status
                == 201
            )
        home.ahead_s += 7_200
        await sender.async_tick()
    assert sorted(one.kind for one in home.answer(answer).receipts) == ["received", "shared_with", "used"]


async def test_own_copies_go_after_90_days(home: Home) -> None:
    answer = home.confirmed(home.scene.ask())
    home.ahead_s = UNDO_S
    async with home.sender() as sender:
        await sender.async_tick()
        assert home.store.own_copy(home.answer(answer)).exists()
        home.ahead_s += 91 * 86_400
        await sender.async_tick()
    assert not home.store.own_copy(home.answer(answer)).exists()
