"""Motion in single pictures, seconds or hours apart."""

import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.ringwatch.vision import (
    DetectorSettings,
    FrameResult,
    StillsDetector,
    parse_zones,
    select_primitives,
)

WIDTH, HEIGHT = 320, 240
QUIET = 6
MARGIN = 8  # of the wall outside the picture: a shaken camera sees it
LEFT = {"name": "Left", "kind": "watch", "points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}


class Stills:
    """A textured wall in noisy stills; somebody stands at `x` (share of the width)."""

    def __init__(self, settings: DetectorSettings | None = None, engine: str = "auto") -> None:
        self.random = np.random.default_rng(5)
        pattern = np.kron(self.random.normal(0, 12, (HEIGHT // 8, WIDTH // 8 + 2)), np.ones((8, 8)))
        self.wall = np.linspace(60, 140, WIDTH + 2 * MARGIN) + pattern
        self.detector = StillsDetector(settings or DetectorSettings(), select_primitives(engine))  # type: ignore[arg-type]
        self.time_s = 0.0

    def still(
        self, x: float | None = None, *, gain: float = 1.0, height: int = 80, shift: int = 0
    ) -> NDArray[np.uint8]:
        picture = self.wall + self.random.normal(0, 2, self.wall.shape)
        if x is not None:
            left = round(x * WIDTH) + MARGIN
            picture[60 : 60 + height, left : left + height * 3 // 8] = 225
        shown = picture[:, MARGIN + shift : MARGIN + shift + WIDTH]
        return (gain * shown).clip(0, 255).astype(np.uint8)

    def look(self, luma: NDArray[np.uint8], interval_s: float = 10.0) -> FrameResult:
        self.time_s += interval_s
        return self.detector.analyze(luma, self.time_s)

    def quiet(self) -> None:
        for _ in range(QUIET):
            assert not self.look(self.still()).moving


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
@pytest.mark.parametrize("interval_s", [2.0, 10.0, 3600.0])
def test_who_is_in_a_still_is_seen_however_far_apart_they_are(engine: str, interval_s: float) -> None:
    stills = Stills(engine=engine)
    stills.quiet()
    first = stills.look(stills.still(0.2), interval_s)
    assert first.started
    assert first.started.start_s == first.time_s == stills.time_s
    assert first.boxes[0] == pytest.approx((0.2, 0.25, 0.094, 0.333), abs=0.03)
    assert str(first.started.reason).startswith("something new covers 3.")
    assert first.level == pytest.approx(0.031, abs=0.005)
    second = stills.look(stills.still(0.7), interval_s)
    assert second.moving
    assert not second.started
    gone = stills.look(stills.still(), interval_s)
    assert gone.ended
    assert (gone.ended.start_s, gone.ended.end_s) == (first.time_s, second.time_s)
    assert not gone.moving


def test_what_stays_is_news_only_at_first() -> None:
    stills = Stills()
    stills.quiet()
    moving = [stills.look(stills.still(0.4)).moving for _ in range(8)]
    assert moving[:2] == [True, True]
    assert moving[4:] == [False] * 4


def test_light_and_a_shaken_camera_are_not_motion() -> None:
    stills = Stills()
    stills.quiet()
    for number in range(12):
        gain, shift = 1.0 + 0.2 * np.sin(number), number % 3 - 1
        assert not stills.look(stills.still(gain=gain, shift=shift)).moving
    assert stills.look(stills.still(0.3, gain=0.8, shift=1)).moving


def test_another_view_begins_anew() -> None:
    stills = Stills()
    stills.quiet()
    assert not stills.look(255 - stills.still()).moving
    assert stills.detector.suppressed["light"] == 1
    assert not stills.look(255 - stills.still()).moving
    assert stills.look(255 - stills.still(0.5)).moving
    assert not stills.look(stills.still()[: HEIGHT // 2]).moving  # another size


def test_small_things_count_with_more_sensitivity() -> None:
    for sensitivity, seen in ((0, False), (50, False), (100, True)):
        stills = Stills(DetectorSettings(sensitivity))
        stills.quiet()
        assert stills.look(stills.still(0.4, height=22)).moving is seen


def test_zones() -> None:
    stills = Stills(DetectorSettings(zones=parse_zones([LEFT])))
    stills.quiet()
    assert not stills.look(stills.still(0.7)).moving
    assert stills.detector.suppressed["zone"] == 1
    seen = stills.look(stills.still(0.2))
    assert seen.zones == {"Left"}
    stills.detector.configure(DetectorSettings(zones=parse_zones([LEFT | {"kind": "privacy"}])))
    ended = stills.look(stills.still(0.2))
    assert not ended.moving
    assert ended.ended
    for _ in range(QUIET):
        assert not stills.look(stills.still(0.1)).moving
    assert stills.look(stills.still(0.6)).moving
    stills.detector.configure(DetectorSettings(zones=parse_zones([LEFT | {"kind": "ignore"}])))
    assert stills.detector.finish()
    assert stills.detector.finish() is None


def test_a_reset_forgets() -> None:
    stills = Stills()
    stills.quiet()
    assert stills.look(stills.still(0.2)).moving
    stills.detector.reset()
    again = stills.look(stills.still(0.2))
    assert not again.moving
    assert again.ended is None
