"""The detectors that are compared: ours with both engines, and what OpenCV offers peers."""

from typing import Any, Literal, Protocol, override

import cv2
import numpy as np

from ringwatch.vision import Detector, DetectorSettings, resize_mask, select_primitives
from ringwatch.vision.primitives import analysis_factor

from .sequences import QUIET_S, Gray, Mask, spans

PEER_WIDTH = 160
PEER_MOVING_SHARE = 0.001  # of the picture in one component after a median: a peer's frame moves

cv2.setNumThreads(1)


class Contender(Protocol):
    """Takes frames; gives masks and, at the end, events."""

    name: str
    color: bool

    def look(self, picture: Gray, time_s: float) -> Mask:
        """Return the foreground of one frame, at the detector's own size."""

    def full_size(self, mask: Mask, height: int, width: int) -> Mask:
        """Scale a mask of `look` to the video's size."""

    def events(self) -> list[tuple[float, float]]:
        """Return (start, end) of every event; the stream is over."""


class Ours(Contender):
    """Ringwatch."""

    color = False

    def __init__(self, engine: Literal["numpy", "opencv"], sensitivity: int = 50) -> None:
        self.name = f"ringwatch {engine}"
        self.detector = Detector(DetectorSettings(sensitivity=sensitivity), select_primitives(engine))
        self._events: list[tuple[float, float]] = []

    @override
    def look(self, picture: Gray, time_s: float) -> Mask:
        result = self.detector.analyze(picture, time_s)
        if result.ended is not None:
            self._events.append((result.ended.start_s, result.ended.end_s))
        return self.detector.mask

    @override
    def full_size(self, mask: Mask, height: int, width: int) -> Mask:
        return resize_mask(mask, analysis_factor(height, width), height, width)

    @override
    def events(self) -> list[tuple[float, float]]:
        if (last := self.detector.finish()) is not None:
            self._events.append((last.start_s, last.end_s))
        return self._events


class Subtractor(Contender):
    """OpenCV's MOG2 or KNN, at full size in color or 160 wide in gray, shadows off the mask."""

    def __init__(self, kind: Literal["MOG2", "KNN"], *, full: bool) -> None:
        self.name = f"{kind} {'full' if full else PEER_WIDTH}"
        self.color = full
        create = cv2.createBackgroundSubtractorMOG2 if kind == "MOG2" else cv2.createBackgroundSubtractorKNN
        self._model: Any = create(detectShadows=full)
        self._full = full
        self._moving_s: list[float] = []

    @override
    def look(self, picture: Gray, time_s: float) -> Mask:
        if not self._full:
            height = round(picture.shape[0] * PEER_WIDTH / picture.shape[1])
            picture = np.asarray(
                cv2.resize(picture, (PEER_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8
            )
        cleaned = cv2.medianBlur(self._model.apply(picture), 3 if not self._full else 5)
        mask: Mask = np.asarray(cleaned == 255, np.bool_)
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
        if len(stats) > 1 and stats[1:, cv2.CC_STAT_AREA].max() > PEER_MOVING_SHARE * mask.size:
            self._moving_s.append(time_s)
        return mask

    @override
    def full_size(self, mask: Mask, height: int, width: int) -> Mask:
        if mask.shape == (height, width):
            return mask
        scaled = cv2.resize(mask.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        return np.asarray(scaled > 0, np.bool_)

    @override
    def events(self) -> list[tuple[float, float]]:
        return spans(self._moving_s, QUIET_S)


def contenders(*, peers: bool = True) -> list[Contender]:
    """Return fresh detectors, ours first."""
    ours: list[Contender] = [Ours("numpy"), Ours("opencv")]
    if not peers:
        return ours
    return [
        *ours,
        Subtractor("MOG2", full=True),
        Subtractor("KNN", full=True),
        Subtractor("MOG2", full=False),
        Subtractor("KNN", full=False),
    ]
