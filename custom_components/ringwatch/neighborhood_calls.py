"""What all actions on neighborhoods share: which one is meant, who may, and what goes wrong."""

from collections.abc import Callable
import sqlite3
from typing import Any, Final, cast

import probatio

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import config_validation as cv, device_registry as dr

from .clip_actions import async_user
from .const import DOMAIN
from .neighborhood.bodies import Body
from .neighborhood.keys import is_digest
from .neighborhood.ledger import Ledger
from .neighborhood_access import async_may_use
from .neighborhood_home import Neighborhood
from .neighborhood_views import async_neighborhoods
from .neighborhoods import Neighborhoods
from .posting import async_submit, disk_failed, refused

_NEIGHBORHOOD: Final = {probatio.Optional(ATTR_DEVICE_ID): cv.string}

type Handler = Callable[[NeighborhoodCall], Any]


class NeighborhoodCall:
    """One call: who, where, what."""

    def __init__(
        self,
        hass: HomeAssistant,
        call: ServiceCall,
        neighborhoods: Neighborhoods,
        neighborhood: Neighborhood,
        user: User | None,
    ) -> None:
        self.hass = hass
        self.call = call
        self.data: dict[str, Any] = call.data
        self.neighborhoods = neighborhoods
        self.neighborhood = neighborhood
        self.user = user

    async def ask[T](self, question: Callable[[Ledger], T]) -> T:
        """Ask the neighborhood's copy."""
        return await self.neighborhood.home.async_ask(question)

    async def submit(self, body: Body) -> dict[str, Any]:
        """Sign something small, and answer with its id."""
        return {"id": (await async_submit(self.neighborhood, body)).id}


def async_registrar(hass: HomeAssistant) -> Callable[..., None]:
    """Return what registers an action: it finds the neighborhood, and refuses who may not."""

    def register(
        name: str,
        handler: Handler,
        schema: dict[Any, Any],
        *,
        response: SupportsResponse = SupportsResponse.OPTIONAL,
        policy: str = POLICY_CONTROL,
        admin: bool = False,
    ) -> None:
        async def handle(call: ServiceCall) -> ServiceResponse:
            neighborhoods = loaded(hass)
            neighborhood = _named(hass, neighborhoods, call.data.get(ATTR_DEVICE_ID))
            user = await async_user(hass, call)
            if user is not None and not (
                user.is_admin if admin else async_may_use(hass, user, neighborhood.subentry_id, policy)
            ):
                raise Unauthorized(context=call.context, permission=policy)
            try:
                answer = await handler(NeighborhoodCall(hass, call, neighborhoods, neighborhood, user))
            except (OSError, sqlite3.Error) as err:
                raise disk_failed(err) from err
            return cast(ServiceResponse, answer)

        hass.services.async_register(
            DOMAIN, name, handle, schema=probatio.Schema(_NEIGHBORHOOD | schema), supports_response=response
        )

    return register


def loaded(hass: HomeAssistant) -> Neighborhoods:
    """Return the neighborhoods. Raise HomeAssistantError while they don't run."""
    neighborhoods = async_neighborhoods(hass)
    if neighborhoods is None:
        raise refused(translation_key="not_loaded")
    if neighborhoods.paused:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="neighborhood_backup")
    return neighborhoods


def _named(hass: HomeAssistant, neighborhoods: Neighborhoods, device_id: str | None) -> Neighborhood:
    """Return the neighborhood that is meant: by its device, or the only one there is."""
    if device_id is None:
        running = list(neighborhoods)
        if not running:
            raise refused(translation_key="no_neighborhood")
        if len(running) > 1:
            names = ", ".join(sorted(one.title for one in running))
            raise refused(translation_key="which_neighborhood", names=names)
        return running[0]
    device = dr.async_get(hass).async_get(device_id)
    ids = {identifier for domain, identifier in device.identifiers if domain == DOMAIN} if device else set()
    found = next((one for one in neighborhoods if one.subentry_id in ids), None)
    if found is None:
        raise refused(translation_key="not_a_neighborhood")
    return found


def digest_of(text: str) -> str:
    """Return an id of the feed. Raise ServiceValidationError for what can't be one."""
    if not is_digest(text):
        raise refused(translation_key="bad_id", id=text[:20])
    return text
