"""Why: what the last frame was compared with, what was found in it, and what became of each part.

For a picture that a person looks at (debug_view.py draws it); nothing here decides anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .align import Alignment, moved_back
from .primitives import Gray, Mask
from .sight import Seen
from .tracks import Track
from .types import Box

_SENTENCES = {
    "young": "seen for {has:.2f} s, needs {needs:.2f} s",
    "small": "small: straight for {has:.1f} s, needs {needs:.1f} s",
    "sightings": "small: seen {has:.0f} times, needs {needs:.0f}",
    "restless": "restless place: {has:.1f} s of motion that came to nothing, {needs:.1f} s are believed",
    "clutter": "as small as what came to nothing lately: {has:.0f} of {needs:.0f} cells",
    "no_displacement": "went {has:.0f} cells, needs {needs:.0f}",
    "moved": "motion",
    "grew": "motion: it grew",
}
_DROPPED = {"small": "too small or too faint", "soft": "soft outline: light"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of the picture and what became of it; `kind` is motion, candidate or dropped."""

    kind: str
    code: str
    box: Box
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """All arrays are of the analysis size (h, w); nobody writes to them afterwards.

    `model` is the background; `changed` is what it does not explain, `mask` what is left of that without
    shade and outside of zones, both in the frame's place; `restless_s` is unconfirmed (above 0) or confirmed
    motion lately, in seconds; `unwatched` and `hidden` are where nothing counts and nothing is looked at.
    """

    time_s: float
    model: Gray
    changed: Mask
    mask: Mask
    restless_s: NDArray[np.float32]
    unwatched: Mask
    hidden: Mask
    shown: tuple[Shown, ...]
    shift: tuple[float, float]
    gain: float
    offset: float
    light_jumped: bool
    suppressed: Mapping[str, int]


def explain(
    *,
    picture: Gray,
    seen: Seen | None,
    tracks: Sequence[Track],
    restless_s: NDArray[np.float32],
    hidden: Mask,
    watched: Mask,
    alignment: Alignment,
    suppressed: Mapping[str, int],
    time_s: float,
) -> Explanation:
    """Put together what a detector knows after a frame."""
    nothing = np.zeros(picture.shape, np.bool_)
    shown: list[Shown] = []
    if seen is not None and seen.regions is not None:
        boxes = seen.regions.components.boxes
        for code, labels in (("small", seen.regions.small), ("soft", seen.regions.soft)):
            for label in labels:
                left, top, right, bottom = (int(side) for side in boxes[label - 1])
                box = _relative((left, top, right, bottom), picture.shape, alignment)
                shown.append(Shown("dropped", code, box, _DROPPED[code]))
    for track in tracks:
        if not track.labels:
            continue
        text = _SENTENCES[track.verdict.code].format(has=track.verdict.has, needs=track.verdict.needs)
        if track.confirmed_s is not None and track.reason is not None:
            text = str(track.reason)
        kind = "candidate" if track.confirmed_s is None else "motion"
        box = _relative(track.box, picture.shape, alignment)
        shown.append(Shown(kind, track.verdict.code, box, text))
    found = seen is not None and seen.regions is not None
    return Explanation(
        time_s,
        picture.copy(),
        moved_back(seen.weak, alignment) if seen is not None and seen.weak.size else nothing,
        moved_back(seen.mask, alignment) if seen is not None and found else nothing,
        restless_s.copy(),
        ~watched,
        hidden.copy(),
        tuple(shown),
        (alignment.dx, alignment.dy),
        alignment.gain,
        alignment.offset,
        seen is not None and not found,
        dict(suppressed),
    )


def _relative(box: tuple[int, int, int, int], shape: tuple[int, ...], at: Alignment) -> Box:
    height, width = shape
    left, top, right, bottom = box
    return (
        (left + at.dx) / width,
        (top + at.dy) / height,
        (right - left) / width,
        (bottom - top) / height,
    )
