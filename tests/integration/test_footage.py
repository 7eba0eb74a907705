"""Footage requests in Home Assistant: asked at a real hub, matched, looked at, sent, opened by the agency."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.ringwatch.clips import Clip
from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.fixtures.clips import async_open, furnish, multiply
from tests.fixtures.desk import Desk, desk
from tests.fixtures.hood import async_host
from tests.fixtures.watching import async_until

EVENT = "event.maple_street_footage_request"
OPEN = "sensor.maple_street_open_footage_requests"


@dataclass
class Street:
    """A home that hosts Maple Street, has a clip of an hour ago, and an agency that may ask."""

    hass: HomeAssistant
    entry: ConfigEntry
    hood: ConfigSubentry
    desk: Desk
    clip: Clip

    @property
    def footage(self) -> Any:
        return self.entry.runtime_data.footage

    async def until_open(self, request: str) -> dict[str, Any]:
        """Wait until a request is told of here, and return what the event says."""

        def told() -> bool:
            state = self.hass.states.get(EVENT)
            return state is not None and state.attributes.get("id") == request

        await async_until(told, "the request is an event")
        await self.hass.async_block_till_done()
        state = self.hass.states.get(EVENT)
        assert state is not None
        return dict(state.attributes)

    async def until(self, answer: str, state: str) -> None:
        """Wait until an answer is in a state."""
        await async_until(lambda: str(self.footage.answer(answer).state) == state, f"it is {state}")


@pytest.fixture
async def street(hass: HomeAssistant, socket_enabled: None, tmp_path: Path) -> AsyncIterator[Street]:
    first = furnish(hass)
    later = dt_util.utcnow() - timedelta(hours=1) - first.start
    (clip,) = multiply(hass, first, [later])
    entry = await async_open(hass)
    hood = await async_host(hass, entry)
    running = entry.runtime_data.neighborhoods.get(hood.subentry_id)
    async with desk(running, tmp_path) as made:
        yield Street(hass, entry, hood, made, clip)


async def test_a_request_is_an_event_a_count_and_a_notification_with_its_words(street: Street) -> None:
    request = await street.desk.ask(description="A *white* van [see](http://evil.example)")
    told = await street.until_open(request)
    assert told["event_type"] == "request"
    assert told["agency"] == "Springfield Police"
    assert told["matching_clips"] == 1
    assert told["case_number"] == "24-1189"
    await async_until(lambda: street.hass.states.get(OPEN).state == "1", "one is open")
    notices = persistent_notification._async_get_or_create_notifications(street.hass)
    await async_until(lambda: f"ringwatch_request_{request}" in notices, "a notification")
    message = notices[f"ringwatch_request_{request}"]["message"]
    assert "1 of your own clips match" in message
    assert f"(/ringwatch?request={request})" in message
    assert "http://" not in message
    await street.desk.close(request)
    await async_until(lambda: street.hass.states.get(OPEN).state == "0", "none is open")
    await async_until(lambda: f"ringwatch_request_{request}" not in notices, "the notification went")


async def _send(client: Any, **message: Any) -> dict[str, Any]:
    await client.send_json_auto_id(message)
    return dict(await client.receive_json())


async def _ask(client: Any, name: str, **message: Any) -> Any:
    answer = await _send(client, type=f"ringwatch/footage/{name}", **message)
    assert answer["success"], answer
    return answer["result"]


async def _refused(client: Any, name: str, **message: Any) -> str:
    answer = await _send(client, type=f"ringwatch/footage/{name}", **message)
    assert not answer["success"], answer
    return str(answer["error"]["translation_key"])


@pytest.fixture
async def login(hass: HomeAssistant, hass_admin_user: Any) -> str:
    """An ordinary login's access token: the tests' own one is long-lived."""
    token = await hass.auth.async_create_refresh_token(hass_admin_user, "https://panel.example/")
    return hass.auth.async_create_access_token(token)


async def _prepared(street: Street, client: Any, request: str, **changes: Any) -> dict[str, Any]:
    wanted = {"id": street.clip.id, "mute": True, "blur_faces": False} | changes
    begun = await _ask(
        client,
        "prepare",
        neighborhood=street.hood.subentry_id,
        request=request,
        clips=[wanted],
        identity="anonymous",
    )
    answer = await street.footage.async_wait_prepared(begun["answer"]["id"])
    assert answer is not None
    assert str(answer.state) == "awaiting_confirmation", street.footage.failure(begun["answer"]["id"])
    overview = await _ask(client, "overview")
    return next(one for one in overview["answers"] if one["id"] == answer.id)


async def test_what_was_looked_at_is_what_the_agency_opens(
    street: Street,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    login: str,
) -> None:
    hass = street.hass
    request = await street.desk.ask()
    await street.until_open(request)
    await street.footage.store.async_change(undo_s=0)
    client = await hass_ws_client(hass, login)
    found = await _ask(client, "matches", neighborhood=street.hood.subentry_id, request=request)
    assert [clip["id"] for clip in found["clips"]] == [street.clip.id]
    answer = await _prepared(street, client, request, start_s=1.0)
    (file,) = answer["files"]
    assert await _refused(client, "code", answer=answer["id"]) == "footage_not_watched"
    http = await hass_client_no_auth()
    got = await http.get(file["url"], headers={"Authorization": f"Bearer {login}"})
    assert got.status == 200
    data = await got.read()
    assert await _refused(client, "code", answer=answer["id"]) == "footage_not_watched"
    await _ask(client, "watched", answer=answer["id"], file=file["name"])
    code = (await _ask(client, "code", answer=answer["id"]))["code"]
    sent = await _ask(client, "send", answer=answer["id"], code=code)
    assert sent["answer"]["state"] in {"confirmed", "sending", "sent"}
    await street.until(answer["id"], "sent")
    package, delivery = await street.desk.open(request)
    (clip,) = package.custody.clips
    assert (clip.file, clip.changes.trimmed, clip.changes.masked) == (file["name"], True, False)
    assert package.custody.identity.kind == "anonymous"
    assert b"".join(package.clip(clip.file)) == data
    await street.desk.receive(delivery)
    street.footage.wake()
    await street.until(answer["id"], "received")
