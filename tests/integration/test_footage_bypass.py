"""By-passes of the confirmation: each is refused, and from outside it looks like doing nothing."""

from collections.abc import AsyncIterator
import contextlib
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.auth.const import GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN, User
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.fixtures.asked import Panel, Street, async_login, recorded
from tests.fixtures.hood import async_call
from tests.fixtures.watching import async_until


@pytest.fixture
async def request_id(street: Street) -> str:
    """An open request; and an answer would go at once, were it confirmed."""
    request = await street.desk.ask()
    await street.until_open(request)
    await street.footage.store.async_change(undo_s=0)
    return request


@pytest.fixture
async def mobile_app(hass: HomeAssistant, street: Street) -> None:
    """The phones' integration, there before anybody has called. It takes what the voice assistant takes."""
    pytest.importorskip("hassil")
    assert await async_setup_component(hass, "mobile_app", {})
    await hass.async_block_till_done()


@contextlib.asynccontextmanager
async def nothing_sent(street: Street, request: str) -> AsyncIterator[None]:
    """Prove that no call left the home meanwhile, nor soon after, and that the agency has nothing."""
    with recorded(street.hass) as calls:
        yield
        street.footage.wake()
        await street.footage._sender.async_tick()
        await street.hass.async_block_till_done()
        assert calls == []
    assert await street.desk.deliveries(request) == []
    assert not {"confirmed", "sending", "sent"} & set(await street.lines())


def _share(street: Street, request: str) -> dict[str, Any]:
    return {
        "action": "ringwatch.answer_footage_request",
        "data": {"request": request, "decision": "share", "clips": [street.clip.id], "blur_faces": False},
    }


async def test_whatever_performs_the_action_only_prepares(
    hass: HomeAssistant, street: Street, panel: Panel, request_id: str
) -> None:
    step = _share(street, request_id)
    assert await async_setup_component(hass, "script", {"script": {"send": {"sequence": [step]}}})
    trigger = {"trigger": "event", "event_type": "never"}
    hook = {"trigger": "webhook", "webhook_id": "phone", "local_only": False}
    automation = {"alias": "Send", "triggers": [trigger, hook], "actions": [step], "mode": "queued"}
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    async with nothing_sent(street, request_id):
        await hass.services.async_call("script", "turn_on", {"entity_id": "script.send"}, blocking=True)
        await hass.services.async_call(
            "automation", "trigger", {"entity_id": "automation.send"}, blocking=True
        )
        assert (await panel.http.post("/api/webhook/phone")).status == 200
        await panel.client.send_json_auto_id({"type": "execute_script", "sequence": [step]})
        assert (await panel.client.receive_json())["success"]
        await panel.client.send_json_auto_id(
            {
                "type": "call_service",
                "domain": "ringwatch",
                "service": "answer_footage_request",
                "service_data": step["data"],
                "return_response": True,
            }
        )
        said = await panel.client.receive_json()
        assert said["result"]["response"]["state"] == "awaiting_confirmation"
        await async_until(
            lambda: [str(one.state) for one in street.footage.living()] == ["awaiting_confirmation"] * 5,
            "five answers wait for somebody",
        )


async def test_the_phones_webhook_only_prepares(
    hass: HomeAssistant, street: Street, mobile_app: None, panel: Panel, request_id: str
) -> None:
    phone = {
        "app_id": "io.homeassistant.companion",
        "app_name": "Companion",
        "app_version": "1.0",
        "device_id": "phone",
        "device_name": "Phone",
        "manufacturer": "Somebody",
        "model": "One",
        "os_name": "OS",
        "os_version": "1.0",
        "supports_encryption": False,
    }
    bearer = {"Authorization": f"Bearer {panel.token}"}
    made = await panel.http.post("/api/mobile_app/registrations", json=phone, headers=bearer)
    assert made.status == 201
    url = f"/api/webhook/{(await made.json())['webhook_id']}"
    await hass.async_block_till_done()
    async with nothing_sent(street, request_id):
        step = _share(street, request_id)
        message = {
            "type": "call_service",
            "data": {
                "domain": "ringwatch",
                "service": "answer_footage_request",
                "service_data": step["data"],
            },
        }
        assert (await panel.http.post(url, json=message)).status == 200
        await async_until(lambda: street.footage.living(), "an answer")
        (answer,) = street.footage.living()
        await street.until(answer.id, "awaiting_confirmation")
        # There is no action that would send, and the webhook knows no command of the panel's.
        message["type"] = "ringwatch/footage/send"
        await panel.http.post(url, json=message)
    assert not [name for name in hass.services.async_services_for_domain("ringwatch") if "send" in name]


async def test_a_long_lived_token_and_a_signed_path_get_no_bytes_and_no_code(
    hass: HomeAssistant,
    street: Street,
    panel: Panel,
    request_id: str,
    hass_admin_user: User,
    hass_ws_client: WebSocketGenerator,
) -> None:
    answer = await panel.prepared(request_id)
    token = await hass.auth.async_create_refresh_token(
        hass_admin_user,
        client_name="A program",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=1),
    )
    access = hass.auth.async_create_access_token(token)
    program = Panel(street, await hass_ws_client(hass, access), panel.http, access)
    (file,) = answer["files"]
    async with nothing_sent(street, request_id):
        code = await panel.code(answer)  # which a person has
        assert (await program.get(file["url"])).status == 404
        told = {"answer": answer["id"], "file": file["name"]}
        assert await program.refused("watched", **told) == "footage_login"
        assert await program.refused("code", answer=answer["id"]) == "footage_login"
        assert await program.refused("send", answer=answer["id"], code=code) == "footage_login"
        for signer in (None, hass.auth.async_validate_access_token(panel.token).id):
            signed = async_sign_path(
                hass, file["url"], timedelta(minutes=5), refresh_token_id=signer, use_content_user=not signer
            )
            assert (await panel.http.get(signed)).status == 404
        assert (await panel.http.get(file["url"])).status == 401
        for name in ("../footage.db", "%2e%2e%2ffootage.db", "clip-99.mp4"):
            url = file["url"].rpartition("/")[0] + "/" + name
            assert (await panel.get(url)).status in {400, 404}


async def test_a_code_is_for_one_login_one_use_and_what_was_seen(
    hass: HomeAssistant,
    street: Street,
    panel: Panel,
    request_id: str,
    hass_admin_user: User,
    hass_ws_client: WebSocketGenerator,
) -> None:
    other = await hass.auth.async_create_user("Other", group_ids=[GROUP_ID_USER])
    tokens = [await async_login(hass, user, "https://b.example/") for user in (hass_admin_user, other)]
    again, neighbor = [
        Panel(street, await hass_ws_client(hass, token), panel.http, token) for token in tokens
    ]
    answer = await panel.prepared(request_id)
    of = {"answer": answer["id"]}
    async with nothing_sent(street, request_id):
        code = await panel.code(answer)
        # Another user's, and the same user's other login's; who has seen nothing gets none.
        for someone in (neighbor, again):
            assert await someone.refused("send", **of, code=code) == "footage_bad_code"
            assert await someone.refused("code", **of) == "footage_not_watched"
        assert await neighbor.code(answer) != code
        assert await neighbor.refused("send", **of, code=code) == "footage_bad_code"
        assert await panel.refused("send", **of, code=f"{code[:-1]}x") == "footage_bad_code"

        # One frame less (they are 1/15 s): what was seen is not what would be sent.
        cut = await panel.prepared(request_id, answer=answer["id"], start_s=0.1)
        assert cut["files"][0]["sha256"] != answer["files"][0]["sha256"]
        assert await panel.refused("send", **of, code=code) == "footage_bad_code"
        assert await panel.refused("code", **of) == "footage_not_watched"
        half = await panel.get(cut["files"][0]["url"], Range="bytes=0-99")
        assert half.status == 206
        told = {"file": cut["files"][0]["name"]}
        assert await panel.refused("watched", **of, **told) == "footage_not_fetched"
        assert await panel.refused("code", **of) == "footage_not_watched"
        code = await panel.code(cut)
        cut = await panel.prepared(request_id, answer=answer["id"], start_s=0.1)  # the same again
        assert await panel.refused("send", **of, code=code) == "footage_bad_code"
    await street.footage.store.async_change(undo_s=900)
    code = await panel.code(cut)
    assert (await panel.ask("send", **of, code=code))["answer"]["state"] == "confirmed"
    assert await panel.refused("send", **of, code=code) == "footage_bad_code"
    assert (await panel.ask("undo", **of))["answer"]["state"] == "awaiting_confirmation"
    assert await panel.refused("send", **of, code=code) == "footage_bad_code"
    assert await panel.refused("code", **of) == "footage_not_watched"
    assert await street.desk.deliveries(request_id) == []


async def test_who_may_not_control_the_neighborhood_sees_and_does_nothing(
    hass: HomeAssistant,
    street: Street,
    panel: Panel,
    request_id: str,
    hass_ws_client: WebSocketGenerator,
) -> None:
    user = await hass.auth.async_create_user("Guest", group_ids=[GROUP_ID_READ_ONLY])
    token = await async_login(hass, user)
    guest = Panel(street, await hass_ws_client(hass, token), panel.http, token)
    answer = await panel.prepared(request_id)
    of = {"answer": answer["id"]}
    where = {"neighborhood": street.hood.subentry_id, "request": request_id}
    async with nothing_sent(street, request_id):
        code = await panel.code(answer)
        seen = await guest.ask("overview")
        assert (seen["neighborhoods"], seen["answers"], seen["may"]["administer"]) == ([], [], False)
        assert (await guest.get(answer["files"][0]["url"])).status == 404
        for name in ("code", "undo", "renew", "discard"):
            assert await guest.refused(name, **of) == "footage_unknown_answer"
        assert await guest.refused("send", **of, code=code) == "footage_unknown_answer"
        for name in ("matches", "decline", "reconsider"):
            assert await guest.refused(name, **where) == "neighborhood_not_running"
        clips = [{"id": street.clip.id}]
        wanted = {"clips": clips, "identity": "anonymous"}
        assert await guest.refused("prepare", **where, **wanted) == "neighborhood_not_running"
        demand = {"kind": "warrant", "authority": "A court", "served": 1, "given": "Nothing"}
        for name, data in (
            ("audit", {}),
            ("export_audit", {}),
            ("set_place", {"camera": "front", "place": None}),
            ("set_options", {"undo_s": 0}),
            ("get_model", {}),
            ("demands", {}),
            ("register_demand", demand),
            ("export_demands", {}),
        ):
            assert await guest.refused(name, **data) == "footage_admin_only"


async def test_ignoring_and_declining_look_the_same_from_outside(
    hass: HomeAssistant, street: Street, panel: Panel, request_id: str
) -> None:
    holds = street.entry.runtime_data.recordings.store.holds
    async with nothing_sent(street, request_id):
        await panel.about("matches", request_id)  # opening it holds what matches
        assert [clip.id for clip in await hass.async_add_executor_job(holds.held)] == [street.clip.id]
        answer = await panel.prepared(request_id)
        await panel.ask("discard", answer=answer["id"])
        assert await hass.async_add_executor_job(holds.held) == []
        await panel.about("matches", request_id)
        await panel.about("decline", request_id)
        assert await hass.async_add_executor_job(holds.held) == []
        said = await async_call(hass, "get_footage_requests")
        assert said["requests"][0]["answer"] == "declined"
        assert street.notice(f"ringwatch_request_{request_id}") is None
        await panel.about("reconsider", request_id)
        await async_call(hass, "answer_footage_request", request=request_id, decision="decline")
