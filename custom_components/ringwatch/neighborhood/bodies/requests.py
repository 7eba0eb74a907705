"""Footage requests: what officers ask, and what becomes of it.

A request's own body has no free text and stays in the register for good. Case number, purpose, contact and
description are in the officer's record before it, whose body is erased some time after the request has ended.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Self

from ..canonical import Json
from ..fields import Fields, point, point_to_json
from ..places import Place
from ..types import Type
from ..violations import BadField
from .agencies import MAX_RETENTION_DAYS, Sharing
from .feed import Span

MAX_CASE_NUMBER: Final = 40
MAX_PURPOSE: Final = 500
MAX_CONTACT: Final = 200
MAX_DESCRIPTION: Final = 2_000
MAX_AREA_CORNERS: Final = 32


class IncidentKind(StrEnum):
    """What happened. There is no "other": a request is about something that can be named."""

    BURGLARY = "burglary"
    ROBBERY = "robbery"
    THEFT = "theft"
    VEHICLE_THEFT = "vehicle_theft"
    PACKAGE_THEFT = "package_theft"
    HIT_AND_RUN = "hit_and_run"
    TRAFFIC = "traffic"
    ASSAULT = "assault"
    HOMICIDE = "homicide"
    SHOOTING = "shooting"
    ARSON = "arson"
    VANDALISM = "vandalism"
    MISSING_PERSON = "missing_person"
    KIDNAPPING = "kidnapping"
    ANIMAL = "animal"
    ASSEMBLY = "assembly"  # refused: gathering is lawful


class Outcome(StrEnum):
    """What an officer says when closing a request."""

    SOLVED = "solved"
    UNSOLVED = "unsolved"
    NOT_NEEDED = "not_needed"
    WITHDRAWN = "withdrawn"


class Answer(StrEnum):
    """What a neighborhood says to "did anybody record?". Never a number, never "no"."""

    LIKELY = "likely"
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """What people have to know of a request for as long as it matters."""

    TYPE: ClassVar[Type] = Type.REQUEST_DETAILS
    case_number: str
    purpose: str
    contact: str  # a name, and how to reach that officer
    description: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read them. Raise RecordViolation."""
        fields = Fields(value, "request_details")
        found = cls(
            case_number=fields.text("case_number", MAX_CASE_NUMBER, empty=False),
            purpose=fields.text("purpose", MAX_PURPOSE, empty=False),
            contact=fields.text("contact", MAX_CONTACT, empty=False),
            description=fields.text("description", MAX_DESCRIPTION, lines=True),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "case_number": self.case_number,
            "purpose": self.purpose,
            "contact": self.contact,
            "description": self.description,
        }


@dataclass(frozen=True, slots=True)
class FootageRequest:
    """An officer asks for footage of a place and a time."""

    TYPE: ClassVar[Type] = Type.FOOTAGE_REQUEST
    details: str  # the officer's record before this one
    area: tuple[Place, ...]  # the corners of a polygon
    window: Span
    incident: IncidentKind
    retention_days: int  # as in the agency's profile: what homes were promised is in the request
    sharing: Sharing
    availability: bool  # asks whether anybody recorded

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read one. Raise RecordViolation."""
        fields = Fields(value, "footage_request")
        corners = fields.items("area", 3, MAX_AREA_CORNERS)
        found = cls(
            details=fields.digest("details"),
            area=tuple(point(Fields(corner, "footage_request.area")) for corner in corners),
            window=Span.read(fields.inner("window")),
            incident=fields.choice("incident", IncidentKind),
            retention_days=fields.integer("retention_days", 0, MAX_RETENTION_DAYS),
            sharing=fields.choice("sharing", Sharing),
            availability=fields.boolean("availability"),
        )
        fields.end()
        if len(set(found.area)) != len(found.area):
            raise BadField("footage_request.area: the same corner twice")
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "details": self.details,
            "area": [point_to_json(corner) for corner in self.area],
            "window": self.window.to_json(),
            "incident": self.incident.value,
            "retention_days": self.retention_days,
            "sharing": self.sharing.value,
            "availability": self.availability,
        }


@dataclass(frozen=True, slots=True)
class Extension:
    """Seven days more, once."""

    TYPE: ClassVar[Type] = Type.EXTENSION
    request: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "extension")
        found = cls(fields.digest("request"))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"request": self.request}


@dataclass(frozen=True, slots=True)
class Reminder:
    """Asking again, once."""

    TYPE: ClassVar[Type] = Type.REMINDER
    request: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "reminder")
        found = cls(fields.digest("request"))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"request": self.request}


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a request, and how it ended."""

    TYPE: ClassVar[Type] = Type.CLOSE
    request: str
    outcome: Outcome

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "close")
        found = cls(fields.digest("request"), fields.choice("outcome", Outcome))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"request": self.request, "outcome": self.outcome.value}


@dataclass(frozen=True, slots=True)
class Availability:
    """The hub's word on "did anybody record?", signed with the key of the order."""

    TYPE: ClassVar[Type] = Type.AVAILABILITY
    request: str
    answer: Answer

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "availability")
        found = cls(fields.digest("request"), fields.choice("answer", Answer))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"request": self.request, "answer": self.answer.value}
