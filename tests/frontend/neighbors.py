"""What the tests of the page share: an invite, a browser that joins with it, and what it asked for."""

from dataclasses import dataclass, field
import os
from pathlib import Path
import time
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from script.lib.hub_client import Street, create_invite

PATIENCE_MS = 20_000
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def invite_link(street: Street, url: str | None = None) -> str:
    """Return a fresh link, as the host's Home Assistant makes it."""
    return create_invite(
        street.host.key,
        neighborhood=street.id,
        hub_key=street.hub.key,
        url=url or address(street),
        now_s=int(time.time()),
        seed=os.urandom(32),
    ).link


def address(street: Street) -> str:
    return f"http://127.0.0.1:{street.hub.port}"


@dataclass
class Neighbor:
    """A browser of somebody without Home Assistant, and everything that it asked for or complained about."""

    page: Page
    context: BrowserContext
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def join(self, link: str, handle: str) -> None:
        """Open an invite's link, look, agree, and join."""
        await self.page.goto(link)
        await self.page.get_by_label("I have read the rules").check()
        await self.page.get_by_label("Your name in the neighborhood").fill(handle)
        await self.page.get_by_role("button", name="Join", exact=True).click()
        await self.connected()

    async def connected(self) -> None:
        await self.page.locator("#phase", has_text="Connected").wait_for()

    def hosts(self) -> set[str]:
        """Return what it connected to."""
        return {
            request.url.split("/")[2]
            for request in self.requests
            if not request.url.startswith(("blob:", "data:", "file:"))
        }


async def open_neighbor(
    browser: Browser, *, phone: bool = False, dark: bool = False, **more: Any
) -> Neighbor:
    """Open an empty browser."""
    context = await browser.new_context(
        viewport=PHONE if phone else DESKTOP,
        color_scheme="dark" if dark else "light",
        is_mobile=phone,
        has_touch=phone,
        locale="en-US",
        **more,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    neighbor = Neighbor(page, context)

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            neighbor.complaints.append(message.text)

    page.on("request", lambda request: neighbor.requests.append(request))
    page.on("console", said)
    page.on("pageerror", lambda error: neighbor.complaints.append(str(error)))
    return neighbor


def as_file(built: Path, folder: Path) -> str:
    """Return the address of a copy on one's own disk."""
    copy = folder / "ringwatch-neighbors.html"
    copy.write_bytes(built.read_bytes())
    return copy.as_uri()
