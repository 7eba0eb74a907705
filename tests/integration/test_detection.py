"""Detection on and off, the numbers, and the action that sets zones."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.ringwatch.vision import zones as vision_zones
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers.entity_component import async_update_entity
from tests.fixtures.live import LiveCamera
from tests.fixtures.translations import TRANSLATIONS
from tests.fixtures.watching import (
    BOTTOM,
    FRONT,
    MIDDLE,
    async_call,
    async_until,
    async_until_state,
    async_watch,
    on_disk,
    state,
    threads,
)

CAMERA = "camera.front_door"
DETECTION = "switch.front_door_detection"
MOTION = "binary_sensor.front_door_motion"
PATH = {"name": "Path", "kind": "watch", "points": MIDDLE}
LAWN = {"name": "Lawn", "kind": "ignore", "points": BOTTOM}
OFF = [("switch.turn_off", DETECTION), ("camera.disable_motion_detection", CAMERA)]
ON = [("switch.turn_on", DETECTION), ("camera.enable_motion_detection", CAMERA)]


@pytest.mark.parametrize(("off", "on"), list(zip(OFF, ON, strict=True)), ids=["switch", "camera"])
async def test_without_detection_nothing_is_looked_for_but_the_picture_stays(
    hass: HomeAssistant, live: LiveCamera, off: tuple[str, str], on: tuple[str, str]
) -> None:
    entry = await async_watch(hass, live.url())
    [coordinator] = entry.runtime_data.cameras.values()
    before = threads()
    live.moving = True
    await async_until_state(hass, MOTION, "on")

    await async_call(hass, *off)
    assert (state(hass, DETECTION), state(hass, MOTION)) == ("off", "off")
    assert (on_disk(hass) or {})[FRONT]["detection"] is False
    found = hass.states.get(CAMERA)
    assert found is not None
    assert "motion_detection" not in found.attributes
    await async_until(lambda: hass.states.get("event.front_door_motion").attributes["event_type"] == "ended")
    await hass.async_block_till_done()
    analyzed = coordinator.statistics["frames_analyzed"]
    decoded = coordinator.statistics["frames_decoded"]
    still = await coordinator.async_still()
    await async_until(lambda: coordinator.statistics["frames_decoded"] > decoded + 3)
    assert coordinator.statistics["frames_analyzed"] == analyzed
    assert await coordinator.async_still() != still
    assert state(hass, MOTION) == "off"

    await async_call(hass, *on)
    await async_until_state(hass, MOTION, "on")
    assert threads() == before


async def test_the_sensitivity_reaches_the_running_detector(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    await async_call(hass, "number.set_value", "number.front_door_sensitivity", value=12)
    assert state(hass, "number.front_door_sensitivity") == "12"
    [coordinator] = entry.runtime_data.cameras.values()
    await async_until(lambda: coordinator._watcher._seeing._detector._settings.sensitivity == 12)


@pytest.mark.parametrize(("number", "value"), [("sensitivity", 101), ("sensitivity", -1), ("hold_time", 301)])
async def test_numbers_out_of_range_are_refused(
    hass: HomeAssistant, live: LiveCamera, number: str, value: float
) -> None:
    await async_watch(hass, live.url())
    before = state(hass, f"number.front_door_{number}")
    with pytest.raises(ServiceValidationError):
        await async_call(hass, "number.set_value", f"number.front_door_{number}", value=value)
    assert state(hass, f"number.front_door_{number}") == before


async def test_zones_are_set_and_answered(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    answer = await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[PATH, LAWN])
    assert answer == {CAMERA: {"zones": [PATH, LAWN], "previous_zones": []}}
    assert (on_disk(hass) or {})[FRONT]["zones"] == [PATH, LAWN]
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor.front_door_motion_in_path") == "off"

    renamed = PATH | {"name": "Drive"}
    answer = await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[renamed])
    assert answer[CAMERA]["previous_zones"] == [PATH, LAWN]
    await hass.async_block_till_done()
    assert hass.states.get("binary_sensor.front_door_motion_in_path") is None
    assert state(hass, "binary_sensor.front_door_motion_in_drive") == "off"
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[])
    await hass.async_block_till_done()
    assert hass.states.get("binary_sensor.front_door_motion_in_drive") is None


async def test_zones_can_be_set_without_asking_for_an_answer_and_while_the_camera_is_private(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    target = {"entity_id": CAMERA}
    await hass.services.async_call("ringwatch", "set_zones", {"zones": [PATH]}, target=target, blocking=True)
    assert (on_disk(hass) or {})[FRONT]["zones"] == [PATH]


WRONG: dict[str, Any] = {
    "not_a_list": "watch the path",
    "too_many_zones": [PATH | {"name": f"Path {n}"} for n in range(33)],
    "not_an_object": ["Path"],
    "unknown_key": [PATH | {"color": "red"}],
    "bad_name": [PATH | {"name": ""}],
    "duplicate_name": [PATH, PATH],
    "bad_kind": [PATH | {"kind": "look"}],
    "bad_point_count": [PATH | {"points": [[0, 0], [1, 1]]}],
    "bad_point": [PATH | {"points": [[0, 0], [1, 2], [1, 1]]}],
    "no_area": [PATH | {"points": [[0, 0], [0.5, 0.5], [1, 1]]}],
}


def test_every_way_a_zone_can_be_wrong_is_tried_below() -> None:
    assert WRONG.keys() == vision_zones._SENTENCES.keys()


async def test_what_is_wrong_with_zones_is_said_in_the_callers_language_and_changes_nothing(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[LAWN])
    for code, zones in WRONG.items():
        with pytest.raises(ServiceValidationError) as raised:
            await async_call(hass, "ringwatch.set_zones", CAMERA, zones=zones)
        error = raised.value
        assert error.translation_key == f"zone_{code}"
        sentence = TRANSLATIONS["exceptions"][error.translation_key]["message"]
        assert str(error) == sentence.format(**error.translation_placeholders or {}).rstrip(".")
    assert (on_disk(hass) or {})[FRONT]["zones"] == [LAWN]


async def test_only_who_may_control_the_camera_sets_zones(
    hass: HomeAssistant, live: LiveCamera, hass_read_only_user: MockUser
) -> None:
    await async_watch(hass, live.url())
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "ringwatch",
            "set_zones",
            {"zones": [PATH]},
            target={"entity_id": CAMERA},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert (on_disk(hass) or {})[FRONT]["zones"] == []


async def test_the_action_is_there_without_an_entry(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    await hass.config_entries.async_unload(entry.entry_id)
    assert hass.services.has_service("ringwatch", "set_zones")
    with pytest.raises(HomeAssistantError):
        await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[PATH])


async def test_asking_an_entity_to_update_asks_nobody(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    await async_update_entity(hass, MOTION)
    assert live.opened == {"/main.ts": 1}
