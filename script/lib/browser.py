"""Chromium, signed in to a Home Assistant: for the tests and for pictures of the demo.

    async with open_browser(hass.url, client.tokens, phone=True, dark=True) as page:
        await page.goto(f"{hass.url}/config/repairs")

Debian's Chromium, driven by Playwright. Pages have been given the tokens, so nobody has to type a password.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
import json
import shutil
import time
from typing import Any

from playwright.async_api import Page, async_playwright

from script.lib.hass_client import CLIENT_ID

DESKTOP = (1280, 900)
PHONE = (412, 915)
PATIENCE_MS = 30_000  # the frontend's first start on a busy machine
ARGUMENTS = (
    "--no-sandbox",  # root has none, and only our own pages are shown
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


@cache
def chromium() -> str | None:
    """Return the browser's path, None where it isn't installed (script/bootstrap installs it as root)."""
    return shutil.which("chromium")


@asynccontextmanager
async def open_browser(
    url: str, tokens: Mapping[str, Any], *, phone: bool = False, dark: bool = False, scale: float = 1.0
) -> AsyncIterator[Page]:
    """Start the browser with an empty profile; its only page is signed in to the Home Assistant at `url`."""
    async with open_page(phone=phone, dark=dark, scale=scale) as page:
        await page.context.add_init_script(f"localStorage.hassTokens = {json.dumps(_kept(url, tokens))}")
        yield page


@asynccontextmanager
async def open_page(*, phone: bool = False, dark: bool = False, scale: float = 1.0) -> AsyncIterator[Page]:
    """Start the browser with an empty profile and one page."""
    width, height = PHONE if phone else DESKTOP
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        try:
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                device_scale_factor=scale,
                is_mobile=phone,
                has_touch=phone,
                locale="en-US",
            )
            context.set_default_timeout(PATIENCE_MS)
            yield await context.new_page()
        finally:
            await browser.close()


def _kept(url: str, tokens: Mapping[str, Any]) -> str:
    """Return the tokens as the frontend keeps them."""
    expires_ms = round((time.time() + tokens["expires_in"]) * 1000)
    return json.dumps({**tokens, "hassUrl": url, "clientId": CLIENT_ID, "expires": expires_ms})
