"""What is recorded when Home Assistant stops, reloads or is backed up; and that nothing of it blocks."""

import asyncio
import logging
from pathlib import Path
import sqlite3

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.ringwatch.clips import Clip, ClipReady, PacketsDropped, PausedError
from custom_components.ringwatch.const import DOMAIN
from homeassistant.components.backup.const import DATA_MANAGER
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from tests.fixtures.clips import (
    FOREVER,
    async_ask,
    async_open,
    async_record,
    async_recording,
    async_save,
    clip_threads,
    files,
    finished,
    furnish,
    media,
    pictures,
    store_of,
)
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import FRONT, TOP, async_call, async_until, async_until_state, threads


@pytest.fixture
def clip(hass: HomeAssistant, socket_enabled: None) -> Clip:
    """A clip from before Home Assistant started."""
    return furnish(hass)


def database(hass: HomeAssistant) -> set[str]:
    """Return the database's files."""
    return {path.name for path in Path(hass.config.path(DOMAIN)).iterdir() if path.is_file()}


@pytest.mark.parametrize("how", ["stop", "unload"])
async def test_what_is_being_recorded_is_kept_and_every_thread_ends(
    hass: HomeAssistant, live: LiveCamera, how: str
) -> None:
    entry = await async_record(hass, live.url())
    assert {thread.name for thread in clip_threads()} == {"ringwatch clips", "ringwatch clips Front door"}
    saving = hass.async_create_background_task(async_save(hass, length=60), "save")
    await async_recording(hass, entry)
    assert "catalogue.db-wal" in database(hass)
    if how == "stop":
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
        await hass.async_block_till_done()
    else:
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert not threads()
    assert not clip_threads()
    assert database(hass) == {"catalogue.db"}
    [saved] = await saving
    assert saved["duration_s"] > 0
    assert finished(media(hass)) == files(media(hass))
    [video] = [name for name in finished(media(hass)) if name.endswith(".mp4")]
    assert pictures(media(hass) / video)


async def test_whoever_reads_last_puts_the_log_away(hass: HomeAssistant, clip: Clip) -> None:
    entry = await async_open(hass)
    with store_of(entry).questions._open() as reader:
        assert reader.execute("SELECT COUNT(*) FROM clips").fetchone() == (1,)
        await hass.config_entries.async_unload(entry.entry_id)
        assert not clip_threads()
        assert "catalogue.db-wal" in database(hass)
        with pytest.raises(sqlite3.OperationalError):
            reader.execute("DELETE FROM clips")
    assert database(hass) == {"catalogue.db"}


async def test_news_that_come_after_the_end_open_nothing(hass: HomeAssistant, clip: Clip) -> None:
    entry = await async_open(hass)
    recordings = entry.runtime_data.recordings
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_add_executor_job(recordings._from_thread, ClipReady(clip))
    await hass.async_block_till_done()
    assert database(hass) == {"catalogue.db"}
    assert recordings.totals(FRONT).size_bytes == clip.size_bytes


async def test_recording_goes_on_after_a_reload(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_record(hass, live.url())
    await async_save(hass)
    await hass.config_entries.async_reload(entry.entry_id)
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
    await async_save(hass)
    await async_until_state(hass, "sensor.front_door_clips_today", "2")
    assert {thread.name for thread in clip_threads()} == {"ringwatch clips", "ringwatch clips Front door"}


async def test_a_set_up_that_fails_leaves_no_thread(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise HomeAssistantError("a platform that can't be imported")

    monkeypatch.setattr(hass.config_entries, "async_forward_entry_setups", fail)
    entry = await async_open(hass)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert not clip_threads()
    assert database(hass) == {"catalogue.db"}


async def test_packets_that_are_lost_are_told(
    hass: HomeAssistant, clip: Clip, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await async_open(hass)
    news = PacketsDropped(FRONT, 12, 1.5)
    await hass.async_add_executor_job(entry.runtime_data.recordings._from_thread, news)
    await async_until(lambda: "Front door: 1.5 s are missing in a clip" in caplog.text)


async def test_during_a_backup_nothing_is_moved_and_recording_goes_on(
    hass: HomeAssistant, live: LiveCamera, clip: Clip
) -> None:
    entry = await async_record(hass, live.url(), options=FOREVER)
    assert await async_setup_component(hass, "backup", {})
    await hass.async_block_till_done()
    manager = hass.data[DATA_MANAGER]
    assert DOMAIN in manager.platforms

    await manager.async_pre_backup_actions()
    log = media(hass).parent / DOMAIN / "catalogue.db-wal"
    assert log.stat().st_size == 0  # all of it is in the one file
    before = finished(media(hass))
    recording = entry.runtime_data.cameras[FRONT].recording
    saving = recording.async_save(0.0, 1.0)
    with pytest.raises(PausedError):
        await hass.async_add_executor_job(store_of(entry).delete, [clip.id])
    await async_recording(hass, entry)
    await async_until(lambda: not recording.state.recording, "the end of the clip")
    assert finished(media(hass)) == before
    assert log.stat().st_size == 0
    assert not saving.done()

    await manager.async_post_backup_actions()
    deleted = await hass.async_add_executor_job(store_of(entry).delete, [clip.id])
    assert deleted.deleted == (clip.id,)
    [saved] = await asyncio.wrap_future(saving)
    assert finished(media(hass)) == {saved.path, saved.thumbnail}

    await hass.config_entries.async_unload(entry.entry_id)
    await manager.async_pre_backup_actions()  # nothing to hold still
    await manager.async_post_backup_actions()


async def test_nothing_of_it_blocks(
    hass: HomeAssistant,
    live: LiveCamera,
    detection_on: None,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await async_record(hass, live.url(), press="webhook", webhook_id="bell")
    socket = await hass_ws_client()
    client = await hass_client()
    await client.post("/api/webhook/bell")
    [saved] = await async_save(hass)
    zones = [{"name": "Street", "kind": "privacy", "points": TOP}]
    await async_call(hass, "ringwatch.set_zones", "camera.front_door", zones=zones)
    await async_save(hass)
    await client.get(saved["clip"], headers={"Range": "bytes=0-99"})
    await client.get(saved["thumbnail"])
    for kind, where in (
        ("browse_media", f"camera/{FRONT}"),
        ("browse_media", f"day/{FRONT}/{saved['start'][:10]}"),
        ("resolve_media", f"clip/{saved['id']}"),
    ):
        await socket.send_json_auto_id(
            {"type": f"media_source/{kind}", "media_content_id": f"media-source://{DOMAIN}/{where}"}
        )
        assert (await socket.receive_json())["success"]
    await async_ask(hass, "get_clips")
    await async_ask(hass, "protect_clips", clips=[saved["id"]])
    target = f"{hass.config.media_dirs['local']}/copy.mp4"
    await async_ask(hass, "export_clip", clip=saved["id"], filename=target, h264=True)
    await async_ask(hass, "delete_clips", clips=[saved["id"]], force=True)
    await async_ask(hass, "rebuild_catalogue")
    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    await async_call(hass, "switch.turn_off", "switch.front_door_privacy")
    form = await hass.config_entries.options.async_init(entry.entry_id)
    typed = {"storage": "local", "folder": "new", "keep_days": 1, "keep_gb": 0, "reserve_gb": 0}
    await hass.config_entries.options.async_configure(form["flow_id"], typed)
    await hass.async_block_till_done()
    await hass.config_entries.async_remove(entry.entry_id)
    complaints = [record.getMessage() for record in caplog.records if "blocking call" in record.getMessage()]
    assert not complaints
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
