"""A clip as H.264 while it is being encoded: for browsers that can't play H.265.

The encoder runs in an executor thread and waits for whoever watches; when they close the player, it ends.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
import logging
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import HomeAssistantView

from .clip_views import VIDEO, async_may, async_recordings, find_clip
from .clips import Clip
from .clips.export import ExportError, stream_h264
from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

H264_URL: Final = f"/api/{DOMAIN}/clip/{{clip_id}}/h264"
STALLED_S: Final = 60.0  # a player that has paused reads on when it is asked to; a lost one never does
CHUNKS: Final = 16  # of 32 KiB, about a second: what the encoder may be ahead of the network


def h264_path(clip: Clip) -> str:
    """Return the plain address of a clip as H.264; it needs a login."""
    return H264_URL.format(clip_id=clip.id)


class H264View(HomeAssistantView):
    """Encodes one clip at a time: on a small computer one takes all there is."""

    url = H264_URL
    name = f"api:{DOMAIN}:clip:h264"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Know where the clips are."""
        self._hass = hass
        self._turn = asyncio.Lock()

    async def get(self, request: web.Request, clip_id: str) -> web.StreamResponse:
        """Answer with the clip, as it is encoded."""
        recordings = async_recordings(self._hass)
        if recordings is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        found = await self._hass.async_add_executor_job(find_clip, recordings, clip_id, True)
        if found is None or not async_may(self._hass, request[KEY_HASS_USER], found[0].camera_id):
            return web.Response(status=HTTPStatus.NOT_FOUND)
        if self._turn.locked():
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={hdrs.RETRY_AFTER: "10"})
        async with self._turn:
            return await self._async_stream(request, found[1])

    async def _async_stream(self, request: web.Request, path: Path) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={hdrs.CONTENT_TYPE: VIDEO, hdrs.CACHE_CONTROL: "no-store", hdrs.ACCEPT_RANGES: "none"}
        )
        await response.prepare(request)
        chunks: asyncio.Queue[bytes | None] = asyncio.Queue(CHUNKS)
        loop = asyncio.get_running_loop()

        def write(data: bytes | None) -> None:
            """Hand over from the encoder's thread; wait while the network is behind."""
            asyncio.run_coroutine_threadsafe(chunks.put(data), loop).result(STALLED_S)

        encoding = self._hass.async_add_executor_job(_encode, path, write)
        try:
            while (data := await chunks.get()) is not None:
                await asyncio.wait_for(response.write(data), STALLED_S)
            await response.write_eof()
        except TimeoutError, ConnectionError:
            _LOGGER.debug("Nobody takes the clip any more")
        finally:
            chunks.shutdown(immediate=True)  # what the encoder still hands over is refused: it ends
            await asyncio.shield(encoding)
        return response


def _encode(path: Path, write: Callable[[bytes | None], None]) -> None:
    try:
        stream_h264(path, write)
        write(None)
    except asyncio.QueueShutDown, TimeoutError:
        pass  # nobody is there any more
    except ExportError, OSError:
        _LOGGER.warning("%s could not be encoded", path.name)
        write(None)
