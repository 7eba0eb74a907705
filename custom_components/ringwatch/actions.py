"""The actions of Ringwatch."""

from datetime import timedelta
from typing import Final, cast

import probatio

from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import service

from .camera import RingwatchCamera
from .const import DOMAIN
from .vision import Zone, ZoneError, parse_zones, zones_to_json

ACTION_SET_ZONES: Final = "set_zones"
ACTION_DEBUG_SNAPSHOT: Final = "debug_snapshot"
ATTR_ZONES: Final = "zones"

SIGNED_FOR = timedelta(minutes=10)


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register the actions, whether an entry is loaded or not."""
    service.async_register_platform_entity_service(
        hass,
        DOMAIN,
        ACTION_SET_ZONES,
        entity_domain=CAMERA_DOMAIN,
        func=_async_set_zones,
        schema={probatio.Required(ATTR_ZONES): _zones},
        supports_response=SupportsResponse.OPTIONAL,
    )

    service.async_register_platform_entity_service(
        hass,
        DOMAIN,
        ACTION_DEBUG_SNAPSHOT,
        entity_domain=CAMERA_DOMAIN,
        func=_async_debug_snapshot,
        schema={},
        supports_response=SupportsResponse.OPTIONAL,
    )


def _zones(value: object) -> object:
    """Let the action see what was given, so that what is wrong with it is said in the caller's language."""
    return value


async def _async_set_zones(camera: RingwatchCamera, call: ServiceCall) -> ServiceResponse:
    try:
        zones: tuple[Zone, ...] = parse_zones(call.data[ATTR_ZONES])
    except ZoneError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=f"zone_{err.code}",
            translation_placeholders=err.placeholders,
        ) from err
    coordinator = camera.coordinator
    before = coordinator.settings.zones
    after = await coordinator.store.async_update(coordinator.subentry_id, zones=zones)
    answer = {"zones": zones_to_json(after.zones), "previous_zones": zones_to_json(before)}
    return cast(ServiceResponse, answer)


async def _async_debug_snapshot(camera: RingwatchCamera, call: ServiceCall) -> ServiceResponse:
    coordinator = camera.coordinator
    if (path := await coordinator.async_explain()) is None:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="nothing_to_explain",
            translation_placeholders={"name": coordinator.title},
        )
    # The second one opens in a tab: a browser sends no login of its own accord.
    return {"snapshot": path, "url": async_sign_path(camera.hass, path, SIGNED_FOR)}
