"""What the system health page says of Ringwatch."""

from typing import Any

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Add Ringwatch to the page."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Count cameras and neighborhoods, and say what does the pixel work."""
    info: dict[str, Any] = {
        "cameras": 0,
        "connected": 0,
        "private": 0,
        "neighborhoods": 0,
        "hubs_connected": 0,
        "footage_requests": 0,
    }
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        cameras = entry.runtime_data.cameras.values()
        info["cameras"] = len(cameras)
        info["connected"] = sum(coordinator.data.connected for coordinator in cameras)
        info["private"] = sum(coordinator.settings.privacy for coordinator in cameras)
        info["engine"] = entry.runtime_data.primitives.name
        neighborhoods = entry.runtime_data.neighborhoods
        info["neighborhoods"] = len(list(neighborhoods))
        info["hubs_connected"] = sum(running.home.connected for running in neighborhoods)
        requests = entry.runtime_data.footage.requests
        info["footage_requests"] = sum(requests.open_of(running.subentry_id) for running in neighborhoods)
        hub = neighborhoods.hub
        info["hub"] = "none" if hub.settings is None else hub.code or "ok"
    return info
