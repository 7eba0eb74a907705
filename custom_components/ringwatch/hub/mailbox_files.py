"""The files of mailboxes: `mailbox/<delivery>`, ciphertext only. Blocking; called from threads."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..neighborhood.keys import is_digest
from .blob_files import digest_of, free_bytes, write_at
from .keys import sync_folder

# How a file begins that age has made for an X25519 recipient. Whatever else is sent isn't encrypted for an
# agency, and the hub doesn't want to have it.
AGE_HEADER: Final = b"age-encryption.org/v1\n-> X25519 "


class MailboxFiles:
    """The folder of one neighborhood's mailboxes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "mailbox"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, delivery: str) -> Path:
        """Return where a package is or would be."""
        if not is_digest(delivery):
            raise ValueError("not an id")
        return self._folder / delivery

    def write(self, delivery: str, offset: int, data: bytes) -> None:
        """Write a part where it belongs, and have it on the disk. What a kill left behind it is cut off."""
        write_at(self.path(delivery), offset, data)
        if offset == 0:
            sync_folder(self._folder)

    def look(self, delivery: str) -> tuple[str, bool]:
        """Return a file's SHA-256, and whether it begins as an encrypted package does."""
        path = self.path(delivery)
        with path.open("rb") as file:
            is_age = file.read(len(AGE_HEADER)) == AGE_HEADER
        return digest_of(path), is_age

    def delete(self, delivery: str) -> None:
        """Delete a file, if it is there."""
        self.path(delivery).unlink(missing_ok=True)

    def sweep(self, is_wanted: Callable[[str], bool]) -> None:
        """Delete what no row wants: a kill came between row and file."""
        for path in list(self._folder.iterdir()):
            if not is_digest(path.name) or not is_wanted(path.name):
                path.unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Return how much space the disk has left."""
        return free_bytes(self._folder)
