"""The one thread that writes a neighborhood's database.

What comes in while a transaction runs is written together in the next one, each job in a savepoint of its
own: a job that is refused leaves nothing behind and stops no other. Whoever waits is told after the commit,
so nothing is acknowledged that could be lost.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
import errno
import sqlite3
from typing import Any, Final

from ..neighborhood.violations import Violation
from .errors import Refusal, of_violation, storage_full
from .log import Log

MAX_BATCH: Final = 64  # jobs in one transaction
MAX_PENDING: Final = 2_000  # then callers are told to come back


class Writer:
    """Runs jobs on the database; used from the loop."""

    def __init__(self, db: sqlite3.Connection, log: Log) -> None:
        self._db = db
        self._log = log
        self._thread = ThreadPoolExecutor(1, "hub-writer")
        self._jobs: deque[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = deque()
        self._running: asyncio.Task[None] | None = None
        self.is_full = False

    @property
    def pending(self) -> int:
        """How many jobs wait."""
        return len(self._jobs)

    async def do[T](self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job in a transaction; return when it is on the disk. Raise Refusal."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append((job, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await future

    async def aside[T](self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run something between transactions: a checkpoint of the log."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, job, self._db)

    async def close(self) -> None:
        """Finish what was taken on, then close the database."""
        if self._running:
            await asyncio.wait([self._running])
        await asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        self._thread.shutdown()

    async def _run(self) -> None:
        while self._jobs:
            batch = [self._jobs.popleft() for _ in range(min(MAX_BATCH, len(self._jobs)))]
            if not await self._write(batch):
                for one in batch:  # something unforeseen in one of them: each alone
                    await self._write([one], alone=True)

    async def _write(
        self,
        batch: list[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]],
        *,
        alone: bool = False,
    ) -> bool:
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._thread, self._transact, [job for job, _ in batch])
        await asyncio.wait([done])
        if error := done.exception():
            if not alone and len(batch) > 1:
                return False
            self._log.problem("write_failed", error)
            results: list[Any] = [Refusal(500, "internal", "the hub failed")] * len(batch)
        else:
            results = done.result()
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():  # its caller has gone
                continue
            if isinstance(result, Refusal):
                future.set_exception(result)
            else:
                future.set_result(result)
        return True

    def _transact(self, jobs: list[Callable[[sqlite3.Connection], Any]]) -> list[Any]:
        results: list[Any] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._db.execute("SAVEPOINT job")
                try:
                    results.append(job(self._db))
                except Violation as violation:
                    self._db.execute("ROLLBACK TO job")
                    results.append(of_violation(violation))
                except Refusal as refusal:
                    self._db.execute("ROLLBACK TO job")
                    results.append(refusal)
                self._db.execute("RELEASE job")
            self._db.execute("COMMIT")
        except (sqlite3.OperationalError, OSError) as error:
            if not is_full(error):
                raise
            self.is_full = True
            return [storage_full() for _ in jobs]
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        self.is_full = False
        return results


def is_full(error: BaseException) -> bool:
    """Return whether the disk has no space left."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    # A write-ahead log that can't grow is told as an I/O error by some file systems
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
