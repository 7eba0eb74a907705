"""What a bug report needs, without what nobody else should know."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import av
import numpy as np

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import (
    CONF_DETECT_URL,
    CONF_PASSWORD,
    CONF_URL,
    CONF_USERNAME,
    CONF_WEBHOOK_ID,
    DOMAIN,
    STORAGE_DEFAULTS,
)
from .coordinator import MotionCoordinator, RingwatchConfigEntry

# Whole addresses: cameras have passwords in paths and queries, too, where nothing can tell them apart.
REDACTED = frozenset({CONF_URL, CONF_DETECT_URL, CONF_USERNAME, CONF_PASSWORD, CONF_WEBHOOK_ID})


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: RingwatchConfigEntry
) -> dict[str, Any]:
    """Describe all cameras."""
    return _versions(entry) | {
        "cameras": [_camera(coordinator) for coordinator in entry.runtime_data.cameras.values()]
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: RingwatchConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Describe one camera."""
    cameras = entry.runtime_data.cameras
    ids = {identifier for domain, identifier in device.identifiers if domain == DOMAIN}
    return _versions(entry) | {"cameras": [_camera(cameras[key]) for key in cameras.keys() & ids]}


def _versions(entry: RingwatchConfigEntry) -> dict[str, Any]:
    recordings = entry.runtime_data.recordings
    return {
        "storage": {
            "options": dict(STORAGE_DEFAULTS | entry.options),
            "blocked": recordings.store.blocked(""),
            "rebuilt_after": recordings.store.rebuilt_after,
        },
        "engine": entry.runtime_data.primitives.name,
        "versions": {"av": av.__version__, "numpy": np.__version__},
    }


def _camera(coordinator: MotionCoordinator) -> Mapping[str, Any]:
    settings, state = coordinator.settings, coordinator.data
    return {
        "config": async_redact_data(coordinator.camera, REDACTED),
        "settings": {
            "detection": settings.detection,
            "privacy": settings.privacy,
            "sensitivity": settings.sensitivity,
            "hold_s": settings.hold_s,
            # Their names and places are the owner's own business.
            "zones": [{"kind": zone.kind.value, "points": len(zone.points)} for zone in settings.zones],
        },
        "state": {
            "connected": state.connected,
            "seeing": state.seeing,
            "motion": state.motion,
            "level": state.level,
            "last_motion": state.last_motion.isoformat() if state.last_motion else None,
            "error": state.error,
        },
        "streams": {role: _plain(asdict(info)) for role, info in coordinator.info.items()},
        "statistics": coordinator.statistics,
        "recorder": asdict(recorder) if (recorder := coordinator.recording.state) else None,
        "clips": asdict(coordinator.recording.totals),
    }


def _plain(info: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in info.items() if not isinstance(value, bytes)}
