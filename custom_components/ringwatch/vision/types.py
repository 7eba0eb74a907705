"""What crosses vision's border: settings in, motion out.

Times are seconds of the stream (`time_s`), boxes are (x, y, width, height) relative to the
whole picture, 0 to 1, the origin at the top left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import override

from .zones import Zone

type Box = tuple[float, float, float, float]

DEFAULT_SENSITIVITY = 50  # 0 to 100; every figure in docs/detection.md is measured at 50

_SENTENCES = {
    "moved": "moved {share:.0f} % of the picture's {side} in {seconds:.1f} s",
    "grew": "grew to {area:.1f} % of the picture in {seconds:.1f} s",
    "appeared": "something new covers {area:.1f} % of the picture",
}


class EngineError(RuntimeError):
    """An engine was asked for by name and is not installed."""


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """What the owner chooses for a camera."""

    sensitivity: int = DEFAULT_SENSITIVITY
    zones: tuple[Zone, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something counts as motion: a stable code and the figures behind it.

    Codes: `moved` (share: % of the side, vertical: 1 or 0, seconds), `grew` (area: % of the
    picture, seconds), `appeared` (area; in stills).
    """

    code: str
    values: Mapping[str, float] = field(default_factory=dict)

    @override
    def __str__(self) -> str:
        """Return one English sentence without a full stop."""
        side = "height" if self.values.get("vertical") else "width"
        return _SENTENCES[self.code].format(side=side, **self.values)


@dataclass(frozen=True, slots=True)
class MotionStart:
    """Motion was confirmed; `start_s` is its onset, dated back."""

    start_s: float
    confirmed_s: float
    box: Box
    zones: frozenset[str]
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class MotionEnd:
    """Motion is over; `end_s` is the last moving frame, `box` and `peak` are from its height."""

    start_s: float
    end_s: float
    peak: float
    box: Box
    zones: frozenset[str]
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What one frame showed.

    `moving` says whether something confirmed moves in this very frame; an event stays open for a second
    longer: follow `started` and `ended` for events (a frame may end one and start the next). `level` is
    the share (0 to 1) of the watched picture that moves now, `boxes` and `zones` are where.
    """

    time_s: float
    moving: bool
    level: float
    boxes: tuple[Box, ...]
    zones: frozenset[str]
    started: MotionStart | None = None
    ended: MotionEnd | None = None
