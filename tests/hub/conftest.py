"""A real hub over loopback: one for each file that is content with any, or one of a test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from script.lib.hub_client import HubProcess, Member, Street, found, join

type MakeStreet = Callable[..., Street]


@pytest.fixture(autouse=True)
def _local_sockets(socket_enabled: None) -> None:
    """Allow sockets; the plugin still refuses every host but 127.0.0.1."""


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Return a neighborhood on a hub that this file's tests share."""
    with _allowed_sockets():
        found_street = found(HubProcess(tmp_path_factory.mktemp("hub")))
    yield found_street
    found_street.hub.stop()


@pytest.fixture
def make_street(tmp_path: Path) -> Iterator[MakeStreet]:
    """Return a way to make neighborhoods on hubs of their own."""
    hubs: list[HubProcess] = []

    def make(*, hub: HubProcess | None = None, **settings: Any) -> Street:
        made = hub or HubProcess(tmp_path / f"hub{len(hubs)}")
        hubs.append(made)
        return found(made, **settings)

    yield make
    for hub in hubs:
        hub.kill()


@pytest.fixture
def robin(street: Street) -> Member:
    """Return somebody new in the shared neighborhood."""
    _count[0] += 1
    return join(street, f"Robin {_count[0]}")


_count = [0]


def _allowed_sockets() -> Any:
    from contextlib import contextmanager

    import pytest_socket

    @contextmanager
    def allowed() -> Iterator[None]:
        pytest_socket.enable_socket()
        yield

    return allowed()
