"""The rows that a state is made of: frozen, and written as short JSON arrays."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from .bodies.care import Action
from .bodies.feed import Media
from .bodies.people import Mode
from .canonical import Json
from .limits import FLAGS_TO_HIDE
from .places import Place
from .types import Type


class Kind(StrEnum):
    """What a subject is."""

    MEMBER = "member"
    AGENCY = "agency"
    OFFICER = "officer"


class Standing(StrEnum):
    """How a subject stands. Agencies are MEMBER while they are enrolled, and so are officers."""

    HOST = "host"
    MODERATOR = "moderator"
    MEMBER = "member"
    SUSPENDED = "suspended"  # an agency whose role was taken
    REVOKED = "revoked"  # an officer, by the agency
    REMOVED = "removed"
    LEFT = "left"


ACTIVE = frozenset({Standing.HOST, Standing.MODERATOR, Standing.MEMBER})
MODERATING = frozenset({Standing.HOST, Standing.MODERATOR})


class Status(StrEnum):
    """Whether something is to be seen."""

    VISIBLE = "visible"
    PENDING = "pending"  # waits for a moderator, where they look before publication
    HIDDEN = "hidden"  # flagged by three members, until a moderator decides
    HELD = "held"
    REMOVED = "removed"
    WITHDRAWN = "withdrawn"
    VOID = "void"


KEPT_BACK = frozenset({Status.PENDING, Status.HIDDEN, Status.HELD, Status.REMOVED})
ENDED = frozenset({Status.WITHDRAWN, Status.VOID})


@dataclass(frozen=True, slots=True)
class Hood:
    """The neighborhood, as its founding and the host's later changes say."""

    id: str
    name: str
    center: Place
    radius_m: int
    hub_key: str
    mode: Mode
    post_days: int
    media_days: int
    rules: str

    @property
    def host(self) -> str:
        """The host's subject id: the founding record's."""
        return self.id

    def pack(self) -> Json:
        """Return the row."""
        place: list[Json] = [self.center.lat_e6, self.center.lon_e6]
        return [
            self.id,
            self.name,
            place,
            self.radius_m,
            self.hub_key,
            self.mode.value,
            self.post_days,
            self.media_days,
            self.rules,
        ]

    @classmethod
    def unpack(cls, row: Any) -> Self:
        """Read the row."""
        id_, name, center, radius_m, hub_key, mode, post_days, media_days, rules = row
        return cls(id_, name, Place(*center), radius_m, hub_key, Mode(mode), post_days, media_days, rules)


@dataclass(frozen=True, slots=True)
class Author:
    """A key: whose it is, and the last valid record it signed."""

    key: str
    subject: str
    tip: str | None
    since: int  # the number of the entry that brought it
    active: bool

    def pack(self) -> Json:
        """Return the row."""
        return [self.subject, self.tip, self.since, self.active]

    @classmethod
    def unpack(cls, key: str, row: Any) -> Self:
        """Read the row."""
        return cls(key, *row)


@dataclass(frozen=True, slots=True)
class Subject:
    """A member, an agency or an officer. The id is that of the record that brought them; keys change."""

    id: str
    kind: Kind
    name: str
    key: str
    standing: Standing
    since: int
    since_s: int
    frozen: bool = False
    agency: str | None = None  # an officer's
    expires_s: int = 0  # an officer's certificate
    day: int = 0  # the day that is counted
    counted: tuple[tuple[str, int], ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether it belongs to the neighborhood now."""
        return self.standing in ACTIVE

    def pack(self) -> Json:
        """Return the row."""
        counted: list[Json] = [[type_, count] for type_, count in self.counted]
        return [
            self.kind.value,
            self.name,
            self.key,
            self.standing.value,
            self.since,
            self.since_s,
            self.frozen,
            self.agency,
            self.expires_s,
            self.day,
            counted,
        ]

    @classmethod
    def unpack(cls, id_: str, row: Any) -> Self:
        """Read the row."""
        kind, name, key, standing, since, since_s, frozen, agency, expires_s, day, counted = row
        return cls(
            id_,
            Kind(kind),
            name,
            key,
            Standing(standing),
            since,
            since_s,
            frozen,
            agency,
            expires_s,
            day,
            tuple((type_, count) for type_, count in counted),
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """A moderator's, on one item."""

    number: int
    subject: str
    action: Action


@dataclass(frozen=True, slots=True)
class Item:
    """A post, an alert or a comment. Until its body is `known`, what is from `category` on is empty."""

    id: str
    type: Type
    subject: str
    number: int
    time_s: int
    expires_s: int
    checked_first: bool  # by a moderator, before others see it
    parent: str | None = None  # a comment's
    known: bool = False
    ended: Status | None = None  # WITHDRAWN or VOID
    decisions: tuple[Decision, ...] = ()
    flags: tuple[tuple[int, str], ...] = ()  # number, subject
    appeals: tuple[int, ...] = ()
    thanks: int = 0
    comments: int = 0
    category: str = ""
    place: Place | None = None
    from_s: int = 0
    to_s: int = 0
    valid_until_s: int = 0  # an alert's
    media: tuple[Media, ...] = ()
    media_gone: bool = False

    @property
    def open_flags(self) -> int:
        """How many flags no moderator has decided on yet."""
        decided = self.decisions[-1].number if self.decisions else 0
        return sum(number > decided for number, _ in self.flags)

    @property
    def open_appeal(self) -> bool:
        """Whether the author has appealed since the last decision."""
        decided = self.decisions[-1].number if self.decisions else 0
        return bool(self.appeals) and self.appeals[-1] > decided

    @property
    def status(self) -> Status:
        """Whether it is to be seen."""
        if self.ended:
            return self.ended
        last = self.decisions[-1].action if self.decisions else None
        if last is Action.REMOVE:
            return Status.REMOVED
        if last is Action.HOLD:
            return Status.HELD
        if self.open_flags >= FLAGS_TO_HIDE:
            return Status.HIDDEN
        return Status.PENDING if self.checked_first and last is None else Status.VISIBLE

    def pack(self) -> Json:
        """Return the row."""
        decisions: list[Json] = [[d.number, d.subject, d.action.value] for d in self.decisions]
        flags: list[Json] = [[number, subject] for number, subject in self.flags]
        media: list[Json] = [medium.to_json() for medium in self.media]
        place: list[Json] | None = [self.place.lat_e6, self.place.lon_e6] if self.place else None
        return [
            self.type.value,
            self.subject,
            self.number,
            self.time_s,
            self.expires_s,
            self.checked_first,
            self.parent,
            self.known,
            self.ended.value if self.ended else None,
            decisions,
            flags,
            list(self.appeals),
            self.thanks,
            self.comments,
            self.category,
            place,
            self.from_s,
            self.to_s,
            self.valid_until_s,
            media,
            self.media_gone,
        ]

    @classmethod
    def unpack(cls, id_: str, row: Any) -> Self:
        """Read the row."""
        type_, subject, number, time_s, expires_s, checked, parent, known, ended, decisions, *rest = row
        flags, appeals, thanks, comments, category, place, from_s, to_s, valid_until_s, media, gone = rest
        return cls(
            id_,
            Type(type_),
            subject,
            number,
            time_s,
            expires_s,
            checked,
            parent,
            known,
            Status(ended) if ended else None,
            tuple(Decision(number, subject, Action(action)) for number, subject, action in decisions),
            tuple((number, subject) for number, subject in flags),
            tuple(appeals),
            thanks,
            comments,
            category,
            Place(*place) if place else None,
            from_s,
            to_s,
            valid_until_s,
            tuple(Media.parse(medium) for medium in media),
            gone,
        )
