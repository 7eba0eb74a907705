"""Agreements between an agency and a neighborhood: all of their words, and how many households came by them.

Totals are told in steps of 20, and never who.
"""

from dataclasses import dataclass
import re
from typing import ClassVar, Final, Self

from ..canonical import Json
from ..fields import Fields
from ..types import Type
from ..violations import BadField

MAX_AGREEMENT: Final = 8_000
MAX_SEED_CAMERAS: Final = 25
HOUSEHOLDS_STEP: Final = 20  # so many that nobody can be picked out; one camera more for each
MAX_HOUSEHOLDS: Final = 25_000
_CODE: Final = re.compile(r"[A-Z0-9]{4,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Partnership:
    """What an agency offers a neighborhood, in full."""

    TYPE: ClassVar[Type] = Type.PARTNERSHIP
    terms: str
    code: str  # what a household enters when it joins
    seed_cameras: int
    replaces: str | None  # the agreement before it

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "partnership")
        found = cls(
            terms=fields.text("terms", MAX_AGREEMENT, lines=True, empty=False),
            code=fields.string("code"),
            seed_cameras=fields.integer("seed_cameras", 0, MAX_SEED_CAMERAS),
            replaces=fields.optional("replaces", fields.digest),
        )
        fields.end()
        if not _CODE.fullmatch(found.code):
            raise BadField("partnership.code: 4 to 12 capital letters and digits")
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "terms": self.terms,
            "code": self.code,
            "seed_cameras": self.seed_cameras,
            "replaces": self.replaces,
        }


@dataclass(frozen=True, slots=True)
class PartnershipCount:
    """How many households have redeemed the code, in steps, and how many cameras were given away."""

    TYPE: ClassVar[Type] = Type.PARTNERSHIP_COUNT
    partnership: str
    households: int
    cameras_given: int

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "partnership_count")
        most = MAX_SEED_CAMERAS + MAX_HOUSEHOLDS // HOUSEHOLDS_STEP
        found = cls(
            partnership=fields.digest("partnership"),
            households=fields.integer("households", 0, MAX_HOUSEHOLDS),
            cameras_given=fields.integer("cameras_given", 0, most),
        )
        fields.end()
        if found.households % HOUSEHOLDS_STEP:
            raise BadField("partnership_count.households: in steps of 20")
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "partnership": self.partnership,
            "households": self.households,
            "cameras_given": self.cameras_given,
        }
