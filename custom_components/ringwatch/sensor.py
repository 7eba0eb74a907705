"""When a camera saw motion and how much of it moves; what is unread in a neighborhood, its members."""

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
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import PERCENTAGE, EntityCategory, Platform, UnitOfInformation
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .entity import RingwatchEntity, async_follow_cameras
from .footage_home import Footage
from .motion import MotionState
from .neighborhood.home import Home
from .neighborhood_entity import NeighborhoodEntity, async_follow_neighborhoods
from .neighborhoods import Neighborhoods
from .recording import ClipTotals

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


@dataclass(frozen=True, kw_only=True)
class ClipSensorDescription(SensorEntityDescription):
    """A sensor of a camera's clips."""

    value: Callable[[ClipTotals], int]


CLIP_SENSORS: tuple[ClipSensorDescription, ...] = (
    ClipSensorDescription(
        key="clips_today",
        translation_key="clips_today",
        state_class=SensorStateClass.TOTAL,
        value=lambda totals: totals.today,
    ),
    ClipSensorDescription(
        key="storage_used",
        translation_key="storage_used",
        device_class=SensorDeviceClass.DATA_SIZE,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.GIGABYTES,
        suggested_display_precision=2,
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda totals: totals.size_bytes,
    ),
)


@dataclass(frozen=True, kw_only=True)
class NeighborhoodSensorDescription(SensorEntityDescription):
    """A sensor of a neighborhood."""

    value: Callable[[Home], int]


NEIGHBORHOOD_SENSORS: tuple[NeighborhoodSensorDescription, ...] = (
    NeighborhoodSensorDescription(
        key="unread",
        translation_key="unread",
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda home: home.unread,
    ),
    NeighborhoodSensorDescription(
        key="members",
        translation_key="members",
        entity_category=EntityCategory.DIAGNOSTIC,
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda home: home.members,
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
        lambda coordinator: [
            *(RingwatchSensor(coordinator, description) for description in SENSORS),
            *(ClipSensor(coordinator, description) for description in CLIP_SENSORS),
        ],
    )
    async_follow_neighborhoods(
        entry,
        async_add_entities,
        lambda neighborhoods, subentry: [
            *(NeighborhoodSensor(neighborhoods, subentry, one) for one in NEIGHBORHOOD_SENSORS),
            RequestsSensor(neighborhoods, subentry, entry.runtime_data.footage),
        ],
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


class ClipSensor(RingwatchEntity, SensorEntity):
    """How many clips there are, or how much room they take."""

    entity_description: ClipSensorDescription

    def __init__(self, coordinator: MotionCoordinator, description: ClipSensorDescription) -> None:
        """Take the description's key."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.recording.async_listen_for_totals(self._counted))

    @property
    @override
    def native_value(self) -> int:
        return self.entity_description.value(self.coordinator.recording.totals)

    @callback
    def _counted(self) -> None:
        self.async_write_ha_state()


class NeighborhoodSensor(NeighborhoodEntity, SensorEntity):
    """A number of a neighborhood."""

    entity_description: NeighborhoodSensorDescription

    def __init__(
        self,
        neighborhoods: Neighborhoods,
        subentry: ConfigSubentry,
        description: NeighborhoodSensorDescription,
    ) -> None:
        """Take the description's key."""
        super().__init__(neighborhoods, subentry, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> int | None:
        running = self.neighborhood
        return None if running is None else self.entity_description.value(running.home)


class RequestsSensor(NeighborhoodEntity, SensorEntity):
    """How many footage requests are open in a neighborhood."""

    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_translation_key = "footage_requests"

    def __init__(self, neighborhoods: Neighborhoods, subentry: ConfigSubentry, footage: Footage) -> None:
        """Belong to the neighborhood."""
        super().__init__(neighborhoods, subentry, "footage_requests")
        self._footage = footage

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._footage.async_listen(self._updated))

    @property
    @override
    def native_value(self) -> int:
        return self._footage.requests.open_of(self._subentry_id)
