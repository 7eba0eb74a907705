"""Hosting a neighborhood: what it is, how neighbors reach its hub, a look from outside, and its founding."""

import asyncio
from ipaddress import ip_network
from pathlib import Path
import ssl
import time
from typing import TYPE_CHECKING, Any, Final, override

import aiohttp
import probatio

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import CONF_LATITUDE, CONF_LOCATION, CONF_LONGITUDE, CONF_NAME, CONF_RADIUS
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    LocationSelector,
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
    CONF_ALLOW_HTTP,
    CONF_CERTIFICATE,
    CONF_CONFIRM,
    CONF_HANDLE,
    CONF_HOSTED,
    CONF_HUB_KEY,
    CONF_HUB_URL,
    CONF_KEY,
    CONF_NEIGHBORHOOD,
    CONF_PORT,
    CONF_PRIVATE_KEY,
    CONF_PROXIES,
    CONF_TLS,
    HUB_PORT,
    TLS_CERTIFICATE,
    TLS_NONE,
    TLS_PROXY,
)
from .flow_hood import NeighborhoodFlowBase, StepInput, hub_error
from .hub.config import MAX_HOODS
from .hub_process import HubFailedError, hub_settings, with_host
from .neighborhood.bodies.people import (
    MAX_NAME,
    MAX_RADIUS_M,
    MAX_RULES,
    MEDIA_DAYS,
    MIN_RADIUS_M,
    POST_DAYS,
    RADIUS_M,
    Founding,
    Mode,
)
from .neighborhood.envelope import Record
from .neighborhood.hub_client import HubError
from .neighborhood.invites import check_hub_url
from .neighborhood.joining import async_found
from .neighborhood.keys import PrivateKey
from .neighborhood.places import Place, snap_degrees
from .neighborhood.text import check_handle, clean
from .neighborhood.violations import BadField, BadLink, BadText

if TYPE_CHECKING:
    from .neighborhoods import Neighborhoods

CONF_MODERATION: Final = "moderation"
CONF_RULES: Final = "rules"
CONF_AGREE: Final = "agree"

# All that hosted neighborhoods have in common, as one hub carries them
NETWORK_KEYS: Final = (
    CONF_HUB_URL,
    CONF_PORT,
    CONF_TLS,
    CONF_CERTIFICATE,
    CONF_PRIVATE_KEY,
    CONF_PROXIES,
    CONF_ALLOW_HTTP,
)
PROXIES: Final = [
    "127.0.0.1/32",
    "::1/128",
    "172.30.32.0/23",
]  # this machine, and Home Assistant OS's add-ons
READ_AGAIN_S: Final = 5.0
SAME_UPTIME_S: Final = 5  # between asking a hub here and asking it from outside

RULES_FIELDS: Final = {
    probatio.Required(CONF_MODERATION): SelectSelector(
        SelectSelectorConfig(
            options=[Mode.AFTER.value, Mode.BEFORE.value],
            mode=SelectSelectorMode.LIST,
            translation_key="moderation",
        )
    ),
    probatio.Optional(CONF_RULES): TextSelector(TextSelectorConfig(multiline=True)),
}
HOST_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_NAME): TextSelector(),
        probatio.Required(CONF_HANDLE): TextSelector(),
        probatio.Required(CONF_LOCATION): LocationSelector({"radius": True, "icon": "mdi:home-group"}),
        **RULES_FIELDS,
    }
)
AMEND_SCHEMA: Final = probatio.Schema({probatio.Required(CONF_NAME): TextSelector(), **RULES_FIELDS})
NETWORK_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_HUB_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        probatio.Required(CONF_PORT): NumberSelector(
            NumberSelectorConfig(min=1024, max=65535, mode=NumberSelectorMode.BOX)
        ),
        probatio.Required(CONF_TLS): SelectSelector(
            SelectSelectorConfig(
                options=[TLS_PROXY, TLS_CERTIFICATE, TLS_NONE],
                mode=SelectSelectorMode.LIST,
                translation_key="tls",
            )
        ),
        probatio.Optional(CONF_PROXIES): TextSelector(TextSelectorConfig(multiple=True)),
        probatio.Optional(CONF_CERTIFICATE): TextSelector(),
        probatio.Optional(CONF_PRIVATE_KEY): TextSelector(),
    }
)
EXPOSE_SCHEMA: Final = probatio.Schema({probatio.Required(CONF_AGREE, default=False): BooleanSelector()})


class HostingSteps(NeighborhoodFlowBase):
    """Found a neighborhood, or change how it is hosted."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self._named: dict[str, Any] = {}
        self._place: Place | None = None
        self._lender: Neighborhoods | None = None

    @callback
    @override
    def async_remove(self) -> None:
        """Take back the hub that ran for this flow, unless a neighborhood has come of it."""
        if self._lender is not None:
            self._lender.async_take_back(self.flow_id)

    async def async_step_host(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask what the neighborhood is."""
        self._check_room()
        errors: dict[str, str] = {}
        shown = user_input or {
            CONF_LOCATION: {
                CONF_LATITUDE: self.hass.config.latitude,
                CONF_LONGITUDE: self.hass.config.longitude,
                CONF_RADIUS: RADIUS_M,
            },
            CONF_MODERATION: Mode.AFTER.value,
        }
        if user_input is not None:
            errors = self._read_named(user_input)
            if not errors:
                return await self._async_to_network()
        return self.async_show_form(
            step_id="host",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(HOST_SCHEMA, shown),
            errors=errors,
            description_placeholders={
                "least": f"{MIN_RADIUS_M / 1000:.1f}",
                "most": f"{MAX_RADIUS_M / 1000:.0f}",
            },
        )

    def _check_room(self) -> None:
        if self._neighborhoods.hosts_most:
            raise AbortFlow("too_many_neighborhoods", {"most": str(MAX_HOODS)})

    async def _async_to_network(self) -> SubentryFlowResult:
        """Ask how the hub is reached, unless that is known of another neighborhood: one hub carries all."""
        if not (hosted := self._hosted()):
            return await self.async_step_network()
        self._data = {key: hosted[0].data[key] for key in NETWORK_KEYS}
        return await self._async_look_from_outside()

    def _read_named(self, user_input: dict[str, Any]) -> dict[str, str]:
        errors: dict[str, str] = {}
        self._named = user_input | {
            CONF_NAME: clean(user_input[CONF_NAME], MAX_NAME),
            CONF_RULES: clean(user_input.get(CONF_RULES, ""), MAX_RULES, lines=True),
        }
        if not self._named[CONF_NAME]:
            errors[CONF_NAME] = "no_name"
        try:
            check_handle(user_input[CONF_HANDLE])
        except BadText:
            errors[CONF_HANDLE] = "bad_handle"
        where = user_input[CONF_LOCATION]
        if not MIN_RADIUS_M <= where.get(CONF_RADIUS, 0) <= MAX_RADIUS_M:
            errors[CONF_LOCATION] = "bad_radius"
        try:
            self._place = snap_degrees(where[CONF_LATITUDE], where[CONF_LONGITUDE])
        except BadField:
            errors[CONF_LOCATION] = "bad_place"
        return errors

    async def async_step_network(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask how neighbors reach the hub, and start it."""
        errors: dict[str, str] = {}
        shown = {CONF_PORT: HUB_PORT, CONF_TLS: TLS_PROXY, CONF_PROXIES: PROXIES} | (user_input or {})
        if user_input is not None:
            errors = await self._async_read_network(user_input)
            if not errors:
                try:
                    await self._async_start_hub()
                except HubFailedError as err:
                    errors["base"] = f"hub_{err.code}"
                else:
                    return await self._async_look_from_outside()
        return self.async_show_form(
            step_id="network",
            last_step=False,
            data_schema=self.add_suggested_values_to_schema(NETWORK_SCHEMA, shown),
            errors=errors,
            description_placeholders={"example": "https://neighbors.example.org"},
        )

    async def _async_read_network(self, user_input: dict[str, Any]) -> dict[str, str]:
        errors: dict[str, str] = {}
        tls = user_input[CONF_TLS]
        data = {
            CONF_PORT: int(user_input[CONF_PORT]),
            CONF_TLS: tls,
            CONF_CERTIFICATE: user_input.get(CONF_CERTIFICATE, "").strip() if tls == TLS_CERTIFICATE else "",
            CONF_PRIVATE_KEY: user_input.get(CONF_PRIVATE_KEY, "").strip() if tls == TLS_CERTIFICATE else "",
            CONF_PROXIES: list(user_input.get(CONF_PROXIES, ())) if tls == TLS_PROXY else [],
            CONF_ALLOW_HTTP: tls == TLS_NONE,
        }
        try:
            data[CONF_HUB_URL] = check_hub_url(
                user_input[CONF_HUB_URL].strip().rstrip("/"), allow_http=tls == TLS_NONE
            )
        except BadLink:
            errors[CONF_HUB_URL] = "bad_url"
        if tls == TLS_CERTIFICATE and not await self.hass.async_add_executor_job(
            _is_certificate, data[CONF_CERTIFICATE], data[CONF_PRIVATE_KEY]
        ):
            errors[CONF_CERTIFICATE] = "bad_certificate"
        if tls == TLS_PROXY and not _are_networks(data[CONF_PROXIES]):
            errors[CONF_PROXIES] = "bad_proxy"
        self._data |= data
        return errors

    async def _async_start_hub(self, *hosts: str) -> None:
        neighborhoods = self._neighborhoods
        settings = hub_settings(self._data)
        for host in hosts:
            settings = with_host(settings, host)
        self._lender = neighborhoods
        await neighborhoods.async_lend(self.flow_id, settings)
        await neighborhoods.hub.async_ready()

    async def _async_look_from_outside(self) -> SubentryFlowResult:
        """Ask the public address who answers there, and say what came of it."""
        hub = self._neighborhoods.hub
        try:
            here = await hub.async_ask_health()
            there = await hub.async_ask_health(self._data[CONF_HUB_URL])
        except HubError:
            return await self.async_step_other()
        except aiohttp.ClientError, TimeoutError:
            return await self.async_step_unreached()
        up_s = there.get("uptime_s")
        if isinstance(up_s, int | float) and abs(here["uptime_s"] - up_s) <= SAME_UPTIME_S:
            return await self.async_step_reached()
        return await self.async_step_other()

    async def async_step_reached(self, user_input: StepInput = None) -> SubentryFlowResult:
        """The public address leads to this hub."""
        return await self._async_expose("reached", user_input)

    async def async_step_unreached(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Nobody answers at the public address, as seen from here."""
        return await self._async_expose("unreached", user_input)

    async def async_step_other(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Somebody else answers at the public address."""
        return await self._async_expose("other", user_input)

    async def _async_expose(self, step_id: str, user_input: StepInput) -> SubentryFlowResult:
        """Say what it means to go on; go on once the owner agrees."""
        errors: dict[str, str] = {}
        error = ""
        if user_input is not None:
            if not user_input[CONF_AGREE]:
                errors[CONF_AGREE] = "not_agreed"
            else:
                try:
                    return await self._async_host()
                except HubFailedError as err:
                    errors["base"] = f"hub_{err.code}"
                except HubError as err:
                    errors["base"], error = hub_error(err), err.violation or err.about
                except OSError:
                    errors["base"] = "hub_data"
        return self.async_show_form(
            step_id=step_id,
            data_schema=EXPOSE_SCHEMA,
            errors=errors,
            description_placeholders={
                "name": self._named[CONF_NAME],
                "url": self._data[CONF_HUB_URL],
                "port": str(self._data[CONF_PORT]),
                "error": error,
                "most": str(MAX_HOODS),
            },
        )

    async def _async_host(self) -> SubentryFlowResult:
        """Host what was described. Raise HubFailedError, HubError or OSError."""
        return await self._async_found()

    async def _async_found(self) -> SubentryFlowResult:
        neighborhoods = self._neighborhoods
        key = await neighborhoods.keys.async_create()
        await self._async_start_hub(key.public)
        ready = await neighborhoods.hub.async_ready()
        named = self._named
        founding = Founding(
            name=named[CONF_NAME],
            handle=named[CONF_HANDLE],
            center=self._place or snap_degrees(0, 0),
            radius_m=round(named[CONF_LOCATION][CONF_RADIUS]),
            hub_key=ready.hub_key,
            mode=Mode(named[CONF_MODERATION]),
            post_days=POST_DAYS,
            media_days=MEDIA_DAYS,
            rules=named[CONF_RULES],
        )
        record = await self._async_ask_hub(neighborhoods.hub.url, key, founding)
        return self.create(founding.name, record.id, key.public, ready.hub_key, founding.handle)

    def create(self, name: str, neighborhood: str, key: str, hub_key: str, handle: str) -> SubentryFlowResult:
        """Make the subentry of a neighborhood that is hosted here."""
        return self.async_create_entry(
            title=name,
            data={
                CONF_HOSTED: True,
                CONF_NEIGHBORHOOD: neighborhood,
                CONF_KEY: key,
                CONF_HUB_KEY: hub_key,
                CONF_HANDLE: handle,
                CONF_CONFIRM: True,
                **{name: self._data[name] for name in NETWORK_KEYS},
            },
        )

    async def _async_ask_hub(self, url: str, key: PrivateKey, founding: Founding) -> Record:
        """Have our hub take the founding. That this key may, it was told a moment ago and has to read."""
        session = async_get_clientsession(self.hass, verify_ssl=False)  # our own, on this machine
        deadline_s = time.monotonic() + READ_AGAIN_S
        while True:
            try:
                return await async_found(session, url, key, founding)
            except HubError as err:
                if err.violation not in {"not_found", "host_only"} or time.monotonic() > deadline_s:
                    raise
            await asyncio.sleep(0.1)


def _is_certificate(certificate: str, private_key: str) -> bool:
    """Tell whether two files are a certificate and its key."""
    if not Path(certificate).is_file() or not Path(private_key).is_file():
        return False
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, private_key, password="")
    except OSError, ValueError:
        return False
    return True


def _are_networks(texts: list[str]) -> bool:
    try:
        return bool([ip_network(text.strip()) for text in texts])
    except ValueError:
        return False
