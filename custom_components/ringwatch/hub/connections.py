"""Connections: how many there may be, and how slow.

aiohttp's handlers never see a request whose headers don't come to an end, so what bounds those is here, below
it: every accepted socket is counted (a TLS handshake under way, too), has 10 s for each request's headers,
and 30 s between two requests. At the limit the connection that has been idle longest is closed for a new one,
so whoever holds thousands of them open keeps nobody out.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
import errno
from ipaddress import IPv6Address, ip_address
import json
import socket
import ssl
from typing import Any, Final, override

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from .config import Network
from .log import Log

HEADERS_S: Final = 10.0
KEEP_ALIVE_S: Final = 30.0
HANDSHAKE_S: Final = 10.0
STUCK_S: Final = 30.0  # how long an answer may lie in the buffer without anything of it being taken
SWEEP_S: Final = 1.0
BACKLOG: Final = 1_024
MAX_LINE: Final = 2_048  # method, path and query
MAX_FIELD: Final = 4_096  # the certificate of an invite is the longest
MAX_HEADERS: Final = 64
READ_BUFFER: Final = 64 * 1024
WRITE_BUFFER: Final = 128 * 1024
_OUT_OF_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def group_of(address: str) -> str:
    """Return whom an address stands for: itself, or its /64, which is what one home has."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "?"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return found.packed[:8].hex()
    return str(found)


class Connection(RequestHandler):
    """One connection: aiohttp's, with a clock for headers."""

    def __init__(self, server: web.Server, connections: Connections, address: str) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEP_ALIVE_S,
            access_log=None,  # type: ignore[arg-type] # none is written
            max_line_size=MAX_LINE,
            max_field_size=MAX_FIELD,
            max_headers=MAX_HEADERS,
            lingering_time=2.0,
            read_bufsize=READ_BUFFER,
            auto_decompress=False,  # what is sent compressed is refused, not unpacked
        )
        self.address = address
        self.was_made = False
        self.headers_since: float | None = None
        self.stuck: tuple[int, float] = (0, 0.0)
        self._connections = connections

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.was_made = True
        super().connection_made(transport)
        if isinstance(transport, asyncio.Transport):
            transport.set_write_buffer_limits(WRITE_BUFFER)
        self.headers_since = asyncio.get_running_loop().time()
        self._connections.made(self)

    @override
    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.lost(self)
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self.headers_since is None and self in self._connections.idle:
            self.headers_since = asyncio.get_running_loop().time()
        super().data_received(data)

    def begin(self) -> None:
        """A request's headers are there."""
        self.headers_since = None
        self._connections.idle.pop(self, None)

    @override
    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if self._connections.are_many:
            resp.force_close()
        answered = await super().finish_response(request, resp, start_time)
        if self.transport is not None:
            self._connections.idle[self] = None
        return answered

    @override
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what isn't HTTP, and what went wrong here, without saying what it was."""
        code, about = ("internal", "the hub failed") if status >= 500 else ("bad_request", "not proper HTTP")
        if status >= 500:
            self._connections.log.problem("request_failed", exc)
        answer = web.Response(
            status=500 if status >= 500 else 400,
            body=json.dumps({"code": code, "about": about}).encode(),
            content_type="application/json",
        )
        answer.force_close()
        return answer


class Connections:
    """All connections of the hub."""

    def __init__(
        self,
        server: web.Server,
        log: Log,
        *,
        most: int,
        most_per_address: int,
        proxies: Callable[[], tuple[Network, ...]],
    ) -> None:
        self.log = log
        self.idle: OrderedDict[Connection, None] = OrderedDict()  # without a request, longest first
        self.evicted = 0
        self._server = server
        self._most = most
        self._most_per_address = most_per_address
        self._proxies = proxies
        self._open = 0
        self._by_address: Counter[str] = Counter()
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: list[socket.socket] = []
        self.tls: Callable[[], ssl.SSLContext | None] = lambda: None

    def __len__(self) -> int:
        return self._open

    @property
    def are_many(self) -> bool:
        """Whether there are so many that idle ones are better closed at once."""
        return self._open > self._most // 2

    def listen(self, addresses: tuple[str, ...], port: int) -> int:
        """Begin to listen; return the port. Raise OSError."""
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                listening = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            except OSError:
                if family == socket.AF_INET6 and self._listening:
                    continue  # a machine without IPv6
                raise
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                listening.bind((address, port))
            except OSError as error:
                listening.close()
                if error.errno == errno.EADDRNOTAVAIL and self._listening:
                    continue
                raise
            listening.listen(BACKLOG)
            port = listening.getsockname()[1]
            self._listening.append(listening)
        return port

    def start(self) -> None:
        """Accept connections from now on."""
        for listening in self._listening:
            self._keep(self._accept(listening))
        self._keep(self._sweep())

    def stop_accepting(self) -> None:
        """Take no new connections."""
        for task in list(self._tasks):
            task.cancel()
        for listening in self._listening:
            listening.close()

    async def close(self, within_s: float) -> None:
        """Let requests that run end, then close everything."""
        for connection in list(self.idle):
            connection.force_close()
        if self._connections:
            await asyncio.wait(
                [asyncio.create_task(one.shutdown(within_s)) for one in list(self._connections)]
            )

    def made(self, connection: Connection) -> None:
        """A connection is ready for its first request."""
        self._connections.add(connection)
        self.idle[connection] = None

    def lost(self, connection: Connection) -> None:
        """A connection has ended."""
        self.idle.pop(connection, None)
        if connection in self._connections:
            self._connections.remove(connection)
            self._release(connection.address)

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for _ in range(32):
                try:
                    accepted, peer = await loop.sock_accept(listening)
                except OSError as error:
                    if error.errno in _OUT_OF_DESCRIPTORS:
                        self.log.warning("out_of_descriptors", connections=self._open)
                        self._evict()
                        await asyncio.sleep(0.1)
                    continue  # the other side has gone already
                self._admit(accepted, group_of(peer[0]))
            await asyncio.sleep(0)  # others have their turn in a flood of connections

    def _admit(self, accepted: socket.socket, address: str) -> None:
        if self._by_address[address] >= self._most_per_address and not self._is_proxy(accepted):
            accepted.close()
            return
        if self._open >= self._most and not self._evict():
            accepted.close()
            return
        self._open += 1
        self._by_address[address] += 1
        self._keep(self._connect(accepted, address))

    def _is_proxy(self, accepted: socket.socket) -> bool:
        proxies = self._proxies()
        if not proxies:
            return False
        try:
            peer = ip_address(accepted.getpeername()[0].partition("%")[0])
        except OSError, ValueError:
            return False
        return any(peer in network for network in proxies)

    async def _connect(self, accepted: socket.socket, address: str) -> None:
        tls = self.tls()
        connection = Connection(self._server, self, address)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=tls,
                ssl_handshake_timeout=HANDSHAKE_S if tls else None,
                ssl_shutdown_timeout=2.0 if tls else None,
            )
        except OSError, TimeoutError:  # a handshake that failed; SSLError is an OSError
            accepted.close()
        finally:
            if not connection.was_made:
                self._release(address)

    def _release(self, address: str) -> None:
        self._open -= 1
        self._by_address[address] -= 1
        if self._by_address[address] <= 0:
            del self._by_address[address]

    def _evict(self) -> bool:
        """Close the connection that has been without a request for longest."""
        if not self.idle:
            return False
        connection, _ = self.idle.popitem(last=False)
        self.evicted += 1
        if connection.transport is not None:
            connection.transport.abort()
        return True

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_S)
            now = loop.time()
            for connection in list(self._connections):
                since = connection.headers_since
                if since is not None and now - since > HEADERS_S:
                    connection.force_close()
                elif _is_stuck(connection, now) and connection.transport is not None:
                    connection.transport.abort()


def _is_stuck(connection: Connection, now: float) -> bool:
    """Return whether the other side takes nothing of its answer."""
    transport = connection.transport
    size = transport.get_write_buffer_size() if isinstance(transport, asyncio.Transport) else 0
    if size == 0:
        connection.stuck = (0, now)
        return False
    before, since = connection.stuck
    if size != before:
        connection.stuck = (size, now)
        return False
    return now - since > STUCK_S
