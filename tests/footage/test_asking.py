"""What a home answers, and what it doesn't: a hub that lies, asks twice, or asks too often hears nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_components.ringwatch.clips import Questions
from custom_components.ringwatch.footage.asking import NotAnsweredError, check_question, has_recorded
from custom_components.ringwatch.footage.asking_store import (
    KEPT_S,
    NAME,
    Asked,
    AskingDamagedError,
    AskingStore,
)
from custom_components.ringwatch.footage.matching import CameraPlace
from custom_components.ringwatch.neighborhood.availability import (
    ANSWERS_IN_S,
    MEMBER_S,
    Question,
    cells_of,
    hours_of,
    opt_in,
)
from custom_components.ringwatch.neighborhood.bodies.requests import Answer
from custom_components.ringwatch.neighborhood.places import Place
from custom_components.ringwatch.neighborhood.rows_requests import RequestRow
from script.lib.many_clips import START, fill
from tests.neighborhood.agencies import around
from tests.neighborhood.street import CENTER, key

HOOD, REQUEST = "cd" * 32, "ab" * 32
RELEASED_S = 1_900_000_000
NOW_S = RELEASED_S + 100
HOMES = [key(f"home {number}") for number in range(12)]
SINCE = {home.public: RELEASED_S - MEMBER_S for home in HOMES}
ROW = RequestRow(
    REQUEST,
    "officer",
    "agency",
    5,
    RELEASED_S - 60,
    "de" * 32,
    RELEASED_S + 7 * 86_400,
    released_s=RELEASED_S,
    known=True,
    area=around(half_m=500),
    start_s=RELEASED_S - 7_000,
    end_s=RELEASED_S - 3_000,
    asks=True,
)


def question(**changes: Any) -> Question:
    """Return what an honest hub asks."""
    roster = tuple(sorted((opt_in(home) for home in HOMES), key=lambda one: one.member))
    hours = hours_of(ROW.start_s, ROW.end_s)
    made = Question(HOOD, REQUEST, cells_of(ROW.area), hours, roster, RELEASED_S + 21_600)
    return replace(made, **changes)


def answered(number: int, **changes: Any) -> Asked:
    """Return a question that was answered, about another time."""
    made = Asked(HOOD, f"{number:064x}", cells_of(ROW.area), (number,), NOW_S - 60, NOW_S, NOW_S, None)
    return replace(made, **changes)


def refusal(
    asked_now: Question,
    *,
    row: RequestRow = ROW,
    since: dict[str, int] = SINCE,
    asked: Sequence[Asked] = (),
    home: int = 3,
) -> str | None:
    """Return why a home doesn't answer."""
    try:
        check_question(asked_now, row, HOMES[home], since=since, asked=asked, now_s=NOW_S)
    except NotAnsweredError as error:
        return error.code
    return None


def test_an_honest_question_is_answered() -> None:
    assert refusal(question()) is None
    assert refusal(question(), asked=[answered(number) for number in range(3)]) is None


def test_a_hub_that_lies_hears_nothing() -> None:
    honest = question()
    shifted = tuple((row, column + 1) for row, column in honest.cells)
    others = tuple(one for one in honest.roster if one.member != HOMES[3].public)
    for lie in (replace(honest, cells=shifted), replace(honest, cells=honest.cells[:1])):
        assert refusal(lie) == "other_place_or_time"
    assert refusal(replace(honest, hours=(*honest.hours, honest.hours[-1] + 1))) == "other_place_or_time"
    assert refusal(replace(honest, roster=others)) == "not_on_roster"
    # Its own name with a key that the hub made: masks would be known
    forged = tuple(
        replace(one, key=opt_in(key("hub")).key) if one.member == HOMES[3].public else one
        for one in honest.roster
    )
    assert refusal(replace(honest, roster=forged)) == "not_on_roster"
    for closes_s in (NOW_S, NOW_S - 1, RELEASED_S + 3 * 86_400):
        assert refusal(replace(honest, closes_s=closes_s)) == "bad_end"
    assert refusal(replace(honest, request="ee" * 32)) == "other_request"
    for row in (replace(ROW, asks=False), replace(ROW, released_s=None), replace(ROW, answer=Answer.LIKELY)):
        assert refusal(honest, row=row) == "other_request"


def test_a_roster_of_strangers_and_newcomers_hears_nothing() -> None:
    for who in (0, 3, 11):
        missing = {one: since for one, since in SINCE.items() if one != HOMES[who].public}
        assert refusal(question(), since=missing) == "not_members"
        young = SINCE | {HOMES[who].public: RELEASED_S - MEMBER_S + 1}
        assert refusal(question(), since=young) == "not_members"


def test_each_question_place_and_time_once_and_four_in_a_month() -> None:
    assert refusal(question(), asked=[answered(1, request=REQUEST)]) == "answered"
    same = answered(1, hours=question().hours[:1])
    assert refusal(question(), asked=[same]) == "overlaps"
    # In another neighborhood, too: it is the same home's footage
    assert refusal(question(), asked=[replace(same, neighborhood="ee" * 32)]) == "overlaps"
    assert refusal(question(), asked=[replace(same, cells=((1, 1),))]) is None
    four = [answered(number, neighborhood=f"{number:064x}") for number in range(4)]
    assert refusal(question(), asked=four) == "too_often"
    four[0] = replace(four[0], made_s=NOW_S - ANSWERS_IN_S)
    assert refusal(question(), asked=four) is None


def test_only_cameras_in_the_cells_and_clips_of_the_hours_count(tmp_path: Path) -> None:
    fill(tmp_path, 200)
    questions, start_s = Questions(tmp_path), round(START.timestamp())
    clips = questions.overlapping(START, START + timedelta(days=30))
    camera = clips[0].camera_id
    inside = [CameraPlace(camera, CENTER.lat_e6, CENTER.lon_e6)]
    cells = cells_of(around())
    asked = question(cells=cells, hours=hours_of(start_s, start_s + 600))
    assert has_recorded(questions, inside, asked)
    assert not has_recorded(questions, [], asked)
    assert not has_recorded(questions, [CameraPlace("camera 99", *_of(CENTER))], asked)
    far = Place(CENTER.lat_e6 + 20_000, CENTER.lon_e6)
    assert not has_recorded(questions, [CameraPlace(camera, *_of(far))], asked)
    assert not has_recorded(questions, inside, replace(asked, hours=(start_s // 3_600 - 3,)))


def _of(place: Place) -> tuple[int, int]:
    return place.lat_e6, place.lon_e6


async def test_what_was_answered_survives_a_restart_and_is_sent_as_it_was_made(tmp_path: Path) -> None:
    store = AskingStore(tmp_path)
    await store.async_set_consent(HOOD, True)
    first = answered(1, share="0123456789abcdef")
    await store.async_add(first)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    again = AskingStore(tmp_path)
    assert await again.async_asked() == (first,)
    assert await again.async_consents(HOOD)
    assert not await again.async_consents("ee" * 32)
    await again.async_over(first.request)
    await again.async_set_consent(HOOD, False)
    third = AskingStore(tmp_path)
    assert await third.async_asked() == (replace(first, share=None),)
    assert not await third.async_consents(HOOD)
    late = answered(2, made_s=first.made_s + KEPT_S)
    await third.async_add(late)
    assert await third.async_asked() == (late,)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version":1}', '{"version":9,"consents":[],"asked":[]}', "\xff"]
)
async def test_a_home_that_has_lost_its_list_answers_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, "latin-1")
    store = AskingStore(tmp_path)
    with pytest.raises(AskingDamagedError):
        await store.async_asked()
    with pytest.raises(AskingDamagedError):
        await store.async_add(answered(1))
    assert (tmp_path / NAME).read_text("latin-1") == text
