"""The actions on footage requests: read them, prepare an answer, take one back, read the audit log.

An action only ever prepares. Sending takes a person on the review page (footage_websocket.py).
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import probatio

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType

from .clip_actions import as_utc, async_user
from .const import DOMAIN
from .footage.answer_states import Answer, AnswerError
from .footage.audit_text import Format, export
from .footage_answers import REVIEW_URL, request_answer
from .footage_audit import async_entry_forms
from .footage_calls import BOX, answer_failed, refused_answer, selections_of
from .footage_forms import identity_of
from .footage_home import Footage
from .footage_login import async_footage
from .footage_store import IDENTITIES
from .neighborhood.requests import RequestItem
from .neighborhood_calls import NeighborhoodCall, async_registrar, digest_of
from .posting import refused

LIMIT_MAX: Final = 500
FORMS: Final[Mapping[str, Format]] = {".json": "json", ".txt": "text"}
MAX_CLIPS: Final = 10
SHARE: Final = "share"
DECLINE: Final = "decline"
OPEN: Final = "open"

_ID = probatio.All(cv.string, probatio.Length(min=1, max=64))


@callback
def async_setup_footage_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    register = async_registrar(hass)
    register(
        "get_footage_requests",
        _async_get_requests,
        {probatio.Optional("status", default=OPEN): probatio.In((OPEN, "all"))},
        response=SupportsResponse.ONLY,
    )
    register(
        "answer_footage_request",
        _async_answer,
        {
            probatio.Required("request"): _ID,
            probatio.Required("decision"): probatio.In((SHARE, DECLINE)),
            probatio.Optional("clips", default=list): probatio.All(
                cv.ensure_list, [_ID], probatio.Length(max=MAX_CLIPS)
            ),
            probatio.Optional("start"): cv.datetime,
            probatio.Optional("end"): cv.datetime,
            probatio.Optional("mute", default=True): cv.boolean,
            probatio.Optional("blur_faces"): cv.boolean,
            probatio.Optional("blur", default=list): probatio.All([BOX], probatio.Length(max=20)),
            probatio.Optional("keep_only"): BOX,
            probatio.Optional("identity"): probatio.In(IDENTITIES),
        },
    )
    register("withdraw_answer", _async_withdraw, {probatio.Required("answer"): _ID})
    _register_log(hass)


def _register_log(hass: HomeAssistant) -> None:
    """Register the actions on the audit log, which belongs to no neighborhood."""

    async def read(call: ServiceCall) -> ServiceResponse:
        footage = await _async_for_admin(hass, call)
        limit = call.data["limit"]
        lines = await footage.async_run(partial(footage.log.lines, call.data.get("before"), limit))
        trouble = await footage.async_run(footage.trouble_of_log)
        return {
            "entries": cast(JsonValueType, await async_entry_forms(hass, lines)),
            "intact": trouble is None,
            "broken_at": None if trouble is None else trouble.n,
        }

    async def write(call: ServiceCall) -> ServiceResponse:
        return await _async_export(hass, call)

    hass.services.async_register(
        DOMAIN,
        "get_audit_log",
        read,
        schema=probatio.Schema(
            {
                probatio.Optional("limit", default=100): probatio.All(
                    probatio.Coerce(int), probatio.Range(1, LIMIT_MAX)
                ),
                probatio.Optional("before"): cv.positive_int,
            }
        ),
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        "export_audit_log",
        write,
        schema=probatio.Schema({probatio.Required("filename"): cv.string}),
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_for_admin(hass: HomeAssistant, call: ServiceCall) -> Footage:
    user = await async_user(hass, call)
    if user is not None and not user.is_admin:
        raise Unauthorized(context=call.context)
    footage = async_footage(hass)
    if footage is None:
        raise refused(translation_key="not_loaded")
    return footage


async def _async_export(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Write the log into a file: JSON that can be checked, or text that reads well."""
    footage = await _async_for_admin(hass, call)
    target = Path(call.data["filename"])
    if not await hass.async_add_executor_job(hass.config.is_allowed_path, str(target)):
        raise refused(translation_key="path_not_allowed", filename=str(target))
    form = FORMS.get(target.suffix.casefold())
    by = call.context.user_id or ""
    if form is None:
        raise refused(translation_key="not_json_or_text", filename=str(target))

    def write() -> None:
        if target.exists():
            raise refused(translation_key="file_exists", filename=str(target))
        if not target.parent.is_dir():
            raise refused(translation_key="no_folder", filename=str(target))
        target.write_text(export(footage.log, form, by, footage.anchor), encoding="utf-8")

    await footage.async_run(write)
    return {"filename": str(target)}


def _footage(call: NeighborhoodCall) -> Footage:
    footage = async_footage(call.hass)
    if footage is None:
        raise refused(translation_key="not_loaded")
    return footage


async def _async_get_requests(call: NeighborhoodCall) -> dict[str, Any]:
    """Answer with what is asked, and how many of the home's own clips match."""
    footage, running = _footage(call), call.neighborhood
    moderates = await running.async_moderates()
    found = [
        item
        for item in footage.requests.of(running.subentry_id)
        if item.is_open or (call.data["status"] != OPEN and (moderates or item.status != "pending"))
    ]
    return {
        "requests": [
            request_answer(
                item, footage.requests.matches(item.id), await footage.async_mine(running, item.id)
            )
            for item in found
        ]
    }


def _request(footage: Footage, call: NeighborhoodCall) -> RequestItem:
    request_id = digest_of(call.data["request"])
    found = footage.requests.get(call.neighborhood.subentry_id, request_id)
    if found is None:
        raise refused(translation_key="footage_unknown_request")
    if not found.is_open:
        raise refused(translation_key="footage_not_open")
    return found


async def _async_answer(call: NeighborhoodCall) -> dict[str, Any]:
    """Make an answer ready for somebody to look at, or note that nothing is given. Nothing is sent."""
    footage, running, data = _footage(call), call.neighborhood, call.data
    request = _request(footage, call)
    by = call.user.id if call.user is not None else ""
    if data["decision"] == DECLINE:
        await footage.async_decline(running, request.id, by)
        return {"decision": DECLINE, "request": request.id}
    if not data["clips"]:
        raise refused(translation_key="footage_no_clips")
    wanted = [await _selection(call, footage, clip_id) for clip_id in data["clips"]]
    try:
        answer: Answer | None = await footage.async_prepare(
            running,
            request,
            await selections_of(call.hass, call.user, wanted),
            identity_of(footage, data.get("identity", footage.store.settings.identity)),
            by=by or None,
        )
        answer = await footage.async_wait_prepared(answer.id) if answer else None
    except AnswerError as err:
        raise refused_answer(err) from err
    if answer is None or (code := footage.failure(answer.id)) is not None:
        raise answer_failed(code if answer is not None and code is not None else "unknown_answer")
    return {
        "decision": SHARE,
        "request": request.id,
        "answer": answer.id,
        "state": str(answer.state),
        "review": REVIEW_URL.format(request=request.id),
        "identity": answer.identity.kind,
        "files": [
            {
                "name": one.clip.file,
                "clip": one.clip_id,
                "size_bytes": one.clip.size_bytes,
                "sha256": one.clip.sha256,
                "start": dt_util.utc_from_timestamp(one.clip.start_ms / 1000).isoformat(),
                "end": dt_util.utc_from_timestamp(one.clip.end_ms / 1000).isoformat(),
            }
            for one in answer.prepared
        ],
    }


async def _selection(call: NeighborhoodCall, footage: Footage, clip_id: str) -> dict[str, Any]:
    """Return what is wanted of one clip; start and end are times of the day, as the owner sees them."""
    data = call.data
    chosen: dict[str, Any] = {
        "id": clip_id,
        "start_s": 0.0,
        "end_s": None,
        "mute": data["mute"],
        "blur_faces": data.get("blur_faces", footage.store.settings.blur_faces),
        "boxes": data["blur"],
        "keep_only": data.get("keep_only"),
    }
    start, end = as_utc(data.get("start")), as_utc(data.get("end"))
    if start is None and end is None:
        return chosen
    clip = await call.hass.async_add_executor_job(footage.recordings.store.questions.get, clip_id)
    if clip is None:
        raise refused(translation_key="footage_clip_gone")
    if start is not None:
        chosen["start_s"] = max(0.0, (start - clip.start).total_seconds())
    if end is not None:
        chosen["end_s"] = (end - clip.start).total_seconds()
        if chosen["end_s"] <= chosen["start_s"]:
            raise refused(translation_key="end_before_start")
    return chosen


async def _async_withdraw(call: NeighborhoodCall) -> dict[str, Any]:
    """Take an answer back within the undo window, or throw away one that wasn't sent."""
    footage = _footage(call)
    found = footage.answer(call.data["answer"])
    if found is None or found.neighborhood != call.neighborhood.home.config.neighborhood:
        raise refused(translation_key="footage_unknown_answer")
    try:
        answer = await footage.async_withdraw(found.id, call.user.id if call.user is not None else "")
    except AnswerError as err:
        raise refused_answer(err) from err
    return {"answer": answer.id, "state": str(answer.state)}
