"""Adding a camera through the HTTP API that the frontend uses, and what leaks on the way: nothing."""

from http import HTTPStatus
import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.fixtures.cameras import PASSWORD, USERNAME, CameraServer
from tests.fixtures.flows import PREVIEW_INPUT

FLOW = "/api/config/config_entries/subentries/flow"
SPELLINGS = (PASSWORD, "p%40ss", "p@ss", "cEBzcyB3LyNyZA")  # as typed, in an address, cut short, in Base64


async def test_a_camera_is_added_over_http_and_its_password_appears_nowhere(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    answers = []

    async def async_post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await client.post(path, json=body)
        assert response.status == HTTPStatus.OK
        await hass.async_block_till_done()
        answers.append(await response.text())
        answer: dict[str, Any] = await response.json()
        return answer

    menu = await async_post(FLOW, {"handler": [ringwatch.entry_id, "camera"]})
    path = f"{FLOW}/{menu['flow_id']}"
    form = await async_post(path, {"next_step_id": "url"})
    assert [field["name"] for field in form["data_schema"]] == [
        "url",
        "username",
        "password",
        "detect_url",
        "advanced",
    ]
    typed = {"url": camera_server.url("/private/nothing"), "username": USERNAME, "password": PASSWORD}
    kept = await async_post(path, typed | {"advanced": {}})
    assert kept["errors"] == {"url": "not_found"}
    assert PASSWORD in answers.pop()  # the form keeps what its own user has just typed

    preview = await async_post(path, typed | {"url": camera_server.url("/private/small.ts"), "advanced": {}})
    picture = preview["description_placeholders"]["preview"]
    assert (await client.get(picture.partition("?")[0])).status == HTTPStatus.OK
    anybody = await hass_client_no_auth()
    assert (await anybody.get(picture)).status == HTTPStatus.OK
    assert (await anybody.get(picture[:-1])).status == HTTPStatus.UNAUTHORIZED

    await async_post(path, PREVIEW_INPUT)
    [camera] = ringwatch.subentries.values()
    seen = " ".join([*answers, caplog.text, camera.title, str(camera.unique_id), camera.data["url"]])
    assert not [spelling for spelling in SPELLINGS if spelling in seen]
