"""What a court gets of a hub: all that it holds, and nothing that it doesn't. And who is told."""

import hashlib
import json
import os
import sqlite3
import time
from typing import Any

import pytest

from ringwatch.hub.demands import CONTEXT
from ringwatch.neighborhood.availability import opt_in
from ringwatch.neighborhood.bodies import LegalDemand, Withdraw
from ringwatch.neighborhood.bodies.agencies import DemandKind
from ringwatch.neighborhood.keys import verify
from script.lib.hub_agency import Package, ask, enrol, release, sign_for
from script.lib.hub_client import Answer, Member, Street, comment, join, post

from . import media
from .conftest import MakeStreet


def lines(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200
    return [json.loads(line) for line in answer.body.splitlines()]


def kinds(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in found if line.get("kind") == kind]


def test_the_export_about_a_member(street: Street, robin: Member) -> None:
    rita = join(street, f"Rita {os.urandom(4).hex()}")
    picture = media.picture(seed=5_001)
    medium = media.picture_media(picture)
    robin.upload(picture, medium)
    assert robin.post(post("Robin's own words", media=(medium,))).status == 201
    own = str(robin.tip)
    assert robin.post(post("To be withdrawn")).status == 201
    withdrawn = str(robin.tip)
    assert robin.post(Withdraw(withdrawn)).status == 201
    rita.catch_up()
    assert rita.post(comment(own, "Below Robin's post")).status == 201
    assert rita.post(post("Rita's own words")).status == 201
    [first] = [one["subject"] for one in _members(street) if one["key"] == robin.key.public]
    found = lines(street.host.call("GET", f"/demand-export?subject={first}"))
    assert found[0]["about"] == {"subject": first, "request": None}
    assert found[0]["neighborhood"] == street.id
    assert any("who sent a package" in words for words in found[0]["not_held"])
    [subject] = kinds(found, "subject")
    assert (subject["keys"], subject["is"], subject["standing"]) == ([robin.key.public], "member", "member")
    records = {line["record"]["envelope"]["author"]: line for line in kinds(found, "record")}
    assert records.keys() == {robin.key.public, rita.key.public}
    text = json.dumps(found)
    assert "Robin's own words" in text
    assert "Below Robin's post" in text
    assert "Rita's own words" not in text
    assert "To be withdrawn" not in text
    erased = [
        line for line in kinds(found, "record") if "body" not in line["record"]
    ]  # the envelope is held: it says that there was something, not what
    assert len(erased) == 1
    [upload] = kinds(found, "upload")
    assert (upload["media"]["sha256"], upload["complete"]) == (medium.sha256, True)
    assert (street.hub.data / street.id / upload["file"]).read_bytes() == picture
    assert kinds(found, "sent_bytes")[0]["bytes"] == len(picture)
    assert not kinds(found, "delivery")


def _members(street: Street) -> list[dict[str, str]]:
    return list(street.host.call("GET", "/members").json["members"])


def test_the_export_is_whole_and_signed(street: Street, robin: Member) -> None:
    answer = street.host.call("GET", f"/demand-export?subject={robin.tip}")
    body, last = answer.body[: answer.body.rindex(b'{"kind": "end"')], lines(answer)[-1]
    assert last["lines"] == body.count(b"\n")
    assert last["sha256"] == hashlib.sha256(body).hexdigest()
    assert verify(street.hub.key, CONTEXT, bytes.fromhex(last["sha256"]), last["sig"])
    assert answer.headers["Content-Type"] == "application/x-ndjson"


def test_the_export_about_a_request_and_about_everything(make_street: MakeStreet) -> None:
    street = make_street()
    officer = enrol(street).officer()
    asked, other = ask(officer, "26-0001"), ask(officer, "26-0002")
    for one in (asked, other):
        release(street, one)
    robin = join(street, "Robin")
    package, elsewhere, waiting = (Package.of(robin, one) for one in (asked, other, asked))
    assert package.send().status == elsewhere.send().status == 200
    waiting.announce()
    assert sign_for(officer, package).status == 201
    found = lines(street.host.call("GET", f"/demand-export?request={asked}"))
    told = {line["delivery"]: line for line in kinds(found, "delivery")}
    assert told.keys() == {package.id, waiting.id}
    assert told[package.id]["file"] is None
    assert told[package.id]["receipts"][0]["kind"] == "received"
    assert kinds(found, "delivered") == [{"kind": "delivered", "request": asked, "count": 1}]
    text = json.dumps(found)
    assert "26-0001" in text
    assert "26-0002" not in text
    for secret in (str(robin.tip), robin.key.public, "Robin"):  # nothing joins her and the package
        assert secret not in text

    whole = lines(street.host.call("GET", "/demand-export"))
    assert {line["delivery"] for line in kinds(whole, "delivery")} == {package.id, elsewhere.id, waiting.id}
    consent = opt_in(robin.key)
    assert robin.call("PUT", "/availability", {"key": consent.key, "sig": consent.sig}).status == 200
    forged = opt_in(street.host.key)
    answer = robin.call("PUT", "/availability", {"key": forged.key, "sig": forged.sig})
    assert (answer.status, answer.code) == (422, "bad_field")
    assert officer.call("GET", "/availability").status == 404
    assert street.host.call("PUT", "/availability/settings", {"on": True}).json == {"on": True}
    assert street.host.call("GET", "/availability/settings").json == {"on": True}
    whole = lines(street.host.call("GET", "/demand-export"))
    [takes_part] = kinds(whole, "takes_part")
    assert (takes_part["subject"], takes_part["key"]) == (robin.tip, consent.key)
    numbers = [line["number"] for line in kinds(whole, "record")]
    assert numbers == list(range(1, street.host.call("GET", "").json["position"]["number"] + 1))
    assert (street.hub.data / street.id / f"mailbox/{elsewhere.id}").read_bytes() == elsewhere.data
    _all_tables_are_in(street, whole)


def _all_tables_are_in(street: Street, whole: list[dict[str, Any]]) -> None:
    """Every table of the database is written out, or is made of the records, or says nothing of anybody."""
    written = {
        "records": "record", "uploads": "upload", "spent": "sent_bytes", "revoked": "revoked_invite",
        "deliveries": "delivery", "receipts": "delivery", "answers": "delivered", "redeemed": "redeemed",
        "redeemers": "redeemers", "notices": "notice", "state": "subject",
        "consents": "takes_part", "turns": "was_asked", "rounds": "round", "shares": "round",
    }  # fmt: skip
    # Forms of segments; which records name a file; quotas; whether homes are asked if anybody recorded
    derived = {"segments", "names", "settings", "switches"}
    with sqlite3.connect(f"file:{street.hub.data / street.id / 'hub.db'}?mode=ro", uri=True) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        tables = {name for name in tables if not name.startswith(("texts", "sqlite_"))}  # the index of words
        assert tables == written.keys() | derived
        for table, kind in written.items():
            if db.execute(f"SELECT 1 FROM {table}").fetchone():  # noqa: S608
                assert kinds(whole, kind), table


@pytest.mark.parametrize("path", ["/demand-export", "/notices", "/partnership"])
def test_only_the_host_has_it(street: Street, robin: Member, path: str) -> None:
    answer = robin.call("GET", path)
    assert (answer.status, answer.code) == (403, "host_only")


def test_what_there_is_nothing_about(street: Street, robin: Member) -> None:
    for query in ("subject=" + "ab" * 32, "request=" + "ab" * 32, f"request={robin.tip}"):
        assert street.host.call("GET", f"/demand-export?{query}").status == 404
    for query in ("subject=x", f"subject={'ab' * 32}&request={'ab' * 32}", "all=1"):
        assert street.host.call("GET", f"/demand-export?{query}").status == 400


# ---- notices -------------------------------------------------------------------------------------------


def demand(street: Street) -> str:
    street.host.catch_up()
    body = LegalDemand(
        DemandKind.SUBPOENA, "Cook County Court", int(time.time()) - 60, "What is held about one member.",
        "The member was told.",
    )  # fmt: skip
    assert street.host.post(body).status == 201
    return str(street.host.tip)


def notice(street: Street, about: str, *subjects: str, text: str = "About you.", from_s: int = 0) -> Answer:
    body = {"demand": about, "subjects": list(subjects), "text": text, "from": from_s}
    return street.host.call("POST", "/notices", body)


def told(member: Member) -> list[dict[str, Any]]:
    return list(member.call("GET", "").json["you"]["notices"])


def test_a_member_is_told_and_nobody_else(street: Street, robin: Member) -> None:
    rita = join(street, f"Rita {os.urandom(4).hex()}")
    about = demand(street)
    assert notice(street, about, str(robin.tip), text="A court asked.\nIt got your posts.").status == 201
    [found] = told(robin)
    assert (found["demand"], found["text"]) == (about, "A court asked.\nIt got your posts.")
    assert abs(found["time"] - time.time()) < 30
    assert told(rita) == []
    assert told(street.host) == []
    listed = street.host.call("GET", "/notices").json["notices"]
    assert {"subject": robin.tip, "demand": about, "from": found["time"]} in listed
    # What she may have read is not written over
    assert notice(street, about, str(robin.tip), text="Something else.").status == 201
    assert told(robin)[0]["text"] == "A court asked.\nIt got your posts."


def test_where_notice_is_forbidden_it_is_told_later(street: Street, robin: Member) -> None:
    about = demand(street)
    from_s = int(time.time()) + 3
    assert notice(street, about, str(robin.tip), from_s=from_s + 86_400).status == 201
    assert notice(street, about, str(robin.tip), text="Now you may know.", from_s=from_s).status == 201
    assert told(robin) == []
    time.sleep(max(0.0, from_s - time.time()) + 0.1)
    assert [one["text"] for one in told(robin)] == ["Now you may know."]


def test_notices_are_about_a_demand(street: Street, robin: Member) -> None:
    about = demand(street)
    assert notice(street, str(robin.tip), str(robin.tip)).status == 404
    assert notice(street, "ab" * 32, str(robin.tip)).status == 404
    assert notice(street, about, "ab" * 32).status == 404
    assert notice(street, about, enrol(street, "Sheriff", "sheriff.example.org").id).status == 404
    assert notice(street, about).code == "bad_field"
    assert notice(street, about, str(robin.tip), text="").code == "bad_text"
    assert notice(street, about, str(robin.tip), text="x" * 2_001).code == "bad_text"
    assert notice(street, about, str(robin.tip), from_s=4_000_000_000).code == "bad_field"
    answer = robin.call(
        "POST", "/notices", {"demand": about, "subjects": [str(robin.tip)], "text": "x", "from": 0}
    )
    assert (answer.status, answer.code) == (403, "host_only")
    assert told(robin) == []
