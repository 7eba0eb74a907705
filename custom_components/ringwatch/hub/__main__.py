"""Starts the hub from its file's path: `python .../ringwatch/hub/__main__.py --config FILE`.

Home Assistant's folder of integrations is no package path, and the integration's own `__init__` imports Home
Assistant. So a bare package is registered for the folder, and the hub's modules are imported below it. With
`look-into` as first word this is the limited process that opens one uploaded file.
"""

from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
import sys
from types import ModuleType

PACKAGE = "ringwatch"
LOOK_INTO = "look-into"


def load() -> None:
    """Make the core importable, unless somebody did already."""
    here = Path(__file__).resolve().parent
    if sys.path and Path(sys.path[0] or ".").resolve() == here:
        del sys.path[0]  # the hub's modules are not to be taken for others of the same name
    if PACKAGE in sys.modules:
        return
    package = ModuleType(PACKAGE)
    package.__spec__ = ModuleSpec(PACKAGE, loader=None, is_package=True)
    package.__path__ = [str(here.parent)]
    sys.modules[PACKAGE] = package


if __name__ == "__main__":
    load()
    if sys.argv[1:2] == [LOOK_INTO]:
        sys.exit(import_module(f"{PACKAGE}.hub.media_child").main(sys.argv[2]))
    sys.exit(import_module(f"{PACKAGE}.hub.main").main(sys.argv[1:]))
