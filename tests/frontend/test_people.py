"""A key that was lost, and two neighborhoods in one browser."""

import os
from pathlib import Path
import time

from playwright.async_api import Browser

from ringwatch.neighborhood.certificates import Replaced
from script.lib.hub_client import Street, create_invite, join, post

from .conftest import MakeStreet
from .neighbors import address, as_file, invite_link, open_neighbor
from .test_page import say


async def test_who_lost_the_key_comes_back_as_the_same_member(
    make_street: MakeStreet, browser: Browser
) -> None:
    street = make_street()
    first = await open_neighbor(browser)
    await first.join(invite_link(street), "Robin")
    members = street.host.call("GET", "/members").json["members"]
    [robin] = [one for one in members if one["handle"] == "Robin"]
    invite = create_invite(
        street.host.key,
        neighborhood=street.id,
        hub_key=street.hub.key,
        url=address(street),
        now_s=int(time.time()),
        seed=os.urandom(32),
        replaces=Replaced(robin["subject"], robin["subject"]),
    )
    again = await open_neighbor(browser)
    page = again.page
    await page.goto(invite.link)
    await page.get_by_label("I have read the rules").check()
    assert await page.get_by_label("Your name in the neighborhood").count() == 0
    await page.get_by_role("button", name="Join", exact=True).click()
    await again.connected()
    members = street.host.call("GET", "/members").json["members"]
    [now] = [one for one in members if one["handle"] == "Robin"]
    assert now["subject"] == robin["subject"]
    assert now["key"] != robin["key"]
    say(join(street, "Ann"), post(title="A red parcel"))
    await page.locator("rw-post", has_text="A red parcel").wait_for()
    await first.page.locator("#removed").wait_for()


async def test_two_neighborhoods_in_one_browser_stay_apart(
    make_street: MakeStreet, built: Path, browser: Browser, tmp_path: Path
) -> None:
    """On two hubs: a page of one's own may ask both, one that a hub serves only that hub."""
    elm, oak = make_street(name="Elm Street"), make_street(name="Oak Lane")
    say(join(elm, "Ann"), post(title="On Elm Street"))
    say(join(oak, "Bob"), post(title="On Oak Lane"))
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await page.goto(as_file(built, tmp_path))

    async def come_in(street: Street) -> None:
        await page.get_by_label("Invite link").fill(invite_link(street))
        await page.get_by_role("button", name="Look at").click()
        await page.get_by_label("I have read the rules").check()
        await page.get_by_label("Your name in the neighborhood").fill("Robin")
        await page.get_by_role("button", name="Join", exact=True).click()

    await come_in(elm)
    await page.locator("rw-post", has_text="On Elm Street").wait_for()
    await page.get_by_text("About", exact=True).click()
    await page.get_by_role("button", name="Join another neighborhood").click()
    await come_in(oak)
    await page.locator("rw-post", has_text="On Oak Lane").wait_for()
    assert await page.get_by_text("On Elm Street").count() == 0
    await page.get_by_label("Neighborhood", exact=True).select_option(label="Elm Street")
    await page.locator("rw-post", has_text="On Elm Street").wait_for()
    assert await page.get_by_text("On Oak Lane").count() == 0
    assert neighbor.hosts() == {f"127.0.0.1:{street.hub.port}" for street in (elm, oak)}
    assert neighbor.complaints == []
