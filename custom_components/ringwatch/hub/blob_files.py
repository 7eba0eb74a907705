"""The files of clips and pictures. Blocking; called from threads.

    blobs/ab/<digest>          looked at, complete, may be read
    parts/<digest>.<owner>     being uploaded

Names are digests that were checked before they came here, so no path can be made of anything else.
"""

from collections.abc import Callable, Iterator
import hashlib
import os
from pathlib import Path
import shutil
from typing import Final

from ..neighborhood.keys import is_digest
from .keys import sync_folder

_CHUNK: Final = 1024 * 1024


class BlobFiles:
    """The two folders of one neighborhood."""

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._parts = folder / "parts"
        for one in (self._blobs, self._parts):
            one.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where a file is or would be."""
        if not is_digest(sha256):
            raise ValueError("not a digest")
        return self._blobs / sha256[:2] / sha256

    def part(self, sha256: str, owner: str) -> Path:
        """Return where an upload is put together."""
        if not is_digest(sha256) or not is_digest(owner):
            raise ValueError("not a digest")
        return self._parts / f"{sha256}.{owner}"

    def write_part(self, sha256: str, owner: str, offset: int, data: bytes) -> None:
        """Write a part where it belongs, and have it on the disk. What a kill left behind it is cut off."""
        write_at(self.part(sha256, owner), offset, data)

    def digest_of(self, path: Path) -> str:
        """Return a file's SHA-256."""
        return digest_of(path)

    def keep(self, sha256: str, owner: str) -> None:
        """Move a finished upload into its place, for good."""
        place = self.path(sha256)
        if not place.parent.exists():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self._blobs)
        self.part(sha256, owner).replace(place)
        sync_folder(place.parent)

    def delete(self, sha256: str) -> None:
        """Delete a file, if it is there."""
        self.path(sha256).unlink(missing_ok=True)

    def delete_part(self, sha256: str, owner: str) -> None:
        """Delete what there is of an upload."""
        self.part(sha256, owner).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """Yield the digests of all files."""
        for folder in self._blobs.iterdir():
            yield from (path.name for path in folder.iterdir() if is_digest(path.name))

    def sweep(self, is_wanted: Callable[[str], bool], is_open: Callable[[str, str], bool]) -> int:
        """Delete what no row knows: a kill came between row and file. Return how many."""
        count = 0
        for sha256 in list(self.names()):
            if not is_wanted(sha256):
                self.delete(sha256)
                count += 1
        for path in list(self._parts.iterdir()):
            sha256, _, owner = path.name.partition(".")
            if not is_digest(sha256) or not is_digest(owner) or not is_open(sha256, owner):
                path.unlink(missing_ok=True)
                count += 1
        return count

    def free_bytes(self) -> int:
        """Return how much space the disk has left."""
        return free_bytes(self._blobs)


def write_at(path: Path, offset: int, data: bytes) -> None:
    """Write a part of a file, and have it on the disk. What stands behind it is cut off."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.ftruncate(handle, offset)
        view = memoryview(data)
        at = offset
        while view:
            written = os.pwrite(handle, view, at)
            view, at = view[written:], at + written
        os.fdatasync(handle)
    finally:
        os.close(handle)


def digest_of(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes(folder: Path) -> int:
    """Return how much space a folder's disk has left."""
    return shutil.disk_usage(folder).free
