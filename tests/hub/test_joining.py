"""Joining: with an invite, once; nothing else opens the door."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
import os
import time

import pytest

from ringwatch.neighborhood.bodies import Remove
from ringwatch.neighborhood.certificates import Replaced
from ringwatch.neighborhood.invites import create_invite, join_body, replace_body
from ringwatch.neighborhood.keys import PrivateKey
from script.lib.hub_client import (
    Member,
    Street,
    ask_with_invite,
    invite_headers,
    invited,
    join,
    post,
    send_join,
)  # fmt: skip

_count = [0]


def name() -> str:
    _count[0] += 1
    return f"Newcomer {_count[0]}"


def test_an_invite_shows_where_it_leads_and_no_more(street: Street) -> None:
    newcomer = invited(street)
    shown = ask_with_invite(newcomer, "GET", "").json
    assert (shown["name"], shown["host"]["handle"], shown["rules"]) == ("Elm Street", "Holly", "Be kind.")
    assert shown["host"]["key"] == street.host.key.public
    assert shown["you"] == {
        "role": "invited", "subject": None, "handle": None, "prev": None, "notices": [],
    }  # fmt: skip
    for path in ("/records?after=0", "/members", "/log", "/segments/1"):
        answer = ask_with_invite(newcomer, "GET", path)
        assert (answer.status, answer.code) == (403, "not_a_member")
    assert ask_with_invite(newcomer, "POST", "/uploads", {}).status == 403


def test_an_invite_is_good_once(street: Street) -> None:
    newcomer = invited(street)
    assert send_join(newcomer, name()).status == 201
    assert newcomer.call("GET", "/records?after=0").status == 200
    answer = ask_with_invite(newcomer, "GET", "")
    assert (answer.status, answer.code) == (403, "invite_used")
    other = replace(newcomer, key=PrivateKey.generate(), tip=None)
    assert other.invite is not None
    record = other.sign(join_body(other.invite, other.key, name()))
    answer = ask_with_invite(other, "POST", "/records", record.to_wire())
    assert (answer.status, answer.code) == (403, "invite_used")


def test_many_with_one_invite_one_gets_in(street: Street) -> None:
    seed = os.urandom(32)
    racers = [invited(street, seed=seed) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda racer: _race(racer, name()), racers))
    assert sorted(answers) == [201] + [403] * 11


def _race(racer: Member, handle: str) -> int:
    assert racer.invite is not None
    racer.head = _head(racer)
    record = racer.sign(join_body(racer.invite, racer.key, handle))
    return ask_with_invite(racer, "POST", "/records", record.to_wire()).status


def _head(racer: Member) -> str | None:
    answer = ask_with_invite(racer, "GET", "")
    return str(answer.json["position"]["head"]) if answer.status == 200 else "0" * 64


def test_guessing_opens_nothing(street: Street) -> None:
    real = invited(street)
    assert real.invite is not None
    guessed = PrivateKey.generate()
    # another key with a real certificate
    answer = ask_with_invite(real, "GET", "", key=guessed)
    assert (answer.status, answer.code) == (403, "bad_invite")
    # a certificate that somebody else than the host signed
    crook = PrivateKey.generate()
    forged = create_invite(
        crook, neighborhood=street.id, hub_key=street.hub.key, url="http://127.0.0.1", now_s=int(time.time()),
        seed=os.urandom(32),
    )  # fmt: skip
    for invite in (
        forged,
        replace(forged, certificate=replace(forged.certificate, host=street.host.key.public)),
        replace(real.invite, certificate=replace(real.invite.certificate, expires_s=4_000_000_000)),
    ):
        newcomer = Member(street.hub, neighborhood=street.id, invite=invite)
        answer = ask_with_invite(newcomer, "GET", "")
        assert (answer.status, answer.code) == (403, "bad_invite")


@pytest.mark.parametrize("header", ["", "!!!!", "e30", "A" * 3_000, "eyJhIjoxfQ", "\u00e9"])
def test_an_invite_that_is_none(street: Street, header: str) -> None:
    stranger = Member(street.hub, neighborhood=street.id)
    answer = stranger.call("GET", "", headers={"Ringwatch-Invite": header})
    assert (answer.status, answer.code) == (403, "bad_invite")


def test_an_expired_invite(street: Street) -> None:
    late = invited(street, now_s=int(time.time()) - 8 * 86_400)
    assert ask_with_invite(late, "GET", "").code == "bad_invite"


def test_an_invite_that_was_taken_back(street: Street) -> None:
    newcomer, other = invited(street), invited(street)
    assert newcomer.invite is not None
    key = newcomer.invite.certificate.invite
    assert street.host.call("POST", "/invites/revoke", {"invite": key}).json == {}
    assert key in street.host.call("GET", "/invites").json["revoked"]
    answer = ask_with_invite(newcomer, "GET", "")
    assert (answer.status, answer.code) == (403, "invite_revoked")
    # nor does it come in beside another invite, or sent by somebody who is in
    other.head = ask_with_invite(other, "GET", "").json["position"]["head"]
    sly = replace(other, invite=newcomer.invite)
    record = sly.sign(join_body(newcomer.invite, sly.key, name()))
    answer = ask_with_invite(other, "POST", "/records", record.to_wire())
    assert (answer.status, answer.code) == (403, "bad_invite")
    friend = join(street, name())
    assert friend.call("POST", "/records", record.to_wire()).code == "bad_invite"


def test_a_name_is_taken_once(street: Street) -> None:
    taken = name()
    join(street, taken)
    again = invited(street)
    answer = send_join(again, taken.upper())
    assert (answer.status, answer.code) == (422, "handle_taken")
    assert send_join(again, name()).status == 201  # the invite isn't used up by that


def test_who_is_invited_can_only_join(street: Street) -> None:
    newcomer = invited(street)
    newcomer.head = ask_with_invite(newcomer, "GET", "").json["position"]["head"]
    answer = ask_with_invite(newcomer, "POST", "/records", newcomer.sign(post()).to_wire())
    assert (answer.status, answer.code) == (403, "not_a_member")


def test_a_lost_key_is_replaced_by_an_invite_that_says_so(street: Street) -> None:
    robin = join(street, name())
    assert robin.post(post()).status == 201
    subject, last = robin.call("GET", "").json["you"]["subject"], robin.tip
    assert last is not None
    invite = create_invite(
        street.host.key, neighborhood=street.id, hub_key=street.hub.key, url="http://127.0.0.1",
        now_s=int(time.time()), seed=os.urandom(32), replaces=Replaced(subject, last),
    )  # fmt: skip
    back = Member(street.hub, neighborhood=street.id, invite=invite)
    back.head = ask_with_invite(back, "GET", "").json["position"]["head"]
    record = back.sign(replace_body(invite, back.key))
    assert ask_with_invite(back, "POST", "/records", record.to_wire()).status == 201
    assert back.call("GET", "").json["you"]["subject"] == subject
    assert robin.call("GET", "").code == "removed"


def test_a_removed_home_does_not_come_back_by_its_old_invite(street: Street) -> None:
    robin = join(street, name())
    subject = robin.call("GET", "").json["you"]["subject"]
    street.host.catch_up()
    street.host.post(Remove(subject, str(robin.tip), "Spam"))
    answer = robin.call("GET", "", headers=invite_headers(robin))
    assert (answer.status, answer.code) == (403, "removed")
