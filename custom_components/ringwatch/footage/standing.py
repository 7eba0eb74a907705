"""How a request and its agency stand, as this home's copy of the neighborhood says, and what follows.

Read right before anything is released, and again before it goes on after a break.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..neighborhood.envelope import Record
from ..neighborhood.requests import View, read_request
from ..neighborhood.rows import Kind, Subject
from ..neighborhood.state import RequestStatus
from .answer_states import Answer
from .parties import Recipient

LATE_S: Final = 86_400  # after a request's end: who confirmed in its last hour still delivers


@dataclass(frozen=True, slots=True)
class Standing:
    """A request, at a time of the hub."""

    now_s: int
    is_open: bool
    closed_s: int | None  # when it ended by itself or by an officer; None if it didn't, or was refused
    recipient: Recipient
    is_enrolled: bool
    is_held: bool  # by flags or a suspension: for a while, perhaps
    hold_until_s: int | None
    officers: Mapping[str, int]  # the agency's, by their keys: until when each is certified
    certificates: tuple[Record, ...]  # the agency's profile, and the request

    @property
    def takes_answers(self) -> bool:
        """Whether the hub would take a package."""
        return self.is_open or (self.closed_s is not None and self.now_s < self.closed_s + LATE_S)

    @property
    def is_on_hold(self) -> bool:
        """Whether the agency's key has changed so lately that nothing is delivered."""
        return self.hold_until_s is not None and self.now_s < self.hold_until_s


def read_standing(view: View, request_id: str, me: Subject | None, now_s: int) -> Standing | None:
    """Return how a request stands; None if there is no such request for this viewer."""
    item = read_request(view, request_id, me)
    if item is None:
        return None
    agency = item.agency
    records = (view.record(agency.profile), view.record(request_id))
    is_over = item.status in {RequestStatus.CLOSED, RequestStatus.EXPIRED}
    officers = {
        one.key: one.expires_s
        for one in view.state.subjects(Kind.OFFICER)
        if view.state.root_of(one) == agency.root
    }
    return Standing(
        now_s=now_s,
        is_open=item.is_open,
        closed_s=item.closed_s if is_over else None,
        recipient=Recipient(
            agency_id=agency.profile,
            name=agency.name,
            domain=agency.domain,
            key=agency.key,
            age_recipient=agency.age_recipient,
            retention_days=agency.retention_days,
            sharing=agency.sharing.value,
            face_recognition=agency.face_recognition.value,
        ),
        is_enrolled=agency.is_active,
        is_held=item.status is RequestStatus.HELD,
        hold_until_s=agency.hold_until_s,
        officers=officers,
        certificates=tuple(record for record in records if record is not None),
    )


class Next(StrEnum):
    """What is to be done with a confirmed answer."""

    GO = "go"
    WAIT = "wait"
    STALE = "stale"
    FAIL = "fail"


def decide(answer: Answer, standing: Standing | None) -> tuple[Next, str]:
    """Return what to do, and why (a stable code)."""
    if standing is None:
        return Next.WAIT, "neighborhood_away"
    if standing.is_held:
        return Next.WAIT, "request_held"
    if not standing.is_enrolled:
        return Next.FAIL, "agency_gone"
    if not standing.takes_answers:
        return Next.FAIL, "request_closed"
    if standing.recipient != answer.recipient:
        return Next.STALE, "agency_changed"
    if standing.is_on_hold:
        return Next.WAIT, "agency_on_hold"
    return Next.GO, ""
