"""The doorbell press of a camera: none, somebody else's entity, or a webhook that is shown once more."""

from typing import Any

import probatio

from homeassistant.components import webhook
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .const import (
    ANALYZED_FPS,
    ANALYZED_FPS_DOORBELL,
    ANALYZED_FPS_MAX,
    ANALYZED_FPS_MIN,
    CONF_ANALYZED_FPS,
    CONF_DECODING,
    CONF_ENTITY_ID,
    CONF_PRESS,
    CONF_PRESS_ENTITY_ID,
    CONF_WEBHOOK_ID,
    DECODING_AUTO,
    DECODING_FULL,
    DECODING_USUAL,
    DOMAIN,
    PRESS_ENTITY,
    PRESS_NONE,
    PRESS_WEBHOOK,
)
from .flow_base import CameraFlowBase, StepInput

PRESS_DOMAINS = ["binary_sensor", "button", "event", "input_button"]
SECTION_ADVANCED = "advanced"

PRESS_FIELDS: dict[probatio.Marker, Any] = {
    probatio.Required(CONF_PRESS, default=PRESS_NONE): SelectSelector(
        SelectSelectorConfig(
            options=[PRESS_NONE, PRESS_ENTITY, PRESS_WEBHOOK],
            mode=SelectSelectorMode.LIST,
            translation_key="press",
        )
    ),
    probatio.Required(SECTION_ADVANCED): section(
        probatio.Schema(
            {
                probatio.Optional(CONF_ANALYZED_FPS): NumberSelector(
                    NumberSelectorConfig(
                        min=ANALYZED_FPS_MIN,
                        max=ANALYZED_FPS_MAX,
                        step="any",
                        mode=NumberSelectorMode.BOX,
                        unit_of_measurement="fps",
                    )
                ),
                probatio.Required(CONF_DECODING, default=DECODING_USUAL): SelectSelector(
                    SelectSelectorConfig(
                        options=[DECODING_USUAL, DECODING_AUTO, DECODING_FULL],
                        mode=SelectSelectorMode.DROPDOWN,
                        translation_key="decoding",
                    )
                ),
            }
        ),
        {"collapsed": True},
    ),
}


class DoorbellSteps(CameraFlowBase):
    """Ask how a press of the bell is known, and save the camera."""

    async def async_step_doorbell(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Change the doorbell press of a camera that is set up."""
        if user_input is not None:
            return await self._async_press(user_input)
        return self.async_show_form(
            step_id="doorbell",
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(PRESS_FIELDS), self._press_suggestion()
            ),
        )

    def _press_suggestion(self) -> dict[str, Any]:
        """Return the press as it is; the analysis rate only where it was chosen by hand."""
        press, fps = self._camera[CONF_PRESS], self._camera[CONF_ANALYZED_FPS]
        advanced = {} if fps == _default_fps(press) else {CONF_ANALYZED_FPS: fps}
        advanced[CONF_DECODING] = self._camera[CONF_DECODING]
        return {CONF_PRESS: press, SECTION_ADVANCED: advanced}

    async def _async_press(self, user_input: dict[str, Any]) -> SubentryFlowResult:
        """Take over the fields above, and ask on for what the kind of press needs."""
        press = user_input[CONF_PRESS]
        fps = user_input[SECTION_ADVANCED].get(CONF_ANALYZED_FPS, _default_fps(press))
        decoding = user_input[SECTION_ADVANCED][CONF_DECODING]
        self._camera |= {CONF_PRESS: press, CONF_ANALYZED_FPS: fps, CONF_DECODING: decoding}
        if press != PRESS_WEBHOOK:
            self._camera[CONF_WEBHOOK_ID] = ""
        if press == PRESS_ENTITY:
            return await self.async_step_press_entity()
        self._camera[CONF_PRESS_ENTITY_ID] = ""
        if press == PRESS_WEBHOOK:
            return await self.async_step_webhook()
        return self._async_save()

    async def async_step_press_entity(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Choose the entity that tells of a press."""
        errors = {}
        suggested = self._camera[CONF_PRESS_ENTITY_ID] or self._bell_of_camera()
        if user_input is not None:
            suggested = user_input[CONF_PRESS_ENTITY_ID]
            if _is_known(self.hass, suggested):
                self._camera[CONF_PRESS_ENTITY_ID] = suggested
                return self._async_save()
            errors[CONF_PRESS_ENTITY_ID] = "entity_not_found"
        registry = er.async_get(self.hass)
        ours = er.async_entries_for_config_entry(registry, self._entry.entry_id)
        schema = probatio.Schema(
            {
                probatio.Required(CONF_PRESS_ENTITY_ID): EntitySelector(
                    EntitySelectorConfig(
                        domain=PRESS_DOMAINS,
                        # a camera's own press must not press it again
                        exclude_entities=[entity.entity_id for entity in ours],
                    )
                )
            }
        )
        if suggested:
            schema = self.add_suggested_values_to_schema(schema, {CONF_PRESS_ENTITY_ID: suggested})
        return self.async_show_form(step_id="press_entity", data_schema=schema, errors=errors)

    async def async_step_webhook(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Show the address the bell has to call, then save."""
        if user_input is not None:
            return self._async_save()
        if not self._camera[CONF_WEBHOOK_ID]:
            self._camera[CONF_WEBHOOK_ID] = webhook.async_generate_id()
        return self.async_show_form(
            step_id="webhook",
            data_schema=probatio.Schema({}),
            description_placeholders={"webhook_url": _webhook_url(self.hass, self._camera[CONF_WEBHOOK_ID])},
            last_step=True,
        )

    @callback
    def _bell_of_camera(self) -> str:
        """Return the doorbell event of the camera entity's own device, "" if it has none."""
        registry = er.async_get(self.hass)
        camera = registry.async_get(self._camera[CONF_ENTITY_ID])
        if camera is None or camera.device_id is None:
            return ""
        for entity in er.async_entries_for_device(registry, camera.device_id):
            device_class = entity.device_class or entity.original_device_class
            if entity.domain == "event" and device_class == "doorbell" and entity.platform != DOMAIN:
                return entity.entity_id
        return ""


def _default_fps(press: str) -> float:
    return ANALYZED_FPS if press == PRESS_NONE else ANALYZED_FPS_DOORBELL


def _is_known(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether the entity is there, or is registered and only late."""
    return hass.states.get(entity_id) is not None or er.async_get(hass).async_get(entity_id) is not None


def _webhook_url(hass: HomeAssistant, webhook_id: str) -> str:
    """Return the address inside the house; the webhook answers no other."""
    try:
        return webhook.async_generate_url(hass, webhook_id, allow_external=False, prefer_external=False)
    except NoURLAvailableError:
        return webhook.async_generate_path(webhook_id)
