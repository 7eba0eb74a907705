"""The doorbell press of a camera."""

import pytest

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.fixtures.cameras import CameraServer
from tests.fixtures.flows import (
    PREVIEW_INPUT,
    Result,
    async_add_url_camera,
    async_answer,
    async_reconfigure,
    async_start,
    suggested,
)


async def async_preview(hass: HomeAssistant, entry: ConfigEntry, server: CameraServer) -> Result:
    form = await async_start(hass, entry, "url")
    return await async_answer(hass, form, {"url": server.url("/small.ts"), "advanced": {}})


async def test_an_entity_tells_of_the_press(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    await async_setup_component(hass, "input_button", {"input_button": {"bell": {"name": "Bell"}}})
    preview = await async_preview(hass, ringwatch, camera_server)
    form = await async_answer(hass, preview, PREVIEW_INPUT | {"press": "entity"})
    assert form["step_id"] == "press_entity"
    assert not ringwatch.subentries

    again = await async_answer(hass, form, {"press_entity_id": "input_button.no_such_bell"})
    assert again["errors"] == {"press_entity_id": "entity_not_found"}
    await async_answer(hass, again, {"press_entity_id": "input_button.bell"})
    [camera] = ringwatch.subentries.values()
    assert camera.data["press"] == "entity"
    assert camera.data["press_entity_id"] == "input_button.bell"
    assert camera.data["analyzed_fps"] == 10


async def test_an_entity_that_is_late_can_be_chosen(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    entity_registry: er.EntityRegistry,
) -> None:
    late = entity_registry.async_get_or_create("event", "ring", "bell")
    preview = await async_preview(hass, ringwatch, camera_server)
    form = await async_answer(hass, preview, PREVIEW_INPUT | {"press": "entity"})
    created = await async_answer(hass, form, {"press_entity_id": late.entity_id})
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_our_own_entities_are_not_offered_as_a_press(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    await async_add_url_camera(hass, ringwatch, url=camera_server.url("/mjpeg"))
    ours = er.async_entries_for_config_entry(er.async_get(hass), ringwatch.entry_id)
    preview = await async_preview(hass, ringwatch, camera_server)
    form = await async_answer(hass, preview, PREVIEW_INPUT | {"press": "entity"})
    [selector] = form["data_schema"].schema.values()
    assert selector.config["domain"] == ["binary_sensor", "button", "event", "input_button"]
    assert {entity.entity_id for entity in ours if entity.domain == "event"} <= set(
        selector.config["exclude_entities"]
    )
    assert any(entity.domain == "event" for entity in ours)


async def test_the_webhook_is_shown_before_it_is_saved(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    await hass.config.async_update(internal_url="http://192.168.1.2:8123")
    preview = await async_preview(hass, ringwatch, camera_server)
    shown = await async_answer(hass, preview, PREVIEW_INPUT | {"press": "webhook"})
    assert shown["step_id"] == "webhook"
    assert not ringwatch.subentries
    url = shown["description_placeholders"]["webhook_url"]
    await async_answer(hass, shown, {})
    [camera] = ringwatch.subentries.values()
    assert camera.data["press"] == "webhook"
    assert url == f"http://192.168.1.2:8123/api/webhook/{camera.data['webhook_id']}"
    assert len(camera.data["webhook_id"]) >= 32


async def test_without_an_address_of_its_own_the_path_of_the_webhook_is_shown(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hass.config, "api", None)  # Home Assistant knows no address of its own
    preview = await async_preview(hass, ringwatch, camera_server)
    shown = await async_answer(hass, preview, PREVIEW_INPUT | {"press": "webhook"})
    assert shown["description_placeholders"]["webhook_url"].startswith("/api/webhook/")


@pytest.mark.parametrize(("advanced", "fps"), [({}, 5), ({"analyzed_fps": 2.5}, 2.5)])
async def test_how_many_frames_are_looked_at_can_be_chosen(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    advanced: dict[str, float],
    fps: float,
) -> None:
    preview = await async_preview(hass, ringwatch, camera_server)
    await async_answer(hass, preview, PREVIEW_INPUT | {"advanced": advanced})
    [camera] = ringwatch.subentries.values()
    assert camera.data["analyzed_fps"] == fps


async def test_the_press_of_a_camera_can_be_changed_and_its_webhook_is_kept(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    form = await async_reconfigure(hass, ringwatch, camera, "doorbell")
    assert form["step_id"] == "doorbell"
    assert suggested(form) == {"press": "none", "advanced": {"decoding": "usual"}}
    shown = await async_answer(hass, form, {"press": "webhook", "advanced": {}})
    done = await async_answer(hass, shown, {})
    assert done["reason"] == "reconfigure_successful"
    camera = ringwatch.subentries[camera.subentry_id]
    assert camera.title == "Front door"
    assert camera.data["analyzed_fps"] == 10
    webhook_id = camera.data["webhook_id"]

    form = await async_reconfigure(hass, ringwatch, camera, "doorbell")
    assert suggested(form)["press"] == "webhook"
    shown = await async_answer(hass, form, {"press": "webhook", "advanced": {"analyzed_fps": 7}})
    assert shown["description_placeholders"]["webhook_url"].endswith(webhook_id)
    await async_answer(hass, shown, {})
    camera = ringwatch.subentries[camera.subentry_id]
    assert (camera.data["webhook_id"], camera.data["analyzed_fps"]) == (webhook_id, 7)

    form = await async_reconfigure(hass, ringwatch, camera, "doorbell")
    assert suggested(form)["advanced"] == {"analyzed_fps": 7, "decoding": "usual"}
    await async_answer(hass, form, {"press": "none", "advanced": {}})
    camera = ringwatch.subentries[camera.subentry_id]
    assert (camera.data["press"], camera.data["webhook_id"], camera.data["analyzed_fps"]) == ("none", "", 5)
