"""Loads the parts of Ringwatch that need no Home Assistant, under the name `ringwatch`.

`custom_components/ringwatch/__init__.py` sets the integration up and so imports Home Assistant. Scripts and
benchmarks want `ringwatch.vision`, `ringwatch.video` and `ringwatch.watcher` alone: `load_core` registers a
bare package object with the same folder, whose `__init__.py` is never run.
"""

from importlib.machinery import ModuleSpec
from pathlib import Path
import sys
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ringwatch"


def load_core() -> None:
    """Make `import ringwatch.<part>` work; safe to call again."""
    if PACKAGE in sys.modules:
        return
    folder = str(ROOT / "custom_components" / PACKAGE)
    spec = ModuleSpec(PACKAGE, loader=None, is_package=True)
    spec.submodule_search_locations = [folder]
    package = ModuleType(PACKAGE)
    package.__spec__ = spec
    package.__path__ = [folder]
    sys.modules[PACKAGE] = package
