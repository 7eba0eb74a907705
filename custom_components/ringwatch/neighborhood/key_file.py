"""A key in a file, behind a passphrase: what an officer's page reads, and what an agency keeps its own in.

    {"format", "kdf": {"name", "iterations", "salt"}, "cipher", "nonce", "data"}

`data` is AES-256-GCM over canonical JSON {seed, age_identity, agency, hub}, under a key that PBKDF2 with
SHA-256 makes of the passphrase (NFC, UTF-8). Browsers have both. Salt and iterations need no
signature: with others the file doesn't open.
"""

from base64 import b64decode, b64encode
import binascii
from dataclasses import dataclass, field
import json
import os
import re
from typing import Any, Final
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from .bodies.people import MAX_NAME
from .canonical import encode, parse
from .fields import Fields
from .keys import PrivateKey, is_salt
from .violations import RecordViolation

FORMAT: Final = "ringwatch-officer-key/1"
KDF: Final = "PBKDF2-SHA256"
CIPHER: Final = "AES-256-GCM"
ITERATIONS: Final = 600_000  # OWASP's figure of 2023 for this function; 0.1 to 0.3 s
MAX_ITERATIONS: Final = 5_000_000  # a file of somebody else's must not keep a machine busy for a minute
MIN_PASSPHRASE: Final = 12  # characters
MAX_FILE_BYTES: Final = 16 * 1024
_NONCE_BYTES: Final = 12
_SALT_BYTES: Final = 16
_NONCE: Final = re.compile(r"[0-9a-f]{24}")
_IDENTITY: Final = re.compile(r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}")
_MAX_LINK: Final = 1_024


class KeyFileError(Exception):
    """The file can't be opened. `code` is not_a_key_file, wrong_passphrase or short_passphrase."""

    def __init__(self, code: str, about: str) -> None:
        super().__init__(about)
        self.code = code


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What is in it."""

    agency: str  # its name
    hub: str | None  # the link to the hub, if the file is for one
    seed: bytes | None = field(repr=False)  # of the key that signs; None in a file that only reads
    age_identity: str = field(repr=False)  # what opens packages: the agency's

    @property
    def key(self) -> PrivateKey | None:
        """The key that signs."""
        return PrivateKey(self.seed) if self.seed else None


def seal(content: KeyFile, passphrase: str, *, iterations: int = ITERATIONS) -> bytes:
    """Return the file. Raise KeyFileError for a passphrase that is too short."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise KeyFileError("short_passphrase", f"a passphrase has at least {MIN_PASSPHRASE} characters")
    if not _IDENTITY.fullmatch(content.age_identity):
        raise KeyFileError("not_a_key_file", "not an age identity")
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    plain = encode(
        {
            "seed": content.seed.hex() if content.seed else None,
            "age_identity": content.age_identity,
            "agency": content.agency,
            "hub": content.hub,
        }
    )
    sealed = AESGCM(_stretch(passphrase, salt, iterations)).encrypt(nonce, plain, None)
    written = {
        "format": FORMAT,
        "kdf": {"name": KDF, "iterations": iterations, "salt": salt.hex()},
        "cipher": CIPHER,
        "nonce": nonce.hex(),
        "data": b64encode(sealed).decode(),
    }
    return json.dumps(written, indent=1).encode() + b"\n"


def open_sealed(data: bytes, passphrase: str) -> KeyFile:
    """Open the file. Raise KeyFileError."""
    salt, iterations, nonce, sealed = _outside(data)
    try:
        plain = AESGCM(_stretch(passphrase, salt, iterations)).decrypt(nonce, sealed, None)
    except InvalidTag as error:
        raise KeyFileError(
            "wrong_passphrase", "the passphrase is another one, or the file is damaged"
        ) from error
    try:
        fields = Fields(parse(plain, MAX_FILE_BYTES), "key file")
        seed = fields.optional("seed", fields.digest)
        found = KeyFile(
            agency=fields.text("agency", MAX_NAME, empty=False),
            hub=fields.optional("hub", lambda name: fields.text(name, _MAX_LINK, empty=False)),
            seed=bytes.fromhex(seed) if seed else None,
            age_identity=fields.string("age_identity"),
        )
        fields.end()
    except RecordViolation as error:
        raise KeyFileError("not_a_key_file", "the file holds something else") from error
    if not _IDENTITY.fullmatch(found.age_identity):
        raise KeyFileError("not_a_key_file", "the file holds something else")
    return found


def _outside(data: bytes) -> tuple[bytes, int, bytes, bytes]:
    """Return salt, iterations, nonce and what is encrypted. Raise KeyFileError."""
    wrong = KeyFileError("not_a_key_file", "not a key file of this kind")
    if len(data) > MAX_FILE_BYTES:
        raise wrong
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise wrong from error
    match found:
        case {
            "format": str(form),
            "kdf": {"name": str(kdf), "iterations": int(iterations), "salt": str(salt)},
            "cipher": str(cipher),
            "nonce": str(nonce),
            "data": str(sealed),
        } if (form, kdf, cipher) == (FORMAT, KDF, CIPHER) and is_salt(salt) and _NONCE.fullmatch(nonce):
            pass
        case _:
            raise wrong
    if isinstance(iterations, bool) or not 100_000 <= iterations <= MAX_ITERATIONS:
        raise wrong
    try:
        return bytes.fromhex(salt), iterations, bytes.fromhex(nonce), b64decode(sealed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong from error


def _stretch(passphrase: str, salt: bytes, iterations: int) -> bytes:
    kdf = PBKDF2HMAC(SHA256(), length=32, salt=salt, iterations=iterations)
    return kdf.derive(unicodedata.normalize("NFC", passphrase).encode())
