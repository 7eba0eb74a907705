"""The hub's process: reads its configuration, opens what it keeps, serves, and ends when it is told to.

    hub/__main__.py --config FILE [--port N] [--until-stdin-closes]
    script/hub --data FOLDER --host KEY [--port N]        without a file

Exit status: 0 asked to stop, 2 configuration, 3 port taken, 4 data folder, 5 database or key damaged.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace
import errno
import fcntl
import gc
import json
import os
from pathlib import Path
import resource
import signal
import sqlite3
import sys
from typing import Any, Final

from aiohttp import web

from ..neighborhood.keys import is_digest
from .availability import pass_rounds
from .certificate import Certificate, CertificateError
from .config import Config, ConfigError
from .connections import Connections
from .errors import PROTOCOL
from .hood import Hood
from .keys import KeyDamagedError, load_key
from .log import Level, Log
from .page import Page
from .schema import DatabaseError
from .server import Hub

BAD_CONFIG, PORT_TAKEN, BAD_FOLDER, DAMAGED = 2, 3, 4, 5
SPARE_DESCRIPTORS: Final = 256  # databases, files, the checking processes
STOP_S: Final = 5.0
SWITCH_S: Final = 0.0001
# Nothing here makes cycles, though errors may: the young are looked at as always, the old a tenth as often
GARBAGE: Final = (2_000, 100, 10)
TICK_S: Final = 30.0  # what has expired is gone half a minute later at most
LAG_S: Final = 0.25
HOUR_TICKS: Final = 120


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop; return the exit status."""
    given = _parser().parse_args(arguments)
    log = Log(Level.DEBUG if os.environ.get("RINGWATCH_HUB_LOG") == "debug" else Level.INFO)
    os.umask(0o077)
    # A reader gives the interpreter away at every statement; with a busy loop it comes back after 5 ms else
    sys.setswitchinterval(SWITCH_S)
    try:
        config = _config(given)
    except ConfigError as error:
        log.problem("config", about=str(error))
        return BAD_CONFIG
    try:
        lock = _lock(config.data)
    except OSError as error:
        held = error.errno in {errno.EAGAIN, errno.EACCES}
        log.problem("folder", about="another hub uses it" if held else f"can't be used: {error.strerror}")
        return BAD_FOLDER
    try:
        return asyncio.run(_Process(config, log, until_stdin_closes=given.until_stdin_closes).run())
    except KeyDamagedError, DatabaseError:
        log.problem("damaged", about="the hub's key or a database can't be used; restore them from a backup")
        return DAMAGED
    except (OSError, sqlite3.Error) as error:
        log.problem("folder", about=f"can't be used: {type(error).__name__}")
        return BAD_FOLDER
    finally:
        os.close(lock)


class _Process:
    """What runs beside the answering: accepting, time that passes, signals."""

    def __init__(self, config: Config, log: Log, *, until_stdin_closes: bool) -> None:
        self._log = log
        self._until_stdin_closes = until_stdin_closes
        self._hub_config = config
        self._stop = asyncio.Event()
        self._certificate: Certificate | None = None

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        config = _fitted(self._hub_config, self._log)
        hub = Hub(config, await asyncio.to_thread(load_key, config.data), self._log)
        self._hub = hub
        for folder in await asyncio.to_thread(lambda: sorted(config.data.iterdir())):
            if is_digest(folder.name) and (folder / "hub.db").exists():
                hood = Hood(folder, folder.name, hub.key, self._log)
                await asyncio.to_thread(hood.open)
                if hood.position.number:
                    hub.add(hood)
                else:  # a kill came before the founding was written
                    await hood.close()
        try:
            await self._read_files(config)
        except CertificateError as error:
            self._log.problem("config", about=str(error))
            return BAD_CONFIG
        # Time passes with the first tick. If this is an older backup, the host's home brings back first what
        # is missing (`restoring.py`), before things end that it is about
        connections = Connections(
            web.Server(hub.handle),
            self._log,
            most=config.max_connections,
            most_per_address=config.max_connections_per_address,
            proxies=lambda: hub.config.trusted_proxies,
        )
        connections.tls = lambda: self._certificate.context if self._certificate else None
        hub.connections = lambda: len(connections)
        try:
            port = connections.listen(config.listen, config.port)
        except OSError as error:
            self._log.problem("port", about=f"can't listen: {error.strerror}", port=config.port)
            return PORT_TAKEN if error.errno == errno.EADDRINUSE else BAD_CONFIG
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._keep(self._reload()))
        if self._until_stdin_closes:
            loop.add_reader(0, self._read_stdin)
        self._tasks: set[asyncio.Task[Any]] = set()
        # What is there now stays. A collection goes through 170,000 objects less: 80 ms of standing still
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        connections.start()
        self._keep(self._tick())
        self._keep(self._measure())
        self._keep(hub.media_check.look_at_walls())
        ready = {"ready": True, "port": port, "hub_key": hub.key.public, "version": PROTOCOL}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        self._log.info("serving", port=port, neighborhoods=len(hub.hoods))
        await self._stop.wait()
        connections.stop_accepting()
        for task in self._tasks:
            task.cancel()
        for hood in hub.hoods.values():
            hood.waiters.end()
        await connections.close(STOP_S)
        await hub.close()
        self._log.info("stopped")
        return 0

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._log.problem("task_failed", error)

    def _read_stdin(self) -> None:
        if not os.read(0, 1_024):
            self._stop.set()

    async def _read_files(self, config: Config) -> None:
        """Read certificate and page. Raise CertificateError."""
        if config.certificate and config.private_key:
            self._certificate = await asyncio.to_thread(
                Certificate, config.certificate, config.private_key, self._log
            )
        else:
            self._certificate = None
        self._hub.page = None
        if config.page:
            try:
                self._hub.page = await asyncio.to_thread(Page, config.page)
            except OSError as error:
                self._log.warning("page", about=f"can't be read: {type(error).__name__}")

    async def _reload(self) -> None:
        source = self._hub.config.source
        if source is None:
            return
        try:
            config = await asyncio.to_thread(Config.read, source)
            await self._read_files(config)
        except (ConfigError, CertificateError) as error:
            self._log.problem("config", about=str(error))
            return
        self._hub.take_over(config)
        self._log.info("config_read_again")

    async def _tick(self) -> None:
        """Let time pass for what expires, certificates and rates."""
        count = 0
        while True:
            await asyncio.sleep(TICK_S)
            count += 1
            for hood in list(self._hub.hoods.values()):
                await self._try(hood.pass_time())
                await self._try(hood.keep_time())
                await self._try(pass_rounds(hood, self._hub.config.availability_s))
                if count % HOUR_TICKS == 1:  # what a kill left, half a minute after the start
                    await self._try(hood.forget_uploads())
                    await self._try(self._hub.mailbox(hood).forget())
            if self._certificate:
                await asyncio.to_thread(self._certificate.look_again)
            self._hub.forget_full()

    async def _try(self, work: Any) -> None:
        """Do something that is done again later if it fails: a full disk must not end what keeps time."""
        task = asyncio.create_task(work)
        await asyncio.wait([task])
        if error := task.exception():
            self._log.problem("tick_failed", error)

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        page_bytes = resource.getpagesize()
        worst, count = 0.0, 0
        while True:
            before = loop.time()
            await asyncio.sleep(LAG_S)
            worst = max(worst, (loop.time() - before - LAG_S) * 1000)
            self._hub.lag_ms = max(self._hub.lag_ms, worst)
            count += 1
            if count % 40 == 0:
                self._hub.lag_ms, worst = worst, 0.0
            if count % 4 == 0:
                self._hub.memory_bytes = await asyncio.to_thread(_resident, page_bytes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hub", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, help="a JSON file")
    parser.add_argument("--data", type=Path, help="the folder for everything, instead of a file")
    parser.add_argument("--host", action="append", default=[], help="a key that may found a neighborhood")
    parser.add_argument("--listen", action="append", help="an address to listen on")
    parser.add_argument("--port", type=int)
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when standard input ends")
    return parser


def _config(given: argparse.Namespace) -> Config:
    if given.config:
        config = Config.read(given.config.resolve())
    elif given.data:
        value: dict[str, Any] = {"data": str(given.data.resolve()), "hosts": given.host}
        config = Config.parse(value)
    else:
        raise ConfigError("either --config or --data")
    if given.port is not None:
        config = replace(config, port=given.port)
    if given.listen:
        config = replace(config, listen=tuple(given.listen))
    return config


def _lock(folder: Path) -> int:
    """Make the folder, and have it to oneself. Raise OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "hub.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _fitted(config: Config, log: Log) -> Config:
    """Set this process's own limit of descriptors; allow as many connections as fit into it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = config.max_connections + SPARE_DESCRIPTORS
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    if limit == wanted:
        return config
    fitting = max(16, limit - SPARE_DESCRIPTORS)
    log.warning("few_descriptors", connections=fitting, limit=soft)
    return replace(config, max_connections=fitting)


def _resident(page_bytes: int) -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * page_bytes
    except OSError, ValueError, IndexError:
        return 0
