"""Who imports whom, proved from the sources: the tables in docs/architecture.md are the rule.

The core runs without Home Assistant, and nothing imports what is to the right of it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
import re
import sys

import pytest

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components/ringwatch"
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()

# `vision/` or `idle.py` -> what it may import besides the standard library and itself
CORE: dict[str, set[str]] = {
    room.rstrip("/").removesuffix(".py"): {name.strip() for name in allowed.split(",")}
    for room, allowed in re.findall(
        r"^\| `(\w+(?:/|\.py))` \| yes \|.*\| ([\w, ]+) \|$", ARCHITECTURE, re.MULTILINE
    )
}
LAYERS: dict[str, int] = {
    name: int(layer)
    for layer, files in re.findall(r"^\| (\d+) \| (.+) \|$", ARCHITECTURE, re.MULTILINE)
    for name in re.findall(r"`(\w+)\.py`", files)
}
SOURCES = sorted(path for path in INTEGRATION.rglob("*.py"))


def room_of(path: Path) -> str:
    """Return the folder, or the module's name for a file of the root."""
    relative = path.relative_to(INTEGRATION)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path: Path, *, for_types: bool = True) -> Iterator[str]:
    """Yield what a file imports: rooms for our own, top-level packages for others, wherever it stands."""
    tree = ast.parse(path.read_text())
    skipped: set[ast.AST] = set()
    if not for_types:
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.If)
                and isinstance(node.test, ast.Name)
                and node.test.id == "TYPE_CHECKING"
            ):
                skipped.update(ast.walk(node))
    package = path.relative_to(INTEGRATION).parent.parts
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1]
            parts = (*above, *(node.module or "").split("."))
            yield from [parts[0]] if parts[0] else (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            yield ast.literal_eval(node.args[0])


def others(path: Path, *, for_types: bool = True) -> set[str]:
    return set(imports(path, for_types=for_types)) - sys.stdlib_module_names - {room_of(path)}


def test_the_tables_name_every_room_and_file() -> None:
    rooms = {room_of(path) for path in SOURCES}
    assert rooms == CORE.keys() | LAYERS.keys()
    assert not CORE.keys() & LAYERS.keys()
    assert {"vision", "video", "clips", "pipeline", "watcher"} <= CORE.keys()


@pytest.mark.parametrize("room", CORE)
def test_a_room_of_the_core_imports_only_what_it_may(room: str) -> None:
    assert "homeassistant" not in CORE[room]
    for path in SOURCES:
        if room_of(path) == room:
            assert others(path) <= CORE[room], path.name


def test_the_core_imports_itself_relatively() -> None:
    for path in SOURCES:
        if room_of(path) in CORE:
            assert not others(path) & {"custom_components", "ringwatch"}, path.name


def test_the_core_has_no_circles() -> None:
    def reached(room: str, seen: frozenset[str]) -> None:
        assert room not in seen, room
        for name in CORE[room] & CORE.keys():
            reached(name, seen | {room})

    for room in CORE:
        reached(room, frozenset())


@pytest.mark.parametrize("name", LAYERS)
def test_the_rest_imports_only_from_the_layers_above_it(name: str) -> None:
    [path] = (path for path in SOURCES if room_of(path) == name)
    for other in others(path, for_types=False) & LAYERS.keys():
        assert LAYERS[other] < LAYERS[name], other


def test_only_what_the_manifest_brings_is_imported() -> None:
    """PyAV and NumPy come with stream, the rest with core; OpenCV, ncnn and PyQRCode may be missing."""
    theirs = {name for path in SOURCES for name in others(path)} - CORE.keys() - LAYERS.keys()
    assert theirs == {
        "homeassistant",
        "aiohttp",
        "cryptography",
        "probatio",
        "av",
        "numpy",
        "PIL",
        "cv2",
        "ncnn",
        "pyqrcode",
        "yarl",
    }


def test_nothing_catches_everything_but_the_threads() -> None:
    allowed = {
        "watcher.py": 1,
        "net.py": 1,
    }  # what breaks a thread is logged, or raised where it is waited for
    for path in SOURCES:
        if room_of(path) == "clips":
            continue  # its own tests say where its threads end
        broad = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ExceptHandler)
            and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
            and ast.unparse(node.body[-1]) != "raise"
        ]
        assert len(broad) == allowed.get(path.name, 0), path.name
