"""A camera by its address: typed in, or put together from a brand's template and a host."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import probatio

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .const import (
    CONF_DETECT_URL,
    CONF_PASSWORD,
    CONF_RTSP_TRANSPORT,
    CONF_SOURCE,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
    RTSP_TCP,
    RTSP_UDP,
    SOURCE_URL,
)
from .flow_base import StepInput
from .flow_doorbell import SECTION_ADVANCED
from .flow_preview import PreviewSteps
from .flow_probe import Picture, async_probe, same_address
from .sources import source_config
from .video import (
    BRANDS,
    SourceConfig,
    SourceError,
    WrongCredentials,
    addresses,
    split_credentials,
    validate_url,
)

CONF_BRAND = "brand"
CONF_HOST = "host"
CONF_CHANNEL = "channel"
CHANNELS_MAX = 64  # the largest recorders
WRONG_CREDENTIALS = WrongCredentials.code
# What a brand's template leaves to the owner to fill in
PLACEHOLDERS = {"STREAM_KEY": "replace_stream_key", "CAMERA_NAME": "replace_camera_name"}
# Wrong in the path, not the host, so that the address itself has to be corrected
ADDRESS_ERRORS = frozenset({"not_found", "no_video", "unsupported_codec", *PLACEHOLDERS.values()})
BRAND_NAMES = {brand.key: brand.name for brand in BRANDS}
BRAND_FIELDS = {WRONG_CREDENTIALS: CONF_PASSWORD}
BRAND_ERRORS = {"invalid_url": "invalid_host"}

CREDENTIAL_FIELDS: dict[probatio.Marker, Any] = {
    probatio.Optional(CONF_USERNAME): TextSelector(TextSelectorConfig(autocomplete="off")),
    probatio.Optional(CONF_PASSWORD): TextSelector(
        TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password")
    ),
}

CONNECTION_SECTION: dict[probatio.Marker, Any] = {
    probatio.Required(SECTION_ADVANCED): section(
        probatio.Schema(
            {
                probatio.Required(CONF_RTSP_TRANSPORT, default=RTSP_TCP): SelectSelector(
                    SelectSelectorConfig(
                        options=[RTSP_TCP, RTSP_UDP],
                        mode=SelectSelectorMode.DROPDOWN,
                        translation_key="rtsp_transport",
                    )
                ),
                probatio.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
            }
        ),
        {"collapsed": True},
    )
}

URL_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_URL): TextSelector(TextSelectorConfig(autocomplete="off")),
        **CREDENTIAL_FIELDS,
        probatio.Optional(CONF_DETECT_URL): TextSelector(TextSelectorConfig(autocomplete="off")),
        **CONNECTION_SECTION,
    }
)

BRAND_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_BRAND): SelectSelector(
            SelectSelectorConfig(
                options=list(BRAND_NAMES),
                mode=SelectSelectorMode.DROPDOWN,
                translation_key="brand",
            )
        ),
        probatio.Required(CONF_HOST): TextSelector(TextSelectorConfig(autocomplete="off")),
        **CREDENTIAL_FIELDS,
        probatio.Required(CONF_CHANNEL, default=1): NumberSelector(
            NumberSelectorConfig(min=1, max=CHANNELS_MAX, step=1, mode=NumberSelectorMode.BOX)
        ),
        **CONNECTION_SECTION,
    }
)


class UrlSteps(PreviewSteps):
    """Give the camera's address, or its brand and host, and open it."""

    def __init__(self) -> None:
        """Start with nothing typed."""
        super().__init__()
        self._brand_input: dict[str, Any] = {}

    async def async_step_url(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Give the address."""
        self._abort_if_private()
        if user_input is None:
            return self._show_url_form(self._url_suggestion(), {})
        source, errors = self._read_source(user_input)
        if not errors:
            found = await _async_open(self.hass, source)
            if isinstance(found, Picture):
                self._set_source(**source)
                return await self._async_show_preview(found, self.async_step_url)
            errors = found
            if errors.get(CONF_URL) == WRONG_CREDENTIALS:
                errors = {CONF_PASSWORD: errors.pop(CONF_URL), **errors}
        return self._show_url_form(self._echo(user_input, source), errors)

    async def async_step_brand(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Give the brand and the host; try the addresses that brand uses."""
        self._abort_if_private()
        errors: dict[str, str] = {}
        if user_input is not None:
            self._brand_input = user_input
            main, sub = _brand_addresses(user_input)
            typed = {CONF_URL: main} | {
                key: user_input[key]
                for key in (CONF_USERNAME, CONF_PASSWORD, SECTION_ADVANCED)
                if key in user_input
            }
            source, errors = self._read_source(typed)
            found = errors or await _async_open(self.hass, source)
            if isinstance(found, Picture):
                self._set_source(**source)
                self._suggested_name = BRAND_NAMES[user_input[CONF_BRAND]]
                if found.is_large and sub:
                    await self._async_try_substream(sub)
                return await self._async_show_preview(found, self.async_step_brand)
            if ADDRESS_ERRORS.intersection(found.values()):
                return self._show_url_form(self._echo(typed, source), found)
            errors = {
                BRAND_FIELDS.get(code, CONF_HOST): BRAND_ERRORS.get(code, code) for code in found.values()
            }
        return self.async_show_form(
            step_id="brand",
            data_schema=self.add_suggested_values_to_schema(BRAND_SCHEMA, self._brand_input),
            errors=errors,
            last_step=False,
        )

    async def _async_try_substream(self, sub: str) -> None:
        """Propose the brand's second address if it works; if not, the first one does."""
        try:
            await async_probe(self.hass, source_config(self._camera, sub))
        except SourceError:
            return
        self._substream = sub

    def _show_url_form(self, suggestion: Mapping[str, Any], errors: dict[str, str]) -> SubentryFlowResult:
        return self.async_show_form(
            step_id="url",
            data_schema=self.add_suggested_values_to_schema(URL_SCHEMA, suggestion),
            errors=errors,
            last_step=False,
        )

    def _url_suggestion(self) -> dict[str, Any]:
        """Return the address as it is; a stored password never leaves."""
        camera = self._camera
        suggestion = {key: camera[key] for key in (CONF_URL, CONF_USERNAME, CONF_DETECT_URL) if camera[key]}
        if camera[CONF_PASSWORD] and camera[CONF_PASSWORD] != self._stored_password:
            suggestion[CONF_PASSWORD] = camera[CONF_PASSWORD]
        return suggestion | {
            SECTION_ADVANCED: {
                CONF_RTSP_TRANSPORT: camera[CONF_RTSP_TRANSPORT],
                CONF_VERIFY_SSL: camera[CONF_VERIFY_SSL],
            }
        }

    def _echo(self, typed: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was typed for the form to keep, with credentials taken out of the addresses."""
        echo = dict(typed)
        for key in (CONF_URL, CONF_DETECT_URL, CONF_USERNAME, CONF_PASSWORD):
            if source[key] and source[key] != self._stored_password:
                echo[key] = source[key]
        return echo

    @property
    def _stored_password(self) -> str:
        return "" if self._subentry is None else str(self._subentry.data[CONF_PASSWORD])

    def _read_source(self, typed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the source that was typed, credentials apart from the addresses, and what is wrong."""
        errors: dict[str, str] = {}
        source = {
            CONF_SOURCE: SOURCE_URL,
            CONF_URL: "",
            CONF_DETECT_URL: "",
            CONF_USERNAME: typed.get(CONF_USERNAME, "").strip(),
            CONF_PASSWORD: typed.get(CONF_PASSWORD, ""),
            **typed[SECTION_ADVANCED],
        }
        for key in (CONF_URL, CONF_DETECT_URL):
            address = typed.get(key, "").strip()
            if key == CONF_DETECT_URL and not address:
                continue
            try:
                source[key], username, password = split_credentials(validate_url(address))
            except SourceError as err:
                errors[key] = err.code
                continue
            if placeholder := next((text for text in PLACEHOLDERS if text in address), None):
                errors[key] = PLACEHOLDERS[placeholder]
            if not source[CONF_USERNAME]:
                source[CONF_USERNAME], source[CONF_PASSWORD] = username, password
        if source[CONF_USERNAME] and not source[CONF_PASSWORD]:
            source[CONF_PASSWORD] = self._stored_password
        if not errors and self._is_watched(url=source[CONF_URL]):
            errors[CONF_URL] = "already_configured"
        if not errors and source[CONF_DETECT_URL] and same_address(source[CONF_URL], source[CONF_DETECT_URL]):
            errors[CONF_DETECT_URL] = "same_address"
        return source, errors


def _brand_addresses(typed: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the brand's addresses, on another port where one was typed after the host."""
    host, colon, port = typed[CONF_HOST].strip().rpartition(":")
    if not colon or ":" in host or not port.isdecimal():  # no port, or a bare IPv6 address
        return addresses(typed[CONF_BRAND], typed[CONF_HOST].strip(), int(typed[CONF_CHANNEL]))
    main, sub = addresses(typed[CONF_BRAND], host, int(typed[CONF_CHANNEL]))
    moved = [url and urlsplit(url)._replace(netloc=f"{host}:{port}").geturl() for url in (main, sub)]
    return moved[0] or "", moved[1]


async def _async_open(hass: HomeAssistant, source: Mapping[str, Any]) -> Picture | dict[str, str]:
    """Open both addresses at once; return the main one's picture, or an error by field."""
    keys = [key for key in (CONF_URL, CONF_DETECT_URL) if source[key]]
    found = await asyncio.gather(*(_async_try(hass, source_config(source, source[key])) for key in keys))
    errors = {
        key: result.code for key, result in zip(keys, found, strict=True) if isinstance(result, SourceError)
    }
    return errors or next(result for result in found if isinstance(result, Picture))


async def _async_try(hass: HomeAssistant, config: SourceConfig) -> Picture | SourceError:
    try:
        return await async_probe(hass, config)
    except SourceError as err:
        return err
