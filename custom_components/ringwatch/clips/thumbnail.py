"""The picture beside a clip: one of its key frames, small, private parts black."""

from collections.abc import Sequence
import io

import av
import av.error
from PIL import Image

from ..video import MediaPacket, StreamInfo, encode_jpeg
from ..video.media import CodedPacket
from ..vision import Box, Zone, ZoneKind, zone_mask
from .encode import is_masked, picture_decoder
from .formats import FormatError

WIDTH_PX = 640  # a media browser's tile on a sharp screen; about 40 KB
QUALITY = 80
AFTER_ONSET_S = 0.5  # by then whoever caused it is in the picture


class Thumbnail:
    """Chooses the key frame closest to where something happens, and makes a JPEG of it."""

    def __init__(self, info: StreamInfo, zones: tuple[Zone, ...], onset_s: float) -> None:
        """`onset_s` is in the stream's time; before the clip it means its beginning."""
        self._info = info
        self._zones = zones
        self._wanted_s = onset_s + AFTER_ONSET_S
        self._packet: MediaPacket | None = None

    def offer(self, packet: MediaPacket) -> None:
        """Look at a packet of the clip."""
        if packet.kind != "video" or not packet.is_key:
            return
        best = self._packet
        if best is None or abs(packet.time_s - self._wanted_s) < abs(best.time_s - self._wanted_s):
            self._packet = packet

    def jpeg(self) -> bytes:
        """Return the JPEG, b"" if the picture can't be decoded. Takes some hundredths of a second."""
        if self._packet is None:
            return b""
        return thumbnail_of(self._packet.packet, self._info, self._zones)


def shrunk(jpeg: bytes) -> bytes:
    """Return a JPEG as small as a thumbnail is, b"" if it is none."""
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            if image.width <= WIDTH_PX:
                return jpeg
            image.draft(image.mode, (WIDTH_PX, 1))  # decoded at a half or a quarter of its size
            image.thumbnail((WIDTH_PX, image.height))
            out = io.BytesIO()
            image.save(out, "JPEG", quality=QUALITY)
            return out.getvalue()
    except OSError:
        return b""


def tile(jpeg: bytes, boxes: Sequence[Box]) -> bytes:
    """Return the square part of a thumbnail that shows where something moved, b"" if it is no picture.

    Media browsers show the middle of a picture as a square, and who comes is mostly at its edge.
    """
    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
            side = min(image.size)
            left, top = (
                round(min(max(middle * length - side / 2, 0.0), length - side))
                for middle, length in zip(_middle(boxes), image.size, strict=True)
            )
            out = io.BytesIO()
            image.crop((left, top, left + side, top + side)).save(out, "JPEG", quality=QUALITY)
            return out.getvalue()
    except OSError, Image.DecompressionBombError:
        return b""


def _middle(boxes: Sequence[Box]) -> tuple[float, float]:
    """Return the middle of what has all the boxes in it, that of the picture if there are none."""
    if not boxes:
        return 0.5, 0.5
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return (left + right) / 2, (top + bottom) / 2


def thumbnail_of(packet: CodedPacket, info: StreamInfo, zones: tuple[Zone, ...]) -> bytes:
    """Decode one key packet and return it as a small JPEG, b"" if it can't be decoded."""
    try:
        with av.logging.Capture():
            decoder = picture_decoder(info)
            frames = [*decoder.decode(packet), *decoder.decode(None)]
    except av.error.FFmpegError, FormatError:
        return b""
    if not frames:
        return b""
    frame = frames[0]
    black = zone_mask(zones, ZoneKind.PRIVACY, frame.height, frame.width) if is_masked(zones) else None
    return encode_jpeg(frame, black=black, max_width=WIDTH_PX)
