"""Cuts the power of a recording process's disk at random moments, and checks what is left of the clips.

    .venv/bin/python -m script.lib.power_cut 20

The process records to a real ext4 on a disk that keeps a log (disk_log.py), clips and database on the
same one. A cut is the disk with what the log has up to some moment: once with every write before it, once as
a disk with a cache of its own may leave it, where any of the writes since the last flush may be missing. Each
is mounted, which replays the file system's journal, the clip store is started on it, and files, rows and
pictures are compared. Needs root.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import os
from pathlib import Path
from random import Random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from script.lib.core import ROOT, load_core

load_core()

from ringwatch.clips import CameraRef, ClipReady, ClipStore, Limits, Recorder, RecordSettings, RetentionPolicy
from ringwatch.video import EndOfStream, Source, SourceConfig
from script.lib.disk_log import Written, read_log
from script.lib.kill_recorder import begun_s, check, wanted

DISK_BYTES = 96_000_000
START_S = 20.0
QUIET_S = 4.0  # of recording before the first cut
POLICY = RetentionPolicy(overall=Limits(), reserve_bytes=0)


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cut left."""

    time_s: float
    dropped: int  # writes that the disk's own cache lost
    told: int  # clips that had been announced
    clips: int  # that there are afterwards
    unfinished: int
    lost_s: float  # in a file on the disk at the cut, and in no clip
    missing_s: float  # sent by the camera before the cut, and in no clip


class MountError(RuntimeError):
    """Nothing can be mounted here."""


def record(folder: Path, film: str, seconds: float, *, busy: bool) -> None:
    """Record one long clip, and short ones if `busy`; print what was sent and which clips are ready."""

    def notify(news: object) -> None:
        if isinstance(news, ClipReady):
            os.write(1, f"ready {time.time():.3f} {news.clip.id}\n".encode())

    for name in ("media", "config"):
        (folder / name).mkdir()
    store = ClipStore(folder / "media", folder / "config", notify, policy=POLICY)
    store.start()
    store.wait_ready(START_S)
    settings = RecordSettings(pre_roll_s=1.0, post_roll_s=0.2, record_sound=True)
    recorder = Recorder(CameraRef("cam", "Front door"), settings, store, notify)
    recorder.start()
    recorder.save(0.0, 3600.0)
    random, end_s = Random(1), time.monotonic() + seconds
    due_s = time.monotonic() + 1.0
    while time.monotonic() < end_s:
        with Source(SourceConfig(film), stop=threading.Event(), realtime=True) as source:
            try:
                while time.monotonic() < end_s:
                    packet = source.read()
                    if packet is not None:
                        recorder.feed(packet, source.info)
                        os.write(1, f"sent {time.time():.3f}\n".encode())
                    if busy and time.monotonic() >= due_s:
                        due_s += random.uniform(0.5, 1.5)
                        recorder.save(random.uniform(0.0, 1.0), random.uniform(0.3, 1.5))
            except EndOfStream:
                recorder.disconnected()
    os.kill(os.getpid(), 9)


@contextmanager
def mounted(file: Path, place: Path) -> Iterator[None]:
    """Mount a disk in a file."""
    place.mkdir(exist_ok=True)
    loop = _run("losetup", "--find", "--show", file).strip()
    try:
        _run("mount", loop, place)
        try:
            yield
        finally:
            _run("umount", place)
    finally:
        _run("losetup", "--detach", loop)


def _run(*command: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MountError(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout


def record_with_log(folder: Path, film: Path, seconds: float, *, busy: bool) -> list[tuple[str, float, str]]:
    """Record onto a disk that keeps a log. Return what the process said: kind, time, clip."""
    image, blank, log, disk = (folder / name for name in ("image", "blank", "log", "disk"))
    with image.open("wb") as file:
        file.truncate(DISK_BYTES // 4096 * 4096)
    _run("mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0", image)
    shutil.copy(image, blank)
    disk.touch()
    command = [sys.executable, "-m", "script.lib.disk_log", str(image), str(log), str(disk)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as server:
        if server.stdout is None or not server.stdout.readline():
            raise MountError("the kernel's FUSE can't be used")
        try:
            with mounted(disk, folder / "mounted"):
                command = [sys.executable, "-m", "script.lib.power_cut", "record", str(folder / "mounted")]
                said = _record([*command, str(film), str(seconds), "busy" if busy else "alone"])
        finally:
            _run("umount", disk)
    return said


def _record(command: list[str]) -> list[tuple[str, float, str]]:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    return [(line[0], float(line[1]), line[2] if len(line) > 2 else "") for line in lines]


def cut(
    folder: Path, log: list[Written], at: int, said: list[tuple[str, float, str]], random: Random | None
) -> Cut:
    """Make the disk as it was when the first `at` entries of the log were written, and start on it.

    With `random`, any of those since the last flush may be missing.
    """
    disk = folder / "cut"
    shutil.copy(folder / "blank", disk)
    flushed = max((i for i in range(at) if log[i].is_flush), default=0)
    dropped = 0
    with disk.open("r+b") as file:
        for index, entry in enumerate(log[:at]):
            if entry.is_flush:
                continue
            if random is not None and index > flushed and random.random() < 0.5:
                dropped += 1
                continue
            file.seek(entry.offset)
            file.write(entry.data)
    time_s = log[at].time_s - 0.001  # the latest moment at which the disk was like that; `said` is in ms
    told = {clip for kind, when_s, clip in said if kind == "ready" and when_s < time_s}
    sent_s = max(when_s for kind, when_s, _ in said if kind == "sent" and when_s < time_s)
    with mounted(disk, folder / "mounted"):
        house = folder / "mounted"
        spool = house / "media" / "ringwatch" / ".recording"
        spooled = {path.stem: begun_s(path) for path in spool.glob("*.mp4")}
        store = ClipStore(house / "media", house / "config", lambda _: None, policy=POLICY)
        store.start()
        wanted(store.wait_ready(START_S), "the start")
        while store._worker._background or store._worker.ask(lambda: store.blocked("")).result():
            time.sleep(0.01)
        wanted(store.rebuilt_after is None, f"the database is whole ({store.rebuilt_after})")
        clips = {clip.id: clip for clip in store.questions.page(limit=500).clips}
        wanted(store.stop(), "the end")
        check(house / "media", clips.values())
    wanted(told <= clips.keys(), f"clips that were announced: {told - clips.keys()}")
    lost_s = 0.0
    for clip_id, seconds in spooled.items():
        if seconds > 0.0:
            wanted(clip_id in clips, f"{seconds:.1f} s that were recorded")
            lost_s = max(lost_s, seconds - clips[clip_id].duration_s)
    _run("e2fsck", "-fn", disk)
    last_s = max((clip.end.timestamp() for clip in clips.values()), default=0.0)
    return Cut(time_s, dropped, len(told), len(clips), len(spooled), lost_s, round(sent_s - last_s, 2))


def main(count: int, seconds: float = 30.0, *, busy: bool = True) -> list[Cut]:
    """Record once, cut so many times in each of the two ways, and tell."""
    from tests.video.samples import sample

    random = Random(count)
    cuts = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = folder / "film.ts"
        film.write_bytes(sample(seconds=20.0, audio="aac", gop=5))
        said = record_with_log(folder, film, seconds, busy=busy)
        log = list(read_log(folder / "log"))
        first_s = next(when_s for kind, when_s, _ in said if kind == "sent") + QUIET_S
        last_s = max(when_s for kind, when_s, _ in said if kind == "sent")
        when = [i for i, entry in enumerate(log) if first_s < entry.time_s < last_s]
        for number in range(count):
            at = random.choice(when)
            for cache in (None, random):
                cuts.append(cut(folder, log, at, said, cache))
                sys.stdout.write(f"{number + 1}: {cuts[-1]}\n")
                sys.stdout.flush()
    lost_s, missing_s = max(found.lost_s for found in cuts), max(found.missing_s for found in cuts)
    sys.stdout.write(
        f"{len(cuts)} cuts, {sum(found.dropped for found in cuts)} writes lost in the disk's cache,"
        f" {sum(found.unfinished for found in cuts)} files unfinished; each time the database was whole,"
        f" every clip that had been announced was there, every file had its row and played; at most"
        f" {lost_s:.2f} s that were on the disk and {missing_s:.2f} s that the camera had sent were missing\n"
    )
    return cuts


if __name__ == "__main__":
    if sys.argv[1] == "record":
        record(Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]), busy=sys.argv[5] == "busy")
    else:
        for busy in (True, False):
            main(int(sys.argv[1]), busy=busy)
