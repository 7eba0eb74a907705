"""Decode, thin out, look: what the camera's thread and `script/watch` both run.

Thinning goes by the stream's time, on a fixed grid: 5 of 25 frames are every fifth, and no rate drifts.
"""

from dataclasses import dataclass
import math

import av

from .video import DecodedFrame, Decoder, MediaPacket, chroma_is_flat, luma_view
from .vision import Detector, FrameResult

GRID_SLACK_S = 0.002  # stamps in whole milliseconds (FLV, MKV) fall just short of the grid
MAX_GAP_S = 60.0  # longer without a frame, or a step back: the grid starts anew


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

    def __init__(self, decoder: Decoder, detector: Detector, *, fps: float) -> None:
        self._decoder = decoder
        self._detector = detector
        self._throttle = Throttle(fps)
        self.analyzing = True
        self.frames_analyzed = 0
        self.last_frame: av.VideoFrame | None = None

    @property
    def frames_decoded(self) -> int:
        """Pictures decoded so far."""
        return self._decoder.frames_decoded

    def feed(self, packet: MediaPacket) -> list[AnalyzedFrame]:
        """Decode a packet and look at those of its pictures that are due."""
        return self._look(self._decoder.decode(packet))

    def finish(self) -> list[AnalyzedFrame]:
        """Look at the pictures that the decoder still held back: the stream ended."""
        return self._look(self._decoder.finish())

    def _look(self, decoded: list[DecodedFrame]) -> list[AnalyzedFrame]:
        analyzed = []
        for picture in decoded:
            self.last_frame = picture.frame
            if not self.analyzing or not self._throttle.wants(picture.time_s):
                continue
            frame = picture.frame
            result = self._detector.analyze(
                luma_view(frame), picture.time_s, chroma_flat=chroma_is_flat(frame)
            )
            self.frames_analyzed += 1
            analyzed.append(AnalyzedFrame(picture, result))
        return analyzed
