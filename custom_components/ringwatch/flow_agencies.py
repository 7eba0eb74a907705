"""The host lets a police agency in: profile, what that means, its fingerprint by phone; or suspends one."""

from dataclasses import replace
from typing import Any, Final

import probatio

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.helpers.translation import async_get_translations

from .agency_enrolling import NotEnrolledError, async_read_agency, find_enrolled, wrong_groups
from .const import DOMAIN
from .flow_hood import NeighborhoodFlowBase, StepInput
from .neighborhood.bodies import Agency, Body, Role
from .neighborhood.bodies.people import RoleName
from .neighborhood.hub_link import HubLink
from .neighborhood.keys import fingerprint
from .neighborhood.requests import AgencyItem, read_agencies
from .neighborhood.violations import RecordViolation
from .neighborhood_home import Neighborhood
from .pending_posts import plain

CONF_PROFILE: Final = "profile"
CONF_FINGERPRINT: Final = "fingerprint"
CONF_AGENCY: Final = "agency"

PROFILE_SCHEMA: Final = probatio.Schema(
    {probatio.Required(CONF_PROFILE): TextSelector(TextSelectorConfig(multiline=True))}
)
FINGERPRINT_SCHEMA: Final = probatio.Schema({probatio.Required(CONF_FINGERPRINT): TextSelector()})
SURE_SCHEMA: Final = probatio.Schema({})


class AgencySteps(NeighborhoodFlowBase):
    """Enroll agencies, and look at those that are enrolled."""

    _profile: Agency
    _before: AgencyItem | None = None  # that the profile changes
    _agency: AgencyItem  # that was chosen

    # ---- enrolling ------------------------------------------------------------------------------

    async def async_step_enroll_agency(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask for the agency's profile, and look whether its website says the same."""
        running = await self._async_running()
        errors: dict[str, str] = {}
        said = {"name": "", "domain": "", "code": ""}
        if user_input is not None:
            try:
                self._profile = profile = await async_read_agency(self.hass, user_input[CONF_PROFILE])
            except NotEnrolledError as err:
                errors[CONF_PROFILE], said = err.key, err.placeholders
            else:
                before = await running.home.async_ask(lambda ledger: find_enrolled(profile, ledger))
                if before is None or before.is_active:
                    self._before = before
                    return await self._async_compare()
                errors[CONF_PROFILE] = "agency_suspended"
        return self.async_show_form(
            step_id="enroll_agency",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(PROFILE_SCHEMA, user_input),
            errors=errors,
            description_placeholders=said,
        )

    async def async_step_new_agency(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Say what enrolling means, and have the host type what the agency reads out."""
        return await self._async_compare(user_input)

    async def async_step_changed_agency(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Say that it is here already, and have the host type what the agency reads out."""
        return await self._async_compare(user_input)

    async def _async_compare(self, user_input: StepInput = None) -> SubentryFlowResult:
        profile, before = self._profile, self._before
        errors: dict[str, str] = {}
        said = {"wrong": "", "error": ""}
        if user_input is not None:
            wrong = wrong_groups(user_input[CONF_FINGERPRINT], profile)
            if wrong is None:
                errors[CONF_FINGERPRINT] = "no_fingerprint"
            elif wrong:
                errors[CONF_FINGERPRINT], said["wrong"] = "wrong_fingerprint", str(wrong)
            else:
                try:
                    return await self._async_write(
                        replace(profile, replaces=before.id if before else None),
                        "agency_enrolled",
                        {"name": plain(profile.name), "fingerprint": fingerprint(profile.key)},
                    )
                except RecordViolation as err:
                    known = err.code == "profile_old"
                    errors["base"], said["error"] = "profile_old" if known else "refused", err.about
        # The fingerprint isn't shown: what is typed has to come from the agency.
        return self.async_show_form(
            step_id="changed_agency" if before else "new_agency",
            data_schema=self.add_suggested_values_to_schema(FINGERPRINT_SCHEMA, user_input),
            errors=errors,
            description_placeholders=await self._async_promises(profile) | said,
        )

    # ---- those that are enrolled ----------------------------------------------------------------

    async def async_step_agencies(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask which one is meant."""
        running = await self._async_running()
        found = {one.id: one for one in await running.home.async_ask(read_agencies)}
        if not found:
            raise AbortFlow("no_agencies")
        if user_input is not None and (agency := found.get(user_input[CONF_AGENCY])) is not None:
            self._agency = agency
            return await self.async_step_agency()
        options = [
            SelectOptionDict(value=one.id, label=f"{one.name} ({one.domain})") for one in found.values()
        ]
        which = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
        schema = probatio.Schema({probatio.Required(CONF_AGENCY): which})
        return self.async_show_form(
            step_id="agencies",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(schema, {CONF_AGENCY: next(iter(found))}),
        )

    async def async_step_agency(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Show what it promised and what its officers need, and ask what to do."""
        agency = self._agency
        running = await self._async_running()
        return self.async_show_menu(
            step_id="agency",
            menu_options=["suspend_agency" if agency.is_active else "restore_agency"],
            description_placeholders=await self._async_promises(agency)
            | {"fingerprint": agency.fingerprint, "link": _link(running)},
        )

    async def async_step_suspend_agency(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Take its role, once the host is sure."""
        return await self._async_set_role("suspend_agency", RoleName.NONE, "agency_suspended", user_input)

    async def async_step_restore_agency(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Give it its role back, once the host is sure."""
        return await self._async_set_role("restore_agency", RoleName.AGENCY, "agency_restored", user_input)

    async def _async_set_role(
        self, step_id: str, role: RoleName, reason: str, user_input: StepInput
    ) -> SubentryFlowResult:
        name = plain(self._agency.name)
        errors: dict[str, str] = {}
        error = ""
        if user_input is not None:
            try:
                return await self._async_write(Role(self._agency.id, role), reason, {"name": name})
            except RecordViolation as err:
                errors["base"], error = "refused", err.about
        return self.async_show_form(
            step_id=step_id,
            data_schema=SURE_SCHEMA,
            errors=errors,
            description_placeholders={"name": name, "error": error},
        )

    # ---- what they share ------------------------------------------------------------------------

    async def _async_running(self) -> Neighborhood:
        """Return the neighborhood that is hosted; without it there is nobody to tell."""
        running = self._neighborhoods.get(self._changed.subentry_id)
        if running is None or await running.async_hood() is None:
            raise AbortFlow("not_synced")
        return running

    async def _async_write(self, body: Body, reason: str, said: dict[str, str]) -> SubentryFlowResult:
        """Sign it, and end with what is to do now. Raise RecordViolation."""
        running = await self._async_running()
        await running.home.async_submit(body)
        if not await running.async_until_sent():
            reason = "not_sent"
        return self.async_abort(reason=reason, description_placeholders=said | {"link": _link(running)})

    async def _async_promises(self, agency: Agency | AgencyItem) -> dict[str, Any]:
        """Return what an agency says of itself, in words."""
        texts = await async_get_translations(self.hass, self.hass.config.language, "selector", {DOMAIN})

        def word(kind: str, value: str) -> str:
            return texts[f"component.{DOMAIN}.selector.{kind}.options.{value}"]

        return {
            "name": plain(agency.name),
            "kind": word("agency_kind", agency.kind),
            "domain": plain(agency.domain),
            "days": str(agency.retention_days),
            "sharing": word("agency_sharing", agency.sharing),
            "faces": word("agency_faces", agency.face_recognition),
            "terms": plain(agency.terms) or "-",
        }


def _link(running: Neighborhood) -> str:
    """Return what an agency and its officers need to find the hub."""
    config = running.home.config
    return HubLink(running.hub_url, config.neighborhood, config.hub_key).link
