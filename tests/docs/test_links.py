"""What the documents mention exists: files, links, headings, commands, figures, texts of the forms."""

import json
from pathlib import Path
import re
import subprocess
from typing import Any

import pytest
import yaml

from custom_components.ringwatch.const import CAMERA_DEFAULTS, RECORD_KEYS, STORAGE_DEFAULTS

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components/ringwatch"
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()
TRANSLATIONS: dict[str, Any] = json.loads((INTEGRATION / "translations/en.json").read_text())
CAMERA = TRANSLATIONS["config_subentries"]["camera"]
SERVICES: dict[str, Any] = yaml.safe_load((INTEGRATION / "services.yaml").read_text())

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
SCRIPT = re.compile(r"\bscript/[a-z]+\b")
MADE_LATER = {"docs/images/demo.png"} - {
    path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*")
}


def anchors(text: str) -> set[str]:
    """Return GitHub's anchors of the headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text()
    for target in LINK.findall(text) + re.findall(r'(?:src|srcset)="([^"]+)"', text):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        found = path.parent / file if file else path
        assert found.exists() or target in MADE_LATER, target
        if anchor:
            assert anchor in anchors(found.read_text()), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_commands_exist(path: Path) -> None:
    text = path.read_text()
    for command in SCRIPT.findall(text):
        assert (ROOT / command).exists(), command
    for code in CODE.findall(text):
        if re.fullmatch(r"(?:script|tests|docs|custom_components|video|vision|benchmarks)/[\w./@-]*", code):
            assert (ROOT / code).exists() or (INTEGRATION / code).exists(), code
        elif re.fullmatch(r"[a-z_]+\.(?:py|json|yaml)", code):
            assert any(INTEGRATION.rglob(code)) or code in {"configuration.yaml", "hacs.json"}, code


@pytest.mark.parametrize("command", ["demo", "watch"])
def test_the_options_that_are_shown_exist(command: str) -> None:
    used = {
        option
        for line in re.findall(rf"^script/{command}\b.*$", README, re.MULTILINE)
        for option in re.findall(r"--[a-z-]+", line)
    }
    source = (ROOT / "script/lib" / f"{command}.py").read_text()
    assert all(f'"{option}"' in source for option in used)


def test_the_benchmarks_that_are_shown_exist() -> None:
    known = subprocess.run([ROOT / "script/bench"], capture_output=True, text=True, check=False).stderr
    for name in re.findall(r"script/bench (\w+)", README):
        assert name in known


def test_no_document_names_a_folder_outside() -> None:
    for path in DOCUMENTS:
        assert not re.search(r"(?<![\w.])/(?:work|tmp|root|home)/", path.read_text()), path.name


def _sentences(texts: dict[str, str]) -> set[str]:
    return {re.split(r"(?<=[.?])\s", text)[0] for text in texts.values()}


def test_every_error_of_the_forms_is_explained() -> None:
    section = README.partition("### The form says")[2].partition("### ")[0]
    zone = {key for key in CAMERA["error"] if key.startswith("zone_")}  # one row for all of them
    for key, text in CAMERA["error"].items():
        if key not in zone:
            first = re.split(r"(?<=[.;])\s", text)[0].split(" with ")[0].split(" in the address")[0]
            assert first in section, f"{key}: {first}"
    assert "| A message about a zone |" in section
    for text in TRANSLATIONS["options"]["error"].values():
        assert re.split(r", such|\. ", text)[0] in section
    unlisted = {"no_cameras", "removed", "zones_saved"}  # say all there is to say
    for key, text in CAMERA["abort"].items():
        if key not in unlisted:
            assert re.split(r"(?<=\.)\s", text)[0] in section, key


def test_every_repair_issue_is_explained() -> None:
    section = README.partition("### Settings > Repairs says")[2].partition("### ")[0]
    for issue in TRANSLATIONS["issues"].values():
        names = ("*Front door*", "*Maple Street*")
        assert any(f"| {issue['title'].replace('{name}', name)} |" in section for name in names), issue[
            "title"
        ]


def test_every_error_of_a_neighborhoods_form_is_explained() -> None:
    section = README.partition("### The form of a neighborhood says")[2].partition("### ")[0]
    for key, text in TRANSLATIONS["config_subentries"]["neighborhood"]["error"].items():
        first = re.split(r"(?<=[.;:])\s", text)[0]
        assert re.split(r" ?\(?{", first)[0] in section, key
    menu = TRANSLATIONS["config_subentries"]["neighborhood"]["step"]["user"]["menu_options"]
    assert all(f"### {option}" in README for option in menu.values())


def test_the_fields_of_the_forms_are_called_what_they_are_called() -> None:
    labels = set(re.findall(r"\*\*([^*]+)\*\*", README))
    for step, field in (("preview", "go_back"), ("stills", "agree")):
        assert CAMERA["step"][step]["data"][field] in labels
    for menu in ("entity", "url", "brand"):
        assert f"### {CAMERA['step']['user']['menu_options'][menu]}" in README
    for option in CAMERA["step"]["reconfigure"]["menu_options"].values():
        assert option.partition(",")[0] in README
    assert CAMERA["initiate_flow"]["user"] in README
    assert CAMERA["initiate_flow"]["reconfigure"] in labels
    brands = TRANSLATIONS["selector"]["brand"]["options"].values()
    row = next(line for line in README.splitlines() if line.startswith("| Brand |"))
    assert all(brand in row for brand in brands)


def rows_of(section: str) -> dict[str, list[str]]:
    """Return the cells of the table's rows in a section, by the first of them."""
    rows = [
        [cell.strip() for cell in row.strip("| ").split(" | ")]
        for row in section.splitlines()
        if row.startswith("| ")
    ]
    return {first: rest for first, *rest in rows if not first.startswith(("field", "---"))}


@pytest.mark.parametrize(
    ("heading", "labels", "defaults"),
    [
        (
            "### How a camera is recorded",
            CAMERA["step"]["recording"]["data"],
            {key: CAMERA_DEFAULTS[key] for key in RECORD_KEYS},
        ),
        (
            "### Where clips are kept, and how long",
            TRANSLATIONS["options"]["step"]["init"]["data"],
            STORAGE_DEFAULTS,
        ),
    ],
    ids=["recording", "storage"],
)
def test_the_choices_about_recording_begin_with_what_is_said(
    heading: str, labels: dict[str, str], defaults: dict[str, str | float | bool]
) -> None:
    rows = rows_of(README.partition(f"{heading}\n")[2].partition("\n#")[0])
    assert rows.keys() == set(labels.values())
    assert labels.keys() == defaults.keys()
    for key, label in labels.items():
        match defaults[key]:
            case bool(value):
                assert rows[label][0] == ("on" if value else "off")
            case float(value):
                assert rows[label][0].partition(" ")[0] == f"{value:g}"


@pytest.mark.parametrize("action", SERVICES)
def test_every_action_is_described_with_its_fields(action: str) -> None:
    _, found, section = README.partition(f"\n### The action `ringwatch.{action}`\n")
    assert found
    rows = rows_of(section.partition("\n#")[0])
    told = {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}
    fields = (SERVICES[action] or {}).get("fields", {})
    assert told == fields.keys()
    for name, field in fields.items():
        [cells] = (cells for cell, cells in rows.items() if f"`{name}`" in cell)
        if field.get("required"):
            assert cells[0] == "required"
        elif "default" in field:
            value = field["default"]
            said = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
            assert cells[0] == said or f"{said} if you leave it out" in cells[0]


def test_the_figures_stand_in_the_measurements() -> None:
    """A figure that is measured anew has to be changed in the README too."""
    measured = (ROOT / "docs/detection.md").read_text()
    limits = README.partition("## Limits")[2].partition("\n## ")[0]
    five_fps = re.search(r"\| 5 fps .*?\| mean \|([^\n]+)", measured, re.DOTALL)
    assert five_fps is not None
    cells = [cell.strip() for cell in five_fps[1].split("|")]
    assert f"{cells[1]} of the frames" in limits
    assert f"dated {cells[4]} s late" in limits
    rows = re.findall(r"^\| ([a-z ]+) \| (\d+) / ([\d.]+) \| (\d+) / ([\d.]+) \|$", measured, re.MULTILINE)
    assert len(rows) == 15
    loud = [(name, per_hour) for name, per_hour, *_ in rows if per_hour != "0"]
    assert loud == []
    assert "none made a false\n  alarm" in limits
    assert [name for name, _, found, _, slow in rows if min(float(found), float(slow)) < 1] == [
        "spider web",
        "cloud shadow",
    ]
    assert "2.2 (`pedestrians`), 3.4 (`HighwayII`)" in measured
