"""What the samples of a film hold: units of pictures, and nothing that somebody wrote between them.

H.264 and H.265 have room for messages (SEI): captions, the encoder's settings, whatever a camera adds, places
and times often. Who shares a film leaves them out; here it is refused with them. So is filling. What a
picture's own bits say can't be looked into: a picture can always hold another message than it seems to.
"""

from collections.abc import Iterable
from typing import BinaryIO, Final

from .media_errors import MediaError
from .mp4_entry import H264_SETS, HEVC_SETS, MAX_SET_BYTES, Coding, check_sets

MAX_UNITS: Final = 400_000  # of all samples: two for each, as many as there may be
_H264_PICTURES: Final = frozenset(range(1, 6))
_HEVC_PICTURES: Final = frozenset({*range(10), *range(16, 22)})
_MESSAGES: Final = {"h264": frozenset({6}), "hevc": frozenset({39, 40})}
_DELIMITER: Final = {"h264": (9, 2), "hevc": (35, 3)}  # where a picture begins; so long
MAX_SOUND_BYTES: Final = 768  # of one channel in one sample: what a decoder of AAC has to keep


def check_pictures(file: BinaryIO, samples: Iterable[tuple[int, int]], coding: Coding) -> None:
    """Look at the units of all samples (place, size). Raise MediaError."""
    pictures = _H264_PICTURES if coding.name == "h264" else _HEVC_PICTURES
    set_kinds = H264_SETS if coding.name == "h264" else HEVC_SETS
    sets = set(coding.sets)
    count = 0
    for place, size in samples:
        at, end = place, place + size
        while at < end:
            count += 1
            if count > MAX_UNITS:
                raise MediaError("too_many_samples")
            file.seek(at)
            head = file.read(coding.length_bytes + 2)
            length = int.from_bytes(head[: coding.length_bytes])
            at += coding.length_bytes
            kind = _kind(head[coding.length_bytes :], coding)
            if length < 2 or at + length > end:
                raise MediaError("not_decodable")
            if kind in set_kinds:
                if length > MAX_SET_BYTES:
                    raise MediaError("hidden_data")
                file.seek(at)
                sets.add(file.read(length))
                check_sets(tuple(sets))  # the same ones again and again are no room for anything
            elif kind in _MESSAGES[coding.name]:
                raise MediaError("metadata")
            elif (kind, length) != _DELIMITER[coding.name] and kind not in pictures:
                raise MediaError("hidden_data")
            at += length


def _kind(head: bytes, coding: Coding) -> int:
    if not head or head[0] & 0x80:  # a bit that is never set
        raise MediaError("not_decodable")
    return head[0] & 0x1F if coding.name == "h264" else head[0] >> 1 & 0x3F
