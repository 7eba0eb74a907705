"""The actions that read a neighborhood, invite into it, and write it into a file."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.components.http.auth import async_sign_path
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError

from . import feed_answers
from .clip_actions import as_utc
from .neighborhood.keys import fingerprint
from .neighborhood.places import snap_degrees
from .neighborhood.violations import BadField, LinkViolation
from .neighborhood_access import async_may_use
from .neighborhood_answers import time_answer
from .neighborhood_calls import NeighborhoodCall, digest_of
from .neighborhood_views import INVITE_URL
from .posting import answer_of, refused
from .qr_codes import qr_code

SIGNED_FOR: Final = timedelta(minutes=10)


async def async_get_feed(call: NeighborhoodCall) -> dict[str, Any]:
    """Answer with a page of the feed, a post, the members, or what moderators have to do or have done."""
    data, running = call.data, call.neighborhood
    subentry_id, key = running.subentry_id, running.home.public_key
    cursor, limit = data.get("cursor"), data["limit"]
    answer: dict[str, Any]
    if "post" in data:
        post_id = digest_of(data["post"])
        found = await call.ask(lambda ledger: feed_answers.one_post(ledger, subentry_id, key, post_id))
        if found is None:
            raise refused(translation_key="rule_unknown_target")
        answer = {"items": [found], "cursor": None}
    elif data["view"] == "to_moderate":
        answer = await call.ask(lambda ledger: feed_answers.to_moderate(ledger, subentry_id, key))
    elif data["view"] == "log":
        answer = await call.ask(lambda ledger: feed_answers.log(ledger, cursor=cursor, limit=limit))
    elif data["view"] == "members":
        answer = await call.ask(feed_answers.members)
    else:
        wanted = _wanted(data)
        answer = await call.ask(
            lambda ledger: feed_answers.feed_page(
                ledger, subentry_id, key, wanted, cursor=cursor, limit=limit
            )
        )
    if data["mark_read"]:
        await running.home.async_mark_read()
    # What is not sent yet is only for those who could send it.
    sends = call.user is None or async_may_use(call.hass, call.user, subentry_id, POLICY_CONTROL)
    pending = call.neighborhoods.pending.of(subentry_id) if sends else []
    return answer | {
        "pending": [answer_of(running, post.body, post.hints, pending=post) for post in pending],
        "unread": running.home.unread,
        "connected": running.home.connected,
    }


def _wanted(data: dict[str, Any]) -> feed_answers.Wanted:
    near, radius_m = None, 0
    if (where := data.get("location")) is not None:
        try:
            near = snap_degrees(float(where["latitude"]), float(where["longitude"]))
            radius_m = round(float(where.get("radius", 1000)))
        except (BadField, KeyError, TypeError, ValueError) as err:
            raise refused(translation_key="bad_place") from err
    start, end = as_utc(data.get("start")), as_utc(data.get("end"))
    if start is not None and end is not None and end <= start:
        raise refused(translation_key="end_before_start")
    return feed_answers.Wanted(
        categories=frozenset(category.value for category in data["categories"]),
        kinds=frozenset(data["kinds"]),
        text=data["text"],
        near=near,
        radius_m=radius_m,
        start_s=int(start.timestamp()) if start else 0,
        end_s=int(end.timestamp()) if end else 0,
    )


async def async_create_invite(call: NeighborhoodCall) -> dict[str, Any]:
    """Answer with a link and its QR code."""
    running = call.neighborhood
    if not running.hosted:
        raise refused(translation_key="not_the_host")
    try:
        invite = running.home.create_invite(running.hub_url)
    except LinkViolation as err:
        raise refused(translation_key="not_the_host") from err
    png = await call.hass.async_add_executor_job(qr_code, invite.link)
    answer: dict[str, Any] = {
        "link": invite.link,
        "expires": time_answer(invite.certificate.expires_s),
        "fingerprint": fingerprint(invite.hub_key),
        "picture": None,
        "picture_url": None,
    }
    if png is not None:
        name = call.neighborhoods.async_keep_picture(png)
        path = INVITE_URL.format(picture_id=name)
        # The second one opens in a tab: a browser sends no login of its own accord.
        answer |= {"picture": path, "picture_url": async_sign_path(call.hass, path, SIGNED_FOR)}
    return answer


async def async_export_feed(call: NeighborhoodCall) -> dict[str, Any]:
    """Write everything into a file."""
    target = Path(call.data["filename"])
    running = call.neighborhood
    if not await call.hass.async_add_executor_job(call.hass.config.is_allowed_path, str(target)):
        raise refused(translation_key="path_not_allowed", filename=str(target))
    if target.suffix.casefold() != ".json":
        raise refused(translation_key="not_json", filename=str(target))
    posts = await call.ask(
        lambda ledger: feed_answers.export(ledger, running.subentry_id, running.home.public_key)
    )
    content: dict[str, Any] = {
        "neighborhood": running.title,
        "exported": dt_util.utcnow().isoformat(),
        "posts": posts,
    }

    if await call.hass.async_add_executor_job(target.exists):
        raise refused(translation_key="file_exists", filename=str(target))
    if not await call.hass.async_add_executor_job(target.parent.is_dir):
        raise refused(translation_key="no_folder", filename=str(target))
    try:
        await call.neighborhoods.exports.async_write(target, running.home.config.neighborhood, content)
    except (OSError, WriteError) as err:
        raise refused(translation_key="not_written", filename=str(target), error=str(err)) from err
    return {"filename": str(target), "posts": len(posts)}
