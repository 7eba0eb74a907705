"""An agency on a street for tests: its profile, its officers, and what they ask."""

from dataclasses import replace
from typing import Any

from custom_components.ringwatch.neighborhood.bodies import (
    Agency,
    FootageRequest,
    Officer,
    Partnership,
    RequestDetails,
)
from custom_components.ringwatch.neighborhood.bodies.agencies import (
    AgencyKind,
    FaceRecognition,
    OfficerAction,
    Sharing,
    sign_profile,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.feed import Span
from custom_components.ringwatch.neighborhood.bodies.requests import IncidentKind
from custom_components.ringwatch.neighborhood.envelope import Record
from custom_components.ringwatch.neighborhood.limits import DAY_S
from custom_components.ringwatch.neighborhood.places import Place
from custom_components.ringwatch.neighborhood.rows import Subject

from .street import CENTER, NOON_S, Neighbor, Street, key

RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
OTHER_RECIPIENT = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"


def profile(name: str = "agency", **changes: Any) -> Agency:
    """Return an agency's profile, signed with the key of that name."""
    body = Agency(
        name="Chandler Police",
        key=key(name).public,
        age_recipient=RECIPIENT,
        domain="police.example.gov",
        kind=AgencyKind.MUNICIPAL_POLICE,
        jurisdiction=(
            Place(33_200_000, -112_100_000),
            Place(33_400_000, -112_100_000),
            Place(33_400_000, -111_700_000),
            Place(33_200_000, -111_700_000),
        ),
        retention_days=90,
        sharing=Sharing.COURTS,
        face_recognition=FaceRecognition.NEVER,
        terms="",
        replaces=None,
        issued_s=NOON_S,
    )
    return sign_profile(key(name), replace(body, **changes))


def around(center: Place = CENTER, half_m: int = 200) -> tuple[Place, ...]:
    """Return a square about a place."""
    north, east = half_m * 1_000_000 // 111_320, half_m * 1_000_000 // 93_040  # at 33.3 degrees
    corners = ((north, -east), (north, east), (-north, east), (-north, -east))
    return tuple(Place(center.lat_e6 + lat, center.lon_e6 + lon) for lat, lon in corners)


def details(case: str = "24-1189", **changes: Any) -> RequestDetails:
    """Return what people are told of a request."""
    body = RequestDetails(case, "Find a stolen car", "Sgt. Reyes, 480-555-0100", "A white van, about noon.")
    return replace(body, **changes)


def asking(street: Street, prev: str, **changes: Any) -> FootageRequest:
    """Return a request for the last hour's footage."""
    body = FootageRequest(
        details=prev,
        area=around(),
        window=Span(street.now_s - 3_600, street.now_s),
        incident=IncidentKind.VEHICLE_THEFT,
        retention_days=90,
        sharing=Sharing.COURTS,
        availability=False,
    )
    return replace(body, **changes)


def enrol(street: Street, name: str = "agency", **changes: Any) -> Neighbor:
    """Have the host take in an agency."""
    street.say(street.host, profile(name, **({"issued_s": street.now_s} | changes)))
    return Neighbor(key(name), street.last)


def officer(street: Street, agency: Neighbor, name: str = "officer", days: int = 300) -> Neighbor:
    """Have an agency certify an officer."""
    who = Neighbor(key(name))
    expires_s = street.now_s + days * DAY_S
    street.say(agency, Officer(OfficerAction.CERTIFY, who.key.public, "Badge 12", expires_s))
    who.id = street.last
    return who


def ask(street: Street, who: Neighbor, case: str = "24-1189", **changes: Any) -> str:
    """Have an officer ask; return the request."""
    street.say(who, details(case))
    street.say(who, asking(street, street.last, **changes))
    return street.last


def partnership(code: str = "MAPLE25", **changes: Any) -> Partnership:
    """Return an agreement."""
    return replace(
        Partnership("Cameras for neighbors.\nNothing is asked for them.", code, 25, None), **changes
    )


class Shelf:
    """What a hub has: a state and records."""

    def __init__(self, street: Street) -> None:
        self.state = street.state
        self.street = street

    def record(self, record_id: str) -> Record | None:
        """Return a record."""
        return next((one.record for one in self.street.placed if one.record.id == record_id), None)

    def who(self, neighbor: Neighbor) -> Subject:
        """Return somebody's subject."""
        found = self.state.subject_of(neighbor.key.public)
        if found is None:
            raise LookupError(neighbor.id)
        return found
