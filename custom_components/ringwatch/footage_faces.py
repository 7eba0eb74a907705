"""The model that finds faces, so that they can be hidden: fetched when somebody says so, not before.

What finds them runs here and gives boxes. No face is compared with another, kept or named.
"""

from collections.abc import Callable
import logging
from pathlib import Path
from typing import Final, Literal

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.requirements import RequirementsNotFound, async_process_requirements

from .const import DOMAIN
from .footage.faces import FaceFinder
from .footage.faces_model import (
    REQUIREMENT,
    FacesUnavailableError,
    ModelError,
    async_download,
    check_faces,
    take_files,
)  # fmt: skip
from .footage.prepare import PrepareError

_LOGGER = logging.getLogger(__name__)

FOLDER: Final = "models"

type Readiness = Literal["ready", "no_model", "no_ncnn", "loading"]


class Faces:
    """Whether faces can be found here, and what makes it so."""

    def __init__(self, hass: HomeAssistant, on_change: Callable[[], None]) -> None:
        """Prepare; nothing is looked at yet."""
        self._hass = hass
        self._on_change = on_change
        self.folder = Path(hass.config.path(DOMAIN, FOLDER))
        self.readiness: Readiness = "no_model"

    async def async_start(self) -> None:
        """See what is there. What runs the model is installed anew where an update took it away."""
        await self._async_look()
        if self.readiness == "no_ncnn" and await self._hass.async_add_executor_job(self.folder.is_dir):
            await self._async_install()
            await self._async_look()

    async def _async_look(self) -> None:
        self._turn(await self._hass.async_add_executor_job(self._check))

    def _check(self) -> Readiness:
        try:
            check_faces(self.folder)
        except FacesUnavailableError as err:
            return "no_ncnn" if err.code == "no_ncnn" else "no_model"
        return "ready"

    @callback
    def _turn(self, readiness: Readiness) -> None:
        self.readiness = readiness
        self._on_change()

    async def async_get(self, source: Path | None = None) -> None:
        """Install what runs the model, and fetch the model, or take it from a folder of the owner's.

        Raise HomeAssistantError.
        """
        if self.readiness == "loading":
            return
        self._turn("loading")
        try:
            await self._async_install()
            await self._hass.async_add_executor_job(lambda: self.folder.mkdir(parents=True, exist_ok=True))
            if source is None:
                await async_download(async_get_clientsession(self._hass), self.folder)
            else:
                await self._hass.async_add_executor_job(take_files, source, self.folder)
        except ModelError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=f"model_{err.code}",
                translation_placeholders={"file": err.file, "folder": str(self.folder)},
            ) from err
        except OSError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="footage_not_saved",
                translation_placeholders={"error": str(err)},
            ) from err
        finally:
            await self._async_look()

    async def _async_install(self) -> None:
        try:
            await async_process_requirements(self._hass, DOMAIN, [REQUIREMENT])
        except RequirementsNotFound as err:
            _LOGGER.warning("%s can't be installed here: %s", REQUIREMENT, err)

    def finder(self) -> FaceFinder:
        """Return what finds faces. Blocks. Raise PrepareError where nothing can: none is left bare."""
        try:
            return FaceFinder(self.folder)
        except FacesUnavailableError as err:
            raise PrepareError(err.code) from err
