"""The flow of one camera: the menus that lead to its steps."""

from homeassistant.config_entries import SubentryFlowResult

from .const import CAMERA_DEFAULTS
from .flow_base import StepInput
from .flow_entity import EntitySteps
from .flow_recording import RecordingSteps
from .flow_url import UrlSteps
from .flow_zones import ZonesSteps

SOURCES = ["entity", "url", "brand"]


class CameraSubentryFlow(EntitySteps, UrlSteps, RecordingSteps, ZonesSteps):
    """Add a camera, or change one."""

    async def async_step_user(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask where the camera's pictures come from."""
        return self.async_show_menu(step_id="user", menu_options=SOURCES)

    async def async_step_reconfigure(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask what to change."""
        subentry = self._changed
        self._camera = dict(CAMERA_DEFAULTS) | dict(subentry.data)
        self._name = subentry.title
        return self.async_show_menu(
            step_id="reconfigure",
            menu_options=["source", "doorbell", "zones", "recording"],
            description_placeholders={"name": subentry.title},
        )

    async def async_step_source(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask where the pictures shall come from now."""
        self._abort_if_private()
        return self.async_show_menu(step_id="source", menu_options=SOURCES)
