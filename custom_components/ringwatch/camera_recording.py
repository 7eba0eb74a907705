"""The recording of one camera: its recorder while it is watched, its clips as they become ready."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
import logging
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .clips import CameraRef, Clip, Recorder, RecorderState
from .const import CONF_RECORD
from .recording import ClipTotals, Recordings, record_settings
from .settings import CameraSettings

_LOGGER = logging.getLogger(__name__)


class CameraRecording:
    """Made with the camera's coordinator; its recorder comes and goes with the watcher."""

    def __init__(self, hass: HomeAssistant, recordings: Recordings, camera_id: str) -> None:
        """Listen for the camera's clips."""
        self._hass = hass
        self._recordings = recordings
        self._camera_id = camera_id
        self._recorder: Recorder | None = None
        self._on_clip: list[Callable[[Clip], None]] = []
        self._on_count: list[Callable[[], None]] = []
        self._unlisten = recordings.async_listen(camera_id, self._clip_ready, self._counted)

    @property
    def totals(self) -> ClipTotals:
        """What there is of this camera."""
        return self._recordings.totals(self._camera_id)

    @property
    def state(self) -> RecorderState | None:
        """What the recorder does, None while there is none."""
        return self._recorder.state if self._recorder else None

    @property
    def recorder(self) -> Recorder | None:
        """The recorder, None while the camera is not recorded."""
        return self._recorder

    @callback
    def async_begin(self, name: str, camera: Mapping[str, Any], settings: CameraSettings) -> Recorder | None:
        """Return a running recorder if the camera is to be recorded."""
        if self._recorder is None and camera[CONF_RECORD] and not settings.privacy:
            ref = CameraRef(self._camera_id, name)
            self._recorder = self._recordings.recorder(ref, record_settings(camera, settings))
            self._recorder.start()
        return self._recorder

    @callback
    def async_configure(self, camera: Mapping[str, Any], settings: CameraSettings) -> None:
        """Take over changed settings."""
        if self._recorder is not None:
            self._recorder.configure(record_settings(camera, settings))

    @callback
    def async_press(self, at_s: float, jpeg: bytes) -> None:
        """Record around a press of the doorbell."""
        if self._recorder is not None:
            self._recorder.press(at_s, jpeg)

    @callback
    def async_save(self, look_back_s: float, length_s: float) -> Future[list[Clip]] | None:
        """Record on demand; None if the camera is not recorded. Raises ValueError."""
        return None if self._recorder is None else self._recorder.save(look_back_s, length_s)

    @callback
    def async_release(self) -> Recorder | None:
        """Give the recorder away to be stopped."""
        recorder, self._recorder = self._recorder, None
        return recorder

    @callback
    def async_close(self) -> None:
        """Listen no longer."""
        self._unlisten()

    @callback
    def async_listen(self, on_clip: Callable[[Clip], None]) -> CALLBACK_TYPE:
        """Call the listener when a clip is ready."""
        self._on_clip.append(on_clip)
        return lambda: self._on_clip.remove(on_clip)

    @callback
    def async_listen_for_totals(self, on_count: Callable[[], None]) -> CALLBACK_TYPE:
        """Call the listener when there are more clips, or fewer."""
        self._on_count.append(on_count)
        return lambda: self._on_count.remove(on_count)

    def _clip_ready(self, clip: Clip) -> None:
        for listener in list(self._on_clip):
            listener(clip)

    def _counted(self) -> None:
        for listener in list(self._on_count):
            listener()
