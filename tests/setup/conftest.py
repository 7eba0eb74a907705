"""These tests talk to servers on this machine; the test plugin forbids sockets otherwise."""

import pytest


@pytest.fixture(autouse=True)
def _local_sockets(socket_enabled: None) -> None:
    """Allow sockets; the plugin still refuses every host but 127.0.0.1."""
