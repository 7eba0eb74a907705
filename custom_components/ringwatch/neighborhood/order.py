"""The hub's order: a chain of signed entries, one for each record, numbered from 1.

    head = SHA-256(canonical {neighborhood, number, id, time, previous})
    sig  = Ed25519(hub, "ringwatch/order/v1" ‖ head)

A head covers everything before it, so one signature under the last entry covers a whole segment. Limits,
expiry, flags and
removals count by this order and its times, never by what an author says. A checkpoint says "this is my newest
head, now".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
import hashlib
from typing import Final, Self

from .canonical import Json, encode
from .fields import Fields
from .keys import PrivateKey, verify
from .store import History
from .violations import OrderBroken, OrderForked, OrderGap, OrderRewound, OrderUnsigned, TimeBackwards

ORDER_CONTEXT: Final = "ringwatch/order/v1"
CHECKPOINT_CONTEXT: Final = "ringwatch/checkpoint/v1"
MAX_AHEAD_S: Final = 600  # how far ahead of the reader's clock a hub's time may be


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader is in the order: after this entry. Number 0 is before the founding."""

    number: int = 0
    head: str | None = None
    time_s: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One record's place in the order."""

    neighborhood: str
    number: int
    id: str
    time_s: int
    previous: str | None
    sig: str | None  # None inside a segment, where the last one's signature covers it
    head: str = field(init=False)

    def __post_init__(self) -> None:
        signed: dict[str, Json] = {
            "neighborhood": self.neighborhood,
            "number": self.number,
            "id": self.id,
            "time": self.time_s,
            "previous": self.previous,
        }
        object.__setattr__(self, "head", hashlib.sha256(encode(signed)).hexdigest())

    @classmethod
    def parse(cls, value: Json, neighborhood: str) -> Self:
        """Read it. Raise BadField."""
        fields = Fields(value, "entry")
        found = cls(
            neighborhood,
            fields.integer("number", 1),
            fields.digest("id"),
            fields.time("time"),
            fields.optional("previous", fields.digest),
            fields.optional("sig", fields.signature),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "number": self.number,
            "id": self.id,
            "time": self.time_s,
            "previous": self.previous,
            "sig": self.sig,
        }

    @property
    def position(self) -> Position:
        """Where a reader is who has read this one."""
        return Position(self.number, self.head, self.time_s)

    def is_signed_by(self, hub_key: str) -> bool:
        """Return whether the hub has signed this entry itself."""
        return self.sig is not None and verify(hub_key, ORDER_CONTEXT, bytes.fromhex(self.head), self.sig)


def next_entry(hub: PrivateKey, neighborhood: str, record_id: str, time_s: int, after: Position) -> Entry:
    """Give a record the next place. A clock that went back doesn't take the order's times back."""
    blank = Entry(neighborhood, after.number + 1, record_id, max(time_s, after.time_s), after.head, None)
    return replace(blank, sig=hub.sign(ORDER_CONTEXT, bytes.fromhex(blank.head)))


def verify_chain(
    entries: Sequence[Entry], *, neighborhood: str, hub_key: str, after: Position, now_s: int
) -> Position:
    """Check that entries follow what was read before; return where that leads. Raise HubViolation."""
    at = after
    for entry in entries:
        if entry.number != at.number + 1:
            raise OrderGap(f"entry {at.number + 1} is missing, {entry.number} came")
        if entry.neighborhood != neighborhood or entry.previous != at.head:
            raise OrderBroken(f"entry {entry.number} doesn't follow the one before it")
        if entry.time_s < at.time_s:
            raise TimeBackwards(f"entry {entry.number} is dated before the one before it")
        if entry.sig is not None and not entry.is_signed_by(hub_key):
            raise OrderUnsigned(f"entry {entry.number} is not signed by the hub")
        at = entry.position
    if entries and entries[-1].sig is None:
        raise OrderUnsigned(f"entry {at.number}, the last one, has no signature")
    if at.time_s > now_s + MAX_AHEAD_S:
        raise TimeBackwards(f"entry {at.number} is dated {at.time_s - now_s} s ahead of the clock here")
    return at


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The hub's newest head at a moment, signed."""

    neighborhood: str
    number: int
    head: str
    time_s: int
    sig: str

    @classmethod
    def parse(cls, value: Json, neighborhood: str) -> Self:
        """Read it. Raise BadField."""
        fields = Fields(value, "checkpoint")
        found = cls(
            neighborhood,
            fields.integer("number", 1),
            fields.digest("head"),
            fields.time("time"),
            fields.signature("sig"),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"number": self.number, "head": self.head, "time": self.time_s, "sig": self.sig}

    def is_signed_by(self, hub_key: str) -> bool:
        """Return whether the hub has signed it."""
        return verify(hub_key, CHECKPOINT_CONTEXT, self._digest(), self.sig)

    def _digest(self) -> bytes:
        signed: dict[str, Json] = {
            "neighborhood": self.neighborhood,
            "number": self.number,
            "head": self.head,
            "time": self.time_s,
        }
        return hashlib.sha256(encode(signed)).digest()


def sign_checkpoint(hub: PrivateKey, neighborhood: str, number: int, head: str, time_s: int) -> Checkpoint:
    """Say which head is the newest."""
    blank = Checkpoint(neighborhood, number, head, time_s, "")
    return replace(blank, sig=hub.sign(CHECKPOINT_CONTEXT, blank._digest()))


def verify_checkpoint(
    checkpoint: Checkpoint, *, neighborhood: str, hub_key: str, at: Position, history: History, newest_s: int
) -> None:
    """Compare what the hub says now with what this reader has.

    `newest_s` is the time of the last checkpoint that was seen. Raise OrderUnsigned, OrderRewound (older than
    what was shown before) or OrderForked (another order).
    """
    if checkpoint.neighborhood != neighborhood or not checkpoint.is_signed_by(hub_key):
        raise OrderUnsigned("a checkpoint is not signed by the hub")
    if checkpoint.number < at.number:
        raise OrderRewound(f"the hub is at {checkpoint.number}, it was at {at.number} before")
    if checkpoint.number == at.number and checkpoint.head != at.head:
        raise OrderForked(f"entry {at.number} is another one than this home was shown")
    if checkpoint.time_s < newest_s:
        raise OrderRewound("a checkpoint is older than one seen before")
    if history.number_of(checkpoint.head) not in {None, checkpoint.number}:
        raise OrderForked("a head stands at two places")


type Signed = Entry | Checkpoint


def contradict(a: Signed, b: Signed, hub_key: str) -> bool:
    """Return whether a hub signed two heads for one number: proof that it forks, whoever shows it."""
    return (
        a.neighborhood == b.neighborhood
        and a.number == b.number
        and a.head != b.head
        and a.is_signed_by(hub_key)
        and b.is_signed_by(hub_key)
    )
