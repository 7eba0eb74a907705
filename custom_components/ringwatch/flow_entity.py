"""A camera that Home Assistant has already: its stream, or, where it has none, stills it agrees to."""

import asyncio
from collections.abc import Container
from typing import Any

from aiohttp import ClientError
import probatio

from homeassistant.components.camera import async_get_stream_source
from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)

from .const import (
    CONF_ENTITY_ID,
    CONF_STILL_INTERVAL_S,
    SOURCE_ENTITY,
    STILL_INTERVAL_MAX_S,
    STILL_INTERVAL_MIN_S,
    STILL_INTERVAL_S,
)
from .flow_base import StepInput
from .flow_offers import CameraOffers, async_camera_offers
from .flow_preview import PreviewSteps
from .flow_probe import NoPictureError, async_probe, async_probe_still
from .video import SourceConfig, SourceError, split_credentials, validate_url

CONF_SHOW_ALL = "show_all"
CONF_AGREE = "agree"
STREAM_SOURCE_TIMEOUT_S = 10.0  # an integration may have to ask its camera

STILLS_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_STILL_INTERVAL_S, default=STILL_INTERVAL_S): NumberSelector(
            NumberSelectorConfig(
                min=STILL_INTERVAL_MIN_S,
                max=STILL_INTERVAL_MAX_S,
                step=1,
                unit_of_measurement="s",
                mode=NumberSelectorMode.BOX,
            )
        ),
        probatio.Required(CONF_AGREE, default=False): BooleanSelector(),
    }
)


class EntityError(Exception):
    """An entity can't be watched; `code` names the translated error."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class EntitySteps(PreviewSteps):
    """Choose a camera entity and open it."""

    def __init__(self) -> None:
        """Start with the costly cameras hidden."""
        super().__init__()
        self._show_all = False

    async def async_step_entity(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Choose the entity."""
        self._abort_if_private()
        offers = async_camera_offers(
            self.hass, {other.data[CONF_ENTITY_ID] for other in self._other_cameras()}
        )
        if not offers.usual and not offers.costly:
            return self.async_abort(reason="no_cameras")
        errors: dict[str, str] = {}
        if user_input is not None:
            asked_for_more = user_input[CONF_SHOW_ALL] and not self._show_all
            self._show_all = user_input[CONF_SHOW_ALL]
            entity_id = user_input.get(CONF_ENTITY_ID, "")
            if entity_id or not asked_for_more:
                try:
                    return await self._async_open_entity(entity_id, self._offered(offers))
                except EntityError as err:
                    errors[CONF_ENTITY_ID] = err.code
        return self.async_show_form(
            step_id="entity",
            data_schema=self.add_suggested_values_to_schema(
                _entity_schema(self._offered(offers)), user_input or self._entity_suggestion()
            ),
            errors=errors,
            description_placeholders={"hidden": str(len(offers.costly))},
            last_step=False,
        )

    async def async_step_stills(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask whether an entity without a stream may be asked for a picture again and again."""
        self._abort_if_private()
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_AGREE]:
                entity_id = self._camera[CONF_ENTITY_ID]
                try:
                    picture = await async_probe_still(self.hass, entity_id)
                except NoPictureError:
                    errors["base"] = "no_picture"
                else:
                    self._camera[CONF_STILL_INTERVAL_S] = user_input[CONF_STILL_INTERVAL_S]
                    return await self._async_show_preview(picture, self.async_step_entity)
            else:
                errors[CONF_AGREE] = "not_agreed"
        interval_s = self._camera[CONF_STILL_INTERVAL_S] or STILL_INTERVAL_S
        return self.async_show_form(
            step_id="stills",
            data_schema=self.add_suggested_values_to_schema(
                STILLS_SCHEMA, user_input or {CONF_STILL_INTERVAL_S: interval_s}
            ),
            errors=errors,
            description_placeholders={"name": self._suggested_name},
            last_step=False,
        )

    async def _async_open_entity(self, entity_id: str, offered: Container[str]) -> SubentryFlowResult:
        """Open the entity's stream and go on. Raises EntityError."""
        if not entity_id:
            raise EntityError("no_entity")
        if self._is_watched(entity_id=entity_id):
            raise EntityError("already_configured")
        if entity_id not in offered:
            raise EntityError("not_offered")
        source = await _async_stream_source(self.hass, entity_id)
        if source is not None and self._is_watched(url=source.url):
            raise EntityError("already_configured")
        interval_s = 0.0
        if entity_id == self._camera[CONF_ENTITY_ID]:
            interval_s = self._camera[CONF_STILL_INTERVAL_S]  # to propose it again
        if source is not None:
            try:
                picture = await async_probe(self.hass, source)
            except SourceError as err:
                raise EntityError(err.code) from err
        self._suggested_name = _name_of(self.hass, entity_id)
        self._set_source(source=SOURCE_ENTITY, entity_id=entity_id)
        if source is not None:
            return await self._async_show_preview(picture, self.async_step_entity)
        self._camera[CONF_STILL_INTERVAL_S] = interval_s
        return await self.async_step_stills()

    def _offered(self, offers: CameraOffers) -> list[str]:
        """Return what the list shows: the costly ones if asked for, and the present choice."""
        offered = [*offers.usual, *(offers.costly if self._show_all else ())]
        present = self._camera[CONF_ENTITY_ID]
        return [*offered, present] if present in offers.costly and not self._show_all else offered

    def _entity_suggestion(self) -> dict[str, Any]:
        present = self._camera[CONF_ENTITY_ID]
        return {CONF_SHOW_ALL: self._show_all} | ({CONF_ENTITY_ID: present} if present else {})


def _entity_schema(offered: list[str]) -> probatio.Schema:
    return probatio.Schema(
        {
            probatio.Optional(CONF_ENTITY_ID): EntitySelector(
                EntitySelectorConfig(domain=CAMERA_DOMAIN, include_entities=offered)
            ),
            probatio.Required(CONF_SHOW_ALL, default=False): BooleanSelector(),
        }
    )


async def _async_stream_source(hass: HomeAssistant, entity_id: str) -> SourceConfig | None:
    """Return how to open the entity's stream, None if it has none. Raises EntityError."""
    try:
        async with asyncio.timeout(STREAM_SOURCE_TIMEOUT_S):
            source = await async_get_stream_source(hass, entity_id)
    except (HomeAssistantError, ClientError, OSError) as err:  # a time-out is an OSError too
        raise EntityError("entity_unavailable") from err
    if not source:
        return None
    try:
        url, username, password = split_credentials(validate_url(source))
    except SourceError as err:
        raise EntityError(err.code) from err
    return SourceConfig(url=url, username=username, password=password)


def _name_of(hass: HomeAssistant, entity_id: str) -> str:
    state = hass.states.get(entity_id)
    return entity_id if state is None else state.name
