"""Zones: polygons in relative coordinates, read from JSON, drawn into masks.

*watch*: if there are any, only motion inside them counts. *ignore*: motion there does not
count. *privacy*: never looked at, and black in everything that is stored or shown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
import math
from typing import cast

import numpy as np
from numpy.typing import NDArray

MAX_ZONES = 32
MIN_POINTS = 3
MAX_POINTS = 64
MAX_NAME_LENGTH = 40
MIN_AREA = 1e-6  # of the picture: below a thousandth of a side squared nothing can be seen

_SENTENCES = {
    "not_a_list": "Zones must be a list of objects with name, kind and points",
    "too_many_zones": "There are {count} zones; at most {limit} are allowed",
    "not_an_object": "Zone {index} must be an object with name, kind and points",
    "unknown_key": "Zone {index} has an unknown key {key}; allowed are name, kind and points",
    "bad_name": "The name of zone {index} must be 1 to {limit} printable characters",
    "duplicate_name": "Two zones are called {name}; every name must be different",
    "bad_kind": "The kind of zone {name} must be watch, ignore or privacy",
    "bad_point_count": "Zone {name} must have {minimum} to {maximum} points",
    "bad_point": "Point {point} of zone {name} must be two numbers from 0 to 1",
    "no_area": "Zone {name} has no area; its points must not lie on one line",
}


class ZoneKind(StrEnum):
    """What a zone is for."""

    WATCH = "watch"
    IGNORE = "ignore"
    PRIVACY = "privacy"


@dataclass(frozen=True, slots=True)
class Zone:
    """A named polygon; points are (x, y), 0 to 1 of the picture's width and height."""

    name: str
    kind: ZoneKind
    points: tuple[tuple[float, float], ...]


class ZoneError(ValueError):
    """Zones that cannot be used; `code` and `placeholders` are for translations."""

    def __init__(self, code: str, **placeholders: str) -> None:
        """Keep the code and build the English sentence."""
        self.code = code
        self.placeholders = placeholders
        super().__init__(_SENTENCES[code].format(**placeholders))


def parse_zones(raw: object) -> tuple[Zone, ...]:
    """Return the zones in a decoded JSON value, or raise ZoneError saying what would be right."""
    if not isinstance(raw, list | tuple):
        raise ZoneError("not_a_list")
    items = cast(Sequence[object], raw)
    if len(items) > MAX_ZONES:
        raise ZoneError("too_many_zones", count=str(len(items)), limit=str(MAX_ZONES))
    zones: list[Zone] = []
    names: set[str] = set()
    for index, item in enumerate(items, start=1):
        zone = _parse_zone(item, str(index))
        if zone.name in names:
            raise ZoneError("duplicate_name", name=zone.name)
        names.add(zone.name)
        zones.append(zone)
    return tuple(zones)


def zones_to_json(zones: Iterable[Zone]) -> list[dict[str, object]]:
    """Return what `parse_zones` reads."""
    return [
        {
            "name": zone.name,
            "kind": zone.kind.value,
            "points": [[x, y] for x, y in zone.points],
        }
        for zone in zones
    ]


def zone_mask(zones: Iterable[Zone], kind: ZoneKind, height: int, width: int) -> NDArray[np.bool_]:
    """Return the (height, width) mask of all zones of a kind.

    A pixel belongs to a polygon that contains its center (even-odd rule). For privacy every
    pixel that a polygon may touch belongs to it: the polygon's outline is drawn as well and
    the mask grows by a pixel.
    """
    mask = np.zeros((height, width), np.bool_)
    for zone in zones:
        if zone.kind is not kind:
            continue
        polygon = np.array(zone.points, np.float64) * (width, height)
        mask |= _fill(polygon, height, width)
        if kind is ZoneKind.PRIVACY:
            _draw_outline(mask, polygon)
    if kind is ZoneKind.PRIVACY and mask.any():
        mask = _grow(mask)
    return mask


def _parse_zone(item: object, index: str) -> Zone:
    if not isinstance(item, dict):
        raise ZoneError("not_an_object", index=index)
    for key in item:
        if key not in ("name", "kind", "points"):
            raise ZoneError("unknown_key", index=index, key=str(key)[:MAX_NAME_LENGTH])
    name = item.get("name")
    if not isinstance(name, str) or not name.isprintable():
        raise ZoneError("bad_name", index=index, limit=str(MAX_NAME_LENGTH))
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise ZoneError("bad_name", index=index, limit=str(MAX_NAME_LENGTH))
    kind = item.get("kind")
    if not isinstance(kind, str) or kind not in ZoneKind:
        raise ZoneError("bad_kind", name=name)
    points = item.get("points")
    if not isinstance(points, list | tuple) or not MIN_POINTS <= len(points) <= MAX_POINTS:
        raise ZoneError("bad_point_count", name=name, minimum=str(MIN_POINTS), maximum=str(MAX_POINTS))
    polygon = tuple(_parse_point(p, name, number) for number, p in enumerate(points, start=1))
    if abs(_signed_area(polygon)) < MIN_AREA and not _has_area(polygon):
        raise ZoneError("no_area", name=name)
    return Zone(name, ZoneKind(kind), polygon)


def _parse_point(raw: object, name: str, number: int) -> tuple[float, float]:
    if isinstance(raw, list | tuple) and len(raw) == 2:
        x, y = raw
        if _is_coordinate(x) and _is_coordinate(y):
            return (float(x), float(y))
    raise ZoneError("bad_point", name=name, point=str(number))


def _is_coordinate(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 <= value <= 1
    )


def _signed_area(points: Sequence[tuple[float, float]]) -> float:
    """Shoelace formula."""
    return 0.5 * sum(
        x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True)
    )


def _has_area(points: Sequence[tuple[float, float]]) -> bool:
    """Whether some triangle of the points has area: a figure of eight sums up to zero."""
    x0, y0 = points[0]
    xn, yn = max(points, key=lambda p: (p[0] - x0) ** 2 + (p[1] - y0) ** 2)
    return any(abs((xn - x0) * (y - y0) - (x - x0) * (yn - y0)) / 2 >= MIN_AREA for x, y in points)


def _fill(polygon: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    centers_x = np.arange(width) + 0.5
    centers_y = np.arange(height) + 0.5
    inside = np.zeros((height, width), np.bool_)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        rows = (centers_y >= min(y0, y1)) & (centers_y < max(y0, y1))
        with np.errstate(over="ignore", invalid="ignore"):  # rows outside the edge's reach do not count
            crossings = x0 + (centers_y - y0) * (x1 - x0) / (y1 - y0)
        inside ^= rows[:, None] & (centers_x[None, :] < crossings[:, None])
    return inside


def _draw_outline(mask: NDArray[np.bool_], polygon: NDArray[np.float64]) -> None:
    height, width = mask.shape
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        steps = int(2 * np.abs(end - start).max()) + 2
        line = start + np.linspace(0, 1, steps)[:, None] * (end - start)
        columns = np.clip(line[:, 0].astype(np.intp), 0, width - 1)
        rows = np.clip(line[:, 1].astype(np.intp), 0, height - 1)
        mask[rows, columns] = True


def _grow(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(mask, 1)
    height, width = mask.shape
    grown = np.zeros_like(mask)
    for row in range(3):
        for column in range(3):
            grown |= padded[row : row + height, column : column + width]
    return grown
