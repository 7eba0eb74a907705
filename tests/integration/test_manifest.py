"""The rules that hassfest checks in a manifest; it runs nowhere without its own image."""

import json
from pathlib import Path
import re
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration

PATH = Path(__file__).parents[2] / "custom_components/ringwatch/manifest.json"
MANIFEST: dict[str, Any] = json.loads(PATH.read_text())


def test_the_keys_are_in_order() -> None:
    keys = list(MANIFEST)
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])


@pytest.mark.parametrize(
    "key",
    [
        "domain",
        "name",
        "codeowners",
        "documentation",
        "issue_tracker",
        "version",
        "iot_class",
        "integration_type",
    ],
)
def test_what_a_custom_integration_has_to_say_is_said(key: str) -> None:
    assert MANIFEST[key]


def test_the_values_are_of_their_form() -> None:
    assert MANIFEST["domain"] == PATH.parent.name
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])
    assert all(re.fullmatch(r"@[\w-]+", owner) for owner in MANIFEST["codeowners"])
    assert MANIFEST["documentation"].startswith("https://")
    assert MANIFEST["issue_tracker"].startswith("https://")
    for key in ("after_dependencies", "dependencies"):
        assert MANIFEST[key] == sorted(MANIFEST[key])


async def test_home_assistant_takes_it_and_knows_what_it_depends_on(hass: HomeAssistant) -> None:
    integration = await async_get_integration(hass, "ringwatch")
    assert not integration.is_built_in
    assert integration.config_flow
    assert integration.single_config_entry
    assert (
        integration.requirements == []
    )  # a requirement without a wheel for Alpine would keep it from loading
    for domain in (*integration.dependencies, *integration.after_dependencies):
        assert (await async_get_integration(hass, domain)).is_built_in
