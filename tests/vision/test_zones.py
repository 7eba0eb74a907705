"""Zones: what is refused and why, and which pixels a polygon has."""

from contextlib import suppress

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.ringwatch.vision import (
    Zone,
    ZoneError,
    ZoneKind,
    parse_zones,
    zone_mask,
    zones_to_json,
)

TRIANGLE = [[0, 0], [1, 0], [0, 1]]


def raw_zone(**changes: object) -> dict[str, object]:
    return {"name": "Path", "kind": "watch", "points": TRIANGLE} | changes


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("[]", "not_a_list"),
        ({}, "not_a_list"),
        (None, "not_a_list"),
        ([raw_zone(name=str(i)) for i in range(33)], "too_many_zones"),
        (["Path"], "not_an_object"),
        ([raw_zone(color="red")], "unknown_key"),
        ([raw_zone(name="")], "bad_name"),
        ([raw_zone(name="  ")], "bad_name"),
        ([raw_zone(name="x" * 41)], "bad_name"),
        ([raw_zone(name="a\nb")], "bad_name"),
        ([raw_zone(name=7)], "bad_name"),
        ([{"kind": "watch", "points": TRIANGLE}], "bad_name"),
        ([raw_zone(), raw_zone()], "duplicate_name"),
        ([raw_zone(kind="secret")], "bad_kind"),
        ([raw_zone(kind=None)], "bad_kind"),
        ([raw_zone(points=TRIANGLE[:2])], "bad_point_count"),
        ([raw_zone(points=TRIANGLE * 22)], "bad_point_count"),
        ([raw_zone(points="abc")], "bad_point_count"),
        ([raw_zone(points=[*TRIANGLE, [0.5]])], "bad_point"),
        ([raw_zone(points=[*TRIANGLE, [0.5, 1.01]])], "bad_point"),
        ([raw_zone(points=[*TRIANGLE, [-0.01, 0.5]])], "bad_point"),
        ([raw_zone(points=[*TRIANGLE, [float("nan"), 0.5]])], "bad_point"),
        ([raw_zone(points=[*TRIANGLE, [True, 0.5]])], "bad_point"),
        ([raw_zone(points=[*TRIANGLE, ["0.5", 0.5]])], "bad_point"),
        ([raw_zone(points=[[0, 0], [0.5, 0.5], [1, 1]])], "no_area"),
        ([raw_zone(points=[[0.5, 0.5]] * 4)], "no_area"),
    ],
)
def test_malformed_zones_are_refused_with_a_reason(raw: object, code: str) -> None:
    with pytest.raises(ZoneError) as caught:
        parse_zones(raw)
    assert caught.value.code == code
    assert "{" not in str(caught.value)


def test_a_figure_of_eight_has_an_area() -> None:
    (zone,) = parse_zones([raw_zone(points=[[0, 0], [1, 1], [1, 0], [0, 1]])])
    mask = zone_mask([zone], ZoneKind.WATCH, 40, 40)
    assert mask[20, 2]
    assert mask[20, 37]
    assert not mask[2, 20]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(ZoneKind),
            st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=64),
        ),
        max_size=5,
    )
)
def test_zones_survive_json(shapes: list[tuple[ZoneKind, list[tuple[float, float]]]]) -> None:
    raw = [
        {"name": f"Zone {i}", "kind": kind.value, "points": [list(p) for p in points]}
        for i, (kind, points) in enumerate(shapes)
    ]
    with suppress(ZoneError):  # a random polygon may lie on one line
        zones = parse_zones(raw)
        assert parse_zones(zones_to_json(zones)) == zones


def test_a_zone_has_the_pixels_whose_centers_it_contains() -> None:
    zone = Zone("Half", ZoneKind.IGNORE, ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
    mask = zone_mask([zone], ZoneKind.IGNORE, 8, 10)
    assert mask[:, :5].all()
    assert not mask[:, 5:].any()
    assert not zone_mask([zone], ZoneKind.WATCH, 8, 10).any()


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=8),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_privacy_covers_every_pixel_that_the_polygon_touches(
    points: list[tuple[float, float]], height: int, width: int
) -> None:
    zone = Zone("Garden", ZoneKind.PRIVACY, tuple(points))
    mask = zone_mask([zone], ZoneKind.PRIVACY, height, width)
    fine = zone_mask([Zone("Fine", ZoneKind.WATCH, tuple(points))], ZoneKind.WATCH, height * 8, width * 8)
    touched = fine.reshape(height, 8, width, 8).any(axis=(1, 3))
    assert not np.any(touched & ~mask)
    for x, y in points:
        assert mask[min(int(y * height), height - 1), min(int(x * width), width - 1)]
