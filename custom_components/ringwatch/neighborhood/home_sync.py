"""In step with the hub: what is new is read and checked, what waits is sent, in order and once.

`Follower` asks the hub, `Sender` sends. Both do one turn at a time and say how long to wait before the next.
"""

import asyncio
from collections.abc import Awaitable, Callable
import contextlib
from functools import partial
import time
from typing import Any, Final

from .canonical import encode, parse
from .changes import Change, ChangeKind
from .envelope import MAX_RECORD_BYTES, Record
from .feed_items import FeedChange
from .home_copy import HomeCopy, media_of
from .hub_client import Answer, HubClient, HubError
from .keys import PrivateKey
from .ledger import Ledger
from .order import Entry
from .outbox import Waiting
from .restoring import async_restore
from .segments import MAX_PACKED_BYTES, MAX_UNPACKED_BYTES, SEGMENT_RECORDS, unpack_lines, unpack_segment
from .state import withheld
from .store import History
from .transfers import async_upload
from .types import Type
from .violations import BodyWithheld, OrderRewound, RecordViolation, UnknownTarget

WAIT_S: Final = 50  # how long the hub may keep a question until there is news
WITHHELD_S: Final = 600  # so long a hub may take to give out a body
REWOUND_S: Final = 120.0  # so long its host's home has to bring a hub back that was restored from a backup
REWOUND_AGAIN_S: Final = 15
BODIES_AGAIN_S: Final = 300.0
MAX_BODIES: Final = 100
MAX_BODIES_BYTES: Final = 8 * 1024 * 1024
MAX_SEGMENTS: Final = 1_000_000
BAD_REQUEST: Final = 400
MAX_TRIES: Final = 20  # of a record whose clip the hub does not keep
ITEMS: Final = frozenset({Type.POST, Type.ALERT, Type.COMMENT})
NOT_FOR_GOOD: Final = frozenset({"removed", "not_a_member", "bad_call", "wrong_time"})

type Tell = Callable[[tuple[FeedChange, ...]], Awaitable[None]]


class Follower:
    """Asks what is new."""

    def __init__(
        self, client: HubClient, copy: HomeCopy, key: PrivateKey, neighborhood: str, tell: Tell
    ) -> None:
        """`tell` is called with every change, in order."""
        self._client = client
        self._copy = copy
        self._key = key
        self._neighborhood = neighborhood
        self._tell = tell
        self._bodies_at_s = 0.0
        self._bodies_asked: frozenset[str] = frozenset()
        self._withheld_since_s: int | None = None
        self._rewound_at_s: float | None = None  # since when the hub knows less than this home
        self.caught_up = False  # has everything that the hub has

    async def async_turn(self, *, wait: bool) -> float:
        """Ask once; return how long the hub wants to be left alone. Raise HubError or HubViolation."""
        position = await self._copy.async_ask(lambda ledger: ledger.position)
        wait_s = WAIT_S if wait else 0
        path = f"/records?after={position.number}" + (f"&wait={wait_s}" if wait_s else "")
        try:
            answer = await self._client.get(path, max_bytes=MAX_UNPACKED_BYTES, wait_s=wait_s)
        except HubError as error:
            if error.status == BAD_REQUEST and position.number:
                await self._async_rewound(position.number, error)
                return 0.0
            if error.violation != "use_segments":
                raise
            await self._async_catch_up(position.number, error)
            return 0.0
        self._rewound_at_s = None
        await self._async_take(answer)
        return float(answer.poll_after_s)

    async def _async_rewound(self, number: int, error: HubError) -> None:
        """Give our own hub back what it has forgotten. Another's host does that: wait for it a little.

        Raise HubError while it may still come back, OrderRewound when it doesn't.
        """
        now_s = time.monotonic()
        if self._rewound_at_s is None:
            self._rewound_at_s = now_s
        if await async_restore(self._client, self._copy, self._key.public):
            self._rewound_at_s = None
        elif now_s - self._rewound_at_s < REWOUND_S:
            raise HubError("busy", "the hub has forgotten what it has shown", retry_after_s=REWOUND_AGAIN_S)
        else:
            about = f"the hub doesn't know entry {number}, which it has shown before"
            raise OrderRewound(about) from error

    async def _async_take(self, answer: Answer) -> None:
        data = answer.data if answer.status == 200 else b""
        if data:
            await self._async_receive(data, unpack_lines)
        checkpoint = answer.checkpoint(self._neighborhood)
        if checkpoint is None:
            return
        now_s = self._client.clock.judging_s()

        def take(ledger: Ledger) -> tuple[tuple[FeedChange, ...], bool]:
            changes = ledger.receive_checkpoint(checkpoint, now_s)
            return self._copy.told(ledger, changes, now_s), checkpoint.number <= ledger.position.number

        changes, self.caught_up = await self._copy.async_ask(take)
        await self._tell(changes)
        if self.caught_up:
            await self._async_fetch_bodies()

    async def _async_catch_up(self, number: int, error: HubError) -> None:
        """Read whole segments: this home was away for long."""
        last = error.details.get("segments")
        if not isinstance(last, int) or not 0 < last < MAX_SEGMENTS:
            raise HubError("bad_answer", "segments that can't be counted")
        self.caught_up = False
        for segment in range(number // SEGMENT_RECORDS + 1, last + 1):
            answer = await self._client.get(f"/segments/{segment}", max_bytes=MAX_PACKED_BYTES)
            await self._async_receive(answer.data, unpack_segment)

    async def _async_receive(self, data: bytes, unpack: Callable[[bytes, str, History], Any]) -> None:
        now_s = self._client.clock.judging_s()

        def receive(ledger: Ledger) -> tuple[FeedChange, ...]:
            placed = unpack(data, self._neighborhood, ledger.state.history)
            return self._copy.told(ledger, ledger.receive(placed, now_s), now_s)

        await self._tell(await self._copy.async_ask(receive))

    async def _async_fetch_bodies(self) -> None:
        """Ask for bodies that were kept back when their records came."""
        wanted = await self._copy.async_ask(lambda ledger: ledger.bodies_wanted(self._key.public, MAX_BODIES))
        again = time.monotonic() - self._bodies_at_s > BODIES_AGAIN_S
        asked = frozenset(wanted)
        if asked and (again or not asked <= self._bodies_asked):
            self._bodies_asked, self._bodies_at_s = asked, time.monotonic()
            await self._async_ask_for(wanted)
        await self._async_look_for_withheld()

    async def _async_ask_for(self, ids: list[str]) -> None:
        answer = await self._client.post("/bodies", {"ids": list(ids)}, max_bytes=MAX_BODIES_BYTES)
        found = answer.json().get("records")
        if not isinstance(found, list) or len(found) > MAX_BODIES:
            raise HubError("bad_answer", "bodies that can't be read")
        now_s = self._client.clock.now_s()

        def supply(ledger: Ledger) -> tuple[FeedChange, ...]:
            changes: list[Change] = []
            for wire in found:
                record = _record(wire)
                with contextlib.suppress(UnknownTarget):  # erased meanwhile
                    changes += ledger.supply(record)
                    if record.type in ITEMS:
                        author = ledger.state.subject_of(record.author)
                        kind = ChangeKind(record.type.value)
                        changes.append(Change(kind, record.id, author.id if author else None))
                    request = ledger.state.request(record.id)
                    if request and request.released_s is not None and request.closed_s is None:
                        changes.append(Change(ChangeKind.RELEASED, request.id, request.subject))
            return self._copy.told(ledger, changes, now_s, late=True)

        await self._tell(await self._copy.async_ask(supply))

    async def _async_look_for_withheld(self) -> None:
        """Raise BodyWithheld if the hub keeps a post back, for long, that nobody decided to hide."""
        missing = await self._copy.async_ask(lambda ledger: next(withheld(ledger.state), None))
        now_s = self._client.clock.now_s()
        if missing is None:
            self._withheld_since_s = None
        elif self._withheld_since_s is None:
            self._withheld_since_s = now_s
        elif now_s - self._withheld_since_s > WITHHELD_S:
            raise BodyWithheld("a post is kept back though nobody decided so")


class Sender:
    """Sends the outbox."""

    def __init__(self, client: HubClient, copy: HomeCopy, key: PrivateKey, neighborhood: str) -> None:
        self._client = client
        self._copy = copy
        self._key = key
        self._neighborhood = neighborhood

    async def async_turn(self) -> list[tuple[str, str]]:
        """Send what waits; return what was refused for good: id and code. Raise HubError or HubViolation."""
        now_s = self._client.clock.now_s()
        waiting = await self._async_waiting(now_s)
        while waiting:
            one = waiting.pop(0)
            try:
                await self._async_send(one)
            except HubError as error:
                if not _is_final(one, error):
                    raise
                code, about = error.violation or error.code, error.about
                refuse = partial(Ledger.refuse, record_id=one.record.id, code=code, about=about)
                await self._copy.async_ask(refuse)
                waiting = await self._async_waiting(now_s)  # they follow something else now: signed anew
        refused = await self._copy.async_ask(lambda ledger: ledger.refused())
        return [(one.record.id, one.code) for one in refused]

    async def _async_waiting(self, now_s: int) -> list[Waiting]:
        return list(await self._copy.async_ask(lambda ledger: ledger.to_send(self._key, now_s)))

    async def _async_send(self, waiting: Waiting) -> None:
        record = waiting.record
        await self._copy.async_ask(lambda ledger: ledger.tried(record.id))
        for media in media_of(record.body):
            file = self._copy.media.path(media.sha256)
            if await asyncio.to_thread(file.is_file):
                await async_upload(self._client, media, file)
        answer = (await self._client.call("POST", "/records", encode(record.to_wire()))).json()
        try:
            wire = dict(answer["entry"])
            head = wire.pop("head", None)
            entry = Entry.parse(wire, self._neighborhood)
        except (KeyError, TypeError, ValueError, RecordViolation) as error:
            raise HubError("bad_answer", "a receipt that can't be read") from error
        if head not in {None, entry.head}:
            raise HubError("bad_answer", "a receipt that contradicts itself")
        await self._copy.async_ask(lambda ledger: ledger.sent(record.id, entry))


def _is_final(waiting: Waiting, error: HubError) -> bool:
    """Tell whether the hub will never take this record."""
    if not error.for_good or error.violation in NOT_FOR_GOOD:
        return False
    return error.violation != "media_missing" or waiting.tries >= MAX_TRIES


def _record(wire: Any) -> Record:
    try:
        return Record.from_wire(parse(encode(wire), MAX_RECORD_BYTES))
    except RecordViolation as error:
        raise HubError("bad_answer", "a record that can't be read") from error
