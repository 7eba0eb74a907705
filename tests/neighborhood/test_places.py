"""Places: on the grid, the same everywhere, never the house itself."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.places import (
    HALF_TURN_E6,
    MAX_LAT_E6,
    Place,
    check_snapped,
    distance_m,
    snap,
    snap_degrees,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.violations import BadField, NotSnapped

LATITUDES = st.integers(2_000 - MAX_LAT_E6, MAX_LAT_E6 - 2_000)
LONGITUDES = st.integers(-HALF_TURN_E6, HALF_TURN_E6)


@given(LATITUDES, LONGITUDES)
def test_a_snapped_place_is_on_the_grid_and_near(lat: int, lon: int) -> None:
    place = snap(lat, lon)
    assert snap(place.lat_e6, place.lon_e6) == place
    assert check_snapped(place) == place
    assert (
        distance_m(place, Place(lat, lon)) <= 160
        or abs(lon) > HALF_TURN_E6 - 200_000
        or abs(lat) > 80_000_000
    )


@given(st.integers(-60_000_000, 60_000_000), st.integers(-170_000_000, 170_000_000))
def test_cells_are_about_200_m(lat: int, lon: int) -> None:
    here = snap(lat, lon)
    width = next(step for step in range(1, 10_000) if snap(here.lat_e6, here.lon_e6 + step) != here) * 2
    width_m = width * 0.11132 * math.cos(math.radians(here.lat_e6 / 1e6))
    assert 195 <= width_m <= 206


def test_many_houses_share_a_place() -> None:
    snapped = {
        snap_degrees(33.306 + north / 1e5, -111.841 + east / 1e5) for north in range(60) for east in range(60)
    }
    assert len(snapped) <= 4


def test_a_place_beside_the_grid_is_refused() -> None:
    place = snap_degrees(33.306, -111.841)
    for north, east in ((1, 0), (0, 1), (-900, 0)):
        with pytest.raises(NotSnapped):
            check_snapped(Place(place.lat_e6 + north, place.lon_e6 + east))


@pytest.mark.parametrize(("lat", "lon"), [(89.1, 0), (-90, 0), (0, 180.1), (math.nan, 0), (0, math.inf)])
def test_what_is_not_on_the_map_is_refused(lat: float, lon: float) -> None:
    with pytest.raises(BadField):
        snap_degrees(lat, lon)


def test_the_date_line_is_a_place_like_others() -> None:
    east, west = snap_degrees(-17, 180), snap_degrees(-17, -180)
    assert east.lon_e6 < HALF_TURN_E6
    assert distance_m(east, west) < 500


def test_distances_are_those_of_the_globe() -> None:
    assert abs(distance_m(Place(33_000_000, -111_000_000), Place(33_090_000, -111_000_000)) - 10_019) < 20
    expected = 0.09 * 111_320 * math.cos(math.radians(33))
    assert abs(distance_m(Place(33_000_000, -111_000_000), Place(33_000_000, -110_910_000)) - expected) < 60
