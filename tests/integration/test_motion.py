"""Motion, from a camera's packets to what the house sees of it."""

from datetime import datetime, timedelta
from http import HTTPStatus
import io
import sys
from typing import Any

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.auth.models import Group
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    BOTTOM,
    MIDDLE,
    async_call,
    async_until,
    async_until_state,
    async_watch,
    state,
)

CAMERA = "camera.front_door"
MOTION = "binary_sensor.front_door_motion"
EVENT = "event.front_door_motion"
LAST = "sensor.front_door_last_motion"
IMAGE = "image.front_door_last_event"
HOLD = "number.front_door_hold_time"
ZONES = [
    {"name": "Path", "kind": "watch", "points": MIDDLE},
    {"name": "Lawn", "kind": "watch", "points": BOTTOM},
]


def iso(time: datetime | None) -> str:
    """Return a time as a timestamp sensor shows it."""
    assert time is not None
    return time.replace(microsecond=0).isoformat()


def detail(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the motion event carries."""
    found = hass.states.get(EVENT)
    assert found is not None
    return dict(found.attributes)


async def async_walk_past(hass: HomeAssistant, live: LiveCamera) -> None:
    """Let somebody come and go."""
    live.moving = True
    await async_until_state(hass, MOTION, "on")
    live.moving = False
    await async_until(lambda: detail(hass)["event_type"] == "ended")


async def test_somebody_walks_past(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    await async_watch(hass, live.url())
    assert state(hass, MOTION) == "off"
    assert state(hass, EVENT) == state(hass, LAST) == state(hass, IMAGE) == "unknown"

    began = dt_util.utcnow()
    live.moving = True
    await async_until_state(hass, MOTION, "on")
    started = detail(hass)
    assert started["event_type"] == "started"
    start = dt_util.parse_datetime(started["start"])
    assert start is not None
    assert timedelta(seconds=-1) < start - began < timedelta(seconds=1)
    x, y, width, height = started["box"]
    assert 0 <= x < x + width <= 1
    assert y == pytest.approx(1 / 3, abs=0.1)
    assert height == pytest.approx(1 / 3, abs=0.1)
    assert started["zones"] == []
    assert 0 < started["score"] <= 1
    assert "width" in started["reason"]
    assert "end" not in started
    assert state(hass, LAST) == iso(start)
    assert state(hass, IMAGE) == started["start"]

    live.moving = False
    await async_until(lambda: detail(hass)["event_type"] == "ended")
    ended = detail(hass)
    assert ended["start"] == started["start"]
    end = dt_util.parse_datetime(ended["end"])
    assert end is not None
    assert ended["duration_s"] == round((end - start).total_seconds(), 1) > 0
    assert ended["snapshot"] == started["snapshot"]
    assert state(hass, LAST) == iso(end)

    client = await hass_client()
    response = await client.get(ended["snapshot"])
    assert response.status == HTTPStatus.OK
    assert response.headers["Content-Type"] == "image/jpeg"
    assert "private" in response.headers["Cache-Control"]
    snapshot = await response.read()
    with Image.open(io.BytesIO(snapshot)) as picture:
        assert picture.size == (320, 240)
        assert picture.convert("L").getextrema()[1] > 200  # the walker is in it
    image = await client.get(str(hass.states.get(IMAGE).attributes["entity_picture"]))
    assert await image.read() == snapshot


async def test_the_motion_sensor_stays_on_for_the_hold_time(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    await async_call(hass, "number.set_value", HOLD, value=30)
    await async_walk_past(hass, live)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=25))
    await hass.async_block_till_done()
    assert state(hass, MOTION) == "on"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=32))
    await hass.async_block_till_done()
    assert state(hass, MOTION) == "off"


async def test_who_comes_back_within_the_hold_time_is_one_motion_and_two_events(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    changes: list[str] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if new is not None:
            changes.append(new.state if event.data["entity_id"] == MOTION else new.attributes["event_type"])

    unlisten = async_track_state_change_event(hass, [MOTION, EVENT], changed)
    await async_walk_past(hass, live)
    live.moving = True
    await async_until(lambda: detail(hass)["event_type"] == "started")
    live.moving = False
    await async_until(lambda: detail(hass)["event_type"] == "ended")
    await hass.async_block_till_done()
    unlisten()
    assert changes == ["on", "started", "ended", "started", "ended"]


async def test_without_a_hold_time_the_motion_ends_with_its_event(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    await async_call(hass, "number.set_value", HOLD, value=0)
    await async_walk_past(hass, live)
    await async_until_state(hass, MOTION, "off")


async def test_each_watch_zone_has_a_motion_of_its_own(hass: HomeAssistant, live: LiveCamera) -> None:
    await async_watch(hass, live.url())
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=ZONES)
    await hass.async_block_till_done()
    path, lawn = "binary_sensor.front_door_motion_in_path", "binary_sensor.front_door_motion_in_lawn"
    assert state(hass, path) == state(hass, lawn) == "off"
    await async_call(hass, "number.set_value", HOLD, value=0)
    live.moving = True
    await async_until_state(hass, path, "on")
    assert state(hass, MOTION) == "on"
    assert state(hass, lawn) == "off"
    assert detail(hass)["zones"] == ["Path"]
    live.moving = False
    await async_until_state(hass, path, "off")


async def test_outside_the_watch_zones_nothing_counts(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=ZONES[1:])
    [coordinator] = entry.runtime_data.cameras.values()
    before = coordinator.statistics["frames_analyzed"]
    live.moving = True
    await async_until(lambda: coordinator.statistics["suppressed"].get("zone", 0) > 5)
    assert coordinator.statistics["frames_analyzed"] > before
    assert state(hass, MOTION) == "off"


async def test_the_level_is_a_share_of_the_picture_and_off_until_somebody_wants_it(
    hass: HomeAssistant, live: LiveCamera, entity_registry: Any
) -> None:
    entry = await async_watch(hass, live.url())
    level = "sensor.front_door_motion_level"
    assert hass.states.get(level) is None
    entity_registry.async_update_entity(level, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await async_until_state(hass, level, "0.0")
    live.moving = True
    await async_until(lambda: float(state(hass, level)) > 0)
    assert float(state(hass, level)) < 15  # the walker covers a 24th of the picture
    live.moving = False
    await async_until_state(hass, level, "0.0")


async def test_a_snapshot_is_for_signed_in_users_who_may_see_the_camera(
    hass: HomeAssistant,
    live: LiveCamera,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
) -> None:
    await async_watch(hass, live.url())
    await async_walk_past(hass, live)
    snapshot = detail(hass)["snapshot"]
    stranger = await hass_client_no_auth()
    assert (await stranger.get(snapshot)).status == HTTPStatus.UNAUTHORIZED

    owner = await hass_client()
    assert (await owner.get(snapshot)).status == HTTPStatus.OK
    for gone in (f"{snapshot}x", snapshot.replace("01CAMERAFRONT", "01CAMERANONE")):
        assert (await owner.get(gone)).status == HTTPStatus.NOT_FOUND

    guest = await hass_client(hass_read_only_access_token)
    assert (await guest.get(snapshot)).status == HTTPStatus.OK
    porch_only = {"entities": {"entity_ids": {"camera.porch": True}}}
    hass_read_only_user.groups = [Group(name="Porch only", policy=porch_only)]
    hass_read_only_user.invalidate_cache()
    assert (await guest.get(snapshot)).status == HTTPStatus.NOT_FOUND


async def test_the_end_of_a_motion_has_the_picture_of_its_beginning_or_none(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    live.moving = True
    await async_until_state(hass, MOTION, "on")
    first = detail(hass)["snapshot"]
    assert first
    street = [{"name": "Street", "kind": "privacy", "points": BOTTOM}]
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=street)
    live.moving = False
    await async_until(lambda: detail(hass)["event_type"] == "ended")
    assert detail(hass)["snapshot"] != first  # the walk may have begun anew behind the zone


async def test_only_the_last_pictures_are_kept(
    hass: HomeAssistant, live: LiveCamera, hass_client: ClientSessionGenerator
) -> None:
    entry = await async_watch(hass, live.url())
    [coordinator] = entry.runtime_data.cameras.values()
    paths = [coordinator.snapshots.keep(b"%d" % n, datetime.now(dt_util.UTC)) for n in range(25)]
    client = await hass_client()
    assert (await client.get(paths[4])).status == HTTPStatus.NOT_FOUND
    assert await (await client.get(paths[5])).read() == b"5"
    assert coordinator.snapshots.latest == b"24"


async def test_motion_with_opencv_and_without_are_both_seen(
    hass: HomeAssistant, live: LiveCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)  # as on Home Assistant OS
    entry = await async_watch(hass, live.url())
    assert entry.runtime_data.primitives.name == "numpy"
    await async_walk_past(hass, live)


async def test_the_doorbell_triggers_and_motion_triggers_of_home_assistant_work(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    """The event entity is one that core's own `motion.detected` trigger understands."""
    await async_watch(hass, live.url())
    calls: list[Event] = []
    hass.bus.async_listen("seen", calls.append)
    automation = {
        "triggers": [{"trigger": "motion.detected", "target": {"entity_id": MOTION}}],
        "actions": [{"event": "seen"}],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    await async_walk_past(hass, live)
    await async_until(lambda: calls)
