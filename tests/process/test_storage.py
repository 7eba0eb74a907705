"""A real Home Assistant on a real disk of its own: full, gone, and there again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
import os
from pathlib import Path
import subprocess
import time

import pytest

from script.lib.hass_client import HassClient
from tests.fixtures.house import DOORBELL, House, until
from tests.process.keeping import (
    ask,
    choose_storage,
    clips_of,
    plays,
    save,
    seconds,
    until_said,
    until_true,
)

pytestmark = [pytest.mark.hass_process, pytest.mark.xdist_group("house")]

DISK_BYTES = 24_000_000
RESERVE_GB = 0.004
FOLDER = "disk"
MISSING_S = 3.0  # a fragment, a look at the inbox, and what the test itself takes


def mount(*arguments: object) -> bool:
    """Mount something; False where that isn't permitted."""
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Take a disk away as somebody does who pulls its plug: whoever has a file open there keeps it."""
    subprocess.run(["umount", "--lazy", folder], check=False, capture_output=True)


def free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def fill(folder: Path, leave_bytes: int) -> Path:
    """Write a file of somebody else's that leaves so much free."""
    path = folder / "somebody else's"
    with path.open("ab") as file, suppress(OSError):
        while (more := free_bytes(folder) - leave_bytes) > 0:
            file.write(bytes(min(more, 1_000_000)))
            file.flush()
    return path


@pytest.fixture
async def disk(house: House, tmp_path: Path) -> AsyncIterator[tuple[Path, Path]]:
    """A small disk, and where it is mounted in the media folder; the house's clips are kept on it."""
    disk, place = tmp_path / "disk", house.hass.config / "media" / FOLDER
    disk.mkdir()
    place.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk):
        pytest.skip("nothing can be mounted here")
    try:
        if not mount("--bind", disk, place):
            pytest.skip("nothing can be mounted here")
        async with house.client() as client:
            await choose_storage(house, client, FOLDER, RESERVE_GB)
            yield disk, place
            await choose_storage(house, client, "", 2)
            await until_said(client)
    finally:
        unmount(place)
        unmount(disk)
        place.rmdir()


async def test_a_full_disk_loses_the_oldest_then_stops_recording_and_goes_on_by_itself(
    house: House, disk: tuple[Path, Path], tmp_path: Path
) -> None:
    place = disk[1]
    reserve_bytes = round(RESERVE_GB * 1e9)
    async with house.client() as client:
        for entities in house.entities.values():  # or clips of motion would take the room
            await client.call("switch", "turn_off", entity_id=entities["switch.detection"])
        kept = await save(house, client, "Porch", 0, 2)
        await ask(client, "protect_clips", clips=[kept["id"]])
        kept["protected"] = True
        await save(house, client, "Porch", 0, 2)
        await save(house, client, "Porch", 0, 5)  # those of motion before it have ended meanwhile

        # Just too little is free: the oldest that isn't protected goes, and no more than that.
        there = (await ask(client, "get_clips"))["clips"]
        oldest = next(clip for clip in reversed(there) if clip["id"] != kept["id"])
        filler = fill(place, reserve_bytes - oldest["size_bytes"] // 2)

        async def one_less() -> bool:
            return len((await ask(client, "get_clips"))["clips"]) < len(there)

        await until_true(one_less, "the oldest has gone", within_s=15)
        assert (await ask(client, "get_clips"))["clips"] == [clip for clip in there if clip != oldest]
        assert free_bytes(place) >= reserve_bytes

        # Nothing is free at all, while a clip is being written.
        for entities in house.entities.values():
            await client.call("switch", "turn_on", entity_id=entities["switch.detection"])
        await until_recording(house, client, "Drive")
        full = time.time()
        fill(place, 0)
        await until_said(client, "disk_full")
        await watching_goes_on(house, client)
        assert [clip["id"] for clip in (await ask(client, "get_clips"))["clips"]] == [kept["id"]]

        # Room again.
        filler.unlink()
        await until_said(client)
        again = await save(house, client, "Porch", 0, 2)
        assert seconds(again["start"]) > full
        assert await plays(client, again, tmp_path) >= 2.0
        assert await plays(client, kept, tmp_path) >= 2.0
        # What was being written is kept, unless it had to go as the oldest that isn't protected.
        for clip in await clips_of(house, client, "Drive"):
            assert await plays(client, clip, tmp_path) > clip["duration_s"] - 0.15
    assert house.complaints() == []


async def test_a_drive_that_is_pulled_in_mid_clip_is_told_and_goes_on_when_it_is_back(
    house: House, disk: tuple[Path, Path], tmp_path: Path
) -> None:
    under, place = disk
    async with house.client() as client:
        before = await save(house, client, "Porch", 0, 2)
        await until_recording(house, client, "Drive")
        pulled = time.time()
        unmount(place)
        await until_said(client, "storage_missing")
        assert before["id"] in {clip["id"] for clip in await clips_of(house, client, "Porch")}
        await watching_goes_on(house, client)
        assert list(place.iterdir()) == []  # nothing is written to the folder it was mounted on

        assert mount("--bind", under, place)
        await until_said(client)
        again = await save(house, client, "Porch", 0, 2)
        assert seconds(again["start"]) > pulled
        assert await plays(client, again, tmp_path) >= 2.0
        assert await plays(client, before, tmp_path) >= 2.0
        drive = await clips_of(house, client, "Drive")
        begun, *_ = [clip for clip in drive if seconds(clip["start"]) < pulled]
        assert pulled - seconds(begun["end"]) < MISSING_S
        assert await plays(client, begun, tmp_path) > 1.0
    assert house.complaints() == []


async def until_recording(house: House, client: HassClient, name: str) -> None:
    """Wait until motion is being recorded for some seconds."""
    await until(client, house.entities[name]["binary_sensor.motion"], "off")
    await until(client, house.entities[name]["binary_sensor.motion"], "on")
    await asyncio.sleep(2)


async def watching_goes_on(house: House, client: HassClient) -> None:
    """See motion and a press, as long as nothing can be recorded."""
    porch = house.entities["Porch"]
    await until(client, porch["binary_sensor.motion"], "off")
    await until(client, porch["binary_sensor.motion"], "on")
    rung = await client.state(porch["event.doorbell"])
    await client.call("input_button", "press", entity_id=DOORBELL)

    async def told() -> bool:
        return await client.state(porch["event.doorbell"]) != rung

    await until_true(told, "a press is told", within_s=3)
