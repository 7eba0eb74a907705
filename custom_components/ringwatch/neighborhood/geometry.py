"""Polygons on a map, in whole numbers: every reader, in every language, comes to the same answer.

Corners are microdegrees, taken as points of a plane; nothing may lie across the date line. Metres are good
to about 1 % at 60 degrees of latitude, for what is a few kilometres wide.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from .places import M_PER_100K_E6, STEP_E6, Place, width_e6

type Polygon = Sequence[Place]
type _Point = tuple[int, int]


def area_m2(polygon: Polygon) -> int:
    """Return how large a polygon is (the shoelace formula), in square metres."""
    doubled = sum(a.lon_e6 * b.lat_e6 - b.lon_e6 * a.lat_e6 for a, b in _edges(polygon))
    lats = [corner.lat_e6 for corner in polygon]
    width = width_e6((min(lats) + max(lats)) // 2)
    return abs(doubled) * M_PER_100K_E6 * M_PER_100K_E6 * STEP_E6 // (2 * 100_000 * 100_000 * width)


def is_simple(polygon: Polygon) -> bool:
    """Return whether its edges meet at its corners only, and it has an inside."""
    edges = list(_pairs([_xy(corner) for corner in polygon])) if len(polygon) > 2 else []
    for at, (a, b) in enumerate(edges):
        _, c = edges[(at + 1) % len(edges)]
        back = (a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1]) > 0
        if a == b or (back and _turn(a, b, c) == 0):
            return False  # the next edge goes back over this one
        for other in range(at + 2, len(edges) - (at == 0)):
            if _touch(a, b, *edges[other]):
                return False
    return bool(edges)


def contains(polygon: Polygon, place: Place) -> bool:
    """Return whether a place is inside a polygon or on its edge."""
    return _contains([_xy(corner) for corner in polygon], _xy(place))


def within(inner: Polygon, outer: Polygon) -> bool:
    """Return whether a simple polygon lies in another one with all of its area. Edges may touch."""
    walls = [_xy(corner) for corner in outer]
    if not all(_contains(walls, _xy(corner)) for corner in inner):
        return False
    # Without a crossing an edge can leave and come back at a corner of the other polygon only. So it is cut
    # there, and the middle of each piece has to be inside; doubled, to stay with whole numbers.
    doubled = [(2 * x, 2 * y) for x, y in walls]
    for start, end in _edges(inner):
        a, b = _xy(start), _xy(end)
        if any(_cross(a, b, *wall) for wall in _pairs(walls)):
            return False
        cuts = sorted({a, b, *(corner for corner in walls if _is_between(corner, a, b))})
        middles = [(p[0] + q[0], p[1] + q[1]) for p, q in pairwise(cuts)]
        if not all(_contains(doubled, middle) for middle in middles):
            return False
    return True


def touches_circle(polygon: Polygon, center: Place, radius_m: int) -> bool:
    """Return whether a polygon and a circle have a place in common."""
    if contains(polygon, center):
        return True
    # From here on in units of 0.00001 m, with the center in the middle
    width = width_e6(center.lat_e6)
    points = [
        (
            (corner.lon_e6 - center.lon_e6) * M_PER_100K_E6 * STEP_E6 // width,
            (corner.lat_e6 - center.lat_e6) * M_PER_100K_E6,
        )
        for corner in polygon
    ]
    radius = radius_m * 100_000
    return any(_is_near(a, b, radius) for a, b in _pairs(points))


def _is_near(a: _Point, b: _Point, radius: int) -> bool:
    """Return whether the segment from a to b comes so near to 0, 0."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = -(a[0] * dx + a[1] * dy)  # how far along the segment the nearest point is, times its length
    length = dx * dx + dy * dy
    if along <= 0:
        return a[0] * a[0] + a[1] * a[1] <= radius * radius
    if along >= length:
        return b[0] * b[0] + b[1] * b[1] <= radius * radius
    across = a[0] * b[1] - a[1] * b[0]
    return across * across <= radius * radius * length


def _edges(polygon: Polygon) -> Iterator[tuple[Place, Place]]:
    yield from zip(polygon, [*polygon[1:], polygon[0]], strict=True)


def _pairs(points: list[_Point]) -> Iterator[tuple[_Point, _Point]]:
    yield from zip(points, [*points[1:], points[0]], strict=True)


def _xy(place: Place) -> _Point:
    return place.lon_e6, place.lat_e6


def _turn(a: _Point, b: _Point, c: _Point) -> int:
    """Return 1 if going from a over b to c turns left, -1 if it turns right, 0 if all are on a line."""
    turn = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (turn > 0) - (turn < 0)


def _is_between(point: _Point, a: _Point, b: _Point) -> bool:
    """Return whether a point is on the segment from a to b."""
    return (
        _turn(a, b, point) == 0
        and min(a[0], b[0]) <= point[0] <= max(a[0], b[0])
        and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])
    )


def _cross(a: _Point, b: _Point, c: _Point, d: _Point) -> bool:
    """Return whether two segments cross, each passing through the other's inside."""
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def _touch(a: _Point, b: _Point, c: _Point, d: _Point) -> bool:
    """Return whether two segments have a point in common."""
    return (
        _cross(a, b, c, d)
        or _is_between(a, c, d)
        or _is_between(b, c, d)
        or _is_between(c, a, b)
        or _is_between(d, a, b)
    )


def _contains(polygon: list[_Point], point: _Point) -> bool:
    inside = False
    for a, b in _pairs(polygon):
        if _is_between(point, a, b):
            return True
        if (a[1] > point[1]) != (b[1] > point[1]):
            low, high = (a, b) if a[1] < b[1] else (b, a)
            inside ^= _turn(low, high, point) > 0  # the edge is to the right of the point
    return inside
