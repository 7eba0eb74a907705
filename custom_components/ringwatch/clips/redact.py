"""A clip as it may leave the house: cut to the picture, muted, parts of it hidden, nothing else in it.

What is cut or hidden is not in the file at all. Where packets can be copied they are, without what cameras
write between pictures (names, places, times); everything else is encoded anew as H.264.
"""

from collections.abc import Callable, Iterable, Sequence
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

from ..vision import Box
from .hiding import Hider

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.video.stream import VideoStream

TICKS_PER_S = 90_000
KEY_EVERY_S = 2.0
ENCODER = {"crf": "23", "preset": "veryfast", "profile": "high"}
# Slices and parameter sets of H.264; not SEI, which holds whatever a camera adds.
ONLY_PICTURES = "filter_units=pass_types=1-5|7|8"
SLACK_S = 0.02  # a start this near to a key frame is that key frame
# Nothing of the machine or the moment in the file's header.
MUXER = {"movflags": "+faststart", "fflags": "+bitexact"}

type AnyPacket = av.Packet[Any]


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


type Moving = Callable[[float], Sequence[Box]]
"""Seconds of the clip -> what is to be hidden in that picture."""


def redact(source: Path, target: Path, wanted: Redaction, *, moving: Moving | None = None) -> Redacted:
    """Write what is left of a clip. Blocks; raises RedactError, and OSError where the disk doesn't do.

    With `moving`, each picture is encoded anew without what that says.
    """
    partial = target.with_name(f".{target.name}.part")
    try:
        with av.logging.Capture(), av.open(str(source)) as reader:
            encode = moving is not None or _has_to_encode(reader, wanted)
            reader.seek(0)
            with av.open(str(partial), "w", format="mp4", options=MUXER) as writer:
                job = _Job(reader, writer, wanted, moving, encode=encode)
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
        self,
        reader: InputContainer,
        writer: OutputContainer,
        wanted: Redaction,
        moving: Moving | None,
        *,
        encode: bool,
    ) -> None:
        self._reader, self._writer, self._wanted = reader, writer, wanted
        self._video = reader.streams.video[0]
        self._output = self._encoder() if encode else writer.add_stream_from_template(self._video)
        self._output.metadata.clear()
        self._encode = encode
        self._hider = Hider(wanted.blur, wanted.keep_only)
        self._moving = moving
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
            # Not `stream_index`: of the empty packets at the end it is always 0.
            if packet.stream.index != self._video.index:
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
        moving = () if self._moving is None else self._moving(at_s)
        if self._wanted.hides or moving:
            planes = picture.to_ndarray().astype(np.uint8, copy=False)
            self._hider.hide(planes, at_s, moving)
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
