"""What a bug report and the system health page hold, and what they don't."""

import json
from typing import Any

from pytest_homeassistant_custom_component.common import get_system_health_info
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ringwatch.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from tests.fixtures.live import USERNAME, LiveCamera
from tests.fixtures.translations import TRANSLATIONS
from tests.fixtures.watching import (
    BACK,
    FRONT,
    MIDDLE,
    async_call,
    async_set_up,
    async_until,
    async_until_state,
    camera,
    stored,
)

SECRETS = ("s3cret", "t0ken", "l0gin", "h00k", "Grandma's window")


async def async_two_cameras(hass: HomeAssistant, live: LiveCamera) -> Any:
    """Set up a camera that works and one that does not, with secrets wherever they may be."""
    live.password = SECRETS[0]
    front = camera(
        live.url(f"/main.ts?token={SECRETS[1]}"),
        username=USERNAME,
        password=SECRETS[0],
        detect_url=live.url(f"/sub.ts?token={SECRETS[1]}"),
        press="webhook",
        webhook_id=SECRETS[3],
    )
    back = camera(live.url(f"/{SECRETS[1]}/nothing"), username=SECRETS[2], password=SECRETS[0])
    entry = await async_set_up(hass, stored(front), stored(back, "Back door", BACK))
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
    await async_until(lambda: entry.runtime_data.cameras[BACK].data.error)
    zone = {"name": SECRETS[4], "kind": "ignore", "points": MIDDLE}
    await async_call(hass, "ringwatch.set_zones", "camera.front_door", zones=[zone])
    live.moving = True
    return entry


async def test_diagnostics_tell_what_a_bug_report_needs_and_no_secret(
    hass: HomeAssistant,
    live: LiveCamera,
    hass_client: ClientSessionGenerator,
    device_registry: dr.DeviceRegistry,
) -> None:
    entry = await async_two_cameras(hass, live)
    whole = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    devices = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    parts = [await get_diagnostics_for_device(hass, hass_client, entry, device) for device in devices]
    for dump in (whole, *parts):
        text = json.dumps(dump)
        assert not [secret for secret in (*SECRETS, USERNAME, "127.0.0.1") if secret in text]

    assert whole["engine"] == "opencv"
    assert whole["versions"].keys() == {"av", "numpy"}
    front, back = whole["cameras"]
    assert front["config"]["url"] == "**REDACTED**"
    assert front["config"]["analyzed_fps"] == 5
    assert front["settings"]["zones"] == [{"kind": "ignore", "points": 4}]
    assert front["state"]["connected"] is True
    assert front["streams"]["record"]["codec"] == "h264"
    assert (front["streams"]["record"]["width"], front["streams"]["detect"]["width"]) == (320, 160)
    assert front["statistics"]["frames_decoded"] >= front["statistics"]["frames_analyzed"] > 0
    assert front["recorder"] is None
    assert front["clips"] == {"today": 0, "size_bytes": 0}
    assert whole["storage"]["blocked"] is None
    assert front["statistics"]["dropped_share"] == 0
    assert back["state"] == {
        "connected": False,
        "seeing": False,
        "motion": False,
        "level": 0.0,
        "last_motion": None,
        "error": "wrong_credentials",
    }
    assert back["streams"] == {}
    assert sorted(len(part["cameras"]) for part in parts) == [1, 1]
    assert {part["cameras"][0]["state"]["connected"] for part in parts} == {True, False}


async def test_diagnostics_of_a_private_camera(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    entry = await async_set_up(hass, stored(camera(live.url())))
    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    [front] = (await get_diagnostics_for_config_entry(hass, hass_client, entry))["cameras"]
    assert front["settings"]["privacy"] is True
    assert (front["statistics"], front["streams"]) == ({}, {})


async def test_the_system_health_page(hass: HomeAssistant, live: LiveCamera) -> None:
    assert await async_setup_component(hass, "system_health", {})
    entry = await async_two_cameras(hass, live)
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    assert info == {
        "cameras": 2,
        "connected": 1,
        "private": 0,
        "engine": "opencv",
        "neighborhoods": 0,
        "hubs_connected": 0,
        "footage_requests": 0,
        "hub": "none",
    }
    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    info = await get_system_health_info(hass, DOMAIN)
    assert (info["connected"], info["private"]) == (0, 1)
    assert info.keys() == TRANSLATIONS["system_health"]["info"].keys()
    await hass.config_entries.async_unload(entry.entry_id)
    info = await get_system_health_info(hass, DOMAIN)
    assert set(info.values()) == {0}


async def test_no_secret_reaches_the_log(hass: HomeAssistant, live: LiveCamera, caplog: Any) -> None:
    entry = await async_two_cameras(hass, live)
    hass.config_entries.async_remove_subentry(entry, FRONT)
    await hass.async_block_till_done()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("custom_components")]
    assert ours
    assert not [line for line in ours for secret in SECRETS[:4] if secret in line]
