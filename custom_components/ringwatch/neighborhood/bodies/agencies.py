"""Agencies and their officers, and what courts ask of a hub."""

from dataclasses import dataclass, replace
from enum import StrEnum
import hashlib
import re
from typing import ClassVar, Final, Self

from ..canonical import Json, encode
from ..fields import Fields, point, point_to_json
from ..geometry import is_simple
from ..keys import PrivateKey, verify
from ..places import Place
from ..types import Type
from ..violations import BadField
from .people import MAX_NAME

MAX_TERMS: Final = 2_000
MAX_CORNERS: Final = 64
MAX_RETENTION_DAYS: Final = 36_525
PROFILE_CONTEXT: Final = "ringwatch/agency/v1"
_AGE_RECIPIENT: Final = re.compile(r"age1[02-9ac-hj-np-z]{58}")  # Bech32
_DOMAIN: Final = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class AgencyKind(StrEnum):
    """What kind of agency it says it is. The last two are refused."""

    MUNICIPAL_POLICE = "municipal_police"
    COUNTY_SHERIFF = "county_sheriff"
    CAMPUS_POLICE = "campus_police"
    TRIBAL_POLICE = "tribal_police"
    STATE_POLICE = "state_police"
    FIRE = "fire"
    FEDERAL = "federal"
    IMMIGRATION = "immigration"


class Sharing(StrEnum):
    """To whom an agency passes on what it is given."""

    NONE = "none"
    COURTS = "courts"
    OTHER_LOCAL = "other_local"
    ANY = "any"


class FaceRecognition(StrEnum):
    """Whether an agency runs face recognition on what it is given."""

    NEVER = "never"
    WITH_WARRANT = "with_warrant"
    USED = "used"


class DemandKind(StrEnum):
    """What a hub was served with."""

    WARRANT = "warrant"
    SUBPOENA = "subpoena"
    COURT_ORDER = "court_order"
    OTHER = "other"


class OfficerAction(StrEnum):
    """What an agency says of an officer's key."""

    CERTIFY = "certify"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency's profile, signed by the agency, that the host has checked in another way.

    `replaces` is the host's word, as agencies have other ids elsewhere: the signature leaves it out.
    """

    TYPE: ClassVar[Type] = Type.AGENCY
    name: str
    key: str
    age_recipient: str
    domain: str
    kind: AgencyKind
    jurisdiction: tuple[Place, ...]  # the corners of a polygon
    retention_days: int
    sharing: Sharing
    face_recognition: FaceRecognition
    terms: str
    replaces: str | None  # the agency here whose profile or key this changes
    issued_s: int = 0  # when the agency signed it: an older profile can't be brought back
    proof: str = "0" * 128  # by the agency's key, over the rest

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "agency")
        corners = fields.items("jurisdiction", 3, MAX_CORNERS)
        found = cls(
            name=fields.text("name", MAX_NAME, empty=False),
            key=fields.key("key"),
            age_recipient=fields.string("age_recipient"),
            domain=fields.string("domain"),
            kind=fields.choice("kind", AgencyKind),
            jurisdiction=tuple(point(Fields(corner, "agency.jurisdiction")) for corner in corners),
            retention_days=fields.integer("retention_days", 0, MAX_RETENTION_DAYS),
            sharing=fields.choice("sharing", Sharing),
            face_recognition=fields.choice("face_recognition", FaceRecognition),
            terms=fields.text("terms", MAX_TERMS, lines=True),
            replaces=fields.optional("replaces", fields.digest),
            issued_s=fields.time("issued"),
            proof=fields.signature("proof"),
        )
        fields.end()
        if not _AGE_RECIPIENT.fullmatch(found.age_recipient):
            raise BadField("agency.age_recipient: not an age recipient")
        if not _DOMAIN.fullmatch(found.domain):
            raise BadField("agency.domain: not a domain in lower-case ASCII")
        if len(set(found.jurisdiction)) != len(found.jurisdiction):
            raise BadField("agency.jurisdiction: the same corner twice")
        if not is_simple(found.jurisdiction):
            raise BadField("agency.jurisdiction: its edges cross or touch")
        return found

    @property
    def profile_digest(self) -> str:
        """What the agency signs: SHA-256 of everything but `proof` and `replaces`."""
        signed = self.to_json()
        del signed["proof"], signed["replaces"]
        return hashlib.sha256(encode(signed)).hexdigest()

    @property
    def is_proved(self) -> bool:
        """Whether the holder of the key has signed this profile."""
        return verify(self.key, PROFILE_CONTEXT, bytes.fromhex(self.profile_digest), self.proof)

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "name": self.name,
            "key": self.key,
            "age_recipient": self.age_recipient,
            "domain": self.domain,
            "kind": self.kind.value,
            "jurisdiction": [point_to_json(corner) for corner in self.jurisdiction],
            "retention_days": self.retention_days,
            "sharing": self.sharing.value,
            "face_recognition": self.face_recognition.value,
            "terms": self.terms,
            "replaces": self.replaces,
            "issued": self.issued_s,
            "proof": self.proof,
        }


def sign_profile(key: PrivateKey, profile: Agency) -> Agency:
    """Return the profile with the agency's signature."""
    profile = replace(profile, key=key.public)
    return replace(profile, proof=key.sign(PROFILE_CONTEXT, bytes.fromhex(profile.profile_digest)))


@dataclass(frozen=True, slots=True)
class Officer:
    """An agency vouches for an officer's key until a day, or no longer."""

    TYPE: ClassVar[Type] = Type.OFFICER
    action: OfficerAction
    key: str
    name: str
    expires_s: int

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "officer")
        found = cls(
            fields.choice("action", OfficerAction),
            fields.key("key"),
            fields.text("name", MAX_NAME, empty=False),
            fields.time("expires"),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"action": self.action.value, "key": self.key, "name": self.name, "expires": self.expires_s}


@dataclass(frozen=True, slots=True)
class LegalDemand:
    """A warrant or a subpoena that the hub was served with, told to everybody."""

    TYPE: ClassVar[Type] = Type.LEGAL_DEMAND
    kind: DemandKind
    authority: str
    served_s: int
    given: str
    told: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "legal_demand")
        found = cls(
            fields.choice("kind", DemandKind),
            fields.text("authority", MAX_NAME, empty=False),
            fields.time("served"),
            fields.text("given", MAX_TERMS, lines=True, empty=False),
            fields.text("told", MAX_TERMS, lines=True, empty=False),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "kind": self.kind.value,
            "authority": self.authority,
            "served": self.served_s,
            "given": self.given,
            "told": self.told,
        }
