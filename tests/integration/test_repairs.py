"""Repairing a camera whose password was changed, through the repairs' own HTTP API."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ringwatch.const import DOMAIN
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.fixtures.cameras import PASSWORD, USERNAME, CameraServer
from tests.fixtures.flows import PREVIEW_INPUT, async_answer, async_start

type Post = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
FLOW = "/api/repairs/issues/fix"
NEW_PASSWORD = "changed on the camera"


@pytest.fixture
async def camera(hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer) -> ConfigSubentry:
    """A camera whose password was changed between its set-up and its first connection."""
    form = await async_start(hass, ringwatch, "url")
    typed = {"url": camera_server.url("/private/small.ts"), "username": USERNAME, "password": PASSWORD}
    preview = await async_answer(hass, form, typed | {"advanced": {}})
    camera_server.password = NEW_PASSWORD
    await async_answer(hass, preview, PREVIEW_INPUT)
    [camera] = ringwatch.subentries.values()
    return camera


@pytest.fixture
async def issue_id(hass: HomeAssistant, camera: ConfigSubentry) -> str:
    """The issue that the refused camera raises by itself."""
    issue_id = f"credentials_{camera.subentry_id}"
    raised = asyncio.Event()

    @callback
    def look(_: object = None) -> None:
        if ir.async_get(hass).async_get_issue(DOMAIN, issue_id):
            raised.set()

    stop = hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, look)
    look()
    async with asyncio.timeout(5):
        await raised.wait()
    stop()
    return issue_id


@pytest.fixture
async def post(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Post:
    """Post to the API as the signed-in owner."""
    await async_setup_component(hass, "repairs", {})
    client = await hass_client()

    async def async_post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await client.post(path, json=body)
        assert response.status == HTTPStatus.OK
        answer: dict[str, Any] = await response.json()
        await hass.async_block_till_done()
        return answer

    return async_post


async def test_new_credentials_are_tried_then_saved_and_the_issue_is_gone(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera: ConfigSubentry,
    camera_server: CameraServer,
    issue_id: str,
    post: Post,
    caplog: pytest.LogCaptureFixture,
) -> None:
    form = await post(FLOW, {"handler": DOMAIN, "issue_id": issue_id})
    assert form["step_id"] == "credentials"
    assert form["description_placeholders"] == {"name": "Front door"}
    assert PASSWORD not in str(form)
    [username, _] = form["data_schema"]
    assert username["description"] == {"suggested_value": USERNAME}

    path = f"{FLOW}/{form['flow_id']}"
    again = await post(path, {"username": USERNAME, "password": "still wrong"})
    assert again["errors"] == {"password": "wrong_credentials"}
    assert ringwatch.subentries[camera.subentry_id].data == camera.data
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id)

    done = await post(path, {"username": USERNAME, "password": NEW_PASSWORD})
    assert done["type"] == "create_entry"
    after = ringwatch.subentries[camera.subentry_id]
    assert after.data == dict(camera.data) | {"password": NEW_PASSWORD}
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None
    assert "still wrong" not in caplog.text
    assert NEW_PASSWORD not in caplog.text


async def test_a_camera_that_is_away_keeps_the_issue(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    issue_id: str,
    post: Post,
) -> None:
    form = await post(FLOW, {"handler": DOMAIN, "issue_id": issue_id})
    camera_server.stop()
    result = await post(f"{FLOW}/{form['flow_id']}", {"username": USERNAME, "password": NEW_PASSWORD})
    assert result["errors"] == {"base": "unreachable"}
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


@pytest.mark.parametrize("gone", ["camera", "entry"])
async def test_there_is_nothing_to_fix_once_the_camera_is_removed(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera: ConfigSubentry, issue_id: str, post: Post, gone: str
) -> None:
    form = await post(FLOW, {"handler": DOMAIN, "issue_id": issue_id})
    if gone == "camera":
        hass.config_entries.async_remove_subentry(ringwatch, camera.subentry_id)
    else:
        await hass.config_entries.async_remove(ringwatch.entry_id)
    result = await post(f"{FLOW}/{form['flow_id']}", {"username": USERNAME, "password": PASSWORD})
    assert result["type"] == "abort"
    assert result["reason"] == "camera_removed"
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None


async def test_a_camera_of_another_integration_is_fixed_there(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera: ConfigSubentry, issue_id: str, post: Post
) -> None:
    form = await post(FLOW, {"handler": DOMAIN, "issue_id": issue_id})
    data = dict(camera.data) | {"source": "entity", "url": "", "entity_id": "camera.garden"}
    hass.config_entries.async_update_subentry(ringwatch, camera, data=data)
    result = await post(f"{FLOW}/{form['flow_id']}", {"username": USERNAME, "password": NEW_PASSWORD})
    assert result["reason"] == "entity_source"
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None


async def test_another_source_withdraws_what_was_said_of_the_old_one(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera: ConfigSubentry,
    camera_server: CameraServer,
    issue_id: str,
) -> None:
    data = dict(camera.data) | {"url": camera_server.url("/small.ts")}
    hass.config_entries.async_update_subentry(ringwatch, camera, data=data)
    await hass.async_block_till_done()
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id) is None


async def test_with_privacy_on_the_camera_is_not_opened(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera: ConfigSubentry,
    camera_server: CameraServer,
    issue_id: str,
    post: Post,
) -> None:
    form = await post(FLOW, {"handler": DOMAIN, "issue_id": issue_id})
    await ringwatch.runtime_data.settings.async_update(camera.subentry_id, privacy=True)
    await hass.async_block_till_done()
    camera_server.requests.clear()
    result = await post(f"{FLOW}/{form['flow_id']}", {"username": USERNAME, "password": PASSWORD})
    assert result["reason"] == "privacy_on"
    assert not camera_server.requests


async def test_an_entry_that_is_not_running_says_so(
    hass: HomeAssistant, ringwatch: ConfigEntry, issue_id: str, post: Post
) -> None:
    form = await post(FLOW, {"handler": DOMAIN, "issue_id": issue_id})
    await hass.config_entries.async_unload(ringwatch.entry_id)
    result = await post(f"{FLOW}/{form['flow_id']}", {"username": USERNAME, "password": PASSWORD})
    assert result["reason"] == "not_loaded"


async def test_any_other_fixable_issue_is_only_confirmed(
    hass: HomeAssistant, ringwatch: ConfigEntry, post: Post
) -> None:
    ir.async_create_issue(
        hass, DOMAIN, "other", is_fixable=True, severity=ir.IssueSeverity.WARNING, translation_key="other"
    )
    form = await post(FLOW, {"handler": DOMAIN, "issue_id": "other"})
    assert form["step_id"] == "confirm"
