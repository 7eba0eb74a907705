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


# What loses its body when the post that it is, or is about, ends. The rest is what the neighborhood stands
# on, and stays.
ERASABLE: Final = frozenset({Type.POST, Type.ALERT, Type.COMMENT, Type.THANKS, Type.FLAG, Type.APPEAL})
