"""The core runs without Home Assistant: scripts load it without the package's `__init__`."""

import subprocess
import sys

from script.lib.core import ROOT

LOAD = """
import sys
from script.lib.core import load_core
load_core()
load_core()
import ringwatch.vision, ringwatch.video, ringwatch.pipeline, ringwatch.watcher
roots = {name.partition(".")[0] for name in sys.modules}
print("loaded:", sorted(roots & {"homeassistant", "custom_components"}), "__file__" in vars(ringwatch))
"""


def test_the_core_loads_without_home_assistant() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOAD],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "loaded: [] False"
