"""Changing a camera: its source and its zones."""

import io
import json
from typing import Any
from unittest.mock import patch

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ringwatch.vision import parse_zones, zones_to_json
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.fixtures.cameras import PASSWORD, USERNAME, CameraServer
from tests.fixtures.flows import async_add_url_camera, async_answer, async_reconfigure, suggested

CREDENTIALS = {"username": USERNAME, "password": PASSWORD}
TOP = {"name": "Street", "kind": "privacy", "points": [[0, 0], [1, 0], [1, 0.5], [0, 0.5]]}
ACCEPT = {"name": "Back door", "go_back": False}


def typed(zone: dict[str, Any]) -> dict[str, Any]:
    """Return a zone as the form has it, with its points as text."""
    points = zone["points"]
    return zone | {"points": points if isinstance(points, str) else json.dumps(points)}


async def test_the_menu_offers_all_that_can_be_changed(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    menu = await async_reconfigure(hass, ringwatch, camera)
    assert menu["type"] is FlowResultType.MENU
    assert menu["menu_options"] == ["source", "doorbell", "zones", "recording"]
    assert menu["description_placeholders"] == {"name": "Front door"}


async def test_an_empty_password_keeps_the_old_one_which_never_leaves(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    camera = await async_add_url_camera(
        hass, ringwatch, url=camera_server.url("/private/small.ts"), **CREDENTIALS
    )
    form = await async_reconfigure(hass, ringwatch, camera, "source", "url")
    assert suggested(form) == {
        "url": camera_server.url("/private/small.ts"),
        "username": USERNAME,
        "advanced": {"rtsp_transport": "tcp", "verify_ssl": True},
    }
    result = await async_answer(
        hass, form, {"url": camera_server.url("/private/nothing"), "username": USERNAME, "advanced": {}}
    )
    assert result["errors"] == {"url": "not_found"}
    assert PASSWORD not in str(suggested(result))

    preview = await async_answer(
        hass, result, {"url": camera_server.url("/private/sub.ts"), "username": USERNAME, "advanced": {}}
    )
    assert suggested(preview) == {"name": "Front door"}
    assert "press" not in preview["data_schema"].schema
    done = await async_answer(hass, preview, ACCEPT)
    assert done["reason"] == "reconfigure_successful"
    camera = ringwatch.subentries[camera.subentry_id]
    assert camera.title == "Back door"
    assert camera.data["url"] == camera_server.url("/private/sub.ts")
    assert camera.data["password"] == PASSWORD


async def test_without_a_user_name_no_password_is_kept(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    camera = await async_add_url_camera(
        hass, ringwatch, url=camera_server.url("/private/small.ts"), **CREDENTIALS
    )
    form = await async_reconfigure(hass, ringwatch, camera, "source", "url")
    preview = await async_answer(hass, form, {"url": camera_server.url("/small.ts"), "advanced": {}})
    await async_answer(hass, preview, ACCEPT)
    camera = ringwatch.subentries[camera.subentry_id]
    assert (camera.data["username"], camera.data["password"]) == ("", "")


async def test_another_cameras_address_is_refused_but_its_own_is_not(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    first = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    await async_add_url_camera(hass, ringwatch, url=camera_server.url("/sub.ts"))
    form = await async_reconfigure(hass, ringwatch, first, "source", "url")
    result = await async_answer(hass, form, {"url": camera_server.url("/sub.ts"), "advanced": {}})
    assert result["errors"] == {"url": "already_configured"}
    preview = await async_answer(hass, result, {"url": camera_server.url("/small.ts"), "advanced": {}})
    assert preview["step_id"] == "preview"


async def test_the_press_survives_a_change_of_source(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    form = await async_reconfigure(hass, ringwatch, camera, "doorbell")
    await async_answer(hass, await async_answer(hass, form, {"press": "webhook", "advanced": {}}), {})
    before = ringwatch.subentries[camera.subentry_id].data

    form = await async_reconfigure(hass, ringwatch, camera, "source", "url")
    preview = await async_answer(hass, form, {"url": camera_server.url("/sub.ts"), "advanced": {}})
    await async_answer(hass, preview, ACCEPT)
    after = ringwatch.subentries[camera.subentry_id].data
    assert after == dict(before) | {"url": camera_server.url("/sub.ts")}


async def test_privacy_zones_are_black_in_the_preview(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    await ringwatch.runtime_data.settings.async_update(camera.subentry_id, zones=parse_zones([TOP]))
    form = await async_reconfigure(hass, ringwatch, camera, "source", "url")
    preview = await async_answer(hass, form, {"url": camera_server.url("/sub.ts"), "advanced": {}})
    client = await hass_client_no_auth()
    response = await client.get(preview["description_placeholders"]["preview"])
    with Image.open(io.BytesIO(await response.read())) as picture:
        width, height = picture.size
        assert picture.crop((0, 0, width, height // 2 - 8)).convert("L").getextrema()[1] < 20
        assert picture.crop((0, height // 2 + 16, width, height)).convert("L").getextrema()[0] > 20


@pytest.mark.parametrize("steps", [["source"], ["source", "url"], ["source", "brand"], ["source", "entity"]])
async def test_with_privacy_on_nothing_is_opened(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, steps: list[str]
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    result = await async_reconfigure(hass, ringwatch, camera, *steps[:-1])
    await ringwatch.runtime_data.settings.async_update(camera.subentry_id, privacy=True)
    await hass.async_block_till_done()
    camera_server.requests.clear()
    result = await async_answer(hass, result, {"next_step_id": steps[-1]})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "privacy_on"
    assert not camera_server.requests


async def test_privacy_switched_on_in_between_shows_no_picture(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    form = await async_reconfigure(hass, ringwatch, camera, "source", "url")
    await ringwatch.runtime_data.settings.async_update(camera.subentry_id, privacy=True)
    result = await async_answer(hass, form, {"url": camera_server.url("/sub.ts"), "advanced": {}})
    assert result["reason"] == "privacy_on"
    assert "/sub.ts" not in camera_server.requests


async def test_zones_are_shown_and_saved(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    settings = ringwatch.runtime_data.settings
    form = await async_reconfigure(hass, ringwatch, camera, "zones")
    assert suggested(form) == {"zones": []}
    path = {"name": "Path", "kind": "watch", "points": [[0, 0.5], [1, 0.5], [1, 1]]}
    done = await async_answer(hass, form, {"zones": [typed(TOP), typed(path)]})
    assert done["type"] is FlowResultType.ABORT
    assert done["reason"] == "zones_saved"
    assert zones_to_json(settings.get(camera.subentry_id).zones) == [TOP, path]

    form = await async_reconfigure(hass, ringwatch, camera, "zones")
    assert suggested(form)["zones"][0]["points"] == "[[0.0, 0.0], [1.0, 0.0], [1.0, 0.5], [0.0, 0.5]]"
    await async_answer(hass, form, suggested(form))
    assert zones_to_json(settings.get(camera.subentry_id).zones) == [TOP, path]
    form = await async_reconfigure(hass, ringwatch, camera, "zones")
    await async_answer(hass, form, {})
    assert settings.get(camera.subentry_id).zones == ()


@pytest.mark.parametrize(
    ("change", "error", "placeholders"),
    [
        ({"name": " "}, "zone_bad_name", {"index": "1", "limit": "40"}),
        ({"points": "top"}, "zone_bad_point_count", {"name": "Street"}),
        (
            {"points": [[0, 0], [1, 0]]},
            "zone_bad_point_count",
            {"name": "Street", "minimum": "3", "maximum": "64"},
        ),
        ({"points": [[0, 0], [1, 0], [1, 2]]}, "zone_bad_point", {"name": "Street", "point": "3"}),
        ({"points": [[0, 0], [1, 0], [0.5, 0]]}, "zone_no_area", {"name": "Street"}),
    ],
)
async def test_zones_that_cannot_be_are_told_and_kept_in_the_form(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    change: dict[str, object],
    error: str,
    placeholders: dict[str, str],
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    form = await async_reconfigure(hass, ringwatch, camera, "zones")
    result = await async_answer(hass, form, {"zones": [typed(TOP | change)]})
    assert result["errors"] == {"zones": error}
    assert placeholders.items() <= result["description_placeholders"].items()
    assert suggested(result) == {"zones": [typed(TOP | change)]}
    assert ringwatch.runtime_data.settings.get(camera.subentry_id).zones == ()


async def test_a_full_disk_is_told_and_removes_no_privacy_zone(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    settings = ringwatch.runtime_data.settings
    await settings.async_update(camera.subentry_id, zones=parse_zones([TOP]))
    form = await async_reconfigure(hass, ringwatch, camera, "zones")
    with patch(
        "custom_components.ringwatch.settings.save_json", side_effect=OSError(28, "No space left on device")
    ):
        result = await async_answer(hass, form, {})
    assert result["errors"] == {"base": "not_saved"}
    assert zones_to_json(settings.get(camera.subentry_id).zones) == [TOP]


@pytest.mark.parametrize("gone", ["camera", "entry"])
async def test_a_camera_removed_meanwhile_ends_the_flow(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, gone: str
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    form = await async_reconfigure(hass, ringwatch, camera, "zones")
    if gone == "camera":
        hass.config_entries.async_remove_subentry(ringwatch, camera.subentry_id)
    else:
        await hass.config_entries.async_remove(ringwatch.entry_id)
    result = await async_answer(hass, form, {"zones": [typed(TOP)]})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "removed"


@pytest.mark.parametrize("step", ["source", "zones"])
async def test_what_needs_the_running_integration_says_so(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, step: str
) -> None:
    camera = await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    await hass.config_entries.async_unload(ringwatch.entry_id)
    result = await async_reconfigure(hass, ringwatch, camera, step)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"
