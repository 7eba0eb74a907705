"""A record takes its place in the order and has its effect: same records, same order, same state.

The caller holds a transaction of the state's store, and adds the entry to the history in the same one.
"""

from dataclasses import replace

from .applying_feed import ITEMS, decide, fill, place_item
from .applying_people import PEOPLE, change_people, found, join, replace_key
from .applying_requests import (
    ENDS,
    FORGOTTEN,
    PLACING,
    UNUSED,
    agree,
    answer_availability,
    count_households,
    follow_up,
    pass_request,
    wait_for,
)  # fmt: skip
from .bodies import (
    Availability,
    Close,
    Extension,
    Founding,
    Join,
    Partnership,
    PartnershipCount,
    Reminder,
    Replace,
)  # fmt: skip
from .changes import Change, ChangeKind
from .envelope import Record
from .limits import DAY_S
from .order import Entry
from .rows import Subject
from .rules import Verdict, check
from .rules_feed import check_late
from .state import State
from .types import ERASABLE
from .violations import NotAMember, OrderGap, UnknownTarget
from .writing import Writer


def apply(record: Record, state: State, entry: Entry, *, complete: bool = False) -> tuple[Change, ...]:
    """Check a record and bring it into the state. Raise RecordViolation.

    The time goes on first: what has expired by then is gone for the rules as well. After a refusal the caller
    rolls back, or had it tried on an Overlay.
    """
    at = state.position
    if entry.number != at.number + 1 or entry.previous != at.head:
        raise OrderGap(f"entry {at.number + 1} comes next")
    writer = Writer(state)
    _pass_time(writer, entry.time_s)
    verdict = check(record, writer, entry.time_s, complete=complete)
    writer.store.put("meta", "position", [entry.number, entry.head, max(entry.time_s, at.time_s)])
    if verdict is Verdict.EVIDENCE:
        _freeze(writer, record)
    else:
        subject = _admit(writer, record, entry)
        if subject:
            writer.count_today(writer.subject(subject.id) or subject, record.type, entry.time_s)
    return tuple(writer.changes)


def supply(record: Record, state: State) -> tuple[Change, ...]:
    """Bring in a body that came later than its envelope. Raise RecordViolation if it can't be right."""
    row = state.store.get("waiting", record.id)
    place = state.history.place_of(record.id)
    author = state.author(record.author)
    subject = state.subject(author.subject) if author else None
    if row is None or place is None or record.body is None:
        raise UnknownTarget("nobody waits for this body")
    if subject is None:
        raise NotAMember("nobody here has this key")
    check_late(record, record.body, subject, state, row)
    writer = Writer(state)
    writer.store.delete("waiting", record.id)
    fill(writer, record, subject, place.number)
    return tuple(writer.changes)


def advance(state: State, time_s: int) -> tuple[Change, ...]:
    """Let the hub's signed time go on: what is due ends. Never give it a clock of one's own."""
    writer = Writer(state)
    _pass_time(writer, time_s)
    return tuple(writer.changes)


def _admit(writer: Writer, record: Record, entry: Entry) -> Subject | None:
    body = record.body
    if not writer.is_founded and isinstance(body, Founding):
        return found(writer, body, record, entry)
    if isinstance(body, Join):
        return join(writer, body, record, entry)
    if isinstance(body, Replace):
        return replace_key(writer, body, record, entry)
    if isinstance(body, Availability):
        answer_availability(writer, body)
        return None
    author = writer.author(record.author)
    subject = writer.subject(author.subject) if author else None
    if author is None or subject is None:
        return None
    writer.write_author(replace(author, tip=record.id))
    if record.type in ITEMS:
        place_item(writer, record, subject, entry)
    elif place := PLACING.get(record.type):
        place(writer, record, subject, entry)
    if record.type in ERASABLE:
        if body is None:
            writer.store.put("waiting", record.id, wait_for(writer, record, subject, entry))
            if record.type not in PLACING:
                writer.due(entry.time_s + writer.hood.post_days * DAY_S, "body", record.id)
        else:
            fill(writer, record, subject, entry.number)
    elif body is not None and record.type in PEOPLE:
        change_people(writer, body, record, subject, entry)
    elif isinstance(body, Extension | Reminder | Close):
        follow_up(writer, body, record, subject, entry)
    elif isinstance(body, Partnership):
        agree(writer, body, record, subject, entry)
    elif isinstance(body, PartnershipCount):
        count_households(writer, body, subject)
    elif body is not None:
        decide(writer, body, record, subject, entry)
    return subject


def _freeze(writer: Writer, record: Record) -> None:
    """Keep what shows that an author forked, and have nothing more of that author until the host decides."""
    author = writer.author(record.author)
    subject = writer.subject(author.subject) if author else None
    if subject:
        writer.store.put("once", f"evidence/{record.id}", True)
        writer.write_subject(replace(subject, frozen=True))
        writer.tell(ChangeKind.FROZEN, record.id, subject.id)
        if record.type in ERASABLE:
            writer.erase(record.id)


def _pass_time(writer: Writer, time_s: int) -> None:
    at = writer.position
    if time_s <= at.time_s:
        return
    while due := list(writer.store.scan("due", "", f"{time_s + 1:012d}")):  # one end can bring another
        for key, _ in due:
            writer.store.delete("due", key)
            due_s, what, item_id = key.split("/")
            _end(writer, what, item_id, int(due_s))
    writer.store.put("meta", "position", [at.number, at.head, time_s])


def _end(writer: Writer, what: str, item_id: str, due_s: int) -> None:
    item = writer.item(item_id)
    if what in {ENDS, UNUSED, FORGOTTEN}:
        pass_request(writer, what, item_id, due_s)
    elif what == "body":
        writer.store.delete("waiting", item_id)
    elif item and what == "item":
        writer.drop_item(item)
    elif item and not item.ended:
        writer.drop_media(item)
        writer.write_item(replace(item, media_gone=True))
