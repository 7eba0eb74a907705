"""Privacy zones: black in everything that is shown or kept."""

import asyncio
from http import HTTPStatus
import io
from typing import Any

import numpy as np
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.camera import CameraEntityFeature, async_get_image, async_get_stream_source
from homeassistant.core import HomeAssistant
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    BOTTOM,
    FRONT,
    MIDDLE,
    TOP,
    async_call,
    async_until,
    async_until_state,
    async_watch,
    state,
    threads,
)

CAMERA = "camera.front_door"
MOTION = "binary_sensor.front_door_motion"
STREET = {"name": "Street", "kind": "privacy", "points": TOP}
BLACK = 16  # with what JPEG adds
BORDER = 16  # pixels: JPEG's blocks, and the zone's one more that nothing may be seen in


def bands(jpeg: bytes) -> tuple[int, int]:
    """Return the brightest pixel in the top quarter, and the darkest one below it."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        gray = np.asarray(picture.convert("L"))
    edge = gray.shape[0] // 4
    return int(gray[: edge - 1].max()), int(gray[edge + BORDER :].min())


def assert_masked(jpeg: bytes) -> None:
    hidden, shown = bands(jpeg)
    assert hidden < BLACK
    assert shown > 40


def features(hass: HomeAssistant) -> int:
    found = hass.states.get(CAMERA)
    assert found is not None
    return int(found.attributes["supported_features"])


@pytest.mark.parametrize("detect_url", ["", "/sub.ts"])
async def test_stills_and_live_view_are_masked_and_the_stream_is_not_handed_out(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator, detect_url: str
) -> None:
    await async_watch(hass, live.url(), detect_url=detect_url and live.url(detect_url))
    assert bands((await async_get_image(hass, CAMERA)).content)[0] > 100
    before = threads()
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[STREET])
    assert threads() == before  # nothing was reconnected for it
    assert features(hass) == 0
    assert await async_get_stream_source(hass, CAMERA) is None
    assert_masked((await async_get_image(hass, CAMERA)).content)
    assert_masked((await async_get_image(hass, CAMERA, width=100, height=75)).content)

    client = await hass_client()
    live.moving = True  # the same picture again is not sent
    response = await client.get(f"/api/camera_proxy_stream/{CAMERA}")
    assert response.status == HTTPStatus.OK
    async with asyncio.timeout(5):
        for _ in range(3):
            await response.content.readuntil(b"\r\n\r\n")
            jpeg = await response.content.readuntil(b"\r\n--frameboundary")
            assert_masked(jpeg)
    response.close()

    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[])
    assert features(hass) == CameraEntityFeature.STREAM
    assert await async_get_stream_source(hass, CAMERA) == live.url()


async def test_the_live_view_ends_when_the_camera_goes_away(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    await async_watch(hass, live.url())
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[STREET])
    client = await hass_client()
    response = await client.get(f"/api/camera_proxy_stream/{CAMERA}")
    await response.content.readuntil(b"\r\n\r\n")
    live.away = True
    async with asyncio.timeout(5):
        while await response.content.readany():
            pass


async def test_snapshots_are_masked_and_older_ones_are_gone(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    await async_watch(hass, live.url())

    def snapshot() -> str:
        found = hass.states.get("event.front_door_motion")
        assert found is not None
        return str(found.attributes["snapshot"])

    live.moving = True
    await async_until_state(hass, MOTION, "on")
    first = snapshot()
    client = await hass_client()
    assert (await client.get(first)).status == HTTPStatus.OK
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[STREET])
    assert (await client.get(first)).status == HTTPStatus.NOT_FOUND
    assert state(hass, "image.front_door_last_event") == "unknown"

    await async_until(lambda: state(hass, "image.front_door_last_event") != "unknown")
    await hass.async_block_till_done()
    response = await client.get(snapshot())
    assert response.status == HTTPStatus.OK
    assert_masked(await response.read())


async def test_nothing_that_happens_behind_a_privacy_zone_is_seen(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_watch(hass, live.url())
    wall = [STREET | {"points": MIDDLE}]
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=wall)
    statistics = entry.runtime_data.cameras[FRONT]
    live.moving = True
    seen = statistics.statistics["frames_analyzed"]
    await async_until(lambda: statistics.statistics["frames_analyzed"] > seen + 20)
    assert state(hass, MOTION) == "off"


async def test_zones_hold_before_the_first_packet_after_a_restart(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_watch(hass, live.url())
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[STREET])
    await hass.config_entries.async_unload(entry.entry_id)
    [subentry_id] = entry.subentries
    await hass.config_entries.async_setup(entry.entry_id)
    coordinator = entry.runtime_data.cameras[subentry_id]
    jpegs: list[bytes] = []

    async def look() -> None:
        while len(jpegs) < 3:
            if jpeg := await coordinator.async_still():
                jpegs.append(jpeg)
            await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await look()
    for jpeg in jpegs:
        assert_masked(jpeg)
    assert features(hass) == 0


async def test_other_zones_hide_nothing(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    zones: list[dict[str, Any]] = [STREET | {"kind": "ignore"}, STREET | {"name": "Path", "kind": "watch"}]
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=zones)
    assert features(hass) == CameraEntityFeature.STREAM
    assert bands((await async_get_image(hass, CAMERA)).content)[0] > 100


async def test_a_change_of_zones_while_a_still_is_made_gives_the_new_still(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_watch(hass, live.url())
    [coordinator] = entry.runtime_data.cameras.values()
    for _ in range(5):
        asked = [hass.async_create_task(coordinator.async_still()) for _ in range(3)]
        await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[STREET])
        for jpeg in await asyncio.gather(*asked):
            assert jpeg
        assert_masked(await coordinator.async_still() or b"")
        await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[STREET | {"points": BOTTOM}])
        assert bands(await coordinator.async_still() or b"")[0] > 40
