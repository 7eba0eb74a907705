"""Footage requests, at home: what answers need to know of their neighborhoods and those's hubs."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from homeassistant.core import CALLBACK_TYPE, callback

from .footage.mailbox import HubAccess
from .footage.standing import Standing, read_standing
from .neighborhood.ledger import Ledger
from .neighborhood_home import Neighborhood

if TYPE_CHECKING:
    from .neighborhoods import Neighborhoods


class Hubs:
    """How to reach the hub of an answer, how its request stands there, and when a hub answers again."""

    def __init__(self, neighborhoods: Neighborhoods, on_back: Callable[[], None]) -> None:
        """Prepare; nothing is listened to yet."""
        self._neighborhoods = neighborhoods
        self._on_back = on_back
        self._connected: dict[str, bool] = {}  # by subentry: whether its hub answered
        self._unlisten: list[CALLBACK_TYPE] = []

    def running(self, neighborhood: str) -> Neighborhood | None:
        """Return a neighborhood while it runs."""
        return next(
            (one for one in self._neighborhoods if one.home.config.neighborhood == neighborhood), None
        )

    def access(self, neighborhood: str) -> HubAccess | None:
        """Return how to reach a neighborhood's hub, as its member."""
        running = self.running(neighborhood)
        if running is None:
            return None
        home = running.home
        session = self._neighborhoods.session_of(running)
        return HubAccess(home.config.url, home.config.hub_key, home.key, home.clock, session)

    async def async_look(self, neighborhood: str, request: str) -> Standing | None:
        """Return how a request stands, None where that isn't known."""
        running = self.running(neighborhood)
        if running is None:
            return None
        # Not the hub's time as it is: a hub could end the days in which a new key gets nothing.
        now_s = running.home.clock.judging_s()

        def ask(ledger: Ledger) -> Standing | None:
            me = ledger.state.subject_of(running.home.public_key)
            return read_standing(ledger, request, me, now_s)

        return await running.home.async_ask(ask)

    @callback
    def async_follow(self) -> None:
        """Listen to the neighborhoods that run now."""
        self.async_leave()
        for running in self._neighborhoods:
            key = running.subentry_id
            self._unlisten.append(self._neighborhoods.async_listen(key, partial(self._turned, key)))

    @callback
    def async_leave(self) -> None:
        """Listen to none."""
        while self._unlisten:
            self._unlisten.pop()()

    @callback
    def _turned(self, subentry_id: str) -> None:
        running = self._neighborhoods.get(subentry_id)
        connected = running is not None and running.home.connected
        if connected and not self._connected.get(subentry_id, False):
            self._on_back()
        self._connected[subentry_id] = connected
