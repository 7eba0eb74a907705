"""Which camera entities a flow offers: never our own, nor one that is watched already.

Watching asks for pictures all day long. That would empty a battery, and a camera that is polled
over the internet would be asked for every picture there, so those two kinds stand apart.
"""

from collections.abc import Container
from dataclasses import dataclass

from homeassistant.components.camera.const import DATA_COMPONENT, DOMAIN as CAMERA_DOMAIN
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.loader import async_get_loaded_integration

from .const import DOMAIN

CLOUD_POLLING = "cloud_polling"


@dataclass(frozen=True, slots=True)
class CameraOffers:
    """Entity ids: those to offer at once, and those to offer to somebody who asks for them."""

    usual: tuple[str, ...]
    costly: tuple[str, ...]


@callback
def async_camera_offers(hass: HomeAssistant, watched: Container[str]) -> CameraOffers:
    """Return the camera entities that could be watched, without the ones that are."""
    usual: list[str] = []
    costly: list[str] = []
    for entity_id in sorted(hass.states.async_entity_ids(CAMERA_DOMAIN)):
        camera = hass.data[DATA_COMPONENT].get_entity(entity_id)
        if camera is None or entity_id in watched:  # None: restored, its integration is gone
            continue
        integration = camera.platform.platform_name
        if integration == DOMAIN:
            continue
        is_costly = _is_cloud_polled(hass, integration) or _runs_on_battery(hass, entity_id)
        (costly if is_costly else usual).append(entity_id)
    return CameraOffers(tuple(usual), tuple(costly))


def _is_cloud_polled(hass: HomeAssistant, integration: str) -> bool:
    return async_get_loaded_integration(hass, integration).iot_class == CLOUD_POLLING


def _runs_on_battery(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether the camera's device also has a battery sensor, enabled or not."""
    registry = er.async_get(hass)
    camera = registry.async_get(entity_id)
    if camera is None or camera.device_id is None:
        return False
    return any(
        (entity.device_class or entity.original_device_class) == SensorDeviceClass.BATTERY
        for entity in er.async_entries_for_device(registry, camera.device_id, include_disabled_entities=True)
    )
