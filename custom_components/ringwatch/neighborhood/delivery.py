"""What is signed about a package on its way: the hub's arrival, and the officer's receipts.

Neither is a record: a delivery is known to its agency, to the home that sent it and to the hub that carried
it, and stands in no order. Both are canonical JSON with `sig` over everything else.
"""

from dataclasses import dataclass
from enum import StrEnum
import hashlib
from typing import Final, Self

from .canonical import Json, encode, parse
from .fields import Fields
from .keys import PrivateKey, verify
from .violations import BadField, BadSignature

ARRIVAL_CONTEXT: Final = "ringwatch/arrival/v1"
RECEIPT_CONTEXT: Final = "ringwatch/receipt/v1"
MAX_DELIVERY_BYTES: Final = 525_336_576  # 500 MiB and 1 MiB: 500 MB of clips, padded and encrypted
MAX_ABOUT: Final = 500  # characters
MAX_STATEMENT_BYTES: Final = 8 * 1024  # 500 characters of 12 bytes (escaped), and the rest


class ReceiptKind(StrEnum):
    """What an agency says of what it was given."""

    RECEIVED = "received"
    USED = "used"
    DELETED = "deleted"
    SHARED_WITH = "shared_with"


@dataclass(frozen=True, slots=True)
class Arrival:
    """The hub has a delivery, whole, since a time."""

    delivery: str
    request: str
    sha256: str  # of the ciphertext
    size_bytes: int
    time_s: int
    sig: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation. Whose signature it is says `check`."""
        fields = Fields(value, "arrival")
        found = cls(
            fields.digest("delivery"),
            fields.digest("request"),
            fields.digest("sha256"),
            fields.integer("size", 1, MAX_DELIVERY_BYTES),
            fields.time("time"),
            fields.signature("sig"),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {**self._signed(), "sig": self.sig}

    def check(self, hub_key: str) -> None:
        """Raise BadSignature unless the hub signed it."""
        if not verify(hub_key, ARRIVAL_CONTEXT, _digest(self._signed()), self.sig):
            raise BadSignature("the hub didn't sign this arrival")

    def _signed(self) -> dict[str, Json]:
        return {
            "delivery": self.delivery,
            "request": self.request,
            "sha256": self.sha256,
            "size": self.size_bytes,
            "time": self.time_s,
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """An officer says what became of a delivery."""

    delivery: str
    request: str
    sha256: str  # of the ciphertext
    kind: ReceiptKind
    time_s: int
    retention_until_s: int | None  # until when the agency keeps it
    about: str  # with whom it was shared, in which case it was used
    officer: str  # the key that signed; whether it was certified then, the order says
    sig: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation. Whether the officer signed it says `check`."""
        fields = Fields(value, "receipt")
        found = cls(
            fields.digest("delivery"),
            fields.digest("request"),
            fields.digest("sha256"),
            fields.choice("kind", ReceiptKind),
            fields.time("time"),
            fields.optional("retention_until", fields.time),
            fields.text("about", MAX_ABOUT, lines=True),
            fields.key("officer"),
            fields.signature("sig"),
        )
        fields.end()
        if found.kind is ReceiptKind.SHARED_WITH and not found.about:
            raise BadField("receipt.about: says with whom it was shared")
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {**self._signed(), "sig": self.sig}

    def check(self) -> None:
        """Raise BadSignature unless the key that it names signed it."""
        if not verify(self.officer, RECEIPT_CONTEXT, _digest(self._signed()), self.sig):
            raise BadSignature("the officer didn't sign this receipt")

    def _signed(self) -> dict[str, Json]:
        return {
            "delivery": self.delivery,
            "request": self.request,
            "sha256": self.sha256,
            "kind": self.kind.value,
            "time": self.time_s,
            "retention_until": self.retention_until_s,
            "about": self.about,
            "officer": self.officer,
        }


def sign_arrival(
    hub: PrivateKey, *, delivery: str, request: str, sha256: str, size_bytes: int, time_s: int
) -> Arrival:
    """Say that a delivery is there, whole."""
    unsigned = Arrival(delivery, request, sha256, size_bytes, time_s, "0" * 128)
    return _sealed(unsigned, hub, ARRIVAL_CONTEXT)


def sign_receipt(
    officer: PrivateKey,
    *,
    delivery: str,
    request: str,
    sha256: str,
    kind: ReceiptKind,
    time_s: int,
    retention_until_s: int | None = None,
    about: str = "",
) -> Receipt:
    """Say what became of a delivery. Raise RecordViolation for a text that nobody would take."""
    unsigned = Receipt(
        delivery, request, sha256, kind, time_s, retention_until_s, about, officer.public, "0" * 128
    )
    return _sealed(unsigned, officer, RECEIPT_CONTEXT)


def read_arrival(data: bytes, hub_key: str) -> Arrival:
    """Read an arrival from its canonical bytes and check it. Raise RecordViolation."""
    found = Arrival.parse(parse(data, MAX_STATEMENT_BYTES))
    found.check(hub_key)
    return found


def read_receipt(data: bytes) -> Receipt:
    """Read a receipt from its canonical bytes and check its signature. Raise RecordViolation."""
    found = Receipt.parse(parse(data, MAX_STATEMENT_BYTES))
    found.check()
    return found


def _sealed[T: (Arrival, Receipt)](unsigned: T, key: PrivateKey, context: str) -> T:
    written = unsigned.to_json()
    del written["sig"]
    return type(unsigned).parse({**written, "sig": key.sign(context, _digest(written))})


def _digest(signed: dict[str, Json]) -> bytes:
    return hashlib.sha256(encode(signed)).digest()
