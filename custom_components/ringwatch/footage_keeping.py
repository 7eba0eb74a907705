"""The answers and the audit log on disk: opened, closed while a backup is made, and opened again.

How far the log has come is noted a second time, in the file of settings, so that one cut short is noticed.
While a backup is made a mark lies in the folder. Whoever finds it at a start has been restored from that
backup: what was confirmed then may have been undone since, so it has to be confirmed anew.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import logging
from pathlib import Path
import sqlite3
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .footage.answer_states import Answer, State
from .footage.answers import AnswerStore
from .footage.audit import Anchor, AuditLog, Trouble
from .footage_store import FootageStore

_LOGGER = logging.getLogger(__name__)

FOLDER: Final = "footage"
MARK: Final = "backup"
RESTORED: Final = "restored"  # why an answer has to be confirmed anew


class Keeping:
    """Owned by Footage. Nothing is open before `async_open`, nor after `async_close`."""

    def __init__(self, hass: HomeAssistant, store: FootageStore) -> None:
        """Prepare."""
        self._hass = hass
        self._store = store
        self.folder = Path(hass.config.path(DOMAIN, FOLDER))
        self.paused = False
        self.opened = asyncio.Event()
        self._log: AuditLog | None = None
        self._answers: AnswerStore | None = None
        self._anchor: Anchor | None = None
        self._saving: asyncio.Task[None] | None = None

    async def async_open(self) -> tuple[str | None, list[Answer]]:
        """Open both; return what is wrong with the log, and the answers that a restored backup made stale.

        Raise OSError, sqlite3.Error, or AnswerError.
        """
        found = await self._hass.async_add_executor_job(self._open)
        self.opened.set()
        return found

    def _open(self) -> tuple[str | None, list[Answer]]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._log = log = AuditLog(self.folder)
        try:
            trouble = self.trouble_of_log()
            if trouble is not None and trouble.code == "truncated" and self.anchor is not None:
                log.append("log_cut", had=self.anchor.n)  # the next line would hide it
            log.on_head = self._head  # from here on: what was there is what the file of settings knows
            answers = AnswerStore(self.folder, log)
            stale = self._after_restoring(answers)
        except BaseException:
            self._log = None
            log.close()
            raise
        self._answers = answers
        return None if trouble is None else trouble.code, stale

    def _after_restoring(self, answers: AnswerStore) -> list[Answer]:
        mark = self.folder / MARK
        if not mark.exists():
            return []
        log = answers.note("restored_backup")
        _LOGGER.info("Restored from a backup (%s): what was confirmed has to be confirmed anew", log.time_s)
        stale = [
            answers.stale(answer.id, RESTORED)
            for answer in answers.living()
            if answer.state in {State.CONFIRMED, State.SENDING}
        ]
        mark.unlink()
        return stale

    async def async_close(self) -> None:
        """Close both. What waits to be written is written."""
        self.opened.clear()
        answers, log = self._answers, self._log
        self._answers = None
        if answers is not None:
            await self._hass.async_add_executor_job(answers.close)
        await asyncio.sleep(0)  # what a thread has handed over about the log's end
        if self._saving is not None:
            await asyncio.gather(self._saving, return_exceptions=True)
        self._log = None
        if log is not None:
            await self._hass.async_add_executor_job(log.close)

    async def async_pause(self) -> None:
        """Close both for a backup, and leave the mark that goes into it."""
        self.paused = True
        await self.async_close()
        with suppress(OSError):  # then a restored home doesn't know that it is one
            await self._hass.async_add_executor_job((self.folder / MARK).touch)

    async def async_resume(self) -> tuple[str | None, list[Answer]]:
        """Open both again after a backup. Raise as `async_open` does."""
        self.paused = False
        await self._hass.async_add_executor_job(lambda: (self.folder / MARK).unlink(missing_ok=True))
        return await self.async_open()

    # ---- using it ---------------------------------------------------------------------------------

    @property
    def answers(self) -> AnswerStore:
        """The answers. Raise HomeAssistantError where they are not open."""
        if self._answers is None:
            raise self.closed()
        return self._answers

    @property
    def log(self) -> AuditLog:
        """The audit log. Raise HomeAssistantError where it is not open."""
        if self._log is None:
            raise self.closed()
        return self._log

    def closed(self) -> HomeAssistantError:
        """Return why nothing can be done."""
        key = "neighborhood_backup" if self.paused else "footage_closed"
        return HomeAssistantError(translation_domain=DOMAIN, translation_key=key)

    async def async_run[T](self, job: Callable[..., T], *args: Any) -> T:
        """Run what reads or writes answers or the log. Raise AnswerError, or HomeAssistantError."""
        if self._answers is None:
            raise self.closed()
        try:
            return await self._hass.async_add_executor_job(job, *args)
        except (OSError, sqlite3.Error) as err:
            if self._answers is None:  # closed while this waited for a thread
                raise self.closed() from err
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="footage_not_saved",
                translation_placeholders={"error": str(err)},
            ) from err

    # ---- the end of the log -----------------------------------------------------------------------

    @property
    def anchor(self) -> Anchor | None:
        """How far the log had come when that was last noted, outside of it."""
        kept = self._store.kept.anchor
        return Anchor(int(kept["n"]), str(kept["hash"])) if kept else None

    def trouble_of_log(self) -> Trouble | None:
        """Return what is wrong with the log, None if nothing is. Blocks."""
        return self.log.verify(self.anchor)

    def _head(self, head: Anchor) -> None:
        """Keep how far the log has come. In the thread that wrote."""
        self._hass.loop.call_soon_threadsafe(self._anchored, head)

    @callback
    def _anchored(self, head: Anchor) -> None:
        if self._anchor is None or head.n > self._anchor.n:
            self._anchor = head
        if self._saving is None or self._saving.done():
            self._saving = self._hass.async_create_task(self._async_save_anchor(), "ringwatch anchor")

    async def _async_save_anchor(self) -> None:
        while (head := self._anchor) is not None and self._store.kept.anchor.get("n") != head.n:
            try:
                await self._store.async_keep(
                    anchor={"n": head.n, "hash": head.hash, "time": int(time.time())}
                )
            except HomeAssistantError as err:
                _LOGGER.warning("%s", err)
                return
