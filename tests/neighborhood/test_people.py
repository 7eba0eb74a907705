"""Who belongs here: founding, joining, keys that change, are stolen or fork, removal, roles, agencies."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.bodies import (
    Alert,
    Appeal,
    Comment,
    Join,
    Leave,
    LegalDemand,
    Officer,
    Post,
    Remove,
    Role,
    Settle,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.agencies import AgencyKind, DemandKind, OfficerAction
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.feed import Category, Span
from custom_components.ringwatch.neighborhood.bodies.people import RoleName
from custom_components.ringwatch.neighborhood.certificates import Replaced, certify
from custom_components.ringwatch.neighborhood.changes import ChangeKind
from custom_components.ringwatch.neighborhood.invites import (
    join_body,
    may_read_before_joining,
    replace_body,
    rotate_body,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.limits import DAILY, DAY_S, MAX_AGENCIES, MAX_MODERATORS
from custom_components.ringwatch.neighborhood.rows import Kind, Standing, Status
from custom_components.ringwatch.neighborhood.rules import Verdict, check
from custom_components.ringwatch.neighborhood.state import State, may_read
from custom_components.ringwatch.neighborhood.store import MemoryHistory, MemoryStore
from custom_components.ringwatch.neighborhood.types import Type
from custom_components.ringwatch.neighborhood.violations import (
    AgencyRefused,
    AlreadyDone,
    BadField,
    BadInvite,
    BadPrevious,
    BodyMissing,
    CertificateExpired,
    Duplicate,
    FromTheFuture,
    Frozen,
    HandleTaken,
    InviteUsed,
    KeyTaken,
    LimitReached,
    NotAllowed,
    NotAMember,
    NotFounded,
    OtherNeighborhood,
    Removed,
    UnknownHead,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip

from .agencies import enrol, officer, profile
from .street import CENTER, HUB, NOON_S, Neighbor, Street, founding, key, seed

POST = Post(Category.SAFETY, "Ice", "On the corner.", CENTER, Span(NOON_S, NOON_S))


@pytest.fixture
def street() -> Street:
    return Street()


# ---- founding -------------------------------------------------------------------------------------


def test_the_first_record_is_the_founding_and_its_id_the_neighborhoods(street: Street) -> None:
    assert street.state.hood.id == street.placed[0].record.id
    assert street.state.host.standing is Standing.HOST
    assert street.state.count("members") == 1
    empty = State(MemoryStore(), MemoryHistory())
    for record in (
        street.sign(street.host, POST),
        street.sign(street.host, founding(), prev=None),
    ):
        with pytest.raises(NotFounded):
            check(record, empty, NOON_S)
    for changes in ({"prev": seed("x").hex()}, {"head": seed("x").hex()}):
        fields: dict[str, Any] = {"neighborhood": None, "prev": None, "head": None} | changes
        with pytest.raises(BadPrevious):
            check(street.sign(street.host, founding(), **fields), empty, NOON_S)
    own = founding(hub_key=street.host.key.public)
    with pytest.raises(BadField):
        check(street.sign(street.host, own, neighborhood=None, prev=None, head=None), empty, NOON_S)
    with pytest.raises(NotFounded):
        _ = empty.hood
    with pytest.raises(NotFounded):
        _ = empty.host


def test_the_host_changes_the_rules_later_but_not_the_place(street: Street) -> None:
    street.say(street.host, founding(name="Elm Street", rules="Be kinder.", radius_m=3_000))
    assert (street.state.hood.name, street.state.hood.radius_m) == ("Elm Street", 3_000)
    for changes in (
        {"center": replace(CENTER, lat_e6=CENTER.lat_e6 + 1_800)},
        {"hub_key": key("x").public},
        {"handle": "Me"},
    ):
        with pytest.raises((NotAllowed, BadField)):
            street.say(street.host, founding(**changes))
    ann = street.join("Ann")
    with pytest.raises(NotAllowed):
        street.say(ann, founding(handle="Ann"))


def test_a_record_of_another_neighborhood_is_refused(street: Street) -> None:
    ann = street.join("Ann")
    with pytest.raises(OtherNeighborhood):
        street.say(ann, POST, neighborhood=seed("other").hex())
    with pytest.raises(OtherNeighborhood):
        street.say(ann, POST, neighborhood=None)


# ---- joining --------------------------------------------------------------------------------------


def test_an_invite_lets_one_home_read_and_join_once(street: Street) -> None:
    invite = street.invite("Ann")
    public = invite.key.public
    assert may_read_before_joining(street.state, invite.certificate, public, street.now_s)
    assert not may_read_before_joining(street.state, invite.certificate, key("x").public, street.now_s)
    assert not may_read_before_joining(street.state, invite.certificate, public, street.now_s + 8 * DAY_S)
    ann = street.join("Ann")
    assert not may_read_before_joining(street.state, invite.certificate, public, street.now_s)
    assert street.state.subject_of(ann.key.public) == street.state.subject(ann.id)
    assert may_read(street.state, ann.key.public)
    assert not may_read(street.state, key("bob").public)
    bob = Neighbor(key("bob"))
    with pytest.raises(InviteUsed):
        street.say(bob, join_body(invite, bob.key, "Bob"))


def test_two_race_for_one_invite_and_the_order_decides(street: Street) -> None:
    ann, bob = Neighbor(key("a")), Neighbor(key("b"))
    bodies = [join_body(street.invite("one"), who.key, who.key.public[:8]) for who in (ann, bob)]
    records = [street.sign(who, body) for who, body in zip((ann, bob), bodies, strict=True)]
    street.admit(records[1])
    with pytest.raises(InviteUsed):
        street.admit(records[0])


def test_an_invite_is_good_for_seven_days(street: Street) -> None:
    bob = Neighbor(key("bob"))
    invite = street.invite("bob")
    street.now_s += 7 * DAY_S
    with pytest.raises(CertificateExpired):
        street.say(bob, join_body(invite, bob.key, "Bob"))
    longer = street.invite("bob", now_s=street.now_s + DAY_S)
    with pytest.raises(BadInvite):
        street.say(bob, join_body(longer, bob.key, "Bob"))


def test_only_the_host_invites(street: Street) -> None:
    ann = street.join("Ann")
    bob = Neighbor(key("bob"))
    good = street.invite("bob")
    forged = replace(
        good,
        certificate=certify(
            ann.key, neighborhood=str(street.id), invite=good.key.public, expires_s=street.now_s + 60
        ),
    )
    named = replace(good, certificate=replace(forged.certificate, host=street.host.key.public))
    other = street.invite("bob", neighborhood=seed("other").hex())
    later = replace(good, certificate=replace(good.certificate, expires_s=good.certificate.expires_s - 1))
    for invite in (forged, named, other, later):
        with pytest.raises(BadInvite):
            street.say(bob, join_body(invite, bob.key, "Bob"))
        assert not may_read_before_joining(street.state, invite.certificate, good.key.public, street.now_s)


def test_whoever_sees_somebody_join_cannot_join_instead(street: Street) -> None:
    body = join_body(street.invite("bob"), key("bob"), "Bob")
    with pytest.raises(BadInvite):
        street.say(Neighbor(key("eve")), body)


def test_a_name_belongs_to_one(street: Street) -> None:
    street.join("Zoe Quinn")
    eve = Neighbor(key("eve"))
    for handle in ("ZOE-QUINN", "Zoë Quinn", "Host"):
        with pytest.raises(HandleTaken):
            street.say(eve, join_body(street.invite("eve"), eve.key, handle))


def test_a_key_belongs_to_one(street: Street) -> None:
    ann = street.join("Ann")
    for known in (ann.key, HUB, street.invite("Ann").key):
        with pytest.raises(KeyTaken):
            street.say(Neighbor(known), join_body(street.invite("x"), known, "Somebody"))
    eve = key("eve")
    with pytest.raises(BadPrevious):
        street.say(Neighbor(eve, tip=ann.tip), join_body(street.invite("x"), eve, "Eve"))


def test_a_neighborhood_has_an_end(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.ringwatch.neighborhood.rules_people.MAX_MEMBERS", 2)
    street.join("Ann")
    with pytest.raises(LimitReached):
        street.join("Bob")


def test_a_stranger_writes_nothing(street: Street) -> None:
    with pytest.raises(NotAMember):
        street.say(Neighbor(key("eve")), POST)


# ---- the place in the order -----------------------------------------------------------------------


def test_a_record_counts_once(street: Street) -> None:
    ann = street.join("Ann")
    street.say(ann, POST)
    with pytest.raises(Duplicate):
        street.admit(street.placed[-1].record)


def test_a_new_record_has_its_body(street: Street) -> None:
    ann = street.join("Ann")
    with pytest.raises(BodyMissing):
        street.admit(street.sign(ann, POST).erased())


def test_a_record_follows_its_authors_last(street: Street) -> None:
    ann, bob = street.join_all("Ann", "Bob")
    for prev in (None, seed("x").hex(), bob.tip):
        with pytest.raises(BadPrevious):
            street.say(ann, POST, prev=prev)


def test_a_head_that_nobody_was_shown_is_refused(street: Street) -> None:
    ann = street.join("Ann")
    for head in (None, seed("other order").hex()):
        with pytest.raises(UnknownHead):
            street.say(ann, POST, head=head)
    street.say(ann, POST, head=street.placed[0].entry.head)  # an older one is no lie


def test_back_dating_changes_nothing_and_dating_ahead_is_refused(street: Street) -> None:
    ann = street.join("Ann")
    street.say(ann, POST, created_s=0)
    item = street.state.item(street.last)
    assert item is not None
    assert item.time_s == street.now_s
    with pytest.raises(FromTheFuture):
        street.say(ann, POST, created_s=street.now_s + 601)


def test_limits_count_by_the_hubs_day(street: Street) -> None:
    ann = street.join("Ann")
    for at in range(DAILY[Type.POST]):
        street.say(ann, replace(POST, title=f"Ice {at}"), created_s=street.now_s - at * DAY_S)
    with pytest.raises(LimitReached):
        street.say(ann, POST)
    street.say(ann, Comment(street.last, "Another type."))
    street.now_s += DAY_S
    street.say(ann, POST)


# ---- keys -----------------------------------------------------------------------------------------


def rotate(street: Street, who: Neighbor, name: str) -> Neighbor:
    new = key(name)
    street.say(who, rotate_body(new, who.key.public, str(street.id)))
    return Neighbor(new, who.id, street.last)


def test_a_rotated_key_goes_on_as_the_same_member(street: Street) -> None:
    ann = street.join("Ann")
    post = street.post(ann)
    new = rotate(street, ann, "Ann's second")
    street.comment(new, post)
    assert street.state.subject_of(new.key.public).id == ann.id  # type: ignore[union-attr]
    with pytest.raises(Removed):
        street.post(ann)
    assert not may_read(street.state, ann.key.public)
    assert may_read(street.state, new.key.public)
    with pytest.raises(KeyTaken):
        rotate(street, new, "Ann")
    body = rotate_body(key("third"), ann.key.public, str(street.id))  # proved for the old key
    with pytest.raises(KeyTaken):
        street.say(new, body)


def test_the_host_rotates_and_old_invites_end(street: Street) -> None:
    before = street.invite("bob")
    street.host = rotate(street, street.host, "host's second")
    bob = Neighbor(key("bob"))
    with pytest.raises(BadInvite):
        street.say(bob, join_body(before, bob.key, "Bob"))
    assert street.join("Bob").id


def replaced(street: Street, who: Neighbor, last: str, name: str) -> Neighbor:
    new = Neighbor(key(name), who.id)
    invite = street.invite(name, replaces=Replaced(who.id, last))
    street.say(new, replace_body(invite, new.key))
    return new


def test_a_stolen_key_is_replaced_and_what_the_thief_wrote_is_void(street: Street) -> None:
    ann, bob = street.join_all("Ann", "Bob")
    mine, theirs = street.post(ann), street.post(bob)
    last = str(ann.tip)
    fake = street.post(ann, "Ann is selling her house")
    thanks, comment = street.thank(ann, theirs), street.comment(ann, theirs)
    street.comment(bob, fake)
    ann = replaced(street, ann, last, "Ann's new key")
    assert street.state.item(mine).status is Status.VISIBLE  # type: ignore[union-attr]
    assert street.state.item(fake).status is Status.VOID  # type: ignore[union-attr]
    assert street.state.item(comment).status is Status.VOID  # type: ignore[union-attr]
    assert street.state.item(theirs).thanks == 0  # type: ignore[union-attr]
    assert street.state.item(theirs).comments == 0  # type: ignore[union-attr]
    street.thank(ann, theirs)  # again, now by her
    with pytest.raises(Removed):
        street.post(Neighbor(key("Ann"), tip=comment))
    assert thanks


def test_replacing_takes_the_hosts_word_for_a_member_that_is_there(street: Street) -> None:
    ann, bob = street.join_all("Ann", "Bob")
    with pytest.raises(WrongTarget):
        replaced(street, ann, str(bob.tip), "new")
    with pytest.raises(WrongTarget):
        replaced(street, street.host, street.host.id, "new")
    with pytest.raises(UnknownTarget):
        replaced(street, Neighbor(ann.key, seed("x").hex()), str(ann.tip), "new")
    new = Neighbor(key("new"))
    plain = street.invite("new")
    with pytest.raises(BadInvite):
        street.say(new, replace_body(plain, new.key))
    replacing = street.invite("new", replaces=Replaced(ann.id, str(ann.tip)))
    with pytest.raises(BadInvite):
        street.say(new, join_body(replacing, new.key, "New"))


# ---- forks ----------------------------------------------------------------------------------------


def fork(street: Street, who: Neighbor) -> str:
    """Sign a second record behind the one before the last."""
    place = street.history.place_of(str(who.tip))
    assert place is not None
    record = street.sign(who, POST, prev=place.prev)
    told = street.admit(record)
    assert street.verdict is Verdict.EVIDENCE
    assert ChangeKind.FROZEN in {change.kind for change in told}
    return record.id


def test_two_records_behind_one_freeze_their_author(street: Street) -> None:
    ann = street.join("Ann")
    post = street.post(ann)
    evidence = fork(street, ann)
    assert street.state.item(evidence) is None
    assert street.state.item(post).status is Status.VISIBLE  # type: ignore[union-attr]
    with pytest.raises(Frozen):
        street.post(ann)
    with pytest.raises(Frozen):
        street.say(ann, POST, prev=ann.id)  # no second piece of evidence
    assert may_read(street.state, ann.key.public)


def test_the_host_decides_which_branch_goes_on(street: Street) -> None:
    ann = street.join("Ann")
    mine = street.post(ann)
    fake = street.post(ann, "Fake")
    evidence = fork(street, ann)
    for last, kind in (
        (evidence, WrongTarget),
        (street.host.id, WrongTarget),
        (seed("x").hex(), WrongTarget),
    ):
        with pytest.raises(kind):
            street.say(street.host, Settle(ann.id, last))
    with pytest.raises(NotAllowed):
        street.say(street.join("Bob"), Settle(ann.id, mine))
    with pytest.raises(UnknownTarget):
        street.say(street.host, Settle(seed("x").hex(), mine))
    street.say(street.host, Settle(ann.id, mine))
    assert street.state.item(fake).status is Status.VOID  # type: ignore[union-attr]
    with pytest.raises(AlreadyDone):
        street.say(street.host, Settle(ann.id, mine))
    ann.tip = mine
    street.post(ann)


def test_settling_reaches_back_to_the_present_key_only(street: Street) -> None:
    ann = street.join("Ann")
    before = str(ann.tip)
    new = rotate(street, ann, "second")
    street.post(new)
    fork(street, new)
    with pytest.raises(WrongTarget):
        street.say(street.host, Settle(ann.id, before))
    street.say(street.host, Remove(ann.id, before, "Stolen."))


def test_a_host_who_forked_decides_about_the_host_first(street: Street) -> None:
    street.post(street.host)
    fork(street, street.host)
    with pytest.raises(Frozen):
        street.post(street.host)
    street.say(street.host, Settle(street.host.id, str(street.host.tip)))
    street.post(street.host)
    fork(street, street.host)
    street.host = rotate(street, street.host, "host's second")
    street.post(street.host)


# ---- leaving and removal --------------------------------------------------------------------------


def test_a_removed_member_is_out_and_what_came_after_the_last_valid_record_is_void(street: Street) -> None:
    ann, bob = street.join_all("Ann", "Bob")
    good = street.post(ann)
    bad = street.post(ann, "Spam")
    street.say(street.host, Remove(ann.id, good, "Spam."))
    assert street.state.item(good).status is Status.VISIBLE  # type: ignore[union-attr]
    assert street.state.item(bad).status is Status.VOID  # type: ignore[union-attr]
    assert not may_read(street.state, ann.key.public)
    assert street.state.count("members") == 2
    with pytest.raises(Removed):
        street.post(ann)
    with pytest.raises(Removed):
        street.say(ann, POST, prev=good, created_s=NOON_S - DAY_S)  # however it is dated
    with pytest.raises(AlreadyDone):
        street.say(street.host, Remove(ann.id, good, "Again."))
    with pytest.raises(NotAllowed):
        street.say(bob, Remove(bob.id, bob.id, ""))
    with pytest.raises(WrongTarget):
        street.say(street.host, Remove(street.host.id, street.host.id, ""))
    with pytest.raises(UnknownTarget):
        street.say(street.host, Remove(seed("x").hex(), good, ""))


def test_a_removed_moderators_decisions_are_void(street: Street) -> None:
    ann, bob = street.join_all("Ann", "Bob")
    street.say(street.host, Role(ann.id, RoleName.MODERATOR))
    post = street.post(bob)
    street.moderate(ann, post, Action.REMOVE)
    assert street.state.item(post).status is Status.REMOVED  # type: ignore[union-attr]
    street.say(street.host, Remove(ann.id, ann.id, "Censorship."))
    assert street.state.item(post).status is Status.VISIBLE  # type: ignore[union-attr]
    assert street.state.count("moderators") == 0


def test_a_removed_members_flags_and_appeals_are_void(street: Street) -> None:
    ann, bob, cy, di = street.join_all("Ann", "Bob", "Cy", "Di")
    post, own = street.post(bob), street.post(ann)
    for who in (ann, cy, di):
        street.flag(who, post)
    assert street.state.item(post).status is Status.HIDDEN  # type: ignore[union-attr]
    street.moderate(street.host, own, Action.HOLD)
    street.say(ann, Appeal(own, "Why?"))
    street.say(street.host, Remove(ann.id, own, "Brigading."))
    assert street.state.item(post).status is Status.VISIBLE  # type: ignore[union-attr]
    assert street.state.item(own).appeals == ()  # type: ignore[union-attr]


def test_a_member_leaves(street: Street) -> None:
    ann = street.join("Ann")
    post = street.post(ann)
    street.say(ann, Leave())
    assert street.state.item(post).status is Status.VISIBLE  # type: ignore[union-attr]
    with pytest.raises(Removed):
        street.post(ann)
    with pytest.raises(NotAllowed):
        street.say(street.host, Leave())
    with pytest.raises(WrongTarget):
        street.say(street.host, Role(ann.id, RoleName.MODERATOR))


# ---- roles ----------------------------------------------------------------------------------------


def test_the_host_makes_moderators(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = street.join_all("Ann", "Bob")
    post = street.post(bob)
    with pytest.raises(NotAllowed):
        street.moderate(ann, post, Action.HOLD)
    street.say(street.host, Role(ann.id, RoleName.MODERATOR))
    street.moderate(ann, post, Action.HOLD)
    with pytest.raises(AlreadyDone):
        street.say(street.host, Role(ann.id, RoleName.MODERATOR))
    for body in (Role(ann.id, RoleName.AGENCY), Role(street.host.id, RoleName.MEMBER)):
        with pytest.raises(WrongTarget):
            street.say(street.host, body)
    with pytest.raises(UnknownTarget):
        street.say(street.host, Role(seed("x").hex(), RoleName.MODERATOR))
    with pytest.raises(NotAllowed):
        street.say(ann, Role(bob.id, RoleName.MODERATOR))
    monkeypatch.setattr("custom_components.ringwatch.neighborhood.rules_people.MAX_MODERATORS", 1)
    assert MAX_MODERATORS > 1
    with pytest.raises(LimitReached):
        street.say(street.host, Role(bob.id, RoleName.MODERATOR))
    street.say(street.host, Role(ann.id, RoleName.MEMBER))
    with pytest.raises(NotAllowed):
        street.moderate(ann, post, Action.RESTORE)


# ---- agencies -------------------------------------------------------------------------------------


def alert(street: Street, who: Neighbor, valid_s: int = 3_600) -> str:
    body = replace(POST, happened=Span(street.now_s, street.now_s))
    street.say(who, Alert(body, street.now_s + valid_s))
    return street.last


def test_an_officer_alerts_as_long_as_the_agency_vouches(street: Street) -> None:
    ann = street.join("Ann")
    agency = enrol(street)
    who = officer(street, agency)
    item = street.state.item(alert(street, who))
    assert item is not None
    assert (item.type, item.valid_until_s) == (Type.ALERT, street.now_s + 3_600)
    street.comment(ann, item.id)
    street.comment(who, item.id)
    assert may_read(street.state, who.key.public)
    assert may_read(street.state, agency.key.public)
    for author in (ann, agency):
        with pytest.raises(NotAllowed):
            alert(street, author)
    for body in (Officer(OfficerAction.CERTIFY, key("x").public, "x", street.now_s + 60), Leave(), profile()):
        with pytest.raises(NotAllowed):
            street.say(who, body)
    with pytest.raises(BadField):
        alert(street, who, valid_s=7 * DAY_S + 1)
    with pytest.raises(BadField):
        alert(street, who, valid_s=0)
    street.now_s += 301 * DAY_S
    with pytest.raises(CertificateExpired):
        alert(street, who)
    street.say(agency, Officer(OfficerAction.CERTIFY, who.key.public, "Badge 12", street.now_s + DAY_S))
    alert(street, who)
    street.say(agency, Officer(OfficerAction.REVOKE, who.key.public, "Badge 12", street.now_s))
    with pytest.raises(Removed):
        alert(street, who)
    assert [subject.id for subject in street.state.subjects(Kind.OFFICER)] == [who.id]


def test_an_agency_vouches_for_its_own_officers_only(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = street.join("Ann")
    agency = enrol(street)
    who = officer(street, agency)
    with pytest.raises(KeyTaken):
        officer(street, agency, "Ann")
    with pytest.raises(BadField):
        officer(street, agency, "other", days=401)
    with pytest.raises(BadField):
        officer(street, agency, "other", days=0)
    other = enrol(street, "agency 2", domain="sheriff.example.gov")
    with pytest.raises(KeyTaken):
        officer(street, other)
    for public in (who.key.public, ann.key.public, key("nobody").public):
        with pytest.raises(UnknownTarget):
            street.say(other, Officer(OfficerAction.REVOKE, public, "x", street.now_s))
    street.say(agency, Officer(OfficerAction.REVOKE, who.key.public, "x", street.now_s))
    with pytest.raises(AlreadyDone):
        street.say(agency, Officer(OfficerAction.REVOKE, who.key.public, "x", street.now_s))
    with pytest.raises(KeyTaken):
        officer(street, agency)
    monkeypatch.setattr("custom_components.ringwatch.neighborhood.rules_people.MAX_OFFICERS", 0)
    with pytest.raises(LimitReached):
        officer(street, agency, "another")


def test_federal_and_immigration_agencies_are_refused(street: Street) -> None:
    for kind in (AgencyKind.FEDERAL, AgencyKind.IMMIGRATION):
        with pytest.raises(AgencyRefused):
            enrol(street, kind=kind)


def test_only_the_host_enrols_agencies(street: Street) -> None:
    ann = street.join("Ann")
    with pytest.raises(NotAllowed):
        street.say(ann, profile())
    with pytest.raises(KeyTaken):
        enrol(street, "Ann")


def test_an_agencys_enrolment_ends_and_comes_back(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    agency = enrol(street)
    who = officer(street, agency)
    street.say(street.host, Role(agency.id, RoleName.NONE))
    assert street.state.count("agencies") == 0
    with pytest.raises(CertificateExpired):
        alert(street, who)
    with pytest.raises(Removed):
        officer(street, agency, "another")
    with pytest.raises(WrongTarget):
        street.say(street.host, Role(agency.id, RoleName.MEMBER))
    street.say(street.host, Role(agency.id, RoleName.AGENCY))
    assert street.state.count("agencies") == 1
    alert(street, who)
    monkeypatch.setattr("custom_components.ringwatch.neighborhood.rules_people.MAX_AGENCIES", 1)
    assert MAX_AGENCIES > 1
    with pytest.raises(LimitReached):
        enrol(street, "agency 2", domain="sheriff.example.gov")
    street.say(street.host, Role(agency.id, RoleName.NONE))
    enrol(street, "agency 2", domain="sheriff.example.gov")
    with pytest.raises(LimitReached):
        street.say(street.host, Role(agency.id, RoleName.AGENCY))


def test_a_warrant_served_on_the_hub_is_told_to_everybody(street: Street) -> None:
    body = LegalDemand(DemandKind.SUBPOENA, "County court", street.now_s, "Nothing.", "Everybody.")
    [told] = street.say(street.host, body)
    assert told.kind is ChangeKind.LEGAL_DEMAND
    with pytest.raises(FromTheFuture):
        street.say(street.host, replace(body, served_s=street.now_s + 601))
    with pytest.raises(NotAllowed):
        street.say(street.join("Ann"), body)


def test_a_join_carries_what_every_reader_can_check(street: Street) -> None:
    body = join_body(street.invite("Ann"), key("Ann"), "Ann")
    assert isinstance(body, Join)
    assert body.invite.is_genuine
    assert not replace(body.invite, replaces=Replaced(seed("x").hex(), seed("y").hex())).is_genuine
