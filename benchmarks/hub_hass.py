"""A real Home Assistant that hosts the hub: how late its loop is under the hub's load, and behind a crowd.

For `script/bench hub --home-assistant`. The hub runs as Home Assistant starts it, with the settings of Home
Assistant. It serves two neighborhoods: the one that Home Assistant founds and follows, in which somebody
writes eleven times a minute, and the benchmark's large store with its homes. What is measured: how late a
timer of 20 ms in Home Assistant's loop is, without and with that load; then, with 5,000 connections at the
hub that say nothing or half a request, how long Home Assistant takes to answer, and the hub to take a post.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
import signal
import statistics
import subprocess
import sys
import time
from typing import Any, Final

import numpy as np

from benchmarks.cameras import home_assistant, lags_ms, process
from benchmarks.hub_store import A_MINUTE, store
from script.lib.core import ROOT, load_core

load_core()

from ringwatch.hub.table import state_of
from script.lib.crowd import crowd_at
from script.lib.hass import HassProcess
from script.lib.hass_client import HassClient
from script.lib.hub_client import Member, comment, join_by_link, post
from script.lib.street import found, quiet_port

BARS: Final = {"loop_lag_more_ms": 5.0, "home_assistant_answers_ms": 100.0}
CROWD: Final = 5_000
SETTLE_S: Final = 20.0  # after the founding: Home Assistant still sets up this and that
CROWD_S: Final = 20.0
START_S: Final = 60.0
ASK_EVERY_S: Final = 0.05


@dataclass(slots=True)
class _Host:
    hass: HassProcess
    client: HassClient
    hub_port: int
    member: Member  # of the neighborhood that Home Assistant follows


@asynccontextmanager
async def _host(made: Path, neighborhood: str) -> AsyncIterator[_Host]:
    """Run Home Assistant with a hub that also serves a store, and a member in its own neighborhood."""
    with home_assistant() as hass:
        data = hass.config / "ringwatch" / "hub"
        data.mkdir(mode=0o700, parents=True)
        shutil.copy2(made / "hub.key", data)  # the store is signed with it
        async with HassClient(hass.url) as client:
            await client.onboard("bench", "bench")
            await client.started()
            entry_id, _ = await client.add_ringwatch()
            port = quiet_port()
            await found(client, entry_id, port)
            link = (await client.ask("create_invite"))["link"]
            member = await asyncio.to_thread(join_by_link, link, port, "Carl")
            shutil.copytree(made / neighborhood, data / neighborhood)
            await _start_again(hass, member)
            yield _Host(hass, client, port, member)


def hub_pid(hass: HassProcess) -> int:
    """Return the process of the hub that Home Assistant runs."""
    children = Path(f"/proc/{hass.pid}/task").glob("*/children")
    pids = [int(pid) for path in children for pid in path.read_text().split()]
    return next(pid for pid in pids if b"hub/__main__.py" in Path(f"/proc/{pid}/cmdline").read_bytes())


async def _start_again(hass: HassProcess, member: Member) -> None:
    """End the hub, which Home Assistant starts again; wait until it serves both neighborhoods."""
    os.kill(hub_pid(hass), signal.SIGKILL)
    deadline_s = time.monotonic() + START_S
    while True:
        with suppress(OSError):
            health = (await asyncio.to_thread(member.hub.request, "GET", "/health")).json
            if health["neighborhoods"] == 2:
                return
        if time.monotonic() > deadline_s:
            raise RuntimeError("the hub doesn't serve both neighborhoods")
        await asyncio.sleep(0.5)


async def _write(member: Member, until_s: float) -> list[float]:
    """Post once a minute and comment ten times; return how long each took, in milliseconds."""
    took_ms: list[float] = []
    parent = ""
    while time.monotonic() < until_s:
        began_s = time.perf_counter()
        is_post = len(took_ms) % A_MINUTE == 0
        body = post(f"Post {len(took_ms)}", place=None) if is_post else comment(parent)
        answer = await asyncio.to_thread(member.post, body)
        if answer.status != 201:
            raise RuntimeError(f"not taken: {answer.status} {answer.body[:200]!r}")
        took_ms.append((time.perf_counter() - began_s) * 1_000)
        if is_post:
            parent = member.tip or ""
        await asyncio.sleep(60 / A_MINUTE)
    return took_ms


async def _lag(host: _Host, seconds: float) -> dict[str, float]:
    """Return how late Home Assistant's loop was during that time."""
    ignored, before, began_s = len(lags_ms(host.hass)), process(host.hass.pid), time.monotonic()
    await _write(host.member, began_s + seconds)
    lag = lags_ms(host.hass)[ignored:]
    used_s = process(host.hass.pid)[0] - before[0]
    return {
        "p50": round(float(np.percentile(lag, 50)), 2),
        "p99": round(float(np.percentile(lag, 99)), 2),
        "max": round(float(lag.max()), 1),
        "cpu_percent": round(100 * used_s / (time.monotonic() - began_s), 1),
        "load": round(os.getloadavg()[0], 2),
    }


async def _under_load(host: _Host, given: argparse.Namespace, made: Path, neighborhood: str) -> Any:
    """Have the town call the hub meanwhile; return the lag and what the town saw."""
    import sqlite3

    with closing(sqlite3.connect(made / neighborhood / "hub.db")) as db:
        position = state_of(db).position
    homes = {
        "host": "127.0.0.1", "port": host.hub_port, "hub_key": host.member.hub.key,
        "neighborhood": neighborhood, "sources": "127.1", "homes": given.homes, "waiting": given.waiting,
        "seconds": given.seconds, "head": position.head, "newest": position.number,
        "tips": json.loads((made / "tips.json").read_text()),
    }  # fmt: skip
    town = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.hub_homes",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    saying = asyncio.create_task(town.communicate(json.dumps(homes).encode()))
    lag = await _lag(host, given.seconds)
    said, _ = await saying
    return lag, json.loads(said.splitlines()[-1])


async def _behind_crowd(host: _Host) -> dict[str, Any]:
    """Return how Home Assistant answers, and the hub takes posts, while a crowd stands at the hub."""
    async with crowd_at(host.hub_port, CROWD) as crowd:
        answers_ms: list[float] = []
        until_s = time.monotonic() + CROWD_S
        writing = asyncio.create_task(_write(host.member, until_s))
        while time.monotonic() < until_s:
            began_s = time.perf_counter()
            await host.client.get("/api/states")
            answers_ms.append((time.perf_counter() - began_s) * 1_000)
            await asyncio.sleep(ASK_EVERY_S)
        posts_ms = await writing
        at_end = await crowd.end()
    cuts = statistics.quantiles(answers_ms, n=100)
    return {
        "connections_opened_in_s": crowd.opened_in_s,
        "connections_opened": at_end["opened"],
        "connections_standing": at_end["standing"],
        "home_assistant_answers_p50_ms": round(cuts[49], 1),
        "home_assistant_answers_p99_ms": round(cuts[98], 1),
        "home_assistant_answers_max_ms": round(max(answers_ms), 1),
        "posts": len(posts_ms),
        "post_max_ms": round(max(posts_ms), 1),
    }


async def measure(given: argparse.Namespace) -> tuple[dict[str, Any], dict[str, bool]]:
    """Return the figures, and which bars hold."""
    made, neighborhood = store(given.records, given.homes)
    async with _host(made, neighborhood) as host:
        await asyncio.sleep(SETTLE_S)
        idle = await _lag(host, given.seconds)
        loaded, town = await _under_load(host, given, made, neighborhood)
        crowd = await _behind_crowd(host)
        hub_mb = process(hub_pid(host.hass))[1]
        logged = [line for line in host.hass.log.read_text().splitlines() if " ERROR " in line]
    figures: dict[str, Any] = {
        **{f"idle_loop_lag_{key}": value for key, value in idle.items()},
        **{f"loaded_loop_lag_{key}": value for key, value in loaded.items()},
        "loop_lag_more_ms": round(loaded["p99"] - idle["p99"], 2),
        "polls_a_s": town["polls_a_s"], "lost": town["lost"], "poll_p99_ms": town["poll_p99_ms"],
        **crowd,
        "hub_mb": round(hub_mb, 1),
        "logged": logged,
    }  # fmt: skip
    holds = {
        "Home Assistant's loop": figures["loop_lag_more_ms"] <= BARS["loop_lag_more_ms"],
        "Home Assistant answers beside the crowd": (
            crowd["home_assistant_answers_p99_ms"] <= BARS["home_assistant_answers_ms"]
        ),
        "the hub takes posts beside the crowd": crowd["posts"] > 0,
    }
    return figures, holds
