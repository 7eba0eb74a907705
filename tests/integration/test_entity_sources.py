"""Watching a camera of another integration: its stream, or its stills."""

import asyncio
import io
from pathlib import Path

from aiohttp import ClientError
import numpy as np
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ringwatch.const import DOMAIN
from homeassistant.components.camera import async_get_image, async_get_stream_source
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.fixtures.cameras import jpeg
from tests.fixtures.live import USERNAME, LiveCamera
from tests.fixtures.watching import (
    FRONT,
    async_set_up,
    async_until,
    async_until_state,
    camera,
    state,
    stored,
    threads,
)

CONNECTIVITY = "binary_sensor.front_door_connectivity"
MOTION = "binary_sensor.front_door_motion"
INTERVAL_S = 0.05  # the flow allows no less than 2 s; the code has no opinion


async def async_add_generic(hass: HomeAssistant, stream_source: str, password: str = "") -> MockConfigEntry:
    """Set up Home Assistant's own Generic Camera as camera.garden."""
    options = {
        "stream_source": stream_source,
        "content_type": "image/jpeg",
        "advanced": {"framerate": 2.0, "verify_ssl": True, "limit_refetch_to_url_change": False},
    } | ({"username": USERNAME, "password": password} if password else {})
    entry = MockConfigEntry(domain="generic", title="Garden", options=options, version=2)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.fixture
def still_path(tmp_path: Path) -> Path:
    """A picture in a file."""
    path = tmp_path / "still.jpg"
    path.write_bytes(jpeg())
    return path


@pytest.fixture
async def stills(hass: HomeAssistant, still_path: Path) -> MockConfigEntry:
    """Home Assistant's own Local File camera as camera.bird_box: stills, no stream."""
    entry = MockConfigEntry(
        domain="local_file", title="Bird box", options={"name": "Bird box", "file_path": str(still_path)}
    )
    hass.config.allowlist_external_dirs.add(str(still_path.parent))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def wall(x: float | None) -> bytes:
    """Return a still of a wall with somebody before it at `x` (share of the width)."""
    gray = np.empty((240, 320), np.uint8)
    gray[...] = np.linspace(60, 140, 320, dtype=np.uint8)
    if x is not None:
        clothes = np.kron(np.indices((10, 4)).sum(0) % 2, np.ones((8, 8), np.uint8))
        gray[80:160, int(x * 320) : int(x * 320) + 32] = 90 + 140 * clothes
    out = io.BytesIO()
    Image.fromarray(gray).save(out, "JPEG")
    return out.getvalue()


async def async_replace(path: Path, content: bytes) -> None:
    """Put another still in its place, whole at once: a reader sees the old one or the new one."""

    def replace() -> None:
        new = path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(path)

    await asyncio.to_thread(replace)


def watched(entity_id: str, still_interval_s: float = 0.0) -> dict[str, object]:
    return camera(source="entity", entity_id=entity_id, still_interval_s=still_interval_s)


async def test_the_stream_of_an_entity_is_asked_for_at_each_connection(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    live.password = "secret"
    await async_add_generic(hass, live.url("/main.ts?token=1"), live.password)
    await async_set_up(hass, stored(watched("camera.garden")))
    await async_until_state(hass, CONNECTIVITY, "on")
    theirs = await async_get_stream_source(hass, "camera.garden")
    assert await async_get_stream_source(hass, "camera.front_door") == theirs
    live.moving = True
    await async_until_state(hass, MOTION, "on")


async def test_an_entity_that_comes_late_is_watched_when_it_is_there(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_set_up(hass, stored(watched("camera.garden")))
    await async_until_state(hass, CONNECTIVITY, "off")
    [coordinator] = hass.config_entries.async_entries(DOMAIN)[0].runtime_data.cameras.values()
    await async_until(lambda: coordinator.data.error)
    assert coordinator.data.error == "unreachable"
    await async_add_generic(hass, live.url())
    await async_until_state(hass, CONNECTIVITY, "on")


async def test_an_entity_whose_stream_is_refused_says_so(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry
) -> None:
    live.password = "changed"
    await async_add_generic(hass, live.url(), "old")
    await async_set_up(hass, stored(watched("camera.garden")))
    await async_until(lambda: issue_registry.async_get_issue(DOMAIN, f"credentials_{FRONT}"))


@pytest.mark.parametrize(
    ("stream_source", "error"), [("", "no_video"), ("-i rtsp://10.0.0.1/", "invalid_url")]
)
async def test_an_entity_without_a_stream_or_with_a_strange_one_is_told(
    hass: HomeAssistant, stills: MockConfigEntry, stream_source: str, error: str
) -> None:
    if stream_source:
        await async_add_generic(hass, stream_source)
    await async_set_up(hass, stored(watched("camera.garden" if stream_source else "camera.bird_box")))
    [coordinator] = hass.config_entries.async_entries(DOMAIN)[0].runtime_data.cameras.values()
    await async_until(lambda: coordinator.data.error)
    assert coordinator.data.error == error


async def test_stills_are_polled_and_shown_but_there_is_no_stream(
    hass: HomeAssistant, stills: MockConfigEntry, still_path: Path
) -> None:
    await async_set_up(hass, stored(watched("camera.bird_box", INTERVAL_S)))
    await async_until_state(hass, CONNECTIVITY, "on")
    found = hass.states.get("camera.front_door")
    assert found is not None
    assert found.attributes["supported_features"] == 0
    assert await async_get_stream_source(hass, "camera.front_door") is None

    black = io.BytesIO()
    Image.new("L", (64, 48)).save(black, "JPEG")
    await async_replace(still_path, black.getvalue())
    [coordinator] = hass.config_entries.async_entries(DOMAIN)[0].runtime_data.cameras.values()
    decoded = coordinator.statistics["frames_decoded"]
    await async_until(lambda: coordinator.statistics["frames_decoded"] > decoded + 1)
    with Image.open(io.BytesIO((await async_get_image(hass, "camera.front_door")).content)) as picture:
        assert picture.size == (64, 48)
        assert picture.convert("L").getextrema()[1] < 20


async def test_somebody_in_a_still_is_motion(
    hass: HomeAssistant, stills: MockConfigEntry, still_path: Path
) -> None:
    await async_replace(still_path, wall(None))
    await async_set_up(hass, stored(watched("camera.bird_box", INTERVAL_S)))
    await async_until_state(hass, CONNECTIVITY, "on")
    [coordinator] = hass.config_entries.async_entries(DOMAIN)[0].runtime_data.cameras.values()
    await async_until(lambda: coordinator.statistics["frames_analyzed"] >= 5)
    await async_replace(still_path, b"no picture")  # which does not make it forget what it knows
    await async_until_state(hass, CONNECTIVITY, "off")
    await async_replace(still_path, wall(0.5))
    await async_until_state(hass, MOTION, "on")
    event = hass.states.get("event.front_door_motion")
    assert event is not None
    assert event.attributes["reason"].startswith("something new covers")
    assert event.attributes["snapshot"]
    await async_until(lambda: hass.states.get("event.front_door_motion").attributes["event_type"] == "ended")


async def test_stills_that_fail_are_a_connection_that_is_lost(
    hass: HomeAssistant, stills: MockConfigEntry, still_path: Path
) -> None:
    await async_set_up(hass, stored(watched("camera.bird_box", INTERVAL_S)))
    await async_until_state(hass, CONNECTIVITY, "on")
    await async_replace(still_path, b"no picture")
    await async_until_state(hass, CONNECTIVITY, "off")
    await async_replace(still_path, jpeg())
    await async_until_state(hass, CONNECTIVITY, "on")
    await hass.config_entries.async_unload(stills.entry_id)
    await async_until_state(hass, CONNECTIVITY, "off")


async def test_a_long_wait_for_the_next_still_does_not_delay_the_end(
    hass: HomeAssistant, stills: MockConfigEntry
) -> None:
    entry = await async_set_up(hass, stored(watched("camera.bird_box", 3600.0)))
    await async_until_state(hass, CONNECTIVITY, "on")
    began = hass.loop.time()
    await hass.config_entries.async_unload(entry.entry_id)
    assert not threads()
    assert hass.loop.time() - began < 1.5


async def test_privacy_stops_the_polling(hass: HomeAssistant, stills: MockConfigEntry) -> None:
    await async_set_up(hass, stored(watched("camera.bird_box", INTERVAL_S)))
    await async_until_state(hass, CONNECTIVITY, "on")
    await hass.services.async_call(
        "switch", "turn_on", target={"entity_id": "switch.front_door_privacy"}, blocking=True
    )
    await async_until(lambda: not threads())
    assert state(hass, CONNECTIVITY) == "unknown"


@pytest.mark.parametrize("error", [OSError("no route"), ClientError("refused"), TimeoutError()])
async def test_an_entity_that_fails_to_say_its_address_is_unreachable(
    hass: HomeAssistant, live: LiveCamera, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    await async_add_generic(hass, live.url())

    async def stream_source() -> str | None:
        raise error

    hass.data["camera"].get_entity("camera.garden").stream_source = stream_source
    await async_set_up(hass, stored(watched("camera.garden")))
    [coordinator] = hass.config_entries.async_entries(DOMAIN)[0].runtime_data.cameras.values()
    await async_until(lambda: coordinator.data.error)
    assert coordinator.data.error in {"unreachable", "timed_out"}
    assert "Traceback" not in caplog.text


async def test_an_entity_that_never_answers_does_not_hold_up_the_end(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_add_generic(hass, live.url())
    never = asyncio.Event()

    async def stream_source() -> str | None:
        await never.wait()
        return None

    theirs = hass.data["camera"].get_entity("camera.garden")
    theirs.stream_source = stream_source  # an integration that hangs
    entry = await async_set_up(hass, stored(watched("camera.garden")))
    await async_until(lambda: threads())
    began = hass.loop.time()
    await hass.config_entries.async_unload(entry.entry_id)
    assert not threads()
    assert hass.loop.time() - began < 1.5
