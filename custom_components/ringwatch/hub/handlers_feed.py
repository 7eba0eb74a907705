"""Calls that read: records, segments, bodies, the feed, members, the log."""

from dataclasses import asdict
import gzip
import random
from typing import Any, Final

from aiohttp import web

from ..neighborhood import feed
from ..neighborhood.bodies.feed import Category
from ..neighborhood.fields import Fields
from ..neighborhood.places import Place, distance_m
from ..neighborhood.rows import Item, Kind
from ..neighborhood.segments import SEGMENT_RECORDS
from ..neighborhood.state import may_have_body, may_see_body
from ..neighborhood.types import Type
from ..neighborhood.violations import BadField
from . import items, notices, table
from .call import Call
from .errors import Refusal, bad_request, not_found
from .hood import TAIL_REACH
from .messages import NDJSON, answer, data

MAX_WAIT_S: Final = 50  # below the minute after which proxies give up
MAX_IDS: Final = 100
MAX_SEARCH: Final = 200
MAX_NEAR_M: Final = 100_000
MEMBERS_PAGE: Final = 200
PAGE: Final = 100


async def overview(call: Call) -> web.Response:
    """What the neighborhood is: for who was invited, too."""
    call.target.only()
    now_s = call.hood.now_s()

    def ask(db: Any) -> dict[str, Any]:
        state = table.state_of(db)
        hood, host = state.hood, state.host
        founding = next(table.records(db, hood.id, [hood.id]))
        subject = call.caller.subject
        author = state.author(call.caller.key)
        return {
            "neighborhood": hood.id,
            "hub_key": hood.hub_key,
            "name": hood.name,
            "host": {"handle": host.name, "key": host.key},
            "center": {"lat_e6": hood.center.lat_e6, "lon_e6": hood.center.lon_e6},
            "radius_m": hood.radius_m,
            "moderation": hood.mode.value,
            "post_days": hood.post_days,
            "media_days": hood.media_days,
            "rules": hood.rules,
            "members": state.count("members"),
            "founding": founding.to_wire(),
            "position": {"number": state.position.number, "head": state.position.head},
            "you": {
                "role": call.caller.role,
                "subject": subject.id if subject else None,
                "handle": subject.name if subject else None,
                "prev": author.tip if author else None,
                "notices": notices.of(db, subject.id, now_s) if subject else [],
            },
            "time": now_s,
        }

    found = await call.hood.read(ask)
    return answer(found | {"limits": call.hub.limits()})


async def records(call: Call) -> web.Response:
    """The newest records after a number; a long-poll with `wait`."""
    call.target.only("after", "wait")
    hood = call.hood
    after = call.target.integer("after", 0, 2**53)
    wait_s = call.target.integer("wait", 0, MAX_WAIT_S, 0)
    if after > hood.position.number:
        raise bad_request("`after` is not in the order yet")
    if hood.position.number - after > TAIL_REACH:
        segments = hood.position.number // SEGMENT_RECORDS
        raise Refusal(409, "use_segments", "so far back there are segments", more={"segments": segments})
    poll_after_s = round(call.hub.config.poll_after_s * random.uniform(0.9, 1.1))
    if wait_s and call.hub.may_wait(hood, call.caller.id):
        poll_after_s = 0
        if after == hood.position.number:
            await hood.waiters.wait(call.caller.id, wait_s)
            await hood.caller(call.caller.key, None)  # who was removed meanwhile hears no more
    # The tail first: a checkpoint older than what stands beside it would look like a hub that goes back
    tail = await hood.tail(after) if after < hood.position.number else None
    checkpoint = hood.checkpoint()
    etag = f'"{checkpoint.head[:12]}"'
    number = after if tail is None else tail.number
    if number < checkpoint.number:
        poll_after_s = 0
    headers = {
        "ETag": etag,
        "Ringwatch-Checkpoint": f"{checkpoint.number} {checkpoint.head} {checkpoint.time_s} {checkpoint.sig}",
        "Ringwatch-Poll-After": str(poll_after_s),
    }
    if tail is None:
        same = call.request.headers.get("If-None-Match") == etag and number == checkpoint.number
        response = data(b"", NDJSON, 304 if same else 200, headers)
    else:
        body = tail.packed
        if "gzip" in call.request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            body = await hood.read(lambda _: gzip.decompress(body))
        response = data(body, NDJSON, 200, headers)
    if poll_after_s > 30:
        response.force_close()  # it would be closed before it is used again
    return response


async def segment(call: Call) -> web.Response:
    """A thousand records, packed."""
    call.target.only()
    number = call.number()
    if number > call.hood.position.number // SEGMENT_RECORDS:
        raise not_found()
    found = await call.hood.read(lambda db: call.hood.segments.get(db, call.hood.id, number))
    same = call.request.headers.get("If-None-Match") == found.etag
    headers = {"ETag": found.etag, "Cache-Control": "private, no-cache"}
    return data(b"" if same else found.data, "application/gzip", 304 if same else 200, headers)


async def bodies(call: Call) -> web.Response:
    """Records whose bodies the tail and the segments leave out, as far as the caller may have them."""
    viewer = call.subject
    ids = call.fields(lambda fields: _digests(fields, "ids"))

    def ask(db: Any) -> list[dict[str, Any]]:
        state = table.state_of(db)
        return [
            record.to_wire()
            for record in table.records(db, call.hood.id, ids)
            if record.body is not None and may_have_body(state, record.id, viewer)
        ]

    return answer({"records": await call.hood.read(ask)})


async def search(call: Call) -> web.Response:
    """A page of the feed, or what a search finds. Free text is never in an address."""
    viewer, moderates = call.subject, call.caller.is_moderator

    def read(fields: Fields) -> tuple[int, int | None, set[str], set[str], str, tuple[Place, int] | None]:
        return (
            fields.integer("limit", 1, PAGE),
            fields.optional("cursor", lambda name: fields.integer(name, 1)),
            _words(fields, "categories", set(Category)),
            _words(fields, "kinds", {Type.POST, Type.ALERT}),
            fields.text("text", MAX_SEARCH),
            fields.optional("near", lambda name: _near(fields.inner(name))),
        )

    limit, cursor, categories, kinds, text, near = call.fields(read)

    def wanted(item: Item) -> bool:
        return (
            (not categories or item.category in categories)
            and (not kinds or item.type in kinds)
            and (near is None or (item.place is not None and distance_m(item.place, near[0]) <= near[1]))
        )

    def ask(db: Any) -> dict[str, Any]:
        state = table.state_of(db)
        if text:
            fitting = [item for item in items.find_text(db, state, text, cursor, viewer) if wanted(item)]
            shown = fitting[:limit]
            following = shown[-1].number if len(fitting) > limit else None
        else:
            page = feed.page(state, viewer=viewer, cursor=cursor, limit=limit, wanted=wanted)
            shown, following = list(page.items), page.cursor
        return {
            "items": items.to_json(db, state, shown, viewer, moderates=moderates),
            "cursor": following,
        }

    return answer(await call.hood.read(ask))


async def post(call: Call) -> web.Response:
    """One post or alert."""
    call.target.only()
    viewer, moderates = call.subject, call.caller.is_moderator

    def ask(db: Any) -> dict[str, Any]:
        state = table.state_of(db)
        item = state.item(call.names[-1])
        if item is None or item.type is Type.COMMENT or not may_see_body(item, viewer):
            raise not_found()
        return items.to_json(db, state, [item], viewer, moderates=moderates)[0]

    return answer(await call.hood.read(ask))


async def comments(call: Call) -> web.Response:
    """What stands below a post, oldest first."""
    call.target.only("cursor")
    viewer, moderates = call.subject, call.caller.is_moderator
    cursor = call.target.integer("cursor", 0, 2**53, 0)

    def ask(db: Any) -> dict[str, Any]:
        state = table.state_of(db)
        above = state.item(call.names[-1])
        if above is None or not may_see_body(above, viewer):
            raise not_found()
        found = [item for item in feed.comments(state, above.id, viewer=viewer) if item.number > cursor]
        shown = found[:PAGE]
        return {
            "items": items.to_json(db, state, shown, viewer, moderates=moderates),
            "cursor": shown[-1].number if len(found) > PAGE else None,
        }

    return answer(await call.hood.read(ask))


async def log(call: Call) -> web.Response:
    """Moderators' decisions, newest first, with their reasons."""
    call.target.only("cursor")
    _ = call.subject
    cursor = call.target.integer("cursor", 1, 2**53, 2**39)

    def ask(db: Any) -> dict[str, Any]:
        state = table.state_of(db)
        logged = feed.moderation_log(state, cursor=cursor, limit=PAGE)
        records = {
            record.id: record for record in table.records(db, call.hood.id, [one.record for one in logged])
        }
        found = []
        for one in logged:
            body = records[one.record].body
            moderator = state.subject(one.moderator)
            found.append(
                {
                    **asdict(one),
                    "handle": moderator.name if moderator else "",
                    "reason": getattr(body, "reason", ""),
                }
            )
        return {"items": found, "cursor": logged[-1].number if len(logged) == PAGE else None}

    return answer(await call.hood.read(ask))


async def members(call: Call) -> web.Response:
    """Who belongs to the neighborhood."""
    call.target.only("cursor")
    _ = call.subject
    cursor = call.target.query.get("cursor", "")

    def ask(db: Any) -> dict[str, Any]:
        state = table.state_of(db)
        found: list[dict[str, str]] = []
        for subject_id, row in state.store.scan("subjects", cursor + "~" if cursor else ""):
            subject = state.subject(subject_id) if row else None
            if subject and subject.is_active:
                if len(found) == MEMBERS_PAGE:
                    return {"members": found, "cursor": found[-1]["subject"]}
                kind = subject.kind
                found.append(
                    {
                        "subject": subject.id,
                        "handle": subject.name,
                        "role": subject.standing.value if kind is Kind.MEMBER else kind.value,
                        "key": subject.key,
                    }
                )
        return {"members": found, "cursor": None}

    return answer(await call.hood.read(ask))


def _digests(fields: Fields, name: str) -> list[str]:
    """Return an array of digests, each read as one."""
    return [Fields({"id": value}, name).digest("id") for value in fields.items(name, 0, MAX_IDS)]


def _words(fields: Fields, name: str, allowed: set[Any]) -> set[str]:
    found = fields.items(name, 0, len(allowed))
    if not all(isinstance(word, str) and word in allowed for word in found):
        raise BadField(f"body.{name}: not among {', '.join(sorted(allowed))}")
    return {str(word) for word in found}


def _near(fields: Fields) -> tuple[Place, int]:
    place = Place(
        fields.integer("lat_e6", -90_000_000, 90_000_000), fields.integer("lon_e6", -180_000_000, 180_000_000)
    )
    radius_m = fields.integer("radius_m", 1, MAX_NEAR_M)
    fields.end()
    return place, radius_m
