"""Kills a recording process at random moments, and checks what it left.

The tests do that a few times; by hand more often: `.venv/bin/python -m script.lib.kill_recorder 100`.
"""

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
import sqlite3
import subprocess
import sys
import tempfile
import time

import av

from script.lib.core import ROOT, load_core

load_core()

from ringwatch.clips import Clip, ClipStore, Limits, RetentionPolicy
from ringwatch.clips.boxes import BrokenFileError
from ringwatch.clips.mp4 import inspect

START_S = 20.0


@dataclass(frozen=True, slots=True)
class Left:
    """What a kill left: what was there at once, and after the next start."""

    unfinished: int
    underway: int
    clips: int
    lost_s: float  # seconds that were in a file at the kill and are in no clip
    missing_s: float  # seconds that the camera had sent and are in no clip


def duration_s(path: Path) -> float:
    """Return how much of a film can be played, by decoding it."""
    with av.open(str(path)) as container:
        times = [frame.time or 0.0 for frame in container.decode(video=0)]
    return times[-1] - times[0] + 0.1 if times else 0.0


def begun_s(path: Path) -> float:
    """Return what is in an unfinished file at this moment: the length of its whole fragments."""
    try:
        state = inspect(path)
    except BrokenFileError:
        return 0.0
    return state.fragments.tables.duration / 90_000 if state.fragments else duration_s(path)


def kill_once(folder: Path, film: Path, random: Random, within_s: float = 3.0) -> Left:
    """Start the process, kill it somewhere, start again here, and check everything."""
    command = [
        sys.executable,
        "-m",
        "script.lib.recording_process",
        str(folder),
        str(film),
        str(random.random())[2:9],
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise RuntimeError("the process says nothing")
        first_s = float(process.stdout.readline())
        time.sleep(random.uniform(0.0, within_s))
        process.kill()
        fed_s = [first_s, *map(float, process.stdout.read().split())]
    spool = folder / "media" / "ringwatch" / ".recording"
    spooled = {path.stem: begun_s(path) for path in spool.glob("*.mp4")}
    with closing(sqlite3.connect(folder / "config" / "catalogue.db")) as db:
        underway = {clip for (clip,) in db.execute("SELECT id FROM clips WHERE state <> 1")}
        going = {clip for (clip,) in db.execute("SELECT id FROM clips WHERE state = 2")}
        whole = {clip for (clip,) in db.execute("SELECT id FROM clips WHERE state = 1")}
    policy = RetentionPolicy(overall=Limits(), reserve_bytes=0)
    store = ClipStore(folder / "media", folder / "config", lambda _: None, policy=policy)
    store.start()
    wanted(store.wait_ready(START_S), "the start")
    while store._worker._background or store._worker.ask(lambda: store.blocked("")).result():
        time.sleep(0.01)
    clips = {clip.id: clip for clip in store.questions.page(limit=500).clips}
    wanted(store.stop(), "the end")
    check(folder / "media", clips.values())
    wanted(whole <= clips.keys(), "clips that were whole")
    wanted(not going & clips.keys(), "clips that were being deleted")
    lost_s = 0.0
    for clip_id, seconds in spooled.items():
        if seconds > 0.0:
            wanted(clip_id in clips, f"{seconds:.1f} s that were recorded")
            lost_s = max(lost_s, seconds - clips[clip_id].duration_s)
    # The one that went on all the time began first.
    lasting = sorted(
        (c for c in clips.values() if c.id not in whole), key=lambda clip: (clip.start, -clip.duration_s)
    )
    missing_s = fed_s[-1] - (lasting[0].end.timestamp() if lasting else first_s)
    return Left(len(spooled), len(underway), len(clips), lost_s, round(missing_s, 2))


def check(media: Path, clips: Collection[Clip]) -> None:
    """Check that there is a row for every file, a file for every row, and that each plays to its end."""
    paths = set()
    for clip in clips:
        path = media / clip.path
        paths |= {path, media / clip.thumbnail}
        if clip.protected or clip.shared:
            paths.add(path.with_suffix(".json"))
        wanted(path.stat().st_size == clip.size_bytes, f"the size of {path}")
        wanted(abs(duration_s(path) - clip.duration_s) < 0.15, f"the length of {path}")
    there = {path for path in media.rglob("*") if path.is_file() and path.name != ".ringwatch"}
    wanted(there == paths, f"files and rows: {there ^ paths}")


def wanted(holds: bool, what: str) -> None:
    """Raise if something doesn't hold."""
    if not holds:
        raise RuntimeError(f"not as it should be after a kill: {what}")


def main(count: int) -> None:
    """Kill so many times, in one folder."""
    from tests.video.samples import sample

    random = Random(count)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = folder / "film.ts"
        film.write_bytes(sample(seconds=20.0, audio="aac", gop=5))
        lefts = []
        for number in range(count):
            lefts.append(kill_once(folder / "house", film, random))
            sys.stdout.write(f"{number + 1}: {lefts[-1]}\n")
            sys.stdout.flush()
    unfinished, underway = sum(left.unfinished for left in lefts), sum(left.underway for left in lefts)
    missing_s = max(left.missing_s for left in lefts)
    sys.stdout.write(
        f"{count} kills: {unfinished} files were unfinished, {underway} rows under way; then every file had"
        f" its row and played; at most {missing_s:.2f} s that the camera had sent were missing\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
