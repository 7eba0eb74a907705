"""From packets to pictures: one codec context, which outlives damage and changes of format.

One thread, no conversion: the luma plane is looked at in place. Decoding is nine tenths of what a camera
costs.
"""

from collections import deque
from dataclasses import dataclass

import av
import av.error
from av.video.codeccontext import VideoCodecContext

from .errors import BrokenStream, UnsupportedCodec
from .media import CodedPacket, DecodedFrame, MediaPacket
from .source import TIME_BASE, Source
from .still import StillSource

# More threads would add a frame of delay and 3-6 MB of pictures each, and take the cores from other cameras.
THREADS = 1
KEY_WAIT_S = 15.0  # streams without key frames (gradual refresh) are decoded as they come after this
# Without one picture out of so many key frames and seconds (or out of so many packets: 40 s of a camera at
# 25 frames/s) what comes is not what was announced: another coding, after a change at the camera.
FRUITLESS_KEYS = 3
FRUITLESS_S = 5.0
FRUITLESS_PACKETS = 1000
TIME_BASE_S = float(TIME_BASE)
MAX_IN_FLIGHT = 64  # decoders hold back 16 pictures at most for reordering (H.264, H.265)


@dataclass(slots=True)
class _Fruitless:
    """How long nothing has come out."""

    packets: int = 0
    keys: int = 0
    since_s: float = 0.0

    def too_long(self, packet: MediaPacket) -> bool:
        """Count a packet that gave no picture."""
        if not self.packets:
            self.since_s = packet.time_s
        self.packets += 1
        self.keys += packet.is_key
        if self.packets >= FRUITLESS_PACKETS:
            return True
        return self.keys >= FRUITLESS_KEYS and packet.time_s - self.since_s >= FRUITLESS_S


class Decoder:
    """Decodes the video packets of one source. Owned by the source's thread."""

    def __init__(self, source: Source | StillSource) -> None:
        self._source = source
        if isinstance(source, Source):
            source.prompt = True  # who looks at pictures wants them at once
        self._context: VideoCodecContext | None = None
        self._epoch = -1
        self._await_key = True
        self._await_since_s: float | None = None
        self._key_frames_only = False
        self._in_flight: deque[MediaPacket] = deque(maxlen=MAX_IN_FLIGHT)
        self._last_time_s: float | None = None
        self._fruitless = _Fruitless()
        self.frames_decoded = 0
        self.errors = 0

    @property
    def key_frames_only(self) -> bool:
        """Whether only key frames are decoded, each at once. Either way it begins at the next key frame."""
        return self._key_frames_only

    @key_frames_only.setter
    def key_frames_only(self, value: bool) -> None:
        if value != self._key_frames_only:
            self._key_frames_only = value
            self._last_time_s = None  # what is given next may be the backlog
            self.drop_until_key()

    def drop_until_key(self) -> None:
        """Forget what is half decoded and go on at the next key frame: for a stream that is too fast."""
        self._await_key = True
        self._await_since_s = None
        self._in_flight.clear()
        if self._context is not None and self._context.is_open:
            self._context.flush_buffers()

    def decode(self, packet: MediaPacket) -> list[DecodedFrame]:
        """Return the pictures that this packet completes, in order of presentation.

        Raises BrokenStream when nothing that comes can be decoded, UnsupportedCodec when there is no decoder.
        """
        if packet.kind != "video":
            return []
        frames: list[DecodedFrame] = []
        if packet.epoch != self._epoch or self._context is None:
            frames += self.finish()
            self._start(packet.epoch)
        if self._wanted(packet):
            frames += self._feed(packet)
            if self._key_frames_only:
                frames += self._drain()
        if frames:
            self._fruitless = _Fruitless()
        elif self._fruitless.too_long(packet):
            packets, self._fruitless = self._fruitless.packets, _Fruitless()
            raise BrokenStream(f"None of the last {packets} packets could be decoded")
        return frames

    def finish(self) -> list[DecodedFrame]:
        """Return the pictures held back for reordering: the stream ended."""
        return self._drain() if self._in_flight else []

    def _start(self, epoch: int) -> None:
        info = self._source.info
        try:
            context = av.CodecContext.create(info.codec, "r")
        except av.error.FFmpegError, ValueError:
            context = None
        if not isinstance(context, VideoCodecContext):
            raise UnsupportedCodec(f"{info.codec} cannot be decoded here")
        context.thread_count = THREADS
        if info.extradata:
            context.extradata = info.extradata
        self._context = context
        self._epoch = epoch
        self._await_key = True
        self._await_since_s = None
        self._in_flight.clear()

    def _wanted(self, packet: MediaPacket) -> bool:
        if packet.is_key:
            self._await_key = False
            return True
        if self._key_frames_only:
            return False
        if not self._await_key:
            return True
        if self._await_since_s is None:
            self._await_since_s = packet.arrival_s
        if packet.arrival_s - self._await_since_s > KEY_WAIT_S:
            self._await_key = False
        return not self._await_key

    def _feed(self, packet: MediaPacket) -> list[DecodedFrame]:
        self._in_flight.append(packet)
        return self._run(packet.packet)

    def _drain(self) -> list[DecodedFrame]:
        frames = self._run(None)
        if self._context is not None and self._context.is_open:
            self._context.flush_buffers()
        self._in_flight.clear()
        return frames

    def _run(self, packet: CodedPacket | None) -> list[DecodedFrame]:
        context = self._context
        if context is None:
            return []
        try:
            with av.logging.Capture():
                pictures = context.decode(packet)
        except av.error.FFmpegError:
            self.errors += 1
            self.drop_until_key()
            return []
        return [self._stamp(picture) for picture in pictures if self._sound(picture)]

    def _sound(self, picture: av.VideoFrame) -> bool:
        """Tell a whole picture from one with holes: those would be seen as motion."""
        if picture.is_corrupt:
            self.errors += 1
            return False
        return True

    def _stamp(self, picture: av.VideoFrame) -> DecodedFrame:
        """Give a picture the time of its packet. They come in order: time grows, even in damaged streams."""
        origin = self._origin(picture.pts)
        last_s = self._last_time_s
        time_s = origin.time_s if origin else (last_s or 0.0) + TIME_BASE_S
        if last_s is not None and time_s <= last_s:
            time_s = last_s + TIME_BASE_S
        self._last_time_s = time_s
        self.frames_decoded += 1
        return DecodedFrame(
            time_s=time_s,
            arrival_s=origin.arrival_s if origin else 0.0,
            is_key=picture.key_frame,
            frame=picture,
        )

    def _origin(self, pts: int | None) -> MediaPacket | None:
        for packet in self._in_flight:
            if packet.packet.pts == pts:
                self._in_flight.remove(packet)
                return packet
        return self._in_flight[0] if self._in_flight else None
