"""The actions on a neighborhood, what each does and what it refuses, with a real hub on this machine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
import hashlib
import json
from pathlib import Path
import re
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ringwatch import outgoing, pending_posts
from custom_components.ringwatch.clips import Clip
from custom_components.ringwatch.const import DOMAIN, MODEL_NEIGHBORHOOD
from custom_components.ringwatch.neighborhood.bodies import Appeal, Comment, Flag, Withdraw
from custom_components.ringwatch.neighborhood.bodies.care import FlagReason
from custom_components.ringwatch.neighborhood.bodies.feed import Category
from custom_components.ringwatch.neighborhood.limits import DAILY
from custom_components.ringwatch.neighborhood.types import Type
from homeassistant.auth.models import User
from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from tests.fixtures.clips import async_open, furnish, media
from tests.fixtures.flows import async_answer
from tests.fixtures.hood import (
    FEED,
    LATITUDE,
    LONGITUDE,
    UNREAD,
    Neighbor,
    async_call,
    async_change,
    async_host,
    async_until_connected,
    hoods,
    issues_of,
    neighbor,
)
from tests.fixtures.watching import async_until

type Answer = dict[str, Any]

POST = {"category": "animal", "title": "A fox", "text": "In the gardens, at night."}


@pytest.fixture
async def hood(hass: HomeAssistant, ringwatch: ConfigEntry) -> ConfigSubentry:
    """Host Maple Street."""
    return await async_host(hass, ringwatch)


@pytest.fixture
async def ben(hass: HomeAssistant, hood: ConfigSubentry, tmp_path: Path) -> AsyncIterator[Neighbor]:
    """Somebody else in it."""
    link = (await async_call(hass, "create_invite"))["link"]
    async with neighbor(tmp_path, link, "Ben") as made:
        yield made


async def items(hass: HomeAssistant, **wanted: Any) -> list[Answer]:
    return list((await async_call(hass, "get_feed", **wanted))["items"])


async def until_posted(hass: HomeAssistant, post: str) -> Answer:
    """Wait until a post is in the order, and return it."""
    for _ in range(200):
        found = [item for item in await items(hass) if item["id"] == post]
        if found:
            return found[0]
        await asyncio.sleep(0.05)
    raise AssertionError(f"{post} is not in the feed")


async def refusal(hass: HomeAssistant, action: str, context: Context | None = None, **data: Any) -> str:
    """Return the translation key of what an action refuses with."""
    with pytest.raises(HomeAssistantError) as refused:
        await hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=True, context=context
        )
    return str(refused.value.translation_key)


async def test_a_text_is_posted_at_once_with_a_blurred_place(hass: HomeAssistant, ben: Neighbor) -> None:
    said = await async_call(hass, "post", **POST)
    assert said["pending"] is None
    assert said["needs_confirmation"] == []
    assert (said["title"], said["text"], said["media"]) == ("A fox", POST["text"], [])
    assert said["place"] != {"latitude": LATITUDE, "longitude": LONGITUDE}
    assert abs(said["place"]["latitude"] - LATITUDE) < 0.001
    posted = await until_posted(hass, said["id"])
    assert posted["place"] == said["place"]
    assert posted["mine"]
    await ben.until(lambda ledger: ledger.state.item(said["id"]), "Ben has it")
    nowhere = await async_call(hass, "post", **POST, with_place=False, when="2026-11-20 10:00:00")
    assert nowhere["place"] is None
    assert (await until_posted(hass, nowhere["id"]))["start"] == nowhere["start"]
    assert hass.states.get(UNREAD).state == "0"  # what one writes oneself is not unread


async def test_a_text_that_points_at_somebody_waits_for_a_person(
    hass: HomeAssistant, hood: ConfigSubentry, hass_admin_user: User
) -> None:
    said = await async_call(hass, "post", **POST | {"text": "Call me: 215-555-0123."})
    assert said["id"] is None
    assert said["needs_confirmation"] == [{"kind": "phone", "text": "215-555-0123"}]
    assert issues_of(hass) == {"pending_post"}
    waiting = (await async_call(hass, "get_feed"))["pending"]
    assert [one["pending"] for one in waiting] == [said["pending"]]
    assert await items(hass) == []

    assert await refusal(hass, "confirm_post", pending=said["pending"]) == "needs_a_person"
    somebody = Context(user_id=hass_admin_user.id)
    done = await hass.services.async_call(
        DOMAIN,
        "confirm_post",
        {"pending": said["pending"]},
        blocking=True,
        return_response=True,
        context=somebody,
    )
    assert (await until_posted(hass, done["id"]))["text"] == "Call me: 215-555-0123."
    assert issues_of(hass) == set()
    assert await refusal(hass, "confirm_post", somebody, pending=said["pending"]) == "pending_unknown"


async def test_a_script_that_a_person_began_does_not_send(
    hass: HomeAssistant, hood: ConfigSubentry, hass_admin_user: User
) -> None:
    """It has the person's context, but nobody has looked."""
    said = await async_call(hass, "post", **POST | {"text": "Call me: 215-555-0123."})
    send = {"action": "ringwatch.confirm_post", "data": {"pending": said["pending"]}}
    assert await async_setup_component(hass, "script", {"script": {"send": {"sequence": [send]}}})
    somebody = Context(user_id=hass_admin_user.id)
    with pytest.raises(ServiceValidationError, match="Only a signed-in person"):
        await hass.services.async_call("script", "send", {}, blocking=True, context=somebody)
    assert (await async_call(hass, "get_feed"))["pending"]
    assert await items(hass) == []


async def test_home_assistant_itself_is_no_person(hass: HomeAssistant, hood: ConfigSubentry) -> None:
    said = await async_call(hass, "post", **POST | {"title": "Ask anna@example.org"})
    machine = await hass.auth.async_create_system_user("Supervisor", group_ids=["system-admin"])
    context = Context(user_id=machine.id)
    assert await refusal(hass, "confirm_post", context, pending=said["pending"]) == "needs_a_person"
    assert await async_call(hass, "confirm_post", pending=said["pending"], discard=True) == {"id": None}
    assert (await async_call(hass, "get_feed"))["pending"] == []


@pytest.fixture
async def clip(hass: HomeAssistant, socket_enabled: None) -> Clip:
    """A clip that was there before Ringwatch started, with a neighborhood to post it in."""
    made = furnish(hass)
    await async_host(hass, await async_open(hass))
    return made


def clip_post(made: Clip, **changes: Any) -> dict[str, Any]:
    return {"clip": made.id, "category": "package", "title": "It was taken"} | changes


async def test_a_clip_is_made_ready_shown_and_sent_by_a_person(
    hass: HomeAssistant,
    clip: Clip,
    tmp_path: Path,
    hass_client: ClientSessionGenerator,
    hass_admin_user: User,
) -> None:
    start = clip.start + timedelta(seconds=2)
    box = [0.0, 0.0, 0.5, 0.5]
    said = await async_call(hass, "post_clip", **clip_post(clip, start=start.isoformat(), blur=[box]))
    assert said["id"] is None
    assert said["start"] == start.replace(microsecond=0).isoformat()
    video, picture = said["media"]
    assert (video["type"], picture["type"]) == ("video/mp4", "image/jpeg")
    assert not video["has_sound"]
    assert 0.5 < video["duration_s"] < clip.duration_s - 1
    client = await hass_client()
    shown = await client.get(video["preview"])
    body = await shown.read()
    assert len(body) == video["size_bytes"]
    assert hashlib.sha256(body).hexdigest() == video["sha256"]
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"

    link = (await async_call(hass, "create_invite"))["link"]
    async with neighbor(tmp_path, link, "Ben") as ben:
        done = await async_as(hass, hass_admin_user, "confirm_post", pending=said["pending"])
        [own] = (await async_call(hass, "get_clips"))["clips"]
        assert own["shared"] == ["Maple Street"]
        posted = await until_posted(hass, done["id"])
        assert (await client.get(video["preview"])).status == 404
        served = await client.get(posted["clip"])
        assert await served.read() == body
        assert served.headers["Content-Type"] == "video/mp4"
        assert (await client.get(posted["picture"])).headers["Content-Type"] == "image/jpeg"
        assert (await client.get(posted["clip"][:-4] + "0000")).status == 404
        await ben.until(lambda ledger: ledger.state.item(done["id"]), "Ben has it")
        item = await ben.home.async_item(done["id"])
        assert item is not None
        path = await ben.home.async_media(item.media[0])
        assert await hass.async_add_executor_job(path.read_bytes) == body

        await async_call(hass, "withdraw_post", target=done["id"])
        await ben.until(lambda ledger: ledger.record(done["id"]).body is None, "erased at Ben's")
        assert not await hass.async_add_executor_job(path.exists)
        await async_until(lambda: not hass.states.async_all("geo_location"), "gone from the map")
        assert (await client.get(posted["clip"])).status == 404
        assert await refusal(hass, "comment", post=done["id"], text="Too late.") == "rule_wrong_target"


async def test_without_the_look_a_clip_goes_at_once_unless_its_text_points_at_somebody(
    hass: HomeAssistant, clip: Clip
) -> None:
    entry = hass.config_entries.async_entries(DOMAIN)[0]
    [hood] = hoods(entry)
    form = await async_change(hass, entry, hood.subentry_id, "sharing")
    await async_answer(hass, form, {"confirm": False})
    said = await async_call(hass, "post_clip", **clip_post(clip, mute=False))
    assert said["pending"] is None
    assert [one["preview"] for one in said["media"]] == [None, None]
    assert (await until_posted(hass, said["id"]))["title"] == "It was taken"
    said = await async_call(hass, "post_clip", **clip_post(clip, text="Look for ABC 1234."))
    assert said["id"] is None
    assert said["needs_confirmation"] == [{"kind": "plate", "text": "ABC 1234"}]


async def test_what_is_wrong_with_a_clip_or_a_post_is_said(hass: HomeAssistant, clip: Clip) -> None:
    later = (clip.end + timedelta(minutes=1)).isoformat()
    for wrong, key in (
        ({"clip": "no-such-clip"}, "clip_unknown"),
        ({"start": later}, "outside_clip"),
        ({"keep_only": [0.5, 0.0, 0.2, 1.0]}, "bad_box"),
        ({"title": " \u200b "}, "no_title"),
        ({"location": {"latitude": 0.0, "longitude": 0.0}}, "rule_outside_area"),
        ({"location": {"latitude": 90.0, "longitude": 0.0}}, "bad_place"),
    ):
        assert await refusal(hass, "post_clip", **clip_post(clip, **wrong)) == key, wrong
    assert (await async_call(hass, "get_feed"))["pending"] == []
    folder = Path(hass.config.path(DOMAIN, "pending"))
    assert not await hass.async_add_executor_job(lambda: folder.exists() and list(folder.iterdir()))
    file = media(hass) / clip.path
    await hass.async_add_executor_job(file.write_bytes, b"no video")
    assert await refusal(hass, "post_clip", **clip_post(clip)) == "outgoing_unreadable"
    assert not await hass.async_add_executor_job(lambda: list(folder.iterdir()))


async def test_what_waits_is_on_disk_for_a_day(
    hass: HomeAssistant, clip: Clip, hass_admin_user: User
) -> None:
    entry = hass.config_entries.async_entries(DOMAIN)[0]
    said = await async_call(hass, "post_clip", **clip_post(clip))
    await hass.config_entries.async_reload(entry.entry_id)
    await async_until_connected(hass, entry, hoods(entry)[0])
    waiting = (await async_call(hass, "get_feed"))["pending"]
    assert [one["pending"] for one in waiting] == [said["pending"]]
    assert issues_of(hass) == {"pending_post"}

    await hass.config_entries.async_unload(entry.entry_id)
    folder = Path(hass.config.path(DOMAIN, "pending"))

    def age() -> None:
        file = folder / said["pending"] / "post.json"
        content = json.loads(file.read_text())
        file.write_text(json.dumps(content | {"created_s": content["created_s"] - 24 * 3600}))
        (folder / "no post of ours").mkdir()
        (folder / ("0" * 32)).mkdir()

    await hass.async_add_executor_job(age)
    await hass.config_entries.async_setup(entry.entry_id)
    assert issues_of(hass) == set()
    context = Context(user_id=hass_admin_user.id)
    assert await refusal(hass, "confirm_post", context, pending=said["pending"]) == "pending_unknown"
    assert not await hass.async_add_executor_job(lambda: list(folder.iterdir()))


async def test_the_form_of_the_repairs_sends_it(
    hass: HomeAssistant, clip: Clip, post: Callable[..., Any]
) -> None:
    said = await async_call(hass, "post_clip", **clip_post(clip, text="On *the* porch."))
    form = await post(handler=DOMAIN, issue_id=f"pending_post_{said['pending']}")
    assert (form["type"], form["step_id"]) == ("menu", "confirm")
    shown = form["description_placeholders"]
    assert shown["title"] == "It was taken"
    assert shown["text"] == "On \\*the\\* porch\\."
    assert shown["picture"].startswith("![](/api/ringwatch/pending/")
    done = await post(flow=f"/{form['flow_id']}", next_step_id="send")
    assert done["type"] == "create_entry"
    assert [item["title"] for item in await until_some(hass)] == ["It was taken"]
    assert issues_of(hass) == set()


async def until_some(hass: HomeAssistant) -> list[Answer]:
    for _ in range(200):
        if found := await items(hass):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("nothing in the feed")


async def test_the_form_of_the_repairs_throws_it_away(
    hass: HomeAssistant, hood: ConfigSubentry, post: Callable[..., Any]
) -> None:
    said = await async_call(hass, "post", **POST | {"text": "12 Maple Street"})
    form = await post(handler=DOMAIN, issue_id=f"pending_post_{said['pending']}")
    assert form["step_id"] == "confirm_text"
    await post(flow=f"/{form['flow_id']}", next_step_id="discard")
    assert (await async_call(hass, "get_feed"))["pending"] == []


async def test_what_the_rules_refuse_goes_on_waiting(
    hass: HomeAssistant, clip: Clip, hass_admin_user: User, post: Callable[..., Any]
) -> None:
    said = await async_call(hass, "post_clip", **clip_post(clip))
    for number in range(DAILY[Type.POST]):
        await async_call(hass, "post", category="animal", title=f"Fox {number}")
    context = Context(user_id=hass_admin_user.id)
    assert await refusal(hass, "confirm_post", context, pending=said["pending"]) == "rule_limit_reached"
    form = await post(handler=DOMAIN, issue_id=f"pending_post_{said['pending']}")
    done = await post(flow=f"/{form['flow_id']}", next_step_id="send")
    assert (done["type"], done["reason"]) == ("abort", "not_sent")
    assert len((await async_call(hass, "get_feed"))["pending"]) == 1
    folder = Path(hass.config.path(DOMAIN, "pending", said["pending"]))
    names = await hass.async_add_executor_job(lambda: {path.name for path in folder.iterdir()})
    assert names >= {"clip.mp4", "picture.jpg", "post.json"}
    entry = hass.config_entries.async_entries(DOMAIN)[0]
    [hood] = hoods(entry)
    form = await async_change(hass, entry, hood.subentry_id, "sharing")
    await async_answer(hass, form, {"confirm": False})
    assert await refusal(hass, "post_clip", **clip_post(clip)) == "rule_limit_reached"
    assert await hass.async_add_executor_job(lambda: len(list(folder.parent.iterdir()))) == 1

    neighborhoods = entry.runtime_data.neighborhoods
    neighborhoods.pending.sending.add(said["pending"])  # somebody has tapped a moment ago
    assert await refusal(hass, "confirm_post", context, pending=said["pending"]) == "pending_unknown"
    neighborhoods.pending.sending.clear()
    await hass.async_add_executor_job((folder / "clip.mp4").unlink)
    assert await refusal(hass, "confirm_post", context, pending=said["pending"]) == "neighborhood_disk"


async def test_only_so_much_waits(hass: HomeAssistant, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending_posts, "MAX_PENDING", 1)
    private = {"category": "animal", "title": "Ask 215-555-0123"}
    assert (await async_call(hass, "post", **private))["pending"]
    assert await refusal(hass, "post", **private) == "too_many_pending"
    assert await refusal(hass, "post_clip", **clip_post(clip)) == "too_many_pending"


@pytest.mark.parametrize(
    ("limit", "value", "key"),
    [
        ("MAX_CLIP_MS", 1000, "outgoing_too_long"),
        ("MAX_CLIP_BYTES", 1000, "outgoing_too_large"),
        ("SHORTEST_MS", 60_000, "outgoing_nothing_left"),
    ],
)
async def test_a_clip_has_its_limits(
    hass: HomeAssistant, clip: Clip, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, key: str
) -> None:
    monkeypatch.setattr(outgoing, limit, value)
    assert await refusal(hass, "post_clip", **clip_post(clip)) == key


@pytest.mark.parametrize("all_may", [True, False])
async def test_a_notification_has_the_picture_only_if_all_may_see_it(
    hass: HomeAssistant, clip: Clip, all_may: bool
) -> None:
    """Every user of this Home Assistant sees its notifications."""
    guest = MockUser(name="Guest").add_to_hass(hass)
    guest.mock_policy({"entities": {"entity_ids": {FEED: True if all_may else {"read": True}}}})
    said = await async_call(hass, "post_clip", **clip_post(clip))
    shown = persistent_notification._async_get_or_create_notifications(hass)
    message = shown[f"ringwatch_pending_{said['pending']}"]["message"]
    assert ("/api/ringwatch/pending/" in message) is all_may
    assert "/config/repairs" in message


async def test_comments_thanks_and_flags(hass: HomeAssistant, ben: Neighbor) -> None:
    post = await ben.post()
    await until_posted(hass, post)
    comment = await async_call(hass, "comment", post=post, text="I saw it, too.")
    assert comment["pending"] is None
    await async_call(hass, "thank", target=post)
    assert await refusal(hass, "thank", target=post) == "rule_already_done"
    await async_call(hass, "flag", target=post, reason="false", text="It was mine.")
    async with asyncio.timeout(10):
        while not (found := (await items(hass, post=post))[0])["flags"]:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    assert (found["thanks"], found["comments"], found["flags"]) == (1, 1, 1)
    assert [one["text"] for one in found["comments_below"]] == ["I saw it, too."]
    waits = await async_call(hass, "comment", post=post, text="Ask 215-555-0123.")
    assert waits["needs_confirmation"] == [{"kind": "phone", "text": "215-555-0123"}]
    assert await refusal(hass, "comment", post=post, text=" ") == "no_text"
    assert await refusal(hass, "comment", post="xyz", text="Hello") == "bad_id"
    assert await refusal(hass, "withdraw_post", target=post) == "rule_not_allowed"


async def test_reasons_that_point_at_somebody_wait_for_a_person(
    hass: HomeAssistant, ben: Neighbor, hass_admin_user: User
) -> None:
    """All members read the reasons of flags and decisions, and keep them."""
    post = await ben.post()
    await until_posted(hass, post)
    member = (await items(hass, post=post))[0]["member"]
    phone = [{"kind": "phone", "text": "215-555-0123"}]
    guest = MockUser(name="Guest").add_to_hass(hass)
    guest.mock_policy({"entities": {"entity_ids": {FEED: True}}})
    for action, data, name in (
        ("flag", {"target": post, "reason": "privacy", "text": "Mine is 215-555-0123."}, "text"),
        ("moderate", {"target": post, "decision": "hold", "reason": "Ask 215-555-0123."}, "reason"),
        (
            "remove_member",
            {"member": member, "reason": "See 215-555-0123."},
            "reason",
        ),
    ):
        said = await async_call(hass, action, **data)
        assert (said["id"], said["needs_confirmation"], said["text"]) == (None, phone, data[name])
        assert issues_of(hass) == {"pending_post"}
        if action != "flag":  # what an administrator decides only an administrator sends, or throws away
            with pytest.raises(Unauthorized):
                await async_as(hass, guest, "confirm_post", pending=said["pending"])
            with pytest.raises(Unauthorized):
                await async_as(hass, guest, "confirm_post", pending=said["pending"], discard=True)
        if action != "remove_member":
            assert (await async_as(hass, hass_admin_user, "confirm_post", pending=said["pending"]))["id"]
        else:
            await async_as(hass, hass_admin_user, "confirm_post", pending=said["pending"], discard=True)
        assert issues_of(hass) == set()
    await ben.until(lambda ledger: ledger.state.item(post).status == "held", "held")
    plain = await async_call(hass, "moderate", target=post, decision="restore", reason="It is fine.")
    assert (plain["id"] is not None, plain["pending"]) == (True, None)


async def test_moderation_is_heard_and_can_be_appealed_against(hass: HomeAssistant, ben: Neighbor) -> None:
    heard = listen(hass)
    post = await ben.post()
    await until_posted(hass, post)
    assert await refusal(hass, "moderate", target=post, decision="remove") == "no_reason"
    await async_call(hass, "moderate", target=post, decision="hold", reason="Is it true?")
    await ben.until(lambda ledger: ledger.state.item(post).status == "held", "held")
    assert await ben.home.async_submit(Appeal(post, "It is."))
    await async_until(lambda: heard and heard[-1].get("action") == "appealed", "the appeal")
    assert [one["id"] for one in (await async_call(hass, "get_feed", view="to_moderate"))["items"]] == [post]
    await async_call(hass, "moderate", target=post, decision="restore")
    await ben.until(lambda ledger: ledger.state.item(post).status == "visible", "restored")
    log = (await async_call(hass, "get_feed", view="log"))["items"]
    assert [(one["action"], one["reason"], one["moderator"]) for one in log] == [
        ("restore", "", "Anna"),
        ("hold", "Is it true?", "Anna"),
    ]
    mine = (await async_call(hass, "post", **POST))["id"]
    await ben.until(lambda ledger: ledger.state.item(mine), "Ben has it")
    await ben.home.async_submit(Flag(mine, FlagReason.FALSE, ""))
    await async_until(lambda: heard[-1].get("action") == "flagged", "the flag")
    assert heard[-1]["id"] == mine
    assert await refusal(hass, "appeal", target=mine, text=" ") == "no_text"
    assert await refusal(hass, "appeal", target=mine, text="Why?") == "rule_wrong_target"


async def test_members_are_invited_promoted_and_removed(
    hass: HomeAssistant, ben: Neighbor, hass_client: ClientSessionGenerator
) -> None:
    invite = await async_call(hass, "create_invite")
    assert re.fullmatch(r"(\d{5} ){5}\d{5}", invite["fingerprint"])
    client = await hass_client()
    picture = await client.get(invite["picture"])
    assert (await picture.read()).startswith(b"\x89PNG")
    assert (await client.get("/api/ringwatch/invite/0123")).status == 404
    members = (await async_call(hass, "get_feed", view="members"))["items"]
    assert {(one["handle"], one["role"]) for one in members} == {("Anna", "host"), ("Ben", "member")}
    [his] = [one["member"] for one in members if one["handle"] == "Ben"]
    await async_call(hass, "set_role", member=his, role="moderator")
    await ben.until(lambda ledger: ledger.state.subject(his).standing == "moderator", "Ben moderates")
    await async_call(hass, "remove_member", member=his, reason="He asked for it.")
    await async_until(lambda: ben.home.trouble == "removed", "removed")
    assert await refusal(hass, "remove_member", member="0" * 64) == "rule_unknown_target"


async def test_the_feed_is_filtered_searched_and_paged(hass: HomeAssistant, ben: Neighbor) -> None:
    posts = [
        await ben.post(title=f"Number {number}", category=category, text=text)
        for number, (category, text) in enumerate(
            [(Category.ANIMAL, "A dog"), (Category.CRIME, "A car"), (Category.ANIMAL, "A cat")]
        )
    ]
    await until_posted(hass, posts[-1])
    assert [item["id"] for item in await items(hass)] == posts[::-1]
    assert [item["id"] for item in await items(hass, categories=["animal"])] == [posts[2], posts[0]]
    assert [item["id"] for item in await items(hass, text="a CAR ben")] == [posts[1]]
    assert await items(hass, kinds=["alert"]) == []
    near = {"latitude": LATITUDE, "longitude": LONGITUDE, "radius": 500}
    assert len(await items(hass, location=near)) == 3
    assert await items(hass, location=near | {"latitude": LATITUDE + 1}) == []
    assert await items(hass, start="2100-01-01 00:00:00") == []
    assert await items(hass, end="2020-01-01 00:00:00") == []
    first = await async_call(hass, "get_feed", limit=2)
    rest = await async_call(hass, "get_feed", limit=2, cursor=first["cursor"])
    assert [item["id"] for item in (*first["items"], *rest["items"])] == posts[::-1]
    assert rest["cursor"] is None
    assert hass.states.get(UNREAD).state == "3"
    assert (await async_call(hass, "get_feed", mark_read=True))["unread"] == 0
    await async_until(lambda: hass.states.get(UNREAD).state == "0", "read")
    swapped = {"start": "2026-02-01 00:00:00", "end": "2026-01-01 00:00:00"}
    assert await refusal(hass, "get_feed", **swapped) == "end_before_start"
    assert await refusal(hass, "get_feed", location={"latitude": 95, "longitude": 0}) == "bad_place"
    assert await refusal(hass, "get_feed", post="0" * 64) == "rule_unknown_target"


async def test_the_feed_is_exported(hass: HomeAssistant, ben: Neighbor) -> None:
    post = await ben.post()
    await until_posted(hass, post)
    await ben.home.async_submit(Comment(post, "It was brown."))
    await async_until(lambda: hass.states.get(FEED).attributes.get("text") == "It was brown.", "comment")
    target = media(hass) / "feed.json"
    assert await async_call(hass, "export_feed", filename=str(target)) == {
        "filename": str(target),
        "posts": 1,
    }
    written = json.loads(await hass.async_add_executor_job(target.read_text))
    assert written["neighborhood"] == "Maple Street"
    assert written["posts"][0]["comments_below"][0]["text"] == "It was brown."
    for filename, key in (
        (target, "file_exists"),
        (target.with_suffix(".txt"), "not_json"),
        ("/etc/feed.json", "path_not_allowed"),
        (target.parent / "no" / "feed.json", "no_folder"),
    ):
        assert await refusal(hass, "export_feed", filename=str(filename)) == key


async def test_what_is_taken_back_is_taken_out_of_exports(
    hass: HomeAssistant, hood: ConfigSubentry, ringwatch: ConfigEntry, ben: Neighbor
) -> None:
    """While Home Assistant runs, and after a start if that happened before it."""
    texts = ("It was green.", "It was brown.", "It was blue.")
    posts = [await ben.post(title="A parcel", text=text) for text in texts]
    comment = (await ben.home.async_submit(Comment(posts[0], "I saw it."))).id
    await until_posted(hass, posts[-1])
    await async_until(lambda: hass.states.get(FEED).attributes.get("text") == "I saw it.", "comment")
    target, moved = media(hass) / "feed.json", media(hass) / "other.json"
    for filename in (target, moved):
        assert (await async_call(hass, "export_feed", filename=str(filename)))["posts"] == 3
    await hass.async_add_executor_job(moved.write_text, "mine now")

    async def until_without(*texts: str) -> str:
        deadline_s = time.monotonic() + 10
        while True:
            written = await hass.async_add_executor_job(target.read_text)
            if not any(text in written for text in texts):
                return written
            assert time.monotonic() < deadline_s, written
            await asyncio.sleep(0.05)

    before = await hass.async_add_executor_job(target.read_text)
    await ben.home.async_submit(Withdraw(comment))
    await ben.home.async_submit(Withdraw(posts[1]))
    written = json.loads(await until_without("It was brown.", "I saw it."))
    assert [post["id"] for post in written["posts"]] == posts[::-1]
    assert written["posts"][1] == {"id": posts[1], "status": "erased"}
    assert written["posts"][2]["text"] == "It was green."
    assert await hass.async_add_executor_job(moved.read_text) == "mine now"

    index = Path(hass.config.path(DOMAIN, "exports.json"))
    listed = json.loads(await hass.async_add_executor_job(index.read_text))
    assert set(listed["files"]) == {str(target)}
    await hass.async_add_executor_job(target.write_text, before)  # as if it had been away meanwhile
    assert await hass.config_entries.async_reload(ringwatch.entry_id)
    await async_until_connected(hass, ringwatch, hood)
    await until_without("It was brown.", "I saw it.")
    await hass.async_add_executor_job(target.unlink)
    await ben.home.async_submit(Withdraw(posts[2]))
    await async_until(lambda: not index.exists(), "nothing is left to look after")


async def test_the_neighborhood_is_named_by_its_device(
    hass: HomeAssistant, hood: ConfigSubentry, ringwatch: ConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    [device] = dr.async_entries_for_config_entry(device_registry, ringwatch.entry_id)
    assert device.model == MODEL_NEIGHBORHOOD
    assert (await async_call(hass, "get_feed", device_id=device.id))["items"] == []
    assert await refusal(hass, "get_feed", device_id="nothing") == "not_a_neighborhood"
    second = await async_host(hass, ringwatch, name="Oak Lane")
    assert await refusal(hass, "get_feed") == "which_neighborhood"
    oak = device_registry.async_get_device_by_identifier((DOMAIN, second.subentry_id), ringwatch.entry_id)
    assert oak is not None
    said = await async_call(hass, "post", **POST, device_id=oak.id)
    assert said["neighborhood"] == "Oak Lane"


async def test_without_a_neighborhood_or_without_ringwatch_the_actions_say_so(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    assert await refusal(hass, "get_feed") == "no_neighborhood"
    await hass.config_entries.async_unload(ringwatch.entry_id)
    assert await refusal(hass, "get_feed") == "not_loaded"
    assert await refusal(hass, "confirm_post", pending="0") == "not_loaded"


async def test_who_may_not_control_it_may_not_write_and_only_administrators_decide(
    hass: HomeAssistant, hood: ConfigSubentry, hass_client: ClientSessionGenerator
) -> None:
    user = MockUser(name="Guest").add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {FEED: {"read": True}}}})
    assert (await async_as(hass, user, "get_feed"))["items"] == []
    for action, data in (
        ("post", POST),
        ("create_invite", {}),
        ("moderate", {"target": "0" * 64, "decision": "restore"}),
    ):
        with pytest.raises(Unauthorized):
            await async_as(hass, user, action, **data)
    said = await async_call(hass, "post", **POST | {"text": "12 Maple Street"})
    with pytest.raises(Unauthorized):
        await async_as(hass, user, "confirm_post", pending=said["pending"])
    user.mock_policy({"entities": {"entity_ids": {FEED: True}}})
    assert (await async_as(hass, user, "confirm_post", pending=said["pending"]))["id"]
    user.mock_policy({})
    with pytest.raises(Unauthorized):
        await async_as(hass, user, "get_feed")


async def async_as(hass: HomeAssistant, user: User, action: str, **data: Any) -> Answer:
    """Perform an action as a signed-in user."""
    context = Context(user_id=user.id)
    answer = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True, context=context
    )
    return dict(answer or {})


def listen(hass: HomeAssistant) -> list[Answer]:
    """Return a list that every event of the feed is added to."""
    heard: list[Answer] = []

    @callback
    def hear(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if event.data["entity_id"] == FEED and state is not None:
            heard.append(dict(state.attributes))

    hass.bus.async_listen("state_changed", hear)
    return heard
