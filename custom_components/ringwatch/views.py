"""The address of a snapshot: for signed-in users who may see the camera."""

from http import HTTPStatus

from aiohttp import hdrs, web

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.http import HomeAssistantView

from .const import DOMAIN
from .snapshots import URL, Snapshots


class SnapshotView(HomeAssistantView):
    """Serves the pictures of the last events."""

    url = URL
    name = f"api:{DOMAIN}:snapshot"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Know where the cameras are."""
        self._hass = hass

    async def get(self, request: web.Request, subentry_id: str, snapshot_id: str) -> web.Response:
        """Answer with the picture, or with "not found" for one that is gone or not for this user."""
        snapshots = self._snapshots(subentry_id)
        jpeg = snapshots.get(snapshot_id) if snapshots else None
        if jpeg is None or not self._may_see(request[KEY_HASS_USER], subentry_id):
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.Response(
            body=jpeg, content_type="image/jpeg", headers={hdrs.CACHE_CONTROL: "private, max-age=300"}
        )

    def _snapshots(self, subentry_id: str) -> Snapshots | None:
        for entry in self._hass.config_entries.async_loaded_entries(DOMAIN):
            if (coordinator := entry.runtime_data.cameras.get(subentry_id)) is not None:
                found: Snapshots = coordinator.snapshots
                return found
        return None

    def _may_see(self, user: User, subentry_id: str) -> bool:
        registry = er.async_get(self._hass)
        entity_id = registry.async_get_entity_id(CAMERA_DOMAIN, DOMAIN, f"{subentry_id}_camera")
        return entity_id is not None and user.permissions.check_entity(entity_id, POLICY_READ)
