"""The picture of a camera's last event."""

from datetime import datetime
from typing import override

from homeassistant.components.image import ImageEntity
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .entity import RingwatchEntity, async_follow_cameras

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: RingwatchConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up an image for each camera."""
    async_follow_cameras(
        hass,
        entry,
        Platform.IMAGE,
        async_add_entities,
        lambda coordinator: [LastEventImage(hass, coordinator)],
    )


class LastEventImage(RingwatchEntity, ImageEntity):
    """The frame that confirmed the last motion, or the one at the last press."""

    _attr_content_type = "image/jpeg"
    _attr_translation_key = "last_event"

    def __init__(self, hass: HomeAssistant, coordinator: MotionCoordinator) -> None:
        """Show what is kept, if anything."""
        RingwatchEntity.__init__(self, coordinator, "last_event")
        ImageEntity.__init__(self, hass)
        self._attr_image_last_updated = self._taken_at()

    @property
    @override
    def available(self) -> bool:
        return super().available and not self.coordinator.settings.privacy

    @override
    async def async_image(self) -> bytes | None:
        """Return the newest picture."""
        return self.coordinator.snapshots.latest

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._attr_image_last_updated = self._taken_at()
        super()._handle_coordinator_update()

    def _taken_at(self) -> datetime | None:
        return self.coordinator.snapshots.taken_at
