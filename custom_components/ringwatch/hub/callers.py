"""Who calls: whether a key belongs here. What was found is remembered until people change."""

from base64 import urlsafe_b64decode
import binascii
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
import sqlite3
from typing import Final

from ..neighborhood.canonical import parse
from ..neighborhood.certificates import Certificate
from ..neighborhood.invites import may_read_before_joining
from ..neighborhood.keys import is_public_key
from ..neighborhood.rows import ACTIVE, MODERATING, Kind, Standing, Subject
from ..neighborhood.signed_calls import KEY_HEADER
from ..neighborhood.state import State, may_read
from ..neighborhood.violations import BadCall, RecordViolation
from .errors import Refusal, forbidden
from .table import state_of

INVITE_HEADER: Final = "Ringwatch-Invite"
MAX_KNOWN: Final = 30_000  # more than a neighborhood may have members
OFFICER_S: Final = 60  # an officer's certificate is looked at again after that


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may call."""

    key: str
    subject: Subject | None  # None for an invite that nobody has used yet
    invite: Certificate | None = None

    @property
    def id(self) -> str:
        """By what quotas are counted."""
        return self.subject.id if self.subject else self.key

    @property
    def role(self) -> str:
        """What the caller is, in a word."""
        if self.subject is None:
            return "invited"
        if self.subject.kind is not Kind.MEMBER:
            return self.subject.kind.value
        return self.subject.standing.value

    @property
    def is_host(self) -> bool:
        """Whether it is the host."""
        return self.subject is not None and self.subject.standing is Standing.HOST

    @property
    def is_moderator(self) -> bool:
        """Whether it is a moderator or the host."""
        return self.subject is not None and self.subject.standing in MODERATING


class KnownKeys:
    """Keys that were looked up, and until when that holds."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()
        self.changes = 0
        """How often people changed. What was looked up before the last time may be wrong by now."""

    def get(self, key: str, now: float) -> Caller | None:
        """Return what is known, or None."""
        found = self._known.get(key)
        return found[0] if found and now < found[1] else None

    def add(self, caller: Caller, now: float) -> None:
        """Remember somebody."""
        is_member = caller.subject is not None and caller.subject.kind is Kind.MEMBER
        self._known[caller.key] = (caller, float("inf") if is_member else now + OFFICER_S)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """Forget all: somebody came, went or changed."""
        self.changes += 1
        self._known.clear()


def look_up(db: sqlite3.Connection, key: str, invite: str | None, now_s: int) -> Caller:
    """Return whose key it is. Raise Refusal. Blocking."""
    state = state_of(db)
    subject = state.subject_of(key)
    is_member = subject is not None and subject.kind is not Kind.OFFICER and subject.standing in ACTIVE
    if subject is not None and (is_member or may_read(state, key)):
        if subject.kind is Kind.OFFICER and subject.expires_s <= now_s:
            raise forbidden("expired", "the officer's certificate has expired")
        return Caller(key, subject)
    if state.author(key) is not None:
        raise forbidden("removed", "removed, left, or another key is used now")
    if invite is None:
        raise forbidden("not_a_member", "nobody here has this key")
    return _invited(db, state, key, invite, now_s)


def key_of(headers: Mapping[str, str]) -> str:
    """Return the key that a call names. Raise BadCall."""
    key = headers.get(KEY_HEADER, "")
    if not is_public_key(key):
        raise BadCall("the headers of a signed call are missing or malformed")
    return key


def body_digest(body: bytes) -> str:
    """Return what a call's signature covers of its body."""
    return hashlib.sha256(body).hexdigest()


def _invited(db: sqlite3.Connection, state: State, key: str, encoded: str, now_s: int) -> Caller:
    try:
        packed = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        certificate = Certificate.parse(parse(packed, 2_048))
    except (binascii.Error, ValueError, RecordViolation) as error:
        raise forbidden("bad_invite", "the header Ringwatch-Invite can't be read") from error
    if db.execute("SELECT 1 FROM revoked WHERE invite = ?", (certificate.invite,)).fetchone():
        raise forbidden("invite_revoked", "the host has taken this invite back")
    if state.invite_is_used(certificate.invite):
        raise forbidden("invite_used", "an invite is good for one home")
    if not may_read_before_joining(state, certificate, key, now_s):
        raise forbidden("bad_invite", "no invite of this host, or an expired one")
    return Caller(key, None, certificate)


def only_host(caller: Caller) -> None:
    """Raise Refusal for everybody else."""
    if not caller.is_host:
        raise forbidden("host_only", "only the host may do that")


def subject_of(caller: Caller) -> Subject:
    """Return the caller's subject. Raise Refusal for who was only invited."""
    if caller.subject is None:
        raise Refusal(403, "not_a_member", "join first")
    return caller.subject
