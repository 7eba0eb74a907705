"""Clips and pictures, to the hub and from it, in parts: what breaks off goes on where it was."""

import asyncio
from pathlib import Path
import re
from typing import Any, Final

import aiohttp

from .bodies.feed import Media
from .hub_client import CHUNK_BYTES, HubClient, HubError, said
from .media_folder import MediaFolder, WrongMediaError

_TOKEN: Final = re.compile(r"[A-Za-z0-9_.~-]{1,256}")
TOKEN_HEADER: Final = "Ringwatch-Upload-Token"
MAX_PART_BYTES: Final = 4 * 1024 * 1024
MAX_TURNS: Final = 2_000  # answers until an upload is through: 100 MiB in parts of 64 KiB, and some again
CHECKING_S: Final = 2.0
DOWNLOAD_S: Final = 1800.0  # 100 MiB at half a megabit; what has come by then is kept
WRITTEN_AT_ONCE_BYTES: Final = 512 * 1024


async def async_upload(client: HubClient, media: Media, file: Path) -> None:
    """Bring a file to the hub, which checks it. Raise HubError; `media_refused` in it is final."""
    path = f"/uploads/{media.sha256}"
    answer = (await client.post("/uploads", media.to_json())).json()
    for _ in range(MAX_TURNS):
        match answer.get("state"):
            case "ready":
                return
            case "checking":
                await asyncio.sleep(CHECKING_S)
                answer = (await client.get(path)).json()
            case "open":
                answer = await _async_put(client, media, file, answer)
            case _:
                break
    raise HubError("bad_answer", "an upload that comes to no end")


async def _async_put(client: HubClient, media: Media, file: Path, answer: dict[str, Any]) -> dict[str, Any]:
    """Send the next part; return what the hub says then."""
    offset, part_bytes, token = (answer.get(name) for name in ("offset", "part_bytes", "token"))
    part_bytes = 1024 * 1024 if part_bytes is None else part_bytes
    if (
        not isinstance(offset, int)
        or not isinstance(part_bytes, int)
        or not isinstance(token, str)
        or not 0 <= offset < media.size_bytes
        or not 0 < part_bytes <= MAX_PART_BYTES
        or not _TOKEN.fullmatch(token)
    ):
        raise HubError("bad_answer", "an upload that can't be read")
    path = f"/uploads/{media.sha256}"
    data = await asyncio.to_thread(_read, file, offset, min(part_bytes, media.size_bytes - offset))
    headers = {TOKEN_HEADER: token, "Content-Type": "application/octet-stream"}
    try:
        found = (await client.call("PUT", f"{path}?offset={offset}", data, headers=headers)).json()
    except HubError as error:
        if error.violation not in {"offset_moved", "bad_token"}:
            raise
        found = (await client.get(path)).json()
    return {"part_bytes": part_bytes, **found}


def _read(file: Path, offset: int, size: int) -> bytes:
    with file.open("rb") as source:
        source.seek(offset)
        return source.read(size)


async def async_download(client: HubClient, media: Media, folder: MediaFolder) -> Path:
    """Fetch a file, going on where an earlier attempt ended, and check it. Raise HubError or OSError."""
    part = folder.part(media.sha256)
    have = await asyncio.to_thread(_size, part)
    if have < media.size_bytes:
        headers = {"Range": f"bytes={have}-"} if have else {}
        path = f"/blobs/{media.sha256}"
        async with client.open("GET", path, headers=headers, whole_s=DOWNLOAD_S) as response:
            if have and response.status != 206:  # all of it comes
                have = 0
                await asyncio.to_thread(part.unlink, missing_ok=True)
            await _async_take(response, part, media.size_bytes - have)
    if await asyncio.to_thread(_size, part) < media.size_bytes:
        raise HubError("unreachable", "the connection broke")
    try:
        return await asyncio.to_thread(folder.commit, media.sha256, media.size_bytes)
    except WrongMediaError as error:
        raise HubError("bad_answer", "a file that is another one than was announced") from error


async def _async_take(response: aiohttp.ClientResponse, part: Path, wanted_bytes: int) -> None:
    """Append what comes; what has come by then stays if the connection breaks."""
    buffer = bytearray()
    try:
        with said():
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                buffer += chunk
                if len(buffer) >= WRITTEN_AT_ONCE_BYTES:
                    wanted_bytes -= len(buffer)
                    data, buffer = bytes(buffer), bytearray()
                    await asyncio.to_thread(_append, part, data)
                if len(buffer) > wanted_bytes:
                    break  # more than there is: the digest will not fit
    finally:
        await asyncio.to_thread(_append, part, bytes(buffer))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _append(file: Path, data: bytes) -> None:
    with file.open("ab") as target:
        target.write(data)
