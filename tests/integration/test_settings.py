"""The owner's choices: on disk before an action returns, and never less private than was asked for."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import stat
import threading
from typing import Any

import atomicwrites
from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from custom_components.ringwatch.const import DOMAIN
from custom_components.ringwatch.settings import CameraSettings, CameraSettingsStore, _from_json, _to_json
from custom_components.ringwatch.vision import Zone, ZoneKind, parse_zones
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import (
    BACK,
    BOTTOM,
    FRONT,
    TOP,
    another,
    async_call,
    async_set_up,
    async_until,
    async_until_state,
    async_watch,
    camera,
    on_disk,
    settings_path,
    state,
    stored,
    threads,
)

PRIVACY = "switch.front_door_privacy"
STREET = {"name": "Street", "kind": "privacy", "points": TOP}
PATH = {"name": "Path", "kind": "watch", "points": BOTTOM}


def break_disk(hass: HomeAssistant) -> None:
    """Let writing fail, for root too: a folder stands where the file belongs."""
    path = settings_path(hass)
    path.unlink(missing_ok=True)
    path.mkdir()


@asynccontextmanager
async def hanging_disk(hass: HomeAssistant) -> AsyncIterator[None]:
    """Let nothing be written meanwhile: the one thread that could is taken."""
    go_on = threading.Event()
    before = hass.loop._default_executor  # type: ignore[attr-defined]
    with ThreadPoolExecutor(1) as taken:
        hass.loop._default_executor = taken  # type: ignore[attr-defined]
        taken.submit(go_on.wait)
        try:
            yield
        finally:
            go_on.set()
            hass.loop._default_executor = before  # type: ignore[attr-defined]


@pytest.fixture
async def store(hass: HomeAssistant) -> CameraSettingsStore:
    """A store with two new cameras."""
    store = CameraSettingsStore(hass)
    await store.async_load({FRONT, BACK}, set())
    return store


@pytest.mark.parametrize(
    ("action", "entity_id", "data", "key", "value"),
    [
        ("switch.turn_on", PRIVACY, {}, "privacy", True),
        ("switch.turn_off", "switch.front_door_detection", {}, "detection", False),
        ("number.set_value", "number.front_door_sensitivity", {"value": 71}, "sensitivity", 71),
        ("number.set_value", "number.front_door_hold_time", {"value": 33}, "hold_s", 33),
        ("ringwatch.set_zones", "camera.front_door", {"zones": [STREET]}, "zones", [STREET]),
    ],
)
async def test_a_change_is_on_disk_when_the_action_returns_and_holds_after_a_restart(
    hass: HomeAssistant,
    live: LiveCamera,
    action: str,
    entity_id: str,
    data: dict[str, Any],
    key: str,
    value: object,
) -> None:
    entry = await async_watch(hass, live.url())
    await async_call(hass, action, entity_id, **data)
    assert (on_disk(hass) or {})[FRONT][key] == value
    await hass.config_entries.async_reload(entry.entry_id)
    assert _to_json(entry.runtime_data.settings.get(FRONT))[key] == value


async def test_the_file_is_private(hass: HomeAssistant, store: CameraSettingsStore) -> None:
    assert stat.S_IMODE(settings_path(hass).stat().st_mode) == 0o600


async def test_the_file_and_its_folder_are_synced(
    hass: HomeAssistant, store: CameraSettingsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = atomicwrites._proper_fsync

    def recorded(descriptor: int) -> None:
        fsync(descriptor)
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")

    monkeypatch.setattr(atomicwrites, "_proper_fsync", recorded)
    await store.async_update(FRONT, privacy=True)
    assert synced == ["file", "folder"]


async def test_what_hides_holds_although_it_could_not_be_stored(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    break_disk(hass)
    with pytest.raises(HomeAssistantError) as raised:
        await async_call(hass, "switch.turn_on", PRIVACY)
    assert raised.value.translation_key == "settings_not_saved"
    assert "could not be written to disk" in str(raised.value)
    await hass.async_block_till_done()
    assert state(hass, PRIVACY) == "on"
    assert not threads()


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"privacy": True}, {"privacy": False}),
        ({"detection": False}, {"detection": True}),
        ({"zones": parse_zones([STREET])}, {"zones": ()}),
        ({"zones": parse_zones([STREET])}, {"zones": parse_zones([STREET | {"points": BOTTOM}])}),
        ({"privacy": True}, {"privacy": False, "zones": parse_zones([STREET])}),
        ({"sensitivity": 50}, {"sensitivity": 90}),
        ({"zones": ()}, {"zones": parse_zones([PATH])}),
    ],
)
async def test_what_reveals_or_only_differs_does_not_hold_unless_it_is_stored(
    hass: HomeAssistant, store: CameraSettingsStore, before: Any, change: Any
) -> None:
    await store.async_update(FRONT, **before)
    break_disk(hass)
    with pytest.raises(HomeAssistantError):
        await store.async_update(FRONT, **change)
    assert store.get(FRONT) == CameraSettings(**before)


@pytest.mark.parametrize(
    "change",
    [
        {"privacy": True},
        {"detection": False},
        {"zones": parse_zones([STREET])},
        {"privacy": True, "sensitivity": 3},
    ],
)
async def test_what_hides_holds_before_the_disk_is_done(
    hass: HomeAssistant, store: CameraSettingsStore, change: Any
) -> None:
    seen: list[CameraSettings] = []
    unlisten = store.async_listen(FRONT, seen.append)
    task = hass.async_create_task(store.async_update(FRONT, **change))
    assert seen == [CameraSettings(**change)]
    await task
    assert len(seen) == 1
    unlisten()
    await store.async_update(FRONT, privacy=False)
    assert len(seen) == 1


async def test_what_hides_does_not_wait_for_a_busy_disk_and_nothing_undoes_it(
    hass: HomeAssistant, store: CameraSettingsStore
) -> None:
    await store.async_update(FRONT, privacy=True)
    async with hanging_disk(hass):
        reveal = hass.async_create_task(store.async_update(FRONT, privacy=False, sensitivity=70))
        await asyncio.sleep(0)
        assert store.get(FRONT).privacy
        hide = hass.async_create_task(store.async_update(FRONT, detection=False))
        await asyncio.sleep(0)
        assert not store.get(FRONT).detection
        assert not hide.done()
    await asyncio.gather(reveal, hide)
    assert store.get(FRONT) == CameraSettings(detection=False, sensitivity=70)
    assert (on_disk(hass) or {})[FRONT]["detection"] is False


async def test_privacy_that_is_asked_for_while_it_is_being_lifted_wins(
    hass: HomeAssistant, store: CameraSettingsStore
) -> None:
    seen: list[bool] = []
    store.async_listen(FRONT, lambda settings: seen.append(settings.privacy))
    async with hanging_disk(hass):
        lift = hass.async_create_task(store.async_update(FRONT, sensitivity=10, privacy=False))
        back = hass.async_create_task(store.async_update(FRONT, privacy=True))
    await asyncio.gather(lift, back)
    assert store.get(FRONT) == CameraSettings(sensitivity=10, privacy=True)
    assert seen == [True, True]
    assert (on_disk(hass) or {})[FRONT]["privacy"] is True


async def test_changes_at_once_are_all_stored(hass: HomeAssistant, store: CameraSettingsStore) -> None:
    await asyncio.gather(
        store.async_update(FRONT, sensitivity=10),
        store.async_update(FRONT, hold_s=20),
        store.async_update(BACK, detection=False),
        store.async_update(FRONT, zones=parse_zones([PATH])),
        store.async_update(BACK, privacy=True),
    )
    front = CameraSettings(sensitivity=10, hold_s=20, zones=parse_zones([PATH]))
    back = CameraSettings(detection=False, privacy=True)
    assert (store.get(FRONT), store.get(BACK)) == (front, back)
    again = CameraSettingsStore(hass)
    await again.async_load({FRONT, BACK}, {FRONT, BACK})
    assert (again.get(FRONT), again.get(BACK)) == (front, back)
    assert not again.lost


DAMAGED = [
    None,
    "",
    "{",
    "[]",
    '{"version": 1}',
    '{"cameras": []}',
    '{"cameras": {}}',
    json.dumps({"cameras": {FRONT: None}}),
    json.dumps({"cameras": {FRONT: {"privacy": False}}}),
    json.dumps({"cameras": {FRONT: _to_json(CameraSettings()) | {"privacy": 0}}}),
    json.dumps({"cameras": {FRONT: _to_json(CameraSettings()) | {"zones": [{}]}}}),
    json.dumps({"cameras": {FRONT: _to_json(CameraSettings()) | {"sensitivity": 101}}}),
]


@pytest.mark.parametrize("content", DAMAGED)
async def test_settings_that_are_missing_or_damaged_are_lost_and_privacy_is_on(
    hass: HomeAssistant, store: CameraSettingsStore, content: str | None
) -> None:
    path = settings_path(hass)
    path.unlink()
    if content is not None:
        path.write_text(content)
    again = CameraSettingsStore(hass)
    await again.async_load({FRONT}, {FRONT})
    assert again.lost == {FRONT}
    assert again.get(FRONT) == CameraSettings(privacy=True)


@pytest.mark.parametrize("content", [None, "{"])
async def test_where_the_settings_are_lost_privacy_is_on_until_the_owner_decides(
    hass: HomeAssistant, live: LiveCamera, issue_registry: ir.IssueRegistry, content: str | None
) -> None:
    entry = await async_watch(hass, live.url())
    await hass.config_entries.async_unload(entry.entry_id)
    live.opened.clear()
    path = settings_path(hass)
    path.unlink()
    if content is not None:
        path.write_text(content)
    for _ in range(2):  # nobody has decided anything: the same after another restart
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert state(hass, PRIVACY) == "on"
        issue = issue_registry.async_get_issue(DOMAIN, f"settings_lost_{FRONT}")
        assert issue is not None
        assert issue.translation_placeholders == {"name": "Front door"}
    assert not live.opened

    await async_call(hass, "switch.turn_off", PRIVACY)
    assert issue_registry.async_get_issue(DOMAIN, f"settings_lost_{FRONT}") is None
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
    await hass.config_entries.async_reload(entry.entry_id)
    assert state(hass, PRIVACY) == "off"


async def test_a_damaged_file_is_kept_aside(hass: HomeAssistant, live: LiveCamera) -> None:
    settings_path(hass).parent.mkdir(exist_ok=True)
    settings_path(hass).write_text("{")
    await async_set_up(hass, stored(camera(live.url())))
    assert aside(hass).read_text() == "{"
    assert on_disk(hass)


def aside(hass: HomeAssistant) -> Path:
    path = settings_path(hass)
    return path.with_name(f"{path.name}.damaged")


async def test_a_camera_added_with_a_full_disk_is_watched_and_one_can_be_removed(
    hass: HomeAssistant, live: LiveCamera, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await async_watch(hass, live.url())
    break_disk(hass)
    hass.config_entries.async_add_subentry(entry, another("Back door", camera(live.url("/sub.ts"))))
    await async_until_state(hass, "binary_sensor.back_door_connectivity", "on")
    hass.config_entries.async_remove_subentry(entry, FRONT)
    await async_until(lambda: not threads("Front door"))
    await hass.async_block_till_done()
    assert caplog.text.count("could not be written to disk") == 2


async def test_settings_of_cameras_that_are_gone_are_forgotten(
    hass: HomeAssistant, store: CameraSettingsStore
) -> None:
    await store.async_remove(FRONT)
    await store.async_remove("never there")
    assert (on_disk(hass) or {}).keys() == {BACK}
    again = CameraSettingsStore(hass)
    await again.async_load({FRONT}, set())
    assert again.get(FRONT) == CameraSettings()


names = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=40)
edges = st.floats(0, 0.4)
boxes = st.builds(lambda x, y: ((x, y), (x + 0.5, y), (x + 0.5, y + 0.5), (x, y + 0.5)), x=edges, y=edges)
zones = st.lists(
    st.builds(Zone, name=names, kind=st.sampled_from(ZoneKind), points=boxes),
    max_size=4,
    unique_by=lambda zone: zone.name.casefold(),
)
camera_settings = st.builds(
    CameraSettings,
    detection=st.booleans(),
    privacy=st.booleans(),
    sensitivity=st.integers(0, 100),
    hold_s=st.integers(0, 300),
    zones=zones.map(tuple),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=3,
)


@given(camera_settings)
@hypothesis_settings(max_examples=60, deadline=None)
def test_settings_come_back_from_json_as_they_were(settings: CameraSettings) -> None:
    assert _from_json(json.loads(json.dumps(_to_json(settings)))) == settings


@given(st.sampled_from([*_to_json(CameraSettings())]), values)
@hypothesis_settings(max_examples=60, deadline=None)
def test_whatever_is_in_the_file_is_refused_or_holds_as_it_is(key: str, value: object) -> None:
    settings = _to_json(CameraSettings()) | {key: value}
    try:
        read = _from_json(settings)
    except KeyError, TypeError, ValueError:
        return
    assert _to_json(read) == settings
