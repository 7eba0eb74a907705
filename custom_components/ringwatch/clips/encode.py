"""Pictures that can't be copied: MJPEG and stills, and every camera with a privacy zone. H.264 comes out.

What a privacy zone hides is black before it is encoded, so that no trace of it is in the file. This costs a
decoder and an encoder while a clip is recorded (see docs/clips.md for figures).
"""

from fractions import Fraction

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange
import numpy as np
from numpy.typing import NDArray

from ..video import MediaPacket, StreamInfo
from ..video.picture import cover
from ..vision import Zone, ZoneKind, zone_mask
from .formats import FormatError, VideoFormat, to_sample, video_format
from .fragments import Sample

TICKS_PER_S = 90_000
KEY_EVERY_S = 2.0  # as cameras do: scrubbing stays smooth
DEFAULT_FPS = 10.0
CHROMA_NEUTRAL = 128
LUMA_BLACK = 16  # ITU-R BT.709, limited range
# Encoding has to keep up with the camera on a small computer; crf 23 is x264's own default.
OPTIONS = {"preset": "superfast", "tune": "zerolatency", "crf": "23"}


def is_masked(zones: tuple[Zone, ...]) -> bool:
    """Tell whether a part of the picture must never be stored."""
    return any(zone.kind is ZoneKind.PRIVACY for zone in zones)


def picture_decoder(info: StreamInfo) -> VideoCodecContext:
    """Return a decoder for a stream's pictures. Raise FormatError."""
    try:
        context = av.CodecContext.create(info.codec, "r")
    except (av.error.FFmpegError, ValueError) as error:
        raise FormatError(f"{info.codec} cannot be decoded here") from error
    if not isinstance(context, VideoCodecContext):
        raise FormatError(f"{info.codec} is no picture")
    context.thread_count = 1
    if info.extradata:
        context.extradata = info.extradata
    return context


class PictureEncoder:
    """Encodes one part. The packets begin with a key frame. Size and zones stay as they are at the start."""

    def __init__(self, info: StreamInfo, zones: tuple[Zone, ...]) -> None:
        self._decoder = picture_decoder(info)
        self._fps = info.fps or DEFAULT_FPS
        self._zones = zones
        self._encoder: VideoCodecContext | None = None
        self._black: NDArray[np.bool_] | None = None
        self._durations: dict[int, int] = {}
        self._last = -1
        self.format: VideoFormat | None = None  # known with the first picture
        self.errors = 0

    def push(self, packet: MediaPacket) -> list[Sample]:
        """Take a packet, return the pictures that are complete; stamps as the packets'."""
        coded = packet.packet
        if coded.pts is not None:
            self._durations[coded.pts] = coded.duration or 0
        try:
            with av.logging.Capture():
                pictures = self._decoder.decode(coded)
        except av.error.FFmpegError:
            self.errors += 1
            return []
        return [sample for picture in pictures for sample in self._encode(picture)]

    def finish(self) -> list[Sample]:
        """Return the pictures that were held back."""
        try:
            with av.logging.Capture():
                pictures = self._decoder.decode(None)
        except av.error.FFmpegError:
            pictures = []
        samples = [sample for picture in pictures for sample in self._encode(picture)]
        if self._encoder is not None:
            samples += self._collect(self._encoder, None)
        return samples

    def _encode(self, picture: VideoFrame) -> list[Sample]:
        pts = picture.pts
        if pts is None or pts <= self._last:
            return []
        self._last = pts
        if self._encoder is None:
            self._encoder = self._open(picture)
        encoder = self._encoder
        # Phones take a picture for limited range whatever it says of itself.
        frame = picture.reformat(encoder.width, encoder.height, "yuv420p", dst_color_range=ColorRange.MPEG)
        if self._black is not None:
            pixels = frame.to_ndarray()
            height = encoder.height
            pixels[:height][self._black[:height]] = LUMA_BLACK
            pixels[height:][self._black[height:]] = CHROMA_NEUTRAL
            frame = VideoFrame.from_ndarray(pixels, "yuv420p")
        frame.pts, frame.time_base = pts, Fraction(1, TICKS_PER_S)
        frame.pict_type = PictureType.NONE
        return self._collect(encoder, frame)

    def _open(self, picture: VideoFrame) -> VideoCodecContext:
        encoder = av.CodecContext.create("libx264", "w")
        if not isinstance(encoder, VideoCodecContext):
            raise FormatError("there is no H.264 encoder")
        encoder.width, encoder.height = picture.width // 2 * 2, picture.height // 2 * 2
        encoder.pix_fmt = "yuv420p"
        encoder.color_range = ColorRange.MPEG
        encoder.framerate = Fraction(self._fps).limit_denominator(1001)
        encoder.time_base = Fraction(1, TICKS_PER_S)
        encoder.gop_size = max(1, round(KEY_EVERY_S * self._fps))
        encoder.thread_count = 1
        encoder.options = OPTIONS
        if is_masked(self._zones):
            self._black = black_planes(self._zones, encoder.height, encoder.width)
        return encoder

    def _collect(self, encoder: VideoCodecContext, frame: VideoFrame | None) -> list[Sample]:
        samples: list[Sample] = []
        for packet in encoder.encode(frame):
            data = bytes(packet)
            if self.format is None:
                self.format = video_format(
                    "h264", bytes(encoder.extradata or b""), data, encoder.width, encoder.height
                )
            pts = packet.pts or 0
            duration = self._durations.pop(pts, 0) or round(TICKS_PER_S / self._fps)
            # Without B-frames pictures are decoded in the order they are shown.
            samples.append(Sample(pts, 0, duration, to_sample("h264", data), packet.is_keyframe))
        return samples


def black_planes(zones: tuple[Zone, ...], height: int, width: int) -> NDArray[np.bool_]:
    """Return what is black in a yuv420p picture laid out as one array of (height * 3 / 2, width)."""
    mask = zone_mask(zones, ZoneKind.PRIVACY, height, width)
    chroma = cover(mask, height // 2, width // 2).ravel()
    return np.concatenate([mask, np.concatenate([chroma, chroma]).reshape(height // 2, width)])
