"""A catalogue with as many rows as years of recording make, for tests and benchmarks. No files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
import uuid

from script.lib.core import load_core

load_core()

from ringwatch.clips import Clip, Moment, Trigger
from ringwatch.clips.catalogue import Catalogue, State

START = datetime(2025, 1, 1, tzinfo=UTC)
CAMERAS = 8
ZONES = ("Path", "Street", "Garden")
BATCH = 5000


def fill(folder: Path, count: int, seed: int = 1) -> datetime:
    """Add so many clips of 8 cameras, one every minute or so; return when the last one begins."""
    random = Random(seed)
    catalogue = Catalogue(folder)
    start = START
    clips: list[Clip] = []
    for number in range(count):
        start += timedelta(seconds=random.expovariate(1 / 60))
        clips.append(_clip(number, start, random))
        if len(clips) == BATCH:
            catalogue.add_all(clips, State.READY)
            clips = []
    catalogue.add_all(clips, State.READY)
    catalogue.close()
    return start


def _clip(number: int, start: datetime, random: Random) -> Clip:
    length_s = random.uniform(11, 60) if random.random() < 0.98 else 300.0
    trigger = random.choices([Trigger.MOTION, Trigger.PRESS, Trigger.SAVE], [97, 2, 1])[0]
    return Clip(
        id=uuid.UUID(int=random.getrandbits(128)).hex,
        recording=uuid.UUID(int=random.getrandbits(128)).hex,
        part=1,
        camera_id=f"camera {number % CAMERAS}",
        camera_name=f"Camera {number % CAMERAS}",
        start=start,
        end=start + timedelta(seconds=length_s),
        onset=start + timedelta(seconds=5),
        utc_offset_s=3600,
        clock_offset_s=None,
        triggers=frozenset({trigger}),
        zones=frozenset(random.sample(ZONES, random.randrange(3))),
        score=round(random.random(), 3),
        reason={"code": "moved", "values": {"share": 18.0, "vertical": 0.0, "seconds": 1.2}},
        moments=tuple(Moment(n / 2, ((0.1, 0.2, 0.3, 0.4),)) for n in range(round(length_s * 2))),
        codec="h264",
        width=1920,
        height=1080,
        has_sound=False,
        masked=False,
        path=f"ringwatch/Camera {number % CAMERAS}/{start:%Y-%m-%d}/{number}.mp4",
        size_bytes=round(length_s * 500_000),
        sha256=f"{number:064x}",
        protected=random.random() < 0.01,
    )
