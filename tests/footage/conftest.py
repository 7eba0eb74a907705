"""Footage without Home Assistant: loaded as scripts load it, and so as the helpers for a real hub do."""

import pytest

from script.lib.core import load_core

load_core()


@pytest.fixture(autouse=True)
def _local_sockets(socket_enabled: None) -> None:
    """Allow sockets; the plugin still refuses every host but 127.0.0.1."""
