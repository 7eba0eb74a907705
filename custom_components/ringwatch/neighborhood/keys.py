"""Ed25519 keys. Public keys and digests are written as 64 hexadecimal digits, signatures as 128.

Whatever is signed is a digest behind words that say what it is for, so that no signature can be used for
another purpose.
"""

from dataclasses import dataclass, field
import hashlib
import re
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEED_BYTES: Final = 32
SALT_BYTES: Final = 16
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{128}", re.ASCII)
_SALT: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_FIELD: Final = 2**255 - 19
# Points of order 1, 2, 4 and 8, by y. Under such a key one signature fits every message, whoever made it.
_SMALL_ORDER: Final = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)
_GROUPS: Final = 6  # of 5 digits: about 100 bits, and short enough to be read out on the telephone


def is_digest(text: object) -> bool:
    """Return whether this is written like a digest or a public key. Safe as a file name then."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_public_key(text: object) -> bool:
    """Return whether this is written like a public key, and is not one that fits every signature."""
    if not is_digest(text):
        return False
    y = int.from_bytes(bytes.fromhex(str(text)), "little") & (2**255 - 1)
    return y % _FIELD not in _SMALL_ORDER


def is_signature(text: object) -> bool:
    """Return whether this is written like a signature."""
    return isinstance(text, str) and _SIGNATURE.fullmatch(text) is not None


def is_salt(text: object) -> bool:
    """Return whether this is written like the salt of a body."""
    return isinstance(text, str) and _SALT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs."""

    seed: bytes = field(repr=False)
    public: str = field(init=False)
    _key: Ed25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        key = Ed25519PrivateKey.from_private_bytes(self.seed)
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "public", key.public_key().public_bytes_raw().hex())

    @classmethod
    def generate(cls) -> Self:
        """Return a new one, from the system's randomness."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    def sign(self, context: str, digest: bytes) -> str:
        """Sign a digest for a purpose."""
        return self._key.sign(context.encode() + digest).hex()


def verify(public: str, context: str, digest: bytes, signature: str) -> bool:
    """Return whether the key's owner signed this digest for this purpose."""
    if not is_public_key(public) or not is_signature(signature):
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), context.encode() + digest)
    except ValueError, InvalidSignature:
        return False
    return True


def fingerprint(public: str) -> str:
    """Return six groups of five digits that two people can compare."""
    hashed = hashlib.sha256(b"ringwatch/fingerprint/v1" + bytes.fromhex(public)).digest()
    groups = (int.from_bytes(hashed[5 * at : 5 * at + 5]) % 100_000 for at in range(_GROUPS))
    return " ".join(f"{group:05}" for group in groups)
