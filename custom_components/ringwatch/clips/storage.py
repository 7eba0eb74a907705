"""The storage folder: is it really there, what lies in it, files put into it and taken out whole."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
import hashlib
import json
import os
from pathlib import Path
from typing import Any
import uuid

from .model import Clip, Hold, holds_document, read_holds
from .naming import FOLDER, MARKER, SPOOL, safe_path

THUMBNAIL = ".jpg"
PROBE_BYTES = 1024 * 1024  # a second or two of recording
NOTES = ".json"  # what became of a clip, beside those that are protected or were shared


@dataclass(frozen=True, slots=True)
class Found:
    """A video file in the storage folder."""

    path: str  # relative, with slashes


class Storage:
    """One folder that the owner picked. Every method may block and raise OSError."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER
        self.spool = self.folder / SPOOL
        self.marker = self.folder / MARKER

    def mark(self, store_id: str | None = None) -> str:
        """Leave the mark that proves that this is the storage and not the empty folder it is mounted on."""
        chosen = store_id or uuid.uuid4().hex
        self.folder.mkdir(exist_ok=True)  # the folder above has to be there
        write_whole(self.marker, self.marker.with_name(MARKER + ".new"), chosen.encode())
        return chosen

    def mark_found(self) -> str | None:
        """Return the mark, None if there is none."""
        try:
            return self.marker.read_text(encoding="ascii").strip()
        except FileNotFoundError, NotADirectoryError, UnicodeDecodeError:
            return None

    def prepare(self) -> None:
        """Make the folder for files that are not finished."""
        self.spool.mkdir(exist_ok=True)

    def spooled(self) -> list[Path]:
        """Return the files that a process left unfinished, oldest first."""
        return sorted(self.spool.glob("*.mp4"))

    def sweep(self, keep: set[str]) -> None:
        """Delete what else a process left in the spool folder."""
        for file in self.spool.iterdir():
            if file.name not in keep:
                file.unlink(missing_ok=True)

    def probe(self) -> None:
        """Write a little and delete it. Raise OSError."""
        self.spool.mkdir(exist_ok=True)
        file = self.spool / "probe"
        try:
            with file.open("wb") as probe:
                probe.write(b"\x00" * PROBE_BYTES)
                probe.flush()
                os.fsync(probe.fileno())
        finally:
            with suppress(OSError):
                file.unlink()

    def free_bytes(self) -> int:
        """Return how much may still be written."""
        found = os.statvfs(self.root)
        return found.f_bavail * found.f_frsize

    def path(self, relative: str) -> Path:
        """Return where a clip or its thumbnail is. Raise UnsafePathError."""
        return safe_path(self.root, relative)

    def holds(self, relative: str) -> bool:
        """Tell whether a clip's file is there."""
        return self.path(relative).is_file()

    def taken(self, relative: str) -> bool:
        """Tell whether anything has this name, or a picture that would be beside it."""
        path = self.path(relative)
        return os.path.lexists(path) or os.path.lexists(path.with_suffix(THUMBNAIL))

    def put(self, spooled: Path, relative: str) -> None:
        """Move a finished file, and its thumbnail if there is one, to its place."""
        target = self.path(relative)
        target.parent.mkdir(parents=True, exist_ok=True)
        picture = spooled.with_suffix(THUMBNAIL)
        if picture.exists():
            picture.replace(target.with_suffix(THUMBNAIL))
        spooled.replace(target)
        sync_folder(target.parent)
        sync_folder(target.parent.parent)

    def remove(self, relative: str) -> None:
        """Delete a clip's file and what lies beside it; the day's folder too if that was the last."""
        target = self.path(relative)
        for file in (target, target.with_suffix(THUMBNAIL), target.with_suffix(NOTES)):
            file.unlink(missing_ok=True)
        with suppress(OSError):  # not empty, or somebody is in it
            target.parent.rmdir()

    def note(self, clip: Clip) -> None:
        """Write beside a clip what can't be in it, so that it outlives the catalogue."""
        target = self.path(clip.path).with_suffix(NOTES)
        if not (clip.protected or clip.shared or clip.held):
            target.unlink(missing_ok=True)
            return
        document = {
            "ringwatch": 1,
            "id": clip.id,
            "protected": clip.protected,
            "shared": list(clip.shared),
            "held": holds_document(clip.held),
        }
        write_whole(target, self.spool / f"{clip.id}{NOTES}", json.dumps(document).encode())

    def noted(self, relative: str, clip_id: str) -> tuple[bool, tuple[str, ...], tuple[Hold, ...]]:
        """Return what was noted: protected, shared, held."""
        try:
            document: Any = json.loads(self.path(relative).with_suffix(NOTES).read_bytes())
            if document["id"] == clip_id:
                shared = tuple(map(str, document["shared"]))
                return bool(document["protected"]), shared, read_holds(document.get("held", ()))
        except FileNotFoundError:
            pass
        except ValueError, KeyError, TypeError:
            return True, (), ()  # unreadable: rather keep a clip than lose it
        return False, (), ()

    def walk(self) -> Iterator[Found | None]:
        """Yield every clip there is; None between days, so that others get a turn."""
        for camera in sorted(_folders(self.folder)):
            for day in sorted(_folders(self.folder / camera)):
                with os.scandir(self.folder / camera / day) as entries:
                    names = [entry.name for entry in entries if entry.name.endswith(".mp4")]
                for name in sorted(names):
                    if not name.startswith(".") and _is_text(camera + day + name):
                        yield Found(f"{FOLDER}/{camera}/{day}/{name}")
                yield None


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        ]


def _is_text(name: str) -> bool:
    """Tell whether a name is UTF-8: others can't be ours."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def digest(path: Path) -> tuple[str, int]:
    """Return SHA-256 and size of a file."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return found, file.seek(0, os.SEEK_END)


def write_whole(target: Path, temporary: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Have a rename survive a power cut, where the file system can."""
    with suppress(OSError):  # network shares
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
