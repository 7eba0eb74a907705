"""Ringwatch: doorbell, motion and clips from any camera, on the owner's own machine.

One entry, and a subentry for each camera. Adding, changing or removing a camera touches that camera only.
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from pathlib import Path
import shutil

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.helpers.typing import ConfigType

from . import issues
from .actions import async_setup_actions
from .clip_actions import async_setup_clip_actions
from .clip_h264 import H264View
from .clip_views import ClipView, ThumbnailView, TileView
from .const import DOMAIN, SUBENTRY_CAMERA, SUBENTRY_NEIGHBORHOOD
from .coordinator import MotionCoordinator, RingwatchConfigEntry
from .data import RingwatchData
from .footage_actions import async_setup_footage_actions
from .footage_home import Footage
from .footage_hosting import async_setup_hosting_actions
from .footage_keeping import FOLDER as FOOTAGE_FOLDER
from .footage_panel import async_serve_panel, async_show_panel, hide_panel
from .footage_store import STORAGE_KEY as FOOTAGE_KEY
from .footage_views import PreviewView
from .footage_websocket import async_setup_footage_websocket
from .footage_websocket_more import async_setup_footage_websocket_more
from .hub.left import hosts as hosts_of
from .neighborhood_actions import async_setup_neighborhood_actions
from .neighborhood_issues import async_clear_neighborhood
from .neighborhood_keys import NeighborhoodKeys
from .neighborhood_views import InviteView, MediaView, PendingView
from .neighborhoods import Neighborhoods
from .recording import Recordings, storage_root
from .self_check import STORAGE_KEY as SELF_CHECK_KEY, SelfChecks
from .settings import STORAGE_KEY, CameraSettingsStore
from .views import SnapshotView
from .vision import select_primitives

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = (
    Platform.BINARY_SENSOR,
    Platform.CAMERA,
    Platform.EVENT,
    Platform.GEO_LOCATION,
    Platform.IMAGE,
    Platform.NUMBER,
    Platform.SENSOR,
    Platform.SWITCH,
)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what is there with or without a camera: the actions and the pictures' addresses."""
    async_setup_actions(hass)
    async_setup_clip_actions(hass)
    async_setup_neighborhood_actions(hass)
    async_setup_footage_actions(hass)
    async_setup_hosting_actions(hass)
    async_setup_footage_websocket(hass)
    async_setup_footage_websocket_more(hass)
    for view in (
        SnapshotView,
        ClipView,
        ThumbnailView,
        TileView,
        H264View,
        MediaView,
        PendingView,
        InviteView,
        PreviewView,
    ):
        hass.http.register_view(view(hass))
    await async_serve_panel(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: RingwatchConfigEntry) -> bool:
    """Load the owner's choices first, then the entities, and only then open a camera."""
    cameras, neighborhoods = _cameras(entry), _neighborhoods(entry)
    devices = dr.async_get(hass)
    known = {key for key in cameras if devices.async_get_device_by_identifier((DOMAIN, key), entry.entry_id)}
    settings = CameraSettingsStore(hass)
    await settings.async_load(set(cameras), known)
    for subentry_id in settings.lost:
        issues.async_set_settings_lost(hass, subentry_id, cameras[subentry_id].title)
    # Importing OpenCV takes a second on a small machine.
    primitives = await hass.async_add_import_executor_job(select_primitives, "auto")
    recordings = await Recordings.async_open(hass, entry)
    hoods = Neighborhoods(hass, entry)
    data = entry.runtime_data = RingwatchData(
        settings,
        primitives,
        recordings,
        SelfChecks(hass, entry),
        hoods,
        Footage(hass, entry, hoods, recordings),
    )
    async with AsyncExitStack() as undo:
        undo.push_async_callback(_async_stop, data)
        for subentry_id, subentry in cameras.items():
            data.cameras[subentry_id] = MotionCoordinator(hass, entry, subentry)
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        for coordinator in data.cameras.values():
            coordinator.async_start()
        await data.self_checks.async_start()
        await data.neighborhoods.async_start()
        await data.footage.async_start()
        await async_show_panel(hass)
        undo.pop_all()

    async def stop(_event: Event) -> None:
        await _async_stop(data)

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop))
    entry.async_on_unload(entry.add_update_listener(_async_follow_subentries))
    if (
        _cameras(entry) != cameras or _neighborhoods(entry) != neighborhoods
    ):  # changed while this went on, when nobody listened yet
        changed = _async_follow_subentries(hass, entry)
        entry.async_create_task(hass, changed, "follow cameras", eager_start=False)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: RingwatchConfigEntry) -> bool:
    """Remove the entities and end all threads."""
    async with entry.runtime_data.following:
        if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
            return False
        await _async_stop(entry.runtime_data)
        hide_panel(hass)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: RingwatchConfigEntry) -> None:
    """Leave nothing behind."""
    for subentry_id in _cameras(entry):
        issues.async_clear(hass, subentry_id)
    for subentry_id in _neighborhoods(entry):
        async_clear_neighborhood(hass, subentry_id)
    issues.async_clear_storage(hass)
    folders = (Path(hass.config.path(STORAGE_DIR)), Path(hass.config.path(DOMAIN)))
    await hass.async_add_executor_job(_delete_files, *folders)
    # What a hub keeps for others stays, and the keys without which nobody could ever host it again
    hosts = await hass.async_add_executor_job(hosts_of, Path(hass.config.path(DOMAIN, "hub")))
    with suppress(HomeAssistantError):  # it is damaged: then it stays as it is
        await NeighborhoodKeys(hass).async_keep_only(hosts)


def _delete_files(storage: Path, folder: Path) -> None:
    """Delete what is Home Assistant's business only. Clips, and what a hub keeps for others, stay."""
    for name in (STORAGE_KEY, f"{STORAGE_KEY}.damaged", SELF_CHECK_KEY, FOOTAGE_KEY):
        (storage / name).unlink(missing_ok=True)
    for name in ("neighborhoods", "pending", FOOTAGE_FOLDER, "models"):
        shutil.rmtree(folder / name, ignore_errors=True)


async def _async_stop(data: RingwatchData) -> None:
    data.self_checks.async_stop()
    await data.footage.async_stop()
    cameras = (coordinator.async_stop() for coordinator in data.cameras.values())
    await asyncio.gather(data.neighborhoods.async_stop(), *cameras)
    await data.recordings.async_close()


async def _async_follow_subentries(hass: HomeAssistant, entry: RingwatchConfigEntry) -> None:
    """Bring the running cameras into line with the subentries; what did not change goes on undisturbed."""
    data = entry.runtime_data
    if storage_root(hass, entry) != data.recordings.root:
        hass.config_entries.async_schedule_reload(entry.entry_id)
        return
    async with data.following:
        if entry.state is not ConfigEntryState.LOADED:
            return  # unloaded while this waited; the next set-up sees what changed
        cameras = _cameras(entry)
        for subentry_id in data.cameras.keys() - cameras.keys():
            await data.cameras.pop(subentry_id).async_stop()
            issues.async_clear(hass, subentry_id)
            await data.settings.async_remove(subentry_id)
        added = []
        if new := cameras.keys() - data.cameras.keys():
            await data.settings.async_add(set(new))
        for subentry_id, subentry in cameras.items():
            if (coordinator := data.cameras.get(subentry_id)) is not None:
                _rename_device(hass, coordinator, subentry)
                await coordinator.async_apply(subentry)
            else:
                data.cameras[subentry_id] = coordinator = MotionCoordinator(hass, entry, subentry)
                added.append(coordinator)
        data.recordings.async_follow_options()
        for sync in data.platforms:
            sync()
        for coordinator in added:
            coordinator.async_start()
    await data.neighborhoods.async_follow()  # after the cameras: telling a hub that one leaves takes seconds


def _cameras(entry: RingwatchConfigEntry) -> dict[str, ConfigSubentry]:
    return {
        subentry_id: subentry
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type == SUBENTRY_CAMERA
    }


def _neighborhoods(entry: RingwatchConfigEntry) -> dict[str, ConfigSubentry]:
    return {
        subentry.subentry_id: subentry for subentry in entry.get_subentries_of_type(SUBENTRY_NEIGHBORHOOD)
    }


def _rename_device(hass: HomeAssistant, coordinator: MotionCoordinator, subentry: ConfigSubentry) -> None:
    if coordinator.title == subentry.title:
        return
    devices = dr.async_get(hass)
    entry_id = coordinator.config_entry.entry_id
    device = devices.async_get_device_by_identifier((DOMAIN, subentry.subentry_id), entry_id)
    if device is not None:
        devices.async_update_device(device.id, name=subentry.title)
