"""The doorbell: presses that come from other entities or over a webhook."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ringwatch import press
from custom_components.ringwatch.press import is_press
from homeassistant.core import HomeAssistant, State
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    FRONT,
    async_call,
    async_set_up,
    async_until,
    async_watch,
    camera,
    state,
    stored,
)

BELL = "event.front_door_doorbell"
WEBHOOK = {"press": "webhook", "webhook_id": "a-long-secret"}


def bell(hass: HomeAssistant) -> dict[str, Any]:
    found = hass.states.get(BELL)
    assert found is not None
    return dict(found.attributes) | {"at": found.state}


async def async_until_rung(hass: HomeAssistant, before: str = "unknown") -> dict[str, Any]:
    await async_until(lambda: state(hass, BELL) != before, "the bell")
    return bell(hass)


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RING = {"event_types": ["ring"], "event_type": "ring"}


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("entity_id", "old", "new", "attributes", "expected"),
    [
        ("binary_sensor.bell", "off", "on", {}, True),
        ("binary_sensor.bell", "on", "off", {}, False),
        ("binary_sensor.bell", "on", "on", {}, False),
        ("binary_sensor.bell", "unavailable", "on", {}, False),  # it may have been on all the time
        ("binary_sensor.bell", None, "on", {}, False),
        ("input_button.bell", at(-60), at(0), {}, True),
        ("input_button.bell", "unknown", at(0), {}, True),
        ("input_button.bell", None, at(0), {}, True),  # pressed while it was being set up
        ("button.bell", None, at(-60), {}, False),  # restored
        ("button.bell", "unavailable", at(-60), {}, False),
        ("button.bell", at(0), at(0), {}, False),  # an attribute changed
        ("button.bell", at(-60), at(60), {}, False),  # a clock that is wrong
        ("button.bell", at(-60), "unavailable", {}, False),
        ("button.bell", at(-60), None, {}, False),
        ("event.bell", at(-60), at(-1), RING, True),
        ("event.bell", at(-60), at(-1), {"event_types": ["press", "hold"], "event_type": "press"}, True),
        ("event.bell", at(-60), at(-1), {"event_types": ["ring", "off"], "event_type": "off"}, False),
        ("event.bell", at(-60), "2026-11-23T12:00:00", RING, False),  # no time zone
    ],
)
def test_what_counts_as_a_press(
    freezer: FrozenDateTimeFactory,
    entity_id: str,
    old: str | None,
    new: str | None,
    attributes: dict[str, Any],
    expected: bool,
) -> None:
    freezer.move_to(NOW)
    before = None if old is None else State(entity_id, old, attributes)
    after = None if new is None else State(entity_id, new, attributes)
    assert is_press(before, after) is expected


async def test_a_pressed_button_rings_with_a_snapshot(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    await async_setup_component(hass, "input_button", {"input_button": {"bell": None}})
    await async_watch(hass, live.url(), press="entity", press_entity_id="input_button.bell")
    assert state(hass, BELL) == "unknown"
    before = dt_util.utcnow()
    await async_call(hass, "input_button.press", "input_button.bell")
    rung = await async_until_rung(hass)
    assert rung["event_type"] == "ring"
    assert rung["event_types"] == ["ring"]
    assert rung["device_class"] == "doorbell"
    start = dt_util.parse_datetime(rung["start"])
    assert start is not None
    assert before <= start <= dt_util.utcnow()
    client = await hass_client()
    response = await client.get(rung["snapshot"])
    assert response.status == HTTPStatus.OK
    image = hass.states.get("image.front_door_last_event")
    assert image is not None
    shown = await client.get(image.attributes["entity_picture"])
    assert await shown.read() == await response.read()


async def test_core_understands_the_ring(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_setup_component(hass, "input_button", {"input_button": {"bell": None}})
    await async_watch(hass, live.url(), press="entity", press_entity_id="input_button.bell")
    rang = async_capture_events(hass, "rang")
    automation = {
        "triggers": [{"trigger": "doorbell.rang", "target": {"entity_id": BELL}}],
        "actions": [{"event": "rang"}],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    await async_call(hass, "input_button.press", "input_button.bell")
    await async_until(lambda: rang)


async def test_one_visitor_is_one_ring(
    hass: HomeAssistant, live: LiveCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    await async_watch(hass, live.url(), press="entity", press_entity_id="binary_sensor.bell")
    hass.states.async_set("binary_sensor.bell", "off")
    rings: list[str] = []
    for _ in range(3):
        hass.states.async_set("binary_sensor.bell", "on")
        hass.states.async_set("binary_sensor.bell", "off")
        await hass.async_block_till_done()
        rings.append((await async_until_rung(hass))["at"])
    assert len(set(rings)) == 1
    monkeypatch.setattr(press, "PRESS_DEBOUNCE_S", 0.0)  # as if it had passed
    hass.states.async_set("binary_sensor.bell", "on")
    await async_until_rung(hass, rings[0])


async def test_a_restored_press_does_not_ring(hass: HomeAssistant, live: LiveCamera) -> None:
    yesterday = (dt_util.utcnow() - timedelta(days=1)).isoformat()
    hass.states.async_set("button.bell", "unavailable")
    await async_watch(hass, live.url(), press="entity", press_entity_id="button.bell")
    hass.states.async_set("button.bell", yesterday)
    await hass.async_block_till_done()
    assert state(hass, BELL) == "unknown"


@pytest.mark.parametrize("method", ["get", "post", "put"])
async def test_the_webhook_rings(
    hass: HomeAssistant, live: LiveCamera, hass_client_no_auth: ClientSessionGenerator, method: str
) -> None:
    await async_watch(hass, live.url(), **WEBHOOK)
    client = await hass_client_no_auth()
    assert (await getattr(client, method)("/api/webhook/a-long-secret")).status == HTTPStatus.OK
    assert (await async_until_rung(hass))["snapshot"]


async def test_the_webhook_is_for_the_local_network_only(
    hass: HomeAssistant, live: LiveCamera, hass_client_no_auth: ClientSessionGenerator
) -> None:
    await async_watch(hass, live.url(), **WEBHOOK)
    client = await hass_client_no_auth()
    with patch("homeassistant.components.webhook.ip_address", return_value=ip_address("123.123.123.123")):
        await client.post("/api/webhook/a-long-secret")
    await hass.async_block_till_done()
    assert state(hass, BELL) == "unknown"


async def test_the_webhook_goes_with_the_camera(
    hass: HomeAssistant, live: LiveCamera, hass_client_no_auth: ClientSessionGenerator
) -> None:
    entry = await async_watch(hass, live.url(), **WEBHOOK)
    client = await hass_client_no_auth()
    data = camera(live.url(), **WEBHOOK | {"webhook_id": "another"})
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=data)
    await hass.async_block_till_done()
    await client.post("/api/webhook/a-long-secret")
    await hass.async_block_till_done()
    assert state(hass, BELL) == "unknown"
    await hass.config_entries.async_reload(entry.entry_id)
    await client.post("/api/webhook/another")
    await async_until_rung(hass)
    hass.config_entries.async_remove_subentry(entry, FRONT)
    await hass.async_block_till_done()
    assert not hass.data["webhook"]


async def test_with_privacy_on_or_the_camera_away_it_rings_without_a_picture(
    hass: HomeAssistant,
    live: LiveCamera,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live.away = True
    await async_set_up(hass, stored(camera(live.url(), **WEBHOOK)))
    client = await hass_client_no_auth()
    await client.post("/api/webhook/a-long-secret")
    rung = await async_until_rung(hass)
    assert rung["snapshot"] is None
    assert state(hass, "image.front_door_last_event") == "unknown"

    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    monkeypatch.setattr(press, "PRESS_DEBOUNCE_S", 0.0)  # as if it had passed
    await client.post("/api/webhook/a-long-secret")
    assert (await async_until_rung(hass, rung["at"]))["snapshot"] is None
