"""The neighbors' page as it is built, in a real Chromium, against a real hub on this machine."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
import subprocess

from playwright.async_api import Browser, Page, async_playwright
import pytest
import pytest_socket

from script.lib.browser import ARGUMENTS, chromium
from script.lib.core import ROOT
from script.lib.hub_client import HubProcess, Street, found

PATIENCE_MS = 20_000
type MakeStreet = Callable[..., Street]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip them where there is no browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


@pytest.fixture(autouse=True)
def _local_sockets(socket_enabled: None) -> None:
    """Allow sockets; the plugin still refuses every host but 127.0.0.1."""


@pytest.fixture(scope="session")
def built() -> Path:
    """Return the page as it is released, built if a source has changed."""
    subprocess.run([ROOT / "script/frontend"], check=True)
    return ROOT / "custom_components/ringwatch/www/neighbors.html"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Start a browser."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        yield started
        await started.close()


@pytest.fixture
async def protocol(built: Path, browser: Browser, tmp_path: Path) -> Page:
    """Return a page with nothing in it but the protocol."""
    script = ROOT / "frontend/dist/protocol.js"
    blank = tmp_path / "blank.html"
    blank.write_text("<!doctype html><title>protocol</title>")
    page = await browser.new_page()
    await page.goto(blank.as_uri())
    await page.add_script_tag(path=script)
    return page


@pytest.fixture
def make_street(tmp_path: Path, built: Path) -> Iterator[MakeStreet]:
    """Return a way to make neighborhoods on hubs of their own, which serve the page."""
    pytest_socket.enable_socket()
    hubs: list[HubProcess] = []

    def make(**settings: object) -> Street:
        hub = HubProcess(tmp_path / f"hub{len(hubs)}", page=str(built))
        hubs.append(hub)
        return found(hub, **settings)  # type: ignore[arg-type]

    yield make
    for hub in hubs:
        hub.stop()
