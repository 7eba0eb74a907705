"""One camera's threads: packets in, motion out.

A camera has a record source and, where it offers a smaller stream, a detect source. Each has one thread
that alone touches its connection, decoder and detector. With one source its thread does both. A thread
says what happened by calling `notify`, is told what to do through its queue, and ends within 1.5 s of
`stop`. Nothing here knows Home Assistant: the clock, the random numbers and the way to open a source
are handed in.
"""

from collections.abc import Callable
from dataclasses import dataclass
import logging
from queue import Empty, SimpleQueue
from random import Random
import threading
import time

import av

from .pipeline import AnalyzedFrame, Pipeline
from .pressure import Pressure
from .stills import StillsPipeline
from .video import (
    Backoff,
    BrokenStream,
    Decoder,
    EndOfStream,
    MediaPacket,
    PacketBuffer,
    Source,
    SourceError,
    StillSource,
    Stopped,
    StreamInfo,
    encode_jpeg,
)
from .vision import (
    Box,
    Detector,
    DetectorSettings,
    MotionEnd,
    MotionStart,
    Primitives,
    StillsDetector,
    ZoneKind,
    zone_mask,
)

_LOGGER = logging.getLogger(__name__)

LEVEL_INTERVAL_S = 1.0  # a level sensor that changes more often only fills the history
SNAPSHOT_WIDTH_PX = 1280  # enough for a phone's notification, about 100 KB
PRE_ROLL_S = 5.0  # a visitor is in view about 3 s before pressing
STOP_TIMEOUT_S = 1.5
FIRST_PICTURE_S = 30.0  # cameras with a "smart" codec send a key frame only every 10 s or so
STEADY_S = 10.0  # a connection that lasted so long was a good one: start over with short waits


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What a running watcher can be told without reconnecting."""

    detection: bool
    detector: DetectorSettings


type OpenSource = Callable[[threading.Event], Source | StillSource]
"""Makes a source that is not open yet; may block while an address is asked for, may raise SourceError."""


@dataclass(frozen=True, slots=True)
class WatcherConfig:
    """How to watch one camera. `detect` is None where one connection feeds both."""

    name: str
    record: OpenSource
    detect: OpenSource | None
    analyzed_fps: float
    pre_roll_s: float = PRE_ROLL_S


@dataclass(frozen=True, slots=True)
class StreamUp:
    """A source delivers."""

    role: str
    info: StreamInfo


@dataclass(frozen=True, slots=True)
class StreamDown:
    """A source broke or could not be opened; it is tried again in `retry_in_s`."""

    role: str
    error: SourceError
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """How much of the watched picture moves, 0..1, and in which zones motion is going on now."""

    level: float
    zones: frozenset[str]


@dataclass(frozen=True, slots=True)
class MotionStarted:
    """Motion was confirmed. `onset_s` is on the injected clock.

    `jpeg` is the frame that confirmed it, private parts black as `taken_with` says; empty if there is none.
    """

    motion: MotionStart
    onset_s: float
    jpeg: bytes
    taken_with: DetectorSettings


@dataclass(frozen=True, slots=True)
class MotionEnded:
    """Motion is over. `onset_s` and `last_s` are on the injected clock."""

    motion: MotionEnd
    onset_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class PressureChanged:
    """The machine fell behind the camera, or keeps up again. `dropped` is the share not looked at, 0..1."""

    behind: bool
    dropped: float


type WatcherEvent = StreamUp | StreamDown | LevelChanged | MotionStarted | MotionEnded | PressureChanged
type Notify = Callable[[WatcherEvent], None]


class CameraWatcher:
    """Runs a camera's threads, and keeps its last frame and its last seconds of packets."""

    def __init__(
        self,
        config: WatcherConfig,
        settings: WatchSettings,
        notify: Notify,
        *,
        primitives: Primitives,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        """Prepare; nothing is opened before `start`."""
        self._notify = notify
        self._clock = clock
        self._settings = settings
        self._stop = threading.Event()
        self._primitives = primitives
        self.buffer = PacketBuffer(config.pre_roll_s)
        self._stills = _Stills()
        make = random or Random()
        sees = _Seeing(self, config.analyzed_fps)
        if config.detect is None:
            self._loops = [_SourceLoop(self, "record", config.record, make, sees=sees, buffer=self.buffer)]
        else:
            self._loops = [
                _SourceLoop(self, "record", config.record, make, buffer=self.buffer),
                _SourceLoop(self, "detect", config.detect, make, sees=sees),
            ]
        self._seeing = sees
        self._threads = [
            threading.Thread(target=loop.run, name=f"ringwatch {loop.role} {config.name}", daemon=True)
            for loop in self._loops
        ]

    @property
    def roles(self) -> tuple[str, ...]:
        """The sources there are: "record" and perhaps "detect"."""
        return tuple(loop.role for loop in self._loops)

    @property
    def engine(self) -> str:
        """The name of the pixel primitives in use."""
        return self._primitives.name

    @property
    def statistics(self) -> dict[str, object]:
        """Counters for diagnostics."""
        return self._seeing.statistics | {
            "buffer_bytes": self.buffer.size_bytes,
            "buffer_s": round(self.buffer.span_s, 1),
            "longest_gop_s": round(self.buffer.longest_gop_s, 2),
        }

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Tell the threads to end; from now on no frame is decoded and no still is given."""
        self._stop.set()
        self._stills.close()

    def stop(self) -> bool:
        """End the threads; blocks up to 1.5 s. False if one did not end in time (it still will)."""
        self.request_stop()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        self._stills.clear()
        return not any(thread.is_alive() for thread in self._threads)

    def configure(self, settings: WatchSettings) -> None:
        """Change what is looked for; holds for every picture made from now on."""
        self._settings = settings
        for loop in self._loops:
            loop.commands.put(settings)

    def still(self, max_width: int = 0) -> bytes | None:
        """Encode the last frame as JPEG, private parts black. Blocks for some milliseconds."""
        return self._stills.jpeg(self._settings.detector, max_width)


class _Stills:
    """The last decoded frame, and JPEGs of it. Encoding is serialized: a frame caches its scaler."""

    def __init__(self) -> None:
        self._frame: av.VideoFrame | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def has_frame(self) -> bool:
        return self._frame is not None

    def keep(self, frame: av.VideoFrame) -> None:
        self._frame = frame

    def clear(self) -> None:
        self._frame = None

    def close(self) -> None:
        self._closed = True
        self._frame = None

    def jpeg(self, settings: DetectorSettings, max_width: int) -> bytes | None:
        with self._lock:
            if (frame := self._frame) is None or self._closed:
                return None
            black = None
            if any(zone.kind is ZoneKind.PRIVACY for zone in settings.zones):
                black = zone_mask(settings.zones, ZoneKind.PRIVACY, frame.height, frame.width)
            return encode_jpeg(frame, black=black, max_width=max_width)


class _Seeing:
    """The half of a loop that decodes and detects, made anew for each connection."""

    def __init__(self, watcher: CameraWatcher, fps: float) -> None:
        self._watcher = watcher
        self._fps = fps
        self._detector: Detector | StillsDetector = Detector(watcher._settings.detector, watcher._primitives)
        self._pipeline: Pipeline | StillsPipeline | None = None
        self._decoder: Decoder | None = None
        self._pressure = Pressure()
        self._level_at_s = 0.0
        self._level: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._base_s = 0.0
        self._arrived_s = 0.0
        self._onset_s = 0.0

    @property
    def statistics(self) -> dict[str, object]:
        pipeline, decoder = self._pipeline, self._decoder
        return {
            "frames_decoded": decoder.frames_decoded if decoder else 0,
            "frames_analyzed": pipeline.frames_analyzed if pipeline else 0,
            "decode_errors": decoder.errors if decoder else 0,
            "dropped_share": round(self._pressure.dropped, 3),
            "suppressed": dict(self._detector.suppressed),
        }

    def begin(self, source: Source | StillSource) -> None:
        watcher, self._decoder = self._watcher, Decoder(source)
        self._detector.reset()
        if isinstance(source, StillSource):
            stills = self._detector = StillsDetector(watcher._settings.detector, watcher._primitives)
            self._pipeline = StillsPipeline(self._decoder, stills)
        else:
            stream = self._detector = Detector(watcher._settings.detector, watcher._primitives)
            self._pipeline = Pipeline(self._decoder, stream, fps=self._fps)
        self._pressure.restart()
        self.configure(self._watcher._settings)

    def configure(self, settings: WatchSettings) -> None:
        self._detector.configure(settings.detector)
        if self._pipeline is None or self._decoder is None:
            return
        if self._pipeline.analyzing and not settings.detection:
            self._close_motion()
        self._pipeline.analyzing = settings.detection
        # Without detection the frames only serve stills: one a key frame is enough, and ten times cheaper.
        self._decoder.key_frames_only = not settings.detection

    def feed(self, packet: MediaPacket) -> None:
        pipeline, decoder = self._pipeline, self._decoder
        if pipeline is None or decoder is None:
            return
        if self._pressure.too_late(packet, self._watcher._clock()):
            decoder.drop_until_key()
        for analyzed in pipeline.feed(packet):
            self._tell(analyzed)
        self._note(pipeline)

    def finish(self) -> None:
        """Take out the pictures that the decoder still holds at the end of a stream."""
        if self._pipeline is not None:
            for analyzed in self._pipeline.finish():
                self._tell(analyzed)

    @property
    def has_picture(self) -> bool:
        return self._watcher._stills.has_frame

    def _note(self, pipeline: Pipeline | StillsPipeline) -> None:
        if pipeline.last_frame is not None:
            self._watcher._stills.keep(pipeline.last_frame)
        if (change := self._pressure.changed()) is not None:
            self._watcher._notify(PressureChanged(change, self._pressure.dropped))

    def end(self) -> None:
        self._close_motion()
        self._watcher._stills.clear()
        self._pipeline = self._decoder = None

    def _close_motion(self) -> None:
        if (motion := self._detector.finish()) is not None:
            self._watcher._notify(self._ended(motion))
        self._tell_level(0.0, frozenset(), force=True)

    def _tell(self, analyzed: AnalyzedFrame) -> None:
        result, decoded = analyzed.result, analyzed.decoded
        self._base_s = decoded.arrival_s - decoded.time_s
        self._arrived_s = decoded.arrival_s
        if (ended := result.ended) is not None:
            self._watcher._notify(self._ended(ended))
        if (started := result.started) is not None:
            self._watcher._stills.keep(decoded.frame)
            settings = self._watcher._settings.detector
            jpeg = self._watcher._stills.jpeg(settings, SNAPSHOT_WIDTH_PX) or b""
            self._onset_s = self._base_s + started.start_s
            self._watcher._notify(MotionStarted(started, self._onset_s, jpeg, settings))
        self._tell_level(result.level, result.zones, force=False)

    def _ended(self, motion: MotionEnd) -> MotionEnded:
        """Place the end by the onset that was told: arrivals jitter, and an event has one beginning."""
        last_s = self._onset_s + motion.end_s - motion.start_s
        return MotionEnded(motion, self._onset_s, min(last_s, self._arrived_s))

    def _tell_level(self, level: float, zones: frozenset[str], *, force: bool) -> None:
        now = self._watcher._clock()
        due = now - self._level_at_s >= LEVEL_INTERVAL_S and (round(level, 3), zones) != self._level
        if due or zones != self._level[1] or (force and level != self._level[0]):
            self._level_at_s = now
            self._level = (round(level, 3), zones)
            self._watcher._notify(LevelChanged(round(level, 3), zones))


class _SourceLoop:
    """One thread's life: open, read, feed, and open again after a wait that grows."""

    def __init__(
        self,
        watcher: CameraWatcher,
        role: str,
        open_source: OpenSource,
        random: Random,
        *,
        sees: _Seeing | None = None,
        buffer: PacketBuffer | None = None,
    ) -> None:
        self.role = role
        self.commands: SimpleQueue[WatchSettings] = SimpleQueue()
        self._watcher = watcher
        self._open_source = open_source
        self._sees = sees
        self._buffer = buffer
        self._backoff = Backoff(random)

    def run(self) -> None:
        stop = self._watcher._stop
        while not stop.is_set():
            began_s = self._watcher._clock()
            try:
                self._watch_once(stop)
            except Stopped:
                return
            except SourceError as err:
                if stop.is_set():
                    return
                if self._watcher._clock() - began_s >= STEADY_S:
                    self._backoff.reset()
                self._wait(stop, err)
            except Exception:
                _LOGGER.exception("The %s thread of a camera broke and starts over", self.role)
                self._wait(stop, BrokenStream("Something unexpected happened; the log tells what"))

    def _wait(self, stop: threading.Event, error: SourceError) -> None:
        retry_in_s = self._backoff.next_s()
        self._watcher._notify(StreamDown(self.role, error, retry_in_s))
        stop.wait(retry_in_s)

    def _watch_once(self, stop: threading.Event) -> None:
        source = self._open_source(stop)
        try:
            source.open()
            if self._buffer is not None:
                self._buffer.clear()
            if self._sees is not None:
                self._sees.begin(source)
            self._read(source, stop)
        except EndOfStream:
            if self._sees is not None:
                self._sees.finish()
            raise
        finally:
            if self._sees is not None:
                self._sees.end()
            source.close()

    def _read(self, source: Source | StillSource, stop: threading.Event) -> None:
        up, opened_s = False, self._watcher._clock()
        while not stop.is_set():
            self._obey()
            packet = source.read()
            if stop.is_set():
                return
            if packet is not None:
                self._take(packet)
            if up:
                continue
            if self._delivers(packet):
                up = True
                self._watcher._notify(StreamUp(self.role, source.info))
            elif self._watcher._clock() - opened_s > FIRST_PICTURE_S:
                raise BrokenStream("The stream has no picture that can be decoded")

    def _take(self, packet: MediaPacket) -> None:
        if self._buffer is not None:
            self._buffer.append(packet)
        if self._sees is not None and packet.kind == "video":
            self._sees.feed(packet)

    def _delivers(self, packet: MediaPacket | None) -> bool:
        if self._sees is not None:
            return self._sees.has_picture
        return packet is not None and packet.kind == "video"

    def _obey(self) -> None:
        try:
            while True:
                settings = self.commands.get_nowait()
                if self._sees is not None:
                    self._sees.configure(settings)
        except Empty:
            return


__all__ = [
    "Box",
    "CameraWatcher",
    "LevelChanged",
    "MotionEnded",
    "MotionStarted",
    "PressureChanged",
    "StreamDown",
    "StreamUp",
    "WatchSettings",
    "WatcherConfig",
    "WatcherEvent",
]
