"""What a track must do before it is motion: regions by hand, no pictures."""

from collections.abc import Iterable

import pytest

from custom_components.ringwatch.vision import ways
from custom_components.ringwatch.vision.regions import Region
from custom_components.ringwatch.vision.tracks import CLUTTER_AGE_S, CLUTTER_EVERYWHERE, HISTORY_S, Tracker

HEIGHT, WIDTH = 104, 180
FRAME_S = 0.04

type Box = tuple[int, int, int, int]


def region(box: Box, restless_s: float = 0.0) -> Region:
    """Make a region that fills its box."""
    left, top, right, bottom = box
    center = ((left + right - 1) / 2, (top + bottom - 1) / 2)
    return Region(1, (right - left) * (bottom - top), box, center, restless_s)


def confirmed_after(
    boxes: Iterable[Box], tracker: Tracker | None = None, restless_s: float = 0.0
) -> float | None:
    """Return how long it takes until what goes through these boxes is motion."""
    tracker = tracker or Tracker(HEIGHT, WIDTH)
    begin_s = 100.0
    for number, box in enumerate(boxes):
        time_s = begin_s + number * FRAME_S
        tracker.update([region(box, restless_s)], time_s, 1.0)
        if any(track.confirmed_s is not None for track in tracker.tracks):
            return time_s - begin_s
    return None


def come_to_nothing(boxes: list[Box], times: int, tracker: Tracker) -> None:
    """Show these for a frame, some times in the seconds before 100."""
    for number in range(times):
        tracker.update([region(box) for box in boxes], 80.0 + number, 1.0)
        tracker.update([], 80.5 + number, 1.0)


def walk(frames: int, size: int = 16) -> list[Box]:
    """Return the boxes of something that goes right by half a pixel a frame."""
    return [(40 + n // 2, 40, 40 + n // 2 + size, 40 + size) for n in range(frames)]


def test_what_goes_along_a_line_is_motion() -> None:
    """The control of the tests below."""
    assert confirmed_after(walk(75)) is not None


def test_a_jump_from_place_to_place_is_not_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line may be fitted to it, but a picture on a screen does that too."""
    there, elsewhere = (40, 40, 56, 56), (53, 40, 69, 56)
    jump = [there] * 40 + [elsewhere] * 40
    assert confirmed_after(jump) is None
    monkeypatch.setattr(ways, "STEADY_SHARE", -1.0)
    assert confirmed_after(jump) is not None


def test_what_grows_at_one_end_is_not_motion() -> None:
    """Its center goes along a line: a patch of light, or at the picture's edge somebody who comes in."""
    assert confirmed_after([(40, 40, 44 + n // 2, 46) for n in range(75)]) is None
    assert confirmed_after([(0, 40, 4 + n // 2, 46) for n in range(75)]) is not None


def test_ends_may_stay_while_the_camera_is_shaken() -> None:
    """Blur moves the ends of a box, so nothing is asked of them then."""
    tracker = Tracker(HEIGHT, WIDTH)
    tracker.shaken = True
    assert confirmed_after([(40, 40, 44 + n // 2, 46) for n in range(75)], tracker) is not None


def test_what_has_lingered_has_to_go_further() -> None:
    """A way that is enough at first is not enough after ten seconds in one place."""
    step = [(44 + n // 2, 40, 60 + n // 2, 56) for n in range(20)]
    lingered = [(44, 40, 60, 56)] * 250
    assert confirmed_after(step) is not None
    assert confirmed_after([*lingered, *step, *[(53, 40, 69, 56)] * 10]) is None


def test_two_insects_that_meet_are_not_a_person() -> None:
    """What counts in clutter is the largest part of a track, not the sum."""
    tracker = Tracker(HEIGHT, WIDTH)
    come_to_nothing([(10, 10, 20, 20)], 6, tracker)
    for number in range(40):
        time_s = 100.0 + number * FRAME_S
        x = 40 + 2 * number
        pair = [region((x, 40, x + 10, 50)), region((x + 11, 40, x + 21, 50))]
        tracker.update(pair, time_s, 1.0)
    assert all(track.confirmed_s is None for track in tracker.tracks)


@pytest.mark.parametrize(("size", "least_s", "most_s"), [(4, CLUTTER_AGE_S, 3.0), (30, 0.0, 1.5)])
def test_snow_on_a_road_is_not_motion_and_hides_nobody(size: int, least_s: float, most_s: float) -> None:
    """Where motion is usual nothing is asked of small things, unless it snows."""
    tracker = Tracker(HEIGHT, WIDTH)
    flakes = [(6 + 17 * n, 20, 9 + 17 * n, 24) for n in range(10)]
    come_to_nothing(flakes, CLUTTER_EVERYWHERE // len(flakes), tracker)
    after_s = confirmed_after(walk(75, size), tracker, restless_s=-1.0)
    assert after_s is not None
    assert least_s <= after_s <= most_s


def test_what_comes_over_a_flicker_is_not_dated_back_to_it() -> None:
    """A flicker may last for hours: a car in its place is not it, a walker out of it is younger."""
    flicker = [(172 + n % 2, 98, 176, 104) for n in range(500)]
    car = [(176 - 2 * n, 60, 180, 104) for n in range(4, 40)]
    slow = [(172 - n // 4, 98 - n // 4, 180, 104) for n in range(200)]
    for boxes, least_s in ((car, 0.0), (slow, -HISTORY_S)):
        tracker = Tracker(HEIGHT, WIDTH)
        assert confirmed_after([*flicker, *boxes], tracker) is not None
        (track,) = tracker.tracks
        assert track.confirmed_s is not None
        assert track.first_s >= 100.0 + len(flicker) * FRAME_S + least_s


@pytest.mark.parametrize(("frames", "entered"), [(2, True), (6, False)])
def test_what_touches_the_edge_at_once_came_in_over_it(frames: int, entered: bool) -> None:
    """The part that is seen first need not touch the edge, but it is hardly there before the rest."""
    tracker = Tracker(HEIGHT, WIDTH)
    boxes = [*[(163, 60, 172, 70)] * frames, (160, 50, 180, 80)]
    assert confirmed_after(boxes, tracker) is None
    assert [track.entered for track in tracker.tracks] == [entered]
