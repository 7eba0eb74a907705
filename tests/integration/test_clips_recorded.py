"""From what happens in front of a camera to a clip: file, picture, row, event, sensors."""

from datetime import timedelta
import io

from PIL import Image
import probatio
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from tests.fixtures.clips import (
    ROLLS,
    async_record,
    async_recording,
    async_save,
    boxes,
    files,
    finished,
    gray,
    media,
    pictures,
    store_of,
)
from tests.fixtures.flows import async_answer, async_reconfigure, suggested
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    FRONT,
    TOP,
    async_call,
    async_until,
    async_until_state,
    state,
    threads,
)

CAMERA = "camera.front_door"
CLIP_EVENT = "event.front_door_clip"
BRIGHT = 200  # who walks is brighter, the wall is not


async def test_motion_becomes_a_clip(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    entry = await async_record(hass, live.url())
    recording = entry.runtime_data.cameras[FRONT].recording
    await async_until(lambda: recording.state and recording.state.buffer_s > 10)
    live.moving = True
    await async_until_state(hass, "binary_sensor.front_door_motion", "on")
    live.moving = False
    await async_until(lambda: state(hass, CLIP_EVENT) != "unknown", "the clip")

    found = hass.states.get(CLIP_EVENT)
    assert found
    told = found.attributes
    assert told["event_type"] == "clip_ready"
    clip = store_of(entry).questions.get(told["id"])
    assert clip
    assert (told["camera"], told["triggers"], told["protected"]) == ("Front door", ["motion"], False)
    assert told["start"] == clip.start.isoformat()
    assert told["duration_s"] == round(clip.duration_s, 1)
    assert told["score"] == round(clip.score, 3) > 0
    assert (told["size_bytes"], told["has_sound"]) == (clip.size_bytes, False)
    assert clip.reason
    assert clip.moments
    assert clip.onset
    assert clip.start <= clip.onset - timedelta(seconds=1.0)

    assert finished(media(hass)) == {clip.path, clip.thumbnail}
    shown = pictures(media(hass) / clip.path)
    assert shown[0].shape == (240, 320)
    assert shown[0].max() < BRIGHT
    assert max(picture.max() for picture in shown) > BRIGHT
    kinds = boxes(media(hass) / clip.path)
    assert kinds.index("moov") < kinds.index("mdat")

    client = await hass_client()
    picture = await client.get(told["thumbnail"])
    assert gray(await picture.read()).max() > BRIGHT
    video = await client.get(told["clip"])
    assert await video.read() == (media(hass) / clip.path).read_bytes()

    await async_until_state(hass, "sensor.front_door_clips_today", "1")
    used = hass.states.get("sensor.front_door_storage_used")
    assert used
    assert float(used.state) == pytest.approx(clip.size_bytes / 1e9)
    assert used.attributes["unit_of_measurement"] == "GB"


async def test_a_press_becomes_a_clip(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    entry = await async_record(hass, live.url(), press="webhook", webhook_id="bell")
    client = await hass_client()
    await client.post("/api/webhook/bell")
    await async_recording(hass, entry)
    await async_until(lambda: state(hass, CLIP_EVENT) != "unknown", "the clip")
    found = hass.states.get(CLIP_EVENT)
    assert found
    assert found.attributes["triggers"] == ["press"]
    assert len(pictures(media(hass) / store_of(entry).questions.page().clips[0].path)) > 0
    thumbnail = await (await client.get(found.attributes["thumbnail"])).read()
    assert Image.open(io.BytesIO(thumbnail)).size == (320, 240)


async def test_a_clip_can_be_saved_at_once_with_what_came_before(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_record(hass, live.url())
    live.moving = True
    await async_until(lambda: state(hass, "event.front_door_motion") != "unknown")
    recording = entry.runtime_data.cameras[FRONT].recording
    await async_until(lambda: recording.state and recording.state.buffer_s > 12)
    [saved] = await async_save(hass, look_back=1, length=1)
    assert saved["triggers"] == ["save"]
    clip = store_of(entry).questions.get(saved["id"])
    assert clip
    assert clip.duration_s > 9.9  # a second, of which the camera makes ten times as much
    assert len(pictures(media(hass) / clip.path)) == pytest.approx(10 * clip.duration_s, abs=2)


async def test_what_can_not_be_saved_is_said(hass: HomeAssistant, live: LiveCamera) -> None:
    no_disk_has_that = {"reserve_gb": 1e6}
    entry = await async_record(hass, live.url(), options=no_disk_has_that)
    with pytest.raises(ServiceValidationError, match="At most 30 seconds"):
        await async_save(hass, look_back=31)
    with pytest.raises(probatio.Invalid):
        await async_save(hass, length=301)

    await async_until(lambda: store_of(entry).blocked(FRONT) == "disk_full")
    with pytest.raises(HomeAssistantError, match="Nothing of Front door could be recorded"):
        await async_save(hass)

    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    with pytest.raises(ServiceValidationError, match="The privacy of Front door is on"):
        await async_save(hass)

    data = dict(entry.subentries[FRONT].data) | {"record": False}
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=data)
    await async_call(hass, "switch.turn_off", "switch.front_door_privacy")
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
    with pytest.raises(ServiceValidationError, match="Front door is not recorded"):
        await async_save(hass)
    assert not finished(media(hass))


async def test_a_save_under_way_when_the_store_ends_is_answered(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_record(hass, live.url())
    saving = hass.async_create_background_task(async_save(hass, length=60), "save")
    await async_recording(hass, entry)
    await hass.config_entries.async_unload(entry.entry_id)
    [saved] = await saving
    assert saved["duration_s"] > 0
    assert len(finished(media(hass))) == 2


async def test_recording_is_switched_in_the_cameras_flow_without_reconnecting(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_record(hass, live.url())
    watching = threads()

    typed = {
        "record": True,
        "record_sound": False,
        "pre_roll_s": 1,
        "post_roll_s": 0,
        "clip_days": 0,
        "clip_gb": 0,
    }
    form = await async_reconfigure(hass, entry, entry.subentries[FRONT], "recording")
    assert form["step_id"] == "recording"
    assert suggested(form) == {"record": True, "record_sound": False} | ROLLS | {"clip_days": 0, "clip_gb": 0}

    saving = hass.async_create_background_task(async_save(hass, length=60), "save")
    await async_recording(hass, entry)
    # Not with `async_answer`, which waits for whatever is under way, so for the action, too.
    done = await hass.config_entries.subentries.async_configure(form["flow_id"], typed | {"record": False})
    assert (done["type"], done["reason"]) == ("abort", "reconfigure_successful")
    assert len(await saving) == 1  # it ended there
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError, match="is not recorded"):
        await async_save(hass)

    form = await async_reconfigure(hass, entry, entry.subentries[FRONT], "recording")
    await async_answer(hass, form, typed | {"pre_roll_s": 3})
    assert await async_save(hass, length=1)
    assert entry.subentries[FRONT].data["pre_roll_s"] == 3
    form = await async_reconfigure(hass, entry, entry.subentries[FRONT], "recording")
    await async_answer(hass, form, typed | {"clip_days": 7, "clip_gb": 0.5})
    limits = store_of(entry).policy.cameras[FRONT]
    assert (limits.days, limits.size_bytes) == (7.0, 500_000_000)
    assert threads() == watching
    assert live.opened == {"/main.ts": 1}


async def test_with_privacy_on_the_clip_ends_and_nothing_more_is_written(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_record(hass, live.url())
    saving = hass.async_create_background_task(async_save(hass, length=60), "save")
    await async_recording(hass, entry)
    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    [saved] = await saving
    await hass.async_block_till_done()
    written = {name: (media(hass) / name).read_bytes() for name in files(media(hass))}
    assert written.keys() == finished(media(hass))
    assert len(written) == 2
    clip = store_of(entry).questions.get(saved["id"])
    assert clip
    assert not [thread for thread in threads() if thread.is_alive()]
    assert entry.runtime_data.cameras[FRONT].recording.state is None
    assert {name: (media(hass) / name).read_bytes() for name in files(media(hass))} == written


async def test_a_privacy_zone_is_black_in_what_is_written_from_then_on(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_record(hass, live.url(), press="webhook", webhook_id="bell")
    saving = hass.async_create_background_task(async_save(hass, length=2), "save")
    await async_recording(hass, entry)
    zones = [{"name": "Street", "kind": "privacy", "points": TOP}]
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=zones)
    before, *after = await saving
    assert after
    [open_clip, *masked] = [store_of(entry).questions.get(saved["id"]) for saved in (before, *after)]
    assert open_clip
    assert not open_clip.masked
    assert min(picture[:56].mean() for picture in pictures(media(hass) / open_clip.path)) > 50
    for clip in masked:
        assert clip
        assert clip.masked
        shown = pictures(media(hass) / clip.path)
        assert shown
        thumbnail = gray((media(hass) / clip.thumbnail).read_bytes())
        for picture in (*shown, thumbnail):
            assert picture[:56].max() < 30  # black, but for what coding does to it
            assert picture[70:].mean() > 50


async def test_the_totals_follow_the_day_and_what_goes_without_a_word(
    hass: HomeAssistant, live: LiveCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await async_record(hass, live.url())
    await async_save(hass)
    await async_until_state(hass, "sensor.front_door_clips_today", "1")
    tomorrow = dt_util.start_of_local_day() + timedelta(days=1)
    monkeypatch.setattr(dt_util, "start_of_local_day", lambda: tomorrow)
    async_fire_time_changed(hass, tomorrow + timedelta(seconds=1))
    await async_until_state(hass, "sensor.front_door_clips_today", "0")
    assert float(state(hass, "sensor.front_door_storage_used")) > 0

    clip = store_of(entry).questions.page().clips[0]
    await hass.async_add_executor_job(store_of(entry).delete, [clip.id])  # as retention does
    async_fire_time_changed(hass, tomorrow + timedelta(minutes=10))
    await async_until_state(hass, "sensor.front_door_storage_used", "0.0")
