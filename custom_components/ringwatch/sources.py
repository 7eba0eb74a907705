"""From a camera's subentry to something its threads can open.

An address is opened as it is. A camera entity is asked for its stream's address at every connection,
since many put a token into it that expires; one that has no stream is asked for stills instead.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import CancelledError, Future, TimeoutError as FutureTimeoutError
import threading
from typing import Any

from aiohttp import ClientError

from homeassistant.components.camera import (
    async_get_image,
    async_get_stream_source,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .const import (
    CONF_DECODING,
    CONF_DETECT_URL,
    CONF_ENTITY_ID,
    CONF_PASSWORD,
    CONF_PRESS,
    CONF_RTSP_TRANSPORT,
    CONF_SOURCE,
    CONF_STILL_INTERVAL_S,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
    DECODING_USUAL,
    PRESS_KEYS,
    PRESS_NONE,
    RECORD_KEYS,
    RTSP_TCP,
    RTSP_UDP,
    SOURCE_ENTITY,
)
from .pipeline import Mode
from .video import (
    NoVideo,
    Source,
    SourceConfig,
    StillSource,
    TimedOut,
    Unreachable,
    validate_url,
    with_credentials,
)
from .watcher import OpenSource

ENTITY_TIMEOUT_S = 10.0
POLL_S = 0.2  # how soon a thread that waits for the loop notices that it shall stop


def what_opens(camera: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what decides how a camera is opened; the rest of it changes without a new connection."""
    return {key: value for key, value in camera.items() if key not in PRESS_KEYS | RECORD_KEYS}


def decoding_mode(camera: Mapping[str, Any]) -> Mode:
    """Return whether everything is decoded, or key frames only while nothing moves."""
    decoding = camera[CONF_DECODING]
    if decoding == DECODING_USUAL:
        return Mode.AUTO if camera[CONF_PRESS] == PRESS_NONE else Mode.FULL
    return Mode(decoding)


def source_config(data: Mapping[str, Any], url: str) -> SourceConfig:
    """Describe how to open one of a camera's addresses."""
    return SourceConfig(
        url=url,
        username=data[CONF_USERNAME],
        password=data[CONF_PASSWORD],
        rtsp_transport=RTSP_UDP if data[CONF_RTSP_TRANSPORT] == RTSP_UDP else RTSP_TCP,
        verify_tls=data[CONF_VERIFY_SSL],
    )


def record_source(hass: HomeAssistant, data: Mapping[str, Any]) -> OpenSource:
    """Return how to open the source that is recorded."""
    if data[CONF_SOURCE] != SOURCE_ENTITY:
        config = source_config(data, data[CONF_URL])
        return lambda stop: Source(config, stop=stop)

    entity_id = data[CONF_ENTITY_ID]
    if interval_s := data[CONF_STILL_INTERVAL_S]:
        return lambda stop: StillSource(
            lambda: _wait(hass, _async_still(hass, entity_id), stop), interval_s, stop=stop
        )

    def open_entity(stop: threading.Event) -> Source:
        url = _wait(hass, async_get_stream_source(hass, entity_id), stop)
        if not url:
            raise NoVideo(f"{entity_id} has no stream")
        return Source(source_config(data, validate_url(url)), stop=stop)

    return open_entity


def detect_source(data: Mapping[str, Any]) -> OpenSource | None:
    """Return how to open the smaller stream in which motion is looked for, if there is one."""
    if not (url := data[CONF_DETECT_URL]):
        return None
    config = source_config(data, url)
    return lambda stop: Source(config, stop=stop)


async def async_live_source(hass: HomeAssistant, data: Mapping[str, Any]) -> str | None:
    """Return the address that Home Assistant's own players open, credentials in it."""
    if data[CONF_SOURCE] != SOURCE_ENTITY:
        return with_credentials(data[CONF_URL], data[CONF_USERNAME], data[CONF_PASSWORD])
    if data[CONF_STILL_INTERVAL_S]:
        return None
    return await async_get_stream_source(hass, data[CONF_ENTITY_ID])


async def _async_still(hass: HomeAssistant, entity_id: str) -> bytes:
    return (await async_get_image(hass, entity_id, timeout=int(ENTITY_TIMEOUT_S))).content


def _wait[T](hass: HomeAssistant, coroutine: Coroutine[Any, Any, T], stop: threading.Event) -> T:
    """Run a coroutine on the loop from a camera's thread; gives up when the thread shall stop."""
    future: Future[T] = asyncio.run_coroutine_threadsafe(coroutine, hass.loop)
    waited_s = 0.0
    try:
        while waited_s < ENTITY_TIMEOUT_S and not stop.is_set():
            try:
                return future.result(POLL_S)
            except FutureTimeoutError:
                if future.done():
                    break
                waited_s += POLL_S
    except (HomeAssistantError, ClientError, OSError, CancelledError) as err:
        raise Unreachable(str(err) or type(err).__name__) from err
    future.cancel()
    raise TimedOut("The camera entity did not answer")
