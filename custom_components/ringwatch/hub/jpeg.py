"""What a JPEG may consist of, marker by marker (ITU-T T.81).

No Exif, no XMP, no comments, no thumbnail, nothing behind its end.
"""

from typing import Final

from .media_errors import MediaError

_START: Final = b"\xff\xd8"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_TABLES: Final = frozenset({0xC4, 0xDB, 0xDD})  # Huffman, quantization, restart interval
_JFIF, _ADOBE = 0xE0, 0xEE
_JFIF_BYTES: Final = 16  # without a thumbnail
_ADOBE_BYTES: Final = 14
MAX_MARKERS: Final = 1_000
MAX_TABLE_BYTES: Final = 16 * 1024  # all tables: 1 kB in most pictures, some more where each scan has its own


def check_jpeg(data: bytes) -> tuple[int, int]:
    """Return width and height. Raise MediaError."""
    if not data.startswith(_START):
        raise MediaError("not_jpeg")
    at = len(_START)
    size: tuple[int, int] | None = None
    table_bytes = 0
    for _ in range(MAX_MARKERS):
        if len(data) < at + 2 or data[at] != 0xFF:
            raise MediaError("not_jpeg")
        marker = data[at + 1]
        at += 2
        if marker == _END:
            if at != len(data):
                raise MediaError("hidden_data")
            if size is None:
                raise MediaError("not_jpeg")
            return size
        length = int.from_bytes(data[at : at + 2])
        body = data[at + 2 : at + length]
        if length < 2 or at + length > len(data):
            raise MediaError("not_jpeg")
        if marker in _FRAMES:
            if size is not None or len(body) < 6 or len(body) != 6 + 3 * body[5]:
                raise MediaError("not_jpeg")
            size = int.from_bytes(body[3:5]), int.from_bytes(body[1:3])
        elif marker in {_JFIF, _ADOBE}:
            _check_application(marker, length, body)
        elif marker in _TABLES:
            table_bytes += length
            if table_bytes > MAX_TABLE_BYTES:
                raise MediaError("hidden_data")
        elif marker != _SCAN:
            raise MediaError("metadata" if marker >= 0xE0 else "coding")
        elif not body or len(body) != 4 + 2 * body[0]:
            raise MediaError("not_jpeg")
        at += length
        if marker == _SCAN:
            at = _after_scan(data, at)
    raise MediaError("too_many_markers")


def _check_application(marker: int, length: int, body: bytes) -> None:
    jfif = marker == _JFIF and length == _JFIF_BYTES and body.startswith(b"JFIF\0")
    adobe = marker == _ADOBE and length == _ADOBE_BYTES and body.startswith(b"Adobe")
    if not jfif and not adobe:
        raise MediaError("metadata")


def _after_scan(data: bytes, at: int) -> int:
    """Return where the marker behind the coded picture begins."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise MediaError("not_jpeg")
        following = data[at + 1]
        if following and not 0xD0 <= following <= 0xD7:  # neither a stuffed byte nor a restart
            return at
        at += 2
