"""Stopping: within 1.5 s, whatever the camera does or doesn't do, and nothing is left behind."""

from collections.abc import Iterator
from contextlib import contextmanager
import socket
import threading
import time

import pytest

from custom_components.ringwatch.video import Source, SourceConfig, SourceError, Stopped, TimedOut

from .http_camera import camera, silent, stream
from .samples import sample

STOP_AFTER_S = 0.4
BOUND_S = 1.5


@contextmanager
def listener(answers: dict[str, str] | None = None, backlog: int = 5) -> Iterator[int]:
    """Listen without ever accepting or, with `answers`, answer those RTSP methods and no other."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(backlog)
        closing = threading.Event()
        threads = []

        def serve() -> None:
            server.settimeout(0.05)
            while not closing.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                thread = threading.Thread(target=talk, args=(connection,))
                thread.start()
                threads.append(thread)

        def talk(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(0.05)
                while not closing.is_set():
                    try:
                        request = connection.recv(4096).decode()
                    except TimeoutError:
                        continue
                    if not request:
                        return
                    method = request.split()[0]
                    number = request.partition("CSeq: ")[2].split()[0]
                    if method in (answers or {}):
                        connection.sendall(
                            f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{answers[method]}\r\n".encode()
                        )

        if answers is not None:
            acceptor = threading.Thread(target=serve)
            acceptor.start()
            threads.append(acceptor)
        try:
            yield server.getsockname()[1]
        finally:
            closing.set()
            for thread in threads:
                thread.join()


def time_to_stop(config: SourceConfig) -> tuple[float, list[BaseException]]:
    """Open and read in a thread, set the stop event a little later, return how long the thread then took."""
    stop = threading.Event()
    raised: list[BaseException] = []

    def run() -> None:
        source = Source(config, stop=stop)
        try:
            source.open()
            while not stop.is_set():
                source.read()
        except SourceError as error:
            raised.append(error)
        finally:
            source.close()

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(STOP_AFTER_S)
    assert thread.is_alive()
    began = time.monotonic()
    stop.set()
    thread.join(10)
    return time.monotonic() - began, raised


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "https"])
def test_stops_while_a_listening_socket_never_answers(scheme: str) -> None:
    with listener() as port:
        took_s, raised = time_to_stop(SourceConfig(f"{scheme}://127.0.0.1:{port}/x"))
    assert took_s < BOUND_S
    assert [type(error) for error in raised] == [Stopped]


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_stops_while_connecting_gets_no_answer(scheme: str) -> None:
    """A full queue of connections: the kernel drops what asks for more, like an address where nobody is."""
    with listener(backlog=0) as port, socket.socket() as first, socket.socket() as second:
        first.connect(("127.0.0.1", port))
        second.setblocking(False)
        second.connect_ex(("127.0.0.1", port))
        took_s, raised = time_to_stop(SourceConfig(f"{scheme}://127.0.0.1:{port}/x"))
    assert took_s < BOUND_S
    assert [type(error) for error in raised] == [Stopped]


@pytest.mark.parametrize(
    "answers", [{"OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n"}], ids=["silent from DESCRIBE on"]
)
def test_stops_while_ffmpeg_waits_for_an_rtsp_answer(answers: dict[str, str]) -> None:
    before = set(threading.enumerate())
    with listener(answers) as port:
        took_s, raised = time_to_stop(SourceConfig(f"rtsp://127.0.0.1:{port}/x", open_timeout_s=2.0))
        assert took_s < BOUND_S
        assert [type(error) for error in raised] == [Stopped]
    # What FFmpeg was in the middle of ends by itself, at the latest with its own time-out.
    for thread in set(threading.enumerate()) - before:
        thread.join(4)
        assert not thread.is_alive()


def test_opening_gives_up_at_its_timeout() -> None:
    with listener() as port:
        for scheme in ("rtsp", "http"):
            began = time.monotonic()
            with pytest.raises(TimedOut):
                Source(
                    SourceConfig(f"{scheme}://127.0.0.1:{port}/x", open_timeout_s=0.5), stop=threading.Event()
                ).open()
            assert time.monotonic() - began < 1.0


def test_stops_while_a_stream_is_silent() -> None:
    data = sample()
    with camera({"/a.ts": stream(data, then_hang=True), "/hang": silent}) as server:
        for path in ("/a.ts", "/hang"):
            took_s, _ = time_to_stop(SourceConfig(server.url(path)))
            assert took_s < BOUND_S


def test_nothing_is_opened_once_stopped() -> None:
    stop = threading.Event()
    stop.set()
    with camera({}) as server:
        with pytest.raises(Stopped):
            Source(SourceConfig(server.url("/a.ts")), stop=stop).open()
        assert not server.requests
