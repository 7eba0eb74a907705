"""What must not get out of a home with an answer, or to users of it whom it doesn't concern."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
import threading
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.ringwatch.clips import Clip
from custom_components.ringwatch.footage import prepare
from custom_components.ringwatch.footage.asking import Asker
from custom_components.ringwatch.footage.mailbox import Mailbox
from custom_components.ringwatch.footage_answers import PREVIEW_URL
from custom_components.ringwatch.neighborhood.hub_client import HubError
from custom_components.ringwatch.neighborhood.limits import KEY_HOLD_S
from custom_components.ringwatch.neighborhood.signed_calls import TRUST_S
from homeassistant.components.http.auth import async_sign_path
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import __version__ as ha_version
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.fixtures.clips import async_open, furnish, multiply
from tests.fixtures.desk import Desk, desk
from tests.fixtures.hood import async_host
from tests.fixtures.watching import async_until


@dataclass
class Home:
    """A home that hosts Maple Street, has a clip of an hour ago, and was asked for it."""

    hass: HomeAssistant
    entry: ConfigEntry
    hood: ConfigSubentry
    desk: Desk
    clip: Clip
    request: str

    @property
    def footage(self) -> Any:
        return self.entry.runtime_data.footage

    @property
    def prepared(self) -> Path:
        return Path(self.hass.config.path("ringwatch", "footage", "prepared"))


class Panel:
    """A page of the panel: one login's websocket."""

    def __init__(self, home: Home, client: Any) -> None:
        self._home = home
        self._client = client

    async def send(self, name: str, **message: Any) -> dict[str, Any]:
        await self._client.send_json_auto_id({"type": f"ringwatch/footage/{name}"} | message)
        return dict(await self._client.receive_json())

    async def ask(self, name: str, **message: Any) -> Any:
        answer = await self.send(name, **message)
        assert answer["success"], answer
        return answer["result"]

    async def refused(self, name: str, **message: Any) -> str:
        answer = await self.send(name, **message)
        assert not answer["success"], answer
        return str(answer["error"]["translation_key"])

    async def begin(self, **changes: Any) -> str:
        """Have an answer made ready; return its id."""
        begun = await self.ask(
            "prepare",
            neighborhood=self._home.hood.subentry_id,
            request=self._home.request,
            clips=[{"id": self._home.clip.id, "blur_faces": False} | changes],
            identity="anonymous",
        )
        return str(begun["answer"]["id"])

    async def ready(self, **changes: Any) -> Any:
        """Have an answer made ready, wait for it, and return it."""
        answer = await self._home.footage.async_wait_prepared(await self.begin(**changes))
        assert answer.state == "awaiting_confirmation"
        return answer


@pytest.fixture
async def home(hass: HomeAssistant, socket_enabled: None, tmp_path: Path) -> AsyncIterator[Home]:
    first = furnish(hass)
    later = dt_util.utcnow() - timedelta(hours=1) - first.start
    (clip,) = multiply(hass, first, [later])
    entry = await async_open(hass)
    hood = await async_host(hass, entry)
    running = entry.runtime_data.neighborhoods.get(hood.subentry_id)
    async with desk(running, tmp_path) as made:
        request = await made.ask()
        requests = entry.runtime_data.footage.requests
        await async_until(lambda: requests.open_of(hood.subentry_id) == 1, "the request is open")
        yield Home(hass, entry, hood, made, clip, request)


async def _token(hass: HomeAssistant, user: Any) -> str:
    """An ordinary login's access token."""
    token = await hass.auth.async_create_refresh_token(user, "https://panel.example/")
    return hass.auth.async_create_access_token(token)


@pytest.fixture
async def login(hass: HomeAssistant, hass_admin_user: Any) -> str:
    return await _token(hass, hass_admin_user)


@pytest.fixture
async def panel(home: Home, hass_ws_client: WebSocketGenerator, login: str) -> Panel:
    return Panel(home, await hass_ws_client(home.hass, login))


async def test_a_package_says_nothing_of_the_home_that_it_need_not(
    home: Home, panel: Panel, login: str, hass_client_no_auth: ClientSessionGenerator
) -> None:
    await home.footage.store.async_change(undo_s=0, name="Anna Novak", address="12 Elm Street")
    answer = await panel.ready()
    (file,) = answer.preview_files
    http = await hass_client_no_auth()
    url = PREVIEW_URL.format(answer=answer.id, file=file)
    data = await (await http.get(url, headers={"Authorization": f"Bearer {login}"})).read()
    await panel.ask("watched", answer=answer.id, file=file)
    code = (await panel.ask("code", answer=answer.id))["code"]
    await panel.ask("send", answer=answer.id, code=code)
    await async_until(lambda: str(home.footage.answer(answer.id).state) == "sent", "it is sent")
    package, _ = await home.desk.open(home.request)
    running = home.entry.runtime_data.neighborhoods.get(home.hood.subentry_id)
    said = package.custody.to_bytes() + package.signatures.to_bytes()
    assert package.custody.clips[0].camera == "Camera 1"
    assert running.home.public_key not in package.custody.to_bytes().decode()
    for secret in (
        "Anna Novak",
        "12 Elm Street",
        home.clip.camera_name,
        home.clip.camera_id,
        home.clip.id,
        answer.id,
        home.hood.subentry_id,
        ha_version,  # it changes monthly, at a day of each owner's own: it would tell homes apart
    ):
        assert secret.encode() not in said, secret
        assert secret.encode() not in data, secret


async def test_a_hub_cannot_talk_the_days_away_in_which_a_new_key_gets_nothing(home: Home) -> None:
    running = home.entry.runtime_data.neighborhoods.get(home.hood.subentry_id)
    running.home.clock.correct(int(time.time()) + 10 * 86_400)  # as a hub's refusal says
    standing = await home.footage._sender._look(running.home.config.neighborhood, home.request)
    assert standing.now_s <= time.time() + TRUST_S < time.time() + KEY_HOLD_S


async def _confirmed(home: Home, panel: Panel, login: str, client: ClientSessionGenerator) -> str:
    """Look at an answer and send it; the time to undo begins."""
    answer = await panel.ready()
    (file,) = answer.preview_files
    url = PREVIEW_URL.format(answer=answer.id, file=file)
    await (await (await client()).get(url, headers={"Authorization": f"Bearer {login}"})).read()
    await panel.ask("watched", answer=answer.id, file=file)
    code = (await panel.ask("code", answer=answer.id))["code"]
    await panel.ask("send", answer=answer.id, code=code)
    return str(answer.id)


async def test_the_hub_does_not_see_when_something_is_confirmed_or_undone(
    home: Home,
    panel: Panel,
    login: str,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A receipt that is asked for at that moment would say so."""
    await home.footage.store.async_change(undo_s=0)
    first = await _confirmed(home, panel, login, hass_client_no_auth)
    await async_until(lambda: str(home.footage.answer(first).state) == "sent", "it is sent")
    await home.footage.store.async_change(undo_s=900)
    asked: list[str] = []
    receipts = Mailbox.async_receipts

    async def counted(self: Mailbox, delivery: str) -> Any:
        asked.append(delivery)
        return await receipts(self, delivery)

    monkeypatch.setattr(Mailbox, "async_receipts", counted)
    second = await _confirmed(home, panel, login, hass_client_no_auth)
    await panel.ask("undo", answer=second)
    await panel.ask("discard", answer=second)
    await asyncio.sleep(0.5)
    assert asked == []


async def test_a_hub_that_refuses_does_not_see_when_something_is_done_here(
    home: Home, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is tried again because somebody declined would tell of it."""
    tries: list[bool] = []

    async def refused(self: Asker, takes_part: bool) -> float | None:
        tries.append(takes_part)
        raise HubError("busy", "later")

    monkeypatch.setattr(Asker, "async_turn", refused)
    home.footage.asking.async_wake()
    await async_until(lambda: bool(tries), "the hub is asked")
    before = len(tries)
    where = {"neighborhood": home.hood.subentry_id, "request": home.request}
    await panel.ask("decline", **where)
    await panel.ask("reconsider", **where)
    await panel.ready()
    await asyncio.sleep(0.5)
    assert len(tries) == before


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, Callable[[], bool]]:
    """Have whoever makes files begin, and wait."""
    begun, go = threading.Event(), threading.Event()
    check = prepare.check

    def slow(*args: Any) -> None:
        begun.set()
        go.wait(20)
        check(*args)

    monkeypatch.setattr(prepare, "check", slow)
    return go, begun.is_set


async def test_what_is_withdrawn_while_it_is_made_leaves_no_files(
    home: Home, panel: Panel, held: tuple[threading.Event, Callable[[], bool]]
) -> None:
    go, has_begun = held
    answer = await panel.begin()
    await async_until(has_begun, "it has begun")
    await panel.ask("discard", answer=answer)
    go.set()
    later = await home.footage.async_wait_prepared(await panel.begin())  # by the same hand, after it
    assert [one.name for one in home.prepared.iterdir()] == [later.folder]
    assert str(home.footage.answer(answer).state) == "withdrawn"


async def test_what_is_edited_while_it_is_made_leaves_no_files(
    home: Home, panel: Panel, held: tuple[threading.Event, Callable[[], bool]]
) -> None:
    go, has_begun = held
    answer = await panel.begin()
    await async_until(has_begun, "it has begun")
    await panel.ask(
        "prepare",
        neighborhood=home.hood.subentry_id,
        request=home.request,
        clips=[{"id": home.clip.id, "blur_faces": False, "start_s": 1.0}],
        identity="anonymous",
        answer=answer,
    )
    go.set()
    found = await home.footage.async_wait_prepared(answer)
    assert (str(found.state), home.footage.failure(answer)) == ("awaiting_confirmation", None)
    await async_until(
        lambda: [one.name for one in home.prepared.iterdir()] == [found.folder], "its files, no others"
    )


async def test_only_whole_bytes_that_this_login_fetched_count(
    home: Home,
    panel: Panel,
    login: str,
    hass_admin_user: Any,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    answer = await panel.ready()
    (file,) = answer.preview_files
    url = PREVIEW_URL.format(answer=answer.id, file=file)
    mine = {"Authorization": f"Bearer {login}"}
    http = await hass_client_no_auth()
    # Played before it was fetched: that was something else.
    assert await panel.refused("watched", answer=answer.id, file=file) == "footage_not_fetched"
    assert (await http.head(url, headers=mine)).status == 405
    size = answer.prepared[0].clip.size_bytes
    for start, stop in ((0, size - 4), (size - 2, size - 1)):
        got = await http.get(url, headers=mine | {"Range": f"bytes={start}-{stop}"})
        assert (got.status, len(await got.read())) == (206, stop - start + 1)
    signed = async_sign_path(
        home.hass, url, timedelta(minutes=5), refresh_token_id=next(iter(hass_admin_user.refresh_tokens))
    )
    assert (await http.get(signed)).status == 404
    for name in ("..%2f..%2fsecrets.yaml", "%2e%2e", ".clip-01.mp4.part", "clip-02.mp4", file + "%00"):
        got = await http.get(PREVIEW_URL.format(answer=answer.id, file=name), headers=mine)
        assert got.status in {400, 404}, name  # Home Assistant refuses some of them itself
    assert await panel.refused("watched", answer=answer.id, file=file) == "footage_not_fetched"
    await (await http.get(url, headers=mine | {"Range": "bytes=-3", "Accept-Encoding": "gzip"})).read()
    assert await panel.refused("code", answer=answer.id) == "footage_not_watched"
    await panel.ask("watched", answer=answer.id, file=file)
    await panel.ask("code", answer=answer.id)


async def test_nothing_can_be_written_into_the_log_by_naming_other_files(home: Home, panel: Panel) -> None:
    answer = await panel.ready()
    assert await panel.refused("watched", answer=answer.id, file="clip-09.mp4") == "footage_unknown_answer"
    lines = home.footage.log.lines(limit=50)
    assert not [line for line in lines if line.what == "preview_shown"]


async def test_whoever_may_not_answer_hears_nothing(
    home: Home, panel: Panel, hass_ws_client: WebSocketGenerator, hass_read_only_user: Any
) -> None:
    """Not even that something was done, and when: subscribing is for those who may answer."""
    await home.footage.store.async_change(name="Anna Novak", address="12 Elm Street")
    client = await hass_ws_client(home.hass, await _token(home.hass, hass_read_only_user))
    other = Panel(home, client)
    overview = await other.ask("overview")
    assert (overview["neighborhoods"], overview["answers"]) == ([], [])
    assert "12 Elm Street" not in str(overview)
    assert "Anna Novak" not in str(overview)
    nobody = await home.hass.auth.async_create_user("Lodger")  # of no group: not even cameras
    seen = await Panel(home, await hass_ws_client(home.hass, await _token(home.hass, nobody))).ask("overview")
    assert seen["settings"]["cameras"] == []
    assert await other.ask("subscribe") is None
    await panel.ready()
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"
    for name, more in (
        ("matches", {"request": home.request}),
        ("decline", {"request": home.request}),
    ):
        said = await other.refused(name, neighborhood=home.hood.subentry_id, **more)
        assert said == "neighborhood_not_running"
