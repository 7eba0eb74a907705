"""From a camera's packets to clips: what is in them, to the picture."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image
import pytest

from custom_components.ringwatch.clips import RecordSettings, Trigger

from ..video.samples import FPS, sample
from .conftest import MakeHouse
from .house import SETTINGS, START, ended, packets_of, pictures, started


@pytest.mark.parametrize(
    ("container", "codec", "b_frames"),
    [
        ("mpegts", "h264", 0),
        ("mpegts", "h264", 2),
        ("mpegts", "hevc", 0),
        ("mp4", "h264", 2),
        ("mp4", "hevc", 0),
    ],
)
def test_a_clip_holds_the_seconds_before_and_after(
    make_house: MakeHouse, tmp_path: Path, container: str, codec: str, b_frames: int
) -> None:
    house = make_house()
    stream = packets_of(sample(container, codec, seconds=20.0, b_frames=b_frames), tmp_path / "in")
    began_s = house.clock.now_s
    house.play(
        stream,
        [
            (8.4, lambda: house.recorder.motion_started(started(zones=["Path"]), began_s + 7.7)),
            (11.0, lambda: house.recorder.motion_ended(ended(), began_s + 10.0)),
        ],
        late_s=0.4 if b_frames else 0.0,  # a picture can't come before it was made
    )
    (clip,) = house.clips()
    source, got = pictures(tmp_path / "in"), pictures(house.path(clip))
    first = round((clip.start - START).total_seconds(), 3)
    assert first <= 7.7 - SETTINGS.pre_roll_s < first + 1.0 + 0.4
    at = round(first * FPS)
    assert clip.duration_s == pytest.approx(len(got) / FPS, abs=0.001)
    assert at / FPS + len(got) / FPS >= 10.0 + SETTINGS.post_roll_s
    assert len(got) / FPS < 2.3 + SETTINGS.pre_roll_s + SETTINGS.post_roll_s + 1.0 + 2 / FPS
    assert all(np.array_equal(a, b) for a, b in zip(got, source[at:], strict=False))
    assert clip.triggers == {Trigger.MOTION}
    assert clip.zones == {"Path"}
    assert clip.score == 0.9
    assert clip.onset is not None
    assert (clip.onset - clip.start).total_seconds() == pytest.approx(7.7 - first, abs=0.01)


def test_motion_that_returns_within_the_post_roll_goes_on_in_the_same_clip(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    house = make_house()
    stream = packets_of(sample(seconds=30.0), tmp_path / "in.ts")
    t = house.clock.now_s
    house.play(
        stream,
        [
            (5.5, lambda: house.recorder.motion_started(started(), t + 5.0)),
            (7.0, lambda: house.recorder.motion_ended(ended(), t + 6.0)),
            # It returns just within the post-roll of 2 s, and is confirmed only after it.
            (8.9, lambda: house.recorder.motion_started(started(), t + 7.9)),
            (11.0, lambda: house.recorder.motion_ended(ended(), t + 10.0)),
            (17.0, lambda: house.recorder.motion_started(started(), t + 16.5)),
            (19.0, lambda: house.recorder.motion_ended(ended(), t + 18.0)),
        ],
    )
    first, second = house.clips()
    source = pictures(tmp_path / "in.ts")
    for clip, start_s, end_s in ((first, 3.0, 12.0), (second, 14.0, 20.0)):
        got = pictures(house.path(clip))
        assert len(got) == pytest.approx((end_s - start_s) * FPS, abs=1.01)
        at = round(start_s * FPS)
        assert all(np.array_equal(a, b) for a, b in zip(got, source[at : at + len(got)], strict=True))


def test_parts_are_cut_without_losing_a_picture(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house(RecordSettings(pre_roll_s=2.0, post_roll_s=2.0, max_part_s=10.0, record_sound=True))
    stream = packets_of(sample(seconds=40.0, audio="aac", b_frames=2), tmp_path / "in.ts")
    t = house.clock.now_s
    house.play(
        stream,
        [
            (5.5, lambda: house.recorder.motion_started(started(), t + 5.4)),
            (36.0, lambda: house.recorder.motion_ended(ended(), t + 35.0)),
        ],
        late_s=0.4,
    )
    clips = house.clips()
    assert [clip.part for clip in clips] == [1, 2, 3, 4]
    assert len({clip.recording for clip in clips}) == 1
    got = [picture for clip in clips for picture in pictures(house.path(clip))]
    source = pictures(tmp_path / "in.ts")
    first = round((clips[0].start - START).total_seconds() * FPS)
    assert first in {20, 30}
    assert len(got) >= 34 * FPS
    assert all(np.array_equal(a, b) for a, b in zip(got, source[first:], strict=False))
    for clip, following in pairwise(clips):
        assert clip.duration_s <= 10.01
        assert (following.start - clip.end).total_seconds() == pytest.approx(0.0, abs=0.01)


def test_a_press_within_a_motion_is_in_its_clip(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    t = house.clock.now_s
    house.play(
        packets_of(sample(seconds=20.0), tmp_path / "in.ts"),
        [
            (5.5, lambda: house.recorder.motion_started(started(), t + 5.0)),
            (7.0, lambda: house.recorder.press(t + 7.0)),
            (8.0, lambda: house.recorder.motion_ended(ended(), t + 7.1)),
        ],
    )
    (clip,) = house.clips()
    assert clip.triggers == {Trigger.MOTION, Trigger.PRESS}
    assert clip.path.endswith("press.mp4")


def test_motion_found_after_a_press_moves_its_start_back(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    t = house.clock.now_s
    house.play(
        packets_of(sample(seconds=20.0), tmp_path / "in.ts"),
        [
            (9.0, lambda: house.recorder.press(t + 9.0)),  # the clip begins at 7
            (10.5, lambda: house.recorder.motion_started(started(), t + 7.5)),  # this one wants 5.5
            (12.0, lambda: house.recorder.motion_ended(ended(), t + 11.0)),
        ],
    )
    (clip,) = house.clips()
    got, source = pictures(house.path(clip)), pictures(tmp_path / "in.ts")
    assert len(got) == pytest.approx((13 - 5) * FPS, abs=1.01)
    assert np.array_equal(got[0], source[50])
    assert clip.triggers == {Trigger.MOTION, Trigger.PRESS}
    assert not list((house.media / "ringwatch" / ".recording").iterdir())


def test_save_looks_back_and_has_a_file_of_its_own(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    t = house.clock.now_s
    futures = []
    house.play(
        packets_of(sample(seconds=30.0), tmp_path / "in.ts"),
        [
            (14.5, lambda: house.recorder.motion_started(started(), t + 14.0)),
            (15.0, lambda: futures.append(house.recorder.save(10.0, 12.0))),
            (15.1, lambda: futures.append(house.recorder.save(4.0, 3.0))),  # all of it is past
            (18.0, lambda: house.recorder.motion_ended(ended(), t + 17.0)),
        ],
    )
    (long,), (short,) = (future.result(10.0) for future in futures)
    source = pictures(tmp_path / "in.ts")
    for clip, first, last in ((long, 50, 170), (short, 110, 141)):
        got = pictures(house.path(clip))
        assert clip.triggers == {Trigger.SAVE}
        assert len(got) == pytest.approx(last - first, abs=1.01)
        assert all(np.array_equal(a, b) for a, b in zip(got, source[first:], strict=False))
    assert len(house.clips()) == 3


def test_a_camera_that_goes_away_leaves_a_whole_clip_and_goes_on(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    house = make_house()
    t = house.clock.now_s
    stream = packets_of(sample(seconds=8.0), tmp_path / "in.ts")
    house.play(stream, [(5.5, lambda: house.recorder.motion_started(started(), t + 5.0))])
    house.recorder.disconnected()
    house.silence(5.0)
    (clip,) = house.clips()
    assert len(pictures(house.path(clip))) == 50
    house.play(stream)  # the same stamps again: another connection
    house.recorder.motion_ended(ended(), house.clock.now_s - 1.0)
    house.silence(15.0)
    first, second = house.clips()
    assert (first.recording, first.part, second.part) == (second.recording, 1, 2)
    assert len(pictures(house.path(second))) == 80


def test_what_waited_to_be_wanted_is_not_written_after_another_connection(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    house = make_house()
    t = house.clock.now_s
    before = packets_of(sample(seconds=9.5), tmp_path / "before.ts")
    house.play(
        before,
        [
            (5.5, lambda: house.recorder.motion_started(started(), t + 5.0)),
            (7.0, lambda: house.recorder.motion_ended(ended(), t + 6.0)),
        ],
    )  # the clip ends at 8; what came since waits, as motion may be found that goes on with it
    house.recorder.disconnected()
    house.work()
    after = packets_of(sample(codec="hevc", seconds=8.0), tmp_path / "after.ts")
    house.play(
        after,
        [
            (0.2, lambda: house.recorder.motion_started(started(), t + 7.9)),
            (4.0, lambda: house.recorder.motion_ended(ended(), house.clock.now_s - 1.0)),
        ],
    )
    house.silence(15.0)
    first, second = house.clips()
    assert (first.codec, second.codec) == ("h264", "hevc")
    for clip, source, at in ((first, "before.ts", 30), (second, "after.ts", 0)):
        got, wanted = pictures(house.path(clip)), pictures(tmp_path / source)
        assert len(got) == pytest.approx(50, abs=2)
        assert all(np.array_equal(a, b) for a, b in zip(got, wanted[at : at + len(got)], strict=True))
    assert second.start > first.end


def test_a_change_of_format_begins_a_new_part(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    t = house.clock.now_s
    small = packets_of(sample(seconds=6.0), tmp_path / "small.ts")
    large = packets_of(sample(seconds=6.0, width=320, height=240), tmp_path / "large.ts")
    joined = small + [
        (replace(p, time_s=p.time_s + 6.0, dts_s=p.dts_s + 6.0, epoch=1), info) for p, info in large
    ]
    for packet, _ in joined[len(small) :]:
        packet.packet.pts += 6 * 90_000
        packet.packet.dts += 6 * 90_000
    house.play(
        joined,
        [
            (4.5, lambda: house.recorder.motion_started(started(), t + 4.0)),
            (9.0, lambda: house.recorder.motion_ended(ended(), t + 8.0)),
        ],
    )
    house.silence(15.0)
    first, second = house.clips()
    assert (first.width, second.width) == (160, 320)
    assert [len(pictures(house.path(clip))) for clip in (first, second)] == [40, pytest.approx(40, abs=1.01)]


def test_the_thumbnail_lies_beside_the_clip(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    t = house.clock.now_s
    house.play(
        packets_of(sample(seconds=14.0), tmp_path / "in.ts"),
        [(5.5, lambda: house.recorder.press(t + 5.5)), (6.0, lambda: house.recorder.press(t + 6.0))],
    )
    (clip,) = house.clips()
    with Image.open(house.media / clip.thumbnail) as image:
        assert image.size == (160, 120)
    assert house.files() == {clip.path, clip.thumbnail}
