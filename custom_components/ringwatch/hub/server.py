"""The hub's answering half: from a request to the handler that answers it, past everybody who may not."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
import contextlib
from ipaddress import ip_address
import time
from typing import Any, Final, override

from aiohttp import HttpVersion10, web

from ..neighborhood.envelope import MAX_RECORD_BYTES
from ..neighborhood.keys import PrivateKey, is_digest
from ..neighborhood.limits import DAY_S
from ..neighborhood.signed_calls import SIGNATURE_HEADER, TIME_HEADER, refuse_time, verify_call
from ..neighborhood.violations import BadCall, CallViolation, WrongTime
from . import handlers_write, openapi
from .blobs import PART_BYTES, Quotas
from .call import DIGEST, NUMBER, Call, Route
from .callers import INVITE_HEADER, body_digest, key_of
from .config import MAX_HOODS, Config
from .connections import Connection, group_of
from .errors import (
    PROTOCOL,
    Refusal,
    bad_request,
    busy,
    forbidden,
    not_found,
    of_violation,
    quota_exceeded,
    rate_limited,
)  # fmt: skip
from .handlers_register import FOLDER, Registers
from .hood import Hood, remove_folder
from .log import Log
from .mailbox import Mailbox
from .media_check import MediaCheck
from .messages import Target, answer, data, parse_target, preflight, protect, read_body, refuse
from .page import Page
from .rates import Rates
from .routes import ROUTES
from .uploads import Uploads

BURST: Final = 120  # of a member's calls: a page of pictures
BURST_ADDRESS: Final = 600
HOUR_S: Final = 3_600
DOWNLOADS: Final = 64  # at the same time
BODIES: Final = 32  # large ones that are being read at the same time
BODIES_BY_ADDRESS: Final = 8  # who sends isn't known before all is there: so nobody alone holds all places
SMALL_BODY: Final = 64 * 1024
API: Final = "v1"
READING: Final = frozenset({"bodies", "search"})  # calls that read though they send something


class Hub:
    """Everything that calls are answered from."""

    def __init__(self, config: Config, key: PrivateKey, log: Log) -> None:
        self.config = config
        self.key = key
        self.log = log
        self.hoods: dict[str, Hood] = {}
        self.page: Page | None = None
        self.started = time.monotonic()
        self.requests = 0
        self.refused = 0
        self.lag_ms = 0.0
        self.memory_bytes = 0
        self.connections: Callable[[], int] = lambda: 0
        self.media_check = MediaCheck(log)
        self._uploads: dict[str, Uploads] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._registers = Registers(self)
        self._founding = asyncio.Lock()
        self._downloads = 0
        self._bodies: Counter[str] = Counter()  # by address
        self._downloaded: dict[tuple[str, int], int] = {}
        self._openapi = openapi.describe()
        self._set_rates()

    def take_over(self, config: Config) -> None:
        """Use another configuration from now on."""
        self.config = self.config.taken_over(config)
        self._set_rates()

    def _set_rates(self) -> None:
        config = self.config
        self.by_member = Rates(config.calls_per_minute / 60, BURST, time.monotonic)
        self.by_address = Rates(config.calls_per_minute_per_address / 60, BURST_ADDRESS, time.monotonic)
        records, more, sent = (
            Rates(limit / HOUR_S, limit, time.monotonic)
            for limit in (
                config.records_per_hour,
                config.records_per_hour_per_address,
                config.upload_bytes_per_hour_per_address,
            )
        )
        self._records, self._records_by_address, self._bytes_by_address = records, more, sent

    def forget_full(self) -> None:
        """Forget members and addresses that have called little of late."""
        for rates in (
            self.by_member, self.by_address, self._records, self._records_by_address, self._bytes_by_address,
        ):  # fmt: skip
            rates.forget_full()

    def count_record(self, who: str, address: str) -> None:
        """Count a record. Raise Refusal."""
        wait_s = self._records.take(who) or self._records_by_address.take(address)
        if wait_s:
            raise rate_limited(wait_s)

    def count_bytes(self, address: str, count: int) -> None:
        """Count bytes of an upload. Raise Refusal."""
        if wait_s := self._bytes_by_address.take(address, count):
            raise rate_limited(wait_s)

    def add(self, hood: Hood) -> None:
        """Serve a neighborhood."""
        self.hoods[hood.id] = hood
        self._uploads[hood.id] = Uploads(hood, self.media_check, lambda: self.config.keep_free_bytes)
        self._mailboxes[hood.id] = Mailbox(
            hood,
            limit_bytes=lambda: self.config.total_mailbox_bytes,
            keep_free_bytes=lambda: self.config.keep_free_bytes,
        )

    def uploads(self, hood: Hood) -> Uploads:
        """Return a neighborhood's uploads."""
        return self._uploads[hood.id]

    def mailbox(self, hood: Hood) -> Mailbox:
        """Return a neighborhood's mailboxes."""
        return self._mailboxes[hood.id]

    async def close(self) -> None:
        """Finish what was taken on."""
        for uploads in self._uploads.values():
            await uploads.close()
        for mailbox in self._mailboxes.values():
            await mailbox.close()
        for hood in self.hoods.values():
            with contextlib.suppress(Refusal):  # a full disk
                await hood.keep_time()
            await hood.close()

    def may_wait(self, hood: Hood, who: str) -> bool:
        """Return whether a place for a long-poll is free."""
        return sum(len(one.waiters) for one in self.hoods.values()) < self.config.max_waiting

    def limits(self) -> dict[str, int]:
        """Return what callers should keep to."""
        config = self.config
        return {
            "calls_per_minute": config.calls_per_minute,
            "calls_per_minute_per_address": config.calls_per_minute_per_address,
            "connections_per_address": config.max_connections_per_address,
            "record_bytes": MAX_RECORD_BYTES,
            "part_bytes": PART_BYTES,
            "poll_after": config.poll_after_s,
        }

    @contextlib.contextmanager
    def downloading(self, who: str, size: int, quotas: Quotas) -> Iterator[None]:
        """Count a download. Raise Refusal: too many at once, or too much for a day."""
        now_s = int(time.time())
        key = (who, now_s // DAY_S)
        if self._downloads >= DOWNLOADS:
            raise busy()
        if self._downloaded.get(key, 0) + size > quotas.member_download_bytes_day:
            raise quota_exceeded("downloads a day", DAY_S - now_s % DAY_S)
        self._downloaded = {old: count for old, count in self._downloaded.items() if old[1] == key[1]}
        self._downloaded[key] = self._downloaded.get(key, 0) + size
        self._downloads += 1
        try:
            yield
        finally:
            self._downloads -= 1

    # ---- answering --------------------------------------------------------------------------------

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        connection = request.protocol
        if isinstance(connection, Connection):
            connection.begin()
        self.requests += 1
        try:
            response = await self._answer(request)
        except Refusal as refusal:
            self.refused += 1
            response = refuse(refusal)
            if refusal.status == 429:
                response.force_close()  # what was sent behind it, without waiting, would all be answered
        if not response.prepared:
            protect(request, response)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        address = self._address(request)
        if wait_s := self.by_address.take(address):
            raise rate_limited(wait_s)
        if request.version < HttpVersion10:
            raise bad_request("HTTP/1.1")
        target = parse_target(request.raw_path)
        if request.method == "OPTIONS":
            return preflight()
        if target.parts[0] == API and len(target.parts) >= 2:
            return await self._signed(request, target, address)
        is_register = target.parts[0] == FOLDER and len(target.parts) == 2
        if not is_register and target.path not in {"/", "/join", "/health", "/openapi.json"}:
            raise not_found()
        if request.method not in {"GET", "HEAD"}:
            raise _not_allowed("GET, HEAD")
        target.only()
        if is_register:
            return await self._registers.answer(request, target.parts[1])
        match target.path:
            case "/health":
                return answer(self.health())
            case "/openapi.json":
                return answer(self._openapi)
        if self.page is None:
            raise not_found()
        return data(self.page.body, "text/html; charset=utf-8", 200, self.page.headers)

    async def _signed(self, request: web.BaseRequest, target: Target, address: str) -> web.StreamResponse:
        neighborhood, *rest = target.parts[1:]
        if not is_digest(neighborhood):
            raise not_found()
        route, names = find_route(request.method, tuple(rest))
        key = _key(request)
        hood = self.hoods.get(neighborhood)
        if hood is None:
            return await self._found(request, route, neighborhood, key)
        invite = request.headers.get(INVITE_HEADER) if route.who == "invited" else None
        if route.who == "delivery":
            caller = await self.mailbox(hood).caller(key, names[0])
        else:
            caller = await hood.caller(key, invite)
        body = await self._body(request, route)
        reads = request.method in {"GET", "HEAD"} or route.parts[-1] in READING
        call_s = hood.call_time_s(request.headers.get(TIME_HEADER, ""), reads=reads)
        self._verify(request, neighborhood, body, call_s)
        await hood.hear(caller, call_s)
        if wait_s := self.by_member.take(caller.id):
            raise rate_limited(wait_s)
        return await route.handler(Call(self, request, target, hood, caller, body, names, address))

    async def _found(
        self, request: web.BaseRequest, route: Route, neighborhood: str, key: str
    ) -> web.StreamResponse:
        """Take a founding: the only call for a neighborhood that isn't here yet."""
        if route.method != "POST" or route.parts != ("records",) or key not in self.config.hosts:
            raise not_found()
        body = await self._body(request, route)
        self._verify(request, neighborhood, body, int(time.time()))
        record = handlers_write.founding_of(body, neighborhood, key, self.config.hosts, self.key.public)
        async with self._founding:
            if neighborhood not in self.hoods:
                if len(self.hoods) >= MAX_HOODS:
                    raise forbidden(
                        "too_many_neighborhoods", f"a hub carries {MAX_HOODS} neighborhoods at most"
                    )
                folder = self.config.data / neighborhood
                hood = Hood(folder, neighborhood, self.key, self.log)
                await asyncio.to_thread(hood.open)
                try:
                    entry, is_new = await hood.post(record)
                except Refusal:
                    await hood.close()
                    await asyncio.to_thread(remove_folder, folder)
                    raise
                self.add(hood)
                self.log.info("founded", neighborhoods=len(self.hoods))
                return handlers_write.entry_answer(entry, is_new)
        entry, is_new = await self.hoods[neighborhood].post(record)
        return handlers_write.entry_answer(entry, is_new)

    async def _body(self, request: web.BaseRequest, route: Route) -> bytes:
        limit = route.max_body if route.body else 0
        if (request.content_length or 0) <= SMALL_BODY:
            return await read_body(request, limit)
        address = self._address(request)
        if self._bodies.total() >= BODIES or self._bodies[address] >= BODIES_BY_ADDRESS:
            raise busy()
        self._bodies[address] += 1
        try:
            return await read_body(request, limit)
        finally:
            self._bodies[address] -= 1
            if not self._bodies[address]:
                del self._bodies[address]

    def _verify(self, request: web.BaseRequest, neighborhood: str, body: bytes, now_s: int) -> None:
        try:
            verify_call(
                request.headers,
                neighborhood=neighborhood,
                hub_key=self.key.public,
                method=request.method,
                path=request.raw_path,
                body_digest=body_digest(body),
                now_s=now_s,
            )
        except WrongTime as violation:
            signature = request.headers[SIGNATURE_HEADER]
            refused = refuse_time(self.key, neighborhood=neighborhood, signature=signature, now_s=now_s)
            raise _WrongTimeRefusal(violation, refused) from violation
        except CallViolation as violation:
            raise of_violation(violation) from violation

    def _address(self, request: web.BaseRequest) -> str:
        """Return for whom the address stands: the proxy's word for it counts only if the proxy is trusted."""
        connection = request.protocol
        address = connection.address if isinstance(connection, Connection) else "?"
        forwarded = request.headers.getall("X-Forwarded-For", [])
        if not forwarded or not self.config.trusted_proxies:
            return address
        peer = request.transport.get_extra_info("peername")[0] if request.transport else ""
        chain = [part.strip() for line in forwarded for part in line.split(",")]
        for hop in [*chain, peer][::-1]:
            try:
                found = ip_address(hop.partition("%")[0])
            except ValueError:
                return address
            if not any(found in network for network in self.config.trusted_proxies):
                return group_of(hop)
        return address

    def health(self) -> dict[str, Any]:
        """Return how the hub is: counts only."""
        full = any(hood.writer.is_full for hood in self.hoods.values())
        waits = any(hood.guard.is_held for hood in self.hoods.values())
        return {
            "status": "storage_full" if full else "clock" if waits else "ok",
            "protocol": PROTOCOL,
            "uptime_s": int(time.monotonic() - self.started),
            "connections": self.connections(),
            "waiting": sum(len(hood.waiters) for hood in self.hoods.values()),
            "requests": self.requests,
            "refused": self.refused,
            "memory_bytes": self.memory_bytes,
            "loop_lag_ms": round(self.lag_ms, 1),
            "neighborhoods": len(self.hoods),
        }


class _WrongTimeRefusal(Refusal):
    """Carries the hub's signed time, exactly as the caller will check it."""

    def __init__(self, violation: WrongTime, refused: Any) -> None:
        super().__init__(403, violation.code, violation.about)
        self._refused = refused

    @override
    def to_json(self) -> dict[str, Any]:
        return dict(self._refused)


def find_route(method: str, parts: tuple[str, ...]) -> tuple[Route, tuple[str, ...]]:
    """Return the route for a method and what follows the neighborhood. Raise Refusal."""
    others: list[str] = []
    for route in ROUTES:
        if len(route.parts) != len(parts):
            continue
        names = tuple(
            given for part, given in zip(route.parts, parts, strict=True) if part in {DIGEST, NUMBER}
        )
        if not all(_fits(part, given) for part, given in zip(route.parts, parts, strict=True)):
            continue
        if route.method == method:
            return route, names
        others.append(route.method)
    if others:
        raise _not_allowed(", ".join(sorted(others)))
    raise not_found()


def _fits(part: str, given: str) -> bool:
    if part == DIGEST:
        return is_digest(given)
    if part == NUMBER:
        return given.isascii() and given.isdigit()
    return part == given


def _key(request: web.BaseRequest) -> str:
    try:
        return key_of(request.headers)
    except BadCall as violation:
        raise of_violation(violation) from violation


def _not_allowed(methods: str) -> Refusal:
    return Refusal(405, "method_not_allowed", f"the methods here are {methods}", more={"allowed": methods})
