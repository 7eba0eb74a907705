"""Whatever is said, forged, repeated, dated back or forked: every reader comes to the hub's state."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, override

from hypothesis import given, settings, strategies as st

from custom_components.ringwatch.neighborhood.apply import advance, supply
from custom_components.ringwatch.neighborhood.bodies import (
    Appeal,
    Availability,
    Close,
    Comment,
    Extension,
    Leave,
    Officer,
    PartnershipCount,
    Reminder,
    Remove,
    Role,
    Settle,
    Withdraw,
)
from custom_components.ringwatch.neighborhood.bodies.agencies import OfficerAction, sign_profile
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.people import RoleName
from custom_components.ringwatch.neighborhood.bodies.requests import Answer, Outcome
from custom_components.ringwatch.neighborhood.certificates import Replaced
from custom_components.ringwatch.neighborhood.changes import Change, ChangeKind
from custom_components.ringwatch.neighborhood.envelope import Record
from custom_components.ringwatch.neighborhood.invites import replace_body, rotate_body
from custom_components.ringwatch.neighborhood.limits import DAY_S
from custom_components.ringwatch.neighborhood.rows import ENDED, Item, Kind
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.store import restore, snapshot, state_digest
from custom_components.ringwatch.neighborhood.types import ERASABLE
from custom_components.ringwatch.neighborhood.violations import RecordViolation

from .agencies import OTHER_RECIPIENT, RECIPIENT, ask, details, enrol, officer, partnership, profile
from .street import CLIP, HUB, Neighbor, Street, key, replay

MOVES = (
    *("post", "post", "comment", "comment", "thank", "flag", "flag", "hold", "remove", "restore", "appeal"),
    *("withdraw", "fork", "settle", "rotate", "replace", "expel", "leave", "promote", "duplicate", "forge"),
    *("back_date", "wait", "wait_long"),
)
# What officers do, what becomes of it, and of their agency
ASKING = (
    *("ask", "ask", "ask", "release", "release", "refuse", "extend", "remind", "close", "availability"),
    *("hold", "remove", "restore", "flag", "flag", "flag", "appeal_request", "leave_details", "wait"),
)
RARELY = (
    *("suspend", "reinstate", "reinstate", "amend", "rekey", "revoke", "fork_officer", "settle_officer"),
    *("certify", "agree", "count", "wait_for_months"),
)
ALL_MOVES = MOVES + 3 * ASKING + RARELY
PLAYS = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 4), st.integers(0, 7)), max_size=40)
ASKED = st.lists(st.tuples(st.sampled_from(ALL_MOVES), st.integers(0, 4), st.integers(0, 7)), max_size=50)


class Watched(Street):
    """A street where what is refused leaves nothing behind."""

    @override
    def admit(self, record: Record) -> tuple[Change, ...]:
        size, digest = len(self.placed), state_digest(self.store)
        try:
            return super().admit(record)
        except RecordViolation:
            assert (len(self.placed), state_digest(self.store)) == (size, digest)
            raise


class Play:
    """Moves on a street; what the rules refuse is refused, and the rest is in the order."""

    def __init__(self) -> None:
        self.street = Watched()
        self.people = [self.street.host, *self.street.join_all("Ann", "Bob", "Cy", "Di")]
        self.targets: list[str] = []
        self.keys = 0
        self.agency: Neighbor | None = None
        self.officers: list[Neighbor] = []
        self.requests: list[str] = []

    def move(self, what: str, who: int, about: int) -> None:
        with suppress(RecordViolation):
            getattr(self, what)(self.people[who], who, about)

    def target(self, about: int) -> str:
        return self.targets[about % len(self.targets)] if self.targets else "00" * 32

    def post(self, who: Neighbor, _: int, about: int) -> None:
        self.targets.append(self.street.post(who, media=(CLIP,) if about % 2 else ()))

    def comment(self, who: Neighbor, _: int, about: int) -> None:
        self.targets.append(self.street.comment(who, self.target(about)))

    def thank(self, who: Neighbor, _: int, about: int) -> None:
        self.street.thank(who, self.target(about))

    def flag(self, who: Neighbor, _: int, about: int) -> None:
        self.street.flag(who, self.target(about))

    def hold(self, who: Neighbor, _: int, about: int) -> None:
        self.street.moderate(who, self.target(about), Action.HOLD)

    def remove(self, who: Neighbor, _: int, about: int) -> None:
        self.street.moderate(who, self.target(about), Action.REMOVE)

    def restore(self, who: Neighbor, _: int, about: int) -> None:
        self.street.moderate(who, self.target(about), Action.RESTORE)

    def appeal(self, who: Neighbor, _: int, about: int) -> None:
        self.street.say(who, Appeal(self.target(about), "Why?"))

    def withdraw(self, who: Neighbor, _: int, about: int) -> None:
        self.street.say(who, Withdraw(self.target(about)))

    def own(self, who: Neighbor, about: int) -> str:
        """Return one of somebody's records."""
        mine = [one.record.id for one in self.street.placed if one.record.author == who.key.public]
        return mine[-1 - about % len(mine)] if mine else str(who.tip)

    def fork(self, who: Neighbor, _: int, about: int) -> None:
        self.street.say(who, Leave(), prev=self.own(who, about + 1))

    def settle(self, _: Neighbor, index: int, about: int) -> None:
        who = self.people[index]
        last = self.own(who, about)
        self.street.say(self.street.host, Settle(who.id, last))
        if index:
            who.tip = last

    def rotate(self, who: Neighbor, index: int, _: int) -> None:
        new = key(f"rotated {len(self.street.placed)}")
        self.street.say(who, rotate_body(new, who.key.public, str(self.street.id)))
        self.people[index] = Neighbor(new, who.id, self.street.last)
        if index == 0:
            self.street.host = self.people[0]

    def replace(self, who: Neighbor, index: int, about: int) -> None:
        name = f"replaced {len(self.street.placed)}"
        new = Neighbor(key(name), who.id)
        invite = self.street.invite(name, replaces=Replaced(who.id, self.own(who, about)))
        self.street.say(new, replace_body(invite, new.key))
        self.people[index] = new

    def expel(self, who: Neighbor, _: int, about: int) -> None:
        self.street.say(self.street.host, Remove(who.id, self.own(who, about), ""))

    def leave(self, who: Neighbor, _: int, __: int) -> None:
        self.street.say(who, Leave())

    def promote(self, who: Neighbor, _: int, about: int) -> None:
        role = RoleName.MODERATOR if about % 2 else RoleName.MEMBER
        self.street.say(self.street.host, Role(who.id, role))

    def duplicate(self, _: Neighbor, __: int, about: int) -> None:
        self.street.admit(self.street.placed[about % len(self.street.placed)].record)

    def forge(self, who: Neighbor, index: int, about: int) -> None:
        """Sign with another key what says that it is somebody else's."""
        record = self.street.sign(self.people[(index + 1) % 5], Leave(), prev=who.tip)
        envelope = replace(record.envelope, author=who.key.public)
        self.street.admit(Record.from_wire(record.to_wire() | {"envelope": envelope.to_json()}))

    def back_date(self, who: Neighbor, _: int, about: int) -> None:
        self.street.say(who, Comment(self.target(about), "Long ago."), created_s=about)

    # ---- officers ---------------------------------------------------------------------------------

    def enrolled(self) -> Neighbor:
        if self.agency is None:
            self.agency = enrol(self.street)
        return self.agency

    def officer(self, index: int) -> Neighbor:
        while len(self.officers) < 2:
            self.officers.append(officer(self.street, self.enrolled(), f"officer {len(self.officers)}"))
        return self.officers[index % 2]

    def request(self, about: int) -> str:
        return self.requests[about % len(self.requests)] if self.requests else "00" * 32

    def ask(self, _: Neighbor, index: int, about: int) -> None:
        case = f"24-{about % 3}"
        self.requests.append(ask(self.street, self.officer(index), case, availability=about % 2 > 0))
        self.targets.append(self.requests[-1])

    def leave_details(self, _: Neighbor, index: int, about: int) -> None:
        self.street.say(self.officer(index), details(f"24-{about % 3}"))

    def release(self, _: Neighbor, __: int, about: int) -> None:
        self.street.moderate(self.street.host, self.request(about), Action.RESTORE)

    def refuse(self, who: Neighbor, _: int, about: int) -> None:
        self.street.moderate(who, self.request(about), Action.REMOVE)

    def extend(self, _: Neighbor, index: int, about: int) -> None:
        self.street.say(self.officer(index), Extension(self.request(about)))

    def remind(self, _: Neighbor, index: int, about: int) -> None:
        self.street.say(self.officer(index), Reminder(self.request(about)))

    def close(self, _: Neighbor, index: int, about: int) -> None:
        self.street.say(self.officer(index), Close(self.request(about), Outcome.SOLVED))

    def appeal_request(self, _: Neighbor, index: int, about: int) -> None:
        self.street.say(self.officer(index), Appeal(self.request(about), "Why?"))

    def availability(self, _: Neighbor, __: int, about: int) -> None:
        self.street.say(Neighbor(HUB), Availability(self.request(about), Answer.LIKELY))

    def suspend(self, _: Neighbor, __: int, ___: int) -> None:
        self.street.say(self.street.host, Role(self.enrolled().id, RoleName.NONE))

    def reinstate(self, _: Neighbor, __: int, ___: int) -> None:
        self.street.say(self.street.host, Role(self.enrolled().id, RoleName.AGENCY))

    def amend(self, _: Neighbor, __: int, about: int) -> None:
        agency = self.enrolled()
        recipient = OTHER_RECIPIENT if about % 2 else RECIPIENT
        changes = {"issued_s": self.street.now_s, "age_recipient": recipient, "replaces": agency.id}
        self.street.say(self.street.host, sign_profile(agency.key, replace(profile(), **changes)))

    def rekey(self, _: Neighbor, __: int, ___: int) -> None:
        self.keys += 1
        agency = self.enrolled()
        self.agency = enrol(self.street, f"agency {self.keys}", replaces=agency.id)

    def certify(self, _: Neighbor, index: int, about: int) -> None:
        expires_s = self.street.now_s + about * 20 * DAY_S
        public = self.officer(index).key.public
        self.street.say(self.enrolled(), Officer(OfficerAction.CERTIFY, public, f"Badge {about}", expires_s))

    def revoke(self, _: Neighbor, index: int, about: int) -> None:
        who = self.officer(index)
        self.street.say(self.enrolled(), Officer(OfficerAction.REVOKE, who.key.public, "x", about))
        self.officers[index % 2] = officer(self.street, self.enrolled(), f"officer {self.street.salts}")

    def fork_officer(self, _: Neighbor, index: int, about: int) -> None:
        who = self.officer(index)
        self.street.say(who, Reminder(self.request(about)), prev=self.own(who, about + 1))

    def settle_officer(self, _: Neighbor, index: int, about: int) -> None:
        who = self.officer(index)
        last = self.own(who, about)
        self.street.say(self.street.host, Settle(who.id, last))
        who.tip = last

    def agree(self, _: Neighbor, __: int, about: int) -> None:
        last = next((row.id for row in self.street.state.partnerships() if not row.replaced), None)
        self.street.say(self.enrolled(), partnership(f"CODE{about}", replaces=last))

    def count(self, _: Neighbor, __: int, about: int) -> None:
        last = next((row.id for row in self.street.state.partnerships() if not row.replaced), "00" * 32)
        self.street.say(self.street.host, PartnershipCount(last, about * 20, about * 4))

    def wait_for_months(self, _: Neighbor, __: int, about: int) -> None:
        self.street.now_s += about * 20 * DAY_S

    def wait(self, _: Neighbor, __: int, about: int) -> None:
        self.street.now_s += about * 3_600

    def wait_long(self, _: Neighbor, __: int, about: int) -> None:
        self.street.now_s += about * 5 * DAY_S


def play(moves: list[tuple[str, int, int]]) -> Street:
    game = Play()
    for what, who, about in moves:
        game.move(what, who, about)
    game.street.told += advance(game.street.state, game.street.now_s)
    return game.street


@settings(max_examples=60, deadline=None)
@given(PLAYS | ASKED)
def test_every_reader_comes_to_the_hubs_state(moves: list[tuple[str, int, int]]) -> None:
    street = play(moves)
    reader = replay(street.placed, time_s=street.now_s)
    assert state_digest(reader.store) == state_digest(street.store)
    assert state_digest(restore(snapshot(street.store))) == state_digest(street.store)


@settings(max_examples=40, deadline=None)
@given(PLAYS | ASKED, st.data())
def test_bodies_that_come_late_lead_to_the_same_items(moves: list[tuple[str, int, int]], data: Any) -> None:
    street = play(moves)
    erasable = [one for one in street.placed if one.record.type in ERASABLE]
    late = {one.record.id for one in erasable if data.draw(st.booleans())}
    bare = [Placed(one.entry, one.record.erased()) if one.record.id in late else one for one in street.placed]
    state = replay(bare, time_s=street.now_s)
    for one in street.placed:
        if state.store.get("waiting", one.record.id) is not None:
            supply(one.record, state)
    living = [item for item in items(street) if item.ended is None and item.parent is None]
    for item in living:
        again = state.item(item.id)
        assert again is not None
        assert (again.status, again.flags, again.thanks) == (item.status, item.flags, item.thanks)
    for table in ("agencies", "requests", "asked", "open", "details", "cases", "partnerships"):
        assert list(state.store.scan(table)) == list(street.store.scan(table)), table


@settings(max_examples=40, deadline=None)
@given(ASKED)
def test_who_comes_after_the_end_has_the_same_requests(moves: list[tuple[str, int, int]]) -> None:
    """What is erased by then was never seen by a late reader, and nothing of it is missing."""
    street = play(moves)
    street.now_s += 200 * DAY_S
    changes = advance(street.state, street.now_s)
    erased = {change.id for change in (*street.told, *changes) if change.kind is ChangeKind.ERASE}
    late = [
        Placed(one.entry, one.record.erased()) if one.record.id in erased else one for one in street.placed
    ]
    state = replay(late, time_s=street.now_s)
    for table in ("agencies", "requests", "asked", "open", "details", "cases", "partnerships"):
        assert list(state.store.scan(table)) == list(street.store.scan(table)), table
    assert not list(state.store.scan("details"))
    assert not list(state.store.scan("cases"))
    assert not list(state.store.scan("open"))
    assert all(one.record.id in erased for one in street.placed if one.record.type == "request_details")


def items(street: Street) -> list[Item]:
    return [Item.unpack(item_id, row) for item_id, row in street.store.scan("items")]


@settings(max_examples=60, deadline=None)
@given(PLAYS | ASKED)
def test_the_tables_agree(moves: list[tuple[str, int, int]]) -> None:
    street = play(moves)
    state = street.state
    for item in items(street):
        below = [type_ for type_, *_ in state.below(item.id)]
        assert item.comments == below.count("comment")
        assert item.thanks == below.count("thanks")
        assert len(item.flags) == below.count("flag")
        assert item.expires_s > street.now_s
        if item.ended in ENDED:
            assert (below, item.media, item.category) == ([], (), "")
    open_ = {str(request) for _, request in state.store.scan("open")}
    for row in state.requests():
        agencies = {agency.root for agency in state.agencies()}
        assert (row.closed_s is None) == (row.outcome is None) == (row.id in open_)
        assert row.agency in agencies
        assert row.closed_s is not None or row.expires_s > street.now_s
        details_row = state.details(row.details)
        assert details_row is None or details_row.request == row.id
    assert {row.id for row in state.requests()} >= open_
    members = [state.subject(one.record.id) for one in street.placed]
    active = [member for member in members if member and member.is_active and member.kind is Kind.MEMBER]
    assert state.count("members") == len(active)
    assert state.count("moderators") == sum(member.standing == "moderator" for member in active)
