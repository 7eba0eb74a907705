"""A TCP or TLS connection of the owning thread whose every wait ends soon after the stop event.

FFmpeg's own network code cannot be interrupted from outside (PyAV has time-outs only). So what may hang
happens here in short slices: names, connecting, shaking hands, HTTP.
"""

from collections.abc import Callable
from contextlib import suppress
import errno
import math
import os
from pathlib import Path
import select
import socket
import ssl
import threading
import time
from typing import override

from .errors import SourceError, Stopped, TimedOut, TlsFailed, Unreachable

# Where Debian and Alpine, Red Hat, and OpenSSL itself have them.
CERTIFICATE_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
SLICE_S = 0.1  # how late a stop is seen while nothing arrives

type _Address = tuple[str, int] | tuple[str, int, int, int]


class Deadline(threading.Event):
    """A stop event that also counts as set after `timeout_s`, until `lift`: bounds opening as a whole."""

    def __init__(self, stop: threading.Event, timeout_s: float) -> None:
        super().__init__()
        self._stop = stop
        self._until_s = time.monotonic() + timeout_s

    @override
    def is_set(self) -> bool:
        return self._stop.is_set() or time.monotonic() > self._until_s

    def lift(self) -> None:
        """Only the stop event counts from now on."""
        self._until_s = math.inf

    @property
    def late(self) -> bool:
        """Whether it was the time that ran out."""
        return self.is_set() and not self._stop.is_set()


def run_interruptibly[T](
    work: Callable[[], T], *, stop: threading.Event, discard: Callable[[T], None], name: str
) -> T:
    """Run what cannot be interrupted in a thread of its own and wait for it in slices.

    When the stop event comes first, the thread is left to end by itself (`work` has to be bounded) and what
    it still returns goes to `discard`.
    """
    lock = threading.Lock()
    done = threading.Event()
    results: list[T] = []
    failures: list[BaseException] = []
    abandoned = False

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # a thread's outermost frame: raised again in the waiting thread
            failures.append(error)
        else:
            with lock:
                late = abandoned
                if not late:
                    results.append(result)
            if late:
                discard(result)
        done.set()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    while not done.wait(SLICE_S):
        if not stop.is_set():
            continue
        with lock:
            abandoned = not results
        if abandoned:
            raise Stopped("stopped while opening")
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


class Channel:
    """One connection. `timeout_s` bounds connecting and, afterwards, each silence of the other side."""

    def __init__(self, host: str, port: int, *, stop: threading.Event, timeout_s: float) -> None:
        self.host = host
        self.port = port
        self.timeout_s = timeout_s
        self.silence: type[SourceError] = TimedOut  # what a silence is called; Stalled once a stream runs
        self._stop = stop
        self._socket: socket.socket | ssl.SSLSocket | None = None

    def connect(self, tls: ssl.SSLContext | None = None) -> None:
        """Connect to the first of the host's addresses that answers, and shake hands if `tls` is given."""
        deadline = time.monotonic() + self.timeout_s
        code = 0
        for family, address in self._addresses():
            sock = socket.socket(family, socket.SOCK_STREAM)
            self._socket = sock
            try:
                code = self._connect_one(sock, address, deadline)
                if code == 0:
                    if tls is not None:
                        self._shake_hands(sock, tls, deadline)
                    return
            except SourceError:
                self.close()
                raise
            self.close()
        raise Unreachable(f"{self.host}:{self.port} does not answer: {os.strerror(code)}")

    def send(self, data: bytes) -> None:
        """Send all of it."""
        deadline = time.monotonic() + self.timeout_s
        view = memoryview(data)
        while view:
            sock = self._open_socket()
            try:
                view = view[sock.send(view) :]
            except BlockingIOError, ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, deadline)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN, deadline)
            except OSError:
                raise Unreachable(f"{self.host}:{self.port} closed the connection") from None

    def receive(self, size: int) -> bytes:
        """Return what is there, waiting for the first byte; b"" when the other side has closed."""
        deadline = time.monotonic() + self.timeout_s
        while True:
            if self._stop.is_set():
                raise Stopped("stopped while reading")
            sock = self._open_socket()
            try:
                return sock.recv(size)
            except BlockingIOError, ssl.SSLWantReadError:
                self._wait(select.POLLIN, deadline)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT, deadline)
            except OSError:
                return b""  # a reset ends a stream just as a close does

    def close(self) -> None:
        """Close it; safe to call twice."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def _open_socket(self) -> socket.socket | ssl.SSLSocket:
        if self._socket is None:
            raise Unreachable(f"{self.host}:{self.port}: the connection is closed")
        return self._socket

    def _addresses(self) -> list[tuple[int, _Address]]:
        def resolve() -> list[tuple[int, _Address]]:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            return [(family, address) for family, _, _, _, address in found]  # type: ignore[misc]

        try:
            if self.host.replace(".", "").isdigit() or ":" in self.host:
                return resolve()  # a number needs no name server, so it can't hang
            return run_interruptibly(
                resolve,
                stop=self._stop,
                discard=lambda _: None,
                name="ringwatch-resolve",
            )
        except OSError, UnicodeError:
            pass
        raise Unreachable(f"The name {self.host} is not known")

    def _connect_one(self, sock: socket.socket, address: _Address, deadline: float) -> int:
        sock.setblocking(False)
        code = sock.connect_ex(address)
        if code != errno.EINPROGRESS:
            return code
        self._wait(select.POLLOUT, deadline)
        return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def _shake_hands(self, sock: socket.socket, tls: ssl.SSLContext, deadline: float) -> None:
        problem = ""
        try:
            wrapped = tls.wrap_socket(sock, server_hostname=self.host, do_handshake_on_connect=False)
            self._socket = wrapped
            while True:
                try:
                    wrapped.do_handshake()
                except ssl.SSLWantReadError:
                    self._wait(select.POLLIN, deadline)
                except ssl.SSLWantWriteError:
                    self._wait(select.POLLOUT, deadline)
                else:
                    return
        except ssl.SSLCertVerificationError as error:
            problem = error.verify_message
        except OSError as error:  # ssl.SSLError is one
            problem = getattr(error, "reason", None) or error.strerror or type(error).__name__
        raise TlsFailed(f"{self.host}:{self.port}: no trusted encrypted connection ({problem})")

    def _wait(self, events: int, deadline: float) -> None:
        """Wait until the socket is ready. Raise Stopped, or `silence` at the deadline."""
        poll = select.poll()
        poll.register(self._open_socket(), events)
        while not poll.poll(SLICE_S * 1000):
            if self._stop.is_set():
                raise Stopped("stopped while waiting")
            if time.monotonic() >= deadline:
                raise self.silence(f"{self.host}:{self.port} says nothing for {self.timeout_s:.0f} s")
        if self._stop.is_set():
            raise Stopped("stopped while waiting")


def tls_context(verify: bool) -> ssl.SSLContext:
    """Return the client's side of TLS; `verify` is the owner's choice, as cameras sign for themselves."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def trusted_certificates() -> str:
    """Return the file of the authorities that this system trusts; FFmpeg knows of none by itself."""
    known = ssl.get_default_verify_paths().cafile
    for candidate in (known, *CERTIFICATE_FILES):
        if candidate and Path(candidate).is_file():
            return candidate
    raise TlsFailed("This system has no file of trusted certificates; install them or switch the check off")
