"""What README.md tells people to paste does what it says, on a real camera."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed, async_mock_service
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from custom_components.ringwatch.event import DETAILS
from homeassistant.components.automation import entities_in_automation
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.script import Script
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.fixtures.cameras import CameraServer
from tests.fixtures.flows import PREVIEW_INPUT, async_answer, async_start

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS: list[dict[str, Any]] = [
    yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
]
AUTOMATIONS = {block["alias"]: block for block in BLOCKS if "triggers" in block}
[SET_ZONES] = (block for block in BLOCKS if "action" in block)
[RESPONSE] = (block for block in BLOCKS if "camera.front_door" in block)

PHONE = "mobile_app_your_phone"
PATH = "binary_sensor.front_door_motion_in_path"
ELSEWHERE = {"light.porch", "sun.sun", "zone.home"}  # what the examples use of the reader's own house
WAIT_S = 20.0  # the model of a new scene takes some seconds


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table whose first cell is `heading`."""
    [body] = re.findall(rf"^\| {heading} \|.*\n\| ---.*\n((?:\|.*\n)+)", README, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in body.splitlines()]


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not met():  # noqa: ASYNC110 - nothing tells of all that is waited for
            await asyncio.sleep(0.05)


@pytest.fixture
async def phone(hass: HomeAssistant) -> list[ServiceCall]:
    return async_mock_service(hass, "notify", PHONE)


@pytest.fixture
async def front_door(hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer) -> str:
    """Add the camera of the examples, with a webhook for its bell; return the webhook's path."""
    await hass.config.async_update(internal_url="http://homeassistant.local:8123")
    form = await async_start(hass, ringwatch, "url")
    preview = await async_answer(hass, form, {"url": camera_server.url("/mjpeg"), "advanced": {}})
    shown = await async_answer(hass, preview, PREVIEW_INPUT | {"press": "webhook"})
    address: str = shown["description_placeholders"]["webhook_url"]
    assert re.fullmatch(r"http://homeassistant\.local:8123/api/webhook/[0-9a-f]+", address)
    await async_answer(hass, shown, {})
    await until(lambda: hass.states.get("camera.front_door").state != STATE_UNAVAILABLE)
    return address.removeprefix("http://homeassistant.local:8123")


async def async_set_zones(hass: HomeAssistant) -> Any:
    """Run the README's action as a script does, and return its response."""
    action = SET_ZONES | {"response_variable": "answer"}
    script = Script(hass, [action], "readme", "test")
    result = await script.async_run()
    await hass.async_block_till_done()
    assert result is not None
    return result.variables["answer"]


async def async_start_automations(hass: HomeAssistant, *aliases: str) -> None:
    for domain in ("doorbell", "motion"):
        assert await async_setup_component(hass, domain, {})
    blocks = [AUTOMATIONS[alias] | {"id": alias} for alias in aliases]
    assert await async_setup_component(hass, "automation", {"automation": blocks})
    await hass.async_block_till_done()


async def test_the_action_answers_as_shown(hass: HomeAssistant, front_door: str) -> None:
    answer = await async_set_zones(hass)
    assert answer == RESPONSE
    again = await async_set_zones(hass)
    assert again["camera.front_door"]["previous_zones"] == RESPONSE["camera.front_door"]["zones"]


async def test_the_entities_are_those_of_the_table(
    hass: HomeAssistant, ringwatch: ConfigEntry, front_door: str
) -> None:
    await async_set_zones(hass)
    entities = er.async_entries_for_config_entry(er.async_get(hass), ringwatch.entry_id)
    told = {row[1].strip("`"): row for row in table("name")}
    assert told.keys() == {entity.entity_id for entity in entities}
    for entity in entities:
        name, _, text = told[entity.entity_id]
        assert name.replace("*", "") == (entity.original_name or "(the camera's name)")
        assert ("Off until you enable it" in text) == (entity.disabled_by is not None)
    hold, sensitivity = (hass.states.get(f"number.front_door_{key}") for key in ("hold_time", "sensitivity"))
    for state, says in ((hold, "0 to 300 seconds, 10 to begin with"), (sensitivity, "0 to 100, 50 to begin")):
        low, high, now = (f"{value:g}" for value in _range(state))
        assert re.findall(r"\d+", says) == [low, high, now]
        assert says in told[state.entity_id][2]


def _range(state: Any) -> tuple[float, float, float]:
    return state.attributes["min"], state.attributes["max"], float(state.state)


def test_the_attributes_are_those_of_the_table() -> None:
    told = {row[0].strip("`") for row in table("attribute")}
    assert told == DETAILS | {"event_type"}


@pytest.mark.parametrize("alias", AUTOMATIONS)
async def test_home_assistant_takes_the_automation(
    hass: HomeAssistant, ringwatch: ConfigEntry, front_door: str, alias: str
) -> None:
    await async_set_zones(hass)
    await async_start_automations(hass, alias)
    [entity_id] = hass.states.async_entity_ids("automation")
    assert hass.states.get(entity_id).state == STATE_ON  # "unavailable" is what does not validate
    ours = {e.entity_id for e in er.async_entries_for_config_entry(er.async_get(hass), ringwatch.entry_id)}
    used = set(entities_in_automation(hass, entity_id))
    used |= set(
        re.findall(r"\b(?:event|binary_sensor|camera|switch)\.front_door\w*", str(AUTOMATIONS[alias]))
    )
    assert used & ours
    assert used - ours <= ELSEWHERE


async def test_the_phone_shows_who_is_at_the_door(
    hass: HomeAssistant,
    front_door: str,
    phone: list[ServiceCall],
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await async_start_automations(hass, "Show who is at the door")
    bell = await hass_client_no_auth()
    assert (await bell.post(front_door)).ok
    await until(lambda: phone)
    [call] = phone
    assert call.data["message"] == "Somebody is at the door."
    image = call.data["data"]["image"]
    assert (await bell.get(image)).status == 401
    client = await hass_client()
    picture = await client.get(image)
    assert picture.ok
    assert (await picture.read()).startswith(b"\xff\xd8")


async def test_motion_is_shown_and_lights_the_path(
    hass: HomeAssistant, front_door: str, phone: list[ServiceCall]
) -> None:
    lights_on = async_mock_service(hass, "light", "turn_on")
    lights_off = async_mock_service(hass, "light", "turn_off")
    hass.states.async_set("sun.sun", "below_horizon")
    await async_set_zones(hass)
    await async_start_automations(hass, "Show what moves at the front door", "Light the path")
    await until(lambda: phone and lights_on)
    assert phone[0].data["message"] == hass.states.get("event.front_door_motion").attributes["reason"]
    assert phone[0].data["data"]["image"].startswith("/api/ringwatch/snapshot/")
    assert lights_on[0].data["entity_id"] == ["light.porch"]
    assert hass.states.get(PATH).state == STATE_ON
    assert not lights_off

    hass.states.async_set(PATH, STATE_OFF, hass.states.get(PATH).attributes)
    await until(lambda: lights_off)


async def test_the_camera_is_blind_while_somebody_is_home(hass: HomeAssistant, front_door: str) -> None:
    assert await async_setup_component(hass, "zone", {})
    await async_start_automations(hass, "The camera is blind while somebody is home")
    privacy = "switch.front_door_privacy"
    for persons, wanted in (("0", STATE_OFF), ("1", STATE_ON), ("0", STATE_OFF)):
        hass.states.async_set("zone.home", persons)
        await hass.async_block_till_done()
        assert hass.states.get(privacy).state == wanted


async def test_the_phone_tells_that_the_camera_is_gone(
    hass: HomeAssistant, front_door: str, camera_server: CameraServer, phone: list[ServiceCall]
) -> None:
    await async_start_automations(hass, "Say that the front door camera is gone")
    await hass.async_add_executor_job(camera_server.stop)
    connectivity = "binary_sensor.front_door_connectivity"
    await until(lambda: hass.states.get(connectivity).state == STATE_OFF)
    assert not phone
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=5, seconds=1))
    await until(lambda: phone)
    assert phone[0].data["title"] == "Front door"
