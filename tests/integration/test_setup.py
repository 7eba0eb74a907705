"""The entry and its cameras come and go; what did not change goes on undisturbed."""

import asyncio

from custom_components.ringwatch.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    BACK,
    FRONT,
    another,
    async_call,
    async_set_up,
    async_until,
    async_until_state,
    async_watch,
    camera,
    on_disk,
    state,
    stored,
    threads,
)


async def test_an_entry_without_cameras_is_set_up_and_removed(hass: HomeAssistant) -> None:
    entry = await async_set_up(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert not threads()
    await hass.config_entries.async_remove(entry.entry_id)
    assert on_disk(hass) is None


async def test_one_thread_a_source_and_none_after_unloading(hass: HomeAssistant, live: LiveCamera) -> None:
    both = camera(live.url(), detect_url=live.url("/sub.ts"))
    entry = await async_set_up(hass, stored(both), stored(camera(live.url()), "Back door", BACK))
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    assert {thread.name for thread in threads()} == {
        "ringwatch record Front door",
        "ringwatch detect Front door",
        "ringwatch record Back door",
    }
    assert live.opened == {"/main.ts": 2, "/sub.ts": 1}
    await hass.config_entries.async_unload(entry.entry_id)
    assert not threads()
    assert state(hass, "binary_sensor.front_door_motion") == "unavailable"
    await async_until(lambda: not live.watching.total())

    await hass.config_entries.async_setup(entry.entry_id)
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
    assert len(threads()) == 3


async def test_the_threads_end_when_home_assistant_stops(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert not threads()


async def test_removing_the_entry_leaves_nothing_behind(
    hass: HomeAssistant,
    live: LiveCamera,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    issue_registry: ir.IssueRegistry,
) -> None:
    live.password = "changed"
    entry = await async_set_up(hass, stored(camera(live.url())))
    await async_until(lambda: issue_registry.issues)
    assert on_disk(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not threads()
    assert on_disk(hass) is None
    assert not list(device_registry.devices)
    assert not entity_registry.entities
    assert not issue_registry.issues
    assert not hass.states.async_all()


async def test_adding_changing_and_removing_a_camera_interrupts_no_other(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_watch(hass, live.url())
    before = threads()

    hass.config_entries.async_add_subentry(entry, another("Back door", camera(live.url("/sub.ts"))))
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    [added] = threads("Back door")

    changed = camera(live.url(), analyzed_fps=10.0)
    hass.config_entries.async_update_subentry(entry, entry.subentries[BACK], data=changed)
    await hass.async_block_till_done()
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    [restarted] = threads("Back door")
    assert restarted is not added
    assert not added.is_alive()

    hass.config_entries.async_remove_subentry(entry, BACK)
    await hass.async_block_till_done()
    await async_until(lambda: not threads("Back door"))
    assert threads() == before
    assert live.opened == {"/main.ts": 2, "/sub.ts": 1}
    assert state(hass, "binary_sensor.front_door_connectivity") == "on"
    assert hass.states.get("camera.back_door") is None


async def test_a_removed_camera_takes_its_device_entities_settings_and_issues_with_it(
    hass: HomeAssistant,
    live: LiveCamera,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    issue_registry: ir.IssueRegistry,
) -> None:
    live.password = "changed"
    entry = await async_set_up(
        hass, stored(camera(live.url())), stored(camera(live.url()), "Back door", BACK)
    )
    await async_until(lambda: len(issue_registry.issues) == 2)
    hass.config_entries.async_remove_subentry(entry, BACK)
    await hass.async_block_till_done()
    await async_until(lambda: not threads("Back door"))
    await hass.async_block_till_done()
    [device] = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.identifiers == {(DOMAIN, FRONT)}
    assert {entity.device_id for entity in entity_registry.entities.values()} == {device.id}
    assert [issue_id for _, issue_id in issue_registry.issues] == [f"credentials_{FRONT}"]
    assert (on_disk(hass) or {}).keys() == {FRONT}


async def test_a_changed_press_does_not_reconnect(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    before = threads()
    data = camera(live.url(), press="webhook", webhook_id="bell")
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=data)
    await hass.async_block_till_done()
    assert threads() == before
    assert state(hass, "event.front_door_doorbell") == "unknown"
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=camera(live.url()))
    await hass.async_block_till_done()
    assert threads() == before
    assert hass.states.get("event.front_door_doorbell") is None


async def test_renaming_a_camera_renames_its_device_and_nothing_else(
    hass: HomeAssistant,
    live: LiveCamera,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    entry = await async_watch(hass, live.url())
    before, entities = threads(), set(entity_registry.entities)
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], title="Porch")
    await hass.async_block_till_done()
    [device] = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.name == "Porch"
    assert threads() == before
    assert set(entity_registry.entities) == entities
    found = hass.states.get("camera.front_door")
    assert found
    assert found.name == "Porch"


async def test_entity_ids_are_the_same_after_a_reload(
    hass: HomeAssistant, live: LiveCamera, entity_registry: er.EntityRegistry
) -> None:
    entry = await async_watch(hass, live.url(), press="webhook", webhook_id="bell")
    zones = [{"name": "Path", "kind": "watch", "points": [[0, 0], [1, 0], [1, 1]]}]
    await async_call(hass, "ringwatch.set_zones", "camera.front_door", zones=zones)
    await hass.async_block_till_done()
    before = {entity.entity_id: (entity.unique_id, entity.id) for entity in entity_registry.entities.values()}
    assert "binary_sensor.front_door_motion_in_path" in before
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    after = {entity.entity_id: (entity.unique_id, entity.id) for entity in entity_registry.entities.values()}
    assert after == before


async def test_each_camera_is_a_device_of_its_own_subentry(
    hass: HomeAssistant,
    live: LiveCamera,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    cameras = stored(camera(live.url())), stored(camera(live.url("/sub.ts")), "Back door", BACK)
    entry = await async_set_up(hass, *cameras)
    devices = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    for subentry_id, name in ((FRONT, "Front door"), (BACK, "Back door")):
        [device] = [found for found in devices if found.identifiers == {(DOMAIN, subentry_id)}]
        assert (device.name, device.manufacturer) == (name, "Ringwatch")
        assert (device.config_entry_id, device.config_subentry_id) == (entry.entry_id, subentry_id)
        entities = er.async_entries_for_device(entity_registry, device.id, include_disabled_entities=True)
        assert {entity.config_subentry_id for entity in entities} == {subentry_id}
        assert len(entities) == 14


async def test_settings_changed_while_a_camera_reconnects_start_it_once(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_watch(hass, live.url())
    for fps in (6.0, 7.0, 8.0):
        data = camera(live.url(), analyzed_fps=fps)
        hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=data)
        await asyncio.sleep(0)  # the old thread is being stopped now
        await async_call(hass, "number.set_value", "number.front_door_sensitivity", value=40 + fps)
    await hass.async_block_till_done()
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
    assert len(threads()) == 1
    await async_until(lambda: live.watching.total() == 1)


async def test_a_camera_that_is_added_while_the_entry_unloads_is_not_started(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_watch(hass, live.url())
    hass.config_entries.async_add_subentry(entry, another("Back door", camera(live.url("/sub.ts"))))
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert not threads()
    await hass.config_entries.async_setup(entry.entry_id)
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    assert len(threads()) == 2


async def test_a_camera_that_is_added_while_the_entry_is_set_up_is_watched(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_watch(hass, live.url())
    await hass.config_entries.async_unload(entry.entry_id)
    setting_up = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await async_until(lambda: entry.state is ConfigEntryState.SETUP_IN_PROGRESS)
    hass.config_entries.async_add_subentry(entry, another("Back door", camera(live.url("/sub.ts"))))
    assert await setting_up
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
