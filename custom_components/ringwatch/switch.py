"""Detection and privacy of a camera. Both are on disk before the action returns."""

from typing import Any, Literal, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .entity import RingwatchEntity, async_follow_cameras

PARALLEL_UPDATES = 0

type Setting = Literal["detection", "privacy"]

DETECTION = SwitchEntityDescription(
    key="detection", translation_key="detection", entity_category=EntityCategory.CONFIG
)
PRIVACY = SwitchEntityDescription(key="privacy", translation_key="privacy")


async def async_setup_entry(
    hass: HomeAssistant, entry: RingwatchConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the switches of each camera."""
    async_follow_cameras(
        hass,
        entry,
        Platform.SWITCH,
        async_add_entities,
        lambda coordinator: [DetectionSwitch(coordinator), PrivacySwitch(coordinator)],
    )


class DetectionSwitch(RingwatchEntity, SwitchEntity):
    """Whether motion is looked for."""

    entity_description = DETECTION

    def __init__(self, coordinator: MotionCoordinator) -> None:
        """Belong to the camera."""
        super().__init__(coordinator, DETECTION.key)

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.settings.detection

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Look for motion."""
        await self.coordinator.store.async_update(self.coordinator.subentry_id, detection=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Look no longer."""
        await self.coordinator.store.async_update(self.coordinator.subentry_id, detection=False)


class PrivacySwitch(RingwatchEntity, SwitchEntity):
    """Whether the camera is blind: no frame is decoded, stored or shown."""

    entity_description = PRIVACY

    def __init__(self, coordinator: MotionCoordinator) -> None:
        """Belong to the camera."""
        super().__init__(coordinator, PRIVACY.key)

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.settings.privacy

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Make it blind."""
        await self.coordinator.store.async_update(self.coordinator.subentry_id, privacy=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Let it see."""
        await self.coordinator.store.async_update(self.coordinator.subentry_id, privacy=False)
