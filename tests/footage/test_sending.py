"""From a confirmed answer to a receipt, over a real hub: what is sent, when, and what is never sent."""

import asyncio
import io
from typing import Any

import pytest

from ringwatch.footage.answer_states import AnswerError, State
from ringwatch.footage.mailbox import Mailbox
from ringwatch.footage.package import Expected, read_package
from ringwatch.footage.parties import Identity, IdentityKind
from ringwatch.neighborhood.delivery import ReceiptKind
from ringwatch.neighborhood.keys import PrivateKey
from script.lib.hub_agency import Package, receipt, sign_for
from script.lib.hub_client import Member

from .posting import HOME, UNDO_S, Home, crash


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
