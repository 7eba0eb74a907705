"""The hub under the load of a town: polls, long-polls, posts and pages of the feed, on a large store.

    .venv/bin/python -m benchmarks.hub [--full] [--records N] [--homes N] [--waiting N] [--seconds S]
                                       [--unshaped | --home-assistant]

`--full` is the whole of it: 20,000 homes polling each minute, 1,000 waiting, a million records (made once, in
about twenty minutes). As root with iproute2 the hub runs behind a link of 20 Mbit/s (a network namespace and
`tc`); else, or with --unshaped, over loopback, which the figures say. The last line is one JSON object; the
exit status is 1 where a bar is missed.
"""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any, Final

from benchmarks.hub_homes import spread
from benchmarks.hub_store import size_bytes, store
from benchmarks.report import finish, table
from script.lib.core import ROOT, load_core

load_core()

from ringwatch.hub.table import state_of

BARS: Final = {
    "poll_p99_ms": 25.0, "memory_mb": 150.0, "mb_a_home_and_day": 5.0, "feed_p50_ms": 20.0, "lost": 0,
}  # fmt: skip
FULL: Final = {"records": 1_000_000, "homes": 20_000, "waiting": 1_000, "seconds": 120.0}
SMALL: Final = {"records": 20_000, "homes": 2_000, "waiting": 100, "seconds": 20.0}
SPACE, OUTSIDE, INSIDE, SOURCES = "rwbench", "10.78.0.1", "10.78.0.2", "10.77"
RATE: Final = "20mbit"


@contextmanager
def link(*, shaped: bool) -> Iterator[tuple[list[str], str, str]]:
    """Yield what to put before the hub's command, its address, and the first half of its callers'."""
    if not shaped:
        yield [], "127.0.0.1", "127.1"
        return
    commands = (
        f"ip netns add {SPACE}",
        f"ip link add rwb0 type veth peer name rwb1 netns {SPACE}",
        f"ip addr add {OUTSIDE}/30 dev rwb0",
        "ip link set rwb0 up",
        f"ip -n {SPACE} addr add {INSIDE}/30 dev rwb1",
        f"ip -n {SPACE} link set rwb1 up",
        f"ip -n {SPACE} route add {SOURCES}.0.0/16 via {OUTSIDE}",
        f"ip route add local {SOURCES}.0.0/16 dev lo",
        f"tc -n {SPACE} qdisc add dev rwb1 root tbf rate {RATE} burst 64kb latency 2s",
    )
    try:
        for command in commands:
            subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)
        yield ["ip", "netns", "exec", SPACE], INSIDE, SOURCES
    finally:
        undo = (f"ip netns del {SPACE}", f"ip route del local {SOURCES}.0.0/16 dev lo", "ip link del rwb0")
        for command in undo:
            subprocess.run(command.split(), check=False, stderr=subprocess.DEVNULL)


def can_shape() -> bool:
    """Return whether a link can be made and slowed down here."""
    return os.geteuid() == 0 and bool(shutil.which("ip")) and bool(shutil.which("tc"))


def cpu_s(pid: int) -> float:
    """Return how much CPU time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int, what: str) -> float:
    """Return a line of a process's status: VmRSS, or VmHWM for the most it ever was."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1_024 / 1e6
    return 0.0


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Start the hub on a copy of the store and be the town."""
    made, neighborhood = store(given.records, given.homes)
    data = folder / "data"
    shutil.copytree(made, data)
    shaped = not given.unshaped and can_shape()
    with link(shaped=shaped) as (before, host, sources):
        settings = {
            "data": str(data), "listen": [host], "port": 0, "keep_free_bytes": 0,
            "max_waiting": given.waiting,
        }  # fmt: skip
        (folder / "hub.json").write_text(json.dumps(settings))
        hub = subprocess.Popen(
            [
                *before, sys.executable, "-m", "benchmarks.hub_measured", str(folder / "measured.json"),
                "--config", str(folder / "hub.json"),
            ],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        try:
            began_s = time.perf_counter()
            ready = json.loads(hub.stdout.readline()) if hub.stdout else {}
            start_s = time.perf_counter() - began_s
            import sqlite3

            with sqlite3.connect(data / neighborhood / "hub.db") as db:
                position = state_of(db).position
            homes = {
                "host": host, "port": ready["port"], "hub_key": ready["hub_key"],
                "neighborhood": neighborhood,
                "sources": sources, "homes": given.homes, "waiting": given.waiting, "seconds": given.seconds,
                "head": position.head, "newest": position.number,
                "tips": json.loads((data / "tips.json").read_text()),
            }  # fmt: skip
            used_s, at_s = cpu_s(hub.pid), time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.hub_homes"],
                cwd=ROOT, input=json.dumps(homes), stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
            elapsed_s = time.perf_counter() - at_s
            figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            figures |= {
                "cpu_percent": round(100 * (cpu_s(hub.pid) - used_s) / elapsed_s, 1),
                "memory_mb": round(memory_mb(hub.pid, "VmHWM"), 1),
                "memory_at_end_mb": round(memory_mb(hub.pid, "VmRSS"), 1),
                "start_s": round(start_s, 2),
                "database_mb": round(size_bytes(data, neighborhood) / 1e6),
                "shaped": shaped,
            }
            if shaped:
                figures |= link_figures(elapsed_s)
        finally:
            hub.terminate()
            hub.wait(15)
            if hub.stdout:
                hub.stdout.close()
    measured = json.loads((folder / "measured.json").read_text())
    return figures | spread("hub_poll", measured["polls_ms"]) | spread("hub_lag", measured["lags_ms"])


def link_figures(seconds: float) -> dict[str, float]:
    """Return what went through the slowed link, and how many packets had to wait for their turn."""
    said = subprocess.run(
        ["tc", "-n", SPACE, "-s", "-j", "qdisc", "show", "dev", "rwb1"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    [queue] = json.loads(said)
    return {
        "link_mbit_s": round(queue["bytes"] * 8 / seconds / 1e6, 2),
        "link_waits": queue["overlimits"],
        "link_drops": queue["drops"],
    }


def show(figures: dict[str, Any]) -> None:
    """Print figures, one a line."""
    for key, value in figures.items():
        if isinstance(value, int | float):
            print(f"{key:<32}{value:>12}")


def main() -> int:
    """Measure, print tables, and say which bars hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true")
    for name, value in SMALL.items():
        parser.add_argument(f"--{name}", type=type(value))
    parser.add_argument("--unshaped", action="store_true")
    parser.add_argument("--home-assistant", action="store_true", help="beside a real Home Assistant")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    given = parser.parse_args()
    for name, value in (FULL if given.full else SMALL).items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    figures: dict[str, Any] = {
        "load_at_start": round(os.getloadavg()[0], 2), "cores": os.cpu_count(),
        "records": given.records, "homes": given.homes, "waiting": given.waiting, "seconds": given.seconds,
    }  # fmt: skip
    if given.home_assistant:
        from benchmarks import hub_hass  # needs what only that needs

        measured, holds = asyncio.run(hub_hass.measure(given))
        figures |= measured
        show(figures)
        return finish(given.out, "hub-home-assistant", figures, hub_hass.BARS, holds)
    with tempfile.TemporaryDirectory(prefix="ringwatch-hub-", dir=ROOT / ".tools") as name:
        figures |= measure(given, Path(name))
    holds = {
        "p99 of a poll": figures["poll_p99_ms"] <= BARS["poll_p99_ms"],
        "memory of the hub": figures["memory_mb"] <= BARS["memory_mb"],
        "bytes per home and day": figures["mb_a_home_and_day"] <= BARS["mb_a_home_and_day"],
        "a page of the feed": figures["feed_p50_ms"] <= BARS["feed_p50_ms"],
        "none lost": figures["lost"] == figures["gaps"] == figures["broken"] == figures["refused"] == 0,
    }
    numbers = {key: value for key, value in figures.items() if isinstance(value, int | float)}
    for group in ("poll", "hub_poll", "hub_lag", "woken", "post", "feed"):
        prefix = f"{group}_"
        row = {key.removeprefix(prefix): numbers[key] for key in numbers if key.startswith(f"{prefix}p")}
        table("", list(row), [(group, row)])
    show({key: value for key, value in numbers.items() if not key.endswith("_ms")})
    return finish(given.out, "hub", figures, BARS, holds)


if __name__ == "__main__":
    sys.exit(main())
