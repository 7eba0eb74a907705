"""What people of the demo's street do in Chromium: an officer at work, an owner with the panel."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
import hashlib
from pathlib import Path
import zipfile

from playwright.async_api import Page, expect

from script.lib.street import StreetError
from script.lib.street_agency import Precinct

CORNERS = (
    (250, 150),
    (330, 150),
    (330, 230),
    (252, 228),
)  # pixels of the officer's map: a block about its middle
HIDDEN = (0.1, 0.1, 0.4, 0.5)  # of the picture
PLAYED_MS = 120_000  # a clip of some seconds, on a machine with much to do
PREPARED_MS = 120_000
SETTLED_MS = 1_000  # until the page has asked the hub

type Picture = Callable[[Page, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Desk:
    """An officer, with the officer's page as a file on the officer's disk."""

    page: Page

    async def sit_down(self, precinct: Precinct) -> None:
        """Open the key file, and the neighborhood whose hub it names."""
        page = self.page
        await page.goto(precinct.page.as_uri())
        await page.get_by_label("Key file", exact=True).set_input_files(precinct.key_file)
        await page.get_by_label("Passphrase").fill(precinct.passphrase)
        await page.get_by_role("button", name="Use this key").click()
        await page.get_by_role("button", name="It is the right one").click()
        await page.locator("#phase", has_text="Connected").wait_for()

    async def go(self, tab: str) -> None:
        """Go to one of the page's parts."""
        await self.page.get_by_role("navigation").get_by_role("button", name=tab, exact=True).click()

    async def ask(self) -> None:
        """Draw an area on the map, and write down what the last two hours' footage is wanted for."""
        page = self.page
        await self.go("Requests")
        await page.locator("#new").click()
        area = page.locator("rw-map svg.map")
        for x, y in CORNERS:
            await area.click(position={"x": x, "y": y})
        await expect(page.locator("#drawn")).to_contain_text("Within all limits")
        end = datetime.now().replace(second=0) + timedelta(minutes=1)  # noqa: DTZ005  # as the field takes it
        for label, time in (("From", end - timedelta(hours=2)), ("Until", end)):
            await page.get_by_label(label, exact=True).fill(time.strftime("%Y-%m-%dT%H:%M"))
        await page.get_by_label("Incident type").select_option("package_theft")
        await page.get_by_label("Case number").fill("26-4711")
        await page.get_by_label("Purpose").fill("Find who took parcels from three porches.")
        await page.get_by_label("Contact").fill("Sgt. Maria Reyes, 555-0100")
        await page.get_by_label("Description").fill("A person in a dark jacket,\nwith a large bag.")

    async def send(self) -> str:
        """Send the request; return its id."""
        await self.page.locator("#send").click()
        line = self.page.locator("[data-request]")
        await expect(line).to_contain_text("Waits for a moderator")
        return str(await line.get_attribute("data-request"))

    async def deliveries(self) -> int:
        """Return how many lie in the agency's mailbox."""
        await self.go("Deliveries")
        await self.page.locator("rw-deliveries").wait_for()
        await self.page.wait_for_timeout(SETTLED_MS)
        return await self.page.locator("[data-delivery]").count()

    async def open_delivery(self) -> None:
        """Fetch the one delivery; nothing is shown before all of it is checked."""
        await self.go("Deliveries")
        await self.page.get_by_role("button", name="Look again").click()
        await self.page.locator("[data-delivery]").click()
        await self.page.locator("#open").click()
        await self.page.locator("#checked").wait_for()

    async def clips(self, folder: Path) -> dict[str, str]:
        """Save what was opened; return the digest of each clip in it."""
        async with self.page.expect_download() as waiting:
            await self.page.locator("#save").click()
        saved = folder / "saved.zip"
        await (await waiting.value).save_as(saved)
        with zipfile.ZipFile(saved) as archive:
            names = [name for name in archive.namelist() if name.endswith(".mp4")]
            return {Path(name).name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}

    async def receive(self) -> None:
        """Sign that it was received."""
        await self.page.get_by_role("button", name="Sign the receipt").click()
        await self.page.locator("#receipts li", has_text="Received").wait_for()

    async def close(self) -> None:
        """Say that the case is solved."""
        page = self.page
        await self.go("Requests")
        await page.locator("[data-request]").click()
        await page.get_by_role("button", name="Close", exact=True).click()
        await page.get_by_label("Outcome").select_option("solved")
        await page.get_by_role("dialog").get_by_role("button", name="Close it").click()
        await expect(page.locator("#status")).to_have_text("Closed")


@dataclass(frozen=True, slots=True)
class Panel:
    """An owner, with the panel in the sidebar of their Home Assistant."""

    page: Page
    url: str

    async def open(self, request: str) -> None:
        """Go to a request, as the notification's link does."""
        await self.page.goto(f"{self.url}/ringwatch?request={request}")
        await self.page.locator("rw-review").wait_for()

    async def release(self, request: str) -> None:
        """Let a request through, as a moderator, from the list."""
        await self.page.goto(f"{self.url}/ringwatch")
        await self.page.locator("button.request", has_text="waits for a moderator").click()
        if request not in self.page.url:
            raise StreetError(f"another request was opened: {self.page.url}")
        await self.page.get_by_role("button", name="Let it through").click()
        await self.page.locator("rw-clip-editor").first.wait_for()

    async def choose(self) -> None:
        """Choose the newest clip, and draw a box over a part of it."""
        clip = self.page.locator("rw-clip-editor").last
        await clip.get_by_label("Choose").check()
        await clip.locator("video").evaluate(
            "video => video.readyState > 0 || new Promise(done => video.onloadeddata = done)"
        )
        await clip.get_by_role("button", name="Hide a part").click()
        area = clip.locator("svg.over")
        await area.evaluate("svg => svg.scrollIntoView({ block: 'center', behavior: 'instant' })")
        box = await area.bounding_box()
        if box is None:
            raise StreetError("there is nothing to draw on")
        left, top, right, bottom = HIDDEN
        mouse = self.page.mouse
        await mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
        await mouse.down()
        await mouse.move(box["x"] + right * box["width"], box["y"] + bottom * box["height"], steps=5)
        await mouse.up()
        await clip.get_by_role("button", name="Undo boxes").wait_for()

    async def show_faces(self) -> None:
        """Change an answer: faces needn't be hidden."""
        await self.page.get_by_role("button", name="Change", exact=True).click()
        await self.page.locator("rw-clip-editor").last.get_by_label("Hide faces").uncheck()

    async def make_ready(self) -> None:
        """Have the files made."""
        await self.page.get_by_role("button", name="Make it ready").click()

    async def look(self) -> str:
        """Play the file to its end; return the digest that is shown."""
        video = self.page.locator("rw-answer video")
        await video.wait_for(timeout=PREPARED_MS)
        await expect(self.page.locator("#send")).to_be_disabled()
        await video.evaluate("video => video.play()")
        await self.page.locator("#send:enabled").wait_for(timeout=PLAYED_MS)
        return (await self.page.locator("rw-answer .hash").inner_text()).split()[-1]

    async def send(self) -> None:
        """Confirm."""
        await self.page.locator("#send").click()

    async def undo(self) -> None:
        """Take the confirmation back."""
        await self.page.get_by_role("button", name="Undo", exact=True).click()

    async def decline(self) -> None:
        """Decline."""
        await self.page.get_by_role("button", name="Decline", exact=True).click()
        await self.page.get_by_role("button", name="Think again").wait_for()

    async def reads(self, text: str) -> None:
        """Wait until the panel says something."""
        await self.page.get_by_text(text, exact=False).first.wait_for()
