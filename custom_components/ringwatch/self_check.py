"""The self-check of every camera: hourly counts, kept on disk, and a repair that offers an *ignore* zone.

What is counted is in `vision/self_check.py`. A restart loses the counts of the hour before it; the proposal
is made of whole days, so that is no matter.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
import logging
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from . import issues
from .const import DOMAIN
from .vision import Proposal, SelfCheck

if TYPE_CHECKING:
    from .coordinator import MotionCoordinator
    from .data import RingwatchData

_LOGGER = logging.getLogger(__name__)

STORAGE_KEY: Final = f"{DOMAIN}.self_check"
STORAGE_VERSION: Final = 1
EVERY = timedelta(hours=1)


class SelfChecks:
    """Owned by the loaded entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[RingwatchData]) -> None:
        """Prepare; nothing is read yet."""
        self._hass = hass
        self._entry = entry
        self._store = Store[dict[str, Any]](hass, STORAGE_VERSION, STORAGE_KEY, private=True)
        self._checks: dict[str, SelfCheck] = {}
        self._proposals: dict[str, Proposal] = {}
        self._unlisten: CALLBACK_TYPE | None = None

    async def async_start(self) -> None:
        """Read what was counted before, propose what follows from it, and count on."""
        stored = await self._store.async_load()
        cameras = stored.get("cameras") if stored else None
        for subentry_id, days in (cameras if isinstance(cameras, Mapping) else {}).items():
            self._checks[subentry_id] = SelfCheck.from_json(days)
        for subentry_id in self._entry.runtime_data.cameras:
            self._propose(subentry_id)
        self._unlisten = async_track_time_interval(self._hass, self._async_count, EVERY)

    @callback
    def async_stop(self) -> None:
        """Count no longer."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    def proposal(self, subentry_id: str) -> Proposal | None:
        """Return what is proposed for a camera now."""
        return self._proposals.get(subentry_id)

    async def async_accept(self, subentry_id: str, proposal: Proposal) -> None:
        """Add the zone. Raises HomeAssistantError where it can't be stored."""
        settings = self._entry.runtime_data.settings
        await settings.async_update(subentry_id, zones=(*settings.get(subentry_id).zones, proposal.zone))

    @callback
    def async_forget(self, subentry_id: str) -> None:
        """Begin anew for a camera whose zones or view have changed: what was counted was of others."""
        if (check := self._checks.get(subentry_id)) is not None:
            check.forget()
        self._propose(subentry_id)

    async def _async_count(self, _now: datetime) -> None:
        cameras = dict(self._entry.runtime_data.cameras)
        for gone in self._checks.keys() - cameras.keys():
            del self._checks[gone]
        for subentry_id, coordinator in cameras.items():
            await self._async_count_one(subentry_id, coordinator)
        await self._store.async_save(
            {"cameras": {subentry_id: check.to_json() for subentry_id, check in self._checks.items()}}
        )

    async def _async_count_one(self, subentry_id: str, coordinator: MotionCoordinator) -> None:
        zones = coordinator.settings.zones
        activity = await coordinator.async_take_activity()
        if activity is None or coordinator.settings.zones != zones:
            return
        check = self._checks.setdefault(subentry_id, SelfCheck())
        check.add(dt_util.now().date().toordinal(), activity)
        self._propose(subentry_id)

    def _propose(self, subentry_id: str) -> None:
        coordinator = self._entry.runtime_data.cameras.get(subentry_id)
        check = self._checks.get(subentry_id)
        if coordinator is None or check is None:
            return
        today = dt_util.now().date().toordinal()
        proposal = check.proposal(coordinator.settings.zones, before=today)
        if proposal is None:
            self._proposals.pop(subentry_id, None)
        else:
            self._proposals[subentry_id] = proposal
        issues.async_set_restless_area(self._hass, coordinator, proposal)
