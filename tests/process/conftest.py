"""Tests with real processes: Home Assistant, cameras' servers, Chromium.

They talk to servers on this machine; the test plugin forbids sockets otherwise.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_socket

from script.lib.hass import HassProcess
from tests.fixtures.house import House, draw_walk, media_server


@pytest.fixture(autouse=True)
def _local_sockets(socket_enabled: None) -> None:
    """Allow sockets; the plugin still refuses every host but 127.0.0.1."""


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return twelve seconds in which somebody walks through the picture."""
    return draw_walk(tmp_path_factory.mktemp("footage") / "walk.mp4")


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, footage: Path) -> Iterator[House]:
    """Return a house with two cameras; every test leaves it as it was."""
    pytest_socket.enable_socket()  # this runs before any test's own fixtures
    folder = tmp_path_factory.mktemp("house")
    with (
        media_server("porch", footage) as porch,
        media_server("drive", footage) as drive,
        HassProcess(folder / "config", offline=True) as hass,
    ):
        made = House(hass, footage, porch, drive)
        with ThreadPoolExecutor(1) as pool:  # the tests' event loop belongs to the main thread
            pool.submit(asyncio.run, made.set_up()).result()
        yield made
