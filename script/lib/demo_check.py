"""The demo's own check: motion goes on and off, and a picture of it is there."""

import asyncio
from datetime import datetime
import io
from pathlib import Path
import time

from PIL import Image, UnidentifiedImageError

from script.lib.hass import HassError
from script.lib.hass_client import HassClient

PATIENCE_S = 240.0  # several loops of the footage
LOOK_S = 0.25


async def watch_for_motion(
    client: HassClient, cameras: dict[str, dict[str, str]], log: Path, began_s: float
) -> int:
    """Wait for one camera's motion to go on and off with a picture of it; return 0, or 1 after a while."""
    up_s = time.monotonic() - began_s
    print(f"[{up_s:6.1f} s] up; waiting for motion, {PATIENCE_S:.0f} s at most", flush=True)
    watches = [asyncio.create_task(_watch(client, name, has, began_s)) for name, has in cameras.items()]
    done, pending = await asyncio.wait(watches, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for line in _errors(log):
        print(f"logged: {line}")
    for task in done:
        task.result()
        print("check: passed", flush=True)
        return 0
    for has in cameras.values():
        print(f"{has['binary_sensor.motion']}: {await client.state(has['binary_sensor.motion'])}")
    print("check: FAILED, no motion went on and off", flush=True)
    return 1


async def _watch(client: HassClient, name: str, entities: dict[str, str], began_s: float) -> None:
    """Return once a camera's motion went on, off, and its picture was fetched."""

    def tell(what: str) -> None:
        print(f"[{time.monotonic() - began_s:6.1f} s] {name}: {what}", flush=True)

    motion, picture = entities["binary_sensor.motion"], entities["image.last_event"]
    await _wait_until(client, motion, "off")  # what moves while we start has no beginning that we saw
    await _wait_until(client, motion, "on")
    tell(f"{motion} went on")
    await _wait_until(client, motion, "off")
    tell(f"{motion} went off")
    while True:
        state = await client.state(picture)
        if state and _is_time(state["state"]):
            size = _jpeg_size(await client.get_bytes(f"/api/image_proxy/{picture}"))
            tell(f"{picture} is a JPEG of {size}, taken {state['state']}")
            break
        await asyncio.sleep(LOOK_S)
    camera = next(entity for key, entity in entities.items() if key.startswith("camera."))
    tell(f"{camera} shows a JPEG of {_jpeg_size(await client.get_bytes(f'/api/camera_proxy/{camera}'))}")


async def _wait_until(client: HassClient, entity_id: str, wanted: str) -> None:
    while True:
        state = await client.state(entity_id)
        if state and state["state"] == wanted:
            return
        await asyncio.sleep(LOOK_S)


def _jpeg_size(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            image.load()
            return f"{image.width}x{image.height}"
    except UnidentifiedImageError as err:
        raise HassError(f"what should be a JPEG begins with {data[:40]!r}") from err


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _errors(log: Path) -> list[str]:
    """Return the lines of Home Assistant's log that are errors."""
    return [line for line in log.read_text(errors="replace").splitlines() if " ERROR " in line]
