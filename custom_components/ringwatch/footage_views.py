"""The very files that an answer would send, for the person who looks at them before.

Only with a login's own header: an address that was signed, and could be given away, doesn't do. What is
fetched is noted for that login, as a code for sending is given to whoever has fetched all of it.
"""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import HomeAssistantView

from .const import DOMAIN
from .footage_answers import PREVIEW_URL
from .footage_login import async_footage, async_may_answer, login_of_header

CHUNK_BYTES: Final = 256 * 1024
VIDEO: Final = "video/mp4"
PRIVATE: Final = {hdrs.CACHE_CONTROL: "no-store", "X-Content-Type-Options": "nosniff"}


class PreviewView(HomeAssistantView):
    """Serves one prepared file, or a part of it."""

    url = PREVIEW_URL
    name = f"api:{DOMAIN}:answer"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Know where the answers are."""
        self._hass = hass

    async def get(self, request: web.Request, answer: str, file: str) -> web.StreamResponse:
        """Answer with the bytes; "not found" for whoever may not see them."""
        footage = async_footage(self._hass)
        login = login_of_header(self._hass, request)
        if footage is None or not footage.is_open or login is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        found = footage.answer(answer)
        running = None if found is None else footage.running_of(found)
        if (
            found is None
            or running is None
            or file not in found.preview_files
            or not async_may_answer(self._hass, request[KEY_HASS_USER], running.subentry_id)
        ):
            return web.Response(status=HTTPStatus.NOT_FOUND)
        try:
            # Of the answer as it is now: what is noted below is for these bytes, whatever it becomes.
            path = footage.answers.preview_folder(found) / file
            size = await self._hass.async_add_executor_job(lambda: path.stat().st_size)
        except OSError:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        try:
            wanted = request.http_range
        except ValueError:
            return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        start, stop, _step = wanted.indices(size)
        if start >= stop:
            return web.Response(
                status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                headers={hdrs.CONTENT_RANGE: f"bytes */{size}"},
            )
        response = await _async_begin(request, start, stop, size)
        at = start
        async for data in self._async_read(path, start, stop):
            await response.write(data)
            footage.confirming.fetched(found, login, file, at, at + len(data))
            at += len(data)
        await response.write_eof()
        return response

    async def _async_read(self, path: Path, start: int, stop: int) -> AsyncIterator[bytes]:
        opened = await self._hass.async_add_executor_job(path.open, "rb")
        try:
            await self._hass.async_add_executor_job(opened.seek, start)
            while start < stop:
                data = await self._hass.async_add_executor_job(opened.read, min(CHUNK_BYTES, stop - start))
                if not data:
                    return
                start += len(data)
                yield data
        finally:
            await self._hass.async_add_executor_job(opened.close)


async def _async_begin(request: web.Request, start: int, stop: int, size: int) -> web.StreamResponse:
    partial = (start, stop) != (0, size)
    headers = PRIVATE | {
        hdrs.CONTENT_TYPE: VIDEO,
        hdrs.CONTENT_LENGTH: str(stop - start),
        hdrs.ACCEPT_RANGES: "bytes",
    }
    if partial:
        headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{size}"
    response = web.StreamResponse(
        status=HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK, headers=headers
    )
    await response.prepare(request)
    return response
