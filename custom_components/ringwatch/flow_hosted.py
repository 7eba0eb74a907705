"""Changing a neighborhood that is hosted here: how its hub is reached, its name, moderation and rules."""

from typing import Any

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_NAME

from .const import CONF_HANDLE
from .flow_hood import StepInput
from .flow_hosting import (
    AMEND_SCHEMA,
    CONF_MODERATION,
    CONF_RULES,
    NETWORK_KEYS,
    NETWORK_SCHEMA,
    HostingSteps,
)
from .neighborhood.bodies.people import MAX_NAME, MAX_RULES, Founding, Mode
from .neighborhood.text import clean
from .neighborhood.violations import RecordViolation


class HostedSteps(HostingSteps):
    """Change how a neighborhood is hosted."""

    async def async_step_change_network(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Change how neighbors reach the hub, for all that are hosted here."""
        subentry = self._changed
        _ = self._neighborhoods
        errors: dict[str, str] = {}
        shown = {key: subentry.data[key] for key in NETWORK_KEYS} | (user_input or {})
        if user_input is not None:
            errors = await self._async_read_network(user_input)
            if not errors:
                for other in self._hosted():
                    if other.subentry_id != subentry.subentry_id:
                        self.hass.config_entries.async_update_subentry(
                            self._entry, other, data=dict(other.data) | self._data
                        )
                return self.async_update_and_abort(
                    self._entry, subentry, data=dict(subentry.data) | self._data
                )
        return self.async_show_form(
            step_id="change_network",
            data_schema=self.add_suggested_values_to_schema(NETWORK_SCHEMA, shown),
            errors=errors,
            description_placeholders={"example": "https://neighbors.example.org"},
        )

    async def async_step_amend(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Change name, moderation and rules; everybody in the neighborhood hears of it."""
        subentry = self._changed
        running = self._neighborhoods.get(subentry.subentry_id)
        hood = await running.async_hood() if running else None
        if running is None or hood is None:
            return self.async_abort(reason="not_synced")
        errors: dict[str, str] = {}
        if user_input is not None:
            name = clean(user_input[CONF_NAME], MAX_NAME)
            if not name:
                errors[CONF_NAME] = "no_name"
            else:
                amended = Founding(
                    name=name,
                    handle=subentry.data[CONF_HANDLE],
                    center=hood.center,
                    radius_m=hood.radius_m,
                    hub_key=hood.hub_key,
                    mode=Mode(user_input[CONF_MODERATION]),
                    post_days=hood.post_days,
                    media_days=hood.media_days,
                    rules=clean(user_input.get(CONF_RULES, ""), MAX_RULES, lines=True),
                )
                try:
                    await running.home.async_submit(amended)
                except RecordViolation as err:
                    errors["base"] = "refused"
                    return self._show_amend(user_input, errors, err.about)
                return self.async_update_and_abort(self._entry, subentry, title=name)
        shown = user_input or {
            CONF_NAME: hood.name,
            CONF_MODERATION: hood.mode.value,
            CONF_RULES: hood.rules,
        }
        return self._show_amend(shown, errors, "")

    def _show_amend(self, shown: dict[str, Any], errors: dict[str, str], error: str) -> SubentryFlowResult:
        return self.async_show_form(
            step_id="amend",
            data_schema=self.add_suggested_values_to_schema(AMEND_SCHEMA, shown),
            errors=errors,
            description_placeholders={"error": error},
        )
