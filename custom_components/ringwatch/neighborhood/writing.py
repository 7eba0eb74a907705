"""Writing into a state: small steps that keep its tables in agreement.

| table | key | holds |
| meta | hood, position, count/... | what there is one of |
| keys, subjects, handles, invites | key, id, name, invite | who belongs here |
| items, feed | id, number | posts, alerts, comments; posts and alerts in order |
| below | item/number | comments, thanks, flags and appeals of an item: what ends with it |
| mine | subject/number | what somebody did that can become void |
| once | item/what/subject | what counts once |
| due | time/what/id | what ends when |
| waiting | id | records whose body hasn't come |
| log | number | moderators' decisions |
| agencies | subject | what an agency's newest profile says; meta agency/root: its subject now |
| requests, asked | id, number | footage requests; all of them in order |
| open | agency/number | requests that have not ended |
| details, cases | id, case/number | a request's details until they are erased; which requests a case has |
| partnerships, demands | id, number | agreements with agencies; what the hub was served with |
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .changes import Change, ChangeKind
from .limits import DAY_S
from .rows import ENDED, Author, Item, Status, Subject
from .state import State, numbered
from .types import Type

FOREVER_S = 10**12 - 1  # what doesn't end by itself; as many digits as numbered() has


class Writer(State):
    """A state that is being changed. `changes` collects what others have to hear."""

    def __init__(self, state: State) -> None:
        super().__init__(state.store, state.history)
        self.changes: list[Change] = []

    def tell(self, kind: ChangeKind, id_: str, subject: str | None = None) -> None:
        """Note a change."""
        self.changes.append(Change(kind, id_, subject))

    def write_author(self, author: Author) -> None:
        """Set a key's row."""
        self.store.put("keys", author.key, author.pack())

    def write_subject(self, subject: Subject) -> None:
        """Set a subject's row."""
        self.store.put("subjects", subject.id, subject.pack())

    def add_to_count(self, what: str, more: int) -> None:
        """Count members, moderators, agencies, officers."""
        self.store.put("meta", f"count/{what}", self.count(what) + more)

    def count_today(self, subject: Subject, type_: Type, time_s: int) -> Subject:
        """Count one more record of a type; return the subject as it is then."""
        day = time_s // DAY_S
        counted = dict(subject.counted) if subject.day == day else {}
        counted[type_] = counted.get(type_, 0) + 1
        subject = replace(subject, day=day, counted=tuple(sorted(counted.items())))
        self.write_subject(subject)
        return subject

    # ---- items
    # ----------------------------------------------------------------------------------------------

    def write_item(self, item: Item) -> None:
        """Set an item's row, and tell if it is to be seen now, or no longer."""
        before = self.item(item.id)
        self.store.put("items", item.id, item.pack())
        if before is None or before.status is item.status:
            return
        if before.status is Status.VISIBLE and item.status not in ENDED:
            self.tell(ChangeKind.HIDDEN, item.id, item.subject)
        elif item.status is Status.VISIBLE:
            self.tell(ChangeKind.SHOWN, item.id, item.subject)

    def note(self, subject: str, number: int, what: str, record_id: str, item: str) -> None:
        """Note what somebody did, in case that it becomes void."""
        self.store.put("mine", f"{subject}/{numbered(number)}", [what, record_id, item])

    def put_below(self, item: str, number: int, type_: Type, record_id: str, subject: str) -> None:
        """Note what ends with an item."""
        self.store.put("below", f"{item}/{numbered(number)}", [type_.value, record_id, subject])

    def take_below(self, item: str, number: int) -> None:
        """Forget it."""
        self.store.delete("below", f"{item}/{numbered(number)}")

    def due(self, time_s: int, what: str, id_: str) -> None:
        """Note when something ends."""
        self.store.put("due", f"{numbered(time_s)}/{what}/{id_}", True)

    def erase(self, record_id: str) -> None:
        """Have a record's body erased everywhere."""
        self.store.delete("waiting", record_id)
        self.tell(ChangeKind.ERASE, record_id)

    def end_item(self, item: Item, how: Status) -> None:
        """Withdraw or void an item: it goes, and what was said about it; its place in the order stays."""
        self.clear_below(item)
        self.drop_decisions(item)
        self.erase(item.id)
        self.drop_media(item)
        if item.parent and item.ended is None and (parent := self.item(item.parent)):
            self.write_item(replace(parent, comments=parent.comments - 1))
        # What stays is the same whether this reader ever had the body
        stub = Item(
            item.id,
            item.type,
            item.subject,
            item.number,
            item.time_s,
            item.expires_s,
            item.checked_first,
            ended=how,
        )
        self.write_item(replace(stub, parent=item.parent))
        self.tell(ChangeKind.GONE, item.id, item.subject)

    def drop_item(self, item: Item) -> None:
        """Forget an item, and what belongs to it: it has expired."""
        self.clear_below(item)
        if item.ended is None:
            self.erase(item.id)
            self.drop_media(item)
            self.tell(ChangeKind.GONE, item.id, item.subject)
        self.store.delete("items", item.id)
        self.store.delete("feed", numbered(item.number))
        self.store.delete("mine", f"{item.subject}/{numbered(item.number)}")
        self.store.delete("waiting", item.id)
        self.drop_decisions(item)

    def drop_decisions(self, item: Item) -> None:
        """Forget that moderators' decisions on an item could become void."""
        for decision in item.decisions:
            self.store.delete("mine", f"{decision.subject}/{numbered(decision.number)}")

    def drop_media(self, item: Item) -> None:
        """Have an item's media deleted."""
        if item.media and not item.media_gone:
            self.changes.append(Change(ChangeKind.ERASE_MEDIA, item.id, item.subject, item.media))

    def clear_below(self, item: Item) -> None:
        """End what belongs to an item."""
        for type_, record_id, subject, number in list(self.below(item.id)):
            self.take_below(item.id, number)
            self.store.delete("mine", f"{subject}/{numbered(number)}")
            self.store.delete("once", f"{item.id}/{type_}/{subject}")
            comment = self.item(record_id) if type_ == Type.COMMENT else None
            if comment:
                self.drop_item(comment)
            else:
                self.erase(record_id)

    def mine(self, subject: str, after: int) -> Iterator[tuple[int, str, str, str]]:
        """Yield what somebody did after an entry: number, what, record id, item."""
        row: Any
        rows = list(self.store.scan("mine", f"{subject}/{numbered(after + 1)}", f"{subject}0"))
        for key, row in rows:
            yield int(key.rpartition("/")[2]), row[0], row[1], row[2]
