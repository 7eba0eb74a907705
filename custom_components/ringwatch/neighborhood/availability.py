"""What is behind the question "did anybody record?": homes answer it together, and nobody learns of any one.

Each home on a roster that was fixed before has one bit: whether a camera in the cells recorded in the hours.
It adds its share of the noise, and masks that it has agreed on with each other home and that cancel in the
sum. The hub learns the noisy sum only, and says "likely" or "not enough". One missing home: no sum.

The shares are differences of two Polya variables with parameter 1/n: n of them add up to two-sided geometric
noise with the parameter e^-epsilon (Goryczka and Xiong, 2017). The masks are those of Bonawitz and others
(2017), without its recovery of homes that drop out: then there is no answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import hashlib
import math
from random import Random
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .canonical import Json, encode
from .fields import Fields
from .geometry import Polygon, contains
from .keys import PrivateKey, verify
from .places import STEP_E6, Place, width_e6
from .violations import BadField

EPSILON: Final = 1.0
ALPHA: Final = math.exp(-EPSILON)
LIKELY: Final = 5  # a noisy count of so many, or more
MIN_ROSTER: Final = 10
MAX_ROSTER: Final = 500  # each agrees on a mask with each
MEMBER_S: Final = 30 * 86_400  # a home is a member for so long before it is on a roster
ANSWERS: Final = 4  # of one home
ANSWERS_IN_S: Final = 30 * 86_400
HOUR_S: Final = 3_600
CELL_E6: Final = 2_840  # 316 m: a cell has 0.1 square kilometers
MAX_CELLS: Final = 64  # the largest area that may be asked for touches some 30
MODULUS: Final = 2**64  # sums of a few thousand are far from it

OPT_IN_CONTEXT: Final = "ringwatch/availability/v1"
_KEY_INFO: Final = b"ringwatch/availability-key/v1"
_MASK_INFO: Final = b"ringwatch/availability-mask/v1"

type Cell = tuple[int, int]  # row from the equator, column from the meridian, of that row's width


def cells_of(area: Polygon) -> tuple[Cell, ...]:
    """Return the cells of the fixed grid whose middles lie in an area; of a slim one, that of its corners."""
    rows = [corner.lat_e6 // CELL_E6 for corner in area]
    found: set[Cell] = set()
    for row in range(min(rows), max(rows) + 1):
        width = _width(row)
        columns = [corner.lon_e6 // width for corner in area]
        for column in range(min(columns), max(columns) + 1):
            if contains(area, _middle((row, column))):
                found.add((row, column))
    return tuple(sorted(found or {cell_of(corner) for corner in area}))


def cell_of(place: Place) -> Cell:
    """Return the cell that a place is in."""
    row = place.lat_e6 // CELL_E6
    return row, place.lon_e6 // _width(row)


def hours_of(start_s: int, end_s: int) -> tuple[int, ...]:
    """Return the whole hours (since 1970, UTC) that a window touches."""
    return tuple(range(start_s // HOUR_S, (max(start_s, end_s - 1)) // HOUR_S + 1))


def _width(row: int) -> int:
    return width_e6(row * CELL_E6 + CELL_E6 // 2) * CELL_E6 // STEP_E6


def _middle(cell: Cell) -> Place:
    row, column = cell
    width = _width(row)
    return Place(row * CELL_E6 + CELL_E6 // 2, column * width + width // 2)


@dataclass(frozen=True, slots=True)
class OptIn:
    """A home takes part, with a key for masks that its own key has signed."""

    member: str  # its key in the neighborhood
    key: str  # X25519, for masks
    sig: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation for what its member hasn't signed."""
        fields = Fields(value, "availability")
        found = cls(fields.key("member"), fields.digest("key"), fields.signature("sig"))
        fields.end()
        if not verify(found.member, OPT_IN_CONTEXT, bytes.fromhex(found.key), found.sig):
            raise BadField("availability.sig: not this member's")
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"member": self.member, "key": self.key, "sig": self.sig}


def opt_in(member: PrivateKey) -> OptIn:
    """Return a home's consent. The key for masks follows from the home's own."""
    key = _mask_key(member).public_key().public_bytes_raw().hex()
    return OptIn(member.public, key, member.sign(OPT_IN_CONTEXT, bytes.fromhex(key)))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of whom. Its digest is in every mask: no share fits into another question's sum."""

    neighborhood: str
    request: str
    cells: tuple[Cell, ...]
    hours: tuple[int, ...]
    roster: tuple[OptIn, ...]  # by member key
    closes_s: int

    @classmethod
    def parse(cls, value: Json, neighborhood: str) -> Self:
        """Read one. Raise RecordViolation."""
        fields = Fields(value, "question")
        found = cls(
            neighborhood,
            fields.digest("request"),
            tuple(_cell(cell) for cell in fields.items("cells", 1, MAX_CELLS)),
            tuple(_hour(hour) for hour in fields.items("hours", 1, 24)),
            tuple(OptIn.parse(one) for one in fields.items("roster", MIN_ROSTER, MAX_ROSTER)),
            fields.time("closes"),
        )
        fields.end()
        members = [one.member for one in found.roster]
        if members != sorted(set(members)) or len({one.key for one in found.roster}) != len(members):
            raise BadField("question.roster: in order, each once")
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "request": self.request,
            "cells": [list(cell) for cell in self.cells],
            "hours": list(self.hours),
            "roster": [one.to_json() for one in self.roster],
            "closes": self.closes_s,
        }

    @property
    def digest(self) -> bytes:
        """Everything that a home agrees to."""
        return hashlib.sha256(encode({**self.to_json(), "neighborhood": self.neighborhood})).digest()

    def overlaps(self, cells: Sequence[Cell], hours: Sequence[int]) -> bool:
        """Tell whether it asks again about a place and a time that were asked about."""
        return not (set(self.cells).isdisjoint(cells) or set(self.hours).isdisjoint(hours))


def share_of(question: Question, member: PrivateKey, recorded: bool, random: Random) -> int:
    """Return what a home sends: its bit, its share of the noise, its masks. `random`: the system's."""
    noise = noise_share(len(question.roster), random)
    return (int(recorded) + noise + _masks(question, member)) % MODULUS


def noise_share(homes: int, random: Random) -> int:
    """Return one home's share of the noise that `homes` of them add up to."""
    return _polya(1 / homes, random) - _polya(1 / homes, random)


def noisy_count(shares: Sequence[int]) -> int:
    """Return what the shares of a whole roster add up to."""
    total = sum(shares) % MODULUS
    return total - MODULUS if total >= MODULUS // 2 else total


def is_likely(shares: Sequence[int]) -> bool:
    """Return the one thing that is told of a count."""
    return noisy_count(shares) >= LIKELY


def likely_probability(recorded: int) -> float:
    """Return how probable "likely" is if so many homes recorded: for the documentation, and its tests."""
    steps = LIKELY - recorded
    tail = ALPHA ** abs(steps) / (1 + ALPHA)
    return tail if steps > 0 else 1 - tail * ALPHA


def _polya(r: float, random: Random) -> int:
    """Return a Polya (negative binomial) variable: a Poisson one whose mean is a gamma variable."""
    return _poisson(random.gammavariate(r, ALPHA / (1 - ALPHA)), random)


def _poisson(mean: float, random: Random) -> int:
    """Return a Poisson variable: events of a unit rate until `mean` is used up."""
    count, passed = 0, random.expovariate(1.0)
    while passed < mean:
        count += 1
        passed += random.expovariate(1.0)
    return count


def _mask_key(member: PrivateKey) -> X25519PrivateKey:
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=_KEY_INFO).derive(member.seed)
    return X25519PrivateKey.from_private_bytes(seed)


def _masks(question: Question, member: PrivateKey) -> int:
    """Return the sum of the masks with all others: added by the one of a pair, taken off by the other."""
    own, digest, total = _mask_key(member), question.digest, 0
    for other in question.roster:
        if other.member == member.public:
            continue
        try:
            secret = own.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(other.key)))
        except ValueError as error:  # a point of low order: everybody would know the secret
            raise BadField("availability.key: no key") from error
        derived = HKDF(algorithm=SHA256(), length=8, salt=digest, info=_MASK_INFO).derive(secret)
        mask = int.from_bytes(derived, "big")
        total += mask if member.public < other.member else -mask
    return total


def _cell(value: Json) -> Cell:
    match value:
        case [int() as row, int() as column] if not isinstance(row, bool) and not isinstance(column, bool):
            return row, column
    raise BadField("question.cells: row and column")


def _hour(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32:
        return value
    raise BadField("question.hours: hours since 1970")
