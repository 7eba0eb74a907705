"""What can be wrong, as types with stable codes."""

from typing import Final

from . import violations_requests
from .violation import CallViolation, HubViolation, LinkViolation, RecordViolation, Violation

__all__ = [
    "CODES",
    "CallViolation",
    "HubViolation",
    "LinkViolation",
    "RecordViolation",
    "Violation",
    "violations_requests",  # its codes are among CODES
]

# ---- form -----------------------------------------------------------------------------------------


class NotCanonical(RecordViolation):
    """The bytes are not canonical JSON."""

    code = "not_canonical"


class TooLarge(RecordViolation):
    """More bytes than there may be."""

    code = "too_large"


class TooDeep(RecordViolation):
    """Nested deeper than there may be."""

    code = "too_deep"


class BadField(RecordViolation):
    """A field is missing, unknown, of the wrong type or outside its limits."""

    code = "bad_field"


class BadText(RecordViolation):
    """A text holds characters that mislead or that no text needs."""

    code = "bad_text"


class NotSnapped(RecordViolation):
    """A place is not on the grid, so it may point at a house."""

    code = "not_snapped"


class UnknownType(RecordViolation):
    """A type of record that this version doesn't know."""

    code = "unknown_type"


class UnknownVersion(RecordViolation):
    """A version of the protocol that this one doesn't know."""

    code = "unknown_version"


class BadSignature(RecordViolation):
    """The author didn't sign this."""

    code = "bad_signature"


class BodyAltered(RecordViolation):
    """Body and salt are not what the envelope was signed over."""

    code = "body_altered"


class BodyMissing(RecordViolation):
    """A record of this type never loses its body, or is new and needs one."""

    code = "body_missing"


# ---- place in the order ---------------------------------------------------------------------------


class OtherNeighborhood(RecordViolation):
    """The record belongs to another neighborhood."""

    code = "other_neighborhood"


class Duplicate(RecordViolation):
    """The record is in the order already."""

    code = "duplicate"


class BadPrevious(RecordViolation):
    """`prev` is not a record of this author, or is missing."""

    code = "bad_previous"


class UnknownHead(RecordViolation):
    """`head` is not in the order: its author was shown another one."""

    code = "unknown_head"


class FromTheFuture(RecordViolation):
    """Created, happened or served later than now."""

    code = "from_the_future"


class TooOld(RecordViolation):
    """It happened longer ago than posts live."""

    code = "too_old"


class NotFounded(RecordViolation):
    """The first record has to be the founding, and there is only one."""

    code = "not_founded"


# ---- who may --------------------------------------------------------------------------------------


class NotAMember(RecordViolation):
    """The author's key belongs to nobody here."""

    code = "not_a_member"
    forbidden = True


class Removed(RecordViolation):
    """The author was removed, has left, or has replaced this key."""

    code = "removed"
    forbidden = True


class Frozen(RecordViolation):
    """The author signed two records after the same one; the host has to decide first."""

    code = "frozen"
    forbidden = True


class NotAllowed(RecordViolation):
    """Others may do that, this author may not."""

    code = "not_allowed"
    forbidden = True


class OwnItem(RecordViolation):
    """Nobody flags or moderates what is their own."""

    code = "own_item"


class CertificateExpired(RecordViolation):
    """An officer's certificate or an invite has expired."""

    code = "expired"
    forbidden = True


class AgencyRefused(RecordViolation):
    """Federal and immigration agencies are not enrolled."""

    code = "agency_refused"


# ---- joining --------------------------------------------------------------------------------------


class BadInvite(RecordViolation):
    """The host didn't sign this invite, or it is for something else."""

    code = "bad_invite"
    forbidden = True


class InviteUsed(RecordViolation):
    """An invite is good for one home."""

    code = "invite_used"
    forbidden = True


class HandleTaken(RecordViolation):
    """Somebody has that name, or one that looks like it."""

    code = "handle_taken"


class KeyTaken(RecordViolation):
    """The key is known here already."""

    code = "key_taken"


# ---- what it is about -----------------------------------------------------------------------------


class UnknownTarget(RecordViolation):
    """It is about something that isn't there, or no longer."""

    code = "unknown_target"


class WrongTarget(RecordViolation):
    """It can't be said of something like that."""

    code = "wrong_target"


class AlreadyDone(RecordViolation):
    """It was done before, and counts once."""

    code = "already_done"


class OutsideArea(RecordViolation):
    """The place is outside the neighborhood."""

    code = "outside_area"


class LimitReached(RecordViolation):
    """More of this than there may be."""

    code = "limit_reached"


# ---- the hub --------------------------------------------------------------------------------------


class OrderGap(HubViolation):
    """A number is missing: something was left out."""

    code = "order_gap"


class OrderBroken(HubViolation):
    """An entry doesn't follow the one before it: altered, moved or put in."""

    code = "order_broken"


class OrderUnsigned(HubViolation):
    """The hub's key didn't sign this."""

    code = "order_unsigned"


class OrderForked(HubViolation):
    """Two orders: somebody is shown another one than this home."""

    code = "order_forked"


class OrderRewound(HubViolation):
    """The hub's newest is older than what it showed before: replayed, or restored from a backup."""

    code = "order_rewound"


class TimeBackwards(HubViolation):
    """The hub's signed times go backwards, or are far ahead of the clock."""

    code = "time_backwards"


class WrongRecord(HubViolation):
    """The record beside an entry is not the one that it names, or is altered."""

    code = "wrong_record"


class RecordRefused(HubViolation):
    """The hub took a record that the rules refuse."""

    code = "record_refused"


class BodyWithheld(HubViolation):
    """The hub left out a body, and nothing in the order says why."""

    code = "body_withheld"


class BadSegment(HubViolation):
    """A segment or an answer of the hub is malformed, too large or incomplete."""

    code = "bad_segment"


# ---- calls and links ------------------------------------------------------------------------------


class BadCall(CallViolation):
    """The call is not signed by the key that it names, for this hub and this neighborhood."""

    code = "bad_call"


class WrongTime(CallViolation):
    """The call was signed too long ago, or ahead of time."""

    code = "wrong_time"


class BadLink(LinkViolation):
    """Not an invite's link, or a damaged one."""

    code = "bad_link"


class LinkExpired(LinkViolation):
    """The invite is too old."""

    code = "link_expired"


def _codes(family: type[Violation]) -> dict[str, type[Violation]]:
    found = {family.code: family} if family.code else {}
    for kind in family.__subclasses__():
        found |= _codes(kind)
    return found


CODES: Final = _codes(Violation)  # every code there is
