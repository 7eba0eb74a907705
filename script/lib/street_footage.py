"""The street's other half: an officer asks in the open, one home answers, the other declines.

`walk_footage` goes the whole way in Chromium: drawn and asked, let through, looked at, a part hidden,
confirmed, undone, confirmed again, opened, receipted, closed, and read in the public register.
"""

from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Error as BrowserError, Page

from script.lib.browser import open_browser, open_page
from script.lib.street import Say, Street, StreetError, check, event_of, is_state, record, until
from script.lib.street_agency import AGENCY, OFFICER, enroll
from script.lib.street_bypasses import try_bypasses, try_twice
from script.lib.street_pages import Desk, Panel, Picture
from script.lib.street_website import Website

EVENT = "event.maple_street_footage_request"
OPEN = "sensor.maple_street_open_footage_requests"
LONG_UNDO_S = 600
SHORT_UNDO_S = 2


async def walk_footage(
    street: Street, website: Website, folder: Path, say: Say, pictures: Path | None = None
) -> None:
    """Go the whole way. Raise StreetError or HassError where it is not as it should be."""
    try:
        await _walk(street, website, folder, say, _Pictures(pictures).take)
    except (BrowserError, AssertionError) as err:  # `expect` raises the latter
        raise StreetError(f"in Chromium: {err}") from err


class _Pictures:
    """Keeps a picture of every step, if that is wanted."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._count = 0

    async def take(self, page: Page, name: str) -> None:
        if self._folder is not None:
            self._count += 1
            await page.screenshot(path=self._folder / f"street-{self._count:02}-{name}.png")


async def _walk(street: Street, website: Website, folder: Path, say: Say, picture: Picture) -> None:
    anna, ben = street.anna.client, street.ben.client
    clip = await record(anna)
    precinct = await enroll(street, website, folder / "police", say)
    await anna.command("ringwatch/footage/set_options", undo_s=LONG_UNDO_S)
    async with (
        anna.changes() as heard,
        ben.changes() as seen,
        open_page() as first,
        open_browser(street.anna.hass.url, anna.tokens) as second,
    ):
        desk, panel = Desk(first), Panel(second, street.anna.hass.url)
        await desk.sit_down(precinct)
        await desk.ask()
        await picture(first, "officer-asks")
        request = await desk.send()
        say(f"{OFFICER} drew an area in the officer's page and asked; a moderator has to let it through")

        await panel.release(request)
        await picture(second, "anna-releases")
        say("Anna, a moderator, let it through in the panel")
        events = [await event_of(states, "request", request, EVENT) for states in (heard, seen)]
        found = [event["matching_clips"] for event in events]
        check(found[0] >= 1 and found[1] == 0, f"clips that match: {found}")
        for client in (anna, ben):
            await until(partial(is_state, client, OPEN, "1"), "one request is open")
        say(f"both homes have the event; {found[0]} of Anna's clips match, none of Ben's")

        async with open_browser(street.ben.hass.url, ben.tokens, phone=True, dark=True) as third:
            phone = Panel(third, street.ben.hass.url)
            await phone.open(request)
            await phone.decline()
            await picture(third, "ben-declines")
        say("Ben declined; nobody is told")

        await panel.choose()
        await picture(second, "anna-chooses")
        await panel.make_ready()
        await panel.reads("Faces were to be hidden, and")
        say("faces were to be hidden, and no model is here: refused, not sent without")
        await panel.show_faces()
        await panel.make_ready()
        await panel.look()
        await picture(second, "anna-looks")
        tried = await try_bypasses(anna, request)
        await panel.open(request)
        await panel.look()
        await try_twice(anna, request)
        await panel.open(request)
        check(await desk.deliveries() == 0, "nothing is at the hub")
        say(f"refused, and nothing was sent: {', '.join(tried)}, a code used twice")
        shown = await panel.look()
        await panel.send()
        await panel.reads("Until then it is only here")
        await picture(second, "anna-confirms")
        check(await desk.deliveries() == 0, "nothing is at the hub before the time to undo is over")
        await panel.undo()
        say("Anna hid a part, looked at the very file to its end, confirmed, and undid it")
        await anna.command("ringwatch/footage/set_options", undo_s=SHORT_UNDO_S)
        check(await panel.look() == shown, "it is the same file")
        await panel.send()
        await panel.reads("In the agency's mailbox since")
        await picture(second, "anna-sent")
        say("Anna looked and confirmed again; it went when the time to undo was over")

        await desk.open_delivery()
        await picture(first, "officer-opens")
        check(
            await desk.clips(folder) == {"clip-01.mp4": shown}, "the agency has the very file that Anna saw"
        )
        await desk.receive()
        await picture(first, "officer-receipt")
        say(f"{OFFICER} opened it: checked, the same bytes as Anna saw; and signed the receipt")
        # Receipts are asked for every two minutes, and after a start.
        await anna.post(f"/api/config/config_entries/entry/{street.anna.entry_id}/reload")
        await panel.open(request)
        await panel.reads("The agency has opened it")
        await picture(second, "anna-receipt")
        say("Anna's panel shows the receipt")

        await desk.close()
        for states in (heard, seen):
            await event_of(states, "closed", request, EVENT)
        await picture(first, "officer-closes")
        register = await _register(precinct.register)
        [asked] = register["requests"]
        told = {name: asked[name] for name in ("id", "status", "outcome")} | {
            "answers": asked["answers"]["words"]
        }
        check(
            told == {"id": request, "status": "closed", "outcome": "solved", "answers": "fewer than 5"},
            f"the register: {told}",
        )
        await first.goto(precinct.register)
        await picture(first, "register")
        check(AGENCY in await first.inner_text("body"), "the register names the agency")
        say("the case is closed; the public register shows the request and its outcome")
    check(clip["id"] in {one["id"] for one in (await anna.ask("get_clips"))["clips"]}, "Anna's clip is there")


async def _register(page: str) -> dict[str, Any]:
    """Return the public register, which asks for no name."""
    async with aiohttp.ClientSession() as session, session.get(f"{page}.json") as response:
        return dict(await response.json())
