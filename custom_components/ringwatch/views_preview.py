"""The picture a camera flow shows before anything is saved.

A flow keeps one JPEG here, in memory, under its own id; it is served to signed-in browsers only
and dropped when the flow ends. Nothing about the camera, its address least of all, is in the URL.
"""

from datetime import timedelta
from http import HTTPStatus

from aiohttp import hdrs, web

from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

SIGNED_FOR = timedelta(minutes=15)  # as long as somebody may sit before the form
URL = f"/api/{DOMAIN}/preview/{{flow_id}}"


class Previews(HomeAssistantView):
    """The pictures of the flows in progress, and the view that serves them."""

    url = URL
    name = f"api:{DOMAIN}:preview"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Start with no picture."""
        self._hass = hass
        self._jpegs: dict[str, bytes] = {}

    @callback
    def async_show(self, flow_id: str, jpeg: bytes) -> str:
        """Keep the flow's picture and return the signed path to it."""
        self._jpegs[flow_id] = jpeg
        return async_sign_path(self._hass, URL.format(flow_id=flow_id), SIGNED_FOR)

    @callback
    def async_drop(self, flow_id: str) -> None:
        """Forget the flow's picture, if it has one."""
        self._jpegs.pop(flow_id, None)

    async def get(self, request: web.Request, flow_id: str) -> web.Response:
        """Serve the picture of a flow in progress."""
        if (jpeg := self._jpegs.get(flow_id)) is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.Response(
            body=jpeg,
            content_type="image/jpeg",
            headers={hdrs.CACHE_CONTROL: "no-store"},
        )


@singleton(HassKey[Previews](f"{DOMAIN}.previews"))
@callback
def async_get_previews(hass: HomeAssistant) -> Previews:
    """Return the previews, with their view registered."""
    previews = Previews(hass)
    hass.http.register_view(previews)
    return previews
