"""The package: a BagIt folder (RFC 8493) as a ZIP archive of stored entries, inside an age file.

    ringwatch-<first 8 of the delivery key>/
        bagit.txt  bag-info.txt  manifest-sha256.txt  tagmanifest-sha256.txt
        custody.sig      signatures and certificates
        padding.bin      zeros, so that the length tells little (Padmé)
        data/custody.json
        data/clip-01.mp4 ... data/clip-10.mp4

It is streamed into the age file: there is no archive in plaintext on any disk. `read_package` is for whoever
receives: it trusts nothing, and gives nothing out before everything was checked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import hashlib
import io
from pathlib import Path
import re
from typing import BinaryIO, Final
import zlib

from ..neighborhood.bodies import Agency, FootageRequest
from ..neighborhood.envelope import Record
from ..neighborhood.keys import PrivateKey
from ..neighborhood.violations import RecordViolation
from .age_file import CHUNK_BYTES, AgeError, AgeReader, AgeWriter, HashingSink, Sink
from .custody import MAX_CUSTODY_BYTES, MAX_SIGNATURES_BYTES, Custody, CustodyClip, Signatures, sign_custody
from .limits import MAX_BYTES
from .zip_stored import (
    READ_BYTES,
    Content,
    Entry,
    ZipError,
    archive_bytes,
    from_bytes,
    read_directory,
    read_entry,
    write_archive,
)

BAGIT: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
BAGIT_FILE: Final = "bagit.txt"
INFO_FILE: Final = "bag-info.txt"
MANIFEST_FILE: Final = "manifest-sha256.txt"
TAG_MANIFEST_FILE: Final = "tagmanifest-sha256.txt"
SIGNATURES_FILE: Final = "custody.sig"
PADDING_FILE: Final = "padding.bin"
CUSTODY_FILE: Final = "data/custody.json"
MAX_TAG_BYTES: Final = 16 * 1024  # a manifest of eleven files needs 1
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([a-z0-9./-]+)")
_ZEROS: Final = bytes(READ_BYTES)


class PackageError(Exception):
    """A package can't be made or is not what it should be; `code` says why and stays.

    not_age, not_for_us, bad_key, altered; bad_archive, not_stored, link, bad_name, doubled_entry,
    too_many_entries, too_large; bad_bag, bad_manifest, digest_differs, bad_custody, bad_signature,
    bad_certificate; other_request, other_recipient, other_delivery; and when it is made: changed.
    """

    def __init__(self, code: str, about: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {about}")
        self.code = code
        self.about = about


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """What goes into a package. `folder` has the clips, by the names that the custody record gives."""

    custody: Custody
    folder: Path
    delivery: PrivateKey
    member: PrivateKey | None
    certificates: tuple[Record, ...]
    own_recipient: str  # so that the home can open what it has sent


@dataclass(frozen=True, slots=True)
class Sealed:
    """The encrypted package."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What a package has to be for. None: whatever it says."""

    request: str | None = None
    delivery_key: str | None = None
    agency_key: str | None = None


def write_package(sink: Sink, plan: PackagePlan) -> Sealed:
    """Stream a package into a sink. Blocks. Raise PackageError (`changed`: a clip is) or OSError."""
    try:
        contents = _contents(plan)
        counted = HashingSink(sink)
        writer = AgeWriter(counted, (plan.custody.recipient.age_recipient, plan.own_recipient))
        write_archive(writer, contents)
        writer.close()
    except (ZipError, AgeError) as error:
        raise PackageError(error.code, error.about) from error
    return Sealed(counted.sha256, counted.size_bytes)


def padded_bytes(size: int) -> int:
    """Return the length that `size` is padded to (Padmé, Nikitin et al. 2019): at most 12 % more.

    Of lengths up to 500 MB there are then some 500 instead of 500 million.
    """
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return (size + mask) & ~mask


def _contents(plan: PackagePlan) -> Sequence[Content]:
    custody = plan.custody
    if sum(clip.size_bytes for clip in custody.clips) > MAX_BYTES:
        raise PackageError("too_large", f"more than {MAX_BYTES} bytes of clips")
    top = folder_name(custody.delivery_key)
    signatures = sign_custody(custody, plan.delivery, plan.member, plan.certificates)
    written = custody.to_bytes()
    payload = [from_bytes(CUSTODY_FILE, written)]
    payload += [_clip(plan.folder / clip.file, clip) for clip in custody.clips]
    digests = {CUSTODY_FILE: hashlib.sha256(written).hexdigest()}
    digests |= {f"data/{clip.file}": clip.sha256 for clip in custody.clips}
    size = sum(content.size_bytes for content in payload)
    tags = {
        BAGIT_FILE: BAGIT,
        INFO_FILE: f"Payload-Oxum: {size}.{len(payload)}\nBag-Software-Agent: Ringwatch\n".encode(),
        MANIFEST_FILE: _manifest(digests),
        SIGNATURES_FILE: signatures.to_bytes(),
    }
    # All lengths but the padding's are known now: its digest has 64 digits, however long it is.
    tag_digests = {name: hashlib.sha256(data).hexdigest() for name, data in tags.items()}
    tag_manifest_bytes = len(_manifest({**tag_digests, PADDING_FILE: "0" * 64}))
    sizes = [(f"{top}/{name}", len(data)) for name, data in tags.items()]
    sizes += [(f"{top}/{TAG_MANIFEST_FILE}", tag_manifest_bytes), (f"{top}/{PADDING_FILE}", 0)]
    sizes += [(f"{top}/{content.name}", content.size_bytes) for content in payload]
    bare = archive_bytes(sizes)
    padding = _zeros(padded_bytes(bare) - bare)
    tag_digests[PADDING_FILE] = _digest(padding)
    tags[TAG_MANIFEST_FILE] = _manifest(tag_digests)
    found = [from_bytes(name, data) for name, data in tags.items()] + payload + [padding]
    return [Content(f"{top}/{one.name}", one.size_bytes, one.crc32, one.pieces) for one in found]


def folder_name(delivery_key: str) -> str:
    """Return the name of the folder in the archive."""
    return f"ringwatch-{delivery_key[:8]}"


def _clip(path: Path, clip: CustodyClip) -> Content:
    """Look at a clip once: what goes in is what was confirmed, and is checked again while it is written."""

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(READ_BYTES):
                yield piece

    crc32, size, hashed = 0, 0, hashlib.sha256()
    for piece in pieces():
        crc32, size = zlib.crc32(piece, crc32), size + len(piece)
        hashed.update(piece)
    if (size, hashed.hexdigest()) != (clip.size_bytes, clip.sha256):
        raise PackageError("changed", f"{clip.file} is no longer what was confirmed")
    return Content(f"data/{clip.file}", size, crc32, pieces)


def _zeros(size: int) -> Content:
    def pieces() -> Iterator[bytes]:
        for at in range(0, size, len(_ZEROS)):
            yield _ZEROS[: size - at]

    crc32 = 0
    for piece in pieces():
        crc32 = zlib.crc32(piece, crc32)
    return Content(PADDING_FILE, size, crc32, pieces)


def _digest(content: Content) -> str:
    hashed = hashlib.sha256()
    for piece in content.pieces():
        hashed.update(piece)
    return hashed.hexdigest()


def _manifest(digests: dict[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


class Package:
    """A package whose every byte was checked."""

    def __init__(
        self, file: BinaryIO, entries: dict[str, Entry], custody: Custody, signed: Signatures
    ) -> None:
        """`read_package` makes it."""
        self._file = file
        self._entries = entries
        self.custody = custody
        self.signatures = signed

    def clip(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of one of the custody record's clips. KeyError for other names."""
        return read_entry(self._file, self._entries[f"data/{name}"])


def read_package(file: BinaryIO, secret: str, expected: Expected = Expected()) -> Package:
    """Open a package and check all of it. Blocks. `file` stays open for `clip`. Raise PackageError.

    Memory: some hundred kilobytes, whatever it holds.
    """
    try:
        return _read(AgeReader(file, secret), expected)
    except (AgeError, ZipError) as error:
        raise PackageError(error.code, error.about) from error


def _read(plain: AgeReader, expected: Expected) -> Package:
    file = io.BufferedReader(plain, CHUNK_BYTES)
    found = read_directory(file)
    top = found[0].name.partition("/")[0] if found else ""
    if any(not entry.name.startswith(f"{top}/") for entry in found):
        raise PackageError("bad_bag", "more than one folder")
    entries = {entry.name.removeprefix(f"{top}/"): entry for entry in found}
    manifest, tags = (
        _read_manifest(_small(file, entries, name, MAX_TAG_BYTES))
        for name in (MANIFEST_FILE, TAG_MANIFEST_FILE)
    )
    _check_names(entries, manifest, tags)
    for name, digest in (manifest | tags).items():
        hashed = hashlib.sha256()
        for piece in read_entry(file, entries[name]):
            hashed.update(piece)
        if hashed.hexdigest() != digest:
            raise PackageError("digest_differs", f"{name} is not what the manifest says")
    if _small(file, entries, BAGIT_FILE, MAX_TAG_BYTES) != BAGIT:
        raise PackageError("bad_bag", "a bag of another version")
    written = _small(file, entries, CUSTODY_FILE, MAX_CUSTODY_BYTES)
    custody, signed = _read_custody(written, _small(file, entries, SIGNATURES_FILE, MAX_SIGNATURES_BYTES))
    if top != folder_name(custody.delivery_key):
        raise PackageError("bad_bag", "a folder of another delivery")
    said = {f"data/{clip.file}": (clip.sha256, clip.size_bytes) for clip in custody.clips}
    there = {name: (digest, entries[name].size_bytes) for name, digest in manifest.items()}
    if said != {name: facts for name, facts in there.items() if name != CUSTODY_FILE}:
        raise PackageError("bad_custody", "the record doesn't say what is there")
    _check_certificates(custody, signed)
    _check_expected(custody, expected)
    return Package(file, entries, custody, signed)


def _small(file: BinaryIO, entries: dict[str, Entry], name: str, limit: int) -> bytes:
    entry = entries.get(name)
    if entry is None:
        raise PackageError("bad_bag", f"{name} is missing")
    if entry.size_bytes > limit:
        raise PackageError("too_large", f"{name} has {entry.size_bytes} bytes")
    return b"".join(read_entry(file, entry))


def _read_manifest(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in data.decode("ascii", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise PackageError("bad_manifest", "a line that is none, or a file twice")
        found[match[2]] = match[1]
    return found


def _check_names(entries: dict[str, Entry], manifest: dict[str, str], tags: dict[str, str]) -> None:
    """Every file stands in one manifest, and nothing else does."""
    expected = {BAGIT_FILE, INFO_FILE, MANIFEST_FILE, SIGNATURES_FILE, PADDING_FILE}
    if tags.keys() != expected or CUSTODY_FILE not in manifest:
        raise PackageError("bad_manifest", "not the files that there have to be")
    if any(not name.startswith("data/") for name in manifest):
        raise PackageError("bad_manifest", "a file of the payload outside of data/")
    if entries.keys() != manifest.keys() | tags.keys() | {TAG_MANIFEST_FILE}:
        raise PackageError("bad_manifest", "files without a digest, or digests without a file")


def _read_custody(written: bytes, signatures: bytes) -> tuple[Custody, Signatures]:
    try:
        custody = Custody.parse(written)
    except RecordViolation as error:
        raise PackageError("bad_custody", str(error)) from error
    try:
        signed = Signatures.parse(signatures)
        signed.check(custody, written)
    except RecordViolation as error:
        raise PackageError("bad_signature", str(error)) from error
    return custody, signed


def _check_certificates(custody: Custody, signed: Signatures) -> None:
    """The agency's record and the request's are there, and say what the custody record says."""
    records = {record.id: record for record in signed.certificates}
    agency, request = records.get(custody.recipient.agency_id), records.get(custody.request)
    body = agency.body if agency else None
    if not isinstance(body, Agency) or request is None or not isinstance(request.body, FootageRequest):
        raise PackageError("bad_certificate", "the agency's record or the request's is missing")
    promised = custody.recipient
    said = (body.name, body.domain, body.key, body.age_recipient, body.retention_days)
    if said != (
        promised.name,
        promised.domain,
        promised.key,
        promised.age_recipient,
        promised.retention_days,
    ) or (body.sharing, body.face_recognition) != (promised.sharing, promised.face_recognition):
        raise PackageError("bad_certificate", "the agency's record says something else")
    if any(record.envelope.neighborhood != custody.neighborhood for record in records.values()):
        raise PackageError("bad_certificate", "a record of another neighborhood")


def _check_expected(custody: Custody, expected: Expected) -> None:
    for code, wanted, found in (
        ("other_request", expected.request, custody.request),
        ("other_delivery", expected.delivery_key, custody.delivery_key),
        ("other_recipient", expected.agency_key, custody.recipient.key),
    ):
        if wanted is not None and wanted != found:
            raise PackageError(code, "a package for something else")
