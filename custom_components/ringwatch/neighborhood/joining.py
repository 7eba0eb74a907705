"""Before a home belongs to a neighborhood: looking at an invite, joining with it, founding a new one."""

from collections.abc import Callable
from dataclasses import dataclass
import os
import time
from typing import Any, Final

import aiohttp
from yarl import URL

from .bodies import Body
from .bodies.people import Founding, Mode
from .canonical import Json, encode, parse
from .envelope import MAX_RECORD_BYTES, Record, sign_record
from .hub_client import HubClient, HubError, read_bounded, read_object
from .invites import Invite, check_hub_url, join_body, parse_link, replace_body
from .keys import SALT_BYTES, PrivateKey, fingerprint, is_digest
from .places import Place
from .signed_calls import HubClock
from .violations import RecordViolation

HEALTH_S: Final = 15.0
MAX_HEALTH_BYTES: Final = 16 * 1024
PROTOCOL: Final = 1


@dataclass(frozen=True, slots=True)
class Look:
    """What an invite leads to. All is as the host signed it, but for the number of members."""

    url: str
    fingerprint: str  # of the hub's key, to be compared with what the host says
    name: str
    rules: str
    host_handle: str
    center: Place
    radius_m: int
    mode: Mode
    members: int
    replaces: bool  # the invite gives a member who is there already a new key


async def async_look(
    session: aiohttp.ClientSession,
    link: str,
    *,
    allow_http: bool = False,
    now: Callable[[], float] = time.time,
) -> tuple[Invite, Look]:
    """Read an invite and ask the hub what it is for; nothing is joined. Raise LinkViolation, HubError."""
    invite = parse_link(link, now_s=int(now()), allow_http=allow_http)
    founding_record, answer = await _async_ask(_client(session, invite, HubClock(now)), invite)
    founding = founding_record.body
    members = answer.get("members")
    if not isinstance(founding, Founding) or not isinstance(members, int) or not 0 <= members < 10**6:
        raise HubError("bad_answer", "a neighborhood that can't be read")
    return invite, Look(
        url=invite.url,
        fingerprint=fingerprint(invite.hub_key),
        name=founding.name,
        rules=founding.rules,
        host_handle=founding.handle,
        center=founding.center,
        radius_m=founding.radius_m,
        mode=founding.mode,
        members=members,
        replaces=invite.certificate.replaces is not None,
    )


async def async_join(
    session: aiohttp.ClientSession,
    invite: Invite,
    key: PrivateKey,
    handle: str,
    *,
    now: Callable[[], float] = time.time,
) -> None:
    """Join, or come back with a new key. Doing it again with the same key does no harm. Raise HubError."""
    clock = HubClock(now)
    client = _client(session, invite, clock)
    own = _own_client(session, invite, key, clock)
    body: Body = (
        join_body(invite, key, handle) if invite.certificate.replaces is None else replace_body(invite, key)
    )
    if await _async_belongs(own):
        return  # the answer to an earlier attempt got lost
    _, answer = await _async_ask(client, invite)  # the clock is right from here on
    position = answer.get("position")
    head = position.get("head") if isinstance(position, dict) else None
    if not is_digest(head):
        raise HubError("bad_answer", "an order without a head")
    record = sign_record(
        key,
        body,
        neighborhood=invite.certificate.neighborhood,
        created_s=clock.now_s(),
        prev=None,
        head=head,
        salt=os.urandom(SALT_BYTES),
    )
    await client.call("POST", "/records", encode(record.to_wire()))


async def async_redeem(session: aiohttp.ClientSession, invite: Invite, key: PrivateKey, code: str) -> None:
    """Have the household that has just joined counted for an agency's code. Raise HubError."""
    own = _own_client(session, invite, key, HubClock(time.time))
    await own.post("/partnership/redeem", {"code": code})


async def _async_belongs(client: HubClient) -> bool:
    """Tell whether a key belongs to the neighborhood already."""
    try:
        you = (await client.get("")).json().get("you")
    except HubError as error:
        if error.for_good:
            return False
        raise
    return isinstance(you, dict) and isinstance(you.get("subject"), str)


async def async_found(
    session: aiohttp.ClientSession,
    url: str,
    key: PrivateKey,
    founding: Founding,
    *,
    now: Callable[[], float] = time.time,
) -> Record:
    """Found a neighborhood at one's own hub; its id is the record's. Raise HubError or RecordViolation."""
    clock = HubClock(now)
    record = sign_record(
        key,
        founding,
        neighborhood=None,
        created_s=clock.now_s(),
        prev=None,
        head=None,
        salt=os.urandom(SALT_BYTES),
    )
    client = HubClient(session, url, neighborhood=record.id, hub_key=founding.hub_key, key=key, clock=clock)
    await client.call("POST", "/records", encode(record.to_wire()))
    return record


async def async_is_hub(session: aiohttp.ClientSession, url: str, *, allow_http: bool = False) -> bool:
    """Tell whether a hub answers at an address, whichever. Raise LinkViolation, HubError."""
    base = check_hub_url(url, allow_http=allow_http)
    timeout = aiohttp.ClientTimeout(total=HEALTH_S)
    try:
        async with session.get(URL(f"{base}/health"), timeout=timeout, allow_redirects=False) as response:
            if response.status != 200:
                return False
            return read_object(await read_bounded(response, MAX_HEALTH_BYTES)).get("protocol") == PROTOCOL
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise HubError("unreachable", "nothing answers there") from error


def _client(session: aiohttp.ClientSession, invite: Invite, clock: HubClock) -> HubClient:
    return HubClient(
        session,
        invite.url,
        neighborhood=invite.certificate.neighborhood,
        hub_key=invite.hub_key,
        key=invite.key,
        clock=clock,
        certificate=invite.certificate,
    )


def _own_client(
    session: aiohttp.ClientSession, invite: Invite, key: PrivateKey, clock: HubClock
) -> HubClient:
    return HubClient(
        session,
        invite.url,
        neighborhood=invite.certificate.neighborhood,
        hub_key=invite.hub_key,
        key=key,
        clock=clock,
    )


async def _async_ask(client: HubClient, invite: Invite) -> tuple[Record, dict[str, Any]]:
    """Ask what the neighborhood is, and check that its founding is the one that the invite names."""
    answer = (await client.get("")).json()
    wire: Json = answer.get("founding")
    try:
        record = Record.from_wire(parse(encode(wire), MAX_RECORD_BYTES))
    except RecordViolation as error:
        raise HubError("bad_answer", "a founding that can't be read") from error
    founding = record.body
    right = isinstance(founding, Founding) and founding.hub_key == invite.hub_key
    if record.id != invite.certificate.neighborhood or not right:
        raise HubError("wrong_hub", "another neighborhood, or another hub, than the invite is for")
    return record, answer
