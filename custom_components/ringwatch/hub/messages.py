"""Calls and answers as HTTP: bodies read with limits of bytes and time, headers that protect the reader."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import json
from typing import Any, Final

from aiohttp import web

from ..neighborhood.canonical import Json, parse
from ..neighborhood.keys import is_digest
from ..neighborhood.violations import RecordViolation
from .errors import Refusal, bad_request, of_violation

MIN_BYTES_S: Final = 4 * 1024  # whoever sends more slowly is let go
GRACE_S: Final = 10.0
MAX_JSON_BYTES: Final = 64 * 1024
NDJSON: Final = "application/x-ndjson"
EXPOSED: Final = "ETag, Retry-After, Content-Range, Ringwatch-Checkpoint, Ringwatch-Poll-After"
ALLOWED: Final = (
    "Content-Type, Range, If-None-Match, Ringwatch-Key, Ringwatch-Time, Ringwatch-Signature,"
    " Ringwatch-Invite, Ringwatch-Upload-Token"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A path and its query, taken apart. Nothing is escaped: there is nothing that would have to be."""

    path: str
    parts: tuple[str, ...]
    query: Mapping[str, str]

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Return a number from the query. Raise Refusal."""
        text = self.query.get(name)
        if text is None:
            if default is None:
                raise bad_request(f"`{name}` is missing")
            return default
        if not text.isascii() or not text.isdigit() or len(text) > 16 or not low <= int(text) <= high:
            raise bad_request(f"`{name}` is a whole number from {low} to {high}")
        return int(text)

    def digest(self, name: str) -> str | None:
        """Return an id from the query, if there is one. Raise Refusal."""
        text = self.query.get(name)
        if text is not None and not is_digest(text):
            raise bad_request(f"`{name}` is an id of 64 hexadecimal digits")
        return text

    def only(self, *names: str) -> None:
        """Refuse a query with other names than these. Raise Refusal."""
        if not self.query.keys() <= set(names):
            raise bad_request(
                "there are no such query parameters"
                if not names
                else f"the query may hold {', '.join(names)}"
            )


def parse_target(raw: str) -> Target:
    """Take a request's target apart. Raise Refusal."""
    path, mark, query_text = raw.partition("?")
    if not path.startswith("/") or not raw.isascii() or any(c in raw for c in "%#\\") or len(raw) > 1_024:
        raise bad_request("a path and a query of plain characters")
    query: dict[str, str] = {}
    for pair in query_text.split("&") if query_text else ():
        name, equals, value = pair.partition("=")
        if not equals or not name or name in query:
            raise bad_request("the query is name=value, each name once")
        query[name] = value
    if mark and not query:
        raise bad_request("the query is empty")
    return Target(path, tuple(path.split("/")[1:]), query)


async def read_body(request: web.BaseRequest, limit: int) -> bytes:
    """Read a request's body. Raise Refusal: too large, too slow, or of no announced length."""
    headers = request.headers
    if "Transfer-Encoding" in headers:
        raise Refusal(411, "length_required", "a body comes with its length")
    if headers.get("Content-Encoding", "identity") != "identity":
        raise Refusal(415, "unsupported_type", "a body comes as it is, not compressed")
    length = request.content_length or 0
    if length > limit:
        raise Refusal(413, "too_large", f"{limit} bytes at most")
    if length == 0:
        return b""
    if headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        async with asyncio.timeout(GRACE_S + length / MIN_BYTES_S):
            return await request.content.readexactly(length)
    except TimeoutError as error:
        raise Refusal(408, "too_slow", "the body came too slowly") from error
    except asyncio.IncompleteReadError as error:
        raise bad_request("the body is shorter than announced") from error


def json_of(request: web.BaseRequest, body: bytes, limit: int = MAX_JSON_BYTES) -> Json:
    """Read a canonical JSON body. Raise Refusal."""
    if request.content_type != "application/json":
        raise Refusal(415, "unsupported_type", "the body is application/json")
    try:
        return parse(body, limit)
    except RecordViolation as violation:
        raise of_violation(violation) from violation


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return data(body, "application/json", status, headers)


def data(
    body: bytes, content_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an answer of bytes."""
    response = web.Response(status=status, body=body, headers=headers)
    if status not in {204, 304}:
        response.headers["Content-Type"] = content_type
    return response


def refuse(refusal: Refusal) -> web.Response:
    """Return a refusal as an answer."""
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    if refusal.status == 405:
        headers["Allow"] = refusal.more["allowed"]
    return answer(refusal.to_json(), refusal.status, headers)


def protect(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    """Add what keeps browsers from doing more with an answer than showing it to who asked."""
    headers = response.headers
    headers["Server"] = "-"  # nobody has to know what runs here, and it goes out with every answer
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")
    if "Origin" in request.headers:
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = EXPOSED
    if "Sec-Fetch-Mode" in request.headers or "Origin" in request.headers:  # a browser
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
        headers.setdefault("X-Frame-Options", "DENY")
    return response


def preflight() -> web.Response:
    """Answer a browser that asks what it may send."""
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE",
            "Access-Control-Allow-Headers": ALLOWED,
            "Access-Control-Max-Age": "86400",
        },
    )
