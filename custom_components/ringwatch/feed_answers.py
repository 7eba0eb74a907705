"""What `get_feed` and `export_feed` answer: the feed, a post with its comments, members, decisions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .neighborhood import feed
from .neighborhood.bodies import Moderation
from .neighborhood.feed_items import FeedItem, read_item
from .neighborhood.keys import fingerprint
from .neighborhood.ledger import Ledger
from .neighborhood.places import Place, distance_m
from .neighborhood.rows import Item, Kind, Subject
from .neighborhood.state import may_see_body
from .neighborhood_answers import item_answer, time_answer

MEMBERS_MAX: Final = 500  # of one answer
EXPORTED_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which posts; everything that is left out is not asked for."""

    categories: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    text: str = ""
    near: Place | None = None
    radius_m: int = 0
    start_s: int = 0
    end_s: int = 0


def feed_page(
    ledger: Ledger, subentry_id: str, key: str, wanted: Wanted, *, cursor: int | None, limit: int
) -> dict[str, Any]:
    """Return a page of posts and alerts, newest first. In the ledger's thread, as all of these."""
    me = ledger.state.subject_of(key)
    found = feed.page(ledger.state, viewer=me, cursor=cursor, limit=limit, wanted=_filter(ledger, me, wanted))
    return {
        "items": [item_answer(subentry_id, read_item(ledger, item, me)) for item in found.items],
        "cursor": found.cursor,
    }


def one_post(ledger: Ledger, subentry_id: str, key: str, post_id: str) -> dict[str, Any] | None:
    """Return a post with its comments, oldest first; None if there is none for this home."""
    me = ledger.state.subject_of(key)
    item = ledger.state.item(post_id)
    if item is None or not item.known or not may_see_body(item, me):
        return None
    return item_answer(subentry_id, read_item(ledger, item, me)) | {
        "comments_below": [
            item_answer(subentry_id, read_item(ledger, comment, me))
            for comment in feed.comments(ledger.state, post_id, viewer=me)
        ]
    }


def to_moderate(ledger: Ledger, subentry_id: str, key: str) -> dict[str, Any]:
    """Return what waits for a moderator, as far as this home may see it."""
    me = ledger.state.subject_of(key)
    items = [item for item in feed.to_moderate(ledger.state) if item.known and may_see_body(item, me)]
    return {
        "items": [item_answer(subentry_id, read_item(ledger, item, me)) for item in items],
        "cursor": None,
    }


def log(ledger: Ledger, *, cursor: int | None, limit: int) -> dict[str, Any]:
    """Return what moderators have decided, newest first: everybody in the neighborhood may know."""
    found = feed.moderation_log(ledger.state, cursor=cursor, limit=limit)
    items = []
    for one in found:
        record = ledger.record(one.record)
        body = record.body if record else None
        moderator = ledger.state.subject(one.moderator)
        items.append(
            {
                "id": one.record,
                "target": one.item,
                "action": one.action,
                "reason": body.reason if isinstance(body, Moderation) else "",
                "moderator": moderator.name if moderator else "",
                "posted": time_answer(one.time_s),
            }
        )
    return {"items": items, "cursor": found[-1].number if len(found) == limit else None}


def members(ledger: Ledger) -> dict[str, Any]:
    """Return who belongs to the neighborhood."""
    found = [one for one in ledger.state.subjects(Kind.MEMBER) if one.is_active][:MEMBERS_MAX]
    return {
        "items": [
            {
                "member": one.id,
                "handle": one.name,
                "role": one.standing.value,
                "since": time_answer(one.since_s),
                "frozen": one.frozen,
                "fingerprint": fingerprint(one.key),
            }
            for one in found
        ],
        "cursor": None,
    }


def export(ledger: Ledger, subentry_id: str, key: str) -> list[dict[str, Any]]:
    """Return all posts that this home may see, with their comments, newest first."""
    posts: list[dict[str, Any]] = []
    cursor: int | None = None
    while len(posts) < EXPORTED_MAX:
        page = feed_page(ledger, subentry_id, key, Wanted(), cursor=cursor, limit=feed.MAX_PAGE)
        posts += [one_post(ledger, subentry_id, key, item["id"]) or item for item in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    return posts


def _filter(ledger: Ledger, me: Subject | None, wanted: Wanted) -> Callable[[Item], bool]:
    words = wanted.text.casefold().split()

    def is_wanted(item: Item) -> bool:
        if wanted.categories and item.category not in wanted.categories:
            return False
        if wanted.kinds and item.type not in wanted.kinds:
            return False
        if (wanted.start_s and item.time_s < wanted.start_s) or (
            wanted.end_s and item.time_s >= wanted.end_s
        ):
            return False
        if wanted.near is not None and (
            item.place is None or distance_m(item.place, wanted.near) > wanted.radius_m
        ):
            return False
        return not words or _has_words(read_item(ledger, item, me), words)

    return is_wanted


def _has_words(item: FeedItem, words: list[str]) -> bool:
    text = f"{item.title}\n{item.text}\n{item.author}".casefold()
    return all(word in text for word in words)
