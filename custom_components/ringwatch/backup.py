"""Before a backup the catalogue becomes one file and nothing is moved or deleted; recording goes on."""

from homeassistant.core import HomeAssistant

from .clip_views import async_recordings


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Hold still. Never raises: a clip store that is slow is no reason to have no backup."""
    if (recordings := async_recordings(hass)) is not None:
        await hass.async_add_executor_job(recordings.store.pause)


async def async_post_backup(hass: HomeAssistant) -> None:
    """Go on."""
    if (recordings := async_recordings(hass)) is not None:
        recordings.store.resume()
