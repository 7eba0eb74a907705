"""The panel's other commands: the audit log, a clip shown at the door, settings, moderators and warrants."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import probatio

from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, callback

from .clip_views import async_may, async_recordings, clip_path, find_clip
from .const import SUBENTRY_CAMERA
from .footage.audit_text import export
from .footage_audit import async_entry_forms
from .footage_store import IDENTITIES, MAX_ADDRESS, MAX_NAME, UNDO_MAX_S, UNDO_MIN_S
from .footage_websocket import ID, Command, command
from .neighborhood.bodies.agencies import DemandKind
from .neighborhood.bodies.care import MAX_REASON, Action, Moderation
from .neighborhood.text import clean
from .posting import async_submit, refused

PAGE: Final = 50
SHOWN_FOR: Final = timedelta(minutes=15)  # a clip at the door
MAX_TEXT: Final = 2_000


async def _audit(asked: Command) -> dict[str, Any]:
    """Show what was asked, shown, confirmed and sent here."""
    asked.admin()
    footage = asked.footage
    lines = await footage.async_run(partial(footage.log.lines, asked.msg["before"], PAGE + 1))
    trouble = await footage.async_run(footage.trouble_of_log)
    return {
        "entries": await async_entry_forms(asked.hass, lines[:PAGE]),
        "intact": trouble is None,
        "broken_at": None if trouble is None else trouble.n,
        "more": len(lines) > PAGE,
    }


async def _export_audit(asked: Command) -> dict[str, Any]:
    asked.admin()
    footage, by = asked.footage, asked.connection.user.id
    return {
        "text": await footage.async_run(export, footage.log, "text", by, footage.anchor),
        "json": await footage.async_run(export, footage.log, "json", by, footage.anchor),
    }


async def _door(asked: Command) -> dict[str, Any]:
    """Give a clip's address for showing it at the door, and note that it was shown, like any disclosure."""
    recordings = async_recordings(asked.hass)
    found = (
        None
        if recordings is None
        else await asked.hass.async_add_executor_job(find_clip, recordings, asked.msg["clip"], True)
    )
    if found is None or not async_may(asked.hass, asked.connection.user, found[0].camera_id):
        raise refused(translation_key="footage_clip_gone")
    clip = found[0]
    footage = asked.footage
    await footage.async_run(
        lambda: footage.answers.note(
            "shown_at_door",
            clip=clip.id,
            camera=clip.camera_name,
            start=int(clip.start.timestamp()),
            end=int(clip.end.timestamp()),
            request=asked.msg["request"],
            by=asked.connection.user.id,
        )
    )
    return {"url": async_sign_path(asked.hass, clip_path(clip), SHOWN_FOR)}


async def _set_place(asked: Command) -> dict[str, Any]:
    asked.admin()
    footage, camera = asked.footage, asked.msg["camera"]
    known = {one.subentry_id for one in footage.entry.get_subentries_of_type(SUBENTRY_CAMERA)}
    if camera not in known:
        raise refused(translation_key="footage_unknown_camera")
    place = asked.msg["place"]
    await footage.store.async_set_place(
        camera, None if place is None else (round(place["lat"] * 1e6), round(place["lon"] * 1e6))
    )
    await footage.async_refresh()
    return {}


async def _set_options(asked: Command) -> dict[str, Any]:
    asked.admin()
    footage = asked.footage
    changes = {key: value for key, value in asked.msg.items() if key not in {"id", "type"}}
    for key, longest in (("name", MAX_NAME), ("address", MAX_ADDRESS)):
        if key in changes:
            changes[key] = clean(changes[key], longest)
    kind = changes.get("identity", footage.store.settings.identity)
    name = changes.get("name", footage.store.settings.name)
    address = changes.get("address", footage.store.settings.address)
    if (kind != "anonymous" and not name) or (kind == "address" and not address):
        raise refused(translation_key="footage_no_name")
    await footage.store.async_change(**changes)
    await footage.async_refresh()
    return {}


async def _get_model(asked: Command) -> dict[str, Any]:
    asked.admin()
    source: Path | None = None
    if folder := asked.msg.get("folder"):
        source = Path(folder)
        if not await asked.hass.async_add_executor_job(asked.hass.config.is_allowed_path, folder):
            raise refused(translation_key="path_not_allowed", filename=folder)
    await asked.footage.faces.async_get(source)
    return {"faces": asked.footage.faces.readiness}


async def _moderate(asked: Command) -> dict[str, Any]:
    """Let a request through, hold it, or refuse it in the open."""
    running, request = asked.request()
    asked.admin()
    if not await running.async_moderates():
        raise refused(translation_key="rule_not_allowed")
    reason = clean(asked.msg["reason"], MAX_REASON, lines=True)
    await async_submit(running, Moderation(request.id, Action(asked.msg["decision"]), reason))
    return {}


async def _demands(asked: Command) -> dict[str, Any]:
    asked.admin()
    footage = asked.footage
    found = await footage.async_run(footage.served.entries)
    return {
        "entries": [
            {
                "n": one.n,
                "time": one.entered_s,
                "what": "demand",
                "text": "",
                "facts": {
                    "kind": str(one.kind),
                    "authority": one.authority,
                    "served": one.served_s,
                    "given": one.given,
                    "clips": len(one.clips),
                },
            }
            for one in reversed(found)
        ]
    }


async def _register_demand(asked: Command) -> dict[str, Any]:
    """Enter a warrant or subpoena that was served on this home."""
    asked.admin()
    footage, msg = asked.footage, asked.msg
    await footage.async_run(
        lambda: footage.served.add(
            str(msg["kind"]),
            clean(msg["authority"], MAX_NAME),
            msg["served"],
            clean(msg["given"], MAX_TEXT, lines=True),
            msg["clips"],
            by=asked.connection.user.id,
        )
    )
    return {}


async def _export_demands(asked: Command) -> dict[str, Any]:
    asked.admin()
    footage, by = asked.footage, asked.connection.user.id
    return {
        "text": await footage.async_run(footage.served.export, "text", by),
        "json": await footage.async_run(footage.served.export, "json", by),
    }


_PLACE: Final = probatio.Schema(
    {
        probatio.Required("lat"): probatio.All(probatio.Coerce(float), probatio.Range(-89, 89)),
        probatio.Required("lon"): probatio.All(probatio.Coerce(float), probatio.Range(-180, 180)),
    }
)
_PATH: Final = probatio.All(str, probatio.Length(min=1, max=4_096))
_TEXT: Final = probatio.All(str, probatio.Length(max=10_000))

COMMANDS: Final = (
    command("audit", {probatio.Optional("before", default=None): probatio.Any(None, int)}, _audit),
    command("export_audit", {}, _export_audit),
    command(
        "door",
        {probatio.Required("clip"): ID, probatio.Optional("request", default=None): probatio.Any(None, ID)},
        _door,
    ),
    command(
        "set_place",
        {probatio.Required("camera"): ID, probatio.Required("place"): probatio.Any(None, _PLACE)},
        _set_place,
    ),
    command(
        "set_options",
        {
            probatio.Optional("undo_s"): probatio.All(int, probatio.Range(UNDO_MIN_S, UNDO_MAX_S)),
            probatio.Optional("hold"): bool,
            probatio.Optional("availability"): bool,
            probatio.Optional("blur_faces"): bool,
            probatio.Optional("identity"): probatio.In(IDENTITIES),
            probatio.Optional("name"): _TEXT,
            probatio.Optional("address"): _TEXT,
        },
        _set_options,
    ),
    command("get_model", {probatio.Optional("folder"): _PATH}, _get_model),
    command(
        "moderate",
        {
            probatio.Required("neighborhood"): ID,
            probatio.Required("request"): ID,
            probatio.Required("decision"): probatio.In([one.value for one in Action]),
            probatio.Optional("reason", default=""): _TEXT,
        },
        _moderate,
    ),
    command("demands", {}, _demands),
    command(
        "register_demand",
        {
            probatio.Required("kind"): probatio.Coerce(DemandKind),
            probatio.Required("authority"): _TEXT,
            probatio.Required("served"): probatio.All(int, probatio.Range(0)),
            probatio.Required("given"): _TEXT,
            probatio.Optional("clips", default=list): probatio.All([ID], probatio.Length(max=500)),
        },
        _register_demand,
    ),
    command("export_demands", {}, _export_demands),
)


@callback
def async_setup_footage_websocket_more(hass: HomeAssistant) -> None:
    """Register the commands."""
    for register in COMMANDS:
        register(hass)
