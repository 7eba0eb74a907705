"""Opening what somebody typed, before it is saved: a picture and what it is, or what was wrong.

Used by the camera flow and by the credentials repair. Addresses and credentials go no further
than `video.probe`; what comes back has neither.
"""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
import io
import threading
from urllib.parse import urlsplit

from aiohttp import ClientError
import numpy as np
from PIL import Image, UnidentifiedImageError

from homeassistant.components.camera import async_get_image
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .video import SourceConfig, TimedOut, probe
from .vision import Zone, ZoneKind, zone_mask

PROBE_TIMEOUT_S = 15.0  # a battery-less camera that sleeps its encoder wakes in under 10 s
PROBE_GRACE_S = 5.0  # a name look-up can't be interrupted, so probe() may overrun by that
LARGE_HEIGHT = 720  # above this a sub-stream is worth the trouble
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935}


@dataclass(frozen=True, slots=True)
class Picture:
    """What a camera showed when it was opened. `fps` is None where it isn't known."""

    jpeg: bytes
    codec: str
    width: int
    height: int
    fps: float | None

    @property
    def is_large(self) -> bool:
        """Whether motion had better be looked for in a smaller stream of the same camera."""
        return self.height > LARGE_HEIGHT


class NoPictureError(Exception):
    """A camera entity gave no still, or something that isn't a picture."""


async def async_probe(hass: HomeAssistant, config: SourceConfig) -> Picture:
    """Open a source and return its picture. Raises a SourceError."""
    stop = threading.Event()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S + PROBE_GRACE_S):
            found = await hass.async_add_executor_job(
                partial(probe, config, stop=stop, timeout_s=PROBE_TIMEOUT_S)
            )
    except TimeoutError as err:
        raise TimedOut("The camera did not answer in time") from err
    finally:
        stop.set()  # whoever gave up waiting must not leave a thread reading
    info = found.info
    return Picture(found.jpeg, info.codec, info.width, info.height, info.fps)


async def async_probe_still(hass: HomeAssistant, entity_id: str) -> Picture:
    """Ask a camera entity for a still and return it. Raises NoPictureError."""
    try:
        image = await async_get_image(hass, entity_id)
    except (HomeAssistantError, ClientError, OSError) as err:
        raise NoPictureError from err
    return await hass.async_add_executor_job(_still, image.content)


def _still(content: bytes) -> Picture:
    """Turn any still into a JPEG, which proves that it is one."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            codec = (image.format or "").lower()
            out = io.BytesIO()
            image.convert("RGB").save(out, "JPEG")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as err:
        raise NoPictureError from err
    return Picture(out.getvalue(), codec, image.width, image.height, None)


def black_out(picture: Picture, zones: tuple[Zone, ...]) -> Picture:
    """Return the picture with its privacy zones black."""
    with Image.open(io.BytesIO(picture.jpeg)) as image:
        pixels = np.array(image.convert("RGB"))
    pixels[zone_mask(zones, ZoneKind.PRIVACY, *pixels.shape[:2])] = 0
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG")
    return replace(picture, jpeg=out.getvalue())


def same_address(one: str, other: str) -> bool:
    """Whether two addresses, both without credentials, lead to the same stream."""
    return _normal(one) == _normal(other)


def _normal(url: str) -> tuple[str, str, int | None, str, str]:
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"), parts.query
