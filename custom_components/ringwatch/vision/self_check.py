"""The self-check: an area where things move for days and never come to anything deserves an *ignore* zone.

A detector counts, per cell of a coarse grid, the seconds of motion that was never confirmed and of motion
that was. Here they are kept by day; where the first is plenty on several days and the second next to nothing,
a zone is proposed. Whoever calls brings the day's number: there is no clock in here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from .components import label_runs
from .zones import MAX_ZONES, Zone, ZoneKind

GRID = (18, 32)  # rows and columns: a cell of 16:9 video is square, and a bush has some
DAYS_KEPT = 7  # a week has a windy day and a washing day
MIN_DAYS = 3  # of these, the last one among them: one storm is no reason
MIN_DAY_S = 600.0  # of unconfirmed motion in a cell, a day: ten minutes
MAX_CONFIRMED_SHARE = 0.02  # of a cell's motion: where people walk too, a zone would hide them
DAY_S = 90_000.0  # the longest, when clocks are set back
MIN_CELLS = 2  # a smaller area is cheap to leave alone
MAX_PICTURE_SHARE = 0.3  # a larger zone would rather blind the camera: lower the sensitivity instead
ZONE_NAME = "Suggested"

type Grid = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """What was counted since the last time: seconds per cell, mean over its pixels, (18, 32)."""

    unconfirmed_s: Grid
    confirmed_s: Grid

    def __add__(self, other: Activity) -> Activity:
        """Return both together."""
        return Activity(self.unconfirmed_s + other.unconfirmed_s, self.confirmed_s + other.confirmed_s)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A zone to ignore, and why: on how many days, and how much on a usual one of them."""

    zone: Zone
    days: int
    minutes_a_day: float


class ActivityCounter:
    """Counts a detector's motion per pixel; emptied now and then by `take`."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Begin at zero, at the analysis size."""
        self._unconfirmed_s = np.zeros(shape, np.float32)
        self._confirmed_s = np.zeros(shape, np.float32)

    def add(self, unconfirmed: NDArray[np.bool_], confirmed: NDArray[np.bool_], seconds: float) -> None:
        """Count some seconds."""
        self._unconfirmed_s.ravel()[np.flatnonzero(unconfirmed)] += np.float32(seconds)
        self._confirmed_s.ravel()[np.flatnonzero(confirmed)] += np.float32(seconds)

    def take(self) -> Activity:
        """Return what has been counted, and begin at zero again."""
        activity = Activity(_coarse(self._unconfirmed_s), _coarse(self._confirmed_s))
        self._unconfirmed_s[:] = 0
        self._confirmed_s[:] = 0
        return activity


class SelfCheck:
    """One camera's last days."""

    def __init__(self) -> None:
        """Begin without a past."""
        self._days: dict[int, Activity] = {}

    def add(self, day: int, activity: Activity) -> None:
        """Add to a day; `day` only has to grow by one a day (`date.toordinal()`)."""
        known = self._days.get(day)
        if known is not None:
            activity = known + activity
        self._days[day] = activity
        for old in [other for other in self._days if other <= day - DAYS_KEPT]:
            del self._days[old]

    def forget(self) -> None:
        """Begin anew: the zones or the view have changed."""
        self._days.clear()

    def proposal(self, zones: Iterable[Zone] = (), *, before: int | None = None) -> Proposal | None:
        """Return a zone worth proposing beside those that there are, or None.

        `before` is a day that isn't over, so that it says nothing yet.
        """
        zones = tuple(zones)
        days = {day: activity for day, activity in self._days.items() if before is None or day < before}
        if not days or len(zones) >= MAX_ZONES:
            return None
        restless = np.zeros(GRID, np.int64)
        for activity in days.values():
            restless += _is_restless(activity)
        wanted = (restless >= MIN_DAYS) & _is_restless(days[max(days)])
        found = label_runs(wanted)
        if not len(found.areas) or found.areas.max() < MIN_CELLS:
            return None
        largest = int(found.areas.argmax())
        left, top, right, bottom = (int(side) for side in found.boxes[largest])
        if (right - left) * (bottom - top) > MAX_PICTURE_SHARE * restless.size:
            return None
        within = found.labels == largest + 1
        minutes = [float(day.unconfirmed_s[within].mean()) / 60 for day in days.values()]
        x0, x1, y0, y1 = left / GRID[1], right / GRID[1], top / GRID[0], bottom / GRID[0]
        points = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        names = {zone.name for zone in zones}
        name = next(name for n in range(1, MAX_ZONES + 2) if (name := f"{ZONE_NAME} {n}") not in names)
        return Proposal(
            Zone(name, ZoneKind.IGNORE, points), int(restless[within].max()), float(np.median(minutes))
        )

    def to_json(self) -> dict[str, dict[str, list[float]]]:
        """Return what `from_json` reads; tenths of seconds, some kilobytes a day."""
        return {
            str(day): {
                "unconfirmed_s": [round(float(s), 1) for s in activity.unconfirmed_s.ravel()],
                "confirmed_s": [round(float(s), 1) for s in activity.confirmed_s.ravel()],
            }
            for day, activity in self._days.items()
        }

    @classmethod
    def from_json(cls, raw: object) -> Self:
        """Read what was kept. What cannot be read is left out: it is counted again in a few days."""
        check = cls()
        if not isinstance(raw, Mapping):
            return check
        for day, grids in cast(Mapping[object, object], raw).items():
            if isinstance(day, str) and day.isascii() and day.isdigit() and isinstance(grids, Mapping):
                unconfirmed, confirmed = _grid(grids.get("unconfirmed_s")), _grid(grids.get("confirmed_s"))
                if unconfirmed is not None and confirmed is not None:
                    check._days[int(day)] = Activity(unconfirmed, confirmed)
        return check


def _is_restless(activity: Activity) -> NDArray[np.bool_]:
    """Where a day had plenty of motion that came to nothing and hardly any other."""
    unconfirmed, confirmed = activity.unconfirmed_s, activity.confirmed_s
    restless: NDArray[np.bool_] = (unconfirmed >= MIN_DAY_S) & (
        confirmed <= MAX_CONFIRMED_SHARE * (unconfirmed + confirmed)
    )
    return restless


def _coarse(seconds: Grid) -> Grid:
    """Average over the cells of the grid; cells without a pixel have the nearest one's."""
    height, width = seconds.shape
    rows, columns = GRID
    if height < rows or width < columns:
        picked: Grid = seconds[np.arange(rows) * height // rows][:, np.arange(columns) * width // columns]
        return picked
    tops, lefts = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    sums = np.add.reduceat(np.add.reduceat(seconds, tops, axis=0), lefts, axis=1)
    counts = np.diff([*tops, height])[:, None] * np.diff([*lefts, width])[None, :]
    coarse: Grid = (sums / counts).astype(np.float32)
    return coarse


def _grid(raw: object) -> Grid | None:
    if not isinstance(raw, list) or len(raw) != GRID[0] * GRID[1]:
        return None
    numbers = [value for value in cast(list[object], raw) if isinstance(value, int | float)]
    if len(numbers) != len(raw) or not all(0 <= value <= DAY_S for value in numbers):
        return None
    return np.array(numbers, np.float32).reshape(GRID)
