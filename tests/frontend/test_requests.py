"""Footage requests on the neighbors' page: after a moderator has looked, in words, never answered here."""

from pathlib import Path

from playwright.async_api import Browser, expect

from ringwatch.neighborhood.bodies import Close, Moderation
from ringwatch.neighborhood.bodies.care import Action
from ringwatch.neighborhood.bodies.requests import Outcome
from script.lib.hub_agency import ask, enrol, release
from script.lib.hub_client import join, post

from .conftest import MakeStreet
from .neighbors import invite_link, open_neighbor
from .test_page import say

SCRIPT = '<img src=x onerror="document.title=1">'


async def test_a_request_is_public_once_it_is_released(
    make_street: MakeStreet, browser: Browser, tmp_path: Path
) -> None:
    street = make_street()
    ann = join(street, "Ann")
    police = enrol(street, name=f"Police {SCRIPT}")
    officer = police.officer()
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.join(invite_link(street), "Robin")
    request = ask(officer, f"26-1 {SCRIPT}"[:40])
    say(ann, post(title="Seen after the request"))
    await page.get_by_text("Seen after the request").wait_for()
    cards = page.locator("rw-requests-public article")
    await expect(cards).to_have_count(0)  # it waits for a moderator

    release(street, request)
    await expect(cards).to_have_count(1)
    card = cards.first
    await expect(card).to_contain_text("Footage request: stolen package")
    for words in (
        *("Open", "Police <img", "Find who took it.", "Sgt. Reyes", "A red van.", "26-1 <img"),
        *("answered at home", "km²"),
    ):
        await expect(card).to_contain_text(words)
    assert await card.get_by_role("button").all_inner_texts() == ["Flag"]  # there is nothing to answer with
    await page.screenshot(path=tmp_path / "request.png", full_page=True)

    await card.get_by_role("button", name="Flag").click()
    await page.get_by_label("It isn't true").check()
    await page.get_by_role("button", name="Flag it").click()
    await expect(card.get_by_role("button", name="Flag")).to_have_count(0)

    say(officer, Close(request, Outcome.SOLVED))
    await expect(page.get_by_text("1 request that has ended")).to_be_visible()
    await page.get_by_text("1 request that has ended").click()
    await expect(card).to_contain_text("solved")
    await page.reload()
    await neighbor.connected()
    await expect(page.get_by_text("1 request that has ended")).to_be_visible()
    assert await page.title() != "1"
    assert neighbor.complaints == []


async def test_a_refused_request_shows_nothing_but_the_decision(
    make_street: MakeStreet, browser: Browser
) -> None:
    street = make_street()
    police = enrol(street)
    officer = police.officer()
    request = ask(officer)
    say(street.host, Moderation(request, Action.REMOVE, "Not a matter for cameras."))
    neighbor = await open_neighbor(browser)
    await neighbor.join(invite_link(street), "Robin")
    await expect(neighbor.page.locator("rw-requests-public article")).to_have_count(0)
    await neighbor.page.get_by_role("button", name="Moderation").click()
    await expect(neighbor.page.get_by_text("Not a matter for cameras.")).to_be_visible()
    await expect(neighbor.page.get_by_text("removed a footage request")).to_be_visible()
    assert neighbor.complaints == []
