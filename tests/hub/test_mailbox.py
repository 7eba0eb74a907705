"""Packages for an agency: from a member to nobody else, whole, once, and without a trace of who sent it."""

import os
from pathlib import Path
import sqlite3
import time
from typing import Any

import pytest

from ringwatch.hub.mailbox import PER_REQUEST
from ringwatch.neighborhood.bodies import Close, Leave, Role
from ringwatch.neighborhood.bodies.people import Remove, RoleName
from ringwatch.neighborhood.bodies.requests import Outcome
from ringwatch.neighborhood.delivery import Arrival, Receipt, ReceiptKind
from ringwatch.neighborhood.keys import PrivateKey
from script.lib.hub_agency import (
    Package,
    Police,
    ask,
    ciphertext,
    enrol,
    receipt,
    release,
    sign_for,
)
from script.lib.hub_client import Member, Street, join

from .conftest import MakeStreet

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def police(street: Street) -> Police:
    return enrol(street)


@pytest.fixture(scope="module")
def officer(police: Police) -> Member:
    return police.officer()


@pytest.fixture(scope="module")
def request_id(street: Street, officer: Member) -> str:
    found = ask(officer)
    release(street, found)
    return found


def mailbox(street: Street) -> set[str]:
    return {path.name for path in (street.hub.data / street.id / "mailbox").iterdir()}


def test_a_package_goes_from_a_home_to_the_agency(
    street: Street, robin: Member, officer: Member, request_id: str
) -> None:
    package = Package.of(robin, request_id, ciphertext(2 * MIB + 77))
    began = package.announce()
    assert (began.status, began.json["part_bytes"]) == (201, MIB)
    assert package.call("GET", "/state").json == {"state": "open", "offset": 0, "arrival": None}
    for offset in (0, MIB, 2 * MIB):
        assert package.put(offset).json == {"offset": min(offset + MIB, len(package.data))}
    handed = package.call("POST", "/commit")
    arrival = Arrival.parse(handed.json["arrival"])
    arrival.check(street.hub.key)
    assert (arrival.delivery, arrival.request, arrival.sha256) == (package.id, request_id, package.sha256)
    assert abs(arrival.time_s - time.time()) < 30
    assert package.call("POST", "/commit").json == handed.json  # once more: the same
    assert package.call("GET", "/state").json["state"] == "sent"

    [listed] = [
        one for one in officer.call("GET", "/deliveries").json["deliveries"] if one["delivery"] == package.id
    ]
    assert listed["arrival"] == handed.json["arrival"]
    assert (listed["key"], listed["received"]) == (package.key.public, False)
    fetched = officer.call("GET", f"/deliveries/{package.id}")
    assert fetched.body == package.data
    assert fetched.headers["Content-Type"] == "application/octet-stream"
    assert fetched.headers["Content-Disposition"] == "attachment"
    part = officer.call("GET", f"/deliveries/{package.id}", headers={"Range": f"bytes={MIB}-{MIB + 9}"})
    assert (part.status, part.body) == (206, package.data[MIB : MIB + 10])

    signed = receipt(officer, package)
    assert sign_for(officer, package, signed).status == 201
    assert sign_for(officer, package, signed).status == 200  # twice: kept once
    assert package.id not in mailbox(street)  # the agency has it: the hub hasn't
    assert officer.call("GET", f"/deliveries/{package.id}").status == 404
    assert package.call("GET", "/state").json["state"] == "received"
    later = receipt(officer, package, ReceiptKind.SHARED_WITH, about="The county court")
    assert sign_for(officer, package, later).status == 201
    told = package.call("GET", "/receipts").json["receipts"]
    assert [Receipt.parse(one).kind for one in told] == ["received", "shared_with"]
    for one in told:
        Receipt.parse(one).check()


def test_an_answer_that_got_lost_is_given_again(robin: Member, request_id: str) -> None:
    package = Package.of(robin, request_id)
    first = package.announce()
    again = package.announce()
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    assert package.put(0).status == 200
    lost = package.put(0)
    assert (lost.status, lost.code, lost.json["offset"]) == (409, "offset_moved", len(package.data))
    assert package.call("POST", "/commit").status == 200
    assert package.announce().json == first.json
    for _ in range(PER_REQUEST - 1):  # it counted once
        assert Package.of(robin, request_id).announce().status == 201


def test_the_same_ciphertext_is_taken_once(
    street: Street, robin: Member, officer: Member, request_id: str
) -> None:
    package = Package.of(robin, request_id)
    assert package.send().status == 200
    rita = join(street, f"Rita {os.urandom(4).hex()}")
    for member in (robin, rita):
        answer = Package.of(member, request_id, package.data).announce()
        assert (answer.status, answer.code) == (409, "duplicate_delivery")
    assert sign_for(officer, package).status == 201
    assert Package.of(rita, request_id, package.data).announce().code == "duplicate_delivery"


def test_parts_are_as_long_as_they_are(robin: Member, request_id: str) -> None:
    package = Package.of(robin, request_id, ciphertext(MIB + 100))
    package.announce()
    assert package.call("POST", "/commit").json["offset"] == 0
    assert package.put(0, package.data[: MIB - 1]).code == "bad_request"
    assert package.put(0, package.data[: MIB + 1]).status == 413
    assert package.put(5, package.data[5 : MIB + 5]).code == "bad_request"
    moved = package.put(MIB)
    assert (moved.status, moved.code, moved.json["offset"]) == (409, "offset_moved", 0)
    assert package.call("PUT", "?offset=0", package.data[:MIB]).status == 415
    assert package.put(0).status == 200
    assert package.call("POST", "/commit").json["offset"] == MIB


def test_other_bytes_than_announced_are_sent_again(robin: Member, request_id: str) -> None:
    package = Package.of(robin, request_id)
    package.announce()
    assert package.put(0, bytes(len(package.data))).status == 200
    answer = package.call("POST", "/commit")
    assert (answer.status, answer.code) == (422, "wrong_bytes")
    assert package.call("GET", "/state").json == {"state": "open", "offset": 0, "arrival": None}
    assert package.put(0).status == 200
    assert package.call("POST", "/commit").status == 200


def test_what_is_not_encrypted_is_not_kept(street: Street, robin: Member, request_id: str) -> None:
    package = Package.of(robin, request_id, b"PK\x03\x04" + bytes(3_000))
    package.announce()
    package.put(0)
    answer = package.call("POST", "/commit")
    assert (answer.status, answer.code) == (422, "not_encrypted")
    assert package.call("GET", "/state").status == 404
    assert package.id not in mailbox(street)


def test_a_package_can_be_taken_back_until_it_is_handed_over(
    street: Street, robin: Member, request_id: str
) -> None:
    package = Package.of(robin, request_id)
    package.announce()
    package.put(0)
    assert package.id in mailbox(street)
    assert package.call("DELETE").status == 204
    assert package.id not in mailbox(street)
    assert package.call("DELETE").status == 404
    assert package.send().status == 200
    assert package.call("DELETE").code == "delivery_sent"


# ---- who may not ---------------------------------------------------------------------------------------


def test_nobody_else_has_a_mailbox(street: Street, robin: Member, officer: Member, request_id: str) -> None:
    package = Package.of(robin, request_id)
    assert package.send().status == 200
    rita = join(street, f"Rita {os.urandom(4).hex()}")
    other = enrol(street, "Cook County Sheriff", "sheriff.example.gov").officer("Deputy Doe")
    for who in (robin, rita, street.host, other):
        assert who.call("GET", f"/deliveries/{package.id}").status == 404
        for method, path in (
            ("GET", "/state"), ("GET", "/receipts"), ("POST", "/commit"), ("DELETE", ""),
        ):  # fmt: skip
            assert who.call(method, f"/deliveries/{package.id}{path}").status == 404, path
        assert who.call(
            "PUT", f"/deliveries/{package.id}?offset=0", b"x", content_type="application/octet-stream"
        ).status == 404  # fmt: skip
        assert sign_for(who, package).status in {403, 404}
    for who in (robin, rita, street.host):
        assert who.call("GET", "/deliveries").status == 404
    assert other.call("GET", "/deliveries").json["deliveries"] == []
    # The package's key is good for the package, and for nothing else
    for method, path in (
        ("GET", ""), ("GET", "/deliveries"), ("GET", "/records?after=0"),
        ("GET", f"/deliveries/{package.id}"), ("POST", "/deliveries"),
    ):  # fmt: skip
        answer = robin.call(method, path, b"{}" if method == "POST" else b"", key=package.key)
        assert (answer.status, answer.code) == (403, "not_a_member")
    assert package.call("GET", "/state", key=PrivateKey.generate()).status == 404
    assert package.call("GET", "/receipts", key=officer.key).status == 404


def test_who_is_out_gets_nothing(street: Street, police: Police, robin: Member, request_id: str) -> None:
    package = Package.of(robin, request_id)
    assert package.send().status == 200
    gone, late = police.officer("Gone"), police.officer("Late", valid_s=3)
    assert gone.call("GET", f"/deliveries/{package.id}").status == 200
    police.revoke(gone)
    assert gone.call("GET", "/deliveries").status == 403
    assert gone.call("GET", f"/deliveries/{package.id}").status == 403
    time.sleep(3.1)
    for path in ("/deliveries", f"/deliveries/{package.id}"):
        answer = late.call("GET", path)
        assert (answer.status, answer.code) == (403, "expired")
    assert sign_for(late, package).status == 403

    rita = join(street, f"Rita {os.urandom(4).hex()}")
    street.host.catch_up()
    assert street.host.post(Remove(str(rita.tip), str(rita.tip), "Moved away.")).status == 201
    assert Package.of(rita, request_id).announce().status == 403
    ray = join(street, f"Ray {os.urandom(4).hex()}")
    ray.post(Leave())
    assert Package.of(ray, request_id).announce().status == 403


def test_only_members_send(police: Police, officer: Member, request_id: str) -> None:
    for who in (officer, police.member):
        assert Package.of(who, request_id).announce().status == 404


def test_a_receipt_is_of_this_officer_about_this_package(
    street: Street, police: Police, robin: Member, officer: Member, request_id: str
) -> None:
    package, another = Package.of(robin, request_id), Package.of(robin, request_id)
    assert package.send().status == another.send().status == 200
    colleague = police.officer("Colleague")
    for wrong in (
        receipt(officer, another),
        receipt(colleague, package),
        receipt(officer, package, sha256=another.sha256),
        receipt(officer, package, request="ab" * 32),
        receipt(officer, package, time_s=int(time.time()) - 3_600),
    ):
        answer = sign_for(officer, package, wrong)
        assert (answer.status, answer.code) == (422, "bad_field")
    forged = receipt(officer, package).to_json() | {"retention_until": 2_000_000_000}
    assert officer.call("POST", f"/deliveries/{package.id}/receipts", forged).status == 422
    assert police.member.call(
        "POST", f"/deliveries/{package.id}/receipts", receipt(police.member, package).to_json()
    ).status == 403  # fmt: skip
    assert package.id in mailbox(street)
    for count in range(20):
        used = receipt(officer, package, ReceiptKind.USED, about=f"Case {count}")
        assert sign_for(officer, package, used).status == 201
    assert sign_for(officer, package).code == "too_many_receipts"


# ---- for which requests --------------------------------------------------------------------------------


def test_only_for_what_is_asked(street: Street, officer: Member, robin: Member, request_id: str) -> None:
    pending = ask(officer, "26-0900")
    assert Package.of(robin, pending).announce().status == 404
    assert Package.of(robin, "ab" * 32).announce().status == 404
    assert Package.of(robin, str(robin.tip)).announce().status == 404
    for field, value in (
        ("request", "x"), ("key", "00" * 32), ("sha256", "AB" * 32), ("size", 0), ("size", 2**40),
        ("more", 1),
    ):  # fmt: skip
        answer = Package.of(robin, request_id).announce(**{field: value})
        assert (answer.status, answer.code) == (422, "bad_field"), field
    for known in (robin.key.public, street.host.key.public, street.hub.key):  # would say who sends it
        answer = Package.of(robin, request_id).announce(key=known)
        assert (answer.status, answer.code) == (422, "bad_field")


def test_a_closed_request_is_answered_for_a_day(street: Street, officer: Member, robin: Member) -> None:
    closed = ask(officer, "26-0901")
    release(street, closed)
    officer.catch_up()
    assert officer.post(Close(closed, Outcome.SOLVED)).status == 201
    assert Package.of(robin, closed).send().status == 200


def test_how_much_a_member_sends(robin: Member, request_id: str) -> None:
    for _ in range(PER_REQUEST):
        assert Package.of(robin, request_id).announce().status == 201
    answer = Package.of(robin, request_id).announce()
    assert (answer.status, answer.code) == (429, "quota_exceeded")
    assert int(answer.headers["Retry-After"]) > 0


def test_mailboxes_have_an_end(make_street: MakeStreet) -> None:
    street = make_street(total_mailbox_bytes=10_000)
    officer = enrol(street).officer()
    asked = ask(officer)
    release(street, asked)
    robin = join(street, "Robin")
    assert Package.of(robin, asked, ciphertext(9_000)).send().status == 200
    answer = Package.of(robin, asked, ciphertext(9_000)).announce()
    assert (answer.status, answer.code) == (429, "quota_exceeded")
    street.hub.stop()
    street.hub.settings["keep_free_bytes"] = 2**60
    street.hub.start()
    answer = Package.of(robin, asked).announce()
    assert (answer.status, answer.code) == (507, "storage_full")


def test_space_is_asked_for_again_when_the_bytes_come(make_street: MakeStreet) -> None:
    """Announcing takes no space, or it would be a way to keep others out. Many may announce at once."""
    street = make_street(total_mailbox_bytes=3 * MIB)
    officer = enrol(street).officer()
    asked = ask(officer)
    release(street, asked)
    robin, sam = join(street, "Robin"), join(street, "Sam")
    packages = [Package.of(one, asked, ciphertext(2 * MIB - 1_000)) for one in (robin, sam)]
    assert [package.announce().status for package in packages] == [201, 201]
    answers = [package.put(offset) for offset in (0, MIB) for package in packages]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].code == "quota_exceeded"
    files = (street.hub.data / street.id / "mailbox").iterdir()
    assert sum(path.stat().st_size for path in files) <= 3 * MIB
    assert packages[0].call("POST", "/commit").status == 200
    sign_for(officer, packages[0])
    assert packages[1].put(MIB).status == 200  # there is space again


def test_an_agency_with_a_new_key_waits_three_days(make_street: MakeStreet) -> None:
    street = make_street()
    police = enrol(street)
    officer = police.officer()
    asked = ask(officer)
    release(street, asked)
    robin = join(street, "Robin")
    sent, waiting = Package.of(robin, asked), Package.of(robin, asked)
    assert sent.send().status == 200
    waiting.announce()
    waiting.put(0)
    changed = police.change(key=PrivateKey.generate())
    for answer in (waiting.call("POST", "/commit"), Package.of(robin, asked).announce()):
        assert (answer.status, answer.code) == (409, "agency_on_hold")
        assert abs(answer.json["until"] - time.time() - 72 * 3_600) < 60
    assert officer.call("GET", "/deliveries").status == 403  # certified by the old key
    new = changed.officer("Again")
    [listed] = new.call("GET", "/deliveries").json["deliveries"]
    assert listed["delivery"] == sent.id
    assert waiting.call("DELETE").status == 204


def test_a_suspended_agency_gets_nothing(make_street: MakeStreet) -> None:
    street = make_street()
    police = enrol(street)
    officer = police.officer()
    asked = ask(officer)
    release(street, asked)
    robin = join(street, "Robin")
    package, late = Package.of(robin, asked), Package.of(robin, asked)
    assert package.send().status == 200
    late.announce()
    late.put(0)
    agency = police.id
    street.host.catch_up()
    assert street.host.post(Role(agency, RoleName.NONE)).status == 201
    for who in (officer, police.member):
        assert who.call("GET", "/deliveries").status == 403
        assert who.call("GET", f"/deliveries/{package.id}").status == 403
    for answer in (late.call("POST", "/commit"), Package.of(robin, asked).announce()):
        assert (answer.status, answer.code) == (409, "agency_gone")


# ---- what is written down ------------------------------------------------------------------------------


def dump(street: Street) -> dict[str, set[Any]]:
    """Return every row of every table, as its bytes lie in the file."""
    path = street.hub.data / street.id / "hub.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: set(db.execute(f"SELECT * FROM {name}").fetchall()) for name in tables}  # noqa: S608


def folder_bytes(folder: Path) -> bytes:
    return b"".join(
        str(path).encode() + path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    )


def test_nothing_that_is_kept_says_who_sent_it(make_street: MakeStreet) -> None:
    street = make_street()
    officer = enrol(street).officer()
    asked = ask(officer)
    release(street, asked)
    robin = join(street, "Robin")
    folder = street.hub.data / street.id
    for _ in range(2):  # the second time from a clean log of changes
        street.hub.stop()
        street.hub.start()
    before = dump(street)
    (log_before, log) = (folder_bytes(street.hub.log.parent).count(robin.key.public.encode()), street.hub.log)
    package = Package.of(robin, asked, ciphertext(2 * MIB))
    assert package.send().status == 200
    assert sign_for(officer, package).status == 201

    after = dump(street)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"deliveries", "receipts", "answers"}
    added = {row for name in changed for row in after[name] - before[name]}
    secrets = [str(robin.tip), robin.key.public, "Robin"]
    for row in added:
        for secret in secrets:
            assert secret not in str(row)
            assert all(not isinstance(value, bytes) or bytes.fromhex(secrets[0]) != value for value in row)
    # In the log of changes, too, which begins anew after the stop: no frame with a member in it was written
    wal = (folder / "hub.db-wal").read_bytes()
    assert package.id.encode() in wal
    for secret in (bytes.fromhex(secrets[0]), bytes.fromhex(secrets[1]), secrets[1].encode(), b"Robin"):
        assert secret not in wal
    assert package.id.encode() not in log.read_bytes()
    assert folder_bytes(street.hub.log.parent).count(robin.key.public.encode()) == log_before


def test_a_kill_at_any_step_loses_and_doubles_nothing(make_street: MakeStreet) -> None:
    street = make_street()
    officer = enrol(street).officer()
    asked = ask(officer)
    release(street, asked)
    robin = join(street, "Robin")
    package = Package.of(robin, asked, ciphertext(2 * MIB + 5))

    def again() -> None:
        street.hub.kill()
        street.hub.settings["port"] = 0
        street.hub.start()

    first = package.announce().json
    again()
    assert package.announce().json == first
    assert package.put(0).json == {"offset": MIB}
    again()
    stray = street.hub.data / street.id / "mailbox" / ("ab" * 32)
    with (street.hub.data / street.id / "mailbox" / package.id).open("ab") as file:
        file.write(b"half a part")  # the kill came between the file and its row
    stray.write_bytes(b"whose?")
    assert package.call("GET", "/state").json["offset"] == MIB
    assert package.put(0).json["offset"] == MIB
    assert package.put(MIB).json == {"offset": 2 * MIB}
    assert package.put(2 * MIB).json == {"offset": len(package.data)}
    again()
    arrival = package.call("POST", "/commit").json
    again()
    assert package.call("POST", "/commit").json == arrival
    [listed] = officer.call("GET", "/deliveries").json["deliveries"]
    assert listed["arrival"] == arrival["arrival"]
    assert officer.call("GET", f"/deliveries/{package.id}").body == package.data
    signed = receipt(officer, package)
    assert sign_for(officer, package, signed).status == 201
    again()
    assert sign_for(officer, package, signed).status == 200
    assert len(package.call("GET", "/receipts").json["receipts"]) == 1


# What the second and the third version of the database have brought
MAILBOX_TABLES = ("deliveries", "receipts", "answers", "redeemed", "redeemers", "notices")
AVAILABILITY_TABLES = ("consents", "rounds", "shares", "turns", "switches")


def test_a_database_from_before_is_brought_up_to_date(make_street: MakeStreet) -> None:
    """A hub of the version before: its database lacks what is new."""
    street = make_street()
    street.hub.stop()
    with sqlite3.connect(street.hub.data / street.id / "hub.db") as db:
        for name in (*MAILBOX_TABLES, *AVAILABILITY_TABLES):
            db.execute(f"DROP TABLE {name}")
        db.execute("PRAGMA user_version = 1")
    street.hub.start()
    officer = enrol(street).officer()
    asked = ask(officer)
    release(street, asked)
    assert Package.of(join(street, "Robin"), asked).send().status == 200
