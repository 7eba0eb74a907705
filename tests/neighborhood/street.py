"""A street for tests: a hub in memory, neighbors who sign, keys from seeds, a clock that is moved."""

from dataclasses import dataclass, replace
import hashlib
from typing import Any

from custom_components.ringwatch.neighborhood.apply import advance, apply
from custom_components.ringwatch.neighborhood.bodies import (
    Body,
    Comment,
    Flag,
    Founding,
    Moderation,
    Post,
    Thanks,
)
from custom_components.ringwatch.neighborhood.bodies.care import Action, FlagReason
from custom_components.ringwatch.neighborhood.bodies.feed import Category, Media, MediaType, Span
from custom_components.ringwatch.neighborhood.bodies.people import Mode
from custom_components.ringwatch.neighborhood.changes import Change
from custom_components.ringwatch.neighborhood.envelope import Record, sign_record
from custom_components.ringwatch.neighborhood.invites import Invite, create_invite, join_body
from custom_components.ringwatch.neighborhood.keys import PrivateKey
from custom_components.ringwatch.neighborhood.order import Checkpoint, Entry, next_entry, sign_checkpoint
from custom_components.ringwatch.neighborhood.places import Place, snap
from custom_components.ringwatch.neighborhood.rules import Verdict, check
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.state import State
from custom_components.ringwatch.neighborhood.store import MemoryHistory, MemoryStore, Overlay, RecordPlace

NOON_S = 1_780_000_000
CENTER = snap(33_306_000, -111_841_000)  # Chandler, Arizona
URL = "https://hub.example"
CLIP = Media("ab" * 32, 1_000_000, MediaType.MP4, 12_000, 1280, 720)
PICTURE = Media("cd" * 32, 50_000, MediaType.JPEG, 0, 640, 360)


def seed(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def key(name: str) -> PrivateKey:
    return PrivateKey(seed(name))


HUB = key("hub")


def founding(**changes: Any) -> Founding:
    body = Founding("Maple Street", "Host", CENTER, 1_609, HUB.public, Mode.AFTER, 30, 14, "Be kind.")
    return replace(body, **changes)


@dataclass
class Neighbor:
    """Somebody who signs: a key, and the last record signed with it."""

    key: PrivateKey
    id: str = ""
    tip: str | None = None


class Street:
    """A hub without a network, and those who write to it."""

    def __init__(self, store: MemoryStore | None = None, **changes: Any) -> None:
        self.now_s = NOON_S
        self.store = store or MemoryStore()
        self.history = MemoryHistory()
        self.state = State(self.store, self.history)
        self.placed: list[Placed] = []
        self.salts = 0
        self.told: list[Change] = []
        self.host = Neighbor(key("host"))
        self.id: str | None = None
        [*_] = self.say(self.host, founding(**changes))
        self.id = self.host.id = self.placed[0].record.id

    def sign(self, who: Neighbor, body: Body, **changes: Any) -> Record:
        self.salts += 1
        fields: dict[str, Any] = {
            "neighborhood": self.id,
            "created_s": self.now_s,
            "prev": who.tip,
            "head": self.state.position.head,
            "salt": hashlib.sha256(str(self.salts).encode()).digest()[:16],
        } | changes
        return sign_record(who.key, body, **fields)

    def admit(self, record: Record) -> tuple[Change, ...]:
        """Do what a hub does: check, number, sign, keep."""
        trial = Overlay(self.store)
        state = State(trial, self.history)
        changes = advance(state, self.now_s)
        self.verdict = check(record, state, self.now_s)
        entry = next_entry(HUB, self.id or record.id, record.id, self.now_s, state.position)
        changes += apply(record, state, entry, complete=True)
        trial.commit()
        self.told += changes
        self.note(record, entry)
        self.placed.append(Placed(entry, record))
        return changes

    def note(self, record: Record, entry: Entry) -> None:
        place = RecordPlace(entry.number, record.author, record.envelope.prev)
        self.history.add(record.id, place, entry.head)

    def say(self, who: Neighbor, body: Body, **changes: Any) -> tuple[Change, ...]:
        """Sign something and have it admitted."""
        record = self.sign(who, body, **changes)
        told = self.admit(record)
        if self.verdict is Verdict.ACCEPT:
            who.tip = record.id
        self.last = record.id
        return told

    def invite(self, name: str, **changes: Any) -> Invite:
        fields: dict[str, Any] = {
            "neighborhood": self.id,
            "hub_key": HUB.public,
            "url": URL,
            "now_s": self.now_s,
            "seed": seed(f"invite {name}"),
        } | changes
        return create_invite(self.host.key, **fields)

    def join(self, name: str) -> Neighbor:
        who = Neighbor(key(name))
        self.say(who, join_body(self.invite(name), who.key, name))
        who.id = self.last
        return who

    def join_all(self, *names: str) -> list[Neighbor]:
        return [self.join(name) for name in names]

    def post(self, who: Neighbor, title: str = "A fox", **changes: Any) -> str:
        body = Post(Category.ANIMAL, title, "Seen by the bins.", CENTER, Span(self.now_s - 60, self.now_s))
        self.say(who, replace(body, **changes))
        return self.last

    def comment(self, who: Neighbor, post: str, text: str = "Here too.") -> str:
        self.say(who, Comment(post, text))
        return self.last

    def thank(self, who: Neighbor, target: str) -> str:
        self.say(who, Thanks(target))
        return self.last

    def flag(self, who: Neighbor, target: str) -> str:
        self.say(who, Flag(target, FlagReason.PRIVACY, ""))
        return self.last

    def moderate(self, who: Neighbor, target: str, action: Action) -> str:
        self.say(who, Moderation(target, action, "The rules."))
        return self.last

    def checkpoint(self) -> Checkpoint:
        at = self.state.position
        return sign_checkpoint(HUB, str(self.id), at.number, str(at.head), self.now_s)


def replay(placed: list[Placed], *, time_s: int | None = None) -> State:
    """Bring records into a new state, as a reader does."""
    history = MemoryHistory()
    state = State(MemoryStore(), history)
    for one in placed:
        apply(one.record, state, one.entry)
        place = RecordPlace(one.entry.number, one.record.author, one.record.envelope.prev)
        history.add(one.record.id, place, one.entry.head)
    if time_s is not None:
        advance(state, time_s)
    return state


def beside(place: Place, north_m: int = 0, east_m: int = 0) -> Place:
    """Return the cell so many metres away, roughly."""
    return snap(place.lat_e6 + north_m * 9, place.lon_e6 + east_m * 11)
