"""An invite is a link. What is secret in it stands behind the #, which browsers keep to themselves.

    https://hub.example/join#1.<base64url of: version, neighborhood, hub key, host key, seed, expires,
    [member, last,] signature>

The seed makes a key. Its public half is in the certificate that the host signed; holding the key is what lets
a home read before it has joined, and join, once.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
import binascii
from dataclasses import dataclass, field
import re
from typing import Final
from urllib.parse import urlsplit

from .bodies.people import Join, Replace, Rotate
from .certificates import (
    JOIN_CONTEXT,
    ROTATE_CONTEXT,
    Certificate,
    Replaced,
    certify,
    prove_key,
)  # fmt: skip
from .fields import MAX_TIME_S
from .keys import PrivateKey, is_public_key
from .limits import INVITE_S
from .state import State
from .violations import BadLink, LinkExpired

MAX_LINK: Final = 1_024
_PATH: Final = "/join"
_VERSION: Final = 1
_NEW_BYTES: Final = 1 + 4 * 32 + 5 + 64
_REPLACING_BYTES: Final = _NEW_BYTES + 2 * 32
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_URL_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_-]{1,64}){0,8}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Invite:
    """What is in a link."""

    url: str  # the hub's address, without a slash at its end
    hub_key: str
    certificate: Certificate
    seed: bytes = field(repr=False)

    @property
    def key(self) -> PrivateKey:
        """The key that the link is about. It signs calls until the home has joined."""
        return PrivateKey(self.seed)

    @property
    def link(self) -> str:
        """The link. Whoever has it can join."""
        certificate = self.certificate
        replaces = certificate.replaces
        packed = b"".join(
            (
                bytes([_VERSION]),
                bytes.fromhex(certificate.neighborhood + self.hub_key + certificate.host),
                self.seed,
                certificate.expires_s.to_bytes(5),
                bytes.fromhex(replaces.member + replaces.last) if replaces else b"",
                bytes.fromhex(certificate.sig),
            )
        )
        return f"{self.url}{_PATH}#1.{urlsafe_b64encode(packed).decode().rstrip('=')}"


def create_invite(
    host: PrivateKey,
    *,
    neighborhood: str,
    hub_key: str,
    url: str,
    now_s: int,
    seed: bytes,
    replaces: Replaced | None = None,
) -> Invite:
    """Invite a home, or a member's new key. The link is good for 7 days, once."""
    certificate = certify(
        host,
        neighborhood=neighborhood,
        invite=PrivateKey(seed).public,
        expires_s=now_s + INVITE_S,
        replaces=replaces,
    )
    return Invite(check_hub_url(url, allow_http=True), hub_key, certificate, seed)


def parse_link(text: str, *, now_s: int, allow_http: bool = False) -> Invite:
    """Read a link. Raise BadLink or LinkExpired. `allow_http` is for hubs in the own network."""
    if len(text) > MAX_LINK:
        raise BadLink("too long for an invite")
    address, _, fragment = text.strip().partition("#")
    if not address.endswith(_PATH) or not fragment.startswith("1."):
        raise BadLink("not an invite, or a part of it is missing")
    url = check_hub_url(address.removesuffix(_PATH), allow_http=allow_http)
    packed = _unpack(fragment.removeprefix("1."))
    version, texts = packed[0], [packed[at : at + 32].hex() for at in range(1, 97, 32)]
    neighborhood, hub_key, host = texts
    seed, expires_s = packed[97:129], int.from_bytes(packed[129:134])
    replaced = packed[134:-64].hex()
    if version != _VERSION or not is_public_key(hub_key) or expires_s > MAX_TIME_S:
        raise BadLink("an invite that this version can't read")
    certificate = Certificate(
        neighborhood,
        PrivateKey(seed).public,
        host,
        expires_s,
        Replaced(replaced[:64], replaced[64:]) if replaced else None,
        packed[-64:].hex(),
    )
    if not certificate.is_genuine:
        raise BadLink("a damaged link: the host's signature doesn't fit")
    if expires_s <= now_s:
        raise LinkExpired("the invite has expired: ask the host for a new one")
    return Invite(url, hub_key, certificate, seed)


def _unpack(encoded: str) -> bytes:
    try:
        packed = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadLink("a damaged link") from error
    again = urlsafe_b64encode(packed).decode().rstrip("=")
    if len(packed) not in {_NEW_BYTES, _REPLACING_BYTES} or again != encoded:
        raise BadLink("a damaged link")
    return packed


def check_hub_url(url: str, *, allow_http: bool = False) -> str:
    """Return a hub's address without a slash at its end. Raise BadLink for all but a plain https address."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise BadLink("not an address") from error
    schemes = {"https", "http"} if allow_http or host in _LOOPBACK else {"https"}
    path = parts.path.rstrip("/")
    literal = f"[{host}]" if ":" in host else host
    rebuilt = f"{parts.scheme}://{literal}{'' if port is None else f':{port}'}{path}"
    if parts.scheme not in schemes or not _HOST.fullmatch(literal) or not _URL_PATH.fullmatch(path):
        raise BadLink("a hub's address is https://name, a port, and a plain path")
    if rebuilt.lower() != url.rstrip("/").lower():  # a user name, a query, what two programs read in two ways
        raise BadLink("a hub's address is https://name, a port, and a plain path")
    return rebuilt


def join_body(invite: Invite, key: PrivateKey, handle: str) -> Join:
    """Return what a home signs to join."""
    certificate = invite.certificate
    proof = prove_key(invite.key, JOIN_CONTEXT, certificate.neighborhood, key.public)
    return Join(handle, certificate, proof)


def replace_body(invite: Invite, key: PrivateKey) -> Replace:
    """Return what a member signs to come back with a new key."""
    certificate = invite.certificate
    return Replace(certificate, prove_key(invite.key, JOIN_CONTEXT, certificate.neighborhood, key.public))


def rotate_body(new: PrivateKey, old: str, neighborhood: str) -> Rotate:
    """Return what a member signs, with the old key, to change to a new one."""
    return Rotate(new.public, prove_key(new, ROTATE_CONTEXT, neighborhood, old))


def may_read_before_joining(state: State, certificate: Certificate, key: str, time_s: int) -> bool:
    """Return whether a key that signed a call belongs to an invite that can still be used."""
    return (
        certificate.invite == key
        and certificate.neighborhood == state.hood.id
        and certificate.host == state.host.key
        and time_s < certificate.expires_s <= time_s + INVITE_S
        and not state.invite_is_used(key)
        and certificate.is_genuine
    )
