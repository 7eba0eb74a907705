"""Calls about "did anybody record?": a member's consent, what it is asked, what it sends; the switch."""

import re
from typing import Any, Final

from aiohttp import web

from ..neighborhood.availability import OptIn, Question
from ..neighborhood.canonical import Json
from ..neighborhood.fields import Fields
from ..neighborhood.rows import Kind, Subject
from ..neighborhood.violations import BadField
from . import availability as rounds
from .call import Call
from .callers import only_host
from .errors import not_found
from .messages import answer

SHARE: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)


async def take_part(call: Call) -> web.Response:
    """Keep the caller's consent, signed by the caller."""
    call.target.only()
    member, hood = _member(call), call.hood

    def read(fields: Fields) -> OptIn:
        given: dict[str, Json] = {"member": member.key, "key": fields.take("key"), "sig": fields.take("sig")}
        return OptIn.parse(given)

    consent, now_s = call.fields(read), hood.now_s()
    since_s = await hood.writer.do(lambda db: rounds.opt_in(db, member, consent, now_s))
    return answer({"since": since_s})


async def take_no_part(call: Call) -> web.Response:
    """Forget the caller's consent."""
    call.target.only()
    member = _member(call)
    await call.hood.writer.do(lambda db: rounds.opt_out(db, member))
    return web.Response(status=204)


async def questions(call: Call) -> web.Response:
    """Say what the caller is asked now."""
    call.target.only()
    member, hood = _member(call), call.hood
    now_s = hood.now_s()

    def ask(db: Any) -> list[Question]:
        return rounds.questions(db, hood.id, member.key, now_s)

    return answer({"questions": [one.to_json() for one in await hood.read(ask)]})


async def take_share(call: Call) -> web.Response:
    """Take what a home on the roster sends: its bit, noise and masks in one number."""
    call.target.only()
    member, hood = _member(call), call.hood
    share, now_s = call.fields(_share), hood.now_s()
    await hood.writer.do(lambda db: rounds.take_share(db, call.names[-1], member.key, share, now_s))
    return answer({})


async def get_settings(call: Call) -> web.Response:
    """Say whether homes are asked at all."""
    only_host(call.caller)
    call.target.only()
    return answer({"on": await call.hood.read(rounds.is_on)})


async def put_settings(call: Call) -> web.Response:
    """Have homes asked, or not."""
    only_host(call.caller)
    call.target.only()
    on = call.fields(lambda fields: fields.boolean("on"))
    await call.hood.writer.do(lambda db: rounds.switch(db, on))
    return answer({"on": on})


def _share(fields: Fields) -> str:
    found = fields.string("share")
    if not SHARE.fullmatch(found):
        raise BadField("body.share: 16 hexadecimal digits")
    return found


def _member(call: Call) -> Subject:
    """Return the caller, a member. Raise Refusal: for agencies and officers nothing is here."""
    if call.subject.kind is not Kind.MEMBER:
        raise not_found()
    return call.subject
