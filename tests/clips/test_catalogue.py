"""Questions to the catalogue give what a plain look through all clips gives; tables follow their versions."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
import sqlite3

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ringwatch.clips import BadCursorError, Clip, Questions, Trigger
from custom_components.ringwatch.clips.schema import MIGRATIONS, VERSION, NewerCatalogueError, migrate
from script.lib.many_clips import CAMERAS, START, ZONES, fill

COUNT = 600
SPAN_S = COUNT * 60


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Questions, list[Clip]]:
    folder = tmp_path_factory.mktemp("catalogue")
    fill(folder, COUNT)
    questions = Questions(folder)
    clips: list[Clip] = []
    cursor = None
    while True:
        page = questions.page(limit=400, cursor=cursor)
        clips += page.clips
        cursor = page.cursor
        if cursor is None:
            return questions, clips


def test_pages_follow_each_other_without_a_hole(filled: tuple[Questions, list[Clip]]) -> None:
    _, clips = filled
    assert len({clip.id for clip in clips}) == len(clips) == COUNT
    assert [(clip.start, clip.id) for clip in clips] == sorted(((c.start, c.id) for c in clips), reverse=True)


@given(
    st.none() | st.integers(0, CAMERAS).map("camera {}".format),
    st.none() | st.floats(-100, SPAN_S),
    st.none() | st.floats(-100, SPAN_S),
    st.none() | st.sampled_from(list(Trigger)),
    st.none() | st.sampled_from([*ZONES, "nowhere"]),
    st.integers(1, 60),
    st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_a_page_is_what_was_asked_for(
    filled: tuple[Questions, list[Clip]],
    camera_id: str | None,
    start_s: float | None,
    end_s: float | None,
    trigger: Trigger | None,
    zone: str | None,
    limit: int,
    begun_before: bool,
) -> None:
    questions, clips = filled
    start = None if start_s is None else _ms(START + timedelta(seconds=start_s))
    end = None if end_s is None else _ms(START + timedelta(seconds=end_s))
    wanted = [
        clip
        for clip in clips
        if (camera_id is None or clip.camera_id == camera_id)
        and (start is None or (_ms(clip.end) > start if begun_before else _ms(clip.start) >= start))
        and (end is None or _ms(clip.start) < end)
        and (trigger is None or trigger in clip.triggers)
        and (zone is None or zone in clip.zones)
    ]
    got: list[Clip] = []
    cursor = None
    for _ in range(3):
        page = questions.page(
            # One camera or several: the same question.
            camera_id={camera_id} if camera_id is not None and begun_before else camera_id,
            start=start,
            end=end,
            begun_before=begun_before,
            trigger=trigger,
            zone=zone,
            limit=limit,
            cursor=cursor,
        )
        got += page.clips
        cursor = page.cursor
        if cursor is None:
            break
    assert got == wanted[: 3 * limit]
    if trigger is None and zone is None and not begun_before:
        totals = questions.totals(camera_id=camera_id, start=start, end=end)
        assert (totals.clips, totals.size_bytes) == (len(wanted), sum(clip.size_bytes for clip in wanted))


@given(
    st.floats(-500, SPAN_S),
    st.floats(0.001, 4000),
    st.none() | st.integers(0, CAMERAS).map("camera {}".format),
)
@settings(max_examples=40, deadline=None)
def test_what_overlaps_a_window_is_found(
    filled: tuple[Questions, list[Clip]], start_s: float, length_s: float, camera_id: str | None
) -> None:
    questions, clips = filled
    start = _ms(START + timedelta(seconds=start_s))
    end = _ms(start + timedelta(seconds=length_s))
    wanted = {
        clip.id
        for clip in clips
        if _ms(clip.start) < end and _ms(clip.end) > start and camera_id in {None, clip.camera_id}
    }
    got = questions.overlapping(start, end, camera_id=camera_id)
    assert {clip.id for clip in got} == wanted
    assert [clip.start for clip in got] == sorted(clip.start for clip in got)


def test_one_clip_is_given_with_where_things_moved(filled: tuple[Questions, list[Clip]]) -> None:
    questions, clips = filled
    clip = questions.get(clips[0].id)
    assert clip is not None
    assert len(clip.moments) > 10
    assert clips[0].moments == ()
    assert questions.get("unknown") is None


def test_days_are_counted_in_local_time(filled: tuple[Questions, list[Clip]]) -> None:
    questions, clips = filled
    days = questions.days("camera 1", timezone(timedelta(hours=1)))
    mine = [clip for clip in clips if clip.camera_id == "camera 1"]
    assert sum(count for _, count in days) == len(mine)
    assert [day for day, _ in days] == sorted((day for day, _ in days), reverse=True)
    first = f"{mine[-1].start + timedelta(hours=1):%Y-%m-%d}"
    assert days[-1][0] == first


@pytest.mark.parametrize("cursor", ["", "x", "W10=", "WzEsMl0", "bnVsbA=="])
def test_a_made_up_cursor_is_refused(filled: tuple[Questions, list[Clip]], cursor: str) -> None:
    with pytest.raises(BadCursorError):
        filled[0].page(cursor=cursor)


def test_tables_come_from_any_version_and_a_failed_step_changes_nothing(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "db", autocommit=True)
    migrate(db)
    assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    more = (*MIGRATIONS, "ALTER TABLE clips ADD COLUMN note TEXT; CREATE TABLE extra (a);")
    broken = (*more, "CREATE TABLE another (a); INSERT INTO nowhere VALUES (1);")
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, broken)
    assert db.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    assert "extra" in tables
    assert "another" not in tables
    with pytest.raises(NewerCatalogueError):
        migrate(db)
    db.close()


def _ms(time: datetime) -> datetime:
    """Return a time as exactly as the catalogue keeps it for comparing."""
    return datetime.fromtimestamp(round(time.timestamp() * 1000) / 1000, time.tzinfo)
