"""Fix flows for the issues that Ringwatch raises.

Credentials: the coordinator raises one issue per camera that refuses us; its flow asks for a new
user name and password, tries them on the camera, and only then stores them. No other camera, and
not the entry, takes notice.
"""

from typing import Any, override

import probatio

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.components.repairs.models import RepairsFlowResult
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .clip_views import async_recordings
from .const import (
    CONF_PASSWORD,
    CONF_SOURCE,
    CONF_URL,
    CONF_USERNAME,
    DOMAIN,
    ISSUE_CREDENTIALS,
    ISSUE_STORAGE,
    SOURCE_ENTITY,
)
from .flow_probe import async_probe
from .flow_url import CREDENTIAL_FIELDS, WRONG_CREDENTIALS
from .recording import FAILURES
from .sources import source_config
from .video import SourceError

type IssueData = dict[str, str | int | float | None] | None


class CredentialsRepairFlow(RepairsFlow):
    """Ask for the credentials of one camera, and try them."""

    def __init__(self, entry_id: str, subentry_id: str) -> None:
        """Say which camera."""
        self._entry_id = entry_id
        self._subentry_id = subentry_id

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Start, with whatever the flow manager passed."""
        return await self.async_step_credentials()

    async def async_step_credentials(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask for a user name and a password until the camera takes them."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or (subentry := entry.subentries.get(self._subentry_id)) is None:
            return self._async_dismiss("camera_removed")
        if subentry.data[CONF_SOURCE] == SOURCE_ENTITY:
            return self._async_dismiss("entity_source")
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        if entry.runtime_data.settings.get(self._subentry_id).privacy:
            return self.async_abort(reason="privacy_on")
        errors = {}
        if user_input is not None:
            error = await self._async_try(entry, subentry, user_input)
            if error is None:
                return self.async_create_entry(data={})
            errors[CONF_PASSWORD if error == WRONG_CREDENTIALS else "base"] = error
        return self.async_show_form(
            step_id="credentials",
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(CREDENTIAL_FIELDS),
                user_input or {CONF_USERNAME: subentry.data[CONF_USERNAME]},
            ),
            errors=errors,
            description_placeholders={"name": subentry.title},
        )

    async def _async_try(
        self, entry: ConfigEntry, subentry: ConfigSubentry, user_input: dict[str, Any]
    ) -> str | None:
        """Open the camera with what was typed and store it; return what was wrong, if anything."""
        data = dict(subentry.data) | {
            CONF_USERNAME: user_input.get(CONF_USERNAME, "").strip(),
            CONF_PASSWORD: user_input.get(CONF_PASSWORD, ""),
        }
        try:
            await async_probe(self.hass, source_config(data, data[CONF_URL]))
        except SourceError as err:
            return err.code
        self.hass.config_entries.async_update_subentry(entry, subentry, data=data)
        return None

    def _async_dismiss(self, reason: str) -> RepairsFlowResult:
        """End without a fix an issue that has no sense any more; aborting alone would keep it."""
        ir.async_delete_issue(self.hass, DOMAIN, self.issue_id)
        return self.async_abort(reason=reason)


class StorageRepairFlow(ConfirmRepairFlow):
    """Accept a storage folder that has another Ringwatch's mark, or none."""

    @override
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Take the folder over once the owner says that it is the right one."""
        if user_input is not None:
            if (recordings := async_recordings(self.hass)) is None:
                return self.async_abort(reason="not_loaded")
            try:
                await self.hass.async_add_executor_job(recordings.store.claim)
            except FAILURES:
                return self.async_abort(reason="storage_error")
        return await super().async_step_confirm(user_input)


async def async_create_fix_flow(hass: HomeAssistant, issue_id: str, data: IssueData) -> RepairsFlow:
    """Return the flow that fixes an issue."""
    if data is not None and issue_id.startswith(f"{ISSUE_CREDENTIALS}_"):
        return CredentialsRepairFlow(str(data["entry_id"]), str(data["subentry_id"]))
    if issue_id == ISSUE_STORAGE:
        return StorageRepairFlow()
    return ConfirmRepairFlow()
