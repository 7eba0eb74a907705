"""Whether this home takes part in "did anybody record?", and what drives that, one task a neighborhood.

Off until the owner says otherwise. While it is off, a hub that was never given this home's consent hears
nothing.
"""

import asyncio
from collections.abc import Callable
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from .footage.asking import Asker, has_recorded
from .footage.asking_store import AskingDamagedError, AskingStore
from .footage.matching import CameraPlace
from .footage_store import FootageStore
from .neighborhood.availability import Question
from .neighborhood.hub_client import HubError
from .recording import FAILURES, Recordings

if TYPE_CHECKING:
    from .neighborhood_home import Neighborhood
    from .neighborhoods import Neighborhoods

_LOGGER = logging.getLogger(__name__)

AWAY_S: Final = 60.0  # until a hub that doesn't answer is tried again
MAX_AWAY_S: Final = 3600.0  # however long the hub says
TROUBLE_S: Final = 600.0  # until the disk is tried again


class Askings:
    """Owned by Footage."""

    def __init__(
        self,
        hass: HomeAssistant,
        neighborhoods: Neighborhoods,
        recordings: Recordings,
        settings: FootageStore,
        folder: Path,
        *,
        places: Callable[[], list[CameraPlace]],
        note: Callable[[str], object],
    ) -> None:
        """Ask nothing yet. `note` writes into the audit log which request was taken part in; it blocks."""
        self._hass = hass
        self._neighborhoods = neighborhoods
        self._recordings = recordings
        self._settings = settings
        self._store = AskingStore(folder)
        self._places = places
        self._note = note
        self._tasks: dict[str, tuple[Neighborhood, asyncio.Event, asyncio.Task[None]]] = {}
        self._closed = False

    @callback
    def async_wake(self) -> None:
        """Look whether something is due: a request came, a setting or a neighborhood changed."""
        if self._closed:
            return
        running = {one.subentry_id: one for one in self._neighborhoods}
        for subentry_id, (one, wake, task) in list(self._tasks.items()):
            if running.get(subentry_id) is one:
                wake.set()
            else:
                task.cancel()
                del self._tasks[subentry_id]
        for subentry_id, one in running.items():
            if subentry_id not in self._tasks:
                wake = asyncio.Event()
                task = self._hass.async_create_background_task(
                    self._async_follow(one, wake), f"ringwatch availability {one.title}"
                )
                self._tasks[subentry_id] = (one, wake, task)

    async def async_stop(self) -> None:
        """End. What was made and not sent is sent after the next start."""
        self._closed = True
        tasks = [task for _, _, task in self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _async_follow(self, running: Neighborhood, wake: asyncio.Event) -> None:
        asker = Asker(running.home, running.session, self._store, self._async_recorded, note=self._async_note)
        while True:
            wake.clear()
            try:
                pause_s = await self._async_turn(running, asker)
            except HubError as err:
                _LOGGER.debug("%s: did anybody record: %s", running.title, err)
                # To its end, whatever wakes: a call that is tried again when somebody looks at a request or
                # declines it would tell the hub that they did.
                await asyncio.sleep(min(max(AWAY_S, float(err.retry_after_s or 0)), MAX_AWAY_S))
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await wake.wait()

    async def _async_turn(self, running: Neighborhood, asker: Asker) -> float | None:
        if not running.home.connected:
            return AWAY_S
        try:
            return await asker.async_turn(self._settings.settings.availability)
        except (AskingDamagedError, HomeAssistantError, RuntimeError, *FAILURES) as err:
            # HomeAssistantError: the log can't be written. RuntimeError: the copy is closed just now.
            _LOGGER.warning("%s: did anybody record: not answered: %s", running.title, err)
            return TROUBLE_S

    async def _async_recorded(self, question: Question) -> bool:
        return await self._hass.async_add_executor_job(
            has_recorded, self._recordings.store.questions, self._places(), question
        )

    async def _async_note(self, request: str) -> None:
        await self._hass.async_add_executor_job(self._note, request)
