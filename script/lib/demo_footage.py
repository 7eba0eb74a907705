"""What the demo's cameras show: given files, real footage that is there or can be had, else a drawn scene."""

from pathlib import Path
import subprocess

import av

from script.lib.core import ROOT
from script.lib.drawn_scene import draw_scene

SHARED = ROOT.parent / "shared" / "data" / "footage"
PREFERRED = ("front_yard", "hall_one_by_one")  # a doorbell's view; people with quiet between them
SUFFIXES = {".avi", ".mkv", ".mov", ".mp4", ".webm"}
CAMERAS = 2
FETCH_S = 300.0  # 95 MB over a slow line; then the drawn scene has to do


class FootageError(ValueError):
    """A file that was asked for can't be shown."""


def choose_footage(given: list[Path]) -> tuple[dict[str, Path], str]:
    """Return footage by camera name, and where it comes from, for people."""
    if given:
        for path in given:
            _check(path)
        return _named(given), "the files given"
    if shared := _shared():
        return _named(shared), str(SHARED)
    return own_footage()


def own_footage() -> tuple[dict[str, Path], str]:
    """Return footage that anybody may pass on, and where it comes from."""
    drawn = ROOT / ".tools" / "footage" / "drawn.mp4"
    drawn.parent.mkdir(parents=True, exist_ok=True)
    if not drawn.exists():
        part = drawn.with_suffix(".part.mp4")
        draw_scene(part)
        part.rename(drawn)
    if street := _street():
        return {"Front yard": drawn, "Street": street}, "a drawn scene, and vtest.avi of Debian's opencv-doc"
    return {"Front yard": drawn, "Side yard": drawn}, "a drawn scene (no real footage was found)"


def _check(path: Path) -> None:
    """Raise unless a file is a video."""
    try:
        with av.open(str(path)) as container:
            if container.streams.video:
                return
    except (OSError, ValueError) as err:  # PyAV's errors are of both kinds
        raise FootageError(f"{path}: {getattr(err, 'strerror', None) or err}") from err
    raise FootageError(f"{path} has no video in it")


def _shared() -> list[Path]:
    """Return the footage beside the repository, the best for a demo first."""
    files = sorted(p for p in SHARED.glob("*") if p.suffix in SUFFIXES)
    files.sort(key=lambda path: PREFERRED.index(path.stem) if path.stem in PREFERRED else len(PREFERRED))
    return files[:CAMERAS]


def _street() -> Path | None:
    """Return Debian's footage, fetched the first time, None where it can't be had."""
    street = ROOT / ".tools" / "footage" / "vtest.avi"
    if not street.exists():
        print("Fetching footage from a Debian package (95 MB, once) ...", flush=True)
        try:
            fetched = subprocess.run(
                [ROOT / "script" / "lib" / "debian_footage", street],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=FETCH_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        if fetched.returncode:
            return None
    return street


def _named(paths: list[Path]) -> dict[str, Path]:
    """Name cameras after their files, each differently."""
    named: dict[str, Path] = {}
    for path in paths:
        name = base = path.stem.replace("_", " ").strip().capitalize() or "Camera"
        number = 2
        while name in named:
            name, number = f"{base} {number}", number + 1
        named[name] = path
    return named
