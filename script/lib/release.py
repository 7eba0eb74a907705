"""Makes what a release offers: ringwatch.zip for HACS, with the pages that are built, and the officer's page.

script/release [FOLDER]      writes them into dist/, or FOLDER, and prints their SHA-256
"""

import hashlib
from pathlib import Path
import shutil
import subprocess
import sys
import zipfile

from script.lib.core import ROOT

INTEGRATION = ROOT / "custom_components" / "ringwatch"
BUILT = ("neighbors.html", "officer.html", "panel.js")
NAME = "ringwatch.zip"
DATE = (1980, 1, 1, 0, 0, 0)  # the same files give the same archive


def files() -> list[Path]:
    """Return what belongs into the archive: what git knows of the integration, and what is built."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", str(INTEGRATION)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    known = [ROOT / name for name in listed.split("\0") if name]
    return sorted([*known, *(INTEGRATION / "www" / name for name in BUILT)])


def make(folder: Path) -> list[Path]:
    """Write the archive and the officer's page. Raise FileNotFoundError for a page that isn't built."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / NAME
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files():
            entry = zipfile.ZipInfo(str(path.relative_to(INTEGRATION)), DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    page = folder / "officer.html"
    shutil.copyfile(INTEGRATION / "www" / "officer.html", page)
    return [target, page]


def main() -> int:
    """Make them, and say what they are."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    for path in make(folder):
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name} ({path.stat().st_size} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
