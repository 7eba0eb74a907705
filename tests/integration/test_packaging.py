"""The rules of hassfest, HACS and the Marketplace that decide whether people can install Ringwatch.

Neither validator runs without its own image, so what they check stands here. What a manifest needs is in
test_manifest.py.
"""

import json
from pathlib import Path
import re
import struct
from typing import Any
import zipfile

from awesomeversion import AwesomeVersion
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.brands.const import ALLOWED_IMAGES
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_custom_components
from homeassistant.setup import async_setup_component
from script.lib.brand import draw_all
from script.lib.release import make

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components/ringwatch"
BRAND = INTEGRATION / "brand"
MANIFEST: dict[str, Any] = json.loads((INTEGRATION / "manifest.json").read_text())
HACS: dict[str, Any] = json.loads((ROOT / "hacs.json").read_text())
TRANSLATIONS: dict[str, Any] = json.loads((INTEGRATION / "translations/en.json").read_text())
ICONS: dict[str, Any] = json.loads((INTEGRATION / "icons.json").read_text())

# https://hacs.xyz/docs/publish/start#hacsjson; anything else fails its validation
HACS_KEYS = {
    "name",
    "content_in_root",
    "zip_release",
    "filename",
    "hide_default_branch",
    "country",
    "homeassistant",
    "hacs",
    "persistent_directory",
}
CORE_DOMAINS = ("binary_sensor", "camera", "event", "geo_location", "image", "number", "sensor", "switch")


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:26]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, _depth, color = struct.unpack(">IIBB", head[16:26])
    assert color == 6, f"{path.name} has no transparency"
    return width, height


def test_what_hacs_installs_has_the_built_pages_and_nothing_of_this_machine(tmp_path: Path) -> None:
    if not (INTEGRATION / "www" / "panel.js").exists():
        pytest.skip("script/frontend has not built the pages")
    assert HACS["zip_release"] is True
    made = make(tmp_path)
    assert [path.name for path in made] == [HACS["filename"], "officer.html"]
    with zipfile.ZipFile(made[0]) as archive:
        names = set(archive.namelist())
        assert json.loads(archive.read("manifest.json")) == MANIFEST
    assert {
        "__init__.py",
        "hub/__main__.py",
        "translations/en.json",
        "www/panel.js",
        "www/neighbors.html",
    } <= names
    assert not [
        name for name in names if "__pycache__" in name or name.startswith((".", "/")) or ".." in name
    ]
    again = make(tmp_path / "again")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in made]


def test_there_is_one_integration_and_it_holds_all_it_needs() -> None:
    folders = [path for path in (ROOT / "custom_components").iterdir() if (path / "manifest.json").exists()]
    assert folders == [INTEGRATION]
    for name in ("__init__.py", "config_flow.py", "services.yaml", "icons.json", "translations/en.json"):
        assert (INTEGRATION / name).is_file()
    # Custom integrations have no strings.json: Home Assistant would not read it.
    assert not (INTEGRATION / "strings.json").exists()


def test_hacs_json_says_only_what_hacs_knows() -> None:
    assert HACS.keys() <= HACS_KEYS
    assert HACS["name"] == MANIFEST["name"]
    assert AwesomeVersion(HACS["homeassistant"]).valid
    # Without a ZIP release HACS installs the tagged tree, which has not got what is built.
    assert HACS["zip_release"] is True
    assert HACS["filename"].endswith(".zip")


def test_hacs_asks_for_the_home_assistant_that_the_demo_runs() -> None:
    locked = re.search(r'"homeassistant==([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert locked is not None
    assert AwesomeVersion(HACS["homeassistant"]) <= AwesomeVersion(locked[1])


@pytest.mark.parametrize("name", ["README.md", "LICENSE", "CHANGELOG.md"])
def test_what_belongs_to_a_repository_is_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 500


def test_the_changelog_tells_of_this_version() -> None:
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert project is not None
    assert project[1] == MANIFEST["version"]
    assert f"## {MANIFEST['version']}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(("name", "side"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_the_icon_is_a_square_of_the_right_size(name: str, side: int) -> None:
    assert png_size(BRAND / name) == (side, side)


@pytest.mark.parametrize("prefix", ["", "dark_"])
def test_the_logo_is_a_landscape_of_the_right_size(prefix: str) -> None:
    width, height = png_size(BRAND / f"{prefix}logo.png")
    assert 128 <= height <= 256
    assert width > height
    assert png_size(BRAND / f"{prefix}logo@2x.png")[1] == 2 * height
    assert abs(png_size(BRAND / f"{prefix}logo@2x.png")[0] - 2 * width) <= 2  # two roundings of the letters


def test_home_assistant_knows_every_brand_picture_by_its_name() -> None:
    assert {path.name for path in BRAND.iterdir()} <= ALLOWED_IMAGES


def test_the_brand_pictures_are_what_the_script_draws() -> None:
    drawn = draw_all()
    assert {path.name for path in BRAND.iterdir()} == drawn.keys()
    for name, picture in drawn.items():
        with Image.open(BRAND / name) as stored:
            assert stored.tobytes() == picture.tobytes(), f"{name} is out of date: run script/brand"


async def test_home_assistant_shows_our_own_pictures(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, socket_enabled: None
) -> None:
    assert (await async_get_custom_components(hass))["ringwatch"].has_branding
    assert await async_setup_component(hass, "brands", {})
    client = await hass_client()
    for image, file in (("icon.png", "icon.png"), ("dark_icon@2x.png", "icon@2x.png")):
        answer = await client.get(f"/api/brands/integration/ringwatch/{image}")
        assert await answer.read() == (BRAND / file).read_bytes()


def test_translations_have_no_markup_and_no_stray_spaces() -> None:
    def texts(node: Any, where: str) -> list[tuple[str, str]]:
        if isinstance(node, str):
            return [(where, node)]
        return [found for key, value in node.items() for found in texts(value, f"{where}.{key}")]

    for where, text in texts(TRANSLATIONS, ""):
        assert text == text.strip(), where
        assert text, where
        assert not re.search(r"<\w+", text), f"{where} has HTML in it"
        assert not re.search(r"https?://\w", text), f"{where} has an address, which belongs in a placeholder"


def test_every_icon_belongs_to_an_entity_or_an_action_that_is_translated() -> None:
    assert ICONS["services"].keys() == TRANSLATIONS["services"].keys()
    for domain, entities in ICONS["entity"].items():
        assert domain in CORE_DOMAINS
        assert entities.keys() <= TRANSLATIONS["entity"][domain].keys()
        for entity in entities.values():
            assert all(re.fullmatch(r"mdi:[a-z0-9-]+", icon) for icon in entity.get("state", {}).values())
            assert re.fullmatch(r"mdi:[a-z0-9-]+", entity["default"])
