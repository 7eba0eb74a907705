"""The flow of one neighborhood: the menus that lead to its steps, what media needs, and leaving."""

from typing import Final

import probatio

from homeassistant.config_entries import ConfigEntryState, SubentryFlowResult
from homeassistant.helpers.selector import BooleanSelector

from .const import CONF_CONFIRM, CONF_HOSTED, CONF_NEIGHBORHOOD, DOMAIN
from .flow_demand import DemandSteps
from .flow_hood import StepInput
from .flow_joining import JoiningSteps
from .flow_take_up import TakingUpSteps
from .hub.left import LEFT

SHARING_SCHEMA: Final = probatio.Schema({probatio.Required(CONF_CONFIRM): BooleanSelector()})
LEAVE_SCHEMA: Final = probatio.Schema({})
CONF_ERASE: Final = "erase"
STOP_SCHEMA: Final = probatio.Schema({probatio.Required(CONF_ERASE, default=False): BooleanSelector()})


class NeighborhoodSubentryFlow(TakingUpSteps, JoiningSteps, DemandSteps):
    """Host or join a neighborhood, or change one."""

    async def async_step_user(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask whether there is one already."""
        options = ["join", "host"]
        entry = self._entry
        if (
            entry.state is ConfigEntryState.LOADED
            and await entry.runtime_data.neighborhoods.left.async_look()
        ):
            options.append("take_up")
        return self.async_show_menu(step_id="user", menu_options=options)

    async def async_step_reconfigure(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask what to change."""
        subentry = self._changed
        hosted = subentry.data[CONF_HOSTED]
        own = (
            ["amend", "change_network", "enroll_agency", "agencies", "legal_demand"]
            if hosted
            else ["redeem", "address"]
        )
        leave = "stop_hosting" if hosted else "leave"
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=["sharing", *own, leave],
            description_placeholders={"name": subentry.title},
        )

    async def async_step_sharing(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask whether somebody looks before a clip goes out."""
        subentry = self._changed
        if user_input is not None:
            return self.async_update_and_abort(self._entry, subentry, data=dict(subentry.data) | user_input)
        return self.async_show_form(
            step_id="sharing",
            data_schema=self.add_suggested_values_to_schema(
                SHARING_SCHEMA, {CONF_CONFIRM: subentry.data[CONF_CONFIRM]}
            ),
        )

    async def async_step_leave(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Say what stays, and leave."""
        return self._leave("leave", LEAVE_SCHEMA, user_input)

    async def async_step_stop_hosting(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask what is to stay, and end the hub."""
        if user_input is not None and user_input[CONF_ERASE]:
            self._neighborhoods.left.async_erase_with_subentry(self._changed.data[CONF_NEIGHBORHOOD])
        return self._leave("stop_hosting", STOP_SCHEMA, user_input)

    def _leave(self, step_id: str, schema: probatio.Schema, user_input: StepInput) -> SubentryFlowResult:
        subentry = self._changed
        if user_input is not None:
            self.hass.config_entries.async_remove_subentry(self._entry, subentry.subentry_id)
            return self.async_abort(reason="left")
        return self.async_show_form(
            step_id=step_id,
            data_schema=schema,
            description_placeholders={
                "name": subentry.title,
                "folder": self.hass.config.path(DOMAIN, "hub", LEFT),
            },
        )
