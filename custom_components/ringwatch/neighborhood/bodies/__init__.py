"""Bodies of records, a frozen dataclass each. Whoever parses one refuses every field that it doesn't know."""

from collections.abc import Callable
from typing import Final

from ..canonical import Json
from ..types import Type
from .agencies import Agency, LegalDemand, Officer
from .care import Appeal, Flag, Moderation
from .feed import Alert, Comment, Post, Thanks, Withdraw
from .people import Founding, Join, Leave, Member, Remove, Replace, Role, Rotate, Settle, parse_member

type Body = (
    Founding
    | Join
    | Replace
    | Rotate
    | Remove
    | Settle
    | Leave
    | Role
    | Post
    | Alert
    | Comment
    | Thanks
    | Withdraw
    | Flag
    | Moderation
    | Appeal
    | Agency
    | Officer
    | LegalDemand
)

_PARSERS: Final[dict[Type, Callable[[Json], Body]]] = {
    Type.FOUNDING: Founding.parse,
    Type.MEMBER: parse_member,
    Type.ROLE: Role.parse,
    Type.POST: Post.parse,
    Type.COMMENT: Comment.parse,
    Type.THANKS: Thanks.parse,
    Type.FLAG: Flag.parse,
    Type.MODERATION: Moderation.parse,
    Type.APPEAL: Appeal.parse,
    Type.WITHDRAW: Withdraw.parse,
    Type.ALERT: Alert.parse,
    Type.AGENCY: Agency.parse,
    Type.OFFICER: Officer.parse,
    Type.LEGAL_DEMAND: LegalDemand.parse,
}


def parse_body(type_: Type, value: Json) -> Body:
    """Read a body of that type. Raise RecordViolation."""
    return _PARSERS[type_](value)


__all__ = [
    "Agency",
    "Alert",
    "Appeal",
    "Body",
    "Comment",
    "Flag",
    "Founding",
    "Join",
    "Leave",
    "LegalDemand",
    "Member",
    "Moderation",
    "Officer",
    "Post",
    "Remove",
    "Replace",
    "Role",
    "Rotate",
    "Settle",
    "Thanks",
    "Withdraw",
    "parse_body",
]
