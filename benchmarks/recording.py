"""What `benchmarks.record` measures, each in a process of its own: pre-roll, CPU and bytes of recording."""

import argparse
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
import hashlib
import json
from pathlib import Path
from random import Random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import av

from script.lib.core import load_core

load_core()

from ringwatch.clips import (
    CameraRef,
    Clip,
    ClipReady,
    ClipStore,
    Limits,
    Recorder,
    RecordSettings,
    RetentionPolicy,
)
from ringwatch.clips.formats import to_sample
from ringwatch.video import MediaPacket, Source, SourceConfig
from ringwatch.vision import MotionEnd, MotionStart, Reason, Zone, ZoneKind

PRE_ROLL_S = 5.0
REASON = Reason("moved", {"share": 10.0, "vertical": 0.0, "seconds": 1.0})
BOX = (0.1, 0.1, 0.2, 0.2)
BURN = "while True: pass"


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keep so many cores busy."""
    burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(cores)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


class House:
    """A store and a recorder in a temporary folder, with the real clock."""

    def __init__(self, folder: Path, settings: RecordSettings) -> None:
        """Start both."""
        self.media = folder / "media"
        self.media.mkdir(parents=True)
        self.clips: list[Clip] = []
        policy = RetentionPolicy(overall=Limits(), reserve_bytes=0)
        self.store = ClipStore(self.media, folder / "config", self._news, policy=policy)
        self.store.start()
        self.store.wait_ready(30.0)
        self.recorder = Recorder(CameraRef("cam", "Camera"), settings, self.store, self._news)
        self.recorder.start()

    def _news(self, news: object) -> None:
        if isinstance(news, ClipReady):
            self.clips.append(news.clip)

    def stop(self) -> None:
        """End both."""
        self.recorder.stop()
        self.store.stop(60.0)


def pre_roll(url: str, events: int, folder: Path) -> dict[str, Any]:
    """Let so many things happen, each told up to 1.2 s late; see which packet each clip begins with.

    Not by what the catalogue says: by the bytes of the first picture, and when those had arrived.
    """
    random = Random(1)
    house = House(folder, RecordSettings(pre_roll_s=PRE_ROLL_S, post_roll_s=0.0))
    arrived: deque[tuple[str, float]] = deque(maxlen=200_000)
    onsets: list[float] = []
    with Source(SourceConfig(url), stop=threading.Event()) as source:
        begun_s = time.monotonic()
        due_s = begun_s + 10.0
        while len(onsets) < events or time.monotonic() < due_s:
            packet = source.read()
            if packet is not None:
                if packet.kind == "video" and packet.is_key:
                    arrived.append((fingerprint(source.info.codec, packet), packet.arrival_s))
                house.recorder.feed(packet, source.info)
            now_s = time.monotonic()
            if now_s >= due_s and len(onsets) < events:
                onset_s = now_s - random.uniform(0.0, 1.2)
                onsets.append(onset_s)
                zone = frozenset({f"event {len(onsets)}"})
                house.recorder.motion_started(MotionStart(0.0, 0.0, BOX, zone, 0.5, REASON), onset_s)
                house.recorder.motion_ended(MotionEnd(0.0, 0.0, 0.1, BOX, zone, 0.5, REASON), now_s)
                due_s = now_s + random.uniform(1.3, 2.0)
                if len(onsets) == events:
                    due_s = now_s + 6.0
        codec = source.info.codec
    house.stop()
    kept, ahead_s, found = 0, [], 0
    for number, onset_s in enumerate(onsets, 1):
        clip = next(
            (clip for clip in house.clips if f"event {number}" in clip.zones and clip.part == 1), None
        )
        if clip is None:
            continue
        found += 1
        with av.open(str(house.media / clip.path)) as container:
            first = hashlib.sha256(bytes(next(container.demux(video=0)))).hexdigest()
        # The footage repeats: the latest of the same bytes that could be meant.
        times = [at_s for digest, at_s in arrived if digest == first and at_s <= onset_s]
        if times and times[-1] <= onset_s - PRE_ROLL_S:
            kept += 1
        if times:
            ahead_s.append(onset_s - times[-1])
    return {
        "events": events,
        "with_a_clip": found,
        "clips": len(house.clips),
        "kept_share": kept / events,
        "least_ahead_s": round(min(ahead_s), 2),
        "codec": codec,
    }


def fingerprint(codec: str, packet: MediaPacket) -> str:
    """Return what tells a picture's bytes as they are in a clip."""
    return hashlib.sha256(to_sample(codec, bytes(packet.packet))).hexdigest()


def cpu_and_bytes(url: str, seconds: float, folder: Path, *, masked: bool) -> dict[str, Any]:
    """Record without a break for so long; return the process's CPU seconds and bytes."""
    zones = (
        (Zone("Private", ZoneKind.PRIVACY, ((0.0, 0.0), (0.3, 0.0), (0.3, 0.3), (0.0, 0.3))),)
        if masked
        else ()
    )
    house = House(folder, RecordSettings(pre_roll_s=0.0, post_roll_s=0.0, look_back_s=1.0, zones=zones))
    sent: list[tuple[str, int]] = []  # fingerprint of key frames, bytes
    with Source(SourceConfig(url), stop=threading.Event()) as source:
        # What a process does once (imports, the first thumbnail) is not what recording costs.
        for length_s in (1.0, seconds):
            future = house.recorder.save(0.0, length_s)
            house.clips.clear()
            cpu_s, written = time.process_time(), written_bytes()
            while not future.done():
                packet = source.read()
                if packet is not None:
                    house.recorder.feed(packet, source.info)
                    if packet.kind == "video":
                        digest = fingerprint(source.info.codec, packet) if packet.is_key else ""
                        sent.append((digest, packet.size_bytes))
            cpu_s = time.process_time() - cpu_s
    house.stop()
    length_s = sum(clip.duration_s for clip in house.clips)
    stream = sum(stream_bytes(house.media / clip.path, sent) for clip in house.clips)
    return {
        "seconds": round(length_s, 1),
        "cpu_s": round(cpu_s, 2),
        "cpu_s_in_all": round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 2),
        "stream_bytes": stream,
        "file_bytes": sum(clip.size_bytes for clip in house.clips),
        "disk_bytes": sum((house.media / clip.path).stat().st_blocks * 512 for clip in house.clips),
        "written_bytes": written_bytes() - written,
        "dropped_s": sum(clip.dropped_s for clip in house.clips),
    }


def stream_bytes(clip: Path, sent: list[tuple[str, int]]) -> int:
    """Return how many bytes the pictures of a clip were when they came; 0 if they were encoded."""
    with av.open(str(clip)) as container:
        sizes = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    first = hashlib.sha256(sizes[0]).hexdigest()
    starts = [at for at, (digest, _) in enumerate(sent) if digest == first and at + len(sizes) <= len(sent)]
    return sum(size for _, size in sent[starts[-1] : starts[-1] + len(sizes)]) if starts else 0


def written_bytes() -> int:
    """Return how many bytes this process has written, to databases and pictures too."""
    for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    return 0


def main() -> None:
    """Measure one thing and print it as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("pre_roll", "record", "masked"))
    parser.add_argument("url")
    parser.add_argument("amount", type=float)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ringwatch-bench-") as name:
        folder = Path(name)
        if given.what == "pre_roll":
            figures = pre_roll(given.url, round(given.amount), folder)
        else:
            figures = cpu_and_bytes(given.url, given.amount, folder, masked=given.what == "masked")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
