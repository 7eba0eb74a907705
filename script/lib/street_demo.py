"""`script/demo --street`: two homes, a hub and an agency to click through; or the whole way, to check."""

import asyncio
from contextlib import suppress
from pathlib import Path
import secrets
import shutil
import signal
import tempfile
import time

from script.lib.browser import chromium
from script.lib.demo_footage import FootageError, choose_footage
from script.lib.footage import LoopSettings
from script.lib.hass import HassError
from script.lib.servers import MediaServer, RtspServer, ServerError, TsServer
from script.lib.street import Street, StreetError, check_logs, open_street, settle, walk
from script.lib.street_agency import DOMAIN, Precinct, enroll
from script.lib.street_footage import walk_footage
from script.lib.street_website import open_website

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
  And an officer who may ask for footage, with a page on the officer's own disk:
    page      {page}
    key file  {key_file}
    its passphrase  {passphrase}
  What is asked waits for Anna, a moderator, in her sidebar's Ringwatch: {anna}/ringwatch
  Everybody can read what was asked, and what became of it: {register}
  Ctrl-C ends all of it.
"""


def run_street(footage: list[Path], *, check: bool, pictures: Path | None = None) -> int:
    """Run it until it is told to stop, or until the check is through; return the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="ringwatch-street-"))
    try:
        asyncio.run(_run(folder, footage, check=check, pictures=pictures))
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


async def _run(folder: Path, footage: list[Path], *, check: bool, pictures: Path | None) -> None:
    _cancel_on_signals()
    began_s = time.monotonic()
    chosen, origin = await asyncio.to_thread(choose_footage, footage)
    _say(f"Anna's camera shows {next(iter(chosen))} ({origin}). Starting two Home Assistants ...")
    password = secrets.token_urlsafe(9)
    camera = _camera(next(iter(chosen.values())))
    async with (
        open_website(folder, DOMAIN) as website,
        open_street(folder, camera, USERNAME, password, prepare=website.tell) as street,
    ):

        def tell(what: str) -> None:
            _say(f"[{time.monotonic() - began_s:6.1f} s] {what}")

        if check:
            if chromium() is None:
                raise StreetError("Chromium isn't installed: script/bootstrap installs it, as root on Debian")
            await walk(street, tell)
            await walk_footage(street, website, folder, tell, pictures)
            check_logs(street)
            _say("check: passed")
            return
        await settle(street, tell)
        precinct = await enroll(street, website, folder / "police", tell)
        _say(_welcome(street, precinct, password))
        await _stay(street)


def _welcome(street: Street, precinct: Precinct, password: str) -> str:
    return WELCOME.format(
        anna=street.anna.hass.url,
        ben=street.ben.hass.url,
        username=USERNAME,
        password=password,
        page=precinct.page.as_uri(),
        key_file=precinct.key_file,
        passphrase=precinct.passphrase,
        register=precinct.register,
    )


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
