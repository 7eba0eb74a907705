"""Thousands of connections that say nothing, or half a request: `python -m script.lib.crowd PORT COUNT`.

Every address of 127.0.0.0/8 is this machine's own, so each connection has one that it shares with few
others. Who is closed comes again, 500 a second at most. Says on standard output, as JSON, once so many have
been opened, and again, how it went, when its standard input ends.
"""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
import resource
import sys
import time
from typing import Final, override

from script.lib.core import ROOT

A_SECOND: Final = 500  # that are opened
BY_ADDRESS: Final = 50  # a hub allows 64
HALF: Final = b"GET /health HTTP/1.1\r\nHost: hub\r\nX-Slow: "
SPARE_DESCRIPTORS: Final = 100


class _Silent(asyncio.Protocol):
    """One of them: half of them begin a request, and none ends it."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd = crowd
        self._number = number

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._crowd.standing += 1
        if self._number % 2 and isinstance(transport, asyncio.Transport):
            transport.write(HALF)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.standing -= 1
        self._crowd.to_open.append(self._number)


class Crowd:
    """All of them."""

    def __init__(self, port: int, count: int) -> None:
        """Prepare; nothing is opened yet."""
        self.to_open = list(range(count))[::-1]
        self.standing = 0
        self._port = port
        self._count = count
        self._opened = 0

    async def run(self) -> None:
        """Open them and have them stand until standard input ends."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(0, ended.set)
        began_s, told = time.monotonic(), False
        while not ended.is_set():
            due = min(len(self.to_open), A_SECOND // 10)
            numbers = [self.to_open.pop() for _ in range(due)]
            await asyncio.gather(asyncio.sleep(0.1), *(self._open(number) for number in numbers))
            if not told and self._opened >= self._count:
                told = True
                self._say(opened_in_s=round(time.monotonic() - began_s, 1))
        self._say()

    async def _open(self, number: int) -> None:
        source = f"127.{number // BY_ADDRESS // 250 + 1}.{number // BY_ADDRESS % 250}.1"
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: _Silent(self, number), "127.0.0.1", self._port, local_addr=(source, 0)
            )
            self._opened += 1
        except OSError:  # refused: once more
            self.to_open.append(number)

    def _say(self, **more: float) -> None:
        print(json.dumps({"opened": self._opened, "standing": self.standing} | more), flush=True)


class TooFewDescriptorsError(RuntimeError):
    """A process may not have so many connections on this machine."""


@dataclass(slots=True)
class CrowdProcess:
    """A crowd that stands, in a process of its own."""

    process: Process
    opened_in_s: float

    async def end(self) -> dict[str, int]:
        """Have it go; return how many were opened and how many stood."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("a crowd without pipes")
        self.process.stdin.close()
        said: dict[str, int] = json.loads(await self.process.stdout.readline())
        await self.process.wait()
        return said


@asynccontextmanager
async def crowd_at(port: int, count: int) -> AsyncIterator[CrowdProcess]:
    """Have a crowd stand at a port. Raise TooFewDescriptorsError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "script.lib.crowd", str(port), str(count), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    try:
        said = await process.stdout.readline() if process.stdout else b""
        if not said:
            raise TooFewDescriptorsError(f"{count} connections can't be had here")
        yield CrowdProcess(process, json.loads(said)["opened_in_s"])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def main() -> int:
    """Be the crowd."""
    port, count = (int(argument) for argument in sys.argv[1:])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + SPARE_DESCRIPTORS:
        print(f"{hard} descriptors here", file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + SPARE_DESCRIPTORS, hard))
    asyncio.run(Crowd(port, count).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
