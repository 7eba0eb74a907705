"""What a coded picture says about itself without being decoded: parameter sets and sizes."""

import re

import av
import av.error
from av.video.codeccontext import VideoCodecContext

from .media import CodedPacket

SCAN_BYTES = 4096  # parameter sets come before the first slice; messages of some cameras come before them
SLICE_SCAN_BYTES = 65_536  # messages before the first slice may hold a maker's own data
_START_CODE = re.compile(rb"\x00\x00\x01")
_H264_SLICES = frozenset({1, 2, 5})  # in ITU-T H.264 table 7-1
_HEVC_NOT_SLICES = 32  # in ITU-T H.265 table 7-1, from here on
_H264_SPS = 7  # ITU-T H.264 table 7-1
_HEVC_SETS = (32, 33)  # VPS and SPS, ITU-T H.265 table 7-1
_JPEG_SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3})
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


def format_signature(codec: str, data: memoryview) -> bytes:
    """Return bytes that change when the picture's format does; b"" when this packet doesn't say."""
    match codec:
        case "h264" | "hevc":
            return b"".join(_parameter_sets(codec, bytes(data[:SCAN_BYTES])))
        case "mjpeg":
            size = jpeg_size(data)
            return repr(size).encode() if size else b""
    return b""


def _parameter_sets(codec: str, head: bytes) -> list[bytes]:
    starts = [match.end() for match in _START_CODE.finditer(head)]
    found = []
    for i, start in enumerate(starts[:-1]):  # the last one runs on past what was looked at
        if start >= len(head):
            continue
        wanted = (
            head[start] & 0x1F == _H264_SPS if codec == "h264" else (head[start] >> 1) & 0x3F in _HEVC_SETS
        )
        if wanted:
            found.append(head[start : starts[i + 1] - 3].rstrip(b"\x00"))
    return found


def starts_picture(codec: str, data: bytes) -> bool | None:
    """Tell whether the first slice in here is a picture's first; None when there is no slice.

    Its header begins with first_mb_in_slice (H.264 7.3.3: the one bit 1 means 0) or
    first_slice_segment_in_pic_flag (H.265 7.3.6.1).
    """
    for match in _START_CODE.finditer(data, 0, SLICE_SCAN_BYTES):
        header = data[match.end() : match.end() + 3]
        if len(header) < 3:
            return None
        if codec == "h264" and header[0] & 0x1F in _H264_SLICES:
            return bool(header[1] & 0x80)
        if codec == "hevc" and (header[0] >> 1) & 0x3F < _HEVC_NOT_SLICES:
            return bool(header[2] & 0x80)
    return None


def jpeg_size(data: memoryview | bytes) -> tuple[int, int] | None:
    """Return width and height from the frame header of a JPEG (ITU-T T.81 B.2.2)."""
    if bytes(data[:2]) != b"\xff\xd8":
        return None
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _JPEG_SOF:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def still_format(data: bytes) -> tuple[str, int, int] | None:
    """Return codec, width and height of a JPEG or PNG file; None for anything else."""
    if size := jpeg_size(data):
        return "mjpeg", *size
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) > 24:
        return "png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return None


def picture_size(codec: str, extradata: bytes, packet: CodedPacket) -> tuple[int, int] | None:
    """Return width and height by decoding one key frame: for streams that say no size before it."""
    context = av.CodecContext.create(codec, "r")
    if not isinstance(context, VideoCodecContext):
        return None
    if extradata:
        context.extradata = extradata
    try:
        frames = [*context.decode(packet), *context.decode(None)]
    except av.error.FFmpegError:
        return None
    return next(((frame.width, frame.height) for frame in frames), None)
