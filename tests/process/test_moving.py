"""A real Home Assistant's backup while it records, and what becomes of the clips on a new machine."""

import asyncio
import json
from pathlib import Path
import shutil
import time

import pytest

from script.lib.hass import RESTART_CODE
from script.lib.hass_client import HassClient
from tests.fixtures.house import House, until
from tests.process.keeping import BY_HAND, agree, ask, plays, save, seconds, until_said, until_true

pytestmark = [pytest.mark.hass_process, pytest.mark.xdist_group("house")]

RESTORE_S = 60.0
MISSING_S = 3.0  # of what the camera had sent before the backup: a fragment, and a look at the inbox


async def back_up(house: House, client: HassClient) -> Path:
    """Make a backup, as the owner does; return its file."""
    await client.command("backup/generate", agent_ids=["backup.local"], name="before moving")

    async def idle() -> bool:
        info = await client.command("backup/info")
        return bool(info["state"] == "idle" and info["last_action_event"])

    await until_true(idle, "the backup is made")
    info = await client.command("backup/info")
    assert info["last_action_event"]["state"] == "completed", info
    [file] = (house.hass.config / "backups").glob("*.tar")
    return file


def move(house: House, backup: Path, old: Path, *, with_media: bool = True) -> None:
    """End Home Assistant, and restore the backup where nothing is: at the same place, on a new machine."""
    hass = house.hass
    hass.kill()
    hass.config.rename(old)
    (hass.config / "backups").mkdir(parents=True)
    here = shutil.copy(old / "backups" / backup.name, hass.config / "backups")
    order = {
        "path": str(here),
        "password": None,
        "remove_after_restore": True,
        "restore_database": True,
        "restore_homeassistant": True,
    }
    (hass.config / ".HA_RESTORE").write_text(json.dumps(order))
    hass.launch()
    deadline_s = time.monotonic() + RESTORE_S
    while hass.exit_code() is None and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert hass.exit_code() == RESTART_CODE, hass.log_tail()
    hass.kill()
    # A restored link has become a copy of what it led to.
    code = hass.config / "custom_components" / "ringwatch"
    shutil.rmtree(code)
    code.symlink_to((old / "custom_components" / "ringwatch").readlink(), target_is_directory=True)
    if not with_media:
        shutil.rmtree(hass.config / "media")
        (hass.config / "media").mkdir()  # as /media is there on every machine
    hass.start()


async def all_clips(client: HassClient) -> dict[str, dict[str, object]]:
    """Return the clips of all cameras by id."""
    return {clip["id"]: clip for clip in (await ask(client, "get_clips", limit=500))["clips"]}


async def test_a_backup_in_mid_clip_has_every_clip_and_recording_goes_on(
    house: House, tmp_path: Path
) -> None:
    old = tmp_path / "old machine"
    async with house.client() as client:
        first = await save(house, client, "Porch", 0, 2)
        await ask(client, "protect_clips", clips=[first["id"]])
        before = await all_clips(client)
        asked = asyncio.create_task(save(house, client, "Drive", 0, 8))
        await asyncio.sleep(3)
        began = time.time()
        backup = await back_up(house, client)
        during = await asked
        assert seconds(during["start"]) < began
        assert (
            await plays(client, during, tmp_path) >= 8.0
        )  # nothing is missing in what was recorded meanwhile
        assert house.complaints() == []
    await asyncio.to_thread(move, house, backup, old)
    async with house.client() as client:
        await client.started()
        wanted = before.keys() | {during["id"]}  # the second one was in the spool folder

        async def there() -> bool:
            return wanted <= (await all_clips(client)).keys()

        await until_true(there, "the clips of the backup")
        found = await all_clips(client)
        assert found[first["id"]]["protected"]
        assert began - seconds(str(found[during["id"]]["end"])) < MISSING_S
        await until_said(client)
        assert await agree(house, client) >= len(wanted)
        assert seconds((await save(house, client, "Porch", 0, 2))["start"]) > began
    assert house.complaints() == []


@BY_HAND
async def test_without_its_media_folder_the_owner_is_asked(house: House, tmp_path: Path) -> None:
    """And may bring the clips later, or begin anew."""
    old = tmp_path / "old machine"
    async with house.client() as client:
        clip = await save(house, client, "Porch", 0, 2)
        backup = await back_up(house, client)
    await asyncio.to_thread(move, house, backup, old, with_media=False)
    async with house.client() as client:
        await client.started()
        await until_said(client, "storage_missing")
        assert clip["id"] in await all_clips(client)  # nothing is forgotten
        await until(client, house.entities["Porch"]["binary_sensor.motion"], "on")

        # The clips come later.
        folder = house.hass.config / "media" / "ringwatch"
        shutil.copytree(old / "media" / "ringwatch", folder.with_name("copied"))
        folder.with_name("copied").rename(
            folder
        )  # at once: files and rows are compared as soon as it is there
        await until_said(client)
        assert await plays(client, clip, tmp_path) >= 2.0
        await agree(house, client)

        # Or never.
        house.hass.stop()
        shutil.rmtree(folder)
        await asyncio.to_thread(house.hass.start)
        await client.started()
        await until_said(client, "storage_missing")
        path = "/api/repairs/issues/fix"
        flow = await client.post(path, {"handler": "ringwatch", "issue_id": "storage"})
        done = await client.post(f"{path}/{flow['flow_id']}", {})
        assert done["type"] == "create_entry", done
        await until_said(client)
        again = await save(house, client, "Porch", 0, 2)

        async def forgotten() -> bool:
            found = await all_clips(client)
            return again["id"] in found and clip["id"] not in found

        await until_true(forgotten, "clips that are gone are forgotten")
        await agree(house, client)
