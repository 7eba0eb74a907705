"""The actions that write into a neighborhood: posts, comments, thanks, flags, decisions."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import ATTR_DOMAIN, ATTR_SERVICE, EVENT_CALL_SERVICE
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.util import dt as dt_util

from .clip_actions import as_utc, async_check, async_user
from .clip_views import async_recordings
from .clips import Clip, UnsafePathError
from .clips.redact import Redaction
from .const import DOMAIN
from .neighborhood.bodies import Appeal, Body, Flag, Moderation, Remove, Role, Thanks, Withdraw
from .neighborhood.bodies.care import MAX_REASON, Action
from .neighborhood.bodies.feed import MAX_SPAN_S, Span
from .neighborhood.bodies.people import RoleName
from .neighborhood.ledger import Ledger
from .neighborhood.text import clean
from .neighborhood_access import async_may_use
from .neighborhood_calls import NeighborhoodCall, digest_of, loaded
from .posting import (
    async_confirm,
    async_post_clip,
    async_send_or_ask,
    cut,
    hints_of,
    refused,
    write_comment,
    write_post,
)
from .recording import FAILURES


async def async_post_clip_call(call: NeighborhoodCall) -> dict[str, Any]:
    """Make a clip ready and have it wait for a person."""
    clip, path = await _async_clip(call)
    data = call.data
    start, end = as_utc(data.get("start")), as_utc(data.get("end"))
    start_s = (start - clip.start).total_seconds() if start else 0.0
    end_s = (end - clip.start).total_seconds() if end else None
    if start_s >= clip.duration_s or (end_s is not None and end_s <= max(0.0, start_s)):
        raise refused(translation_key="outside_clip", start=clip.start.isoformat(), end=clip.end.isoformat())
    keep_only = data.get("keep_only")
    wanted = Redaction(
        mute=data["mute"],
        blur=tuple(_box(box) for box in data["blur"]),
        keep_only=_box(keep_only) if keep_only else None,
    )
    shown_from = clip.start + timedelta(seconds=max(0.0, start_s))
    shown_to = clip.end if end_s is None else min(clip.end, clip.start + timedelta(seconds=end_s))
    happened = _span(as_utc(data.get("when")), shown_from, shown_to)
    written = write_post(call.hass, call.neighborhood, data, happened)
    return await async_post_clip(
        call.hass,
        call.neighborhoods,
        call.neighborhood,
        written,
        clip=clip,
        path=path,
        wanted=cut(wanted, start_s, end_s),
    )


async def _async_clip(call: NeighborhoodCall) -> tuple[Clip, Path]:
    """Return a clip that the caller may give away."""
    clip_id = call.data["clip"]
    recordings = async_recordings(call.hass)
    if recordings is None:
        raise refused(translation_key="not_loaded")
    await async_check(call.hass, recordings, call.call, [clip_id])

    def find() -> tuple[Clip, Path] | None:
        clip = recordings.store.questions.get(clip_id)
        if clip is None:
            return None
        path = recordings.store.storage.path(clip.path)
        return (clip, path) if path.is_file() and not path.is_symlink() else None

    try:
        found = await call.hass.async_add_executor_job(find)
    except (*FAILURES, UnsafePathError) as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="clips_failed",
            translation_placeholders={"error": str(err)},
        ) from err
    if found is None:
        raise refused(translation_key="clip_unknown", clip=clip_id)
    return found


def _box(values: list[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = values
    if left >= right or top >= bottom:
        raise refused(translation_key="bad_box")
    return left, top, right, bottom


def _span(when: datetime | None, start: datetime, end: datetime) -> Span:
    """Return when it happened: what was said, or what is shown."""
    if when is not None:
        start = end = when
    start_s, end_s = int(start.timestamp()), int(end.timestamp())
    return Span(start_s, min(max(start_s, end_s), start_s + MAX_SPAN_S))


async def async_post(call: NeighborhoodCall) -> dict[str, Any]:
    """Post a text."""
    now = dt_util.utcnow()
    happened = _span(as_utc(call.data.get("when")), now, now)
    written = write_post(call.hass, call.neighborhood, call.data, happened)
    return await async_send_or_ask(call.neighborhoods, call.neighborhood, written.to_post())


async def async_comment(call: NeighborhoodCall) -> dict[str, Any]:
    """Comment on a post."""
    body = write_comment(digest_of(call.data["post"]), call.data["text"])
    return await async_send_or_ask(call.neighborhoods, call.neighborhood, body)


async def _async_say(call: NeighborhoodCall, body: Body) -> dict[str, Any]:
    """Send a reason, which all members read; have it wait for a person if something in it looks private."""
    if hints_of(body):
        return await async_send_or_ask(call.neighborhoods, call.neighborhood, body)
    return await call.submit(body) | {"pending": None}


async def async_thank(call: NeighborhoodCall) -> dict[str, Any]:
    """Thank."""
    return await call.submit(Thanks(digest_of(call.data["target"])))


async def async_flag(call: NeighborhoodCall) -> dict[str, Any]:
    """Have moderators look at something."""
    text = clean(call.data["text"], MAX_REASON, lines=True)
    return await _async_say(call, Flag(digest_of(call.data["target"]), call.data["reason"], text))


async def async_appeal(call: NeighborhoodCall) -> dict[str, Any]:
    """Have moderators look again."""
    text = clean(call.data["text"], MAX_REASON, lines=True)
    if not text:
        raise refused(translation_key="no_text")
    return await _async_say(call, Appeal(digest_of(call.data["target"]), text))


async def async_withdraw(call: NeighborhoodCall) -> dict[str, Any]:
    """Take something back."""
    return await call.submit(Withdraw(digest_of(call.data["target"])))


async def async_moderate(call: NeighborhoodCall) -> dict[str, Any]:
    """Decide about something."""
    decision = call.data["decision"]
    reason = clean(call.data["reason"], MAX_REASON, lines=True)
    if not reason and decision is not Action.RESTORE:
        raise refused(translation_key="no_reason")
    return await _async_say(call, Moderation(digest_of(call.data["target"]), decision, reason))


async def async_remove_member(call: NeighborhoodCall) -> dict[str, Any]:
    """Remove a member, from its last record on."""
    member = digest_of(call.data["member"])

    def last(ledger: Ledger) -> str | None:
        subject = ledger.state.subject(member)
        author = ledger.state.author(subject.key) if subject else None
        return author.tip if author else None

    tip = await call.ask(last)
    if tip is None:
        raise refused(translation_key="rule_unknown_target")
    reason = clean(call.data["reason"], MAX_REASON, lines=True)
    return await _async_say(call, Remove(member, tip, reason))


async def async_set_role(call: NeighborhoodCall) -> dict[str, Any]:
    """Make somebody a moderator, or a member again."""
    return await call.submit(Role(digest_of(call.data["member"]), RoleName(call.data["role"])))


def _is_direct(call: ServiceCall) -> bool:
    """Tell whether a person called this itself, and not a script or a scene that a person began."""
    origin = call.context.origin_event
    if call.context.parent_id is not None or origin is None or origin.event_type != EVENT_CALL_SERVICE:
        return False
    return (origin.data.get(ATTR_DOMAIN), origin.data.get(ATTR_SERVICE)) == (DOMAIN, call.service)


async def async_confirm_post(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Send what waited. A person does that: never an automation, nor Home Assistant itself."""
    neighborhoods = loaded(hass)
    post = neighborhoods.pending.get(call.data["pending"])
    user = await async_user(hass, call)
    discard = call.data["discard"]
    if not discard and (user is None or user.system_generated or not _is_direct(call)):
        raise refused(translation_key="needs_a_person")
    if post is None:
        raise refused(translation_key="pending_unknown")
    decides = isinstance(post.body, Moderation | Remove)  # an administrator has begun it
    if user is not None and not (
        user.is_admin if decides else async_may_use(hass, user, post.subentry_id, POLICY_CONTROL)
    ):
        raise Unauthorized(context=call.context, permission=POLICY_CONTROL)
    if discard:
        await neighborhoods.pending.async_discard(post.id)
        return {"id": None}
    return {"id": (await async_confirm(neighborhoods, post)).id}
