"""Clips as the panel shows them: with addresses that a player can open."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from homeassistant.auth.models import User
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, callback

from .clip_views import async_may, clip_path, thumbnail_path
from .clips import Clip

SIGNED_FOR: Final = timedelta(hours=1)


@callback
def async_clip_forms(hass: HomeAssistant, user: User, clips: Iterable[Clip]) -> list[dict[str, Any]]:
    """Return those of the clips that a user may see."""
    return [
        {
            "id": clip.id,
            "camera_id": clip.camera_id,
            "camera": clip.camera_name,
            "start_ms": round(clip.start.timestamp() * 1000),
            "end_ms": round(clip.end.timestamp() * 1000),
            "duration_s": clip.duration_s,
            "has_sound": clip.has_sound,
            "size_bytes": clip.size_bytes,
            "width": clip.width,
            "height": clip.height,
            "codec": clip.codec,
            "thumbnail": async_sign_path(hass, thumbnail_path(clip), SIGNED_FOR),
            "clip": async_sign_path(hass, clip_path(clip), SIGNED_FOR),
        }
        for clip in clips
        if async_may(hass, user, clip.camera_id)
    ]
