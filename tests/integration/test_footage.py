"""Footage requests in Home Assistant: asked at a real hub, matched, looked at, sent, opened by the agency."""

from homeassistant.components import persistent_notification
from tests.fixtures.asked import OPEN, Panel, Street
from tests.fixtures.watching import async_until


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


async def test_what_was_looked_at_is_what_the_agency_opens(street: Street, panel: Panel) -> None:
    request = await street.desk.ask()
    await street.until_open(request)
    await street.footage.store.async_change(undo_s=0)
    found = await panel.about("matches", request)
    assert [clip["id"] for clip in found["clips"]] == [street.clip.id]
    answer = await panel.prepared(request, start_s=1.0)
    (file,) = answer["files"]
    assert await panel.refused("code", answer=answer["id"]) == "footage_not_watched"
    got = await panel.get(file["url"])
    assert got.status == 200
    data = await got.read()
    assert await panel.refused("code", answer=answer["id"]) == "footage_not_watched"
    await panel.ask("watched", answer=answer["id"], file=file["name"])
    code = (await panel.ask("code", answer=answer["id"]))["code"]
    sent = await panel.ask("send", answer=answer["id"], code=code)
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
