"""The one entry "Ringwatch": nothing to fill in. Cameras are its subentries (flow_camera.py)."""

from typing import Any, override

import probatio

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
    SubentryFlowContext,
)
from homeassistant.core import callback

from .const import DOMAIN, SUBENTRY_CAMERA, SUBENTRY_NEIGHBORHOOD, TITLE
from .flow_camera import CameraSubentryFlow
from .flow_neighborhood import NeighborhoodSubentryFlow
from .flow_recording import StorageOptionsFlow


class RingwatchConfigFlow(ConfigFlow, domain=DOMAIN):
    """Create the entry, then lead straight on to the first camera."""

    VERSION = 1

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the kinds of subentry the entry can have."""
        return {
            SUBENTRY_CAMERA: CameraSubentryFlow,
            SUBENTRY_NEIGHBORHOOD: NeighborhoodSubentryFlow,
        }

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> StorageOptionsFlow:
        """Return the flow that asks where clips are kept."""
        return StorageOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what will be set up, and set it up."""
        if user_input is not None:
            return self.async_create_entry(title=TITLE, data={})
        return self.async_show_form(step_id="user", data_schema=probatio.Schema({}))

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Open the first camera's flow: without a camera the entry does nothing."""
        camera = await self.hass.config_entries.subentries.async_init(
            (result["result"].entry_id, SUBENTRY_CAMERA),
            context=SubentryFlowContext(source=SOURCE_USER),
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, camera["flow_id"])
        return result
