"""An agency's website is asked for its key: over HTTPS, at public addresses, and nothing is believed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import gzip
import json
import socket
import ssl
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver
import pytest
import trustme

from custom_components.ringwatch.neighborhood import enrolment
from custom_components.ringwatch.neighborhood.bodies.agencies import (
    Agency,
    AgencyKind,
    FaceRecognition,
    Sharing,
)
from custom_components.ringwatch.neighborhood.enrolment import (
    EnrolmentError,
    async_check_domain,
    check_local,
    is_public,
    well_known,
)
from custom_components.ringwatch.neighborhood.places import Place

from .street import CENTER, key

DOMAIN = "police.example.gov"
AUTHORITY = trustme.CA()


@pytest.fixture(autouse=True)
def _local_sockets(socket_enabled: None) -> None:
    """Allow sockets; the plugin still refuses every host but 127.0.0.1."""


def profile(signer: str = "police", **changes: Any) -> Agency:
    corners = tuple(
        Place(CENTER.lat_e6 + north, CENTER.lon_e6 + east)
        for north, east in ((-9_000, 0), (9_000, 0), (0, 9_000))
    )
    fields: dict[str, Any] = {
        "name": "Chandler Police Department",
        "key": key(signer).public,
        "age_recipient": "age1" + ("q" if signer == "police" else "p") * 58,
        "domain": DOMAIN,
        "kind": AgencyKind.MUNICIPAL_POLICE,
        "jurisdiction": corners,
        "retention_days": 30,
        "sharing": Sharing.COURTS,
        "face_recognition": FaceRecognition.NEVER,
        "terms": "",
        "replaces": None,
    }
    return Agency(**(fields | changes))


class Names(AbstractResolver):
    """Every name leads to these addresses."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[Any]:
        self.asked.append(host)
        return [
            {"hostname": host, "host": one, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for one in self.addresses
        ]

    async def close(self) -> None:
        pass


def trusting(authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@asynccontextmanager
async def website(
    answer: Callable[[web.Request], Any], *, issued: Any = None
) -> AsyncIterator[tuple[int, list[web.Request]]]:
    """Serve the agency's file; yield port and requests."""
    seen: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        found = answer(request)
        return await found if asyncio.iscoroutine(found) else found

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    (issued or AUTHORITY.issue_cert(DOMAIN)).configure_cert(context)
    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1], seen
    finally:
        await runner.cleanup()


async def check(port: int, *, context: ssl.SSLContext | None = None, **changes: Any) -> None:
    await async_check_domain(
        profile(**changes), ssl_context=context or trusting(), resolver=Names("127.0.0.1"), port=port,
        only_public=False,
    )  # fmt: skip


def says(value: Any) -> Callable[[web.Request], web.Response]:
    return lambda _: web.json_response(value)


async def refused(answer: Callable[[web.Request], Any], **more: Any) -> str:
    async with website(answer) as (port, _):
        with pytest.raises(EnrolmentError) as caught:
            await check(port, **more)
    return caught.value.code


@pytest.mark.parametrize("names", [("key",), ("fingerprint",), ("key", "fingerprint", "age_recipient")])
async def test_the_website_names_the_key(names: tuple[str, ...]) -> None:
    said = {name: value for name, value in well_known(profile()).items() if name in names}
    async with website(says(said | {"more": ["is", "left", "alone"]})) as (port, seen):
        await check(port)
    [request] = seen
    assert request.path == "/.well-known/ringwatch-agency.json"
    assert "Authorization" not in request.headers
    assert "Cookie" not in request.headers


async def test_a_fingerprint_however_it_is_set() -> None:
    found = well_known(profile())["fingerprint"]
    for written in (found.replace(" ", ""), found.replace(" ", "-"), found.replace(" ", "\n")):
        async with website(says({"fingerprint": written})) as (port, _):
            await check(port)


@pytest.mark.parametrize("name", ["key", "fingerprint", "age_recipient"])
async def test_another_key_is_refused(name: str) -> None:
    other = well_known(profile("another"))
    said = well_known(profile()) | {name: other[name]}
    assert await refused(says(said)) == "key_differs"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (says({}), "no_key"),
        (says({"age_recipient": profile().age_recipient}), "no_key"),
        (says([]), "not_a_profile"),
        (says({"key": 1}), "not_a_profile"),
        (says({"key": None, "fingerprint": {}}), "not_a_profile"),
        (lambda _: web.Response(body=b"<html>"), "not_a_profile"),
        (lambda _: web.Response(body=b"[" * 60_000), "not_a_profile"),
        (lambda _: web.Response(body=b"\xff\xfe{"), "not_a_profile"),
        (lambda _: web.Response(body=b" " * (enrolment.MAX_BYTES + 1)), "too_large"),
        (lambda _: web.Response(status=404), "not_published"),
        (lambda _: web.Response(status=500), "not_published"),
        (lambda _: web.Response(status=204), "not_published"),
        (
            lambda _: web.Response(
                body=gzip.compress(json.dumps(well_known(profile())).encode()),
                headers={"Content-Encoding": "gzip"},
            ),
            "not_a_profile",
        ),
    ],
)
async def test_what_else_a_website_says(answer: Any, code: str) -> None:
    assert await refused(answer) == code


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nothing_is_followed(status: int) -> None:
    async with website(says(well_known(profile()))) as (port, seen):
        there = f"https://{DOMAIN}:{port}/.well-known/ringwatch-agency.json"
        assert (
            await refused(lambda _: web.Response(status=status, headers={"Location": there})) == "redirected"
        )
        assert seen == []


async def test_a_certificate_of_nobody() -> None:
    async with website(says(well_known(profile()))) as (port, seen):
        with pytest.raises(EnrolmentError) as caught:
            await check(port, context=ssl.create_default_context())
        assert caught.value.code == "tls_failed"
        assert seen == []


async def test_a_certificate_of_another_domain() -> None:
    issued = AUTHORITY.issue_cert("police.example.org")
    async with website(says(well_known(profile())), issued=issued) as (port, seen):
        with pytest.raises(EnrolmentError) as caught:
            await check(port)
        assert caught.value.code == "tls_failed"
        assert seen == []


async def test_who_answers_too_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolment, "WHOLE_S", 0.3)

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(40):
            await asyncio.sleep(0.05)
            await response.write(b" ")
        return response

    assert await refused(drip) == "timed_out"


async def test_nobody_is_there() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(EnrolmentError) as caught:
            await check(held.getsockname()[1])
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize(
    "addresses",
    [
        "127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1",
        "::ffff:192.168.1.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "::", "93.184.216.34 127.0.0.1",
    ],
)  # fmt: skip
async def test_only_public_addresses_are_called(addresses: str) -> None:
    """The server is there, at 127.0.0.1: it must not be asked, whatever its name leads to."""
    async with website(says(well_known(profile()))) as (port, seen):
        with pytest.raises(EnrolmentError) as caught:
            await async_check_domain(
                profile(), ssl_context=trusting(), resolver=Names(*addresses.split()), port=port
            )
        assert caught.value.code == "private_address"
        assert seen == []


def test_public_addresses() -> None:
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")
    assert is_public("64:ff9b::5db8:d822")
    assert not is_public("police.example")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": AgencyKind.FEDERAL}, "federal_agency"),
        ({"kind": AgencyKind.IMMIGRATION}, "immigration_agency"),
        ({"name": "ICE Enforcement and Removal Operations"}, "immigration_agency"),
        ({"name": "U.S. Customs and Border Protection"}, "immigration_agency"),
        ({"name": "Border Patrol, Tucson"}, "immigration_agency"),
        ({"domain": "tips.ice.gov"}, "immigration_agency"),
        ({"name": "FBI Field Office"}, "federal_agency"),
        ({"name": "Federal Protective Service"}, "federal_agency"),
        ({"name": "United States Marshals Service"}, "federal_agency"),
        ({"name": "US Marshals"}, "federal_agency"),
        ({"name": "Department of Homeland Security"}, "federal_agency"),
        ({"domain": "phoenix.fbi.gov"}, "federal_agency"),
        ({"domain": "base.army.mil"}, "federal_agency"),
    ],
)
def test_federal_and_immigration_agencies_are_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(EnrolmentError) as caught:
        check_local(profile(**changes))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Chandler Police Department"},
        {"name": "Federal Way Police Department", "domain": "cityoffederalway.com"},
        {"name": "Federal Heights Police"},
        {"name": "Ice House Road Police"},
        {"name": "Price Police", "domain": "notice.gov"},
        {"domain": "chandleraz.gov"},
        {"name": "Busmspring Sheriff", "domain": "police.city.il.us"},
    ],
)
def test_local_agencies_are_not(changes: dict[str, Any]) -> None:
    check_local(profile(**changes))
