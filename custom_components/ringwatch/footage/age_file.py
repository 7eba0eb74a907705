"""age files, version 1, for X25519 recipients (age-encryption.org/v1): written and read as streams.

The payload is a row of chunks of 64 KiB, each sealed on its own, the last one marked. So a file can be read
from any place, and no byte of a chunk is given out before the chunk is authenticated. `AgeReader` goes
further: it has authenticated all of them, to the last, before it gives out the first.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
import hashlib
import hmac
import io
import os
import re
import secrets
from typing import BinaryIO, Final, Protocol, override

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .bech32 import Bech32Error, decode, encode

CHUNK_BYTES: Final = 64 * 1024
TAG_BYTES: Final = 16
SEALED_BYTES: Final = CHUNK_BYTES + TAG_BYTES
FILE_KEY_BYTES: Final = 16
NONCE_BYTES: Final = 16
MAX_HEADER_BYTES: Final = 4 * 1024  # two recipients need 250
_INTRO: Final = b"age-encryption.org/v1\n"
_INFO: Final = b"age-encryption.org/v1/X25519"
_STANZA: Final = re.compile(rb"-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n")
_MAC: Final = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")
_NO_NONCE: Final = bytes(12)  # the key is used once


class AgeError(Exception):
    """A file can't be opened; `code` says why: not_age, not_for_us, altered, bad_key."""

    def __init__(self, code: str, about: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {about}")
        self.code = code
        self.about = about


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take all of them."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A key pair of age: `secret` opens what is written for `recipient`."""

    secret: str = field(repr=False)  # AGE-SECRET-KEY-1...
    recipient: str  # age1...


def generate_identity() -> Identity:
    """Return a new one, from the system's randomness."""
    key = X25519PrivateKey.generate()
    secret = encode("age-secret-key-", key.private_bytes_raw()).upper()
    return Identity(secret, encode("age", key.public_key().public_bytes_raw()))


def recipient_of(secret: str) -> str:
    """Return for whom a secret key opens. Raise AgeError."""
    return encode("age", _private(secret).public_key().public_bytes_raw())


def sealed_bytes(plain_bytes: int, recipients: int = 2) -> int:
    """Return how long the file gets for so many bytes of plaintext."""
    header = len(_INTRO) + recipients * 98 + 48
    chunks = max(1, -(-plain_bytes // CHUNK_BYTES))
    return header + NONCE_BYTES + plain_bytes + chunks * TAG_BYTES


class AgeWriter:
    """Encrypts what is written to it into a sink. Without `close` the file is of no use to anybody."""

    def __init__(self, sink: Sink, recipients: Sequence[str]) -> None:
        """Write the header. Raise AgeError for what is no recipient."""
        file_key = secrets.token_bytes(FILE_KEY_BYTES)
        header = _INTRO + b"".join(_wrap(file_key, recipient) for recipient in recipients) + b"---"
        sink.write(header + b" " + _base64(_mac(file_key, header)) + b"\n")
        nonce = secrets.token_bytes(NONCE_BYTES)
        sink.write(nonce)
        self._sink = sink
        self._aead = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
        self._buffer = bytearray()
        self._number = 0
        self._closed = False

    def write(self, data: bytes) -> int:
        """Take bytes. A chunk goes out once there is more: only then it is not the last."""
        self._buffer += data
        whole = (len(self._buffer) - 1) // CHUNK_BYTES * CHUNK_BYTES
        with memoryview(self._buffer) as view:
            for at in range(0, whole, CHUNK_BYTES):
                self._seal(view[at : at + CHUNK_BYTES], last=False)
        del self._buffer[:whole]
        return len(data)

    def close(self) -> None:
        """Write the last chunk. The sink stays open."""
        if not self._closed:
            self._closed = True
            self._seal(self._buffer, last=True)

    def _seal(self, plain: bytearray | memoryview, *, last: bool) -> None:
        self._sink.write(self._aead.encrypt(_nonce(self._number, last=last), plain, None))
        self._number += 1


class AgeReader(io.RawIOBase):
    """The plaintext of an age file, to be read from any place.

    Opening it reads the file to its end once: nothing is given out of a file of which a bit was changed,
    or of which something is missing. Memory: one chunk.
    """

    def __init__(self, file: BinaryIO, secret: str) -> None:
        """Authenticate everything. Raise AgeError."""
        super().__init__()
        file_key, header_bytes = _open_header(file, secret)
        nonce = file.read(NONCE_BYTES)
        self._file = file
        self._start = header_bytes + NONCE_BYTES
        sealed = file.seek(0, os.SEEK_END) - self._start
        self._chunks = -(-sealed // SEALED_BYTES)
        self._sealed = sealed
        self._size = sealed - self._chunks * TAG_BYTES
        if len(nonce) != NONCE_BYTES or sealed < self._chunks * TAG_BYTES or not self._chunks:
            raise AgeError("altered", "the file ends too early")
        if self._chunks > 1 and sealed - (self._chunks - 1) * SEALED_BYTES <= TAG_BYTES:
            raise AgeError("altered", "an empty chunk at the end")
        self._aead = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
        self._at = 0
        self._kept = (-1, b"")
        for number in range(self._chunks):
            self._chunk(number)

    @property
    def size_bytes(self) -> int:
        """How long the plaintext is."""
        return self._size

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._at

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    @override
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        number, skip = divmod(self._at, CHUNK_BYTES)
        if self._at >= self._size:
            return 0
        part = self._chunk(number)[skip : skip + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _chunk(self, number: int) -> bytes:
        """Return a chunk's plaintext. It is authenticated again: the file may have changed meanwhile."""
        if self._kept[0] != number:
            last = number == self._chunks - 1
            wanted = self._sealed - number * SEALED_BYTES if last else SEALED_BYTES
            self._file.seek(self._start + number * SEALED_BYTES)
            sealed = self._file.read(wanted)
            try:
                plain = self._aead.decrypt(_nonce(number, last=last), sealed, None)
            except InvalidTag as error:
                raise AgeError("altered", f"chunk {number} is not as it was written") from error
            self._kept = (number, plain)
        return self._kept[1]


class HashingSink:
    """Hands bytes on, and knows how many there were and their digest."""

    def __init__(self, sink: Sink) -> None:
        """Begin."""
        self._sink = sink
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._hash.update(data)
        self.size_bytes += len(data)
        self._sink.write(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return self._hash.hexdigest()


def _wrap(file_key: bytes, recipient: str) -> bytes:
    """Return the stanza with the file's key for one recipient."""
    try:
        public = decode("age", recipient)
        theirs = X25519PublicKey.from_public_bytes(public)
    except (Bech32Error, ValueError) as error:
        raise AgeError("bad_key", "not an age recipient") from error
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    try:
        shared = ephemeral.exchange(theirs)
    except ValueError as error:  # a point of small order: everybody could open it
        raise AgeError("bad_key", "not a safe age recipient") from error
    wrapped = ChaCha20Poly1305(_derive(shared, share + public, _INFO)).encrypt(_NO_NONCE, file_key, None)
    return b"-> X25519 " + _base64(share) + b"\n" + _base64(wrapped) + b"\n"


def _open_header(file: BinaryIO, secret: str) -> tuple[bytes, int]:
    """Return the file's key and the header's length."""
    private = _private(secret)
    public = private.public_key().public_bytes_raw()
    file.seek(0)
    start = file.read(MAX_HEADER_BYTES)
    if not start.startswith(_INTRO):
        raise AgeError("not_age", "no age file of version 1")
    at, stanzas = len(_INTRO), list[tuple[bytes, bytes]]()
    while (found := _STANZA.match(start, at)) is not None:
        stanzas.append((found[1], found[2]))
        at = found.end()
    mac = _MAC.match(start, at)
    if mac is None or not stanzas:
        raise AgeError("not_age", "no header of an age file for X25519 recipients")
    for share, wrapped in stanzas:
        file_key = _unwrap(private, public, _unbase64(share), _unbase64(wrapped))
        if file_key is None:
            continue
        if not hmac.compare_digest(_mac(file_key, start[: at + 3]), _unbase64(mac[1])):
            raise AgeError("altered", "the header is not as it was written")
        file.seek(mac.end())
        return file_key, mac.end()
    raise AgeError("not_for_us", "written for other keys")


def _unwrap(private: X25519PrivateKey, public: bytes, share: bytes, wrapped: bytes) -> bytes | None:
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(share))
        key = _derive(shared, share + public, _INFO)
        return ChaCha20Poly1305(key).decrypt(_NO_NONCE, wrapped, None)
    except ValueError, InvalidTag:
        return None


def _private(secret: str) -> X25519PrivateKey:
    try:
        return X25519PrivateKey.from_private_bytes(decode("age-secret-key-", secret))
    except (Bech32Error, ValueError) as error:
        raise AgeError("bad_key", "not a secret key of age") from error


def _derive(key: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derive(file_key, None, b"header"), header, "sha256")


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unbase64(data: bytes) -> bytes:
    """Return 32 bytes. Raise AgeError if the last letter has bits that stand for nothing."""
    found = base64.b64decode(data + b"=")
    if _base64(found) != data:
        raise AgeError("not_age", "a header in a form that age doesn't write")
    return found
