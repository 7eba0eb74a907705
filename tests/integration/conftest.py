"""In-process tests: a Home Assistant that loads custom integrations."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.ringwatch.const import DOMAIN
from homeassistant import block_async_io
from homeassistant.auth.models import User
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.fixtures.asked import Panel, Street, asked, async_login
from tests.fixtures.cameras import CameraServer
from tests.fixtures.live import LiveCamera
from tests.fixtures.translations import translations_checked


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """A configuration folder of the test's own: the plugin's is one for all, and we write files."""
    folder = tmp_path / "config"
    (folder / "custom_components").mkdir(parents=True)
    return str(folder)


@pytest.fixture
def hass(hass: HomeAssistant, hass_config_dir: str) -> HomeAssistant:
    """Home Assistant with its media folder in the test's own folder, too."""
    folder = Path(hass_config_dir) / "media"
    folder.mkdir(exist_ok=True)
    hass.config.media_dirs = {"local": str(folder)}
    hass.config.allowlist_external_dirs = {str(folder)}
    return hass


@pytest.fixture(autouse=True)
async def enable_event_loop_debug(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the plugin's: asyncio's debug mode only where threads call into the loop, which it checks.

    Elsewhere it would take a third of the time, writing down where each future was made.
    """
    monkeypatch.setattr(asyncio.constants, "DEBUG_STACK_DEPTH", 1)
    asyncio.get_running_loop().set_debug("live" in request.fixturenames)


@pytest.fixture(autouse=True)
def _custom_integrations(enable_custom_integrations: None) -> None:
    """Let the test's Home Assistant see Ringwatch."""


@pytest.fixture
def camera_server(socket_enabled: None) -> Iterator[CameraServer]:
    """A camera on this machine that sends real video (tests/fixtures/cameras.py)."""
    with CameraServer().running() as server:
        yield server


@pytest.fixture
async def ringwatch(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[ConfigEntry]:
    """Ringwatch, set up as a person does it, without a camera yet."""
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    created = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    hass.config_entries.subentries.async_abort(created["next_flow"][1])
    entry = created["result"]
    await hass.async_block_till_done()
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture(autouse=True)
def _translated() -> Iterator[None]:
    """Fail a test whose flows would show a person an untranslated key."""
    with translations_checked() as missing:
        yield
    assert not missing


@pytest.fixture
def live(socket_enabled: None) -> Iterator[LiveCamera]:
    """A camera on this machine whose scene the test directs (tests/fixtures/live.py)."""
    with LiveCamera().running() as server:
        yield server


@pytest.fixture
async def detection_on(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Switch the detection on as a started Home Assistant does, opening of files included."""
    monkeypatch.setattr(block_async_io, "_IN_TESTS", False)
    block_async_io.enable()
    yield
    for call in block_async_io._BLOCKED_CALLS.calls:
        setattr(call.object, call.function, call.original_func)
    block_async_io._BLOCKED_CALLS.calls.clear()


@pytest.fixture
async def post(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Callable[..., Any]:
    """Post to the repairs' API as the signed-in owner."""
    await async_setup_component(hass, "repairs", {})

    async def async_post(flow: str = "", **body: Any) -> dict[str, Any]:
        client = await hass_client()
        response = await client.post(f"/api/repairs/issues/fix{flow}", json=body)
        assert response.status == HTTPStatus.OK
        answer: dict[str, Any] = await response.json()
        await hass.async_block_till_done()
        return answer

    return async_post


@pytest.fixture
async def street(hass: HomeAssistant, socket_enabled: None, tmp_path: Path) -> AsyncIterator[Street]:
    """A home that is asked for footage."""
    async with asked(hass, tmp_path) as found:
        yield found


@pytest.fixture
async def panel(
    street: Street,
    hass_admin_user: User,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> Panel:
    """The panel, opened by an administrator with an ordinary login."""
    token = await async_login(street.hass, hass_admin_user)
    return Panel(street, await hass_ws_client(street.hass, token), await hass_client_no_auth(), token)
