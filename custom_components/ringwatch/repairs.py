"""Fix flows for the issues that Ringwatch raises.

Credentials: the coordinator raises one issue per camera that refuses us; its flow asks for a new
user name and password, tries them on the camera, and only then stores them. No other camera, and
not the entry, takes notice.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, override

import probatio

from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.components.repairs.models import RepairsFlowResult
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .clip_views import async_recordings
from .const import (
    CONF_PASSWORD,
    CONF_SOURCE,
    CONF_URL,
    CONF_USERNAME,
    DOMAIN,
    ISSUE_CREDENTIALS,
    ISSUE_HUB_CLOCK,
    ISSUE_HUB_LEFT,
    ISSUE_PENDING,
    ISSUE_REFUSED,
    ISSUE_RESTLESS_AREA,
    ISSUE_STORAGE,
    SOURCE_ENTITY,
)
from .flow_probe import async_probe
from .flow_url import CREDENTIAL_FIELDS, WRONG_CREDENTIALS
from .neighborhood_views import async_neighborhoods
from .pending_posts import async_details, plain, text_of, title_of
from .posting import async_confirm
from .recording import FAILURES
from .repairs_clock import HubClockFlow
from .sources import source_config
from .video import SourceError
from .vision import Proposal

if TYPE_CHECKING:
    from .data import RingwatchData

SIGNED_FOR: Final = timedelta(minutes=10)  # as long as somebody may look at a form

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


class RestlessAreaFlow(RepairsFlow):
    """Show the area where things move all the time, and ignore it if the owner agrees."""

    def __init__(self, entry_id: str, subentry_id: str) -> None:
        """Say which camera."""
        self._entry_id = entry_id
        self._subentry_id = subentry_id
        self._proposal: Proposal | None = None  # the one that was shown

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Start, with whatever the flow manager passed."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show it; add the zone once the owner has seen it."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        data: RingwatchData = entry.runtime_data
        coordinator = data.cameras.get(self._subentry_id)
        proposal = data.self_checks.proposal(self._subentry_id)
        if coordinator is None or proposal is None:
            return self.async_abort(reason="settled")
        if user_input is not None and proposal == self._proposal:
            try:
                await data.self_checks.async_accept(self._subentry_id, proposal)
            except HomeAssistantError:
                return self.async_abort(reason="not_saved")
            return self.async_create_entry(data={})
        self._proposal = proposal
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        path = await coordinator.async_explain((proposal.zone,))
        picture = "" if path is None else f"![]({async_sign_path(self.hass, path, SIGNED_FOR)})"
        return self.async_show_form(
            step_id="confirm",
            data_schema=probatio.Schema({}),
            description_placeholders={
                **((issue.translation_placeholders if issue else None) or {}),
                "zone": proposal.zone.name,
                "picture": picture,
            },
        )


class PendingPostFlow(RepairsFlow):
    """Show what waits to be posted, exactly as it would go; a person sends it or throws it away."""

    def __init__(self, pending_id: str) -> None:
        """Say which."""
        self._pending_id = pending_id

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show it."""
        neighborhoods = async_neighborhoods(self.hass)
        if neighborhoods is None:
            return self.async_abort(reason="not_loaded")
        post = neighborhoods.pending.get(self._pending_id)
        if post is None:
            return self.async_abort(reason="settled")
        clips = [name for name in post.files if name.endswith(".mp4")]
        clip = async_sign_path(self.hass, post.path_of(clips[0]), SIGNED_FOR) if clips else ""
        running = neighborhoods.get(post.subentry_id)
        return self.async_show_menu(
            step_id="confirm" if clips else "confirm_text",
            menu_options=["send", "discard"],
            description_placeholders={
                "name": plain(running.title if running else ""),
                "title": plain(title_of(post.body)),
                "text": plain(text_of(post.body)),
                "details": await async_details(self.hass, post),
                "picture": await neighborhoods.pending.async_picture(post),
                "clip": clip,
            },
        )

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show a clip."""
        return await self.async_step_init()

    async def async_step_confirm_text(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show a text."""
        return await self.async_step_init()

    async def async_step_send(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Send it: who answers a form of the repairs is signed in as an administrator."""
        neighborhoods = async_neighborhoods(self.hass)
        post = neighborhoods.pending.get(self._pending_id) if neighborhoods else None
        if neighborhoods is None or post is None:
            return self.async_abort(reason="settled")
        try:
            await async_confirm(neighborhoods, post)
        except HomeAssistantError as err:
            return self.async_abort(reason="not_sent", description_placeholders={"error": str(err)})
        return self.async_create_entry(data={})

    async def async_step_discard(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Throw it away."""
        if (neighborhoods := async_neighborhoods(self.hass)) is not None:
            await neighborhoods.pending.async_discard(self._pending_id)
        return self.async_create_entry(data={})


class RefusedFlow(ConfirmRepairFlow):
    """Tell that something was refused; once it was read it is forgotten."""

    def __init__(self, subentry_id: str, record_id: str) -> None:
        """Say what."""
        super().__init__()
        self._subentry_id = subentry_id
        self._record_id = record_id

    @override
    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Forget it."""
        neighborhoods = async_neighborhoods(self.hass)
        running = neighborhoods.get(self._subentry_id) if neighborhoods else None
        if user_input is not None and running is not None:
            await running.home.async_dismiss(self._record_id)
        return await super().async_step_confirm(user_input)


class HubLeftFlow(RepairsFlow):
    """Keep what is left of a neighborhood that was hosted here, or erase it."""

    def __init__(self, neighborhood: str) -> None:
        """Say of which."""
        self._neighborhood = neighborhood

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Ask."""
        return self.async_show_menu(
            step_id="init", menu_options=["keep", "erase"], description_placeholders=self._said
        )

    @property
    def _said(self) -> dict[str, str]:
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return (issue.translation_placeholders if issue else None) or {}

    async def async_step_keep(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Keep it: the issue goes, and it can be taken up again where neighborhoods are added."""
        return self.async_create_entry(data={})

    async def async_step_erase(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Erase it, once the owner has read that this is for good."""
        neighborhoods = async_neighborhoods(self.hass)
        if neighborhoods is None:
            return self.async_abort(reason="not_loaded")
        if user_input is None:
            return self.async_show_form(
                step_id="erase", data_schema=probatio.Schema({}), description_placeholders=self._said
            )
        await neighborhoods.async_erase_left(self._neighborhood)
        return self.async_create_entry(data={})


async def async_create_fix_flow(hass: HomeAssistant, issue_id: str, data: IssueData) -> RepairsFlow:
    """Return the flow that fixes an issue."""
    if data is not None and issue_id.startswith(f"{ISSUE_CREDENTIALS}_"):
        return CredentialsRepairFlow(str(data["entry_id"]), str(data["subentry_id"]))
    if data is not None and issue_id.startswith(f"{ISSUE_RESTLESS_AREA}_"):
        return RestlessAreaFlow(str(data["entry_id"]), str(data["subentry_id"]))
    if data is not None and issue_id.startswith(f"{ISSUE_PENDING}_"):
        return PendingPostFlow(str(data["pending_id"]))
    if data is not None and issue_id.startswith(f"{ISSUE_REFUSED}_"):
        return RefusedFlow(str(data["subentry_id"]), str(data["record_id"]))
    if data is not None and issue_id.startswith(f"{ISSUE_HUB_LEFT}_"):
        return HubLeftFlow(str(data["neighborhood"]))
    if issue_id == ISSUE_HUB_CLOCK:
        return HubClockFlow()
    if issue_id == ISSUE_STORAGE:
        return StorageRepairFlow()
    return ConfirmRepairFlow()
