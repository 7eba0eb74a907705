"""Decode and look, for a camera that gives single pictures: a `Pipeline` that neither thins out nor dozes."""

import av

from .pipeline import AnalyzedFrame
from .video import Decoder, MediaPacket, luma_view
from .vision import StillsDetector


class StillsPipeline:
    """One camera's decoder and detector of stills. Owned by the camera's thread."""

    def __init__(self, decoder: Decoder, detector: StillsDetector) -> None:
        self._decoder = decoder
        self._detector = detector
        self.analyzing = True
        self.frames_analyzed = 0
        self.last_frame: av.VideoFrame | None = None

    def feed(self, packet: MediaPacket) -> list[AnalyzedFrame]:
        """Decode a still and look at it."""
        analyzed = []
        for picture in self._decoder.decode(packet):
            self.last_frame = picture.frame
            if self.analyzing:
                result = self._detector.analyze(luma_view(picture.frame), picture.time_s)
                self.frames_analyzed += 1
                analyzed.append(AnalyzedFrame(picture, result))
        return analyzed

    def finish(self) -> list[AnalyzedFrame]:
        """Stills are never held back."""
        return []
