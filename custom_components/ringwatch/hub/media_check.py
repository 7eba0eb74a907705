"""Has an uploaded file looked into, in a limited process: `media_child.py`. Few at a time, none for long."""

import asyncio
import json
import os
from pathlib import Path
import sys
from typing import Final

from ..neighborhood.bodies.feed import Media
from .__main__ import LOOK_INTO
from .errors import Refusal, busy, media_refused
from .media_errors import MediaError

PROGRAM: Final = Path(__file__).with_name("__main__.py")
TIMEOUT_S: Final = 40.0
AT_ONCE: Final = 2
MAX_WAITING: Final = 16
MAX_ANSWER: Final = 1_000
REASONS: Final = frozenset(
    [
        "box_not_allowed",
        "box_too_large",
        "box_twice",
        "brand",
        "coding",
        "creation_time",
        "device_name",
        "digest",
        "duration",
        "handler",
        "hidden_data",
        "memory",
        "metadata",
        "not_decodable",
        "not_jpeg",
        "not_mp4",
        "outside_data",
        "picture_size",
        "size",
        "too_many_boxes",
        "too_many_markers",
        "too_many_samples",
        "tracks",
    ]
)


class MediaCheck:
    """Starts the processes."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def check(self, path: Path, media: Media, sha256: str) -> None:
        """Look into a file whose digest was found to be `sha256`. Raise Refusal: media_refused, or busy."""
        if sha256 != media.sha256:
            raise media_refused("digest")
        if self._waiting >= MAX_WAITING:
            raise busy()
        self._waiting += 1
        try:
            async with self._places:
                await _run(path, media)
        except MediaError as error:
            raise media_refused(error.reason) from error
        finally:
            self._waiting -= 1


async def _run(path: Path, media: Media) -> None:
    loop = asyncio.get_running_loop()
    handle = await loop.run_in_executor(None, os.open, path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            LOOK_INTO,
            json.dumps(media.to_json()),
            stdin=handle,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONDONTWRITEBYTECODE": "1"},
            limit=MAX_ANSWER,
        )
    except OSError as error:
        raise Refusal(503, "busy", "too much at once, try again", retry_after_s=5) from error
    finally:
        os.close(handle)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer = await child.stdout.read(MAX_ANSWER) if child.stdout else b""
            status = await child.wait()
    except TimeoutError as error:
        raise MediaError("not_decodable") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    try:
        found = json.loads(answer)
    except ValueError as error:
        raise MediaError("not_decodable") from error
    if status or found != {"ok": True}:
        reason = found.get("reason") if isinstance(found, dict) else None
        raise MediaError(reason if reason in REASONS else "not_decodable")
