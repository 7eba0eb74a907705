"""Footage requests, at home: making an answer's files ready, which takes minutes.

In a thread of its own, one answer after the other, so that Home Assistant's threads stay free.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
import logging
from pathlib import Path
import shutil
import threading
from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError

from .clips import Clip, UnsafePathError
from .footage.answer_states import Answer, AnswerError, Prepared
from .footage.prepare import PrepareError, Workshop, prepare

if TYPE_CHECKING:
    from .footage_home import Footage

_LOGGER = logging.getLogger(__name__)


class Preparing:
    """The answers whose files are being made, and why those of others could not be."""

    def __init__(self, footage: Footage) -> None:
        """Prepare; the thread comes with the first answer."""
        self._footage = footage
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, str] = {}
        self._worker = ThreadPoolExecutor(1, "ringwatch-prepare")

    def __contains__(self, answer_id: str) -> bool:
        """Whether an answer's files are being made."""
        return answer_id in self._tasks

    def failure(self, answer_id: str) -> str | None:
        """Return why an answer's files could not be made."""
        return self._failed.get(answer_id)

    @callback
    def async_begin(self, answer: Answer) -> None:
        """Begin to make an answer's files; what becomes of it is told."""
        self._failed.pop(answer.id, None)
        task = self._footage.async_spawn(self._async_make(answer), f"ringwatch answer {answer.id[:8]}")
        self._tasks[answer.id] = task
        task.add_done_callback(lambda _task: self._made(answer.id))

    def _made(self, answer_id: str) -> None:
        self._tasks.pop(answer_id, None)
        self._footage.async_tell()

    async def async_wait(self, answer_id: str) -> None:
        """Wait until an answer's files are there, or aren't going to be."""
        if (task := self._tasks.get(answer_id)) is not None:
            await asyncio.wait([task])

    async def async_cancel(self, answer_id: str) -> None:
        """Stop making an answer's files."""
        if (task := self._tasks.get(answer_id)) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def async_rest(self) -> list[str]:
        """Stop making any; return the ids of the answers that it was about."""
        tasks = dict(self._tasks)
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        return list(tasks)

    async def async_stop(self) -> None:
        """End for good, within a bounded time."""
        await self.async_rest()
        await self._footage.hass.async_add_executor_job(partial(self._worker.shutdown, cancel_futures=True))

    async def _async_make(self, answer: Answer) -> None:
        footage = self._footage
        code: str | None = None
        stopped = threading.Event()
        try:
            standing = await footage.hubs.async_look(answer.neighborhood, answer.request)
            if standing is None or not standing.is_enrolled:
                code = "not_open"
                return
            found = await footage.hass.loop.run_in_executor(self._worker, self._prepare, answer, stopped)
            footage.async_keep(
                await footage.async_run(
                    footage.answers.prepared, answer.id, found, standing.recipient, answer.revision
                )
            )
        except asyncio.CancelledError:
            stopped.set()
            raise
        except PrepareError as err:
            code = err.code
        except AnswerError as err:  # thrown away or changed meanwhile
            code = err.code
        except HomeAssistantError as err:
            _LOGGER.warning("The answer %s could not be made ready: %s", answer.id[:8], err)
            code = "disk_full"
        finally:
            if code is not None:
                self._failed[answer.id] = code
                footage.async_tell()

    def _prepare(self, answer: Answer, stopped: threading.Event) -> tuple[Prepared, ...]:
        """Make the files. In the thread for that, which nothing else waits for if it is stopped."""
        folder = self._footage.answers.preview_folder(answer)
        try:
            if stopped.is_set():
                raise PrepareError("cancelled")
            return self._made_files(answer, folder, stopped.is_set)
        finally:
            if stopped.is_set():  # nobody takes them any more
                shutil.rmtree(folder, ignore_errors=True)

    def _made_files(
        self, answer: Answer, folder: Path, is_stopped: Callable[[], bool]
    ) -> tuple[Prepared, ...]:
        store = self._footage.recordings.store
        clips: dict[str, Clip] = {}
        for one in answer.selections:
            clip = store.questions.get(one.clip_id)
            if clip is None:
                raise PrepareError("clip_gone")
            clips[clip.id] = clip

        def file_of(clip: Clip) -> Path:
            try:
                return store.storage.path(clip.path)
            except UnsafePathError as err:
                raise PrepareError("clip_gone") from err

        wanted = any(one.blur_faces for one in answer.selections)
        finder = self._footage.faces.finder() if wanted else None
        return prepare(
            answer, clips, folder, Workshop(file_of, None if finder is None else finder.find, is_stopped)
        )
