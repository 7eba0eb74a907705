"""Writes the debug view as a video: `script/watch SOURCE --show OUT.mp4`."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from av.video.stream import VideoStream
import numpy as np

from script.lib.core import load_core

load_core()

from ringwatch.debug_view import draw
from ringwatch.vision import Explanation, Zone

TIME_BASE = Fraction(1, 90_000)
OPTIONS = {"preset": "veryfast", "crf": "23"}


class ViewWriter:
    """One picture per analyzed frame, at its own time."""

    def __init__(self, path: Path) -> None:
        """Create the file."""
        self._container = av.open(str(path), "w", format="mp4")
        self._stream: VideoStream | None = None

    def write(self, frame: av.VideoFrame, explanation: Explanation, zones: Iterable[Zone]) -> None:
        """Add the view of a frame."""
        pixels = draw(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False), explanation, zones)
        stream = self._stream or self._begin(pixels.shape[1], pixels.shape[0])
        picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            stream.width, stream.height, "yuv420p"
        )
        picture.pts, picture.time_base = round(explanation.time_s / TIME_BASE), TIME_BASE
        self._container.mux(stream.encode(picture))

    def _begin(self, width: int, height: int) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=25, options=OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = TIME_BASE
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
