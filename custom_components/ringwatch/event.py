"""Doorbell presses, motion and a neighborhood's news, as events that carry what an automation needs."""

from typing import Any, override

from homeassistant.components.event import DoorbellEventType, EventDeviceClass, EventEntity
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import restore_state
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .clip_views import clip_answer
from .clips import Clip
from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .entity import RingwatchEntity, SeeingEntity, async_follow_cameras
from .footage_answers import DETAILS as REQUEST_DETAILS, EVENT_TYPES as REQUEST_TYPES, request_event
from .footage_home import Footage
from .motion import MotionDetail, Press
from .neighborhood.requests import RequestItem
from .neighborhood_answers import EVENT_GONE, EVENT_TYPES, FEED_DETAILS
from .neighborhood_entity import NeighborhoodEntity, async_follow_neighborhoods
from .neighborhoods import Neighborhoods

PARALLEL_UPDATES = 0

# Where Home Assistant keeps what is to be restored: in one place until 2026.10, in two since 2026.11
KEPT_STATES = ("last_states", "last_states_by_entity_id", "last_states_by_entity_registry_id")

DETAILS = frozenset({"start", "end", "duration_s", "box", "zones", "score", "reason", "snapshot"})

CLIP_DETAILS = frozenset(
    {
        "id",
        "camera",
        "start",
        "end",
        "onset",
        "duration_s",
        "triggers",
        "zones",
        "score",
        "clip",
        "thumbnail",
        "size_bytes",
        "has_sound",
        "protected",
        "shared",
    }
)


async def async_setup_entry(
    hass: HomeAssistant, entry: RingwatchConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the events of each camera."""

    def build(coordinator: MotionCoordinator) -> list[RingwatchEntity]:
        events: list[RingwatchEntity] = [MotionEvent(coordinator), ClipEvent(coordinator)]
        if coordinator.has_doorbell:
            events.append(DoorbellEvent(coordinator))
        return events

    async_follow_cameras(hass, entry, Platform.EVENT, async_add_entities, build)
    async_follow_neighborhoods(
        entry,
        async_add_entities,
        lambda neighborhoods, subentry: [
            FeedEvent(neighborhoods, subentry),
            RequestEvent(neighborhoods, subentry, entry.runtime_data.footage),
        ],
    )


class MotionEvent(SeeingEntity, EventEntity):
    """Motion that started or ended."""

    _attr_device_class = EventDeviceClass.MOTION
    _attr_event_types = ["started", "ended"]  # noqa: RUF012 - Home Assistant's own form
    _attr_translation_key = "motion"
    _unrecorded_attributes = DETAILS

    def __init__(self, coordinator: MotionCoordinator) -> None:
        """Belong to the camera."""
        super().__init__(coordinator, "motion_event")

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_listen_for_motion(self._moved))

    @callback
    def _moved(self, detail: MotionDetail) -> None:
        attributes: dict[str, Any] = {
            "start": detail.start.isoformat(),
            "box": [round(value, 3) for value in detail.box],
            "zones": list(detail.zones),
            "score": round(detail.score, 3),
            "reason": detail.reason,
            "snapshot": detail.snapshot,
        }
        if detail.end is not None:
            attributes["end"] = detail.end.isoformat()
            attributes["duration_s"] = round((detail.end - detail.start).total_seconds(), 1)
        self._trigger_event(detail.kind, attributes)
        self.async_write_ha_state()


class ClipEvent(RingwatchEntity, EventEntity):
    """A clip is ready to be seen. It may become so when the camera is away again."""

    _attr_event_types = ["clip_ready"]  # noqa: RUF012 - Home Assistant's own form
    _attr_translation_key = "clip"
    _unrecorded_attributes = CLIP_DETAILS

    def __init__(self, coordinator: MotionCoordinator) -> None:
        """Belong to the camera."""
        super().__init__(coordinator, "clip")

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.recording.async_listen(self._ready))

    @callback
    def _ready(self, clip: Clip) -> None:
        self._trigger_event("clip_ready", clip_answer(clip))
        self.async_write_ha_state()


class DoorbellEvent(RingwatchEntity, EventEntity):
    """The doorbell rang. It does so with the camera away or private, too."""

    _attr_device_class = EventDeviceClass.DOORBELL
    _attr_event_types = [DoorbellEventType.RING]  # noqa: RUF012 - Home Assistant's own form
    _attr_translation_key = "doorbell"
    _unrecorded_attributes = DETAILS

    def __init__(self, coordinator: MotionCoordinator) -> None:
        """Belong to the camera."""
        super().__init__(coordinator, "doorbell")

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_listen_for_press(self._rang))

    @callback
    def _rang(self, press: Press) -> None:
        self._trigger_event(
            DoorbellEventType.RING, {"start": press.time.isoformat(), "snapshot": press.snapshot}
        )
        self.async_write_ha_state()


class FeedEvent(NeighborhoodEntity, EventEntity):
    """Something is new in a neighborhood's feed."""

    _attr_event_types = list(EVENT_TYPES)  # noqa: RUF012 - Home Assistant's own form
    _attr_translation_key = "feed"
    _unrecorded_attributes = FEED_DETAILS

    def __init__(self, neighborhoods: Neighborhoods, subentry: ConfigSubentry) -> None:
        """Belong to the neighborhood."""
        super().__init__(neighborhoods, subentry, "feed")
        self._attr_extra_state_attributes: dict[str, Any] = {}

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._neighborhoods.async_listen_for_events(self._subentry_id, self._happened))
        # States of events are written to .storage every quarter of an hour, and go into backups: with what
        # neighbors wrote, and may take back. So this one begins anew with each start.
        restore_state.async_get(self.hass).entities.pop(self.entity_id, None)
        self.async_on_remove(lambda: restore_state.async_get(self.hass).async_restore_entity_added(self))

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Keep for a moment's absence what was kept just now, without the texts."""
        await super().async_will_remove_from_hass()
        kept = restore_state.async_get(self.hass)
        known_as = {self.entity_id, self.registry_entry.id if self.registry_entry else self.entity_id}
        for states in (getattr(kept, name, {}) for name in KEPT_STATES):
            for stored in (states[key] for key in known_as & states.keys()):
                shown = stored.state.attributes.items()
                attributes = {name: value for name, value in shown if name not in FEED_DETAILS}
                stored.state = State(self.entity_id, stored.state.state, attributes)

    @callback
    def _happened(self, event_type: str, attributes: dict[str, Any]) -> None:
        """Tell of something new, or forget what was told of something that is gone.

        What others wrote is no attribute of the event: those are restored after a restart.
        """
        if event_type == EVENT_GONE:
            shown = self._attr_extra_state_attributes
            if attributes["id"] not in {shown.get("id"), shown.get("post")}:
                return
            self._attr_extra_state_attributes = {}
        else:
            self._attr_extra_state_attributes = attributes
            self._trigger_event(event_type)
        self.async_write_ha_state()


class RequestEvent(NeighborhoodEntity, EventEntity):
    """Somebody asks for footage, reminds, or is done."""

    _attr_event_types = list(REQUEST_TYPES)  # noqa: RUF012 - Home Assistant's own form
    _attr_translation_key = "footage_request"
    _unrecorded_attributes = REQUEST_DETAILS

    def __init__(self, neighborhoods: Neighborhoods, subentry: ConfigSubentry, footage: Footage) -> None:
        """Belong to the neighborhood."""
        super().__init__(neighborhoods, subentry, "footage_request")
        self._footage = footage
        self._attr_extra_state_attributes: dict[str, Any] = {}

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._footage.async_listen_for_news(self._subentry_id, self._asked))

    @callback
    def _asked(self, kind: str, request: RequestItem, matches: int) -> None:
        """Tell of it. What officers write is no attribute of the event: those are restored."""
        self._attr_extra_state_attributes = request_event(request, matches)
        self._trigger_event(kind)
        self.async_write_ha_state()
