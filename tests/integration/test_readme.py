"""What README.md tells people to paste does what it says, on a real camera."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
import json
from pathlib import Path
import re
from typing import Any

import av
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed, async_mock_service
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from custom_components.ringwatch.event import CLIP_DETAILS, DETAILS
from homeassistant.components.automation import entities_in_automation
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.script import Script
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.fixtures.cameras import CameraServer
from tests.fixtures.flows import PREVIEW_INPUT, async_answer, async_start
from tests.fixtures.hood import FEED, REQUESTS

README = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS: list[dict[str, Any]] = [
    yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
]
AUTOMATIONS = {block["alias"]: block for block in BLOCKS if "triggers" in block}
ACTIONS = {block["action"]: block for block in BLOCKS if "action" in block}
SET_ZONES = ACTIONS["ringwatch.set_zones"]


def shown(key: str, of: str = "") -> Any:
    """Return the answer that the README shows: the one with this key, of a camera if it is a camera's."""
    [answer] = (found for block in BLOCKS if key in (found := block.get(of, {}) if of else block))
    return answer


RESPONSE = {"camera.front_door": shown("zones", "camera.front_door")}
[SAVED] = shown("clips", "camera.front_door")["clips"]

PHONE = "mobile_app_your_phone"
PATH = "binary_sensor.front_door_motion_in_path"
GATE = "binary_sensor.gate"
ELSEWHERE = {GATE, "light.porch", "sun.sun", "zone.home"}  # what the examples use of the reader's own house
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
    return await async_run(hass, SET_ZONES)


async def async_run(hass: HomeAssistant, action: dict[str, Any], **changes: Any) -> Any:
    """Run an action as a script does, with some of its fields changed, and return its response."""
    action = action | {"response_variable": "answer", "data": action.get("data", {}) | changes}
    script = Script(hass, [action], "readme", "test")
    result = await script.async_run()
    await hass.async_block_till_done()
    assert result is not None
    return result.variables["answer"]


def about(clip_id: str, block: dict[str, Any]) -> dict[str, Any]:
    """Return what the README shows, with a real clip in the place of the one in there."""
    answer: dict[str, Any] = json.loads(json.dumps(block).replace(SAVED["id"], clip_id))
    return answer


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


async def test_the_debug_view_is_where_the_answer_says(
    hass: HomeAssistant, front_door: str, hass_client: ClientSessionGenerator
) -> None:
    answer = await async_run(hass, ACTIONS["ringwatch.debug_snapshot"])
    assert answer.keys() == {"camera.front_door"}
    told = shown("snapshot", "camera.front_door")
    assert answer["camera.front_door"].keys() == told.keys()
    path, like = answer["camera.front_door"]["snapshot"], told["snapshot"]
    assert [len(part) for part in path.split("/")] == [len(part) for part in like.split("/")]
    picture = await (await hass_client()).get(path)
    assert (await picture.read()).startswith(b"\xff\xd8")


def test_the_attributes_are_those_of_the_table() -> None:
    told = {row[0].strip("`") for row in table("attribute")}
    assert told == DETAILS | {"event_type"}
    told = {key for row in table("key") for key in re.findall(r"`(\w+)`", row[0])}
    assert told == CLIP_DETAILS


async def test_the_actions_for_clips_answer_as_shown(
    hass: HomeAssistant, front_door: str, hass_client: ClientSessionGenerator
) -> None:
    saved = await async_run(hass, ACTIONS["ringwatch.save_clip"], look_back=1, length=2)
    [clip] = saved["camera.front_door"]["clips"]
    assert clip.keys() == SAVED.keys() == CLIP_DETAILS
    assert {key: type(value) for key, value in clip.items()} == {k: type(v) for k, v in SAVED.items()}
    same = ("camera", "triggers", "zones", "score", "clip", "thumbnail", "has_sound", "protected", "shared")
    assert {key: clip[key] for key in same} == {key: about(clip["id"], SAVED)[key] for key in same}
    begin, end = (datetime.fromisoformat(clip[key]) for key in ("start", "end"))
    assert clip["duration_s"] == round((end - begin).total_seconds(), 1)
    client = await hass_client()
    assert (await client.get(clip["clip"], headers={"Range": "bytes=4-7"})).status == 206
    picture = await client.get(clip["thumbnail"])
    assert (await picture.read()).startswith(b"\xff\xd8")

    today = dt_util.start_of_local_day(begin)
    window = {"start": f"{today:%Y-%m-%d %H:%M:%S}", "end": f"{today + timedelta(days=2):%Y-%m-%d %H:%M:%S}"}
    found = await async_run(hass, ACTIONS["ringwatch.get_clips"], **window)
    assert found == {"clips": [clip], "cursor": None}

    protect = about(clip["id"], ACTIONS["ringwatch.protect_clips"])
    assert await async_run(hass, protect) == about(clip["id"], shown("changed"))
    assert await async_run(hass, ACTIONS["ringwatch.rebuild_catalogue"]) == shown("foreign")
    [clip] = (await async_run(hass, ACTIONS["ringwatch.get_clips"], **window))["clips"]
    assert clip["protected"]

    delete = about(clip["id"], ACTIONS["ringwatch.delete_clips"])
    with pytest.raises(ServiceValidationError, match=clip["id"]):
        await async_run(hass, delete, force=False)
    assert await async_run(hass, delete) == about(clip["id"], shown("deleted"))
    assert (await async_run(hass, ACTIONS["ringwatch.get_clips"], **window))["clips"] == []


async def test_a_clip_is_exported_as_shown(hass: HomeAssistant, front_door: str) -> None:
    saved = await async_run(hass, ACTIONS["ringwatch.save_clip"], look_back=0, length=5)
    [clip] = saved["camera.front_door"]["clips"]
    begin = dt_util.as_local(datetime.fromisoformat(clip["start"]))
    # A key frame every 2 s: so some of it is left out
    start, end = (f"{begin + timedelta(seconds=add):%Y-%m-%d %H:%M:%S}" for add in (4, 6))
    target = Path(hass.config.media_dirs["local"]) / "front-door.mp4"
    export = about(clip["id"], ACTIONS["ringwatch.export_clip"])
    assert await hass.async_add_executor_job(lambda: not target.exists())
    assert {"start", "end", "filename", "mute"} < export["data"].keys()
    done = await async_run(hass, export, filename=str(target), start=start, end=end)
    assert done.keys() == shown("filename").keys()
    assert done["filename"] == str(target)

    def seconds() -> float:
        with av.open(str(target)) as file:
            assert not file.streams.audio
            return (file.duration or 0) / av.time_base

    assert await hass.async_add_executor_job(seconds) == pytest.approx(done["duration_s"], abs=0.2)
    assert 0 < done["duration_s"] < clip["duration_s"] - 1


@pytest.mark.parametrize("action", ACTIONS)
async def test_every_example_is_one_that_the_action_takes(
    hass: HomeAssistant, ringwatch: ConfigEntry, action: str
) -> None:
    domain, _, name = action.partition(".")
    schema = hass.services.async_services()[domain][name].schema
    assert schema is not None
    schema({**ACTIONS[action].get("data", {}), **ACTIONS[action].get("target", {})})


async def test_the_gates_clip_is_kept_and_shown(
    hass: HomeAssistant, front_door: str, phone: list[ServiceCall], hass_client: ClientSessionGenerator
) -> None:
    hass.states.async_set(GATE, STATE_OFF)
    gate = AUTOMATIONS["Keep who opens the gate"]
    gate["actions"][0]["data"] |= {"look_back": 1, "length": 2}  # quicker
    await async_start_automations(hass, "Keep who opens the gate", "Show the clips of the front door")
    hass.states.async_set(GATE, STATE_ON)
    await until(lambda: phone)
    [call] = phone
    assert re.fullmatch(r"[1-3] seconds, save", call.data["message"])
    picture = await (await hass_client()).get(call.data["data"]["image"])
    assert (await picture.read()).startswith(b"\xff\xd8")

    async def kept() -> bool:
        found = await async_run(hass, ACTIONS["ringwatch.get_clips"], start="2000-01-01", end="2100-01-01")
        return [clip["protected"] for clip in found["clips"]] == [True]

    async with asyncio.timeout(WAIT_S):
        while not await kept():  # noqa: ASYNC110 - the clip is told of before it is protected
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("alias", AUTOMATIONS)
async def test_home_assistant_takes_the_automation(
    hass: HomeAssistant, ringwatch: ConfigEntry, front_door: str, alias: str
) -> None:
    await async_set_zones(hass)
    await async_start_automations(hass, alias)
    [entity_id] = hass.states.async_entity_ids("automation")
    assert hass.states.get(entity_id).state == STATE_ON  # "unavailable" is what does not validate
    ours = {e.entity_id for e in er.async_entries_for_config_entry(er.async_get(hass), ringwatch.entry_id)}
    ours.update({FEED, REQUESTS})
    used = set(entities_in_automation(hass, entity_id))
    used |= set(
        re.findall(
            r"\b(?:event|binary_sensor|camera|switch)\.(?:front_door|maple_street)\w*",
            str(AUTOMATIONS[alias]),
        )
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
