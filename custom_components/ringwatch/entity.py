"""What all entities of a camera share, and how a platform's entities follow the cameras that there are."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN, TITLE
from .coordinator import MotionCoordinator, RingwatchConfigEntry


class RingwatchEntity(CoordinatorEntity[MotionCoordinator]):
    """An entity of one camera."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: MotionCoordinator, key: str) -> None:
        """Belong to the camera's device."""
        super().__init__(coordinator)
        self._attr_unique_id = f"{coordinator.subentry_id}_{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.subentry_id)},
            name=coordinator.title,
            manufacturer=TITLE,
        )


class SeeingEntity(RingwatchEntity):
    """An entity that knows something only while the camera's stream is there."""

    @property
    @override
    def available(self) -> bool:
        return super().available and self.coordinator.data.seeing


def async_follow_cameras(
    hass: HomeAssistant,
    entry: RingwatchConfigEntry,
    platform: Platform,
    async_add_entities: AddConfigEntryEntitiesCallback,
    build: Callable[[MotionCoordinator], Iterable[Entity]],
) -> None:
    """Add what `build` makes for each camera now, and whenever a camera, its doorbell or its zones change."""
    added: dict[str, set[str]] = {}

    @callback
    def sync() -> None:
        registry = er.async_get(hass)
        cameras = entry.runtime_data.cameras
        for subentry_id in added.keys() - cameras.keys():
            del added[subentry_id]  # Home Assistant removes the entities of a removed subentry
        for subentry_id, coordinator in cameras.items():
            wanted = {entity.unique_id: entity for entity in build(coordinator) if entity.unique_id}
            for registered in er.async_entries_for_config_entry(registry, entry.entry_id):
                if (
                    registered.config_subentry_id == subentry_id
                    and registered.domain == platform
                    and registered.unique_id not in wanted
                ):
                    registry.async_remove(registered.entity_id)
            new = wanted.keys() - added.get(subentry_id, set())
            if new:
                async_add_entities(
                    [wanted[key] for key in wanted if key in new], config_subentry_id=subentry_id
                )
            added[subentry_id] = set(wanted)

    entry.runtime_data.platforms.append(sync)
    sync()
