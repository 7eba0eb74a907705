"""Gives the host's own hub back what it has forgotten: it was restored from an older backup.

Everything is in this home's copy, signed by that hub, which checks it with its own key. Clips and pictures go
along as far as they are here.
"""

import asyncio
import contextlib
from functools import partial
import logging
from typing import Final

from .bodies.feed import Media
from .home_copy import HomeCopy
from .hub_client import HubClient, HubError
from .ledger import Ledger
from .segments import SEGMENT_RECORDS, pack_segment
from .state import numbered
from .transfers import async_upload

_LOGGER = logging.getLogger(__name__)

PACKED: Final = {"Content-Type": "application/octet-stream"}


async def async_restore(client: HubClient, copy: HomeCopy, key: str) -> bool:
    """Bring the hub to where this home is. Return whether it is there now. Raise HubError if it is busy.

    False for who isn't the host, and for a hub whose order goes on otherwise: then it is no older state.
    """
    if not await copy.async_ask(lambda ledger: ledger.state.is_founded and ledger.state.host.key == key):
        return False
    said = (await client.get("")).json().get("position")
    first, head = (said.get("number"), said.get("head")) if isinstance(said, dict) else (None, None)
    if not isinstance(first, int) or first < 1:
        return False
    if await copy.async_ask(lambda ledger: ledger.state.history.head_at(first)) != head:
        return False
    number = first
    while (found := await copy.async_ask(partial(_packed, after=number))) is not None:
        data, number = found
        try:
            await client.call("POST", "/restore", data, headers=PACKED)
        except HubError as error:
            if not error.for_good:
                raise
            _LOGGER.warning("The hub did not take back what it has forgotten: %s", error)
            return False
    _LOGGER.warning("The hub was given back records %d to %d, which it had forgotten", first + 1, number)
    for media in await copy.async_ask(lambda ledger: _media(ledger, first)):
        file = copy.media.path(media.sha256)
        if await asyncio.to_thread(file.is_file):
            with contextlib.suppress(HubError):  # its members can't see it then; all else is there
                await async_upload(client, media, file)
    return number == await copy.async_ask(lambda ledger: ledger.position.number)


def _packed(ledger: Ledger, after: int) -> tuple[bytes, int] | None:
    """Return what comes after a number, as far as a signature of the hub covers it, and where that ends."""
    placed = list(ledger.records.range(after + 1, SEGMENT_RECORDS))
    while placed and placed[-1].entry.sig is None:
        placed.pop()
    return (pack_segment(placed, ledger.state.history), placed[-1].entry.number) if placed else None


def _media(ledger: Ledger, after: int) -> list[Media]:
    """Return the clips and pictures of what came after a number."""
    found: list[Media] = []
    for _, item_id in ledger.state.store.scan("feed", numbered(after + 1)):
        item = ledger.state.item(str(item_id))
        if item is not None and not item.media_gone:
            found += item.media
    return found
