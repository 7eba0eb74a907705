"""Neighborhoods that were hosted here and aren't any more: kept to be taken up again, or erased."""

import logging
import time

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from . import neighborhood_issues as issues
from .hub import left
from .hub.left import LeftHood
from .hub_process import HubProcess
from .neighborhood_keys import KeysUnreadableError, NeighborhoodKeys

_LOGGER = logging.getLogger(__name__)


class LeftNeighborhoods:
    """Owned by `Neighborhoods`, which sees to it that only one thing happens at a time."""

    def __init__(self, hass: HomeAssistant, keys: NeighborhoodKeys, hub: HubProcess) -> None:
        """Prepare; nothing is read yet."""
        self._hass = hass
        self._keys = keys
        self._hub = hub
        self._unwanted: set[str] = set()  # whose data go with their subentries

    async def async_look(self) -> list[LeftHood]:
        """Return those that can be taken up again: the hub has its key still, and this home the host's."""
        found = await self._hass.async_add_executor_job(left.look, self._hub.folder)
        return [hood for hood in found if await self._async_has_key(hood.host_key)]

    async def _async_has_key(self, key: str) -> bool:
        try:
            return await self._keys.async_get(key) is not None
        except KeysUnreadableError:
            return False

    @callback
    def async_erase_with_subentry(self, neighborhood: str) -> None:
        """Have all of a hosted one erased when its subentry goes."""
        self._unwanted.add(neighborhood)

    async def async_set_aside(self, hosted: set[str]) -> None:
        """Have the hub carry only what is hosted still. It is ended if there is anything else."""
        found = await self._hass.async_add_executor_job(left.carried, self._hub.folder)
        gone = [neighborhood for neighborhood in found if neighborhood not in hosted]
        if not gone:
            return
        await self._hub.async_apply(None)
        for neighborhood in gone:
            try:
                await self._hass.async_add_executor_job(left.set_aside, self._hub.folder, neighborhood)
            except OSError as err:
                _LOGGER.warning("What a hub carried can't be set aside: %s", err)
        for hood in await self.async_look():
            if hood.id in self._unwanted:
                await self._async_erase(hood)
            elif hood.id in gone:
                folder = str(self._hub.folder / left.LEFT)
                issues.async_set_hub_left(self._hass, hood.id, hood.name, folder)

    async def async_take_up(self, neighborhood: str) -> None:
        """Have the hub carry one again. It is ended, unless it does. Raise OSError."""
        folder = self._hub.folder
        if neighborhood not in await self._hass.async_add_executor_job(left.carried, folder):
            await self._hub.async_apply(None)
            await self._hass.async_add_executor_job(left.take_up, folder, neighborhood)
        issues.async_clear_hub_left(self._hass, neighborhood)

    async def async_erase(self, neighborhood: str) -> None:
        """Erase what is left of one: its records, its clips, and its host's key."""
        for hood in await self.async_look():
            if hood.id == neighborhood:
                await self._async_erase(hood)

    async def _async_erase(self, hood: LeftHood) -> None:
        self._unwanted.discard(hood.id)
        await self._hass.async_add_executor_job(left.erase, self._hub.folder, hood.id)
        try:
            await self._keys.async_forget(hood.host_key)
        except HomeAssistantError as err:
            _LOGGER.warning("%s", err)
        issues.async_clear_hub_left(self._hass, hood.id)

    async def async_let_end(self) -> None:
        """Erase what has expired of what is kept."""
        await self._hass.async_add_executor_job(left.let_end, self._hub.folder, int(time.time()))
