"""What a clip becomes before it may leave the house: a folder with exactly the files that would go.

Blocks; run it in an executor. What was asked to be hidden and can't be is an error, never a post without it.
"""

from dataclasses import dataclass
import hashlib
import io
from pathlib import Path
from typing import Final

import av
import av.error
from PIL import Image

from .clips.redact import RedactError, Redaction, redact
from .neighborhood.bodies.feed import MAX_CLIP_BYTES, MAX_CLIP_MS, Media, MediaType

PICTURE_WIDTH_PX: Final = 640  # a phone's notification; 20 to 60 KB
PICTURE_QUALITY: Final = 80
SHORTEST_MS: Final = 100
CLIP: Final = "clip.mp4"
PICTURE: Final = "picture.jpg"


class OutgoingError(Exception):
    """It can't be made ready; `code` says why: nothing_left, unreadable, too_large, too_long."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that would go."""

    media: Media
    name: str  # in its folder
    has_sound: bool = False


def prepare_clip(source: Path, folder: Path, wanted: Redaction) -> tuple[Outgoing, ...]:
    """Write clip and picture into the folder, which is made. Raise OutgoingError or OSError."""
    folder.mkdir(parents=True)
    target = folder / CLIP
    try:
        done = redact(source, target, wanted)
    except RedactError as err:
        raise OutgoingError(err.code) from err
    duration_ms = max(1, round(done.duration_s * 1000))
    if duration_ms < SHORTEST_MS:
        raise OutgoingError("nothing_left")
    if duration_ms > MAX_CLIP_MS:
        raise OutgoingError("too_long")
    if done.size_bytes > MAX_CLIP_BYTES:
        raise OutgoingError("too_large")
    clip = Media(done.sha256, done.size_bytes, MediaType.MP4, duration_ms, done.width_px, done.height_px)
    return Outgoing(clip, CLIP, done.has_sound), _picture(target, folder / PICTURE)


def _picture(clip: Path, target: Path) -> Outgoing:
    """Take a picture out of what is left of a clip, from its middle, so that nothing hidden is in it."""
    try:
        with av.logging.Capture(), av.open(str(clip)) as reader:
            stream = reader.streams.video[0]
            middle = (stream.duration or 0) // 2
            reader.seek(middle, stream=stream)
            image = next(reader.decode(stream)).to_image()  # type: ignore[no-untyped-call]
    except (av.error.FFmpegError, StopIteration, IndexError) as err:
        raise OutgoingError("unreadable") from err
    if image.width > PICTURE_WIDTH_PX:
        image = image.resize(
            (PICTURE_WIDTH_PX, max(16, round(image.height * PICTURE_WIDTH_PX / image.width))),
            Image.Resampling.LANCZOS,
        )
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=PICTURE_QUALITY)
    data = buffer.getvalue()
    target.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return Outgoing(Media(digest, len(data), MediaType.JPEG, 0, image.width, image.height), PICTURE)
