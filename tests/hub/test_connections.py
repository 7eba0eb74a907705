"""Sockets: thousands of them, slow ones, half-open ones, and words that are no HTTP. The hub goes on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import contextlib
from contextlib import contextmanager
import json
from pathlib import Path
import resource
import socket
import struct
import time

import pytest

from ringwatch.neighborhood.signed_calls import sign_call
from script.lib.hub_client import HubProcess, Member, Street, join, post

from .conftest import MakeStreet


@contextmanager
def descriptors(count: int) -> Iterator[None]:
    """Allow this process so many more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < count:
        pytest.skip(f"{before[1]} descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def connect(hub: HubProcess, source: str = "127.0.0.1") -> socket.socket:
    found = socket.socket()
    found.bind((source, 0))
    found.settimeout(5)
    found.connect(("127.0.0.1", hub.port))
    return found


def talk(hub: HubProcess, data: bytes) -> bytes:
    """Say something and return what comes back until the hub closes."""
    with connect(hub) as found:
        found.settimeout(15)
        found.sendall(data)
        answer = b""
        try:
            while chunk := found.recv(65_536):
                answer += chunk
                if b"Connection: close" not in answer and answer.endswith(b"}"):
                    break
        except ConnectionError:
            pass
        return answer


def test_5000_idle_and_half_open_connections(make_street: MakeStreet) -> None:
    street = make_street(max_connections=3_000, max_connections_per_address=64)
    robin = join(street, "Robin")
    held: list[socket.socket] = []
    with descriptors(6_000):
        try:
            began_s = time.monotonic()
            for number in range(5_000):
                one = connect(street.hub, f"127.0.{number // 60 % 250 + 1}.{number % 60 + 1}")
                if number % 2:
                    one.sendall(b"GET /health HTTP/1.1\r\nHost: hub\r\nX-Slow: ")
                held.append(one)
                if number % 500 == 499:
                    began_post_s = time.monotonic()
                    assert robin.post(post(f"Post {number}")).status == 201
                    assert time.monotonic() - began_post_s < 1.0, number
            assert time.monotonic() - began_s < 15
            health = street.hub.request("GET", "/health").json
            assert health["connections"] <= 3_000
            assert health["memory_bytes"] < 150e6
        finally:
            for one in held:
                one.close()
    assert robin.call("GET", "/records?after=0").status == 200


def test_one_address_has_so_many_connections(make_street: MakeStreet) -> None:
    street = make_street(max_connections_per_address=20)
    held = [connect(street.hub, "127.0.0.9") for _ in range(40)]
    time.sleep(0.3)
    closed = sum(_is_closed(one) for one in held)
    assert closed == 20
    assert street.hub.request("GET", "/health").status == 200  # from another address
    for one in held:
        one.close()


def _is_closed(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def _slow_headers(hub: HubProcess, before: bytes) -> float:
    """Send headers a little at a time; return after how many seconds that was ended."""
    with connect(hub) as one:
        if before:
            one.sendall(before)
            one.recv(65_536)
        one.sendall(b"GET /health HTTP/1.1\r\n")
        one.settimeout(0.5)
        began_s = time.monotonic()
        while time.monotonic() - began_s < 20:
            try:
                one.sendall(b"X-A: b\r\n")
                if one.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        return time.monotonic() - began_s


def _slow_body(street: Street, member: Member) -> bytes:
    """Send half a body; return the answer."""
    path = f"{member.base}/bodies"
    signed = sign_call(
        member.key, neighborhood=street.id, hub_key=street.hub.key, method="POST", path=path, body=b"{}",
        time_s=int(time.time()),
    )  # fmt: skip
    head = f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with connect(street.hub) as one:
        one.sendall(head.encode() + b"\r\n{")
        one.settimeout(15)
        return one.recv(65_536)


def test_who_is_slow_is_not_waited_for(street: Street, robin: Member) -> None:
    before = b"GET /health HTTP/1.1\r\nHost: hub\r\n\r\n"
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(_slow_headers, street.hub, b"")
        second = pool.submit(_slow_headers, street.hub, before)
        body = pool.submit(_slow_body, street, robin)
        assert street.hub.request("GET", "/health").status == 200
        assert 9 < first.result() < 13
        assert 9 < second.result() < 13
        assert b" 408 " in body.result()
        assert b'"too_slow"' in body.result()


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"GET /health HTTP/1.1\r\nHost: hub\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET /health HTTP/1.1\r\nHost: hub\r\nBad\x00Name: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: hub\r\nX: a\x00b\r\n\r\n",
        b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: hub\r\nX: " + b"a" * 9_000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: hub\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"GET /health HTTP/1.1\r\n X: folded\r\n\r\n",
        b"CONNECT evil.example:80 HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"GET http://evil.example/health HTTP/1.1\r\nHost: hub\r\n\r\n",
    ],
)
def test_what_is_no_proper_http_is_refused(street: Street, data: bytes) -> None:
    answer = talk(street.hub, data)
    assert answer.startswith(
        (b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 404", b"HTTP/1.1 405", b"HTTP/0.9 400")
    ), answer[:80]
    assert b"Traceback" not in answer
    assert street.hub.request("GET", "/health").status == 200


def test_a_chunked_body_is_refused(street: Street, robin: Member) -> None:
    answer = talk(
        street.hub,
        f"POST {robin.base}/records HTTP/1.1\r\nHost: hub\r\nRingwatch-Key: {robin.key.public}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode(),
    )
    assert b" 411 " in answer


def test_pipelined_calls_are_answered_in_order(street: Street) -> None:
    with connect(street.hub) as one:
        one.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\nGET /no HTTP/1.1\r\nHost: h\r\n\r\n" * 3)
        answer = b""
        while answer.count(b"HTTP/1.1") < 6:
            answer += one.recv(65_536)
    statuses = [part[:4] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200 ", b"404 "] * 3


def test_who_calls_too_often_is_not_answered_on_and_on(tmp_path: Path) -> None:
    """A line full of calls that nobody waits for kept the hub busy for many seconds."""
    with HubProcess(tmp_path, calls_per_minute_per_address=60) as hub, connect(hub) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(b"GET /health HTTP/1.1\r\nHost: hub\r\n\r\n" * 20_000)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while chunk := line.recv(65_536):
                answer += chunk
        assert answer.count(b"HTTP/1.1 429 ") <= 1
        requests = hub.request("GET", "/health")
        assert requests.status == 429
        time.sleep(2)
        assert hub.request("GET", "/health").json["requests"] < 1_000


def test_nothing_that_a_caller_sends_gets_into_headers_or_log(street: Street, robin: Member) -> None:
    for value in ("a\tb", "x" * 3_000, '"}\\n{"level":"error","event":"forged"}', "\u00e9\u0085"):
        street.hub.request("GET", f"/v1/{street.id}", headers={"Ringwatch-Key": value, "Origin": value})
        street.hub.request("GET", "/health", headers={"If-None-Match": value, "User-Agent": value})
    answer = talk(street.hub, b'GET /health?a=1"%0d%0aSet-Cookie:%20x HTTP/1.1\r\nHost: hub\r\n\r\n')
    assert b"Set-Cookie" not in answer
    robin.post(post('\u201c"}\u201d injected', '{"level":"error","event":"forged"}'))
    for line in street.hub.log.read_text().splitlines():
        assert json.loads(line)["event"] != "forged"
        assert "127.0.0" not in line
        assert robin.key.public not in line


def test_a_reader_that_takes_nothing_holds_nothing_up(street: Street, robin: Member) -> None:
    for number in range(15):
        robin.post(post(f"Post {number}", "x" * 3_900))
    path = f"{robin.base}/records?after=0"
    signed = sign_call(
        robin.key, neighborhood=street.id, hub_key=street.hub.key, method="GET", path=path, body=b"",
        time_s=int(time.time()),
    )  # fmt: skip
    head = (
        f"GET {path} HTTP/1.1\r\nHost: hub\r\n" + "".join(f"{k}: {v}\r\n" for k, v in signed.items()) + "\r\n"
    )
    held = []
    for _ in range(20):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        one.connect(("127.0.0.1", street.hub.port))
        one.sendall(head.encode() * 5)
        held.append(one)
    began_s = time.monotonic()
    assert robin.call("GET", "/log").status == 200
    assert time.monotonic() - began_s < 1
    for one in held:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
