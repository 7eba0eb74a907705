"""`script/demo --street`: two homes and a hub to click through; or, to check, the whole way by itself."""

import asyncio
from contextlib import suppress
from pathlib import Path
import secrets
import shutil
import signal
import tempfile
import time

from script.lib.demo_footage import FootageError, choose_footage
from script.lib.footage import LoopSettings
from script.lib.hass import HassError
from script.lib.servers import MediaServer, RtspServer, ServerError, TsServer
from script.lib.street import Street, StreetError, open_street, settle, walk

USERNAME = "demo"
SETTINGS = LoopSettings(fps=15.0)  # what cameras send
LOOK_S = 1.0

WELCOME = """
  Two homes in one neighborhood, Maple Street:
    Anna's  {anna}   has the camera and hosts the hub
    Ben's   {ben}   has joined with Anna's invite
    user      {username}
    password  {password}
  Try Settings > Tools > Actions: Ringwatch: Post clip, Get feed, Comment ...
  Ctrl-C ends all of it.
"""


def run_street(footage: list[Path], *, check: bool) -> int:
    """Run it until it is told to stop, or until the check is through; return the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="ringwatch-street-"))
    try:
        asyncio.run(_run(folder, footage, check=check))
    except (FootageError, HassError, ServerError, StreetError, OSError) as err:
        _say(f"street: {err}")
        if check:
            _say("check: FAILED")
        return 1
    except KeyboardInterrupt, asyncio.CancelledError:
        return 1 if check else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


async def _run(folder: Path, footage: list[Path], *, check: bool) -> None:
    _cancel_on_signals()
    began_s = time.monotonic()
    chosen, origin = await asyncio.to_thread(choose_footage, footage)
    _say(f"Anna's camera shows {next(iter(chosen))} ({origin}). Starting two Home Assistants ...")
    password = secrets.token_urlsafe(9)
    async with open_street(folder, _camera(next(iter(chosen.values()))), USERNAME, password) as street:

        def tell(what: str) -> None:
            _say(f"[{time.monotonic() - began_s:6.1f} s] {what}")

        if check:
            await walk(street, tell)
            _say("check: passed")
            return
        await settle(street, tell)
        urls = {"anna": street.anna.hass.url, "ben": street.ben.hass.url}
        _say(WELCOME.format(**urls, username=USERNAME, password=password))
        await _stay(street)


def _camera(footage: Path) -> MediaServer:
    kind = RtspServer if RtspServer.available() else TsServer
    return kind({"porch": footage}, SETTINGS)


async def _stay(street: Street) -> None:
    """Return never; raise when one of the homes ends."""
    while True:
        await asyncio.sleep(LOOK_S)
        for home in (street.anna, street.ben):
            if (code := home.hass.exit_code()) is not None:
                raise HassError(f"a Home Assistant ended with code {code}:\n{home.hass.log_tail()}")


def _cancel_on_signals() -> None:
    """Let SIGTERM and a closed terminal end it as Ctrl-C does."""
    loop = asyncio.get_running_loop()
    if (task := asyncio.current_task()) is not None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        print(text, flush=True)
