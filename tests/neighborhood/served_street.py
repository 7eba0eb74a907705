"""A street whose hub answers over HTTP, and lies when a test says so. The real hub is in tests/hub."""

from collections.abc import Callable
import contextlib
import hashlib
import json
import time
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from custom_components.ringwatch.neighborhood.envelope import parse_record
from custom_components.ringwatch.neighborhood.order import Checkpoint, sign_checkpoint
from custom_components.ringwatch.neighborhood.segments import (
    SEGMENT_RECORDS,
    Placed,
    pack_lines,
    pack_segment,
)
from custom_components.ringwatch.neighborhood.signed_calls import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    refuse_time,
    verify_call,
)
from custom_components.ringwatch.neighborhood.violations import (
    CallViolation,
    Duplicate,
    RecordViolation,
    WrongTime,
)

from .street import HUB, Street

PART_BYTES = 1000
TAIL = 500


class ServedStreet(Street):
    """Its clock is the machine's, moved by `ahead_s`."""

    def __init__(self, **changes: Any) -> None:
        self.ahead_s = 0
        self.broken = False  # answers 503 to everything
        self.loses = 0  # so many receipts don't arrive
        self.refuses = ""  # refuses whoever asks what is new, with this code
        self.after_s = "0"
        self.segments_beyond = 2 * SEGMENT_RECORDS
        self.lie: Callable[[list[Placed]], list[Placed]] = lambda placed: placed
        self.lie_about_head: Callable[[Checkpoint], Checkpoint] = lambda checkpoint: checkpoint
        self.withhold: set[str] = set()
        self.blobs: dict[str, bytes] = {}
        self.parts: dict[str, bytearray] = {}
        self.token = 0
        self.asked: list[str] = []
        super().__init__(**changes)
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/v1/{hood}{rest:.*}", self._answer)
        app.router.add_get("/health", self._health)
        self.server = TestServer(app)

    @property
    def now_s(self) -> int:
        return int(time.time()) + self.ahead_s

    @now_s.setter
    def now_s(self, _value: int) -> None:
        """The street's own clock is not moved."""

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "protocol": 1})

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        rest = request.match_info["rest"]
        self.asked.append(f"{request.method} {rest}")
        if self.broken:
            return refusal(503, "busy", retry_after=0)
        try:
            verify_call(
                request.headers,
                neighborhood=request.match_info["hood"],
                hub_key=HUB.public,
                method=request.method,
                path=request.raw_path,
                body_digest=hashlib.sha256(body).hexdigest(),
                now_s=self.now_s,
            )
        except WrongTime:
            signature = request.headers[SIGNATURE_HEADER]
            told = refuse_time(HUB, neighborhood=str(self.id), signature=signature, now_s=self.now_s)
            return web.json_response(told, status=403)
        except CallViolation as error:
            return refusal(403, error.code)
        parts = rest.strip("/").split("/")
        match request.method, parts:
            case "GET", [""]:
                founding = self.placed[0].record.to_wire()
                subject = self.state.subject_of(request.headers[KEY_HEADER])
                you = {"subject": subject.id if subject else None}
                members = self.state.count("members")
                at = self.state.position
                told = {"founding": founding, "members": members, "you": you}
                return web.json_response(told | {"position": {"number": at.number, "head": at.head}})
            case "GET", ["records"]:
                return self._records(request)
            case "GET", ["segments", number]:
                first = (int(number) - 1) * SEGMENT_RECORDS
                chosen = self.lie(self.shown())[first : first + SEGMENT_RECORDS]
                return web.Response(body=pack_segment(chosen, self.history))
            case "POST", ["records"]:
                return self._take(body)
            case "POST", ["bodies"]:
                found = [one.record for one in self.placed if one.record.id in json.loads(body)["ids"]]
                return web.json_response(
                    {"records": [r.to_wire() for r in found if r.id not in self.withhold]}
                )
            case _, ["uploads", *which]:
                return self._upload(request, body, which)
            case "GET", ["blobs", digest]:
                return self._blob(request, digest)
        return refusal(404, "not_found")

    def shown(self) -> list[Placed]:
        """Return all, without the bodies that are kept back."""
        return [
            Placed(one.entry, one.record.erased()) if one.record.id in self.withhold else one
            for one in self.placed
        ]

    def _records(self, request: web.Request) -> web.Response:
        if self.refuses:
            return refusal(403, self.refuses)
        after = int(request.query["after"])
        if after > len(self.placed):
            return refusal(400, "bad_request")
        placed = self.lie(self.shown())
        if len(placed) - after > self.segments_beyond:
            return refusal(409, "use_segments", segments=len(placed) // SEGMENT_RECORDS)
        tail = placed[after : after + TAIL]
        at = self.lie_about_head(self.checkpoint())
        headers = {
            "Ringwatch-Checkpoint": f"{at.number} {at.head} {at.time_s} {at.sig}",
            "Ringwatch-Poll-After": self.after_s,
        }
        return web.Response(body=pack_lines(tail, self.history), headers=headers)

    def _take(self, body: bytes) -> web.Response:
        try:
            record = parse_record(body)
            missing = [m.sha256 for m in getattr(record.body, "media", ()) if m.sha256 not in self.blobs]
            if missing:
                return refusal(409, "media_missing", media=missing)
            with contextlib.suppress(Duplicate):
                self.admit(record)
        except RecordViolation as error:
            return refusal(403 if error.forbidden else 422, error.code)
        if self.loses:
            self.loses -= 1
            return refusal(503, "busy", retry_after=0)
        [entry] = [one.entry for one in self.placed if one.record.id == record.id]
        return web.json_response({"entry": entry.to_json() | {"head": entry.head}}, status=201)

    def _upload(self, request: web.Request, body: bytes, which: list[str]) -> web.Response:
        if request.method == "POST":
            announced = json.loads(body)
            self.parts.setdefault(announced["sha256"], bytearray())
            self.sizes = getattr(self, "sizes", {}) | {announced["sha256"]: announced["size"]}
            return self._state(announced["sha256"])
        [digest] = which
        if request.method == "GET":
            return self._state(digest)
        offset, part = int(request.query["offset"]), self.parts[digest]
        if request.headers["Ringwatch-Upload-Token"] != f"token{self.token}":
            return refusal(403, "bad_token")
        if offset != len(part):
            return refusal(409, "offset_moved", offset=len(part))
        part += body
        return self._state(digest)

    def _state(self, digest: str) -> web.Response:
        part = self.parts[digest]
        self.token += 1
        if len(part) < self.sizes[digest]:
            told = {
                "state": "open",
                "offset": len(part),
                "part_bytes": PART_BYTES,
                "token": f"token{self.token}",
            }
            return web.json_response(told)
        self.blobs[digest] = bytes(part)
        return web.json_response({"state": "ready"})

    def _blob(self, request: web.Request, digest: str) -> web.Response:
        if digest not in self.blobs:
            return refusal(404, "not_found")
        start = request.http_range.start or 0
        return web.Response(status=206 if start else 200, body=self.blobs[digest][start:])


def refusal(status: int, code: str, *, retry_after: int | None = None, **more: Any) -> web.Response:
    """Answer that something isn't possible."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return web.json_response({"code": code, "about": "no"} | more, status=status, headers=headers)


def other_head(checkpoint: Checkpoint) -> Checkpoint:
    """Sign another head for the same number: a hub that shows two homes two orders."""
    return sign_checkpoint(HUB, checkpoint.neighborhood, checkpoint.number, "9" * 64, checkpoint.time_s)
