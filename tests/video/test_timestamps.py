"""The repaired clock: only grows, keeps the pace, keeps sound and picture in step."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.video.timestamps import MPEG_WRAP_S, RTP_WRAP_S, Timeline

STEP = 0.04


def times(raw: list[float | None], *, live: bool = True, arrivals: list[float] | None = None) -> list[float]:
    timeline = Timeline(live=live, fps=25)
    arrivals = arrivals or [n * STEP for n in range(len(raw))]
    return [timeline.video(r, r, 0.0, at).time_s for r, at in zip(raw, arrivals, strict=True)]


def test_good_stamps_are_kept_and_begin_at_zero() -> None:
    assert times([100 + n * STEP for n in range(5)]) == pytest.approx([n * STEP for n in range(5)])


def test_variable_rates_are_kept() -> None:
    raw = [5.0, 5.1, 5.15, 5.6, 5.61]
    assert times(raw, arrivals=[0, 0.1, 0.15, 0.6, 0.61]) == pytest.approx([0, 0.1, 0.15, 0.6, 0.61])


def test_a_first_packet_without_stamps() -> None:
    assert times([None, 700.0, 700.04, 700.08]) == pytest.approx([0, STEP, 2 * STEP, 3 * STEP])


def test_missing_stamps_are_filled_at_the_pace_so_far() -> None:
    assert times([1.0, 1.04, None, None, 1.16, 1.20]) == pytest.approx([n * STEP for n in range(6)])


def test_no_stamps_at_all() -> None:
    assert times([None] * 5) == pytest.approx([n * STEP for n in range(5)])


@pytest.mark.parametrize("wrap_s", [MPEG_WRAP_S, RTP_WRAP_S])
def test_counters_that_wrap_go_on(wrap_s: float) -> None:
    raw = [(wrap_s - 0.1 + n * STEP) % wrap_s for n in range(6)]
    assert raw[3] < raw[2]
    assert times(raw) == pytest.approx([n * STEP for n in range(6)], abs=1e-4)


@pytest.mark.parametrize("jump_s", [-5000.0, -30.0, -0.5, 8.0, 3600.0, 1e9])
def test_a_jump_is_closed(jump_s: float) -> None:
    raw = [50 + n * STEP + (jump_s if n >= 4 else 0.0) for n in range(8)]
    assert times(raw) == pytest.approx([n * STEP for n in range(8)], abs=1e-4)


def test_a_pause_that_really_happened_is_no_jump() -> None:
    raw = [0.0, 0.04, 20.04, 20.08]
    assert times(raw, arrivals=[0, 0.04, 20.04, 20.08]) == pytest.approx(raw)


def test_a_jump_over_a_real_pause_leaves_the_pause() -> None:
    raw = [0.0, 0.04, 9000.0, 9000.04]
    assert times(raw, arrivals=[0, 0.04, 20.04, 20.08]) == pytest.approx([0, 0.04, 20.04, 20.08])


def test_files_have_no_arrival_to_compare_with() -> None:
    assert times([0, 0.04, 5.0, 5.04], live=False, arrivals=[0.0] * 4) == pytest.approx([0, 0.04, 5.0, 5.04])
    assert times([0, 0.04, 900.0], live=False, arrivals=[0.0] * 3) == pytest.approx([0, 0.04, 0.08])


def test_stamps_that_stand_still_do_not_stop_the_clock() -> None:
    assert times([3.0] * 100)[-1] > 3.0


def test_one_late_stamp_is_jitter() -> None:
    got = times([0, 0.04, 0.03, 0.12, 0.16])
    assert got[:2] + got[3:] == pytest.approx([0, 0.04, 0.12, 0.16])
    assert got[1] < got[2] < got[3]


def test_reordered_pictures_keep_both_stamps() -> None:
    timeline = Timeline(live=False, fps=25)
    decode = [10 + n * STEP for n in range(4)]
    present = [decode[0] + 0.08, decode[3] + 0.08, decode[1] + 0.04, decode[2] + 0.04]
    placed = [timeline.video(p, d, STEP, 0.0) for p, d in zip(present, decode, strict=True)]
    assert placed[0].time_s == 0.0
    assert [p.time_s - q for p, q in zip(placed, present, strict=True)] == pytest.approx([-present[0]] * 4)
    assert [p.dts_s - q for p, q in zip(placed, decode, strict=True)] == pytest.approx([-present[0]] * 4)


def test_sound_waits_for_a_picture_and_shares_its_clock() -> None:
    timeline = Timeline(live=True, fps=25)
    assert timeline.audio(7.0, 7.0, 0.02, 0.0) is None
    timeline.video(7.5, 7.5, STEP, 0.0)
    sound = timeline.audio(7.6, 7.6, 0.02, 0.1)
    assert sound is not None
    assert sound.time_s == pytest.approx(0.1)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("wrap_s", [MPEG_WRAP_S, RTP_WRAP_S])
@pytest.mark.parametrize("before_s", [-0.3, 0.3])
def test_a_counter_that_wraps_between_the_first_sound_and_the_first_picture(
    before_s: float, wrap_s: float, live: bool
) -> None:
    timeline = Timeline(live=live, fps=25)
    # The sound belongs 0.3 s before the picture, or after it, and the wrap is in between.
    picture_s = (wrap_s - before_s / 2) % wrap_s
    timeline.video(picture_s, picture_s, STEP, 0.0)
    raw = [(wrap_s + before_s / 2 + n * STEP) % wrap_s for n in range(20)]
    sound = [timeline.audio(stamp, stamp, STEP, n * STEP) for n, stamp in enumerate(raw)]
    placed = [one.time_s for one in sound if one is not None]
    assert placed == pytest.approx([before_s + n * STEP for n in range(20)], abs=1e-4)
    after_s = (picture_s + 0.8) % wrap_s
    assert timeline.video(after_s, after_s, STEP, 0.8).time_s == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("jump_s", [-2000.0, 2000.0])
@pytest.mark.parametrize("sound_first", [True, False])
def test_sound_and_picture_stay_in_step_over_a_jump(jump_s: float, sound_first: bool) -> None:
    timeline = Timeline(live=True, fps=25)
    worst = 0.0
    for n in range(100):
        now = n * STEP
        raw = 500 + now + (jump_s if n >= 50 else 0.0)
        if sound_first:
            sound = timeline.audio(raw, raw, STEP, now)
            picture = timeline.video(raw, raw, STEP, now)
        else:
            picture = timeline.video(raw, raw, STEP, now)
            sound = timeline.audio(raw, raw, STEP, now)
        if sound is not None:
            worst = max(worst, abs(sound.time_s - picture.time_s))
    assert worst < 0.08


STAMP = st.one_of(
    st.none(), st.floats(-1e10, 1e10), st.sampled_from([0.0, 0.04, MPEG_WRAP_S, RTP_WRAP_S, -1e-9, 1e300])
)


@given(
    st.lists(st.tuples(STAMP, STAMP, st.floats(0, 5), st.floats(0, 30)), min_size=1, max_size=60),
    st.booleans(),
)
def test_whatever_comes_the_clock_grows_and_follows_arrival(
    packets: list[tuple[float | None, float | None, float, float]], live: bool
) -> None:
    timeline = Timeline(live=live)
    now = 0.0
    placed = []
    for pts, dts, duration, wait in packets:
        now += wait
        placed.append(timeline.video(pts, dts, duration, now))
    assert placed[0].time_s == 0.0
    assert all(a.dts_s < b.dts_s for a, b in pairwise(placed))
    assert all(p.time_s >= p.dts_s and p.duration_s > 0 for p in placed)
    if live:
        # Never further ahead of arrival than a burst for each packet.
        assert placed[-1].dts_s <= now + 5.0 * len(packets)
