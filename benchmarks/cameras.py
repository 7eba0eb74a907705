"""Many cameras in one real Home Assistant: `script/bench cameras [--count 8] [--minutes 5]`.

Plays footage as 720p cameras over RTSP, adds them as an owner does, and measures Home Assistant's process
from outside (CPU, memory, threads) and its event loop from inside: a small integration in the throw-away
config folder notes how late a timer of its own is (up to 1 ms of that is the kernel's rounding). As in most
installations there is no OpenCV. The last line is one JSON object.
"""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
import json
import os
from pathlib import Path
import shutil
import tempfile
import time
from typing import Any

import numpy as np

from script.lib.demo_footage import choose_footage
from script.lib.footage import LoopSettings
from script.lib.hass import HassProcess
from script.lib.hass_client import HassClient
from script.lib.servers import RtspServer

CAMERA = LoopSettings(fps=15.0, width=1280, height=720, max_s=60.0)
SAMPLE_S = 10.0
SETTLE_S = 20.0  # after the last camera was added, before anything counts
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
LOOP_LAG = '''
"""Notes how late a timer of 20 ms is, in microseconds, every second."""
import asyncio, struct
EVERY_S = 0.02

async def async_setup(hass, config):
    lags, path = [], hass.config.path("loop_lag.bin")
    def write(data):
        with open(path, "ab") as file:
            file.write(data)
    async def run():
        planned_s = hass.loop.time()
        while True:
            planned_s = max(planned_s + EVERY_S, hass.loop.time())
            await asyncio.sleep(planned_s - hass.loop.time())
            lags.append(min(2**32 - 1, round(1e6 * max(0.0, hass.loop.time() - planned_s))))
            if len(lags) >= 1 / EVERY_S:
                hass.async_add_executor_job(write, struct.pack(f"{len(lags)}I", *lags))
                lags.clear()
    hass.async_create_background_task(run(), "loop lag")
    return True
'''


@contextmanager
def home_assistant() -> Iterator[HassProcess]:
    """Run Home Assistant, with the integration that measures its loop."""
    folder = Path(tempfile.mkdtemp(prefix="ringwatch-bench-"))
    try:
        hass = HassProcess(folder)
        measure = folder / "custom_components" / "loop_lag"
        measure.mkdir()
        (measure / "__init__.py").write_text(LOOP_LAG)
        manifest = {"domain": "loop_lag", "name": "Loop lag", "version": "0", "codeowners": []}
        (measure / "manifest.json").write_text(json.dumps(manifest))
        with (folder / "configuration.yaml").open("a") as file:
            file.write("\nloop_lag:\n")
        with hass:
            yield hass
    finally:
        shutil.rmtree(folder)


def process(pid: int | None) -> tuple[float, float, int]:
    """Return a process's CPU seconds, resident megabytes and threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    resident_mb = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S, resident_mb, int(fields[17])


def lags_ms(hass: HassProcess) -> np.ndarray:
    """Return how late the loop's timer was, every 20 ms since the start."""
    return np.fromfile(hass.config / "loop_lag.bin", np.uint32) / 1000


async def add_cameras(client: HassClient, server: RtspServer, names: list[str]) -> list[dict[str, str]]:
    """Add all cameras; return their entities when all deliver."""
    await client.onboard("bench", "bench")
    await client.started()
    entry_id, flow_id = await client.add_ringwatch()
    added = []
    for name in names:
        added.append(await client.add_camera(entry_id, name, server.url(name), flow_id=flow_id))
        flow_id = ""
    return added


async def measure(count: int, seconds: float) -> dict[str, Any]:
    """Watch some cameras for a while."""
    footage, _ = choose_footage([])
    loops = dict(zip((f"camera{n}" for n in range(1, count + 1)), cycle(footage.values()), strict=False))
    with RtspServer(loops, CAMERA) as server, home_assistant() as hass:
        async with HassClient(hass.url) as client:
            cameras = await add_cameras(client, server, list(loops))
            await asyncio.sleep(SETTLE_S)
            ignored, began_s, last_s = len(lags_ms(hass)), time.monotonic(), time.monotonic()
            began, before = process(hass.pid), process(hass.pid)
            server_before = process(server.pid)
            peak_mb = before[1]
            while time.monotonic() - began_s < seconds:
                await asyncio.sleep(SAMPLE_S)
                now, now_s = process(hass.pid), time.monotonic()
                peak_mb = max(peak_mb, now[1])
                share = (now[0] - before[0]) / (now_s - last_s)
                load = os.getloadavg()[0]
                print(
                    f"{now_s - began_s:5.0f} s: {100 * share:5.1f} % of a core, {now[1]:.0f} MB, "
                    f"{now[2]} threads, load {load:.2f}",
                    flush=True,
                )
                before, last_s = now, now_s
            lag = lags_ms(hass)[ignored:]
            took_s = last_s - began_s
            states = [await client.state(has["binary_sensor.connectivity"]) for has in cameras]
            return {
                "cameras": count,
                "connected": sum(state is not None and state["state"] == "on" for state in states),
                "seconds": round(took_s),
                "cpu_percent_of_a_core": round(100 * (before[0] - began[0]) / took_s, 1),
                "server_cpu_percent": round(100 * (process(server.pid)[0] - server_before[0]) / took_s, 1),
                "rss_mb": [round(began[1]), round(peak_mb), round(before[1])],
                "threads": [began[2], before[2]],
                "loop_lag_ms": {
                    "p50": round(float(np.percentile(lag, 50)), 2),
                    "p99": round(float(np.percentile(lag, 99)), 2),
                    "max": round(float(lag.max()), 1),
                },
                "logged": [line for line in hass.log.read_text().splitlines() if " ERROR " in line],
            }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=8, help="of cameras")
    parser.add_argument("--minutes", type=float, default=5.0)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.count, 60 * options.minutes))))


if __name__ == "__main__":
    main()
