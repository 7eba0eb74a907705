"""Who it is that looks and sends: a person's ordinary login, nothing else.

A long-lived token or Home Assistant's own user is some program's; an address that was signed can be handed
on. What another program inside Home Assistant with a person's password could do, this can't tell.
"""

from typing import Final

from aiohttp import hdrs, web

from homeassistant.auth.models import TOKEN_TYPE_NORMAL, User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .footage.confirming import Login
from .footage_home import Footage
from .neighborhood_access import async_may_use

BEARER: Final = "Bearer "


@callback
def async_footage(hass: HomeAssistant) -> Footage | None:
    """Return what answers requests, of the loaded entry."""
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        found: Footage = entry.runtime_data.footage
        return found
    return None


@callback
def async_may_answer(hass: HomeAssistant, user: User, subentry_id: str) -> bool:
    """Tell whether a user may look at a neighborhood's answers, and send them."""
    return user.is_active and async_may_use(hass, user, subentry_id, POLICY_CONTROL)


@callback
def login_of_token(hass: HomeAssistant, refresh_token_id: str | None) -> Login | None:
    """Return the login of a refresh token, None for one that is not a person's."""
    token = None if refresh_token_id is None else hass.auth.async_get_refresh_token(refresh_token_id)
    if token is None or token.token_type != TOKEN_TYPE_NORMAL:
        return None
    if token.user.system_generated or not token.user.is_active:
        return None
    return Login(token.user.id, token.id)


@callback
def login_of_header(hass: HomeAssistant, request: web.Request) -> Login | None:
    """Return the login whose own header a request has."""
    header = request.headers.get(hdrs.AUTHORIZATION, "")
    if not header.startswith(BEARER):
        return None
    token = hass.auth.async_validate_access_token(header.removeprefix(BEARER))
    return None if token is None else login_of_token(hass, token.id)
