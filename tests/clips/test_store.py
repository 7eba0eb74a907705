"""Files and rows: always one for the other, whatever ends the process; the owner's wishes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
import hashlib
import json
from pathlib import Path
import shutil
import sqlite3
import subprocess
import time

import pytest

from custom_components.ringwatch.clips import (
    CameraRef,
    Clip,
    FilesChanged,
    Limits,
    PausedError,
    RecordingBlocked,
    RecordingFailed,
    RecordSettings,
    RetentionPolicy,
    Trigger,
    storage,
)
from custom_components.ringwatch.clips.catalogue import Catalogue, State
from custom_components.ringwatch.clips.storage import Storage

from ..video.samples import sample
from .conftest import MakeHouse
from .house import CAMERA, START, House, ended, packets_of, pictures, started


def press(house: House, times: int = 1, *, seconds: float = 10.0) -> list[Clip]:
    """Record a clip so many times."""
    for _ in range(times):
        stream = packets_of(sample(seconds=seconds), house.folder / "in.ts")
        house.recorder.disconnected()
        at_s = house.clock.now_s + 4.5
        house.play(stream, [(4.5, lambda at_s=at_s: house.recorder.press(at_s))])  # type: ignore[misc]
        house.silence(30.0)
    return house.clips()


def until(holds: Callable[[], bool]) -> bool:
    """Wait for what the store does in the background."""
    deadline_s = time.monotonic() + 10.0
    while not (held := holds()) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return held


def consistent(house: House) -> None:
    """Check that there is a row for every file and a file for every row, and nothing else."""
    clips = house.clips()
    wanted = {clip.path for clip in clips} | {clip.thumbnail for clip in clips}
    assert {name for name in house.files() if not name.endswith(".json")} == wanted
    for clip in clips:
        data = house.path(clip).read_bytes()
        assert clip.size_bytes == len(data)
        assert clip.sha256 in {None, hashlib.sha256(data).hexdigest()}


def test_what_is_known_of_a_clip_is_in_the_catalogue_and_in_the_file(make_house: MakeHouse) -> None:
    house = make_house()
    (clip,) = press(house)
    consistent(house)
    assert clip.triggers == {Trigger.PRESS}
    assert clip.camera_name == "Front door"
    assert clip.path == "ringwatch/Front door/2026-11-23/2026-11-23 14-00-02 press.mp4"
    assert (clip.start - timedelta(seconds=2)).isoformat() == "2026-11-23T14:00:00+00:00"
    assert clip.duration_s == pytest.approx(4.6, abs=0.11)
    assert house.store.questions.get(clip.id) == clip
    assert house.ready() == [clip]
    assert house.store.questions.totals().size_bytes == clip.size_bytes


def test_names_are_local_and_a_clock_that_goes_back_overwrites_nothing(make_house: MakeHouse) -> None:
    house = make_house()
    house.recorder._clocks = replace(house.recorder._clocks, utc_offset_s=lambda _: -5 * 3600)
    (first,) = press(house)
    assert first.path.endswith("2026-11-23/2026-11-23 09-00-02 press.mp4")
    house.clock.jump = timedelta(seconds=1000.0 - house.clock.now_s)  # back to the beginning
    clips = press(house)
    assert {clip.path[-13:] for clip in clips} == {"-02 press.mp4", "press (2).mp4"}
    consistent(house)


def test_a_clip_keeps_its_length_while_the_clock_jumps(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    house.play(
        packets_of(sample(seconds=12.0), tmp_path / "in.ts"),
        [
            (4.5, lambda: house.recorder.press(house.clock.now_s)),
            (5.5, lambda: setattr(house.clock, "jump", timedelta(hours=3))),
        ],
    )
    (clip,) = house.clips()
    assert clip.duration_s == pytest.approx(4.6, abs=0.11)


def test_deleting_spares_what_is_protected_or_shared_unless_forced(make_house: MakeHouse) -> None:
    house = make_house()
    plain, kept, shared = press(house, 3)
    house.store.protect([kept.id])
    house.store.share(shared.id, "a neighbor")
    result = house.store.delete([plain.id, kept.id, shared.id, "unknown"])
    assert result.deleted == (plain.id,)
    assert set(result.refused) == {kept.id, shared.id}
    assert result.unknown == ("unknown",)
    consistent(house)
    assert set(house.store.delete([kept.id, shared.id], force=True).deleted) == {kept.id, shared.id}
    assert house.files() == set()
    assert list((house.media / "ringwatch" / "Front door").iterdir()) == []


def test_a_rebuilt_catalogue_knows_as_much_as_before(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    _, kept, shared = press(house, 3)
    house.store.protect([kept.id])
    house.store.share(shared.id, "a neighbor")
    before = house.clips()
    assert house.store.rebuild().adopted == 3
    house.silence(1.0)
    for _ in before:
        house.store._worker.ask(house.store._chore).result()  # digests are made one by one
    assert house.clips() == before
    house.close()
    (tmp_path / "config" / "ringwatch" / "catalogue.db").unlink()
    again = make_house()
    while again.store._worker._background:
        again.settle()
    for _ in before:
        again.store._worker.ask(again.store._chore).result()
    assert again.clips() == before
    assert press(again)[-1].path.startswith("ringwatch/Front door/")


@pytest.mark.parametrize("damage", ["garbage", "page", "empty"])
def test_a_damaged_catalogue_is_set_aside_and_rebuilt(
    make_house: MakeHouse, tmp_path: Path, damage: str
) -> None:
    house = make_house()
    before = {clip.id for clip in press(house, 2)}
    house.close()
    database = tmp_path / "config" / "ringwatch" / "catalogue.db"
    data = bytearray(database.read_bytes())
    if damage == "garbage":
        data[:100] = b"x" * 100
    elif damage == "page":
        data[4096 : len(data) - 2000] = b"\xff" * (len(data) - 2000 - 4096)
    else:
        data = bytearray(b"not a database at all")
    database.write_bytes(data)
    again = make_house()
    while again.store._worker._background:
        again.settle()
    assert {clip.id for clip in again.clips()} == before
    assert again.store.rebuilt_after
    (aside,) = [path for path in database.parent.iterdir() if ".damaged-" in path.name]
    assert aside.read_bytes() == bytes(data)


def test_damage_that_shows_while_running_is_answered_too(make_house: MakeHouse) -> None:
    house = make_house()
    before = {clip.id for clip in press(house, 2)}

    def fail() -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    house.store._worker.post(fail)
    house.settle()
    while house.store._worker._background:
        house.settle()
    assert {clip.id for clip in house.clips()} == before
    consistent(house)


def test_a_newer_catalogue_is_left_alone(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    press(house)
    house.close()
    database = tmp_path / "config" / "ringwatch" / "catalogue.db"
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    store = House.__new__(House)
    news: list[object] = []
    from custom_components.ringwatch.clips import ClipStore

    store.store = ClipStore(house.media, database.parent, news.append, policy=RetentionPolicy())
    store.store.start()
    assert not store.store.wait_ready(0.5)
    assert store.store.blocked("cam1") == "catalogue_unusable"
    assert store.store.stop()
    assert not [path for path in database.parent.iterdir() if "damaged" in path.name]


def test_files_deleted_moved_and_added_from_outside_are_reconciled(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    house = make_house()
    gone, moved, stays = press(house, 3)
    house.store.protect([moved.id])
    house.path(gone).unlink()
    elsewhere = house.media / "ringwatch" / "Holiday" / "2026-11-23"
    elsewhere.mkdir(parents=True)
    house.path(moved).rename(elsewhere / "our visitor.mp4")
    (elsewhere / "a film of ours.mp4").write_bytes(sample("mp4", seconds=1.0))
    shutil.copy(house.path(stays), elsewhere / "a copy.mp4")
    result = house.store.reconcile()
    assert (result.removed, result.moved, result.adopted, result.foreign) == (1, 1, 0, 1)
    clips = {clip.id: clip for clip in house.clips()}
    assert set(clips) == {moved.id, stays.id}
    assert clips[moved.id].path == "ringwatch/Holiday/2026-11-23/our visitor.mp4"
    assert clips[moved.id].protected
    assert not (house.media / gone.thumbnail).exists()
    assert (elsewhere / "a film of ours.mp4").exists()


def test_a_storage_that_is_not_mounted_stops_recording_and_forgets_nothing(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    house = make_house()
    press(house, 2)
    away = tmp_path / "away"
    (house.media / "ringwatch").rename(away)
    house.store._worker.ask(house.store._chore).result()
    assert house.store.blocked("cam1") == "storage_missing"
    assert RecordingBlocked("", "storage_missing") in house.news
    assert house.store.reconcile().removed == 0
    assert len(press(house)) == 2
    assert not (house.media / "ringwatch").exists()
    away.rename(house.media / "ringwatch")
    house.store._worker.ask(house.store._chore).result()
    assert house.store.blocked("cam1") is None
    assert len(press(house)) == 3
    consistent(house)


def test_another_storage_in_its_place_is_not_written_to_unless_claimed(make_house: MakeHouse) -> None:
    house = make_house()
    press(house)
    house.store.storage.mark("somebody else's")
    house.store._worker.ask(house.store._chore).result()
    assert house.store.blocked("") == "storage_foreign"
    house.store.claim()
    assert house.store.blocked("") is None
    assert len(press(house)) == 2


def test_a_folder_that_the_owner_picks_anew_is_marked(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    press(house)
    house.close()
    (tmp_path / "other").mkdir()
    (tmp_path / "media").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "media")
    again = make_house()
    assert again.store.blocked("") == "storage_missing"  # the same path, but the mark is gone
    again.store.claim()
    assert again.store.blocked("") is None
    assert until(lambda: FilesChanged() in again.news)
    assert again.clips() == []  # what is on the old one isn't here


def test_a_folder_that_is_gone_is_made_anew_if_the_owner_says_so(make_house: MakeHouse) -> None:
    house = make_house()
    press(house)
    shutil.rmtree(house.media)
    house.store._worker.ask(house.store._chore).result()
    assert house.store.blocked("") == "storage_missing"
    house.store.claim()
    assert house.store.blocked("") is None
    assert until(lambda: house.clips() == [])
    assert len(press(house)) == 1
    consistent(house)


def test_a_file_deleted_by_hand_is_noticed_within_a_day(make_house: MakeHouse) -> None:
    house = make_house()
    gone, stays = press(house, 2)
    house.path(gone).unlink()
    house.store._worker.ask(house.store._chore).result()
    assert len(house.clips()) == 2
    house.clock.now_s += 3_600.0  # after the start sooner: clips of an old machine may still be being copied
    house.store._worker.ask(house.store._chore).result()
    assert until(lambda: FilesChanged() in house.news)
    assert [clip.id for clip in house.clips()] == [stays.id]
    consistent(house)
    house.news.clear()
    house.path(stays).unlink()
    house.clock.now_s += 7_200.0
    house.store._worker.ask(house.store._chore).result()
    assert len(house.clips()) == 1
    house.clock.now_s += 86_400.0
    house.store._worker.ask(house.store._chore).result()
    assert until(lambda: house.clips() == [])


def test_a_file_that_somebody_misses_is_noticed_at_once(make_house: MakeHouse) -> None:
    house = make_house()
    gone, stays = press(house, 2)
    house.path(gone).unlink()
    house.store.compare_soon()
    assert until(lambda: [clip.id for clip in house.clips()] == [stays.id])


def test_wishes_are_refused_rather_than_held_up_during_a_backup(make_house: MakeHouse) -> None:
    house = make_house()
    (clip,) = press(house)
    assert house.store.pause()
    with pytest.raises(PausedError):
        house.store.delete([clip.id])
    with pytest.raises(PausedError):
        house.store.protect([clip.id])
    house.store.resume()
    assert house.store.delete([clip.id]).deleted == (clip.id,)


@pytest.mark.parametrize(
    ("state", "moved"), [(State.COMING, False), (State.COMING, True), (State.GOING, True)]
)
def test_a_restart_finishes_what_was_under_way(
    make_house: MakeHouse, tmp_path: Path, state: State, moved: bool
) -> None:
    house = make_house()
    one, two = press(house, 2)
    house.close()
    catalogue = Catalogue(tmp_path / "config" / "ringwatch")
    catalogue.set_state(two.id, state)
    catalogue.close()
    storage = Storage(house.media)
    if not moved:
        storage.path(two.path).rename(storage.spool / f"{two.id}.mp4")
    again = make_house()
    expected = [one, two] if state is State.COMING else [one]
    assert [clip.id for clip in again.clips()] == [clip.id for clip in expected]
    consistent(again)


def test_what_was_being_recorded_is_a_clip_after_a_restart(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house()
    stream = packets_of(sample(seconds=12.0), tmp_path / "in.ts")
    house.play(stream, [(4.5, lambda: house.recorder.motion_started(started(), house.clock.now_s))])
    (spooled,) = (house.media / "ringwatch" / ".recording").glob("*.mp4")
    # The process is gone, as it were: its files stay as they are.
    frozen = spooled.read_bytes()
    kept = tmp_path / "kept"
    kept.write_bytes(frozen)
    house.close()
    for clip in house.clips_after_close():
        (house.media / clip).unlink()
    (tmp_path / "config" / "ringwatch" / "catalogue.db").unlink()
    spooled.write_bytes(frozen)
    again = make_house()
    (clip,) = again.clips()
    assert clip.recovered
    assert clip.triggers == {Trigger.MOTION}
    assert clip.duration_s == pytest.approx(len(pictures(again.path(clip))) / 10, abs=0.01)
    assert (again.media / clip.thumbnail).exists()


def test_two_cameras_of_one_name_have_their_own_folders(make_house: MakeHouse) -> None:
    house = make_house()
    press(house)
    house.recorder = house.new_recorder(CameraRef("cam2", "front DOOR"))
    _, second = press(house)
    assert second.path.startswith("ringwatch/front DOOR (2)/")
    house.recorder = house.new_recorder(CameraRef(CAMERA.id, "Back door"))
    third = press(house)[-1]
    assert third.path.startswith("ringwatch/Front door/")  # a new name moves nothing
    assert third.camera_name == "Back door"


def test_the_oldest_clips_go_when_the_disk_runs_short_and_protected_ones_stay(make_house: MakeHouse) -> None:
    free = 100_000_000
    used = 0

    def free_bytes() -> int:
        return free - used

    house = make_house(
        policy=RetentionPolicy(overall=Limits(), reserve_bytes=50_000_000), free_bytes=free_bytes
    )
    clips = press(house, 4)
    house.store.protect([clips[0].id])
    used = 50_000_000 + clips[1].size_bytes
    house.store._worker.ask(house.store._keep_within_limits).result()
    assert [clip.id for clip in house.clips()] == [clips[0].id, clips[2].id, clips[3].id]
    assert house.store.blocked("cam1") is None
    used = 99_000_000
    house.store._worker.ask(house.store._keep_within_limits).result()
    assert [clip.id for clip in house.clips()] == [clips[0].id]
    assert house.store.blocked("cam1") == "disk_full"
    assert len(press(house)) == 1
    used = 0
    house.store._worker.ask(house.store._chore).result()
    assert house.store.blocked("cam1") is None
    assert len(press(house)) == 2
    codes = [event.code for event in house.news if isinstance(event, RecordingBlocked)]
    assert codes == ["disk_full", None]


def test_a_clip_goes_on_in_a_new_part_when_there_is_room_again(make_house: MakeHouse, tmp_path: Path) -> None:
    free = 100_000_000
    policy = RetentionPolicy(overall=Limits(), reserve_bytes=50_000_000)
    house = make_house(policy=policy, free_bytes=lambda: free)

    def room(size: int) -> None:
        nonlocal free
        house.settle()
        free = size
        house.store._worker.ask(house.store._chore).result()

    house.play(
        packets_of(sample(seconds=30.0), tmp_path / "in.ts"),
        [
            (4.5, lambda: house.recorder.press(house.clock.now_s)),
            (5.0, lambda: house.recorder.save(0.0, 20.0)),
            (10.5, lambda: room(0)),
            (15.5, lambda: room(100_000_000)),
        ],
    )
    # What was recorded before has gone to make room: that is retention. What came after is there.
    parts = [clip for clip in house.clips() if Trigger.SAVE in clip.triggers]
    assert [clip.part for clip in parts] == [2]
    assert parts[0].duration_s > 8.0


@pytest.mark.parametrize("days", [7.0, 30.0])
def test_clips_go_when_they_are_too_old(make_house: MakeHouse, days: float) -> None:
    house = make_house(policy=RetentionPolicy(overall=Limits(days=30.0), cameras={"cam1": Limits(days=days)}))
    (clip,) = press(house)
    house.clock.now_s += (days - 0.1) * 86_400
    house.store._worker.ask(house.store._keep_within_limits).result()
    assert house.clips() == [clip]
    house.clock.now_s += 0.2 * 86_400
    house.store._worker.ask(house.store._keep_within_limits).result()
    assert house.clips() == []


def test_a_clock_that_jumps_ahead_deletes_nothing_at_once(make_house: MakeHouse) -> None:
    house = make_house(policy=RetentionPolicy(overall=Limits(days=30.0)))
    (clip,) = press(house)
    house.clock.jump = timedelta(days=400)
    house.store._worker.ask(house.store._chore).result()
    house.store._worker.ask(house.store._keep_within_limits).result()
    assert house.clips() == [clip]
    house.clock.jump = timedelta(0)  # NTP has put it right
    house.clock.now_s += 7200
    house.store._worker.ask(house.store._chore).result()
    assert house.clips() == [clip]


def test_a_camera_over_its_limit_stops_alone(make_house: MakeHouse) -> None:
    house = make_house()
    clips = press(house, 2)
    house.store.protect([clip.id for clip in clips])
    house.store.policy = RetentionPolicy(overall=Limits(), cameras={"cam1": Limits(size_bytes=1000)})
    house.store._worker.ask(house.store._keep_within_limits).result()
    assert house.store.blocked("cam1") == "limit_reached"
    assert house.store.blocked("cam2") is None
    assert len(house.clips()) == 2


def test_a_backup_sees_one_whole_file_and_nothing_moves_meanwhile(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    house = make_house()
    (clip,) = press(house)
    assert house.store.pause(60.0)
    database = tmp_path / "config" / "ringwatch" / "catalogue.db"
    copy = tmp_path / "copy.db"
    copy.write_bytes(database.read_bytes())
    files = house.files()
    stream = packets_of(sample(seconds=10.0), tmp_path / "in.ts")
    house.recorder.disconnected()
    house.play(stream, [(4.5, lambda: house.recorder.press(house.clock.now_s))])
    house.silence(30.0)
    assert {name for name in house.files() if "/.recording/" not in name} == files
    assert database.read_bytes() == copy.read_bytes()
    with sqlite3.connect(copy) as db:
        assert db.execute("SELECT id FROM clips").fetchall() == [(clip.id,)]
    db.close()
    house.store.resume()
    assert len(house.clips()) == 2
    consistent(house)


def test_a_backup_whose_end_is_never_told_does_not_stop_recording_for_good(make_house: MakeHouse) -> None:
    house = make_house()
    assert house.store.pause(0.3)
    assert len(press(house)) == 1  # waits for the store, which goes on by itself


def test_a_folder_that_cannot_be_written_is_told_and_tried_again(make_house: MakeHouse) -> None:
    house = make_house()
    (house.media / "ringwatch" / ".recording").rmdir()
    (house.media / "ringwatch" / ".recording").write_text("in the way")
    assert press(house) == []
    assert [event.code for event in house.news if isinstance(event, RecordingFailed)][:1] == ["storage_error"]
    (house.media / "ringwatch" / ".recording").unlink()
    house.store._worker.ask(house.store._chore).result()
    assert house.store.blocked("cam1") is None
    assert len(press(house)) == 1


def test_notes_beside_a_clip_that_cannot_be_read_protect_it(make_house: MakeHouse) -> None:
    house = make_house()
    (clip,) = press(house)
    house.store.protect([clip.id])
    notes = house.path(clip).with_suffix(".json")
    assert json.loads(notes.read_text())["protected"] is True
    notes.write_text("{")
    house.store.rebuild()
    assert house.clips()[0].protected
    house.store.protect([clip.id], protected=False)
    assert not notes.exists()


def test_sound_settings_are_checked() -> None:
    assert RecordSettings().record_sound is False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 1 MiB that says it is full only when it is."""
    media = tmp_path / "media"
    media.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "ringwatch-test", str(media)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("file systems can't be mounted here")
    yield media
    subprocess.run(["umount", "-l", str(media)], check=True)


@pytest.mark.usefixtures("small_disk")
def test_a_disk_that_is_really_full_keeps_what_was_recorded_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the disk says is not believed: as with a quota, only writing tells.
    monkeypatch.setattr(storage, "PROBE_BYTES", 150_000)
    house = House(tmp_path, policy=RetentionPolicy(overall=Limits(), reserve_bytes=0))
    kept, old = press(house, 2)
    house.store.protect([kept.id])
    (house.media / "others").write_bytes(b"x" * 930_000)
    stream = packets_of(sample(seconds=30.0, width=320, height=240, gop=1), tmp_path / "in.ts")
    house.recorder.disconnected()
    t = house.clock.now_s
    house.play(
        stream,
        [
            (2.0, lambda: house.recorder.motion_started(started(), t + 2.0)),
            (20.0, house.settle),
            (20.1, (house.media / "others").unlink),
            (20.2, lambda: house.store._worker.ask(house.store._chore).result()),
        ],
    )
    house.recorder.motion_ended(ended(), house.clock.now_s)
    house.silence(15.0)
    failures = [event.code for event in house.news if isinstance(event, RecordingFailed)]
    assert failures[0] == "disk_full"
    assert [e.code for e in house.news if isinstance(e, RecordingBlocked)][-1] is None
    house.store._worker.ask(house.store._chore).result()
    clips = house.clips()
    assert clips[0] == replace(kept, protected=True)
    parts = clips[1:]
    assert old.id not in {clip.id for clip in parts}  # the oldest went to make room
    assert parts[-1].end - t_of(t) >= timedelta(seconds=29.8)  # it went on
    for clip in clips:
        assert len(pictures(house.path(clip))) > 0
        assert (house.path(clip)).stat().st_size == clip.size_bytes
    house.close()


def t_of(clock_s: float) -> datetime:
    return START + timedelta(seconds=clock_s - 1000.0)
