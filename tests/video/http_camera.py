"""A camera that speaks HTTP: a real server in threads, as good or as bad as a test wants it."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import re
import ssl
import threading
from typing import override

USER = "admin"
PASSWORD = 'p@ss w/#r:d%"é'  # with whatever an address would have to encode
REALM = "camera"
CHUNK = 4096
POLL_S = 0.02

type Route = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Serves the routes of its server."""

    server: Camera
    protocol_version = "HTTP/1.1"

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.requests.append((self.path, self.headers.get("Authorization", "")))
        for kind in ("basic", "digest", "digest256"):
            if path.startswith(f"/{kind}/"):
                if not self._authorized(kind):
                    return
                path = path.removeprefix(f"/{kind}")
        route = self.server.routes.get(path)
        try:
            if route is None:
                self.answer(404, b"nothing here")
            else:
                route(self)
        except OSError:
            pass  # the client has gone

    def begin(self, content_type: str, status: int = 200, **headers: str) -> None:
        """Send the head of an answer without a length."""
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Connection", "close")
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()

    def answer(self, status: int, body: bytes, content_type: str = "text/plain", **headers: str) -> None:
        self.begin(content_type, status, **headers)
        self.wfile.write(body)

    @property
    def alive(self) -> bool:
        return not self.server.closing.is_set()

    def hang(self) -> None:
        """Hold the connection open and send nothing more."""
        while self.alive:
            self.server.closing.wait(POLL_S)

    def _authorized(self, kind: str) -> bool:
        given = self.headers.get("Authorization", "")
        if kind == "basic":
            right = f"{USER}:{PASSWORD}".encode()
            if given.startswith("Basic ") and b64decode(given[6:]) == right:
                return True
            self.answer(401, b"", WWW_Authenticate=f'Basic realm="{REALM}"')
            return False
        algorithm, name = ("SHA-256", "sha256") if kind == "digest256" else ("MD5", "md5")
        if given.startswith("Digest ") and self._digest_is_right(given, name):
            return True
        challenge = (
            f'realm="{REALM}", nonce="abc123", qop="auth,auth-int", algorithm={algorithm}, opaque="xyz"'
        )
        self.answer(401, b"", WWW_Authenticate=f"Digest {challenge}")
        return False

    def _digest_is_right(self, given: str, name: str) -> bool:
        def digest(text: str) -> str:
            return hashlib.new(name, text.encode()).hexdigest()

        fields = {
            k: a.replace('\\"', '"') or b
            for k, a, b in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', given)
        }
        secret = digest(f"{USER}:{REALM}:{PASSWORD}")
        request = digest(f"GET:{fields['uri']}")
        right = digest(f"{secret}:abc123:{fields['nc']}:{fields['cnonce']}:{fields['qop']}:{request}")
        return fields["response"] == right and fields["opaque"] == "xyz" and fields["uri"] == self.path


class Camera(ThreadingHTTPServer):
    """The server. `requests` is what was asked for: path and Authorization."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, routes: dict[str, Route], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes = routes
        self.closing = threading.Event()
        self.requests: list[tuple[str, str]] = []
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}{path}"

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in mid-answer is no error here."""


@contextmanager
def camera(routes: dict[str, Route], tls: ssl.SSLContext | None = None) -> Iterator[Camera]:
    """Serve the routes until the end of the block."""
    server = Camera(routes, tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_S})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def stream(
    data: bytes, content_type: str = "video/mp2t", *, seconds: float = 0.0, then_hang: bool = False
) -> Route:
    """Send these bytes, evenly over `seconds`; then close, or fall silent."""

    def route(handler: Handler) -> None:
        handler.begin(content_type)
        chunks = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
        for chunk in chunks:
            if not handler.alive:
                return
            handler.wfile.write(chunk)
            if seconds:
                handler.server.closing.wait(seconds / len(chunks))
        if then_hang:
            handler.hang()

    return route


def multipart(pictures: list[bytes], *, interval_s: float = 0.02, boundary: str = "frame") -> Route:
    """Send JPEGs as cameras do, until the client leaves."""

    def route(handler: Handler) -> None:
        handler.begin(f"multipart/x-mixed-replace; boundary={boundary}")
        number = 0
        while handler.alive:
            data = pictures[number % len(pictures)]
            head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            handler.wfile.write(head.encode() + data + b"\r\n")
            number += 1
            handler.server.closing.wait(interval_s)

    return route


def redirect(location: str) -> Route:
    """Send the client elsewhere."""
    return lambda handler: handler.answer(302, b"", Location=location)


def fixed(data: bytes, content_type: str) -> Route:
    """Send a whole file."""
    return lambda handler: handler.answer(200, data, content_type, Content_Length=str(len(data)))


def silent(handler: Handler) -> None:
    """Take the request and never answer."""
    handler.hang()
