"""An officer at work: key, feed, a request on the map, a delivery. From a disk, and from an agency's site."""

import asyncio
from collections.abc import Callable
import json
from pathlib import Path
import time
import zipfile

from playwright.async_api import Browser, Page, expect
import pytest

from ringwatch.footage.age_file import generate_identity
from ringwatch.neighborhood.bodies import Moderation, Officer
from ringwatch.neighborhood.bodies.agencies import OfficerAction
from ringwatch.neighborhood.bodies.care import Action
from ringwatch.neighborhood.bodies.feed import Category
from ringwatch.neighborhood.bodies.people import Mode
from ringwatch.neighborhood.keys import fingerprint
from script.lib.hub_agency import ask, enrol, release
from script.lib.hub_client import CENTER, Member, comment, join, post

from .conftest import MakeStreet
from .neighbors import Neighbor, address, open_neighbor
from .officers import (
    PASSPHRASE,
    Precinct,
    agency_site,
    as_officer_file,
    give,
    open_desk,
    precinct,
    records,
    use_key_file,
)

SCRIPT = "<img src=x onerror=alert(1)>"


def say(who: Member, body: object) -> str:
    who.catch_up()
    answer = who.post(body)  # type: ignore[arg-type]
    assert answer.status == 201, answer
    return str(who.tip)


def last(at: Precinct, type_: str) -> object:
    """Return the body of the newest record of a type, as a home reads it."""
    return [one.body for one in records(at.home).values() if one.type == type_][-1]


async def until[T](look: Callable[[], T], patience_s: float = 20.0) -> T:
    """Wait until something about the hub is so."""
    deadline_s = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.2)
    return found


async def go(page: Page, tab: str) -> None:
    await page.get_by_role("navigation").get_by_role("button", name=tab, exact=True).click()


def asked_nobody_else(desk: Neighbor, at: Precinct, *more: str) -> None:
    assert desk.hosts() <= {address(at.street).removeprefix("http://"), *more}
    assert desk.complaints == []


async def test_an_officer_reads_searches_alerts_and_thanks(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    at = precinct(make_street())
    say(at.home, post("Somebody tried car doors", "At four in the morning.", category=Category.CRIME))
    fox = say(at.home, post("Fox by the bins", "Not shy.", category=Category.ANIMAL))
    desk = await open_neighbor(browser)
    page = desk.page
    await page.goto(as_officer_file(built, tmp_path))
    await use_key_file(desk, at, "another passphrase")
    await page.get_by_text("That isn't the passphrase").wait_for()
    await use_key_file(desk, at)
    await page.get_by_text(fingerprint(at.street.hub.key)).wait_for()
    await page.get_by_role("button", name="It is the right one").click()
    await desk.connected()

    await page.get_by_role("button", name="Fox by the bins", exact=True).wait_for()
    await page.get_by_label("Search the feed").fill("CAR doors")
    await page.get_by_text("1 post", exact=True).wait_for()
    assert await page.get_by_role("button", name="Fox by the bins").count() == 0
    await page.get_by_label("Precinct").fill("2nd")
    await page.get_by_label("Name of the search").fill("Cars")
    await page.get_by_role("button", name="Save this search").click()
    await page.get_by_role("button", name="Clear the search").click()
    await page.get_by_text("2 posts", exact=True).wait_for()
    await page.get_by_label("What it is about").select_option("animal")
    await page.get_by_text("1 post", exact=True).wait_for()
    await page.get_by_text("Where and when").click()
    await page.locator("rw-map svg.map").focus()
    await page.keyboard.press("Enter")  # at the middle, where the fox was
    await page.get_by_text("1 post", exact=True).wait_for()
    for _ in range(6):
        await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await page.get_by_text("0 posts", exact=True).wait_for()
    say(at.home, post("Car doors again", "", category=Category.CRIME))
    await page.get_by_text("1 new", exact=True).wait_for()  # of the saved search
    await page.get_by_role("button", name="Cars 1 new").click()
    await page.get_by_text("2 posts", exact=True).wait_for()

    await page.get_by_role("button", name="Clear the search").click()
    await page.get_by_role("button", name="Fox by the bins", exact=True).click()
    await page.get_by_role("button", name="Reply “Thanks for posting”").click()
    await page.locator("rw-comments li", has_text="Thanks for posting.").wait_for()
    await page.locator("rw-post #thank").click()
    await expect(page.locator("rw-post #thanks")).to_have_text("1")
    assert await page.get_by_role("button", name="Flag").count() == 0  # members flag
    items = at.home.call("GET", f"/posts/{fox}/comments").json["items"]
    assert [one["record"]["body"]["text"] for one in items] == ["Thanks for posting."]
    await page.locator("#back").click()

    await page.get_by_role("button", name="Post an alert").click()
    await page.get_by_label("Headline").fill("Missing: a boy of six")
    await page.get_by_label("What people should know").fill("Red jacket.")
    await page.locator("rw-alert-form rw-map svg.map").click()
    await page.get_by_role("button", name="Post the alert").click()
    await page.get_by_role("button", name="Missing: a boy of six").wait_for()
    alert = last(at, "alert")
    assert alert.post.place == CENTER  # type: ignore[attr-defined]

    await page.get_by_role("button", name="Lock", exact=True).click()
    assert await page.get_by_text("Missing: a boy of six").count() == 0
    await page.reload()
    await page.get_by_label("Passphrase").fill(PASSPHRASE)
    await page.get_by_role("button", name="Unlock").click()
    await desk.connected()
    await page.get_by_role("button", name="Cars", exact=True).wait_for()  # kept in this browser
    asked_nobody_else(desk, at)


async def test_an_officer_asks_on_the_map_within_the_limits(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    at = precinct(make_street())
    desk = await open_desk(browser, as_officer_file(built, tmp_path), at)
    page = desk.page

    def kept(check: str) -> object:
        return expect(page.locator(f"[data-check='{check}']"))

    await go(page, "Requests")
    await page.locator("#new").click()
    picture = page.locator("rw-map svg.map")
    for position in ((250, 150), (330, 150), (330, 230), (252, 228)):  # 700 m at this zoom
        await picture.click(position={"x": position[0], "y": position[1]})
    await kept("area").to_have_class("kept")  # type: ignore[attr-defined]
    await expect(page.locator("#drawn")).to_contain_text("Within all limits")
    await expect(page.locator("#send")).to_be_disabled()  # there are no words yet
    box = await picture.bounding_box()
    assert box
    await page.mouse.move(box["x"] + 252, box["y"] + 228)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 30, box["y"] + 390, steps=5)
    await page.mouse.up()
    await kept("area").to_have_class("broken")  # type: ignore[attr-defined]
    await page.get_by_role("button", name="Start again").click()
    await page.get_by_text("Corners as numbers").click()
    lat, lon = CENTER.lat_e6 / 1e6, CENTER.lon_e6 / 1e6
    far = [(lat + 0.058, lon), (lat + 0.058, lon + 0.005), (lat + 0.062, lon + 0.005), (lat + 0.062, lon)]
    await page.locator("#corners").fill("\n".join(f"{a:.6f}, {b:.6f}" for a, b in far))
    await page.get_by_role("button", name="Use these corners").click()
    for check in ("jurisdiction", "hood"):
        await kept(check).to_have_class("broken")  # type: ignore[attr-defined]
    await page.locator("#corners").fill("41, 42, 43")
    await page.get_by_role("button", name="Use these corners").click()
    await page.get_by_text("A line isn't a latitude and a longitude").wait_for()
    crossing = [(lat, lon), (lat + 0.004, lon + 0.005), (lat + 0.004, lon), (lat, lon + 0.005)]
    await page.locator("#corners").fill("\n".join(f"{a:.6f}, {b:.6f}" for a, b in crossing))
    await page.get_by_role("button", name="Use these corners").click()
    await kept("shape").to_have_class("broken")  # type: ignore[attr-defined]
    await page.get_by_role("button", name="Start again").click()
    await page.locator("#box").click()
    await kept("area").to_have_class("kept")  # type: ignore[attr-defined]
    await expect(page.locator("[data-check='area']")).to_contain_text("0.16")

    start = page.get_by_label("From", exact=True)
    was = await start.input_value()
    await start.fill("2020-01-01T00:00")
    for check in ("age", "window"):
        await kept(check).to_have_class("broken")  # type: ignore[attr-defined]
    await start.fill(was)
    await page.get_by_label("Incident type").select_option("assembly")
    await kept("incident").to_have_class("broken")  # type: ignore[attr-defined]
    await page.get_by_label("Incident type").select_option("burglary")
    await page.get_by_label("Case number").fill(" 26-4711 ")
    await page.get_by_label("Purpose").fill("Find who broke in.")
    await page.get_by_label("Contact").fill("Sgt. Reyes, 555 0100")
    await page.get_by_label("Description").fill("A person\nwith a ladder.")
    await page.get_by_label("Also ask").check()
    await page.locator("#send").click()
    await page.get_by_text("Sent. A moderator looks at it").wait_for()
    line = page.locator("[data-request]")
    await expect(line).to_contain_text("Waits for a moderator")
    await expect(line).to_contain_text("Burglary, 26-4711")

    request = str(await line.get_attribute("data-request"))
    release(at.street, request)
    await expect(line).to_contain_text("Open")
    body = last(at, "footage_request")
    assert (body.incident, body.availability, body.retention_days) == ("burglary", True, 30)  # type: ignore[attr-defined]
    await line.click()
    assert await page.get_by_text("with a ladder").is_visible()
    await page.get_by_role("button", name="Extend by 7 days").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await page.get_by_text("Extended once").wait_for()
    await page.get_by_role("button", name="Remind once").click()
    await page.get_by_role("dialog").get_by_role("button", name="Yes").click()
    await page.get_by_text("Reminded", exact=False).first.wait_for()
    assert await page.get_by_role("button", name="Extend by 7 days").count() == 0
    await page.get_by_role("button", name="Close", exact=True).click()
    await page.get_by_label("Outcome").select_option("solved")
    await page.get_by_role("dialog").get_by_role("button", name="Close it").click()
    await expect(page.locator("#status")).to_have_text("Closed")
    await page.get_by_text("Solved, ", exact=False).wait_for()
    asked_nobody_else(desk, at)


async def test_a_refusal_is_shown_with_its_reason_and_a_case_has_two_requests(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    at = precinct(make_street())
    first = at.asked("26-1")
    desk = await open_desk(browser, as_officer_file(built, tmp_path), at, phone=True)
    page = desk.page
    await go(page, "Requests")
    await page.locator(f"[data-request='{first}']").wait_for()
    second = ask(at.officer, "26 1")
    say(at.street.host, Moderation(second, Action.REMOVE, f"Too wide. {SCRIPT}"))
    await expect(page.locator(f"[data-request='{second}']")).to_contain_text("Refused by a moderator")
    await page.locator(f"[data-request='{second}']").click()
    await expect(page.locator("#reason")).to_contain_text(f"Too wide. {SCRIPT}")
    await page.locator("#back").click()
    await page.locator("#new").click()
    await page.locator("#box").click()
    await page.get_by_label("Case number").fill("26/1")
    await expect(page.locator("[data-check='case']")).to_have_class("broken")
    await expect(page.locator("[data-check='case']")).to_contain_text("2 of 2")
    asked_nobody_else(desk, at)


async def test_a_delivery_is_opened_played_saved_and_receipted(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    at = precinct(make_street(mode=Mode.BEFORE))
    request = at.asked()
    package = give(at, request, name="Ann Parker")
    assert package.send().status == 200
    desk = await open_desk(browser, as_officer_file(built, tmp_path), at, accept_downloads=True)
    page = desk.page
    await go(page, "Deliveries")
    await page.locator("[data-delivery]").click()
    await page.locator("#open").click()
    await page.locator("#checked").wait_for()
    await expect(page.locator("#custody")).to_contain_text("Ann Parker")
    await expect(page.locator("#custody")).to_contain_text("Signed by the member “Ann”")
    await expect(page.locator("#custody")).to_contain_text("0.12 s behind true time")
    await page.get_by_role("button", name="Play").click()
    played = "video => video.videoWidth === 160 && video.currentTime > 0.5 && !video.error"
    deadline_s = time.monotonic() + 20
    while not await page.locator("video").evaluate(played):
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.1)
    async with page.expect_download() as waiting:
        await page.locator("#save").click()
    saved = tmp_path / "saved.zip"
    await (await waiting.value).save_as(saved)
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 8
    async with page.expect_download() as waiting:
        await page.locator("#words").click()
    await (await waiting.value).save_as(tmp_path / "words.json")
    assert json.loads((tmp_path / "words.json").read_text())["arrival"]["sha256"] == package.sha256

    await page.get_by_role("button", name="Sign the receipt").click()
    await page.locator("#receipts li", has_text="Received").wait_for()
    [receipt] = package.call("GET", "/receipts").json["receipts"]
    assert (receipt["kind"], receipt["officer"]) == ("received", at.officer.key.public)
    assert receipt["retention_until"] <= time.time() + 30 * 86_400
    await page.get_by_label("What happened").select_option("shared_with")
    await page.get_by_label("Passed on to whom").fill(f"County prosecutor {SCRIPT}")
    await page.get_by_role("button", name="Sign the receipt").click()
    await page.locator("#receipts li", has_text="County prosecutor").wait_for()
    assert [one["kind"] for one in package.call("GET", "/receipts").json["receipts"]] == [
        "received",
        "shared_with",
    ]

    await page.reload()  # the hub has deleted it; what was saved opens, and is checked again
    await page.get_by_label("Passphrase").fill(PASSPHRASE)
    await page.get_by_role("button", name="Unlock").click()
    await desk.connected()
    await go(page, "Deliveries")
    await expect(page.locator("[data-delivery]")).to_contain_text("Receipt signed")
    await page.locator("[data-delivery]").click()
    await page.get_by_text("The hub no longer has it").wait_for()
    assert await page.locator("#open").count() == 0
    damaged = tmp_path / "damaged.zip"
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    await page.locator("#saved").set_input_files(damaged)
    await page.locator("#failed").wait_for()
    assert await page.locator("#custody").count() == 0
    await page.locator("#saved").set_input_files(saved)
    await page.locator("#checked").wait_for()
    assert await page.locator("#receipts li").count() == 2
    asked_nobody_else(desk, at)


@pytest.mark.parametrize("what", ["altered at the hub", "made for another request", "a forged arrival"])
async def test_a_package_that_isnt_right_is_refused_and_nothing_of_it_shown(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path, what: str
) -> None:
    at = precinct(make_street())
    request = at.asked("26-1")
    package = give(
        at, at.asked("26-2") if what == "made for another request" else request, camera="Hidden porch"
    )
    package.request = request
    assert package.send().status == 200
    desk = await open_neighbor(browser)
    page = desk.page
    if what == "altered at the hub":

        async def alter(route: object) -> None:
            answer = await route.fetch()  # type: ignore[attr-defined]
            body = bytearray(await answer.body())
            body[-20] ^= 1
            await route.fulfill(response=answer, body=bytes(body))  # type: ignore[attr-defined]

        await page.route(f"**/deliveries/{package.id}", alter)
    elif what == "a forged arrival":

        async def forge(route: object) -> None:
            answer = await route.fetch()  # type: ignore[attr-defined]
            listed = await answer.json()
            listed["deliveries"][0]["arrival"]["time"] -= 3_600
            await route.fulfill(response=answer, json=listed)  # type: ignore[attr-defined]

        await page.route("**/deliveries", forge)
    await page.goto(as_officer_file(built, tmp_path))
    await use_key_file(desk, at)
    await page.get_by_role("button", name="It is the right one").click()
    await desk.connected()
    await go(page, "Deliveries")
    if what == "a forged arrival":
        await page.get_by_text("The hub's signature on the arrival is wrong").wait_for()
        assert await page.locator("[data-delivery]").count() == 0
        return
    await page.locator("[data-delivery]").click()
    await page.locator("#open").click()
    await page.locator("#failed").wait_for()
    await expect(page.locator("#failed")).to_contain_text("Nothing of the package is shown or kept")
    wanted = "changed or cut off" if what == "altered at the hub" else "a package for something else"
    await expect(page.locator("#failed")).to_contain_text(wanted)
    assert await page.locator("video, #custody, #checked").count() == 0
    assert await page.get_by_text("Hidden porch").count() == 0
    assert await page.get_by_role("button", name="Sign the receipt").count() == 0


async def test_a_key_made_in_the_browser_waits_for_its_certificate(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    """From the agency's own site."""
    at = precinct(make_street())
    request = at.asked()
    assert give(at, request).send().status == 200
    with agency_site(built, tmp_path) as site:
        desk = await open_neighbor(browser)
        page = desk.page
        await page.goto(site)
        await page.get_by_role("button", name="Make a key").click()
        await page.get_by_label("Link of the hub").fill("https://hub.example/hub")
        await page.get_by_role("button", name="Look").click()
        await page.get_by_text("That is not a hub's link").wait_for()
        await page.get_by_label("Link of the hub").fill(at.link)
        await page.get_by_role("button", name="Look").click()
        await page.get_by_role("button", name="It is the right one").click()
        await page.locator("#uncertified").wait_for()
        public = await page.get_by_label("Your public key").input_value()

        certificate = Officer(OfficerAction.CERTIFY, public, "Lt. Osei", int(time.time()) + 20 * 86_400)
        say(at.police.member, certificate)
        await page.get_by_role("button", name="Look again").click()
        await desk.connected()
        await page.get_by_text("Your certificate ends on").wait_for()

        await go(page, "Deliveries")
        await page.get_by_text("reading key isn't in this browser").wait_for()
        await go(page, "Agency and key")
        await page.get_by_label("Key file", exact=True).set_input_files(at.key_file(reading_only=True))  # type: ignore[arg-type]
        await page.get_by_label("Passphrase").fill(PASSPHRASE)
        await page.get_by_role("button", name="Add a reading key file").click()
        await page.get_by_text("Added.").wait_for()
        await page.reload()  # both keys are the browser's now: nothing is asked for
        await desk.connected()
        await go(page, "Deliveries")
        await page.locator("[data-delivery]").click()
        await page.locator("#open").click()
        await page.locator("#checked").wait_for()
        await expect(page.locator("#custody")).to_contain_text("stay anonymous")
        stored = await page.evaluate(STORED)
        assert stored == ["browser", False, False]
        asked_nobody_else(desk, at, site.split("/")[2])


STORED = """() => new Promise((done) => {
    indexedDB.open("ringwatch-officer-desk").onsuccess = ({ target: { result } }) => {
        const found = result.transaction("desk").objectStore("desk").get("key");
        found.onsuccess = () => {
            const { kind, key, reading } = found.result;
            done([kind, key.extractable, reading[0].key.extractable]);
        };
    };
})"""


async def test_script_in_every_field_stays_text(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    street = make_street(name=SCRIPT[:28])
    police = enrol(street, name=SCRIPT, terms=SCRIPT)
    at = Precinct(street, police, police.officer(SCRIPT), join(street, "Ann"))
    item = say(at.home, post(SCRIPT, SCRIPT))
    say(at.home, comment(item, SCRIPT))
    request = ask(at.officer, SCRIPT[:40])
    release(street, request)
    assert give(at, request, name=SCRIPT, camera=SCRIPT, software=SCRIPT).send().status == 200
    desk = await open_desk(browser, as_officer_file(built, tmp_path), at)
    page = desk.page
    await page.get_by_role("button", name=SCRIPT, exact=True).click()
    await page.locator("rw-comments li", has_text=SCRIPT).wait_for()
    await page.locator("#back").click()
    await page.get_by_label("Precinct").fill(SCRIPT)
    await page.get_by_label("Name of the search").fill(SCRIPT)
    await page.get_by_role("button", name="Save this search").click()
    await go(page, "Requests")
    await page.locator("[data-request]").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("onerror")
    await go(page, "Deliveries")
    await page.locator("[data-delivery]").click()
    await page.locator("#open").click()
    await page.locator("#checked").wait_for()
    await expect(page.locator("#custody")).to_contain_text(SCRIPT)
    await go(page, "Agency and key")
    await expect(page.locator("h1")).to_contain_text(SCRIPT)
    assert await page.locator("img[src='x']").count() == 0
    asked_nobody_else(desk, at)


async def test_an_area_is_drawn_with_the_keyboard_alone(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    at = precinct(make_street())
    desk = await open_desk(browser, as_officer_file(built, tmp_path), at)
    page = desk.page
    await go(page, "Requests")
    await page.locator("#new").click()
    await page.locator("rw-map svg.map").focus()
    for keys in ("Enter", "ArrowRight Enter", "ArrowDown Enter", "ArrowLeft Enter", "ArrowLeft Enter Delete"):
        for one in keys.split():
            await page.keyboard.press(one)
    assert await page.locator("rw-map .handle").count() == 4
    await expect(page.locator("[data-check='area']")).to_have_class("kept")
    before = await page.locator("#corners").input_value()
    await page.keyboard.press("Tab")  # to the first corner
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#corners")).not_to_have_value(before)
    await expect(page.locator("rw-map .handle").first).to_be_focused()
    await page.keyboard.press("Delete")
    assert await page.locator("rw-map .handle").count() == 3


async def test_an_officer_who_was_called_back_is_told_and_reads_no_more(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    at = precinct(make_street())
    say(at.home, post("Fox by the bins", "Not shy.", category=Category.ANIMAL))
    desk = await open_desk(browser, as_officer_file(built, tmp_path), at)
    page = desk.page
    await page.get_by_role("button", name="Fox by the bins", exact=True).wait_for()
    at.police.revoke(at.officer)
    await page.locator("#removed, #uncertified").wait_for()
    assert await page.get_by_text("Fox by the bins").count() == 0


async def test_a_changed_reading_key_is_held_and_asked_for(
    make_street: MakeStreet, browser: Browser, built: Path, tmp_path: Path
) -> None:
    at = precinct(make_street())
    desk = await open_desk(browser, as_officer_file(built, tmp_path), at)
    page = desk.page
    await go(page, "Agency and key")
    await page.get_by_text("In this browser; it can't be copied out of it").wait_for()
    at.police.change(age_recipient=generate_identity().recipient)
    await page.get_by_text("The agency's key was changed").wait_for()
    await page.get_by_text("not the one that the agency's profile names").wait_for()
