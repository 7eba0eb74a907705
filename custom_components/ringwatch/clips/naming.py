"""Names that people can read and that no camera's name can turn into another path.

`ringwatch/<camera>/<date>/<date> <time> <trigger>.mp4`, in local time, for Linux, macOS and Windows shares.
"""

from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Final
import unicodedata

from .model import Clip, Trigger

FOLDER: Final = "ringwatch"  # below the folder that the owner picked
SPOOL: Final = ".recording"  # files that are not finished; hidden, on the same file system
MARKER: Final = ".ringwatch"
MAX_FOLDER_BYTES = 100  # the path of a clip then stays under Windows' 260 characters on most shares
_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))}
)
_ORDER = (Trigger.PRESS, Trigger.SAVE, Trigger.MOTION)  # the most telling one names the file


class UnsafePathError(ValueError):
    """A path in the catalogue leads out of the storage folder."""


def folder_name(name: str, taken: set[str]) -> str:
    """Return a folder for a camera of this name, different from those taken, whatever the name holds."""
    text = unicodedata.normalize("NFC", name)
    # Control and format characters (line breaks, right-to-left marks), surrogates, private ones.
    kept = "".join(
        " " if char in _FORBIDDEN or unicodedata.category(char)[0] == "C" or char.isspace() else char
        for char in text
    )
    base = _shorten(" ".join(kept.split()).strip(" ."), MAX_FOLDER_BYTES)
    if not base or base.split(".")[0].strip().casefold() in _RESERVED or base.startswith("."):
        base = f"camera {base}".strip(" .")
    used = {other.casefold() for other in taken}
    number, chosen = 1, base
    while chosen.casefold() in used:
        number += 1
        chosen = f"{_shorten(base, MAX_FOLDER_BYTES - 6)} ({number})"
    return chosen


def _shorten(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore").strip(" .")


def clip_path(folder: str, clip: Clip, attempt: int = 1) -> str:
    """Return the path of a clip relative to the storage folder, with slashes."""
    local = (clip.start + timedelta(seconds=clip.utc_offset_s)).replace(tzinfo=None)
    trigger = next((str(t) for t in _ORDER if t in clip.triggers), "clip")
    name = f"{local:%Y-%m-%d %H-%M-%S} {trigger}"
    if clip.part > 1:
        name += f" part {clip.part}"
    if attempt > 1:
        name += f" ({attempt})"
    return f"{FOLDER}/{folder}/{local:%Y-%m-%d}/{name}.mp4"


def safe_path(root: Path, relative: str) -> Path:
    """Return where a relative path leads, below the storage folder. Raise UnsafePathError."""
    pure = PurePosixPath(relative)
    parts = pure.parts
    if pure.is_absolute() or len(parts) != 4 or parts[0] != FOLDER or ".." in parts or "\x00" in relative:
        raise UnsafePathError(f"{relative!r} is not a clip's path")
    if any(part.startswith(".") or "\\" in part for part in parts):
        raise UnsafePathError(f"{relative!r} is not a clip's path")
    path = root.joinpath(*parts)
    # The folder itself may be a link of the owner's; one below it may be anybody's who can write there.
    if not path.parent.resolve().is_relative_to((root / FOLDER).resolve()):
        raise UnsafePathError(f"{relative!r} leads out of the storage folder")
    return path
