"""The host tells of a warrant or a subpoena that was served on the hub: everybody, and whom it concerns."""

from datetime import datetime
import logging
from typing import Any, Final

import probatio

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.helpers.selector import (
    DateTimeSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.util import dt as dt_util

from .flow_agencies import AgencySteps
from .flow_hood import StepInput
from .legal_demands import MAX_CONCERNED, MAX_FORBIDDEN, NotSentError, async_tell_concerned, write_demand
from .neighborhood.bodies import LegalDemand
from .neighborhood.bodies.agencies import DemandKind
from .neighborhood.hub_client import HubError
from .neighborhood.ledger import Ledger
from .neighborhood.rows import Kind
from .neighborhood.violations import RecordViolation
from .neighborhood_home import Neighborhood

_LOGGER = logging.getLogger(__name__)

CONF_KIND: Final = "kind"
CONF_AUTHORITY: Final = "authority"
CONF_SERVED: Final = "served"
CONF_GIVEN: Final = "given"
CONF_TOLD: Final = "told"
CONF_MEMBERS: Final = "members"
CONF_NOT_BEFORE: Final = "not_before"

_LINES: Final = TextSelector(TextSelectorConfig(multiline=True))


def demand_schema(members: dict[str, str]) -> probatio.Schema:
    """Return the form's fields, with the names of the members by their ids."""
    return probatio.Schema(
        {
            probatio.Required(CONF_KIND, default=DemandKind.WARRANT.value): SelectSelector(
                SelectSelectorConfig(
                    options=[kind.value for kind in DemandKind],
                    mode=SelectSelectorMode.DROPDOWN,
                    translation_key="demand_kind",
                )
            ),
            probatio.Required(CONF_AUTHORITY): TextSelector(),
            probatio.Required(CONF_SERVED): DateTimeSelector(),
            probatio.Required(CONF_GIVEN): _LINES,
            probatio.Required(CONF_TOLD): _LINES,
            probatio.Optional(CONF_MEMBERS): SelectSelector(
                SelectSelectorConfig(
                    options=[SelectOptionDict(value=id_, label=name) for id_, name in members.items()],
                    mode=SelectSelectorMode.DROPDOWN,
                    multiple=True,
                )
            ),
            probatio.Optional(CONF_NOT_BEFORE): DateTimeSelector(),
        }
    )


class DemandSteps(AgencySteps):
    """Record a legal demand."""

    async def async_step_legal_demand(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask what was served, what was given, and who is to be told."""
        running = await self._async_running()
        errors: dict[str, str] = {}
        error = ""
        if user_input is not None:
            errors, body = _read(user_input)
            if body is not None and not errors:
                try:
                    return await self._async_record(running, body, user_input)
                except RecordViolation as err:
                    errors["base"], error = "refused", err.about
        return self.async_show_form(
            step_id="legal_demand",
            data_schema=self.add_suggested_values_to_schema(
                demand_schema(await running.home.async_ask(_members)), user_input
            ),
            errors=errors,
            description_placeholders={"error": error, "most": str(MAX_CONCERNED)},
        )

    async def _async_record(
        self, running: Neighborhood, body: LegalDemand, user_input: dict[str, Any]
    ) -> SubentryFlowResult:
        """Tell everybody, then those concerned. Raise RecordViolation while nobody was told."""
        record = await running.home.async_submit(body)
        members = user_input.get(CONF_MEMBERS, [])
        if not members:
            sent = await running.async_until_sent()
            return self.async_abort(reason="demand_recorded" if sent else "not_sent")
        not_before = user_input.get(CONF_NOT_BEFORE)
        try:
            await async_tell_concerned(
                running, record.id, members, body.told, _time(not_before) if not_before else None
            )
        except (NotSentError, HubError) as err:
            _LOGGER.warning("Members are not told of a demand: %r", err)
            return self.async_abort(reason="demand_not_told")
        return self.async_abort(reason="demand_told")


def _read(user_input: dict[str, Any]) -> tuple[dict[str, str], LegalDemand | None]:
    """Return what is wrong with the fields, and what is told to everybody."""
    errors: dict[str, str] = {}
    if len(user_input.get(CONF_MEMBERS, [])) > MAX_CONCERNED:
        errors[CONF_MEMBERS] = "too_many_members"
    not_before = user_input.get(CONF_NOT_BEFORE)
    if not_before and dt_util.as_utc(_time(not_before)) > dt_util.utcnow() + MAX_FORBIDDEN:
        errors[CONF_NOT_BEFORE] = "too_late"
    body = write_demand(
        DemandKind(user_input[CONF_KIND]),
        user_input[CONF_AUTHORITY],
        _time(user_input[CONF_SERVED]),
        user_input[CONF_GIVEN],
        user_input[CONF_TOLD],
    )
    if body is None:
        errors["base"] = "demand_text"
    return errors, body


def _members(ledger: Ledger) -> dict[str, str]:
    return {one.id: one.name for one in ledger.state.subjects(Kind.MEMBER) if one.is_active}


def _time(text: str) -> datetime:
    """Return the time that the field holds, which has checked it."""
    return dt_util.parse_datetime(text, raise_on_error=True)
