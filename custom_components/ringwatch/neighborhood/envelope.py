"""A record: a signed envelope, and beside it a body and its salt, which can be erased.

    body_hash = SHA-256(salt ‖ canonical body)
    id        = SHA-256(canonical envelope)
    sig       = Ed25519(author, "ringwatch/record/v1" ‖ id)

The salt keeps an erased body from being guessed back from its hash.
"""

from dataclasses import dataclass, field, replace
import hashlib
from typing import Final, Self

from .bodies import Body, parse_body
from .canonical import Json, encode, parse
from .fields import Fields
from .keys import PrivateKey, verify
from .types import ERASABLE, Type
from .violations import (
    BadField,
    BadSignature,
    BodyAltered,
    BodyMissing,
    TooLarge,
    UnknownType,
    UnknownVersion,
)

VERSION: Final = 1
RECORD_CONTEXT: Final = "ringwatch/record/v1"
MAX_BODY_BYTES: Final = 24 * 1024  # 4,000 characters of 4 bytes, and the rest
MAX_RECORD_BYTES: Final = 32 * 1024


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is signed, and stays."""

    type: Type
    neighborhood: str | None  # None in the founding record, whose id it is
    author: str
    created_s: int  # what the author says; nothing is decided by it
    prev: str | None  # the author's record before this one
    head: str | None  # the newest head of the order that the author has seen
    body_hash: str
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", hashlib.sha256(encode(self.to_json())).hexdigest())

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "envelope")
        if fields.integer("v", 0) != VERSION:
            raise UnknownVersion(f"this is version {VERSION}")
        name = fields.string("type")
        if name not in Type:
            raise UnknownType("a type of record that this version doesn't know")
        found = cls(
            type=Type(name),
            neighborhood=fields.optional("neighborhood", fields.digest),
            author=fields.key("author"),
            created_s=fields.time("created"),
            prev=fields.optional("prev", fields.digest),
            head=fields.optional("head", fields.digest),
            body_hash=fields.digest("body_hash"),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "v": VERSION,
            "type": self.type.value,
            "neighborhood": self.neighborhood,
            "author": self.author,
            "created": self.created_s,
            "prev": self.prev,
            "head": self.head,
            "body_hash": self.body_hash,
        }


@dataclass(frozen=True, slots=True)
class Record:
    """An envelope, its signature, and the body unless it was erased or is kept back."""

    envelope: Envelope
    sig: str
    body: Body | None
    salt: str | None

    @property
    def id(self) -> str:
        """The record's name."""
        return self.envelope.id

    @property
    def type(self) -> Type:
        """What it is."""
        return self.envelope.type

    @property
    def author(self) -> str:
        """The key that signed it."""
        return self.envelope.author

    @classmethod
    def from_wire(cls, value: Json, *, trusted: bool = False) -> Self:
        """Read a record and check its body's hash and its signature. Raise RecordViolation.

        `trusted` leaves out the signature, for what was checked before it was stored here.
        """
        fields = Fields(value, "record")
        envelope = Envelope.parse(fields.take("envelope"))
        found = cls(envelope, fields.signature("sig"), None, None)
        if not trusted and not verify(envelope.author, RECORD_CONTEXT, bytes.fromhex(envelope.id), found.sig):
            raise BadSignature("its author didn't sign this")
        if fields.has("body") or fields.has("salt"):
            found = found.with_body(fields.take("body"), fields.salt("salt"))
        fields.end()
        if found.body is None and envelope.type not in ERASABLE:
            raise BodyMissing("a record of this type never loses its body")
        return found

    def to_wire(self) -> dict[str, Json]:
        """Return how it is written: without body and salt if it has none."""
        wire: dict[str, Json] = {"envelope": self.envelope.to_json(), "sig": self.sig}
        if self.body is not None:
            wire |= {"body": self.body.to_json(), "salt": self.salt}
        return wire

    def erased(self) -> Self:
        """Return what stays when the body goes. It verifies as before."""
        return replace(self, body=None, salt=None)

    def with_body(self, body: Json, salt: str) -> Self:
        """Return the record with its body. Raise BodyAltered if it is another one."""
        if hash_body(body, salt) != self.envelope.body_hash:
            raise BodyAltered("body and salt are not what was signed")
        return replace(self, body=parse_body(self.envelope.type, body), salt=salt)


def hash_body(body: Json, salt: str) -> str:
    """Return what the envelope says of a body."""
    encoded = encode(body)
    if len(encoded) > MAX_BODY_BYTES:
        raise TooLarge(f"a body of {len(encoded)} bytes, {MAX_BODY_BYTES} at most")
    return hashlib.sha256(bytes.fromhex(salt) + encoded).hexdigest()


def parse_record(data: bytes) -> Record:
    """Read a record from the bytes that were sent. Raise RecordViolation."""
    return Record.from_wire(parse(data, MAX_RECORD_BYTES))


def sign_record(
    key: PrivateKey,
    body: Body,
    *,
    neighborhood: str | None,
    created_s: int,
    prev: str | None,
    head: str | None,
    salt: bytes,
) -> Record:
    """Make a record. The body is read back first: nothing is signed that readers refuse."""
    written = body.to_json()
    if parse_body(body.TYPE, written) != body:
        raise BadField("the body reads back as something else")
    envelope = Envelope(
        body.TYPE, neighborhood, key.public, created_s, prev, head, hash_body(written, salt.hex())
    )
    return Record(envelope, key.sign(RECORD_CONTEXT, bytes.fromhex(envelope.id)), body, salt.hex())
