"""Who gives, and who is given to."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..neighborhood.text import clean

MAX_NAME: Final = 80
MAX_ADDRESS: Final = 200


class IdentityKind(StrEnum):
    """What the owner wants to be known as."""

    ANONYMOUS = "anonymous"
    NAME = "name"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the package says of who gives it. Only what was ticked is in it."""

    kind: IdentityKind = IdentityKind.ANONYMOUS
    name: str = ""
    address: str = ""

    @classmethod
    def of(cls, kind: str, name: str = "", address: str = "") -> Identity:
        """Return what a person chose, without what the choice leaves out. Raise ValueError."""
        chosen = IdentityKind(kind)
        found = cls(
            chosen,
            clean(name, MAX_NAME) if chosen is not IdentityKind.ANONYMOUS else "",
            clean(address, MAX_ADDRESS) if chosen is IdentityKind.ADDRESS else "",
        )
        if (chosen is not IdentityKind.ANONYMOUS and not found.name) or (
            chosen is IdentityKind.ADDRESS and not found.address
        ):
            raise ValueError("a name, and for an address the address, is missing")
        return found


@dataclass(frozen=True, slots=True)
class Recipient:
    """The agency that is answered, and what it promised, when the owner looked.

    An answer is confirmed for this. If anything of it has changed by the time of release, the owner looks
    again.
    """

    agency_id: str  # of its record
    name: str
    domain: str
    key: str
    age_recipient: str
    retention_days: int
    sharing: str
    face_recognition: str
