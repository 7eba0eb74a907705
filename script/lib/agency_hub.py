"""What an agency tells a hub: signed records, and one question before each."""

from collections.abc import Callable
import os
import time
from typing import Any

import aiohttp

from script.lib.agency_folder import AgencyError
from script.lib.core import load_core

load_core()

from ringwatch.neighborhood.bodies import Body
from ringwatch.neighborhood.canonical import encode
from ringwatch.neighborhood.envelope import sign_record
from ringwatch.neighborhood.hub_client import HubClient, HubError
from ringwatch.neighborhood.hub_link import HubLink
from ringwatch.neighborhood.keys import SALT_BYTES, PrivateKey, is_digest
from ringwatch.neighborhood.signed_calls import HubClock


async def async_say(link: HubLink, key: PrivateKey, make: Callable[[dict[str, str]], Body]) -> str:
    """Sign a record with the agency's key and send it; return its id. Raise AgencyError.

    `make` gets the names of who belongs to the neighborhood, by key.
    """
    async with aiohttp.ClientSession() as session:
        clock = HubClock(time.time)
        client = HubClient(
            session, link.url, neighborhood=link.neighborhood, hub_key=link.hub_key, key=key, clock=clock
        )
        try:
            found = (await client.get("")).json()
            head, prev = _at(found)
            record = sign_record(
                key,
                make(await _async_names(client)),
                neighborhood=link.neighborhood,
                created_s=clock.now_s(),
                prev=prev,
                head=head,
                salt=os.urandom(SALT_BYTES),
            )
            await client.call("POST", "/records", encode(record.to_wire()))
        except HubError as error:
            if error.violation in {"not_a_member", "removed"}:
                raise AgencyError("the agency is not enrolled there, or with another key") from error
            raise AgencyError(f"the hub says: {error}") from error
        return record.id


def _at(found: dict[str, Any]) -> tuple[str, str | None]:
    """Return the order's newest head and the agency's own last record. Raise AgencyError."""
    match found:
        case {"position": {"head": str(head)}, "you": {"role": "agency", "prev": prev}}:
            if is_digest(head) and (prev is None or is_digest(prev)):
                return head, prev
        case {"you": {"role": str()}}:
            raise AgencyError("this key is not an agency's there")
    raise AgencyError("no hub's answer")


async def _async_names(client: HubClient) -> dict[str, str]:
    names: dict[str, str] = {}
    cursor = ""
    while True:
        page = (await client.get(f"/members{cursor}")).json()
        try:
            names |= {str(one["key"]): str(one["handle"]) for one in page["members"]}
            following = page["cursor"]
        except (KeyError, TypeError) as error:
            raise AgencyError("no hub's answer") from error
        if not is_digest(following):
            return names
        cursor = f"?cursor={following}"
