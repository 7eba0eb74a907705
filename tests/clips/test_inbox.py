"""A camera is never held up: what is too much is dropped, from a picture to the next key frame, and told."""

from pathlib import Path

from custom_components.ringwatch.clips import PacketsDropped
from custom_components.ringwatch.clips.inbox import Arrived, Gap, Inbox

from ..video.samples import sample
from .conftest import MakeHouse
from .house import ended, packets_of, pictures, started


def test_what_follows_a_dropped_picture_is_dropped_up_to_the_next_key_frame(tmp_path: Path) -> None:
    packets = packets_of(sample(seconds=6.0), tmp_path / "in.ts")
    inbox = Inbox(max_bytes=sum(p.size_bytes for p, _ in packets[:15]))
    kept = [inbox.put(packet, info) for packet, info in packets[:30]]
    assert kept == [True] * 15 + [False] * 15
    assert len(inbox.take()) == 15
    assert [inbox.put(p, info) for p, info in packets[31:41]] == [False] * 9 + [True]
    gap, arrived = inbox.take()
    assert gap == Gap(24, packets[40][0].dts_s - packets[14][0].dts_s)
    assert isinstance(arrived, Arrived)


def test_a_clip_says_how_much_is_missing_in_it_and_plays_on(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    packets = packets_of(sample(seconds=16.0), tmp_path / "in.ts")
    real = house.work
    house.recorder._inbox = Inbox(max_bytes=sum(p.size_bytes for p, _ in packets[:25]))
    t = house.clock.now_s
    events = [
        (4.5, lambda: house.recorder.motion_started(started(), t + 4.0)),
        (6.0, lambda: setattr(house, "work", lambda: None)),  # the disk stands still
        (10.2, lambda: setattr(house, "work", real)),
        (13.0, lambda: house.recorder.motion_ended(ended(), t + 12.0)),
    ]
    house.play(packets, events)
    house.silence(15.0)
    (clip,) = house.clips()
    (dropped,) = [event for event in house.news if isinstance(event, PacketsDropped)]
    assert clip.dropped_s > 1.0
    assert dropped.seconds == round(clip.dropped_s, 2)
    assert house.recorder.state.packets_dropped == dropped.packets
    shown = pictures(house.path(clip))
    assert len(shown) == len(range(20, 141)) - dropped.packets
    assert clip.duration_s > 11.9  # the time that is missing is in it, as a picture that stands still
