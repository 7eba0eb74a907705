"""What tests answer with: a store in a folder, clips that are ready, and the way to each state."""

from pathlib import Path
from typing import Any

from ringwatch.footage.answer_states import Answer, Prepared, Selection
from ringwatch.footage.answers import AnswerStore
from ringwatch.footage.audit import AuditLog
from ringwatch.neighborhood.delivery import (
    Arrival,
    Receipt,
    ReceiptKind,
    sign_arrival,
    sign_receipt,
)

from .giving import NEIGHBORHOOD, NOON_S, OFFICER, REQUEST_RECORD, key, recipient, write_clips

HUB = key("hub")
UNDO_S = 900


class Clock:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.now_s = float(NOON_S)

    def __call__(self) -> float:
        return self.now_s


class Desk:
    """A store, its log, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.open()

    def open(self) -> None:
        self.log = AuditLog(self.folder, self.clock)
        self.store = AnswerStore(self.folder, self.log, self.clock)

    def close(self) -> None:
        self.store.close()
        self.log.close()

    def again(self) -> None:
        """Restart."""
        self.close()
        self.open()

    def drafted(self, **changes: Any) -> Answer:
        return self.store.draft(NEIGHBORHOOD, REQUEST_RECORD.id, (Selection("clip"),), **changes)

    def ready(self, sizes: tuple[int, ...] = (70_000, 3_000), **changes: Any) -> Answer:
        answer = self.drafted(**changes)
        clips = write_clips(self.store.preview_folder(answer), sizes)
        prepared = tuple(Prepared("clip", clip) for clip in clips)
        return self.store.prepared(answer.id, prepared, recipient(), answer.revision)

    def confirmed(self, sizes: tuple[int, ...] = (70_000, 3_000), **changes: Any) -> Answer:
        answer = self.ready(sizes, **changes)
        return self.store.confirm(answer.id, answer.contents or "", "user", UNDO_S)

    def sending(self) -> Answer:
        answer = self.confirmed()
        self.clock.now_s += UNDO_S
        return self.store.release(answer.id, b"d" * 32)

    def said(self, answer: Answer) -> list[str]:
        """Return what the log says of an answer, oldest first."""
        return [line.what for line in self.log.all() if line.facts.get("answer") == answer.id]


def arrival(answer: Answer, **changes: Any) -> Arrival:
    fields: dict[str, Any] = {
        "delivery": "d0" * 32,
        "request": answer.request,
        "sha256": answer.sha256 or "5e" * 32,
        "size_bytes": answer.size_bytes or 70_000,
        "time_s": NOON_S + 1_000,
    }
    return sign_arrival(HUB, **(fields | changes))


def receipt(answer: Answer, **changes: Any) -> Receipt:
    fields: dict[str, Any] = {
        "delivery": "d0" * 32,
        "request": answer.request,
        "sha256": answer.sha256 or "5e" * 32,
        "kind": ReceiptKind.RECEIVED,
        "time_s": NOON_S + 2_000,
        "retention_until_s": NOON_S + 90 * 86_400,
    }
    return sign_receipt(changes.pop("by", OFFICER), **(fields | changes))
