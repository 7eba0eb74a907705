"""Rules of what officers may ask for, and of what agencies and hosts agree on."""

from collections.abc import Sequence
import hashlib
from typing import Any, Protocol

from .bodies import (
    Availability,
    Close,
    Extension,
    FootageRequest,
    Partnership,
    PartnershipCount,
    Reminder,
    RequestDetails,
)  # fmt: skip
from .bodies.feed import Span
from .bodies.partnership import HOUSEHOLDS_STEP
from .bodies.requests import IncidentKind
from .envelope import Record
from .geometry import area_m2, is_simple, touches_circle, within
from .limits import (
    FUTURE_S,
    MAX_AREA_M2,
    MAX_INCIDENT_AGE_S,
    MAX_OPEN,
    MAX_PER_CASE,
    MAX_WINDOW_S,
    MIN_AREA_M2,
    MIN_WINDOW_S,
)  # fmt: skip
from .places import Place
from .rows import Hood, Subject
from .rows_requests import AgencyRow, RequestRow
from .state import RequestStatus, State, request_status
from .text import folded
from .violation import RecordViolation
from .violations import (
    AlreadyDone,
    BadField,
    FromTheFuture,
    NotAllowed,
    OutsideArea,
    TooOld,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip
from .violations_requests import (
    AlreadyExtended,
    AlreadyReminded,
    AreaTooLarge,
    AreaTooSmall,
    BadArea,
    CodeTaken,
    LawfulAssembly,
    NotOpen,
    NotReleased,
    OutsideJurisdiction,
    TermsDiffer,
    ThirdOfCase,
    TooManyOpen,
    WindowTooLong,
    WindowTooShort,
)  # fmt: skip


class Polices(Protocol):
    """An agency's row, or what is shown of an agency."""

    @property
    def jurisdiction(self) -> tuple[Place, ...]:
        """Where it polices."""


def preview_request(
    area: Sequence[Place], window: Span, incident: IncidentKind, *, agency: Polices, hood: Hood, now_s: int
) -> list[RecordViolation]:
    """Return what is wrong with a request by itself: for the page that draws it, and for `check_request`."""
    found: list[RecordViolation] = []
    if incident is IncidentKind.ASSEMBLY:
        found.append(LawfulAssembly("nobody is asked for footage of people who gather lawfully"))
    found += _window(window, now_s)
    if not is_simple(area):
        return [*found, BadArea("the edges of the area cross or touch")]
    size = area_m2(area)
    if size < MIN_AREA_M2:
        found.append(AreaTooSmall(f"{size} square metres, {MIN_AREA_M2} at least"))
    if size > MAX_AREA_M2:
        found.append(AreaTooLarge(f"{size} square metres, {MAX_AREA_M2} at most"))
    if not within(area, agency.jurisdiction):
        found.append(OutsideJurisdiction("the area is not all in the agency's jurisdiction"))
    if not touches_circle(area, hood.center, hood.radius_m):
        found.append(OutsideArea("the area doesn't touch the neighborhood"))
    return found


def _window(window: Span, now_s: int) -> list[RecordViolation]:
    found: list[RecordViolation] = []
    length_s = window.end_s - window.start_s
    if length_s < MIN_WINDOW_S:
        found.append(WindowTooShort("15 minutes at least"))
    if length_s > MAX_WINDOW_S:
        found.append(WindowTooLong("12 hours at most"))
    if window.end_s > now_s + FUTURE_S:
        found.append(FromTheFuture("the window ends later than now"))
    if window.start_s < now_s - MAX_INCIDENT_AGE_S:
        found.append(TooOld("it began more than 30 days ago"))
    return found


def check_request(record: Record, officer: Subject, state: State, time_s: int) -> None:
    """Behind its details, within all limits, with the promises of the agency's profile.

    Without its body (a hub keeps that back until a moderator has looked) the place alone can be checked.
    """
    details = state.details(record.envelope.prev or "")
    agency = state.agency(officer.agency)
    if details is None or details.subject != officer.id or agency is None:
        raise WrongTarget("a request comes right after the record with its details")
    if isinstance(record.body, FootageRequest):
        if record.body.details != details.id:
            raise WrongTarget("these are not the details before it")
        check_asking(record.body, agency, state.hood, time_s)
    if sum(1 for _ in state.unfinished(agency.root)) >= MAX_OPEN:
        raise TooManyOpen(f"{MAX_OPEN} requests of one agency at a time")
    if details.case and state.requests_of_case(details.case) >= MAX_PER_CASE:
        raise ThirdOfCase(f"{MAX_PER_CASE} requests for one case")


def check_asking(body: FootageRequest, agency: AgencyRow, hood: Hood, time_s: int) -> None:
    """What a request says: where, when, what, and what the agency promises."""
    found = preview_request(body.area, body.window, body.incident, agency=agency, hood=hood, now_s=time_s)
    for violation in found:
        raise violation
    if (body.retention_days, body.sharing) != (agency.retention_days, agency.sharing):
        raise TermsDiffer("retention and sharing are not as in the agency's profile")


def check_late_request(record: Record, body: FootageRequest, state: State, waited: Any) -> None:
    """What a body says that a hub kept back, against profile and neighborhood as they were at its place."""
    row = state.request(record.id)
    if row is None:
        raise UnknownTarget("there is no such request")
    if body.details != row.details:
        raise WrongTarget("these are not the details before it")
    time_s, (agency_id, agency, hood) = waited
    check_asking(body, AgencyRow.unpack(agency_id, agency), Hood.unpack(hood), time_s)


def check_late_details(record: Record, body: RequestDetails, state: State) -> None:
    """Whether a case had more requests than it may, now that its number is known."""
    row = state.details(record.id)
    if row is None:
        raise UnknownTarget("nobody waits for this body")
    if row.request and state.requests_of_case(case_of(row.agency, body.case_number)) >= MAX_PER_CASE:
        raise ThirdOfCase(f"{MAX_PER_CASE} requests for one case")


def case_of(root: str, case_number: str) -> str:
    """Return a digest of a case: its letters and digits, without the difference of case or of spaces."""
    return hashlib.sha256(f"{root} {folded(case_number) or case_number}".encode()).hexdigest()


def check_follow_up(body: Extension | Reminder | Close, officer: Subject, state: State) -> None:
    """An officer of the same agency, about a request that goes on; extended and reminded of once."""
    request = _request(state, body.request)
    if state.root_of(officer) != request.agency:
        raise NotAllowed("another agency's request")
    if request.closed_s is not None:
        raise NotOpen("the request has ended")
    if isinstance(body, Close):
        return
    if request.released_s is None:
        raise NotReleased("no moderator has let the request through")
    if request_status(state, request) is not RequestStatus.OPEN:
        raise NotOpen("the request is held")
    if isinstance(body, Extension) and request.extended_s is not None:
        raise AlreadyExtended("a request is extended once")
    if isinstance(body, Reminder) and request.reminded_s is not None:
        raise AlreadyReminded("a request is called to mind once")


def check_availability(record: Record, state: State) -> None:
    """The hub's own word, once, on a request that asked for it and is open."""
    if record.author != state.hood.hub_key:
        raise NotAllowed("the hub alone says whether anybody recorded")
    if record.envelope.prev is not None:
        raise WrongTarget("what the hub says follows nothing")
    if not isinstance(record.body, Availability):
        return
    request = _request(state, record.body.request)
    if request.released_s is None:
        raise NotReleased("no moderator has let the request through")
    if request.closed_s is not None:
        raise NotOpen("the request has ended")
    if request.known and not request.asks:
        raise WrongTarget("the request doesn't ask that")
    if request.answer is not None:
        raise AlreadyDone("answered once, and kept")


def check_partnership(body: Partnership, agency: Subject, state: State) -> None:
    """One at a time for an agency, with a code of its own."""
    root = state.root_of(agency)
    current = [row for row in state.partnerships() if not row.replaced]
    own = [row.id for row in current if row.agency == root]
    if body.replaces not in (own or (None,)):
        raise WrongTarget("a new agreement replaces the agency's last one")
    if any(row.code == body.code for row in current if row.agency != root):
        raise CodeTaken("another agency's partnership has this code")


def check_partnership_count(body: PartnershipCount, state: State) -> None:
    """Never less than before, and no more cameras than were earned."""
    row = state.partnership(body.partnership)
    if row is None:
        raise UnknownTarget("there is no such partnership")
    if row.replaced:
        raise WrongTarget("this agreement was replaced")
    if body.households < row.households or body.cameras_given < row.cameras_given:
        raise BadField("partnership_count: never less than before")
    if (body.households, body.cameras_given) == (row.households, row.cameras_given):
        raise AlreadyDone("it says so already")
    if body.cameras_given > row.seed_cameras + body.households // HOUSEHOLDS_STEP:
        raise BadField("partnership_count.cameras_given: one for each 20 households, and the first ones")


def _request(state: State, request_id: str) -> RequestRow:
    request = state.request(request_id)
    if request is None:
        raise UnknownTarget("there is no such request")
    return request
