"""The motion coordinator: one for each camera, fed by that camera's threads, polled by nobody.

The threads call `call_soon_threadsafe`; from there on everything happens in Home Assistant's loop. With
privacy on there are no threads, so no frame is decoded, kept or shown.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
import logging
import time
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from . import issues
from .camera_recording import CameraRecording
from .clips import Recorder
from .const import (
    CAMERA_DEFAULTS,
    CONF_ANALYZED_FPS,
    CONF_PRESS,
    CONF_RECORD,
    PRESS_KEYS,
    PRESS_NONE,
    RECORD_KEYS,
)
from .motion import MotionDetail, MotionState, Press, motion_detail, wall_time
from .press import Doorbell
from .settings import CameraSettings
from .snapshots import Snapshots
from .sources import decoding_mode, detect_source, record_source, what_opens
from .video import SourceError, StreamInfo, WrongCredentials
from .vision import Activity, Zone
from .watcher import CameraWatcher, WatcherConfig
from .watcher_events import (
    LevelChanged,
    MotionEnded,
    MotionStarted,
    PressureChanged,
    StreamDown,
    StreamUp,
    WatcherEvent,
)

if TYPE_CHECKING:
    from .data import RingwatchData

_LOGGER = logging.getLogger(__name__)

UNREACHABLE_ISSUE_AFTER = timedelta(hours=1)  # a router's nightly restart is not worth a repair
EXPLAIN_S = 5.0  # a thread looks at its queue once a second
EXPLAIN_AGAIN_S = 0.2

type RingwatchConfigEntry = ConfigEntry[RingwatchData]


class MotionCoordinator(DataUpdateCoordinator[MotionState]):
    """Owns a camera's threads, and what is known of it now."""

    config_entry: RingwatchConfigEntry

    def __init__(self, hass: HomeAssistant, entry: RingwatchConfigEntry, subentry: ConfigSubentry) -> None:
        """Prepare; nothing is opened before `async_start`. The entry's runtime data has to be there."""
        store = entry.runtime_data.settings
        super().__init__(hass, _LOGGER, config_entry=entry, name=subentry.title)
        self.data = MotionState()
        self.subentry_id = subentry.subentry_id
        self.camera: Mapping[str, Any] = CAMERA_DEFAULTS | subentry.data
        self.source = what_opens(self.camera)
        self.title = subentry.title
        self.store = store
        self.info: dict[str, StreamInfo] = {}
        self.snapshots = Snapshots(self.subentry_id)
        self.recording = CameraRecording(hass, entry.runtime_data.recordings, self.subentry_id)
        self._watcher: CameraWatcher | None = None
        self._down: dict[str, SourceError] = {}
        self._said_down = False
        self._began: tuple[datetime, str | None] | None = None  # the last motion, and its picture
        self._hold: CALLBACK_TYPE | None = None
        self._unreachable: CALLBACK_TYPE | None = None
        self._doorbell = Doorbell(hass, self._pressed)
        self._on_motion: list[Callable[[MotionDetail], None]] = []
        self._on_press: list[Callable[[Press], None]] = []
        self._zones, self._watch_zones = self.settings.zones, self.settings.watch_zones
        self._unlisten_settings = store.async_listen(self.subentry_id, self._settings_changed)

    @property
    def settings(self) -> CameraSettings:
        """The owner's choices."""
        return self.store.get(self.subentry_id)

    @property
    def has_doorbell(self) -> bool:
        """Whether a press is set up."""
        return bool(self.camera[CONF_PRESS] != PRESS_NONE)

    @property
    def statistics(self) -> dict[str, object]:
        """Counters of the running watcher."""
        return self._watcher.statistics if self._watcher else {}

    @callback
    def async_start(self) -> None:
        """Listen for presses and, unless privacy is on, start to watch."""
        self._doorbell.async_listen(self.camera, self.title)
        if not self.settings.privacy:
            self._start_watching()

    async def async_stop(self) -> None:
        """End everything; returns when the threads have ended, within 1.5 s."""
        self._unlisten_settings()
        self._doorbell.async_stop()
        await self._async_stop_watching()
        self._cancel_timers()
        self.recording.async_close()

    async def async_apply(self, subentry: ConfigSubentry) -> None:
        """Take over a changed subentry; reconnect only if what is opened changed."""
        before, after = self.camera, CAMERA_DEFAULTS | subentry.data
        self.camera = after
        self.title = self.name = subentry.title
        if any(before[key] != after[key] for key in PRESS_KEYS):
            self._doorbell.async_listen(self.camera, self.title)
        if self.source != (source := what_opens(after)):
            self.source = source
            await self._async_stop_watching()
            issues.async_clear_trouble(self.hass, self.subentry_id)
            self.config_entry.runtime_data.self_checks.async_forget(self.subentry_id)
            self._cancel_timers()
            self._said_down = False
            if not self.settings.privacy:
                self._start_watching()
        elif any(before[key] != after[key] for key in RECORD_KEYS):
            await self._async_change_recording(turned_off=before[CONF_RECORD] and not after[CONF_RECORD])

    @callback
    def async_listen_for_motion(self, listener: Callable[[MotionDetail], None]) -> CALLBACK_TYPE:
        """Call the listener when motion starts and when it ends."""
        self._on_motion.append(listener)
        return lambda: self._on_motion.remove(listener)

    @callback
    def async_listen_for_press(self, listener: Callable[[Press], None]) -> CALLBACK_TYPE:
        """Call the listener at each press."""
        self._on_press.append(listener)
        return lambda: self._on_press.remove(listener)

    async def async_still(self, max_width: int = 0) -> bytes | None:
        """Return the last frame as JPEG, private parts black; None if there is none."""
        while (watcher := self._watcher) is not None:
            settings = self.settings
            jpeg = await self.hass.async_add_executor_job(watcher.still, max_width)
            if self.settings == settings:
                return jpeg
        return None

    async def async_take_activity(self) -> Activity | None:
        """Return where things moved since the last time; None if nobody watches or it takes too long."""
        if (watcher := self._watcher) is None:
            return None
        try:
            async with asyncio.timeout(EXPLAIN_S):
                return await asyncio.wrap_future(watcher.take_activity())
        except TimeoutError:
            return None

    async def async_explain(self, proposed: tuple[Zone, ...] = ()) -> str | None:
        """Return the address of a picture that shows what the detector sees; None if it sees nothing."""
        if (watcher := self._watcher) is None:
            return None
        settings = self.settings
        note = f"{self.title}  {dt_util.now():%Y-%m-%d %H:%M:%S}"
        try:
            async with asyncio.timeout(EXPLAIN_S):
                # After a change of the zones there is nothing to explain before the next picture.
                while (jpeg := await asyncio.wrap_future(watcher.explain(note, proposed))) is None:  # noqa: ASYNC110
                    await asyncio.sleep(EXPLAIN_AGAIN_S)
        except TimeoutError:
            return None
        current = watcher is self._watcher and self.settings == settings
        return self.snapshots.keep_aside(jpeg) if current else None

    @override
    async def _async_update_data(self) -> MotionState:
        """Nothing to ask: the threads tell."""
        return self.data

    # Watching

    def _start_watching(self) -> None:
        if self._watcher is not None:
            return  # a change of the settings was faster
        self._down = {}
        config = WatcherConfig(
            name=self.title,
            record=record_source(self.hass, self.camera),
            detect=detect_source(self.camera),
            analyzed_fps=self.camera[CONF_ANALYZED_FPS],
            mode=decoding_mode(self.camera),
        )
        loop = self.hass.loop

        def notify(event: WatcherEvent) -> None:
            try:
                loop.call_soon_threadsafe(self._happened, watcher, event)
            except RuntimeError:
                _LOGGER.debug("Home Assistant has stopped; dropped %s", type(event).__name__)

        watcher = CameraWatcher(
            config,
            self.settings.watching,
            notify,
            primitives=self.config_entry.runtime_data.primitives,
            sink=self.recording.async_begin(self.title, self.camera, self.settings),
        )
        self._watcher = watcher
        watcher.start()

    async def _async_change_recording(self, *, turned_off: bool) -> None:
        """Take over how the camera is recorded; its connection stays."""
        if (watcher := self._watcher) is None:
            return
        if turned_off:
            watcher.sink = None
            await self._async_end(None, self.recording.async_release())
            return
        self.recording.async_configure(self.camera, self.settings)
        watcher.sink = self.recording.async_begin(self.title, self.camera, self.settings)

    async def _async_stop_watching(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            await self._async_end(watcher, self.recording.async_release())
        self.info = {}
        self._end_hold()
        self.async_set_updated_data(
            replace(self.data, connected=False, seeing=False, motion=False, zones=frozenset(), level=0.0)
        )

    @callback
    def _settings_changed(self, settings: CameraSettings) -> None:
        issues.async_clear_settings_lost(self.hass, self.subentry_id)
        if not settings.shows_raw_stream:
            self.snapshots.clear()  # they were taken before this part, or all of it, became private
        if settings.privacy:
            self._go_blind()
        elif self._watcher is None:
            self._start_watching()
        else:
            self._watcher.configure(settings.watching)
            self.recording.async_configure(self.camera, settings)
            if not settings.detection:
                self._end_hold()
                self.data = replace(self.data, motion=False, zones=frozenset(), level=0.0)
        self.async_update_listeners()
        if settings.zones != self._zones:
            self._zones = settings.zones
            self.config_entry.runtime_data.self_checks.async_forget(self.subentry_id)
        if settings.watch_zones != self._watch_zones:
            self._watch_zones = settings.watch_zones
            for sync in self.config_entry.runtime_data.platforms:
                sync()

    def _go_blind(self) -> None:
        """Privacy: from this moment nothing is decoded, and what the threads still say is not listened to."""
        watcher, self._watcher = self._watcher, None
        if watcher is None:
            return
        watcher.request_stop()
        issues.async_clear_trouble(self.hass, self.subentry_id)
        self._end_hold()
        self._cancel_timers()
        self._said_down = False
        self.info = {}
        self.data = MotionState(last_motion=self.data.last_motion)
        ending = self._async_end(watcher, self.recording.async_release())
        self.config_entry.async_create_task(self.hass, ending, f"end watching {self.title}")

    async def _async_end(self, watcher: CameraWatcher | None, recorder: Recorder | None) -> None:
        """Stop the watcher first: its last words are about motion that ends."""
        if watcher is not None and not await self.hass.async_add_executor_job(watcher.stop):
            _LOGGER.warning("%s: its connection takes long to close", self.title)
        if recorder is not None and not await self.hass.async_add_executor_job(recorder.stop):
            _LOGGER.warning("%s: its last clip takes long to write", self.title)

    @callback
    def _happened(self, watcher: CameraWatcher, event: WatcherEvent) -> None:
        if watcher is not self._watcher:
            return
        match event:
            case StreamUp():
                self._stream_up(watcher, event)
            case StreamDown():
                self._stream_down(watcher, event)
            case LevelChanged():
                zones = self.data.zones | event.zones if self.data.motion else frozenset()
                self.async_set_updated_data(replace(self.data, level=event.level, zones=zones))
            case MotionStarted():
                self._motion_started(event)
            case MotionEnded():
                self._motion_ended(event)
            case PressureChanged():
                issues.async_set_falling_behind(self.hass, self, event.dropped if event.behind else None)

    def _stream_up(self, watcher: CameraWatcher, event: StreamUp) -> None:
        self.info[event.role] = event.info
        self._down.pop(event.role, None)
        if not self._down and self._said_down:
            _LOGGER.info("%s is connected again", self.title)
            self._said_down = False
        if not self._down:
            self._cancel_timers()
            issues.async_clear_connection(self.hass, self.subentry_id)
        self._show_connection(watcher)

    def _stream_down(self, watcher: CameraWatcher, event: StreamDown) -> None:
        self.info.pop(event.role, None)
        self._down[event.role] = event.error
        if not self._said_down:
            _LOGGER.warning("%s is not connected: %s", self.title, event.error)
            self._said_down = True
        if isinstance(event.error, WrongCredentials):
            issues.async_set_credentials(self.hass, self)
        if self._unreachable is None:
            self._unreachable = async_call_later(self.hass, UNREACHABLE_ISSUE_AFTER, self._long_unreachable)
        self._show_connection(watcher)

    def _show_connection(self, watcher: CameraWatcher) -> None:
        seeing = watcher.roles[-1] in self.info
        if not seeing:
            self._end_hold()
        state = replace(
            self.data,
            connected=all(role in self.info for role in watcher.roles),
            seeing=seeing,
            error=next((error.code for error in self._down.values()), None),
        )
        if not seeing:
            state = replace(state, motion=False, zones=frozenset(), level=0.0)
        self.async_set_updated_data(state)

    @callback
    def _long_unreachable(self, _now: datetime) -> None:
        for error in self._down.values():
            issues.async_set_unreachable(self.hass, self, str(error))

    # Motion and presses

    def _motion_started(self, event: MotionStarted) -> None:
        self._end_hold()
        motion = event.motion
        onset = wall_time(event.onset_s)
        current = event.jpeg and event.taken_with.zones == self.settings.zones
        path = self.snapshots.keep(event.jpeg, onset) if current else None
        zones = motion.zones | self.data.zones if self.data.motion else motion.zones
        self.async_set_updated_data(replace(self.data, motion=True, zones=zones, last_motion=onset))
        self._began = (onset, path)
        self._tell_motion(motion_detail("started", motion, onset, None, path))

    def _motion_ended(self, event: MotionEnded) -> None:
        motion = event.motion
        start, path = self._began or (wall_time(event.onset_s), None)
        end = wall_time(event.last_s)
        self._end_hold()
        still_to_hold_s = self.settings.hold_s - (dt_util.utcnow() - end).total_seconds()
        self._hold = async_call_later(self.hass, max(0.0, still_to_hold_s), self._hold_over)
        self.async_set_updated_data(replace(self.data, last_motion=end))
        if path and not self.snapshots.has(path):  # it became private meanwhile
            path = None
        self._tell_motion(motion_detail("ended", motion, start, end, path))

    @callback
    def _hold_over(self, _now: datetime) -> None:
        self._hold = None
        self.async_set_updated_data(replace(self.data, motion=False, zones=frozenset()))

    def _tell_motion(self, detail: MotionDetail) -> None:
        for listener in list(self._on_motion):
            listener(detail)

    @callback
    def _pressed(self) -> None:
        self.config_entry.async_create_task(
            self.hass, self._async_ring(dt_util.utcnow()), f"doorbell {self.title}"
        )

    async def _async_ring(self, at: datetime) -> None:
        at_s = time.monotonic()
        jpeg = await self.async_still()
        self.recording.async_press(at_s, jpeg or b"")
        path = self.snapshots.keep(jpeg, at) if jpeg else None
        for listener in list(self._on_press):
            listener(Press(at, path))
        self.async_update_listeners()

    def _end_hold(self) -> None:
        if self._hold is not None:
            self._hold()
            self._hold = None

    def _cancel_timers(self) -> None:
        if self._unreachable is not None:
            self._unreachable()
            self._unreachable = None
