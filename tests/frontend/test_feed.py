"""The feed in daily use: pages, search, categories, what is new, hidden posts; with the keyboard alone."""

from playwright.async_api import Browser, expect

from ringwatch.neighborhood.bodies import Flag
from ringwatch.neighborhood.bodies.care import FlagReason
from ringwatch.neighborhood.bodies.feed import Category
from script.lib.hub_client import join, post

from .conftest import MakeStreet
from .neighbors import invite_link, open_neighbor
from .test_page import say

AUTHORS = 3
EACH = 15


async def test_a_long_feed_is_read_searched_and_caught_up(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    authors = [join(street, f"Author {number}") for number in range(AUTHORS)]
    for number in range(AUTHORS * EACH):
        category = Category.ANIMAL if number == 5 else Category.PACKAGE
        text = "A train? Union Station, select (blue)!" if number == 7 else "Gone."
        say(authors[number % AUTHORS], post(title=f"Parcel {number}", text=text, category=category))
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.join(invite_link(street), "Robin")
    posts = page.locator("rw-post")
    await expect(posts).to_have_count(20)
    assert (
        await page.get_by_text("New", exact=True).count() == 0
    )  # nothing is, for somebody who has just come
    await page.keyboard.press("End")
    await page.keyboard.press("End")
    await expect(posts).not_to_have_count(20)
    for _ in range(3):
        await page.keyboard.press("End")
        await page.wait_for_timeout(200)
    await expect(posts).to_have_count(AUTHORS * EACH)
    await page.get_by_text("That is all.").wait_for()

    asked = len(neighbor.requests)
    await page.get_by_label("Search").fill("union station select (green)")
    await expect(posts).to_have_count(0)
    await page.get_by_text("Nothing fits").wait_for()
    await page.get_by_label("Search").fill("UNION  station select (blue)")
    await expect(posts).to_have_count(1)
    await page.get_by_role("button", name="Packages", exact=True).click()
    await page.get_by_label("Search").fill("")
    await expect(posts).to_have_count(20)
    await page.get_by_role("button", name="Animals", exact=True).click()
    await expect(posts).to_have_count(1)
    await page.get_by_role("button", name="All", exact=True).click()
    later = [request for request in neighbor.requests[asked:] if "/records?after=" not in request.url]
    assert later == []  # what somebody looks for is nobody's business

    await page.goto("about:blank")
    say(authors[0], post(title="While you were away"))
    await page.go_back()
    await neighbor.connected()
    away = page.locator("rw-post", has_text="While you were away")
    await expect(away.get_by_text("New", exact=True)).to_be_visible()
    await expect(page.locator("nav .count")).to_have_count(0)  # it is on the screen, so it is read


async def test_three_flags_hide_a_post_from_others(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    flaggers = [join(street, f"Flagger {number}") for number in range(2)]
    item = say(join(street, "Ann"), post(title="Look at that man"))
    await neighbor.join(invite_link(street), "Robin")
    for flagger in flaggers:
        say(flagger, Flag(item, FlagReason.HARASSMENT, ""))
    flag = page.locator("rw-post").get_by_role("button", name="Flag")
    await flag.focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("It goes after a person").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await page.locator("rw-post article").wait_for(state="detached")
    await page.get_by_text("Nothing has been posted yet").wait_for()


async def test_it_is_used_with_the_keyboard_alone_and_everything_has_a_name(
    make_street: MakeStreet, browser: Browser
) -> None:
    street = make_street()
    say(join(street, "Ann"), post())
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.join(invite_link(street), "Robin")
    await page.get_by_label("Search").focus()
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await focused(page) == "A parcel is gone":
            break
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Comments").wait_for()
    assert await focused(page) == "Back to the feed"
    await page.get_by_label("Your comment").focus()
    await page.keyboard.type("Typed")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.locator("rw-comments li", has_text="Typed").wait_for()
    nameless = """() => {
        const found = [];
        const look = (root) => root.querySelectorAll("*").forEach((element) => {
            if (element.shadowRoot) look(element.shadowRoot);
            if (!element.matches("button, a, input, textarea, select, video, img, nav, dialog[open]")) return;
            const labels = [...(element.labels ?? [])].map((label) => label.textContent);
            const by = element.getAttribute("aria-labelledby");
            const other = by ? root.getElementById(by)?.textContent : "";
            const name = element.getAttribute("aria-label") ?? element.alt ?? other;
            if (![name, ...labels, element.textContent].join("").trim()) found.push(element.outerHTML);
        });
        look(document);
        return found;
    }"""
    assert await page.evaluate(nameless) == []
    await page.go_back()
    await page.get_by_role("button", name="A parcel is gone").wait_for()


async def focused(page: object) -> str:
    script = """() => {
        let at = document.activeElement;
        while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        return at.textContent.trim();
    }"""
    return str(await page.evaluate(script))  # type: ignore[attr-defined]
