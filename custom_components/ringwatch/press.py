"""What counts as a press of the doorbell: another entity's change, or a call of a webhook.

Entities come back from a restart with the time of their last press as state. That is not a press: a
time counts only while it is fresh, an `on` only when it follows an `off`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPMethod
import logging
import time
from typing import Any

from aiohttp.web import Request

from homeassistant.components import webhook
from homeassistant.components.event import ATTR_EVENT_TYPE, ATTR_EVENT_TYPES, DoorbellEventType
from homeassistant.const import STATE_OFF, STATE_ON, Platform
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from .const import (
    CONF_PRESS,
    CONF_PRESS_ENTITY_ID,
    CONF_WEBHOOK_ID,
    DOMAIN,
    PRESS_ENTITY,
    PRESS_WEBHOOK,
)

_LOGGER = logging.getLogger(__name__)

PRESS_DEBOUNCE_S = 1.0  # a button that bounces, or a webhook called in a loop, is one visitor
FRESH = timedelta(seconds=10)  # clocks within one Home Assistant agree; a slow start-up takes seconds


def is_press(old: State | None, new: State | None) -> bool:
    """Decide whether a state change is a press."""
    if new is None:
        return False
    if new.domain == Platform.BINARY_SENSOR:
        return old is not None and old.state == STATE_OFF and new.state == STATE_ON
    pressed_at = dt_util.parse_datetime(new.state)
    if pressed_at is None or (old is not None and old.state == new.state):
        return False
    if pressed_at.tzinfo is None or abs(dt_util.utcnow() - pressed_at) > FRESH:
        return False
    types = new.attributes.get(ATTR_EVENT_TYPES) or ()
    return (
        DoorbellEventType.RING not in types or new.attributes.get(ATTR_EVENT_TYPE) == DoorbellEventType.RING
    )


@callback
def async_listen_to_entity(hass: HomeAssistant, entity_id: str, pressed: Callable[[], None]) -> CALLBACK_TYPE:
    """Call `pressed` at each press of an event, button, input_button or binary_sensor entity."""

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        if is_press(event.data["old_state"], event.data["new_state"]):
            pressed()

    return async_track_state_change_event(hass, entity_id, changed)


@callback
def async_listen_to_webhook(
    hass: HomeAssistant, webhook_id: str, name: str, pressed: Callable[[], None]
) -> CALLBACK_TYPE:
    """Call `pressed` at each call of the webhook, from the local network only.

    GET counts too: most doorbells with an "HTTP action" can do nothing else.
    """

    async def called(hass: HomeAssistant, webhook_id: str, request: Request) -> None:
        pressed()

    webhook.async_register(
        hass,
        DOMAIN,
        name,
        webhook_id,
        called,
        local_only=True,
        allowed_methods=(HTTPMethod.GET, HTTPMethod.POST, HTTPMethod.PUT),
    )
    return lambda: webhook.async_unregister(hass, webhook_id)


class Doorbell:
    """A camera's bell: whatever a press is, told once."""

    def __init__(self, hass: HomeAssistant, pressed: Callable[[], None]) -> None:
        """Listen to nothing yet."""
        self._hass = hass
        self._tell = pressed
        self._unlisten: CALLBACK_TYPE | None = None
        self._pressed_at_s = -PRESS_DEBOUNCE_S

    @callback
    def async_listen(self, camera: Mapping[str, Any], name: str) -> None:
        """Listen to what the camera's bell is now."""
        self.async_stop()
        if camera[CONF_PRESS] == PRESS_ENTITY:
            self._unlisten = async_listen_to_entity(self._hass, camera[CONF_PRESS_ENTITY_ID], self._pressed)
        elif camera[CONF_PRESS] == PRESS_WEBHOOK:
            self._unlisten = async_listen_to_webhook(self._hass, camera[CONF_WEBHOOK_ID], name, self._pressed)

    @callback
    def async_stop(self) -> None:
        """Listen no longer."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    @callback
    def _pressed(self) -> None:
        now_s = time.monotonic()
        if now_s - self._pressed_at_s >= PRESS_DEBOUNCE_S:
            self._pressed_at_s = now_s
            self._tell()
