"""Motion in a camera's picture and in each of its watch zones, and whether cameras and hubs are connected."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .entity import RingwatchEntity, SeeingEntity, async_follow_cameras
from .motion import MotionState
from .neighborhood_entity import NeighborhoodEntity, async_follow_neighborhoods
from .neighborhoods import Neighborhoods

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class RingwatchBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor, and where its state stands."""

    is_on: Callable[[MotionState], bool]


MOTION = RingwatchBinarySensorDescription(
    key="motion",
    device_class=BinarySensorDeviceClass.MOTION,
    is_on=lambda state: state.motion,
)
CONNECTIVITY = RingwatchBinarySensorDescription(
    key="connectivity",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
    is_on=lambda state: state.connected,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: RingwatchConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors of each camera."""

    def build(coordinator: MotionCoordinator) -> list[RingwatchEntity]:
        return [
            MotionSensor(coordinator, MOTION),
            ConnectivitySensor(coordinator, CONNECTIVITY),
            *(ZoneMotionSensor(coordinator, zone.name) for zone in coordinator.settings.watch_zones),
        ]

    async_follow_cameras(hass, entry, Platform.BINARY_SENSOR, async_add_entities, build)
    async_follow_neighborhoods(
        entry, async_add_entities, lambda neighborhoods, subentry: [HubSensor(neighborhoods, subentry)]
    )


class MotionSensor(SeeingEntity, BinarySensorEntity):
    """Motion anywhere that is watched, hold time included."""

    entity_description: RingwatchBinarySensorDescription

    def __init__(self, coordinator: MotionCoordinator, description: RingwatchBinarySensorDescription) -> None:
        """Take the description's key."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def is_on(self) -> bool:
        return self.entity_description.is_on(self.coordinator.data)


class ConnectivitySensor(RingwatchEntity, BinarySensorEntity):
    """Whether all of the camera's streams deliver; with privacy on nobody has tried."""

    entity_description: RingwatchBinarySensorDescription

    def __init__(self, coordinator: MotionCoordinator, description: RingwatchBinarySensorDescription) -> None:
        """Take the description's key."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def is_on(self) -> bool | None:
        if self.coordinator.settings.privacy:
            return None
        return self.entity_description.is_on(self.coordinator.data)


class ZoneMotionSensor(SeeingEntity, BinarySensorEntity):
    """Motion in one watch zone."""

    _attr_device_class = BinarySensorDeviceClass.MOTION
    _attr_translation_key = "zone_motion"

    def __init__(self, coordinator: MotionCoordinator, zone: str) -> None:
        """Take the zone's name."""
        super().__init__(coordinator, f"zone_{zone}")
        self._zone = zone
        self._attr_translation_placeholders = {"zone": zone}

    @property
    @override
    def is_on(self) -> bool:
        return self._zone in self.coordinator.data.zones


class HubSensor(NeighborhoodEntity, BinarySensorEntity):
    """Whether the neighborhood's hub answers."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "hub"

    def __init__(self, neighborhoods: Neighborhoods, subentry: ConfigSubentry) -> None:
        """Belong to the neighborhood."""
        super().__init__(neighborhoods, subentry, "hub")

    @property
    @override
    def is_on(self) -> bool | None:
        running = self.neighborhood
        return None if running is None else running.home.connected
