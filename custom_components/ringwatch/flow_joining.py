"""Joining a neighborhood with an invite link, after a look at what it leads to."""

from typing import Any, Final

import probatio

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import BooleanSelector, TextSelector

from .const import (
    CONF_ALLOW_HTTP,
    CONF_CONFIRM,
    CONF_HANDLE,
    CONF_HOSTED,
    CONF_HUB_KEY,
    CONF_HUB_URL,
    CONF_KEY,
    CONF_NEIGHBORHOOD,
    SUBENTRY_NEIGHBORHOOD,
)
from .flow_hood import NeighborhoodFlowBase, StepInput, hub_error
from .neighborhood.hub_client import HubError
from .neighborhood.invites import Invite, check_hub_url
from .neighborhood.joining import Look, async_join, async_look, async_redeem
from .neighborhood.keys import PrivateKey
from .neighborhood.text import check_handle
from .neighborhood.violations import BadLink, BadText, LinkViolation
from .pending_posts import plain

CONF_LINK: Final = "link"
CONF_CODE: Final = "code"
# Why a household isn't counted, each with a sentence of its own
NOT_COUNTED: Final = frozenset({"already_done", "too_late", "unknown_code"})

JOIN_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_LINK): TextSelector(),
        probatio.Required(CONF_ALLOW_HTTP, default=False): BooleanSelector(),
    }
)
LOOK_SCHEMA: Final = probatio.Schema(
    {probatio.Required(CONF_HANDLE): TextSelector(), probatio.Optional(CONF_CODE): TextSelector()}
)
REDEEM_SCHEMA: Final = probatio.Schema({probatio.Required(CONF_CODE): TextSelector()})
ADDRESS_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_HUB_URL): TextSelector(),
        probatio.Required(CONF_ALLOW_HTTP): BooleanSelector(),
    }
)


class JoiningSteps(NeighborhoodFlowBase):
    """Join a neighborhood."""

    _invited: tuple[Invite, Look]
    _key: PrivateKey | None = None  # that joining was tried with

    async def async_step_join(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask for the link, and look at what it leads to."""
        _ = self._neighborhoods
        errors: dict[str, str] = {}
        error = ""
        if user_input is not None:
            self._data[CONF_ALLOW_HTTP] = user_input[CONF_ALLOW_HTTP]
            try:
                self._invited = await async_look(
                    async_get_clientsession(self.hass),
                    user_input[CONF_LINK].strip(),
                    allow_http=user_input[CONF_ALLOW_HTTP],
                )
            except LinkViolation as err:
                errors[CONF_LINK] = err.code
            except HubError as err:
                errors["base"], error = hub_error(err), err.violation or err.about
            else:
                return await self._async_show_look()
        return self.async_show_form(
            step_id="join",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(JOIN_SCHEMA, user_input),
            errors=errors,
            description_placeholders={"error": error},
        )

    async def _async_show_look(self) -> SubentryFlowResult:
        invite, look = self._invited
        known = self._known(invite)
        if look.replaces:
            return await self.async_step_replace()
        if known is not None:
            raise AbortFlow("already_configured")
        return await self.async_step_look()

    async def async_step_look(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Show whose neighborhood it is; join once the owner has given a name."""
        if user_input is None:
            return self._show_look("look", LOOK_SCHEMA, {}, "")
        try:
            handle = check_handle(user_input[CONF_HANDLE])
        except BadText:
            return self._show_look("look", LOOK_SCHEMA, {CONF_HANDLE: "bad_handle"}, "", user_input)
        return await self._async_join("look", LOOK_SCHEMA, handle, user_input)

    async def async_step_replace(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Show for whom the invite brings a new key."""
        schema = probatio.Schema({})
        if user_input is None:
            return self._show_look("replace", schema, {}, "")
        return await self._async_join("replace", schema, "", user_input)

    async def _async_join(
        self, step_id: str, schema: probatio.Schema, handle: str, user_input: dict[str, Any]
    ) -> SubentryFlowResult:
        invite, look = self._invited
        keys = self._neighborhoods.keys
        if self._key is None:
            self._key = await keys.async_create()
        key = self._key
        try:
            await async_join(async_get_clientsession(self.hass), invite, key, handle)
        except HubError as err:
            if err.for_good:
                self._key = None
                await keys.async_forget(key.public)
            # Else the hub may have taken it, and its answer got lost: the next attempt is with the same key.
            return self._show_look(
                step_id, schema, {"base": hub_error(err)}, err.violation or err.about, user_input
            )
        data = {
            CONF_HOSTED: False,
            CONF_NEIGHBORHOOD: invite.certificate.neighborhood,
            CONF_KEY: key.public,
            CONF_HUB_KEY: invite.hub_key,
            CONF_HUB_URL: invite.url,
            CONF_HANDLE: handle,
            CONF_ALLOW_HTTP: self._data[CONF_ALLOW_HTTP],
            CONF_CONFIRM: True,
        }
        if (known := self._known(invite)) is None:
            # Counted, and never noted with this home: the code is in nothing that is kept.
            counted = await self._async_redeem(invite, key, user_input.get(CONF_CODE, ""))
            return self.async_create_entry(title=look.name, data=data, description=counted)
        kept = {name: known.data[name] for name in (CONF_HANDLE, CONF_CONFIRM)}
        self.hass.config_entries.async_update_subentry(self._entry, known, data=data | kept)
        return self.async_abort(reason="key_replaced")

    async def _async_redeem(self, invite: Invite, key: PrivateKey, code: str) -> str | None:
        """Return how it went; to have joined doesn't depend on it."""
        if not (code := code.strip().upper()):
            return None
        try:
            await async_redeem(async_get_clientsession(self.hass), invite, key, code)
        except HubError as err:
            return f"code_{err.violation}" if err.violation in NOT_COUNTED else "code_later"
        return "code_counted"

    async def async_step_redeem(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask for the code of a flyer that was found after joining."""
        running = self._neighborhoods.get(self._changed.subentry_id)
        if running is None:
            raise AbortFlow("not_synced")
        errors: dict[str, str] = {}
        error = ""
        if user_input is not None:
            try:
                await running.home.async_redeem(user_input[CONF_CODE].strip().upper())
            except HubError as err:
                if err.violation in NOT_COUNTED:
                    errors[CONF_CODE] = f"code_{err.violation}"
                else:
                    errors["base"], error = hub_error(err), err.violation or err.about
            else:
                return self.async_abort(reason="code_counted")
        return self.async_show_form(
            step_id="redeem",
            data_schema=self.add_suggested_values_to_schema(REDEEM_SCHEMA, user_input),
            errors=errors,
            description_placeholders={"error": error},
        )

    def _show_look(
        self,
        step_id: str,
        schema: probatio.Schema,
        errors: dict[str, str],
        error: str,
        shown: dict[str, Any] | None = None,
    ) -> SubentryFlowResult:
        _, look = self._invited
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
            description_placeholders={
                "name": plain(look.name),
                "host": plain(look.host_handle),
                "url": look.url,
                "fingerprint": look.fingerprint,
                "members": str(look.members),
                "radius": f"{look.radius_m / 1000:.1f}",
                "moderation": look.mode.value,
                "rules": plain(look.rules) or "-",
                "error": error,
            },
        )

    def _known(self, invite: Invite) -> Any:
        """Return the subentry of this neighborhood, if this home is in it already."""
        wanted = invite.certificate.neighborhood
        joined = self._entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)
        return next((one for one in joined if one.data[CONF_NEIGHBORHOOD] == wanted), None)

    async def async_step_address(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Change where the hub is found: its host has moved it."""
        subentry = self._changed
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                url = check_hub_url(user_input[CONF_HUB_URL].strip(), allow_http=user_input[CONF_ALLOW_HTTP])
            except BadLink:
                errors[CONF_HUB_URL] = "bad_url"
            else:
                changed = {CONF_HUB_URL: url, CONF_ALLOW_HTTP: user_input[CONF_ALLOW_HTTP]}
                return self.async_update_and_abort(self._entry, subentry, data=dict(subentry.data) | changed)
        return self.async_show_form(
            step_id="address",
            data_schema=self.add_suggested_values_to_schema(ADDRESS_SCHEMA, user_input or subentry.data),
            errors=errors,
            description_placeholders={"example": "https://neighbors.example.org"},
        )
