"""The picture beside a clip: what came with the motion or the press, unless something in it is private."""

import io

import numpy as np
from PIL import Image
import pytest

from custom_components.ringwatch.clips import RecordSettings
from custom_components.ringwatch.clips.thumbnail import tile
from custom_components.ringwatch.vision import Box, Zone, ZoneKind

from ..fixtures.cameras import jpeg
from ..fixtures.clips import gray
from ..video.samples import sample
from .conftest import MakeHouse
from .house import House, ended, packets_of, started

GIVEN, LARGE = jpeg(), jpeg(width=1920, height=1080)
HIDDEN = Zone("Street", ZoneKind.PRIVACY, ((0, 0), (1, 0), (1, 0.25), (0, 0.25)))


def play(house: House, *events: tuple[float, object], seconds: float = 10.0) -> None:
    """Play a film; events are (second, what to call with the clock's time)."""
    base_s = house.clock.now_s
    stream = packets_of(sample(seconds=seconds), house.folder / "in.ts")
    house.play(stream, [(at_s, lambda call=call, at_s=at_s: call(base_s + at_s)) for at_s, call in events])  # type: ignore[misc,operator]
    house.silence(30.0)


def picture(house: House) -> bytes:
    """Return the picture of the first clip."""
    return (house.media / house.clips()[0].thumbnail).read_bytes()


def test_the_picture_of_a_motion_is_the_one_that_confirmed_it(make_house: MakeHouse) -> None:
    house = make_house()
    play(
        house,
        (5.0, lambda now_s: house.recorder.motion_started(started(), now_s - 1.0, GIVEN)),
        (6.0, lambda now_s: house.recorder.motion_ended(ended(), now_s)),
    )
    assert picture(house) == GIVEN


def test_the_picture_of_a_press_is_of_the_moment(make_house: MakeHouse) -> None:
    house = make_house()
    play(house, (4.5, lambda now_s: house.recorder.press(now_s, GIVEN)))
    assert picture(house) == GIVEN


def test_it_is_kept_where_the_clip_is_begun_anew_from_an_earlier_start(make_house: MakeHouse) -> None:
    house = make_house()
    play(
        house,
        (5.0, lambda now_s: house.recorder.press(now_s, GIVEN)),
        (5.5, lambda now_s: house.recorder.motion_started(started(), now_s - 2.0, b"another")),
        (6.0, lambda now_s: house.recorder.motion_ended(ended(), now_s)),
    )
    assert len(house.clips()) == 1
    assert picture(house) == GIVEN


def test_a_large_one_is_made_small(make_house: MakeHouse) -> None:
    house = make_house()
    play(house, (4.5, lambda now_s: house.recorder.press(now_s, LARGE)))
    assert gray(picture(house)).shape == (360, 640)
    difference = gray(picture(house))[::2, ::2].astype(int) - gray(LARGE)[::6, ::6]
    assert abs(difference).mean() < 4  # the same but for its size


def test_what_is_no_picture_is_not_kept(make_house: MakeHouse) -> None:
    house = make_house()
    play(house, (4.5, lambda now_s: house.recorder.press(now_s, b"no picture")))
    assert gray(picture(house)).shape == (120, 160)


def test_without_one_it_is_a_picture_of_the_clip(make_house: MakeHouse) -> None:
    house = make_house()
    play(house, (4.5, lambda now_s: house.recorder.press(now_s)))
    assert gray(picture(house)).shape == (120, 160)


def striped(width: int, height: int) -> bytes:
    """Draw a picture that is brighter to the right, and below."""
    shades = np.linspace(0, 120, width)[None, :] + np.linspace(0, 120, height)[:, None]
    out = io.BytesIO()
    Image.fromarray(shades.astype(np.uint8)).save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.mark.parametrize(
    ("size", "boxes", "left", "top"),
    [
        ((320, 180), (), 70, 0),
        ((320, 180), ((0.0, 0.5, 0.1, 0.3),), 0, 0),
        ((320, 180), ((0.9, 0.5, 0.1, 0.3),), 140, 0),
        ((320, 180), ((0.25, 0.5, 0.25, 0.3),), 30, 0),
        ((320, 180), ((0.2, 0.5, 0.1, 0.3), (0.6, 0.2, 0.1, 0.1)), 54, 0),
        ((180, 320), ((0.2, 0.0, 0.2, 0.2),), 0, 0),
        ((180, 320), ((0.2, 0.8, 0.2, 0.2),), 0, 140),
        ((120, 120), ((0.9, 0.9, 0.1, 0.1),), 0, 0),
    ],
)
def test_the_square_of_it_shows_who_moved_at_the_edge(
    size: tuple[int, int], boxes: tuple[Box, ...], left: int, top: int
) -> None:
    whole = striped(*size)
    side = min(size)
    shown = gray(tile(whole, boxes)).astype(int)
    assert shown.shape == (side, side)
    assert abs(shown - gray(whole)[top : top + side, left : left + side]).max() <= 4
    assert not tile(b"no picture", boxes)


def test_with_a_privacy_zone_it_is_a_picture_of_the_clip_with_that_part_black(make_house: MakeHouse) -> None:
    settings = RecordSettings(pre_roll_s=2.0, post_roll_s=2.0, zones=(HIDDEN,))
    house = make_house(settings)
    play(house, (4.5, lambda now_s: house.recorder.press(now_s, GIVEN)))
    shown = gray(picture(house))
    assert shown[:28].max() < 30
    assert shown[34:].mean() > 50


def test_a_picture_from_before_a_zone_is_not_beside_what_comes_after(make_house: MakeHouse) -> None:
    """The command that brings it may be looked at after the one that brings the zone."""
    house = make_house()
    masked = RecordSettings(pre_roll_s=2.0, post_roll_s=2.0, zones=(HIDDEN,))

    def both(now_s: float) -> None:
        house.recorder.configure(masked)
        house.recorder.motion_started(started(), now_s - 0.5, GIVEN)

    play(house, (5.0, both), (6.0, lambda now_s: house.recorder.motion_ended(ended(), now_s)))
    assert np.all(gray(picture(house))[:28] < 30)
