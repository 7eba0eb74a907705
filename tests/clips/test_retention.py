"""Oldest first, protected ones never, and it says so when that isn't enough."""

from collections import defaultdict

from hypothesis import given, strategies as st

from custom_components.ringwatch.clips.retention import DAY_MS, Limits, RetentionPolicy, decide

NOW_MS = 1000 * DAY_MS

type Row = tuple[str, str, int, int, bool]  # id, camera, start, bytes, protected


@st.composite
def houses(draw: st.DrawFn) -> list[Row]:
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(0, 100), st.integers(1, 50), st.booleans()),
            max_size=40,
        )
    )
    return [
        (f"{n:03}", cam, NOW_MS - age * DAY_MS, size, keep) for n, (cam, age, size, keep) in enumerate(rows)
    ]


limits = st.builds(Limits, st.none() | st.floats(0, 100), st.none() | st.integers(0, 800))


@given(
    houses(),
    limits,
    st.dictionaries(st.sampled_from("abc"), limits),
    st.integers(0, 500),
    st.integers(0, 300),
)
def test_limits_hold_or_it_is_said_that_they_do_not(
    rows: list[Row], overall: Limits, cameras: dict[str, Limits], free: int, reserve: int
) -> None:
    sizes: dict[str, int] = defaultdict(int)
    for _, camera, _, size, _ in rows:
        sizes[camera] += size

    def oldest(camera: str, limit: int) -> list[tuple[str, int, int]]:
        found = sorted((s, i, b) for i, c, s, b, keep in rows if c == camera and not keep)
        return [(i, s, b) for s, i, b in found[:limit]]

    policy = RetentionPolicy(overall, cameras, reserve)
    verdict = decide(policy, sizes, oldest, now_ms=NOW_MS, free_bytes=free)
    gone = set(verdict.delete)
    assert len(gone) == len(verdict.delete)
    left = [row for row in rows if row[0] not in gone]
    assert not any(row[4] for row in rows if row[0] in gone)
    for _, camera, start_ms, _, keep in left:
        for days in (overall.days, cameras.get(camera, Limits()).days):
            assert keep or days is None or start_ms >= NOW_MS - days * DAY_MS
    for camera, limit in cameras.items():
        total = sum(row[3] for row in left if row[1] == camera)
        may_go = any(row[1] == camera and not row[4] for row in left)
        if limit.size_bytes is not None and camera in sizes and total > limit.size_bytes:
            assert not may_go
            assert verdict.blocked[camera] == "limit_reached"
    total = sum(row[3] for row in left)
    over = overall.size_bytes is not None and total > overall.size_bytes
    short = free + sum(row[3] for row in rows) - total < reserve
    assert ("" in verdict.blocked) == (over or short)
    if over or short:
        assert all(row[4] for row in left)
    # Of each camera the oldest went: no younger one goes while an older one that may go stays.
    for camera in sizes:
        kept = [row[2] for row in left if row[1] == camera and not row[4]]
        dropped = [row[2] for row in rows if row[1] == camera and row[0] in gone]
        assert not kept or not dropped or max(dropped) <= min(kept)


def test_nothing_goes_without_need() -> None:
    def oldest(camera: str, limit: int) -> list[tuple[str, int, int]]:
        return [(str(n), n * DAY_MS, 10) for n in range(5)][:limit]

    policy = RetentionPolicy(Limits(size_bytes=50), reserve_bytes=100)
    assert decide(policy, {"a": 50}, oldest, now_ms=NOW_MS, free_bytes=100).delete == ()
    assert decide(policy, {"a": 50}, oldest, now_ms=NOW_MS, free_bytes=95).delete == ("0",)
    assert decide(policy, {"a": 50}, oldest, now_ms=NOW_MS, free_bytes=89).delete == ("0", "1")


def test_more_than_a_batch_is_found() -> None:
    rows = [(f"{n:05}", n, 1) for n in range(3000)]
    verdict = decide(
        RetentionPolicy(Limits(size_bytes=500)),
        {"a": 3000},
        lambda _, n: rows[:n],
        now_ms=0,
        free_bytes=10**12,
    )
    assert len(verdict.delete) == 2500
