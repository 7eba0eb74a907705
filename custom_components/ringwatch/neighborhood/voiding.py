"""What somebody signed after the last valid record is void: as if it had never been, but for its place."""

from dataclasses import replace

from .applying_requests import follow_decisions, void_follow_up, void_request
from .rows import Item, Status
from .state import numbered
from .types import Type
from .writing import Writer

DECISION = "decision"


def void_after(writer: Writer, subject: str, number: int) -> None:
    """Undo what a subject did after that entry. What was withdrawn stays withdrawn: its body is gone."""
    for at, what, record_id, item_id in writer.mine(subject, number):
        writer.store.delete("mine", f"{subject}/{numbered(at)}")
        item = writer.item(item_id)
        if item is None or item.ended:
            continue
        if what == DECISION:
            writer.store.delete("log", numbered(at))
            kept = tuple(decision for decision in item.decisions if decision.number != at)
            writer.write_item(replace(item, decisions=kept))
            if item.type is Type.FOOTAGE_REQUEST:
                follow_decisions(writer, item.id)
        elif what == Type.FOOTAGE_REQUEST:
            void_request(writer, item)
        elif what in {Type.EXTENSION, Type.REMINDER, Type.CLOSE}:
            void_follow_up(writer, item.id, what)
        elif what in {Type.POST, Type.ALERT, Type.COMMENT}:
            if item.parent:
                writer.take_below(item.parent, at)
            writer.end_item(item, Status.VOID)
        else:
            writer.take_below(item.id, at)
            writer.store.delete("once", f"{item.id}/{what}/{subject}")
            writer.erase(record_id)
            writer.write_item(_without(item, what, at))


def _without(item: Item, what: str, at: int) -> Item:
    match what:
        case Type.THANKS:
            return replace(item, thanks=item.thanks - 1)
        case Type.FLAG:
            return replace(item, flags=tuple(flag for flag in item.flags if flag[0] != at))
        case _:
            return replace(item, appeals=tuple(number for number in item.appeals if number != at))
