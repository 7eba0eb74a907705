"""Two real Home Assistants, a hub and an officer, with Chromium: the whole way of `script/demo --street`.

From founding to a clip that is erased everywhere, and from a request to the receipt for what one home sent.
"""

from pathlib import Path
import re
import subprocess

import pytest

from script.lib.browser import chromium
from script.lib.core import ROOT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.hass_process,
    pytest.mark.skipif(chromium() is None, reason="Chromium is not installed"),
]

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
    "script/agency made Springfield Police Department",
    "Anna enrolled it: the key stands on https://police.springfield.example",
    "asked; a moderator has to let it through",
    "Anna, a moderator, let it through in the panel",
    "both homes have the event",
    "Ben declined",
    "refused, not sent without",
    "refused, and nothing was sent: a long-lived token",
    "a code used twice",
    "confirmed, and undid it",
    "Anna looked and confirmed again",
    "the same bytes as Anna saw; and signed the receipt",
    "Anna's panel shows the receipt",
    "the public register shows the request and its outcome",
)


def test_two_homes_share_a_clip_and_one_answers_an_officer(footage: Path) -> None:
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
