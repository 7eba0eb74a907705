"""Places, blurred: the middle of a cell of about 200 m by 200 m, never a house.

Whole microdegrees and whole metres only. Every reader has to come to the same answer, and floating point
differs between machines.
A cell is 1,800 microdegrees high; how wide it is depends on the whole degree of latitude that its middle is
in.
"""

from dataclasses import dataclass
import math
from typing import Final

from .violations import BadField, NotSnapped

STEP_E6: Final = 1_800  # 200.4 m
MAX_LAT_E6: Final = 89_000_000  # nearer to a pole cells would be wider than the neighborhood
HALF_TURN_E6: Final = 180_000_000
M_PER_100K_E6: Final = 11_132  # a microdegree of latitude is 0.11132 m
_WIDTHS_E6: Final = tuple(round(STEP_E6 / math.cos(math.radians(degree + 0.5))) for degree in range(90))


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the globe, in microdegrees."""

    lat_e6: int
    lon_e6: int


def snap(lat_e6: int, lon_e6: int) -> Place:
    """Return the middle of the cell that a point is in. Raise BadField for what is not on the map."""
    lat = lat_e6 // STEP_E6 * STEP_E6 + STEP_E6 // 2
    if abs(lat) > MAX_LAT_E6 or abs(lon_e6) > HALF_TURN_E6:
        raise BadField("latitude up to 89 degrees, longitude up to 180")
    width = width_e6(lat)
    lon = lon_e6 // width * width + width // 2
    if lon >= HALF_TURN_E6:  # the cells at the date line are cut off: their neighbor's middle stands for them
        lon -= width
    return Place(lat, lon if lon >= -HALF_TURN_E6 else lon + width)


def snap_degrees(lat: float, lon: float) -> Place:
    """Return the middle of the cell, from degrees as maps and Home Assistant have them."""
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise BadField("latitude and longitude are numbers")
    return snap(round(lat * 1e6), round(lon * 1e6))


def check_snapped(place: Place) -> Place:
    """Return the place as it is. Raise NotSnapped or BadField."""
    if snap(place.lat_e6, place.lon_e6) != place:
        raise NotSnapped("a place is the middle of a cell of the grid")
    return place


def distance_m(a: Place, b: Place) -> int:
    """Return how far apart two places are. Whole metres, exact enough for a few miles."""
    north = abs(a.lat_e6 - b.lat_e6) * M_PER_100K_E6 // 100_000
    around = abs(a.lon_e6 - b.lon_e6)
    around = min(around, 2 * HALF_TURN_E6 - around)
    east = around * M_PER_100K_E6 * STEP_E6 // (100_000 * width_e6((a.lat_e6 + b.lat_e6) // 2))
    return math.isqrt(north * north + east * east)


def width_e6(lat_e6: int) -> int:
    """Return how wide a cell is at a latitude."""
    return _WIDTHS_E6[abs(lat_e6) // 1_000_000]
