"""Tracks: regions followed over time, and the decision which of them are motion.

Rain, insects and leaves have path without displacement; somebody who walks up to the door has
growth without displacement. A track is confirmed once it is old enough and has gone somewhere
or grown; it stays confirmed until it is lost or absorbed into the background.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
import math

import numpy as np

from .regions import Region
from .types import Reason
from .ways import gone

MIN_AGE_S = 0.25  # a single flash or glitch of the encoder is shorter
LOST_AFTER_S = 0.8  # a walker hidden by a lamp post is back within this
MIN_SHIFT = 0.025  # net displacement, share of the picture's diagonal
MIN_OWN_SIZES = 0.5  # and of the region's own size: swaying moves by less
SPANS_S = (4.0, 1.2, 0.5)  # a far walker needs the longest; who turned is straight again in the shortest
HISTORY_S = max(SPANS_S)
MIN_SEEN = 0.6  # share of a span's frames in which a track must have been seen
FORGET_AFTER_S = 0.35  # an unconfirmed track lapses sooner: flicker must not add up to a path
MIN_PART = 0.15  # of its recent area: a smaller region is not the same thing
AREA_MEMORY_S = 0.4  # fast enough for what leaves over the edge
ENTER_S = 0.1  # a shadow or a dark part may be seen so long before the thing that comes in over the edge
EDGE_PIXELS = 3  # from the border: the median filter cleans that much away
JUDGE_AGAIN_S = 0.5  # how often the reason of a confirmed track is brought up to date
MEDIUM_SHARE = 0.01  # of the picture: what is smaller has to be seen this often, as three points lie easily
MEDIUM_SIGHTINGS = 5  # on a line
SMALL_SHARE = 0.005  # of the picture: what is smaller has to go straight for longer
SMALL_AGE_S = 0.7  # an insect's path bends within this
TRUSTED_S = 0.3  # of confirmed motion in the same place lately: a road
CLUTTER_S = 30.0  # how long tracks that came to nothing are remembered
CLUTTER_TRACKS = 4  # so many of them make clutter: rain, snow, insects
CLUTTER_EVERYWHERE = 150  # so many of them are snow, on a road as well (the busiest measured has 101)
CLUTTER_QUANTILE = 0.9  # of the areas of what came to nothing
CLUTTER_RATIO = 1.5  # in clutter a track has to be larger than what came to nothing by this
CLUTTER_MAX_SHARE = 0.008  # but never larger than this share of the picture
CLUTTER_AGE_S = 2.5  # what goes straight for so long is believed all the same
RESTLESS_S = 1.0  # of unconfirmed motion in the same place lately: sway, a screen
RESTLESS_PER_S = 0.3  # and more for a track that has itself been there for long
OLD_S = 8.0  # what has come to nothing for so long is itself what is restless there
LINGERING_S = 4.0  # what has come to nothing for longer has to go further, in proportion,
LINGERING_RATIO = 2.0  # but never by more than this: a screen's parts jump about in it, who waits walks off
MIN_GROWN_AREA = 0.02  # share of the picture
MIN_GROWTH = 2.0  # times the first area
SETTLE_S = 2.0  # after a jump of light: what grows from then on is exposure settling
MAX_SPEED = 1.2  # picture widths per second: a car crossing in under a second


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a track is motion or not yet: a code, what it has and what it would need.

    Codes: `young` and `small` (seconds), `sightings` (frames), `restless` (seconds of unconfirmed motion in
    its place), `clutter` (analysis pixels), `no_displacement` (analysis pixels gone), `moved`, `grew`.
    """

    code: str
    has: float = 0.0
    needs: float = 0.0


@dataclass(slots=True, eq=False)
class Track:
    """One thing seen in several frames; lengths in analysis pixels."""

    number: int
    first_s: float
    last_s: float
    origin: tuple[float, float]
    center: tuple[float, float]
    box: tuple[int, int, int, int]
    entered: bool
    at_edge: bool
    area: int
    first_area: int
    max_area: int
    velocity: tuple[float, float] = (0.0, 0.0)
    recent_area: float = 0.0
    part_area: float = 0.0  # of its largest part: two insects that meet are not a person
    restless_s: float = 0.0
    judge_again_s: float = 0.0
    history: deque[tuple[float, ...]] = field(default_factory=deque)
    confirmed_s: float | None = None
    reason: Reason | None = None
    score: float = 0.0
    verdict: Verdict = field(default_factory=lambda: Verdict("young"))
    labels: list[int] = field(default_factory=list)

    @property
    def size(self) -> float:
        """Side of a square of the same area as the box."""
        left, top, right, bottom = self.box
        return math.sqrt((right - left) * (bottom - top))

    def is_overrun(self, area: int) -> bool:
        """Whether so large an area is something else that came over a flicker: what comes in grows."""
        if self.confirmed_s is not None or len(self.history) < 2:
            return False
        before = self.recent_area if self.last_s - self.first_s > AREA_MEMORY_S else self.area
        return before < min(MIN_GROWTH * self.first_area, MIN_PART * area)


class Tracker:
    """Follows regions of pictures of one size."""

    def __init__(self, height: int, width: int) -> None:
        """Take the analysis size."""
        self._height, self._width = height, width
        self._diagonal = math.hypot(height, width)
        self._number = 0
        self._settled_s = float("-inf")
        self._failed: deque[tuple[float, int]] = deque(maxlen=200)
        self._frames: list[float] = []
        self.margin: float = EDGE_PIXELS  # wider where the camera shakes: what is cut off differs
        self.shaken = False
        self.tracks: list[Track] = []

    def update(self, regions: Iterable[Region], time_s: float, strictness: float) -> int:
        """Match regions to tracks and confirm what moves; return unconfirmed tracks dropped.

        `strictness` scales what a track must have done (1 at sensitivity 50).
        """
        self._frames.append(time_s)
        del self._frames[: bisect_left(self._frames, time_s - HISTORY_S)]
        while self._failed and time_s - self._failed[0][0] > CLUTTER_S:
            self._failed.popleft()
        matched: dict[int, list[Region]] = {}
        for region in regions:
            track = self._nearest(region, time_s)
            if track is None:
                track = self._start(region, time_s)
                self.tracks.append(track)
            matched.setdefault(track.number, []).append(region)
        dropped = 0
        kept: list[Track] = []
        for known in self.tracks:
            track, parts = known, matched.get(known.number)
            if parts is not None and self._is_same(known, parts):
                if known.is_overrun(_area(parts)):
                    track = self._start(max(parts, key=lambda part: part.area), time_s)
                _advance(track, parts, time_s)
                track.at_edge = self._touches_edge(track.box)
                track.entered |= track.at_edge and time_s - track.first_s <= ENTER_S
                self._judge(track, time_s, strictness)
            else:
                track.labels = []
                lapse_s = FORGET_AFTER_S if track.confirmed_s is None else LOST_AFTER_S
                if time_s - track.last_s > lapse_s:
                    if track.confirmed_s is None:
                        dropped += 1
                        self._failed.append((time_s, track.max_area))
                    continue
            kept.append(track)
        self.tracks = kept
        return dropped

    def remove(self, track: Track) -> None:
        """Forget a track that has become background."""
        self.tracks.remove(track)

    def move(self, right: int, down: int) -> None:
        """Move everything with the picture."""
        for track in self.tracks:
            left, top, end, bottom = track.box
            track.box = (left + right, top + down, end + right, bottom + down)
            track.center = (track.center[0] + right, track.center[1] + down)
            track.origin = (track.origin[0] + right, track.origin[1] + down)
            shift = (0.0, *(3 * (right, down)))
            track.history = deque(
                tuple(value + by for value, by in zip(point, shift, strict=True)) for point in track.history
            )

    def clear(self, time_s: float) -> None:
        """Forget everything: the light has jumped, and exposure takes some seconds to settle."""
        self.tracks.clear()
        self._settled_s = time_s + SETTLE_S

    def _start(self, region: Region, time_s: float) -> Track:
        self._number += 1
        return Track(
            self._number,
            first_s=time_s,
            last_s=time_s,
            origin=region.center,
            center=region.center,
            box=region.box,
            entered=self._touches_edge(region.box),
            at_edge=self._touches_edge(region.box),
            area=region.area,
            first_area=region.area,
            max_area=region.area,
            recent_area=region.area,
            part_area=region.area,
            history=deque([(time_s, *region.center, *region.box)]),
        )

    def _is_same(self, track: Track, parts: list[Region]) -> bool:
        """Whether regions are large enough to be what was seen; what leaves over the edge ends small."""
        if _area(parts) >= MIN_PART * track.recent_area:
            return True
        return track.at_edge and all(self._touches_edge(part.box) for part in parts)

    def _touches_edge(self, box: tuple[int, int, int, int]) -> bool:
        return (
            min(box[0], box[1]) <= self.margin
            or box[2] >= self._width - self.margin
            or box[3] >= self._height - self.margin
        )

    def _nearest(self, region: Region, time_s: float) -> Track | None:
        """Return the track whose predicted box is nearest, within reach."""
        best: Track | None = None
        best_gap = math.inf
        for track in self.tracks:
            elapsed = time_s - track.last_s
            reach = 2.0 + min(0.5 * track.size + 2.0, MAX_SPEED * self._width * elapsed)
            gap = _gap(region.box, _shift(track.box, track.velocity, elapsed))
            if gap <= reach and gap < best_gap:
                best, best_gap = track, gap
        return best

    def _judge(self, track: Track, time_s: float, strictness: float) -> None:
        """Confirm a track that has moved or grown; keep its reason up to date."""
        age_s = time_s - track.first_s
        if age_s < MIN_AGE_S:
            track.verdict = Verdict("young", age_s, MIN_AGE_S)
            return
        if time_s < track.judge_again_s:
            return
        needed = strictness * max(
            MIN_SHIFT * self._diagonal,
            min(MIN_OWN_SIZES * track.size, 0.15 * self._diagonal),
        )
        if track.confirmed_s is None:  # what has lingered has to go further
            needed *= min(LINGERING_RATIO, max(1.0, age_s / LINGERING_S))
        share = track.area / (self._height * self._width)
        if track.confirmed_s is None and (doubt := self._doubt(track, age_s)) is not None:
            track.verdict = doubt
            return
        net = self._displacement(track, time_s)
        moved = net >= needed
        grew = (
            self._seen([point[0] for point in track.history], track.first_s, time_s, SPANS_S[-1])
            and share >= MIN_GROWN_AREA * strictness
            and track.first_s >= self._settled_s
            and track.area >= MIN_GROWTH * track.first_area
        )
        if not (moved or grew):
            if track.confirmed_s is None:
                track.verdict = Verdict("no_displacement", net, needed)
            return
        track.verdict = Verdict("moved" if moved else "grew", net, needed)
        track.judge_again_s = time_s + JUDGE_AGAIN_S
        if track.confirmed_s is None:
            track.confirmed_s = time_s
            track.first_s = max(track.first_s, track.history[0][0])  # it may have come over an old flicker
        score = min(1.0, 0.5 * max(net / needed, share / (MIN_GROWN_AREA * strictness)))
        if track.reason is None or score > track.score or (moved and track.reason.code == "grew"):
            track.score = max(track.score, score)
            track.reason = self._reason(track, age_s, share, moved)

    def _displacement(self, track: Track, time_s: float) -> float:
        """Return how far a track went, along a line fitted to its centers, in the span that shows most.

        0 where the centers scatter about the line by more than a share of it: that is flicker.
        """
        times = [point[0] for point in track.history]
        points = np.array(track.history)
        left, top, right, bottom = track.box
        margin = math.inf if self.shaken else self.margin  # blur moves the ends of a box
        free = (
            left > margin and right < self._width - margin,
            top > margin and bottom < self._height - margin,
        )
        net = 0.0
        for span_s in SPANS_S:
            first = bisect_left(times, time_s - span_s)
            if len(times) - first >= 3 and self._seen(times, track.first_s, time_s, span_s):
                net = max(net, gone(points[first:], free))
        return net

    def _seen(self, times: Sequence[float], first_s: float, time_s: float, span_s: float) -> bool:
        """Whether what was seen at some times was seen in most frames of a span (or since it began)."""
        since_s = max(first_s, time_s - span_s)
        frames = len(self._frames) - bisect_left(self._frames, since_s)
        return len(times) - bisect_left(times, since_s) >= MIN_SEEN * frames

    def _doubt(self, track: Track, age_s: float) -> Verdict | None:
        """Say if a track lies where things move all the time, or is as small as what came to nothing."""
        share = track.part_area / (self._height * self._width)
        if track.restless_s < -TRUSTED_S:
            return self._clutter(track, age_s) if len(self._failed) >= CLUTTER_EVERYWHERE else None
        if share < SMALL_SHARE and age_s < SMALL_AGE_S:
            return Verdict("small", age_s, SMALL_AGE_S)
        if share < MEDIUM_SHARE and len(track.history) < MEDIUM_SIGHTINGS:
            return Verdict("sightings", len(track.history), MEDIUM_SIGHTINGS)
        own_s = min(age_s, HISTORY_S) if age_s < OLD_S else 0.0
        restless_s = RESTLESS_S + RESTLESS_PER_S * own_s
        if track.restless_s > restless_s:
            return Verdict("restless", track.restless_s, restless_s)
        return self._clutter(track, age_s)

    def _clutter(self, track: Track, age_s: float) -> Verdict | None:
        """Say if a track is as small as what came to nothing lately."""
        if len(self._failed) < CLUTTER_TRACKS or age_s >= CLUTTER_AGE_S:
            return None
        areas = sorted(area for _, area in self._failed)
        usual = areas[int(CLUTTER_QUANTILE * (len(areas) - 1))]
        least = min(CLUTTER_RATIO * usual, CLUTTER_MAX_SHARE * self._height * self._width)
        return Verdict("clutter", track.part_area, least) if track.part_area < least else None

    def _reason(self, track: Track, age_s: float, share: float, moved: bool) -> Reason:
        if not moved:
            return Reason("grew", {"area": 100 * share, "seconds": age_s})
        across = abs(track.center[0] - track.origin[0]) / self._width
        down = abs(track.center[1] - track.origin[1]) / self._height
        values = {
            "share": 100 * max(across, down),
            "vertical": float(down > across),
            "seconds": age_s,
        }
        return Reason("moved", values)


def _advance(track: Track, parts: list[Region], time_s: float) -> None:
    """Take the regions of this frame into a track."""
    area = _area(parts)
    center = (
        sum(part.center[0] * part.area for part in parts) / area,
        sum(part.center[1] * part.area for part in parts) / area,
    )
    box = (
        min(part.box[0] for part in parts),
        min(part.box[1] for part in parts),
        max(part.box[2] for part in parts),
        max(part.box[3] for part in parts),
    )
    elapsed = time_s - track.last_s
    if elapsed > 0:
        weight = min(1.0, elapsed / 0.3)
        track.velocity = (
            (1 - weight) * track.velocity[0] + weight * (center[0] - track.center[0]) / elapsed,
            (1 - weight) * track.velocity[1] + weight * (center[1] - track.center[1]) / elapsed,
        )
        weight = min(1.0, elapsed / AREA_MEMORY_S)
        track.recent_area += weight * (area - track.recent_area)
        track.part_area += weight * (max(part.area for part in parts) - track.part_area)
        track.history.append((time_s, *center, *box))
        while time_s - track.history[0][0] > HISTORY_S:
            track.history.popleft()
    track.center, track.box, track.area = center, box, area
    track.restless_s = sum(part.restless_s * part.area for part in parts) / area
    track.max_area = max(track.max_area, area)
    track.last_s = time_s
    track.labels = [part.label for part in parts]


def _area(parts: Iterable[Region]) -> int:
    return sum(part.area for part in parts)


def _shift(
    box: tuple[int, int, int, int], velocity: tuple[float, float], elapsed: float
) -> tuple[float, float, float, float]:
    dx, dy = velocity[0] * elapsed, velocity[1] * elapsed
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


def _gap(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> float:
    """Return the distance between two boxes, 0 where they overlap."""
    across = max(first[0] - second[2], second[0] - first[2], 0.0)
    down = max(first[1] - second[3], second[1] - first[3], 0.0)
    return math.hypot(across, down)
