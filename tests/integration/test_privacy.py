"""The privacy switch: no frame is decoded, stored or shown."""

import asyncio
from collections.abc import Callable, Coroutine
from http import HTTPStatus
import io
import threading
from typing import Any, override

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from homeassistant.components.camera import (
    Camera,
    CameraEntityFeature,
    CameraWebRTCProvider,
    WebRTCAnswer,
    WebRTCSendMessage,
    async_get_image,
    async_get_stream_source,
    async_register_webrtc_provider,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    FRONT,
    TOP,
    another,
    async_call,
    async_set_up,
    async_until,
    async_until_state,
    async_watch,
    camera,
    state,
    stored,
    threads,
)

CAMERA = "camera.front_door"
PRIVACY = "switch.front_door_privacy"
MOTION = "binary_sensor.front_door_motion"
CONNECTIVITY = "binary_sensor.front_door_connectivity"
STREET = {"name": "Street", "kind": "privacy", "points": TOP}

type Hide = Callable[[HomeAssistant], Coroutine[Any, Any, Any]]


async def async_switch_on(hass: HomeAssistant) -> None:
    await async_call(hass, "switch.turn_on", PRIVACY)


async def async_add_zone(hass: HomeAssistant) -> None:
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[STREET])


HIDE = pytest.mark.parametrize("hide", [async_switch_on, async_add_zone], ids=["switch", "zone"])


def attributes(hass: HomeAssistant, entity_id: str = CAMERA) -> dict[str, Any]:
    found = hass.states.get(entity_id)
    assert found is not None
    return dict(found.attributes)


def stream_workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "stream_worker"]


async def test_privacy_ends_everything_and_shows_a_card(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    entry = await async_watch(hass, live.url(), detect_url=live.url("/sub.ts"))
    [watching] = entry.runtime_data.cameras.values()
    assert await async_get_stream_source(hass, CAMERA) == live.url()
    assert attributes(hass)["supported_features"] == CameraEntityFeature.STREAM
    assert attributes(hass)["motion_detection"] is True
    live.moving = True
    await async_until_state(hass, MOTION, "on")
    snapshot = attributes(hass, "event.front_door_motion")["snapshot"]
    before = watching._watcher
    decoder = before._seeing._decoder  # the watcher lets go of it when it ends

    await async_call(hass, "switch.turn_on", PRIVACY)
    decoded = decoder.frames_decoded
    assert decoded
    assert before.still() is None
    await async_until(lambda: not threads())
    await async_until(lambda: not live.watching.total())
    assert decoder.frames_decoded == decoded
    live.opened.clear()

    assert state(hass, CAMERA) == "idle"
    assert state(hass, CONNECTIVITY) == "unknown"
    unavailable = (MOTION, "event.front_door_motion", "image.front_door_last_event")
    assert {state(hass, entity_id) for entity_id in unavailable} == {"unavailable"}
    assert attributes(hass)["supported_features"] == 0
    assert "motion_detection" not in attributes(hass)
    assert await async_get_stream_source(hass, CAMERA) is None
    client = await hass_client()
    assert (await client.get(snapshot)).status == HTTPStatus.NOT_FOUND

    card = (await async_get_image(hass, CAMERA)).content
    with Image.open(io.BytesIO(card)) as picture:
        assert picture.size == (1280, 720)
        assert len(picture.getcolors(1 << 20) or ()) > 2  # there is something on it
    proxied = await client.get(attributes(hass)["entity_picture"])
    assert await proxied.read() == card
    assert not live.opened


async def test_the_card_says_so_in_home_assistants_language_and_names_the_camera(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_watch(hass, live.url())
    await async_call(hass, "switch.turn_on", PRIVACY)
    english = (await async_get_image(hass, CAMERA)).content
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], title="Porch")
    await hass.async_block_till_done()
    renamed = (await async_get_image(hass, CAMERA)).content
    hass.config.language = "eo"  # not translated: English, rather than nothing
    assert (await async_get_image(hass, CAMERA)).content == renamed
    with Image.open(io.BytesIO(english)) as one, Image.open(io.BytesIO(renamed)) as other:
        eye = (0, 0, 1280, 430)
        assert one.crop(eye).tobytes() == other.crop(eye).tobytes()
        assert one.tobytes() != other.tobytes()


async def test_privacy_off_watches_again(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    live.moving = True
    await async_until_state(hass, MOTION, "on")
    await async_call(hass, "switch.turn_on", PRIVACY)
    live.moving = False
    await async_call(hass, "switch.turn_off", PRIVACY)
    await async_until_state(hass, CONNECTIVITY, "on")
    assert state(hass, MOTION) == "off"  # what was seen before is over
    live.moving = True
    await async_until_state(hass, MOTION, "on")
    assert state(hass, "image.front_door_last_event") != "unknown"
    await async_until(lambda: len(threads()) == 1)


async def test_switching_fast_leaves_one_thread_or_none(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    for _ in range(5):
        await async_call(hass, "switch.turn_on", PRIVACY)
        await async_call(hass, "switch.turn_off", PRIVACY)
    await async_until(lambda: len(threads()) == 1)
    await async_until_state(hass, CONNECTIVITY, "on")
    await async_call(hass, "switch.turn_on", PRIVACY)
    await async_until(lambda: not threads())


async def test_with_privacy_on_a_restart_opens_nothing(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    await async_call(hass, "switch.turn_on", PRIVACY)
    live.opened.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    data = camera(live.url("/sub.ts"), press="webhook", webhook_id="bell")
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=data)
    await hass.async_block_till_done()
    assert state(hass, PRIVACY) == "on"
    assert state(hass, CONNECTIVITY) == "unknown"
    with Image.open(io.BytesIO((await async_get_image(hass, CAMERA)).content)) as picture:
        assert picture.size == (1280, 720)
    assert not threads()
    assert not live.opened


async def test_privacy_withdraws_what_was_said_of_the_connection(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry
) -> None:
    live.password = "changed"
    await async_set_up(hass, stored(camera(live.url())))
    await async_until(lambda: issue_registry.issues)
    await async_call(hass, "switch.turn_on", PRIVACY)
    assert not issue_registry.issues


@HIDE
async def test_a_running_stream_is_stopped_at_once(
    hass: HomeAssistant,
    live: LiveCamera,
    hide: Hide,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
) -> None:
    await async_watch(hass, live.url())
    socket, client = await hass_ws_client(), await hass_client()
    await socket.send_json_auto_id({"type": "camera/stream", "entity_id": CAMERA})
    answer = await socket.receive_json()
    url = answer["result"]["url"]
    await async_until(lambda: live.watching["/main.ts"] == 2)
    assert len(stream_workers()) == 1
    assert (await client.get(url)).status == HTTPStatus.OK

    await hide(hass)
    await hass.async_block_till_done()
    assert not stream_workers()
    assert (await client.get(url)).status == HTTPStatus.NOT_FOUND
    await socket.send_json_auto_id({"type": "camera/stream", "entity_id": CAMERA})
    refused = await socket.receive_json()
    assert not refused["success"]
    await socket.send_json_auto_id({"type": "camera/capabilities", "entity_id": CAMERA})
    capabilities = await socket.receive_json()
    assert capabilities["result"] == {"frontend_stream_types": []}


@HIDE
async def test_a_preloaded_stream_is_stopped_too(
    hass: HomeAssistant, live: LiveCamera, hide: Hide, hass_ws_client: WebSocketGenerator
) -> None:
    await async_watch(hass, live.url())
    socket = await hass_ws_client()
    wish = {"type": "camera/update_prefs", "entity_id": CAMERA, "preload_stream": True}
    await socket.send_json_auto_id(wish)
    assert (await socket.receive_json())["success"]
    await socket.send_json_auto_id({"type": "camera/stream", "entity_id": CAMERA})
    assert (await socket.receive_json())["success"]
    await async_until(lambda: live.watching["/main.ts"] == 2)
    await hide(hass)
    await hass.async_block_till_done()
    assert not stream_workers()
    await socket.send_json_auto_id({"type": "camera/get_prefs", "entity_id": CAMERA})
    assert (await socket.receive_json())["result"]["preload_stream"] is True


class Provider(CameraWebRTCProvider):
    """WebRTC as go2rtc does it, without go2rtc's own process."""

    def __init__(self) -> None:
        self.sources: list[str | None] = []
        self.sessions: set[str] = set()

    @property
    @override
    def domain(self) -> str:
        return "rtc"

    @callback
    @override
    def async_is_supported(self, stream_source: str) -> bool:
        return True

    @override
    async def async_handle_async_webrtc_offer(
        self, camera: Camera, offer_sdp: str, session_id: str, send_message: WebRTCSendMessage
    ) -> None:
        self.sources.append(await camera.stream_source())
        self.sessions.add(session_id)
        send_message(WebRTCAnswer("answer"))

    @override
    async def async_on_webrtc_candidate(self, session_id: str, candidate: Any) -> None:
        return

    @callback
    @override
    def async_close_session(self, session_id: str) -> None:
        self.sessions.discard(session_id)

    @override
    async def async_unregister_camera(self, camera: Camera) -> None:
        self.sessions.clear()


@HIDE
async def test_webrtc_ends_too_and_is_not_begun_again(
    hass: HomeAssistant, live: LiveCamera, hide: Hide, hass_ws_client: WebSocketGenerator
) -> None:
    await async_watch(hass, live.url())
    provider = Provider()
    async_register_webrtc_provider(hass, provider)
    await hass.async_block_till_done()
    socket = await hass_ws_client()
    offer = {"type": "camera/webrtc/offer", "entity_id": CAMERA, "offer": "v=0\r\n"}
    await socket.send_json_auto_id(offer)
    assert (await socket.receive_json())["success"]
    await async_until(lambda: provider.sessions)
    assert provider.sources == [live.url()]

    await hide(hass)
    await hass.async_block_till_done()
    assert not provider.sessions
    while (await socket.receive_json())["type"] != "event":
        pass
    await socket.send_json_auto_id(offer)
    while (answer := await socket.receive_json())["type"] == "event":
        pass
    assert not answer["success"]
    assert provider.sources == [live.url()]


async def test_privacy_of_one_camera_is_not_that_of_another(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    hass.config_entries.async_add_subentry(entry, another("Back door", camera(live.url("/sub.ts"))))
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    before = threads("Back door")
    await async_call(hass, "switch.turn_on", PRIVACY)
    await async_until(lambda: threads() == before)
    assert state(hass, "switch.back_door_privacy") == "off"
    live.moving = True
    await async_until_state(hass, "binary_sensor.back_door_motion", "on")


async def test_a_live_view_that_is_asked_for_while_privacy_comes_is_not_given(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    """The source is another entity that takes its time to say its address."""
    answer = asyncio.Event()
    other = camera(source="entity", entity_id="camera.garden")
    await async_set_up(hass, stored(other))

    async def stream_source() -> str:
        await answer.wait()
        return live.url()

    garden = Camera()
    garden.entity_id = "camera.garden"
    garden._attr_supported_features = CameraEntityFeature.STREAM
    garden.stream_source = stream_source  # type: ignore[method-assign]
    await hass.data["camera"].async_add_entities([garden])
    entity = hass.data["camera"].get_entity(CAMERA)
    asked = hass.async_create_task(entity.async_create_stream())
    source = hass.async_create_task(async_get_stream_source(hass, CAMERA))
    await async_call(hass, "switch.turn_on", PRIVACY)
    answer.set()
    assert await asked is None
    assert await source is None
    assert not stream_workers()
