"""The ways of an answer: undone, withdrawn, waiting, stale, renewed; and of a request: matched, told once."""

from collections.abc import Iterator
from datetime import timedelta
import json
from pathlib import Path
import re
from typing import Any
from unittest.mock import patch

import aiohttp
import pytest

from custom_components.ringwatch.diagnostics import async_get_config_entry_diagnostics
from custom_components.ringwatch.footage.age_file import generate_identity
from custom_components.ringwatch.neighborhood.bodies import Role
from custom_components.ringwatch.neighborhood.bodies.people import RoleName
from custom_components.ringwatch.neighborhood.keys import PrivateKey
from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util
from tests.fixtures.asked import OPEN, Panel, Street, recorded
from tests.fixtures.desk import profile
from tests.fixtures.hood import REQUESTS, async_call, async_until_connected
from tests.fixtures.watching import FRONT, async_until


@pytest.fixture
async def request_id(street: Street) -> str:
    """An open request."""
    request = await street.desk.ask()
    await street.until_open(request)
    return request


def prepared_files(street: Street) -> Iterator[Path]:
    """Yield what lies ready."""
    folder: Path = street.footage.keeping.folder / "prepared"
    yield from (path for path in folder.rglob("*") if path.is_file())


async def _problem(street: Street, answer: str, problem: str) -> None:
    street.footage.wake()
    await async_until(lambda: street.footage.answer(answer).problem == problem, f"it waits: {problem}")


async def test_an_answer_is_undone_confirmed_again_and_withdrawn(
    hass: HomeAssistant, street: Street, panel: Panel, request_id: str, tmp_path: Path
) -> None:
    answer = await panel.prepared(request_id)
    of = {"answer": answer["id"]}
    with recorded(hass) as calls:
        assert (await panel.sent(answer))["state"] == "confirmed"
        undone = (await panel.ask("undo", **of))["answer"]
        assert (undone["state"], [file["watched"] for file in undone["files"]]) == (
            "awaiting_confirmation",
            [False],
        )
        assert (await panel.sent(undone))["state"] == "confirmed"
        said = await async_call(hass, "withdraw_answer", answer=answer["id"])
        assert said == {"answer": answer["id"], "state": "withdrawn"}
        assert await panel.refused("undo", **of) == "footage_wrong_state"
        assert calls == []
    assert not list(prepared_files(street))
    assert await street.desk.deliveries(request_id) == []
    log = await async_call(hass, "get_audit_log")
    assert [line["what"] for line in reversed(log["entries"])][-4:] == [
        "undone",
        "preview_shown",
        "confirmed",
        "withdrawn",
    ]
    assert log["intact"]


async def test_another_key_of_the_agency_takes_another_look_and_72_hours(
    street: Street, panel: Panel, request_id: str
) -> None:
    await street.footage.store.async_change(undo_s=1)
    answer = await panel.prepared(request_id)
    home = street.desk.host.home
    key, age = PrivateKey.generate(), generate_identity()
    changed = profile(key, age, home.hub_time_s() + 1, replaces=street.desk.agency_id)
    assert (await panel.sent(answer))["state"] == "confirmed"
    await home.async_submit(changed)
    await async_until(lambda: home.pending == 0, "the new key is at the hub")
    await street.until(answer["id"], "stale")
    assert street.footage.answer(answer["id"]).code == "agency_changed"
    assert "key or promises have changed" in (street.notice(f"ringwatch_answer_{answer['id']}") or "")
    assert await panel.refused("code", answer=answer["id"]) == "footage_wrong_state"
    renewed = (await panel.ask("renew", answer=answer["id"]))["answer"]
    assert renewed["state"] == "awaiting_confirmation"
    assert renewed["recipient"]["fingerprint"] != answer["recipient"]["fingerprint"]
    await panel.sent(renewed)
    await async_until(lambda: street.footage.answer(answer["id"]).release_s <= dt_util.utcnow().timestamp())
    await _problem(street, answer["id"], "agency_on_hold")
    assert street.footage.answer(answer["id"]).delivery is None
    assert "sending" not in await street.lines()


async def test_a_suspended_agency_gets_nothing_until_it_is_back(
    street: Street, panel: Panel, request_id: str
) -> None:
    await street.footage.store.async_change(undo_s=1)
    answer = await panel.prepared(request_id)
    home = street.desk.host.home
    await home.async_submit(Role(street.desk.agency_id, RoleName.NONE))
    await async_until(lambda: street.hass.states.get(OPEN).state == "0", "it isn't open")
    await panel.sent(answer)
    await async_until(lambda: street.footage.answer(answer["id"]).release_s <= dt_util.utcnow().timestamp())
    await _problem(street, answer["id"], "request_held")
    await home.async_submit(Role(street.desk.agency_id, RoleName.AGENCY))
    await async_until(lambda: street.hass.states.get(OPEN).state == "1", "it is open again")
    street.footage.wake()
    await street.until(answer["id"], "sent")


async def test_two_answers_to_a_request_and_one_that_was_closed_meanwhile(
    street: Street, panel: Panel, request_id: str
) -> None:
    await street.footage.store.async_change(undo_s=0)
    for _ in range(2):
        answer = await panel.prepared(request_id)
        await panel.sent(answer)
        await street.until(answer["id"], "sent")
    assert len(await street.desk.deliveries(request_id)) == 2
    await street.footage.store.async_change(undo_s=2)
    answer = await panel.prepared(request_id)
    await panel.sent(answer)
    await street.desk.close(request_id)  # within a day after it, who has confirmed still delivers
    await street.until(answer["id"], "sent")
    clips = [{"id": street.clip.id, "blur_faces": False}]
    where = {"neighborhood": street.hood.subentry_id, "request": request_id}
    await async_until(lambda: street.hass.states.get(OPEN).state == "0", "it is closed")
    assert await panel.refused("prepare", **where, clips=clips, identity="anonymous") == "footage_not_open"


async def test_while_the_hub_is_away_it_waits_and_then_goes(
    hass: HomeAssistant, street: Street, panel: Panel, request_id: str
) -> None:
    await street.footage.store.async_change(undo_s=0)
    answer = await panel.prepared(request_id)
    hub = street.entry.runtime_data.neighborhoods.hub
    settings = hub.settings
    await hub.async_apply(None)
    await panel.sent(answer)
    await _problem(street, answer["id"], "hub_away")
    await hub.async_apply(settings)
    await async_until_connected(hass, street.entry, street.hood)
    await street.until(answer["id"], "sent")


async def test_faces_that_cannot_be_hidden_are_a_refusal(
    hass: HomeAssistant, street: Street, panel: Panel, request_id: str
) -> None:
    with pytest.raises(HomeAssistantError) as refused:
        await async_call(
            hass,
            "answer_footage_request",
            request=request_id,
            decision="share",
            clips=[street.clip.id],
        )
    assert refused.value.translation_key in {"footage_no_face_model", "footage_no_ncnn"}
    (answer,) = street.footage.living()
    assert (answer.prepared, answer.contents) == ((), None)
    assert not [path for path in (street.footage.keeping.folder / "prepared").rglob("*") if path.is_file()]
    shown = await panel.answer(answer.id)
    assert (shown["state"], shown["error"] in {"no_face_model", "no_ncnn"}) == ("failed", True)
    assert await panel.refused("code", answer=answer.id) == "footage_wrong_state"


async def test_a_request_is_told_once_and_not_again_after_a_restart(
    hass: HomeAssistant, street: Street, request_id: str
) -> None:
    name = f"ringwatch_request_{request_id}"
    await async_until(lambda: street.notice(name), "a notification")
    before = hass.states.get(REQUESTS).state
    persistent_notification.async_dismiss(hass, name)
    assert await hass.config_entries.async_reload(street.entry.entry_id)
    await async_until_connected(hass, street.entry, street.hood)
    await async_until(lambda: hass.states.get(OPEN).state == "1", "it is counted")
    await hass.async_block_till_done()
    assert street.notice(name) is None
    assert hass.states.get(REQUESTS).state == before
    assert (await street.lines()).count("request_seen") == 1


async def test_a_request_is_compared_with_where_the_camera_is(
    hass: HomeAssistant, street: Street, panel: Panel, request_id: str
) -> None:
    async def matches() -> int:
        (found,) = (await async_call(hass, "get_footage_requests"))["requests"]
        return int(found["matching_clips"])

    assert await matches() == 1
    far = {"lat": hass.config.latitude + 0.5, "lon": hass.config.longitude}
    with recorded(hass) as calls:
        await panel.ask("set_place", camera=FRONT, place=far)
        assert await matches() == 0
        assert (await panel.about("matches", request_id))["clips"] == []
        await panel.ask("set_place", camera=FRONT, place=None)
        assert await matches() == 1
        assert calls == []
    assert await panel.refused("set_place", camera="nobody", place=far) == "footage_unknown_camera"


async def test_what_an_officer_writes_is_text_in_the_notification(street: Street) -> None:
    request = await street.desk.ask(
        description="![x](http://a.example/x.png) <img src=http://b.example> **now** [call](tel:1) `x`\n# Now"
    )
    await street.until_open(request)
    name = f"ringwatch_request_{request}"
    await async_until(lambda: street.notice(name), "a notification")
    message = street.notice(name) or ""
    words = message.partition("is asked for.")[2].partition("Nothing has been sent")[0]
    assert "now" in words
    assert not re.findall(r"(?<!\\)[][`*<>#!]", words)


async def test_the_panels_other_commands(hass: HomeAssistant, street: Street, panel: Panel) -> None:
    pending = await street.desk.ask(release=False)
    await async_until(
        lambda: street.footage.requests.get(street.hood.subentry_id, pending), "it waits for a moderator"
    )
    assert hass.states.get(OPEN).state == "0"
    await panel.about("moderate", pending, decision="restore", reason="")
    await street.until_open(pending)
    assert await panel.refused("set_options", identity="name") == "footage_no_name"
    await panel.ask("set_options", identity="name", name=" A.\u202e Neighbor ", undo_s=60, hold=True)
    settings = (await panel.ask("overview"))["settings"]
    assert (settings["name"], settings["undo_s"], settings["hold"]) == ("A. Neighbor", 60, True)

    assert (await panel.ask("door", clip=street.clip.id))["url"].startswith("/api/")
    assert await panel.refused("door", clip="nothing") == "footage_clip_gone"
    served = int((dt_util.utcnow() - timedelta(days=1)).timestamp())
    given = {"kind": "warrant", "authority": "A court", "served": served, "given": "A clip"}
    await panel.ask("register_demand", **given, clips=[street.clip.id])
    (demand,) = (await panel.ask("demands"))["entries"]
    assert (demand["facts"]["authority"], demand["facts"]["clips"]) == ("A court", 1)
    assert "A court" in (await panel.ask("export_demands"))["text"]
    assert (await panel.ask("export_audit"))["json"]
    audit = await panel.ask("audit")
    assert audit["intact"]
    assert [one["what"] for one in audit["entries"]][:4] == [
        "exported",
        "exported",
        "exported",
        "exported",
    ]
    assert {"demand_entered", "shown_at_door", "request_seen"} <= {one["what"] for one in audit["entries"]}
    refused = await panel.refused("get_model", folder="/nowhere/else")
    assert refused == "path_not_allowed"
    where = {"neighborhood": street.hood.subentry_id, "request": "0" * 64}
    assert await panel.refused("matches", **where) == "footage_unknown_request"
    wrong = {"clips": [{"id": "nothing"}], "identity": "anonymous", "request": pending}
    assert await panel.refused("prepare", **(where | wrong)) == "footage_clip_gone"


async def test_diagnostics_count_and_name_nothing(street: Street, panel: Panel, request_id: str) -> None:
    await panel.ask("set_options", identity="address", name="A. Neighbor", address="1 Maple Street")
    await panel.ask("set_place", camera=FRONT, place={"lat": 12.345678, "lon": 87.654321})
    answer = await panel.prepared(request_id)
    found = await async_get_config_entry_diagnostics(street.hass, street.entry)
    told = found["footage"]
    assert (told["open"], told["requests"], told["answers"]) == (
        True,
        {"open": 1},
        {"awaiting_confirmation": 1},
    )
    assert (told["matching"], told["places"]) == (0, 1)
    text = json.dumps(found)
    for secret in (
        "A. Neighbor",
        "1 Maple",
        "12.34",
        "Springfield",
        "24-1189",
        "van",
        request_id,
        answer["id"],
    ):
        assert secret not in text


async def test_a_package_goes_with_the_session_of_its_neighborhood(
    hass: HomeAssistant, street: Street, panel: Panel, request_id: str
) -> None:
    """A hub that is hosted here is called at 127.0.0.1, where its certificate's name doesn't fit."""
    await street.footage.store.async_change(undo_s=0)
    answer = await panel.prepared(request_id)
    used: list[aiohttp.ClientSession] = []
    ask = aiohttp.ClientSession._request

    async def note(session: aiohttp.ClientSession, method: str, url: Any, **options: Any) -> Any:
        if method == "PUT":
            used.append(session)
        return await ask(session, method, url, **options)

    with patch.object(aiohttp.ClientSession, "_request", note):
        await panel.sent(answer)
        await street.until(answer["id"], "sent")
    assert used == [async_get_clientsession(hass, verify_ssl=False)]
