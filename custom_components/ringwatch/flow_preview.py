"""The picture before saving, with the camera's name, and, for a new camera, its doorbell press."""

from collections.abc import Awaitable, Callable
from typing import Any

import probatio

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import BooleanSelector, TextSelector

from .const import (
    CONF_DETECT_URL,
    CONF_PRESS,
    PRESS_ENTITY,
)
from .flow_base import StepInput
from .flow_doorbell import PRESS_FIELDS, DoorbellSteps
from .flow_probe import Picture, black_out
from .views_preview import async_get_previews

CONF_GO_BACK = "go_back"
CONF_USE_SUBSTREAM = "use_substream"
NAME_MAX_LENGTH = 100  # a title, not a text
CODEC_NAMES = {"h264": "H.264", "hevc": "H.265"}  # what is written on the camera's box


class PreviewSteps(DoorbellSteps):
    """Show what the camera shows, and go back to where it was chosen if it's the wrong picture."""

    _picture: Picture
    _source_step: Callable[[], Awaitable[SubentryFlowResult]]

    async def async_step_preview(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Show the picture; ask for the name and the doorbell press."""
        return await self._async_preview("preview", user_input)

    async def async_step_preview_large(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Do the same, and recommend a smaller second stream."""
        return await self._async_preview("preview_large", user_input)

    async def _async_show_preview(
        self, picture: Picture, source_step: Callable[[], Awaitable[SubentryFlowResult]]
    ) -> SubentryFlowResult:
        """Go on to the preview that suits the picture."""
        if (subentry := self._subentry) is not None:
            self._abort_if_private()  # it may have been switched on meanwhile
            settings = self._entry.runtime_data.settings.get(subentry.subentry_id)
            if settings.has_privacy_zone:
                picture = await self.hass.async_add_executor_job(black_out, picture, settings.zones)
        self._picture = picture
        self._source_step = source_step
        if picture.is_large and not (self._substream or self._camera[CONF_DETECT_URL]):
            return await self.async_step_preview_large()
        return await self.async_step_preview()

    async def _async_preview(self, step_id: str, user_input: StepInput) -> SubentryFlowResult:
        errors = {}
        if user_input is not None:
            if user_input[CONF_GO_BACK]:
                return await self._source_step()
            self._name = user_input.get(CONF_NAME, "").strip()
            if not self._name:
                errors[CONF_NAME] = "name_required"
            elif len(self._name) > NAME_MAX_LENGTH:
                errors[CONF_NAME] = "name_too_long"
            else:
                return await self._async_accept(user_input)
        picture = self._picture
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                self._preview_schema(), user_input or self._preview_suggestion()
            ),
            errors=errors,
            description_placeholders={
                "preview": async_get_previews(self.hass).async_show(self.flow_id, picture.jpeg),
                "details": _details(picture),
            },
        )

    async def _async_accept(self, user_input: dict[str, Any]) -> SubentryFlowResult:
        if self._substream and user_input[CONF_USE_SUBSTREAM]:
            self._camera[CONF_DETECT_URL] = self._substream
        if self._subentry is None:
            return await self._async_press(user_input)
        return self._async_save()

    def _preview_schema(self) -> probatio.Schema:
        # The name isn't required by the schema, or nobody without one could go back
        fields: dict[probatio.Marker, Any] = {probatio.Optional(CONF_NAME): TextSelector()}
        if self._substream:
            fields[probatio.Required(CONF_USE_SUBSTREAM, default=True)] = BooleanSelector()
        if self._subentry is None:
            fields |= PRESS_FIELDS
        fields[probatio.Required(CONF_GO_BACK, default=False)] = BooleanSelector()
        return probatio.Schema(fields)

    def _preview_suggestion(self) -> dict[str, Any]:
        suggestion: dict[str, Any] = {CONF_NAME: self._name or self._suggested_name}
        if self._subentry is None:
            suggestion |= self._press_suggestion()
            if self._bell_of_camera():
                suggestion[CONF_PRESS] = PRESS_ENTITY
        return suggestion


def _details(picture: Picture) -> str:
    """Return codec, size and rate, in signs that need no translation."""
    codec = CODEC_NAMES.get(picture.codec, picture.codec.upper())
    details = f"{codec}, {picture.width}x{picture.height}"
    return details if picture.fps is None else f"{details}, {picture.fps:.3g} fps"
