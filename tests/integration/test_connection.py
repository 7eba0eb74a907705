"""Cameras that go away, come back, or change their password."""

from datetime import timedelta
import logging

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.ringwatch.const import DOMAIN
from custom_components.ringwatch.watcher_events import PressureChanged
from homeassistant.components.camera import async_get_image
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.fixtures.live import USERNAME, LiveCamera
from tests.fixtures.translations import TRANSLATIONS
from tests.fixtures.watching import (
    BACK,
    FRONT,
    another,
    async_set_up,
    async_until,
    async_until_state,
    async_watch,
    camera,
    state,
    stored,
    threads,
)

CONNECTIVITY = "binary_sensor.front_door_connectivity"
MOTION = "binary_sensor.front_door_motion"
OURS = "custom_components.ringwatch.coordinator"


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """Return what the coordinators logged for people to read."""
    return [
        (record.levelno, record.getMessage())
        for record in caplog.records
        if record.name == OURS and record.levelno >= logging.INFO
    ]


async def test_a_camera_that_goes_and_comes_back_says_so_once_each(
    hass: HomeAssistant, live: LiveCamera, caplog: pytest.LogCaptureFixture
) -> None:
    await async_watch(hass, live.url())
    before = threads()
    live.moving = True
    await async_until_state(hass, MOTION, "on")
    assert not said(caplog)

    live.away = True
    await async_until_state(hass, CONNECTIVITY, "off")
    for entity_id in ("camera.front_door", MOTION, "event.front_door_motion"):
        assert state(hass, entity_id) == "unavailable"
    assert state(hass, "sensor.front_door_last_motion") not in {"unavailable", "unknown"}
    assert state(hass, "switch.front_door_privacy") == "off"
    with pytest.raises(HomeAssistantError):
        await async_get_image(hass, "camera.front_door")
    asked = live.opened.total()
    await async_until(lambda: live.opened.total() >= asked + 1)  # it is tried again, and nothing more said
    [(level, message)] = said(caplog)
    assert level == logging.WARNING
    assert message.startswith("Front door is not connected: ")

    live.moving = live.away = False
    await async_until_state(hass, CONNECTIVITY, "on")
    assert said(caplog)[1:] == [(logging.INFO, "Front door is connected again")]
    assert state(hass, MOTION) == "off"
    assert threads() == before
    live.moving = True
    await async_until_state(hass, MOTION, "on")


async def test_a_motion_that_the_connection_cuts_short_has_an_end(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    live.moving = True
    await async_until_state(hass, MOTION, "on")
    kinds: list[str] = []
    [coordinator] = hass.config_entries.async_entries(DOMAIN)[0].runtime_data.cameras.values()
    coordinator.async_listen_for_motion(lambda detail: kinds.append(detail.kind))
    live.away = True
    await async_until_state(hass, MOTION, "unavailable")
    assert kinds == ["ended"]


@pytest.mark.parametrize("lost", ["/main.ts", "/sub.ts"])
async def test_either_of_two_streams_can_fail(hass: HomeAssistant, live: LiveCamera, lost: str) -> None:
    urls = {"/main.ts": live.url(), "/sub.ts": live.url("/sub.ts")}
    urls[lost] = live.url("/nothing")
    await async_set_up(hass, stored(camera(urls["/main.ts"], detect_url=urls["/sub.ts"])))
    [coordinator] = hass.config_entries.async_entries(DOMAIN)[0].runtime_data.cameras.values()
    await async_until(lambda: coordinator.info and coordinator.data.error)
    assert coordinator.data.error == "not_found"
    assert state(hass, CONNECTIVITY) == "off"
    assert state(hass, MOTION) == ("off" if lost == "/main.ts" else "unavailable")


async def test_a_new_password_is_asked_for_and_only_that_camera_is_concerned(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry
) -> None:
    live.password = "old"
    signed_in = camera(live.url(), username=USERNAME, password="old")
    await async_set_up(hass, stored(signed_in))
    await async_until_state(hass, CONNECTIVITY, "on")
    live.password, live.away = "new", True
    await async_until_state(hass, CONNECTIVITY, "off")
    live.away = False
    [entry] = hass.config_entries.async_entries(DOMAIN)
    hass.config_entries.async_add_subentry(
        entry, another("Back door", camera(live.url("/sub.ts"), username=USERNAME, password="new"))
    )
    await async_until(lambda: issue_registry.issues)
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    [issue] = issue_registry.issues.values()
    assert issue.issue_id == f"credentials_{FRONT}"
    assert issue.is_fixable
    assert issue.translation_placeholders == {"name": "Front door"}
    assert entry.state.value == "loaded"

    hass.config_entries.async_update_subentry(
        entry, entry.subentries[FRONT], data=signed_in | {"password": "new"}
    )
    await async_until_state(hass, CONNECTIVITY, "on")
    assert not issue_registry.issues


async def test_the_password_that_is_right_again_withdraws_the_issue(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry
) -> None:
    live.password = "new"
    await async_set_up(hass, stored(camera(live.url(), username=USERNAME, password="old")))
    await async_until(lambda: issue_registry.issues)
    live.password = "old"
    await async_until_state(hass, CONNECTIVITY, "on")
    assert not issue_registry.issues


async def test_an_hour_without_the_camera_is_an_issue(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry
) -> None:
    await async_watch(hass, live.url())
    live.away = True
    await async_until_state(hass, CONNECTIVITY, "off")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=59))
    assert not issue_registry.issues
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=61))
    [issue] = issue_registry.issues.values()
    assert issue.issue_id == f"unreachable_{FRONT}"
    assert issue.translation_placeholders
    assert issue.translation_placeholders["name"] == "Front door"
    assert str(live.server_port) in issue.translation_placeholders["error"]
    live.away = False
    await async_until_state(hass, CONNECTIVITY, "on")
    assert not issue_registry.issues


async def test_one_stream_that_is_back_while_the_other_is_away_withdraws_nothing(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry
) -> None:
    await async_set_up(hass, stored(camera(live.url("/nothing"), detect_url=live.url("/sub.ts"))))
    await async_until_state(hass, MOTION, "off")
    await async_until_state(hass, CONNECTIVITY, "off")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=61))
    assert list(issue_registry.issues) == [(DOMAIN, f"unreachable_{FRONT}")]


@pytest.mark.parametrize(("detect", "key"), [("", "sub_stream"), ("/sub.ts", "lower")])
async def test_a_machine_that_cannot_keep_up_says_which_camera_and_what_to_change(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry, detect: str, key: str
) -> None:
    entry: ConfigEntry = await async_watch(hass, live.url(), detect_url=detect and live.url(detect))
    watcher = entry.runtime_data.cameras[FRONT]._watcher
    watcher._notify(PressureChanged(True, 0.317))  # as its thread does after minutes (test_pressure.py)
    await async_until(lambda: issue_registry.issues)
    issue = issue_registry.issues[DOMAIN, f"falling_behind_{FRONT}"]
    assert issue.translation_placeholders == {"name": "Front door", "percent": "32"}
    assert issue.translation_key == f"falling_behind_{key}"
    text = TRANSLATIONS["issues"][issue.translation_key]
    assert "Front door" in (text["title"] + text["description"]).format(name="Front door", percent="32")
    watcher._notify(PressureChanged(False, 0.0))
    await async_until(lambda: not issue_registry.issues)


async def test_what_an_old_connection_still_says_is_not_listened_to(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry
) -> None:
    entry = await async_watch(hass, live.url())
    old = entry.runtime_data.cameras[FRONT]._watcher
    data = camera(live.url("/sub.ts"))
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=data)
    await hass.async_block_till_done()
    old._notify(PressureChanged(True, 0.5))
    await hass.async_block_till_done()
    assert not issue_registry.issues


async def test_another_address_is_opened_instead(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_watch(hass, live.url())
    data = camera(live.url("/sub.ts"))
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=data)
    await async_until(lambda: live.watching == {"/main.ts": 0, "/sub.ts": 1})
    await async_until_state(hass, CONNECTIVITY, "on")
    assert entry.runtime_data.cameras[FRONT].info["record"].width == 160


async def test_a_camera_that_is_away_does_not_delay_the_others(hass: HomeAssistant, live: LiveCamera) -> None:
    gone = stored(camera("http://127.0.0.1:1/"), "Back door", BACK)
    await async_set_up(hass, gone, stored(camera(live.url())))
    await async_until_state(hass, CONNECTIVITY, "on")
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "off")
    assert state(hass, "camera.back_door") == "unavailable"
