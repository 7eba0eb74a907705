"""Sound, MJPEG, stills and privacy zones: what can't be copied is made playable, and stays in step."""

from dataclasses import replace
from pathlib import Path
import threading

import av
import numpy as np
import pytest

from custom_components.ringwatch.clips import RecordSettings
from custom_components.ringwatch.video import MediaPacket, StillSource, StreamInfo
from custom_components.ringwatch.vision import Zone, ZoneKind

from ..video.samples import jpeg, picture, png, sample
from .conftest import MakeHouse
from .flashes import apart, film
from .house import House, ended, packets_of, pictures, started

SOUND = RecordSettings(pre_roll_s=2.0, post_roll_s=2.0, record_sound=True)
IN_STEP_S = 0.08


def record(
    house: House, packets: list[tuple[MediaPacket, StreamInfo]], start_s: float = 4.5, end_s: float = 11.0
) -> Path:
    t = house.clock.now_s
    house.play(
        packets,
        [
            (start_s + 0.5, lambda: house.recorder.motion_started(started(), t + start_s)),
            (end_s + 0.5, lambda: house.recorder.motion_ended(ended(), t + end_s)),
        ],
    )
    house.silence(15.0)
    (clip,) = house.clips()
    return house.path(clip)


@pytest.mark.parametrize(
    ("audio", "container"),
    [("aac", "mpegts"), ("aac", "mp4"), ("opus", "mpegts"), ("pcm_alaw", "mov"), ("opus", "matroska")],
)
def test_sound_becomes_aac_in_step_with_the_picture(
    make_house: MakeHouse, tmp_path: Path, audio: str, container: str
) -> None:
    source = tmp_path / "in"
    path = record(make_house(SOUND), packets_of(film(audio, container=container), source))
    with av.open(str(path)) as got:
        assert got.streams.audio[0].codec_context.name == "aac"
    measured, before = apart(path), apart(source)
    assert len(measured) >= 3
    assert max(abs(late - before[0]) for late in measured) < IN_STEP_S


@pytest.mark.parametrize(("audio", "container"), [("aac", "mpegts"), ("opus", "matroska")])
def test_sound_that_was_missing_for_a_while_is_in_step_again(
    make_house: MakeHouse, tmp_path: Path, audio: str, container: str
) -> None:
    data = film(audio, container=container, skip=(5.0, 7.5))
    path = record(make_house(SOUND), packets_of(data, tmp_path / "in"))
    late = apart(path)
    assert abs(late[-1]) < IN_STEP_S
    heard = [one for one in late if abs(one) < 1.0]  # the others' beeps are those that are missing
    assert len(heard) >= 3
    assert max(map(abs, heard)) < IN_STEP_S


@pytest.mark.parametrize(("audio", "container"), [("aac", "mpegts"), ("opus", "matroska")])
def test_sound_that_begins_in_mid_clip_is_in_step(
    make_house: MakeHouse, tmp_path: Path, audio: str, container: str
) -> None:
    data = film(audio, container=container, skip=(0.5, 7.0))
    path = record(make_house(SOUND), packets_of(data, tmp_path / "in"))
    heard = [one for one in apart(path) if abs(one) < 1.0]
    assert len(heard) >= 2
    assert max(map(abs, heard)) < IN_STEP_S


def test_sound_with_stamps_of_another_day_does_not_hold_the_picture_up(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    # As when the counters of MPEG-TS wrap between the first sound and the first picture.
    packets = packets_of(sample("mpegts", "hevc", seconds=16.0, audio="aac"), tmp_path / "in")
    broken = [replace(p, time_s=p.time_s + 95_443.7 * (p.kind == "audio")) for p, _ in packets]
    path = record(make_house(SOUND), [(p, packets[0][1]) for p in broken])
    assert len(pictures(path)) == pytest.approx(110, abs=10)


def test_sound_is_left_out_unless_it_was_switched_on(make_house: MakeHouse, tmp_path: Path) -> None:
    path = record(make_house(), packets_of(film("aac"), tmp_path / "in"))
    with av.open(str(path)) as got:
        assert not got.streams.audio


def test_mjpeg_becomes_h264(make_house: MakeHouse, tmp_path: Path) -> None:
    source = tmp_path / "in.avi"
    path = record(make_house(), packets_of(sample("avi", "mjpeg", seconds=16.0), source))
    with av.open(str(path)) as got:
        assert got.streams.video[0].codec_context.name == "h264"
        assert got.streams.video[0].codec_context.pix_fmt == "yuv420p"
    got_pictures, wanted = pictures(path, "rgb24"), pictures(source, "rgb24")[25:]
    assert len(got_pictures) == pytest.approx(105, abs=2)
    differences = [
        np.abs(a.astype(int) - b.astype(int)).mean() for a, b in zip(got_pictures, wanted, strict=False)
    ]
    assert max(differences) < 4.0


@pytest.mark.parametrize("image", [jpeg, png])
def test_stills_become_a_clip_that_lasts_as_long(make_house: MakeHouse, image: object) -> None:
    house = make_house()
    stop, count = threading.Event(), 0

    def fetch() -> bytes:
        nonlocal count
        count += 1
        return jpeg(count % 20) if image is jpeg else png(count % 20)

    source = StillSource(fetch, 2.0, stop=stop, clock=house.clock)
    source.open()
    began_s = house.clock.now_s
    for step in range(60):
        house.clock.now_s = began_s + step * 0.5
        if (packet := source.read()) is not None if step % 4 == 0 else False:
            house.recorder.feed(packet, source.info)
        if step == 21:
            house.recorder.press(house.clock.now_s)
        house.work()
    (clip,) = house.clips()
    assert clip.duration_s == pytest.approx(6.0, abs=2.1)
    assert len(pictures(house.path(clip))) == pytest.approx(clip.duration_s / 2, abs=1)


@pytest.mark.parametrize("codec", ["h264", "hevc", "mjpeg"])
def test_a_privacy_zone_is_black_in_clip_and_thumbnail(
    make_house: MakeHouse, tmp_path: Path, codec: str
) -> None:
    zone = Zone("Neighbor", ZoneKind.PRIVACY, ((0.0, 0.4), (1.0, 0.4), (1.0, 0.8), (0.0, 0.8)))
    house = make_house(RecordSettings(pre_roll_s=2.0, post_roll_s=2.0, zones=(zone,)))
    container = "avi" if codec == "mjpeg" else "mpegts"
    path = record(house, packets_of(sample(container, codec, seconds=16.0), tmp_path / "in"))
    (clip,) = house.clips()
    assert clip.masked
    frames = pictures(path)
    assert len(frames) >= 100
    for frame in frames:
        assert frame[50:94].max() < 40  # the zone's rows, but those that coding smears at its edge
        assert frame[:44].mean() > 40
    with av.open(str(house.media / clip.thumbnail)) as container_:
        (still,) = [frame.to_ndarray(format="gray") for frame in container_.decode(video=0)]
    assert still[50:94].max() < 10
    assert not np.array_equal(picture(0, 160, 120)[..., 0], still)


def test_a_privacy_zone_that_comes_in_mid_clip_holds_from_then_on(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    zone = Zone("Neighbor", ZoneKind.PRIVACY, ((0.0, 0.4), (1.0, 0.4), (1.0, 0.8), (0.0, 0.8)))
    house = make_house()
    t = house.clock.now_s
    house.play(
        packets_of(sample(seconds=20.0), tmp_path / "in"),
        [
            (4.5, lambda: house.recorder.motion_started(started(), t + 4.0)),
            (
                8.55,
                lambda: house.recorder.configure(
                    RecordSettings(pre_roll_s=2.0, post_roll_s=2.0, zones=(zone,))
                ),
            ),
            (13.0, lambda: house.recorder.motion_ended(ended(), t + 12.0)),
        ],
    )
    first, second = house.clips()
    assert [first.masked, second.masked] == [False, True]
    assert len(pictures(house.path(first))) == pytest.approx(65, abs=2)
    assert all(frame[50:94].max() < 40 for frame in pictures(house.path(second)))
    # Nothing is missing in between.
    assert second.start <= first.end
