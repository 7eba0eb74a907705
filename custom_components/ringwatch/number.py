"""How closely a camera looks, and how long its motion sensor stays on."""

from dataclasses import dataclass
from typing import Literal, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import EntityCategory, Platform, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import HOLD_MAX_S, SENSITIVITY_MAX
from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .entity import RingwatchEntity, async_follow_cameras
from .settings import SettingsChanges

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class RingwatchNumberDescription(NumberEntityDescription):
    """A number, and the setting that it is."""

    setting: Literal["sensitivity", "hold_s"]


NUMBERS: tuple[RingwatchNumberDescription, ...] = (
    RingwatchNumberDescription(
        key="sensitivity",
        translation_key="sensitivity",
        entity_category=EntityCategory.CONFIG,
        native_min_value=0,
        native_max_value=SENSITIVITY_MAX,
        native_step=1,
        mode=NumberMode.SLIDER,
        setting="sensitivity",
    ),
    RingwatchNumberDescription(
        key="hold",
        translation_key="hold",
        device_class=NumberDeviceClass.DURATION,
        entity_category=EntityCategory.CONFIG,
        native_min_value=0,
        native_max_value=HOLD_MAX_S,
        native_step=1,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        mode=NumberMode.BOX,
        setting="hold_s",
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: RingwatchConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the numbers of each camera."""
    async_follow_cameras(
        hass,
        entry,
        Platform.NUMBER,
        async_add_entities,
        lambda coordinator: [RingwatchNumber(coordinator, description) for description in NUMBERS],
    )


class RingwatchNumber(RingwatchEntity, NumberEntity):
    """A setting of a camera that is a number."""

    entity_description: RingwatchNumberDescription

    def __init__(self, coordinator: MotionCoordinator, description: RingwatchNumberDescription) -> None:
        """Take the description's key."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> int:
        settings = self.coordinator.settings
        return settings.sensitivity if self.entity_description.setting == "sensitivity" else settings.hold_s

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Store the value."""
        whole = round(value)
        changes: SettingsChanges = (
            {"sensitivity": whole} if self.entity_description.setting == "sensitivity" else {"hold_s": whole}
        )
        await self.coordinator.store.async_update(self.coordinator.subentry_id, **changes)
