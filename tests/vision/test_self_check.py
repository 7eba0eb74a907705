"""The self-check: what moves for days and comes to nothing is proposed as a zone to ignore."""

from typing import Any

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.ringwatch.vision import (
    Activity,
    Detector,
    DetectorSettings,
    SelfCheck,
    Zone,
    ZoneKind,
    parse_zones,
    zone_mask,
    zones_to_json,
)
from custom_components.ringwatch.vision.self_check import GRID, MIN_DAY_S, ActivityCounter

BUSH = (slice(4, 8), slice(20, 26))


def day_with(bush_s: float, *, walkers_s: float = 0.0, everywhere_s: float = 0.0) -> Activity:
    unconfirmed = np.full(GRID, everywhere_s, np.float32)
    confirmed = np.zeros(GRID, np.float32)
    unconfirmed[BUSH] += bush_s
    confirmed[BUSH] += walkers_s
    return Activity(unconfirmed, confirmed)


def after(*days: Activity) -> SelfCheck:
    check = SelfCheck()
    for number, day in enumerate(days, start=700_000):
        check.add(number, day)
    return check


def test_a_bush_that_sways_for_days_is_proposed() -> None:
    proposal = after(*[day_with(3600)] * 3).proposal()
    assert proposal is not None
    assert proposal.zone.kind is ZoneKind.IGNORE
    assert proposal.days == 3
    assert proposal.minutes_a_day == pytest.approx(60)
    assert parse_zones(zones_to_json([proposal.zone])) == (proposal.zone,)
    covered = zone_mask([proposal.zone], ZoneKind.IGNORE, *GRID)
    expected = np.zeros(GRID, np.bool_)
    expected[BUSH] = True
    np.testing.assert_array_equal(covered, expected)


@pytest.mark.parametrize(
    "days",
    [
        [],
        [day_with(3600)] * 2,  # too few days
        [day_with(MIN_DAY_S / 2)] * 7,  # too little
        [day_with(3600, walkers_s=300)] * 7,  # people walk there
        [day_with(0, everywhere_s=3600)] * 7,  # rain over the whole picture
        [day_with(3600)] * 3 + [day_with(0)],  # it was cut
    ],
)
def test_nothing_else_is_proposed(days: list[Activity]) -> None:
    assert after(*days).proposal() is None


def test_a_day_is_added_up_and_a_week_is_kept() -> None:
    check = SelfCheck()
    for day in range(3):
        for _ in range(24):
            check.add(day, day_with(MIN_DAY_S / 20))
    assert check.proposal() is not None
    check.add(8, day_with(3600))
    assert check.proposal() is None
    check.forget()
    assert check.to_json() == {}


def test_the_name_is_free() -> None:
    taken = Zone("Suggested 1", ZoneKind.WATCH, ((0, 0), (1, 0), (1, 1)))
    proposal = after(*[day_with(3600)] * 3).proposal([taken])
    assert proposal is not None
    assert proposal.zone.name == "Suggested 2"


def test_it_survives_a_restart() -> None:
    check = after(*[day_with(3600)] * 3)
    again = SelfCheck.from_json(check.to_json())
    assert again.proposal() == check.proposal()
    assert again.to_json() == check.to_json()


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_what_cannot_be_read_is_left_out(raw: Any) -> None:
    cells = GRID[0] * GRID[1]
    for kept in (
        raw,
        {"1": raw},
        {"1": {"unconfirmed_s": raw, "confirmed_s": [0.0] * cells}},
        {"1": {"unconfirmed_s": [raw] * cells, "confirmed_s": [float("nan")] * cells}},
    ):
        assert SelfCheck.from_json(kept).proposal() is None


@pytest.mark.parametrize("shape", [(104, 180), (18, 32), (9, 16), (137, 101)])
def test_the_grid_keeps_the_mean(shape: tuple[int, int]) -> None:
    counter = ActivityCounter(shape)
    everywhere = np.ones(shape, np.bool_)
    counter.add(everywhere, ~everywhere, 2.0)
    activity = counter.take()
    np.testing.assert_allclose(activity.unconfirmed_s, 2.0)
    assert not activity.confirmed_s.any()
    assert not counter.take().unconfirmed_s.any()


def test_a_swaying_branch_is_counted_where_it_sways_and_a_walker_is_not() -> None:
    detector = Detector(DetectorSettings())
    assert detector.take_activity() is None
    rng = np.random.default_rng(3)
    scene = np.full((240, 320), 120, np.uint8)
    branch = rng.integers(20, 200, (50, 60), np.uint8)
    for number in range(300):
        frame = scene.copy()
        if number % 40 < 4:  # a gust
            frame[20:70, 190 + 3 * (number % 4) : 250 + 3 * (number % 4)] = branch
        if 200 <= number < 260:
            frame[150:210, (number - 200) * 5 : (number - 200) * 5 + 24] = 20
        detector.analyze(frame, number / 10)
    activity = detector.take_activity()
    assert activity is not None
    rows, columns = GRID
    branch_cells = activity.unconfirmed_s[: rows // 3, round(0.55 * columns) : round(0.9 * columns)]
    path_cells = (slice(round(0.65 * rows), round(0.85 * rows)), slice(8, 24))
    assert branch_cells.max() > 1.0
    assert activity.confirmed_s[path_cells].mean() > 5 * activity.unconfirmed_s[path_cells].mean()
