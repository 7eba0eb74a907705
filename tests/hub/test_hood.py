"""A neighborhood in this process, with a clock that is moved: what ends by itself."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
import sqlite3
import threading
import time

import pytest

from ringwatch.hub import blobs, hood as hood_module
from ringwatch.hub.blobs import PART_BYTES
from ringwatch.hub.errors import Refusal
from ringwatch.hub.hood import Hood
from ringwatch.hub.log import Log
from ringwatch.hub.media_check import MediaCheck
from ringwatch.hub.rates import Rates
from ringwatch.hub.table import placed, state_of
from ringwatch.hub.uploads import Uploads
from ringwatch.neighborhood.bodies import Body, Founding, Post, Role
from ringwatch.neighborhood.bodies.feed import Category, Media, Span
from ringwatch.neighborhood.bodies.people import Mode, RoleName
from ringwatch.neighborhood.changes import Change, ChangeKind
from ringwatch.neighborhood.envelope import Record, sign_record
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.segments import unpack_segment
from ringwatch.neighborhood.store import MemoryHistory
from script.lib.hub_client import CENTER

from . import media

DAY_S = 86_400


@dataclass
class Host:
    """The host of a neighborhood that is here."""

    folder: Path
    now_s: float = field(default_factory=time.time)
    slept_s: float = 0.0  # by how much the machine ran longer than its clock says
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    hub: PrivateKey = field(default_factory=PrivateKey.generate)
    id: str = ""
    tip: str | None = None
    head: str | None = None

    def sign(self, body: Body) -> Record:
        return sign_record(
            self.key, body, neighborhood=self.id or None, created_s=int(self.now_s), prev=self.tip,
            head=self.head, salt=bytes(16),
        )  # fmt: skip

    async def found(self) -> Hood:
        record = self.sign(Founding("Elm", "Holly", CENTER, 1_609, self.hub.public, Mode.AFTER, 30, 14, ""))
        self.id = record.id
        hood = Hood(
            self.folder,
            record.id,
            self.hub,
            Log(),
            lambda: self.now_s,
            running=lambda: self.now_s + self.slept_s,
        )
        hood.open()
        await self.send(hood, record)
        return hood

    async def send(self, hood: Hood, record: Record) -> None:
        entry, _ = await hood.post(record)
        self.tip, self.head = record.id, entry.head

    def post(self, title: str, *, media: tuple[Media, ...] = ()) -> Post:
        at = int(self.now_s)
        return Post(Category.SAFETY, title, f"About {title}", CENTER, Span(at, at), media)


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def keep_picture(hood: Hood, owner: str, data: bytes) -> Media:
    """Have a picture as if it had been uploaded and looked at."""
    medium = media.picture_media(data)
    hood.files.write_part(medium.sha256, owner, 0, data)

    def job(db: object) -> None:
        upload, _ = blobs.begin(db, medium, owner, blobs.Quotas(), hood.now_s())  # type: ignore[arg-type]
        upload, _ = blobs.advance(db, upload, len(data), hood.now_s())  # type: ignore[arg-type]
        hood.files.keep(medium.sha256, owner)
        blobs.finish(db, upload, hood.now_s())  # type: ignore[arg-type]

    await hood.writer.do(job)
    return medium


async def test_clips_end_after_two_weeks_and_posts_after_a_month(tmp_path: Path) -> None:
    host = Host(tmp_path)
    hood = await host.found()
    data = media.picture(seed=5)
    medium = await keep_picture(hood, host.id, data)
    await host.send(hood, host.sign(host.post("Pterodactyl", media=(medium,))))
    assert b"Pterodactyl" in bytes_of(tmp_path)
    host.now_s += 14 * DAY_S + 1
    await hood.pass_time()
    await asyncio.sleep(0.1)
    assert not hood.files.path(medium.sha256).exists()
    assert b"Pterodactyl" in bytes_of(tmp_path)
    host.now_s += 16 * DAY_S
    await hood.pass_time()
    # in the database, its log of changes, the index of texts, the packed segments: nowhere
    assert b"Pterodactyl" not in bytes_of(tmp_path)
    assert b"pterodactyl" not in bytes_of(tmp_path)
    one = await hood.read(lambda db: placed(db, host.id, 2, 1))
    assert one[0].record.body is None
    await hood.close()


async def test_an_upload_that_nobody_names_is_forgotten_after_a_day(tmp_path: Path) -> None:
    host = Host(tmp_path)
    hood = await host.found()
    medium = await keep_picture(hood, host.id, media.picture(seed=6))
    named = await keep_picture(hood, host.id, media.picture(seed=7))
    await host.send(hood, host.sign(host.post("Named", media=(named,))))
    await hood.forget_uploads()
    assert hood.files.path(medium.sha256).exists()
    host.now_s += DAY_S + 1
    await hood.forget_uploads()
    assert not hood.files.path(medium.sha256).exists()
    assert hood.files.path(named.sha256).exists()
    await hood.close()


def _posts_of_a_day(hood: Hood, host: Host, db: sqlite3.Connection) -> None:
    for number in range(20):
        record = host.sign(host.post(f"Post {number}"))
        host.tip, host.head = record.id, hood._post(db, record).entry.head


async def test_an_upload_is_not_forgotten_while_it_is_written(tmp_path: Path) -> None:
    """Its file would stay behind, in nobody's quota."""
    host = Host(tmp_path)
    hood = await host.found()
    uploads = Uploads(hood, MediaCheck(Log()), lambda: 0)
    data = media.picture(1_900, 1_900, 3)
    medium, owner = media.picture_media(data, 1_900, 1_900), "a" * 64
    _, begun = await uploads.begin(medium, owner)
    writes, go_on, write = threading.Event(), threading.Event(), hood.files.write_part

    def slowly(sha256: str, owner: str, offset: int, data: bytes) -> None:
        writes.set()
        go_on.wait(10)
        write(sha256, owner, offset, data)

    hood.files.write_part = slowly  # type: ignore[method-assign]
    part = asyncio.create_task(uploads.part(medium.sha256, owner, begun["token"], 0, data[:PART_BYTES]))
    await asyncio.to_thread(writes.wait)
    with pytest.raises(Refusal, match="busy"):
        await uploads.drop(medium.sha256, owner)
    go_on.set()
    assert (await part)["offset"] == PART_BYTES
    await uploads.drop(medium.sha256, owner)
    assert list((tmp_path / "parts").iterdir()) == []
    await uploads.close()
    await hood.close()


async def test_who_was_looked_up_before_people_changed_is_looked_up_again(tmp_path: Path) -> None:
    """A removed member would be known as one for ever."""
    host = Host(tmp_path)
    hood = await host.found()
    hood.known.clear()
    read = hood.read

    async def meanwhile[T](question: Callable[[sqlite3.Connection], T]) -> T:
        found = await read(question)
        hood._take_over((Change(ChangeKind.MEMBER, "", None),), ())
        return found

    hood.read = meanwhile  # type: ignore[method-assign]
    assert (await hood.caller(host.key.public, None)).is_host
    assert hood.known.get(host.key.public, host.now_s) is None
    hood.read = read  # type: ignore[method-assign]
    await hood.caller(host.key.public, None)
    assert hood.known.get(host.key.public, host.now_s)
    await hood.close()


async def test_packed_tails_are_kept_up_to_a_number_of_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks for the newest records from many places on must not fill the memory with them."""
    host = Host(tmp_path)
    hood = await host.found()
    for number in range(6):
        now_s = int(host.now_s)
        text = f"{number}"
        await host.send(hood, host.sign(Post(Category.CRIME, "A post", text, CENTER, Span(now_s, now_s), ())))
    for after in range(6):
        await hood.tail(after)
    assert len(hood._tails) == 6
    monkeypatch.setattr(hood_module, "MAX_TAIL_BYTES", 2 * len((await hood.tail(5)).packed))
    await hood.tail(6)
    assert len(hood._tails) <= 2
    await hood.close()


async def test_segments_change_only_when_bodies_go(tmp_path: Path) -> None:
    host = Host(tmp_path)
    hood = await host.found()
    with pytest.raises(Refusal):  # the host is no member whose role could be changed: the rules speak
        await hood.post(host.sign(Role(host.id, RoleName.MEMBER)))
    while hood.position.number < 1_000:  # 20 posts a day are allowed
        await hood.writer.do(partial(_posts_of_a_day, hood, host))
        host.now_s += DAY_S
        hood.position = await hood.read(lambda db: state_of(db).position)
    first = await hood.read(lambda db: hood.segments.get(db, host.id, 1))
    again = await hood.read(lambda db: hood.segments.get(db, host.id, 1))
    assert first == again
    found = unpack_segment(first.data, host.id, MemoryHistory())
    assert [one.entry.number for one in found] == list(range(1, 1_001))
    host.now_s += 31 * DAY_S
    await hood.pass_time()
    later = await hood.read(lambda db: hood.segments.get(db, host.id, 1))
    assert later.etag != first.etag
    # the first posts were gone before the last ones came
    assert all(one.record.body is None for one in unpack_segment(later.data, host.id, MemoryHistory())[1:])
    assert len(list((tmp_path / "segments").iterdir())) == 1
    await hood.close()


async def test_a_clock_that_goes_back_takes_nothing_back(tmp_path: Path) -> None:
    host = Host(tmp_path)
    hood = await host.found()
    before = hood.checkpoint()
    host.now_s -= 3_600
    assert hood.checkpoint().time_s >= before.time_s
    record = host.sign(host.post("Back"))
    await host.send(hood, record)
    assert hood.position.time_s >= before.time_s
    host.now_s += 7_200
    signed = hood.checkpoint()
    await hood.keep_time()
    await hood.close()
    host.now_s -= 7_200  # set back while the hub doesn't run
    again = Hood(tmp_path, host.id, host.hub, Log(), lambda: host.now_s, running=lambda: host.now_s)
    again.open()
    assert again.checkpoint().time_s >= signed.time_s
    await host.send(again, host.sign(host.post("Still back")))
    assert again.position.time_s >= signed.time_s
    await again.close()


async def test_a_clock_that_jumps_ahead_erases_nothing(tmp_path: Path) -> None:
    """A year in a moment: not one in which this machine has run."""
    host = Host(tmp_path)
    hood = await host.found()
    await host.send(hood, host.sign(host.post("Pterodactyl")))
    hood.checkpoint()
    signed_s = hood.position.time_s
    host.now_s += 700
    hood.checkpoint()
    year_s = 365 * DAY_S
    host.now_s += year_s
    host.slept_s -= year_s
    await hood.pass_time()
    await hood.keep_time()
    assert b"Pterodactyl" in bytes_of(tmp_path)
    assert hood.checkpoint().time_s == signed_s + 700
    with pytest.raises(Refusal) as refused:
        await hood.post(host.sign(host.post("Late")))
    assert (refused.value.status, refused.value.code) == (503, "clock")
    host.now_s -= year_s  # put right
    host.slept_s += year_s
    host.now_s += 60
    await host.send(hood, host.sign(host.post("In time")))
    assert hood.position.time_s == signed_s + 760
    await hood.close()


async def test_a_job_that_breaks_stops_no_other(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    host = Host(tmp_path)
    hood = await host.found()

    def broken(_: object) -> None:
        raise KeyError("Quetzal\nforged")

    results = await asyncio.gather(
        hood.post(host.sign(host.post("One"))), hood.writer.do(broken), return_exceptions=True
    )
    assert isinstance(results[0], tuple)
    assert isinstance(results[1], Refusal)
    assert results[1].status == 500
    assert hood.position.number == 2
    log = capfd.readouterr().err
    assert "write_failed" in log
    assert "Quetzal" not in log
    await hood.close()


def test_buckets() -> None:
    now = [0.0]
    rates = Rates(1.0, 3, lambda: now[0])
    assert [rates.take("a") for _ in range(4)] == [0, 0, 0, 1.0]
    assert rates.take("b") == 0
    now[0] = 2.5
    assert rates.take("a") == 0
    now[0] = 100.0
    rates.forget_full()
    assert len(rates) == 0
    for number in range(60_000):
        rates.take(str(number))
    assert len(rates) == 50_000
