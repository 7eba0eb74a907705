"""An answer goes its way step by step, each on disk and in the log; nothing goes out unconfirmed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
import sqlite3
import subprocess
import sys
from typing import Any

import pytest

from ringwatch.footage import answer_states as states
from ringwatch.footage.answer_database import NAME, NewerAnswersError
from ringwatch.footage.answer_document import read, write
from ringwatch.footage.answer_states import (
    Answer,
    AnswerError,
    ContentsChangedError,
    Prepared,
    Selection,
    State,
    TooMuchError,
    WrongStateError,
)
from ringwatch.footage.answers import UnknownAnswerError
from ringwatch.footage.parties import Identity, IdentityKind
from ringwatch.neighborhood.delivery import ReceiptKind

from .answering import UNDO_S, Desk, arrival, receipt
from .giving import NEIGHBORHOOD, REQUEST_RECORD, custody_clip, recipient

ROOT = Path(__file__).parents[2]
REQUEST = REQUEST_RECORD.id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_an_answer_goes_its_way(desk: Desk) -> None:
    answer = desk.drafted(by="Rosa")
    assert answer.state is State.DRAFTED
    sent = desk.sending()
    sent = desk.store.change(sent.id, lambda one: states.packed(one, "5e" * 32, 90_000))
    assert desk.store.arrived(sent.id, arrival(sent)).state is State.SENT
    received = desk.store.receipted(sent.id, receipt(sent))
    assert received.state is State.RECEIVED
    assert received.is_over
    expected = ["answer_opened", "answer_prepared", "confirmed", "sending", "sent", "receipt"]
    assert desk.said(sent) == expected
    assert desk.log.verify() is None


def test_everything_is_there_after_a_restart(desk: Desk) -> None:
    answer = desk.sending()
    answer = desk.store.change(answer.id, lambda one: states.packed(one, "5e" * 32, 90_000))
    answer = desk.store.arrived(answer.id, arrival(answer))
    answer = desk.store.receipted(answer.id, receipt(answer))
    desk.again()
    assert desk.store.get(answer.id) == answer
    assert desk.store.all() == desk.store.of_request(NEIGHBORHOOD, REQUEST) == (answer,)


def test_an_answer_reads_back_as_it_was() -> None:
    selection = Selection("c", 1.25, 9.5, False, True, ((0.1, 0.2, 0.3, 0.4),), (0.0, 0.0, 0.5, 1.0))
    answer = Answer(
        "id",
        NEIGHBORHOOD,
        REQUEST,
        (selection, Selection("d")),
        Identity(IdentityKind.ADDRESS, "Rosa", "12 Maple"),
        1,
        2,
        State.STALE,
        recipient=recipient(),
        prepared=(Prepared("c", custody_clip("clip-01.mp4", "1a" * 32, 5)),),
        delivery_seed=b"s" * 32,
    )
    assert read(write(answer)) == answer
    assert "ssss" not in repr(answer)


@pytest.mark.parametrize("state", State)
def test_each_step_is_possible_from_where_it_makes_sense_only(state: State) -> None:
    """The whole table: from each state, what is taken and what is refused."""
    clip = Prepared("c", custody_clip("clip-01.mp4", "1a" * 32, 5))
    answer = Answer(
        "id", NEIGHBORHOOD, REQUEST, (), Identity(), 1, 1, state, recipient=recipient(), prepared=(clip,)
    )
    answer = replace(answer, contents=states.contents_of(answer, recipient(), (clip,), 1), release_s=5)
    steps: dict[str, Callable[[], states.Step]] = {
        "edit": lambda: states.edit(answer, None, None, 9),
        "make_ready": lambda: states.make_ready(answer, (clip,), recipient(), 1, 9),
        "renew": lambda: states.renew(answer, recipient(), 9),
        "confirm": lambda: states.confirm(answer, answer.contents or "", "Rosa", 900, 9),
        "undo": lambda: states.undo(answer, "Rosa", 9),
        "withdraw": lambda: states.withdraw(answer, "Rosa", 9),
        "release": lambda: states.release(answer, b"s" * 32, 9),
        "packed": lambda: states.packed(answer, "5e" * 32, 7),
        "announced": lambda: states.announced(answer, "d0" * 32),
        "uploaded": lambda: states.uploaded(answer, 5),
        "arrived": lambda: states.arrived(answer, arrival(answer), 9),
        "receipted": lambda: states.receipted(answer, receipt(answer), 9),
        "stale": lambda: states.stale(answer, "agency_changed", 9),
        "fail": lambda: states.fail(answer, "request_closed", 9),
    }
    possible: dict[State, set[str]] = {
        State.DRAFTED: {"edit", "make_ready", "withdraw"},
        State.AWAITING_CONFIRMATION: {"edit", "confirm", "withdraw"},
        State.CONFIRMED: {"undo", "withdraw", "release", "stale", "fail"},
        State.SENDING: {"withdraw", "packed", "announced", "uploaded", "arrived", "stale", "fail"},
        State.SENT: {"receipted"},
        State.RECEIVED: {"receipted"},
        State.WITHDRAWN: set(),
        State.FAILED: {"edit", "renew", "withdraw"},
        State.STALE: {"edit", "renew", "withdraw"},
    }
    for name, step in steps.items():
        if name in possible[state]:
            step()
        else:
            with pytest.raises(WrongStateError):
                step()


def test_what_is_confirmed_is_what_was_looked_at(desk: Desk) -> None:
    answer = desk.ready()
    with pytest.raises(ContentsChangedError):
        desk.store.confirm(answer.id, "00" * 32, "Rosa", UNDO_S)
    edited = desk.store.edit(answer.id, (Selection("clip", end_s=9.966),))  # by one frame
    with pytest.raises(WrongStateError):
        desk.store.confirm(answer.id, answer.contents or "", "Rosa", UNDO_S)
    assert edited.contents is None
    assert not desk.store.preview_folder(answer).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"identity": Identity(IdentityKind.NAME, "Rosa")},
        {"recipient": recipient(retention_days=91)},
        {"recipient": recipient(age_recipient="age1other")},
        {"prepared": (Prepared("c", custody_clip("clip-01.mp4", "1b" * 32, 5)),)},
        {"prepared": (Prepared("c", replace(custody_clip("clip-01.mp4", "1a" * 32, 5), camera="Other")),)},
        {"prepared": ()},
        {"revision": 2},
        {"request": "00" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_contents_stand_for_all_that_matters(change: dict[str, object]) -> None:
    clip = Prepared("c", custody_clip("clip-01.mp4", "1a" * 32, 5))
    answer = Answer(
        "id", NEIGHBORHOOD, REQUEST, (), Identity(), 1, 1, recipient=recipient(), prepared=(clip,)
    )
    other = replace(answer, **change)  # type: ignore[arg-type]

    def contents(one: Answer) -> str:
        return states.contents_of(one, one.recipient or recipient(), one.prepared, one.revision)

    assert contents(answer) == contents(replace(answer))
    assert contents(answer) != contents(other)


def test_an_undone_answer_has_to_be_looked_at_again(desk: Desk) -> None:
    answer = desk.confirmed()
    undone = desk.store.undo(answer.id, "Rosa")
    assert undone.state is State.AWAITING_CONFIRMATION
    assert undone.contents != answer.contents
    with pytest.raises(ContentsChangedError):
        desk.store.confirm(answer.id, answer.contents or "", "Rosa", UNDO_S)
    assert desk.store.preview_file(answer.id, "clip-01.mp4").exists()
    assert desk.store.confirm(answer.id, undone.contents or "", "Rosa", UNDO_S).state is State.CONFIRMED


def test_nothing_is_released_while_one_may_undo(desk: Desk) -> None:
    answer = desk.confirmed()
    desk.clock.now_s += UNDO_S - 1
    with pytest.raises(WrongStateError):
        desk.store.release(answer.id, b"s" * 32)
    desk.clock.now_s += 1
    assert desk.store.release(answer.id, b"s" * 32).state is State.SENDING
    with pytest.raises(WrongStateError):
        desk.store.undo(answer.id, "Rosa")


def test_files_of_an_earlier_draft_are_not_taken(desk: Desk) -> None:
    """A person changes the draft while its files are being made."""
    answer = desk.drafted()
    desk.store.edit(answer.id, (Selection("other"),))
    clip = Prepared("clip", custody_clip("clip-01.mp4", "1a" * 32, 5))
    with pytest.raises(ContentsChangedError):
        desk.store.prepared(answer.id, (clip,), recipient(), answer.revision)


@pytest.mark.parametrize(
    ("clips", "code"),
    [
        ([(5, 20_000)] * 11, "too_many_clips"),
        ([], "too_many_clips"),
        ([(5, 300_000), (5, 300_001)], "too_long"),
        ([(250_000_000, 20_000), (250_000_001, 20_000)], "too_large"),
    ],
    ids=["eleven", "none", "ten minutes and a bit", "500 MB and a bit"],
)
def test_an_answer_has_limits(desk: Desk, clips: list[tuple[int, int]], code: str) -> None:
    answer = desk.drafted()
    prepared = []
    for number, (size, duration_ms) in enumerate(clips, 1):
        clip = custody_clip(f"clip-{number:02}.mp4", "1a" * 32, size)
        prepared.append(Prepared("clip", replace(clip, end_ms=clip.start_ms + duration_ms)))
    with pytest.raises(TooMuchError) as raised:
        desk.store.prepared(answer.id, tuple(prepared), recipient(), answer.revision)
    assert raised.value.code == code


def test_a_draft_of_eleven_clips_is_refused(desk: Desk) -> None:
    with pytest.raises(TooMuchError):
        desk.store.draft(NEIGHBORHOOD, REQUEST, (Selection("c"),) * 11)


def test_a_stale_answer_is_for_the_agency_as_it_is_now(desk: Desk) -> None:
    answer = desk.confirmed()
    stale = desk.store.stale(answer.id, "agency_changed")
    assert (stale.state, stale.code, stale.confirmed_s) == (State.STALE, "agency_changed", None)
    renewed = desk.store.renew(answer.id, recipient(key="ab" * 32))
    assert renewed.state is State.AWAITING_CONFIRMATION
    assert renewed.recipient is not None
    assert renewed.recipient.key == "ab" * 32
    assert renewed.contents not in {None, answer.contents}


def test_withdrawing_leaves_no_files(desk: Desk) -> None:
    answer = desk.sending()
    desk.store.sealed_file(answer).write_bytes(b"sealed")
    withdrawn = desk.store.withdraw(answer.id, "Rosa")
    assert withdrawn.state is State.WITHDRAWN
    assert withdrawn.delivery_seed is None
    assert not desk.store.sealed_file(answer).exists()
    assert not desk.store.preview_folder(answer).exists()
    desk.store.delete(answer.id)
    assert desk.store.get(answer.id) is None
    assert desk.said(answer)[-1] == "withdrawn"


def test_only_what_is_over_can_be_forgotten(desk: Desk) -> None:
    answer = desk.confirmed()
    with pytest.raises(WrongStateError):
        desk.store.delete(answer.id)


def test_what_was_sent_is_kept_encrypted_only(desk: Desk) -> None:
    answer = desk.sending()
    desk.store.sealed_file(answer).write_bytes(b"sealed")
    sent = desk.store.arrived(answer.id, arrival(answer))
    assert desk.store.own_copy(sent).read_bytes() == b"sealed"
    assert not desk.store.preview_folder(answer).exists()
    assert not list((desk.folder / "outgoing").iterdir())


def test_a_receipt_twice_is_one(desk: Desk) -> None:
    answer = desk.sending()
    desk.store.arrived(answer.id, arrival(answer))
    for one in (receipt(answer), receipt(answer), receipt(answer, kind=ReceiptKind.DELETED, time_s=1)):
        answer = desk.store.receipted(answer.id, one)
    assert [one.kind for one in answer.receipts] == ["received", "deleted"]
    assert desk.said(answer).count("receipt") == 2


def test_declining_stays_here_and_an_answer_ends_it(desk: Desk) -> None:
    desk.store.decline(NEIGHBORHOOD, REQUEST, "Rosa")
    desk.again()
    assert desk.store.declined(NEIGHBORHOOD, REQUEST) == int(desk.clock.now_s)
    desk.drafted()
    assert desk.store.declined(NEIGHBORHOOD, REQUEST) is None
    desk.store.decline(NEIGHBORHOOD, "00" * 32, "Rosa")
    desk.store.undecline(NEIGHBORHOOD, "00" * 32, "Rosa")
    assert desk.store.declined(NEIGHBORHOOD, "00" * 32) is None
    assert [line.what for line in desk.log.all()] == ["declined", "answer_opened", "declined", "undeclined"]


@pytest.mark.parametrize("name", ["clip-03.mp4", "../footage.db", "/etc/passwd", "", "clip-01.mp4/.."])
def test_only_prepared_files_can_be_previewed(desk: Desk, name: str) -> None:
    answer = desk.ready()
    with pytest.raises(UnknownAnswerError):
        desk.store.preview_file(answer.id, name)


def test_unknown_answers_are_refused(desk: Desk) -> None:
    with pytest.raises(AnswerError, match="unknown_answer"):
        desk.store.undo("00" * 16, "Rosa")


def test_a_damaged_database_is_set_aside_and_the_log_says_so(desk: Desk) -> None:
    desk.confirmed()
    desk.close()
    (desk.folder / NAME).write_bytes(b"not a database at all" * 500)
    desk.open()
    assert desk.store.all() == ()
    assert len(list(desk.folder.glob(f"{NAME}.damaged-*"))) == 1
    assert desk.log.lines()[0].what == "answers_lost"
    assert not list((desk.folder / "prepared").iterdir())


def test_a_newer_database_is_left_alone(desk: Desk) -> None:
    desk.close()
    with sqlite3.connect(desk.folder / NAME) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerAnswersError):
        desk.open()
    with sqlite3.connect(desk.folder / NAME) as db:
        db.execute("PRAGMA user_version = 1")
    desk.log.close()
    desk.open()


def test_secrets_are_the_owners_alone(desk: Desk) -> None:
    desk.sending()
    assert (desk.folder / NAME).stat().st_mode & 0o77 == 0
    assert (desk.folder / "prepared").stat().st_mode & 0o77 == 0


def test_while_the_log_cannot_be_written_nothing_changes(desk: Desk) -> None:
    """Its descriptor is made one that refuses: what a full disk does, without filling one."""
    answer = desk.confirmed()
    desk.clock.now_s += UNDO_S
    good = desk.log._fd
    with (desk.folder / "audit.jsonl").open("rb") as unwritable:
        desk.log._fd = unwritable.fileno()
        with pytest.raises(OSError, match="Bad file descriptor"):
            desk.store.release(answer.id, b"s" * 32)  # the step is taken, its line is owed
        with pytest.raises(OSError, match="Bad file descriptor"):
            desk.store.flush_log()  # so the sender goes no further
        with pytest.raises(OSError, match="Bad file descriptor"):
            desk.drafted()
        desk.log._fd = good
    assert len(desk.store.all()) == 1
    desk.store.flush_log()
    assert desk.said(answer)[-1] == "sending"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("before", [True, False], ids=["before its line", "after its line"])
def test_a_kill_beside_the_log_leaves_one_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    answer = desk.ready()
    right = type(desk.log).append

    def append(self: Any, what: str, /, **facts: Any) -> Any:
        if not before:
            right(self, what, **facts)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(desk.log), "append", append)
        with pytest.raises(Killed):
            desk.store.confirm(answer.id, answer.contents or "", "Rosa", UNDO_S)
    desk.again()
    found = desk.store.get(answer.id)
    assert found is not None
    assert found.state is State.CONFIRMED
    assert desk.said(answer) == ["answer_opened", "answer_prepared", "confirmed"]


def test_a_kill_at_any_line_leaves_answer_files_and_log_agreeing(tmp_path: Path) -> None:
    """Every 37th line of the code that writes; by hand, with 1 instead, each of them."""
    command = [sys.executable, str(ROOT / "tests/footage/kill_answers.py"), str(tmp_path), "37"]
    out = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert out.returncode == 0, out.stdout + out.stderr
    assert int(out.stdout.split()[-2]) > 10, out.stdout
