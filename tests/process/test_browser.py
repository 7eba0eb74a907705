"""What the owner sees, in a real browser: cameras live, the flow that adds one, the repair, and clips."""

import asyncio
import time

from playwright.async_api import Page
import pytest

from script.lib.browser import chromium, open_browser
from tests.fixtures.house import HEIGHT, WIDTH, House, media_server, until
from tests.process.keeping import save

pytestmark = [
    pytest.mark.browser,
    pytest.mark.hass_process,
    pytest.mark.xdist_group("house"),
    pytest.mark.skipif(chromium() is None, reason="Chromium is not installed"),
]

USER = "viewer"
STREAM = "stream_worker"  # Home Assistant's thread that reads a camera for its players
DRAWN = """async tile => {
    const image = new Image();
    image.src = tile.shadowRoot.querySelector(".image").style.backgroundImage.slice(5, -2);
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
}"""
PREVIEW = "img[src*='/api/ringwatch/preview/']"


async def played_s(page: Page) -> list[float]:
    """Return how far each video on the page has played."""
    times: list[float] = await page.locator("video").evaluate_all("videos => videos.map(v => v.currentTime)")
    return times


async def test_both_cameras_play_until_they_are_private(house: House) -> None:
    async with open_browser(house.hass.url, house.tokens) as page, house.client() as client:
        await page.goto(house.dashboard)
        await page.locator("video").nth(1).wait_for()
        deadline_s = time.monotonic() + 40
        while len(before := await played_s(page)) < 2 or min(before) <= 0:
            assert time.monotonic() < deadline_s, f"played {before} s"
            await asyncio.sleep(0.25)
        motion = page.locator("ha-tile-info, hui-tile-card", has_text="Motion")
        await motion.filter(has_text="Detected").first.wait_for()
        await motion.filter(has_text="Clear").first.wait_for()
        await asyncio.sleep(1)
        after = await played_s(page)
        assert all(late - early > 1 for early, late in zip(before, after, strict=True)), (before, after)

        assert house.threads()[STREAM] == 2
        for has in house.entities.values():
            await client.call("switch", "turn_on", entity_id=has["switch.privacy"])
        deadline_s = time.monotonic() + 5
        while house.threads().get(STREAM):
            assert time.monotonic() < deadline_s, "Home Assistant still reads a private camera"
            await asyncio.sleep(0.1)
        await page.goto("about:blank")  # or it would start them again
        for has in house.entities.values():
            await client.call("switch", "turn_off", entity_id=has["switch.privacy"])
            await until(client, has["binary_sensor.connectivity"], "on")


async def test_the_owner_adds_a_camera_and_later_gives_its_new_password(house: House) -> None:
    with media_server("garden", house.footage, user=USER, password="first p@ss") as garden:
        async with open_browser(house.hass.url, house.tokens) as page, house.client() as client:
            await page.goto(f"{house.hass.url}/config/integrations/integration/ringwatch")
            await page.locator("ha-button", has_text="Add camera").click()
            await page.get_by_text("Give the camera's address").click()
            await page.locator("input[name=url]").fill(garden.url("garden", credentials=False))
            await page.locator("input[name=username]").fill(USER)
            await page.locator("input[name=password]").fill("wrong")
            await page.get_by_role("button", name="Next").click()
            await page.get_by_text("The camera refuses this user name or password.").wait_for()
            await page.locator("input[name=password]").fill("first p@ss")
            await page.get_by_role("button", name="Next").click()
            await page.locator(PREVIEW).wait_for()
            await page.get_by_text("H.264, 320x240, 10 fps").wait_for()
            assert (
                await page.locator(PREVIEW).evaluate("img => img.decode().then(() => img.naturalWidth)")
                == 320
            )
            await page.locator("input[name=name]").fill("Garden")
            await page.get_by_role("button", name="Submit").click()
            await page.get_by_text("Garden").first.wait_for()

            entities = await client.camera_entities(house.entry_id, "Garden")
            connected = entities["binary_sensor.connectivity"]
            await until(client, connected, "on")
            garden.stop()
            garden.password = "second p@ss"
            garden.start()
            await until(client, connected, "off")
            await page.goto(f"{house.hass.url}/config/repairs")
            await page.get_by_text("Garden refuses the user name or password").click()
            await page.get_by_text("Sign in to Garden").wait_for()
            assert await page.locator("input[name=username]").input_value() == USER
            await page.locator("input[name=password]").fill("second p@ss")
            await page.get_by_role("button", name="Submit").click()
            await until(client, connected, "on")
            issues = await client.command("repairs/list_issues")
            assert [issue for issue in issues["issues"] if issue["domain"] == "ringwatch"] == []

            subentries = await client.command("config_entries/subentries/list", entry_id=house.entry_id)
            subentry_id = next(entry["subentry_id"] for entry in subentries if entry["title"] == "Garden")
            await client.command(
                "config_entries/subentries/delete", entry_id=house.entry_id, subentry_id=subentry_id
            )
            assert await client.state(connected) is None
    assert house.complaints() == []


async def test_the_owner_finds_a_clip_in_the_media_browser_and_plays_it(house: House) -> None:
    async with house.client() as client:
        older, newer = await save(house, client, "Porch", 0, 2), await save(house, client, "Porch", 2, 4)
    async with open_browser(house.hass.url, house.tokens, phone=True) as page:
        await page.goto(f"{house.hass.url}/media-browser/browser")
        await page.locator(".child", has_text="Ringwatch").click()
        await page.locator(".child", has_text="Porch").click()
        await page.locator(".child .folder").first.click()
        clips = page.locator(".child", has_text="Saved")
        await clips.nth(1).wait_for()
        titles = await clips.locator(".title").all_inner_texts()
        lengths = [f"· {clip['duration_s']:.0f} s" for clip in (newer, older)]
        found = [title.strip()[-len(length) :] for title, length in zip(titles, lengths, strict=True)]
        assert found == lengths, titles
        tile = clips.first.locator("ha-media-browser-thumbnail")
        await tile.locator(".image").wait_for()
        assert await tile.evaluate(DRAWN) == [HEIGHT, HEIGHT]

        search = page.locator("input").first
        await search.fill("burglar")
        await search.press("Enter")
        await page.get_by_text("No results found").wait_for()
        await search.fill("porch saved")
        await search.press("Enter")
        results = page.locator(".child", has_text="· Porch · Saved")
        await results.nth(1).wait_for()
        await results.first.click()
        video = page.locator("video")
        await video.wait_for()
        deadline_s = time.monotonic() + 20
        while not (times := await played_s(page)) or times[0] <= 1:
            assert time.monotonic() < deadline_s, f"played {times} s"
            await asyncio.sleep(0.1)
        await video.evaluate("video => { video.currentTime = 3 }")
        while (await played_s(page))[0] <= 3.2:
            assert time.monotonic() < deadline_s, f"played {await played_s(page)} s"
            await asyncio.sleep(0.1)
        assert await video.evaluate("video => [video.videoWidth, video.videoHeight]") == [WIDTH, HEIGHT]
    assert house.complaints() == []
