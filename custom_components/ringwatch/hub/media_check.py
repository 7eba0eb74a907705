"""Has an uploaded file looked into, in a limited process: `media_child.py`. Few at a time, none for long."""

import asyncio
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any, Final

from ..neighborhood.bodies.feed import Media
from .__main__ import LOOK_INTO
from .errors import Refusal, busy, media_refused
from .log import Log
from .media_errors import MediaError

PROGRAM: Final = Path(__file__).with_name("__main__.py")
TIMEOUT_S: Final = 90.0  # of the wall's clock, for 20 s of CPU time: a busy machine is not the file's fault
LATE_S: Final = 60  # when to try again then
AT_ONCE: Final = 2
MAX_WAITING: Final = 16
MAX_ANSWER: Final = 1_000
WALLS: Final = ("landlock", "seccomp")
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

    def __init__(self, log: Log, *, program: Path = PROGRAM, timeout_s: float = TIMEOUT_S) -> None:
        self.walls: tuple[str, ...] | None = None
        """What holds the process in, by its own word; None before the first one."""
        self._log = log
        self._program = program
        self._timeout_s = timeout_s
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def look_at_walls(self) -> None:
        """Find out what holds the process in, and log it: people should know before somebody uploads."""
        try:
            self._note_walls((await self._answers(None, ""))[0])
        except (Refusal, MediaError) as error:
            self._log.problem("media_check", error)

    async def check(self, path: Path, media: Media, sha256: str) -> None:
        """Look into a file whose digest was found to be `sha256`. Raise Refusal: media_refused, or busy."""
        if sha256 != media.sha256:
            raise media_refused("digest")
        if self._waiting >= MAX_WAITING:
            raise busy()
        self._waiting += 1
        try:
            async with self._places:
                await self._look(path, media)
        except MediaError as error:
            raise media_refused(error.reason) from error
        finally:
            self._waiting -= 1

    async def _look(self, path: Path, media: Media) -> None:
        loop = asyncio.get_running_loop()
        handle = await loop.run_in_executor(None, os.open, path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            walls, found = await self._answers(handle, json.dumps(media.to_json()))
        finally:
            os.close(handle)
        self._note_walls(walls)
        if found != {"ok": True}:
            reason = found.get("reason")
            raise MediaError(reason if reason in REASONS else "not_decodable")

    async def _answers(self, handle: int | None, announced: str) -> tuple[Any, dict[str, Any]]:
        """Return the two lines of a process. Raise MediaError if it came to grief over the file.

        Raise Refusal (busy) for whatever is not the file's fault: a process that doesn't start, that was
        killed, or that got too little of a busy machine. Only its own CPU time says that a file is bad.
        """
        try:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                str(self._program),
                LOOK_INTO,
                announced,
                stdin=asyncio.subprocess.DEVNULL if handle is None else handle,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PYTHONDONTWRITEBYTECODE": "1"},
                limit=MAX_ANSWER,
            )
        except OSError as error:
            raise busy() from error
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await _read(child.stdout) if child.stdout else b""
                status = await child.wait()
        except TimeoutError as error:
            self._log.warning("media_check_late", about="this machine is too busy to look into uploads")
            raise busy(LATE_S) from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        said = [_parsed(line) for line in answer.splitlines()]
        if not said or "walls" not in said[0] or status == -signal.SIGKILL:
            self._log.warning("media_check_failed", about="the process that looks into uploads failed")
            raise busy(LATE_S)
        if "failed" in said[-1]:
            self._log.warning("media_check_failed", about=f"can't be loaded: {said[-1]['failed']}")
            raise busy(LATE_S)
        if status or len(said) != 2:
            if handle is not None:
                raise MediaError("not_decodable")
            return said[0]["walls"], {}
        return said[0]["walls"], said[1]

    def _note_walls(self, walls: Any) -> None:
        found = tuple(wall for wall in WALLS if isinstance(walls, list) and wall in walls)
        if found == self.walls:
            return
        self.walls = found
        if found:
            self._log.info("media_check", walls=", ".join(found))
        else:
            self._log.warning(
                "media_check_open",
                about="neither Landlock nor seccomp: a decoder with a hole could read what the hub can",
            )


async def _read(stream: asyncio.StreamReader) -> bytes:
    """Return all that is said, MAX_ANSWER bytes at most."""
    answer = b""
    while len(answer) < MAX_ANSWER and (data := await stream.read(MAX_ANSWER)):
        answer += data
    return answer


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
