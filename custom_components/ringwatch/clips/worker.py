"""The store's one thread: jobs in the order they come, a pause for backups, chores in between."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
import logging
from queue import Empty, SimpleQueue
import sqlite3
import threading
import time

_LOGGER = logging.getLogger(__name__)

CHORE_S = 5.0  # how soon a full disk that has room again is noticed


class StoppedError(RuntimeError):
    """The store has been stopped, so nothing can be done any more."""


class PausedError(RuntimeError):
    """A backup is being made, so nothing is changed now."""


class Worker:
    """Runs jobs one after the other. `chore` is called every few seconds between them."""

    def __init__(
        self,
        name: str,
        *,
        begin: Callable[[], None],
        chore: Callable[[], None],
        end: Callable[[], None],
        repair: Callable[[sqlite3.DatabaseError], bool],
    ) -> None:
        """`repair` answers a damaged database; it returns False where that is not what happened."""
        self._begin, self._chore, self._end, self._repair = begin, chore, end, repair
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._background: list[Iterator[None]] = []
        self._stop = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._resume_at_s = 0.0
        self._paused_for: list[Future[bool]] = []
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def paused(self) -> bool:
        """Whether jobs wait."""
        return not self._running.is_set()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Do the jobs there are and end. False if that took too long: the rest is for the next start."""
        self._stop.set()
        self._running.set()
        self._jobs.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def post(self, job: Callable[[], None]) -> None:
        """Have something done."""
        self._jobs.put(job)

    def ask[T](self, job: Callable[[], T]) -> Future[T]:
        """Have something done and get its result."""
        future: Future[T] = Future()
        if self._stop.is_set():
            future.set_exception(StoppedError("the clip store has been stopped"))
            return future

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = job()
            except BaseException as error:  # whoever asked gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        self._jobs.put(run)
        return future

    def ask_now[T](self, job: Callable[[], T]) -> T:
        """Have something done and wait for it. Raise PausedError rather than wait for the end of a backup."""
        if self.paused and not self._stop.is_set():
            raise PausedError("a backup is being made")
        return self.ask(job).result()

    def add_background(self, steps: Iterator[None]) -> None:
        """Have something long done a step at a time, whenever there is no job. In the worker's thread."""
        self._background.append(steps)

    def pause(self, timeout_s: float) -> None:
        """Hold jobs back after the present one, for so long at most. In the worker's thread."""
        self._resume_at_s = time.monotonic() + timeout_s
        self._running.clear()

    def resume(self) -> None:
        """Go on."""
        self._running.set()

    def _run(self) -> None:
        self._guarded(self._begin)
        chore_at_s = time.monotonic()
        while True:
            if not self._running.wait(max(0.0, self._resume_at_s - time.monotonic())):
                _LOGGER.warning("The end of a backup was not announced; clips are stored again")
                self._running.set()
            now_s = time.monotonic()
            if now_s >= chore_at_s and not self._stop.is_set():
                chore_at_s = now_s + CHORE_S
                self._guarded(self._chore)
                continue
            try:
                job = self._jobs.get(timeout=0.0 if self._background else max(0.0, chore_at_s - now_s))
            except Empty:
                self._step()
                continue
            if job is None:
                break
            self._guarded(job)
        self._guarded(self._end)

    def _step(self) -> None:
        if not self._background or self._stop.is_set():
            return

        def step() -> None:
            steps = self._background[0]
            try:
                next(steps)
            except BaseException as error:
                self._background.remove(steps)
                if not isinstance(error, StopIteration):
                    raise

        self._guarded(step)

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            try:
                job()
            except sqlite3.DatabaseError as error:
                if not self._repair(error):
                    raise
        except Exception:
            _LOGGER.exception("Something went wrong in the clip store; it goes on")
