"""What others wrote stays text, and what the hub makes up is neither shown nor kept."""

from collections.abc import Callable
from dataclasses import replace
import hashlib
import json
from typing import Any

from playwright.async_api import Browser, Route, TimeoutError as PageTimeout, expect
import pytest

from custom_components.ringwatch.neighborhood.canonical import encode
from ringwatch.neighborhood.bodies import Moderation, Remove
from ringwatch.neighborhood.bodies.care import Action
from ringwatch.neighborhood.bodies.feed import Category
from script.lib.hub_client import comment, founding, join, post
from tests.hub.media import film, film_media, picture, picture_media

from .conftest import MakeStreet
from .neighbors import Neighbor, address, invite_link, open_neighbor
from .test_page import open_post, say

HTML = (
    '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
    "<b>bold</b>{{7*7}}${7*7}</style></title>"
)
LONG = "W" * 120
RIGHT_TO_LEFT = "שלום וברכה (abc) 123"
type Lines = list[dict[str, Any]]


async def test_nothing_that_others_wrote_becomes_html(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    host = street.host
    changed = replace(founding(street.hub), name=HTML[:80].strip(), rules=f"Rules: {HTML}")
    say(host, changed)
    ann = join(street, "Ann O'Neil")
    item = say(ann, post(title=HTML, text=f"Text: {HTML}\n{LONG}"))
    say(ann, comment(item, f"Comment: {HTML}"))
    other = say(ann, post(title=LONG, text=RIGHT_TO_LEFT, category=Category.ANIMAL))
    for action in (Action.HOLD, Action.RESTORE):
        say(host, Moderation(other, action, f"Reason: {HTML}"))
    neighbor = await open_neighbor(browser, phone=True)
    page = neighbor.page
    await page.goto(invite_link(street))
    await page.get_by_text(f"Rules: {HTML}").wait_for()
    await neighbor.join(invite_link(street), "Robin")
    await page.get_by_text(f"Text: {HTML}").wait_for()
    await page.get_by_role("button", name="Moderation").click()
    await page.get_by_text(f"Reason: {HTML}").first.wait_for()
    await page.get_by_role("button", name="About").click()
    await page.get_by_text(f"Rules: {HTML}").wait_for()
    await page.get_by_role("button", name="Feed").click()
    await page.get_by_label("Search").fill(HTML)
    await expect(page.locator("rw-post")).to_have_count(1)
    await open_post(page, HTML)
    await page.get_by_text(f"Comment: {HTML}").wait_for()
    assert await page.evaluate("window.pwned === undefined")
    assert await page.locator("b, img, script[src]").count() == 0
    assert len(set(await page.evaluate("[document.documentElement.scrollWidth, innerWidth]"))) == 1
    await page.get_by_label("Your comment").fill(HTML)
    await page.get_by_role("button", name="Send", exact=True).click()
    await page.locator("rw-comments li", has_text=HTML).nth(1).wait_for()
    assert neighbor.complaints == []
    assert neighbor.hosts() == {address(street).removeprefix("http://")}


async def lie(neighbor: Neighbor, change: Callable[[Lines, dict[str, str]], Lines]) -> None:
    """Have the hub's answers about the order changed on their way, as a hub that lies would write them."""

    async def answer(route: Route) -> None:
        real = await route.fetch()
        headers = {k: v for k, v in real.headers.items() if k not in {"content-encoding", "content-length"}}
        if real.status != 200:
            await route.fulfill(response=real)
            return
        lines = [json.loads(line) for line in (await real.text()).splitlines()]
        told = "".join(
            json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"
            for line in change(lines, headers)
        )
        await route.fulfill(status=200, headers=headers, body=told)

    await neighbor.context.route("**/records?*", answer)


def alter(lines: Lines, _: dict[str, str]) -> Lines:
    for line in lines:
        if "truth" in line.get("body", {}).get("title", ""):
            line["body"]["title"] = "Altered by the hub"
    return lines


def alter_author(lines: Lines, _: dict[str, str]) -> Lines:
    for line in lines:
        if line["type"] == "post":
            line["ago"] += 1
    return lines


def drop(lines: Lines, _: dict[str, str]) -> Lines:
    """Begin one later than was asked for."""
    if len(lines) < 2:
        return lines
    first, second, *others = lines
    begin = {"number": first["number"] + 1, "previous": "9" * 64, "time": first["time"] + second.pop("later")}
    return [second | begin, *others]


def withhold(lines: Lines, _: dict[str, str]) -> Lines:
    for line in lines:
        if line["type"] == "post" and "body" in line:
            salted = bytes.fromhex(line.pop("salt")) + encode(line.pop("body"))
            line["body_hash"] = hashlib.sha256(salted).hexdigest()
    return lines


def swap(lines: Lines, _: dict[str, str]) -> Lines:
    if len(lines) > 3:
        lines[2]["sig"], lines[3]["sig"] = lines[3]["sig"], lines[2]["sig"]
    return lines


def unsign(lines: Lines, _: dict[str, str]) -> Lines:
    if lines:
        lines[-1]["signed"] = "ab" * 64
    return lines


def cut(lines: Lines, _: dict[str, str]) -> Lines:
    return lines[:-1]


def forge_checkpoint(lines: Lines, headers: dict[str, str]) -> Lines:
    number, head, time, sig = headers["ringwatch-checkpoint"].split()
    headers["ringwatch-checkpoint"] = f"{int(number) + 1} {head} {time} {sig}"
    return lines


def from_the_future(lines: Lines, _: dict[str, str]) -> Lines:
    for line in lines:
        if line["type"] == "post":
            line["type"] = "parade"
    return lines


LIES: list[tuple[Callable[[Lines, dict[str, str]], Lines], str]] = [
    (alter, "changed something that a neighbor has signed"),
    (alter_author, "changed something that a neighbor has signed"),
    (drop, "left something out"),
    (swap, "changed something that a neighbor has signed"),
    (unsign, "isn't signed with the hub's key"),
    (cut, "isn't signed with the hub's key"),
    (forge_checkpoint, "isn't signed with the hub's key"),
    (withhold, "keeps a post back"),
    (from_the_future, "newer version of Ringwatch"),
]


async def test_a_hub_that_lies_is_caught_and_nothing_of_it_shown(
    make_street: MakeStreet, browser: Browser
) -> None:
    street = make_street()
    ann = join(street, "Ann")
    say(ann, post(title="The truth"))
    say(join(street, "Bob"), post(title="Nothing but"))
    for number, (change, said) in enumerate(LIES):
        neighbor = await open_neighbor(browser)
        await lie(neighbor, change)
        if change is withhold:
            await neighbor.context.route("**/bodies", lambda route: route.fulfill(json={"records": []}))
        await neighbor.page.goto(invite_link(street))
        await neighbor.page.get_by_label("I have read the rules").check()
        await neighbor.page.get_by_label("Your name in the neighborhood").fill(f"Robin {number}")
        await neighbor.page.get_by_role("button", name="Join", exact=True).click()
        trouble = neighbor.page.locator("#trouble")
        try:
            await trouble.wait_for()
        except PageTimeout:
            pytest.fail(f"{change.__name__} was not caught")
        assert said in await trouble.inner_text(), change.__name__
        assert await neighbor.page.get_by_text("Altered by the hub").count() == 0
        assert await neighbor.page.locator("rw-post article").count() == 0
        await neighbor.context.unroute_all()
        await neighbor.page.get_by_role("button", name="Try again").click()
        await neighbor.page.get_by_role("button", name="The truth").wait_for()
        await neighbor.context.close()


async def test_what_was_checked_before_a_lie_stays(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    ann = join(street, "Ann")
    say(ann, post(title="The truth"))
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.join(invite_link(street), "Robin")
    await page.get_by_role("button", name="The truth").wait_for()
    await lie(neighbor, alter)
    say(ann, post(title="A second one"))
    await page.get_by_role("button", name="A second one").wait_for()
    say(ann, post(title="The third truth"))
    await page.locator("#trouble").wait_for()
    assert await page.get_by_role("button", name="A second one").is_visible()
    assert await page.locator("rw-post article").count() == 2
    await page.reload()
    await page.locator("#trouble").wait_for()  # it is not forgotten
    await neighbor.context.unroute_all()
    seen: list[str] = []

    async def first_checkpoint(route: Route) -> None:
        real = await route.fetch()
        seen.append(real.headers["ringwatch-checkpoint"])
        await route.fulfill(
            status=200, headers=real.headers | {"ringwatch-checkpoint": seen[0]}, body=await real.body()
        )

    await neighbor.context.route("**/records?*", first_checkpoint)
    await page.get_by_role("button", name="Try again").click()
    await page.get_by_role("button", name="The third truth").wait_for()
    say(ann, comment(str(ann.tip), "And what came of it"))
    await page.locator("#trouble", has_text="went back in time").wait_for()


async def test_media_that_are_not_what_was_signed_are_not_shown(
    make_street: MakeStreet, browser: Browser
) -> None:
    street = make_street()
    ann = join(street, "Ann")
    clip, still = film(), picture()
    ann.upload(clip, film_media(clip))
    ann.upload(still, picture_media(still))
    say(ann, post(media=(film_media(clip), picture_media(still))))
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    other = film(seed=1)
    given = iter((other, other[: len(clip)].ljust(len(clip), b"\0"), still + b"\0"))

    async def another(route: Route) -> None:
        real = await route.fetch()
        headers = {k: v for k, v in real.headers.items() if k != "content-length"}
        await route.fulfill(status=200, headers=headers, body=next(given))

    await neighbor.join(invite_link(street), "Robin")
    await neighbor.context.route("**/blobs/*", another)
    await page.get_by_role("button", name="Play the clip").click()
    await page.get_by_text("Not shown: the hub gave another file").wait_for()
    await page.reload()
    await page.get_by_role("button", name="Play the clip").click()
    await page.get_by_text("Not shown: the hub gave another file").wait_for()
    await page.get_by_role("button", name="Show the picture").click()
    await expect(page.get_by_text("Not shown: the hub gave another file")).to_have_count(2)
    assert await page.locator("video, img").count() == 0


async def test_a_removed_member_is_told(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    say(join(street, "Ann"), post())
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.join(invite_link(street), "Robin")
    members = street.host.call("GET", "/members").json["members"]
    [robin] = [one["subject"] for one in members if one["handle"] == "Robin"]
    say(street.host, Remove(robin, robin, "Sold things"))
    await page.locator("#removed").wait_for()
    assert await page.locator("rw-post article").count() == 0
    await page.get_by_role("button", name="Forget this neighborhood").click()
    await page.get_by_label("Invite link").wait_for()
