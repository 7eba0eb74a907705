"""A home and a hub over loopback: in step, in order, once; and every lie that can be caught is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
import hashlib
import os
from pathlib import Path
from random import Random
import time
from typing import Any

import aiohttp
import pytest

from custom_components.ringwatch.neighborhood import home as home_module, home_copy, home_sync
from custom_components.ringwatch.neighborhood.bodies import Comment, Post, Withdraw
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.feed import Category, Media, MediaType, Span
from custom_components.ringwatch.neighborhood.bodies.people import Mode
from custom_components.ringwatch.neighborhood.changes import ChangeKind
from custom_components.ringwatch.neighborhood.feed_items import FeedChange
from custom_components.ringwatch.neighborhood.home import Home, HomeConfig
from custom_components.ringwatch.neighborhood.hub_client import HubClient, HubError
from custom_components.ringwatch.neighborhood.joining import async_found, async_is_hub, async_join, async_look
from custom_components.ringwatch.neighborhood.keys import PrivateKey
from custom_components.ringwatch.neighborhood.ledger_schema import NAME
from custom_components.ringwatch.neighborhood.media_folder import MediaFolder
from custom_components.ringwatch.neighborhood.order import Checkpoint, Entry, next_entry, sign_checkpoint
from custom_components.ringwatch.neighborhood.requests import read_requests
from custom_components.ringwatch.neighborhood.rows import Status
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.violations import BadField, NotAMember

from .agencies import asking, details, enrol, officer
from .served_street import ServedStreet, other_head
from .street import CENTER, HUB, Neighbor, key

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Ear:
    """Hears what a home tells."""

    def __init__(self) -> None:
        self.changes: list[FeedChange] = []
        self.connections: list[bool] = []
        self.troubles: list[str | None] = []
        self.refusals: list[tuple[str, str]] = []

    def changed(self, changes: tuple[FeedChange, ...]) -> None:
        self.changes += changes

    def connected(self, connected: bool) -> None:
        self.connections.append(connected)

    def trouble(self, code: str | None, _about: str) -> None:
        self.troubles.append(code)

    def refused(self, record_id: str, code: str) -> None:
        self.refusals.append((record_id, code))

    def kinds(self, *, old: bool = False) -> list[ChangeKind]:
        return [change.kind for change in self.changes if change.old is old]


@pytest.fixture
async def street() -> AsyncIterator[ServedStreet]:
    """A hub with a host."""
    found = ServedStreet()
    await found.server.start_server()
    yield found
    await found.server.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with aiohttp.ClientSession() as found:
        yield found


type Settle = Callable[..., Awaitable[tuple[Home, Ear]]]


@pytest.fixture
async def settle(
    street: ServedStreet,
    session: aiohttp.ClientSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Settle]:
    """Move homes in, who have joined and are in step."""
    monkeypatch.setattr(home_module, "RETRY_S", (0.02,))
    monkeypatch.setattr(home_module, "LIE_S", 0.05)
    monkeypatch.setattr(home_module, "REMOVED_S", 0.05)
    monkeypatch.setattr(home_sync, "WAIT_S", 0)
    monkeypatch.setattr(home_sync, "REWOUND_S", 0.0)
    street.after_s = "0"
    homes: list[Home] = []

    async def move_in(name: str, *, joins: bool = True, start: bool = True, **clock: Any) -> tuple[Home, Ear]:
        if joins:
            street.join(name)
        ear = Ear()
        config = HomeConfig(street.url, str(street.id), HUB.public, tmp_path / name)
        home = Home(
            config, key(name.lower() if name == "Host" else name), session, ear, random=Random(1), **clock
        )
        await home.async_open()
        homes.append(home)
        if start:
            home.start()
            await until(lambda: home.connected or home.trouble is not None, 30.0)
        return home, ear

    yield move_in
    for home in homes:
        await home.async_stop()


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for the homes' tasks."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def fox(**changes: Any) -> Post:
    now_s = int(time.time())
    body = Post(Category.ANIMAL, "A fox", "Seen by the bins.", CENTER, Span(now_s - 60, now_s))
    return replace(body, **changes)


def picture(folder: Path, size: int = 2500) -> tuple[Path, Media]:
    """Return a file and how it is announced."""
    file = folder / "picture"
    file.write_bytes(bytes(range(256)) * (size // 256 + 1))
    file.write_bytes(file.read_bytes()[:size])
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return file, Media(digest, size, MediaType.JPEG, 0, 640, 360)


# ---- in step


async def test_what_one_home_posts_the_other_sees(street: ServedStreet, settle: Settle) -> None:
    ada, _ = await settle("Ada")
    bea, heard = await settle("Bea")
    post = await ada.async_submit(fox())
    assert ada.pending == 1
    await until(lambda: ChangeKind.POST in heard.kinds())
    [told] = [change for change in heard.changes if change.kind is ChangeKind.POST]
    assert told.item
    assert (told.item.title, told.item.author, told.by_me, told.old) == ("A fox", "Ada", False, False)
    assert (bea.unread, bea.members) == (1, 3)
    comment = await bea.async_submit(Comment(post.id, "Here too."))
    await until(lambda: any(one.record.id == comment.id for one in street.placed))
    await until(lambda: ada.pending == 0)
    found = await ada.async_item(post.id)
    assert found
    assert found.mine
    await bea.async_mark_read()
    assert bea.unread == 0


async def test_what_was_there_before_joining_is_old(street: ServedStreet, settle: Settle) -> None:
    street.post(street.host)
    _, heard = await settle("Ada")
    assert heard.kinds() == []
    assert ChangeKind.POST in heard.kinds(old=True)
    street.post(street.host, "A second fox")
    await until(lambda: heard.kinds() == [ChangeKind.POST])


async def test_what_is_said_while_the_hub_is_away_goes_later_in_order_and_once(
    street: ServedStreet, settle: Settle
) -> None:
    ada, heard = await settle("Ada")
    street.broken = True
    await until(lambda: not ada.connected)
    said = [await ada.async_submit(fox(title=f"Fox {number}")) for number in range(5)]
    assert ada.pending == 5
    street.broken = False
    await until(lambda: ada.pending == 0)
    order = [one.record.id for one in street.placed]
    assert [order.count(record.id) for record in said] == [1] * 5
    assert [i for i in order if i in {record.id for record in said}] == [record.id for record in said]
    assert heard.connections == [True, False, True]


async def test_a_home_that_stops_in_between_goes_on_where_it_was(
    street: ServedStreet, settle: Settle
) -> None:
    ada, _ = await settle("Ada")
    street.broken = True
    record = await ada.async_submit(fox())
    await ada.async_stop()
    street.broken = False
    street.post(street.host)
    again, heard = await settle("Ada", joins=False)
    await until(lambda: again.pending == 0)
    assert [one.record.id for one in street.placed].count(record.id) == 1
    assert ChangeKind.POST in heard.kinds()  # a post of an hour ago is still news


async def test_after_a_month_it_catches_up_in_segments(street: ServedStreet, settle: Settle) -> None:
    street.segments_beyond = 1500
    post = street.post(street.host)
    for member in street.join_all(*(f"Neighbor {number}" for number in range(11))):
        for _ in range(90):
            street.comment(member, post)
    second = street.post(street.host)
    for member in street.join_all(*(f"Newcomer {number}" for number in range(7))):
        for _ in range(90):
            street.comment(member, second)
    ada, _ = await settle("Ada")
    position = await ada.async_ask(lambda ledger: ledger.position)
    assert position.number == len(street.placed) > 1500
    assert [asked for asked in street.asked if "segments" in asked] == ["GET /segments/1"]


async def test_a_wrong_clock_is_put_right_by_the_hubs_signed_time(
    street: ServedStreet, settle: Settle
) -> None:
    ada, heard = await settle("Ada", now=lambda: time.time() - 3600)
    assert ada.connected
    assert heard.troubles == ["clock_off"]
    assert abs(ada.hub_time_s() - time.time()) < 5
    record = await ada.async_submit(fox())
    await until(lambda: ada.pending == 0)
    assert record.id in {one.record.id for one in street.placed}


async def test_a_hub_that_is_weeks_ahead_erases_nothing_here(
    street: ServedStreet, settle: Settle, tmp_path: Path
) -> None:
    """It may correct this home's clock; a home goes by its own where things would end."""
    post = street.post(street.host)
    ada, heard = await settle("Ada")
    street.ahead_s = 40 * 86_400  # posts live for 30 days
    await until(lambda: heard.troubles != [])
    assert heard.troubles == ["hub_time_backwards"]
    item = await ada.async_item(post)
    assert item is not None
    assert item.title == "A fox"
    street.ahead_s = 0
    await until(lambda: ada.connected and ada.trouble is None)
    assert (await ada.async_item(post)) is not None


async def test_a_damaged_copy_is_fetched_anew(street: ServedStreet, settle: Settle, tmp_path: Path) -> None:
    street.post(street.host)
    ada, _ = await settle("Ada")
    await ada.async_stop()
    (tmp_path / "Ada" / NAME).write_bytes(b"SQLite format 3\x00" + b"\xff" * 8000)
    again, _ = await settle("Ada", joins=False)
    assert again.copy.rebuilt
    assert again.members == 2
    damaged = tmp_path / "Ada" / f"{NAME}.damaged"
    assert damaged.exists()
    await again.async_stop()
    os.utime(damaged, (0, 0))
    await settle("Ada", joins=False)
    assert not damaged.exists()  # what neighbors have taken back since then is in it


# ---- clips and pictures


async def test_a_picture_goes_up_in_parts_and_comes_down_checked(
    street: ServedStreet, settle: Settle, tmp_path: Path
) -> None:
    ada, _ = await settle("Ada")
    bea, heard = await settle("Bea")
    file, media = picture(tmp_path)
    street.parts[media.sha256] = bytearray(file.read_bytes()[:700])  # an attempt that broke off
    data = file.read_bytes()
    await ada.async_submit(fox(media=(media,)), [file])
    assert not file.exists()
    await until(lambda: ChangeKind.POST in heard.kinds())
    found = await bea.async_media(media)
    assert found.read_bytes() == data
    street.asked.clear()
    assert await bea.async_media(media) == found
    assert not [asked for asked in street.asked if "blobs" in asked]


async def test_a_download_goes_on_where_it_broke_off(
    street: ServedStreet, settle: Settle, tmp_path: Path
) -> None:
    ada, _ = await settle("Ada")
    file, media = picture(tmp_path)
    street.blobs[media.sha256] = file.read_bytes()
    part = ada.copy.media.part(media.sha256)
    part.write_bytes(file.read_bytes()[:1000])
    first, second = await asyncio.gather(ada.async_media(media), ada.async_media(media))
    assert first == second
    assert first.read_bytes() == file.read_bytes()
    assert len([asked for asked in street.asked if "blobs" in asked]) == 1


@pytest.mark.parametrize("altered", [b"x" * 2500, b"x" * 9000, b"x" * 100])
async def test_another_file_than_was_announced_is_not_kept(
    street: ServedStreet, settle: Settle, tmp_path: Path, altered: bytes
) -> None:
    ada, _ = await settle("Ada")
    _, media = picture(tmp_path)
    street.blobs[media.sha256] = altered
    with pytest.raises(HubError):
        await ada.async_media(media)
    assert not ada.copy.media.has(media.sha256)


async def test_a_file_that_the_post_does_not_name_is_not_sent(settle: Settle, tmp_path: Path) -> None:
    ada, _ = await settle("Ada")
    file, _ = picture(tmp_path)
    with pytest.raises(BadField):
        await ada.async_submit(fox(), [file])
    assert file.exists()
    assert ada.pending == 0


async def test_what_is_withdrawn_is_erased_here_with_its_files(
    street: ServedStreet, settle: Settle, tmp_path: Path
) -> None:
    ada, _ = await settle("Ada")
    bea, heard = await settle("Bea")
    file, media = picture(tmp_path)
    post = await ada.async_submit(fox(media=(media,)), [file])
    await until(lambda: ChangeKind.POST in heard.kinds())
    kept = await bea.async_media(media)
    await ada.async_submit(Withdraw(post.id))
    await until(lambda: ChangeKind.GONE in heard.kinds())
    assert not kept.exists()
    await until(lambda: not ada.copy.media.has(media.sha256))
    record = await bea.async_ask(lambda ledger: ledger.record(post.id))
    assert record
    assert record.body is None
    assert b"Seen by the bins" not in (tmp_path / "Bea" / NAME).read_bytes()


async def test_what_is_taken_back_while_it_is_fetched_is_not_kept(
    street: ServedStreet, settle: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = await settle("Ada")
    bea, heard = await settle("Bea")
    file, media = picture(tmp_path)
    post = await ada.async_submit(fox(media=(media,)), [file])
    await until(lambda: ChangeKind.POST in heard.kinds())
    data = street.blobs[media.sha256]
    download = home_module.async_download

    async def slowly(client: HubClient, media: Media, folder: MediaFolder) -> Path:
        await ada.async_submit(Withdraw(post.id))
        await until(lambda: ChangeKind.GONE in heard.kinds())
        street.blobs[media.sha256] = data  # as if it had been on its way
        return await download(client, media, folder)

    monkeypatch.setattr(home_module, "async_download", slowly)
    with pytest.raises(HubError, match="taken back"):
        await bea.async_media(media)
    assert list(bea.copy.media.digests()) == []


async def test_files_that_nothing_names_are_deleted_at_the_next_start(settle: Settle, tmp_path: Path) -> None:
    ada, _ = await settle("Ada")
    file, media = picture(tmp_path)
    ada.copy.media.add(file)
    await ada.async_stop()
    again, _ = await settle("Ada", joins=False)
    assert not again.copy.media.has(media.sha256)


# ---- refusals


async def test_what_the_rules_refuse_here_is_not_even_signed(settle: Settle, tmp_path: Path) -> None:
    stranger, _ = await settle("Stranger", joins=False)
    with pytest.raises(NotAMember):
        await stranger.async_submit(fox())
    file, media = picture(tmp_path)
    with pytest.raises(NotAMember):
        await stranger.async_submit(fox(media=(media,)), [file])
    assert file.exists()
    assert list(stranger.copy.media.digests()) == []
    assert stranger.pending == 0


async def test_what_the_hub_refuses_is_told_once_and_what_is_behind_goes_on(
    street: ServedStreet, settle: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_sync, "MAX_TRIES", 2)
    ada, heard = await settle("Ada")
    file, media = picture(tmp_path)
    street.broken = True
    await until(lambda: not ada.connected)
    lost = await ada.async_submit(fox(media=(media,)), [file])
    behind = await ada.async_submit(fox(title="Behind it"))
    ada.copy.media.delete(media.sha256)  # the hub will miss it
    street.broken = False
    await until(lambda: bool(heard.refusals))
    await until(lambda: ada.pending == 0)
    assert heard.refusals == [(lost.id, "media_missing")]
    titles = [getattr(one.record.body, "title", "") for one in street.placed]
    assert titles.count("Behind it") == 1
    assert behind.id not in {one.record.id for one in street.placed}  # signed anew
    await ada.async_dismiss(lost.id)
    assert await ada.async_ask(lambda ledger: ledger.refused()) == ()


async def test_a_removed_member_hears_of_it(street: ServedStreet, settle: Settle) -> None:
    ada, heard = await settle("Ada")
    street.refuses = "removed"
    await until(lambda: "removed" in heard.troubles)
    assert not ada.connected


# ---- posts that moderators look at first


async def test_a_post_that_waits_for_a_moderator_is_seen_by_its_author_only(
    session: aiohttp.ClientSession, settle: Settle, street: ServedStreet
) -> None:
    street.say(street.host, replace(street.placed[0].record.body, mode=Mode.BEFORE))  # type: ignore[type-var]
    ada, _ = await settle("Ada")
    bea, heard = await settle("Bea")
    post = await ada.async_submit(fox())
    street.withhold.add(post.id)
    await until(lambda: any(one.record.id == post.id for one in street.placed))
    await until(lambda: ada.pending == 0)
    found = await bea.async_item(post.id)
    assert found is None or (found.status is Status.PENDING and found.text == "")
    street.moderate(street.host, post.id, Action.RESTORE)
    street.withhold.clear()
    await until(lambda: ChangeKind.POST in heard.kinds())
    [told] = [change for change in heard.changes if change.kind is ChangeKind.POST]
    assert told.item
    assert told.item.text == "Seen by the bins."


async def test_what_was_hidden_long_ago_and_is_shown_again_is_no_news(
    settle: Settle, street: ServedStreet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The home has never had its text: that was kept back already when its record came."""
    [ben] = street.join_all("Ben")
    bea, heard = await settle("Bea")
    record = street.sign(ben, fox())
    post = record.id
    street.withhold.add(post)
    street.admit(record)
    street.moderate(street.host, post, Action.HOLD)
    await until(lambda: ChangeKind.MODERATION in heard.kinds())
    found = await bea.async_item(post)
    assert found is None or found.text == ""
    monkeypatch.setattr(home_copy, "FRESH_S", 0)
    await asyncio.sleep(1.1)  # times are whole seconds
    street.withhold.clear()
    street.moderate(street.host, post, Action.RESTORE)
    await until(lambda: ChangeKind.POST in heard.kinds(old=True))
    [told] = [change for change in heard.changes if change.kind is ChangeKind.POST and change.item]
    assert told.item
    assert (told.item.text, told.old) == ("Seen by the bins.", True)


async def test_a_body_that_is_kept_back_without_a_reason_is_told_of(
    street: ServedStreet, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_sync, "WITHHELD_S", 0)
    _, heard = await settle("Ada")
    post = street.sign(street.host, fox())
    street.withhold.add(post.id)
    street.admit(post)
    await until(lambda: "hub_body_withheld" in heard.troubles)


# ---- lies


def drop(placed: list[Placed]) -> list[Placed]:
    """Leave one out."""
    return [one for number, one in enumerate(placed) if number != len(placed) - 2]


def swap(placed: list[Placed]) -> list[Placed]:
    """Tell the last two in another order."""
    return [*placed[:-2], placed[-1], placed[-2]]


def alter(placed: list[Placed]) -> list[Placed]:
    """Put other words into a mouth."""
    *others, last = placed
    body = last.record.body
    assert isinstance(body, Post)
    return [*others, Placed(last.entry, replace(last.record, body=replace(body, text="Something else.")))]


def invent(placed: list[Placed]) -> list[Placed]:
    """Sign in somebody's name."""
    *others, last = placed
    return [*others, Placed(last.entry, replace(last.record, sig="0" * 128))]


def unsigned(placed: list[Placed]) -> list[Placed]:
    """Don't sign the order."""
    *others, last = placed
    return [*others, Placed(replace(last.entry, sig=None), last.record)]


def repeat(placed: list[Placed]) -> list[Placed]:
    """Place a record twice."""
    *others, before, last = placed
    again = Entry(
        last.entry.neighborhood,
        last.entry.number,
        before.entry.id,
        last.entry.time_s,
        before.entry.head,
        None,
    )
    signed = replace(again, sig=HUB.sign("ringwatch/order/v1", bytes.fromhex(again.head)))
    return [*others, before, Placed(signed, before.record)]


LIES = {
    drop: {"hub_order_gap", "hub_order_broken"},
    swap: {"hub_order_gap"},
    alter: {"hub_wrong_record"},
    invent: {"hub_wrong_record"},
    unsigned: {"hub_order_unsigned"},
    repeat: {"hub_record_refused", "hub_order_forked"},
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
async def test_a_hub_that_lies_about_records_is_caught_and_nothing_changes(
    street: ServedStreet, settle: Settle, lie: Callable[[list[Placed]], list[Placed]]
) -> None:
    ada, heard = await settle("Ada")
    before = await ada.async_ask(lambda ledger: ledger.position)
    count = len(street.placed)
    told = street.lie
    street.lie = lambda placed: lie(placed) if len(placed) >= count + 3 else placed[:count]
    for number in range(3):
        street.post(street.host, f"Fox {number}")
    await until(lambda: bool({trouble for trouble in heard.troubles if trouble} & LIES[lie]))
    assert not ada.connected
    after = await ada.async_ask(lambda ledger: ledger.position)
    assert after.number <= before.number + 3
    sent = len(street.asked)
    await ada.async_submit(fox(title="Not to a liar"))
    await asyncio.sleep(0.2)
    assert not [asked for asked in street.asked[sent:] if asked.startswith("POST")]
    street.lie = told  # it makes sense again
    await until(lambda: ada.connected and ada.trouble is None)
    await until(lambda: ada.pending == 0)


def older(checkpoint: Checkpoint) -> Checkpoint:
    """Go back to where it was."""
    return sign_checkpoint(HUB, checkpoint.neighborhood, 1, "8" * 64, checkpoint.time_s)


def future(checkpoint: Checkpoint) -> Checkpoint:
    """Say that it is next week."""
    return sign_checkpoint(
        HUB, checkpoint.neighborhood, checkpoint.number, checkpoint.head, checkpoint.time_s + 7 * 86_400
    )


def foreign(checkpoint: Checkpoint) -> Checkpoint:
    """Have somebody else sign."""
    return sign_checkpoint(
        key("mallory"), checkpoint.neighborhood, checkpoint.number, checkpoint.head, checkpoint.time_s
    )


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (other_head, "hub_order_forked"),
        (older, "hub_order_rewound"),
        (future, "hub_time_backwards"),
        (foreign, "hub_order_unsigned"),
    ],
)
async def test_a_hub_that_lies_about_its_head_is_caught(
    street: ServedStreet, settle: Settle, lie: Callable[[Checkpoint], Checkpoint], code: str
) -> None:
    street.post(street.host)
    ada, heard = await settle("Ada")
    street.lie_about_head = lie
    await until(lambda: code in heard.troubles)
    assert not ada.connected


async def test_a_hub_that_has_forgotten_what_it_showed_is_caught(
    street: ServedStreet, settle: Settle
) -> None:
    """Such as one that was restored from a backup."""
    _, heard = await settle("Ada")
    street.post(street.host)
    await until(lambda: ChangeKind.POST in heard.kinds())
    street.placed.pop()
    await until(lambda: "hub_order_rewound" in heard.troubles)


async def test_two_homes_that_were_shown_two_orders_find_out(
    street: ServedStreet, settle: Settle, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """The second order is whole and signed. What gives the hub away is a record that knows the other head."""
    ada, heard = await settle("Ada")
    fork = list(street.placed)
    entry = street.placed[-1].entry
    street.post(street.host, "For the others")
    there = street.placed[-1]
    await until(lambda: any(change.kind is ChangeKind.POST for change in heard.changes))
    # Another home is shown this order without that post, and a record whose author has seen it.
    mallory = Ear()
    config = HomeConfig(street.url, str(street.id), HUB.public, tmp_path / "fork")
    home = Home(config, key("Ada"), session, mallory)
    await home.async_open()
    said = street.sign(street.host, fox(title="I have seen it"), prev=fork[-1].record.id)
    blank = Entry(entry.neighborhood, entry.number + 1, said.id, there.entry.time_s, entry.head, None)
    signed = replace(blank, sig=HUB.sign("ringwatch/order/v1", bytes.fromhex(blank.head)))
    street.lie = lambda _placed: [*fork, Placed(signed, said)]
    del street.history.heads[there.entry.head]  # in that order there is no such head
    street.lie_about_head = lambda c: sign_checkpoint(
        HUB, c.neighborhood, signed.number, signed.head, c.time_s
    )
    home.start()
    await until(lambda: bool([trouble for trouble in mallory.troubles if trouble]))
    assert mallory.troubles[0] in {"hub_order_forked", "hub_record_refused"}
    await home.async_stop()
    await until(lambda: "hub_order_forked" in heard.troubles)
    assert not ada.connected


# ---- joining


async def test_an_invite_is_looked_at_and_used(
    street: ServedStreet, session: aiohttp.ClientSession, settle: Settle
) -> None:
    host, _ = await settle("Host", joins=False)
    invite = host.create_invite(street.url)
    looked_at, look = await async_look(session, invite.link)
    assert (look.name, look.host_handle, look.members, look.rules) == ("Maple Street", "Host", 1, "Be kind.")
    assert look.fingerprint.count(" ") == 5
    for _ in range(2):  # the answer to the first got lost
        await async_join(session, looked_at, key("Dora"), "Dora")
    assert street.state.count("members") == 2
    dora, _ = await settle("Dora", joins=False)
    assert dora.members == 2


async def test_a_hub_with_another_key_or_neighborhood_is_not_joined(
    street: ServedStreet, session: aiohttp.ClientSession, settle: Settle
) -> None:
    host, _ = await settle("Host", joins=False)
    link = host.create_invite(street.url).link
    street.placed[0] = replace(street.placed[0], record=ServedStreet(name="Elm Street").placed[0].record)
    with pytest.raises(HubError) as caught:
        await async_look(session, link)
    assert caught.value.code == "wrong_hub"


async def test_a_neighborhood_is_founded_at_ones_own_hub(
    street: ServedStreet, session: aiohttp.ClientSession
) -> None:
    body = street.placed[0].record.body
    with pytest.raises(HubError) as caught:  # this hub has a neighborhood already
        await async_found(session, street.url, PrivateKey.generate(), body)  # type: ignore[arg-type]
    assert caught.value.for_good


async def test_what_answers_is_a_hub_or_not(street: ServedStreet, session: aiohttp.ClientSession) -> None:
    assert await async_is_hub(session, street.url)
    assert not await async_is_hub(session, f"{street.url}/elsewhere")
    url = street.url
    await street.server.close()
    with pytest.raises(HubError):
        await async_is_hub(session, url)


async def test_what_a_moderator_has_removed_is_told_without_its_text(
    street: ServedStreet, settle: Settle
) -> None:
    _, heard = await settle("Ada")
    ben = street.join("Ben")
    post = street.post(ben, "Who lives at number 12")
    await until(lambda: ChangeKind.POST in heard.kinds())
    street.moderate(street.host, post, Action.REMOVE)
    await until(lambda: ChangeKind.MODERATION in heard.kinds())
    told = [change.item for change in heard.changes if change.kind is not ChangeKind.POST and change.item]
    assert told
    for item in told:
        assert (item.title, item.text, item.media, item.place) == ("", "", (), None)


async def test_a_request_is_told_when_it_can_be_read_and_not_before(
    street: ServedStreet, settle: Settle
) -> None:
    ada, heard = await settle("Ada")
    who = officer(street, enrol(street))
    for body in (details, lambda: asking(street, str(who.tip))):
        record = street.sign(who, body())
        street.withhold.add(record.id)  # before anybody can ask for it
        street.admit(record)
        who.tip = record.id
    request = str(who.tip)
    await until(lambda: ChangeKind.REQUEST in heard.kinds())
    assert await ada.async_ask(lambda ledger: read_requests(ledger, ada.copy.me(ledger))) == ()
    street.moderate(street.host, request, Action.RESTORE)
    street.withhold.clear()
    await until(lambda: ChangeKind.RELEASED in heard.kinds())
    assert heard.kinds().count(ChangeKind.RELEASED) == 1
    [found] = await ada.async_ask(lambda ledger: read_requests(ledger, ada.copy.me(ledger)))
    assert found.is_open
    assert found.details is not None
    assert (found.agency.name, found.details.case_number) == ("Chandler Police", "24-1189")


async def test_a_hub_that_invents_a_request_is_caught(street: ServedStreet, settle: Settle) -> None:
    """It can number what it likes; nobody whom an agency certified has signed it."""
    ada, heard = await settle("Ada")
    enrol(street)
    invented = Neighbor(key("invented"))
    number, position = len(street.placed), street.state.position
    record = street.sign(invented, details(), prev=None)
    entry = next_entry(HUB, str(street.id), record.id, street.now_s, position)
    street.lie = lambda placed: [*placed[:number], Placed(entry, record)]
    street.lie_about_head = lambda at: sign_checkpoint(
        HUB, at.neighborhood, entry.number, entry.head, at.time_s
    )
    await until(lambda: ada.trouble == "hub_record_refused")
    assert await ada.async_ask(lambda ledger: read_requests(ledger, None)) == ()
    assert ChangeKind.DETAILS not in heard.kinds()
