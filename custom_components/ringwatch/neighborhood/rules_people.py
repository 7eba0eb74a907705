"""Rules of who belongs to a neighborhood: founding, joining, keys, roles, agencies."""

from .bodies import Agency, Founding, Join, Leave, Member, Officer, Remove, Replace, Role, Rotate, Settle
from .bodies.agencies import AgencyKind, OfficerAction
from .bodies.people import RoleName
from .certificates import JOIN_CONTEXT, ROTATE_CONTEXT, Certificate, key_is_proved
from .envelope import Record
from .limits import (
    FUTURE_S,
    INVITE_S,
    MAX_AGENCIES,
    MAX_CERTIFICATE_S,
    MAX_MEMBERS,
    MAX_MODERATORS,
    MAX_OFFICERS,
)  # fmt: skip
from .rows import Kind, Standing, Subject
from .state import State
from .violations import (
    AgencyRefused,
    AlreadyDone,
    BadField,
    BadInvite,
    BadPrevious,
    CertificateExpired,
    FromTheFuture,
    HandleTaken,
    InviteUsed,
    KeyTaken,
    LimitReached,
    NotAllowed,
    NotFounded,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip
from .violations_requests import DomainTaken, NotProved, ProfileOld


def check_founding(record: Record) -> None:
    """The first record: it stands on nothing."""
    if not isinstance(record.body, Founding) or record.envelope.neighborhood is not None:
        raise NotFounded("the first record is the founding")
    if record.envelope.prev is not None or record.envelope.head is not None:
        raise BadPrevious("there is nothing before the founding")
    if record.body.hub_key == record.author:
        raise BadField("founding.hub_key: the hub has a key of its own")


def check_amendment(body: Founding, state: State) -> None:
    """What the host may change later: name, radius, moderation, days and rules."""
    hood = state.hood
    if (body.hub_key, body.center) != (hood.hub_key, hood.center) or body.handle != state.host.name:
        raise NotAllowed("center, hub key and the host's name stay as they were founded")


def check_join(record: Record, body: Join, state: State, time_s: int) -> None:
    """A new key with an unused invite, and a name that nobody has."""
    _check_invite(record, body.invite, body.proof, state, time_s)
    if body.invite.replaces is not None:
        raise BadInvite("this invite replaces a member's key")
    if state.handle_is_taken(body.handle):
        raise HandleTaken("somebody has that name, or one that looks like it")
    if state.count("members") >= MAX_MEMBERS:
        raise LimitReached(f"{MAX_MEMBERS} members")


def check_replace(record: Record, body: Replace, state: State, time_s: int) -> None:
    """A new key for a member, by the host's word."""
    _check_invite(record, body.invite, body.proof, state, time_s)
    replaced = body.invite.replaces
    if replaced is None:
        raise BadInvite("this invite is for a new member")
    member = _member(state, replaced.member)
    _check_last(member, replaced.last, state)


def _check_invite(record: Record, invite: Certificate, proof: str, state: State, time_s: int) -> None:
    if invite.neighborhood != state.hood.id or invite.host != state.host.key or not invite.is_genuine:
        raise BadInvite("the host didn't sign this invite")
    if invite.expires_s <= time_s:
        raise CertificateExpired("the invite has expired")
    if invite.expires_s > time_s + INVITE_S:
        raise BadInvite("an invite is good for 7 days")
    if not key_is_proved(invite.invite, JOIN_CONTEXT, invite.neighborhood, record.author, proof):
        raise BadInvite("whoever has the invite didn't say so")
    if state.invite_is_used(invite.invite):
        raise InviteUsed("somebody joined with this invite")
    _check_new_key(record.author, state)


def _check_new_key(key: str, state: State) -> None:
    if state.author(key) or key == state.hood.hub_key or state.invite_is_used(key):
        raise KeyTaken("the key is known here already")


def check_standing_change(body: Member, subject: Subject, state: State) -> None:
    """What members do with their membership, and the host with others'."""
    match body:
        case Rotate():
            _check_new_key(body.key, state)
            if not key_is_proved(body.key, ROTATE_CONTEXT, state.hood.id, subject.key, body.proof):
                raise KeyTaken("whoever has the new key didn't say so")
        case Leave():
            if subject.standing is Standing.HOST:
                raise NotAllowed("the host can't leave")
        case Remove():
            _by_host(subject)
            _check_last(_member(state, body.member), body.last, state)
        case Settle():
            _by_host(subject)
            member = _frozen(state, body.member)
            last = _check_last(member, body.last, state)
            author = state.author(member.key)
            if author is None or last < author.since:
                raise WrongTarget(
                    "`last` is older than the member's key: remove the member, or replace the key"
                )
        case Join() | Replace():
            raise BadInvite("these have no author yet")


def _by_host(subject: Subject) -> None:
    if subject.standing is not Standing.HOST:
        raise NotAllowed("only the host decides about members")


def _member(state: State, subject_id: str) -> Subject:
    """Return a member that the host may decide about: not the host, who signed this."""
    member = state.subject(subject_id)
    if member is None:
        raise UnknownTarget("there is no such member")
    if member.kind is not Kind.MEMBER or member.standing is Standing.HOST:
        raise WrongTarget("not a member that can be removed or replaced")
    if not member.is_active:
        raise AlreadyDone("the member is gone already")
    return member


def _frozen(state: State, subject_id: str) -> Subject:
    subject = state.subject(subject_id)
    if subject is None:
        raise UnknownTarget("there is no such author")
    if not subject.frozen:
        raise AlreadyDone("the author is not frozen")
    return subject


def _check_last(member: Subject, last: str, state: State) -> int:
    """Return the number of the member's last valid record. Raise WrongTarget if it isn't theirs."""
    place = state.history.place_of(last)
    author = state.author(place.author) if place else None
    if place is None or author is None or author.subject != member.id or state.is_evidence(last):
        raise WrongTarget("`last` is not a valid record of that author")
    return place.number


def check_role(body: Role, state: State) -> None:
    """A moderator more or less; an agency that comes or goes."""
    subject = state.subject(body.subject)
    if subject is None:
        raise UnknownTarget("there is nobody with this id")
    if subject.kind is Kind.MEMBER:
        fits = body.role in {RoleName.MODERATOR, RoleName.MEMBER} and subject.standing is not Standing.HOST
    else:
        fits = body.role in {RoleName.AGENCY, RoleName.NONE} and subject.kind is Kind.AGENCY
    if not fits or subject.standing in {Standing.REMOVED, Standing.LEFT}:
        raise WrongTarget("that one can't have this role")
    if subject.standing is STANDINGS[body.role]:
        raise AlreadyDone("that one has this role")
    if body.role is RoleName.MODERATOR and state.count("moderators") >= MAX_MODERATORS:
        raise LimitReached(f"{MAX_MODERATORS} moderators")
    if body.role is RoleName.AGENCY and state.count("agencies") >= MAX_AGENCIES:
        raise LimitReached(f"{MAX_AGENCIES} agencies")


STANDINGS = {
    RoleName.MODERATOR: Standing.MODERATOR,
    RoleName.MEMBER: Standing.MEMBER,
    RoleName.AGENCY: Standing.MEMBER,
    RoleName.NONE: Standing.SUSPENDED,
}


def check_agency(body: Agency, state: State, time_s: int) -> None:
    """A local agency that signed its profile; or one that is here, with another profile or key."""
    if body.kind in {AgencyKind.FEDERAL, AgencyKind.IMMIGRATION}:
        raise AgencyRefused("federal and immigration agencies are not enrolled")
    if not body.is_proved:
        raise NotProved("the agency's key has not signed this profile")
    if body.issued_s > time_s + FUTURE_S:
        raise FromTheFuture("the profile was signed later than now")
    earlier = state.agency(body.replaces)
    if body.replaces is None or body.key != _key_of(state, body.replaces):
        _check_new_key(body.key, state)
    for other in state.agencies():
        is_now = state.agency_now(other.root) == other
        if other.domain == body.domain and is_now and (earlier is None or other.root != earlier.root):
            raise DomainTaken("an agency with this domain is here: change its profile or key")
    if body.replaces is None:
        if state.count("agencies") >= MAX_AGENCIES:
            raise LimitReached(f"{MAX_AGENCIES} agencies")
        return
    subject = state.subject(body.replaces)
    if subject is None:
        raise UnknownTarget("there is no such agency")
    if earlier is None or not subject.is_active:
        raise WrongTarget("not an agency that is enrolled")
    if body.issued_s <= earlier.issued_s:
        raise ProfileOld("the agency has signed a newer profile")


def _key_of(state: State, subject_id: str) -> str | None:
    subject = state.subject(subject_id)
    return subject.key if subject and subject.kind is Kind.AGENCY else None


def check_officer(body: Officer, agency: Subject, state: State, time_s: int) -> None:
    """An officer's key that is new or this agency's own."""
    known = state.author(body.key)
    officer = state.subject(known.subject) if known else None
    own = (
        officer is not None and officer.agency is not None and state.root_of(officer) == state.root_of(agency)
    )
    if body.action is OfficerAction.REVOKE:
        if officer is None or not own:
            raise UnknownTarget("the agency has no officer with this key")
        if not officer.is_active:
            raise AlreadyDone("the officer's key is revoked")
        return
    if not time_s < body.expires_s <= time_s + MAX_CERTIFICATE_S:
        raise BadField("officer.expires: in the future, 400 days at most")
    if officer is None:
        _check_new_key(body.key, state)
    elif not own or not officer.is_active:
        raise KeyTaken("the key is somebody else's, or was revoked")
    new = officer is None or officer.agency != agency.id  # to the agency, or to its present key
    if new and state.count(f"officers/{agency.id}") >= MAX_OFFICERS:
        raise LimitReached(f"{MAX_OFFICERS} officers of one agency")
