"""What a camera may see and how closely it looks: detection, privacy, sensitivity, hold time, zones.

These decide what is decoded and shown, so they are not left to restored entity states, which Home
Assistant writes every fifteen minutes. A change is on disk, synced, before the action that made it
returns, and it is loaded before the first packet is read. If the file is gone although cameras were
set up before, nobody knows any more what was private: every camera then starts with privacy on.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
import logging
from pathlib import Path
from typing import Any, TypedDict, Unpack

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util.file import WriteError
from homeassistant.util.json import load_json_object

from .const import DEFAULT_HOLD_S, DOMAIN, HOLD_MAX_S, SENSITIVITY_MAX
from .vision import DetectorSettings, Zone, ZoneKind, parse_zones, zones_to_json
from .watcher_events import WatchSettings

_LOGGER = logging.getLogger(__name__)

STORAGE_KEY = f"{DOMAIN}.cameras"
STORAGE_VERSION = 1


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """The owner's choices for one camera."""

    detection: bool = True
    privacy: bool = False
    sensitivity: int = DetectorSettings().sensitivity
    hold_s: int = DEFAULT_HOLD_S
    zones: tuple[Zone, ...] = ()

    @property
    def has_privacy_zone(self) -> bool:
        """Whether a part of the picture must never be shown."""
        return any(zone.kind is ZoneKind.PRIVACY for zone in self.zones)

    @property
    def shows_raw_stream(self) -> bool:
        """Whether the camera's own stream may be handed on as it is."""
        return not self.privacy and not self.has_privacy_zone

    @property
    def watching(self) -> WatchSettings:
        """What a camera's threads have to know."""
        return WatchSettings(self.detection, DetectorSettings(self.sensitivity, self.zones))

    @property
    def watch_zones(self) -> tuple[Zone, ...]:
        """The zones that have a motion sensor of their own."""
        return tuple(zone for zone in self.zones if zone.kind is ZoneKind.WATCH)


class SettingsChanges(TypedDict, total=False):
    """The fields of CameraSettings that an update may name."""

    detection: bool
    privacy: bool
    sensitivity: int
    hold_s: int
    zones: tuple[Zone, ...]


type SettingsListener = Callable[[CameraSettings], None]


class CameraSettingsStore:
    """The settings of all cameras, by subentry id, in one private file."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare the store; nothing is read yet."""
        self._hass = hass
        self._path = Path(hass.config.path(STORAGE_DIR, STORAGE_KEY))
        self._settings: dict[str, CameraSettings] = {}
        self._listeners: dict[str, list[SettingsListener]] = {}
        self._lock = asyncio.Lock()
        self.lost: frozenset[str] = frozenset()

    async def async_load(self, cameras: set[str], known: set[str]) -> None:
        """Read the settings of `cameras`; those that are `known` had some before.

        Where those of a known camera are missing or can't be read, it gets privacy on and is in `lost`.
        A new camera gets the defaults, on disk when this returns.
        """
        stored = await self._hass.async_add_executor_job(_read, self._path)
        lost = set()
        for subentry_id in cameras & (known | stored.keys()):
            try:
                self._settings[subentry_id] = _from_json(stored[subentry_id])
            except (KeyError, TypeError, ValueError) as err:
                _LOGGER.warning("The settings of camera %s are lost (%r); privacy is on", subentry_id, err)
                self._settings[subentry_id] = CameraSettings(privacy=True)
                lost.add(subentry_id)
        self.lost = frozenset(lost)
        if new := cameras - self._settings.keys():
            await self.async_add(new)

    async def async_add(self, cameras: set[str]) -> None:
        """Give new cameras the defaults, so that from now on their settings can be missed."""
        async with self._lock:
            self._settings |= {
                subentry_id: CameraSettings() for subentry_id in cameras - self._settings.keys()
            }
            try:
                await self._async_save(self._settings)
            except HomeAssistantError as err:
                _LOGGER.warning("%s", err)  # the defaults hide nothing, so nothing is at risk

    def get(self, subentry_id: str) -> CameraSettings:
        """Return a camera's settings, the defaults for a new one."""
        return self._settings.get(subentry_id, CameraSettings())

    async def async_update(self, subentry_id: str, **changes: Unpack[SettingsChanges]) -> CameraSettings:
        """Change a camera's settings; they are on disk when this returns.

        What makes a camera see less holds at once, before the disk is asked and although it may be busy or
        broken; everything else holds only when it is stored.
        """
        hidden = replace(self.get(subentry_id), **changes)
        if hides := _hides(self.get(subentry_id), hidden):
            self._apply(subentry_id, hidden)
        async with self._lock:
            before = self.get(subentry_id)
            await self._async_save(self._settings | {subentry_id: replace(before, **changes)})
            now = self.get(subentry_id)
            # What was hidden while the disk was busy was asked for later than this.
            still_wanted: dict[str, Any] = {
                name: value for name, value in changes.items() if getattr(now, name) == getattr(before, name)
            }
            after = replace(now, **still_wanted)
            if after != now or not hides:
                self._apply(subentry_id, after)
        return after

    async def async_remove(self, subentry_id: str) -> None:
        """Forget a camera."""
        async with self._lock:
            if self._settings.pop(subentry_id, None) is None:
                return
            try:
                await self._async_save(self._settings)
            except HomeAssistantError as err:
                _LOGGER.warning("%s", err)  # what is left in the file belongs to nobody

    @callback
    def async_listen(self, subentry_id: str, listener: SettingsListener) -> CALLBACK_TYPE:
        """Call the listener at every change of one camera."""
        listeners = self._listeners.setdefault(subentry_id, [])
        listeners.append(listener)

        @callback
        def unlisten() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return unlisten

    def _apply(self, subentry_id: str, settings: CameraSettings) -> None:
        self._settings[subentry_id] = settings
        for listener in list(self._listeners.get(subentry_id, ())):
            listener(settings)

    async def _async_save(self, settings: dict[str, CameraSettings]) -> None:
        """Write the file, or say that it could not be written.

        Home Assistant's Store only logs a full disk, and puts writes off once a shutdown has begun; an
        owner who switches privacy on has to be told when it will not last.
        """
        cameras = {key: _to_json(value) for key, value in settings.items()}
        try:
            await self._hass.async_add_executor_job(_write, self._path, cameras)
        except (WriteError, OSError) as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="settings_not_saved",
                translation_placeholders={"error": str(err)},
            ) from err


def _read(path: Path) -> dict[str, Any]:
    try:
        content = load_json_object(path, default={"cameras": {}})
        cameras = content["cameras"]
    except (HomeAssistantError, KeyError) as err:
        aside = path.with_name(f"{path.name}.damaged")
        _LOGGER.warning("%s can't be read (%s); it is kept as %s", path, err, aside.name)
        path.replace(aside)
        return {}
    return cameras if isinstance(cameras, dict) else {}


def _write(path: Path, cameras: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_json(str(path), {"version": STORAGE_VERSION, "cameras": cameras}, private=True, atomic_writes=True)


def _hides(before: CameraSettings, after: CameraSettings) -> bool:
    """Tell whether a change hides something and reveals nothing."""
    zones_before, zones_after = _privacy_zones(before), _privacy_zones(after)
    if (
        after.privacy < before.privacy
        or after.detection > before.detection
        or not zones_after >= zones_before
    ):
        return False
    return after.privacy > before.privacy or after.detection < before.detection or zones_after > zones_before


def _privacy_zones(settings: CameraSettings) -> set[Zone]:
    return {zone for zone in settings.zones if zone.kind is ZoneKind.PRIVACY}


def _to_json(settings: CameraSettings) -> dict[str, object]:
    return {
        "detection": settings.detection,
        "privacy": settings.privacy,
        "sensitivity": settings.sensitivity,
        "hold_s": settings.hold_s,
        "zones": zones_to_json(settings.zones),
    }


def _from_json(stored: dict[str, Any]) -> CameraSettings:
    """Read a camera's settings, whoever wrote them. Raises KeyError, TypeError or ValueError."""
    detection, privacy = stored["detection"], stored["privacy"]
    if not isinstance(detection, bool) or not isinstance(privacy, bool):
        raise TypeError("detection and privacy are true or false")
    return CameraSettings(
        detection=detection,
        privacy=privacy,
        sensitivity=_whole(stored["sensitivity"], SENSITIVITY_MAX),
        hold_s=_whole(stored["hold_s"], HOLD_MAX_S),
        zones=parse_zones(stored["zones"]),
    )


def _whole(value: object, highest: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= highest:
        raise ValueError(f"{value!r} is not a whole number from 0 to {highest}")
    return value
