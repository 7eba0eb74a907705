"""What a poll costs: bytes, as a home asks each minute; everybody else's time, when many are woken."""

import asyncio
from random import Random
import time

import aiohttp

from benchmarks.hub_homes import Home, Homes
from benchmarks.hub_store import WORDS
from ringwatch.hub.waiting import GROUP, PAUSE_S, Waiters
from ringwatch.neighborhood.hub_client import HubClient
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.signed_calls import HubClock
from script.lib.hub_client import comment, join, post

from .conftest import MakeStreet

MINUTES_A_DAY = 1_440
MOST_A_DAY = 5_000_000  # bytes of a home that asks each minute, with a post and ten comments in each
NEIGHBORHOOD = "ab" * 32


def requested(key: PrivateKey) -> bytes:
    """Return what the benchmark's homes send; as homes do, says the test below."""
    given = {
        "neighborhood": NEIGHBORHOOD, "hub_key": key.public, "head": "", "newest": 1_000_000, "tips": [],
    }  # fmt: skip
    return Homes(given).request(Home(0, key, 0), "GET", "/records?after=1000000")


async def test_a_home_sends_no_header_that_nobody_needs() -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    key = PrivateKey.generate()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    # As Home Assistant's own session, which says which versions run
    async with server, aiohttp.ClientSession(headers={"User-Agent": "HomeAssistant/2026.11.0"}) as session:
        client = HubClient(
            session, url, neighborhood=NEIGHBORHOOD, hub_key=key.public, key=key, clock=HubClock(time.time)
        )
        await client.get("/records?after=1000000")
    [sent], benchmark = asked, requested(key)

    def names(request: bytes) -> set[bytes]:
        return {line.partition(b":")[0] for line in request.split(b"\r\n")[1:] if line}

    assert names(sent) == names(benchmark)
    assert b"User-Agent: Ringwatch\r\n" in sent
    assert abs(len(sent) - len(benchmark)) < 10  # the host's name is another


def test_a_day_of_polls_stays_below_5_mb(make_street: MakeStreet) -> None:
    street = make_street()
    neighbors = [join(street, f"Neighbor {letter}") for letter in "ABCDEFGHIJK"]
    street.host.catch_up()
    before = street.host.call("GET", "").json["position"]["number"]
    chance = Random(1)
    assert neighbors[0].post(post(text=" ".join(chance.choices(WORDS, k=18)))).status == 201
    for neighbor in neighbors[1:]:
        said = comment(neighbors[0].tip or "", " ".join(chance.choices(WORDS, k=12)))
        assert neighbor.post(said).status == 201
    path = f"/records?after={before}"
    answer = neighbors[0].call("GET", path, headers={"Accept-Encoding": "gzip"})
    assert answer.status == 200
    lines = sum(len(name) + len(value) + len(": \r\n") for name, value in answer.headers.items())
    came = len("HTTP/1.1 200 OK\r\n") + lines + len("\r\n") + len(answer.body)
    assert (came + len(requested(PrivateKey.generate()))) * MINUTES_A_DAY < MOST_A_DAY


async def test_those_who_wait_are_woken_a_few_at_a_time_and_all_of_them() -> None:
    waiters, woken, count = Waiters(), [], 10 * GROUP

    async def wait(number: int) -> None:
        await waiters.wait(f"home {number}", 30.0)
        woken.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(count)]
    await asyncio.sleep(0)
    assert len(waiters) == count
    began_s = time.monotonic()
    waiters.ring()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(woken) == GROUP  # the others' turn comes after everybody else's
    await asyncio.gather(*tasks)
    assert woken == list(range(count))
    assert time.monotonic() - began_s >= 9 * PAUSE_S
