"""Looks into one uploaded file, in a process that may do next to nothing: `media_check.py` starts it.

Two lines answer: {"walls": [...]} once it is shut in (`confinement.py`), then {"ok": true} or
{"reason": "..."}. Not a byte of the file is looked at before. It is handed in open: files can't be opened any
more. A decoder with a hole in it is then in a very small room.
"""

from importlib import import_module
import json
import os
from pkgutil import walk_packages
import sys
from typing import BinaryIO

import av
import av.error
from PIL import Image

from .confinement import confine, limit
from .jpeg import check_jpeg
from .media_errors import MediaError
from .mp4 import check_mp4

CPU_S = 20
MEMORY_BYTES = 1024**3  # a decoder of 8,192 x 8,192 pictures
DECODE_CPU_S = 5.0  # of which for decoding: the first pictures and as many key pictures as that takes
FIRST_PICTURES = 30
DURATION_SLACK_MS = 500


def check(file: BinaryIO, announced: dict[str, object]) -> None:
    """Compare the file with what was announced. Raise MediaError."""
    size = os.fstat(file.fileno()).st_size
    if size != announced["size"]:
        raise MediaError("size")
    if announced["type"] == "image/jpeg":
        _check_picture(file, announced)
    else:
        _check_film(file, size, announced)


def _check_picture(file: BinaryIO, announced: dict[str, object]) -> None:
    if check_jpeg(file.read()) != (announced["width"], announced["height"]):
        raise MediaError("picture_size")
    file.seek(0)
    Image.MAX_IMAGE_PIXELS = None  # its size is bounded by what may be announced
    try:
        with Image.open(file, formats=("JPEG",)) as picture:
            picture.load()
    except (OSError, ValueError, SyntaxError) as error:
        raise MediaError("not_jpeg") from error


def _check_film(file: BinaryIO, size: int, announced: dict[str, object]) -> None:
    outline = check_mp4(file, size)
    file.seek(0)
    try:
        with av.open(file, mode="r", format="mp4") as container:
            [video] = container.streams.video
            context = video.codec_context
            if context.name != outline.coding:
                raise MediaError("coding")
            if (context.width, context.height) != (announced["width"], announced["height"]):
                raise MediaError("picture_size")
            duration_ms = (container.duration or 0) / 1000
            if abs(duration_ms - int(str(announced["duration_ms"]))) > DURATION_SLACK_MS:
                raise MediaError("duration")
            context.thread_count = 1
            _decode(container, video)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise MediaError("not_decodable") from error


def _decode(container: object, video: object) -> None:
    """Decode the first pictures, then key pictures, for so much CPU time."""
    began_s = _cpu_s()
    count = 0
    for frame in container.decode(video):  # type: ignore[attr-defined]
        if (frame.width, frame.height) != (video.codec_context.width, video.codec_context.height):  # type: ignore[attr-defined]
            raise MediaError("picture_size")
        count += 1
        if count == FIRST_PICTURES:
            video.codec_context.skip_frame = "NONKEY"  # type: ignore[attr-defined]
        if _cpu_s() - began_s > DECODE_CPU_S:
            break
    if not count:
        raise MediaError("not_decodable")


def _cpu_s() -> float:
    return sum(os.times()[:2])


def _load() -> None:
    """Load now what is loaded at the first use otherwise: then no file can be opened any more."""
    Image.preinit()
    for module in walk_packages(av.__path__, "av."):
        if not module.name.endswith("__main__"):
            import_module(module.name)


def main(announced: str) -> int:
    """Look, and say what was seen. With nothing announced, say only what holds the process in."""
    expected = json.loads(announced) if announced else None
    _load()
    limit(cpu_s=CPU_S, memory_bytes=MEMORY_BYTES)
    sys.stdout.write(json.dumps({"walls": confine()}) + "\n")
    sys.stdout.flush()
    if expected is None:  # nothing to look at: somebody wants to know the walls
        return 0
    answer: dict[str, object] = {"ok": True}
    try:
        with os.fdopen(0, "rb") as file:
            check(file, expected)
    except MediaError as error:
        answer = {"reason": error.reason}
    except MemoryError:
        answer = {"reason": "memory"}
    except ImportError as error:  # not loaded in time: our fault, not the file's
        answer = {"failed": error.name or "import"}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0
