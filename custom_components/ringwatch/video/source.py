"""A camera's stream or a file, opened through PyAV, as a row of packets with repaired time stamps.

One thread owns a Source: it opens, reads and closes it. Nothing here blocks longer than about a second once
the stop event is set. FFmpeg's own messages, which may quote the address, never reach a log.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
import threading
import time
from typing import Self, override

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
import av.error
import av.logging
from av.video.stream import VideoStream

from .access_units import CodedData, Joiner, take
from .bitstream import format_signature, picture_size
from .errors import (
    EndOfStream,
    NoVideo,
    SourceError,
    Stalled,
    Stopped,
    TimedOut,
    UnsupportedCodec,
    from_ffmpeg,
)
from .media import CodedPacket, MediaPacket, SourceConfig, StreamInfo
from .net import Deadline
from .opening import open_container
from .redaction import redact
from .rests import Rests
from .timestamps import Timeline
from .url import is_network, split_credentials, validate_url

TICKS_PER_S = 90_000
TIME_BASE = Fraction(1, TICKS_PER_S)  # of every packet handed out: exact for MPEG-TS and RTP video

# How avcC and hvcC begin (ISO/IEC 14496-15): parameter sets are there, and pictures have no start codes.
SETS_APART = b"\x01"


class Source:
    """A stream. `open`, then `read` until it raises, then `close`, all in one thread."""

    def __init__(
        self,
        config: SourceConfig,
        *,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        realtime: bool = False,
    ) -> None:
        url, username, password = split_credentials(validate_url(config.url, allow_files=True))
        if config.username or config.password:
            username, password = config.username, config.password
        self._config = replace(config, url=url, username=username, password=password)
        self.live = is_network(url)
        self.shown = redact(url)
        self.prompt = False  # whether somebody waits for each packet; if not, several are read at a time
        self._stop = stop
        self._clock = clock
        self._realtime = realtime
        self._container: InputContainer | None = None
        self._stamped = True
        self._close_http: Callable[[], None] | None = None
        self._info: StreamInfo | None = None
        self._begin(None, 0)

    def _begin(self, info: StreamInfo | None, video_index: int) -> None:
        self._info = info
        self._video_index = video_index
        self._demuxed: Iterator[CodedPacket] = iter(())
        self._ready: deque[MediaPacket] = deque()
        self._timeline = Timeline(live=self.live, fps=info.fps if info else None)
        # Only RTSP splits pictures, and holding one back costs a frame of delay.
        parts = self._config.url.startswith("rtsp") and info is not None and info.codec in {"h264", "hevc"}
        self._joiner = Joiner(info.codec if parts and info else "")
        self._signature = b""
        self._epoch = 0
        self._video_s = self._clock()
        self._rests = Rests()
        self._rest_s = 0.0
        self._started_s: float | None = None

    @property
    def _rests_between(self) -> bool:
        """Whether several packets may be read at a time, up to 0.2 s late.

        Not over UDP, where nothing holds the sender back, nor where arrivals are all the stamps there are.
        """
        udp = self._config.url.startswith("rtsp:") and self._config.rtsp_transport == "udp"
        return self.live and self._stamped and not self.prompt and not udp

    @property
    def info(self) -> StreamInfo:
        """What the stream carries; it follows the stream when its format changes."""
        if self._info is None:
            raise RuntimeError("open the source first")
        return self._info

    def open(self) -> StreamInfo:
        """Connect and find the picture. Raise a SourceError; Stopped when the stop event came first."""
        self.close()
        self._begin(None, 0)
        failure: SourceError | None = None
        stop = Deadline(self._stop, self._config.open_timeout_s)
        try:
            if stop.is_set():
                raise Stopped("stopped before opening")
            with av.logging.Capture():
                opened = open_container(self._config, stop=stop, on_read=self._watch_video)
            self._container = opened.container
            self._close_http = opened.http.close if opened.http else None
            self._begin(*self._describe(opened.container, opened.stamped))
            self._stamped = opened.stamped
            stop.lift()
            if opened.http:
                opened.http.start_streaming()
        except av.error.ArgumentError:  # what was recognized is not on the list of formats that may be opened
            failure = NoVideo(f"{self.shown} is not a stream of a kind that is read from a network")
        except (av.error.FFmpegError, OSError, SourceError, ValueError) as error:
            failure = from_ffmpeg(error, self.shown)
        if isinstance(failure, Stopped) and stop.late:
            failure = TimedOut(
                f"{self.shown} did not start a stream within {self._config.open_timeout_s:.0f} s"
            )
        # Raised out here, so that PyAV's error, which quotes the address, is not its context.
        if failure is not None:
            self.close()
            raise failure
        return self.info

    def read(self) -> MediaPacket | None:
        """Return the next packet; None when none came for the read time-out, or the stop event is set.

        Raises Stalled, EndOfStream or BrokenStream.
        """
        while not self._stop.is_set():
            if self._ready:
                return self._pace(self._ready.popleft())
            if not self._fill() and not self._ready:
                return None
        return None

    def close(self) -> None:
        """Close the connection. Packets handed out stay usable."""
        self._demuxed = iter(())
        self._ready.clear()
        container, self._container = self._container, None
        if container is not None:
            with av.logging.Capture():
                container.close()
        if self._close_http is not None:
            self._close_http()
            self._close_http = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @override
    def __repr__(self) -> str:
        return f"<Source {self.shown}>"

    def _describe(self, container: InputContainer, stamped: bool) -> tuple[StreamInfo, int]:
        video = container.streams.best("video")
        if not isinstance(video, VideoStream) or not _can_be_decoded(video):
            if container.streams.video:
                raise UnsupportedCodec(f"{self.shown} sends a coding that cannot be decoded here")
            raise NoVideo(f"{self.shown} has no video stream")
        audio = container.streams.best("audio")
        if not isinstance(audio, AudioStream) or not _can_be_decoded(audio):
            audio = None
        rate = (video.average_rate or video.guessed_rate) if stamped else None
        info = StreamInfo(
            codec=video.codec_context.name,
            width=video.codec_context.width,
            height=video.codec_context.height,
            fps=float(rate) if rate and 0 < rate <= 240 else None,
            audio_codec=audio.codec_context.name if audio else None,
            audio_rate_hz=audio.codec_context.sample_rate if audio else 0,
            audio_channels=audio.codec_context.channels if audio else 0,
            extradata=bytes(video.codec_context.extradata or b""),
            audio_extradata=bytes(audio.codec_context.extradata or b"") if audio else b"",
            duration_s=container.duration / av.time_base if container.duration and not self.live else None,
        )
        self._audio_index = audio.index if audio else -1
        return info, video.index

    def _fill(self) -> bool:
        """Demux one packet into the queue. False when there was none to be had."""
        container = self._container
        if container is None:
            raise EndOfStream(f"{self.shown} is closed")
        if self._rest_s:
            rest_s, self._rest_s = self._rest_s, 0.0
            if self._stop.wait(rest_s):
                return False
        failure: SourceError | None = None
        began_s = self._clock()
        try:
            with av.logging.Capture():
                packet = next(self._demuxed, None)
                if packet is None:
                    # At first, and again after a read time-out: that ends PyAV's iterator but not the stream.
                    self._demuxed = container.demux()
                    packet = next(self._demuxed, None)
        except Stopped:
            self._demuxed = iter(())
            return False
        except av.error.ExitError:
            self._demuxed = iter(())
            self._publish(self._joiner.flush())
            if not self._stop.is_set():
                self._watch_video()
            return False
        except (av.error.FFmpegError, OSError, SourceError) as error:
            failure = from_ffmpeg(error, self.shown)
        if failure is None and (packet is None or _is_end(packet)):
            self._publish(self._joiner.flush())
            if self._ready:
                self._demuxed = iter(())
                return True
            failure = EndOfStream(f"{self.shown} ended the stream")
        if failure is not None or packet is None:
            raise failure or EndOfStream(f"{self.shown} ended the stream")
        self._accept(packet)
        if self._rests_between:
            now_s = self._clock()
            self._rest_s = self._rests.after(now_s - began_s, now_s)
        return True

    def _accept(self, packet: CodedPacket) -> None:
        now = self._clock()
        if not packet.size:
            return
        if packet.stream_index == self._video_index:
            self._video_s = now
            unit = take(packet, "video", now)
            if not self._stamped:
                unit = replace(unit, pts_s=now, dts_s=now)
            self._publish(self._joiner.push(unit))
        elif packet.stream_index == self._audio_index:
            self._publish(self._joiner.push(take(packet, "audio", now)))
        if not self._stop.is_set():
            self._watch_video()

    def _publish(self, units: list[CodedData]) -> None:
        for unit in units:
            if unit.kind == "video":
                placed = self._timeline.video(unit.pts_s, unit.dts_s, unit.duration_s, unit.arrival_s)
            else:
                sound = self._timeline.audio(unit.pts_s, unit.dts_s, unit.duration_s, unit.arrival_s)
                if sound is None:
                    continue
                placed = sound
            if self._rests_between:
                self._rests.add(unit.kind, len(unit.data), placed.dts_s, unit.arrival_s)
            packet = av.Packet(len(unit.data))  # unlike Packet(data) this one is padded, as decoders need
            packet.update(unit.data)
            packet.time_base = TIME_BASE
            packet.pts = round(placed.time_s * TICKS_PER_S)
            packet.dts = round(placed.dts_s * TICKS_PER_S)
            packet.duration = round(placed.duration_s * TICKS_PER_S)
            packet.is_keyframe = unit.is_key
            if unit.kind == "video" and unit.is_key:
                self._follow_format(unit, packet)
            self._ready.append(
                MediaPacket(
                    kind=unit.kind,
                    time_s=placed.time_s,
                    dts_s=placed.dts_s,
                    duration_s=placed.duration_s,
                    is_key=unit.is_key,
                    size_bytes=len(unit.data),
                    arrival_s=unit.arrival_s,
                    epoch=self._epoch,
                    packet=packet,
                )
            )

    def _follow_format(self, unit: CodedData, packet: CodedPacket) -> None:
        """Start a new epoch when this key frame is of another format than those before."""
        info = self.info
        extradata = unit.extradata or info.extradata
        changed = extradata != info.extradata
        if not extradata.startswith(SETS_APART):
            signature = format_signature(info.codec, memoryview(unit.data))
            changed |= bool(signature and self._signature and signature != self._signature)
            self._signature = signature or self._signature
        if not changed and info.width:
            return
        size = picture_size(info.codec, extradata, packet)
        self._epoch += changed
        width, height = size or (info.width, info.height)
        self._info = replace(info, width=width, height=height, extradata=extradata)

    def _watch_video(self) -> None:
        """Raise Stalled when the picture stopped coming, though the connection or the sound may go on.

        PyAV drops the packets of streams that appear later (a new program in MPEG-TS) while it waits for the
        old ones: that ends here too, and opening again finds the new one.
        """
        if self._stop.is_set():
            raise Stopped("stopped")
        silent_s = self._clock() - self._video_s
        if self.live and self._info is not None and silent_s > self._config.stall_timeout_s:
            raise Stalled(f"{self.shown} has sent no picture for {self._config.stall_timeout_s:.0f} s")

    def _pace(self, packet: MediaPacket) -> MediaPacket:
        """Hold a file's packet back until its time, where that is wished."""
        if not self._realtime or self.live:
            return packet
        if self._started_s is None:
            self._started_s = self._clock() - packet.dts_s
        wait_s = self._started_s + packet.dts_s - self._clock()
        if wait_s > 0:
            self._stop.wait(wait_s)
        return replace(packet, arrival_s=self._clock())


def _can_be_decoded(stream: VideoStream | AudioStream) -> bool:
    """Tell whether FFmpeg knows the coding; PyAV's types don't say that there may be no context."""
    return stream.codec_context is not None


def _is_end(packet: CodedPacket) -> bool:
    """Tell PyAV's last packets, which ask decoders to flush, from a camera's empty ones."""
    return not packet.size and packet.pts is None and packet.dts is None
