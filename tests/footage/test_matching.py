"""Own clips of a request's place and time are found at home; a clock that was off widens the window."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ringwatch.clips import Clip, Questions
from custom_components.ringwatch.clips.catalogue import Catalogue, State
from custom_components.ringwatch.footage.matching import (
    SEES_M,
    CameraPlace,
    Matching,
    matching_clips,
    near_cameras,
)
from custom_components.ringwatch.neighborhood.places import Place
from script.lib.many_clips import CAMERAS, START, _clip, fill

# A square of about 500 m around 47.6 N, 122.3 W.
AREA = (
    Place(47_600_000, -122_300_000),
    Place(47_600_000, -122_293_300),
    Place(47_604_500, -122_293_300),
    Place(47_604_500, -122_300_000),
)
INSIDE = [CameraPlace(f"camera {n}", 47_602_000, -122_297_000) for n in range(CAMERAS)]
M_E6 = 1_000_000 / 111_320  # microdegrees of latitude in a metre
COUNT, SPAN_S = 600, 600 * 60


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Questions, list[Clip]]:
    folder = tmp_path_factory.mktemp("catalogue")
    fill(folder, COUNT)
    questions = Questions(folder)
    clips = questions.overlapping(START, START + timedelta(days=30))
    assert len(clips) == COUNT
    return questions, list(clips)


@pytest.mark.parametrize(
    ("north_m", "counts"), [(-SEES_M - 5, False), (-SEES_M + 5, True), (5, True), (490, True), (600, False)]
)
def test_a_camera_counts_inside_the_area_and_at_its_edge(north_m: float, counts: bool) -> None:
    place = CameraPlace("cam", 47_600_000 + round(north_m * M_E6), -122_297_000)
    assert near_cameras([place], AREA) == (("cam",) if counts else ())


@given(
    st.integers(-1000, SPAN_S),
    st.integers(1, 43_200),
    st.sets(st.integers(0, CAMERAS - 1)),
    st.integers(0, 80),
)
@settings(max_examples=60, deadline=None)
def test_what_matches_is_what_a_plain_look_finds(
    filled: tuple[Questions, list[Clip]], start_s: int, length_s: int, cameras: set[int], limit: int
) -> None:
    questions, clips = filled
    begin_s = round(START.timestamp()) + start_s
    far = CameraPlace("camera 99", 0, 0)
    places = [INSIDE[n] for n in sorted(cameras)] + [far]
    names = {place.camera_id for place in places}
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (begin_s, begin_s + length_s))
    wanted = [clip for clip in clips if clip.camera_id in names and clip.start < end and clip.end > begin]
    wanted.sort(key=lambda clip: (clip.start, clip.id))
    got = matching_clips(questions, places, AREA, begin_s, begin_s + length_s, limit=limit)
    assert got == Matching(tuple(wanted[:limit]), len(wanted))


def test_a_clock_that_was_off_widens_the_window(tmp_path: Path) -> None:
    at_s = round(START.timestamp())
    base = replace(_clip(0, START, Random(1)), end=START + timedelta(seconds=30), moments=())
    clips = [
        replace(base, id=name, path=f"{name}.mp4", clock_offset_s=offset)
        for name, offset in (("unknown", None), ("right", 0.0), ("slow", -90.0), ("fast", 90.0))
    ]
    catalogue = Catalogue(tmp_path)
    catalogue.add_all(clips, State.READY)
    catalogue.close()

    def found(start_s: int, end_s: int, error_s: float = 0.0) -> set[str]:
        got = matching_clips(
            Questions(tmp_path), INSIDE, AREA, at_s + start_s, at_s + end_s, clock_error_s=error_s
        )
        assert got.count == len(got.clips)
        return {clip.id for clip in got.clips}

    assert found(0, 10) == {"unknown", "right", "slow", "fast"}
    assert found(60, 90) == found(-60, -30) == {"slow", "fast"}
    assert found(60, 90, 45.0) == found(-60, -30, 45.0) == {"unknown", "slow", "fast"}
    assert found(121, 150) == set()
    assert found(121, 150, 7200.0) == {"unknown"}


def test_a_home_without_cameras_there_asks_nothing(filled: tuple[Questions, list[Clip]]) -> None:
    questions, _ = filled
    start_s = round(START.timestamp())
    assert matching_clips(questions, [], AREA, start_s, start_s + SPAN_S) == Matching((), 0)
    missing = Questions(Path("/nowhere"))  # not even opened
    assert matching_clips(missing, [CameraPlace("a", 0, 0)], AREA, 0, 1) == Matching((), 0)
