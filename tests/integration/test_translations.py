"""The rules for texts, icons and actions that hassfest checks; it runs nowhere without its own image."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import yaml

from custom_components.ringwatch.agency_enrolling import ENROLMENT
from custom_components.ringwatch.const import DOMAIN
from custom_components.ringwatch.footage_calls import CODES as FOOTAGE_CODES
from custom_components.ringwatch.hub_process import CRASHING, EXIT_CODES, STORAGE_FULL
from custom_components.ringwatch.neighborhood import violations
from custom_components.ringwatch.neighborhood_issues import REFUSED, TROUBLES
from custom_components.ringwatch.posting import RULES
from custom_components.ringwatch.vision import ZoneKind, zones
from homeassistant.core import HomeAssistant
from homeassistant.helpers import icon, service, translation
from tests.fixtures.translations import ROOT, TRANSLATIONS
from tests.fixtures.watching import async_set_up

FOLDER = ROOT / "custom_components/ringwatch"
SERVICES: dict[str, Any] = yaml.safe_load((FOLDER / "services.yaml").read_text())
ICONS: dict[str, Any] = json.loads((FOLDER / "icons.json").read_text())
SECTIONS = {
    "common",
    "config",
    "config_subentries",
    "entity",
    "exceptions",
    "issues",
    "options",
    "selector",
    "services",
    "system_health",
}

HUB_CODES = (*EXIT_CODES.values(), CRASHING, STORAGE_FULL)  # why the hub doesn't run, or not well

# Why nothing is recorded, as the clip store says it
STORAGE_CODES = (
    "catalogue_unusable",
    "disk_full",
    "limit_reached",
    "storage_error",
    "storage_foreign",
    "storage_missing",
)


def texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every text."""
    if isinstance(node, str):
        yield path, node
        return
    for key, below in node.items():
        yield from texts(below, f"{path}.{key}" if path else key)


TEXTS = dict(texts(TRANSLATIONS))


def keyword_strings(name: str) -> Iterator[tuple[str, set[str] | None]]:
    """Yield (value, placeholders) of each call in our code that has this keyword with a plain string."""
    constants = {}
    trees = [ast.parse(path.read_text()) for path in FOLDER.glob("*.py")]
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
                constants[ast.unparse(node.target)] = node.value.value
    for tree in trees:
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            if name not in keywords:
                continue
            value = keywords[name]
            given = keywords.get("translation_placeholders")
            names = (
                {ast.literal_eval(key) for key in given.keys if key is not None}
                if isinstance(given, ast.Dict)
                else None
            )
            if isinstance(value, ast.Constant):
                yield value.value, names
            elif isinstance(value, ast.Name) and value.id in constants:
                yield constants[value.id], names


def test_there_are_only_sections_that_home_assistant_knows() -> None:
    assert TRANSLATIONS.keys() == SECTIONS


def offences(path: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a text."""
    if not text or text != text.strip() or "  " in text:
        yield "white space"
    if re.search(r"<[a-z/]", text):
        yield "HTML"
    if re.search(r"\[%key:", text):
        yield "a reference, which works in core only"
    if not all(re.fullmatch(r"\w+", name) for name in re.findall(r"{(.*?)}", text)):
        yield "a placeholder that is none"
    is_label = path.endswith((".title", ".name")) and ".data_description." not in path
    if is_label and text.endswith("."):
        yield "a label with a period"
    is_sentence = path.startswith("exceptions.") or ".error." in path or ".data_description." in path
    if is_sentence and not text.endswith("."):
        yield "a sentence without a period"
    if is_label:
        names = {"Ringwatch", "Home", "Assistant"}
        later = [word for word in re.findall(r"[A-Za-z]+", text)[1:] if word not in names]
        if [word for word in later if word[0].isupper() and not word.isupper()]:
            yield "Title Case"


def test_texts_are_clean_sentences_and_labels_in_sentence_case() -> None:
    assert len(TEXTS) > 150
    assert not [(path, what) for path, text in TEXTS.items() for what in offences(path, text)]


def test_every_exception_that_is_raised_is_translated_and_no_other_is() -> None:
    raised = {
        key: names for key, names in keyword_strings("translation_key") if key in TRANSLATIONS["exceptions"]
    }
    zone_errors = {f"zone_{code}" for code in zones._SENTENCES}
    rules = {f"rule_{code}" for code in (*RULES, "other")}
    outgoing = {f"outgoing_{code}" for code in ("nothing_left", "unreadable", "too_large", "too_long")}
    footage = {
        *(f"footage_{code}" for code in FOOTAGE_CODES),
        *(f"enroll_{code}" for code in (*ENROLMENT, "other")),
        *(f"model_{code}" for code in ("missing_file", "too_large", "unreachable", "wrong_file")),
        *(f"redeem_{code}" for code in ("already_done", "too_late", "unknown_code")),
    }
    computed = zone_errors | rules | outgoing | footage
    assert raised.keys() | computed == TRANSLATIONS["exceptions"].keys()
    assert {name for key in rules for name in re.findall(r"{(\w+)}", TEXTS[f"exceptions.{key}.message"])} == {
        "code"
    }
    for key, names in raised.items():
        wanted = set(re.findall(r"{(\w+)}", TEXTS[f"exceptions.{key}.message"]))
        assert names is None or wanted <= names
    for code, sentence in zones._SENTENCES.items():
        given = set(re.findall(r"{(\w+)}", sentence))
        assert set(re.findall(r"{(\w+)}", TEXTS[f"exceptions.zone_{code}.message"])) <= given
        assert (
            TEXTS[f"exceptions.zone_{code}.message"] == TEXTS[f"config_subentries.camera.error.zone_{code}"]
        )


def test_every_issue_that_is_raised_is_translated_and_no_other_is() -> None:
    raised = dict(keyword_strings("translation_key"))
    computed = {
        **{f"falling_behind_{kind}": {"name", "percent"} for kind in ("sub_stream", "lower")},
        **{code: {"name", "folder"} for code in STORAGE_CODES},
        "recording_limit_reached": {"name", "folder"},
        **{code: {"name", "about"} for code in (*TROUBLES, "hub_other")},
        **{f"hub_process_{code}": {"folder", "port"} for code in HUB_CODES},
        "hub_clock": set(),
        **{f"hub_outside_{code}": {"name", "url"} for code in ("other", "unreachable")},
        **{f"refused_{code}": {"name", "title", "code"} for code in (*REFUSED, "other")},
        "footage_closed": {"folder", "error"},  # an exception has the same key, and needs nothing
        **{f"footage_log_{code}": set() for code in ("altered", "missing", "truncated", "unreadable")},
    }
    issues = TRANSLATIONS["issues"]
    assert (raised.keys() & issues.keys()) | computed.keys() == issues.keys()
    for key, issue in issues.items():
        assert ("description" in issue) != ("fix_flow" in issue)
        given = raised.get(key) or computed[key]
        assert set(re.findall(r"{(\w+)}", issue["title"] + issue.get("description", ""))) <= given


def test_every_lie_of_a_hub_and_every_rule_has_its_text() -> None:
    lies = {f"hub_{kind.code}" for kind in violations.HubViolation.__subclasses__()}
    assert lies == {code for code in TROUBLES if code.startswith("hub_")}
    assert violations.CODES.keys() >= RULES


async def test_actions_are_registered_described_and_have_an_icon(hass: HomeAssistant) -> None:
    await async_set_up(hass)
    registered = set(hass.services.async_services_for_domain(DOMAIN))
    assert registered == SERVICES.keys() == TRANSLATIONS["services"].keys() == ICONS["services"].keys()
    descriptions = (await service.async_get_all_descriptions(hass))[DOMAIN]
    for name, description in SERVICES.items():
        schema = hass.services.async_services()[DOMAIN][name].schema
        assert schema is not None
        fields = (description or {}).get("fields", {})
        assert fields.keys() == TRANSLATIONS["services"][name].get("fields", {}).keys()
        if "target" in (description or {}):
            assert descriptions[name]["target"]["entity"] == [{"integration": DOMAIN, "domain": ["camera"]}]
        answers_only = {
            "get_agencies",
            "get_audit_log",
            "get_clips",
            "get_feed",
            "get_footage_requests",
            "create_invite",
        }
        assert descriptions[name]["response"] == {"optional": name not in answers_only}


def test_the_example_of_set_zones_is_one() -> None:
    field = SERVICES["set_zones"]["fields"]["zones"]
    assert zones.parse_zones(json.loads(field["example"]))
    selector = field["selector"]["object"]
    assert selector["fields"].keys() == TRANSLATIONS["selector"][selector["translation_key"]]["fields"].keys()
    kind = selector["fields"]["kind"]["selector"]["select"]
    assert set(kind["options"]) == {str(kind) for kind in ZoneKind}
    assert set(kind["options"]) == TRANSLATIONS["selector"][kind["translation_key"]]["options"].keys()


def test_icons_are_of_their_form_and_for_what_there_is() -> None:
    for path, name in texts(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", name), path
    for domain, keys in ICONS["entity"].items():
        assert keys.keys() <= TRANSLATIONS["entity"][domain].keys()
        for states in keys.values():
            assert states["default"] not in states.get("state", {}).values()


async def test_home_assistant_loads_both(hass: HomeAssistant) -> None:
    await async_set_up(hass)
    loaded = await translation.async_get_translations(hass, "en", "entity", {DOMAIN})
    assert loaded[f"component.{DOMAIN}.entity.switch.privacy.name"] == "Privacy"
    icons = await icon.async_get_icons(hass, "services", {DOMAIN})
    assert icons[DOMAIN]["set_zones"]["service"] == "mdi:vector-polygon"


def test_files_are_sorted_and_end_with_a_line_break() -> None:
    for path in (FOLDER / "icons.json", Path(FOLDER / "translations/en.json"), FOLDER / "services.yaml"):
        assert path.read_text().endswith("\n")
        assert "\t" not in path.read_text()
    for keys in ICONS["entity"].values():
        assert list(keys) == sorted(keys)
