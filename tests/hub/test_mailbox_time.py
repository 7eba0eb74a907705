"""What becomes of packages by itself, on a clock that is moved."""

from collections.abc import Iterator
import contextlib
from dataclasses import dataclass, field
import hashlib
from pathlib import Path
import sqlite3
import subprocess
import time

import pytest

from ringwatch.hub.blobs import PART_BYTES
from ringwatch.hub.errors import Refusal
from ringwatch.hub.hood import Hood
from ringwatch.hub.log import Log
from ringwatch.hub.mailbox import BYTES_PER_DAY, PER_DAY, PER_REQUEST, Announcements, Mailbox
from ringwatch.hub.mailbox_table import Announced, Delivery
from ringwatch.hub.table import state_of
from ringwatch.neighborhood.bodies import Body, Founding, Moderation, Officer
from ringwatch.neighborhood.bodies.agencies import OfficerAction
from ringwatch.neighborhood.bodies.care import Action
from ringwatch.neighborhood.bodies.people import Mode
from ringwatch.neighborhood.delivery import ReceiptKind, sign_receipt
from ringwatch.neighborhood.envelope import sign_record
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.rows import Subject
from script.lib.hub_agency import ciphertext, details, profile, request
from script.lib.hub_client import CENTER

DAY_S = 86_400


@dataclass
class Author:
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    tip: str | None = None


class Place:
    """A neighborhood in this process: its host sends, an officer asks and opens."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_s = time.time()
        self.hub = PrivateKey.generate()
        self.host, self.officer, self.agency = Author(), Author(), Author()
        self.head: str | None = None
        self.id = ""
        self.limit_bytes = 10**9

    async def open(self) -> Place:
        founding = Founding("Elm", "Holly", CENTER, 1_609, self.hub.public, Mode.AFTER, 30, 14, "")
        record = sign_record(
            self.host.key, founding, neighborhood=None, created_s=int(self.now_s), prev=None, head=None,
            salt=bytes(16),
        )  # fmt: skip
        self.id = record.id

        def clock() -> float:
            return self.now_s

        self.hood = Hood(self.folder, record.id, self.hub, Log(), clock, running=clock)
        self.hood.open()
        entry, _ = await self.hood.post(record)
        self.host.tip, self.head = record.id, entry.head
        await self.say(self.host, profile(self.agency.key, issued_s=int(self.now_s)))
        expires_s = int(self.now_s) + 300 * DAY_S
        await self.say(
            self.agency, Officer(OfficerAction.CERTIFY, self.officer.key.public, "Reyes", expires_s)
        )
        self.mailbox = Mailbox(self.hood, limit_bytes=lambda: self.limit_bytes, keep_free_bytes=lambda: 0)
        return self

    async def say(self, who: Author, body: Body) -> str:
        record = sign_record(
            who.key, body, neighborhood=self.id, created_s=int(self.now_s), prev=who.tip, head=self.head,
            salt=bytes(16),
        )  # fmt: skip
        entry, _ = await self.hood.post(record)
        who.tip, self.head = record.id, entry.head
        return record.id

    async def ask(self, case: str = "26-0815") -> str:
        asked = await self.say(
            self.officer, request(await self.say(self.officer, details(case)), now_s=int(self.now_s))
        )
        await self.say(self.host, Moderation(asked, Action.RESTORE, ""))
        return asked

    async def subject(self, who: Author) -> Subject:
        found = await self.hood.read(lambda db: state_of(db).subject_of(who.key.public))
        assert found is not None
        return found

    async def begin(self, asked: str, data: bytes) -> Delivery:
        announced = Announced(
            asked, PrivateKey.generate().public, hashlib.sha256(data).hexdigest(), len(data)
        )
        delivery, _ = await self.mailbox.begin(announced, await self.subject(self.host))
        return delivery

    async def send(self, asked: str, data: bytes | None = None) -> Delivery:
        data = data or ciphertext()
        delivery = await self.begin(asked, data)
        for offset in range(0, len(data), PART_BYTES):
            await self.mailbox.part(delivery.id, offset, data[offset : offset + PART_BYTES])
        await self.mailbox.commit(delivery.id)
        return delivery

    def files(self) -> set[str]:
        return {path.name for path in (self.folder / "mailbox").iterdir()}

    async def later(self, seconds: float) -> None:
        self.now_s += seconds
        await self.hood.pass_time()
        await self.mailbox.forget()

    async def close(self) -> None:
        await self.mailbox.close()
        await self.hood.close()


async def test_ciphertext_is_kept_thirty_days(tmp_path: Path) -> None:
    place = await Place(tmp_path).open()
    delivery = await place.send(await place.ask())
    await place.later(30 * DAY_S - 60)
    officer = await place.subject(place.officer)
    _, path = await place.mailbox.opened(officer, delivery.id)
    assert path.read_bytes()
    await place.later(120)
    assert place.files() == set()
    with pytest.raises(Refusal) as caught:
        await place.mailbox.opened(officer, delivery.id)
    assert caught.value.status == 404
    [listed] = await place.mailbox.list(officer, None)
    assert (listed.id, listed.state) == (delivery.id, "gone")
    await place.close()


async def test_receipts_may_come_a_year_later_and_then_the_row_goes(tmp_path: Path) -> None:
    place = await Place(tmp_path).open()
    delivery = await place.send(await place.ask())
    officer = await place.subject(place.officer)

    async def sign(kind: ReceiptKind) -> bool:
        made = sign_receipt(
            place.officer.key, delivery=delivery.id, request=delivery.request, sha256=delivery.sha256,
            kind=kind, time_s=int(place.now_s),
        )  # fmt: skip
        return await place.mailbox.add_receipt(officer, made)

    assert await sign(ReceiptKind.RECEIVED)
    assert place.files() == set()
    await place.later(299 * DAY_S)
    assert await sign(ReceiptKind.DELETED)
    assert len(await place.mailbox.receipts(delivery.id)) == 2
    await place.later(102 * DAY_S)
    with pytest.raises(Refusal):
        await place.mailbox.state(delivery.id)
    assert await place.mailbox.receipts(delivery.id) == []
    with sqlite3.connect(tmp_path / "hub.db") as db:
        assert db.execute("SELECT count FROM answers").fetchall() == [(1,)]  # the register's, for good
    await place.close()


async def test_what_is_not_finished_within_a_day_goes(tmp_path: Path) -> None:
    place = await Place(tmp_path).open()
    asked = await place.ask()
    data = ciphertext(2 * PART_BYTES)
    delivery = await place.begin(asked, data)
    await place.mailbox.part(delivery.id, 0, data[:PART_BYTES])
    await place.later(0.9 * DAY_S)
    await place.mailbox.part(delivery.id, PART_BYTES, data[PART_BYTES : 2 * PART_BYTES])  # goes on: lives on
    await place.later(0.9 * DAY_S)
    assert place.files() == {delivery.id}
    await place.later(0.3 * DAY_S)
    assert place.files() == set()
    with pytest.raises(Refusal) as caught:
        await place.mailbox.state(delivery.id)
    assert caught.value.status == 404
    assert (await place.begin(asked, data)).id != delivery.id  # from the beginning
    await place.close()


async def test_a_request_takes_answers_for_a_day_after_its_end(tmp_path: Path) -> None:
    place = await Place(tmp_path).open()
    asked = await place.ask()
    await place.later(7 * DAY_S + 60)
    await place.send(asked)
    await place.later(DAY_S)
    with pytest.raises(Refusal) as caught:
        await place.send(asked)
    assert caught.value.code == "not_open"
    await place.close()


async def test_times_of_what_is_under_way_are_whole_hours(tmp_path: Path) -> None:
    place = await Place(tmp_path).open()
    await place.begin(await place.ask(), ciphertext())
    with sqlite3.connect(tmp_path / "hub.db") as db:
        [(touched_s,)] = db.execute("SELECT touched_s FROM deliveries").fetchall()
    assert touched_s % 3_600 == 0
    await place.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 4 MiB; only root may."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting is not permitted")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_in_the_middle_of_a_package(small_disk: Path) -> None:
    """What is there stays, the rest is sent when there is space again."""
    place = await Place(small_disk).open()
    data = ciphertext(2 * PART_BYTES)
    delivery = await place.begin(await place.ask(), data)
    await place.mailbox.part(delivery.id, 0, data[:PART_BYTES])
    filling = small_disk / "filling"
    with filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):  # somebody else's
        while True:
            file.write(b"x" * 4_096)
    with pytest.raises(Refusal) as caught:
        await place.mailbox.part(delivery.id, PART_BYTES, data[PART_BYTES : 2 * PART_BYTES])
    assert (caught.value.status, caught.value.code) == (507, "storage_full")
    filling.unlink()
    assert (await place.mailbox.state(delivery.id)).offset == PART_BYTES
    for offset in (PART_BYTES, 2 * PART_BYTES):
        await place.mailbox.part(delivery.id, offset, data[offset : offset + PART_BYTES])
    await place.mailbox.commit(delivery.id)
    officer = await place.subject(place.officer)
    _, path = await place.mailbox.opened(officer, delivery.id)
    assert path.read_bytes() == data
    await place.close()


def announced(request_id: str = "ab" * 32, size: int = 100) -> Announced:
    return Announced(request_id, "cd" * 32, "ef" * 32, size)


def refused(counted: Announcements, what: Announced, now_s: int) -> bool:
    try:
        counted.count("robin", what, now_s)
    except Refusal as refusal:
        return refusal.code == "quota_exceeded"
    return False


def test_a_member_announces_so_much_a_day() -> None:
    counted, now_s = Announcements(), 20_000 * DAY_S
    for at in range(PER_DAY):
        assert not refused(counted, announced(f"{at:064x}"), now_s)
    assert refused(counted, announced(), now_s)
    counted.count("rita", announced(), now_s)
    counted.take_back("robin", announced(f"{0:064x}"), now_s)
    assert not refused(counted, announced(), now_s)
    assert not refused(counted, announced("cd" * 32), now_s + DAY_S)
    assert not refused(Announcements(), announced(size=BYTES_PER_DAY), now_s)
    assert refused(Announcements(), announced(size=BYTES_PER_DAY + 1), now_s)


def test_a_request_is_answered_three_times_however_many_days_pass() -> None:
    counted, now_s = Announcements(), 20_000 * DAY_S
    for day in range(PER_REQUEST):
        assert not refused(counted, announced(), now_s + day * DAY_S)
        counted.forget(now_s + day * DAY_S)
    assert refused(counted, announced(), now_s + 14 * DAY_S)
    counted.forget(now_s + 14 * DAY_S)
    assert refused(counted, announced(), now_s + 14 * DAY_S)
    counted.forget(now_s + 60 * DAY_S)  # nobody is remembered for ever
    assert (counted._days, counted._requests) == ({}, {})
