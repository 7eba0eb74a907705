"""The clips of all cameras: one store, and what it tells Home Assistant.

The store and the recorders have threads of their own. What they say comes to the loop through
`call_soon_threadsafe`; what is asked of them is asked in an executor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from pathlib import Path
import sqlite3
import time
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_change, async_track_time_interval
from homeassistant.util import dt as dt_util
from homeassistant.util.package import is_docker_env

from . import issues
from .clips import (
    CameraRef,
    Clip,
    ClipNews,
    ClipReady,
    ClipStore,
    FilesChanged,
    HoldsEnded,
    Limits,
    PacketsDropped,
    PausedError,
    Recorder,
    RecordingBlocked,
    RecordingFailed,
    RecordSettings,
    RetentionPolicy,
    StoppedError,
)
from .clips.catalogue import DamagedCatalogueError
from .clips.retention import GIGABYTE
from .const import (
    CONF_CLIP_DAYS,
    CONF_CLIP_GB,
    CONF_FOLDER,
    CONF_KEEP_DAYS,
    CONF_KEEP_GB,
    CONF_POST_ROLL_S,
    CONF_PRE_ROLL_S,
    CONF_RECORD_SOUND,
    CONF_RESERVE_GB,
    CONF_STORAGE,
    DOMAIN,
    STORAGE_DEFAULTS,
    SUBENTRY_CAMERA,
    TITLE,
)
from .settings import CameraSettings

_LOGGER = logging.getLogger(__name__)

# What the store's thread may answer with: the disk, the database, a backup, or that it has ended meanwhile.
FAILURES: Final = (sqlite3.Error, OSError, DamagedCatalogueError, PausedError, StoppedError)

COUNT_EVERY = timedelta(minutes=5)  # what goes by age, or by a hand in the media folder, is not announced
GLANCE_S = 0.1
STARTING = "starting"  # what blocks recording until it is known whether the catalogue can be opened
READY_S = 10.0  # opening the catalogue takes milliseconds; a check of a large one on an SD card, seconds


@dataclass(frozen=True, slots=True)
class ClipTotals:
    """What there is of one camera."""

    today: int = 0
    size_bytes: int = 0


class Recordings:
    """Owns the clip store of the entry."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, root: Path) -> None:
        """Prepare; nothing is opened before `async_start`."""
        self._hass = hass
        self._entry = entry
        self.root = root
        self.store = ClipStore(
            root, Path(hass.config.path(DOMAIN)), self._from_thread, policy=retention_policy(entry)
        )
        self._totals: dict[str, ClipTotals] = {}
        self._counting = False
        self._count_again = False
        self._on_clip: dict[str, Callable[[Clip], None]] = {}
        self._on_count: dict[str, Callable[[], None]] = {}
        self._on_holds_ended: list[Callable[[tuple[Clip, ...]], None]] = []
        self._rebuilt_after: str | None = None  # as the owner was told
        self._closed = False
        self._unlisten: list[CALLBACK_TYPE] = []

    @classmethod
    async def async_open(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Start the store. It may find that nothing can be recorded; then it says so and tries again."""
        root = storage_root(hass, entry)
        recordings = cls(hass, entry, root)
        issues.async_clear_recording(hass, recordings._cameras())  # what holds is said again
        in_container = await hass.async_add_executor_job(recordings._start)
        issues.async_set_storage_in_container(hass, str(root) if in_container else None)
        recordings._unlisten = [
            async_track_time_change(hass, recordings.async_count, hour=0, minute=0, second=0),
            async_track_time_interval(hass, recordings.async_count, COUNT_EVERY),
        ]
        await recordings.async_refresh()
        return recordings

    def _start(self) -> bool:
        """Start the thread, and tell whether the folder is lost with the container it is in."""
        if self.root.parent == Path(self._hass.config.config_dir) and not self.root.exists():
            self.root.mkdir()  # Home Assistant's own media folder, where nobody has used it yet
        self.store.start()
        deadline_s = time.monotonic() + READY_S
        while not self.store.wait_ready(GLANCE_S) and time.monotonic() < deadline_s:
            if self.store.blocked("") != STARTING:
                break  # it will not become ready
        try:
            inside, config, clips = (
                path.stat().st_dev for path in (Path("/"), Path(self._hass.config.config_dir), self.root)
            )
        except OSError:
            return False
        # Where the configuration is inside as well, the whole container is somebody's machine.
        return is_docker_env() and clips == inside != config

    async def async_close(self) -> None:
        """End the thread. The recorders have to have ended before."""
        self._closed = True
        while self._unlisten:
            self._unlisten.pop()()
        if not await self._hass.async_add_executor_job(self.store.stop):
            _LOGGER.warning("Storing the last clips takes long; the next start goes on with it")

    @callback
    def async_follow_options(self) -> None:
        """Take over how long clips are kept."""
        self.store.policy = retention_policy(self._entry)

    @callback
    def async_listen(
        self, camera_id: str, on_clip: Callable[[Clip], None], on_count: Callable[[], None]
    ) -> CALLBACK_TYPE:
        """Call the listeners when a clip of this camera is ready, and when its totals change."""
        self._on_clip[camera_id] = on_clip
        self._on_count[camera_id] = on_count

        @callback
        def unlisten() -> None:
            self._on_clip.pop(camera_id, None)
            self._on_count.pop(camera_id, None)

        return unlisten

    def totals(self, camera_id: str) -> ClipTotals:
        """Return what there is of a camera."""
        return self._totals.get(camera_id, ClipTotals())

    def recorder(self, camera: CameraRef, settings: RecordSettings) -> Recorder:
        """Return a recorder for a camera, not started yet."""
        return Recorder(camera, settings, self.store, self._from_thread, utc_offset_s=_utc_offset_s)

    @callback
    def async_count(self, _now: datetime | None = None) -> None:
        """Count anew, soon."""
        if self._closed:
            return
        if self._counting:
            self._count_again = True
            return
        self._counting = True
        self._entry.async_create_task(self._hass, self.async_refresh(), "count Ringwatch clips")

    async def async_refresh(self) -> None:
        """Count what there is of each camera."""
        cameras = self._cameras()
        self._counting = True
        while self._counting:
            self._count_again = False
            today = dt_util.start_of_local_day()
            try:
                self._totals = await self._hass.async_add_executor_job(self._count, cameras, today)
            finally:
                self._counting = self._count_again
        if self._rebuilt_after != self.store.rebuilt_after:
            self._rebuilt_after = self.store.rebuilt_after
            issues.async_set_catalogue_rebuilt(self._hass, self._rebuilt_after)
        for listener in list(self._on_count.values()):
            listener()

    def _count(self, cameras: list[str], today: datetime) -> dict[str, ClipTotals]:
        questions = self.store.questions
        try:
            return {
                camera: ClipTotals(
                    questions.totals(camera_id=camera, start=today).clips,
                    questions.totals(camera_id=camera).size_bytes,
                )
                for camera in cameras
            }
        except OSError, ValueError, sqlite3.Error:
            return self._totals

    def _cameras(self) -> list[str]:
        return [
            key for key, value in self._entry.subentries.items() if value.subentry_type == SUBENTRY_CAMERA
        ]

    @callback
    def async_listen_for_holds(self, listener: Callable[[tuple[Clip, ...]], None]) -> CALLBACK_TYPE:
        """Call the listener with clips that were held for an answer, and had to be let go."""
        self._on_holds_ended.append(listener)
        return lambda: self._on_holds_ended.remove(listener)

    def _from_thread(self, news: ClipNews) -> None:
        try:
            self._hass.loop.call_soon_threadsafe(self._happened, news)
        except RuntimeError:
            _LOGGER.debug("Home Assistant has stopped; dropped %s", type(news).__name__)

    @callback
    def _happened(self, news: ClipNews) -> None:
        match news:
            case ClipReady(clip):
                if (listener := self._on_clip.get(clip.camera_id)) is not None:
                    listener(clip)
                self.async_count()
            case FilesChanged():
                self.async_count()
            case RecordingBlocked(camera_id, code):
                issues.async_set_recording(self._hass, camera_id, self._name(camera_id), code, str(self.root))
            case HoldsEnded(clips):
                _LOGGER.warning("%d clips are held no longer: a fifth of the space is for that", len(clips))
                for holds in self._on_holds_ended:
                    holds(clips)
            case PacketsDropped(camera_id, _, seconds):
                _LOGGER.warning(
                    "%s: %.1f s are missing in a clip; the disk is slow", self._name(camera_id), seconds
                )
            case RecordingFailed(camera_id, code, detail):
                _LOGGER.warning("%s: a clip was not written (%s: %s)", self._name(camera_id), code, detail)

    def _name(self, camera_id: str) -> str:
        subentry = self._entry.subentries.get(camera_id)
        return camera_id or TITLE if subentry is None else subentry.title


def storage_root(hass: HomeAssistant, entry: ConfigEntry) -> Path:
    """Return the folder that the owner picked. It may be missing."""
    options = STORAGE_DEFAULTS | entry.options
    folders = media_folders(hass)
    chosen = folders.get(str(options[CONF_STORAGE])) or next(iter(folders.values()))
    return Path(chosen, str(options[CONF_FOLDER]))


def media_folders(hass: HomeAssistant) -> dict[str, str]:
    """Return Home Assistant's media folders; its own where somebody configured none at all."""
    return hass.config.media_dirs or {"local": hass.config.path("media")}


def retention_policy(entry: ConfigEntry) -> RetentionPolicy:
    """Return how long and how much is kept."""
    options = STORAGE_DEFAULTS | entry.options
    return RetentionPolicy(
        overall=_limits(options[CONF_KEEP_DAYS], options[CONF_KEEP_GB]),
        cameras={
            key: _limits(subentry.data.get(CONF_CLIP_DAYS, 0), subentry.data.get(CONF_CLIP_GB, 0))
            for key, subentry in entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_CAMERA
        },
        reserve_bytes=round(float(options[CONF_RESERVE_GB]) * GIGABYTE),
    )


def record_settings(camera: Mapping[str, Any], settings: CameraSettings) -> RecordSettings:
    """Return how a camera is recorded."""
    return RecordSettings(
        pre_roll_s=camera[CONF_PRE_ROLL_S],
        post_roll_s=camera[CONF_POST_ROLL_S],
        record_sound=camera[CONF_RECORD_SOUND],
        zones=settings.zones,
    )


def _limits(days: Any, gigabytes: Any) -> Limits:
    return Limits(float(days) or None, round(float(gigabytes) * GIGABYTE) or None)


def _utc_offset_s(time: datetime) -> int:
    offset = dt_util.as_local(time).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
