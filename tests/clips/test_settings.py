"""Settings that change while a clip is recorded: it is cut only where the file has to look different."""

from dataclasses import replace

import pytest

from custom_components.ringwatch.clips import RecordSettings
from custom_components.ringwatch.vision import Zone, ZoneKind

from ..video.samples import sample
from .conftest import MakeHouse
from .house import SETTINGS, ended, packets_of, started

HALF = ((0, 0), (0.5, 0), (0.5, 1), (0, 1))
WATCHED, IGNORED, PRIVATE = (
    Zone(kind.value, kind, HALF) for kind in (ZoneKind.WATCH, ZoneKind.IGNORE, ZoneKind.PRIVACY)
)


@pytest.mark.parametrize(
    ("settings", "clips"),
    [
        (SETTINGS, 1),  # the sensitivity, or how long motion is held
        (replace(SETTINGS, zones=(WATCHED, IGNORED)), 1),
        (replace(SETTINGS, pre_roll_s=4.0, post_roll_s=3.0), 1),
        (replace(SETTINGS, zones=(PRIVATE,)), 2),
        (replace(SETTINGS, record_sound=True), 2),
    ],
    ids=["none", "zones", "seconds", "privacy", "sound"],
)
def test_a_clip_is_cut_where_its_file_has_to_look_different(
    make_house: MakeHouse, settings: RecordSettings, clips: int
) -> None:
    house = make_house(SETTINGS)
    base_s = house.clock.now_s
    stream = packets_of(sample(seconds=14.0, audio="aac"), house.folder / "in.ts")
    house.play(
        stream,
        [
            (5.0, lambda: house.recorder.motion_started(started(), base_s + 4.0)),
            (6.5, lambda: house.recorder.configure(settings)),
            (8.0, lambda: house.recorder.motion_ended(ended(), base_s + 8.0)),
        ],
    )
    house.silence(30.0)
    found = sorted(house.clips(), key=lambda clip: clip.part)
    assert [clip.part for clip in found] == list(range(1, clips + 1))
    assert (found[-1].end - found[0].start).total_seconds() >= 2.0 + 4.0 + settings.post_roll_s
