"""Whatever is said, forged, repeated, dated back or forked: every reader comes to the hub's state."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings, strategies as st

from custom_components.ringwatch.neighborhood.apply import advance, supply
from custom_components.ringwatch.neighborhood.bodies import (
    Appeal,
    Comment,
    Leave,
    Remove,
    Role,
    Settle,
    Withdraw,
)
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.people import RoleName
from custom_components.ringwatch.neighborhood.certificates import Replaced
from custom_components.ringwatch.neighborhood.envelope import Record
from custom_components.ringwatch.neighborhood.invites import replace_body, rotate_body
from custom_components.ringwatch.neighborhood.limits import DAY_S
from custom_components.ringwatch.neighborhood.rows import ENDED, Item
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.store import restore, snapshot, state_digest
from custom_components.ringwatch.neighborhood.types import ERASABLE
from custom_components.ringwatch.neighborhood.violations import RecordViolation

from .street import CLIP, Neighbor, Street, key, replay

MOVES = (
    *("post", "post", "comment", "comment", "thank", "flag", "flag", "hold", "remove", "restore", "appeal"),
    *("withdraw", "fork", "settle", "rotate", "replace", "expel", "leave", "promote", "duplicate", "forge"),
    *("back_date", "wait", "wait_long"),
)
PLAYS = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 4), st.integers(0, 7)), max_size=40)


class Play:
    """Moves on a street; what the rules refuse is refused, and the rest is in the order."""

    def __init__(self) -> None:
        self.street = Street()
        self.people = [self.street.host, *self.street.join_all("Ann", "Bob", "Cy", "Di")]
        self.targets: list[str] = []
        self.refused = 0

    def move(self, what: str, who: int, about: int) -> None:
        size = len(self.street.placed)
        digest = state_digest(self.street.store)
        try:
            getattr(self, what)(self.people[who], who, about)
        except RecordViolation:
            self.refused += 1
            assert len(self.street.placed) == size
            assert state_digest(self.street.store) == digest

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

    def wait(self, _: Neighbor, __: int, about: int) -> None:
        self.street.now_s += about * 3_600

    def wait_long(self, _: Neighbor, __: int, about: int) -> None:
        self.street.now_s += about * 5 * DAY_S


def play(moves: list[tuple[str, int, int]]) -> Street:
    game = Play()
    for what, who, about in moves:
        game.move(what, who, about)
    advance(game.street.state, game.street.now_s)
    return game.street


@settings(max_examples=60, deadline=None)
@given(PLAYS)
def test_every_reader_comes_to_the_hubs_state(moves: list[tuple[str, int, int]]) -> None:
    street = play(moves)
    reader = replay(street.placed, time_s=street.now_s)
    assert state_digest(reader.store) == state_digest(street.store)
    assert state_digest(restore(snapshot(street.store))) == state_digest(street.store)


@settings(max_examples=40, deadline=None)
@given(PLAYS, st.data())
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


def items(street: Street) -> list[Item]:
    return [Item.unpack(item_id, row) for item_id, row in street.store.scan("items")]


@settings(max_examples=60, deadline=None)
@given(PLAYS)
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
    members = [state.subject(one.record.id) for one in street.placed]
    active = [member for member in members if member and member.is_active]
    assert state.count("members") == len(active)
    assert state.count("moderators") == sum(member.standing == "moderator" for member in active)
