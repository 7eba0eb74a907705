"""Bodies of records, a frozen dataclass each. Whoever parses one refuses every field that it doesn't know."""

from collections.abc import Callable
from typing import Final

from ..canonical import Json
from ..types import Type
from .agencies import Agency, LegalDemand, Officer
from .care import Appeal, Flag, Moderation
from .feed import Alert, Comment, Post, Thanks, Withdraw
from .partnership import Partnership, PartnershipCount
from .people import Founding, Join, Leave, Member, Remove, Replace, Role, Rotate, Settle, parse_member
from .requests import Availability, Close, Extension, FootageRequest, Reminder, RequestDetails

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
    | RequestDetails
    | FootageRequest
    | Extension
    | Reminder
    | Close
    | Availability
    | Partnership
    | PartnershipCount
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
    Type.REQUEST_DETAILS: RequestDetails.parse,
    Type.FOOTAGE_REQUEST: FootageRequest.parse,
    Type.EXTENSION: Extension.parse,
    Type.REMINDER: Reminder.parse,
    Type.CLOSE: Close.parse,
    Type.AVAILABILITY: Availability.parse,
    Type.PARTNERSHIP: Partnership.parse,
    Type.PARTNERSHIP_COUNT: PartnershipCount.parse,
}


def parse_body(type_: Type, value: Json) -> Body:
    """Read a body of that type. Raise RecordViolation."""
    return _PARSERS[type_](value)


__all__ = [
    "Agency",
    "Alert",
    "Appeal",
    "Availability",
    "Body",
    "Close",
    "Comment",
    "Extension",
    "Flag",
    "FootageRequest",
    "Founding",
    "Join",
    "Leave",
    "LegalDemand",
    "Member",
    "Moderation",
    "Officer",
    "Partnership",
    "PartnershipCount",
    "Post",
    "Reminder",
    "Remove",
    "Replace",
    "RequestDetails",
    "Role",
    "Rotate",
    "Settle",
    "Thanks",
    "Withdraw",
    "parse_body",
]
