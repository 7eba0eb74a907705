"""Agencies: who has to sign a profile, what a new key costs, what is agreed with them; links to hubs."""

from dataclasses import replace
import json
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.agency_file import parse_profile, write_profile
from custom_components.ringwatch.neighborhood.bodies import (
    LegalDemand,
    Officer,
    PartnershipCount,
    Role,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.agencies import (
    DemandKind,
    FaceRecognition,
    OfficerAction,
    Sharing,
    sign_profile,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.people import RoleName
from custom_components.ringwatch.neighborhood.hub_link import HubLink, parse_hub_link
from custom_components.ringwatch.neighborhood.limits import DAY_S
from custom_components.ringwatch.neighborhood.requests import (
    AgencyItem,
    read_agencies,
    read_demands,
    read_partnerships,
    read_requests,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.rows import Standing
from custom_components.ringwatch.neighborhood.state import may_read
from custom_components.ringwatch.neighborhood.violations import (
    AlreadyDone,
    BadField,
    BadLink,
    CertificateExpired,
    FromTheFuture,
    KeyTaken,
    LimitReached,
    NotAllowed,
    RecordViolation,
    Removed,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.violations_requests import (
    CodeTaken,
    DomainTaken,
    NotProved,
    ProfileOld,
)

from .agencies import OTHER_RECIPIENT, RECIPIENT, Shelf, ask, enrol, officer, partnership, profile
from .street import HUB, NOON_S, Neighbor, Street, key, replay, seed

HOURS_72_S = 72 * 3_600


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def agency(street: Street) -> Neighbor:
    return enrol(street)


def item(street: Street) -> AgencyItem:
    [found] = read_agencies(Shelf(street))
    return found


def amend(street: Street, agency: Neighbor, **changes: Any) -> None:
    """Bring in what the agency has signed anew."""
    street.now_s += 60
    fields: dict[str, Any] = {"issued_s": street.now_s, "replaces": agency.id} | changes
    street.say(street.host, sign_profile(agency.key, replace(profile(), **fields)))


# ---- profiles -------------------------------------------------------------------------------------


def test_nobody_is_enrolled_without_holding_the_key(street: Street) -> None:
    signed = profile()
    for changed in (
        replace(signed, key=key("thief").public),
        replace(signed, age_recipient=OTHER_RECIPIENT),
        replace(signed, retention_days=9_000),
        replace(signed, domain="chandler.example"),
        replace(signed, jurisdiction=signed.jurisdiction[1:]),
        replace(signed, issued_s=NOON_S - 1),
        replace(signed, proof=profile("other").proof),
    ):
        with pytest.raises(NotProved):
            street.say(street.host, changed)
    street.say(street.host, signed)


def test_a_profile_is_as_the_agency_wrote_it_wherever_it_is_enrolled(street: Street) -> None:
    signed = profile()
    assert replace(signed, replaces=seed("x").hex()).is_proved  # the host's word: ids differ
    assert signed.profile_digest == replace(signed, proof="00" * 64).profile_digest
    with pytest.raises(FromTheFuture):
        street.say(street.host, profile(issued_s=street.now_s + 601))
    street.say(street.host, profile(issued_s=street.now_s + 600))


def test_a_profile_travels_in_a_file() -> None:
    signed = profile(terms="We ask.\nYou choose.")
    data = write_profile(replace(signed, replaces=seed("x").hex()))
    assert parse_profile(data) == signed
    content = json.loads(data)
    for changed in (
        content | {"format": "ringwatch-agency/2"},
        content | {"more": 1},
        {"format": content["format"]},
        content | {"profile": content["profile"] | {"kind": "secret_police"}},
        [],
    ):
        with pytest.raises(BadField):
            parse_profile(json.dumps(changed).encode())
    for garbage in (b"", b"{", b"\xff", b"[" * 100_000, b" " * 70_000):
        with pytest.raises(BadField):
            parse_profile(garbage)
    with pytest.raises(NotProved):
        parse_profile(data.replace(b'"retention_days": 90', b'"retention_days": 91'))


def test_a_changed_profile_is_the_same_agency(street: Street, agency: Neighbor) -> None:
    who = officer(street, agency)
    amend(street, agency, name="Chandler PD", retention_days=30, sharing=Sharing.NONE)
    found = item(street)
    assert (found.id, found.root, found.name, found.retention_days) == (
        agency.id,
        agency.id,
        "Chandler PD",
        30,
    )
    assert (found.hold_until_s, found.key_since_s, found.enrolled_s) == (None, NOON_S, NOON_S)
    assert found.profile == street.last
    ask(street, who, retention_days=30, sharing=Sharing.NONE)
    assert street.state.count("agencies") == 1


def test_an_older_profile_does_not_come_back(street: Street, agency: Neighbor) -> None:
    first = profile(replaces=agency.id)
    amend(street, agency, face_recognition=FaceRecognition.WITH_WARRANT)
    for old in (first, profile(replaces=agency.id, issued_s=street.now_s)):
        with pytest.raises(ProfileOld):
            street.say(street.host, old)


def test_a_new_key_holds_deliveries_for_72_hours(street: Street, agency: Neighbor) -> None:
    who = officer(street, agency)
    request = ask(street, who)
    street.now_s += DAY_S
    new = enrol(street, "agency 2", replaces=agency.id)
    found = item(street)
    assert (found.id, found.root, found.key) == (new.id, agency.id, new.key.public)
    assert (found.hold_until_s, found.key_since_s) == (street.now_s + HOURS_72_S, street.now_s)
    assert found.is_on_hold(street.now_s + HOURS_72_S - 1)
    assert not found.is_on_hold(street.now_s + HOURS_72_S)
    assert found.enrolled_s == NOON_S
    assert not may_read(street.state, agency.key.public)
    with pytest.raises(CertificateExpired):
        ask(street, who, "24-2")
    with pytest.raises(Removed):
        officer(street, agency, "by the old key")
    officer(street, new)  # certified anew, with the key that the officer has
    ask(street, who, "24-2")
    shelf = Shelf(street)
    asked = read_requests(shelf, shelf.who(street.host))
    assert [one.agency for one in asked] == [found, found]
    assert asked[1].id == request
    assert street.state.count("agencies") == 1


def test_a_new_key_to_encrypt_for_holds_deliveries_too(street: Street, agency: Neighbor) -> None:
    amend(street, agency, age_recipient=OTHER_RECIPIENT)
    held = item(street).hold_until_s
    assert held == street.now_s + HOURS_72_S
    amend(street, agency, age_recipient=OTHER_RECIPIENT, terms="New.")
    assert item(street).hold_until_s == held  # nothing new to read with
    amend(street, agency, age_recipient=RECIPIENT)  # back, and it is a change all the same
    assert item(street).hold_until_s == street.now_s + HOURS_72_S


def test_a_hub_or_host_does_not_swap_an_agencys_key_unseen(street: Street, agency: Neighbor) -> None:
    """Not by a second agency of that domain, not by an amendment that the agency did not sign."""
    with pytest.raises(DomainTaken):
        enrol(street, "thief")
    street.say(street.host, Role(agency.id, RoleName.NONE))
    with pytest.raises(DomainTaken):
        enrol(street, "thief")
    street.say(street.host, Role(agency.id, RoleName.AGENCY))
    stolen = replace(profile(issued_s=street.now_s + 1), age_recipient=OTHER_RECIPIENT, replaces=agency.id)
    with pytest.raises(NotProved):
        street.say(street.host, stolen)
    with pytest.raises(NotAllowed):
        street.say(street.join("Ann"), profile("thief", replaces=agency.id))
    other = enrol(street, "sheriff", domain="sheriff.example.gov")
    street.now_s += 60
    with pytest.raises(DomainTaken):
        enrol(street, "sheriff 2", replaces=other.id)  # takes the other agency's domain
    with pytest.raises(KeyTaken):
        enrol(street, "sheriff", replaces=agency.id)
    enrol(street, "sheriff 2", replaces=other.id, domain="sheriff2.example.gov")
    enrol(street, "third", domain="sheriff.example.gov")  # nobody has that any more


def test_only_an_enrolled_agency_is_replaced(street: Street, agency: Neighbor) -> None:
    ann = street.join("Ann")
    street.now_s += 60
    for earlier, kind in ((seed("x").hex(), UnknownTarget), (ann.id, WrongTarget)):
        with pytest.raises(kind):
            enrol(street, "agency 2", domain="b.example.gov", replaces=earlier)
    street.say(street.host, Role(agency.id, RoleName.NONE))
    with pytest.raises(WrongTarget):
        enrol(street, "agency 2", replaces=agency.id)


def test_officers_of_the_earlier_key_are_the_agencys(
    street: Street, agency: Neighbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, left = officer(street, agency), officer(street, agency, "left")
    street.now_s += 60
    new = enrol(street, "agency 2", replaces=agency.id)
    other = enrol(street, "sheriff", domain="sheriff.example.gov")
    with pytest.raises(KeyTaken):
        officer(street, other)
    street.say(new, Officer(OfficerAction.REVOKE, left.key.public, "x", street.now_s))
    with pytest.raises(KeyTaken):
        officer(street, new, "left")
    with monkeypatch.context() as full:
        full.setattr("custom_components.ringwatch.neighborhood.rules_people.MAX_OFFICERS", 0)
        with pytest.raises(LimitReached):
            officer(street, new)
    officer(street, new)
    assert street.state.count(f"officers/{new.id}") == 1
    assert who.key.public == key("officer").public


# ---- partnerships ---------------------------------------------------------------------------------


def test_a_partnership_is_told_in_full_and_counts_up_only(street: Street, agency: Neighbor) -> None:
    ann = street.join("Ann")
    for who in (street.host, ann):
        with pytest.raises(NotAllowed):
            street.say(who, partnership())
    street.say(agency, partnership(seed_cameras=2))
    id_ = street.last
    [found] = read_partnerships(Shelf(street))
    assert (found.terms, found.code, found.agency) == (partnership().terms, "MAPLE25", item(street))
    with pytest.raises(NotAllowed):
        street.say(agency, PartnershipCount(id_, 20, 1))
    with pytest.raises(UnknownTarget):
        street.say(street.host, PartnershipCount(seed("x").hex(), 20, 1))
    with pytest.raises(BadField):
        street.say(street.host, PartnershipCount(id_, 20, 4))
    street.say(street.host, PartnershipCount(id_, 20, 3))
    for households, cameras in ((0, 3), (20, 2), (40, 1)):
        with pytest.raises(BadField):
            street.say(street.host, PartnershipCount(id_, households, cameras))
    with pytest.raises(AlreadyDone):
        street.say(street.host, PartnershipCount(id_, 20, 3))
    street.say(street.host, PartnershipCount(id_, 40, 4))
    [found] = read_partnerships(Shelf(street))
    assert (found.households, found.cameras_given) == (40, 4)


def test_an_agency_has_one_partnership_at_a_time(street: Street, agency: Neighbor) -> None:
    street.say(agency, partnership())
    first = street.last
    street.say(street.host, PartnershipCount(first, 20, 26))
    with pytest.raises(WrongTarget):
        street.say(agency, partnership("OTHER"))
    other = enrol(street, "sheriff", domain="sheriff.example.gov")
    with pytest.raises(CodeTaken):
        street.say(other, partnership())
    with pytest.raises(WrongTarget):
        street.say(other, partnership("SHERIFF", replaces=first))
    street.now_s += 60
    new = enrol(street, "agency 2", replaces=agency.id)
    street.say(new, partnership(terms="New words.", replaces=first))
    found = read_partnerships(Shelf(street))
    assert [(one.replaced, one.households, one.cameras_given) for one in found] == [
        (False, 20, 26), (True, 20, 26)
    ]  # fmt: skip
    with pytest.raises(WrongTarget):
        street.say(street.host, PartnershipCount(first, 40, 26))
    assert replay(street.placed).partnership(found[0].id) == street.state.partnership(found[0].id)


# ---- the register ---------------------------------------------------------------------------------


def test_demands_and_agencies_are_in_the_register(street: Street, agency: Neighbor) -> None:
    body = LegalDemand(DemandKind.SUBPOENA, "County court", street.now_s, "Nothing.", "Everybody.")
    street.say(street.host, body)
    street.say(street.host, replace(body, given="A list of members."))
    found = read_demands(Shelf(street))
    assert [one.given for one in found] == ["A list of members.", "Nothing."]
    assert found[0].time_s == street.now_s
    street.say(street.host, Role(agency.id, RoleName.NONE))
    assert (item(street).standing, item(street).is_active) == (Standing.SUSPENDED, False)


# ---- links ----------------------------------------------------------------------------------------


def test_a_hub_link_says_where_and_nothing_secret() -> None:
    link = HubLink("https://hub.example:8765/street", seed("hood").hex(), HUB.public)
    assert parse_hub_link(link.link) == link
    assert parse_hub_link(f"  {link.link}\n") == link
    plain = HubLink("http://192.168.1.5:8765", seed("hood").hex(), HUB.public)
    assert parse_hub_link(plain.link, allow_http=True) == plain
    weak = HubLink("https://hub.example", seed("hood").hex(), "01" + "00" * 31)
    for text in (
        plain.link,
        weak.link,
        link.link[:-1],
        link.link + "A",
        link.link.replace("#1.", "#2."),
        link.link.replace("/hub#", "/join#"),
        link.link.replace("https://", "https://user@"),
        link.link.replace("https://", "javascript://"),
        link.link.replace("/street", "/street?x=1"),
        "https://hub.example/hub#1." + "A" * 2_000,
        "",
    ):
        with pytest.raises(BadLink):
            parse_hub_link(text)


def test_a_profile_that_is_not_signed_is_no_record_at_all(street: Street) -> None:
    bare = profile().to_json()
    for name in ("proof", "issued"):
        with pytest.raises(RecordViolation):
            type(profile()).parse({field: value for field, value in bare.items() if field != name})
