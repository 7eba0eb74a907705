"""The fix flow for a hub that waits since it can't believe this machine's clock (hub/clock.py)."""

import time
from typing import Any

import probatio

from homeassistant.components.repairs import RepairsFlow
from homeassistant.components.repairs.models import RepairsFlowResult
from homeassistant.util import dt as dt_util

from .neighborhood.hub_client import HubError
from .neighborhood_views import async_neighborhoods


class HubClockFlow(RepairsFlow):
    """Show what the hub's clock says; a person who has compared it says that it is right."""

    def __init__(self) -> None:
        """Nothing has been shown yet."""
        self._shown_s = 0
        self._shown_at = 0.0

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Start, with whatever the flow manager passed."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show it, and have each hosted neighborhood go by it once it was confirmed."""
        running = [one for one in async_neighborhoods(self.hass) or () if one.hosted]
        if not running:
            return self.async_abort(reason="not_loaded")
        try:
            if user_input is not None and self._shown_s:
                now_s = self._shown_s + round(time.monotonic() - self._shown_at)
                for one in running:
                    await one.home.async_confirm_hub_clock(now_s)
                return self.async_create_entry(data={})
            clocks = [await one.home.async_hub_clock() for one in running]
        except HubError as err:
            return self.async_abort(reason="hub_failed", description_placeholders={"error": err.code})
        held = [clock for clock in clocks if clock[0]]
        if not held:
            return self.async_create_entry(data={})
        _, self._shown_s, signed_s = max(held, key=lambda clock: clock[2])
        self._shown_at = time.monotonic()
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            description_placeholders={"now": _date(self._shown_s), "signed": _date(signed_s)},
        )


def _date(time_s: int) -> str:
    return dt_util.as_local(dt_util.utc_from_timestamp(time_s)).strftime("%Y-%m-%d %H:%M")
