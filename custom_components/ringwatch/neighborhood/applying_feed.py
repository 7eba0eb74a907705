"""What records of the feed do to the state."""

from dataclasses import replace

from .applying_requests import fill_details, fill_request, follow_decisions
from .bodies import (
    Alert,
    Appeal,
    Body,
    Comment,
    Flag,
    FootageRequest,
    Moderation,
    Post,
    RequestDetails,
    Thanks,
    Withdraw,
)  # fmt: skip
from .bodies.people import Mode
from .changes import ChangeKind
from .envelope import Record
from .limits import DAY_S
from .order import Entry
from .rows import MODERATING, Decision, Item, Kind, Status, Subject
from .state import numbered
from .types import Type
from .voiding import DECISION
from .writing import Writer

ITEMS = frozenset({Type.POST, Type.ALERT, Type.COMMENT})


def place_item(writer: Writer, record: Record, subject: Subject, entry: Entry) -> None:
    """Give a post, an alert or a comment its row: what can be said of it without its body."""
    hood = writer.hood
    trusted = subject.kind is Kind.OFFICER or subject.standing in MODERATING
    item = Item(
        id=record.id,
        type=record.type,
        subject=subject.id,
        number=entry.number,
        time_s=entry.time_s,
        expires_s=entry.time_s + hood.post_days * DAY_S,
        checked_first=hood.mode is Mode.BEFORE and not trusted,
    )
    writer.write_item(item)
    writer.note(subject.id, entry.number, record.type, record.id, record.id)
    writer.due(item.expires_s, "item", item.id)
    if record.type is not Type.COMMENT:
        writer.store.put("feed", numbered(entry.number), item.id)
    writer.tell(ChangeKind(record.type.value), item.id, subject.id)


def fill(writer: Writer, record: Record, subject: Subject, number: int) -> None:
    """Bring in what only the body says, now or when it comes later."""
    match record.body:
        case Post() | Alert() as body:
            _fill_post(writer, record.id, body)
        case FootageRequest() as body:
            fill_request(writer, record.id, body)
        case RequestDetails() as body:
            fill_details(writer, record.id, body)
        case Comment() as body:
            comment, post = writer.item(record.id), writer.item(body.post)
            if comment is None or post is None or post.ended:
                writer.erase(record.id)
            else:
                writer.write_item(replace(comment, parent=post.id, known=True))
                writer.put_below(post.id, number, Type.COMMENT, record.id, subject.id)
                writer.write_item(replace(post, comments=post.comments + 1))
        case Thanks() | Flag() | Appeal() as body:
            item = writer.item(body.target)
            if item is None or item.ended:
                writer.erase(record.id)  # it came late, and what it is about is gone
            else:
                _fill_small(writer, record, item, subject, number)


def _fill_post(writer: Writer, item_id: str, body: Post | Alert) -> None:
    item = writer.item(item_id)
    if item is None:
        return
    post = body.post if isinstance(body, Alert) else body
    media_s = item.time_s + writer.hood.media_days * DAY_S
    gone = bool(post.media) and media_s <= writer.position.time_s
    if post.media and not gone:
        writer.due(media_s, "media", item_id)
    writer.write_item(
        replace(
            item,
            known=True,
            category=post.category.value,
            place=post.place,
            from_s=post.happened.start_s,
            to_s=post.happened.end_s,
            valid_until_s=body.valid_until_s if isinstance(body, Alert) else 0,
            media=post.media,
            media_gone=gone,
        )
    )


def _fill_small(writer: Writer, record: Record, item: Item, subject: Subject, number: int) -> None:
    """Thanks, a flag or an appeal: in the order of their numbers, whenever their bodies come."""
    writer.put_below(item.id, number, record.type, record.id, subject.id)
    writer.note(subject.id, number, record.type, record.id, item.id)
    match record.type:
        case Type.THANKS:
            writer.store.put("once", f"{item.id}/{record.type}/{subject.id}", number)
            writer.write_item(replace(item, thanks=item.thanks + 1))
        case Type.FLAG:
            writer.store.put("once", f"{item.id}/{record.type}/{subject.id}", number)
            writer.write_item(replace(item, flags=tuple(sorted((*item.flags, (number, subject.id))))))
        case _:
            writer.write_item(replace(item, appeals=tuple(sorted((*item.appeals, number)))))
    writer.tell(ChangeKind(record.type.value), item.id, subject.id)


def decide(writer: Writer, body: Body, record: Record, subject: Subject, entry: Entry) -> None:
    """A moderator's decision, or an author's withdrawal."""
    match body:
        case Moderation() if item := writer.item(body.target):
            decision = Decision(entry.number, subject.id, body.action)
            writer.tell(ChangeKind.MODERATION, item.id, subject.id)
            writer.write_item(replace(item, decisions=(*item.decisions, decision)))
            writer.note(subject.id, entry.number, DECISION, record.id, item.id)
            if item.type is Type.FOOTAGE_REQUEST:
                follow_decisions(writer, item.id, subject.id)
            log = [body.action.value, item.id, subject.id, entry.time_s, record.id]
            writer.store.put("log", numbered(entry.number), [*log])
        case Withdraw() if item := writer.item(body.target):
            if item.parent:
                writer.take_below(item.parent, item.number)
            writer.end_item(item, Status.WITHDRAWN)
