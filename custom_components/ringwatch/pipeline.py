"""Decode, thin out, look: what the camera's thread and `script/watch` both run.

Thinning goes by the stream's time, on a fixed grid: 5 of 25 frames are every fifth, and no rate drifts.
In mode *auto* only key frames are decoded while nothing moves (idle.py says what wakes it).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
import math

import av

from .idle import MAX_GOP_S, MIN_INTERVAL_S, QUIET_S, WARM_UP_S, GopWatch, SizeHint
from .video import DecodedFrame, Decoder, MediaPacket, luma_view
from .vision import Detector, FrameResult, Sight

GRID_SLACK_S = 0.002  # stamps in whole milliseconds (FLV, MKV) fall just short of the grid
BACKLOG_SPAN_S = 10.0  # a step back by more is another clock, not the start of a backlog
MAX_GAP_S = 60.0  # longer without a frame, or a step back: the grid starts anew


class Mode(StrEnum):
    """What is decoded: everything, or key frames only while nothing moves."""

    FULL = "full"
    AUTO = "auto"


class Throttle:
    """Picks `fps` frames per second of stream time, evenly (0: all)."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._origin_s: float | None = None
        self._slot = -1
        self._last_s = 0.0

    def wants(self, time_s: float) -> bool:
        """Tell whether the frame of this time is one to look at."""
        if self._fps <= 0:
            return True
        if self._origin_s is None or not 0 <= time_s - self._last_s <= MAX_GAP_S:
            self._origin_s = time_s
            self._slot = -1
        self._last_s = time_s
        slot = math.floor((time_s - self._origin_s + GRID_SLACK_S) * self._fps)
        if slot <= self._slot:
            return False
        self._slot = slot
        return True


@dataclass(frozen=True, slots=True, eq=False)
class AnalyzedFrame:
    """A picture and what was seen in it."""

    decoded: DecodedFrame
    result: FrameResult


class Pipeline:
    """One camera's decoder and detector. Owned by the camera's thread."""

    def __init__(
        self,
        decoder: Decoder,
        detector: Detector,
        *,
        fps: float,
        mode: Mode = Mode.FULL,
        size_hint: SizeHint | None = None,
        observe: Callable[[AnalyzedFrame], None] | None = None,
    ) -> None:
        """`observe` is told of each frame before the detector sees the next: a backlog comes at once."""
        self._decoder = decoder
        self._detector = detector
        self._throttle = Throttle(fps)
        self._mode = mode
        self._hint = size_hint or SizeHint()
        self._observe = observe
        self._gop = GopWatch()
        self._analyzing = True
        self._dozing = False
        self._hinted = False  # the size of packets alone woke it
        self._backlog: list[MediaPacket] = []
        self._began_s: float | None = None
        self._analyzed_s = -math.inf
        self._busy_s = -math.inf
        self.frames_analyzed = 0
        self.last_frame: av.VideoFrame | None = None

    @property
    def frames_decoded(self) -> int:
        """Pictures decoded so far."""
        return self._decoder.frames_decoded

    @property
    def dozing(self) -> bool:
        """Whether only key frames are decoded now because nothing moves."""
        return self._dozing

    @property
    def mode(self) -> Mode:
        """Whether everything is decoded."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        if mode is Mode.FULL:
            self._stay_awake()

    @property
    def analyzing(self) -> bool:
        """Whether frames are looked at; otherwise they are only decoded, for stills."""
        return self._analyzing

    @analyzing.setter
    def analyzing(self, value: bool) -> None:
        if value != self._analyzing:
            self._analyzing = value
            self._stay_awake()

    def feed(self, packet: MediaPacket) -> list[AnalyzedFrame]:
        """Decode a packet and look at those of its pictures that are due."""
        return list(self.each(packet))

    def each(self, packet: MediaPacket) -> Iterator[AnalyzedFrame]:
        """Do what `feed` does, one frame at a time: the pictures of a backlog together are large.

        Nothing is done unless it is iterated to its end.
        """
        if packet.kind != "video" or self._mode is Mode.FULL or not self._analyzing:
            yield from self._look(self._decoder.decode(packet))
            return
        self._gop.add(packet)
        if self._dozing:
            yield from self._doze(packet)
            return
        if packet.is_key and self._may_doze(packet):
            yield from self._look(self._decoder.finish())  # held back for reordering
            if self._may_doze(packet):
                self._fall_asleep()
                yield from self._doze(packet)
                return
        yield from self._look(self._decoder.decode(packet))
        if self._detector.is_quiet:
            self._hint.add(packet)
        else:
            self._hint.restart()

    def finish(self) -> list[AnalyzedFrame]:
        """Look at the pictures that are still to come: the stream ended."""
        analyzed = list(self._wake()) if self._dozing else []
        return [*analyzed, *self._look(self._decoder.finish())]

    def _may_doze(self, packet: MediaPacket) -> bool:
        return (
            self._began_s is not None
            and self._gop.is_short
            and packet.time_s - self._began_s >= WARM_UP_S
            and packet.time_s - self._busy_s >= QUIET_S
        )

    def _fall_asleep(self) -> None:
        if self._hinted:
            self._hint.judge(something=False)
        self._hinted = False
        self._dozing = True
        self._backlog = []

    def _doze(self, packet: MediaPacket) -> Iterator[AnalyzedFrame]:
        """Look at a key frame, or keep a packet; decode all that was kept once there is a reason to."""
        due = packet.is_key and packet.time_s - self._analyzed_s >= MIN_INTERVAL_S
        self._backlog.append(packet)
        if due or len(self._backlog) == 1:
            sights = self._glance(packet)
            if any(sight.is_suspicious for _, sight in sights):
                yield from self._wake()
                return
            self._backlog = [packet]
            for decoded, sight in sights:
                yield self._take(decoded, sight)
            return
        self._hinted = self._hint.add(packet)
        overdue = packet.time_s - self._backlog[0].time_s > MAX_GOP_S + MIN_INTERVAL_S
        if self._hinted or overdue or not self._gop.is_short:
            yield from self._wake()

    def _glance(self, packet: MediaPacket) -> list[tuple[DecodedFrame, Sight]]:
        """Decode a key frame and look at it; nothing is learned yet."""
        self._decoder.key_frames_only = True
        decoded = self._decoder.decode(packet)
        return [(picture, self._sight(picture)) for picture in decoded]

    def _wake(self) -> Iterator[AnalyzedFrame]:
        """Decode everything again, and first what was kept."""
        backlog = self._backlog
        self._stay_awake()
        for packet in backlog:
            yield from self._look(self._decoder.decode(packet))
        self._busy_s = max(self._busy_s, self._analyzed_s)

    def _stay_awake(self) -> None:
        if self._dozing:
            self._decoder.key_frames_only = False
        self._dozing = False
        self._backlog = []
        self._hint.restart()

    def _look(self, decoded: list[DecodedFrame]) -> Iterator[AnalyzedFrame]:
        for picture in decoded:
            self.last_frame = picture.frame
            # A backlog begins with the key frame that has been looked at.
            seen = self._analyzed_s - BACKLOG_SPAN_S < picture.time_s <= self._analyzed_s
            if not seen and self._analyzing and self._throttle.wants(picture.time_s):
                yield self._take(picture, self._sight(picture))

    def _sight(self, picture: DecodedFrame) -> Sight:
        return self._detector.look(luma_view(picture.frame), picture.time_s)

    def _take(self, picture: DecodedFrame, sight: Sight) -> AnalyzedFrame:
        self.last_frame = picture.frame
        result = self._detector.take(sight)
        if self._began_s is None or picture.time_s < self._analyzed_s:
            self._began_s, self._busy_s = picture.time_s, -math.inf
        self._analyzed_s = picture.time_s
        if not self._detector.is_quiet:
            self._busy_s = picture.time_s
            if self._hinted and result.moving:
                self._hint.judge(something=True)
                self._hinted = False
        self.frames_analyzed += 1
        analyzed = AnalyzedFrame(picture, result)
        if self._observe is not None:
            self._observe(analyzed)
        return analyzed
