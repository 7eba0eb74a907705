"""A home's calls about one delivery. Only the announcement is signed with the member's key."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import aiohttp

from ..neighborhood.canonical import Json
from ..neighborhood.delivery import Arrival, Receipt
from ..neighborhood.hub_client import HubClient, HubError
from ..neighborhood.keys import PrivateKey, is_digest
from ..neighborhood.signed_calls import HubClock
from ..neighborhood.violations import RecordViolation

MAX_PART_BYTES: Final = 4 * 1024 * 1024
MAX_TURNS: Final = 4_000  # of an upload: 500 MiB in parts of 1 MiB, and many of them again
MAX_AGAIN: Final = 1  # how often all of it is sent again when the hub has other bytes than were announced
MAX_RECEIPTS: Final = 100


@dataclass(frozen=True, slots=True)
class HubAccess:
    """How a neighborhood's hub is reached, and the member's key there."""

    url: str
    hub_key: str
    key: PrivateKey
    clock: HubClock
    session: aiohttp.ClientSession | None = None  # of its own where the hub's certificate isn't looked at


@dataclass(frozen=True, slots=True)
class Parcel:
    """A sealed package: what the hub is told of it."""

    request: str
    sha256: str
    size_bytes: int
    file: Path


class Mailbox:
    """One delivery, with the key that was made for it."""

    def __init__(
        self, session: aiohttp.ClientSession, neighborhood: str, access: HubAccess, key: PrivateKey
    ) -> None:
        """Nothing is called yet."""

        def client(signer: PrivateKey) -> HubClient:
            return HubClient(
                access.session or session,
                access.url,
                neighborhood=neighborhood,
                hub_key=access.hub_key,
                key=signer,
                clock=access.clock,
            )

        self._member, self._own = client(access.key), client(key)
        self._key = key
        self._hub_key = access.hub_key
        self._part_bytes = 1024 * 1024

    async def async_announce(self, parcel: Parcel) -> str:
        """Say that a package comes; the same one again gives the same delivery. Raise HubError."""
        body: dict[str, Json] = {
            "request": parcel.request,
            "key": self._key.public,
            "size": parcel.size_bytes,
            "sha256": parcel.sha256,
        }
        answer = (await self._member.post("/deliveries", body)).json()
        delivery, part_bytes = answer.get("delivery"), answer.get("part_bytes")
        if (
            not isinstance(delivery, str)
            or not is_digest(delivery)
            or not isinstance(part_bytes, int)
            or not 0 < part_bytes <= MAX_PART_BYTES
        ):
            raise HubError("bad_answer", "a delivery that can't be read")
        self._part_bytes = part_bytes
        return delivery

    async def async_deliver(self, parcel: Parcel, delivery: str, progress: Callable[[int], Any]) -> Arrival:
        """Bring a package there, from wherever an earlier attempt ended. Raise HubError or OSError.

        `progress` is awaited with how much is there, each time that has grown.
        """
        path = f"/deliveries/{delivery}"
        offset = (await self._own.get(f"{path}/state")).json().get("offset")
        again = 0
        for _ in range(MAX_TURNS):
            if not isinstance(offset, int) or not 0 <= offset <= parcel.size_bytes:
                raise HubError("bad_answer", "an upload that can't be read")
            await progress(offset)
            try:
                if offset == parcel.size_bytes:
                    answer = (await self._own.call("POST", f"{path}/commit")).json()
                    return self._arrival(answer.get("arrival"), parcel, delivery)
                offset = await self._async_put(path, parcel, offset)
            except HubError as error:
                again += error.violation == "wrong_bytes"
                if error.violation not in {"offset_moved", "wrong_bytes"} or again > MAX_AGAIN:
                    raise
                offset = (await self._own.get(f"{path}/state")).json().get("offset")
        raise HubError("bad_answer", "an upload that comes to no end")

    async def async_arrival(self, parcel: Parcel, delivery: str) -> Arrival | None:
        """Return since when the hub has had all of it; None while it hasn't. Raise HubError."""
        found = (await self._own.get(f"/deliveries/{delivery}/state")).json()
        return self._arrival(found["arrival"], parcel, delivery) if found.get("arrival") else None

    async def async_drop(self, delivery: str) -> None:
        """Have the hub forget what was not handed over. Raise HubError: delivery_sent if it was."""
        await self._own.call("DELETE", f"/deliveries/{delivery}")

    async def async_receipts(self, delivery: str) -> list[Receipt]:
        """Return what officers signed about it, each by the key that it names. Raise HubError."""
        found = (await self._own.get(f"/deliveries/{delivery}/receipts")).json().get("receipts")
        if not isinstance(found, list) or len(found) > MAX_RECEIPTS:
            raise HubError("bad_answer", "receipts that can't be read")
        receipts = []
        for value in found:
            try:
                receipt = Receipt.parse(value)
                receipt.check()
            except RecordViolation as error:
                raise HubError("bad_answer", "a receipt that nobody signed") from error
            receipts.append(receipt)
        return receipts

    async def _async_put(self, path: str, parcel: Parcel, offset: int) -> int:
        data = await asyncio.to_thread(
            _read, parcel.file, offset, min(self._part_bytes, parcel.size_bytes - offset)
        )
        headers = {"Content-Type": "application/octet-stream"}
        answer = await self._own.call("PUT", f"{path}?offset={offset}", data, headers=headers)
        moved = answer.json().get("offset")
        if not isinstance(moved, int) or moved <= offset:
            raise HubError("bad_answer", "an upload that doesn't get on")
        return moved

    def _arrival(self, value: Any, parcel: Parcel, delivery: str) -> Arrival:
        try:
            arrival = Arrival.parse(value)
            arrival.check(self._hub_key)
        except RecordViolation as error:
            raise HubError("bad_answer", "an arrival that the hub didn't sign") from error
        same = replace(arrival, time_s=0, sig="") == Arrival(
            delivery, parcel.request, parcel.sha256, parcel.size_bytes, 0, ""
        )
        if not same:
            raise HubError("bad_answer", "the arrival of something else")
        return arrival


def _read(file: Path, offset: int, size: int) -> bytes:
    with file.open("rb") as source:
        source.seek(offset)
        return source.read(size)
