"""Pages of the feed, newest first, and what stands below a post. Texts are in the records, not here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from .rows import KEPT_BACK, Item, Status, Subject
from .state import State, may_see_body, numbered
from .types import Type

MAX_PAGE: Final = 100
MAX_LOOKED_AT: Final = 5_000  # rows for one page: a filter that fits nothing must not cost the whole feed


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, and where the next page begins: None at the end."""

    items: tuple[Item, ...]
    cursor: int | None


def page(
    state: State,
    *,
    viewer: Subject | None = None,
    cursor: int | None = None,
    limit: int = 20,
    wanted: Callable[[Item], bool] = lambda _: True,
) -> Page:
    """Return posts and alerts before `cursor` that the viewer may see and that are wanted, newest first.

    Moderators find what is kept back in it, and authors their own: with its status.
    """
    stop = None if cursor is None else numbered(cursor)
    found: list[Item] = []
    for looked_at, (key, item_id) in enumerate(state.store.scan("feed", "", stop, reverse=True)):
        if len(found) >= min(limit, MAX_PAGE) or looked_at >= MAX_LOOKED_AT:
            return Page(tuple(found), int(key) + 1)
        item = state.item(str(item_id))
        if item and item.known and may_see_body(item, viewer) and wanted(item):
            found.append(item)
    return Page(tuple(found), None)


def comments(state: State, post: str, *, viewer: Subject | None = None) -> Iterator[Item]:
    """Yield what the viewer may see of a post's comments, oldest first."""
    for type_, record_id, _, _ in state.below(post):
        item = state.item(record_id) if type_ == Type.COMMENT else None
        if item and item.known and may_see_body(item, viewer):
            yield item


def to_moderate(state: State) -> Iterator[Item]:
    """Yield what waits for a moderator: not looked at yet, hidden by flags, or appealed against.

    Footage requests have a list of their own: `requests.requests_to_moderate`.
    """
    for item_id, row in state.store.scan("items"):
        item = Item.unpack(item_id, row)
        if item.type is Type.FOOTAGE_REQUEST:
            continue
        if item.status in {Status.PENDING, Status.HIDDEN} or (item.status in KEPT_BACK and item.open_appeal):
            yield item


@dataclass(frozen=True, slots=True)
class Logged:
    """A moderator's decision in the public log. Its reason is in the record."""

    number: int
    action: str
    item: str
    moderator: str
    time_s: int
    record: str


def moderation_log(state: State, *, cursor: int | None = None, limit: int = 20) -> tuple[Logged, ...]:
    """Return decisions before `cursor` (a number), newest first."""
    stop = None if cursor is None else numbered(cursor)
    found: list[Logged] = []
    row: Any
    for key, row in state.store.scan("log", "", stop, reverse=True):
        if len(found) >= min(limit, MAX_PAGE):
            break
        found.append(Logged(int(key), *row))
    return tuple(found)
