"""What the hub tells this home of courts' demands that concern it, shown once each as a notification."""

import asyncio
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.components import persistent_notification
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .footage_store import FootageStore
from .neighborhood.hub_client import HubError
from .pending_posts import plain
from .plain_text import harmless

if TYPE_CHECKING:
    from .neighborhood_home import Neighborhood
    from .neighborhoods import Neighborhoods

_LOGGER = logging.getLogger(__name__)

FIRST_S: Final = 120.0  # after the start, when hubs have been found again
EVERY: Final = timedelta(hours=24)
MAX_KEPT: Final = 200


class DemandNotices:
    """Asks each hub once a day."""

    def __init__(self, hass: HomeAssistant, neighborhoods: Neighborhoods, store: FootageStore) -> None:
        """Ask nothing yet."""
        self._hass = hass
        self._neighborhoods = neighborhoods
        self._store = store
        self._looking = asyncio.Lock()
        self._unlisten: list[CALLBACK_TYPE] = []

    def start(self) -> None:
        """Begin."""
        self._unlisten = [
            async_call_later(self._hass, FIRST_S, self.async_look),
            async_track_time_interval(self._hass, self.async_look, EVERY),
        ]

    def stop(self) -> None:
        """End."""
        while self._unlisten:
            self._unlisten.pop()()

    async def async_look(self, _now: datetime | None = None) -> None:
        """Ask all hubs, one look at a time."""
        async with self._looking:
            await self._async_look()

    async def _async_look(self) -> None:
        for running in self._neighborhoods:
            try:
                notices = await running.home.async_notices()
            except HubError as err:
                _LOGGER.debug("%s: the hub was not asked for notices: %s", running.title, err)
                continue
            for demand, text in notices:
                await self._async_show(running, demand, text)

    async def _async_show(self, running: Neighborhood, demand: str, text: str) -> None:
        if demand in self._store.kept.told:
            return
        try:
            texts = await async_get_translations(self._hass, self._hass.config.language, "common", {DOMAIN})
            persistent_notification.async_create(
                self._hass,
                texts[f"component.{DOMAIN}.common.demand_message"].format(
                    name=plain(running.title), text=plain(text)
                ),
                texts[f"component.{DOMAIN}.common.demand_title"].format(name=harmless(running.title)),
                f"{DOMAIN}_demand_{demand}",
            )
            await self._store.async_keep(told=[*self._store.kept.told, demand][-MAX_KEPT:])
        except HomeAssistantError as err:
            _LOGGER.warning("%s", err)
