"""Calls about legal demands, and about partnerships: the host's, and members' who redeem a code."""

from functools import partial
from typing import Any

from aiohttp import web

from . import notices, partnership, table
from .call import Call
from .callers import only_host
from .demands import BATCH, Export
from .errors import bad_request, busy
from .messages import NDJSON, answer, protect
from .notices import Notice

_exporting: set[str] = set()  # neighborhoods: one export of each at a time


async def export(call: Call) -> web.StreamResponse:
    """Write out what the hub holds, about a member, a request, or all."""
    only_host(call.caller)
    call.target.only("subject", "request")
    subject, request = call.target.digest("subject"), call.target.digest("request")
    if subject and request:
        raise bad_request("`subject` or `request`")
    if call.hood.id in _exporting:
        raise busy()
    _exporting.add(call.hood.id)
    try:
        return await _export(call, subject, request)
    finally:
        _exporting.discard(call.hood.id)


async def _export(call: Call, subject: str | None, request: str | None) -> web.StreamResponse:
    hood = call.hood
    made = Export(hood.id, hood.hub, subject=subject, request=request, now_s=hood.now_s())
    header = await hood.read(made.header)  # a refusal comes before the first byte
    response = web.StreamResponse(
        headers={"Content-Disposition": 'attachment; filename="demand-export.ndjson"'}
    )
    response.content_type = NDJSON
    protect(call.request, response)
    await response.prepare(call.request)
    await response.write(header)
    for first in range(1, made.last + 1, BATCH):
        if lines := await hood.read(partial(made.batch, first=first)):
            await response.write(lines)
    await response.write(made.end())
    await response.write_eof()
    return response


async def add_notice(call: Call) -> web.Response:
    """Tell members of a legal demand about them, now or from a day on."""
    only_host(call.caller)
    call.target.only()
    notice = call.fields(Notice.read)
    now_s = call.hood.now_s()
    await call.hood.writer.do(lambda db: notices.add(db, table.state_of(db), notice, now_s))
    return answer({}, 201)


async def get_notices(call: Call) -> web.Response:
    """Say whom what was told, or will be."""
    only_host(call.caller)
    call.target.only()
    return answer({"notices": await call.hood.read(notices.written)})


async def redeem(call: Call) -> web.Response:
    """Count a household for a partnership: once, and never who."""
    call.target.only()
    member, hood = call.subject, call.hood
    code = call.fields(lambda fields: fields.string("code"))

    def job(db: Any) -> None:
        partnership.redeem(db, table.state_of(db), member, code, hub=hood.hub, now_s=hood.now_s())

    await hood.writer.do(job)
    return answer({})


async def get_partnership(call: Call) -> web.Response:
    """Say how many households have redeemed a code, in steps of 20."""
    only_host(call.caller)
    call.target.only()

    def ask(db: Any) -> list[dict[str, object]]:
        return partnership.totals(db, table.state_of(db))

    return answer({"partnerships": await call.hood.read(ask)})
