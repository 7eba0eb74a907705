"""When a camera last saw motion, and how much of its picture moves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .entity import RingwatchEntity, async_follow_cameras
from .motion import MotionState

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class RingwatchSensorDescription(SensorEntityDescription):
    """A sensor, and where its value stands."""

    value: Callable[[MotionState], datetime | float | None]
    needs_stream: bool


SENSORS: tuple[RingwatchSensorDescription, ...] = (
    RingwatchSensorDescription(
        key="last_motion",
        translation_key="last_motion",
        device_class=SensorDeviceClass.TIMESTAMP,
        value=lambda state: state.last_motion,
        needs_stream=False,
    ),
    RingwatchSensorDescription(
        key="motion_level",
        translation_key="motion_level",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        value=lambda state: round(100 * state.level, 1),
        needs_stream=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: RingwatchConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the sensors of each camera."""
    async_follow_cameras(
        hass,
        entry,
        Platform.SENSOR,
        async_add_entities,
        lambda coordinator: [RingwatchSensor(coordinator, description) for description in SENSORS],
    )


class RingwatchSensor(RingwatchEntity, SensorEntity):
    """A sensor of a camera."""

    entity_description: RingwatchSensorDescription

    def __init__(self, coordinator: MotionCoordinator, description: RingwatchSensorDescription) -> None:
        """Take the description's key."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def available(self) -> bool:
        return super().available and (
            self.coordinator.data.seeing or not self.entity_description.needs_stream
        )

    @property
    @override
    def native_value(self) -> datetime | float | None:
        return self.entity_description.value(self.coordinator.data)
