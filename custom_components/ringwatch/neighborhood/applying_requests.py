"""What agencies, footage requests and partnerships do to the state.

A request is an item, so that it can be flagged, moderated and appealed for, and a row of its own that stays
when the item goes. Its dates follow from the last decision about it, so that a void decision undoes itself.
"""

from collections.abc import Callable
from dataclasses import replace

from .bodies import (
    Agency,
    Availability,
    Body,
    Close,
    Extension,
    FootageRequest,
    Partnership,
    PartnershipCount,
    Reminder,
    RequestDetails,
)  # fmt: skip
from .bodies.care import Action
from .canonical import Json
from .changes import ChangeKind
from .envelope import Record
from .limits import DETAILS_KEPT_S, DETAILS_WAIT_S, KEY_HOLD_S, REQUEST_S
from .order import Entry
from .rows import Item, Status, Subject
from .rows_requests import AgencyRow, DetailsRow, Ending, PartnershipRow, RequestRow
from .rules_requests import case_of
from .state import numbered
from .types import Type
from .writing import FOREVER_S, Writer

ENDS = "request"  # due: a request's time is up
UNUSED = "details"  # due: details that no request came for go
FORGOTTEN = "forget"  # due: what was said about a request goes, and its details


# ---- agencies -------------------------------------------------------------------------------------


def write_profile(writer: Writer, agency: Subject, body: Agency, record: Record, entry: Entry) -> None:
    """Keep what an agency promises. A new key, or a new one to encrypt for, is held back from deliveries."""
    before = writer.agency(body.replaces)
    root = before.root if before else agency.id
    same = before is not None and before.id == agency.id
    held = before is not None and (not same or before.age_recipient != body.age_recipient)
    row = AgencyRow(
        id=agency.id,
        root=root,
        profile=record.id,
        issued_s=body.issued_s,
        domain=body.domain,
        age_recipient=body.age_recipient,
        kind=body.kind,
        jurisdiction=body.jurisdiction,
        retention_days=body.retention_days,
        sharing=body.sharing,
        face_recognition=body.face_recognition,
        terms=body.terms,
        enrolled_s=before.enrolled_s if before else entry.time_s,
        key_since_s=before.key_since_s if before and not held else entry.time_s,
        hold_until_s=entry.time_s + KEY_HOLD_S if held else before.hold_until_s if before else None,
    )
    writer.store.put("agencies", agency.id, row.pack())
    writer.store.put("meta", f"agency/{root}", agency.id)


# ---- requests -------------------------------------------------------------------------------------


def place_details(writer: Writer, record: Record, officer: Subject, entry: Entry) -> None:
    """Keep whose details these are, for the request that comes next."""
    root = writer.root_of(officer)
    if root is not None:
        write_details(writer, DetailsRow(record.id, officer.id, root))
        writer.due(entry.time_s + DETAILS_WAIT_S, UNUSED, record.id)
        writer.tell(ChangeKind.DETAILS, record.id, officer.id)


def place_request(writer: Writer, record: Record, officer: Subject, entry: Entry) -> None:
    """Give a request its rows: what can be said of it without its body."""
    details = writer.details(record.envelope.prev or "")
    if details is None:
        return
    item = Item(
        id=record.id,
        type=record.type,
        subject=officer.id,
        number=entry.number,
        time_s=entry.time_s,
        expires_s=FOREVER_S,
        checked_first=True,
    )
    row = RequestRow(
        id=record.id,
        subject=officer.id,
        agency=details.agency,
        number=entry.number,
        time_s=entry.time_s,
        details=details.id,
        expires_s=entry.time_s + REQUEST_S,
    )
    writer.write_item(item)
    _write(writer, row)
    writer.store.put("asked", numbered(row.number), row.id)
    writer.note(officer.id, entry.number, record.type, record.id, record.id)
    writer.due(row.expires_s, ENDS, row.id)
    write_details(writer, replace(details, request=row.id))
    writer.tell(ChangeKind.REQUEST, row.id, officer.id)


def wait_for(writer: Writer, record: Record, officer: Subject, entry: Entry) -> Json:
    """Return what a body that the hub keeps back has to be checked against when it comes."""
    agency = writer.agency(officer.agency)
    if record.type is Type.FOOTAGE_REQUEST and agency:
        return [entry.time_s, [agency.id, agency.pack(), writer.hood.pack()]]
    return entry.time_s


def fill_request(writer: Writer, record_id: str, body: FootageRequest) -> None:
    """Bring in what only a request's body says."""
    row, item = writer.request(record_id), writer.item(record_id)
    if row is None or row.outcome is Ending.VOID:
        writer.erase(record_id)
        return
    _write(
        writer,
        replace(
            row,
            known=True,
            area=body.area,
            start_s=body.window.start_s,
            end_s=body.window.end_s,
            incident=body.incident,
            asks=body.availability,
        ),
    )
    if item:
        writer.write_item(replace(item, known=True))


def fill_details(writer: Writer, record_id: str, body: RequestDetails) -> None:
    """Bring in which case it is about."""
    row = writer.details(record_id)
    if row is None:
        writer.erase(record_id)
    else:
        write_details(writer, replace(row, case=case_of(row.agency, body.case_number)))


def write_details(writer: Writer, row: DetailsRow) -> None:
    """Set the row of a request's details, and count its case."""
    writer.store.put("details", row.id, row.pack())
    request = writer.request(row.request) if row.request else None
    if row.case and request:
        writer.store.put("cases", f"{row.case}/{numbered(request.number)}", request.id)


def follow_up(writer: Writer, body: Body, record: Record, officer: Subject, entry: Entry) -> None:
    """An extension, a reminder or the end of a request, by an officer."""
    match body:
        case Extension() if row := writer.request(body.request):
            row = replace(row, extended_s=entry.time_s, expires_s=row.expires_s + REQUEST_S)
            writer.due(row.expires_s, ENDS, row.id)
            kind = ChangeKind.EXTENSION
        case Reminder() if row := writer.request(body.request):
            row = replace(row, reminded_s=entry.time_s)
            kind = ChangeKind.REMINDER
        case Close() if row := writer.request(body.request):
            row = _ended(writer, row, Ending(body.outcome.value), entry.time_s)
            kind = ChangeKind.CLOSED
        case _:
            return
    _write(writer, row)
    writer.note(officer.id, entry.number, record.type, record.id, row.id)
    writer.tell(kind, row.id, officer.id)


def answer_availability(writer: Writer, body: Availability) -> None:
    """Keep the hub's answer."""
    if row := writer.request(body.request):
        _write(writer, replace(row, answer=body.answer))
        writer.tell(ChangeKind.AVAILABILITY, row.id)


def follow_decisions(writer: Writer, request_id: str, by: str | None = None) -> None:
    """Bring a request's dates to what moderators decided last, after a decision came or became void."""
    item, row = writer.item(request_id), writer.request(request_id)
    if item is None or row is None or item.ended:
        return
    now_s = writer.position.time_s
    last = item.decisions[-1].action if item.decisions else None
    if last is Action.REMOVE:
        if row.closed_s is None:
            _write(writer, _ended(writer, row, Ending.REFUSED, now_s))
            writer.tell(ChangeKind.CLOSED, row.id, by)
        return
    if row.outcome is Ending.REFUSED:
        row = replace(row, outcome=None, closed_s=None)
    if row.closed_s is None:
        row = _released(writer, row, last, now_s, by)
        _write(writer, row)
        _expire_if_due(writer, row, now_s)


def _released(writer: Writer, row: RequestRow, last: Action | None, now_s: int, by: str | None) -> RequestRow:
    if last is None and row.released_s is not None:  # the release was void
        return replace(row, released_s=None, expires_s=row.time_s + REQUEST_S)
    if last is Action.RESTORE and row.released_s is None:
        row = replace(row, released_s=now_s, expires_s=now_s + REQUEST_S)
        writer.due(row.expires_s, ENDS, row.id)
        writer.tell(ChangeKind.RELEASED, row.id, by)
    return row


def void_follow_up(writer: Writer, request_id: str, what: str) -> None:
    """Undo an extension, a reminder or a closing."""
    row = writer.request(request_id)
    if row is None:
        return
    if what == Type.EXTENSION:
        row = replace(row, extended_s=None, expires_s=row.expires_s - REQUEST_S)
    elif what == Type.REMINDER:
        row = replace(row, reminded_s=None)
    else:
        row = replace(row, closed_s=None, outcome=None)
    _write(writer, row)
    if row.closed_s is None:
        _expire_if_due(writer, row, writer.position.time_s)


def void_request(writer: Writer, item: Item) -> None:
    """Undo a request: it is as if it had never been, for whoever had its body and whoever hadn't."""
    writer.end_item(item, Status.VOID)
    if row := writer.request(item.id):
        _erase_details(writer, row.details)
        _write(
            writer,
            RequestRow(
                row.id,
                row.subject,
                row.agency,
                row.number,
                row.time_s,
                row.details,
                row.expires_s,
                closed_s=writer.position.time_s,
                outcome=Ending.VOID,
            ),
        )
        writer.due(writer.position.time_s + DETAILS_KEPT_S, FORGOTTEN, row.id)


def pass_request(writer: Writer, what: str, id_: str, due_s: int) -> None:
    """Do what is due: a request expires, or its details go."""
    if what == UNUSED:
        details = writer.details(id_)
        if details and details.request is None:
            _erase_details(writer, id_)
        return
    row = writer.request(id_)
    if row is None:
        return
    if what == ENDS and row.closed_s is None:
        _expire_if_due(writer, row, min(row.expires_s, due_s))
    elif what == FORGOTTEN and row.closed_s is not None and row.closed_s + DETAILS_KEPT_S <= due_s:
        _erase_details(writer, row.details)
        if item := writer.item(row.id):
            _drop(writer, item)


def _drop(writer: Writer, item: Item) -> None:
    """Forget what was said about a request. The request itself stays in the register."""
    writer.clear_below(item)
    writer.drop_decisions(item)
    writer.store.delete("items", item.id)
    writer.store.delete("mine", f"{item.subject}/{numbered(item.number)}")


def _expire_if_due(writer: Writer, row: RequestRow, now_s: int) -> None:
    if row.expires_s <= now_s:
        _write(writer, _ended(writer, row, Ending.EXPIRED, now_s))
        writer.tell(ChangeKind.CLOSED, row.id)


def _ended(writer: Writer, row: RequestRow, outcome: Ending, now_s: int) -> RequestRow:
    writer.due(now_s + DETAILS_KEPT_S, FORGOTTEN, row.id)
    return replace(row, closed_s=now_s, outcome=outcome)


def _erase_details(writer: Writer, details_id: str) -> None:
    row = writer.details(details_id)
    if row is None:
        return
    request = writer.request(row.request) if row.request else None
    if row.case and request:
        writer.store.delete("cases", f"{row.case}/{numbered(request.number)}")
    writer.store.delete("details", details_id)
    writer.erase(details_id)


def _write(writer: Writer, row: RequestRow) -> None:
    """Set a request's row, and whether it is among those that have not ended."""
    writer.store.put("requests", row.id, row.pack())
    key = f"{row.agency}/{numbered(row.number)}"
    if row.closed_s is None:
        writer.store.put("open", key, row.id)
    else:
        writer.store.delete("open", key)


# ---- partnerships and demands ---------------------------------------------------------------------


def agree(writer: Writer, body: Partnership, record: Record, agency: Subject, entry: Entry) -> None:
    """Keep an agreement. What came of the one before it goes on."""
    before = writer.partnership(body.replaces) if body.replaces else None
    if before:
        writer.store.put("partnerships", before.id, replace(before, replaced=True).pack())
    row = PartnershipRow(
        id=record.id,
        agency=writer.root_of(agency) or agency.id,
        number=entry.number,
        time_s=entry.time_s,
        terms=body.terms,
        code=body.code,
        seed_cameras=body.seed_cameras,
        households=before.households if before else 0,
        cameras_given=before.cameras_given if before else 0,
        replaced=False,
    )
    writer.store.put("partnerships", row.id, row.pack())
    writer.tell(ChangeKind.PARTNERSHIP, row.id, agency.id)


def count_households(writer: Writer, body: PartnershipCount, subject: Subject) -> None:
    """Keep how many households have come."""
    if row := writer.partnership(body.partnership):
        row = replace(row, households=body.households, cameras_given=body.cameras_given)
        writer.store.put("partnerships", row.id, row.pack())
        writer.tell(ChangeKind.PARTNERSHIP, row.id, subject.id)


def keep_demand(writer: Writer, record: Record, host: Subject, entry: Entry) -> None:
    """Note what the hub was served with."""
    writer.store.put("demands", numbered(entry.number), [record.id, entry.time_s])
    writer.tell(ChangeKind.LEGAL_DEMAND, record.id, host.id)


PLACING: dict[Type, Callable[[Writer, Record, Subject, Entry], None]] = {
    Type.REQUEST_DETAILS: place_details,
    Type.FOOTAGE_REQUEST: place_request,
    Type.LEGAL_DEMAND: keep_demand,
}
