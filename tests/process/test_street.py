"""Two real Home Assistants and a hub: the whole way, from founding to a clip that is erased everywhere."""

from pathlib import Path
import re
import subprocess

import pytest

from script.lib.core import ROOT

pytestmark = pytest.mark.hass_process

MOST_S = 300.0
STEPS = (
    "Anna founded Maple Street",
    "Ben joined with it",
    "ready to post",
    "Ben's event came",
    "the same as Anna saw",
    "Ben commented; Anna was told",
    "Ben thanked and flagged",
    "Ben appealed, Anna let it be seen again",
    "gone at the hub and in both homes",
)


def test_two_homes_share_a_clip_and_take_it_back(footage: Path) -> None:
    done = subprocess.run(
        [ROOT / "script" / "demo", "--street", "--headless-check", "--footage", footage],
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert [step for step in STEPS if step not in said] == []
    took = re.search(r"event came ([\d.]+) s later", said)
    assert took is not None
    assert float(took[1]) <= 2.0
    assert done.stdout.rstrip().endswith("check: passed")
