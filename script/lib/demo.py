"""The demo: footage played as live cameras, a real Home Assistant that watches them, and a dashboard.

`--keep` is for more than one run: its folder remembers ports, password and cameras. Otherwise everything is
thrown away at the end. However the end comes: the processes end when this one is gone.
"""

import argparse
import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import secrets
import shutil
import signal
import sys
import tempfile
import time

from script.lib.dashboard import DASHBOARD, show_dashboard
from script.lib.demo_check import watch_for_motion
from script.lib.demo_footage import FootageError, choose_footage
from script.lib.footage import LoopSettings
from script.lib.hass import RESTART_CODE, START_S, HassError, HassProcess, free_port, is_free
from script.lib.hass_client import HassClient
from script.lib.servers import MediaServer, RtspServer, ServerError, TsServer

DEFAULT_PORT = 8123
USERNAME = "demo"
DOORBELL = "input_button.doorbell"  # rings the first camera's bell
SETTINGS = LoopSettings(fps=15.0)  # what cameras send
HOLD_S = 2  # the footage is busier than a yard: with the usual hold time motion would hardly ever end
LOOK_S = 1.0  # between looks at whether everything still runs

WELCOME = """
  Ringwatch runs in Home Assistant: {url}/{dashboard}
    user      {username}
    password  {password}
  Ctrl-C ends all of it.
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a kept demo remembers, in `demo.json` of its folder."""

    port: int
    camera_port: int
    password: str
    cameras: dict[str, str]  # footage by camera name


def main() -> None:
    """Run the demo until it is told to stop."""
    parser = argparse.ArgumentParser(prog="script/demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--port", type=int, default=0, help=f"of Home Assistant; {DEFAULT_PORT} if that is free"
    )
    parser.add_argument(
        "--footage", type=Path, nargs="+", default=[], metavar="FILE", help="one camera a file"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep everything there, and go on from it")
    parser.add_argument(
        "--headless-check", action="store_true", help="wait for motion and its picture; 0 or 1"
    )
    parser.add_argument(
        "--street", action="store_true", help="two homes and a hub instead: a neighborhood to click through"
    )
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="of the steps of --street's check")
    options = parser.parse_args()
    if options.street:
        if options.keep or options.port:
            parser.error("--street takes free ports, and keeps nothing")
        from script.lib.street_demo import run_street  # needs more than the rest

        sys.exit(run_street(options.footage, check=options.headless_check, pictures=options.pictures))
    folder = options.keep.resolve() if options.keep else Path(tempfile.mkdtemp(prefix="ringwatch-demo-"))
    try:
        code = asyncio.run(_run(options, folder))
    except (FootageError, HassError, ServerError, OSError) as err:
        _say(f"demo: {err}")
        code = 1
    except KeyboardInterrupt, asyncio.CancelledError:
        code = 1 if options.headless_check else 0
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


async def _run(options: argparse.Namespace, folder: Path) -> int:
    """Start everything, say where it is, stay until the end."""
    _cancel_on_signals()
    began_s = time.monotonic()
    kept = _recall(folder)
    if kept and options.footage:
        raise FootageError(f"{folder} has its cameras already: leave out --footage, or choose another folder")
    given = [Path(path) for path in kept.cameras.values()] if kept else options.footage
    footage, origin = await asyncio.to_thread(choose_footage, given)
    if kept:
        footage = dict(zip(kept.cameras, footage.values(), strict=True))
    port = (
        options.port or (kept.port if kept else 0) or (DEFAULT_PORT if is_free(DEFAULT_PORT) else free_port())
    )
    if not is_free(port):
        raise HassError(f"port {port} is taken: choose another with --port")
    _say(f"Cameras: {', '.join(footage)} ({origin})")
    server = await asyncio.to_thread(_make_server, footage, kept.camera_port if kept else 0)
    hass = HassProcess(folder, port=port)
    password = kept.password if kept else secrets.token_urlsafe(9)
    try:
        server.start()
        _say(f"Cameras play at {server.url('camera1')} and so on. Starting Home Assistant ...")
        hass.launch()
        await _wait_for(hass)
        async with HassClient(hass.url) as client:
            cameras = await set_up(client, server, list(footage), password, is_new=kept is None)
            _remember(
                folder, Kept(port, server.port, password, {name: str(p) for name, p in footage.items()})
            )
            _say(WELCOME.format(url=hass.url, dashboard=DASHBOARD, username=USERNAME, password=password))
            if options.headless_check:
                return await watch_for_motion(client, cameras, hass.log, began_s)
        await _stay(hass, server)
    finally:
        hass.stop()
        server.stop()
        _say(f"Stopped{f'; all of it is kept in {folder}' if options.keep else ''}.")
    return 0


def _make_server(footage: dict[str, Path], port: int) -> MediaServer:
    """Prepare the server; cameras are camera1, camera2 ... there."""
    loops = {f"camera{number}": path for number, path in enumerate(footage.values(), start=1)}
    if RtspServer.available():
        return RtspServer(loops, SETTINGS, port=port)
    _say("No RTSP server here (script/bootstrap says what to install): MPEG-TS over HTTP instead.")
    return TsServer(loops, SETTINGS, port=port)


async def _wait_for(hass: HassProcess) -> None:
    deadline_s = time.monotonic() + START_S
    while not hass.answers():
        if hass.exit_code() is not None or time.monotonic() > deadline_s:
            raise HassError(f"Home Assistant did not start. The end of its log:\n{hass.log_tail()}")
        await asyncio.sleep(0.2)


async def set_up(
    client: HassClient, server: MediaServer, names: list[str], password: str, *, is_new: bool
) -> dict[str, dict[str, str]]:
    """Do what the owner would do once; return each camera's entities."""
    if is_new:
        await client.onboard(USERNAME, password)
    else:
        await client.sign_in(USERNAME, password)
    await client.started()
    cameras: dict[str, dict[str, str]] = {}
    if is_new:
        entry_id, flow_id = await client.add_ringwatch()
        press = DOORBELL
        for number, name in enumerate(names, start=1):
            url = server.url(f"camera{number}")
            cameras[name] = await client.add_camera(
                entry_id, name, url, flow_id=flow_id, press_entity_id=press
            )
            await client.call("number", "set_value", entity_id=cameras[name]["number.hold"], value=HOLD_S)
            flow_id = press = ""  # the flow that Ringwatch opened, and the bell, are the first camera's
        await show_dashboard(client, cameras, DOORBELL)
    else:
        entries = await client.get("/api/config/config_entries/entry?domain=ringwatch")
        for name in names:
            cameras[name] = await client.camera_entities(entries[0]["entry_id"], name)
    return cameras


async def _stay(hass: HassProcess, server: MediaServer) -> None:
    """Return never; start again what was restarted in the frontend, or died."""
    while True:
        await asyncio.sleep(LOOK_S)
        code = hass.exit_code()
        if code == RESTART_CODE:
            _say("Home Assistant restarts.")
            hass.launch()
        elif code is not None:
            raise HassError(f"Home Assistant ended with code {code}. The end of its log:\n{hass.log_tail()}")
        if not server.alive:
            _say("The cameras' server ended; starting it again.")
            server.restart()


def _cancel_on_signals() -> None:
    """Let SIGTERM and a closed terminal end the demo as Ctrl-C does."""
    loop = asyncio.get_running_loop()
    if (task := asyncio.current_task()) is not None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)


def _recall(folder: Path) -> Kept | None:
    """Return what a demo in this folder remembered, None for an empty or new folder."""
    path = folder / "demo.json"
    if path.exists():
        return Kept(**json.loads(path.read_text()))
    if folder.exists() and any(folder.iterdir()):
        raise HassError(f"{folder} is not empty, and no finished demo is in it: choose another folder")
    return None


def _remember(folder: Path, kept: Kept) -> None:
    path = folder / "demo.json"
    path.touch(0o600)
    path.write_text(json.dumps(asdict(kept), indent=2))


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        print(text, flush=True)


if __name__ == "__main__":
    main()
