"""The action that shows what the detector sees."""

from http import HTTPStatus
import io

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import TOP, async_call, async_until, async_watch

CAMERA = "camera.front_door"
PRIVACY = "switch.front_door_privacy"


async def async_explain(hass: HomeAssistant) -> str:
    answer = await async_call(hass, "ringwatch.debug_snapshot", CAMERA)
    path: str = answer[CAMERA]["snapshot"]
    return path


async def test_the_picture_shows_scene_and_panels_and_hides_what_is_private(
    hass: HomeAssistant,
    live: LiveCamera,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await async_watch(hass, live.url())
    zones = [{"name": "Street", "kind": "privacy", "points": TOP}]
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=zones)
    path = await async_explain(hass)
    client = await hass_client()
    answer = await client.get(path)
    assert answer.status == HTTPStatus.OK
    with Image.open(io.BytesIO(await answer.read())) as picture:
        assert picture.width == 1280  # the scene, and three panels at its right
        scene = picture.convert("L").crop((0, 20, 960, 20 + 720))
        assert scene.crop((0, 0, 960, 170)).getextrema()[1] < 24  # black, but for JPEG's ringing
        assert scene.crop((0, 200, 960, 700)).getextrema()[1] > 100

    signed = (await async_call(hass, "ringwatch.debug_snapshot", CAMERA))[CAMERA]["url"]
    nobody = await hass_client_no_auth()
    assert (await nobody.get(signed)).status == HTTPStatus.OK
    assert (await nobody.get(signed.partition("?")[0])).status == HTTPStatus.UNAUTHORIZED
    newer = await async_explain(hass)
    assert (await client.get(path)).status == HTTPStatus.NOT_FOUND
    assert (await client.get(newer)).status == HTTPStatus.OK
    await async_call(hass, "switch.turn_on", PRIVACY)
    assert (await client.get(newer)).status == HTTPStatus.NOT_FOUND


async def test_without_a_picture_it_says_why(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    await async_call(hass, "switch.turn_on", PRIVACY)
    with pytest.raises(HomeAssistantError, match="Front door has no picture to explain"):
        await async_explain(hass)


async def test_it_is_not_the_picture_of_an_event(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    await async_explain(hass)
    assert hass.states.get("image.front_door_last_event").state == "unknown"  # type: ignore[union-attr]
    live.moving = True
    await async_until(lambda: hass.states.get("image.front_door_last_event").state != "unknown")  # type: ignore[union-attr]
