"""Before a backup the databases become whole files and nothing is moved or deleted; recording goes on.

The neighborhoods and the hub are ended until it is over: what neighbors write meanwhile waits with them.
The answers to footage requests and their log are closed, and nothing is sent.
"""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant

from .clip_views import async_recordings
from .const import DOMAIN

if TYPE_CHECKING:
    from .data import RingwatchData


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Hold still. Never raises: a clip store that is slow is no reason to have no backup."""
    if (recordings := async_recordings(hass)) is not None:
        await hass.async_add_executor_job(recordings.store.pause)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        data: RingwatchData = entry.runtime_data
        await data.footage.async_pause()
        await data.neighborhoods.async_pause()


async def async_post_backup(hass: HomeAssistant) -> None:
    """Go on."""
    if (recordings := async_recordings(hass)) is not None:
        recordings.store.resume()
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        data: RingwatchData = entry.runtime_data
        await data.neighborhoods.async_resume()
        await data.footage.async_resume()
