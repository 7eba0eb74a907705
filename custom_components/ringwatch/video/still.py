"""A camera that gives no stream, only pictures: polled, each a key packet of its own."""

from collections.abc import Callable
import threading
import time
from typing import Self, override

import av

from .bitstream import still_format
from .errors import BrokenStream, SourceError, Stopped, UnsupportedCodec
from .media import MediaPacket, StreamInfo
from .source import TIME_BASE

WAIT_SLICE_S = 1.0  # as long as a read of a stream may take


class StillSource:
    """Polled JPEG or PNG pictures, read like a Source. `fetch` may raise SourceError and OSError."""

    live = True

    def __init__(
        self,
        fetch: Callable[[], bytes],
        interval_s: float,
        *,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._interval_s = interval_s
        self._stop = stop
        self._clock = clock
        self._info: StreamInfo | None = None
        self._first: bytes | None = None
        self._origin_s = 0.0
        self._due_s = 0.0
        self._epoch = 0
        self._last_s = -1.0

    @property
    def info(self) -> StreamInfo:
        """Codec and size of the last picture."""
        if self._info is None:
            raise RuntimeError("open the source first")
        return self._info

    def open(self) -> StreamInfo:
        """Fetch the first picture. Raise a SourceError."""
        self.close()
        if self._stop.is_set():
            raise Stopped("stopped before opening")
        data = self._picture()
        self._info = self._describe(data)
        self._first = data
        self._epoch = 0
        self._last_s = -1.0
        self._origin_s = self._due_s = self._clock()
        return self._info

    def read(self) -> MediaPacket | None:
        """Return the next picture when it is due; None after a second at most, or on a stop."""
        wait_s = min(self._due_s - self._clock(), WAIT_SLICE_S)
        if wait_s > 0:
            self._stop.wait(wait_s)
        if self._stop.is_set() or self._clock() < self._due_s:
            return None
        data, self._first = self._first or self._picture(), None
        arrival_s = self._clock()
        # From now, not from when it was due: a camera that answers slowly is not asked twice at once.
        self._due_s = arrival_s + self._interval_s
        info = self._describe(data)
        if info != self._info:
            self._info = info
            self._epoch += 1
        time_s = max(arrival_s - self._origin_s, self._last_s + float(TIME_BASE), 0.0)
        self._last_s = time_s
        packet = av.Packet(len(data))
        packet.update(data)
        packet.time_base = TIME_BASE
        packet.pts = packet.dts = round(time_s / TIME_BASE)
        packet.duration = round(self._interval_s / TIME_BASE)
        packet.is_keyframe = True
        return MediaPacket(
            kind="video",
            time_s=time_s,
            dts_s=time_s,
            duration_s=self._interval_s,
            is_key=True,
            size_bytes=len(data),
            arrival_s=arrival_s,
            epoch=self._epoch,
            packet=packet,
        )

    def close(self) -> None:
        """Forget the picture that is waiting."""
        self._first = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @override
    def __repr__(self) -> str:
        return f"<StillSource every {self._interval_s:g} s>"

    def _picture(self) -> bytes:
        failure: SourceError | None = None
        try:
            return self._fetch()
        except OSError as error:
            failure = BrokenStream(f"No picture: {error.strerror or type(error).__name__}")
        raise failure

    def _describe(self, data: bytes) -> StreamInfo:
        found = still_format(data)
        if found is None:
            raise UnsupportedCodec("What came is neither a JPEG nor a PNG picture")
        codec, width, height = found
        return StreamInfo(codec=codec, width=width, height=height, fps=1 / self._interval_s)
