"""Which of this home's clips may show what a request is about. Nothing leaves the house for it.

Where cameras are is set once by the owner and kept here; a request has a polygon and a window. A clip counts
if its camera is in the area or at its edge, and if it shows any moment of the window.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ..clips import Clip, Questions
from ..neighborhood.geometry import touches_circle
from ..neighborhood.places import Place

# About how far a home's camera tells one person from another, and how well people set a pin on a map.
SEES_M: Final = 50
LIMIT: Final = 50  # clips shown to choose from; up to 10 of them may be given


@dataclass(frozen=True, slots=True)
class CameraPlace:
    """Where a camera is, in microdegrees."""

    camera_id: str
    lat_e6: int
    lon_e6: int


@dataclass(frozen=True, slots=True)
class Matching:
    """The first of the clips that match, oldest first, and how many there are."""

    clips: tuple[Clip, ...]
    count: int


def near_cameras(places: Iterable[CameraPlace], area: Sequence[Place]) -> tuple[str, ...]:
    """Return the cameras inside an area or at most SEES_M from it."""
    return tuple(
        place.camera_id for place in places if touches_circle(area, Place(place.lat_e6, place.lon_e6), SEES_M)
    )


def matching_clips(
    questions: Questions,
    places: Iterable[CameraPlace],
    area: Sequence[Place],
    start_s: int,
    end_s: int,
    *,
    limit: int = LIMIT,
    clock_error_s: float = 0.0,
) -> Matching:
    """Return the clips of a request's place and time. Blocks; Unix seconds.

    A clip whose clock is known to have been off counts if it may show the window: the offset of each clip,
    and `clock_error_s` for those that know of none, widens the window to both sides.
    """
    cameras = near_cameras(places, area)
    if not cameras:
        return Matching((), 0)
    clips, count = questions.unsure_overlapping(
        datetime.fromtimestamp(start_s, UTC),
        datetime.fromtimestamp(end_s, UTC),
        cameras=cameras,
        unsure_s=clock_error_s,
        limit=limit,
    )
    return Matching(clips, count)
