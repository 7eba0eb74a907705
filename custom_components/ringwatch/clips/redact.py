"""A clip as it may leave the house: cut to the picture, muted, parts of it hidden, nothing else in it.

What is cut or hidden is not in the file at all. Where packets can be copied they are, without what cameras
write between pictures (names, places, times); everything else is encoded anew as H.264.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
import hashlib
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.bitstream import BitStreamFilterContext
import av.error
from av.video.frame import PictureType, VideoFrame
import numpy as np
from numpy.typing import NDArray

from ..vision import Box

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.video.stream import VideoStream

TICKS_PER_S = 90_000
# Along the longer side of what is hidden: too few to tell a face or read a number plate by. A judgement; and
# never smaller than this, however small the box.
CELLS = 6
MIN_CELL_PX = 16
# A mosaic that follows each picture gives away, over many pictures, what is finer than its cells.
HOLD_S = 0.5
LEVELS = 32
KEY_EVERY_S = 2.0
ENCODER = {"crf": "23", "preset": "veryfast", "profile": "high"}
# Slices and parameter sets of H.264; not SEI, which holds whatever a camera adds.
ONLY_PICTURES = "filter_units=pass_types=1-5|7|8"
SLACK_S = 0.02  # a start this near to a key frame is that key frame
# Nothing of the machine or the moment in the file's header.
MUXER = {"movflags": "+faststart", "fflags": "+bitexact"}

type AnyPacket = av.Packet[Any]
type Planes = NDArray[np.uint8]
type Area = tuple[int, int, int, int]  # left, top, right, bottom in pixels


class RedactError(Exception):
    """A clip can't be made ready; `code` says why: nothing_left, unreadable."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is to be left of a clip. Times are seconds of it; boxes are (left, top, right, bottom), 0..1."""

    start_s: float = 0.0
    end_s: float | None = None
    mute: bool = True
    blur: tuple[Box, ...] = ()
    keep_only: Box | None = None
    max_height_px: int = 1080  # of what has to be encoded

    @property
    def hides(self) -> bool:
        """Whether a part of the picture is hidden."""
        return bool(self.blur) or self.keep_only is not None


@dataclass(frozen=True, slots=True)
class Redacted:
    """What was written."""

    size_bytes: int
    sha256: str
    duration_s: float
    width_px: int
    height_px: int
    has_sound: bool
    encoded: bool


def redact(source: Path, target: Path, wanted: Redaction) -> Redacted:
    """Write what is left of a clip. Blocks; raises RedactError, and OSError where the disk doesn't do."""
    partial = target.with_name(f".{target.name}.part")
    try:
        with av.logging.Capture(), av.open(str(source)) as reader:
            encode = _has_to_encode(reader, wanted)
            reader.seek(0)
            with av.open(str(partial), "w", format="mp4", options=MUXER) as writer:
                job = _Job(reader, writer, wanted, encode=encode)
                job.run()
        with partial.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, os.SEEK_END)
            os.fsync(file.fileno())
        partial.replace(target)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        if isinstance(error, OSError):
            raise
        raise RedactError("unreadable") from error
    finally:
        partial.unlink(missing_ok=True)
    return Redacted(size, sha256, job.duration_s, job.width_px, job.height_px, job.sound is not None, encode)


def _has_to_encode(reader: InputContainer, wanted: Redaction) -> bool:
    video = reader.streams.video[0]
    if wanted.hides or video.codec_context.name != "h264":
        return True
    # Pictures that refer to later ones would lose these at the end.
    if wanted.end_s is not None and video.codec_context.has_b_frames:
        return True
    if wanted.start_s <= SLACK_S:
        return False
    reader.seek(round((wanted.start_s + SLACK_S) * av.time_base), backward=True)
    for packet in reader.demux(video):
        if packet.pts is not None and packet.time_base is not None:
            return abs(float(packet.pts * packet.time_base) - wanted.start_s) > SLACK_S
    return True


class _Job:
    def __init__(
        self, reader: InputContainer, writer: OutputContainer, wanted: Redaction, *, encode: bool
    ) -> None:
        self._reader, self._writer, self._wanted = reader, writer, wanted
        self._video = reader.streams.video[0]
        self._output = self._encoder() if encode else writer.add_stream_from_template(self._video)
        self._output.metadata.clear()
        self._encode = encode
        self._mosaics = _Mosaics(wanted)
        sounds: list[AudioStream] = [] if wanted.mute else list(reader.streams.audio)[:1]
        self.sound = sounds[0] if sounds else None
        self._sound_output = writer.add_stream_from_template(sounds[0]) if sounds else None
        if self._sound_output is not None:
            self._sound_output.metadata.clear()
        # What is copied comes out of the filter with start codes. The muxer makes lengths of them, as the
        # file says, only if it is told before it begins. An encoder's stream knows what it is afterwards.
        if not encode:
            self._filter = BitStreamFilterContext(ONLY_PICTURES, self._video, self._output)
        writer.start_encoding()
        if encode:
            self._filter = BitStreamFilterContext(ONLY_PICTURES, self._output, self._output)
        self._early: list[AnyPacket] = []
        self._first_s = math.inf  # of the first picture that is taken
        self._last_s = 0.0

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return max(0.0, self._last_s - self._first_s)

    @property
    def width_px(self) -> int:
        """Of the picture."""
        return int(self._output.codec_context.width)

    @property
    def height_px(self) -> int:
        """Of the picture."""
        return int(self._output.codec_context.height)

    def _encoder(self) -> VideoStream:
        video = self._video
        rate = video.average_rate or Fraction(10)
        encoder = self._writer.add_stream("libx264", rate=rate, options=ENCODER)
        shrink = min(1.0, self._wanted.max_height_px / video.height)
        encoder.width = max(2, round(video.width * shrink / 2) * 2)
        encoder.height = max(2, round(video.height * shrink / 2) * 2)
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = encoder.codec_context.time_base = Fraction(1, TICKS_PER_S)
        encoder.gop_size = max(1, round(KEY_EVERY_S * float(rate)))
        encoder.max_b_frames = 0
        return encoder

    def run(self) -> None:
        wanted = self._wanted
        streams = [self._video] if self.sound is None else [self._video, self.sound]
        if wanted.start_s > 0:
            self._reader.seek(round((wanted.start_s + SLACK_S) * av.time_base), backward=True)
        for packet in self._reader.demux(streams):
            if packet.stream_index != self._video.index:
                self._take_sound(packet)
            elif self._encode:
                for frame in self._video.decode(packet):
                    self._take_frame(frame)
            elif packet.pts is not None and packet.dts is not None:
                self._take_packet(packet)
        if math.isinf(self._first_s):
            raise RedactError("nothing_left")
        if self._encode:
            self._mux(self._output.encode(None))
        self._mux([None])

    def _wants(self, at_s: float) -> bool:
        wanted = self._wanted
        return at_s >= wanted.start_s - SLACK_S and (wanted.end_s is None or at_s < wanted.end_s)

    def _take_packet(self, packet: AnyPacket) -> None:
        base = packet.time_base or Fraction(1, TICKS_PER_S)
        at_s = float((packet.pts or 0) * base)
        if not self._wants(at_s):
            return
        if math.isinf(self._first_s):
            if not packet.is_keyframe:
                return
            self._begin(at_s)
        self._last_s = max(self._last_s, at_s + float((packet.duration or 0) * base))
        shift = round(self._first_s / base)
        packet.pts, packet.dts = (packet.pts or 0) - shift, (packet.dts or 0) - shift
        self._mux([packet])

    def _take_frame(self, frame: VideoFrame) -> None:
        if frame.pts is None or frame.time_base is None or not self._wants(at_s := float(frame.time)):
            return
        if math.isinf(self._first_s):
            self._begin(at_s)
        self._last_s = at_s + float((frame.duration or 0) * frame.time_base)
        picture = frame.reformat(self.width_px, self.height_px, "yuv420p")
        if self._wanted.hides:
            planes = picture.to_ndarray().astype(np.uint8, copy=False)
            self._mosaics.cover(planes, at_s)
            picture = VideoFrame.from_ndarray(planes, "yuv420p")
        picture.pts = round((at_s - self._first_s) * TICKS_PER_S)
        picture.time_base = Fraction(1, TICKS_PER_S)
        picture.pict_type = PictureType.NONE
        self._mux(self._output.encode(picture))

    def _take_sound(self, packet: AnyPacket) -> None:
        """Take sound from the first picture to the end."""
        if packet.pts is None or packet.dts is None or packet.time_base is None:
            return
        end_s = self._wanted.end_s
        at_s = float(packet.pts * packet.time_base)
        until_s = at_s + float((packet.duration or 0) * packet.time_base)
        if math.isinf(self._first_s):
            self._early.append(packet)
        elif at_s >= self._first_s and (end_s is None or until_s <= end_s) and self._sound_output is not None:
            shift = round(self._first_s / packet.time_base)
            packet.stream = self._sound_output
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            self._writer.mux(packet)

    def _begin(self, at_s: float) -> None:
        self._first_s = at_s
        early, self._early = self._early, []
        for packet in early:
            self._take_sound(packet)

    def _mux(self, packets: Iterable[AnyPacket | None]) -> None:
        for packet in packets:
            for cleaned in self._filter.filter(packet):
                cleaned.stream = self._output
                self._writer.mux(cleaned)


class _Mosaics:
    """Hides parts of pictures (H * 3 / 2, W) in yuv420p, the same way for half a second."""

    def __init__(self, wanted: Redaction) -> None:
        self._wanted = wanted
        self._made_at_s = -math.inf
        self._kept: list[Planes] = []

    def cover(self, planes: Planes, at_s: float) -> None:
        """Hide in place."""
        height, width = planes.shape[0] * 2 // 3, planes.shape[1]
        luma = planes[:height]
        chroma = planes[height:].reshape(2, height // 2, width // 2)
        layers = ((luma, 1), (chroma[0], 2), (chroma[1], 2))
        anew = not 0 <= at_s - self._made_at_s < HOLD_S
        if anew:
            self._made_at_s = at_s
            self._kept.clear()
        number = 0
        for layer, scale in layers:
            if (shown := self._wanted.keep_only) is not None:
                left, top, right, bottom = _inner(shown, width, height, scale)
                uncovered = layer[top:bottom, left:right].copy()
                number = self._hide(layer, (0, 0, layer.shape[1], layer.shape[0]), scale, number, anew=anew)
                layer[top:bottom, left:right] = uncovered
            for box in self._wanted.blur:
                number = self._hide(layer, _outer(box, width, height, scale), scale, number, anew=anew)

    def _hide(self, layer: Planes, area: Area, scale: int, number: int, *, anew: bool) -> int:
        left, top, right, bottom = area
        part = layer[top:bottom, left:right]
        if not part.size:
            return number
        if anew:
            self._kept.append(_mosaic(part, max(MIN_CELL_PX // scale, math.ceil(max(part.shape) / CELLS))))
        part[:] = self._kept[number]
        return number + 1


def _mosaic(part: Planes, cell_px: int) -> Planes:
    """Return a part as few cells of one coarse level each."""
    rows = np.arange(0, part.shape[0], cell_px)
    columns = np.arange(0, part.shape[1], cell_px)
    sums = np.add.reduceat(np.add.reduceat(part.astype(np.uint32), rows, axis=0), columns, axis=1)
    heights = np.diff([*rows, part.shape[0]])
    widths = np.diff([*columns, part.shape[1]])
    step = 256 // LEVELS
    means = (sums // np.outer(heights, widths)).astype(np.uint8) // step * step + step // 2
    mosaic: Planes = np.repeat(np.repeat(means, heights, axis=0), widths, axis=1)
    return mosaic


def _outer(box: Box, width: int, height: int, scale: int) -> Area:
    """Return the pixels that a box touches, in a plane that is smaller by `scale`; whole pairs of pixels."""
    left, top, right, bottom = box
    return (
        max(0, math.floor(left * width / 2) * 2 // scale),
        max(0, math.floor(top * height / 2) * 2 // scale),
        min(width, math.ceil(right * width / 2) * 2) // scale,
        min(height, math.ceil(bottom * height / 2) * 2) // scale,
    )


def _inner(box: Box, width: int, height: int, scale: int) -> Area:
    """Return the pixels that lie in a box altogether."""
    left, top, right, bottom = box
    return (
        max(0, math.ceil(left * width / 2) * 2) // scale,
        max(0, math.ceil(top * height / 2) * 2) // scale,
        min(width, math.floor(right * width / 2) * 2) // scale,
        min(height, math.floor(bottom * height / 2) * 2) // scale,
    )
