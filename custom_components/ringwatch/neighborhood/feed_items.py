"""Posts, alerts and comments as they are shown: what the state knows of them, their texts, their authors."""

from dataclasses import dataclass
from typing import Final

from .bodies import Alert, Comment, Post
from .bodies.feed import Media
from .changes import ChangeKind
from .ledger import LedgerView
from .places import Place
from .rows import Item, Status, Subject
from .state import may_see_body, numbered
from .types import Type

MAX_UNREAD: Final = 999


@dataclass(frozen=True, slots=True)
class FeedItem:
    """A post, an alert or a comment. Texts are empty where there is no body (any more)."""

    id: str
    type: Type
    status: Status
    number: int
    time_s: int
    expires_s: int
    author: str  # the handle
    standing: str  # the author's: host, moderator, member, ...
    subject: str
    mine: bool
    parent: str | None
    category: str
    title: str
    text: str
    place: Place | None
    from_s: int
    to_s: int
    valid_until_s: int
    media: tuple[Media, ...]
    thanks: int
    comments: int
    flags: int
    appealed: bool

    @property
    def is_visible(self) -> bool:
        """Whether everybody may see it."""
        return self.status is Status.VISIBLE


@dataclass(frozen=True, slots=True)
class FeedChange:
    """Something is new or different. `item` is what it is about, if that is still there."""

    kind: ChangeKind
    id: str
    item: FeedItem | None
    by_me: bool
    old: bool  # from before this home was here, or so long ago that it is no news


def read_item(view: LedgerView, item: Item, me: Subject | None) -> FeedItem:
    """Return an item with its author, and with what it says as far as this home may see that.

    What is kept back after it was seen stays on the disk, as it may come back; nobody is told of it again.
    """
    shown = may_see_body(item, me)
    record = view.record(item.id) if item.known and shown else None
    body = record.body if record else None
    post = body.post if isinstance(body, Alert) else body
    author = view.state.subject(item.subject)
    return FeedItem(
        id=item.id,
        type=item.type,
        status=item.status,
        number=item.number,
        time_s=item.time_s,
        expires_s=item.expires_s,
        author=author.name if author else "",
        standing=author.standing.value if author else "",
        subject=item.subject,
        mine=me is not None and item.subject == me.id,
        parent=item.parent,
        category=item.category,
        title=post.title if isinstance(post, Post) else "",
        text=post.text if isinstance(post, Post | Comment) else "",
        place=item.place if shown else None,
        from_s=item.from_s,
        to_s=item.to_s,
        valid_until_s=item.valid_until_s,
        media=item.media if shown and not item.media_gone else (),
        thanks=item.thanks,
        comments=item.comments,
        flags=item.open_flags,
        appealed=item.open_appeal,
    )


def unread(view: LedgerView, me: Subject | None, after: int) -> int:
    """Return how many posts and alerts of others there are after a number."""
    found = 0
    for _, item_id in view.state.store.scan("feed", numbered(after + 1)):
        item = view.state.item(str(item_id))
        if item and item.known and item.status is Status.VISIBLE and (me is None or item.subject != me.id):
            found += 1
            if found >= MAX_UNREAD:
                break
    return found
