"""HTTP and HTTPS for FFmpeg: it demuxes, this reads.

Its own client knows no digest authentication of every kind, checks certificates against no store by default,
names no cause, and hangs on to a silent server; and its HLS opens whatever address a playlist names.
"""

from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse
import io
import socket
import threading
from typing import cast, override
from urllib.parse import urljoin, urlsplit

from .auth import authorization
from .errors import BrokenStream, InvalidUrl, NotFound, SourceError, Stalled, Unreachable, WrongCredentials
from .media import SourceConfig
from .net import Channel, tls_context
from .url import host_and_port

MAX_REDIRECTS = 5
USER_AGENT = "Ringwatch"


class _Raw(io.RawIOBase):
    """A channel as http.client wants to read it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        data = self._channel.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Socket:
    """A channel as http.client wants to own it; it is closed by the file that reads from it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def sendall(self, data: bytes) -> None:
        self._channel.send(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Raw(self._channel))

    def close(self) -> None:
        """Nothing: http.client closes its end while the answer is still being read."""


class HttpFile:
    """The body of an answer, read as it arrives. PyAV reads and closes it."""

    def __init__(
        self, channel: Channel, response: HTTPResponse, url: str, on_read: Callable[[], None]
    ) -> None:
        self.name = ""  # PyAV puts the name into its messages
        self.url = url
        self.content_type = (response.headers.get_content_type() or "").lower()
        self.closed = False
        self._channel = channel
        self._response = response
        self._on_read = on_read

    def read(self, size: int) -> bytes:
        """Return at least a byte, at most `size`; b"" at the end."""
        self._on_read()
        try:
            return self._response.read1(size)
        except HTTPException:
            return b""  # cut off within a chunk

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self.closed = True
        self._response.close()
        self._channel.close()

    def start_streaming(self, stall_timeout_s: float) -> None:
        """From now on a silence is a stall."""
        self._channel.timeout_s = stall_timeout_s
        self._channel.silence = Stalled


class HttpClient:
    """Opens addresses of one source with its credentials, which go to that host only."""

    def __init__(self, config: SourceConfig, *, stop: threading.Event, on_read: Callable[[], None]) -> None:
        self._config = config
        self._stop = stop
        self._on_read = on_read
        self._home = host_and_port(config.url)
        self._running = False  # once true, a silence is a stall
        self._files: list[HttpFile] = []

    def open(self, url: str) -> HttpFile:
        """Open an address, following redirects and answering a challenge."""
        self._files = [file for file in self._files if not file.closed]
        for _ in range(MAX_REDIRECTS + 1):
            file, location = self._request(url, None)
            if file is not None:
                self._files.append(file)
                return file
            url = urljoin(url, location)
        raise BrokenStream(f"{self._config.url} redirects more than {MAX_REDIRECTS} times")

    def start_streaming(self) -> None:
        """From now on a silence is a stall."""
        self._running = True
        for file in self._files:
            file.start_streaming(self._config.stall_timeout_s)

    def close(self) -> None:
        """Close what FFmpeg has not closed."""
        for file in self._files:
            file.close()
        self._files.clear()

    def _request(self, url: str, answer: str | None) -> tuple[HttpFile | None, str]:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            raise InvalidUrl(f"{url} is not HTTP; a stream over HTTP may only lead to HTTP")
        host, port = host_and_port(url)
        channel = Channel(host, port, stop=self._stop, timeout_s=self._config.open_timeout_s)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            response = self._exchange(channel, parts.netloc, target, parts.scheme == "https", answer)
            status = response.status
            if status == 401 and answer is None and (host, port) == self._home and self._has_credentials():
                challenges = response.headers.get_all("WWW-Authenticate", [])
                answer = authorization(
                    challenges, "GET", target, self._config.username, self._config.password
                )
                channel.close()
                if answer is not None:
                    return self._request(url, answer)
            if status in {301, 302, 303, 307, 308}:
                channel.close()
                return None, response.headers.get("Location", "")
            _check(status, url)
        except HTTPException, ValueError:
            channel.close()
            raise BrokenStream(f"{url} does not answer in HTTP") from None
        except SourceError:
            channel.close()
            raise
        file = HttpFile(channel, response, url, self._on_read)
        if self._running:
            file.start_streaming(self._config.stall_timeout_s)
        return file, ""

    def _exchange(
        self, channel: Channel, netloc: str, target: str, tls: bool, answer: str | None
    ) -> HTTPResponse:
        channel.connect(tls_context(self._config.verify_tls) if tls else None)
        connection = HTTPConnection(channel.host, channel.port)
        connection.sock = cast("socket.socket", _Socket(channel))
        headers = {
            "Host": netloc.rpartition("@")[2],
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Connection": "close",
        }
        if answer is not None:
            headers["Authorization"] = answer
        connection.request("GET", target, headers=headers)
        return connection.getresponse()

    def _has_credentials(self) -> bool:
        return bool(self._config.username or self._config.password)


def _check(status: int, url: str) -> None:
    if status in {401, 403}:
        raise WrongCredentials(f"{url} does not accept the user name or password")
    if status in {404, 410}:
        raise NotFound(f"{url} has no such stream")
    if status >= 500:
        raise Unreachable(f"{url} answers with error {status}")
    if status != 200:
        raise BrokenStream(f"{url} answers with status {status}")
