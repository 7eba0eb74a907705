"""The clip store: all that happens to files and to the catalogue, in one thread, one thing at a time.

Recorders hand finished files over and go on; people's wishes are blocking methods for an executor. Reading
the catalogue needs no turn: `questions` may be asked from any thread.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
import errno
import logging
from pathlib import Path
import sqlite3
import threading
import time

from .catalogue import Catalogue, DamagedCatalogueError, set_aside
from .comparing import Comparing
from .holding import Holds, space_for_clips
from .model import Clip, ClipNews, ClipReady, FilesChanged, RecordingBlocked, RecordingFailed
from .mounted import check_storage, claim_storage, storage_is_there
from .placing import FinishedPart, Placer, Reconciled
from .queries import Questions
from .retention import RetentionPolicy, decide
from .storage import Storage
from .trust import ClockTrust
from .wishes import Deleted, change_clips, delete_clips
from .worker import Worker

_LOGGER = logging.getLogger(__name__)

STOP_S = 5.0
BACKUP_S = 1800.0  # longer than that a backup does not take, or its end got lost
RETENTION_S = 60.0
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
QUOTA_STEP_BYTES = 100_000_000  # a quota doesn't show in what the disk says: so much goes, then it is tried


class ClipStore:
    """All clips of one Home Assistant. Make one, `start` it, `stop` it."""

    def __init__(
        self,
        root: Path,
        database_folder: Path,
        notify: Callable[[ClipNews], None],
        *,
        policy: RetentionPolicy,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        free_bytes: Callable[[], int] | None = None,
    ) -> None:
        self.questions = Questions(database_folder)
        self.storage = Storage(root)
        self.policy = policy
        self.rebuilt_after: str | None = None  # why, if the database was damaged
        self._folder = database_folder
        self._notify = notify
        self._now, self._clock = now, clock
        self._free_bytes = free_bytes or self.storage.free_bytes
        self._lock = threading.Lock()
        self._blocked: dict[str, str] = {"": "starting"}
        self._catalogue: Catalogue | None = None
        self._placer: Placer | None = None
        self._ready = threading.Event()
        self._retention_at_s = 0.0
        self._trust: ClockTrust | None = None
        self._recording: set[Path] = set()  # in the spool folder, and a recorder's
        self._broken = False  # the disk has refused to do something
        self._full = False  # ... for want of room, whatever it says of itself
        self._waiting: list[tuple[FinishedPart, str]] = []  # could not be moved for want of room
        self._worker = Worker(
            "ringwatch clips", begin=self._begin, chore=self._chore, end=self._end, repair=self._damaged
        )
        self.holds = Holds(self._worker.ask_now, self._hands, now, notify, self._keep_within_limits)
        self._comparing = Comparing(self._worker, clock, lambda: notify(FilesChanged()))

    def start(self) -> None:
        """Start the thread; it opens the catalogue and recovers what a kill left."""
        self._worker.start()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until the catalogue can be asked."""
        return self._ready.wait(timeout_s)

    def stop(self, timeout_s: float = STOP_S) -> bool:
        """Finish what was handed over, and end. Blocks."""
        return self._worker.stop(timeout_s)

    # For recorders, from any thread, at once

    def blocked(self, camera_id: str) -> str | None:
        """Return why nothing is to be recorded now, None if there is no reason."""
        with self._lock:
            return self._blocked.get("") or self._blocked.get(camera_id)

    def spool_file(self, clip_id: str) -> Path:
        """Return where a clip is to be recorded. It is the recorder's until `submit` or `discard`."""
        path = self.storage.spool / f"{clip_id}.mp4"
        with self._lock:
            self._recording.add(path)
        return path

    def discard(self, path: Path) -> None:
        """Delete a file that is not to become a clip."""
        with suppress(OSError):  # swept up later, if it is there at all
            path.unlink(missing_ok=True)
        with self._lock:
            self._recording.discard(path)

    def submit(self, part: FinishedPart, camera_id: str) -> None:
        """Hand over a file that is recorded, and closed."""

        def finish() -> None:
            with self._lock:
                self._recording.discard(part.path)
            self._finish(part, camera_id)

        self._worker.post(finish)

    def when_stored(self, recording: str) -> Future[list[Clip]]:
        """Return the clips of a recording, once what was handed over before is in its place."""
        return self._worker.ask(lambda: self._rows().of_recording(recording))

    def failed(self, camera_id: str, error: OSError) -> None:
        """Tell that the disk did not do what a recorder wanted. Recording stops until it does again."""
        full = error.errno in DISK_FULL
        code = "disk_full" if full else "storage_error"
        self._full |= full
        self._broken = True
        self._notify(RecordingFailed(camera_id, code, error.strerror or type(error).__name__))
        self._block({"": code})
        self._worker.post(self._chore)

    def compare_soon(self) -> None:
        """Compare files and catalogue in the background: somebody met a clip whose file is gone."""
        self._worker.post(self._compare_in_background)

    # For people, blocking; they raise PausedError while a backup is made

    def delete(self, clip_ids: list[str], *, force: bool = False) -> Deleted:
        """Delete clips; protected, shared and held ones only with `force`."""
        return self._worker.ask_now(lambda: self._delete(clip_ids, force=force))

    def protect(self, clip_ids: list[str], *, protected: bool = True) -> list[Clip]:
        """Keep clips from being deleted, or no longer. Returns those that exist."""
        return self._worker.ask_now(
            lambda: self._change(clip_ids, lambda clip: replace(clip, protected=protected))
        )

    def share(self, clip_id: str, where: str) -> Clip | None:
        """Note where a clip was shared."""
        changed = self._worker.ask_now(
            lambda: self._change([clip_id], lambda clip: replace(clip, shared=(*clip.shared, where)))
        )
        return changed[0] if changed else None

    def rebuild(self) -> Reconciled:
        """Read all clips from the files again; what was noted of them (protected, shared) stays."""
        return self._worker.ask_now(self._rebuild)

    def reconcile(self) -> Reconciled:
        """Compare files and catalogue: add what is missing, forget what is gone."""
        return self._worker.ask_now(self._compare)

    def claim(self) -> None:
        """Accept the storage folder as it is now: the owner says that it is the right one."""
        self._worker.ask_now(self._claim)

    def pause(self, timeout_s: float = BACKUP_S) -> bool:
        """Before a backup: bring the database into one file, then move, delete and write nothing more.

        Recording goes on into the spool folder. Never raises; False if the store could not be paused in time.
        """
        future = self._worker.ask(lambda: self._pause(timeout_s))
        try:
            future.result(STOP_S)
        except Exception:
            _LOGGER.exception("The clip store could not be paused for a backup")
            future.add_done_callback(lambda _: self._worker.resume())
            return False
        return True

    def resume(self) -> None:
        """After a backup: go on."""
        self._worker.resume()

    # In the store's own thread

    def _rows(self) -> Catalogue:
        if self._catalogue is None:
            raise DamagedCatalogueError("the catalogue could not be opened")
        return self._catalogue

    def _hands(self) -> Placer:
        if self._placer is None:
            raise DamagedCatalogueError("the catalogue could not be opened")
        return self._placer

    def _begin(self) -> None:
        try:
            self._catalogue = Catalogue(self._folder)
        except DamagedCatalogueError as error:
            self._catalogue = self._begin_anew(error)
        except BaseException:
            self._block({"": "catalogue_unusable"})
            raise
        self._placer = Placer(self._catalogue, self.storage)
        self._trust = ClockTrust(self._now, self._clock, self._catalogue.value("last_seen") or "")
        problem = self._check_storage()
        self._ready.set()
        if problem is not None:
            self._block({"": problem})
            return
        self._recover()

    def _begin_anew(self, error: Exception) -> Catalogue:
        """Set a damaged database aside. The comparison of files and rows fills the new one."""
        aside = set_aside(self._folder, self._now())
        _LOGGER.warning("The catalogue of clips was damaged (%s); it is kept as %s and rebuilt", error, aside)
        self.rebuilt_after = str(error)
        return Catalogue(self._folder)

    def _damaged(self, error: sqlite3.DatabaseError) -> bool:
        """Answer damage that shows while the database is in use. False if it is something else."""
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return False
        if self._catalogue is not None:
            self._catalogue.close()
        self._catalogue = self._begin_anew(error)
        self._placer = Placer(self._catalogue, self.storage)
        if (problem := self._check_storage()) is not None:
            self._block({"": problem})
        else:
            self._recover()
        return True

    def _recover(self) -> None:
        """Finish what a kill left; then files and rows are compared little by little."""
        if (placer := self._placer) is None:
            return
        self.storage.prepare()
        placer.resume()
        with self._lock:
            others = self._recording | {part.path for part, _ in self._waiting}
        left = [path for path in self.storage.spooled() if path not in others]
        self.storage.sweep({path.name for path in (*left, *others)})
        self._block({})
        self._finish_waiting()
        for path in left:
            self._finish(FinishedPart(path, None, bytes), "")
        self._compare_in_background(anew=True)

    def _check_storage(self) -> str | None:
        return check_storage(self.storage, self._rows())

    def _storage_is_there(self) -> bool:
        return storage_is_there(self.storage, self._rows())

    def _claim(self) -> None:
        try:
            claim_storage(self.storage, self._rows())
        except OSError:
            self._block({"": "storage_error"})
            raise
        self._recover()

    def _finish_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for part, camera_id in waiting:
            self._finish(part, camera_id)

    def _finish(self, part: FinishedPart, camera_id: str) -> None:
        placer = self._placer
        if placer is None:
            return  # the file stays where it is until the next start
        if self._broken:
            self._waiting.append((part, camera_id))
            return
        try:
            clip = placer.finish(part)
        except (OSError, sqlite3.OperationalError) as error:
            _LOGGER.warning("A clip waits in the spool folder: %s", error)
            self._waiting.append((part, camera_id))
            if isinstance(error, sqlite3.OperationalError):  # the database's disk has no room, mostly
                full = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL
                error = OSError(errno.ENOSPC if full else errno.EIO, str(error))
            self.failed(camera_id, error)
            return
        if clip is None:
            self._notify(RecordingFailed(camera_id, "no_picture", "there was no picture in it"))
            return
        self._notify(ClipReady(clip))
        self._keep_within_limits()

    def _delete(self, clip_ids: list[str], *, force: bool) -> Deleted:
        self._retention_at_s = 0.0
        return delete_clips(self._hands(), clip_ids, force=force)

    def _change(self, clip_ids: list[str], change: Callable[[Clip], Clip]) -> list[Clip]:
        self._retention_at_s = 0.0
        return change_clips(self._hands(), clip_ids, change)

    def _compare(self) -> Reconciled:
        result = Reconciled()
        if self._placer is not None and self._storage_is_there():
            for _ in self._placer.reconcile(result, complete=self._storage_is_there):
                pass
        return result

    def _rebuild(self) -> Reconciled:
        if not self._storage_is_there():
            return Reconciled()
        self._rows().clear()
        return self._compare()

    def _pause(self, timeout_s: float) -> None:
        self._worker.pause(timeout_s)
        if self._catalogue is not None:
            self._catalogue.checkpoint()

    def _chore(self) -> None:
        """Look after the storage, the limits, and digests that are missing."""
        if self._catalogue is None:
            return
        self._watch_clock()
        problem = self._check_storage()
        if problem is not None:
            self._block({"": problem})
            return
        if self._broken and not self._works_again():
            return
        if self._blocked.get("", "") in {"storage_missing", "storage_foreign", "storage_error", "starting"}:
            self._recover()
        elif self._blocked or self._clock() >= self._retention_at_s or self._short():
            self._keep_within_limits()
        if self._waiting and not self._blocked:
            self._finish_waiting()
        if self._comparing.due:
            self._compare_in_background()
        if self._placer is not None and not self._placer.hash_next():
            self._compare_in_background()

    def _compare_in_background(self, *, anew: bool = False) -> None:
        if (hands := self._placer) is not None:
            is_there = self._storage_is_there
            self._comparing.begin(lambda result: hands.reconcile(result, complete=is_there), anew=anew)

    def _works_again(self) -> bool:
        """Make room if that is what was wanting, and see whether the disk does what it is told."""
        if self._full:
            self._keep_within_limits(free_bytes=self.policy.reserve_bytes - QUOTA_STEP_BYTES)
            self._block({"": "disk_full"})
        try:
            self.storage.probe()
        except OSError:
            return False
        self._broken = self._full = False
        return True

    def _short(self) -> bool:
        with suppress(OSError):
            return self._free_bytes() < self.policy.reserve_bytes
        return False

    def _keep_within_limits(self, free_bytes: int | None = None) -> None:
        rows = self._rows()
        self._retention_at_s = self._clock() + RETENTION_S
        try:
            free_bytes = self._free_bytes() if free_bytes is None else free_bytes
        except OSError:
            self._block({"": "storage_error"})
            return
        now_ms = round((self._trust.now_for_ages() if self._trust else self._now()).timestamp() * 1000)
        sizes = rows.sizes()
        self.holds.keep_within(space_for_clips(self.policy, sizes, free_bytes))
        verdict = decide(self.policy, sizes, rows.oldest, now_ms=now_ms, free_bytes=free_bytes)
        clips = [clip for clip_id in verdict.delete if (clip := rows.get(clip_id)) is not None]
        if clips and self._placer is not None:
            self._placer.delete(clips)
        self._block(dict(verdict.blocked))

    def _watch_clock(self) -> None:
        if self._trust is not None and (seen := self._trust.watch()) is not None:
            self._rows().set_value("last_seen", seen)

    def _block(self, blocked: dict[str, str]) -> None:
        with self._lock:
            before, self._blocked = self._blocked, blocked
        for camera_id in sorted(before.keys() | blocked.keys()):
            code = blocked.get(camera_id)
            if code != before.get(camera_id) and (code or before.get(camera_id) != "starting"):
                self._notify(RecordingBlocked(camera_id, code))

    def _end(self) -> None:
        if self._catalogue is not None:
            self._catalogue.close()
            self._catalogue = self._placer = None
