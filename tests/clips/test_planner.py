"""Whatever is asked for is covered by one recording, whatever the order."""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ringwatch.clips import RecordSettings, Trigger
from custom_components.ringwatch.clips.planner import DECISION_DELAY_S, Planner, Recording


@dataclass
class Asked:
    """A span that somebody wants, and the recording that was named for it."""

    start_s: float
    end_s: float
    recording: Recording


@st.composite
def stories(draw: st.DrawFn) -> tuple[float, float, list[tuple[float, str, float]]]:
    """Return pre-roll, post-roll, and (seconds since the last, what, a number) events."""
    roll = st.floats(0, 30)
    event = st.tuples(
        st.floats(0, 20), st.sampled_from(["start", "end", "press", "save", "wait"]), st.floats(0, 1.5)
    )
    return draw(roll), draw(roll), draw(st.lists(event, max_size=25))


@given(stories(), st.floats(0, 60))
@settings(max_examples=150)
def test_each_gets_what_it_asked_for(
    story: tuple[float, float, list[tuple[float, str, float]]], buffer_s: float
) -> None:
    pre_s, post_s, events = story
    planner = Planner(pre_s, post_s)
    asked: list[Asked] = []
    finished: list[Recording] = []
    written_from: dict[int, float] = {}
    now_s, moving = 100.0, None
    for step_s, what, value in [*events, (0.0, "end", 0.0), (500.0, "wait", 0.0)]:
        now_s += step_s
        reach_s = now_s - buffer_s
        match what:
            case "start" if moving is None:
                onset_s = now_s - value
                moving = (onset_s, planner.motion_started(onset_s, reach_s))
            case "end" if moving is not None:
                last_s = max(moving[0], now_s - value)
                planner.motion_ended(last_s)
                asked.append(Asked(moving[0] - pre_s, last_s + post_s, moving[1]))
                moving = None
            case "press":
                asked.append(Asked(now_s - pre_s, now_s + post_s, planner.press(now_s, reach_s)))
            case "save":
                asked.append(Asked(now_s - value, now_s - value + 10.0, planner.save(now_s, value, 10.0)))
            case _:
                finished += planner.over(now_s)
        for recording in planner.recordings:
            # A start moves back only while the buffer still has what lies between.
            before = written_from.setdefault(recording.number, recording.start_s)
            if recording.start_s < before:
                assert reach_s <= before
                written_from[recording.number] = recording.start_s
    assert not planner.recordings
    for span in asked:
        assert span.recording.covers(span.start_s, span.end_s)
        assert span.recording in finished
    for recording in finished:
        spans = [span for span in asked if span.recording is recording]
        assert recording.end_s == max(span.end_s for span in spans)
        assert recording.start_s == min(span.start_s for span in spans)
        assert not recording.alone or len(spans) == 1


@given(
    st.floats(0, 30), st.floats(0, 30), st.lists(st.tuples(st.floats(0.1, 5), st.floats(0.1, 60)), min_size=1)
)
def test_motion_is_merged_exactly_where_it_returns_within_the_post_roll(
    pre_s: float, post_s: float, motions: list[tuple[float, float]]
) -> None:
    planner = Planner(pre_s, post_s)
    now_s, recordings, merged = 0.0, [], 1
    for index, (length_s, pause_s) in enumerate(motions):
        recordings.append(planner.motion_started(now_s))
        now_s += length_s
        planner.motion_ended(now_s)
        planner.over(now_s + min(pause_s, post_s + DECISION_DELAY_S / 2))
        if index + 1 < len(motions) and pause_s > post_s:
            planner.over(now_s + pause_s)
            merged += 1
        now_s += pause_s
    assert len({id(recording) for recording in recordings}) == merged


def test_a_motion_found_out_after_the_end_still_joins() -> None:
    planner = Planner(5.0, 0.0)
    first = planner.motion_started(10.0)
    planner.motion_ended(12.0)
    assert planner.over(13.9) == []
    assert planner.motion_started(12.0) is first


def test_a_press_alone_is_pre_roll_and_post_roll() -> None:
    planner = Planner(3.0, 4.0)
    recording = planner.press(100.0)
    assert (recording.start_s, recording.end_s, recording.triggers) == (97.0, 104.0, [Trigger.PRESS])
    assert planner.over(104.0 + DECISION_DELAY_S - 0.1) == []
    assert planner.over(104.0 + DECISION_DELAY_S) == [recording]


def test_what_the_buffer_has_lost_gets_a_recording_of_its_own() -> None:
    planner = Planner(5.0, 5.0)
    press = planner.press(100.0, reach_s=60.0)
    motion = planner.motion_started(97.0, reach_s=96.0)  # wants 92, but between 95 and 96 nothing is left
    assert motion is not press
    assert (motion.start_s, press.start_s) == (92.0, 95.0)


def test_a_recording_whose_first_file_is_done_is_not_moved_back() -> None:
    planner = Planner(5.0, 5.0)
    press = planner.press(100.0)
    press.fixed = True
    assert planner.motion_started(97.0) is not press


@pytest.mark.parametrize(
    "make",
    [
        lambda: RecordSettings(pre_roll_s=31.0),
        lambda: RecordSettings(post_roll_s=-1.0),
        lambda: RecordSettings(max_part_s=1.0),
    ],
)
def test_settings_out_of_bounds_are_refused(make: Callable[[], RecordSettings]) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()
