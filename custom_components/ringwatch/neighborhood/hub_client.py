"""Signed calls to one hub, over an aiohttp session that is handed in.

Nothing that a hub answers is believed here: sizes, times and forms are bounded, all else is checked by
whoever reads it.
"""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
import json
import re
from typing import Any, Final

import aiohttp
from yarl import URL

from .canonical import Json, encode
from .certificates import Certificate
from .keys import PrivateKey
from .order import Checkpoint
from .signed_calls import SIGNATURE_HEADER, HubClock, read_time_refusal, sign_call
from .violations import BadCall, RecordViolation, WrongTime

CONNECT_S: Final = 15.0
READ_S: Final = 30.0  # between two bytes; a waiting call adds its own time
CALL_S: Final = 120.0  # a whole call: a hub must not keep a home busy with a byte now and then
MAX_JSON_BYTES: Final = 4 * 1024 * 1024  # 100 records with their bodies, and room
MAX_ERROR_BYTES: Final = 64 * 1024
CHUNK_BYTES: Final = 64 * 1024
HASHED_AT_ONCE_BYTES: Final = 64 * 1024
MAX_RETRY_AFTER_S: Final = 3600
_CODE: Final = re.compile(r"[a-z0-9_]{1,40}")
_WORDS: Final = re.compile(r"[^\x20-\x7e]")
_NUMBER: Final = re.compile(r"[0-9]{1,16}")

INVITE_HEADER: Final = "Ringwatch-Invite"
CHECKPOINT_HEADER: Final = "Ringwatch-Checkpoint"
POLL_AFTER_HEADER: Final = "Ringwatch-Poll-After"
# In place of what aiohttp and Home Assistant would send with every call: 60 bytes less, and the host does not
# have to know which versions run in a neighbor's home.
_PLAIN: Final = {"User-Agent": "Ringwatch", "Accept-Encoding": "gzip"}

# What may go better next time, by status.
_LATER: Final = {408: "too_slow", 429: "too_many", 503: "busy", 507: "hub_full"}


class HubError(Exception):
    """A call didn't work. `code` is stable; `violation` is the hub's own word for it, if it gave one."""

    def __init__(
        self,
        code: str,
        about: str,
        *,
        status: int = 0,
        violation: str | None = None,
        retry_after_s: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep what is known. `about` is English and safe to log."""
        super().__init__(f"{code}: {about}")
        self.code = code
        self.about = about
        self.status = status
        self.violation = violation
        self.retry_after_s = retry_after_s
        self.details = details or {}

    @property
    def for_good(self) -> bool:
        """Whether the same call would be refused again."""
        return self.code == "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self) -> dict[str, Any]:
        """Return the body as an object. Raise HubError."""
        return read_object(self.data)

    @property
    def poll_after_s(self) -> int:
        """When the hub wants to be asked again."""
        found = self.headers.get(POLL_AFTER_HEADER, "")
        return min(int(found), MAX_RETRY_AFTER_S) if _NUMBER.fullmatch(found) else 60

    def checkpoint(self, neighborhood: str) -> Checkpoint | None:
        """Return the hub's newest head, None before the first record. Raise HubError."""
        found = self.headers.get(CHECKPOINT_HEADER)
        if not found:
            return None
        parts = found.split(" ")
        if len(parts) != 4 or not _NUMBER.fullmatch(parts[0]) or not _NUMBER.fullmatch(parts[2]):
            raise HubError("bad_answer", "a checkpoint that can't be read")
        wire: dict[str, Json] = {
            "number": int(parts[0]),
            "head": parts[1],
            "time": int(parts[2]),
            "sig": parts[3],
        }
        try:
            return Checkpoint.parse(wire, neighborhood)
        except RecordViolation as error:
            raise HubError("bad_answer", "a checkpoint that can't be read") from error


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]
    wait_s: float
    whole_s: float


class HubClient:
    """One home's (or, before it has joined, one invite's) way to one hub."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        neighborhood: str,
        hub_key: str,
        key: PrivateKey,
        clock: HubClock,
        certificate: Certificate | None = None,
    ) -> None:
        """`url` has no slash at its end. With an invite's key its certificate is sent along."""
        self.clock = clock
        self._session = session
        self._url = url
        self._neighborhood = neighborhood
        self._hub_key = hub_key
        self._key = key
        self._invite = None if certificate is None else _packed(certificate)

    async def get(self, path: str, *, max_bytes: int = MAX_JSON_BYTES, wait_s: float = 0.0) -> Answer:
        """Read something. `path` begins after the neighborhood's id. Raise HubError."""
        return await self.call("GET", path, max_bytes=max_bytes, wait_s=wait_s)

    async def post(self, path: str, value: Json, *, max_bytes: int = MAX_JSON_BYTES) -> Answer:
        """Send something. Raise HubError."""
        return await self.call("POST", path, encode(value), max_bytes=max_bytes)

    async def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        max_bytes: int = MAX_JSON_BYTES,
        wait_s: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make a call and read its answer, not more of it than `max_bytes`. Raise HubError."""
        async with self.open(method, path, body, wait_s=wait_s, headers=headers) as response:
            data = await read_bounded(response, max_bytes)
            return Answer(response.status, response.headers, data)

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        wait_s: float = 0.0,
        whole_s: float = CALL_S,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a call and leave the reading to the caller. Puts a wrong clock right, once. Raise HubError."""
        full_path = f"{URL(self._url).path.rstrip('/')}/v1/{self._neighborhood}{path}"
        for attempt in (1, 2):
            signed = await self._sign(method, full_path, body)
            sent = {**signed, **(headers or {})}
            if self._invite is not None:
                sent[INVITE_HEADER] = self._invite
            if body and "Content-Type" not in sent:
                sent["Content-Type"] = "application/json"
            try:
                call = _Call(method, full_path, body, sent, wait_s, whole_s + wait_s)
                async with _opened(self._session, self._url, call) as response:
                    yield response
                    return
            except HubError as error:
                if error.violation != WrongTime.code or attempt == 2:
                    raise
                self._correct_clock(error, signed[SIGNATURE_HEADER])

    async def _sign(self, method: str, path: str, body: bytes) -> dict[str, str]:
        sign = partial(
            sign_call,
            self._key,
            neighborhood=self._neighborhood,
            hub_key=self._hub_key,
            method=method,
            path=path,
            body=body,
            time_s=self.clock.now_s(),
        )
        # A part of a clip takes some milliseconds to hash on a small computer.
        return await asyncio.to_thread(sign) if len(body) > HASHED_AT_ONCE_BYTES else sign()

    def _correct_clock(self, error: HubError, signature: str) -> None:
        try:
            hub_time_s = read_time_refusal(
                dict(error.details),
                neighborhood=self._neighborhood,
                hub_key=self._hub_key,
                signature=signature,
            )
        except BadCall as wrong:
            raise HubError("bad_answer", "a time that the hub didn't sign") from wrong
        self.clock.correct(hub_time_s)


async def read_bounded(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Read an answer of at most so many bytes. Raise HubError."""
    data = bytearray()
    with said():
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            data += chunk
            if len(data) > max_bytes:
                raise HubError("bad_answer", f"an answer of more than {max_bytes} bytes")
    return bytes(data)


def read_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object. Raise HubError."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HubError("bad_answer", "an answer that is no JSON") from error
    if not isinstance(found, dict):
        raise HubError("bad_answer", "an answer of another form")
    return found


@asynccontextmanager
async def _opened(
    session: aiohttp.ClientSession, url: str, call: _Call
) -> AsyncIterator[aiohttp.ClientResponse]:
    target = URL(url).origin().join(URL(call.path, encoded=True))
    with said():
        response = await session.request(
            call.method,
            target,
            data=call.body or None,
            headers=_PLAIN | dict(call.headers),
            skip_auto_headers=("Accept",),
            timeout=aiohttp.ClientTimeout(
                total=call.whole_s, sock_connect=CONNECT_S, sock_read=READ_S + call.wait_s
            ),
            allow_redirects=False,
        )
    try:
        if response.status not in {200, 201, 204, 206, 304}:
            raise await _refusal(response)
        yield response
    finally:
        response.release()


async def _refusal(response: aiohttp.ClientResponse) -> HubError:
    """Return what an answer says that is no success."""
    retry_after = response.headers.get("Retry-After", "")
    retry_after_s = min(int(retry_after), MAX_RETRY_AFTER_S) if _NUMBER.fullmatch(retry_after) else None
    try:
        details = read_object(await read_bounded(response, MAX_ERROR_BYTES))
    except HubError:
        details = {}
    word = details.get("code")
    violation = word if isinstance(word, str) and _CODE.fullmatch(word) else None
    about = str(details.get("about", ""))[:200] or f"status {response.status}"
    if violation is None:
        code = "not_a_hub"  # something else answers there: a router, a proxy without its hub
        about = f"status {response.status}, and no word of a hub"
    else:
        code = _LATER.get(response.status, "refused")
    return HubError(
        code,
        _WORDS.sub("?", about),
        status=response.status,
        violation=violation,
        retry_after_s=retry_after_s,
        details=details,
    )


@contextmanager
def said() -> Iterator[None]:
    """Turn what a network can do wrong into HubError."""
    try:
        yield
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
        raise HubError("tls_failed", "the encrypted connection can't be trusted") from error
    except TimeoutError as error:
        raise HubError("timed_out", "no answer in time") from error
    except (aiohttp.ClientConnectionError, OSError) as error:
        raise HubError("unreachable", "nothing answers, or the connection broke") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise HubError("bad_answer", "an answer that is no HTTP") from error


def _packed(certificate: Certificate) -> str:
    return urlsafe_b64encode(encode(certificate.to_json())).decode().rstrip("=")
