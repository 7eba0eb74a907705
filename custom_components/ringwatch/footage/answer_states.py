"""An answer to a footage request, and every way from one state of it to another. Pure: values in, values out.

    drafted -> awaiting_confirmation -> confirmed -> sending -> sent -> received
                       ^                    |
                       +------ undo --------+
    stale, failed: look again, and confirm again (or withdraw). withdrawn: over, nothing was sent.

Nothing gets to `sending` but from `confirmed`, and to `confirmed` only with the digest of exactly what is
there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
import hashlib
from typing import Final

from ..neighborhood.canonical import Json, encode
from ..neighborhood.delivery import Arrival, Receipt, ReceiptKind
from ..vision import Box
from .custody import CustodyClip
from .limits import MAX_BYTES, MAX_CLIPS, MAX_DURATION_S
from .parties import Identity, Recipient


class State(StrEnum):
    """Where an answer is."""

    DRAFTED = "drafted"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    CONFIRMED = "confirmed"
    SENDING = "sending"
    SENT = "sent"
    RECEIVED = "received"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    STALE = "stale"


OVER: Final = frozenset({State.RECEIVED, State.WITHDRAWN})
AGAIN: Final = frozenset({State.STALE, State.FAILED})  # for a person to look at
HAS_FILES: Final = frozenset({State.AWAITING_CONFIRMATION, State.CONFIRMED, State.SENDING, *AGAIN})


class AnswerError(Exception):
    """Something can't be done with an answer; `code` says why and stays."""

    def __init__(self, code: str, about: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {about}")
        self.code = code
        self.about = about


class WrongStateError(AnswerError):
    """Not from where the answer is now."""


class ContentsChangedError(AnswerError):
    """What is to be confirmed is not what is there now."""


class TooMuchError(AnswerError):
    """More clips, minutes or bytes than an answer may have."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A clip, and what is to be left of it. Times: seconds of the clip; boxes: left, top, right, bottom."""

    clip_id: str
    start_s: float = 0.0
    end_s: float | None = None
    mute: bool = True
    blur_faces: bool = True
    boxes: tuple[Box, ...] = ()
    keep_only: Box | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that is ready: these bytes are shown, confirmed and sent."""

    clip_id: str
    clip: CustodyClip


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is known of an answer. `revision` grows whenever what was looked at no longer counts."""

    id: str
    neighborhood: str
    request: str
    selections: tuple[Selection, ...]
    identity: Identity
    created_s: int
    changed_s: int
    state: State = State.DRAFTED
    revision: int = 1
    folder: str = ""  # below the store's, of the prepared files
    recipient: Recipient | None = None
    prepared: tuple[Prepared, ...] = ()
    contents: str | None = None
    confirmed_s: int | None = None
    confirmed_by: str | None = None
    release_s: int | None = None
    code: str | None = None  # why it failed or is stale
    problem: str | None = None  # why it waits now
    delivery_seed: bytes | None = field(default=None, repr=False)
    delivery: str | None = None
    sha256: str | None = None  # of the ciphertext
    size_bytes: int | None = None
    uploaded_bytes: int = 0
    arrival: Arrival | None = None
    receipts: tuple[Receipt, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be done by the owner or by this home."""
        return self.state in OVER

    @property
    def preview_files(self) -> tuple[str, ...]:
        """The names of the files that have to be looked at."""
        return tuple(one.clip.file for one in self.prepared)


@dataclass(frozen=True, slots=True)
class Note:
    """What the log is to say."""

    what: str
    facts: Mapping[str, Json]


type Step = tuple[Answer, Note | None]


def contents_of(answer: Answer, recipient: Recipient, prepared: tuple[Prepared, ...], revision: int) -> str:
    """Return the digest of what a confirmation stands for: files, words about them, who gives, who gets."""
    clips: list[Json] = [one.clip.to_json() for one in prepared]
    return hashlib.sha256(
        encode(
            {
                "answer": answer.id,
                "revision": revision,
                "neighborhood": answer.neighborhood,
                "request": answer.request,
                "recipient": [
                    recipient.agency_id,
                    recipient.name,
                    recipient.domain,
                    recipient.key,
                    recipient.age_recipient,
                    recipient.retention_days,
                    recipient.sharing,
                    recipient.face_recognition,
                ],
                "identity": [answer.identity.kind.value, answer.identity.name, answer.identity.address],
                "clips": clips,
            }
        )
    ).hexdigest()


def edit(
    answer: Answer, selections: tuple[Selection, ...] | None, identity: Identity | None, now_s: int
) -> Step:
    """Change what is wanted. What was made ready is void."""
    _only(answer, State.DRAFTED, State.AWAITING_CONFIRMATION, *AGAIN)
    wanted = answer.selections if selections is None else selections
    check_selections(wanted)
    revision = answer.revision + 1
    found = replace(
        _reset(answer, now_s),
        state=State.DRAFTED,
        selections=wanted,
        identity=answer.identity if identity is None else identity,
        revision=revision,
        folder=f"{answer.id}-{revision}",
        prepared=(),
        contents=None,
        recipient=None,
    )
    return found, Note("answer_edited", {"answer": answer.id})


def check_selections(selections: tuple[Selection, ...]) -> None:
    """Raise TooMuchError for more clips than there may be."""
    if len(selections) > MAX_CLIPS:
        raise TooMuchError("too_many_clips", f"{len(selections)} clips, {MAX_CLIPS} at most")


def make_ready(
    answer: Answer, prepared: tuple[Prepared, ...], recipient: Recipient, revision: int, now_s: int
) -> Step:
    """Take the files: from now on they can be looked at and confirmed."""
    _only(answer, State.DRAFTED)
    if revision != answer.revision:
        raise ContentsChangedError("contents_changed", "made ready for an earlier draft")
    check_prepared(prepared)
    contents = contents_of(answer, recipient, prepared, answer.revision)
    found = replace(
        answer,
        state=State.AWAITING_CONFIRMATION,
        prepared=prepared,
        recipient=recipient,
        contents=contents,
        changed_s=now_s,
    )
    facts: dict[str, Json] = {"answer": answer.id, "clips": len(prepared), "contents": contents}
    return found, Note("answer_prepared", facts)


def check_prepared(prepared: tuple[Prepared, ...]) -> None:
    """Raise TooMuchError for more than an answer may have."""
    duration_ms = sum(one.clip.end_ms - one.clip.start_ms for one in prepared)
    if not 0 < len(prepared) <= MAX_CLIPS:
        raise TooMuchError("too_many_clips", f"{len(prepared)} clips, 1 to {MAX_CLIPS}")
    if duration_ms > MAX_DURATION_S * 1000:
        raise TooMuchError("too_long", f"{duration_ms / 1000:.0f} s, {MAX_DURATION_S:.0f} at most")
    if sum(one.clip.size_bytes for one in prepared) > MAX_BYTES:
        raise TooMuchError("too_large", f"more than {MAX_BYTES} bytes")


def renew(answer: Answer, recipient: Recipient, now_s: int) -> Step:
    """Offer a stale or failed answer for another look and confirmation, for the agency as it is now."""
    _only(answer, *AGAIN)
    found = _look_again(replace(_reset(answer, now_s), recipient=recipient), recipient)
    return found, Note("renewed", {"answer": answer.id, "agency": recipient.name})


def confirm(answer: Answer, contents: str, by: str, undo_s: int, now_s: int) -> Step:
    """A person has looked at exactly this and wants it sent, once the time to undo is over."""
    _only(answer, State.AWAITING_CONFIRMATION)
    if answer.contents is None or contents != answer.contents or answer.recipient is None:
        raise ContentsChangedError("contents_changed", "what was looked at is not what is there now")
    release_s = now_s + max(0, undo_s)
    found = replace(
        answer,
        state=State.CONFIRMED,
        confirmed_s=now_s,
        confirmed_by=by,
        release_s=release_s,
        changed_s=now_s,
        problem=None,
    )
    facts: dict[str, Json] = {
        **_named(answer),
        "by": by,
        "contents": contents,
        "identity": answer.identity.kind.value,
        "release": release_s,
    }
    return found, Note("confirmed", facts)


def undo(answer: Answer, by: str, now_s: int) -> Step:
    """Take a confirmation back. It takes another look and another code to give it again."""
    _only(answer, State.CONFIRMED)
    if answer.recipient is None:
        raise WrongStateError("wrong_state", "nobody to send it to")
    found = _look_again(_reset(answer, now_s), answer.recipient)
    return found, Note("undone", {"answer": answer.id, "by": by})


def withdraw(answer: Answer, by: str, now_s: int) -> Step:
    """End it for good. Nothing was sent, or nothing that anybody can read was finished."""
    _only(answer, State.DRAFTED, State.AWAITING_CONFIRMATION, State.CONFIRMED, State.SENDING, *AGAIN)
    found = replace(_reset(answer, now_s), state=State.WITHDRAWN, prepared=(), contents=None)
    return found, Note("withdrawn", {"answer": answer.id, "request": answer.request, "by": by})


def release(answer: Answer, seed: bytes, now_s: int) -> Step:
    """Begin to send. `seed` is of the key that is made for this delivery alone."""
    _only(answer, State.CONFIRMED)
    if answer.release_s is None or now_s < answer.release_s:
        raise WrongStateError("wrong_state", "the time to undo is not over")
    found = replace(answer, state=State.SENDING, delivery_seed=seed, changed_s=now_s, problem=None)
    return found, Note("sending", {**_named(answer), "contents": answer.contents})


def packed(answer: Answer, sha256: str, size_bytes: int) -> Step:
    """The package lies encrypted on disk."""
    _only(answer, State.SENDING)
    found = replace(answer, sha256=sha256, size_bytes=size_bytes, delivery=None, uploaded_bytes=0)
    return found, None


def unpacked(answer: Answer) -> Step:
    """The hub no longer takes this ciphertext: it has to be made anew."""
    _only(answer, State.SENDING)
    return replace(answer, sha256=None, size_bytes=None, delivery=None, uploaded_bytes=0), None


def announced(answer: Answer, delivery: str) -> Step:
    """The hub has a mailbox for it."""
    _only(answer, State.SENDING)
    return replace(answer, delivery=delivery, problem=None), None


def uploaded(answer: Answer, uploaded_bytes: int) -> Step:
    """So much of it is there."""
    _only(answer, State.SENDING)
    return replace(answer, uploaded_bytes=uploaded_bytes, problem=None), None


def arrived(answer: Answer, arrival: Arrival, now_s: int) -> Step:
    """The hub has signed that all of it is there."""
    _only(answer, State.SENDING)
    found = replace(answer, state=State.SENT, arrival=arrival, changed_s=now_s, problem=None)
    facts: dict[str, Json] = {
        **_named(answer),
        "delivery": arrival.delivery,
        "sha256": arrival.sha256,
        "size": arrival.size_bytes,
        "arrived": arrival.time_s,
        "arrival_sig": arrival.sig,
        "files": [one.clip.sha256 for one in answer.prepared],
    }
    return found, Note("sent", facts)


def receipted(answer: Answer, receipt: Receipt, now_s: int) -> Step:
    """The agency says what became of it."""
    _only(answer, State.SENT, State.RECEIVED)
    if receipt in answer.receipts:
        return answer, None
    found = replace(
        answer, state=State.RECEIVED, receipts=(*answer.receipts, receipt), changed_s=now_s, problem=None
    )
    facts: dict[str, Json] = {
        "answer": answer.id,
        "request": answer.request,
        "kind": receipt.kind.value if receipt.kind is not ReceiptKind.SHARED_WITH else "shared with",
        "about": receipt.about,
        "said": receipt.time_s,
        "retention_until": receipt.retention_until_s,
        "officer": receipt.officer,
        "sig": receipt.sig,
    }
    return found, Note("receipt", facts)


def stale(answer: Answer, code: str, now_s: int) -> Step:
    """Things are no longer as they were when it was confirmed: a person has to look again."""
    _only(answer, State.CONFIRMED, State.SENDING)
    found = replace(_reset(answer, now_s), state=State.STALE, code=code)
    return found, Note("stale", {"answer": answer.id, "code": code})


def fail(answer: Answer, code: str, now_s: int) -> Step:
    """It can't be sent as it is."""
    _only(answer, State.CONFIRMED, State.SENDING)
    found = replace(_reset(answer, now_s), state=State.FAILED, code=code)
    return found, Note("failed", {"answer": answer.id, "code": code})


def waiting(answer: Answer, problem: str | None) -> Step:
    """Say why it waits. Not worth a line in the log."""
    return replace(answer, problem=problem), None


def _look_again(answer: Answer, recipient: Recipient) -> Answer:
    revision = answer.revision + 1
    return replace(
        answer,
        state=State.AWAITING_CONFIRMATION,
        revision=revision,
        contents=contents_of(answer, recipient, answer.prepared, revision),
    )


def _reset(answer: Answer, now_s: int) -> Answer:
    """Forget a confirmation and what had been begun after it."""
    return replace(
        answer,
        changed_s=now_s,
        confirmed_s=None,
        confirmed_by=None,
        release_s=None,
        code=None,
        problem=None,
        delivery_seed=None,
        delivery=None,
        sha256=None,
        size_bytes=None,
        uploaded_bytes=0,
    )


def _named(answer: Answer) -> dict[str, Json]:
    agency = answer.recipient.name if answer.recipient else None
    return {"answer": answer.id, "request": answer.request, "agency": agency}


def _only(answer: Answer, *states: State) -> None:
    if answer.state not in states:
        raise WrongStateError("wrong_state", f"an answer that is {answer.state}")
