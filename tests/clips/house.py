"""A recorder and a store without Home Assistant: real files, real packets, a clock that the test moves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import threading

import av
import numpy as np
from numpy.typing import NDArray

from custom_components.ringwatch.clips import (
    CameraRef,
    Clip,
    ClipNews,
    ClipReady,
    ClipStore,
    Limits,
    Recorder,
    RecordSettings,
    RetentionPolicy,
)
from custom_components.ringwatch.video import EndOfStream, MediaPacket, Source, SourceConfig, StreamInfo
from custom_components.ringwatch.vision import MotionEnd, MotionStart, Reason

CAMERA = CameraRef("cam1", "Front door")
START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ROOMY = 100_000_000_000
POLICY = RetentionPolicy(overall=Limits())
SETTINGS = RecordSettings(pre_roll_s=2.0, post_roll_s=2.0, max_part_s=300.0)


@dataclass
class Clock:
    """Seconds that only the test lets pass."""

    now_s: float = 1000.0
    jump: timedelta = timedelta()

    def __call__(self) -> float:
        return self.now_s

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.now_s - 1000.0) + self.jump


def packets_of(data: bytes, path: Path) -> list[tuple[MediaPacket, StreamInfo]]:
    """Read a file as a camera's thread does."""
    path.write_bytes(data)
    found = []
    with Source(SourceConfig(str(path)), stop=threading.Event()) as source:
        try:
            while True:
                if (packet := source.read()) is not None:
                    found.append((packet, source.info))
        except EndOfStream:
            return found


def pictures(path: Path, layout: str = "gray") -> list[NDArray[np.uint8]]:
    """Decode a file."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format=layout) for frame in container.decode(video=0)]


def started(onset_s: float = 0.0, zones: Iterable[str] = ()) -> MotionStart:
    reason = Reason("moved", {"share": 18.0, "vertical": 0.0, "seconds": 1.2})
    return MotionStart(onset_s, onset_s + 0.5, (0.1, 0.2, 0.3, 0.4), frozenset(zones), 0.7, reason)


def ended(zones: Iterable[str] = ()) -> MotionEnd:
    reason = Reason("moved", {"share": 40.0, "vertical": 0.0, "seconds": 2.0})
    return MotionEnd(0.0, 1.0, 0.1, (0.1, 0.2, 0.3, 0.4), frozenset(zones), 0.9, reason)


class House:
    """One camera, one store."""

    def __init__(
        self,
        folder: Path,
        settings: RecordSettings = SETTINGS,
        *,
        policy: RetentionPolicy = POLICY,
        free_bytes: Callable[[], int] = lambda: ROOMY,
    ) -> None:
        self.clock = Clock()
        self.news: list[ClipNews] = []
        self.media = folder / "media"
        self.media.mkdir(exist_ok=True)
        self.folder = folder
        self.store = ClipStore(
            self.media,
            folder / "config" / "ringwatch",
            self.news.append,
            policy=policy,
            now=self.clock.utc,
            clock=self.clock,
            free_bytes=free_bytes,
        )
        self.store.start()
        assert self.store.wait_ready(10.0)
        self.settle()
        self.recorder = self.new_recorder(CAMERA, settings)

    def new_recorder(self, camera: CameraRef, settings: RecordSettings = SETTINGS) -> Recorder:
        return Recorder(camera, settings, self.store, self.news.append, clock=self.clock, now=self.clock.utc)

    def play(
        self,
        packets: list[tuple[MediaPacket, StreamInfo]],
        events: Iterable[tuple[float, Callable[[], object]]] = (),
        *,
        late_s: float = 0.0,
    ) -> None:
        """Give packets to the recorder at their time; events are (seconds of the stream, what to do)."""
        base_s = self.clock.now_s
        waiting = sorted(events, key=lambda event: event[0])
        worked_s = base_s
        for packet, info in packets:
            # Sound arrives with the picture before it, whatever its stamps say.
            now_s = base_s + packet.dts_s + late_s if packet.kind == "video" else self.clock.now_s
            while waiting and base_s + waiting[0][0] <= now_s:
                self.clock.now_s = max(self.clock.now_s, base_s + waiting[0][0])
                waiting.pop(0)[1]()
                self.work()
            self.clock.now_s = max(self.clock.now_s, now_s)
            self.recorder.feed(replace(packet, arrival_s=self.clock.now_s), info)
            if self.clock.now_s - worked_s >= 0.25:
                worked_s = self.clock.now_s
                self.work()
        self.work()
        for at_s, event in waiting:
            self.clock.now_s = max(self.clock.now_s, base_s + at_s)
            event()
            self.work()

    def work(self) -> None:
        """Let the recorder's thread look once."""
        self.recorder._work()

    def silence(self, seconds: float) -> None:
        """Let time pass without packets."""
        until_s = self.clock.now_s + seconds
        while self.clock.now_s < until_s:
            self.clock.now_s = min(until_s, self.clock.now_s + 0.25)
            self.work()

    def settle(self) -> None:
        """Wait until the store has done what was handed over."""
        self.store.when_stored("").result(20.0)

    def clips(self) -> list[Clip]:
        """Return all clips, oldest first."""
        self.settle()
        return sorted(self.store.questions.page(limit=500).clips, key=lambda clip: (clip.start, clip.part))

    def path(self, clip: Clip) -> Path:
        return self.media / clip.path

    def ready(self) -> list[Clip]:
        """Return the clips that were announced."""
        self.settle()
        return [event.clip for event in self.news if isinstance(event, ClipReady)]

    def files(self) -> set[str]:
        """Return every file in the storage folder but the mark."""
        return {
            str(path.relative_to(self.media))
            for path in self.media.rglob("*")
            if path.is_file() and path.name != ".ringwatch"
        }

    def clips_after_close(self) -> set[str]:
        """Return the files of clips and thumbnails."""
        return {name for name in self.files() if "/.recording/" not in name}

    def close(self) -> None:
        self.recorder._stop.set()
        self.recorder._run()
        assert self.store.stop(20.0)
