"""Key frames only while nothing moves: who gets it, and when a camera is awake all the same."""

from typing import Any

import pytest

from custom_components.ringwatch.pipeline import Mode
from custom_components.ringwatch.sources import decoding_mode
from homeassistant.components.camera import async_get_image
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    FRONT,
    TOP,
    async_call,
    async_until,
    async_until_state,
    async_watch,
    camera,
)

CAMERA = "camera.front_door"


@pytest.mark.parametrize(
    ("decoding", "press", "mode"),
    [
        ("usual", "none", Mode.AUTO),
        ("usual", "webhook", Mode.FULL),
        ("usual", "entity", Mode.FULL),
        ("auto", "webhook", Mode.AUTO),
        ("full", "none", Mode.FULL),
    ],
)
def test_a_doorbell_is_decoded_in_full_unless_its_owner_says_otherwise(
    decoding: str, press: str, mode: Mode
) -> None:
    assert decoding_mode(camera(decoding=decoding, press=press)) is mode


def statistics(entry: ConfigEntry) -> dict[str, Any]:
    found: dict[str, Any] = entry.runtime_data.cameras[FRONT].statistics
    return found


async def test_a_quiet_camera_dozes_and_wakes_for_motion(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    await async_until(lambda: statistics(entry)["dozing"])
    live.moving = True
    await async_until_state(hass, "binary_sensor.front_door_motion", "on")
    assert not statistics(entry)["dozing"]
    live.moving = False
    await async_until(lambda: statistics(entry)["dozing"])


async def test_whoever_looks_through_a_mask_keeps_it_awake(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    await async_until(lambda: statistics(entry)["dozing"])
    await async_get_image(hass, CAMERA)
    assert statistics(entry)["dozing"]  # a key frame will do
    zones = [{"name": "Street", "kind": "privacy", "points": TOP}]
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=zones)
    await async_get_image(hass, CAMERA)
    await async_until(lambda: not statistics(entry)["dozing"])


async def test_a_camera_that_is_decoded_in_full_never_dozes(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url(), decoding="full")
    await async_until(lambda: statistics(entry)["frames_analyzed"] > 60)  # twelve seconds
    assert not statistics(entry)["dozing"]
