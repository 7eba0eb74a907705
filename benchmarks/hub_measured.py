"""The hub's own program, with a clock: how long each poll took here, from its bytes to the answer's.

What callers see has their own waiting in it, and on a busy machine the system's. This is the rest: what the
hub itself takes, and how late a timer in its loop is. Written as JSON, at the end, to the file that is named
first; the other arguments are the hub's.
"""

from array import array
import asyncio
import json
from pathlib import Path
import sys
import time
from typing import Final, override

from aiohttp import web

from script.lib.core import load_core

load_core()

from ringwatch.hub import connections, main as hub

EVERY_S: Final = 0.02
polls_ms = array("d")
lags_ms = array("d")


class _Measured(connections.Connection):
    """A connection that notes when a request's first bytes came and when its answer had been handed over."""

    _came_s = 0.0

    @override
    def data_received(self, data: bytes) -> None:
        if self in self._connections.idle:
            self._came_s = time.perf_counter()
        super().data_received(data)

    @override
    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        done = await super().finish_response(request, resp, start_time)
        if "/records?after=" in request.raw_path and "wait=" not in request.raw_path:
            polls_ms.append((time.perf_counter() - self._came_s) * 1_000)
        return done


class _Process(hub._Process):
    @override
    async def _measure(self) -> None:
        self._keep(_note_lag())
        await super()._measure()


async def _note_lag() -> None:
    while True:
        planned_s = time.perf_counter() + EVERY_S
        await asyncio.sleep(EVERY_S)
        lags_ms.append((time.perf_counter() - planned_s) * 1_000)


def main() -> int:
    """Be the hub; leave figures behind."""
    connections.Connection, hub._Process = _Measured, _Process  # type: ignore[misc]
    status = hub.main(sys.argv[2:])
    figures = {"polls_ms": list(polls_ms), "lags_ms": list(lags_ms)}
    Path(sys.argv[1]).write_text(json.dumps(figures))
    return status


if __name__ == "__main__":
    sys.exit(main())
