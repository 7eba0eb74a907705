"""What a part's coded pictures and sound are, and how MP4 wants them.

H.264 and H.265 come as byte streams with start codes (RTSP, MPEG-TS) or with lengths (files). MP4 wants
lengths, and the parameter sets in the sample entry instead of in the pictures (`avc1`, `hvc1`: ISO/IEC
14496-15). AAC comes with ADTS headers from MPEG-TS; MP4 wants it bare.
"""

from dataclasses import dataclass
import io
import struct
from typing import Final

import av
import av.error
from av.video.stream import VideoStream

from .boxes import BrokenFileError, box, find, full_box

_START_CODE = b"\x00\x00\x01"
SETS_APART: Final = b"\x01"  # how avcC and hvcC begin; Annex B begins with zeros
# Network abstraction layer units by type: ITU-T H.264 table 7-1, H.265 table 7-1.
_PARAMETER_SETS = {"h264": frozenset({7, 8, 13}), "hevc": frozenset({32, 33, 34})}
_DELIMITER = {"h264": 9, "hevc": 35}
COPIED_VIDEO: Final = frozenset({"h264", "hevc"})
_TAG = {"h264": b"avc1", "hevc": b"hvc1"}
_CONFIG = {"h264": b"avcC", "hevc": b"hvcC"}
AAC_FRAME: Final = 1024  # samples; ISO/IEC 14496-3
AAC_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


class FormatError(ValueError):
    """What the camera sends cannot be put into an MP4 file as it is."""


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """A coding of pictures. Two pictures belong into one file if their formats are equal."""

    codec: str
    width: int
    height: int
    config: bytes  # the body of avcC or hvcC
    sets: tuple[bytes, ...] = ()  # those in the byte stream; () if the stream has lengths

    def sample_entry(self) -> bytes:
        """Return the `avc1` or `hvc1` box."""
        head = struct.pack(">6xH16xHHIIIH32xHh", 1, self.width, self.height, 72 << 16, 72 << 16, 0, 1, 24, -1)
        return box(_TAG[self.codec], head, box(_CONFIG[self.codec], self.config))


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """AAC of some kind; `priming` samples at the start are the encoder's and not to be heard."""

    rate_hz: int
    channels: int
    config: bytes  # AudioSpecificConfig, ISO/IEC 14496-3
    priming: int = 0

    def sample_entry(self) -> bytes:
        """Return the `mp4a` box."""
        decoder = _descriptor(
            4, struct.pack(">BB3sII", 0x40, 0x15, b"\x00\x00\x00", 0, 0), _descriptor(5, self.config)
        )
        esds = full_box(
            b"esds", 0, 0, _descriptor(3, struct.pack(">HB", 0, 0), decoder, _descriptor(6, b"\x02"))
        )
        head = struct.pack(">6xH8xHHIHH", 1, self.channels, 16, 0, min(self.rate_hz, 65535), 0)
        return box(b"mp4a", head, esds)


def _descriptor(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return bytes((tag, len(body))) + body  # all of them are shorter than 128 bytes


def units(data: bytes) -> list[memoryview]:
    """Return the NAL units of a byte stream, as views of it."""
    view = memoryview(data)
    found: list[memoryview] = []
    start = data.find(_START_CODE) + 3
    while start >= 3:
        following = data.find(_START_CODE, start)
        end = len(data) if following < 0 else following
        while end > start and not data[end - 1]:  # zeros before a start code are not the unit's
            end -= 1
        if end > start:
            found.append(view[start:end])
        start = following + 3
    return found


def _unit_type(codec: str, unit: memoryview) -> int:
    return unit[0] & 0x1F if codec == "h264" else (unit[0] >> 1) & 0x3F


def parameter_sets(codec: str, data: bytes) -> tuple[bytes, ...]:
    """Return the parameter sets in a byte stream."""
    wanted = _PARAMETER_SETS[codec]
    return tuple(dict.fromkeys(bytes(unit) for unit in units(data) if _unit_type(codec, unit) in wanted))


def to_sample(codec: str, data: bytes) -> bytes:
    """Return a byte stream's picture as MP4 wants it: lengths, no parameter sets, no delimiters."""
    skipped = _PARAMETER_SETS[codec]
    pieces: list[bytes | memoryview] = []
    for unit in units(data):
        kind = _unit_type(codec, unit)
        if kind in skipped or kind == _DELIMITER[codec]:
            continue
        pieces += (struct.pack(">I", len(unit)), unit)
    return b"".join(pieces)


def same_format(known: VideoFormat | None, codec: str, extradata: bytes, data: bytes) -> bool:
    """Tell whether a key frame goes on in the known format."""
    if known is None or known.codec != codec:
        return False
    if extradata.startswith(SETS_APART):
        return known.config == extradata
    sets = parameter_sets(codec, data)
    return not sets or sets == known.sets


def video_format(codec: str, extradata: bytes, data: bytes, width: int, height: int) -> VideoFormat:
    """Describe the format that a key frame begins. Raise FormatError."""
    if codec not in COPIED_VIDEO:
        raise FormatError(f"{codec} is not copied into MP4")
    if extradata.startswith(SETS_APART):
        if not width or not height:
            raise FormatError("the stream doesn't say how large its pictures are")
        return VideoFormat(codec, width, height, extradata)
    sets = parameter_sets(codec, data) or parameter_sets(codec, extradata)
    if not sets:
        raise FormatError("no parameter sets before the first key frame")
    head = b"".join(b"\x00\x00\x00\x01" + unit for unit in sets)
    try:
        config, width, height = _describe(codec, head + data)
    except (av.error.FFmpegError, BrokenFileError, ValueError) as error:
        raise FormatError(f"{codec}: {type(error).__name__}") from None
    return VideoFormat(codec, width, height, config, sets)


def _describe(codec: str, data: bytes) -> tuple[bytes, int, int]:
    """Have FFmpeg's MP4 muxer write the decoder's configuration for a byte stream."""
    out = io.BytesIO()
    with av.logging.Capture(), av.open(io.BytesIO(data), format=codec) as source:
        stream = source.streams[0]
        if not isinstance(stream, VideoStream) or not stream.width or not stream.height:
            raise BrokenFileError("no picture")
        size = stream.width, stream.height
        with av.open(out, "w", format="mp4", options={"movflags": "empty_moov+default_base_moof"}) as muxer:
            copy = muxer.add_stream_from_template(stream)
            if codec == "hevc":
                copy.codec_context.codec_tag = "hvc1"
            muxer.start_encoding()
    stsd = find(out.getvalue(), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    entry = find(stsd[8:], _TAG[codec])
    return find(entry[78:], _CONFIG[codec]), *size


def bare_aac(data: bytes) -> bytes:
    """Return an AAC frame without its ADTS header (ISO/IEC 13818-7 6.2)."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    return data[7 if data[1] & 1 else 9 :]


def aac_format(extradata: bytes, data: bytes) -> AudioFormat:
    """Describe the camera's own AAC from its configuration or from an ADTS header."""
    if len(extradata) >= 2:
        head = int.from_bytes(extradata[:2])
        index, channels = head >> 7 & 0xF, head >> 3 & 0xF
        config = extradata
    elif len(data) >= 7 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        index = data[2] >> 2 & 0xF
        channels = (data[2] & 1) << 2 | data[3] >> 6
        config = struct.pack(">H", ((data[2] >> 6) + 1) << 11 | index << 7 | channels << 3)
    else:
        raise FormatError("AAC without a configuration")
    if index >= len(AAC_RATES) or not 1 <= channels <= 7:
        raise FormatError("AAC of an unknown rate or number of channels")
    return AudioFormat(AAC_RATES[index], channels, config)
