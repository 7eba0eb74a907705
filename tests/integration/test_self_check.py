"""The self-check: what moves for days and comes to nothing is shown to the owner, who may have it ignored."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
import io
import re
from typing import Any

import numpy as np
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ringwatch.const import DOMAIN
from custom_components.ringwatch.settings import CameraSettingsStore
from custom_components.ringwatch.vision.self_check import GRID, Activity, SelfCheck
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import FRONT, TOP, async_call, async_until, async_watch

CAMERA = "camera.front_door"
KEY = "ringwatch.self_check"
ISSUE = f"restless_area_{FRONT}"
BUSH = {"name": "Suggested 1", "kind": "ignore", "points": [[0.75, 0.5], [1, 0.5], [1, 1], [0.75, 1]]}


def counted(days: int) -> dict[str, Any]:
    """Return what is on disk after so many days, until yesterday, with a bush in the lower right corner."""
    check = SelfCheck()
    unconfirmed = np.zeros(GRID, np.float32)
    unconfirmed[9:, 24:] = 900.0
    for before in range(days, 0, -1):
        day = dt_util.now().date().toordinal() - before
        check.add(day, Activity(unconfirmed.copy(), np.zeros(GRID, np.float32)))
    return {"version": 1, "minor_version": 1, "key": KEY, "data": {"cameras": {FRONT: check.to_json()}}}


def issue(hass: HomeAssistant) -> ir.IssueEntry | None:
    """Return the repair, if there is one."""
    return ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)


async def async_an_hour_later(hass: HomeAssistant) -> None:
    """Let the hour go by."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(hours=1, minutes=1))
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_three_days_of_a_bush_are_shown_and_ignored_if_the_owner_says_so(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    live: LiveCamera,
    post: Callable[..., Any],
    hass_client: ClientSessionGenerator,
) -> None:
    hass_storage[KEY] = counted(3)
    await async_watch(hass, live.url())
    found = issue(hass)
    assert found
    assert found.translation_placeholders == {
        "name": "Front door",
        "days": "3",
        "minutes": "15",
        "left": "75",
        "right": "100",
        "top": "50",
        "bottom": "100",
    }
    form = await post(handler=DOMAIN, issue_id=ISSUE)
    assert form["step_id"] == "confirm"
    placeholders = form["description_placeholders"]
    assert (placeholders["zone"], placeholders["name"]) == ("Suggested 1", "Front door")
    shown = re.fullmatch(r"!\[\]\((/api/ringwatch/snapshot/[^)]+)\)", placeholders["picture"])
    assert shown
    answer = await (await hass_client()).get(shown[1])
    assert answer.status == HTTPStatus.OK
    assert Image.open(io.BytesIO(await answer.read())).width == 1280

    assert (await post(f"/{form['flow_id']}"))["type"] == "create_entry"
    assert issue(hass) is None
    zones = (await async_call(hass, "ringwatch.set_zones", CAMERA, zones=[BUSH]))[CAMERA]["previous_zones"]
    assert zones == [BUSH]
    await async_an_hour_later(hass)
    assert issue(hass) is None
    assert KEY in hass_storage


async def test_two_days_are_not_enough(
    hass: HomeAssistant, hass_storage: dict[str, Any], live: LiveCamera
) -> None:
    hass_storage[KEY] = counted(2)
    await async_watch(hass, live.url())
    assert issue(hass) is None


async def test_where_things_moved_is_counted_each_hour_and_kept(
    hass: HomeAssistant, hass_storage: dict[str, Any], live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    live.moving = True
    await async_until(lambda: hass.states.get("binary_sensor.front_door_motion").state == "on")  # type: ignore[union-attr]
    await async_an_hour_later(hass)
    [day] = hass_storage[KEY]["data"]["cameras"][FRONT].values()
    assert sum(day["confirmed_s"]) + sum(day["unconfirmed_s"]) > 0
    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    await async_an_hour_later(hass)  # nobody watches, nothing is counted
    assert list(hass_storage[KEY]["data"]["cameras"][FRONT].values()) == [day]


async def test_other_zones_begin_the_count_anew(
    hass: HomeAssistant, hass_storage: dict[str, Any], live: LiveCamera, post: Callable[..., Any]
) -> None:
    hass_storage[KEY] = counted(3)
    await async_watch(hass, live.url())
    form = await post(handler=DOMAIN, issue_id=ISSUE)
    zones = [{"name": "Sky", "kind": "ignore", "points": TOP}]
    await async_call(hass, "ringwatch.set_zones", CAMERA, zones=zones)
    assert issue(hass) is None
    late = await post(f"/{form['flow_id']}")
    assert (late["type"], late["reason"]) == ("abort", "settled")


async def test_without_a_picture_or_a_disk_it_says_so(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    live: LiveCamera,
    post: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hass_storage[KEY] = counted(3)
    entry = await async_watch(hass, live.url())
    await async_call(hass, "switch.turn_on", "switch.front_door_privacy")
    form = await post(handler=DOMAIN, issue_id=ISSUE)
    assert form["description_placeholders"]["picture"] == ""

    async def full(*_args: object, **_changes: object) -> None:
        raise HomeAssistantError("No space left on device")

    monkeypatch.setattr(CameraSettingsStore, "async_update", full)
    refused = await post(f"/{form['flow_id']}")
    assert (refused["type"], refused["reason"]) == ("abort", "not_saved")
    assert issue(hass)

    form = await post(handler=DOMAIN, issue_id=ISSUE)
    await hass.config_entries.async_unload(entry.entry_id)
    late = await post(f"/{form['flow_id']}")
    assert (late["type"], late["reason"]) == ("abort", "not_loaded")


@pytest.mark.parametrize("damage", [{"cameras": []}, {"cameras": {FRONT: "?"}}, {}])
async def test_damaged_counts_are_begun_anew(
    hass: HomeAssistant, hass_storage: dict[str, Any], live: LiveCamera, damage: dict[str, Any]
) -> None:
    hass_storage[KEY] = {"version": 1, "minor_version": 1, "key": KEY, "data": damage}
    await async_watch(hass, live.url())
    await async_an_hour_later(hass)
    assert set(hass_storage[KEY]["data"]["cameras"]) <= {FRONT}
