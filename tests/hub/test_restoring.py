"""A hub that was restored from an older backup: its host's home brings it back to where it was."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
import shutil

import aiohttp
import pytest

from ringwatch.neighborhood import home as home_module, home_sync
from ringwatch.neighborhood.bodies import Withdraw
from ringwatch.neighborhood.home import Home, HomeConfig
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.ledger import Ledger
from ringwatch.neighborhood.segments import Placed, pack_segment
from script.lib.hub_client import Member, Street, comment, join, post

from . import media
from .conftest import MakeStreet


@dataclass
class Ear:
    """Hears of troubles."""

    troubles: list[str | None] = field(default_factory=list)

    def changed(self, changes: object) -> None: ...
    def connected(self, connected: bool) -> None: ...
    def trouble(self, code: str | None, about: str) -> None:
        self.troubles.append(code)

    def refused(self, record_id: str, code: str) -> None: ...


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with aiohttp.ClientSession() as found:
        yield found


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def settle(
    street: Street, key: PrivateKey, folder: Path, session: aiohttp.ClientSession
) -> tuple[Home, Ear]:
    """Have a home follow the hub."""
    ear = Ear()
    url = f"http://127.0.0.1:{street.hub.port}"
    home = Home(HomeConfig(url, street.id, street.hub.key, folder), key, session, ear)
    await home.async_open()
    home.start()
    await until(lambda: home.connected)
    return home, ear


async def number_of(home: Home) -> int:
    return await home.async_ask(lambda ledger: ledger.position.number)


async def in_step(home: Home, number: int) -> None:
    async with asyncio.timeout(20):
        while await number_of(home) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def rows(street: Street) -> list[tuple[object, ...]]:
    """Return what the hub's table of records says."""
    import sqlite3

    db = sqlite3.connect(street.hub.data / street.id / "hub.db")
    found = db.execute("SELECT * FROM records ORDER BY number").fetchall()
    db.close()
    return found


async def test_the_hosts_home_brings_it_back_and_nobody_sees_a_lie(
    make_street: MakeStreet, tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "RETRY_S", (0.1,))
    monkeypatch.setattr(home_sync, "REWOUND_AGAIN_S", 0)
    street = await asyncio.to_thread(make_street)
    hub = street.hub
    hub.settings["port"] = hub.port
    robin = await asyncio.to_thread(join, street, "Robin")
    await asyncio.to_thread(street.host.post, post("Before"))
    await asyncio.to_thread(hub.stop)
    shutil.copytree(hub.data, tmp_path / "backup")
    await asyncio.to_thread(hub.start)

    host, host_ear = await settle(street, street.host.key, tmp_path / "host", session)
    ruby, ruby_ear = await settle(street, robin.key, tmp_path / "robin", session)
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(media.picture(seed=91))
    medium = media.picture_media(picture.read_bytes())
    shown = await host.async_submit(post("With a picture", media=(medium,)), [picture])
    said = await ruby.async_submit(post("After"))
    taken = await ruby.async_submit(post("Taken back"))
    await until(lambda: ruby.pending == 0 and host.pending == 0)
    await ruby.async_submit(Withdraw(taken.id))
    await host.async_submit(comment(said.id))
    await until(lambda: ruby.pending == 0 and host.pending == 0)
    number = max(await number_of(host), await number_of(ruby))
    for home in (host, ruby):
        await in_step(home, number)
    before = rows(street)
    assert len(before) == number == 8

    await asyncio.to_thread(hub.stop)
    shutil.rmtree(hub.data)
    shutil.copytree(tmp_path / "backup", hub.data)
    assert len(rows(street)) == 3
    await asyncio.to_thread(hub.start)
    await until(lambda: host.connected and ruby.connected)
    assert rows(street) == before  # signatures, too
    # all goes on, for members and for those who come new
    more = await ruby.async_submit(post("Goes on"))
    await in_step(host, number + 1)
    new = await asyncio.to_thread(join, street, "Wren")
    wren, wren_ear = await settle(street, new.key, tmp_path / "wren", session)
    for record in (shown, said, more):
        item = await wren.async_item(record.id)
        assert item is not None
        assert item.title == record.body.title  # type: ignore[union-attr]
    path = await wren.async_media(medium)
    assert path.read_bytes() == media.picture(seed=91)
    for ear in (host_ear, ruby_ear, wren_ear):
        assert [code for code in ear.troubles if code] == []
    for home in (host, ruby, wren):
        await home.async_stop()


async def _packed(member: Member, folder: Path, street: Street, after: int) -> list[Placed]:
    """Return what a member has read, from a number on."""
    async with aiohttp.ClientSession() as session:
        home, _ = await settle(street, member.key, folder, session)
        found = await home.async_ask(lambda ledger: list(ledger.records.range(after + 1, 100)))
        await home.async_stop()
    return found


async def test_nothing_else_than_its_own_order_comes_back(make_street: MakeStreet, tmp_path: Path) -> None:
    street = await asyncio.to_thread(make_street)
    hub = street.hub
    robin = await asyncio.to_thread(join, street, "Robin")
    await asyncio.to_thread(hub.stop)
    shutil.copytree(hub.data, tmp_path / "backup")
    await asyncio.to_thread(hub.start)
    for title in ("One", "Two", "Three"):
        await asyncio.to_thread(street.host.post, post(title))
    placed = await _packed(street.host, tmp_path / "host", street, 2)
    ledger = Ledger(tmp_path / "host", street.id, hub.key)
    history = ledger.state.history
    whole = pack_segment(placed, history)
    gap = pack_segment(placed[1:], history)
    swapped = pack_segment([placed[0], Placed(placed[1].entry, placed[2].record)], history)
    unsigned = pack_segment(placed[:2], history)
    ledger.close()
    await asyncio.to_thread(hub.stop)
    shutil.rmtree(hub.data)
    shutil.copytree(tmp_path / "backup", hub.data)
    await asyncio.to_thread(hub.start)

    def send(member: Member, data: bytes, kind: str = "application/octet-stream") -> tuple[int, str]:
        answer = member.call("POST", "/restore", data, content_type=kind)
        return answer.status, answer.json.get("code", "")

    tries = [
        (robin, whole, "application/octet-stream", (403, "host_only")),
        (street.host, whole, "application/json", (415, "unsupported_type")),
        (street.host, b"PK\x03\x04", "application/octet-stream", (422, "bad_segment")),
        (street.host, gap, "application/octet-stream", (422, "order_gap")),
        (street.host, swapped, "application/octet-stream", (422, "bad_segment")),
        (street.host, unsigned, "application/octet-stream", (422, "order_unsigned")),
    ]
    for member, data, kind, wanted in tries:
        assert await asyncio.to_thread(send, member, data, kind) == wanted
        assert len(rows(street)) == 2
    assert await asyncio.to_thread(send, street.host, whole) == (200, "")
    assert len(rows(street)) == 5
    assert await asyncio.to_thread(send, street.host, whole) == (422, "order_gap")  # it is there already
