"""An agency's folder: its sealed key and its profile. And passphrases, which stand on no command line.

    agency.key             the agency's signing key and its reading key, behind a passphrase
    agency-<number>.key    the ones before a rotation: they open what was sent until then
    profile.json           what hosts get, signed

Everything is written whole and readable by its owner alone; nothing is written over but the profile.
"""

from dataclasses import dataclass
import getpass
import json
import os
from pathlib import Path
import sys
from typing import Any, Final

from script.lib.core import load_core

load_core()

from ringwatch.neighborhood.agency_file import parse_profile, write_profile
from ringwatch.neighborhood.bodies.agencies import MAX_CORNERS, Agency
from ringwatch.neighborhood.key_file import KeyFile, KeyFileError, open_sealed, seal
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.places import Place

KEY: Final = "agency.key"
PROFILE: Final = "profile.json"
MAX_GEOJSON_BYTES: Final = 4 * 1024 * 1024


class AgencyError(Exception):
    """Something can't be done; says what would be right."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where an agency keeps its key and its profile."""

    path: Path

    def make(self) -> None:
        """Make the folder. Raise AgencyError if an agency's key is there already."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (self.path / KEY).exists():
            raise AgencyError(f"{self.path / KEY} is there already; `rotate` makes a new key")

    def open(self, passphrase: str) -> KeyFile:
        """Open the agency's key. Raise AgencyError."""
        return open_file(self.path / KEY, passphrase)

    def keep(self, content: KeyFile, passphrase: str) -> None:
        """Write the agency's key. Raise AgencyError."""
        write_sealed(self.path / KEY, content, passphrase)

    def profile(self) -> Agency:
        """Return the profile. Raise AgencyError, RecordViolation."""
        try:
            return parse_profile((self.path / PROFILE).read_bytes())
        except OSError as error:
            raise AgencyError(f"{self.path / PROFILE} can't be read: begin with `init`") from error

    def keep_profile(self, profile: Agency) -> Path:
        """Write the profile, in place of the one before."""
        path = self.path / PROFILE
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        write_private(part, write_profile(profile))
        part.replace(path)
        return path

    def exchange(self, content: KeyFile, passphrase: str) -> Path:
        """Put a new key in place of the agency's. Return where the old one is now. Raise AgencyError."""
        part = self.path / f"{KEY}.part"
        part.unlink(missing_ok=True)
        write_sealed(part, content, passphrase)
        number = 1
        while (aside := self.path / f"agency-{number}.key").exists():
            number += 1
        (self.path / KEY).rename(aside)
        part.rename(self.path / KEY)
        return aside


def open_file(path: Path, passphrase: str) -> KeyFile:
    """Open a key file. Raise AgencyError."""
    try:
        return open_sealed(path.read_bytes(), passphrase)
    except OSError as error:
        raise AgencyError(f"{path} can't be read: {error.strerror}") from error
    except KeyFileError as error:
        raise AgencyError(f"{path}: {error}") from error


def write_sealed(path: Path, content: KeyFile, passphrase: str) -> None:
    """Write a key file, not over another one. Raise AgencyError."""
    try:
        data = seal(content, passphrase)
    except KeyFileError as error:
        raise AgencyError(str(error)) from error
    write_private(path, data)


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that its owner alone may read, and have it on the disk. Raise AgencyError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise AgencyError(f"{path} is there already") from error
    except OSError as error:
        raise AgencyError(f"{path} can't be written: {error.strerror}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def signing_key(content: KeyFile) -> PrivateKey:
    """Return the key that signs. Raise AgencyError."""
    if content.key is None:
        raise AgencyError("this key file only reads")
    return content.key


def passphrase(words: str, given: Path | None, *, new: bool) -> str:
    """Return a passphrase: from a file (- is standard input, a line each), or typed, a new one twice."""
    if given is not None:
        try:
            text = sys.stdin.readline() if str(given) == "-" else given.read_text("utf-8").partition("\n")[0]
        except (OSError, UnicodeDecodeError) as error:
            raise AgencyError(f"{given} can't be read") from error
        if not text.strip():
            raise AgencyError("the passphrase is empty")
        return text.rstrip("\r\n")
    typed = getpass.getpass(f"{words}: ")
    if new and getpass.getpass(f"{words}, again: ") != typed:
        raise AgencyError("these are two different passphrases")
    return typed


def read_jurisdiction(path: Path) -> tuple[Place, ...]:
    """Return the corners of a GeoJSON file's only polygon. Raise AgencyError."""
    try:
        data = path.read_bytes()
        found = json.loads(data[:MAX_GEOJSON_BYTES])
    except (OSError, ValueError, RecursionError) as error:
        raise AgencyError(f"{path} can't be read as GeoJSON") from error
    rings = list(_rings(found))
    if len(rings) != 1:
        raise AgencyError(f"{path}: one polygon without holes, not {len(rings)} rings")
    corners = [_place(point, path) for point in rings[0]]
    if len(corners) > 1 and corners[0] == corners[-1]:  # GeoJSON says the first corner again
        corners.pop()
    if not 3 <= len(corners) <= MAX_CORNERS:
        raise AgencyError(f"{path}: 3 to {MAX_CORNERS} corners, not {len(corners)}: simplify the border")
    return tuple(corners)


def _rings(value: Any) -> list[Any]:
    match value:
        case {"type": "FeatureCollection", "features": list(features)}:
            return [ring for feature in features for ring in _rings(feature)]
        case {"type": "Feature", "geometry": geometry}:
            return _rings(geometry)
        case {"type": "Polygon", "coordinates": list(rings)}:
            return rings
        case {"type": "MultiPolygon", "coordinates": list(polygons)}:
            return [ring for polygon in polygons if isinstance(polygon, list) for ring in polygon]
    return []


def _place(point: Any, path: Path) -> Place:
    match point:
        case [int() | float() as longitude, int() | float() as latitude, *_]:
            if -180 <= longitude <= 180 and -90 <= latitude <= 90:
                return Place(round(latitude * 1e6), round(longitude * 1e6))
    raise AgencyError(f"{path}: a corner that is no [longitude, latitude]")
