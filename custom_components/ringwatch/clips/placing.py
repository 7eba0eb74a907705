"""From a recorded file to a clip in its place, and what a killed process left of both.

In this order: the file is finished where it was recorded, the row is added as coming, picture and file are
moved, the row becomes ready. To delete: the row is marked as going, the files are deleted, the row goes. So
whenever a process ends, the rows say what is left to do, and a file without a row is in the spool folder.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import logging
from pathlib import Path
from typing import Any

import av
import av.error

from ..video import encode_jpeg
from .boxes import BrokenFileError
from .catalogue import Catalogue, State
from .model import Clip
from .mp4 import FileState, finish, inspect
from .naming import UnsafePathError, clip_path, folder_name
from .storage import THUMBNAIL, Storage, digest, write_whole
from .tables import VIDEO_SCALE, Tables
from .thumbnail import WIDTH_PX

_LOGGER = logging.getLogger(__name__)

ADOPT_BATCH = 50  # clips found without a row that are added at once


@dataclass(frozen=True, slots=True)
class FinishedPart:
    """A file whose recording is over. `document` is what is known of it, None after a kill."""

    path: Path
    document: Mapping[str, Any] | None
    jpeg: Callable[[], bytes]


@dataclass(slots=True)
class Reconciled:
    """What a comparison of files and rows came to."""

    adopted: int = 0
    removed: int = 0
    moved: int = 0
    foreign: int = 0


class Placer:
    """Brings files and rows together. Belongs to the store's thread."""

    def __init__(self, catalogue: Catalogue, storage: Storage) -> None:
        self.catalogue = catalogue
        self.storage = storage

    def finish(self, part: FinishedPart) -> Clip | None:
        """Make a clip of a recorded file. None if there is no picture in it; then the file is gone."""
        try:
            state = finish(part.path, lambda found, tables: _amend(part.document, found, tables))
            clip = Clip.from_document(state.document)
        except BrokenFileError, ValueError:
            part.path.unlink(missing_ok=True)
            return None
        jpeg = part.jpeg() or first_picture(part.path)
        if jpeg:
            picture = part.path.with_suffix(THUMBNAIL)
            write_whole(picture, picture.with_suffix(".jpg-new"), jpeg)
        sha256, size_bytes = digest(part.path)
        clip = replace(clip, path=self._choose(clip), sha256=sha256, size_bytes=size_bytes)
        self.catalogue.add(clip, State.COMING)
        self._arrive(clip, part.path)
        return clip

    def _arrive(self, clip: Clip, spooled: Path) -> None:
        self.storage.put(spooled, clip.path)
        self.catalogue.set_state(clip.id, State.READY)

    def _choose(self, clip: Clip) -> str:
        folders = self.catalogue.folders()
        folder = folders.get(clip.camera_id)
        if folder is None:
            folder = folder_name(clip.camera_name, set(folders.values()))
            self.catalogue.set_folder(clip.camera_id, clip.camera_name, folder)
        attempt = 1
        while True:
            path = clip_path(folder, clip, attempt)
            if not self.catalogue.has_path(path) and not self.storage.taken(path):
                return path
            attempt += 1

    def hash_next(self) -> bool:
        """Read the digest of a clip that was found without one. False if its file can't be read."""
        if (row := self.catalogue.unhashed()) is not None:
            clip_id, path = row
            try:
                self.catalogue.set_sha256(clip_id, *digest(self.storage.path(path)))
            except OSError:
                return False
        return True

    def delete(self, clips: list[Clip]) -> list[str]:
        """Delete clips; return the ids of those that are gone."""
        gone: list[str] = []
        for clip in clips:
            self.catalogue.set_state(clip.id, State.GOING)
        for clip in clips:
            try:
                self.storage.remove(clip.path)
            except UnsafePathError:
                _LOGGER.warning("The row of a clip with an unusable path is dropped: %r", clip.path)
            except OSError as error:
                _LOGGER.warning("%s could not be deleted: %s", clip.path, error.strerror)
                self.catalogue.set_state(clip.id, State.READY)
                continue
            gone.append(clip.id)
        self.catalogue.remove(gone)
        return gone

    def resume(self) -> None:
        """Finish what was under way when the process ended."""
        for clip, state in self.catalogue.unfinished():
            spooled = self.storage.spool / f"{clip.id}.mp4"
            if state is State.GOING:
                self.delete([clip])
            elif spooled.exists():
                self._arrive(clip, spooled)
            elif self.storage.holds(clip.path):
                self.catalogue.set_state(clip.id, State.READY)
            else:
                self.catalogue.remove([clip.id])

    def reconcile(self, result: Reconciled, *, complete: Callable[[], bool]) -> Iterator[None]:
        """Compare files and rows, a step at a time. `complete` tells whether the storage is still there."""
        known = self.catalogue.paths()
        seen: set[str] = set()
        strangers: list[str] = []
        try:
            for found in self.storage.walk():
                if found is None:
                    yield
                elif found.path in known:
                    seen.add(found.path)
                else:
                    strangers.append(found.path)
        except OSError as error:
            _LOGGER.warning("The storage folder can't be read, so nothing is compared: %s", error.strerror)
            return
        for start in range(0, len(strangers), ADOPT_BATCH):
            self._adopt(strangers[start : start + ADOPT_BATCH], result)
            yield
        # Only now: a clip that somebody moved was found above.
        missing = [(clip_id, path) for path, clip_id in known.items() if path not in seen]
        for start in range(0, len(missing), ADOPT_BATCH):
            if not complete():
                return
            for clip_id, path in missing[start : start + ADOPT_BATCH]:
                row = self.catalogue.get(clip_id)
                if row is None or row.path != path:
                    continue
                with suppress(UnsafePathError):  # such a row goes too
                    if self.storage.holds(path):
                        continue
                    self.storage.remove(path)  # the picture that may be left
                self.catalogue.remove([clip_id])
                result.removed += 1
            yield

    def _adopt(self, paths: list[str], result: Reconciled) -> None:
        clips: list[Clip] = []
        for path in paths:
            clip = self._read(path)
            if clip is None:
                result.foreign += 1
                continue
            row = self.catalogue.get(clip.id)
            if row is None and not self.catalogue.has_path(path):
                result.adopted += 1
            elif row is not None and row.path != path and not self.storage.holds(row.path):
                clip = replace(
                    clip, sha256=row.sha256, protected=row.protected, shared=row.shared, held=row.held
                )
                result.moved += 1
            else:
                continue  # recorded meanwhile, or a copy of another
            self._know_folder(clip)
            clips.append(clip)
        if clips:
            self.catalogue.add_all(clips, State.READY)

    def _read(self, path: str) -> Clip | None:
        try:
            where = self.storage.path(path)
            state = inspect(where)
            if not state.finished:
                return None
            clip = Clip.from_document(state.document)
            protected, shared, held = self.storage.noted(path, clip.id)
            size_bytes = where.stat().st_size
        except BrokenFileError, UnsafePathError, ValueError, OSError:
            return None
        return replace(clip, path=path, size_bytes=size_bytes, protected=protected, shared=shared, held=held)

    def _know_folder(self, clip: Clip) -> None:
        folders = self.catalogue.folders()
        folder = clip.path.split("/")[1]
        if clip.camera_id not in folders and folder not in folders.values():
            self.catalogue.set_folder(clip.camera_id, clip.camera_name, folder)


def _amend(document: Mapping[str, Any] | None, found: FileState, tables: Tables) -> dict[str, Any]:
    """Say in the file what is known in the end; after a kill what was noted last."""
    fields = dict(document or found.document | {"recovered": True})
    start = datetime.fromisoformat(fields["start"])
    fields["end"] = (start + timedelta(seconds=tables.duration / VIDEO_SCALE)).isoformat()
    fields["has_sound"] = bool(tables.audio.dts)
    if found.head is not None:
        video = found.head.video
        fields["codec"], fields["width"], fields["height"] = video.codec, video.width, video.height
    return fields


def first_picture(path: Path) -> bytes:
    """Return a small JPEG of a file's first picture, b"" if it can't be decoded."""
    try:
        with av.logging.Capture(), av.open(str(path)) as container:
            for frame in container.decode(video=0):
                return encode_jpeg(frame, max_width=WIDTH_PX)
    except av.error.FFmpegError, OSError, IndexError:
        pass
    return b""
