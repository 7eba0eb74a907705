"""quality_scale.yaml forgets no rule, and claims nothing that can be seen to be untrue."""

import ast
import json
from pathlib import Path
import re
import tomllib
from typing import Any

import pytest
import yaml

import homeassistant.components

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components/ringwatch"
RULES: dict[str, Any] = yaml.safe_load((INTEGRATION / "quality_scale.yaml").read_text())["rules"]
MANIFEST: dict[str, Any] = json.loads((INTEGRATION / "manifest.json").read_text())
README = (ROOT / "README.md").read_text()
PLATFORMS = ("binary_sensor", "camera", "event", "geo_location", "image", "number", "sensor", "switch")

BRONZE = [
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow",
    "config-flow-test-coverage",
    "dependency-transparency",
    "docs-actions",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "docs-triggers",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
]
SILVER = [
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
]
GOLD = [
    "devices",
    "diagnostics",
    "discovery",
    "discovery-update-info",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "stale-devices",
]
PLATINUM = ["async-dependency", "inject-websession", "strict-typing"]
ALL_RULES = [*BRONZE, *SILVER, *GOLD, *PLATINUM]

# Rules that are done for people to read, and where the README does it
SECTIONS = {
    "docs-actions": "### The action `ringwatch.set_zones`",
    "docs-configuration-parameters": "## Add your first camera",
    "docs-data-update": "### When it changes",
    "docs-examples": "## Automations",
    "docs-installation-instructions": "## Install",
    "docs-installation-parameters": "## Add your first camera",
    "docs-known-limitations": "## Limits",
    "docs-removal-instructions": "## Remove Ringwatch",
    "docs-supported-devices": "### Which cameras",
    "docs-supported-functions": "## What you get for each camera",
    "docs-troubleshooting": "## Troubleshooting",
    "docs-use-cases": "### What people use it for",
}


def status(rule: str) -> str:
    said = RULES[rule]
    return said if isinstance(said, str) else str(said["status"])


def test_every_rule_is_there_in_the_scales_order() -> None:
    assert list(RULES) == ALL_RULES


def test_home_assistant_knows_the_same_rules() -> None:
    """Its own integrations list them; those of this release, so that a new rule is noticed with it."""
    [folder] = homeassistant.components.__path__
    known: set[str] = set()
    for path in Path(folder).glob("*/quality_scale.yaml"):
        known |= yaml.safe_load(path.read_text())["rules"].keys()
    assert known == set(ALL_RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_how_it_stands_and_why_it_is_not_done(rule: str) -> None:
    said = RULES[rule]
    assert status(rule) in {"done", "todo", "exempt"}
    if not isinstance(said, str):
        assert said.keys() == {"status", "comment"}
        assert len(said["comment"]) > 20
    else:
        assert said == "done"


@pytest.mark.parametrize("rule", SECTIONS)
def test_what_is_documented_is_in_the_readme(rule: str) -> None:
    assert status(rule) == "done"
    _, _, section = README.partition(f"\n{SECTIONS[rule]}\n")
    assert len(section.partition("\n## ")[0]) > 300


def test_the_files_that_rules_ask_for_are_there() -> None:
    for rule, name in {
        "brands": "brand/icon.png",
        "common-modules": "coordinator.py",
        "config-flow": "config_flow.py",
        "diagnostics": "diagnostics.py",
        "icon-translations": "icons.json",
        "repair-issues": "repairs.py",
    }.items():
        assert status(rule) == "done"
        assert (INTEGRATION / name).is_file()
    assert MANIFEST["single_config_entry"]
    assert MANIFEST["codeowners"]
    assert MANIFEST["requirements"] == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_says_how_many_updates_may_run_at_once(platform: str) -> None:
    assert re.search(r"^PARALLEL_UPDATES = 0$", (INTEGRATION / f"{platform}.py").read_text(), re.MULTILINE)


def test_every_error_shown_to_people_is_translated() -> None:
    exceptions = json.loads((INTEGRATION / "translations/en.json").read_text())["exceptions"]
    for path in INTEGRATION.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            if ast.unparse(node.exc.func) not in {"HomeAssistantError", "ServiceValidationError"}:
                continue
            given = {keyword.arg: keyword.value for keyword in node.exc.keywords}
            assert "translation_key" in given, f"{path.name}:{node.lineno}"
            key = given["translation_key"]
            if isinstance(key, ast.Constant):
                assert key.value in exceptions


def test_mypy_is_strict_over_the_whole_integration() -> None:
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert mypy["strict"] is True
    assert "custom_components/ringwatch" in mypy["files"]
    loosened = [
        section for section in mypy["overrides"] if any("ringwatch" in name for name in section["module"])
    ]
    assert not loosened
