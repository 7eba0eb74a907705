"""The public register, for anybody: as a page, as JSON and as CSV. Made anew once half a minute at most."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from ..neighborhood.keys import is_digest
from . import register, register_csv, register_html
from .errors import not_found
from .messages import data

if TYPE_CHECKING:
    from .hood import Hood
    from .server import Hub

FRESH_S: Final = 30.0  # how old an answer may be: strangers must not make the hub read all the time
FOLDER: Final = "register"


def _json(found: dict[str, Any]) -> bytes:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


_FORMS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], bytes]]]] = {
    "": ("text/html; charset=utf-8", register_html.write),
    "json": ("application/json", _json),
    "csv": ("text/csv; charset=utf-8", register_csv.write),
}


@dataclass(frozen=True, slots=True)
class _Made:
    at: float
    forms: dict[str, tuple[bytes, str]]  # by suffix: bytes and ETag


class Registers:
    """The registers of a hub's neighborhoods, as they were made last."""

    def __init__(self, hub: Hub, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._clock = clock
        self._made: dict[str, _Made] = {}
        self._making: dict[str, asyncio.Task[_Made]] = {}

    async def answer(self, request: web.BaseRequest, name: str) -> web.Response:
        """Answer a call for `/register/<name>`. Raise Refusal."""
        neighborhood, _, suffix = name.partition(".")
        hood = self._hub.hoods.get(neighborhood) if is_digest(neighborhood) else None
        if hood is None or suffix not in _FORMS or name.endswith("."):
            if suffix:
                raise not_found()
            return data(_MISSING, _FORMS[""][0], 404, register_html.HEADERS)
        body, etag = (await self._fresh(hood)).forms[suffix]
        headers = {"ETag": etag, "Cache-Control": "public, max-age=60"}
        if not suffix:
            headers |= register_html.HEADERS
        if request.headers.get("If-None-Match") == etag:
            return data(b"", _FORMS[suffix][0], 304, headers)
        return data(body, _FORMS[suffix][0], 200, headers)

    async def _fresh(self, hood: Hood) -> _Made:
        made = self._made.get(hood.id)
        if made and self._clock() - made.at < FRESH_S:
            return made
        task = self._making.get(hood.id)
        if task is None:
            task = self._making[hood.id] = asyncio.create_task(self._make(hood))
            task.add_done_callback(lambda _: self._making.pop(hood.id, None))
        return await asyncio.shield(task)

    async def _make(self, hood: Hood) -> _Made:
        def ask(db: Any) -> dict[str, tuple[bytes, str]]:
            found = register.read(db, hood.id)
            bodies = {suffix: write(found) for suffix, (_, write) in _FORMS.items()}
            return {
                suffix: (body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
                for suffix, body in bodies.items()
            }

        at = self._clock()
        self._made[hood.id] = _Made(at, await hood.read(ask))
        return self._made[hood.id]


_MISSING: Final = register_html.write_error(
    "No such register", "There is no neighborhood with this name on this hub. The address may be cut off."
)
