"""The hub's key: made once, kept in the data folder. Whoever has it is the hub."""

import os
from pathlib import Path

from ..neighborhood.keys import SEED_BYTES, PrivateKey

FILE = "hub.key"


class KeyDamagedError(Exception):
    """The file is there, and holds no key."""


def load_key(folder: Path) -> PrivateKey:
    """Return the key, made anew if there is none. Raise KeyDamagedError, OSError."""
    path = folder / FILE
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        return _make(path)
    except UnicodeDecodeError as error:
        raise KeyDamagedError(f"{FILE} holds no key") from error
    try:
        seed = bytes.fromhex(text)
    except ValueError as error:
        raise KeyDamagedError(f"{FILE} holds no key") from error
    if len(seed) != SEED_BYTES:
        raise KeyDamagedError(f"{FILE} holds no key")
    return PrivateKey(seed)


def _make(path: Path) -> PrivateKey:
    key = PrivateKey.generate()
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.seed.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_folder(path.parent)
    return key


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
