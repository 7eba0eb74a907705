"""Adding a camera by its address."""

from http import HTTPStatus
import socket
import ssl
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import trustme

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.fixtures.cameras import PASSWORD, USERNAME, CameraServer
from tests.fixtures.flows import (
    PREVIEW_INPUT,
    async_add_url_camera,
    async_answer,
    async_start,
    suggested,
)

CREDENTIALS = {"username": USERNAME, "password": PASSWORD}


async def test_the_picture_is_seen_before_anything_is_saved(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    form = await async_start(hass, ringwatch, "url")
    assert form["step_id"] == "url"
    preview = await async_answer(hass, form, {"url": camera_server.url("/small.ts"), "advanced": {}})
    assert preview["step_id"] == "preview"
    assert preview["description_placeholders"]["details"].startswith("H.264, 320x240")
    assert not ringwatch.subentries

    client = await hass_client_no_auth()
    path = preview["description_placeholders"]["preview"]
    picture = await client.get(path)
    assert picture.status == HTTPStatus.OK
    assert picture.content_type == "image/jpeg"
    assert picture.headers["Cache-Control"] == "no-store"
    assert (await picture.read()).startswith(b"\xff\xd8")
    assert (await client.get(path.partition("?")[0])).status == HTTPStatus.UNAUTHORIZED

    created = await async_answer(hass, preview, PREVIEW_INPUT)
    assert created["type"] is FlowResultType.CREATE_ENTRY
    [camera] = ringwatch.subentries.values()
    assert camera.title == "Front door"
    assert camera.subentry_type == "camera"
    assert camera.unique_id is None
    assert camera.data == {
        "source": "url",
        "url": camera_server.url("/small.ts"),
        "username": "",
        "password": "",
        "detect_url": "",
        "rtsp_transport": "tcp",
        "verify_ssl": True,
        "entity_id": "",
        "still_interval_s": 0.0,
        "press": "none",
        "press_entity_id": "",
        "webhook_id": "",
        "analyzed_fps": 5.0,
        "decoding": "usual",
        "record": True,
        "record_sound": False,
        "pre_roll_s": 5.0,
        "post_roll_s": 5.0,
        "clip_days": 0.0,
        "clip_gb": 0.0,
    }
    assert (await client.get(path)).status == HTTPStatus.NOT_FOUND


async def test_a_flow_that_is_given_up_drops_its_picture(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    form = await async_start(hass, ringwatch, "url")
    preview = await async_answer(hass, form, {"url": camera_server.url("/mjpeg"), "advanced": {}})
    assert preview["description_placeholders"]["details"].startswith("MJPEG, 320x240")
    hass.config_entries.subentries.async_abort(preview["flow_id"])
    client = await hass_client_no_auth()
    assert (await client.get(preview["description_placeholders"]["preview"])).status == HTTPStatus.NOT_FOUND
    assert not ringwatch.subentries


async def test_credentials_in_the_address_are_taken_out(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, caplog: pytest.LogCaptureFixture
) -> None:
    plain = camera_server.url("/private/small.ts")
    typed = plain.replace("://", "://admin:p%40ss%20w%2F%23rd@")
    form = await async_start(hass, ringwatch, "url")
    preview = await async_answer(hass, form, {"url": typed, "advanced": {}})
    assert preview["step_id"] == "preview"
    await async_answer(hass, preview, PREVIEW_INPUT)
    [camera] = ringwatch.subentries.values()
    assert camera.data["url"] == plain
    assert (camera.data["username"], camera.data["password"]) == (USERNAME, PASSWORD)

    seen = f"{preview['description_placeholders']} {camera.title} {camera.unique_id} {caplog.text}"
    for secret in (PASSWORD, "p%40ss", "p@ss"):
        assert secret not in seen


@pytest.mark.parametrize(
    ("path", "error"),
    [("/nothing", "not_found"), ("/audio.ts", "no_video"), ("/text", "no_video")],
)
async def test_an_address_without_video_is_told_and_nothing_is_saved(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, path: str, error: str
) -> None:
    form = await async_start(hass, ringwatch, "url")
    typed = {
        "url": camera_server.url(path),
        **CREDENTIALS,
        "advanced": {"rtsp_transport": "udp", "verify_ssl": False},
    }
    result = await async_answer(hass, form, typed)
    assert result["step_id"] == "url"
    assert result["errors"] == {"url": error}
    assert suggested(result) == typed
    assert not ringwatch.subentries


@pytest.mark.parametrize(
    "typed", ["", "front door", "file:///etc/passwd", "/etc/passwd", "rtsp://", "rtsp://a b/"]
)
async def test_what_is_no_address_is_told(hass: HomeAssistant, ringwatch: ConfigEntry, typed: str) -> None:
    form = await async_start(hass, ringwatch, "url")
    result = await async_answer(hass, form, {"url": typed, "advanced": {}})
    assert result["errors"] == {"url": "invalid_url"}
    assert suggested(result)["url"] == typed


async def test_a_wrong_password_is_told_apart_and_can_be_corrected(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, caplog: pytest.LogCaptureFixture
) -> None:
    form = await async_start(hass, ringwatch, "url")
    url = camera_server.url("/private/small.ts")
    typed = {"url": url, "username": USERNAME, "password": "not-this-one", "advanced": {}}
    result = await async_answer(hass, form, typed)
    assert result["errors"] == {"password": "wrong_credentials"}
    assert suggested(result)["password"] == "not-this-one"
    assert "not-this-one" not in caplog.text

    preview = await async_answer(hass, result, typed | CREDENTIALS)
    assert preview["step_id"] == "preview"


async def test_a_camera_that_is_switched_off_is_unreachable(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    form = await async_start(hass, ringwatch, "url")
    result = await async_answer(hass, form, {"url": f"http://127.0.0.1:{port}/", "advanced": {}})
    assert result["errors"] == {"url": "unreachable"}


async def test_a_camera_that_never_answers_times_out(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    form = await async_start(hass, ringwatch, "url")
    with patch.multiple("custom_components.ringwatch.flow_probe", PROBE_TIMEOUT_S=0.5, PROBE_GRACE_S=0):
        result = await async_answer(hass, form, {"url": camera_server.url("/hang"), "advanced": {}})
    assert result["errors"] == {"url": "timed_out"}


async def test_an_untrusted_certificate_is_told_and_can_be_accepted(
    hass: HomeAssistant, ringwatch: ConfigEntry, socket_enabled: None
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with CameraServer(context).running() as server:
        form = await async_start(hass, ringwatch, "url")
        result = await async_answer(hass, form, {"url": server.url("/small.ts"), "advanced": {}})
        assert result["errors"] == {"url": "tls_failed"}
        preview = await async_answer(
            hass, result, {"url": server.url("/small.ts"), "advanced": {"verify_ssl": False}}
        )
        assert preview["step_id"] == "preview"
        await async_answer(hass, preview, PREVIEW_INPUT)
        [camera] = ringwatch.subentries.values()
        assert camera.data["verify_ssl"] is False


async def test_a_second_address_is_opened_too_and_its_error_is_its_own(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    main = camera_server.url("/large.ts")
    form = await async_start(hass, ringwatch, "url")
    result = await async_answer(
        hass, form, {"url": main, "detect_url": camera_server.url("/nothing"), "advanced": {}}
    )
    assert result["errors"] == {"detect_url": "not_found"}
    result = await async_answer(hass, result, {"url": main, "detect_url": "nonsense", "advanced": {}})
    assert result["errors"] == {"detect_url": "invalid_url"}
    result = await async_answer(
        hass,
        result,
        {"url": main, "detect_url": main.upper().replace("LARGE.TS", "large.ts"), "advanced": {}},
    )
    assert result["errors"] == {"detect_url": "same_address"}
    assert not ringwatch.subentries

    preview = await async_answer(
        hass, result, {"url": main, "detect_url": camera_server.url("/sub.ts"), "advanced": {}}
    )
    assert preview["step_id"] == "preview"  # nothing to recommend: it has a second address
    assert preview["description_placeholders"]["details"].startswith("H.264, 1920x1080")
    await async_answer(hass, preview, PREVIEW_INPUT)
    [camera] = ringwatch.subentries.values()
    assert camera.data["detect_url"] == camera_server.url("/sub.ts")


async def test_above_720p_a_second_address_is_recommended_and_one_can_go_back_for_it(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    main, sub = camera_server.url("/private/large.ts"), camera_server.url("/private/sub.ts")
    form = await async_start(hass, ringwatch, "url")
    preview = await async_answer(hass, form, {"url": main, **CREDENTIALS, "advanced": {}})
    assert preview["step_id"] == "preview_large"
    form = await async_answer(hass, preview, {"press": "none", "go_back": True, "advanced": {}})
    assert form["step_id"] == "url"
    assert suggested(form) == {
        "url": main,
        **CREDENTIALS,
        "advanced": {"rtsp_transport": "tcp", "verify_ssl": True},
    }
    preview = await async_answer(hass, form, {"url": main, "detect_url": sub, **CREDENTIALS, "advanced": {}})
    assert preview["step_id"] == "preview"


async def test_above_720p_without_a_second_address_is_saved_all_the_same(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    form = await async_start(hass, ringwatch, "url")
    preview = await async_answer(hass, form, {"url": camera_server.url("/large.ts"), "advanced": {}})
    created = await async_answer(hass, preview, PREVIEW_INPUT)
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(("name", "error"), [("  ", "name_required"), ("x" * 101, "name_too_long")])
async def test_a_camera_needs_a_name(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, name: str, error: str
) -> None:
    form = await async_start(hass, ringwatch, "url")
    preview = await async_answer(hass, form, {"url": camera_server.url("/small.ts"), "advanced": {}})
    again = await async_answer(hass, preview, PREVIEW_INPUT | {"name": name})
    assert again["errors"] == {"name": error}
    created = await async_answer(hass, again, PREVIEW_INPUT | {"name": "  Front door "})
    assert created["title"] == "Front door"


async def test_the_same_address_twice_is_refused(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    url = camera_server.url("/small.ts")
    await async_add_url_camera(hass, ringwatch, url=url)
    form = await async_start(hass, ringwatch, "url")
    result = await async_answer(hass, form, {"url": url.replace("http://", "HTTP://u:p@"), "advanced": {}})
    assert result["errors"] == {"url": "already_configured"}


async def test_the_same_address_in_two_flows_at_once_is_saved_once(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer
) -> None:
    typed = {"url": camera_server.url("/small.ts"), "advanced": {}}
    previews = [await async_answer(hass, await async_start(hass, ringwatch, "url"), typed) for _ in range(2)]
    first, second = [await async_answer(hass, preview, PREVIEW_INPUT) for preview in previews]
    assert first["type"] is FlowResultType.CREATE_ENTRY
    assert second["type"] is FlowResultType.ABORT
    assert second["reason"] == "already_configured"
    assert len(ringwatch.subentries) == 1
