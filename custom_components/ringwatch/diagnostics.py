"""What a bug report needs, without what nobody else should know."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import av
import numpy as np

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .const import (
    CONF_ALLOW_HTTP,
    CONF_CONFIRM,
    CONF_DETECT_URL,
    CONF_HOSTED,
    CONF_PASSWORD,
    CONF_URL,
    CONF_USERNAME,
    CONF_WEBHOOK_ID,
    DOMAIN,
    STORAGE_DEFAULTS,
)
from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .footage_home import Footage
from .hub_process import HubProcess
from .neighborhood_home import Neighborhood

# Whole addresses: cameras have passwords in paths and queries, too, where nothing can tell them apart.
REDACTED = frozenset({CONF_URL, CONF_DETECT_URL, CONF_USERNAME, CONF_PASSWORD, CONF_WEBHOOK_ID})


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: RingwatchConfigEntry
) -> dict[str, Any]:
    """Describe all cameras and neighborhoods."""
    return _versions(entry) | {
        "cameras": [_camera(coordinator) for coordinator in entry.runtime_data.cameras.values()],
        "neighborhoods": [await _async_neighborhood(one) for one in entry.runtime_data.neighborhoods],
        "hub": _hub(entry.runtime_data.neighborhoods.hub),
        "footage": _footage(entry.runtime_data.footage),
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: RingwatchConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Describe one camera, or one neighborhood."""
    cameras = entry.runtime_data.cameras
    ids = {identifier for domain, identifier in device.identifiers if domain == DOMAIN}
    neighborhoods = entry.runtime_data.neighborhoods
    return _versions(entry) | {
        "cameras": [_camera(cameras[key]) for key in cameras.keys() & ids],
        "neighborhoods": [await _async_neighborhood(one) for one in neighborhoods if one.subentry_id in ids],
    }


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


async def _async_neighborhood(neighborhood: Neighborhood) -> dict[str, Any]:
    """Describe a neighborhood without saying which: no names, texts, places, addresses, ids or keys."""
    home, data = neighborhood.home, neighborhood.subentry.data
    position = await home.async_ask(lambda ledger: ledger.position)
    refused = await home.async_ask(lambda ledger: ledger.refused())
    return {
        "hosted": data[CONF_HOSTED],
        "confirm": data[CONF_CONFIRM],
        "allow_http": data[CONF_ALLOW_HTTP],
        "connected": home.connected,
        "trouble": home.trouble,
        "records": position.number,
        "members": home.members,
        "unread": home.unread,
        "waiting": home.pending,
        "refused": [one.code for one in refused],
        "on_the_map": len(neighborhood.places),
    }


def _footage(footage: Footage) -> dict[str, Any]:
    """Describe requests and answers without saying which: no names, words, places, ids or keys."""
    settings = footage.store.settings
    requests = [item for one in footage.neighborhoods for item in footage.requests.of(one.subentry_id)]
    return {
        "open": footage.is_open,
        "faces": footage.faces.readiness,
        "requests": Counter(str(item.status) for item in requests),
        "matching": sum(footage.requests.matches(item.id) > 0 for item in requests),
        "answers": Counter(str(answer.state) for answer in footage.living()),
        "codes": sorted({code for answer in footage.living() if (code := answer.code or answer.problem)}),
        "undo_s": settings.undo_s,
        "hold": settings.hold,
        "blur_faces": settings.blur_faces,
        "availability": settings.availability,
        "places": len(settings.places),
    }


def _hub(hub: HubProcess) -> dict[str, Any] | None:
    """Describe the hub, if one runs here. What it says of itself are numbers."""
    if hub.settings is None:
        return None
    return {
        "serves": hub.ready is not None,
        "code": hub.code,
        "starts": hub.starts,
        "tls": bool(hub.settings.certificate),
        "proxies": len(hub.settings.trusted_proxies),
        "health": hub.health,
    }


def _plain(info: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in info.items() if not isinstance(value, bytes)}
