"""The half of a camera's thread that decodes and detects, and the last picture that it saw."""

from collections.abc import Callable, Iterable
import threading

import av
import numpy as np

from .debug_view import draw_jpeg
from .pipeline import AnalyzedFrame, Mode, Pipeline
from .pressure import Pressure
from .stills import StillsPipeline
from .video import Decoder, MediaPacket, Source, StillSource, encode_jpeg
from .vision import (
    Activity,
    Detector,
    DetectorSettings,
    MotionEnd,
    Primitives,
    StillsDetector,
    Zone,
    ZoneKind,
    zone_mask,
)
from .watcher_events import (
    LevelChanged,
    MotionEnded,
    MotionStarted,
    Notify,
    PressureChanged,
    Sink,
    WatchSettings,
)

LOOKED_AT_S = 2.0  # live view asks five times a second
LEVEL_INTERVAL_S = 1.0  # a level sensor that changes more often only fills the history
SNAPSHOT_WIDTH_PX = 1280  # enough for a phone's notification, about 100 KB


class Stills:
    """The last decoded frame, and JPEGs of it. Encoding is serialized: a frame caches its scaler."""

    def __init__(self) -> None:
        self._frame: av.VideoFrame | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def has_frame(self) -> bool:
        """Whether there is one."""
        return self._frame is not None

    def keep(self, frame: av.VideoFrame) -> None:
        """Take a newer frame."""
        self._frame = frame

    def clear(self) -> None:
        """Forget the frame: the connection is gone."""
        self._frame = None

    def close(self) -> None:
        """Give no picture any more."""
        self._closed = True
        self._frame = None

    def jpeg(self, settings: DetectorSettings, max_width: int) -> bytes | None:
        """Encode the frame, private parts black; None without one."""
        with self._lock:
            if (frame := self._frame) is None or self._closed:
                return None
            black = None
            if any(zone.kind is ZoneKind.PRIVACY for zone in settings.zones):
                black = zone_mask(settings.zones, ZoneKind.PRIVACY, frame.height, frame.width)
            return encode_jpeg(frame, black=black, max_width=max_width)


class Seeing:
    """The half of a loop that decodes and detects, begun anew for each connection."""

    def __init__(
        self,
        stills: Stills,
        settings: Callable[[], WatchSettings],
        notify: Notify,
        *,
        sink: Callable[[], Sink | None],
        primitives: Primitives,
        clock: Callable[[], float],
        fps: float,
        mode: Mode,
    ) -> None:
        """`settings` are asked for again for each picture: what was hidden since is not shown."""
        self._stills = stills
        self._settings = settings
        self._notify = notify
        self._sink = sink
        self._primitives = primitives
        self._clock = clock
        self._fps = fps
        self._mode = mode
        self.looked_at_s = -LOOKED_AT_S  # when somebody asked for a still
        self._detector: Detector | StillsDetector = Detector(settings().detector, primitives)
        self._pipeline: Pipeline | StillsPipeline | None = None
        self._decoder: Decoder | None = None
        self._pressure = Pressure()
        self._level_at_s = 0.0
        self._level: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._activity: Activity | None = None  # of the connections before this one
        self._base_s = 0.0
        self._arrived_s = 0.0
        self._onset_s = 0.0

    @property
    def statistics(self) -> dict[str, object]:
        """Counters of this connection, for diagnostics."""
        pipeline, decoder = self._pipeline, self._decoder
        return {
            "frames_decoded": decoder.frames_decoded if decoder else 0,
            "frames_analyzed": pipeline.frames_analyzed if pipeline else 0,
            "decode_errors": decoder.errors if decoder else 0,
            "dropped_share": round(self._pressure.dropped, 3),
            "dozing": isinstance(pipeline, Pipeline) and pipeline.dozing,
            "suppressed": dict(self._detector.suppressed),
        }

    def begin(self, source: Source | StillSource) -> None:
        """Begin anew with a source that was just opened."""
        self._activity = self.take_activity()
        settings, self._decoder = self._settings(), Decoder(source)
        if isinstance(source, StillSource):
            if not isinstance(self._detector, StillsDetector):  # one that fails now and then is remembered
                self._detector = StillsDetector(settings.detector, self._primitives)
            self._pipeline = StillsPipeline(self._decoder, self._detector)
        else:
            stream = self._detector = Detector(settings.detector, self._primitives)
            self._pipeline = Pipeline(self._decoder, stream, fps=self._fps, mode=self._mode)
        self._pressure.restart()
        self.configure(settings)

    def configure(self, settings: WatchSettings) -> None:
        """Take over changed settings."""
        self._detector.configure(settings.detector)
        if self._pipeline is None or self._decoder is None:
            return
        if self._pipeline.analyzing and not settings.detection:
            self._close_motion()
        self._pipeline.analyzing = settings.detection
        # Without detection the frames only serve stills: one a key frame is enough, and ten times cheaper.
        self._decoder.key_frames_only = not settings.detection

    def feed(self, packet: MediaPacket) -> None:
        """Look at what a packet holds, unless there is no time for it."""
        pipeline, decoder = self._pipeline, self._decoder
        if pipeline is None or decoder is None:
            return
        if self._pressure.too_late(packet, self._clock()):
            decoder.drop_until_key()  # this one is not worth decoding either, a key frame or not
        else:
            for analyzed in self._analyzed(pipeline, packet):
                self._tell(analyzed)
        self._note(pipeline)

    def _analyzed(self, pipeline: Pipeline | StillsPipeline, packet: MediaPacket) -> Iterable[AnalyzedFrame]:
        if isinstance(pipeline, StillsPipeline):
            return pipeline.feed(packet)
        self._stay_awake_for_viewers(pipeline)
        return pipeline.each(packet)

    def _stay_awake_for_viewers(self, pipeline: Pipeline) -> None:
        """Decode all while somebody looks through a privacy zone's mask: live view is made of it."""
        zones = self._settings().detector.zones
        looked_at = self._clock() - self.looked_at_s < LOOKED_AT_S
        masked = looked_at and any(zone.kind is ZoneKind.PRIVACY for zone in zones)
        mode = Mode.FULL if masked else self._mode
        if pipeline.mode is not mode:
            pipeline.mode = mode

    def explain(self, note: str, proposed: tuple[Zone, ...] = ()) -> bytes | None:
        """Draw what the detector made of the last picture, private parts black, and zones that may come."""
        pipeline, detector = self._pipeline, self._detector
        if pipeline is None or pipeline.last_frame is None or not isinstance(detector, Detector):
            return None
        if (explanation := detector.explain()) is None:
            return None
        pixels = pipeline.last_frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        zones = (*self._settings().detector.zones, *proposed)
        return draw_jpeg(pixels, explanation, zones, note)

    def take_activity(self) -> Activity | None:
        """Return where things moved since the last time, for the self-check; None if nothing was counted."""
        kept, self._activity = self._activity, None
        counted = self._detector.take_activity() if isinstance(self._detector, Detector) else None
        return kept + counted if kept and counted else kept or counted

    def finish(self) -> None:
        """Take out the pictures that the decoder still holds at the end of a stream."""
        if self._pipeline is not None:
            for analyzed in self._pipeline.finish():
                self._tell(analyzed)

    @property
    def has_picture(self) -> bool:
        """Whether the source has given one yet."""
        return self._stills.has_frame

    def _note(self, pipeline: Pipeline | StillsPipeline) -> None:
        if pipeline.last_frame is not None:
            self._stills.keep(pipeline.last_frame)
        if (change := self._pressure.changed()) is not None:
            self._notify(PressureChanged(change, self._pressure.dropped))

    def end(self) -> None:
        """End with the connection: close the motion, forget the picture."""
        self._close_motion()
        self._stills.clear()
        self._pipeline = self._decoder = None

    def _close_motion(self) -> None:
        if (motion := self._detector.finish()) is not None:
            self._tell_end(motion)
        self._tell_level(0.0, frozenset(), force=True)

    def _tell(self, analyzed: AnalyzedFrame) -> None:
        result, decoded = analyzed.result, analyzed.decoded
        self._base_s = decoded.arrival_s - decoded.time_s
        self._arrived_s = decoded.arrival_s
        if (ended := result.ended) is not None:
            self._tell_end(ended)
        if (started := result.started) is not None:
            self._stills.keep(decoded.frame)
            settings = self._settings().detector
            jpeg = self._stills.jpeg(settings, SNAPSHOT_WIDTH_PX) or b""
            self._onset_s = self._base_s + started.start_s
            if (sink := self._sink()) is not None:
                sink.motion_started(started, self._onset_s, jpeg)
            self._notify(MotionStarted(started, self._onset_s, jpeg, settings))
        if result.boxes and (sink := self._sink()) is not None:
            sink.motion_seen(decoded.arrival_s, result.boxes)
        self._tell_level(result.level, result.zones, force=False)

    def _tell_end(self, motion: MotionEnd) -> None:
        """Place the end by the onset that was told: arrivals jitter, and an event has one beginning."""
        last_s = min(self._onset_s + motion.end_s - motion.start_s, self._arrived_s)
        if (sink := self._sink()) is not None:
            sink.motion_ended(motion, last_s)
        self._notify(MotionEnded(motion, self._onset_s, last_s))

    def _tell_level(self, level: float, zones: frozenset[str], *, force: bool) -> None:
        now = self._clock()
        due = now - self._level_at_s >= LEVEL_INTERVAL_S and (round(level, 3), zones) != self._level
        if due or zones != self._level[1] or (force and level != self._level[0]):
            self._level_at_s = now
            self._level = (round(level, 3), zones)
            self._notify(LevelChanged(round(level, 3), zones))
