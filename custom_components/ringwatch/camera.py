"""The camera: live through Home Assistant's own players, stills from the frames that are decoded anyway.

While a part of the picture is private, or all of it, no address is handed out: whatever was playing is
stopped, and live is a series of stills in which the private part is black.
"""

from dataclasses import replace
from typing import override

from homeassistant.components.camera import Camera, CameraEntityFeature
from homeassistant.components.stream import CONF_RTSP_TRANSPORT as STREAM_RTSP_TRANSPORT, Stream
from homeassistant.const import CONF_VERIFY_SSL as STREAM_VERIFY_SSL, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_RTSP_TRANSPORT, CONF_STILL_INTERVAL_S, CONF_VERIFY_SSL
from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .entity import RingwatchEntity, async_follow_cameras
from .privacy_card import async_privacy_card
from .sources import async_live_source

PARALLEL_UPDATES = 0

FRAME_INTERVAL_S = 0.2  # of the masked live picture; a still costs some 10 ms


async def async_setup_entry(
    hass: HomeAssistant, entry: RingwatchConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up a camera entity for each camera."""
    async_follow_cameras(
        hass, entry, Platform.CAMERA, async_add_entities, lambda coordinator: [RingwatchCamera(coordinator)]
    )


class RingwatchCamera(RingwatchEntity, Camera):
    """A camera that is watched."""

    _attr_name = None
    _attr_frame_interval = FRAME_INTERVAL_S

    def __init__(self, coordinator: MotionCoordinator) -> None:
        """Take over what the coordinator knows now."""
        RingwatchEntity.__init__(self, coordinator, "camera")
        Camera.__init__(self)
        self._source = coordinator.source
        self._update()

    @property
    @override
    def available(self) -> bool:
        """With privacy on the camera is there, and shows a card that says so."""
        return self.coordinator.settings.privacy or self.coordinator.data.seeing

    @override
    async def stream_source(self) -> str | None:
        """Return the stream's address, unless a part of it is private."""
        if not self.coordinator.settings.shows_raw_stream:
            return None
        source = await async_live_source(self.hass, self.coordinator.camera)
        return source if self.coordinator.settings.shows_raw_stream else None

    @override
    async def async_create_stream(self) -> Stream | None:
        """Create the stream, unless it became private while that was going on."""
        stream = await super().async_create_stream()
        if stream is not None and not self.coordinator.settings.shows_raw_stream:
            await self._async_stop_stream()
            return None
        return stream

    @override
    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        """Return the last frame; it fits the width that was asked for."""
        if self.coordinator.settings.privacy:
            return await async_privacy_card(self.hass, self.coordinator.title)
        return await self.coordinator.async_still(width or 0)

    @override
    async def async_enable_motion_detection(self) -> None:
        """Switch detection on."""
        await self.coordinator.store.async_update(self.coordinator.subentry_id, detection=True)

    @override
    async def async_disable_motion_detection(self) -> None:
        """Switch detection off."""
        await self.coordinator.store.async_update(self.coordinator.subentry_id, detection=False)

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Leave no live view behind: who watches one would keep it going."""
        await self._async_stop_stream()
        await super().async_will_remove_from_hass()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        before, self._source = self._source, self.coordinator.source
        self._update()
        if self.stream is not None and (
            before != self._source or not self.coordinator.settings.shows_raw_stream
        ):
            self.coordinator.config_entry.async_create_task(
                self.hass, self._async_stop_stream(), f"stop live view of {self.entity_id}"
            )
        super()._handle_coordinator_update()

    def _update(self) -> None:
        self.stream_options[STREAM_RTSP_TRANSPORT] = self._source[CONF_RTSP_TRANSPORT]
        self.stream_options[STREAM_VERIFY_SSL] = self._source[CONF_VERIFY_SSL]
        settings = self.coordinator.settings
        self._attr_motion_detection_enabled = settings.detection and not settings.privacy
        has_stream = settings.shows_raw_stream and not self.coordinator.camera[CONF_STILL_INTERVAL_S]
        self._attr_supported_features = CameraEntityFeature.STREAM if has_stream else CameraEntityFeature(0)

    async def _async_stop_stream(self) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            # A preloaded stream would outlive its stop; the owner's preference itself stays as it is.
            stream.dynamic_stream_settings = replace(stream.dynamic_stream_settings, preload_stream=False)
            outputs = stream.outputs()
            await stream.stop()
            for output in outputs.values():
                output.cleanup()  # or its last seconds stay in memory, and its timer runs on
