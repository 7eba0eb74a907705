"""What each camera offers: names, kinds, units, and what is on by default."""

from typing import Any

import pytest

from custom_components.ringwatch.const import DOMAIN
from custom_components.ringwatch.neighborhood_answers import EVENT_TYPES, FEED_DETAILS
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.icon import async_get_icons
from tests.fixtures.live import LiveCamera
from tests.fixtures.translations import TRANSLATIONS
from tests.fixtures.watching import FRONT, MIDDLE, async_call, async_watch

CONFIG, DIAGNOSTIC = EntityCategory.CONFIG, EntityCategory.DIAGNOSTIC
PATH = {"name": "Garden path", "kind": "watch", "points": MIDDLE}

# entity id: key of the unique id, name, device class, category, on by default
ENTITIES: dict[str, tuple[str, str, str | None, EntityCategory | None, bool]] = {
    "camera.front_door": ("camera", "Front door", None, None, True),
    "binary_sensor.front_door_motion": ("motion", "Front door Motion", "motion", None, True),
    "binary_sensor.front_door_motion_in_garden_path": (
        "zone_Garden path",
        "Front door Motion in Garden path",
        "motion",
        None,
        True,
    ),
    "binary_sensor.front_door_connectivity": (
        "connectivity",
        "Front door Connectivity",
        "connectivity",
        DIAGNOSTIC,
        True,
    ),
    "event.front_door_clip": ("clip", "Front door Clip", None, None, True),
    "sensor.front_door_clips_today": ("clips_today", "Front door Clips today", None, None, True),
    "sensor.front_door_storage_used": (
        "storage_used",
        "Front door Storage used",
        "data_size",
        DIAGNOSTIC,
        True,
    ),
    "event.front_door_motion": ("motion_event", "Front door Motion", "motion", None, True),
    "event.front_door_doorbell": ("doorbell", "Front door Doorbell", "doorbell", None, True),
    "image.front_door_last_event": ("last_event", "Front door Last event", None, None, True),
    "number.front_door_sensitivity": ("sensitivity", "Front door Sensitivity", None, CONFIG, True),
    "number.front_door_hold_time": ("hold", "Front door Hold time", "duration", CONFIG, True),
    "sensor.front_door_last_motion": ("last_motion", "Front door Last motion", "timestamp", None, True),
    "sensor.front_door_motion_level": ("motion_level", "Front door Motion level", None, DIAGNOSTIC, False),
    "switch.front_door_detection": ("detection", "Front door Detection", None, CONFIG, True),
    "switch.front_door_privacy": ("privacy", "Front door Privacy", None, None, True),
}

# Translation keys of what a neighborhood has
NEIGHBORHOOD = {
    "binary_sensor": {"hub"},
    "event": {"feed", "footage_request"},
    "geo_location": {
        "safety",
        "crime",
        "package",
        "lost_and_found",
        "animal",
        "environment",
        "community",
    },
    "sensor": {"footage_requests", "members", "unread"},
}


@pytest.fixture
async def entities(
    hass: HomeAssistant, live: LiveCamera, entity_registry: er.EntityRegistry
) -> dict[str, er.RegistryEntry]:
    """All that a camera with a doorbell and a zone has, the level too."""
    entry = await async_watch(hass, live.url(), press="webhook", webhook_id="bell")
    await async_call(hass, "ringwatch.set_zones", "camera.front_door", zones=[PATH])
    await hass.async_block_till_done()
    found = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert [entity.disabled_by for entity in found if entity.disabled_by] == [
        er.RegistryEntryDisabler.INTEGRATION
    ]
    entity_registry.async_update_entity("sensor.front_door_motion_level", disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    return {entity.entity_id: entity for entity in found}


async def test_a_camera_has_these_entities_and_no_other(
    hass: HomeAssistant, entities: dict[str, er.RegistryEntry]
) -> None:
    assert entities.keys() == ENTITIES.keys()
    for entity_id, (key, name, device_class, category, enabled) in ENTITIES.items():
        entity = entities[entity_id]
        assert entity.unique_id == f"{FRONT}_{key}"
        assert entity.has_entity_name
        assert entity.entity_category is category
        assert (entity.disabled_by is None) is enabled
        state = hass.states.get(entity_id)
        assert state is not None
        assert state.name == name
        assert state.attributes.get("device_class") == device_class


async def test_every_entity_has_a_translated_name_and_an_icon(
    hass: HomeAssistant, entities: dict[str, er.RegistryEntry]
) -> None:
    icons: dict[str, Any] = (await async_get_icons(hass, "entity", {DOMAIN}))[DOMAIN]
    used: dict[str, set[str]] = {}
    for entity in entities.values():
        if entity.entity_id == "camera.front_door":
            assert entity.original_name is None  # it is called what the device is called
            continue
        key = entity.translation_key
        if key is None:
            assert entity.original_device_class is not None  # which gives the name and the icon
            continue
        used.setdefault(entity.domain, set()).add(key)
        assert TRANSLATIONS["entity"][entity.domain][key]["name"]
        assert entity.original_device_class or icons[entity.domain][key]["default"].startswith("mdi:")
    for domain, keys in NEIGHBORHOOD.items():  # tests/integration/test_hood_feed.py
        used.setdefault(domain, set()).update(keys)
    assert used == {domain: set(keys) for domain, keys in TRANSLATIONS["entity"].items()}
    for domain, keys in icons.items():
        assert keys.keys() <= used[domain]


@pytest.mark.parametrize(
    ("entity_id", "expected"),
    [
        ("number.front_door_sensitivity", {"min": 0, "max": 100, "step": 1, "mode": "slider"}),
        ("number.front_door_hold_time", {"min": 0, "max": 300, "unit_of_measurement": "s", "mode": "box"}),
        ("sensor.front_door_motion_level", {"unit_of_measurement": "%", "state_class": "measurement"}),
        ("event.front_door_motion", {"event_types": ["started", "ended"]}),
        ("event.front_door_doorbell", {"event_types": ["ring"]}),
    ],
)
async def test_units_and_ranges(
    hass: HomeAssistant, entities: dict[str, er.RegistryEntry], entity_id: str, expected: dict[str, Any]
) -> None:
    state = hass.states.get(entity_id)
    assert state is not None
    assert expected.items() <= state.attributes.items()


def test_everything_an_event_carries_has_a_name() -> None:
    texts = TRANSLATIONS["entity"]["event"]
    carried = {"start", "end", "duration_s", "box", "zones", "score", "reason", "snapshot"}
    assert texts["motion"]["state_attributes"].keys() == carried | {"event_type"}
    assert texts["motion"]["state_attributes"]["event_type"]["state"].keys() == {"started", "ended"}
    assert texts["doorbell"]["state_attributes"].keys() == {"start", "snapshot"}
    assert texts["feed"]["state_attributes"].keys() == FEED_DETAILS | {"event_type"}
    assert texts["feed"]["state_attributes"]["event_type"]["state"].keys() == set(EVENT_TYPES)
