"""In-process tests: a Home Assistant that loads custom integrations."""

import pytest


@pytest.fixture(autouse=True)
def _custom_integrations(enable_custom_integrations: None) -> None:
    """Let the test's Home Assistant see Ringwatch."""
