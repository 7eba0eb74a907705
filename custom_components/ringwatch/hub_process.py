"""The hub that runs here: started, watched, started again, stopped. It is a process of its own.

It gets a pipe as its standard input and ends when that does, so no hub outlives Home Assistant. When it
serves it says so in one line; what it logs is one JSON object a line, and goes into Home Assistant's log.
"""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
import json
import logging
import os
from pathlib import Path
import random
import signal
import sys
import time
from typing import Any, Final

import aiohttp

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.json import save_json
from homeassistant.util.file import WriteError

from .const import CONF_CERTIFICATE, CONF_KEY, CONF_PORT, CONF_PRIVATE_KEY, CONF_PROXIES, DOMAIN, HUB_CLOCK
from .neighborhood.hub_client import HubError, read_bounded, read_object
from .neighborhood.keys import is_public_key

_LOGGER = logging.getLogger(__name__)

READY_S: Final = (
    30.0  # it starts in a second or two; an SD card, or a database to bring up to date, takes longer
)
STOP_S: Final = 8.0  # it answers what runs for 5 s; Home Assistant gives all of us 20
HEALTH_EVERY_S: Final = 60.0
HEALTH_S: Final = 10.0
HEALTH_BYTES: Final = 64 * 1024
MISSED: Final = 3  # looks in a row without an answer, then it is started again
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 300.0
STEADY_S: Final = 600.0  # having run for so long, it begins anew with short waits
CRASHES: Final = 3  # ends without those, then people are told
LINE_BYTES: Final = 64 * 1024  # of its log, longer ones are dropped
SHOWN: Final = 1000  # characters of a line

# Its exit status, where that says what is wrong.
EXIT_CODES: Final[Mapping[int, str]] = {2: "config", 3: "port", 4: "data", 5: "database"}
CRASHING: Final = "crashing"
STORAGE_FULL: Final = "full"
TROUBLES: Final[Mapping[str, str]] = {"storage_full": STORAGE_FULL, "clock": HUB_CLOCK}  # by its own word
STARTING: Final = "starting"

# What it needs of our environment: no secrets, and nothing that would change what it imports.
ENVIRONMENT: Final = (
    "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SSL_CERT_FILE", "TMPDIR", "TZ", "VIRTUAL_ENV",
)  # fmt: skip
LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


@dataclass(frozen=True, slots=True)
class HubSettings:
    """How the hub runs. `hosts` are the public keys that may found a neighborhood on it."""

    port: int
    certificate: str = ""
    private_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def restarts(self, other: HubSettings) -> bool:
        """Tell whether a change to others takes a new process; all else is read again while it runs."""
        return (self.port, bool(self.certificate)) != (other.port, bool(other.certificate))

    def to_json(self, folder: Path, page: Path | None) -> dict[str, Any]:
        """Return the hub's configuration."""
        return {
            "data": str(folder),
            "port": self.port,
            "certificate": self.certificate or None,
            "private_key": self.private_key or None,
            "trusted_proxies": list(self.trusted_proxies),
            "hosts": list(self.hosts),
            "page": str(page) if page else None,
        }


@dataclass(frozen=True, slots=True)
class Ready:
    """What a hub says when it serves."""

    port: int
    hub_key: str


class HubFailedError(Exception):
    """The hub doesn't run. `code` says why: config, port, data, database, crashing, starting."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class HubProcess:
    """Runs the hub as long as there are settings for it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; nothing runs yet."""
        self._hass = hass
        self.folder = Path(hass.config.path(DOMAIN, "hub"))
        self._config = self.folder.with_name("hub.json")
        self._settings: HubSettings | None = None
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._turned = asyncio.Event()  # `ready` or `code` has changed
        self._listeners: list[Callable[[], None]] = []
        self.ready: Ready | None = None
        self.code: str | None = None  # what is wrong, None if nothing is
        self.starts = 0
        self.health: dict[str, Any] = {}

    @property
    def settings(self) -> HubSettings | None:
        """How it runs, None while none is wanted."""
        return self._settings

    @property
    def url(self) -> str:
        """Where this home finds it: on this machine."""
        settings = self._settings or HubSettings(0)
        port = self.ready.port if self.ready else settings.port
        return f"{'https' if settings.certificate else 'http'}://127.0.0.1:{port}"

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call the listener when the hub is up, down, or in trouble."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def async_apply(self, settings: HubSettings | None) -> None:
        """Run the hub like this, or (None) not at all. What needs no new process interrupts nobody."""
        async with self._lock:
            before, self._settings = self._settings, settings
            if settings is None:
                await self._async_end()
                self._set(None, None)
            elif before is None or self._task is None or self._task.done() or settings.restarts(before):
                await self._async_end()
                self._set(None, STARTING)
                if not await self._async_write(settings):
                    self._set(None, "data")
                    return
                self._task = self._hass.async_create_background_task(self._run(), "ringwatch hub")
            elif settings != before:
                written = await self._async_write(settings)
                if written and self._process is not None and self.ready is not None:
                    _read_again(self._process)

    async def async_ready(self) -> Ready:
        """Wait until it serves. Raise HubFailedError."""
        try:
            async with asyncio.timeout(READY_S):
                while self.ready is None:
                    if self.code not in {None, STARTING}:
                        break
                    self._turned.clear()
                    await self._turned.wait()
        except TimeoutError:
            pass
        if self.ready is None:
            raise HubFailedError(self.code or STARTING)
        return self.ready

    async def async_stop(self) -> None:
        """End it, within a bounded time; the settings stay."""
        async with self._lock:
            await self._async_end()
            self._set(None, None)

    async def async_resume(self) -> None:
        """Run it again after `async_stop`."""
        settings, self._settings = self._settings, None
        await self.async_apply(settings)

    async def _async_end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _async_write(self, settings: HubSettings) -> bool:
        page = Path(__file__).parent / "www" / "neighbors.html"
        try:
            await self._hass.async_add_executor_job(_write, self._config, self.folder, settings, page)
        except (WriteError, OSError) as err:
            _LOGGER.warning("The hub's configuration can't be written: %s", err)
            return False
        return True

    async def _run(self) -> None:
        """Start it, again and again, until cancelled."""
        wait_s, crashes = FIRST_WAIT_S, 0
        while True:
            began_s = time.monotonic()
            code = await self._async_once()
            if time.monotonic() - began_s > STEADY_S:
                wait_s, crashes = FIRST_WAIT_S, 0
            crashes += 1
            why = EXIT_CODES.get(code)
            self._set(None, why or (CRASHING if crashes >= CRASHES else STARTING))
            _LOGGER.warning("The hub ended with status %s (%s)", code, why or "a crash")
            if why == "config":
                return  # nothing changes until somebody changes it
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _async_once(self) -> int:
        """Run one process to its end, and return its exit status."""
        program = Path(__file__).parent / "hub" / "__main__.py"
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        if _LOGGER.isEnabledFor(logging.DEBUG):
            environment["RINGWATCH_HUB_LOG"] = "debug"
        self.starts += 1
        settings = self._settings
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(program),
                "--config",
                str(self._config),
                "--until-stdin-closes",
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=environment,
                cwd=self._config.parent,
                limit=LINE_BYTES,
                start_new_session=True,  # Ctrl-C is for Home Assistant, which then stops it
            )
        except OSError as err:
            _LOGGER.warning("The hub can't be started: %s", err)
            return -1
        self._process = process
        logging_ = asyncio.create_task(_async_log(process))
        watching = asyncio.create_task(self._async_watch(process, settings))
        try:
            return await process.wait()
        finally:
            self._process = None
            watching.cancel()
            await asyncio.shield(asyncio.ensure_future(_async_end(process)))
            await asyncio.wait({logging_, watching}, timeout=1.0)
            logging_.cancel()

    async def _async_watch(self, process: Process, settings: HubSettings | None) -> None:
        """Wait for its line, then ask it every minute how it is; end it if it doesn't answer."""
        ready = await _async_ready(process)
        if ready is None:
            _LOGGER.warning("The hub did not say within %.0f s that it serves", READY_S)
            process.kill()
            return
        if self._settings != settings:
            _read_again(process)  # they have changed while it started
        self._set(ready, None)
        missed = 0
        while True:
            await asyncio.sleep(HEALTH_EVERY_S)
            try:
                self.health = await self.async_ask_health()
            except aiohttp.ClientError, HubError, TimeoutError:
                missed += 1
                if missed >= MISSED:
                    _LOGGER.warning("The hub doesn't answer; it is started again")
                    process.kill()
                    return
            else:
                missed = 0
                self._set(ready, TROUBLES.get(str(self.health.get("status"))))

    async def async_ask_health(self, url: str | None = None) -> dict[str, Any]:
        """Return what our hub, or one at an address, says. Raise ClientError, HubError or TimeoutError."""
        # On this machine the certificate's name doesn't fit
        session = async_get_clientsession(self._hass, verify_ssl=url is not None)
        url = url or self.url
        async with asyncio.timeout(HEALTH_S), session.get(f"{url}/health", allow_redirects=False) as answer:
            said = read_object(await read_bounded(answer, HEALTH_BYTES))
        if said.get("protocol") != 1:
            raise HubError("not_a_hub", "what answers there is no hub")
        return said

    @callback
    def _set(self, ready: Ready | None, code: str | None) -> None:
        if (ready, code) == (self.ready, self.code):
            return
        self.ready, self.code = ready, code
        self._turned.set()
        for listener in list(self._listeners):
            listener()


def _read_again(process: Process) -> None:
    """Have it read its configuration again."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGHUP)


async def _async_ready(process: Process) -> Ready | None:
    if process.stdout is None:
        return None
    try:
        async with asyncio.timeout(READY_S):
            line = await process.stdout.readline()
        said = json.loads(line)
        ready = Ready(int(said["port"]), said["hub_key"])
    except TimeoutError, ValueError, KeyError, TypeError:
        return None
    return ready if is_public_key(ready.hub_key) else None


async def _async_end(process: Process) -> None:
    """End a process: ask, wait, kill."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.stdin is not None:
        process.stdin.close()


async def _async_log(process: Process) -> None:
    """Bring its log into ours, line by line."""
    stream = process.stderr
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:  # longer than LINE_BYTES
            continue
        if not line:
            return
        level, text = _read_line(line)
        _LOGGER.log(level, "Hub: %s", text)


def _read_line(line: bytes) -> tuple[int, str]:
    try:
        said = json.loads(line)
        level, event = said.pop("level"), said.pop("event")
        said.pop("time", None)
    except ValueError, KeyError, AttributeError, TypeError:
        # A traceback, say. It may have anything in it, so nothing that would break our log.
        return logging.WARNING, ascii(line.decode(errors="replace").rstrip())[1:-1][:SHOWN]
    details = " ".join(f"{key}={json.dumps(value)}" for key, value in said.items())
    return LEVELS.get(level, logging.ERROR), f"{event} {details}".rstrip()[:SHOWN]


def _write(config: Path, folder: Path, settings: HubSettings, page: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    content = settings.to_json(folder, page if page.is_file() else None)
    save_json(str(config), content, private=True, atomic_writes=True)


def with_host(settings: HubSettings, key: str) -> HubSettings:
    """Return settings that let one more key found a neighborhood."""
    return replace(settings, hosts=(*settings.hosts, key))


def hub_settings(data: Mapping[str, Any]) -> HubSettings:
    """Return how the hub runs, from what a hosted neighborhood's subentry says of it."""
    return HubSettings(
        port=data[CONF_PORT],
        certificate=data[CONF_CERTIFICATE],
        private_key=data[CONF_PRIVATE_KEY],
        trusted_proxies=tuple(data[CONF_PROXIES]),
        hosts=(data[CONF_KEY],) if CONF_KEY in data else (),
    )
