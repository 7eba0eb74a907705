"""A neighborhood's clips and pictures, named by their SHA-256. What has its name is whole."""

from collections.abc import Iterator
import hashlib
import os
from pathlib import Path
from typing import Final

from .keys import is_digest
from .violations import BadField

_CHUNK: Final = 1024 * 1024
_PARTS: Final = "parts"


class WrongMediaError(Exception):
    """What came is not what was asked for."""


class MediaFolder:
    """The folder. Two writers of one digest write the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / _PARTS).mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Return where a file is, or would be. Raise BadField for what is no digest."""
        return self._folder / _checked(digest)[:2] / digest

    def has(self, digest: str) -> bool:
        """Return whether it is there."""
        return self.path(digest).is_file()

    def part(self, digest: str) -> Path:
        """Return where a file is written while it comes. How much of it is there tells where to go on."""
        return self._folder / _PARTS / _checked(digest)

    def commit(self, digest: str, size_bytes: int) -> Path:
        """Take a complete part. Raise WrongMediaError, with the part deleted, if it is something else."""
        part, path = self.part(digest), self.path(digest)
        if part.stat().st_size != size_bytes or hash_file(part) != digest:
            part.unlink()
            raise WrongMediaError("size or SHA-256 is not what was announced")
        path.parent.mkdir(exist_ok=True)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        return part.replace(path)

    def add(self, file: Path) -> str:
        """Copy a file in. Return its digest."""
        digest = hash_file(file)
        if not self.has(digest):
            part = self.part(digest)
            with file.open("rb") as source, part.open("wb") as target:
                while chunk := source.read(_CHUNK):
                    target.write(chunk)
            self.commit(digest, file.stat().st_size)
        return digest

    def delete(self, digest: str) -> None:
        """Delete a file, and what has come of it."""
        self.path(digest).unlink(missing_ok=True)
        self.part(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """Yield what is there, and what has come in part."""
        for pattern in ("[0-9a-f][0-9a-f]/*", f"{_PARTS}/*"):
            for path in self._folder.glob(pattern):
                if is_digest(path.name):
                    yield path.name


def hash_file(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(digest: str) -> str:
    if not is_digest(digest):
        raise BadField("a file is named by 64 hexadecimal digits")
    return digest
