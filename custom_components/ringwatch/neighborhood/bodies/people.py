"""Who belongs to a neighborhood: its founding, its members and their keys, their roles."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Self

from ..canonical import Json
from ..certificates import Certificate
from ..fields import Fields, point_to_json
from ..places import Place
from ..types import Type
from ..violations import BadField
from .care import MAX_REASON

MAX_NAME: Final = 80
MAX_RULES: Final = 4_000
MIN_RADIUS_M: Final = 805  # half a mile
MAX_RADIUS_M: Final = 8_047  # five miles
RADIUS_M: Final = 1_609
MAX_DAYS: Final = 60
POST_DAYS: Final = 30
MEDIA_DAYS: Final = 14


class Mode(StrEnum):
    """When moderators look at a member's post: before others see it, or after."""

    BEFORE = "before"
    AFTER = "after"


class RoleName(StrEnum):
    """What a member or an agency is. NONE ends an agency's time here."""

    MODERATOR = "moderator"
    MEMBER = "member"
    AGENCY = "agency"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Founding:
    """The first record. Its id is the neighborhood's. A later one of the host changes what may be changed."""

    TYPE: ClassVar[Type] = Type.FOUNDING
    name: str
    handle: str  # the host's
    center: Place
    radius_m: int
    hub_key: str
    mode: Mode
    post_days: int
    media_days: int
    rules: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "founding")
        post_days = fields.integer("post_days", 1, MAX_DAYS)
        found = cls(
            name=fields.text("name", MAX_NAME, empty=False),
            handle=fields.handle("handle"),
            center=fields.place("center"),
            radius_m=fields.integer("radius_m", MIN_RADIUS_M, MAX_RADIUS_M),
            hub_key=fields.key("hub_key"),
            mode=fields.choice("moderation", Mode),
            post_days=post_days,
            media_days=fields.integer("media_days", 1, post_days),
            rules=fields.text("rules", MAX_RULES, lines=True),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "name": self.name,
            "handle": self.handle,
            "center": point_to_json(self.center),
            "radius_m": self.radius_m,
            "hub_key": self.hub_key,
            "moderation": self.mode.value,
            "post_days": self.post_days,
            "media_days": self.media_days,
            "rules": self.rules,
        }


@dataclass(frozen=True, slots=True)
class Join:
    """A home joins, with an invite: signed by its own new key."""

    TYPE: ClassVar[Type] = Type.MEMBER
    handle: str
    invite: Certificate
    proof: str  # the invite's key, over the neighborhood and the author

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"action": "join", "handle": self.handle, "invite": self.invite.to_json(), "proof": self.proof}


@dataclass(frozen=True, slots=True)
class Replace:
    """A member whose key was lost or stolen comes back with a new one, by an invite that says so."""

    TYPE: ClassVar[Type] = Type.MEMBER
    invite: Certificate
    proof: str

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"action": "replace", "invite": self.invite.to_json(), "proof": self.proof}


@dataclass(frozen=True, slots=True)
class Rotate:
    """A member changes to a new key: signed by the old one. Its `prev` is the old key's last valid record."""

    TYPE: ClassVar[Type] = Type.MEMBER
    key: str
    proof: str  # the new key, over the neighborhood and the old key

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"action": "rotate", "key": self.key, "proof": self.proof}


@dataclass(frozen=True, slots=True)
class Remove:
    """The host removes a member. What the member signed after `last` is void."""

    TYPE: ClassVar[Type] = Type.MEMBER
    member: str
    last: str
    reason: str

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"action": "remove", "member": self.member, "last": self.last, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Settle:
    """The host decides about an author who signed two records after one: what came after `last` is void."""

    TYPE: ClassVar[Type] = Type.MEMBER
    member: str
    last: str

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"action": "settle", "member": self.member, "last": self.last}


@dataclass(frozen=True, slots=True)
class Leave:
    """A member goes."""

    TYPE: ClassVar[Type] = Type.MEMBER

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"action": "leave"}


type Member = Join | Replace | Rotate | Remove | Settle | Leave


def parse_member(value: Json) -> Member:
    """Read what happens to a member. Raise RecordViolation."""
    fields = Fields(value, "member")
    found: Member
    match fields.string("action"):
        case "join":
            found = Join(
                fields.handle("handle"), Certificate.parse(fields.take("invite")), fields.signature("proof")
            )
        case "replace":
            found = Replace(Certificate.parse(fields.take("invite")), fields.signature("proof"))
        case "rotate":
            found = Rotate(fields.key("key"), fields.signature("proof"))
        case "remove":
            found = Remove(
                fields.digest("member"),
                fields.digest("last"),
                fields.text("reason", MAX_REASON, lines=True),
            )
        case "settle":
            found = Settle(fields.digest("member"), fields.digest("last"))
        case "leave":
            found = Leave()
        case _:
            raise BadField("member.action: not one of join, replace, rotate, remove, settle, leave")
    fields.end()
    return found


@dataclass(frozen=True, slots=True)
class Role:
    """The host says what a member or an agency is from now on."""

    TYPE: ClassVar[Type] = Type.ROLE
    subject: str
    role: RoleName

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "role")
        found = cls(fields.digest("subject"), fields.choice("role", RoleName))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"subject": self.subject, "role": self.role.value}
