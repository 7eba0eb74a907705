"""Footage without Home Assistant: loaded as scripts load it, and so as the helpers for a real hub do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from script.lib.core import load_core

load_core()

from .posting import Home, Scene, Shared, make_scene  # noqa: E402  with the core's name


@pytest.fixture(autouse=True)
def _local_sockets(socket_enabled: None) -> None:
    """Allow sockets; the plugin still refuses every host but 127.0.0.1."""


@pytest.fixture(scope="module")
def shared_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    shared = Shared(tmp_path_factory)
    yield shared
    shared.stop()


@pytest.fixture
def shared(shared_scene: Shared) -> Scene:
    return shared_scene.get()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Scene]:
    """Return a scene of a test's own."""
    scene = make_scene(tmp_path / "hub")
    yield scene
    scene.street.hub.stop()


@pytest.fixture
def home(shared: Scene, tmp_path: Path) -> Iterator[Home]:
    home = Home(shared, tmp_path)
    yield home
    home.close()


@pytest.fixture
def own_home(own: Scene, tmp_path: Path) -> Iterator[Home]:
    home = Home(own, tmp_path)
    yield home
    home.close()
