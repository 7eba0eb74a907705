"""Agencies, footage requests, partnerships and legal demands as they are shown, with the texts still there.

For homes (a ledger), for the hub (its database) and for the register: whoever has a state and records.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from .bodies import LegalDemand, RequestDetails
from .bodies.agencies import AgencyKind, DemandKind, FaceRecognition, Sharing
from .bodies.requests import Answer, IncidentKind
from .envelope import Record
from .keys import fingerprint
from .places import Place
from .rows import MODERATING, Standing, Status, Subject
from .rows_requests import AgencyRow, Ending, PartnershipRow, RequestRow
from .state import RequestStatus, State, may_have_body, request_status


class View(Protocol):
    """Where to read: a Ledger, a LedgerView, or what a hub makes of its database."""

    @property
    def state(self) -> State:
        """The state."""

    def record(self, record_id: str, /) -> Record | None:
        """Return a record, with its body if that is there."""


@dataclass(frozen=True, slots=True)
class AgencyItem:
    """An agency, with what its newest profile promises."""

    id: str
    root: str  # the id before all changes of its key
    name: str
    domain: str
    key: str
    fingerprint: str
    age_recipient: str
    kind: AgencyKind
    retention_days: int
    sharing: Sharing
    face_recognition: FaceRecognition
    terms: str
    jurisdiction: tuple[Place, ...]
    enrolled_s: int
    key_since_s: int
    hold_until_s: int | None
    standing: Standing  # MEMBER while it is enrolled
    profile: str  # the record of the newest profile

    @property
    def is_active(self) -> bool:
        """Whether it is enrolled now."""
        return self.standing is Standing.MEMBER

    def is_on_hold(self, now_s: int) -> bool:
        """Whether its key has changed so lately that nothing is delivered."""
        return self.hold_until_s is not None and now_s < self.hold_until_s


@dataclass(frozen=True, slots=True)
class Details:
    """What people are told of a request."""

    case_number: str
    purpose: str
    contact: str
    description: str


@dataclass(frozen=True, slots=True)
class RequestItem:
    """A footage request."""

    id: str
    number: int
    time_s: int
    status: RequestStatus
    agency: AgencyItem  # as it is now
    officer: str  # the name that the agency certified
    area: tuple[Place, ...]
    start_s: int
    end_s: int
    incident: IncidentKind
    availability: Answer | str | None  # "asked" until there is an answer; None if nobody asked
    details: Details | None  # None: erased, or not for this viewer
    released_s: int | None
    expires_s: int
    extended: bool
    reminded_s: int | None
    closed_s: int | None
    outcome: Ending | None
    flags: int
    appealed: bool

    @property
    def is_open(self) -> bool:
        """Whether it can be answered."""
        return self.status is RequestStatus.OPEN


@dataclass(frozen=True, slots=True)
class PartnershipItem:
    """An agreement between an agency and the neighborhood."""

    id: str
    number: int
    time_s: int
    agency: AgencyItem
    terms: str
    code: str
    seed_cameras: int
    households: int  # in steps of 20
    cameras_given: int
    replaced: bool  # by a later one


@dataclass(frozen=True, slots=True)
class DemandItem:
    """What a court asked of the hub."""

    id: str
    number: int
    time_s: int
    kind: DemandKind
    authority: str
    served_s: int
    given: str
    told: str


def read_requests(view: View, me: Subject | None) -> tuple[RequestItem, ...]:
    """Return the requests that somebody may see, newest first. `me` None: what everybody may see.

    Void ones are as if they had never been.
    """
    found = (read_request(view, row.id, me) for row in view.state.requests())
    return tuple(item for item in found if item)


def read_request(view: View, request_id: str, me: Subject | None) -> RequestItem | None:
    """Return one request, if there is such a one that this viewer may see."""
    state = view.state
    row = state.request(request_id)
    if row is None or not row.known or row.incident is None or row.outcome is Ending.VOID:
        return None
    agency = _agency_now(state, row.agency)
    if agency is None or not may_have_body(state, row.id, me):
        return None
    officer, item = state.subject(row.subject), state.item(row.id)
    return RequestItem(
        id=row.id,
        number=row.number,
        time_s=row.time_s,
        status=request_status(state, row),
        agency=agency,
        officer=officer.name if officer else "",
        area=row.area,
        start_s=row.start_s,
        end_s=row.end_s,
        incident=row.incident,
        availability=row.answer or ("asked" if row.asks else None),
        details=_details(view, row, me),
        released_s=row.released_s,
        expires_s=row.expires_s,
        extended=row.extended_s is not None,
        reminded_s=row.reminded_s,
        closed_s=row.closed_s,
        outcome=row.outcome,
        flags=item.open_flags if item else 0,
        appealed=item.open_appeal if item else False,
    )


def requests_to_moderate(view: View, me: Subject) -> tuple[RequestItem, ...]:
    """Return what waits for a moderator: not looked at yet, hidden by flags, or appealed against."""
    if me.standing not in MODERATING:
        return ()
    return tuple(item for item in read_requests(view, me) if _waits(view.state, item))


def _waits(state: State, item: RequestItem) -> bool:
    row = state.item(item.id)
    if row is None:
        return False
    over = item.closed_s is not None
    return item.appealed or (not over and row.status in {Status.PENDING, Status.HIDDEN})


def _details(view: View, row: RequestRow, me: Subject | None) -> Details | None:
    if not may_have_body(view.state, row.details, me) or view.state.details(row.details) is None:
        return None
    record = view.record(row.details)
    body = record.body if record else None
    if not isinstance(body, RequestDetails):
        return None
    return Details(body.case_number, body.purpose, body.contact, body.description)


def read_agencies(view: View) -> tuple[AgencyItem, ...]:
    """Return the agencies that are or were enrolled, each once, as they are now; the newest first."""
    now = (view.state.agency_now(row.root) for row in view.state.agencies() if row.id == row.root)
    found = [item for row in now if row and (item := _agency(view.state, row))]
    return tuple(sorted(found, key=lambda item: (item.enrolled_s, item.id), reverse=True))


def read_partnerships(view: View) -> tuple[PartnershipItem, ...]:
    """Return all agreements, newest first."""
    found = [_partnership(view.state, row) for row in view.state.partnerships()]
    return tuple(sorted(filter(None, found), key=lambda item: item.number, reverse=True))


def _partnership(state: State, row: PartnershipRow) -> PartnershipItem | None:
    agency = _agency_now(state, row.agency)
    if agency is None:
        return None
    return PartnershipItem(
        id=row.id,
        number=row.number,
        time_s=row.time_s,
        agency=agency,
        terms=row.terms,
        code=row.code,
        seed_cameras=row.seed_cameras,
        households=row.households,
        cameras_given=row.cameras_given,
        replaced=row.replaced,
    )


def read_demands(view: View) -> tuple[DemandItem, ...]:
    """Return what the hub was served with, newest first."""
    found = []
    row: Any
    for key, row in view.state.store.scan("demands", reverse=True):
        record = view.record(row[0])
        if record and isinstance(body := record.body, LegalDemand):
            found.append(
                DemandItem(
                    record.id,
                    int(key),
                    row[1],
                    body.kind,
                    body.authority,
                    body.served_s,
                    body.given,
                    body.told,
                )
            )
    return tuple(found)


def _agency_now(state: State, root: str) -> AgencyItem | None:
    row = state.agency_now(root)
    return _agency(state, row) if row else None


def _agency(state: State, row: AgencyRow) -> AgencyItem | None:
    subject = state.subject(row.id)
    if subject is None:
        return None
    return AgencyItem(
        id=row.id,
        root=row.root,
        name=subject.name,
        domain=row.domain,
        key=subject.key,
        fingerprint=fingerprint(subject.key),
        age_recipient=row.age_recipient,
        kind=row.kind,
        retention_days=row.retention_days,
        sharing=row.sharing,
        face_recognition=row.face_recognition,
        terms=row.terms,
        jurisdiction=row.jurisdiction,
        enrolled_s=row.enrolled_s,
        key_since_s=row.key_since_s,
        hold_until_s=row.hold_until_s,
        standing=subject.standing,
        profile=row.profile,
    )
