"""The detector on drawn scenes: what is found, what is not, and that both engines agree."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.ringwatch.vision import (
    Detector,
    DetectorSettings,
    FrameResult,
    MotionEnd,
    Zone,
    ZoneKind,
    select_primitives,
)

HEIGHT, WIDTH = 240, 320
type Frame = NDArray[np.uint8]
type Drawing = Callable[[Frame, float], None]


def scene(seed: int = 1) -> Frame:
    """A wall, a floor, a door, a bush: smooth areas, edges and texture."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH), 120.0)
    picture[150:] = 90
    picture[60:170, 40:90] = 60
    picture[100:180, 230:310] += rng.normal(0, 18, (80, 80)).repeat(1, 0)
    picture += np.linspace(0, 25, WIDTH)
    return np.clip(picture, 0, 255).astype(np.uint8)


def film(
    draw: Drawing | None, seconds: float, fps: float = 25, *, noise: float = 1.5, start_s: float = 0
) -> Iterator[tuple[Frame, float]]:
    """Frames of the scene with sensor noise and something drawn into them."""
    still = scene()
    rng = np.random.default_rng(7)
    for number in range(round(seconds * fps)):
        time_s = start_s + number / fps
        frame = still.copy()
        if draw is not None:
            draw(frame, time_s)
        noisy = frame + rng.normal(0, noise, frame.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8), time_s


def watch(
    detector: Detector, frames: Iterator[tuple[Frame, float]]
) -> tuple[list[FrameResult], list[MotionEnd]]:
    results = [detector.analyze(frame, time_s) for frame, time_s in frames]
    ends = [result.ended for result in results if result.ended is not None]
    if (last := detector.finish()) is not None:
        ends.append(last)
    return results, ends


def walker(begin_s: float, end_s: float, *, gray: int = 30, y: int = 110, step: float = 60) -> Drawing:
    """Somebody 24x60 pixels large who walks in from the left."""

    def draw(frame: Frame, time_s: float) -> None:
        if begin_s <= time_s < end_s:
            left = round((time_s - begin_s) * step) - 12
            frame[y : y + 60, max(0, left) : max(0, left + 24)] = gray

    return draw


@pytest.fixture(params=["numpy", "opencv"])
def detector(request: pytest.FixtureRequest) -> Detector:
    return Detector(primitives=select_primitives(request.param))


def test_a_still_scene_is_quiet(detector: Detector) -> None:
    results, ends = watch(detector, film(None, 8, noise=3))
    assert not ends
    assert not any(result.moving for result in results)


@pytest.mark.parametrize("fps", [25, 10, 5])
def test_a_walker_is_found_from_entering_to_leaving(detector: Detector, fps: float) -> None:
    results, (event,) = watch(detector, film(walker(3, 7), 10, fps))
    assert event.start_s == pytest.approx(3.0, abs=0.25)
    assert event.end_s == pytest.approx(7.0, abs=0.25)
    assert 0.3 * 24 * 60 / (HEIGHT * WIDTH) < event.peak < 3 * 24 * 60 / (HEIGHT * WIDTH)
    (started,) = [result.started for result in results if result.started is not None]
    assert started.confirmed_s - started.start_s < 1.0
    assert event.reason.code == "moved"
    assert "width" in str(event.reason)
    x, y, width, height = event.box
    assert 0 <= x < x + width <= 1
    assert abs(y - 110 / HEIGHT) < 0.05
    assert abs(height - 60 / HEIGHT) < 0.08


def test_the_mask_covers_the_walker(detector: Detector) -> None:
    for frame, time_s in film(walker(3, 9), 5):
        detector.analyze(frame, time_s)
    height, width = detector.analysis_size
    truth = np.zeros((HEIGHT, WIDTH), np.bool_)
    left = round((5 - 1 / 25 - 3) * 60) - 12
    truth[110:170, left : left + 24] = True
    factor = HEIGHT // height
    small = truth[: height * factor : factor, : width * factor : factor]
    both = np.count_nonzero(small & detector.mask)
    assert both / np.count_nonzero(small | detector.mask) > 0.7


def test_somebody_who_walks_up_to_the_door_is_found(detector: Detector) -> None:
    def draw(frame: Frame, time_s: float) -> None:
        if 3 <= time_s < 8:
            half = 6 + (time_s - 3) * 12
            top = round(130 - half * 1.5)
            frame[max(0, top) : top + round(3 * half), round(160 - half) : round(160 + half)] = 35

    results, (event,) = watch(detector, film(draw, 10))
    assert event.start_s == pytest.approx(3.0, abs=0.5)
    assert results[-1].time_s > event.end_s


@pytest.mark.parametrize("change", [40, -35])
def test_a_jump_of_the_light_is_not_motion(detector: Detector, change: int) -> None:
    def draw(frame: Frame, time_s: float) -> None:
        if 3 <= time_s < 6:
            np.copyto(frame, np.clip(frame.astype(np.int16) + change, 0, 255).astype(np.uint8))

    _, ends = watch(detector, film(draw, 9))
    assert not ends
    assert detector.suppressed["light"] >= 1


def test_a_walker_is_found_soon_after_a_jump_of_the_light(detector: Detector) -> None:
    walk = walker(5, 9)

    def draw(frame: Frame, time_s: float) -> None:
        if time_s >= 4:
            frame += 30
        walk(frame, time_s)

    _, (event,) = watch(detector, film(draw, 11))
    assert event.start_s == pytest.approx(5.0, abs=0.3)


def test_a_shadow_is_not_motion(detector: Detector) -> None:
    def draw(frame: Frame, time_s: float) -> None:
        if 3 <= time_s < 8:
            left = round((time_s - 3) * 60)
            part = frame[:, left : left + 70]
            np.copyto(part, (part * 0.85).astype(np.uint8))

    _, ends = watch(detector, film(draw, 10))
    assert not ends


def test_a_swaying_branch_is_not_motion(detector: Detector) -> None:
    branch = np.random.default_rng(3).integers(20, 200, (50, 60), dtype=np.uint8)

    def draw(frame: Frame, time_s: float) -> None:
        shift = round(4 * np.sin(2 * np.pi * time_s / 1.7))
        frame[20:70, 150 + shift : 210 + shift] = branch

    results, _ = watch(detector, film(draw, 20))
    assert not any(result.moving for result in results if result.time_s > 8)


def test_a_shaken_camera_is_not_motion_and_hides_no_walker(detector: Detector) -> None:
    walk = walker(8, 12)
    rng = np.random.default_rng(5)

    def shaken() -> Iterator[tuple[Frame, float]]:
        for frame, time_s in film(walk, 14):
            yield np.roll(frame, rng.integers(-4, 5, 2), (0, 1)), time_s

    _, ends = watch(detector, shaken())
    (event,) = ends
    assert event.start_s == pytest.approx(8.0, abs=0.4)
    assert event.end_s == pytest.approx(12.0, abs=0.4)


@pytest.mark.parametrize("fps", [25, 10])
def test_what_leaves_over_the_edge_is_followed_to_its_end(detector: Detector, fps: float) -> None:
    """A car with a long thin trailer: in the end a small part of it is left in the picture."""

    def draw(frame: Frame, time_s: float) -> None:
        front = round((time_s - 3) * 200)
        frame[70:160, max(0, front - 130) : max(0, front)] = 25
        frame[120:130, max(0, front - 290) : max(0, front - 130)] = 25

    _, (event,) = watch(detector, film(draw, 9, fps))
    assert event.end_s == pytest.approx(3 + (WIDTH + 290) / 200, abs=0.12)


def test_what_is_put_down_ends_being_motion(detector: Detector) -> None:
    walk = walker(3, 4.5)

    def draw(frame: Frame, time_s: float) -> None:
        walk(frame, min(time_s, 4.49) if time_s < 40 else time_s)

    results, ends = watch(detector, film(draw, 36, 5))
    assert len(ends) == 1
    assert ends[0].end_s < 32
    assert not results[-1].moving
    assert detector.suppressed["still"] >= 1


def test_a_scene_that_moves_from_the_first_frame_on(detector: Detector) -> None:
    def draw(frame: Frame, time_s: float) -> None:
        left = round(60 + time_s * 50)
        frame[110:170, left : left + 24] = 20

    results, (event,) = watch(detector, film(draw, 4))
    assert event.start_s <= 0.2
    ghost = results[-1].level
    assert ghost < 2 * 24 * 60 / (HEIGHT * WIDTH)


@pytest.mark.parametrize("sensitivity", [50, 75, 100])
def test_what_comes_in_over_a_flicker_begins_when_it_comes(sensitivity: int) -> None:
    """More sensitivity sees more flicker at the edge; what joins it must not begin with it."""
    rng = np.random.default_rng(11)

    def draw(frame: Frame, time_s: float) -> None:
        if time_s >= 3:
            frame[130:138, :8] = rng.integers(50, 230)
        if time_s >= 8:
            right = round((time_s - 8) * 200)
            frame[100:170, max(0, right - 90) : right] = 30

    _, (event,) = watch(Detector(DetectorSettings(sensitivity=sensitivity)), film(draw, 12))
    assert event.start_s == pytest.approx(8.0, abs=0.2)


def square(kind: ZoneKind, left: float, right: float, name: str = "Zone") -> Zone:
    return Zone(name, kind, ((left, 0), (right, 0), (right, 1), (left, 1)))


def test_only_watch_zones_count_and_are_named() -> None:
    zones = (square(ZoneKind.WATCH, 0.5, 0.75, "Path"), square(ZoneKind.WATCH, 0.75, 1, "Gate"))
    results, (event,) = watch(Detector(DetectorSettings(zones=zones)), film(walker(3, 8), 10))
    assert event.start_s == pytest.approx(3 + 160 / 60, abs=0.4)
    assert event.zones == {"Path", "Gate"}
    first = next(result for result in results if result.zones)
    assert first.zones == {"Path"}


def test_an_ignore_zone_does_not_count() -> None:
    detector = Detector(DetectorSettings(zones=(square(ZoneKind.IGNORE, 0, 1),)))
    _, ends = watch(detector, film(walker(3, 7), 9))
    assert not ends
    assert detector.suppressed["zone"] > 0


def test_what_happens_in_a_privacy_zone_changes_nothing() -> None:
    settings = DetectorSettings(zones=(square(ZoneKind.PRIVACY, 0.3, 0.6),))
    walk = walker(4, 8)
    rng = np.random.default_rng(11)

    def with_noise_inside(frame: Frame, time_s: float) -> None:
        walk(frame, time_s)
        frame[:, 96:192] = rng.integers(0, 256, (HEIGHT, 96))

    hidden, shown = Detector(settings), Detector(settings)
    for (frame, time_s), (changed, _) in zip(
        film(walk, 9, noise=0), film(with_noise_inside, 9, noise=0), strict=True
    ):
        assert hidden.analyze(frame, time_s) == shown.analyze(changed, time_s)
        np.testing.assert_array_equal(hidden.mask, shown.mask)
    inside = shown.mask[:, round(0.3 * shown.mask.shape[1]) : round(0.6 * shown.mask.shape[1])]
    assert not inside.any()


def test_both_engines_see_the_same() -> None:
    ours, theirs = (Detector(primitives=select_primitives(name)) for name in ("numpy", "opencv"))
    walk = walker(2, 6)

    def draw(frame: Frame, time_s: float) -> None:
        walk(frame, time_s)
        if time_s > 7:
            frame += 20

    for frame, time_s in film(draw, 9, 10, noise=4):
        assert ours.analyze(frame, time_s) == theirs.analyze(frame, time_s)
        np.testing.assert_array_equal(ours.mask, theirs.mask)
    assert ours.suppressed == theirs.suppressed


def test_more_sensitivity_never_finds_less() -> None:
    """Walkers from barely visible to plain, and the moving time that each sensitivity finds."""
    grays = (75, 84, 90, 97)

    def draw(frame: Frame, time_s: float) -> None:
        walker(3, 7, gray=grays[int(time_s // 8) % 4], y=160)(frame, time_s % 8)

    found = []
    for sensitivity in (0, 25, 50, 75, 100):
        detector = Detector(DetectorSettings(sensitivity=sensitivity))
        _, ends = watch(detector, film(draw, 32, 5))
        found.append(sum(event.end_s - event.start_s for event in ends))
    assert all(less <= more + 0.6 for less, more in pairwise(found))
    assert found[0] < found[-1]


def test_less_sensitivity_never_errs_more() -> None:
    """Gusts that swing a branch wide, and the moving time that each sensitivity makes of it."""
    branch = np.random.default_rng(3).integers(20, 200, (50, 60), dtype=np.uint8)

    def draw(frame: Frame, time_s: float) -> None:
        gust = max(0.0, np.sin(2 * np.pi * time_s / 9)) ** 2
        shift = round(30 * gust * np.sin(2 * np.pi * time_s / 2.3))
        frame[20:70, 150 + shift : 210 + shift] = branch

    moving = []
    pixels = []
    for sensitivity in (0, 25, 50, 75, 100):
        detector = Detector(DetectorSettings(sensitivity=sensitivity))
        count, ends = 0, []
        for frame, time_s in film(draw, 18, 5):
            result = detector.analyze(frame, time_s)
            count += int(detector.mask.sum())
            if result.ended:
                ends.append(result.ended)
        if last := detector.finish():
            ends.append(last)
        moving.append(sum(end.end_s - end.start_s for end in ends))
        pixels.append(count)
    assert all(less <= more + 0.6 for less, more in pairwise(moving))
    assert pixels == sorted(pixels)
    assert pixels[0] < pixels[-1]


def test_a_new_size_a_jump_back_and_a_gap_start_over(detector: Detector) -> None:
    watch(detector, film(walker(1, 4), 3))
    for frame, time_s in ((scene(), 0.0), (scene()[:120], 0.1), (scene()[:120], 60.0)):
        result = detector.analyze(frame, time_s)
        assert not result.moving
        assert result.level == 0


def test_an_open_event_ends_with_the_stream(detector: Detector) -> None:
    for frame, time_s in film(walker(1, 9), 4):
        detector.analyze(frame, time_s)
    event = detector.finish()
    assert event is not None
    assert event.end_s == pytest.approx(4.0, abs=0.1)
    assert detector.finish() is None


def test_configure_keeps_the_model() -> None:
    detector = Detector()
    for frame, time_s in film(None, 3):
        detector.analyze(frame, time_s)
    detector.configure(DetectorSettings(sensitivity=60))
    _, (event,) = watch(detector, film(walker(3.2, 6), 5, start_s=3))
    assert event.start_s == pytest.approx(3.2, abs=0.25)


def test_a_frame_is_never_written_to(detector: Detector) -> None:
    for frame, time_s in film(walker(1, 3), 3, 10):
        frame.flags.writeable = False
        detector.analyze(frame[:, :300], time_s)
