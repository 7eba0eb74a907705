"""Clips are kept while an answer is open, up to a fifth of the space; then the oldest holds end, told."""

from dataclasses import replace
import json
from random import Random

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.clips import Clip, Hold, HoldsEnded, Limits, RetentionPolicy
from custom_components.ringwatch.clips.holding import beyond, space_for_clips
from script.lib.many_clips import _clip

from .conftest import MakeHouse
from .house import START, House
from .test_store import consistent, press

BASE = _clip(1, START, Random(1))
REQUEST, OTHER = "a" * 64, "b" * 64


def enforce(house: House) -> None:
    """Have the store look at its limits now."""
    house.store._worker.ask(house.store._keep_within_limits).result(10.0)


def ended_holds(house: House) -> list[Clip]:
    house.settle()
    return [clip for news in house.news if isinstance(news, HoldsEnded) for clip in news.clips]


def test_a_clip_that_retention_wanted_while_an_answer_was_open(make_house: MakeHouse) -> None:
    house = make_house()
    old, *_ = press(house, 8)
    assert house.store.holds.add([old.id, "no such clip"], REQUEST) == [house.store.questions.get(old.id)]
    house.store.policy = RetentionPolicy(overall=Limits(days=0.000001))
    house.silence(60.0)
    enforce(house)
    (left,) = house.clips()
    assert left == replace(old, held=(Hold(REQUEST, left.held[0].since_ms),))
    assert not ended_holds(house)
    # The answer is given: now it goes like the others.
    assert [clip.id for clip in house.store.holds.release(REQUEST)] == [old.id]
    enforce(house)
    assert house.clips() == []
    consistent(house)


def test_a_hold_survives_a_restart_a_rebuild_and_a_lost_database(make_house: MakeHouse) -> None:
    house = make_house()
    clips = press(house, 8)
    house.store.protect([clips[1].id])
    (held,) = house.store.holds.add([clips[0].id], REQUEST)
    house.close()
    again = make_house()
    assert again.store.holds.held() == [held]
    again.store.rebuild()
    assert [replace(clip, sha256=held.sha256) for clip in again.store.holds.held()] == [held]
    again.close()
    (again.folder / "config" / "ringwatch" / "catalogue.db").unlink()
    last = make_house()
    last.store.reconcile()
    assert [clip.id for clip in last.store.holds.held(REQUEST)] == [held.id]
    assert [clip.id for clip in last.clips() if clip.protected] == [clips[1].id]
    last.store.policy = RetentionPolicy(overall=Limits(days=0.000001))
    last.clock.now_s += 1000.0  # its clock began anew
    enforce(last)
    assert [clip.id for clip in last.clips()] == [clips[0].id, clips[1].id]


def test_beyond_a_fifth_of_the_space_the_oldest_holds_end(make_house: MakeHouse) -> None:
    house = make_house()
    clips = press(house, 10)
    size = max(clip.size_bytes for clip in clips)
    house.store.policy = RetentionPolicy(overall=Limits(size_bytes=size * 10), reserve_bytes=0)
    assert [clip.id for clip in house.store.holds.add([clips[4].id], REQUEST)] == [clips[4].id]
    house.clock.now_s += 1.0
    house.store.holds.add([clips[0].id], OTHER)
    assert ended_holds(house) == []
    house.clock.now_s += 1.0
    # A third one does not fit: the hold that is oldest ends, though its clip is younger.
    assert [clip.id for clip in house.store.holds.add([clips[5].id], OTHER)] == [clips[0].id, clips[5].id]
    assert [clip.id for clip in ended_holds(house)] == [clips[4].id]
    assert house.store.holds.held(REQUEST) == []
    assert len(house.clips()) == 10  # nothing had to go
    notes = house.path(clips[4]).with_suffix(".json")
    assert not notes.exists()
    # And less space, for whatever reason, means fewer holds.
    house.store.policy = RetentionPolicy(overall=Limits(size_bytes=size * 5), reserve_bytes=0)
    enforce(house)
    assert [clip.id for clip in house.store.holds.held()] == [clips[5].id]
    assert clips[5].id in {clip.id for clip in house.clips()}
    assert clips[0].id not in {clip.id for clip in house.clips()}
    consistent(house)


def test_two_requests_hold_one_clip_until_both_let_go(make_house: MakeHouse) -> None:
    house = make_house()
    clip = press(house, 8)[0]
    for request in (REQUEST, OTHER, REQUEST):
        house.store.holds.add([clip.id], request)
    (held,) = house.store.holds.held()
    assert [hold.request for hold in held.held] == [REQUEST, OTHER]
    house.store.protect([clip.id])
    house.store.protect([clip.id], protected=False)
    house.store.holds.release(REQUEST)
    assert [c.id for c in house.store.holds.held(OTHER)] == [clip.id]
    assert house.store.delete([clip.id]).refused == (clip.id,)
    house.store.holds.release(OTHER)
    assert house.store.holds.held() == []
    assert house.store.delete([clip.id]).deleted == (clip.id,)


def test_notes_of_the_version_before_are_read(make_house: MakeHouse) -> None:
    house = make_house()
    (clip,) = press(house)
    house.store.share(clip.id, "Elm Street")
    notes = house.path(clip).with_suffix(".json")
    document = json.loads(notes.read_text())
    del document["held"]
    notes.write_text(json.dumps(document))
    house.store.rebuild()
    assert (house.clips()[0].shared, house.clips()[0].held) == (("Elm Street",), ())


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 50)), max_size=12), st.integers(0, 300))
def test_only_as_many_holds_end_as_must(rows: list[tuple[int, int]], space: int) -> None:
    held = [
        replace(BASE, id=f"{n:03}", size_bytes=size, held=(Hold(REQUEST, since),))
        for n, (since, size) in enumerate(rows)
    ]
    ended = beyond(held, space)
    left = [clip for clip in held if clip not in ended]
    assert sum(clip.size_bytes for clip in left) <= space
    assert not left or not ended or ended[-1].held[0].since_ms <= min(c.held[0].since_ms for c in left)
    if ended:
        assert sum(clip.size_bytes for clip in [*left, ended[-1]]) > space


@pytest.mark.parametrize(("limit", "wanted"), [(None, 80), (50, 50), (500, 80)])
def test_the_space_for_clips_is_what_is_allowed_and_there(limit: int | None, wanted: int) -> None:
    policy = RetentionPolicy(overall=Limits(size_bytes=limit), reserve_bytes=20)
    assert space_for_clips(policy, {"a": 10, "b": 30}, 60) == wanted
