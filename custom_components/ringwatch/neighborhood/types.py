"""The types of records that there are."""

from enum import StrEnum
from typing import Final


class Type(StrEnum):
    """What a record is."""

    FOUNDING = "founding"
    MEMBER = "member"
    ROLE = "role"
    POST = "post"
    COMMENT = "comment"
    THANKS = "thanks"
    FLAG = "flag"
    MODERATION = "moderation"
    APPEAL = "appeal"
    WITHDRAW = "withdraw"
    ALERT = "alert"
    AGENCY = "agency"
    OFFICER = "officer"
    LEGAL_DEMAND = "legal_demand"
    REQUEST_DETAILS = "request_details"
    FOOTAGE_REQUEST = "footage_request"
    EXTENSION = "extension"
    REMINDER = "reminder"
    CLOSE = "close"
    AVAILABILITY = "availability"
    PARTNERSHIP = "partnership"
    PARTNERSHIP_COUNT = "partnership_count"


# What may be without its body: because what it is, or is about, has ended, or because a hub keeps it back
# until a moderator has looked. The rest is what the neighborhood stands on, and is always whole.
ERASABLE: Final = frozenset(
    {
        *(Type.POST, Type.ALERT, Type.COMMENT, Type.THANKS, Type.FLAG, Type.APPEAL),
        *(Type.REQUEST_DETAILS, Type.FOOTAGE_REQUEST),
    }
)
