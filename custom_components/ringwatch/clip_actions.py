"""The actions on clips: record one now, find, delete, protect, export, and read all from the files again."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

import probatio

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import config_validation as cv, entity_registry as er, service
from homeassistant.util import dt as dt_util

from .camera import RingwatchCamera
from .clip_views import async_may, async_recordings, clip_answer
from .clips import BadCursorError, Clip, PausedError, Trigger, UnsafePathError
from .clips.export import ExportError, export
from .clips.model import MAX_ROLL_S
from .const import DOMAIN, SUBENTRY_CAMERA
from .recording import FAILURES, Recordings

ATTR_CLIPS: Final = "clips"
ATTR_LOOK_BACK: Final = "look_back"
ATTR_LENGTH: Final = "length"
ATTR_START: Final = "start"
ATTR_END: Final = "end"
ATTR_TRIGGER: Final = "trigger"
ATTR_ZONE: Final = "zone"
ATTR_LIMIT: Final = "limit"
ATTR_CURSOR: Final = "cursor"
ATTR_FORCE: Final = "force"
ATTR_PROTECTED: Final = "protected"
ATTR_CLIP: Final = "clip"
ATTR_FILENAME: Final = "filename"
ATTR_MUTE: Final = "mute"
ATTR_H264: Final = "h264"

LENGTH_MAX_S: Final = 300
LIMIT_MAX: Final = 500
IDS_MAX: Final = 500

_IDS = probatio.All(
    cv.ensure_list,
    [probatio.All(cv.string, probatio.Length(min=1, max=64))],
    probatio.Length(min=1, max=IDS_MAX),
)

type Handler = Callable[[HomeAssistant, Recordings, ServiceCall], Any]


@callback
def async_setup_clip_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    service.async_register_platform_entity_service(
        hass,
        DOMAIN,
        "save_clip",
        entity_domain=CAMERA_DOMAIN,
        func=_async_save_clip,
        schema={
            probatio.Optional(ATTR_LOOK_BACK, default=10): probatio.All(
                probatio.Coerce(float), probatio.Range(0)
            ),
            probatio.Optional(ATTR_LENGTH, default=20): probatio.All(
                probatio.Coerce(float), probatio.Range(1, LENGTH_MAX_S)
            ),
        },
        supports_response=SupportsResponse.OPTIONAL,
    )
    register = _registrar(hass)
    register(
        "get_clips",
        _async_get_clips,
        {
            probatio.Optional(ATTR_ENTITY_ID): cv.entity_id,
            probatio.Optional(ATTR_START): cv.datetime,
            probatio.Optional(ATTR_END): cv.datetime,
            probatio.Optional(ATTR_TRIGGER): probatio.Coerce(Trigger),
            probatio.Optional(ATTR_ZONE): cv.string,
            probatio.Optional(ATTR_LIMIT, default=50): probatio.All(
                probatio.Coerce(int), probatio.Range(1, LIMIT_MAX)
            ),
            probatio.Optional(ATTR_CURSOR): cv.string,
        },
        SupportsResponse.ONLY,
    )
    register(
        "delete_clips",
        _async_delete_clips,
        {probatio.Required(ATTR_CLIPS): _IDS, probatio.Optional(ATTR_FORCE, default=False): cv.boolean},
    )
    register(
        "protect_clips",
        _async_protect_clips,
        {probatio.Required(ATTR_CLIPS): _IDS, probatio.Optional(ATTR_PROTECTED, default=True): cv.boolean},
    )
    register(
        "export_clip",
        _async_export_clip,
        {
            probatio.Required(ATTR_CLIP): cv.string,
            probatio.Required(ATTR_FILENAME): cv.string,
            probatio.Optional(ATTR_START): cv.datetime,
            probatio.Optional(ATTR_END): cv.datetime,
            probatio.Optional(ATTR_MUTE, default=False): cv.boolean,
            probatio.Optional(ATTR_H264, default=False): cv.boolean,
        },
    )
    register("rebuild_catalogue", _async_rebuild_catalogue, {})


def _registrar(hass: HomeAssistant) -> Callable[..., None]:
    def register(
        name: str,
        handler: Handler,
        schema: dict[Any, Any],
        response: SupportsResponse = SupportsResponse.OPTIONAL,
    ) -> None:
        async def handle(call: ServiceCall) -> ServiceResponse:
            if (recordings := async_recordings(hass)) is None:
                raise refused(translation_key="not_loaded")
            try:
                return cast(ServiceResponse, await handler(hass, recordings, call))
            except FAILURES as err:
                raise failed(err) from err

        hass.services.async_register(
            DOMAIN, name, handle, schema=probatio.Schema(schema), supports_response=response
        )

    return register


async def _async_save_clip(camera: RingwatchCamera, call: ServiceCall) -> ServiceResponse:
    coordinator = camera.coordinator
    try:
        future = coordinator.recording.async_save(call.data[ATTR_LOOK_BACK], call.data[ATTR_LENGTH])
    except ValueError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="look_back_too_long",
            translation_placeholders={"seconds": f"{MAX_ROLL_S:.0f}"},
        ) from err
    if future is None:
        if coordinator.settings.privacy:
            raise refused(translation_key="privacy_on", name=coordinator.title)
        raise refused(translation_key="not_recorded", name=coordinator.title)
    try:
        clips = await asyncio.wrap_future(future)
    except FAILURES as err:
        raise failed(err) from err
    if not clips:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="nothing_recorded",
            translation_placeholders={"name": coordinator.title},
        )
    return cast(ServiceResponse, {ATTR_CLIPS: [clip_answer(clip) for clip in clips]})


async def _async_get_clips(hass: HomeAssistant, recordings: Recordings, call: ServiceCall) -> dict[str, Any]:
    data = call.data
    user = await async_user(hass, call)
    cameras: str | list[str] | None = None
    if ATTR_ENTITY_ID in data:
        cameras = _camera_id(hass, data[ATTR_ENTITY_ID])
        if user is not None and not async_may(hass, user, cameras):
            raise Unauthorized(context=call.context, permission=POLICY_READ)
    elif user is not None and not user.is_admin:
        cameras = _cameras_for(hass, user)
    start, end = (as_utc(data.get(key)) for key in (ATTR_START, ATTR_END))
    if start is not None and end is not None and end <= start:
        raise refused(translation_key="end_before_start")

    def ask() -> tuple[tuple[Clip, ...], str | None]:
        page = recordings.store.questions.page(
            camera_id=cameras,
            start=start,
            end=end,
            begun_before=True,
            trigger=data.get(ATTR_TRIGGER),
            zone=data.get(ATTR_ZONE),
            limit=data[ATTR_LIMIT],
            cursor=data.get(ATTR_CURSOR),
        )
        return page.clips, page.cursor

    try:
        clips, cursor = await hass.async_add_executor_job(ask)
    except BadCursorError as err:
        raise refused(translation_key="bad_cursor") from err
    return {ATTR_CLIPS: [clip_answer(clip) for clip in clips], ATTR_CURSOR: cursor}


async def _async_delete_clips(
    hass: HomeAssistant, recordings: Recordings, call: ServiceCall
) -> dict[str, Any]:
    ids = call.data[ATTR_CLIPS]
    await async_check(hass, recordings, call, ids)
    result = await hass.async_add_executor_job(
        lambda: recordings.store.delete(ids, force=call.data[ATTR_FORCE])
    )
    recordings.async_count()
    if result.refused:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="clips_kept",
            translation_placeholders={"deleted": str(len(result.deleted)), "kept": ", ".join(result.refused)},
        )
    return {"deleted": list(result.deleted), "unknown": list(result.unknown)}


async def _async_protect_clips(
    hass: HomeAssistant, recordings: Recordings, call: ServiceCall
) -> dict[str, Any]:
    ids = call.data[ATTR_CLIPS]
    await async_check(hass, recordings, call, ids)
    changed = await hass.async_add_executor_job(
        lambda: recordings.store.protect(ids, protected=call.data[ATTR_PROTECTED])
    )
    found = [clip.id for clip in changed]
    return {"changed": found, "unknown": [clip_id for clip_id in ids if clip_id not in found]}


async def _async_export_clip(
    hass: HomeAssistant, recordings: Recordings, call: ServiceCall
) -> dict[str, Any]:
    data = call.data
    await async_check(hass, recordings, call, [data[ATTR_CLIP]])
    target = Path(data[ATTR_FILENAME])
    if not await hass.async_add_executor_job(hass.config.is_allowed_path, str(target)):
        raise refused(translation_key="path_not_allowed", filename=str(target))
    if target.suffix.casefold() != ".mp4":
        raise refused(translation_key="not_mp4", filename=str(target))
    clip = await hass.async_add_executor_job(recordings.store.questions.get, data[ATTR_CLIP])
    if clip is None:
        raise refused(translation_key="clip_unknown", clip=data[ATTR_CLIP])
    start, end = (as_utc(data.get(key)) for key in (ATTR_START, ATTR_END))
    start_s = (start - clip.start).total_seconds() if start else 0.0
    end_s = (end - clip.start).total_seconds() if end else None
    if start_s >= clip.duration_s or (end_s is not None and end_s <= max(0.0, start_s)):
        raise refused(translation_key="outside_clip", start=clip.start.isoformat(), end=clip.end.isoformat())

    def write() -> dict[str, Any]:
        if target.exists():
            raise refused(translation_key="file_exists", filename=str(target))
        if not target.parent.is_dir():
            raise refused(translation_key="no_folder", filename=str(target))
        source = recordings.store.storage.path(clip.path)
        done = export(
            source,
            target,
            start_s=max(0.0, start_s),
            end_s=end_s,
            mute=data[ATTR_MUTE],
            h264=data[ATTR_H264],
        )
        return {
            ATTR_FILENAME: str(target),
            "size_bytes": done.size_bytes,
            "duration_s": done.end_s - done.start_s,
        }

    try:
        return await hass.async_add_executor_job(write)
    except (ExportError, UnsafePathError) as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="export_failed",
            translation_placeholders={"clip": clip.id},
        ) from err


async def _async_rebuild_catalogue(
    hass: HomeAssistant, recordings: Recordings, call: ServiceCall
) -> dict[str, Any]:
    user = await async_user(hass, call)
    if user is not None and not user.is_admin:
        raise Unauthorized(context=call.context)
    result = await hass.async_add_executor_job(recordings.store.rebuild)
    recordings.async_count()
    return {"found": result.adopted, "foreign": result.foreign}


async def async_user(hass: HomeAssistant, call: ServiceCall) -> User | None:
    """Return who calls; None for an automation, which its owner made."""
    if call.context.user_id is None:
        return None
    user = await hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    return user


async def async_check(
    hass: HomeAssistant, recordings: Recordings, call: ServiceCall, clip_ids: Iterable[str]
) -> None:
    """Refuse a caller who may not control the cameras of these clips."""
    if (user := await async_user(hass, call)) is None or user.is_admin:
        return
    questions = recordings.store.questions
    cameras = await hass.async_add_executor_job(
        lambda: {clip.camera_id for clip_id in clip_ids if (clip := questions.get(clip_id)) is not None}
    )
    for camera_id in cameras:
        if not async_may(hass, user, camera_id, POLICY_CONTROL):
            raise Unauthorized(context=call.context, permission=POLICY_CONTROL)


def _cameras_for(hass: HomeAssistant, user: User) -> list[str]:
    """Return the cameras that somebody who is no administrator may see."""
    return [
        subentry.subentry_id
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        for subentry in entry.get_subentries_of_type(SUBENTRY_CAMERA)
        if async_may(hass, user, subentry.subentry_id)
    ]


def _camera_id(hass: HomeAssistant, entity_id: str) -> str:
    entry = er.async_get(hass).async_get(entity_id)
    if entry is None or entry.platform != DOMAIN or entry.config_subentry_id is None:
        raise refused(translation_key="not_a_camera", entity=entity_id)
    return entry.config_subentry_id


def as_utc(time: datetime | None) -> datetime | None:
    """Take a time without a zone as local, as Home Assistant's own actions do."""
    return None if time is None else dt_util.as_utc(time)


def failed(error: Exception) -> HomeAssistantError:
    """Return what to say of a clip store that doesn't do what it should."""
    if isinstance(error, PausedError):
        return HomeAssistantError(translation_domain=DOMAIN, translation_key="backup_running")
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="clips_failed",
        translation_placeholders={"error": str(error)},
    )


def refused(*, translation_key: str, **placeholders: str) -> ServiceValidationError:
    """Return what to say of a wish that can't be fulfilled."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=translation_key, translation_placeholders=placeholders
    )
