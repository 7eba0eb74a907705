"""Packages that somebody makes on purpose: rightly signed and encrypted, wrong inside."""

import hashlib
import io
from typing import Any
import zipfile

import pytest

from ringwatch.footage.age_file import AgeReader, AgeWriter
from ringwatch.footage.package import Expected, PackageError, read_package
from ringwatch.footage.zip_stored import (
    from_bytes,
    write_archive,
)

from .giving import (
    DELIVERY,
    POLICE,
    Made,
    key,
)

TOP = f"ringwatch-{DELIVERY.public[:8]}"
STRANGER = key("stranger")


def plain(made: Made) -> bytes:
    return AgeReader(io.BytesIO(made.data), POLICE.secret).readall() or b""


def files(made: Made) -> dict[str, bytes]:
    """Return what is in a good package, by the names below its folder."""
    with zipfile.ZipFile(io.BytesIO(plain(made))) as archive:
        return {name.removeprefix(f"{TOP}/"): archive.read(name) for name in archive.namelist()}


def sealed(archive: bytes) -> io.BytesIO:
    out = io.BytesIO()
    writer = AgeWriter(out, (POLICE.recipient, POLICE.recipient))
    writer.write(archive)
    writer.close()
    return out


def packed(
    contents: dict[str, bytes] | list[tuple[str, bytes]], *, anew: bool = True, top: str = TOP
) -> io.BytesIO:
    """Pack files as we write archives; `anew` makes the manifests fit again."""
    if isinstance(contents, dict):
        if anew:
            contents = with_manifests(contents)
        contents = list(contents.items())
    out = io.BytesIO()
    write_archive(out, [from_bytes(f"{top}/{name}", data) for name, data in contents])
    return sealed(out.getvalue())


def with_manifests(contents: dict[str, bytes]) -> dict[str, bytes]:
    tags = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "custody.sig", "padding.bin")
    payload = sorted(name for name in contents if name.startswith("data/"))
    fitted = contents | {"manifest-sha256.txt": lines(contents, payload)}
    return fitted | {"tagmanifest-sha256.txt": lines(fitted, sorted(tags))}


def lines(contents: dict[str, bytes], names: list[str]) -> bytes:
    return "".join(f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in names).encode()


def zipped(entries: list[tuple[Any, bytes]], **options: Any) -> io.BytesIO:
    """Pack with Python's own zipfile, which can do what we never do."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return sealed(out.getvalue())


def refused(file: io.BytesIO, *codes: str, expected: Expected | None = None) -> None:
    with pytest.raises(PackageError) as raised:
        read_package(file, POLICE.secret, expected or Expected())
    assert raised.value.code in codes, raised.value
