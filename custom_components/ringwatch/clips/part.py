"""One file of a recording: packets in, samples into the MP4, flushed and synced as they come."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import logging
from pathlib import Path
from typing import Any

from ..video import MediaPacket, StreamInfo
from .encode import PictureEncoder, is_masked
from .formats import COPIED_VIDEO, FormatError, VideoFormat, same_format, to_sample, video_format
from .fragments import Sample
from .model import RecordSettings
from .mp4 import Mp4Writer, room_for
from .sound import SoundTrack
from .tables import VIDEO_SCALE
from .thumbnail import Thumbnail

_LOGGER = logging.getLogger(__name__)

FRAGMENT_S = 1.0  # at most so much, and a tick of the recorder's, is lost in a kill
FRAGMENT_BYTES = 4 * 1024 * 1024
SYNC_S = 2.0  # at most so much more is lost in a power cut
NOTE_S = 2.0  # how soon a press during a motion is in the file, should there be a kill
DEFAULT_FPS = 25.0


@dataclass(frozen=True, slots=True)
class Stream:
    """What a part has to know of the stream it comes from."""

    info: StreamInfo
    sound: bytes  # any packet of its sound, b"" if none was seen
    bytes_per_s: float


class PartWriter:
    """Writes one part. Raises FormatError when it can't be begun, OSError when the disk doesn't do."""

    def __init__(
        self,
        path: Path,
        key: MediaPacket,
        stream: Stream,
        settings: RecordSettings,
        *,
        start: datetime,
        onset_s: float,
        document: Mapping[str, Any],
    ) -> None:
        info = stream.info
        self.path = path
        self.start = start
        self.first_s = key.time_s
        self.masked = is_masked(settings.zones)
        self._epoch = key.epoch
        self._stream = stream
        self._settings = settings
        self._document = document
        self._writer: Mp4Writer | None = None
        self._sound: SoundTrack | None = None
        self._early_sound: list[MediaPacket] = []
        self._base = 0
        self._last_dts = -1
        self._since_s: float | None = None
        self._synced_s: float | None = None
        self._noted_s: float | None = None
        self._closed = False
        self.thumbnail = Thumbnail(info, settings.zones, onset_s)
        self._encoder: PictureEncoder | None = None
        if self.masked or info.codec not in COPIED_VIDEO:
            self._encoder = PictureEncoder(info, settings.zones)
            self._format: VideoFormat | None = None
        else:
            data = bytes(key.packet)
            self._format = video_format(info.codec, info.extradata, data, info.width, info.height)

    @property
    def has_sound(self) -> bool:
        """Whether there is a track for sound."""
        return self._sound is not None

    @property
    def begun(self) -> bool:
        """Whether there is a file."""
        return self._writer is not None

    @property
    def errors(self) -> int:
        """Return how many packets could not be decoded, where that is needed."""
        return self._encoder.errors if self._encoder else 0

    def goes_on(self, key: MediaPacket, info: StreamInfo) -> bool:
        """Tell whether a key frame can be in the same file as those before."""
        if self._encoder is not None:
            return key.epoch == self._epoch
        return same_format(self._format, info.codec, info.extradata, bytes(key.packet))

    def write(self, packet: MediaPacket) -> None:
        """Take a packet."""
        self.thumbnail.offer(packet)
        if packet.kind == "audio":
            self._write_sound(packet)
        elif self._encoder is not None:
            self._add(self._encoder.push(packet))
        elif self._format is not None:
            coded = packet.packet
            data = bytes(coded)
            if self._format.sets:
                data = to_sample(self._format.codec, data)
            dts, pts = coded.dts or 0, coded.pts or 0
            if data:
                self._add([Sample(dts, pts - dts, coded.duration or 1, data, packet.is_key)])

    def tick(self, now_s: float, describe: Callable[[], Mapping[str, Any]]) -> None:
        """Write what has waited long enough; sync what was written long enough ago."""
        writer = self._writer
        if writer is None:
            return
        if self._since_s is None and writer.waiting_bytes:
            self._since_s = now_s
        if writer.waiting_bytes and (
            writer.waiting_s >= FRAGMENT_S
            or writer.waiting_bytes >= FRAGMENT_BYTES
            or (self._since_s is not None and now_s - self._since_s >= FRAGMENT_S)
        ):
            self._flush(writer)
            if self._noted_s is None or now_s - self._noted_s >= NOTE_S:
                self._noted_s = now_s
                if (document := describe()) != self._document:
                    writer.note(document)
                    self._document = document
        if self._synced_s is None:
            self._synced_s = now_s
        elif now_s - self._synced_s >= SYNC_S:
            writer.sync()
            self._synced_s = now_s

    def close(self) -> None:
        """Write the rest and close the file."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._encoder is not None:
                self._add(self._encoder.finish())
            if self._sound is not None and self._writer is not None:
                for sample in self._sound.finish():
                    self._writer.add_audio(sample)
        finally:
            if self._writer is not None:
                self._writer.close()

    def _flush(self, writer: Mp4Writer) -> None:
        writer.flush()
        self._since_s = None

    def _add(self, samples: list[Sample]) -> None:
        for sample in samples:
            if self._writer is None:
                if not sample.key:
                    continue
                self._open(sample)
            # The decoding times of a file grow, whatever a camera's do.
            dts = max(sample.dts - self._base, self._last_dts + 1)
            shift = sample.dts + sample.shift - self._base - dts
            self._last_dts = dts
            if self._writer is not None:
                self._writer.add_video(Sample(dts, shift, max(1, sample.duration), sample.data, sample.key))
                if self._writer.waiting_bytes >= FRAGMENT_BYTES:
                    self._flush(self._writer)

    def _open(self, first: Sample) -> None:
        video = self._format or (self._encoder.format if self._encoder else None)
        if video is None:
            raise FormatError("a picture without a format")
        self._base = first.dts
        info = self._stream.info
        shown_s = (first.dts + first.shift) / VIDEO_SCALE
        if self._settings.record_sound and info.audio_codec:
            try:
                self._sound = SoundTrack(info, shown_s, self._stream.sound)
            except FormatError as error:
                _LOGGER.warning("A clip is recorded without its sound: %s", error)
        frames_per_s = info.fps or DEFAULT_FPS
        if self._sound is not None:
            frames_per_s += self._sound.format.rate_hz / 1024
        self._writer = Mp4Writer(
            self.path,
            video,
            self._sound.format if self._sound else None,
            start=self.start.astimezone(UTC),
            document=self._document,
            room_bytes=room_for(self._settings.max_part_s, frames_per_s, self._stream.bytes_per_s),
        )
        early, self._early_sound = self._early_sound, []
        for packet in early:
            self._write_sound(packet)

    def _write_sound(self, packet: MediaPacket) -> None:
        if self._writer is None:
            if self._settings.record_sound:
                self._early_sound.append(packet)
            return
        if self._sound is not None:
            for sample in self._sound.push(packet):
                self._writer.add_audio(sample)
