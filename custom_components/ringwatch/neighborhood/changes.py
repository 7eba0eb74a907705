"""What a record, or time, has changed: for events, for entities, and for whoever has something to erase."""

from dataclasses import dataclass
from enum import StrEnum

from .bodies.feed import Media


class ChangeKind(StrEnum):
    """What has happened."""

    POST = "post"
    ALERT = "alert"
    COMMENT = "comment"
    THANKS = "thanks"
    FLAG = "flag"
    MODERATION = "moderation"
    APPEAL = "appeal"
    MEMBER = "member"
    ROLE = "role"
    AGENCY = "agency"
    OFFICER = "officer"
    LEGAL_DEMAND = "legal_demand"
    FOUNDING = "founding"
    REQUEST = "request"  # a footage request is in the order; it waits for a moderator
    DETAILS = "details"  # what belongs to a request that comes next
    RELEASED = "released"  # a moderator has let a request through: homes may look at it
    EXTENSION = "extension"
    REMINDER = "reminder"
    CLOSED = "closed"  # a request was closed or refused, or has expired
    AVAILABILITY = "availability"
    PARTNERSHIP = "partnership"
    HIDDEN = "hidden"  # an item was to be seen, and isn't now
    SHOWN = "shown"  # the other way round
    GONE = "gone"  # an item was withdrawn, is void or has expired
    FROZEN = "frozen"
    SETTLED = "settled"
    ERASE = "erase"  # a record's body and salt are to be erased everywhere
    ERASE_MEDIA = "erase_media"


@dataclass(frozen=True, slots=True)
class Change:
    """One of them. `id` is a record's or an item's; `subject` who did it or whom it is about."""

    kind: ChangeKind
    id: str
    subject: str | None = None
    media: tuple[Media, ...] = ()
