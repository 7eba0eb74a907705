"""The addresses of clips and pictures of posts, of what waits to be sent, and of an invite's QR code.

All need a login or a signature. What others made is served as the type that was announced and checked, never
sniffed, and in a sandbox: nothing of it can run on Home Assistant's origin.
"""

import asyncio
from http import HTTPStatus
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import HomeAssistantView

from .const import DOMAIN
from .neighborhood.bodies.feed import Media, MediaType
from .neighborhood.hub_client import HubError
from .neighborhood.keys import is_digest
from .neighborhood.ledger import Ledger
from .neighborhood.state import may_see_body
from .neighborhood_access import async_may_use
from .neighborhood_answers import MEDIA_URL
from .pending_posts import PENDING_URL

if TYPE_CHECKING:
    from .neighborhood_home import Neighborhood
    from .neighborhoods import Neighborhoods

_LOGGER = logging.getLogger(__name__)

AT_ONCE: Final = 3  # downloads from hubs
INVITE_URL: Final = f"/api/{DOMAIN}/invite/{{picture_id}}"
SUFFIXES: Final = {MediaType.MP4: ".mp4", MediaType.JPEG: ".jpg"}
SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; "
    "style-src 'unsafe-inline'; sandbox",
    hdrs.CACHE_CONTROL: "private, no-store",  # so that what is withdrawn is gone
}


@callback
def async_neighborhoods(hass: HomeAssistant) -> Neighborhoods | None:
    """Return the neighborhoods of the loaded entry."""
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        found: Neighborhoods = entry.runtime_data.neighborhoods
        return found
    return None


class MediaView(HomeAssistantView):
    """Serves clips and pictures of posts; fetches them from the hub if they aren't here."""

    url = MEDIA_URL
    name = f"api:{DOMAIN}:neighborhood:media"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Let only some downloads run at once."""
        self._hass = hass
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def get(
        self, request: web.Request, subentry_id: str, item_id: str, digest: str
    ) -> web.StreamResponse:
        """Answer with the file, or with "not found" for one that is gone or not for this user."""
        neighborhoods = async_neighborhoods(self._hass)
        running = neighborhoods.get(subentry_id) if neighborhoods else None
        if (
            running is None
            or not is_digest(item_id)
            or not async_may_use(self._hass, request[KEY_HASS_USER], subentry_id)
        ):
            return web.Response(status=HTTPStatus.NOT_FOUND)
        try:
            media = await running.home.async_ask(lambda ledger: _find(ledger, running, item_id, digest))
            if media is None:
                return web.Response(status=HTTPStatus.NOT_FOUND)
            async with self._slots:
                path = await running.home.async_media(media)
        except (HubError, OSError) as err:
            _LOGGER.debug("A clip of %s did not come: %s", running.title, err)
            return web.Response(status=HTTPStatus.BAD_GATEWAY)
        return _file(path, media.type, digest[:16] + SUFFIXES[media.type])


class PendingView(HomeAssistantView):
    """Serves what would be sent, exactly, to those who may send it."""

    url = PENDING_URL
    name = f"api:{DOMAIN}:pending"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Know where it is."""
        self._hass = hass

    async def get(self, request: web.Request, pending_id: str, name: str) -> web.StreamResponse:
        """Answer with the file, or with "not found" for one that is gone or not for this user."""
        neighborhoods = async_neighborhoods(self._hass)
        post = neighborhoods.pending.get(pending_id) if neighborhoods else None
        if neighborhoods is None or post is None or name not in post.files:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        user = request[KEY_HASS_USER]
        # The content user is who follows a signed address in a notification; that was made for this file.
        if not user.system_generated and not async_may_use(
            self._hass, user, post.subentry_id, POLICY_CONTROL
        ):
            return web.Response(status=HTTPStatus.NOT_FOUND)
        kind = MediaType.MP4 if name.endswith(".mp4") else MediaType.JPEG
        return _file(neighborhoods.pending.folder / post.id / name, kind, name)


class InviteView(HomeAssistantView):
    """Serves the QR codes of invites that were just made."""

    url = INVITE_URL
    name = f"api:{DOMAIN}:invite"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Know where they are."""
        self._hass = hass

    async def get(self, request: web.Request, picture_id: str) -> web.Response:
        """Answer with the picture, for administrators or by a signed address."""
        neighborhoods = async_neighborhoods(self._hass)
        picture = neighborhoods.invite_pictures.get(picture_id) if neighborhoods else None
        user = request[KEY_HASS_USER]
        # Whoever follows a signed address of an automation's is Home Assistant's content user
        if picture is None or not (user.is_admin or user.system_generated):
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.Response(body=picture, content_type="image/png", headers=SAFE)


def _find(ledger: Ledger, running: Neighborhood, item_id: str, digest: str) -> Media | None:
    """Return one of an item's files if this home may see it. In the ledger's thread."""
    item = ledger.state.item(item_id)
    me = ledger.state.subject_of(running.home.public_key)
    if item is None or item.media_gone or not may_see_body(item, me):
        return None
    return next((media for media in item.media if media.sha256 == digest), None)


def _file(path: Path, kind: MediaType, name: str) -> web.FileResponse:
    disposition = f'inline; filename="{name}"'
    return web.FileResponse(
        path, headers=SAFE | {hdrs.CONTENT_TYPE: kind.value, hdrs.CONTENT_DISPOSITION: disposition}
    )
