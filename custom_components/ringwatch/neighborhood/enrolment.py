"""What is looked at before an agency is enrolled: whether it may be, and whether its website knows its key.

The website is asked over HTTPS with ordinary certificates for `/.well-known/ringwatch-agency.json`, which
holds the key or its fingerprint. The domain comes from a stranger's file: so only public addresses are
called, those that are connected to are those that were checked, and nothing is followed or unpacked. It is
half of the proof; the other half is a person of the host's who asks the agency in another way.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
import json
import re
import socket
import ssl
from typing import Any, Final, override

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from .bodies.agencies import Agency, AgencyKind
from .keys import fingerprint

PATH: Final = "/.well-known/ringwatch-agency.json"
HTTPS: Final = 443
MAX_BYTES: Final = 64 * 1024
WHOLE_S: Final = 10.0
_SPACES: Final = re.compile(r"[\s-]+")
_NAT64: Final = IPv6Network("64:ff9b::/96")

# Federal agencies as they call themselves. Letters alone count in capitals: "Ice House Road" is none.
_IMMIGRATION_NAMES: Final = re.compile(
    r"\b(?:ICE|CBP|USCIS|USBP|HSI|EOIR|ERO)\b"
    r"|(?i:\bimmigration\b|\bcustoms\b|\bborder\s+(?:patrol|protection|force)\b|\bdeportation\b"
    r"|\benforcement\s+and\s+removal\b|\bhomeland\s+security\s+investigations\b)"
)
_FEDERAL_NAMES: Final = re.compile(
    r"\b(?:FBI|DEA|ATF|USSS|USMS|DHS|DOJ|TSA|NSA|CIA|USPIS|NCIS|BIA|FPS)\b"
    r"|(?i:\bfederal\b(?!\s+(?:way|heights|hill|point|dam)\b)|\bu\.?\s?s\.?\s+(?:marshals?|attorney|department)\b"
    r"|\bunited\s+states\b|\bsecret\s+service\b|\bhomeland\s+security\b"
    r"|\bdrug\s+enforcement\s+admin|\bpostal\s+inspection\b)"
)
_IMMIGRATION_DOMAINS: Final = frozenset({"ice.gov", "cbp.gov", "uscis.gov"})
_FEDERAL_DOMAINS: Final = frozenset({
    "atf.gov", "bia.gov", "cia.gov", "dea.gov", "dhs.gov", "doi.gov", "doj.gov", "fbi.gov", "justice.gov",
    "nps.gov", "nsa.gov", "secretservice.gov", "state.gov", "treasury.gov", "tsa.gov", "usdoj.gov",
    "usmarshals.gov", "uspis.gov", "fed.us", "mil",
})  # fmt: skip


class EnrolmentError(Exception):
    """The agency can't be enrolled, or not yet. `code` is stable."""

    def __init__(self, code: str, about: str) -> None:
        """Keep what is known. `about` is English, and safe to log."""
        super().__init__(f"{code}: {about}")
        self.code = code
        self.about = about


def check_local(agency: Agency) -> None:
    """Refuse federal and immigration agencies, by what they declare or are called. Raise EnrolmentError.

    `kind` is a declaration, and a name can be chosen: this catches who doesn't hide it. The host's own
    confirmation is for the rest.
    """
    if (
        agency.kind is AgencyKind.IMMIGRATION
        or _IMMIGRATION_NAMES.search(agency.name)
        or _is_below(agency.domain, _IMMIGRATION_DOMAINS)
    ):
        raise EnrolmentError("immigration_agency", "immigration agencies are not enrolled")
    if (
        agency.kind is AgencyKind.FEDERAL
        or _FEDERAL_NAMES.search(agency.name)
        or _is_below(agency.domain, _FEDERAL_DOMAINS)
    ):
        raise EnrolmentError("federal_agency", "federal agencies are not enrolled: only local ones are")


async def async_check_domain(
    agency: Agency,
    *,
    ssl_context: ssl.SSLContext,
    resolver: AbstractResolver | None = None,
    port: int = HTTPS,
    only_public: bool = True,
) -> None:
    """Ask an agency's website for its key. Raise EnrolmentError.

    `ssl_context` is an ordinary one (making it reads files: not in the event loop). The rest is for tests.
    """
    found = _read(await _async_fetch(agency.domain, ssl_context, resolver, port, only_public=only_public))
    said = {name: found[name] for name in ("key", "fingerprint", "age_recipient") if name in found}
    if not said.keys() & {"key", "fingerprint"}:
        raise EnrolmentError("no_key", "the file names neither a key nor a fingerprint")
    if any(not isinstance(value, str) for value in said.values()):
        raise EnrolmentError("not_a_profile", "the file is of another form")
    right = {
        "key": agency.key,
        "fingerprint": _digits(fingerprint(agency.key)),
        "age_recipient": agency.age_recipient,
    }
    for name, value in said.items():
        if (_digits(value) if name == "fingerprint" else value) != right[name]:
            raise EnrolmentError("key_differs", f"the website names another {name}")


def well_known(agency: Agency) -> dict[str, str]:
    """Return what the agency publishes."""
    return {
        "fingerprint": fingerprint(agency.key),
        "key": agency.key,
        "age_recipient": agency.age_recipient,
    }


async def _async_fetch(
    domain: str,
    ssl_context: ssl.SSLContext,
    resolver: AbstractResolver | None,
    port: int,
    *,
    only_public: bool,
) -> bytes:
    host = domain if port == HTTPS else f"{domain}:{port}"
    async with _session(
        resolver or aiohttp.ThreadedResolver(), ssl_context, only_public=only_public
    ) as session:
        with _told():
            async with session.get(
                f"https://{host}{PATH}",
                allow_redirects=False,
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "User-Agent": "Ringwatch",
                },
            ) as response:
                if 300 <= response.status < 400:
                    raise EnrolmentError(
                        "redirected", "the website sends elsewhere; the file stands on the domain itself"
                    )
                if response.status != 200:
                    raise EnrolmentError(
                        "not_published", f"the website answers with status {response.status}"
                    )
                data = bytearray()
                async for chunk in response.content.iter_chunked(16 * 1024):
                    data += chunk
                    if len(data) > MAX_BYTES:
                        raise EnrolmentError("too_large", f"the file has more than {MAX_BYTES} bytes")
                return bytes(data)


@asynccontextmanager
async def _session(
    resolver: AbstractResolver, ssl_context: ssl.SSLContext, *, only_public: bool
) -> AsyncIterator[aiohttp.ClientSession]:
    """A session of its own: a shared one would look the name up again, past the check of the addresses."""
    connector = aiohttp.TCPConnector(
        resolver=_Public(resolver) if only_public else resolver,
        ssl=ssl_context,
        use_dns_cache=False,
        force_close=True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=WHOLE_S),
        trust_env=False,
        auto_decompress=False,
    ) as session:
        yield session


class _Public(AbstractResolver):
    """Gives out public addresses only, and none at all if one of a name's is not."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise _PrivateError("a private address")
        return found

    @override
    async def close(self) -> None:
        await self._resolver.close()


class _PrivateError(OSError):
    """The domain leads into somebody's own network."""


def is_public(text: str) -> bool:
    """Return whether an address is one that everybody can reach."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner: IPv4Address | None = None
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            inner = IPv4Address(found.packed[-4:])
            return _is_public(inner)
    return _is_public(found) and (inner is None or _is_public(inner))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved


@contextmanager
def _told() -> Iterator[None]:
    """Turn what a network can do wrong into EnrolmentError."""
    try:
        yield
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
        raise EnrolmentError("tls_failed", "the website has no certificate that can be trusted") from error
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, _PrivateError):
            raise EnrolmentError(
                "private_address", "the domain leads to an address that isn't public"
            ) from error
        raise EnrolmentError("unreachable", "the website can't be reached") from error
    except TimeoutError as error:
        raise EnrolmentError("timed_out", "the website didn't answer in time") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise EnrolmentError(
            "unreachable", "the website can't be reached, or answers with no HTTP"
        ) from error


def _read(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EnrolmentError("not_a_profile", "the file is no JSON") from error
    if not isinstance(found, dict):
        raise EnrolmentError("not_a_profile", "the file is of another form")
    return found


def _digits(text: str) -> str:
    """Return a fingerprint however its groups are set apart."""
    return _SPACES.sub("", text)


def _is_below(domain: str, domains: frozenset[str]) -> bool:
    labels = domain.split(".")
    return any(".".join(labels[at:]) in domains for at in range(len(labels)))
