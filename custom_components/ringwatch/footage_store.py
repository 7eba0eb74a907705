"""What a home has settled about footage requests: where cameras are, what is hidden, how long to undo.

In a private file of Home Assistant's storage, on disk before the call that changed it returns. Where
cameras are never leaves the house: requests are compared with it here. The file also holds the key that opens
this home's own copies of what it sent, and how far the audit log had come.
"""

import asyncio
from dataclasses import asdict, dataclass, field, replace
import logging
from pathlib import Path
from typing import Any, Final, Literal, get_args

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util.file import WriteError
from homeassistant.util.json import load_json_object

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

STORAGE_KEY: Final = f"{DOMAIN}.footage"
STORAGE_VERSION: Final = 1
UNDO_S: Final = 900  # what is sent can't be called back, so it waits
UNDO_MIN_S: Final = 0
UNDO_MAX_S: Final = 24 * 3600
MAX_NAME: Final = 80
MAX_ADDRESS: Final = 200

type Identity = Literal["anonymous", "name", "address"]
IDENTITIES: Final[tuple[str, ...]] = get_args(Identity.__value__)


@dataclass(frozen=True, slots=True)
class FootageSettings:
    """The owner's choices. Places are (latitude, longitude) in microdegrees by camera."""

    undo_s: int = UNDO_S
    hold: bool = False  # matching clips are held as soon as a request comes, not only when it is opened
    blur_faces: bool = True
    identity: Identity = "anonymous"
    name: str = ""
    address: str = ""
    availability: bool = False  # takes part in "did anybody record?"
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds beside the choices."""

    age_identity: str = field(default="", repr=False)
    anchor: dict[str, Any] = field(default_factory=dict)
    """How many lines the audit log had, and the hash of the last: so that one cut short is noticed."""
    told: list[str] = field(default_factory=list)
    """Courts' demands on hubs that people here were told of."""


class FootageStore:
    """Read once, written at each change."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; nothing is read yet."""
        self._hass = hass
        self._path = Path(hass.config.path(STORAGE_DIR, STORAGE_KEY))
        self._lock = asyncio.Lock()
        self.settings = FootageSettings()
        self.kept = Kept()
        self.damaged = False
        """The file is there and can't be read: nothing is written over it, and the defaults hold."""

    async def async_load(self) -> None:
        """Read what there is."""
        try:
            content = await self._hass.async_add_executor_job(_read, self._path)
        except (HomeAssistantError, OSError, TypeError, ValueError, KeyError) as err:
            _LOGGER.warning("%s can't be read (%r); the defaults hold", self._path.name, err)
            self.damaged = True
            return
        if content is not None:
            self.settings, self.kept = content

    async def async_change(self, **changes: Any) -> None:
        """Change the owner's choices. Raise HomeAssistantError if they can't be written."""
        async with self._lock:
            await self._async_write(replace(self.settings, **changes), self.kept)

    async def async_set_place(self, camera_id: str, place: tuple[int, int] | None) -> None:
        """Say where a camera is, or (None) that it is where the home is."""
        async with self._lock:
            places = {key: value for key, value in self.settings.places.items() if key != camera_id}
            if place is not None:
                places[camera_id] = place
            await self._async_write(replace(self.settings, places=places), self.kept)

    async def async_keep(self, **changes: Any) -> None:
        """Keep a key, or how far the log has come."""
        async with self._lock:
            await self._async_write(self.settings, replace(self.kept, **changes))

    async def _async_write(self, settings: FootageSettings, kept: Kept) -> None:
        if self.damaged:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="footage_settings_damaged")
        if (settings, kept) == (self.settings, self.kept):
            return
        try:
            await self._hass.async_add_executor_job(_write, self._path, settings, kept)
        except (WriteError, OSError) as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="footage_not_saved",
                translation_placeholders={"error": str(err)},
            ) from err
        self.settings, self.kept = settings, kept


def _write(path: Path, settings: FootageSettings, kept: Kept) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"version": STORAGE_VERSION, "settings": asdict(settings), "kept": asdict(kept)}
    save_json(str(path), content, private=True, atomic_writes=True)


def _read(path: Path) -> tuple[FootageSettings, Kept] | None:
    content: dict[str, Any] = dict(load_json_object(path, default={}))
    if not content:
        return None
    found: dict[str, Any] = content["settings"]
    kept: dict[str, Any] = content["kept"]
    identity = str(found["identity"])
    if identity not in IDENTITIES:
        raise ValueError("identity")
    settings = FootageSettings(
        undo_s=min(max(int(found["undo_s"]), UNDO_MIN_S), UNDO_MAX_S),
        hold=bool(found["hold"]),
        blur_faces=bool(found["blur_faces"]),
        identity=identity,  # type: ignore[arg-type]  # looked at above
        name=str(found["name"]),
        address=str(found["address"]),
        availability=bool(found["availability"]),
        places={
            str(camera): (int(place[0]), int(place[1])) for camera, place in dict(found["places"]).items()
        },
    )
    told = [str(one) for one in kept.get("told", ())]
    return settings, Kept(str(kept["age_identity"]), dict(kept["anchor"]), told)
