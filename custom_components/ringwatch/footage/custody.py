"""The custody record: what was recorded when, by which clock, what was done to it, and for whom it is.

It goes into the package as `custody.json` (canonical JSON), signed with the key made for this request, and
with the home's own key as well where the owner ticked a name. Who receives it can check all of it without
Ringwatch: `verify` says how.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import hashlib
import re
from typing import Final, Self

from ..neighborhood.canonical import Json, encode, parse
from ..neighborhood.envelope import Record
from ..neighborhood.fields import MAX_TIME_S, Fields
from ..neighborhood.keys import PrivateKey, verify
from ..neighborhood.violations import BadField, BadSignature
from .limits import MAX_CLIPS
from .parties import MAX_ADDRESS, MAX_NAME, Identity, IdentityKind, Recipient

VERSION: Final = 1
CUSTODY_CONTEXT: Final = "ringwatch/custody/v1"
MAX_CUSTODY_BYTES: Final = 64 * 1024  # ten clips need 10
MAX_SIGNATURES_BYTES: Final = 160 * 1024  # three records and two signatures
MAX_CERTIFICATES: Final = 4
MAX_CAMERA: Final = 80
MAX_HOW: Final = 200
MAX_SOFTWARE: Final = 80
MAX_SIZE_BYTES: Final = 2**40
_FILE: Final = re.compile(r"clip-(?:0[1-9]|10)\.mp4")

HOW_TO_VERIFY: Final = (
    (
        "This folder is a BagIt bag (RFC 8493): `sha256sum -c manifest-sha256.txt` and `sha256sum -c "
        "tagmanifest-sha256.txt` find any file that was changed since it was packed."
    ),
    (
        "custody.sig holds signatures: `sig` is Ed25519 by `key` over the words ringwatch/custody/v1 "
        "followed by the SHA-256 (32 bytes) of custody.json. `key` is the delivery_key of this "
        "record, made for this request alone."
    ),
    (
        "The hub of the neighborhood has countersigned the time at which the encrypted package "
        "arrived; the agency's page shows it and keeps it beside the package."
    ),
    (
        "Times are UTC in milliseconds since 1970, by the clock of the computer that recorded. "
        "offset_ms is how far that clock was ahead of true time, null where it isn't known."
    ),
    (
        "Of clips that were trimmed, muted or in which something was hidden the original stayed with "
        "its owner; its SHA-256 is given here, so that it can be recognized if it is ever produced."
    ),
    (
        "The signatures say that nothing was changed on the way. They can't say that the scene was "
        "real, or that the owner of the computer that recorded didn't alter it before."
    ),
)


@dataclass(frozen=True, slots=True)
class Clock:
    """By what clock a clip was timed."""

    source: str
    offset_ms: int | None  # ahead of true time
    how: str  # how that is known

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """Read it. Raise RecordViolation."""
        found = cls(
            fields.text("source", MAX_HOW, empty=False),
            fields.optional("offset_ms", lambda name: fields.integer(name, -(2**53) + 1)),
            fields.text("how", MAX_HOW),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"source": self.source, "offset_ms": self.offset_ms, "how": self.how}


@dataclass(frozen=True, slots=True)
class Original:
    """The clip as it was recorded. It stays at home if anything was done to it."""

    sha256: str
    size_bytes: int
    start_ms: int
    end_ms: int

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """Read it. Raise RecordViolation."""
        found = cls(fields.digest("sha256"), fields.integer("size", 1, MAX_SIZE_BYTES), *_span(fields))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "sha256": self.sha256,
            "size": self.size_bytes,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """What was done to a clip before it was packed."""

    trimmed: bool = False
    muted: bool = False
    faces_blurred: bool = False
    boxes: int = 0  # parts of the picture that were hidden by hand
    keep_only: bool = False  # everything but one part of the picture was hidden
    encoded: bool = False  # the pictures were encoded anew
    masked: bool = False  # privacy zones were black when it was recorded already

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """Read it. Raise RecordViolation."""
        found = cls(
            fields.boolean("trimmed"),
            fields.boolean("muted"),
            fields.boolean("faces_blurred"),
            fields.integer("boxes", 0, 1_000),
            fields.boolean("keep_only"),
            fields.boolean("encoded"),
            fields.boolean("masked"),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "trimmed": self.trimmed,
            "muted": self.muted,
            "faces_blurred": self.faces_blurred,
            "boxes": self.boxes,
            "keep_only": self.keep_only,
            "encoded": self.encoded,
            "masked": self.masked,
        }


@dataclass(frozen=True, slots=True)
class CustodyClip:
    """One file of the package."""

    file: str  # clip-01.mp4 to clip-10.mp4
    sha256: str
    size_bytes: int
    camera: str
    start_ms: int
    end_ms: int
    clock: Clock
    original: Original
    changes: Changes

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "custody.clips")
        found = cls(
            fields.string("file"),
            fields.digest("sha256"),
            fields.integer("size", 1, MAX_SIZE_BYTES),
            fields.text("camera", MAX_CAMERA),
            *_span(fields),
            Clock.parse(fields.inner("clock")),
            Original.parse(fields.inner("original")),
            Changes.parse(fields.inner("changes")),
        )
        fields.end()
        if not _FILE.fullmatch(found.file):
            raise BadField("custody.clips.file: not clip-01.mp4 to clip-10.mp4")
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "size": self.size_bytes,
            "camera": self.camera,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "clock": self.clock.to_json(),
            "original": self.original.to_json(),
            "changes": self.changes.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Custody:
    """The whole record."""

    neighborhood: str
    request: str
    recipient: Recipient
    delivery_key: str
    created_s: int
    software: str
    identity: Identity
    member_key: str | None  # the home's own, only with a name
    clips: tuple[CustodyClip, ...]
    verify: tuple[str, ...] = HOW_TO_VERIFY

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read it from its canonical bytes. Raise RecordViolation."""
        fields = Fields(parse(data, MAX_CUSTODY_BYTES), "custody")
        fields.integer("v", VERSION, VERSION)
        agency, terms, identity = (fields.inner(name) for name in ("agency", "terms", "identity"))
        kind = identity.choice("kind", IdentityKind)
        found = cls(
            neighborhood=fields.digest("neighborhood"),
            request=fields.digest("request"),
            recipient=_recipient(agency, terms),
            delivery_key=fields.key("delivery_key"),
            created_s=fields.time("created"),
            software=fields.text("software", MAX_SOFTWARE),
            identity=Identity(
                kind,
                identity.text("name", MAX_NAME, empty=False) if kind is not IdentityKind.ANONYMOUS else "",
                identity.text("address", MAX_ADDRESS, empty=False) if kind is IdentityKind.ADDRESS else "",
            ),
            member_key=identity.key("member_key") if kind is not IdentityKind.ANONYMOUS else None,
            clips=tuple(CustodyClip.parse(clip) for clip in fields.items("clips", 1, MAX_CLIPS)),
            verify=tuple(_sentence(text) for text in fields.items("verify", 0, 20)),
        )
        identity.end()
        fields.end()
        if len({clip.file for clip in found.clips}) != len(found.clips):
            raise BadField("custody.clips: a file twice")
        return found

    def to_bytes(self) -> bytes:
        """Return its canonical form."""
        identity: dict[str, Json] = {"kind": self.identity.kind.value}
        if self.identity.kind is not IdentityKind.ANONYMOUS:
            identity |= {"name": self.identity.name, "member_key": self.member_key}
        if self.identity.kind is IdentityKind.ADDRESS:
            identity["address"] = self.identity.address
        return encode(
            {
                "v": VERSION,
                "neighborhood": self.neighborhood,
                "request": self.request,
                **_recipient_to_json(self.recipient),
                "delivery_key": self.delivery_key,
                "created": self.created_s,
                "software": self.software,
                "identity": identity,
                "clips": [clip.to_json() for clip in self.clips],
                "verify": list(self.verify),
            }
        )


@dataclass(frozen=True, slots=True)
class Signatures:
    """What stands in `custody.sig`."""

    key: str
    sig: str
    member: tuple[str, str] | None  # the home's own key, and its signature
    certificates: tuple[Record, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read it, and check the certificates' own signatures. Raise RecordViolation."""
        fields = Fields(parse(data, MAX_SIGNATURES_BYTES), "custody.sig")
        member = fields.inner("member") if fields.has("member") else None
        found = cls(
            fields.key("key"),
            fields.signature("sig"),
            (member.key("key"), member.signature("sig")) if member is not None else None,
            tuple(Record.from_wire(wire) for wire in fields.items("certificates", 0, MAX_CERTIFICATES)),
        )
        if member is not None:
            member.end()
        fields.end()
        return found

    def to_bytes(self) -> bytes:
        """Return its canonical form."""
        wires: list[Json] = [record.to_wire() for record in self.certificates]
        value: dict[str, Json] = {"key": self.key, "sig": self.sig, "certificates": wires}
        if self.member is not None:
            value["member"] = {"key": self.member[0], "sig": self.member[1]}
        return encode(value)

    def check(self, custody: Custody, written: bytes) -> None:
        """Raise BadSignature unless the keys that the record names signed these bytes of it."""
        digest = hashlib.sha256(written).digest()
        if self.key != custody.delivery_key or not verify(self.key, CUSTODY_CONTEXT, digest, self.sig):
            raise BadSignature("the delivery's key didn't sign this custody record")
        member_key, member_sig = self.member or (None, "")
        if member_key != custody.member_key:
            raise BadSignature("the home's own signature is missing, or there is one that nobody announced")
        if member_key is not None and not verify(member_key, CUSTODY_CONTEXT, digest, member_sig):
            raise BadSignature("the home that is named didn't sign this custody record")


def sign_custody(
    custody: Custody, delivery: PrivateKey, member: PrivateKey | None, certificates: Sequence[Record]
) -> Signatures:
    """Sign a record. `member` signs only if an identity was ticked."""
    digest = hashlib.sha256(custody.to_bytes()).digest()
    own = None
    if member is not None and custody.member_key is not None:
        own = (member.public, member.sign(CUSTODY_CONTEXT, digest))
    return Signatures(delivery.public, delivery.sign(CUSTODY_CONTEXT, digest), own, tuple(certificates))


def _recipient(agency: Fields, terms: Fields) -> Recipient:
    found = Recipient(
        agency_id=agency.digest("id"),
        name=agency.text("name", MAX_NAME, empty=False),
        domain=agency.string("domain"),
        key=agency.key("key"),
        age_recipient=agency.string("age_recipient"),
        retention_days=terms.integer("retention_days", 0, 36_525),
        sharing=terms.string("sharing"),
        face_recognition=terms.string("face_recognition"),
    )
    agency.end()
    terms.end()
    return found


def _recipient_to_json(recipient: Recipient) -> dict[str, Json]:
    return {
        "agency": {
            "id": recipient.agency_id,
            "name": recipient.name,
            "domain": recipient.domain,
            "key": recipient.key,
            "age_recipient": recipient.age_recipient,
        },
        "terms": {
            "retention_days": recipient.retention_days,
            "sharing": recipient.sharing,
            "face_recognition": recipient.face_recognition,
        },
    }


def _span(fields: Fields) -> tuple[int, int]:
    start_ms = fields.integer("start_ms", 0, MAX_TIME_S * 1000)
    return start_ms, fields.integer("end_ms", start_ms, MAX_TIME_S * 1000)


def _sentence(value: Json) -> str:
    if not isinstance(value, str) or len(value) > 1_000:
        raise BadField("custody.verify: not a sentence")
    return value
