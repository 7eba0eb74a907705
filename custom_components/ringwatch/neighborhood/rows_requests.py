"""The rows of agencies, footage requests and partnerships: frozen, and written as short JSON arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from .bodies.agencies import AgencyKind, FaceRecognition, Sharing
from .bodies.requests import Answer, IncidentKind
from .canonical import Json
from .places import Place


class Ending(StrEnum):
    """How a request ended: an officer's word, a moderator's, or time's."""

    SOLVED = "solved"
    UNSOLVED = "unsolved"
    NOT_NEEDED = "not_needed"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    EXPIRED = "expired"
    VOID = "void"  # its officer's key was not the officer's


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """What an agency's newest profile says. The id is the subject's; `root` stays when the key changes."""

    id: str
    root: str
    profile: str  # the newest record
    issued_s: int
    domain: str
    age_recipient: str
    kind: AgencyKind
    jurisdiction: tuple[Place, ...]
    retention_days: int
    sharing: Sharing
    face_recognition: FaceRecognition
    terms: str
    enrolled_s: int
    key_since_s: int
    hold_until_s: int | None  # nothing is delivered before: the key has changed

    def pack(self) -> Json:
        """Return the row."""
        return [
            self.root,
            self.profile,
            self.issued_s,
            self.domain,
            self.age_recipient,
            self.kind.value,
            _pack_corners(self.jurisdiction),
            self.retention_days,
            self.sharing.value,
            self.face_recognition.value,
            self.terms,
            self.enrolled_s,
            self.key_since_s,
            self.hold_until_s,
        ]

    @classmethod
    def unpack(cls, id_: str, row: Any) -> Self:
        """Read the row."""
        root, profile, issued_s, domain, recipient, kind, corners, days, sharing, faces, *rest = row
        return cls(
            id_,
            root,
            profile,
            issued_s,
            domain,
            recipient,
            AgencyKind(kind),
            _unpack_corners(corners),
            days,
            Sharing(sharing),
            FaceRecognition(faces),
            *rest,
        )


@dataclass(frozen=True, slots=True)
class DetailsRow:
    """A record with a request's details: whose, and which request came next."""

    id: str
    subject: str
    agency: str  # the root
    request: str | None = None
    case: str | None = None  # a digest of agency and case number, if the body is here

    def pack(self) -> Json:
        """Return the row."""
        return [self.subject, self.agency, self.request, self.case]

    @classmethod
    def unpack(cls, id_: str, row: Any) -> Self:
        """Read the row."""
        return cls(id_, *row)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A footage request. Until its body is `known`, what is from `area` on is empty."""

    id: str
    subject: str  # the officer
    agency: str  # the root
    number: int
    time_s: int
    details: str
    expires_s: int
    released_s: int | None = None
    extended_s: int | None = None
    reminded_s: int | None = None
    closed_s: int | None = None
    outcome: Ending | None = None
    answer: Answer | None = None
    known: bool = False
    area: tuple[Place, ...] = ()
    start_s: int = 0
    end_s: int = 0
    incident: IncidentKind | None = None
    asks: bool = False  # whether anybody recorded

    @property
    def is_public(self) -> bool:
        """Whether its body is for everybody. It has no free text, so what is over is."""
        return self.released_s is not None or self.closed_s is not None

    def pack(self) -> Json:
        """Return the row."""
        return [
            self.subject,
            self.agency,
            self.number,
            self.time_s,
            self.details,
            self.expires_s,
            self.released_s,
            self.extended_s,
            self.reminded_s,
            self.closed_s,
            self.outcome.value if self.outcome else None,
            self.answer.value if self.answer else None,
            self.known,
            _pack_corners(self.area),
            self.start_s,
            self.end_s,
            self.incident.value if self.incident else None,
            self.asks,
        ]

    @classmethod
    def unpack(cls, id_: str, row: Any) -> Self:
        """Read the row."""
        subject, agency, number, time_s, details, expires_s, released_s, extended_s, *rest = row
        reminded_s, closed_s, outcome, answer, known, area, start_s, end_s, incident, asks = rest
        return cls(
            id_,
            subject,
            agency,
            number,
            time_s,
            details,
            expires_s,
            released_s,
            extended_s,
            reminded_s,
            closed_s,
            Ending(outcome) if outcome else None,
            Answer(answer) if answer else None,
            known,
            _unpack_corners(area),
            start_s,
            end_s,
            IncidentKind(incident) if incident else None,
            asks,
        )


@dataclass(frozen=True, slots=True)
class PartnershipRow:
    """An agreement, and what has come of it."""

    id: str
    agency: str  # the root
    number: int
    time_s: int
    terms: str
    code: str
    seed_cameras: int
    households: int
    cameras_given: int
    replaced: bool

    def pack(self) -> Json:
        """Return the row."""
        return [
            self.agency,
            self.number,
            self.time_s,
            self.terms,
            self.code,
            self.seed_cameras,
            self.households,
            self.cameras_given,
            self.replaced,
        ]

    @classmethod
    def unpack(cls, id_: str, row: Any) -> Self:
        """Read the row."""
        return cls(id_, *row)


def _pack_corners(corners: Sequence[Place]) -> list[Json]:
    return [[corner.lat_e6, corner.lon_e6] for corner in corners]


def _unpack_corners(rows: Any) -> tuple[Place, ...]:
    return tuple(Place(*row) for row in rows)
