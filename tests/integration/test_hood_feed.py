"""A neighborhood in Home Assistant: entities, events, the map, with a real hub on this machine."""

from pathlib import Path

from custom_components.ringwatch.neighborhood.bodies import Comment, Withdraw
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from tests.fixtures.hood import (
    CONNECTED,
    FEED,
    MEMBERS,
    UNREAD,
    async_call,
    async_host,
    is_on,
    neighbor,
)
from tests.fixtures.watching import async_until


async def test_what_a_neighbor_posts_is_an_event_on_the_map_and_counted(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path
) -> None:
    await async_host(hass, ringwatch)
    assert is_on(hass, CONNECTED)
    assert hass.states.get(MEMBERS).state == "1"
    assert hass.states.get(UNREAD).state == "0"
    heard: list[dict] = []

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
        assert shown.name == "Maple Street A parcel is gone"
        assert abs(shown.attributes["latitude"] - 39.95) < 0.002

        await ben.home.async_submit(Comment(post, "It was brown."))
        await async_until(lambda: heard[-1].get("text") == "It was brown.", "the comment")
        assert heard[-1]["event_type"] == "comment"
        assert heard[-1]["post"] == post

        await ben.home.async_submit(Withdraw(post))
        await async_until(lambda: not hass.states.async_all("geo_location"), "withdrawn")
        await async_until(lambda: hass.states.get(UNREAD).state == "0", "nothing unread")
