"""Twenty thousand homes, in a process of their own: some wait, the others poll over connections of their own.

`benchmarks.hub` starts it and says on standard input where the hub is. Real sockets, real signatures; every
answer is unpacked, and its numbers are compared with what came before. The last line is one JSON object.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
import gzip
import json
import os
from random import Random
import resource
import statistics
import sys
import time
from typing import Any, Final, override

from benchmarks.hub_store import A_MINUTE, member_key
from script.lib.core import load_core
from script.lib.hub_client import CENTER

load_core()

from ringwatch.neighborhood.bodies import Body, Comment, Post
from ringwatch.neighborhood.bodies.feed import Category, Span
from ringwatch.neighborhood.canonical import Json, encode
from ringwatch.neighborhood.envelope import sign_record
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.signed_calls import sign_call

TIMEOUT_S: Final = 60.0
WAIT_S: Final = 50
FEED_EVERY_S: Final = 0.5


class Exchange(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.answer: asyncio.Future[tuple[int, dict[str, str], bytes]] | None = None
        self.received = 0
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def ask(self, data: bytes) -> asyncio.Future[tuple[int, dict[str, str], bytes]]:
        """Send a request."""
        self.answer = asyncio.get_running_loop().create_future()
        if self.transport is None or self.transport.is_closing():
            self.answer.set_exception(ConnectionResetError())
        else:
            self.transport.write(data)
        return self.answer

    @override
    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer += data
        head, gap, rest = self._buffer.partition(b"\r\n\r\n")
        if not gap:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status = int(first.split(" ")[1])
        length = int(headers.get("content-length", "0"))
        if len(rest) >= length and self.answer and not self.answer.done():
            self._buffer = rest[length:]
            self.answer.set_result((status, headers, rest[:length]))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_exception(exc or ConnectionResetError())


@dataclass(slots=True)
class Home:
    """A home: where it is in the order."""

    number: int
    key: PrivateKey
    after: int


@dataclass
class Figures:
    """What was measured."""

    poll_ms: list[float] = field(default_factory=list)
    woken_ms: list[float] = field(default_factory=list)
    post_ms: list[float] = field(default_factory=list)
    feed_ms: list[float] = field(default_factory=list)
    up_bytes: int = 0
    down_bytes: int = 0
    body_bytes: int = 0
    polls: int = 0
    records: int = 0
    refused: int = 0
    broken: int = 0
    gaps: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


class Homes:
    """All of them."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.figures = Figures()
        self.random = Random(1)
        self.head, self.newest = given["head"], given["newest"]
        self.sent_s: dict[int, float] = {}
        self.waiters_told: list[float] = []
        self.end_s = 0.0
        self.tips: list[str | None] = given["tips"]
        self.posts: list[str] = []

    def request(self, home: Home, method: str, path: str, body: bytes = b"") -> bytes:
        """Return a signed request, with the headers that homes send (`hub_client.py`)."""
        full = f"/v1/{self.given['neighborhood']}{path}"
        headers = sign_call(
            home.key, neighborhood=self.given["neighborhood"], hub_key=self.given["hub_key"], method=method,
            path=full, body=body, time_s=int(time.time()),
        )  # fmt: skip
        headers |= {"Host": "hub.example", "User-Agent": "Ringwatch", "Accept-Encoding": "gzip"}
        if body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{method} {full} HTTP/1.1\r\n{lines}\r\n".encode() + body

    async def connect(self, home: Home) -> Exchange:
        """Open a connection, from an address of its own."""
        source = f"{self.given['sources']}.{home.number // 250 % 250}.{home.number % 250 + 1}"
        _, exchange = await asyncio.get_running_loop().create_connection(
            Exchange, self.given["host"], self.given["port"], local_addr=(source, 0)
        )
        return exchange

    async def poll(self, home: Home) -> None:
        """Ask once, over a new connection."""
        began_s = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                exchange = await self.connect(home)
                data = self.request(home, "GET", f"/records?after={home.after}")
                status, headers, body = await exchange.ask(data)
        except OSError, TimeoutError:
            self.figures.broken += 1
            return
        self.figures.poll_ms.append((time.perf_counter() - began_s) * 1_000)
        self.figures.up_bytes += len(data)
        self.figures.down_bytes += exchange.received
        self.figures.polls += 1
        if exchange.transport:
            exchange.transport.close()
        self._take(home, status, headers, body)

    async def wait(self, home: Home) -> None:
        """Ask and wait, again and again."""
        exchange: Exchange | None = None
        while time.perf_counter() < self.end_s:
            try:
                if exchange is None:
                    exchange = await self.connect(home)
                path = f"/records?after={home.after}&wait={WAIT_S}"
                data = self.request(home, "GET", path)
                async with asyncio.timeout(TIMEOUT_S):
                    status, headers, body = await exchange.ask(data)
            except OSError, TimeoutError:
                if time.perf_counter() < self.end_s:
                    self.figures.broken += 1
                exchange = None
                await asyncio.sleep(0.2)
                continue
            if self._take(home, status, headers, body) and home.after in self.sent_s:
                self.figures.woken_ms.append((time.perf_counter() - self.sent_s[home.after]) * 1_000)
            if headers.get("connection") == "close":
                exchange = None
            await asyncio.sleep(float(headers.get("ringwatch-poll-after", "1")))
        if exchange and exchange.transport:
            exchange.transport.close()

    def _take(self, home: Home, status: int, headers: dict[str, str], body: bytes) -> int:
        if status != 200:
            self.figures.refused += 1
            self.figures.statuses[status] += 1
            return 0
        if not body:
            return 0
        self.figures.body_bytes += len(body)
        lines = (gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body).splitlines()
        number = int(headers["ringwatch-checkpoint"].split(" ")[0])
        if lines and (len(lines) != number - home.after):
            self.figures.gaps += 1
        self.figures.records += len(lines)
        home.after = number if lines else home.after
        return len(lines)

    async def write(self, homes: list[Home]) -> None:
        """Post and comment, eleven times a minute, each time somebody else."""
        count = 0
        while time.perf_counter() < self.end_s:
            await asyncio.sleep(60 / A_MINUTE)
            home = homes[count % len(homes)]
            now_s = int(time.time())
            body: Body
            if count % A_MINUTE == 0 or not self.posts:
                body = Post(
                    Category.SAFETY,
                    f"Post {count}",
                    ("Something was there. " * 5).strip(),
                    CENTER,
                    Span(now_s, now_s),
                )
            else:
                body = Comment(self.posts[-1], "I saw it as well, near the corner.")
            record = sign_record(
                home.key, body, neighborhood=self.given["neighborhood"], created_s=now_s,
                prev=self.tips[home.number], head=self.head, salt=os.urandom(16),
            )  # fmt: skip
            exchange = await self.connect(home)
            began_s = time.perf_counter()
            status, _, answer = await exchange.ask(
                self.request(home, "POST", "/records", encode(record.to_wire()))
            )
            if exchange.transport:
                exchange.transport.close()
            if status != 201:
                self.figures.refused += 1
                print(status, answer, file=sys.stderr)
                continue
            self.figures.post_ms.append((time.perf_counter() - began_s) * 1_000)
            entry = json.loads(answer)["entry"]
            self.sent_s[entry["number"]] = began_s
            self.tips[home.number], self.head, self.newest = record.id, entry["head"], entry["number"]
            if isinstance(body, Post):
                self.posts.append(record.id)
            count += 1

    async def read_feed(self, homes: list[Home]) -> None:
        """Ask for pages of the feed."""
        while time.perf_counter() < self.end_s:
            await asyncio.sleep(FEED_EVERY_S)
            home = self.random.choice(homes)
            cursor = self.newest - self.random.randrange(max(1, min(self.newest, 400_000)))
            wishes: dict[str, Json] = {
                "limit": 20, "cursor": max(1, cursor), "categories": [], "kinds": [], "text": "",
                "near": None,
            }  # fmt: skip
            exchange = await self.connect(home)
            began_s = time.perf_counter()
            status, _, _ = await exchange.ask(self.request(home, "POST", "/search", encode(wishes)))
            self.figures.feed_ms.append((time.perf_counter() - began_s) * 1_000)
            self.figures.refused += status != 200
            if exchange.transport:
                exchange.transport.close()

    async def run(self) -> dict[str, Any]:
        """Live for so long; return the figures."""
        given = self.given
        homes = [Home(number, member_key(number), self.newest) for number in range(given["homes"])]
        waiting, polling = homes[: given["waiting"]], homes[given["waiting"] :]
        settle_s = 5.0
        for place, home in enumerate(polling):  # as if each had polled a minute before its first turn
            home.after -= round(A_MINUTE * max(0.0, 1 - place / len(polling) - settle_s / 60))
        start_s = time.perf_counter()
        self.end_s = start_s + settle_s + given["seconds"]
        tasks = [asyncio.create_task(self.wait(home)) for home in waiting]
        tasks += [asyncio.create_task(self.write(homes[-200:])), asyncio.create_task(self.read_feed(polling))]
        await asyncio.sleep(settle_s)
        every_s = 60.0 / len(polling)
        count = 0
        polls: set[asyncio.Task[None]] = set()
        while time.perf_counter() < self.end_s:
            due = int((time.perf_counter() - start_s - settle_s) / every_s)
            while count < due:
                task = asyncio.create_task(self.poll(polling[count % len(polling)]))
                polls.add(task)
                task.add_done_callback(polls.discard)
                count += 1
            await asyncio.sleep(max(0.001, every_s))
        if polls:
            await asyncio.wait(polls)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):  # a mistake of the benchmark's own
                raise result
        # Every home asks once more: whatever is missing then is lost
        lost = 0
        for home in [*waiting[:50], *polling[:200]]:
            await self.poll(home)
            lost += home.after != self.newest
        return self._summary(lost)

    def _summary(self, lost: int) -> dict[str, Any]:
        found = self.figures
        seconds = self.given["seconds"]
        a_poll = (found.up_bytes + found.down_bytes) / max(1, found.polls)
        return {
            "polls": found.polls,
            "polls_a_s": round(found.polls / seconds, 1),
            **spread("poll", found.poll_ms),
            **spread("woken", found.woken_ms),
            **spread("post", found.post_ms),
            **spread("feed", found.feed_ms),
            "bytes_a_poll": round(a_poll),
            "mb_a_home_and_day": round(a_poll * 1_440 / 1e6, 2),
            "lost": lost,
            "gaps": found.gaps,
            "broken": found.broken,
            "refused": found.refused,
            "posted": len(found.post_ms),
            "refusals": {str(status): count for status, count in found.statuses.items()},
            "homes_cpu_percent": round(100 * time.process_time() / (seconds + 5), 1),
        }


def spread(name: str, values: list[float]) -> dict[str, float]:
    """Return the median and the 99th percentile of milliseconds, by name."""
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=100)
    return {f"{name}_p50_ms": round(cuts[49], 2), f"{name}_p99_ms": round(cuts[98], 2)}


def main() -> int:
    """Be the homes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.stdout.write(json.dumps(asyncio.run(Homes(json.loads(sys.stdin.read())).run())) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
