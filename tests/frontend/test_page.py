"""A neighbor without Home Assistant joins, reads and answers: from the hub's address, and from a file."""

import asyncio
from pathlib import Path
import time

from playwright.async_api import Browser, Page, expect

from ringwatch.neighborhood.keys import fingerprint
from script.lib.hub_client import Member, Street, comment, join, post
from tests.hub.media import film, film_media, picture, picture_media

from .conftest import MakeStreet
from .neighbors import Neighbor, address, as_file, invite_link, open_neighbor

PHONE_NUMBER = "312-555-0142"
HOUR_AHEAD = "const now = Date.now; Date.now = () => now() + 3_600_000;"
WITHOUT_ED25519 = (
    "SubtleCrypto.prototype.generateKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'));"
)

STORED_KEY = """() => new Promise((done) => {
    indexedDB.open("ringwatch").onsuccess = ({ target: { result } }) => {
        const all = result.transaction("memberships").objectStore("memberships").getAll();
        all.onsuccess = () => done([all.result[0].key.kind, all.result[0].key.key.extractable]);
    };
})"""


def say(who: Member, body: object) -> str:
    """Have a home write something; return its id."""
    who.catch_up()
    answer = who.post(body)  # type: ignore[arg-type]
    assert answer.status == 201, answer
    return str(who.tip)


def comments_at_hub(street: Street, item: str) -> list[str]:
    """Return what stands below a post, as the host's home reads it."""
    items = street.host.call("GET", f"/posts/{item}/comments").json["items"]
    return [one["record"]["body"]["text"] for one in items]


async def until(check: object, patience_s: float = 15.0) -> None:
    """Wait until something about the hub is so."""
    deadline_s = time.monotonic() + patience_s
    while not check():  # type: ignore[operator]
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.1)


async def open_post(page: Page, title: str) -> None:
    await page.get_by_role("button", name=title, exact=True).click()
    await page.get_by_role("heading", name="Comments").wait_for()


async def test_a_neighbor_joins_reads_plays_and_answers(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    ann = join(street, "Ann")
    clip, still = film(), picture(320, 200)
    media = (film_media(clip), picture_media(still, 320, 200))
    assert {ann.upload(clip, media[0]).status, ann.upload(still, media[1]).status} == {200}
    item = say(ann, post(media=media))
    say(ann, comment(item, "Two of them."))
    link = invite_link(street)

    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await page.goto(link)
    await page.get_by_text(fingerprint(street.hub.key)).wait_for()
    assert await page.get_by_text("Be kind.").is_visible()
    await page.get_by_role("link", name="Save the page as a file").wait_for()
    assert "#" not in page.url
    await neighbor.join(invite_link(street), "Newcomer")

    await page.get_by_role("button", name="Play the clip").click()
    video = page.locator("video")
    await video.wait_for()
    await until_played(page)
    assert str(await video.get_attribute("src")).startswith("blob:")
    await page.get_by_role("button", name="Show the picture").click()
    await expect(page.locator("rw-media img")).to_have_js_property("naturalWidth", 320)

    await open_post(page, "A parcel is gone")
    await page.get_by_label("Your comment").fill(f"  I saw it, call {PHONE_NUMBER}  ")
    await page.get_by_role("button", name="Send", exact=True).click()
    await page.get_by_text("a telephone number").wait_for()
    await page.get_by_role("button", name="Change it").click()
    assert comments_at_hub(street, item) == ["Two of them."]
    await page.get_by_label("Your comment").fill("I saw it, too.")
    await page.get_by_role("button", name="Send", exact=True).click()
    mine = page.locator("rw-comments li", has_text="I saw it, too.")
    await mine.wait_for()
    assert comments_at_hub(street, item) == ["Two of them.", "I saw it, too."]

    await page.locator("rw-post #thank").click()
    await expect(page.locator("rw-post #thanks")).to_have_text("1")
    await expect(page.locator("rw-post #thank")).to_be_disabled()
    theirs = page.locator("rw-comments li", has_text="Two of them.")
    await theirs.get_by_role("button", name="Flag").click()
    await page.get_by_label("It isn't true").check()
    await page.get_by_role("button", name="Flag it").click()
    await theirs.get_by_role("button", name="Flagged").wait_for()
    await mine.get_by_role("button", name="Take back").click()
    await page.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    await mine.wait_for(state="detached")
    assert comments_at_hub(street, item) == ["Two of them."]

    say(ann, comment(item, "It came back!"))
    await page.get_by_text("It came back!").wait_for()  # by itself

    await page.reload()
    await neighbor.connected()
    assert await page.evaluate(STORED_KEY) == ["native", False]
    assert neighbor.complaints == []
    assert neighbor.hosts() == {address(street).removeprefix("http://")}
    secret = link.partition("#")[2]
    assert not any(
        secret in request.url or secret in (request.post_data or "") for request in neighbor.requests
    )


async def until_played(page: Page) -> None:
    played = "video => video.videoWidth === 160 && video.currentTime > 0.5 && !video.error"
    deadline_s = time.monotonic() + 15
    while not await page.locator("video").evaluate(played):
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.1)


async def test_it_works_from_a_file_of_ones_own(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    street = make_street()
    clip = film()
    ann = join(street, "Ann")
    ann.upload(clip, film_media(clip))
    say(ann, post(media=(film_media(clip),)))
    neighbor = await open_neighbor(browser, phone=True, dark=True)
    page = neighbor.page
    await page.goto(as_file(built, tmp_path))
    await page.get_by_label("Invite link").fill("https://hub.example/join#1.AAAA")
    await page.get_by_role("button", name="Look at").click()
    await page.get_by_text("That is not an invite link").wait_for()
    await page.get_by_label("Invite link").fill(invite_link(street))
    await page.get_by_role("button", name="Look at").click()
    await page.get_by_label("I have read the rules").check()
    await page.get_by_label("Your name in the neighborhood").fill("Ann")
    await page.get_by_role("button", name="Join", exact=True).click()
    await page.get_by_text("A neighbor has that name").wait_for()
    await page.get_by_label("Your name in the neighborhood").fill("Filer")
    await page.get_by_role("button", name="Join", exact=True).click()
    await neighbor.connected()
    await page.get_by_role("button", name="Play the clip").click()
    await until_played(page)
    assert await page.get_by_text("This page came from the hub").count() == 0
    width = "[document.documentElement.scrollWidth, innerWidth]"
    assert len(set(await page.evaluate(width))) == 1  # nothing to scroll sideways on a phone
    assert neighbor.complaints == []
    assert neighbor.hosts() == {address(street).removeprefix("http://")}


async def test_the_saved_page_is_the_one_that_was_built(
    make_street: MakeStreet, browser: Browser, built: Path
) -> None:
    street = make_street()
    neighbor = await open_neighbor(browser)
    await neighbor.page.goto(address(street))
    async with neighbor.page.expect_download() as download:
        await neighbor.page.get_by_role("link", name="Save the page as a file").click()
    saved = await (await download.value).path()
    assert saved.read_bytes() == built.read_bytes()  # noqa: ASYNC240


async def test_a_wrong_clock_is_corrected_and_said(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    item = say(join(street, "Ann"), post())
    neighbor = await open_neighbor(browser)
    await neighbor.context.add_init_script(HOUR_AHEAD)
    await neighbor.join(invite_link(street), "Late")
    await neighbor.page.get_by_text("The clock of this device is 60 minutes off").wait_for()
    await open_post(neighbor.page, "A parcel is gone")
    await neighbor.page.get_by_label("Your comment").fill("In time")
    await neighbor.page.get_by_role("button", name="Send", exact=True).click()
    await neighbor.page.locator("rw-comments li", has_text="In time").wait_for()
    assert comments_at_hub(street, item) == ["In time"]


async def test_what_is_written_offline_is_sent_once_later(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    item = say(join(street, "Ann"), post())
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.join(invite_link(street), "Robin")
    await open_post(page, "A parcel is gone")
    await neighbor.context.set_offline(True)
    await page.get_by_label("Your comment").fill("From the cellar")
    await page.get_by_role("button", name="Send", exact=True).click()
    await page.get_by_text("Not sent yet").wait_for()
    await page.get_by_text("No connection to the hub").first.wait_for()
    assert await page.get_by_role("heading", name="A parcel is gone").is_visible()
    assert comments_at_hub(street, item) == []
    await neighbor.context.set_offline(False)
    await page.locator("rw-comments li", has_text="From the cellar").wait_for()
    await page.get_by_label("Your comment").fill("From the roof")
    await page.get_by_role("button", name="Send", exact=True).click()
    await page.locator("rw-comments li", has_text="From the roof").wait_for()
    assert comments_at_hub(street, item) == ["From the cellar", "From the roof"]


async def test_an_answer_that_is_lost_makes_nobody_fork(make_street: MakeStreet, browser: Browser) -> None:
    """The hub takes a comment and the line breaks before it says so: the very same record is sent again."""
    street = make_street()
    item = say(join(street, "Ann"), post())
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.join(invite_link(street), "Robin")
    await open_post(page, "A parcel is gone")
    lost: list[int] = []

    async def lose(route: object) -> None:
        if route.request.method == "POST" and not lost:  # type: ignore[attr-defined]
            lost.append((await route.fetch()).status)  # type: ignore[attr-defined]
            await route.abort()  # type: ignore[attr-defined]
        else:
            await route.continue_()  # type: ignore[attr-defined]

    await neighbor.context.route("**/records", lose)
    for text in ("Once", "And again"):
        await page.get_by_label("Your comment").fill(text)
        await page.get_by_role("button", name="Send", exact=True).click()
        await page.locator("rw-comments li", has_text=text).wait_for()
    assert lost == [201]
    assert comments_at_hub(street, item) == ["Once", "And again"]


async def test_one_tab_at_a_time(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    neighbor = await open_neighbor(browser)
    await neighbor.join(invite_link(street), "Robin")
    second = Neighbor(await neighbor.context.new_page(), neighbor.context)
    await second.page.goto(address(street))
    await second.page.get_by_role("button", name="Go on here").click()
    await second.connected()
    await neighbor.page.get_by_text("Open in another tab").wait_for()


async def test_a_browser_without_ed25519_keeps_a_sealed_key(
    make_street: MakeStreet, browser: Browser, tmp_path: Path
) -> None:
    street = make_street()
    item = say(join(street, "Ann"), post())
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.context.add_init_script(WITHOUT_ED25519)
    await page.goto(invite_link(street))
    await page.get_by_label("I have read the rules").check()
    await page.get_by_label("Your name in the neighborhood").fill("Elder")
    await page.get_by_label("Passphrase").fill("four old brass kettles")
    await page.get_by_role("button", name="Join", exact=True).click()
    await neighbor.connected()
    await page.get_by_role("button", name="About").click()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Save the sealed key").click()
    key_file = tmp_path / "key.json"
    await (await download.value).save_as(key_file)
    await page.reload()
    await page.get_by_label("Passphrase").fill("five old brass kettles")
    await page.get_by_role("button", name="Unlock").click()
    await page.get_by_text("That isn't the passphrase").wait_for()
    await neighbor.context.close()

    other = await open_neighbor(browser)
    await other.page.goto(address(street))
    await other.page.get_by_text("Coming back with a key file?").click()
    await other.page.get_by_label("Choose a key file").set_input_files(key_file)
    await other.page.get_by_label("Passphrase").fill("four old brass kettles")
    await other.page.get_by_role("button", name="Unlock").click()
    await other.connected()
    await open_post(other.page, "A parcel is gone")
    await other.page.get_by_label("Your comment").fill("With the same key")
    await other.page.get_by_role("button", name="Send", exact=True).click()
    await other.page.locator("rw-comments li", has_text="With the same key").wait_for()
    assert comments_at_hub(street, item) == ["With the same key"]
