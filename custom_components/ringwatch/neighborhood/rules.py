"""May this record have the next place in the order? Pure: it reads the state and changes nothing.

The author asks before sending, the hub at its door, and every reader again, with the entry's time.
"""

from enum import Enum

from .bodies import (
    Agency,
    Alert,
    Appeal,
    Availability,
    Close,
    Comment,
    Extension,
    Flag,
    FootageRequest,
    Founding,
    Join,
    LegalDemand,
    Moderation,
    Officer,
    Partnership,
    PartnershipCount,
    Post,
    Reminder,
    Replace,
    RequestDetails,
    Role,
    Rotate,
    Settle,
    Thanks,
    Withdraw,
)  # fmt: skip
from .envelope import Record
from .limits import DAILY, DAY_S, FUTURE_S
from .rows import MODERATING, Author, Kind, Standing, Subject
from .rules_feed import (
    check_appeal,
    check_comment,
    check_flag,
    check_moderation,
    check_post,
    check_thanks,
    check_withdraw,
)  # fmt: skip
from .rules_people import (
    check_agency,
    check_amendment,
    check_founding,
    check_join,
    check_officer,
    check_replace,
    check_role,
    check_standing_change,
)  # fmt: skip
from .rules_requests import (
    check_availability,
    check_follow_up,
    check_partnership,
    check_partnership_count,
    check_request,
)  # fmt: skip
from .state import State
from .types import Type
from .violations import (
    BadPrevious,
    BodyMissing,
    CertificateExpired,
    Duplicate,
    FromTheFuture,
    Frozen,
    LimitReached,
    NotAllowed,
    NotAMember,
    OtherNeighborhood,
    Removed,
    UnknownHead,
)  # fmt: skip


class Verdict(Enum):
    """What a record is good for."""

    ACCEPT = "accept"
    EVIDENCE = "evidence"  # a second successor of one record: into the order, no effect, its author is frozen


_HOST = frozenset({Type.FOUNDING, Type.ROLE, Type.AGENCY, Type.LEGAL_DEMAND, Type.PARTNERSHIP_COUNT})
_OFFICER = frozenset(
    {
        *(Type.ALERT, Type.REQUEST_DETAILS, Type.FOOTAGE_REQUEST),
        *(Type.EXTENSION, Type.REMINDER, Type.CLOSE),
    }
)
_AGENCY = frozenset({Type.OFFICER, Type.PARTNERSHIP})
_WRITING = frozenset({Type.POST, Type.COMMENT, Type.THANKS, Type.WITHDRAW, Type.APPEAL})


def check(record: Record, state: State, time_s: int, *, complete: bool = True) -> Verdict:
    """Raise RecordViolation if the rules refuse it. `complete` asks for a body: readers of old ones don't."""
    envelope = record.envelope
    if state.history.place_of(record.id):
        raise Duplicate("it is in the order already")
    if complete and record.body is None:
        raise BodyMissing("a new record has a body")
    if envelope.created_s > time_s + FUTURE_S:
        raise FromTheFuture(f"created {envelope.created_s - time_s} s ahead of the hub's time")
    if not state.is_founded:
        check_founding(record)
        return Verdict.ACCEPT
    if envelope.neighborhood != state.hood.id:
        raise OtherNeighborhood("it belongs to another neighborhood")
    if envelope.head is None or state.history.number_of(envelope.head) is None:
        raise UnknownHead("its author has seen an order that this is not")
    if isinstance(record.body, Join | Replace):
        _check_first(record)
        if isinstance(record.body, Join):
            check_join(record, record.body, state, time_s)
        else:
            check_replace(record, record.body, state, time_s)
        return Verdict.ACCEPT
    if record.type is Type.AVAILABILITY:
        check_availability(record, state)
        return Verdict.ACCEPT
    author, subject = _known(record, state, time_s)
    fork = _is_fork(record, author, state)
    if subject.frozen and (fork or not _frees_the_host(record, subject)):
        raise Frozen("its author signed two records after one; the host decides first")
    if fork:
        return Verdict.EVIDENCE
    _check_allowed(record, subject)
    _check_daily(record, subject, time_s)
    _check_body(record, subject, state, time_s, complete=complete)
    return Verdict.ACCEPT


def _check_first(record: Record) -> None:
    if record.envelope.prev is not None:
        raise BadPrevious("a new key's first record has none before it")


def _known(record: Record, state: State, time_s: int) -> tuple[Author, Subject]:
    """Return the author, who belongs to the neighborhood now."""
    author = state.author(record.author)
    subject = state.subject(author.subject) if author else None
    if author is None or subject is None:
        raise NotAMember("nobody here has this key")
    if not author.active or not subject.is_active:
        raise Removed("its author was removed, has left or has another key now")
    if subject.kind is Kind.OFFICER and not state.officer_is_valid(subject, time_s):
        raise CertificateExpired("the officer's certificate or the agency's enrolment has ended")
    return author, subject


def _is_fork(record: Record, author: Author, state: State) -> bool:
    """Return whether it follows one that has a successor. Raise BadPrevious if not one of its author's."""
    prev = record.envelope.prev
    if prev == author.tip:
        return False
    place = state.history.place_of(prev) if prev else None
    theirs = state.author(place.author) if place else None
    if theirs is None or theirs.subject != author.subject:
        raise BadPrevious("`prev` is not its author's last record")
    return True


def _frees_the_host(record: Record, subject: Subject) -> bool:
    """Return whether it is the host, who alone can decide about the host."""
    if subject.standing is not Standing.HOST:
        return False
    return isinstance(record.body, Rotate) or (
        isinstance(record.body, Settle) and record.body.member == subject.id
    )


def _check_allowed(record: Record, subject: Subject) -> None:
    """Raise NotAllowed unless such a subject writes records of such a type."""
    type_ = record.type
    if type_ in _HOST:
        allowed = subject.standing is Standing.HOST
    elif type_ is Type.MODERATION:
        allowed = subject.standing in MODERATING
    elif type_ in _OFFICER:
        allowed = subject.kind is Kind.OFFICER
    elif type_ in _AGENCY:
        allowed = subject.kind is Kind.AGENCY
    elif type_ in _WRITING:
        allowed = subject.kind is not Kind.AGENCY
    else:
        allowed = subject.kind is Kind.MEMBER
    if not allowed:
        raise NotAllowed(f"a {subject.standing} {subject.kind} writes no {type_}")


def _check_daily(record: Record, subject: Subject, time_s: int) -> None:
    if subject.day != time_s // DAY_S:
        return
    if dict(subject.counted).get(record.type, 0) >= DAILY[record.type]:
        raise LimitReached(f"{DAILY[record.type]} of the type {record.type} a day")


def _check_body(record: Record, subject: Subject, state: State, time_s: int, *, complete: bool) -> None:
    if record.type is Type.FOOTAGE_REQUEST:
        check_request(record, subject, state, time_s)
    match record.body:
        case Founding() as body:
            check_amendment(body, state)
        case Role() as body:
            check_role(body, state)
        case Post() as body:
            check_post(body, state, time_s)
        case Alert() as body:
            check_post(body.post, state, time_s, valid_until_s=body.valid_until_s)
        case Comment() as body:
            check_comment(body, state)
        case Thanks() as body:
            check_thanks(body, subject, state)
        case Withdraw() as body:
            check_withdraw(body, subject, state)
        case Flag() as body:
            check_flag(body, subject, state)
        case Moderation() as body:
            check_moderation(body, subject, state, complete=complete)
        case Appeal() as body:
            check_appeal(body, subject, state, complete=complete)
        case Agency() as body:
            check_agency(body, state, time_s)
        case Officer() as body:
            check_officer(body, subject, state, time_s)
        case LegalDemand() as body:
            if body.served_s > time_s + FUTURE_S:
                raise FromTheFuture("served later than now")
        case Extension() | Reminder() | Close() as body:
            check_follow_up(body, subject, state)
        case Partnership() as body:
            check_partnership(body, subject, state)
        case PartnershipCount() as body:
            check_partnership_count(body, state)
        case Join() | Replace() | Availability() | FootageRequest():  # these went another way
            return
        case RequestDetails() | None:  # the first has no rules of its own; an erased one has nothing to check
            return
        case body:
            check_standing_change(body, subject, state)
