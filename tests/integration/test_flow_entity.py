"""Adding a camera that Home Assistant has already."""

from collections.abc import AsyncIterator, Callable, Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any, override

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_config_flow,
    mock_integration,
    mock_platform,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.camera import Camera
from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.fixtures.cameras import PASSWORD, USERNAME, CameraServer, jpeg
from tests.fixtures.flows import (
    PREVIEW_INPUT,
    async_add_url_camera,
    async_answer,
    async_reconfigure,
    async_start,
    suggested,
)

type AddGeneric = Callable[..., Coroutine[Any, Any, str]]


@pytest.fixture
def add_generic(hass: HomeAssistant) -> AddGeneric:
    """Set up Home Assistant's own Generic Camera and return its entity."""

    async def async_add(title: str, stream_source: str, **credentials: str) -> str:
        options = {
            "stream_source": stream_source,
            "content_type": "image/jpeg",
            "advanced": {"framerate": 2.0, "verify_ssl": True, "limit_refetch_to_url_change": False},
            **credentials,
        }
        entry = MockConfigEntry(domain="generic", title=title, options=options, version=2)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        [entity] = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        return entity.entity_id

    return async_add


@pytest.fixture
async def stills(hass: HomeAssistant, tmp_path: Path) -> str:
    """Home Assistant's own Local File camera: stills, no stream."""
    path = tmp_path / "still.jpg"
    path.write_bytes(jpeg())
    entry = MockConfigEntry(
        domain="local_file", title="Bird box", options={"name": "Bird box", "file_path": str(path)}
    )
    hass.config.allowlist_external_dirs.add(str(tmp_path))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return "camera.bird_box"


class CloudCamera(Camera):
    """A camera that a company's server is asked about: outside this machine, so it is played."""

    _attr_name = "Cloud"
    error: Exception | None = None

    @override
    async def stream_source(self) -> str | None:
        if self.error:
            raise self.error
        return None


@pytest.fixture
async def cloud(hass: HomeAssistant) -> AsyncIterator[CloudCamera]:
    """A camera of an integration that polls a cloud; it has no unique id, so no registry entry either."""
    camera = CloudCamera()

    async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, [Platform.CAMERA])
        return True

    async def async_setup_platform(_: HomeAssistant, entry: ConfigEntry, add: Any) -> None:
        add([camera])

    manifest = {"iot_class": "cloud_polling"}
    mock_integration(
        hass, MockModule("cloudcam", async_setup_entry=async_setup_entry, partial_manifest=manifest)
    )
    mock_platform(hass, "cloudcam.config_flow", None)
    mock_platform(hass, "cloudcam.camera", MockPlatform(async_setup_entry=async_setup_platform))
    entry = MockConfigEntry(domain="cloudcam")
    entry.add_to_hass(hass)
    with mock_config_flow("cloudcam", ConfigFlow):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        yield camera


def offered(form: dict[str, Any]) -> list[str]:
    """Return the entities the form offers."""
    entities: list[str] = form["data_schema"].schema["entity_id"].config["include_entities"]
    return entities


async def test_an_entity_with_a_stream_is_opened_and_only_its_id_is_stored(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, add_generic: AddGeneric
) -> None:
    entity_id = await add_generic(
        "Garden", camera_server.url("/private/small.ts"), username=USERNAME, password=PASSWORD
    )
    form = await async_start(hass, ringwatch, "entity")
    assert form["step_id"] == "entity"
    assert offered(form) == [entity_id]
    preview = await async_answer(hass, form, {"entity_id": entity_id, "show_all": False})
    assert preview["step_id"] == "preview"
    assert suggested(preview)["name"] == "Garden"
    await async_answer(hass, preview, PREVIEW_INPUT)
    [camera] = ringwatch.subentries.values()
    assert camera.data["source"] == "entity"
    assert camera.data["entity_id"] == entity_id
    assert (camera.data["url"], camera.data["username"], camera.data["password"]) == ("", "", "")
    assert camera.data["still_interval_s"] == 0


async def test_what_is_watched_already_and_our_own_cameras_are_not_offered(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, add_generic: AddGeneric
) -> None:
    first = await add_generic("First", camera_server.url("/small.ts"))
    second = await add_generic("Second", camera_server.url("/sub.ts"))
    preview = await async_answer(
        hass, await async_start(hass, ringwatch, "entity"), {"entity_id": first, "show_all": False}
    )
    await async_answer(hass, preview, PREVIEW_INPUT)
    ours = er.async_entries_for_config_entry(er.async_get(hass), ringwatch.entry_id)
    assert any(entity.domain == "camera" for entity in ours)
    form = await async_start(hass, ringwatch, "entity")
    assert offered(form) == [second]


async def test_the_same_entity_in_two_flows_at_once_is_refused(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, add_generic: AddGeneric
) -> None:
    typed = {"entity_id": await add_generic("Garden", camera_server.url("/small.ts")), "show_all": False}
    first = await async_start(hass, ringwatch, "entity")
    second = await async_start(hass, ringwatch, "entity")
    third = await async_answer(hass, await async_start(hass, ringwatch, "entity"), typed)
    await async_answer(hass, await async_answer(hass, first, typed), PREVIEW_INPUT)
    refused = await async_answer(hass, second, typed)
    if refused["type"] is FlowResultType.ABORT:  # there is no other camera to offer
        assert refused["reason"] == "no_cameras"
    saved = await async_answer(hass, third, PREVIEW_INPUT)
    assert saved["type"] is FlowResultType.ABORT
    assert saved["reason"] == "already_configured"
    assert len(ringwatch.subentries) == 1


async def test_an_entity_taken_meanwhile_is_refused_in_the_form(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, add_generic: AddGeneric
) -> None:
    typed = {"entity_id": await add_generic("Garden", camera_server.url("/small.ts")), "show_all": False}
    await add_generic("Yard", camera_server.url("/sub.ts"))
    first = await async_start(hass, ringwatch, "entity")
    second = await async_start(hass, ringwatch, "entity")
    await async_answer(hass, await async_answer(hass, first, typed), PREVIEW_INPUT)
    refused = await async_answer(hass, second, typed)
    assert refused["errors"] == {"entity_id": "already_configured"}


async def test_an_entity_that_shows_an_address_that_is_watched_is_refused(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, add_generic: AddGeneric
) -> None:
    await async_add_url_camera(hass, ringwatch, url=camera_server.url("/small.ts"))
    entity_id = await add_generic("Garden", camera_server.url("/small.ts"))
    form = await async_start(hass, ringwatch, "entity")
    refused = await async_answer(hass, form, {"entity_id": entity_id, "show_all": False})
    assert refused["errors"] == {"entity_id": "already_configured"}


@pytest.mark.parametrize(
    ("source", "error"),
    [("{base}/nothing", "not_found"), ("-rtsp_transport tcp -i rtsp://10.0.0.1/", "invalid_url")],
)
async def test_an_entity_whose_stream_does_not_open_is_told(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    add_generic: AddGeneric,
    source: str,
    error: str,
) -> None:
    entity_id = await add_generic("Garden", source.format(base=camera_server.url("")))
    form = await async_start(hass, ringwatch, "entity")
    result = await async_answer(hass, form, {"entity_id": entity_id, "show_all": False})
    assert result["errors"] == {"entity_id": error}
    assert suggested(result)["entity_id"] == entity_id
    assert not ringwatch.subentries


async def test_without_any_camera_the_flow_says_what_to_do(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    await async_setup_component(hass, "camera", {})
    result = await async_start(hass, ringwatch, "entity")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_cameras"


async def test_a_camera_has_to_be_chosen(hass: HomeAssistant, ringwatch: ConfigEntry, stills: str) -> None:
    form = await async_start(hass, ringwatch, "entity")
    result = await async_answer(hass, form, {"show_all": False})
    assert result["errors"] == {"entity_id": "no_entity"}


async def test_a_camera_of_a_cloud_appears_only_when_asked_for(
    hass: HomeAssistant, ringwatch: ConfigEntry, cloud: CloudCamera, stills: str
) -> None:
    form = await async_start(hass, ringwatch, "entity")
    assert offered(form) == [stills]
    assert form["description_placeholders"] == {"hidden": "1"}
    form = await async_answer(hass, form, {"show_all": True})
    assert not form["errors"]
    assert offered(form) == [stills, "camera.cloud"]
    result = await async_answer(hass, form, {"entity_id": "camera.cloud", "show_all": True})
    assert result["step_id"] == "stills"


async def test_a_hidden_camera_cannot_be_slipped_in(
    hass: HomeAssistant, ringwatch: ConfigEntry, cloud: CloudCamera
) -> None:
    form = await async_start(hass, ringwatch, "entity")
    assert offered(form) == []
    result = await async_answer(hass, form, {"entity_id": "camera.cloud", "show_all": False})
    assert result["errors"] == {"entity_id": "not_offered"}


async def test_a_camera_on_batteries_appears_only_when_asked_for(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    add_generic: AddGeneric,
    entity_registry: er.EntityRegistry,
) -> None:
    entity_id = await add_generic("Gate", camera_server.url("/small.ts"))
    device_id = entity_registry.entities[entity_id].device_id
    assert device_id
    entity_registry.async_get_or_create(
        "sensor",
        "generic",
        "battery",
        device_id=device_id,
        original_device_class="battery",
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    form = await async_start(hass, ringwatch, "entity")
    assert offered(form) == []
    form = await async_answer(hass, form, {"show_all": True})
    assert offered(form) == [entity_id]
    preview = await async_answer(hass, form, {"entity_id": entity_id, "show_all": True})
    await async_answer(hass, preview, PREVIEW_INPUT)

    # Once chosen, it is offered when it is changed, whatever the box says
    [camera] = ringwatch.subentries.values()
    form = await async_reconfigure(hass, ringwatch, camera, "source", "entity")
    assert offered(form) == [entity_id]
    assert suggested(form) == {"entity_id": entity_id, "show_all": False}


async def test_a_camera_whose_integration_is_gone_is_not_offered(
    hass: HomeAssistant, ringwatch: ConfigEntry, stills: str
) -> None:
    hass.states.async_set("camera.gone", "unavailable", {"restored": True})
    assert offered(await async_start(hass, ringwatch, "entity")) == [stills]


@pytest.mark.parametrize("error", [TimeoutError(), OSError("no route")])
async def test_an_entity_that_cannot_say_its_stream_is_unavailable(
    hass: HomeAssistant, ringwatch: ConfigEntry, cloud: CloudCamera, error: Exception
) -> None:
    cloud.error = error
    form = await async_answer(hass, await async_start(hass, ringwatch, "entity"), {"show_all": True})
    result = await async_answer(hass, form, {"entity_id": "camera.cloud", "show_all": True})
    assert result["errors"] == {"entity_id": "entity_unavailable"}


async def test_stills_are_polled_only_if_the_owner_agrees(
    hass: HomeAssistant, ringwatch: ConfigEntry, stills: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    form = await async_start(hass, ringwatch, "entity")
    ask = await async_answer(hass, form, {"entity_id": stills, "show_all": False})
    assert ask["step_id"] == "stills"
    assert ask["description_placeholders"] == {"name": "Bird box"}
    assert suggested(ask) == {"still_interval_s": 10.0}
    refused = await async_answer(hass, ask, {"still_interval_s": 30, "agree": False})
    assert refused["errors"] == {"agree": "not_agreed"}
    assert suggested(refused)["still_interval_s"] == 30
    assert not ringwatch.subentries

    preview = await async_answer(hass, refused, {"still_interval_s": 30, "agree": True})
    assert preview["step_id"] == "preview"
    assert preview["description_placeholders"]["details"] == "JPEG, 320x240"
    client = await hass_client_no_auth()
    response = await client.get(preview["description_placeholders"]["preview"])
    assert response.status == HTTPStatus.OK
    await async_answer(hass, preview, PREVIEW_INPUT)
    [camera] = ringwatch.subentries.values()
    assert camera.data["entity_id"] == stills
    assert camera.data["still_interval_s"] == 30

    form = await async_reconfigure(hass, ringwatch, camera, "source", "entity")
    ask = await async_answer(hass, form, {"entity_id": stills, "show_all": False})
    assert suggested(ask) == {"still_interval_s": 30}


NO_PICTURES = [None, b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", jpeg()[:300]]


@pytest.mark.parametrize("content", NO_PICTURES)
async def test_an_entity_without_a_picture_is_told(
    hass: HomeAssistant, ringwatch: ConfigEntry, stills: str, tmp_path: Path, content: bytes | None
) -> None:
    still = tmp_path / "still.jpg"
    if content is None:
        still.unlink()
        still.mkdir()  # so that the integration itself fails
    else:
        still.write_bytes(content)
    form = await async_start(hass, ringwatch, "entity")
    ask = await async_answer(hass, form, {"entity_id": stills, "show_all": False})
    result = await async_answer(hass, ask, {"still_interval_s": 10, "agree": True})
    assert result["errors"] == {"base": "no_picture"}


async def test_the_bell_of_the_cameras_own_device_is_suggested(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    camera_server: CameraServer,
    add_generic: AddGeneric,
    entity_registry: er.EntityRegistry,
) -> None:
    entity_id = await add_generic("Front door", camera_server.url("/small.ts"))
    bell = entity_registry.async_get_or_create(
        "event",
        "generic",
        "bell",
        device_id=entity_registry.entities[entity_id].device_id,
        original_device_class="doorbell",
    )
    form = await async_start(hass, ringwatch, "entity")
    preview = await async_answer(hass, form, {"entity_id": entity_id, "show_all": False})
    assert suggested(preview)["press"] == "entity"
    form = await async_answer(hass, preview, PREVIEW_INPUT | {"press": "entity"})
    assert suggested(form) == {"press_entity_id": bell.entity_id}


async def test_one_can_go_back_and_choose_another(
    hass: HomeAssistant, ringwatch: ConfigEntry, camera_server: CameraServer, add_generic: AddGeneric
) -> None:
    entity_id = await add_generic("Garden", camera_server.url("/large.ts"))
    form = await async_start(hass, ringwatch, "entity")
    preview = await async_answer(hass, form, {"entity_id": entity_id, "show_all": False})
    assert preview["step_id"] == "preview_large"
    form = await async_answer(hass, preview, PREVIEW_INPUT | {"go_back": True})
    assert form["step_id"] == "entity"
    assert suggested(form)["entity_id"] == entity_id
