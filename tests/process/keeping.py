"""What the tests of recording ask a real Home Assistant for, and what has to hold of its files and rows."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
import os
from pathlib import Path
import time
from typing import Any

import pytest

from custom_components.ringwatch.clips.queries import Questions
from script.lib.hass_client import HassClient
from script.lib.kill_recorder import check, duration_s
from tests.fixtures.house import POLL_S, House, until

BY_HAND = pytest.mark.skipif("RINGWATCH_TRIALS" not in os.environ, reason="takes minutes: RINGWATCH_TRIALS=1")

type Answer = dict[str, Any]


async def ask(client: HassClient, action: str, **data: object) -> Answer:
    """Call one of Ringwatch's actions and return its response."""
    said = await client.post(f"/api/services/ringwatch/{action}?return_response", data)
    return dict(said["service_response"])


async def save(house: House, client: HassClient, name: str, look_back: float, length: float) -> Answer:
    """Save a clip of a camera."""
    camera = house.entities[name]["camera.camera"]
    await until(client, house.entities[name]["binary_sensor.connectivity"], "on")
    said = await ask(client, "save_clip", entity_id=camera, look_back=look_back, length=length)
    [clip] = said[camera]["clips"]
    return dict(clip)


async def clips_of(house: House, client: HassClient, name: str, **wanted: object) -> list[Answer]:
    """Return a camera's clips, newest first."""
    said = await ask(client, "get_clips", entity_id=house.entities[name]["camera.camera"], **wanted)
    return list(said["clips"])


async def choose_storage(house: House, client: HassClient, folder: str, reserve_gb: float) -> None:
    """Choose where clips are kept, as the owner does, and wait until it holds."""
    path = "/api/config/config_entries/options/flow"
    flow = await client.post(path, {"handler": house.entry_id})
    chosen = {"storage": "local", "folder": folder, "keep_days": 30, "keep_gb": 0, "reserve_gb": reserve_gb}
    done = await client.post(f"{path}/{flow['flow_id']}", chosen)
    assert done["type"] == "create_entry", done
    for entities in house.entities.values():
        await until(client, entities["binary_sensor.connectivity"], "on")


async def until_said(client: HassClient, *keys: str, within_s: float = 30.0) -> None:
    """Wait until these are the repair issues of Ringwatch, and no others."""

    async def said() -> bool:
        found = await client.command("repairs/list_issues")
        ours = [issue["translation_key"] for issue in found["issues"] if issue["domain"] == "ringwatch"]
        return sorted(ours) == sorted(keys)

    await until_true(said, f"issues {keys}", within_s)


async def until_true(holds: Callable[[], Awaitable[bool]], what: str, within_s: float = 30.0) -> None:
    """Wait for something."""
    deadline_s = time.monotonic() + within_s
    while not await holds():
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
        await asyncio.sleep(POLL_S)


async def agree(house: House, client: HassClient) -> int:
    """Check that there is a row for every file, a file for every row, and that each plays; return how many.

    Privacy ends all recordings, so nothing is on its way meanwhile.
    """
    for entities in house.entities.values():
        await client.call("switch", "turn_on", entity_id=entities["switch.privacy"])
    media = house.hass.config / "media"

    async def settled() -> bool:
        return not list((media / "ringwatch" / ".recording").iterdir())

    try:
        await until_true(settled, "all that was recorded is in its place")
        await asyncio.sleep(1)  # a row is ready some moments after its file has left the spool folder
        clips = Questions(house.hass.config / "ringwatch").page(limit=500).clips
        await asyncio.to_thread(check, media, clips)
    finally:
        for entities in house.entities.values():
            await client.call("switch", "turn_off", entity_id=entities["switch.privacy"])
            await until(client, entities["binary_sensor.connectivity"], "on")
    return len(clips)


async def plays(client: HassClient, clip: Answer, folder: Path) -> float:
    """Return for how many seconds a clip plays, as it is served."""
    path = folder / "served.mp4"
    path.write_bytes(await client.get_bytes(clip["clip"]))
    return await asyncio.to_thread(duration_s, path)


def seconds(time_text: str) -> float:
    """Return a time that an answer gives."""
    return datetime.fromisoformat(time_text).timestamp()
