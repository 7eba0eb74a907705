"""A home's copy of one neighborhood on its disk: the ledger, the clips and pictures, what a person has read.

Everything happens in one thread of its own, one thing at a time.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
import contextlib
import json
import logging
from pathlib import Path
import time

from .bodies.feed import Media
from .changes import Change, ChangeKind
from .feed_items import FeedChange, FeedItem, read_item, unread
from .keys import PrivateKey
from .ledger import Ledger
from .ledger_schema import NAME, DamagedLedgerError
from .media_folder import MediaFolder
from .rows import Item, Subject

_LOGGER = logging.getLogger(__name__)

DAMAGED_KEPT_S = 7 * 86_400
FRESH_S = 7200  # what happened longer ago is no news any more
READ = "read.json"
WITH_TEXT = frozenset(
    {ChangeKind.POST, ChangeKind.ALERT, ChangeKind.COMMENT, ChangeKind.SHOWN, ChangeKind.RELEASED}
)


class HomeCopy:
    """Make one, `async_open` it, `async_close` it."""

    def __init__(self, folder: Path, neighborhood: str, hub_key: str, key: PrivateKey) -> None:
        self.members = 0
        self.unread = 0
        self.pending = 0
        self.coming: set[str] = set()  # being fetched, and not taken back meanwhile
        self.rebuilt = False  # it was damaged, and is fetched anew
        self._folder = folder
        self._neighborhood = neighborhood
        self._hub_key = hub_key
        self._key = key
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ringwatch ledger")
        self._ledger: Ledger | None = None
        self._media: MediaFolder | None = None
        self._read_up_to = 0
        self._closed = False

    async def async_open(self) -> None:
        """Open it. A damaged ledger is set aside. Raise OSError, sqlite3.Error or NewerLedgerError."""
        await self._async_in_thread(self._open)
        await self.async_count()

    async def async_close(self) -> None:
        """Close it. Doing so again does no harm."""
        if not self._closed:
            self._closed = True
            await self._async_in_thread(self._close)
            self._thread.shutdown(wait=False)

    async def async_ask[T](self, question: Callable[[Ledger], T]) -> T:
        """Have something done with the ledger. Raise OSError if it is closed."""
        return await self._async_in_thread(lambda: question(self.ledger))

    @property
    def ledger(self) -> Ledger:
        """The ledger, for its own thread only."""
        if self._ledger is None:
            raise OSError("this neighborhood's copy is closed")
        return self._ledger

    @property
    def media(self) -> MediaFolder:
        """The clips and pictures."""
        if self._media is None:
            raise OSError("this neighborhood's copy is closed")
        return self._media

    def me(self, ledger: Ledger) -> Subject | None:
        """Return who this home is there."""
        return ledger.state.subject_of(self._key.public)

    async def async_item(self, item_id: str) -> FeedItem | None:
        """Return a post, an alert or a comment, if it is still there."""

        def read(ledger: Ledger) -> FeedItem | None:
            item = ledger.state.item(item_id)
            return None if item is None else read_item(ledger, item, self.me(ledger))

        return await self.async_ask(read)

    async def async_count(self) -> None:
        """Count members, what is unread, and what waits to be sent."""

        def count(ledger: Ledger) -> tuple[int, int, int]:
            return (
                ledger.state.count("members"),
                unread(ledger, self.me(ledger), self._read_up_to),
                len(ledger.waiting()),
            )

        self.members, self.unread, self.pending = await self.async_ask(count)

    async def async_mark_read(self) -> None:
        """Note that a person has seen what there is."""

        def mark(ledger: Ledger) -> None:
            self._read_up_to = ledger.position.number
            temporary = self._folder / f"{READ}.new"
            temporary.write_text(json.dumps({"up_to": self._read_up_to}), encoding="ascii")
            temporary.replace(self._folder / READ)

        await self.async_ask(mark)
        await self.async_count()

    async def async_prune(self) -> None:
        """Delete files that nothing names any more."""
        await self.async_ask(lambda ledger: self._prune(ledger, self.media, set(self.coming)))

    def told(
        self, ledger: Ledger, changes: Sequence[Change], now_s: int, *, late: bool = False
    ) -> tuple[FeedChange, ...]:
        """Return changes as they are told to people, and delete files that are to go. In the thread.

        Something is told when its text is here. `late`: it has come just now, long after its record: news
        if a moderator had to look at it first, else what was hidden long ago and is shown again.
        """
        found: list[FeedChange] = []
        me = self.me(ledger)
        for change in changes:
            if change.kind is ChangeKind.ERASE_MEDIA:
                for media in change.media:
                    self.coming.discard(media.sha256)
                    self.media.delete(media.sha256)
            elif change.kind is not ChangeKind.ERASE:
                row = ledger.state.item(change.id)
                if row is None or row.known or change.kind not in WITH_TEXT:
                    number, time_s = _when(ledger, change, row)
                    news = now_s if late and (row is None or row.checked_first) else time_s
                    old = me is None or number <= me.since or now_s - news > FRESH_S
                    item = None if row is None else read_item(ledger, row, me)
                    by_me = me is not None and change.subject == me.id
                    found.append(FeedChange(change.kind, change.id, item, by_me, old))
        return tuple(found)

    async def _async_in_thread[T](self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._media = MediaFolder(self._folder / "media")
        try:
            self._ledger = Ledger(self._folder, self._neighborhood, self._hub_key)
        except DamagedLedgerError as error:
            _LOGGER.warning("A neighborhood's copy was damaged (%s); it is fetched anew", error)
            self._set_aside()
            self.rebuilt = True
            self._ledger = Ledger(self._folder, self._neighborhood, self._hub_key)
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            self._read_up_to = int(json.loads((self._folder / READ).read_bytes())["up_to"])
        self._prune(self._ledger, self._media, set())
        self._forget_damaged()

    def _set_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / f"{NAME}{suffix}").replace(self._folder / f"{NAME}.damaged{suffix}")

    def _forget_damaged(self) -> None:
        """Delete what was set aside, after a while: what neighbors take back later is in it still."""
        for file in self._folder.glob(f"{NAME}.damaged*"):
            if time.time() - file.stat().st_mtime > DAMAGED_KEPT_S:
                file.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    @staticmethod
    def _prune(ledger: Ledger, folder: MediaFolder, coming: set[str]) -> None:
        named = coming | {media.sha256 for one in ledger.waiting() for media in media_of(one.record.body)}
        for _, item_id in ledger.state.store.scan("feed"):
            item = ledger.state.item(str(item_id))
            if item and not item.media_gone:
                named |= {media.sha256 for media in item.media}
        for digest in list(folder.digests()):
            if digest not in named:
                folder.delete(digest)


def media_of(body: object) -> tuple[Media, ...]:
    """Return the clips and pictures that a body names."""
    found: tuple[Media, ...] = getattr(getattr(body, "post", body), "media", ())
    return found


def _when(ledger: Ledger, change: Change, item: Item | None) -> tuple[int, int]:
    """Return number and time of the entry that a change comes from, as near as it is known."""
    decided = change.kind in {ChangeKind.MODERATION, ChangeKind.RELEASED}
    if item is not None and decided and item.decisions:
        number = item.decisions[-1].number
        placed = next(iter(ledger.records.range(number, 1)), None)
        return number, placed.entry.time_s if placed else item.time_s
    placed = ledger.records.get(change.id)
    return (placed.entry.number, placed.entry.time_s) if placed else (0, 0)
