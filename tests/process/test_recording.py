"""A real Home Assistant that records: killed in mid-clip, a camera that goes away in mid-clip."""

import asyncio
from contextlib import suppress
from pathlib import Path
import time

import aiohttp
import pytest

from script.lib.kill_recorder import begun_s
from tests.fixtures.house import House, until
from tests.process.keeping import BY_HAND, agree, clips_of, plays, save, seconds, until_true

pytestmark = [pytest.mark.hass_process, pytest.mark.xdist_group("house")]

LOST_S = 2.0  # of what was on disk
MISSING_S = 3.0  # of what the camera had sent: a fragment, a look at the inbox, and the test's own delays


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=BY_HAND), pytest.param(3, marks=BY_HAND)])
async def test_a_kill_in_mid_clip_loses_no_more_than_the_last_moments(
    house: House, number: int, tmp_path: Path
) -> None:
    spool = house.hass.config / "media" / "ringwatch" / ".recording"
    async with house.client() as client:
        asked = asyncio.create_task(save(house, client, "Porch", 0, 120))
        began = time.time()
        await asyncio.sleep(5 + number)
        house.hass.kill()
        killed = time.time()
        with suppress(aiohttp.ClientError):
            await asked
    on_disk = {path.stem: begun_s(path) for path in spool.glob("*.mp4")}
    assert max(on_disk.values()) > 5.0
    await asyncio.to_thread(house.hass.start)
    async with house.client() as client:
        await client.started()

        async def back() -> bool:
            found = {clip["id"]: clip for clip in await clips_of(house, client, "Porch")}
            found |= {clip["id"]: clip for clip in await clips_of(house, client, "Drive")}
            return found.keys() >= {clip_id for clip_id, there_s in on_disk.items() if there_s > 0.0}

        await until_true(back, f"clips of the files {on_disk}")
        found = await clips_of(house, client, "Porch", limit=500) + await clips_of(house, client, "Drive")
        for clip in found:
            if clip["id"] in on_disk:
                played_s = await plays(client, clip, tmp_path)
                assert played_s > on_disk[clip["id"]] - LOST_S
        [saved] = [clip for clip in found if clip["id"] in on_disk and clip["triggers"] == ["save"]]
        assert seconds(saved["start"]) <= began + 0.5
        missing_s = killed - seconds(saved["end"])
        print(f"on disk {on_disk}, missing {missing_s:.2f} s")
        assert missing_s < MISSING_S
        assert await agree(house, client) >= len(found)


async def test_a_camera_that_goes_away_in_mid_clip_leaves_a_clip(house: House, tmp_path: Path) -> None:
    porch = house.entities["Porch"]
    async with house.client() as client:
        await until(client, porch["binary_sensor.motion"], "on")
        await asyncio.sleep(2)
        before = {clip["id"] for clip in await clips_of(house, client, "Porch")}
        stopped = time.time()
        house.porch.kill()
        new: list[dict[str, object]] = []

        async def there() -> bool:
            new[:] = [clip for clip in await clips_of(house, client, "Porch") if clip["id"] not in before]
            return bool(new)

        await until_true(there, "a clip of what came before", within_s=15)
        [clip] = new
        print(f"{stopped - seconds(str(clip['end'])):.2f} s before the end of the stream")
        assert abs(stopped - seconds(str(clip["end"]))) < 1.5
        assert abs(await plays(client, clip, tmp_path) - float(str(clip["duration_s"]))) < 0.15
        house.porch.start()
        await until(client, porch["binary_sensor.connectivity"], "on")
        again = await save(house, client, "Porch", 1, 3)
        assert seconds(again["start"]) > stopped
        assert await plays(client, again, tmp_path) >= 3.0
    assert house.complaints() == []
