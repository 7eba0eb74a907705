"""Kills, breaks, and what changes while an answer waits: it goes once, or back to its owner."""

import asyncio
from dataclasses import replace
import io
import sqlite3
from typing import Any

import pytest

from ringwatch.footage.age_file import generate_identity
from ringwatch.footage.answer_states import State
from ringwatch.footage.answers import AnswerStore
from ringwatch.footage.mailbox import Mailbox
from ringwatch.footage.package import read_package
from ringwatch.footage.sending import RETRY_S
from ringwatch.neighborhood.keys import PrivateKey

from .posting import UNDO_S, Home, crash

# ---- kills and breaks ----------------------------------------------------------------------------------


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


async def test_a_database_that_cannot_be_read_for_a_while_stops_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = home.confirmed(home.scene.ask())
    home.ahead_s = UNDO_S
    right, broken = AnswerStore.all, [True]

    def all_of_them(self: AnswerStore) -> Any:
        if broken:
            broken.clear()
            raise sqlite3.OperationalError("database is locked")
        return right(self)

    monkeypatch.setattr(AnswerStore, "all", all_of_them)
    async with home.sender() as sender:
        sender.start()
        for _ in range(200):
            await asyncio.sleep(0.05)
            if not broken:
                sender.wake()
            if home.answer(answer).state is State.SENT:
                break
    assert home.answer(answer).state is State.SENT
    assert "trying again" in caplog.text


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


async def test_a_package_that_a_disk_has_changed_is_packed_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was sent again and again for as long as the hub said that these are other bytes."""
    answer = home.confirmed(home.scene.ask())
    home.ahead_s = UNDO_S
    await crash(home, "async_announce", monkeypatch, after=False)
    [sealed] = (home.folder / "footage" / "outgoing").iterdir()
    data = bytearray(sealed.read_bytes())
    data[len(data) // 2] ^= 1
    sealed.write_bytes(data)
    parts = []
    put = Mailbox._async_put

    async def counted(*args: Any) -> int:
        parts.append(args)
        return await put(*args)

    monkeypatch.setattr(Mailbox, "_async_put", counted)
    async with home.sender() as sender:
        for _ in range(3):
            home.ahead_s += await sender.async_tick() + 1
            if home.answer(answer).state is State.SENT:
                break
    assert home.answer(answer).state is State.SENT
    assert len(parts) <= 4


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
