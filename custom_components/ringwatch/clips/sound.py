"""A camera's sound as AAC frames on an even grid of samples: its own AAC copied, anything else encoded.

A frame's place is counted in samples from the first picture shown. As long as the stream's stamps stay
within a few hundredths of a second of the count, the count holds (stamps jitter); beyond, sound that is
missing leaves a gap (copied) or becomes silence (encoded), and sound that is too early is dropped.
"""

from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
import av.error
import numpy as np
from numpy.typing import NDArray

from ..video import MediaPacket, StreamInfo
from .formats import AAC_FRAME, AAC_RATES, AudioFormat, FormatError, aac_format, bare_aac
from .fragments import Sample

SLACK_S = 0.04  # half of the 80 ms that picture and sound may be apart
LOWEST_RATE_HZ = 16_000  # below, AAC is legal but not played everywhere
BITS_PER_S = {1: 48_000, 2: 96_000}
MAX_SILENCE_S = 30.0  # a longer hole is no hole but a clock that jumped


class SoundTrack:
    """Makes AAC frames of one part's sound packets. `start_s` is the time of its first picture."""

    def __init__(self, info: StreamInfo, start_s: float, example: bytes) -> None:
        """Prepare. `example` is any packet of this sound, b"" if none is known. Raise FormatError."""
        self._start_s = start_s
        self._count: int | None = None  # of samples up to now, from the first picture on
        self._encoder: _Encoder | None = None
        if info.audio_codec == "aac":
            self.format = _copied(info, example)
        else:
            self._encoder = _Encoder(info)
            self.format = self._encoder.format

    def push(self, packet: MediaPacket) -> list[Sample]:
        """Take a packet, return the frames that are complete."""
        rate = self.format.rate_hz
        at = round((packet.time_s - self._start_s) * rate)
        slack = round(SLACK_S * rate)
        if at < -slack or (self._count is not None and at < self._count - slack):
            return []
        if self._count is None:
            self._count = max(at, 0)
        missing = at - self._count if at > self._count + slack else 0
        if self._encoder is not None:
            if missing > MAX_SILENCE_S * rate:
                return []
            frames = self._encoder.push(packet, missing, self._count)
            self._count = self._encoder.end
            return frames
        self._count += missing
        frame = Sample(self._count, 0, AAC_FRAME, bare_aac(bytes(packet.packet)), key=True)
        self._count += AAC_FRAME
        return [frame]

    def finish(self) -> list[Sample]:
        """Return what is left in the encoder."""
        return self._encoder.finish() if self._encoder is not None else []


def _copied(info: StreamInfo, example: bytes) -> AudioFormat:
    try:
        return aac_format(info.audio_extradata, example)
    except FormatError:
        if not info.audio_rate_hz or not 1 <= info.audio_channels <= 2:
            raise
        # AAC-LC as the demuxer described it: the sound has not begun yet.
        if info.audio_rate_hz not in AAC_RATES:
            raise
        head = 2 << 11 | AAC_RATES.index(info.audio_rate_hz) << 7 | info.audio_channels << 3
        return aac_format(head.to_bytes(2), b"")


class _Encoder:
    """Decodes, resamples and encodes; counts samples itself, as stamps get lost on the way."""

    def __init__(self, info: StreamInfo) -> None:
        channels = 1 if info.audio_channels <= 1 else 2
        rate = info.audio_rate_hz if info.audio_rate_hz in {16_000, 22_050, 24_000, 32_000, 44_100} else 0
        rate = rate or (48_000 if info.audio_rate_hz > LOWEST_RATE_HZ else LOWEST_RATE_HZ)
        try:
            decoder = av.CodecContext.create(info.audio_codec or "", "r")
            encoder = av.CodecContext.create("aac", "w")
        except (av.error.FFmpegError, ValueError) as error:
            raise FormatError(f"{info.audio_codec} cannot be decoded here") from error
        if not isinstance(decoder, AudioCodecContext) or not isinstance(encoder, AudioCodecContext):
            raise FormatError(f"{info.audio_codec} is no sound")
        layout = "mono" if channels == 1 else "stereo"
        decoder.sample_rate = info.audio_rate_hz or 8000
        decoder.layout = layout
        if info.audio_extradata:
            decoder.extradata = info.audio_extradata
        encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "fltp"
        encoder.bit_rate = BITS_PER_S[channels]
        encoder.time_base = Fraction(1, rate)
        encoder.open()
        self._decoder, self._encoder, self._layout, self._rate = decoder, encoder, layout, rate
        self._resampler = AudioResampler("fltp", layout, rate)
        self._waiting: NDArray[np.float32] = np.zeros((channels, 0), np.float32)
        self._first: int | None = None
        self._frames = 0
        self._total = 0
        self._encoded = 0
        self.format = AudioFormat(rate, channels, bytes(encoder.extradata or b""), priming=AAC_FRAME)

    def push(self, packet: MediaPacket, missing: int, at: int) -> list[Sample]:
        """Encode a packet after so many samples of silence. The first one is placed at `at + missing`."""
        if self._first is None:
            self._first = at + missing
            missing = 0
        pieces = [np.zeros((self._waiting.shape[0], missing), np.float32)]
        try:
            with av.logging.Capture():
                for decoded in self._decoder.decode(packet.packet):
                    decoded.pts = None  # the resampler would fill and drop by stamps
                    pieces += [
                        piece.to_ndarray().astype(np.float32, copy=False)
                        for piece in self._resampler.resample(decoded)
                    ]
        except av.error.FFmpegError:
            pass  # a damaged packet: its time is filled with silence when the next one comes
        self._total += sum(piece.shape[1] for piece in pieces)
        self._waiting = np.concatenate([self._waiting, *pieces], axis=1)
        return self._encode(AAC_FRAME)

    @property
    def end(self) -> int:
        """Return the place up to which there is sound."""
        return (self._first or 0) + self._total

    def finish(self) -> list[Sample]:
        """Encode what waits, filled up with silence, and take out what the encoder holds."""
        if self._first is None:
            return []
        short = -self._waiting.shape[1] % AAC_FRAME
        self._waiting = np.pad(self._waiting, ((0, 0), (0, short)))
        return [*self._encode(AAC_FRAME), *self._collect(None)]

    def _encode(self, size: int) -> list[Sample]:
        samples: list[Sample] = []
        while self._waiting.shape[1] >= size:
            chunk, self._waiting = self._waiting[:, :size], self._waiting[:, size:]
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(chunk), "fltp", self._layout)
            frame.sample_rate, frame.pts, frame.time_base = (
                self._rate,
                self._frames * size,
                Fraction(1, self._rate),
            )
            self._frames += 1
            samples += self._collect(frame)
        return samples

    def _collect(self, frame: AudioFrame | None) -> list[Sample]:
        samples = []
        for packet in self._encoder.encode(frame):
            at = (self._first or 0) + self._encoded * AAC_FRAME
            samples.append(Sample(at, 0, AAC_FRAME, bytes(packet), key=True))
            self._encoded += 1
        return samples
