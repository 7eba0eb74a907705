"""The panel's commands: what it shows, and how a person looks, decides and sends.

Sending is here and nowhere else. It takes a code that is given to one login, for one answer as it is, after
that login has fetched every byte of it and the page has played it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
import time
from typing import Any, Final

import probatio

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .footage.answer_states import AnswerError
from .footage.confirming import ConfirmError, Login, Missing, NotSeenError
from .footage_calls import SELECTION, refused_answer, selections_of
from .footage_forms import answer_of, identity_of, overview
from .footage_home import Footage
from .footage_login import async_footage, async_may_answer, login_of_token
from .footage_matches import async_clip_forms
from .neighborhood.requests import RequestItem
from .neighborhood_home import Neighborhood
from .posting import refused

PREFIX: Final = f"{DOMAIN}/footage/"
LIMIT: Final = 100
NOTED_S: Final = 1.0
ID = probatio.All(str, probatio.Length(min=1, max=64))

type Handler = Callable[["Command"], Awaitable[dict[str, Any]]]


class Command:
    """One command: who, and what."""

    def __init__(self, hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
        """Take it over."""
        self.hass = hass
        self.connection = connection
        self.msg = msg

    @property
    def footage(self) -> Footage:
        """What answers. Raise HomeAssistantError while it doesn't run."""
        found = async_footage(self.hass)
        if found is None:
            raise refused(translation_key="not_loaded")
        return found

    @property
    def login(self) -> Login | None:
        """The person's own login, None for a program's."""
        return login_of_token(self.hass, self.connection.refresh_token_id)

    def running(self) -> Neighborhood:
        """Return the neighborhood that is named, if this user may answer for it."""
        running = self.footage.neighborhoods.get(self.msg["neighborhood"])
        if running is None or not async_may_answer(self.hass, self.connection.user, running.subentry_id):
            raise refused(translation_key="neighborhood_not_running")
        return running

    def request(self) -> tuple[Neighborhood, RequestItem]:
        """Return the request that is named."""
        running = self.running()
        found = self.footage.requests.get(running.subentry_id, self.msg["request"])
        if found is None:
            raise refused(translation_key="footage_unknown_request")
        return running, found

    def answer(self) -> Any:
        """Return the answer that is named, if this user may see it."""
        found = self.footage.answer(self.msg["answer"])
        running = None if found is None else self.footage.running_of(found)
        if (
            found is None
            or running is None
            or not async_may_answer(self.hass, self.connection.user, running.subentry_id)
        ):
            raise refused(translation_key="footage_unknown_answer")
        return found

    def admin(self) -> None:
        """Raise HomeAssistantError unless an administrator asks."""
        if not self.connection.user.is_admin:
            raise refused(translation_key="footage_admin_only")


def command(name: str, schema: dict[Any, Any], handler: Handler) -> Callable[[HomeAssistant], None]:
    """Return what registers a command: it refuses in words, whatever goes wrong with an answer."""

    async def handle(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
        try:
            try:
                answer = await handler(Command(hass, connection, msg))
            except AnswerError as err:
                raise refused_answer(err) from err
        except HomeAssistantError as err:  # a person's business, not the log's
            connection.send_error(
                msg["id"],
                websocket_api.ERR_HOME_ASSISTANT_ERROR,
                str(err),
                translation_domain=err.translation_domain,
                translation_key=err.translation_key,
                translation_placeholders=err.translation_placeholders,
            )
            return
        connection.send_result(msg["id"], answer)

    decorated = websocket_api.websocket_command({"type": PREFIX + name} | schema)(
        websocket_api.async_response(wraps(handler)(handle))
    )
    return lambda hass: websocket_api.async_register_command(hass, decorated)


# ---- what there is --------------------------------------------------------------------------------


async def _overview(asked: Command) -> dict[str, Any]:
    return await overview(asked.hass, asked.footage, asked.connection.user, asked.login)


async def _matches(asked: Command) -> dict[str, Any]:
    """Show which of the home's own clips match. Opening them holds them: a person is about to decide."""
    _running, request = asked.request()
    footage = asked.footage
    await footage.async_run(
        lambda: footage.answers.note("request_shown", request=request.id, by=asked.connection.user.id)
    )
    if request.is_open:
        await footage.async_hold(request)
    found = await footage.requests.async_match(request, limit=LIMIT)
    return {
        "clips": async_clip_forms(asked.hass, asked.connection.user, found.clips),
        "more": found.count > len(found.clips),
    }


@callback
@websocket_api.websocket_command({"type": PREFIX + "subscribe"})
def _subscribe(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    footage = async_footage(hass)
    if footage is None:
        connection.send_error(msg["id"], websocket_api.ERR_NOT_FOUND, "Ringwatch doesn't run")
        return

    @callback
    def tell() -> None:
        if any(async_may_answer(hass, connection.user, one.subentry_id) for one in footage.neighborhoods):
            connection.send_message(websocket_api.event_message(msg["id"], {"changed": True}))

    connection.subscriptions[msg["id"]] = footage.async_listen(tell)
    connection.send_result(msg["id"])


# ---- looking and sending --------------------------------------------------------------------------


async def _prepare(asked: Command) -> dict[str, Any]:
    running, request = asked.request()
    footage = asked.footage
    if not request.is_open:
        raise refused(translation_key="footage_not_open")
    replaces = asked.msg.get("answer")
    answer = await footage.async_prepare(
        running,
        request,
        await selections_of(asked.hass, asked.connection.user, asked.msg["clips"]),
        identity_of(footage, asked.msg["identity"]),
        by=asked.connection.user.id,
        replaces=replaces,
    )
    return {"answer": answer_of(footage, answer, asked.login)}


async def _watched(asked: Command) -> dict[str, Any]:
    answer, footage = asked.answer(), asked.footage
    login = _person(asked)
    file = asked.msg["file"]
    if file not in answer.preview_files:
        raise refused(translation_key="footage_unknown_answer")
    deadline_s = time.monotonic() + NOTED_S
    while Missing(file, "bytes") in footage.confirming.missing(answer, login):
        if time.monotonic() > deadline_s:
            raise refused(translation_key="footage_not_fetched")
        await asyncio.sleep(0.05)  # the page has the last bytes before the view has noted that they went
    footage.confirming.watched(answer, login, file)
    await footage.async_run(
        lambda: footage.answers.note(
            "preview_shown",
            request=answer.request,
            answer=answer.id,
            file=asked.msg["file"],
            by=login.user_id,
        )
    )
    return {}


async def _code(asked: Command) -> dict[str, Any]:
    answer = asked.answer()
    login = _person(asked)
    try:
        return {"code": asked.footage.confirming.issue(answer, login)}
    except NotSeenError as err:
        files = ", ".join(sorted({one.file for one in err.missing}))
        raise refused(translation_key="footage_not_watched", files=files) from err
    except ConfirmError as err:
        raise refused(translation_key="footage_wrong_state") from err


async def _send(asked: Command) -> dict[str, Any]:
    answer = asked.answer()
    login = _person(asked)
    try:
        asked.footage.confirming.redeem(answer, login, asked.msg["code"])
    except ConfirmError as err:
        raise refused(translation_key="footage_bad_code") from err
    confirmed = await asked.footage.async_confirm(answer, login.user_id)
    return {"answer": answer_of(asked.footage, confirmed, login)}


def _person(asked: Command) -> Login:
    login = asked.login
    if login is None:
        raise refused(translation_key="footage_login")
    return login


async def _undo(asked: Command) -> dict[str, Any]:
    answer = await asked.footage.async_undo(asked.answer().id, asked.connection.user.id)
    return {"answer": answer_of(asked.footage, answer, asked.login)}


async def _renew(asked: Command) -> dict[str, Any]:
    answer = await asked.footage.async_renew(asked.answer().id)
    return {"answer": answer_of(asked.footage, answer, asked.login)}


async def _discard(asked: Command) -> dict[str, Any]:
    answer = await asked.footage.async_withdraw(asked.answer().id, asked.connection.user.id)
    return {"answer": answer_of(asked.footage, answer, asked.login)}


async def _decline(asked: Command) -> dict[str, Any]:
    running, request = asked.request()
    await asked.footage.async_decline(running, request.id, asked.connection.user.id)
    return {}


async def _reconsider(asked: Command) -> dict[str, Any]:
    running, request = asked.request()
    await asked.footage.async_reconsider(running, request.id, asked.connection.user.id)
    return {}


_REQUEST: Final = {probatio.Required("neighborhood"): ID, probatio.Required("request"): ID}
_ANSWER: Final = {probatio.Required("answer"): ID}

COMMANDS: Final = (
    command("overview", {}, _overview),
    command("matches", _REQUEST, _matches),
    command(
        "prepare",
        _REQUEST
        | {
            probatio.Required("clips"): probatio.All([SELECTION], probatio.Length(min=1, max=10)),
            probatio.Required("identity"): probatio.In(("anonymous", "name", "address")),
            probatio.Optional("answer"): probatio.Any(None, ID),
        },
        _prepare,
    ),
    command(
        "watched",
        _ANSWER | {probatio.Required("file"): ID, probatio.Optional("seconds"): probatio.Coerce(float)},
        _watched,
    ),
    command("code", _ANSWER, _code),
    command("send", _ANSWER | {probatio.Required("code"): ID}, _send),
    command("undo", _ANSWER, _undo),
    command("renew", _ANSWER, _renew),
    command("discard", _ANSWER, _discard),
    command("decline", _REQUEST, _decline),
    command("reconsider", _REQUEST, _reconsider),
)


@callback
def async_setup_footage_websocket(hass: HomeAssistant) -> None:
    """Register the commands."""
    websocket_api.async_register_command(hass, _subscribe)
    for register in COMMANDS:
        register(hass)
