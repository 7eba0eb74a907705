"""Who of Home Assistant's users may read a neighborhood, or write in it: as with its event."""

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .const import DOMAIN


def async_may_use(hass: HomeAssistant, user: User, subentry_id: str, policy: str = POLICY_READ) -> bool:
    """Tell whether a user may read (or write in) a neighborhood: as its event may be seen or controlled."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(Platform.EVENT, DOMAIN, f"{subentry_id}_feed")
    return user.is_admin if entity_id is None else user.permissions.check_entity(entity_id, policy)


async def async_all_may_write(hass: HomeAssistant, subentry_id: str) -> bool:
    """Tell whether there is nobody here who may not: then all may see what is about to be sent."""
    return all(
        async_may_use(hass, user, subentry_id, POLICY_CONTROL)
        for user in await hass.auth.async_get_users()
        if user.is_active and not user.system_generated
    )
