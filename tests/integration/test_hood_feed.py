"""A neighborhood in Home Assistant: entities, events, the map, with a real hub on this machine."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
import hashlib
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.ringwatch.neighborhood.bodies import Comment, Moderation, Withdraw
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.feed import Media, MediaType
from custom_components.ringwatch.neighborhood.changes import ChangeKind
from custom_components.ringwatch.neighborhood.feed_items import FeedChange
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, restore_state
from homeassistant.util import dt as dt_util
from tests.fixtures.flows import async_answer
from tests.fixtures.hood import (
    CONNECTED,
    FEED,
    MEMBERS,
    UNREAD,
    async_begin,
    async_call,
    async_host,
    async_until_connected,
    hoods,
    is_on,
    neighbor,
)
from tests.fixtures.watching import async_until
from tests.neighborhood.served_street import ServedStreet


@pytest.fixture
async def street(socket_enabled: None) -> AsyncIterator[ServedStreet]:
    """A neighborhood elsewhere."""
    made = ServedStreet()
    await made.server.start_server()
    yield made
    await made.server.close()


def _stored(hass: HomeAssistant) -> list[str]:
    """Return what Home Assistant would write to .storage now, to restore it."""
    return [
        f"{one.state.as_dict()} {one.extra_data.as_dict() if one.extra_data else ''}"
        for one in restore_state.async_get(hass).async_get_stored_states()
    ]


async def test_what_a_neighbor_posts_is_an_event_on_the_map_and_counted(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path
) -> None:
    await async_host(hass, ringwatch)
    assert is_on(hass, CONNECTED)
    assert hass.states.get(MEMBERS).state == "1"
    assert hass.states.get(UNREAD).state == "0"
    heard: list[dict[str, Any]] = []

    @callback
    def hear(event: Event[EventStateChangedData]) -> None:
        if event.data["entity_id"] == FEED and (state := event.data["new_state"]) is not None:
            heard.append(dict(state.attributes))

    hass.bus.async_listen("state_changed", hear)
    link = (await async_call(hass, "create_invite"))["link"]
    async with neighbor(tmp_path, link, "Ben") as ben:
        post = await ben.post()
        await async_until(lambda: any(one.get("id") == post for one in heard), "the event")
        told = heard[-1]
        assert told["event_type"] == "post"
        assert told["title"] == "A parcel is gone"
        assert told["author"] == "Ben"
        assert told["category"] == "package"
        await async_until(lambda: hass.states.get(UNREAD).state == "1", "unread")
        assert hass.states.get(MEMBERS).state == "2"
        [shown] = hass.states.async_all("geo_location")
        assert shown.name == "Package"  # what was written is in no name and no id, which are kept for long
        assert shown.attributes["title"] == "A parcel is gone"
        assert "parcel" not in shown.entity_id
        assert abs(shown.attributes["latitude"] - 39.95) < 0.002
        assert shown.state_info["unrecorded_attributes"] >= {
            "title",
            "text",
            "author",
            "latitude",
            "longitude",
        }

        # Home Assistant writes states to .storage now and then, from where they go into backups
        stored = _stored(hass)
        assert not [one for one in stored if "parcel" in one]

        await ben.home.async_submit(Comment(post, "It was brown."))
        await async_until(lambda: heard[-1].get("text") == "It was brown.", "the comment")
        assert heard[-1]["event_type"] == "comment"
        assert heard[-1]["post"] == post

        await ben.home.async_submit(Withdraw(post))
        await async_until(lambda: not hass.states.async_all("geo_location"), "withdrawn")
        await async_until(lambda: "text" not in hass.states.get(FEED).attributes, "not told any more")
        await async_until(lambda: hass.states.get(UNREAD).state == "0", "nothing unread")


async def test_what_is_looked_at_first_is_news_once_it_may_be_seen(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path
) -> None:
    """The host hears of it at once, the others when it is let through."""
    await async_host(hass, ringwatch, moderation="before")
    links = [(await async_call(hass, "create_invite"))["link"] for _ in range(2)]
    heard = listen(hass)
    async with neighbor(tmp_path, links[0], "Ben") as ben, neighbor(tmp_path, links[1], "Zoe") as zoe:
        post = await ben.post()
        await async_until(lambda: any(one.get("id") == post for one in heard), "the host hears of it")
        assert (heard[-1]["event_type"], heard[-1]["status"]) == ("post", "pending")
        assert heard[-1]["text"] == "From the porch, in the afternoon."
        assert not hass.states.async_all("geo_location")
        waiting = (await async_call(hass, "get_feed", view="to_moderate"))["items"]
        assert [one["id"] for one in waiting] == [post]
        await zoe.until(lambda ledger: ledger.state.item(post), "Zoe knows that there is something")
        assert (await zoe.home.async_item(post)).text == ""
        await async_call(hass, "moderate", target=post, decision="restore")
        await zoe.until(lambda ledger: ledger.record(post).body, "Zoe has it")
        await async_until(lambda: hass.states.async_all("geo_location"), "on the map")


async def test_a_post_whose_text_comes_later_is_told_with_it(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    """As it is for readers when a moderator lets a post through: the decision comes before the text."""
    hood = await async_join(hass, ringwatch, street)
    [ben] = street.join_all("Ben")
    heard = listen(hass)
    post = street.post(ben, "A fox", place=None)
    running = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id)
    await async_until(lambda: heard, "told")
    heard.clear()
    running._announced.clear()
    item = replace(await running.home.async_item(post), title="", text="")
    running.changed((FeedChange(ChangeKind.SHOWN, post, item, by_me=False, old=False),))
    await async_until(lambda: any(one["event_type"] == "post" for one in heard), "told again")
    assert [one["action"] for one in heard if one["event_type"] == "moderation"] == ["shown"]
    assert [one["title"] for one in heard if one["event_type"] == "post"] == ["A fox"]
    street.say(street.host, Moderation(post, Action.HOLD, "Wait."))
    await async_until(lambda: heard[-1].get("action") == "held", "held")
    running.changed((FeedChange(ChangeKind.SHOWN, post, item, by_me=False, old=True),))
    running._spawn(running._async_tell_later(post))
    await asyncio.sleep(0.7)
    assert heard[-1].get("action") == "held"  # it is hidden by now, so there is nothing to tell


async def test_what_was_told_before_a_restart_is_not_told_again_when_it_is_restored(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    hood = await async_join(hass, ringwatch, street)
    [ben] = street.join_all("Ben")
    heard = listen(hass)
    post = street.post(ben, "A fox", place=None)
    await async_until(lambda: heard and heard[-1].get("title") == "A fox", "told")
    assert await hass.config_entries.async_unload(ringwatch.entry_id)
    meanwhile = street.post(ben, "A second fox", place=None)
    assert await hass.config_entries.async_setup(ringwatch.entry_id)
    await async_until_connected(hass, ringwatch, hood)
    await async_until(lambda: heard[-1].get("id") == meanwhile, "what came meanwhile is told")
    heard.clear()
    for target in (post, meanwhile):
        street.say(street.host, Moderation(target, Action.HOLD, "Wait."))
        await async_until(lambda: heard and heard[-1].get("action") == "held", "held")
        street.say(street.host, Moderation(target, Action.RESTORE, ""))
        await async_until(lambda: heard[-1].get("action") == "restored", "restored")
    await hass.async_block_till_done()
    assert [one["event_type"] for one in heard if one["event_type"] != "moderation"] == []


async def test_the_picture_of_a_new_post_is_here_before_somebody_looks(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    hood = await async_join(hass, ringwatch, street)
    [ben] = street.join_all("Ben")
    data = b"\xff\xd8" + b"picture" * 100
    digest = hashlib.sha256(data).hexdigest()
    street.blobs[digest] = data
    small = Media(digest, len(data), MediaType.JPEG, 0, 64, 64)
    large = Media("ab" * 32, 1024 * 1024, MediaType.JPEG, 0, 64, 64)
    street.post(ben, "With pictures", place=None, media=(large, small))
    media = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id).home.copy.media
    await async_until(lambda: media.has(digest), "the small one has come")
    assert not [path for path in street.asked if "abab" in path]  # the large one was not asked for


async def test_the_map_is_as_it_was_after_a_restart_and_nothing_is_news_again(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path, entity_registry: er.EntityRegistry
) -> None:
    hood = await async_host(hass, ringwatch)
    link = (await async_call(hass, "create_invite"))["link"]
    async with neighbor(tmp_path, link, "Ben") as ben:
        posts = [await ben.post(title=f"Number {number}") for number in range(2)]
        await async_until(lambda: len(hass.states.async_all("geo_location")) == 2, "on the map")
        last = hass.states.get(FEED).state  # the time of the last event
        await hass.config_entries.async_unload(ringwatch.entry_id)
        assert not hass.states.async_all("geo_location")
        stored = _stored(hass)
        assert [one for one in stored if last in one]
        assert not [one for one in stored if "Number" in one]
        await ben.home.async_submit(Withdraw(posts[0]))
        await hass.config_entries.async_setup(ringwatch.entry_id)
        await async_until_connected(hass, ringwatch, hood)
        await async_until(lambda: len(hass.states.async_all("geo_location")) == 1, "one is gone")
        [shown] = hass.states.async_all("geo_location")
        assert shown.attributes["id"] == posts[1]
        assert not [
            entity
            for entity in er.async_entries_for_config_entry(entity_registry, ringwatch.entry_id)
            if entity.domain == "geo_location"
        ]
        assert hass.states.get(FEED).state == last


async def test_an_alert_leaves_the_map_when_it_holds_no_longer(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    hood = await async_host(hass, ringwatch)
    said = await async_call(hass, "post", category="animal", title="A fox")
    await async_until(lambda: hass.states.async_all("geo_location"), "on the map")
    running = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id)
    item = running.places[said["id"]]
    running.places[said["id"]] = replace(item, valid_until_s=running.home.hub_time_s() - 1)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=6))
    await async_until(lambda: not hass.states.async_all("geo_location"), "gone")


async def async_join(hass: HomeAssistant, entry: ConfigEntry, street: ServedStreet) -> ConfigSubentry:
    """Join a neighborhood elsewhere."""
    form = await async_begin(hass, entry, "join")
    invite = street.invite("Zoe", url=street.url, now_s=street.now_s)
    shown = await async_answer(hass, form, {"link": invite.link, "allow_http": False})
    await async_answer(hass, shown, {"handle": "Zoe"})
    [hood] = hoods(entry)
    await async_until_connected(hass, entry, hood)
    return hood


def listen(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return a list that every event of the feed is added to."""
    heard: list[dict[str, Any]] = []

    @callback
    def hear(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if event.data["entity_id"] != FEED or state is None or "event_type" not in state.attributes:
            return
        if not heard or heard[-1] != dict(state.attributes):
            heard.append(dict(state.attributes))

    hass.bus.async_listen("state_changed", hear)
    return heard
