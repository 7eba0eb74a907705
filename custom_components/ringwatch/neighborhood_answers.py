"""A neighborhood's posts as Home Assistant's answers and events tell them: plain values, times as ISO text.

Texts are other people's. They are given as data, never put into a template or a page by us.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from .const import DOMAIN
from .neighborhood.bodies.feed import Media, MediaType
from .neighborhood.changes import ChangeKind
from .neighborhood.feed_items import FeedChange, FeedItem
from .neighborhood.places import Place
from .neighborhood.rows import Status
from .neighborhood.types import Type
from .neighborhood.writing import FOREVER_S

MEDIA_URL: Final = f"/api/{DOMAIN}/neighborhood/{{subentry_id}}/{{item_id}}/{{digest}}"

EVENT_POST: Final = "post"
EVENT_ALERT: Final = "alert"
EVENT_COMMENT: Final = "comment"
EVENT_MODERATION: Final = "moderation"
EVENT_GONE: Final = "gone"  # no event of the entity: what was told is to be forgotten
EVENT_TYPES: Final = (EVENT_POST, EVENT_ALERT, EVENT_COMMENT, EVENT_MODERATION)

# What becomes an event of the type "moderation", and as what action.
MODERATING: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.MODERATION: "decided",
    ChangeKind.HIDDEN: "hidden",
    ChangeKind.SHOWN: "shown",
    ChangeKind.FLAG: "flagged",
    ChangeKind.APPEAL: "appealed",
}
DECIDED: Final[Mapping[Status, str]] = {Status.HELD: "held", Status.REMOVED: "removed"}
NEWS: Final[Mapping[Type, str]] = {
    Type.POST: EVENT_POST,
    Type.ALERT: EVENT_ALERT,
    Type.COMMENT: EVENT_COMMENT,
}


def time_answer(time_s: int) -> str | None:
    """Return a time as text, None for none and for what doesn't end by itself."""
    return datetime.fromtimestamp(time_s, UTC).isoformat() if 0 < time_s < FOREVER_S else None


def place_answer(place: Place | None) -> dict[str, float] | None:
    """Return a snapped place in degrees."""
    return None if place is None else {"latitude": place.lat_e6 / 1e6, "longitude": place.lon_e6 / 1e6}


def media_answer(subentry_id: str, item_id: str, media: Media) -> dict[str, Any]:
    """Return what is known of a clip or picture, and the path that it has here; it needs a login."""
    return {
        "path": MEDIA_URL.format(subentry_id=subentry_id, item_id=item_id, digest=media.sha256),
        "type": media.type.value,
        "size_bytes": media.size_bytes,
        "duration_s": media.duration_ms / 1000,
        "width": media.width,
        "height": media.height,
    }


def item_answer(subentry_id: str, item: FeedItem) -> dict[str, Any]:
    """Return what actions and events say of a post, an alert or a comment."""
    media = [media_answer(subentry_id, item.id, one) for one in item.media]
    pictures = [one["path"] for one in media if one["type"] == MediaType.JPEG]
    clips = [one["path"] for one in media if one["type"] == MediaType.MP4]
    return {
        "id": item.id,
        "kind": item.type.value,
        "status": item.status.value,
        "category": item.category,
        "title": item.title,
        "text": item.text,
        "author": item.author,
        "author_role": item.standing,
        "member": item.subject,
        "mine": item.mine,
        "posted": time_answer(item.time_s),
        "start": time_answer(item.from_s),
        "end": time_answer(item.to_s),
        "expires": time_answer(item.expires_s),
        "valid_until": time_answer(item.valid_until_s),
        "place": place_answer(item.place),
        "post": item.parent,
        "thanks": item.thanks,
        "comments": item.comments,
        "flags": item.flags,
        "appealed": item.appealed,
        "picture": pictures[0] if pictures else None,
        "clip": clips[0] if clips else None,
        "media": media,
    }


FEED_DETAILS: Final = frozenset(
    {
        "id",
        "kind",
        "status",
        "category",
        "title",
        "text",
        "author",
        "author_role",
        "member",
        "mine",
        "posted",
        "start",
        "end",
        "expires",
        "valid_until",
        "place",
        "post",
        "thanks",
        "comments",
        "flags",
        "appealed",
        "picture",
        "clip",
        "media",
        "action",
    }
)


def moderation_of(change: FeedChange, *, moderates: bool) -> str | None:
    """Return what a change did to a post, None if this home needn't hear of it as moderation."""
    what = MODERATING.get(change.kind)
    item = change.item
    if what is None or item is None or change.old:
        return None
    if change.kind in {ChangeKind.FLAG, ChangeKind.APPEAL} and (change.by_me or not (moderates or item.mine)):
        return None
    if item.type is Type.FOOTAGE_REQUEST and change.kind not in {ChangeKind.FLAG, ChangeKind.APPEAL}:
        return None  # requests have an event of their own
    if change.kind is ChangeKind.MODERATION:
        return None if change.by_me else DECIDED.get(item.status, "restored")
    return what
