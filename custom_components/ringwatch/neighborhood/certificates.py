"""The certificate of an invite: the host signs that whoever has a certain key may join, once, until a day.

It travels in the link and in the record that joins, so every reader can check that the host wanted this
member. The hub
keeps no secret for it, and can't invent members.
"""

from dataclasses import dataclass
import hashlib
from typing import Self

from .canonical import Json, encode
from .fields import Fields
from .keys import PrivateKey, verify

INVITE_CONTEXT = "ringwatch/invite/v1"
JOIN_CONTEXT = "ringwatch/join/v1"
ROTATE_CONTEXT = "ringwatch/rotate/v1"


@dataclass(frozen=True, slots=True)
class Replaced:
    """Whose key an invite replaces, and that member's last valid record."""

    member: str
    last: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read it from its object."""
        found = cls(fields.digest("member"), fields.digest("last"))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"member": self.member, "last": self.last}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the host signs of an invite."""

    neighborhood: str
    invite: str  # the public half of the link's secret
    host: str
    expires_s: int
    replaces: Replaced | None
    sig: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it; `is_genuine` is another question. Raise BadField."""
        fields = Fields(value, "invite")
        found = cls(
            neighborhood=fields.digest("neighborhood"),
            invite=fields.key("invite"),
            host=fields.key("host"),
            expires_s=fields.time("expires"),
            replaces=fields.optional("replaces", lambda name: Replaced.read(fields.inner(name))),
            sig=fields.signature("sig"),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return self._signed() | {"sig": self.sig}

    @property
    def is_genuine(self) -> bool:
        """Whether the host that it names has signed it. Whether that is the host is the rules' question."""
        return verify(self.host, INVITE_CONTEXT, self._digest(), self.sig)

    def _signed(self) -> dict[str, Json]:
        return {
            "neighborhood": self.neighborhood,
            "invite": self.invite,
            "host": self.host,
            "expires": self.expires_s,
            "replaces": self.replaces.to_json() if self.replaces else None,
        }

    def _digest(self) -> bytes:
        return hashlib.sha256(encode(self._signed())).digest()


def certify(
    host: PrivateKey, *, neighborhood: str, invite: str, expires_s: int, replaces: Replaced | None = None
) -> Certificate:
    """Sign an invite's certificate."""
    blank = Certificate(neighborhood, invite, host.public, expires_s, replaces, "")
    return Certificate(
        neighborhood, invite, host.public, expires_s, replaces, host.sign(INVITE_CONTEXT, blank._digest())
    )


def prove_key(key: PrivateKey, context: str, neighborhood: str, other: str) -> str:
    """Show that one holds a key, for another key and this neighborhood only."""
    return key.sign(context, _between(neighborhood, other))


def key_is_proved(public: str, context: str, neighborhood: str, other: str, proof: str) -> bool:
    """Return whether the holder of a key has said so."""
    return verify(public, context, _between(neighborhood, other), proof)


def _between(neighborhood: str, other: str) -> bytes:
    return hashlib.sha256(bytes.fromhex(neighborhood) + bytes.fromhex(other)).digest()
