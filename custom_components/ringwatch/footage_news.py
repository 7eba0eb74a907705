"""Footage requests, at home: who is told that there is a new request, or that one is over."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import CALLBACK_TYPE, callback

from .footage.answer_states import State
from .neighborhood.requests import RequestItem
from .neighborhood_home import Neighborhood

if TYPE_CHECKING:
    from .footage_home import Footage

# An answer in these states is the home's word on a request; a notification is of no use any more.
ANSWERING: Final = frozenset({State.CONFIRMED, State.SENDING, State.SENT, State.RECEIVED})

type NewsListener = Callable[[str, RequestItem, int], None]


class News:
    """The event entities and the notifications of requests, and the audit log's lines about them."""

    def __init__(self, footage: Footage) -> None:
        """Prepare; nobody listens yet."""
        self._footage = footage
        self._listeners: dict[str, list[NewsListener]] = {}

    @callback
    def async_listen(self, subentry_id: str, listener: NewsListener) -> CALLBACK_TYPE:
        """Call the listener with the type, the request and the matching clips of each piece of news."""
        listeners = self._listeners.setdefault(subentry_id, [])
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    @callback
    def async_tell(self, running: Neighborhood, kind: str, request: RequestItem, matches: int) -> None:
        """Tell everybody."""
        for listener in list(self._listeners.get(running.subentry_id, ())):
            listener(kind, request, matches)
        self._footage.async_spawn(
            self._async_notice(running, kind, request, matches), f"ringwatch notice {request.id[:8]}"
        )

    async def _async_notice(
        self, running: Neighborhood, kind: str, request: RequestItem, matches: int
    ) -> None:
        footage = self._footage
        answered = any(
            answer.request == request.id and answer.state in ANSWERING for answer in footage.living()
        )
        if footage.keeping.paused:
            await footage.keeping.opened.wait()
        declined: int | None = None
        if footage.is_open:
            declined = await footage.async_run(
                footage.answers.declined, running.home.config.neighborhood, request.id
            )
            await footage.async_run(
                partial(
                    footage.answers.note,
                    "request_seen",
                    request=request.id,
                    agency=request.agency.name,
                    news=kind,
                    matches=matches,
                )
            )
        if request.is_open and not answered and declined is None:
            await footage.notices.async_show(running.title, kind, request, matches)
        elif not request.is_open:
            footage.notices.async_hide(request.id)
            await footage.holds.async_tidy()
        if footage.is_open and footage.store.settings.hold and request.is_open and declined is None:
            await footage.async_hold(request)
