"""What records, in the hub's order, have come to. It is read here and changed by `apply` only."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from .order import Position
from .rows import ACTIVE, KEPT_BACK, MODERATING, Author, Hood, Item, Kind, Status, Subject
from .rows_requests import AgencyRow, DetailsRow, Ending, PartnershipRow, RequestRow
from .store import History, Store
from .text import folded
from .violations import NotFounded


def numbered(number: int) -> str:
    """Return a number as a key that sorts like the number."""
    return f"{number:012d}"


def once_key(what: str, item_id: str, subject_id: str) -> str:
    """Return the key of what somebody may do once to an item."""
    return f"{item_id}/{what}/{subject_id}"


class State:
    """Typed reading of a store. Cheap to make: it keeps nothing itself."""

    def __init__(self, store: Store, history: History) -> None:
        self.store = store
        self.history = history

    @property
    def position(self) -> Position:
        """The last entry that was applied, and the newest time that the hub has signed."""
        row: Any = self.store.get("meta", "position")
        return Position(*row) if row else Position()

    @property
    def is_founded(self) -> bool:
        """Whether the founding is there."""
        return self.store.get("meta", "hood") is not None

    @property
    def hood(self) -> Hood:
        """The neighborhood. Raise NotFounded before the founding."""
        row = self.store.get("meta", "hood")
        if row is None:
            raise NotFounded("the first record is the founding")
        return Hood.unpack(row)

    def count(self, what: str) -> int:
        """Return how many active members, moderators or agencies there are."""
        found: Any = self.store.get("meta", f"count/{what}")
        return found or 0

    def author(self, key: str) -> Author | None:
        """Return what is known of a key."""
        row = self.store.get("keys", key)
        return None if row is None else Author.unpack(key, row)

    def subject(self, subject_id: str) -> Subject | None:
        """Return a member, an agency or an officer."""
        row = self.store.get("subjects", subject_id)
        return None if row is None else Subject.unpack(subject_id, row)

    def subject_of(self, key: str) -> Subject | None:
        """Return whose key it is, if it is in use now."""
        author = self.author(key)
        return self.subject(author.subject) if author and author.active else None

    @property
    def host(self) -> Subject:
        """The host."""
        found = self.subject(self.hood.host)
        if found is None:
            raise NotFounded("the first record is the founding")
        return found

    def subjects(self, kind: Kind) -> Iterator[Subject]:
        """Yield all that ever were, members or agencies or officers."""
        for subject_id, row in self.store.scan("subjects"):
            found = Subject.unpack(subject_id, row)
            if found.kind is kind:
                yield found

    def handle_is_taken(self, handle: str) -> bool:
        """Return whether somebody has or had this name, or one that looks like it."""
        return self.store.get("handles", folded(handle)) is not None

    def invite_is_used(self, invite: str) -> bool:
        """Return whether somebody joined with this invite."""
        return self.store.get("invites", invite) is not None

    def item(self, item_id: str) -> Item | None:
        """Return a post, an alert or a comment that has not expired."""
        row = self.store.get("items", item_id)
        return None if row is None else Item.unpack(item_id, row)

    def once(self, what: str, item_id: str, subject_id: str) -> bool:
        """Return whether somebody has thanked for or flagged an item already."""
        return self.store.get("once", once_key(what, item_id, subject_id)) is not None

    def below(self, item_id: str) -> Iterator[tuple[str, str, str, int]]:
        """Yield what belongs to an item: type, record id, subject, number; oldest first."""
        row: Any
        for key, row in self.store.scan("below", f"{item_id}/", f"{item_id}0"):
            yield row[0], row[1], row[2], int(key.rpartition("/")[2])

    def waiting(self) -> Iterator[str]:
        """Yield records whose body hasn't come: it was kept back, or is gone."""
        for record_id, _ in self.store.scan("waiting"):
            yield record_id

    def is_evidence(self, record_id: str) -> bool:
        """Return whether a record only shows that its author forked."""
        return self.store.get("once", f"evidence/{record_id}") is not None

    # ---- agencies, requests -----------------------------------------------------------------------

    def agency(self, subject_id: str | None) -> AgencyRow | None:
        """Return what an agency's newest profile says."""
        row = self.store.get("agencies", subject_id) if subject_id else None
        return None if row is None or subject_id is None else AgencyRow.unpack(subject_id, row)

    def agencies(self) -> Iterator[AgencyRow]:
        """Yield all that ever were."""
        for subject_id, row in self.store.scan("agencies"):
            yield AgencyRow.unpack(subject_id, row)

    def agency_now(self, root: str) -> AgencyRow | None:
        """Return an agency as it is now, after all changes of its key."""
        now = self.store.get("meta", f"agency/{root}")
        return self.agency(str(now)) if now else None

    def root_of(self, subject: Subject) -> str | None:
        """Return which agency somebody belongs to, whatever keys it has had."""
        row = self.agency(subject.agency if subject.kind is Kind.OFFICER else subject.id)
        return row.root if row else None

    def request(self, request_id: str) -> RequestRow | None:
        """Return a footage request. It stays for good."""
        row = self.store.get("requests", request_id)
        return None if row is None else RequestRow.unpack(request_id, row)

    def requests(self) -> Iterator[RequestRow]:
        """Yield all footage requests that ever were, newest first."""
        for _, request_id in self.store.scan("asked", reverse=True):
            if found := self.request(str(request_id)):
                yield found

    def unfinished(self, root: str) -> Iterator[str]:
        """Yield an agency's requests that have not ended: open ones, and such as wait."""
        for _, request_id in self.store.scan("open", f"{root}/", f"{root}0"):
            yield str(request_id)

    def open_requests(self) -> Iterator[RequestRow]:
        """Yield what can be answered now, oldest first by agency."""
        for _, request_id in self.store.scan("open"):
            found = self.request(str(request_id))
            if found and request_status(self, found) is RequestStatus.OPEN:
                yield found

    def details(self, record_id: str) -> DetailsRow | None:
        """Return a record of a request's details, until it is erased."""
        row = self.store.get("details", record_id)
        return None if row is None else DetailsRow.unpack(record_id, row)

    def requests_of_case(self, case: str) -> int:
        """Return how many requests of a case are known."""
        return sum(1 for _ in self.store.scan("cases", f"{case}/", f"{case}0"))

    def partnership(self, record_id: str) -> PartnershipRow | None:
        """Return an agreement."""
        row = self.store.get("partnerships", record_id)
        return None if row is None else PartnershipRow.unpack(record_id, row)

    def partnerships(self) -> Iterator[PartnershipRow]:
        """Yield all that ever were."""
        for record_id, row in self.store.scan("partnerships"):
            yield PartnershipRow.unpack(record_id, row)

    def officer_is_valid(self, officer: Subject, time_s: int) -> bool:
        """Return whether an officer's certificate holds, and the agency still belongs here."""
        agency = self.subject(officer.agency) if officer.agency else None
        return officer.is_active and officer.expires_s > time_s and agency is not None and agency.is_active


def may_read(state: State, key: str) -> bool:
    """Return whether a key's owner belongs to the neighborhood. A frozen author still reads."""
    subject = state.subject_of(key)
    if subject is None:
        return False
    if subject.kind is Kind.OFFICER:
        return state.officer_is_valid(subject, state.position.time_s)
    return subject.standing in ACTIVE


class RequestStatus(StrEnum):
    """How a footage request stands."""

    PENDING = "pending"  # waits for a moderator
    OPEN = "open"
    HELD = "held"  # by a moderator or by flags; or its agency is suspended, or one of them frozen
    CLOSED = "closed"
    EXPIRED = "expired"
    REFUSED = "refused"
    VOID = "void"


_ENDED = {
    Ending.EXPIRED: RequestStatus.EXPIRED,
    Ending.REFUSED: RequestStatus.REFUSED,
    Ending.VOID: RequestStatus.VOID,
}


def request_status(state: State, request: RequestRow) -> RequestStatus:
    """Return how a request stands. Nobody answers one whose agency or officer is out."""
    if request.outcome:
        return _ENDED.get(request.outcome, RequestStatus.CLOSED)
    item = state.item(request.id)
    if item is None or item.status is Status.PENDING:
        return RequestStatus.PENDING
    officer, agency = state.subject(request.subject), state.agency_now(request.agency)
    enrolled = state.subject(agency.id) if agency else None
    if officer is None or officer.frozen or enrolled is None or enrolled.frozen or not enrolled.is_active:
        return RequestStatus.HELD
    return RequestStatus.OPEN if item.status is Status.VISIBLE else RequestStatus.HELD


def may_have_body(state: State, record_id: str, viewer: Subject | None) -> bool:
    """Return whether somebody may have a record's body. `viewer` None: whether everybody may.

    Of requests moderators and the agency have all; others have the request once it is released or over, and
    its details while it is released and not kept back.
    """
    request, details = state.request(record_id), state.details(record_id)
    if request is None and details is None:
        item = state.item(record_id)
        return item is None or may_see_body(item, viewer)
    root = request.agency if request else details.agency if details else None
    if viewer and (viewer.standing in MODERATING or state.root_of(viewer) == root):
        return True
    if request:
        return request.is_public
    request = state.request(details.request) if details and details.request else None
    item = state.item(request.id) if request else None
    if request is None or item is None or request.outcome is Ending.REFUSED:
        return False
    return request.released_s is not None and item.status is Status.VISIBLE


def may_see_body(item: Item, viewer: Subject | None) -> bool:
    """Return whether somebody may have an item's body: its author and moderators may if it is kept back."""
    if item.status is Status.VISIBLE:
        return True
    if viewer is None or item.status not in KEPT_BACK:
        return False
    return viewer.id == item.subject or viewer.standing in MODERATING


def withheld(state: State) -> Iterator[str]:
    """Yield posts, alerts and requests whose body the hub keeps back though the order gives no reason.

    A comment without its body may belong to a post that is gone: nobody can tell which.
    """
    for record_id in state.waiting():
        item = state.item(record_id)
        if state.request(record_id) or state.details(record_id):
            if may_have_body(state, record_id, None):
                yield record_id
        elif item and item.status is Status.VISIBLE and item.type in {"post", "alert"}:
            yield record_id
