"""Calls that change something: records, uploads, and what only the host may do. And blobs, which are read."""

import asyncio
from dataclasses import asdict, fields as fields_of
from typing import Any, Final

from aiohttp import web

from ..neighborhood.bodies import Founding, Join, Replace
from ..neighborhood.bodies.feed import Media
from ..neighborhood.envelope import MAX_RECORD_BYTES, Record, parse_record
from ..neighborhood.order import Entry
from ..neighborhood.violations import RecordViolation
from . import blobs, table
from .blobs import Quotas
from .call import Call
from .callers import only_host
from .errors import Refusal, forbidden, not_found, of_violation
from .files import send_file
from .hood import quotas_of
from .messages import answer, json_of


def read_record(call_body: bytes) -> Record:
    """Read a record from a call's body. Raise Refusal."""
    try:
        return parse_record(call_body)
    except RecordViolation as violation:
        raise of_violation(violation) from violation


async def post_record(call: Call) -> web.Response:
    """Take a record."""
    call.target.only()
    json_of(call.request, b"null")  # its type only: the record's own reader looks at the body
    record = read_record(call.body)
    invite = call.caller.invite
    if isinstance(record.body, Join | Replace):
        # With the invite's own key, so that an invite which the host took back can't come in beside another
        # one
        if invite is None or record.body.invite.invite != invite.invite:
            raise forbidden("bad_invite", "to join, a call is signed with the invite's key")
    elif invite is not None:
        raise forbidden("not_a_member", "join first")
    elif record.author != call.caller.key:
        raise forbidden("bad_call", "a record is sent by its author")
    call.hub.count_record(call.caller.id, call.address)
    entry, is_new = await call.hood.post(record)
    return entry_answer(entry, is_new)


def entry_answer(entry: Entry, is_new: bool) -> web.Response:
    """Return a record's place as an answer."""
    return answer({"entry": {**entry.to_json(), "head": entry.head}}, 201 if is_new else 200)


def founding_of(body: bytes, neighborhood: str, key: str, hosts: frozenset[str], hub_key: str) -> Record:
    """Return a founding that this hub takes. Raise Refusal."""
    record = read_record(body)
    founding = record.body
    if not isinstance(founding, Founding) or record.id != neighborhood or record.author != key:
        raise not_found()
    if key not in hosts:
        raise forbidden("host_only", "this key may not found a neighborhood here")
    if founding.hub_key != hub_key:
        raise forbidden("other_hub", "the founding names another hub's key")
    return record


async def begin_upload(call: Call) -> web.Response:
    """Announce a clip or picture."""
    call.target.only()
    try:
        media = Media.parse(call.json())
    except RecordViolation as violation:
        raise of_violation(violation) from violation
    status, state = await call.hub.uploads(call.hood).begin(media, call.subject.id)
    return answer(state, status)


async def look_upload(call: Call) -> web.Response:
    """Say how far an upload is."""
    call.target.only()
    return answer(await call.hub.uploads(call.hood).look(call.names[-1], call.subject.id))


async def put_part(call: Call) -> web.Response:
    """Take a part of an upload."""
    call.target.only("offset")
    offset = call.target.integer("offset", 0, 2**40)
    if call.request.content_type != "application/octet-stream":
        raise Refusal(415, "unsupported_type", "a part is application/octet-stream")
    token = call.request.headers.get("Ringwatch-Upload-Token", "")
    call.hub.count_bytes(call.address, len(call.body))
    uploads = call.hub.uploads(call.hood)
    return answer(await uploads.part(call.names[-1], call.subject.id, token, offset, call.body))


async def drop_upload(call: Call) -> web.Response:
    """Forget an upload."""
    call.target.only()
    await call.hub.uploads(call.hood).drop(call.names[-1], call.subject.id)
    return web.Response(status=204)


async def blob(call: Call) -> web.StreamResponse:
    """Give a clip or picture, or a part of it."""
    call.target.only()
    sha256, viewer, hood = call.names[-1], call.subject, call.hood

    def ask(db: Any) -> tuple[Media, Quotas]:
        media = blobs.seen_by(db, table.state_of(db), sha256, viewer)
        if media is None:
            raise not_found()
        return media, quotas_of(db)

    media, quotas = await hood.read(ask)
    return await send_file(
        call,
        hood.files.path(sha256),
        sha256=sha256,
        size=media.size_bytes,
        content_type=media.type.value,
        quotas=quotas,
        who=viewer.id,
    )


# ---- the host's ---------------------------------------------------------------------------------------


async def usage(call: Call) -> web.Response:
    """Say what members keep here."""
    only_host(call.caller)
    call.target.only()
    members = await call.hood.read(blobs.usage)
    free = await asyncio.to_thread(call.hood.files.free_bytes)
    return answer(
        {
            "records": call.hood.position.number,
            "media_bytes": sum(member["media_bytes"] for member in members),
            "disk_free_bytes": free,
            "media_check": list(call.hub.media_check.walls or ()),
            "members": members,
        }
    )


async def get_quotas(call: Call) -> web.Response:
    """Say which quotas hold."""
    only_host(call.caller)
    call.target.only()
    return answer(asdict(await call.hood.quotas()))


async def put_quotas(call: Call) -> web.Response:
    """Set quotas."""
    only_host(call.caller)
    call.target.only()
    names = [field.name for field in fields_of(Quotas)]
    values = call.fields(lambda fields: {name: fields.integer(name, 0, 2**50) for name in names})

    def job(db: Any) -> None:
        db.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", list(values.items()))

    await call.hood.writer.do(job)
    return answer(asdict(await call.hood.quotas()))


async def invites(call: Call) -> web.Response:
    """Say which invites were taken back, and which were used."""
    only_host(call.caller)
    call.target.only()

    def ask(db: Any) -> dict[str, Any]:
        state = table.state_of(db)
        return {
            "revoked": [row[0] for row in db.execute("SELECT invite FROM revoked ORDER BY invite")],
            "used": [key for key, _ in state.store.scan("invites")],
        }

    return answer(await call.hood.read(ask))


async def revoke_invite(call: Call) -> web.Response:
    """Take an invite back."""
    only_host(call.caller)
    call.target.only()
    invite = call.fields(lambda fields: fields.key("invite"))

    def job(db: Any) -> None:
        db.execute("INSERT OR IGNORE INTO revoked VALUES (?)", (invite,))

    await call.hood.writer.do(job)
    return answer({})


MAX_RECORD: Final = MAX_RECORD_BYTES
