"""Households that redeem an agency's code: each once, in steps of 20, and never who."""

import hashlib
import hmac
from pathlib import Path
import sqlite3

import pytest

from ringwatch.hub import partnership
from ringwatch.hub.errors import Refusal
from ringwatch.hub.table import state_of
from ringwatch.neighborhood.bodies import Partnership
from ringwatch.neighborhood.rows import Subject
from script.lib.hub_agency import Police, enrol
from script.lib.hub_client import Answer, Member, Street, join

from .conftest import MakeStreet
from .test_mailbox_time import Place

DAY_S = 86_400
WORDS = "Twenty-five cameras, and one more for each twenty households.\nNothing is asked for them."


@pytest.fixture(scope="module")
def police(street: Street) -> Police:
    found = enrol(street)
    found.member.catch_up()
    assert found.member.post(Partnership(WORDS, "MAPLE25", 25, None)).status == 201
    return found


def redeem(member: Member, code: str = "MAPLE25") -> Answer:
    return member.call("POST", "/partnership/redeem", {"code": code})


def totals(street: Street) -> list[dict[str, object]]:
    return list(street.host.call("GET", "/partnership").json["partnerships"])


def test_a_household_counts_once(police: Police, street: Street, robin: Member) -> None:
    assert redeem(robin, "WRONG1").code == "unknown_code"
    assert redeem(robin, "").code == "unknown_code"
    assert redeem(robin).status == 200
    answer = redeem(robin)
    assert (answer.status, answer.code) == (409, "already_done")
    street.hub.kill()
    street.hub.settings["port"] = 0
    street.hub.start()
    assert redeem(robin).code == "already_done"
    assert redeem(police.member).status == 404
    assert redeem(police.officer()).status == 404


def test_totals_come_in_steps_of_twenty(make_street: MakeStreet) -> None:
    street = make_street()
    police = enrol(street)
    police.member.catch_up()
    assert police.member.post(Partnership(WORDS, "MAPLE25", 25, None)).status == 201
    first = police.member.tip
    for count in range(1, 21):
        assert redeem(join(street, f"Robin {count}")).status == 200
        [found] = totals(street)
        assert found["households"] == (20 if count == 20 else 0), count
    assert (found["cameras"], found["told"], found["cameras_given"]) == (26, 0, 0)
    export = street.host.call("GET", "/demand-export").body
    assert b'"households":20' in export
    police.member.catch_up()
    assert police.member.post(Partnership(WORDS, "MAPLE26", 25, first)).status == 201
    assert redeem(join(street, "Late")).code == "unknown_code"  # an agreement that was replaced
    assert {one["code"]: one["households"] for one in totals(street)} == {"MAPLE25": 20, "MAPLE26": 20}


async def open_place(tmp_path: Path) -> Place:
    place = await Place(tmp_path).open()
    await place.say(place.agency, Partnership(WORDS, "MAPLE25", 25, None))
    return place


async def redeem_here(place: Place, member: Subject, code: str = "MAPLE25") -> None:
    now_s = place.hood.now_s()
    await place.hood.writer.do(
        lambda db: partnership.redeem(db, state_of(db), member, code, hub=place.hub, now_s=now_s)
    )


async def test_only_newcomers_redeem(tmp_path: Path) -> None:
    place = await open_place(tmp_path)
    host = await place.subject(place.host)
    await place.later(7 * DAY_S)
    with pytest.raises(Refusal) as caught:
        await redeem_here(place, host)
    assert caught.value.code == "too_late"
    await place.close()


async def test_what_is_left_is_a_number(tmp_path: Path) -> None:
    """What keeps a household from counting twice needs the hub's key, and is gone within two weeks."""
    place = await open_place(tmp_path)
    host = await place.subject(place.host)
    await place.later(3 * DAY_S)
    await redeem_here(place, host)
    with sqlite3.connect(tmp_path / "hub.db") as db:
        [(mark, until_s)] = db.execute("SELECT mark, until_s FROM redeemers").fetchall()
        assert db.execute("SELECT count FROM redeemed").fetchall() == [(1,)]
    assert until_s % (7 * DAY_S) == 0  # of a whole week's households
    known = (host.id, host.key, host.name, place.id)
    guesses = {
        hashlib.sha256(a + b).digest()
        for a in (b"", *(one.encode() for one in known))
        for b in (one.encode() for one in known)
    } | {hmac.digest(bytes.fromhex(place.hub.public), bytes.fromhex(place.id + host.id), "sha256")}
    assert mark not in guesses
    await place.later(14 * DAY_S)
    with sqlite3.connect(tmp_path / "hub.db") as db:
        assert db.execute("SELECT count(*) FROM redeemers").fetchone() == (0,)
        assert db.execute("SELECT count FROM redeemed").fetchall() == [(1,)]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert mark not in (tmp_path / "hub.db").read_bytes()  # overwritten
    await place.close()
