"""Adding a camera by its brand and host.

The brands' own addresses are RTSP on port 554, which a test can't open everywhere; so a brand gets
addresses of HTTP instead, and everything behind it is real.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.ringwatch.video import Brand, templates
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.fixtures.cameras import PASSWORD, USERNAME, CameraServer
from tests.fixtures.flows import PREVIEW_INPUT, async_answer, async_start, suggested

HTTP_MAIN = "http://{host}:{port}/private/large.ts"
HTTP_SUB = "http://{host}:{port}/private/sub.ts"


@pytest.fixture
def tapo(camera_server: CameraServer) -> Iterator[CameraServer]:
    """Tapo's cameras, were they on this machine."""
    with use_brand(Brand("tapo", "Tapo", HTTP_MAIN, HTTP_SUB)):
        yield camera_server


def use_brand(brand: Brand) -> AbstractContextManager[Any]:
    """Give a brand other addresses."""
    return patch.dict(templates._BY_KEY, {brand.key: brand})


def typed(server: CameraServer, **changes: object) -> dict[str, object]:
    return {
        "brand": "tapo",
        "host": f"127.0.0.1:{server.server_port}",
        "username": USERNAME,
        "password": PASSWORD,
        "channel": 1,
        "advanced": {},
        **changes,
    }


async def test_a_brand_and_a_host_are_enough_and_the_substream_is_proposed(
    hass: HomeAssistant, ringwatch: ConfigEntry, tapo: CameraServer
) -> None:
    form = await async_start(hass, ringwatch, "brand")
    assert form["step_id"] == "brand"
    preview = await async_answer(hass, form, typed(tapo))
    assert preview["step_id"] == "preview"
    assert suggested(preview)["name"] == "Tapo"
    assert "use_substream" in preview["data_schema"].schema
    assert "/private/sub.ts" in tapo.requests  # it was tried

    await async_answer(hass, preview, PREVIEW_INPUT | {"use_substream": True})
    [camera] = ringwatch.subentries.values()
    assert camera.data["url"] == tapo.url("/private/large.ts")
    assert camera.data["detect_url"] == tapo.url("/private/sub.ts")
    assert (camera.data["username"], camera.data["password"]) == (USERNAME, PASSWORD)


async def test_the_proposed_substream_can_be_declined(
    hass: HomeAssistant, ringwatch: ConfigEntry, tapo: CameraServer
) -> None:
    preview = await async_answer(hass, await async_start(hass, ringwatch, "brand"), typed(tapo))
    await async_answer(hass, preview, PREVIEW_INPUT | {"use_substream": False})
    [camera] = ringwatch.subentries.values()
    assert camera.data["detect_url"] == ""


async def test_a_substream_that_does_not_open_is_not_proposed(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    with use_brand(Brand("tapo", "Tapo", HTTP_MAIN, "http://{host}:{port}/private/nothing")):
        preview = await async_answer(hass, await async_start(hass, ringwatch, "brand"), typed(camera_server))
    assert preview["step_id"] == "preview_large"
    assert "use_substream" not in preview["data_schema"].schema


async def test_a_small_picture_needs_no_substream(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    with use_brand(Brand("tapo", "Tapo", HTTP_SUB, "http://{host}:{port}/private/small.ts")):
        preview = await async_answer(hass, await async_start(hass, ringwatch, "brand"), typed(camera_server))
    assert preview["step_id"] == "preview"
    assert camera_server.requests == ["/private/sub.ts"] * len(camera_server.requests)


async def test_a_wrong_password_is_told_and_the_form_keeps_the_rest(
    hass: HomeAssistant, ringwatch: ConfigEntry, tapo: CameraServer
) -> None:
    form = await async_start(hass, ringwatch, "brand")
    result = await async_answer(hass, form, typed(tapo, password="not-this-one"))
    assert result["step_id"] == "brand"
    assert result["errors"] == {"password": "wrong_credentials"}
    assert suggested(result)["host"] == f"127.0.0.1:{tapo.server_port}"
    assert not ringwatch.subentries


@pytest.mark.parametrize(("host", "error"), [("front door", "invalid_host"), ("127.0.0.1:1", "unreachable")])
async def test_a_wrong_host_is_told(
    hass: HomeAssistant, ringwatch: ConfigEntry, tapo: CameraServer, host: str, error: str
) -> None:
    result = await async_answer(hass, await async_start(hass, ringwatch, "brand"), typed(tapo, host=host))
    assert result["errors"] == {"host": error}


async def test_where_the_path_is_wrong_the_address_can_be_corrected(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    with use_brand(Brand("tapo", "Tapo", "http://{host}:{port}/nothing", None)):
        result = await async_answer(hass, await async_start(hass, ringwatch, "brand"), typed(camera_server))
    assert result["step_id"] == "url"
    assert result["errors"] == {"url": "not_found"}
    filled_in = suggested(result)
    assert filled_in["url"] == camera_server.url("/nothing")
    assert filled_in["password"] == PASSWORD
    preview = await async_answer(hass, result, filled_in | {"url": camera_server.url("/small.ts")})
    created = await async_answer(hass, preview, PREVIEW_INPUT)
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("brand", "address", "error"),
    [
        ("unifi", "rtsps://10.0.0.9:7441/STREAM_KEY", "replace_stream_key"),
        ("wyze_bridge", "rtsp://10.0.0.9:8554/CAMERA_NAME", "replace_camera_name"),
    ],
)
async def test_what_only_the_owner_can_look_up_is_asked_for(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    brand: str,
    address: str,
    error: str,
) -> None:
    form = await async_start(hass, ringwatch, "brand")
    result = await async_answer(hass, form, typed(camera_server, brand=brand, host="10.0.0.9"))
    assert result["step_id"] == "url"
    assert suggested(result)["url"] == address
    assert result["errors"] == {"url": error}


async def test_one_can_go_back_and_correct_the_host(
    hass: HomeAssistant, ringwatch: ConfigEntry, tapo: CameraServer
) -> None:
    preview = await async_answer(hass, await async_start(hass, ringwatch, "brand"), typed(tapo))
    form = await async_answer(
        hass, preview, {"press": "none", "use_substream": True, "go_back": True, "advanced": {}}
    )
    assert form["step_id"] == "brand"
    assert suggested(form)["host"] == f"127.0.0.1:{tapo.server_port}"
