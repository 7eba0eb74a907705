"""The forms of a neighborhood in a real browser: host one, join one, change, stop, take up again, leave."""

import asyncio
import re
import time

from playwright.async_api import Page
import pytest

from custom_components.ringwatch.neighborhood.keys import PrivateKey, fingerprint
from script.lib.browser import chromium, open_browser
from script.lib.street import quiet_port
from tests.fixtures.house import House, until
from tests.neighborhood.served_street import ServedStreet
from tests.neighborhood.street import HUB

pytestmark = [
    pytest.mark.browser,
    pytest.mark.hass_process,
    pytest.mark.xdist_group("house"),
    pytest.mark.skipif(chromium() is None, reason="Chromium is not installed"),
]

OAK = "binary_sensor.oak_lane_hub"
MAPLE = "binary_sensor.maple_street_hub"


async def go_on(page: Page, button: str = "Next") -> None:
    await page.get_by_role("button", name=button, exact=True).click()


async def add(page: Page, house: House, how: str) -> None:
    """Begin to add a neighborhood."""
    await page.goto(f"{house.hass.url}/config/integrations/integration/ringwatch")
    await page.locator("ha-button", has_text="Add neighborhood").first.click()
    await page.get_by_text(how).click()


async def change(page: Page, house: House, name: str, what: str) -> None:
    """Choose something behind the gear of a neighborhood."""
    await page.goto(f"{house.hass.url}/config/integrations/integration/ringwatch")
    row = page.locator("ha-config-sub-entry-row", has_text=name)
    await row.locator("ha-icon-button").nth(1).click()
    await page.get_by_text(what).click()


async def test_the_owner_hosts_joins_changes_and_leaves_neighborhoods(house: House) -> None:
    street = ServedStreet()
    await street.server.start_server()
    seed = PrivateKey.generate().seed
    link = street.invite("Zoe", url=street.url, seed=seed, now_s=int(time.time())).link
    port = quiet_port()
    try:
        async with open_browser(house.hass.url, house.tokens) as page, house.client() as client:
            await add(page, house, "Host one here")
            await page.locator("input[name=name]").fill("Oak Lane")
            await page.locator("input[name=handle]").fill("x")
            await page.locator("ha-selector-location ha-map").wait_for()
            await go_on(page)
            await page.get_by_text("A name has 2 to 32 letters").wait_for()
            await page.locator("input[name=handle]").fill("Anna")
            await go_on(page)
            await page.locator("input[name=hub_url]").fill("http://example.org")
            await page.locator("input[type=number]").last.fill(str(port))
            await go_on(page)
            await page.get_by_text("The address has to begin with https").wait_for()
            await page.locator("input[name=hub_url]").fill(f"http://127.0.0.1:{port}")
            await page.get_by_text("Nobody: only within my own network").click()
            await go_on(page)
            await page.get_by_text("leads to this hub, as seen from here").wait_for()
            await page.get_by_text(re.compile(f"answers on port {port}")).first.wait_for()
            await go_on(page, "Submit")
            await page.get_by_text("Switch this on to go on").wait_for()
            await page.locator("ha-switch").last.click()
            await go_on(page, "Submit")
            await page.get_by_text("Created configuration for Oak Lane").wait_for()
            await until(client, OAK, "on")

            await add(page, house, "Join with an invite link")
            await page.locator("input[name=link]").fill(link[:-9])
            await go_on(page)
            await page.get_by_text("This isn't an invite").wait_for()
            await page.locator("input[name=link]").fill(link)
            await go_on(page)
            await page.get_by_text(fingerprint(HUB.public)).wait_for()
            await page.get_by_text("Be kind.").wait_for()
            await page.locator("input[name=handle]").fill("Zoe")
            await go_on(page, "Submit")
            await page.get_by_text("Created configuration for Maple Street").wait_for()
            await until(client, MAPLE, "on")

            await change(page, house, "Oak Lane", "Its name, moderation and rules")
            await page.locator("input[name=name]").fill("Oak Avenue")
            await go_on(page, "Submit")
            await page.get_by_text("Oak Avenue").first.wait_for()
            await change(page, house, "Oak Avenue", "Stop hosting it")
            await page.get_by_text("Erase everything").wait_for()
            await go_on(page, "Submit")
            await page.get_by_text("Done. Its device and entities are removed.").wait_for()
            await add(page, house, "Take up one again")
            await page.get_by_text("Oak Avenue (Anna, 1)").wait_for()
            await go_on(page)
            await page.locator("input[name=hub_url]").fill(f"http://127.0.0.1:{port}")
            await page.locator("input[type=number]").last.fill(str(port))
            await page.get_by_text("Nobody: only within my own network").click()
            await go_on(page)
            await page.get_by_text("leads to this hub").wait_for()
            await page.locator("ha-switch").last.click()
            await go_on(page, "Submit")
            await page.get_by_text("Created configuration for Oak Avenue").wait_for()
            await until(client, "binary_sensor.oak_avenue_hub", "on")

            members = street.state.count("members")
            await change(page, house, "Maple Street", "Leave it")
            await page.get_by_text("To come back you need a new invite").wait_for()
            await go_on(page, "Submit")
            await page.get_by_text("Done. Its device and entities are removed.").wait_for()
            await change(page, house, "Oak Avenue", "Stop hosting it")
            await page.locator("ha-switch").last.click()
            await go_on(page, "Submit")
            await page.get_by_text("Done. Its device and entities are removed.").wait_for()
            deadline_s = time.monotonic() + 20
            while await client.state(MAPLE) or street.state.count("members") == members:
                assert time.monotonic() < deadline_s, "it was left, and the hub was told"
                await asyncio.sleep(0.1)
            issues = await client.command("repairs/list_issues")
            assert [issue for issue in issues["issues"] if issue["domain"] == "ringwatch"] == []
    finally:
        await street.server.close()
    assert house.complaints() == []
