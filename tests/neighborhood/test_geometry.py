"""Polygons: what is inside what, in whole numbers, checked against shapes that can be reckoned by hand."""

from fractions import Fraction
import math
import random

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.geometry import (
    area_m2,
    contains,
    is_simple,
    touches_circle,
    within,
)
from custom_components.ringwatch.neighborhood.places import Place

from .agencies import around
from .street import CENTER

POINTS = st.builds(Place, st.integers(-9, 9), st.integers(-9, 9))


def shape(*corners: tuple[int, int]) -> tuple[Place, ...]:
    """Return a polygon from pairs of east and north."""
    return tuple(Place(north, east) for east, north in corners)


SQUARE = shape((0, 0), (10, 0), (10, 10), (0, 10))
# Open to the north: what lies between its arms is outside
ARMS = shape((0, 0), (30, 0), (30, 30), (20, 30), (20, 10), (10, 10), (10, 30), (0, 30))


@pytest.mark.parametrize("lat", [0, 33_306_000, -33_868_820, 51_507_400, 64_146_600])
def test_an_area_is_right_to_about_a_percent(lat: int) -> None:
    east = 9_000 * math.cos(math.radians(lat / 1e6)) * 0.11132
    square = tuple(Place(lat + y * 9_000, 7_000_000 + x * 9_000) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1)))
    assert area_m2(square) == pytest.approx(east * 9_000 * 0.11132, rel=0.02)
    assert area_m2(square[::-1]) == area_m2(square)


def test_the_square_of_the_tests_is_as_large_as_it_says() -> None:
    assert area_m2(around(half_m=200)) == pytest.approx(160_000, rel=0.01)


@pytest.mark.parametrize(
    ("corners", "simple"),
    [
        (SQUARE, True),
        (ARMS, True),
        (shape((0, 0), (5, 0), (10, 0), (10, 10), (0, 10)), True),  # a corner in the middle of an edge
        (shape((0, 0), (10, 10), (10, 0), (0, 10)), False),  # a bow tie
        (shape((0, 0), (10, 0), (5, 0)), False),  # nothing inside
        (shape((0, 0), (10, 0), (10, 10), (20, 10), (10, 10), (0, 10)), False),  # a spike, and a corner twice
        (shape((0, 0), (10, 0), (10, 10), (10, 5), (0, 10)), False),  # goes back over an edge
        (shape((0, 0), (10, 0), (10, 10), (5, 0), (0, 10)), False),  # touches an edge
        (shape((0, 0), (10, 0)), False),
        ((), False),
    ],
)
def test_edges_meet_at_their_corners_only(corners: tuple[Place, ...], simple: bool) -> None:
    for turned in range(max(len(corners), 1)):
        rotated = corners[turned:] + corners[:turned]
        assert is_simple(rotated) is simple
        assert is_simple(rotated[::-1]) is simple


def test_a_place_on_the_edge_is_inside() -> None:
    for east, north, inside in (
        (5, 5, True),
        (0, 0, True),
        (10, 5, True),
        (5, 10, True),
        (11, 5, False),
        (-1, 0, False),
        (5, -1, False),
    ):
        assert contains(SQUARE, Place(north, east)) is inside
    assert not contains(ARMS, Place(20, 15))
    assert contains(ARMS, Place(20, 5))
    assert contains(ARMS, Place(10, 15))


@pytest.mark.parametrize(
    ("inner", "inside"),
    [
        (ARMS, True),
        (shape((1, 1), (29, 1), (29, 9), (1, 9)), True),
        (shape((0, 0), (30, 0), (30, 10), (0, 10)), True),  # along its edges
        (shape((1, 1), (29, 1), (29, 11), (1, 11)), False),  # a bit beyond, between the arms
        (shape((10, 30), (20, 30), (30, 30), (30, 0)), False),  # every corner is on the edge, a side isn't
        (shape((0, 30), (30, 30), (15, 5)), False),
        (shape((5, 5), (40, 5), (40, 6)), False),
        (shape((-10, -10), (50, -10), (50, 50), (-10, 50)), False),  # the other way round
        (shape((100, 100), (110, 100), (110, 110)), False),
    ],
)
def test_one_polygon_is_in_another_with_all_of_its_area(inner: tuple[Place, ...], inside: bool) -> None:
    for turned in range(len(inner)):
        rotated = inner[turned:] + inner[:turned]
        assert within(rotated, ARMS) is inside
        assert within(rotated[::-1], ARMS[::-1]) is inside


def covered(polygon: tuple[Place, ...], east: Fraction, north: Fraction) -> bool:
    """Return whether a point is inside, by another way: the sum of the angles' signs (winding)."""
    winding = 0
    for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        side = (b.lon_e6 - a.lon_e6) * (north - a.lat_e6) - (east - a.lon_e6) * (b.lat_e6 - a.lat_e6)
        if a.lat_e6 <= north < b.lat_e6 and side > 0:
            winding += 1
        elif b.lat_e6 <= north < a.lat_e6 and side < 0:
            winding -= 1
    return winding != 0


@settings(max_examples=300, deadline=None)
@given(st.lists(POINTS, min_size=3, max_size=6), st.lists(POINTS, min_size=3, max_size=8), st.integers())
def test_within_agrees_with_points_thrown_at_random(a: list[Place], b: list[Place], seed: int) -> None:
    inner, outer = tuple(a), tuple(b)
    if not (is_simple(inner) and is_simple(outer)):
        return
    chance = random.Random(seed)
    outside = 0
    for _ in range(60):  # thirds and sevenths are on no edge's corner
        east = Fraction(chance.randrange(-900, 900), 97)
        north = Fraction(chance.randrange(-900, 900), 89)
        if covered(inner, east, north) and not covered(outer, east, north):
            outside += 1
    if within(inner, outer):
        assert outside == 0
        assert area_m2(inner) <= area_m2(outer) + 1
    if within(inner, outer) and within(outer, inner):
        assert area_m2(inner) == area_m2(outer)


def test_an_area_touches_a_circle() -> None:
    square = around(Place(CENTER.lat_e6 + 20_000, CENTER.lon_e6), half_m=200)  # 2,226 m north, its edge 2,026
    assert not touches_circle(square, CENTER, 2_020)
    assert touches_circle(square, CENTER, 2_032)
    assert touches_circle(around(half_m=300), CENTER, 1)  # the center is inside
    corner = around(Place(CENTER.lat_e6 + 20_000, CENTER.lon_e6 + 20_000), half_m=200)
    assert touches_circle(corner, CENTER, 2_900)
    assert not touches_circle(corner, CENTER, 2_500)  # its nearest corner is
    long = (
        Place(CENTER.lat_e6 + 9_000, CENTER.lon_e6 - 90_000),
        Place(CENTER.lat_e6 + 9_000, CENTER.lon_e6 + 90_000),
        Place(CENTER.lat_e6 + 10_000, CENTER.lon_e6),
    )
    assert touches_circle(long, CENTER, 1_005)  # no corner is near, an edge is
    assert not touches_circle(long, CENTER, 995)
