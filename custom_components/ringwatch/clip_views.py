"""The addresses of a clip and its picture, and a clip as Home Assistant's answers and events tell it."""

from http import HTTPStatus
from pathlib import Path
import sqlite3
from typing import TYPE_CHECKING, Any, Final, override

from aiohttp import hdrs, web

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.http import HomeAssistantView

from .clips import Clip, UnsafePathError
from .clips.thumbnail import tile
from .const import DOMAIN

if TYPE_CHECKING:
    from .recording import Recordings

CLIP_URL: Final = f"/api/{DOMAIN}/clip/{{clip_id}}"
THUMBNAIL_URL: Final = f"/api/{DOMAIN}/clip/{{clip_id}}/thumbnail"
TILE_URL: Final = f"/api/{DOMAIN}/clip/{{clip_id}}/tile"
VIDEO: Final = "video/mp4"
JPEG: Final = "image/jpeg"
CACHED: Final = {hdrs.CACHE_CONTROL: "private, max-age=3600"}


def clip_path(clip: Clip) -> str:
    """Return the plain address of a clip; it needs a login."""
    return CLIP_URL.format(clip_id=clip.id)


def thumbnail_path(clip: Clip) -> str:
    """Return the plain address of a clip's picture; it needs a login."""
    return THUMBNAIL_URL.format(clip_id=clip.id)


def tile_path(clip: Clip) -> str:
    """Return the plain address of the square part of a clip's picture; it needs a login."""
    return TILE_URL.format(clip_id=clip.id)


def clip_answer(clip: Clip) -> dict[str, Any]:
    """Return what actions and events say of a clip."""
    return {
        "id": clip.id,
        "camera": clip.camera_name,
        "start": clip.start.isoformat(),
        "end": clip.end.isoformat(),
        "onset": clip.onset.isoformat() if clip.onset else None,
        "duration_s": round(clip.duration_s, 1),
        "triggers": sorted(clip.triggers),
        "zones": sorted(clip.zones),
        "score": round(clip.score, 3),
        "clip": clip_path(clip),
        "thumbnail": thumbnail_path(clip),
        "size_bytes": clip.size_bytes,
        "has_sound": clip.has_sound,
        "protected": clip.protected,
        "shared": list(clip.shared),
    }


@callback
def async_recordings(hass: HomeAssistant) -> Recordings | None:
    """Return the clips of the loaded entry."""
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        found: Recordings = entry.runtime_data.recordings
        return found
    return None


@callback
def async_may(hass: HomeAssistant, user: User, camera_id: str, policy: str = POLICY_READ) -> bool:
    """Tell whether a user may see (or control) a camera; of one that is gone, only administrators know."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(CAMERA_DOMAIN, DOMAIN, f"{camera_id}_camera")
    return user.is_admin if entity_id is None else user.permissions.check_entity(entity_id, policy)


class ClipView(HomeAssistantView):
    """Serves clips, a part of one where a player asks for that."""

    url = CLIP_URL
    name = f"api:{DOMAIN}:clip"
    requires_auth = True

    def __init__(self, hass: HomeAssistant) -> None:
        """Know where the clips are."""
        self._hass = hass

    async def get(self, request: web.Request, clip_id: str) -> web.StreamResponse:
        """Answer with the file, or with "not found" for one that is gone or not for this user."""
        return await self._async_serve(request, clip_id, VIDEO)

    async def _async_serve(self, request: web.Request, clip_id: str, content_type: str) -> web.StreamResponse:
        found = await self._async_find(request, clip_id, video=content_type == VIDEO)
        if found is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.FileResponse(found[1], headers={hdrs.CONTENT_TYPE: content_type} | CACHED)

    async def _async_find(
        self, request: web.Request, clip_id: str, *, video: bool
    ) -> tuple[Clip, Path] | None:
        """Return a clip and its file or picture, None for one that is gone or not for this user."""
        recordings = async_recordings(self._hass)
        if recordings is None:
            return None
        found = await self._hass.async_add_executor_job(find_clip, recordings, clip_id, video)
        if found is None or not async_may(self._hass, request[KEY_HASS_USER], found[0].camera_id):
            return None
        return found


class ThumbnailView(ClipView):
    """Serves the pictures of clips."""

    url = THUMBNAIL_URL
    name = f"api:{DOMAIN}:clip:thumbnail"

    @override
    async def get(self, request: web.Request, clip_id: str) -> web.StreamResponse:
        """Answer with the picture."""
        return await self._async_serve(request, clip_id, JPEG)


class TileView(ClipView):
    """Serves the square part of the picture that shows where something moved, for the media browser."""

    url = TILE_URL
    name = f"api:{DOMAIN}:clip:tile"

    @override
    async def get(self, request: web.Request, clip_id: str) -> web.StreamResponse:
        """Answer with the part of the picture."""
        found = await self._async_find(request, clip_id, video=False)
        jpeg = b"" if found is None else await self._hass.async_add_executor_job(_tile, *found)
        if not jpeg:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.Response(body=jpeg, content_type=JPEG, headers=CACHED)


def _tile(clip: Clip, picture: Path) -> bytes:
    try:
        return tile(picture.read_bytes(), clip.moments[0].boxes if clip.moments else ())
    except OSError:  # deleted meanwhile
        return b""


def find_clip(recordings: Recordings, clip_id: str, video: bool) -> tuple[Clip, Path] | None:
    """Return a clip and its file or picture, None if either is gone. Blocks."""
    try:
        clip = recordings.store.questions.get(clip_id)
        if clip is None:
            return None
        path = recordings.store.storage.path(clip.path if video else clip.thumbnail)
    except OSError, sqlite3.Error, UnsafePathError:
        return None
    # Whoever can write to the folder could have put a link to anything in the place of a clip.
    if path.is_file() and not path.is_symlink():
        return clip, path
    recordings.store.compare_soon()  # somebody deleted it by hand
    return None
