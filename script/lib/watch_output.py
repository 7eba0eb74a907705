"""What `script/watch` writes: JSON lines for programs, sentences and a bar for people, masks as video."""

from fractions import Fraction
import json
import math
from pathlib import Path
import sys
from typing import Any, Self, override

import av
from av.video.stream import VideoStream
import numpy as np
from numpy.typing import NDArray

from script.lib.core import load_core

load_core()

from ringwatch.video import StreamInfo
from ringwatch.vision import FrameResult, MotionEnd, MotionStart, resize_mask

BAR_WIDTH = 30  # characters
BAR_EVERY_S = 0.5  # seconds of video between redraws
MASK_TIME_BASE = Fraction(1, 1000)  # Matroska's own


class Report:
    """Told what happens while watching; says nothing of it."""

    def begin(self, info: StreamInfo, duration_s: float) -> None:
        """Tell that the source is open."""

    def frame(self, result: FrameResult) -> None:
        """Tell about an analyzed frame."""

    def start(self, motion: MotionStart) -> None:
        """Tell that motion was confirmed."""

    def end(self, motion: MotionEnd) -> None:
        """Tell that motion is over."""

    def progress(self, time_s: float) -> None:
        """Tell how far it is."""

    def summary(self, **figures: Any) -> None:
        """Tell the figures of the whole run."""


class JsonReport(Report):
    """One JSON object a line."""

    def __init__(self, *, flush: bool) -> None:
        """`flush`: at every line, for live sources."""
        self._flush = flush

    @override
    def frame(self, result: FrameResult) -> None:
        self._print(
            type="frame",
            t=_round(result.time_s),
            moving=result.moving,
            level=round(result.level, 5),
            boxes=[[round(value, 4) for value in box] for box in result.boxes],
        )

    @override
    def start(self, motion: MotionStart) -> None:
        self._print(type="start", t=_round(motion.start_s))

    @override
    def end(self, motion: MotionEnd) -> None:
        self._print(
            type="end",
            t=_round(motion.end_s),
            start=_round(motion.start_s),
            peak=round(motion.peak, 5),
            box=[round(value, 4) for value in motion.box],
            reason=str(motion.reason),
        )

    @override
    def summary(self, **figures: Any) -> None:
        rounded = {
            key: _round(value) if isinstance(value, float) else value for key, value in figures.items()
        }
        self._print(type="summary", **rounded)

    def _print(self, **line: object) -> None:
        print(json.dumps(line, separators=(",", ":")), flush=self._flush)


class HumanReport(Report):
    """Sentences, and on a terminal a bar that shows how far a file has been watched."""

    def __init__(self) -> None:
        self._length_s = 0.0
        self._drawn_s = -math.inf
        self._bar = False

    @override
    def begin(self, info: StreamInfo, duration_s: float) -> None:
        rate = f", {info.fps:.3g} frames/s" if info.fps else ""
        print(
            f"{info.codec} {info.width}x{info.height}{rate}, sound: {info.audio_codec or 'none'}", flush=True
        )
        self._length_s = min(info.duration_s or 0.0, duration_s)
        self._bar = self._length_s > 0 and sys.stderr.isatty()

    @override
    def frame(self, result: FrameResult) -> None:
        boxes = " ".join("({:.2f} {:.2f} {:.2f} {:.2f})".format(*box) for box in result.boxes)
        self._say(
            f"{_clock(result.time_s)}  {'moving' if result.moving else 'still '} {result.level:6.2%}  {boxes}"
        )

    @override
    def start(self, motion: MotionStart) -> None:
        where = f" in {', '.join(sorted(motion.zones))}" if motion.zones else ""
        self._say(f"{_clock(motion.start_s)}  motion{where}: {motion.reason}")

    @override
    def end(self, motion: MotionEnd) -> None:
        length_s = motion.end_s - motion.start_s
        self._say(f"{_clock(motion.end_s)}  quiet after {length_s:.1f} s, at most {motion.peak:.1%} moved")

    @override
    def progress(self, time_s: float) -> None:
        if not self._bar or time_s - self._drawn_s < BAR_EVERY_S:
            return
        self._drawn_s = time_s
        done = min(time_s / self._length_s, 1.0)
        filled = "#" * round(done * BAR_WIDTH)
        sys.stderr.write(f"\r[{filled:<{BAR_WIDTH}}] {done:4.0%} {_clock(time_s)}")
        sys.stderr.flush()

    @override
    def summary(self, **figures: Any) -> None:
        self._say(
            "{events} events, {moving_s:.1f} s of {duration_s:.1f} s moving; {frames_analysed} of"
            " {frames_decoded} frames analyzed with {engine}, {cpu_s:.1f} s of CPU".format(**figures)
        )

    def _say(self, line: str) -> None:
        if self._bar:
            sys.stderr.write("\r" + " " * (BAR_WIDTH + 20) + "\r")
            sys.stderr.flush()
            self._drawn_s = -math.inf
        print(line, flush=True)


class MaskWriter:
    """Writes foreground masks as FFV1 gray at the video's own size."""

    def __init__(self, path: Path) -> None:
        """Create the file."""
        self._container = av.open(str(path), "w", format="matroska")
        self._stream: VideoStream | None = None

    def write(self, mask: NDArray[np.bool_], width: int, height: int, time_s: float) -> None:
        """Add the mask of the frame of this time."""
        stream = self._stream or self._begin(width, height)
        if mask.size:
            # The analysis averages whole blocks; what is left at the right and the bottom repeats.
            scaled = resize_mask(mask, max(width // mask.shape[1], 1), stream.height, stream.width)
        else:
            scaled = np.zeros((stream.height, stream.width), np.bool_)
        frame = av.VideoFrame.from_ndarray(scaled.astype(np.uint8) * 255, format="gray")
        frame.pts, frame.time_base = round(time_s / MASK_TIME_BASE), MASK_TIME_BASE
        self._container.mux(stream.encode(frame))

    def _begin(self, width: int, height: int) -> VideoStream:
        stream = self._container.add_stream("ffv1", rate=round(1 / MASK_TIME_BASE))
        stream.width, stream.height, stream.pix_fmt = width, height, "gray"
        stream.codec_context.time_base = MASK_TIME_BASE
        self._stream = stream
        return stream

    def __enter__(self) -> Self:
        """Write."""
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the file."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
        self._container.close()


def _round(value: float) -> float:
    return round(value, 3)


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes):02d}:{seconds:04.1f}"
