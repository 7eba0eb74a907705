"""Nothing blocks the event loop: a day in a camera's life with Home Assistant's detection on."""

import io
import logging

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.camera import async_get_image
from homeassistant.core import HomeAssistant
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    BACK,
    FRONT,
    TOP,
    another,
    async_call,
    async_until,
    async_until_state,
    async_watch,
    camera,
    state,
)


async def test_the_detection_finds_what_blocks(
    hass: HomeAssistant, detection_on: None, tmp_path: object, caplog: pytest.LogCaptureFixture
) -> None:
    with open(f"{tmp_path}/file", "w") as file:  # noqa: ASYNC230, PTH123 - that is what is looked for
        file.write("x")
    assert "Detected blocking call to open" in caplog.text


async def test_nothing_of_ours_blocks(
    hass: HomeAssistant,
    live: LiveCamera,
    detection_on: None,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await async_watch(hass, live.url(), press="webhook", webhook_id="bell")
    live.moving = True
    await async_until_state(hass, "binary_sensor.front_door_motion", "on")
    client = await hass_client()
    await client.post("/api/webhook/bell")
    await async_until(lambda: state(hass, "event.front_door_doorbell") != "unknown")
    still = (await async_get_image(hass, "camera.front_door")).content
    zones = [{"name": "Street", "kind": "privacy", "points": TOP}]
    await async_call(hass, "ringwatch.set_zones", "camera.front_door", zones=zones)
    assert (await async_get_image(hass, "camera.front_door")).content != still
    await async_call(hass, "number.set_value", "number.front_door_sensitivity", value=60)
    await async_call(hass, "switch.turn_off", "switch.front_door_detection")
    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    card = (await async_get_image(hass, "camera.front_door")).content
    assert Image.open(io.BytesIO(card)).size == (1280, 720)
    await async_call(hass, "switch.turn_off", "switch.front_door_privacy")
    hass.config_entries.async_add_subentry(entry, another("Back door", camera(live.url("/sub.ts"))))
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], title="Porch")
    hass.config_entries.async_remove_subentry(entry, BACK)
    await hass.async_block_till_done()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    complaints = [record.getMessage() for record in caplog.records if "blocking call" in record.getMessage()]
    assert not complaints
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
