"""Footage requests at the hub's door: kept back until a moderator has looked, refused beyond every limit."""

from collections.abc import Callable
from typing import Any

import pytest

from ringwatch.neighborhood.bodies import Agency, Availability, Close
from ringwatch.neighborhood.bodies.agencies import AgencyKind
from ringwatch.neighborhood.bodies.requests import Answer as Recorded, IncidentKind, Outcome
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.places import Place
from ringwatch.neighborhood.segments import Placed, unpack_lines
from ringwatch.neighborhood.store import MemoryHistory
from script.lib.hub_agency import ask, details, enrol, profile, release, request
from script.lib.hub_client import CENTER, Member, join

from .conftest import MakeStreet


def bodies(member: Member, *ids: str) -> set[str]:
    """Return of which records a member is given the body."""
    records = member.call("POST", "/bodies", {"ids": list(ids)}).json["records"]
    return {str(one["envelope"]["type"]) for one in records if "body" in one}


def read(member: Member) -> list[Placed]:
    """Return all that a newcomer reads."""
    tail = member.call("GET", "/records?after=0").body
    return unpack_lines(tail, member.neighborhood, MemoryHistory())


def told(member: Member) -> dict[str, bool]:
    """Return which types of records the tail has, and whether the last of each has its body."""
    return {one.record.type.value: one.record.body is not None for one in read(member)}


def test_a_request_is_kept_back_until_a_moderator_has_looked(make_street: MakeStreet) -> None:
    street = make_street()
    ann = join(street, "Ann")
    police, sheriff = enrol(street), enrol(street, "Sheriff", "sheriff.example.gov")
    officer, colleague, stranger = police.officer(), police.officer("Lt. Cole"), sheriff.officer()
    asked = ask(officer)
    before = details_of(officer, asked)
    both = {"request_details", "footage_request"}
    insiders, others = (street.host, officer, colleague), (ann, stranger)
    assert [bodies(who, asked, before) for who in (*insiders, *others)] == [both] * 3 + [set()] * 2
    assert {type_: told(ann)[type_] for type_ in both} == dict.fromkeys(both, False)
    release(street, asked)
    assert [bodies(who, asked, before) for who in (*insiders, *others)] == [both] * 5
    assert {type_: told(ann)[type_] for type_ in both} == dict.fromkeys(both, True)


def details_of(member: Member, asked: str) -> str:
    """Return the record before a request."""
    record = next(one.record for one in read(member) if one.record.id == asked)
    return str(record.envelope.prev)


def refuses(officer: Member, **changes: Any) -> str:
    """Return why the hub refuses a request."""
    officer.catch_up()
    officer.post(details(f"26-{officer.tip}"[:40]))
    answer = officer.post(request(str(officer.tip), **changes))
    assert answer.status == 422, answer
    return answer.code


def far(north_e6: int, half_e6: int = 1_800) -> tuple[Place, ...]:
    """Return a square away from the center."""
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return tuple(
        Place(CENTER.lat_e6 + north_e6 + north * half_e6, CENTER.lon_e6 + east * half_e6)
        for north, east in corners
    )


def test_what_no_agency_may_ask_is_refused_at_the_door(make_street: MakeStreet) -> None:
    street = make_street()
    officer = enrol(street).officer()
    assert refuses(officer, incident=IncidentKind.ASSEMBLY) == "lawful_assembly"
    assert refuses(officer, area=far(0, 400)) == "area_too_small"
    assert refuses(officer, area=far(0, 9_000)) == "area_too_large"
    assert refuses(officer, area=far(70_000)) == "outside_jurisdiction"
    assert refuses(officer, area=far(40_000)) == "outside_area"
    assert refuses(officer, retention_days=999) == "terms_differ"
    ask(officer)
    ask(officer)
    officer.catch_up()
    officer.post(details())
    assert officer.post(request(str(officer.tip))).code == "third_of_case"


def test_nobody_else_asks_or_speaks_for_the_hub(make_street: MakeStreet) -> None:
    street = make_street()
    ann = join(street, "Ann")
    officer = enrol(street).officer()
    asked = ask(officer, availability=True)
    release(street, asked)
    for body in (details(), Close(asked, Outcome.SOLVED), Availability(asked, Recorded.LIKELY)):
        ann.catch_up()
        answer = ann.post(body)
        assert (answer.status, answer.code) == (403, "not_allowed")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda key: profile(key, kind=AgencyKind.FEDERAL), "agency_refused"),
        (lambda key: profile(key, kind=AgencyKind.IMMIGRATION), "agency_refused"),
        (lambda key: forged(profile(key)), "not_proved"),
    ],
)
def test_an_agency_that_may_not_be_here_is_refused(
    make_street: MakeStreet, make: Callable[[PrivateKey], Agency], code: str
) -> None:
    street = make_street()
    street.host.catch_up()
    answer = street.host.post(make(PrivateKey.generate()))
    assert (answer.status, answer.code) == (422, code)


def forged(signed: Agency) -> Agency:
    """Return a profile that another key has signed."""
    return Agency.parse(signed.to_json() | {"proof": profile(PrivateKey.generate()).proof})
