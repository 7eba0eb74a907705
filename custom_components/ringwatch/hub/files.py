"""Files as answers: whole, or one range, read in threads, for readers who may be slow."""

import asyncio
import os
from pathlib import Path
import re
from typing import Final

from aiohttp import web

from .blobs import Quotas
from .call import Call
from .errors import Refusal, not_found
from .messages import protect

CHUNK: Final = 256 * 1024
MIN_DOWNLOAD_S: Final = 16 * 1024  # bytes a second, on average: whoever takes less holds a place too long
GRACE_S: Final = 60.0
_RANGE: Final = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{1,15})?|-([0-9]{1,15}))", re.ASCII)


async def send_file(
    call: Call, path: Path, *, sha256: str, size: int, content_type: str, quotas: Quotas, who: str
) -> web.StreamResponse:
    """Answer with a file, or with the range that was asked for. Raise Refusal."""
    etag = f'"{sha256}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": "attachment",
    }
    if call.request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    first, last = _range(call.request.headers.get("Range"), size)
    response = web.StreamResponse(status=200 if last - first + 1 == size else 206, headers=headers)
    response.content_type = content_type
    response.content_length = last - first + 1
    if response.status == 206:
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    protect(call.request, response)
    if call.request.method == "HEAD":
        await response.prepare(call.request)
        return response
    with call.hub.downloading(who, last - first + 1, quotas):
        await _send(call, response, path, first, last)
    return response


async def _send(call: Call, response: web.StreamResponse, path: Path, first: int, last: int) -> None:
    try:
        handle = await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:  # erased between question and answer
        raise not_found() from error
    try:
        async with asyncio.timeout(GRACE_S + (last - first + 1) / MIN_DOWNLOAD_S):
            await response.prepare(call.request)
            at = first
            while at <= last:
                chunk = await asyncio.to_thread(os.pread, handle, min(CHUNK, last - at + 1), at)
                if not chunk:
                    break
                await response.write(chunk)
                at += len(chunk)
            if at > last:
                await response.write_eof()
    except TimeoutError:
        pass
    finally:
        os.close(handle)
    if response.prepared and call.request.transport is not None and at <= last:
        call.request.transport.abort()


def _range(header: str | None, size: int) -> tuple[int, int]:
    """Return first and last byte. Raise Refusal."""
    if header is None:
        return 0, size - 1
    match = _RANGE.fullmatch(header)
    if match is None:
        raise Refusal(416, "bad_range", "one range of bytes")
    start, end, suffix = match.groups()
    if suffix is not None:
        first, last = max(0, size - int(suffix)), size - 1
    else:
        first, last = int(start), min(int(end), size - 1) if end else size - 1
    if first > last or first >= size or suffix == "0":
        raise Refusal(416, "bad_range", "the range is outside")
    return first, last
