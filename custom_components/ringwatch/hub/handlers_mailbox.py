"""Calls about packages: a home's, signed with the package's own key, and an agency's."""

from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from ..neighborhood.delivery import MAX_DELIVERY_BYTES, MAX_STATEMENT_BYTES, read_receipt
from ..neighborhood.limits import FUTURE_S
from ..neighborhood.rows import Kind, Subject
from ..neighborhood.violations import RecordViolation
from .blobs import PART_BYTES, Quotas
from .call import Call
from .errors import Refusal, forbidden, not_found, of_violation
from .files import send_file
from .mailbox_table import GONE, PAGE, RECEIVED, Announced, Delivery
from .messages import answer, json_of

DOWNLOADS_A_DAY: Final = 100 * 1024**3  # of an agency: two hundred packages of the largest kind


async def begin(call: Call) -> web.Response:
    """Announce a package for a request's agency."""
    call.target.only()
    if call.subject.kind is not Kind.MEMBER:
        raise not_found()
    announced = call.fields(
        lambda fields: Announced(
            fields.digest("request"),
            fields.key("key"),
            fields.digest("sha256"),
            fields.integer("size", 1, MAX_DELIVERY_BYTES),
        )
    )
    delivery, is_new = await call.hub.mailbox(call.hood).begin(announced, call.subject)
    return answer({"delivery": delivery.id, "part_bytes": PART_BYTES}, 201 if is_new else 200)


async def look(call: Call) -> web.Response:
    """Say how far a package is."""
    call.target.only()
    found = await call.hub.mailbox(call.hood).state(call.names[-1])
    if found.state == GONE:
        raise not_found()
    return answer({"state": found.state, "offset": found.offset, "arrival": _arrival(found)})


async def put_part(call: Call) -> web.Response:
    """Take a part of a package."""
    call.target.only("offset")
    offset = call.target.integer("offset", 0, MAX_DELIVERY_BYTES)
    if call.request.content_type != "application/octet-stream":
        raise Refusal(415, "unsupported_type", "a part is application/octet-stream")
    call.hub.count_bytes(call.address, len(call.body))
    return answer({"offset": await call.hub.mailbox(call.hood).part(call.names[-1], offset, call.body)})


async def commit(call: Call) -> web.Response:
    """Hand a package over: from here on it is the agency's."""
    call.target.only()
    return answer({"arrival": (await call.hub.mailbox(call.hood).commit(call.names[-1])).to_json()})


async def drop(call: Call) -> web.Response:
    """Forget a package that was not handed over."""
    call.target.only()
    await call.hub.mailbox(call.hood).drop(call.names[-1])
    return web.Response(status=204)


async def receipts(call: Call) -> web.Response:
    """Say what officers have signed about a package."""
    call.target.only()
    return answer({"receipts": await call.hub.mailbox(call.hood).receipts(call.names[-1])})


async def inbox(call: Call) -> web.Response:
    """List the packages of the caller's agency, the newest first."""
    call.target.only("cursor")
    viewer = _agencys(call)
    cursor = call.target.integer("cursor", 1, 2**53, 2**53)
    found = await call.hub.mailbox(call.hood).list(viewer, cursor)
    return answer(
        {
            "deliveries": [
                {
                    "delivery": one.id,
                    "request": one.request,
                    "size": one.size_bytes,
                    "sha256": one.sha256,
                    "key": one.key,
                    "arrival": _arrival(one),
                    "state": one.state,
                    "received": one.state == RECEIVED,
                }
                for one in found
            ],
            "cursor": found[-1].number if len(found) == PAGE else None,
        }
    )


async def fetch(call: Call) -> web.StreamResponse:
    """Give a package's ciphertext, or a part of it."""
    call.target.only()
    viewer = _agencys(call)
    found, path = await call.hub.mailbox(call.hood).opened(viewer, call.names[-1])
    return await send_file(
        call,
        path,
        sha256=found.sha256,
        size=found.size_bytes,
        content_type="application/octet-stream",
        quotas=replace(Quotas(), member_download_bytes_day=DOWNLOADS_A_DAY),
        who=found.agency,
    )


async def add_receipt(call: Call) -> web.Response:
    """Take an officer's receipt."""
    call.target.only()
    viewer = _agencys(call)
    if viewer.kind is not Kind.OFFICER:
        raise forbidden("not_allowed", "an officer signs receipts")
    json_of(call.request, b"null")  # its type only: the receipt's own reader looks at the body
    try:
        receipt = read_receipt(call.body)
    except RecordViolation as violation:
        raise of_violation(violation) from violation
    if receipt.delivery != call.names[-1] or receipt.officer != call.caller.key:
        raise Refusal(422, "bad_field", "the receipt is about another package, or of another officer")
    now_s = call.hood.now_s()
    if abs(receipt.time_s - now_s) > FUTURE_S:
        raise Refusal(422, "bad_field", "receipt.time: now")
    is_new = await call.hub.mailbox(call.hood).add_receipt(viewer, receipt)
    return answer({}, 201 if is_new else 200)


def _agencys(call: Call) -> Subject:
    """Return the caller, an agency or one of its officers. Raise Refusal: for others nothing is here."""
    viewer = call.subject
    if viewer.kind is Kind.MEMBER:
        raise not_found()
    if viewer.kind is Kind.OFFICER and viewer.expires_s <= call.hood.now_s():
        raise forbidden("expired", "the officer's certificate has expired")
    return viewer


def _arrival(delivery: Delivery) -> Any:
    return delivery.arrival.to_json() if delivery.arrival else None


MAX_RECEIPT: Final = MAX_STATEMENT_BYTES
