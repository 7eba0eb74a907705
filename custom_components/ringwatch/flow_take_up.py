"""Hosting a neighborhood again that was hosted here before."""

from typing import override

import probatio

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .const import CONF_NEIGHBORHOOD
from .flow_hood import StepInput
from .flow_hosted import HostedSteps
from .hub.left import LeftHood
from .hub_process import hub_settings


class TakingUpSteps(HostedSteps):
    """Choose one; how it is reached and what hosting means is asked as for a new one."""

    _left: LeftHood | None = None

    async def async_step_take_up(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask which of those that were hosted here is to be hosted again."""
        self._check_room()
        found = {hood.id: hood for hood in await self._neighborhoods.left.async_look()}
        if not found:
            raise AbortFlow("nothing_left")
        if user_input is not None and (hood := found.get(user_input[CONF_NEIGHBORHOOD])) is not None:
            self._left = hood
            self._named = {CONF_NAME: hood.name}
            return await self._async_to_network()
        options = [
            SelectOptionDict(value=hood.id, label=f"{hood.name} ({hood.handle}, {hood.members})")
            for hood in found.values()
        ]
        which = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
        schema = probatio.Schema({probatio.Required(CONF_NEIGHBORHOOD): which})
        return self.async_show_form(
            step_id="take_up",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(schema, {CONF_NEIGHBORHOOD: next(iter(found))}),
        )

    @override
    async def _async_host(self) -> SubentryFlowResult:
        if (hood := self._left) is None:
            return await super()._async_host()
        if any(other.data[CONF_NEIGHBORHOOD] == hood.id for other in self._hosted()):
            raise AbortFlow("already_configured")  # in another window
        neighborhoods = self._lender = self._neighborhoods
        await neighborhoods.async_take_up(hood.id, self.flow_id, hub_settings(self._data))
        await neighborhoods.hub.async_ready()
        return self.create(hood.name, hood.id, hood.host_key, hood.hub_key, hood.handle)
