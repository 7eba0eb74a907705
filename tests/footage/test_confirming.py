"""No code without a look at all of it, by this login, as it is now; and each code once."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from ringwatch.footage.answer_states import Answer, Prepared, Selection, State
from ringwatch.footage.confirming import (
    CODE_S,
    MAX_VIEWS,
    MAX_WRONG,
    CodeError,
    ConfirmError,
    Confirming,
    Login,
    Missing,
    NotSeenError,
)
from ringwatch.footage.parties import Identity

from .answering import Clock, Desk
from .giving import NEIGHBORHOOD, REQUEST_RECORD, custody_clip

ROSA = Login("rosa", "token")
OTHER_LOGIN = Login("rosa", "another token")
OTHER_USER = Login("sam", "token")
SIZE = 1_000


def ready(**changes: object) -> Answer:
    clips = tuple(Prepared("c", custody_clip(f"clip-0{n}.mp4", f"{n}a" * 32, SIZE)) for n in (1, 2))
    answer = Answer(
        "id",
        NEIGHBORHOOD,
        REQUEST_RECORD.id,
        (Selection("c"),),
        Identity(),
        1,
        1,
        State.AWAITING_CONFIRMATION,
        prepared=clips,
        contents="c0" * 32,
    )
    return replace(answer, **changes)  # type: ignore[arg-type]


ANSWER = ready()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def confirming(clock: Clock) -> Confirming:
    return Confirming(clock)


def look(confirming: Confirming, answer: Answer = ANSWER, login: Login = ROSA) -> None:
    for file in answer.preview_files:
        confirming.fetched(answer, login, file, 0, SIZE)
        confirming.watched(answer, login, file)


def test_who_has_looked_at_everything_confirms_once(confirming: Confirming) -> None:
    look(confirming)
    code = confirming.issue(ANSWER, ROSA)
    confirming.redeem(ANSWER, ROSA, code)
    with pytest.raises(CodeError, match="no_code"):
        confirming.redeem(ANSWER, ROSA, code)


def test_what_is_wanting_is_said(confirming: Confirming) -> None:
    confirming.fetched(ANSWER, ROSA, "clip-01.mp4", 0, SIZE - 1)
    confirming.watched(ANSWER, ROSA, "clip-01.mp4")
    confirming.fetched(ANSWER, ROSA, "clip-02.mp4", 0, SIZE)
    with pytest.raises(NotSeenError) as raised:
        confirming.issue(ANSWER, ROSA)
    assert raised.value.missing == (Missing("clip-01.mp4", "bytes"), Missing("clip-02.mp4", "playback"))


@pytest.mark.parametrize("login", [OTHER_LOGIN, OTHER_USER], ids=["another login", "another user"])
def test_what_one_login_saw_is_no_other_ones(confirming: Confirming, login: Login) -> None:
    look(confirming)
    with pytest.raises(NotSeenError):
        confirming.issue(ANSWER, login)
    code = confirming.issue(ANSWER, ROSA)
    with pytest.raises(CodeError, match="no_code"):
        confirming.redeem(ANSWER, login, code)
    look(confirming, login=login)
    confirming.issue(ANSWER, login)
    with pytest.raises(CodeError, match="wrong_code"):
        confirming.redeem(ANSWER, login, code)
    confirming.redeem(ANSWER, ROSA, code)


def test_a_code_is_good_for_ten_minutes(confirming: Confirming, clock: Clock) -> None:
    look(confirming)
    code = confirming.issue(ANSWER, ROSA)
    clock.now_s += CODE_S
    with pytest.raises(CodeError, match="expired"):
        confirming.redeem(ANSWER, ROSA, code)
    with pytest.raises(CodeError, match="no_code"):
        confirming.redeem(ANSWER, ROSA, code)


def test_only_the_newest_code_is_good(confirming: Confirming) -> None:
    look(confirming)
    first, second = confirming.issue(ANSWER, ROSA), confirming.issue(ANSWER, ROSA)
    assert first != second
    with pytest.raises(CodeError, match="wrong_code"):
        confirming.redeem(ANSWER, ROSA, first)
    confirming.redeem(ANSWER, ROSA, second)


def test_codes_cannot_be_guessed(confirming: Confirming) -> None:
    look(confirming)
    code = confirming.issue(ANSWER, ROSA)
    assert len(code) >= 32
    for guess in range(MAX_WRONG):
        with pytest.raises(CodeError, match="wrong_code"):
            confirming.redeem(ANSWER, ROSA, f"guess {guess}")
    with pytest.raises(CodeError, match="no_code"):
        confirming.redeem(ANSWER, ROSA, code)


def test_a_change_voids_the_code_and_the_look(confirming: Confirming) -> None:
    look(confirming)
    code = confirming.issue(ANSWER, ROSA)
    changed = ready(contents="c1" * 32, revision=2)
    with pytest.raises(CodeError, match="contents_changed"):
        confirming.redeem(changed, ROSA, code)
    with pytest.raises(NotSeenError):
        confirming.issue(changed, ROSA)


def test_bytes_of_an_earlier_revision_do_not_count_for_a_later_one(confirming: Confirming) -> None:
    """A download that began before a trim was changed ends after it: the file has the same name."""
    changed = ready(contents="c1" * 32, revision=2)
    confirming.fetched(changed, ROSA, "clip-01.mp4", 0, SIZE)
    look(confirming, ANSWER)
    assert Missing("clip-01.mp4", "bytes") not in confirming.missing(changed, ROSA)
    assert Missing("clip-02.mp4", "bytes") in confirming.missing(changed, ROSA)


@pytest.mark.parametrize("state", [state for state in State if state is not State.AWAITING_CONFIRMATION])
def test_only_what_awaits_confirmation_can_be_confirmed(confirming: Confirming, state: State) -> None:
    look(confirming)
    code = confirming.issue(ANSWER, ROSA)
    with pytest.raises(ConfirmError, match="wrong_state"):
        confirming.redeem(ready(state=state), ROSA, code)
    with pytest.raises(ConfirmError, match="wrong_state"):
        confirming.issue(ready(state=state), ROSA)


def test_a_code_of_one_answer_is_not_anothers(confirming: Confirming) -> None:
    look(confirming)
    other = ready(id="other", contents="c2" * 32)
    look(confirming, other)
    code = confirming.issue(ANSWER, ROSA)
    with pytest.raises(CodeError, match="no_code"):
        confirming.redeem(other, ROSA, code)


def test_a_login_that_is_over_is_forgotten(confirming: Confirming) -> None:
    look(confirming)
    code = confirming.issue(ANSWER, ROSA)
    confirming.forget_login("token")
    with pytest.raises(CodeError, match="no_code"):
        confirming.redeem(ANSWER, ROSA, code)
    assert confirming.missing(ANSWER, ROSA)


def test_voiding_forgets_everything_of_an_answer(confirming: Confirming) -> None:
    look(confirming)
    code = confirming.issue(ANSWER, ROSA)
    confirming.void(ANSWER.id)
    with pytest.raises(CodeError, match="no_code"):
        confirming.redeem(ANSWER, ROSA, code)
    with pytest.raises(NotSeenError):
        confirming.issue(ANSWER, ROSA)


def test_memory_is_bounded(confirming: Confirming) -> None:
    for number in range(3 * MAX_VIEWS):
        confirming.watched(ANSWER, Login("rosa", str(number)), "clip-01.mp4")
    for at in range(0, 2_500, 2):
        confirming.fetched(ANSWER, ROSA, "clip-01.mp4", at, at + 1)
    assert len(confirming._views) <= MAX_VIEWS
    assert max(len(ranges) for view in confirming._views.values() for ranges in view.ranges.values()) <= 1_000


@pytest.mark.parametrize("file", ["clip-03.mp4", "../x", ""])
def test_other_files_do_not_count(confirming: Confirming, file: str) -> None:
    confirming.fetched(ANSWER, ROSA, file, 0, SIZE)
    confirming.watched(ANSWER, ROSA, file)
    assert len(confirming.missing(ANSWER, ROSA)) == 4


@given(st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)), max_size=40))
def test_ranges_cover_exactly_what_was_fetched(ranges: list[tuple[int, int]]) -> None:
    confirming = Confirming(Clock())
    seen: set[int] = set()
    for start, stop in ranges:
        confirming.fetched(ANSWER, ROSA, "clip-01.mp4", start, stop)
        seen.update(range(start, stop))
    wanting = Missing("clip-01.mp4", "bytes") in confirming.missing(ANSWER, ROSA)
    assert wanting == (seen != set(range(SIZE)))


def test_an_undone_answer_needs_another_look_and_another_code(tmp_path: Path) -> None:
    """With the store that really changes the contents."""
    desk, confirming = Desk(tmp_path), Confirming(Clock())
    answer = desk.ready((SIZE, SIZE))
    look(confirming, answer)
    code = confirming.issue(answer, ROSA)
    confirming.redeem(answer, ROSA, code)
    desk.store.confirm(answer.id, answer.contents or "", ROSA.user_id, 900)
    undone = desk.store.undo(answer.id, ROSA.user_id)
    with pytest.raises(NotSeenError):
        confirming.issue(undone, ROSA)
    look(confirming, undone)
    confirming.redeem(undone, ROSA, confirming.issue(undone, ROSA))
    desk.close()
