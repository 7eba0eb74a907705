"""The detector: luma planes in, motion out. Arrays only, no clock and no I/O of its own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .align import Aligner, Alignment, moved_back, outside, shifted
from .background import Background
from .events import Events, Moving
from .explain import Explanation, explain
from .primitives import Gray, Mask, Primitives, analysis_factor, area_average, select_primitives
from .regions import Regions, close, drop_soft, find_regions
from .restless import Restlessness
from .self_check import Activity
from .shade import shaded
from .sight import Seen, Sight
from .stillness import Stillness
from .tracks import EDGE_PIXELS, Track, Tracker
from .types import Box, DetectorSettings, FrameResult, MotionEnd
from .zones import ZoneKind, zone_mask

MIN_AREA_PIXELS = 5  # at sensitivity 50 and 160 wide: a person of 2 % of the picture's height
LIGHT_SHARE = 0.5  # of the picture changing between two frames: nothing but light does that
SHAKE_PIXELS = 0.4  # between two frames: the picture is blurred by as much
SHAKE_MEMORY_S = 1.0  # half-life: a mast swings back within it
PLACE_MEMORY_S = 5.0  # longer than a gust that shakes the mast
RECENTER_PIXELS = 2  # the shift that is lost at the border for good before the model follows
RELIGHT_LEVELS = 1.0  # mean change of gray levels that is taken into the model
DEFAULT_SETTINGS = DetectorSettings()
LONGEST_GAP_S = 5.0  # after a longer gap the scene may be another: start over


class Detector:
    """Finds motion in the frames of one camera. One thread at a time."""

    def __init__(
        self,
        settings: DetectorSettings = DEFAULT_SETTINGS,
        primitives: Primitives | None = None,
    ) -> None:
        """Start without a model; the first frame makes it."""
        self._primitives = primitives or select_primitives()
        self._settings = settings
        self._suppressed: Counter[str] = Counter()
        self._events = Events()
        self._shape: tuple[int, int] | None = None
        self._seen: Seen | None = None
        self._shake = 0.0  # pixels that the picture jumped by lately
        self._alignment = Alignment()
        self._place = (0.0, 0.0)  # where the camera has looked lately, against the model
        self._time_s = 0.0
        self._previous: Gray = np.zeros((0, 0), np.uint8)
        self._mask: Mask = np.zeros((0, 0), np.bool_)
        self._apply_settings()

    @property
    def mask(self) -> Mask:
        """The foreground of the last frame at the analysis size (h, w)."""
        return self._mask

    @property
    def analysis_size(self) -> tuple[int, int]:
        """The analyzed picture's (height, width); (0, 0) before the first frame."""
        return (self._mask.shape[0], self._mask.shape[1])

    @property
    def suppressed(self) -> Mapping[str, int]:
        """How often something was not counted as motion, by cause."""
        return dict(self._suppressed)

    @property
    def engine(self) -> str:
        """The name of the primitives in use."""
        return self._primitives.name

    def explain(self) -> Explanation | None:
        """Say what the last frame was compared with and why each part of it counts or not."""
        if self._shape is None:
            return None
        seen = self._seen
        return explain(
            picture=self._background.picture(),
            seen=seen,
            tracks=self._tracker.tracks,
            restless_s=self._restless.seconds,
            hidden=self._hidden,
            watched=self._watched,
            alignment=self._alignment,
            suppressed=self._suppressed,
            time_s=self._time_s,
        )

    def take_activity(self) -> Activity | None:
        """Return where things moved since the last time, for the self-check; None without a model."""
        return None if self._shape is None else self._restless.activity.take()

    def configure(self, settings: DetectorSettings) -> None:
        """Change the settings and keep the model, unless privacy zones differ."""
        privacy_before = [z for z in self._settings.zones if z.kind is ZoneKind.PRIVACY]
        privacy_after = [z for z in settings.zones if z.kind is ZoneKind.PRIVACY]
        self._settings = settings
        self._apply_settings()
        if self._shape is not None:
            if privacy_before != privacy_after:
                self._shape = None  # what was hidden is unknown: learn it anew
            else:
                self._draw_zones()

    def reset(self) -> None:
        """Forget the model and any open event."""
        self._events = Events()
        self._shape = None

    def finish(self) -> MotionEnd | None:
        """Close an open event: the stream is over."""
        return self._events.close()

    @property
    def is_quiet(self) -> bool:
        """Whether no event is open and nothing is followed that may become one."""
        return self._shape is None or not (self._events.is_open or self._tracker.tracks)

    def analyze(self, luma: NDArray[np.uint8], time_s: float) -> FrameResult:
        """Look at one luma plane (H, W), which may be a strided view and is never written to."""
        return self.take(self.look(luma, time_s))

    def look(self, luma: NDArray[np.uint8], time_s: float) -> Sight:
        """Return what a frame shows and change nothing: `take` learns from it, or it is let go of."""
        if self._shape != luma.shape or not 0 <= time_s - self._time_s <= LONGEST_GAP_S:
            return Sight(luma, time_s, None)
        seen = self._align(self._reduce(luma), time_s)
        weak, strong = self._background.classify(seen.frame, self._scale)
        if seen.alignment.is_relit and weak.any():  # the light need not have changed everywhere
            places = np.flatnonzero(weak)
            untouched = seen.alignment.inverse_light_table()[seen.frame]
            weak.ravel()[places] = self._background.unexplained(untouched, places)
            strong &= weak
        if seen.shake > SHAKE_PIXELS:
            blurred = self._within_reach(seen.frame, 1 + round(min(seen.shake, 2.0)))
            weak &= ~blurred
            strong &= weak
        seen.weak = weak
        if not self._is_light(seen, weak):
            self._find(seen, strong)
        return Sight(luma, time_s, seen)

    def take(self, sight: Sight) -> FrameResult:
        """Learn from the last frame looked at; return what moves in it."""
        time_s, seen = sight.time_s, sight.seen
        self._seen = seen
        if seen is None:
            ended = self._events.close()
            self._begin(sight.luma, time_s)
            self._time_s = time_s
            return FrameResult(time_s, False, 0.0, (), frozenset(), None, ended)
        self._elapsed_s = time_s - self._time_s
        self._time_s = time_s
        self._place, self._shake, self._alignment = seen.place, seen.shake, seen.alignment
        moved = max(abs(seen.alignment.dx), abs(seen.alignment.dy))
        self._tracker.margin = EDGE_PIXELS + moved
        self._tracker.shaken = seen.shake > SHAKE_PIXELS
        if seen.regions is None:
            self._start_anew(seen.small, time_s)
        else:
            self._follow(seen, seen.regions, time_s)
        self._previous = seen.small
        moving = self._moving(seen.regions, time_s) if seen.regions else None
        started, ended = self._events.update(time_s, moving)
        return FrameResult(
            time_s,
            moving is not None,
            moving.level if moving else 0.0,
            self._boxes() if moving else (),
            moving.zones if moving else frozenset(),
            started,
            ended,
        )

    def _start_anew(self, small: Gray, time_s: float) -> None:
        """Make the model from this frame: the light has jumped."""
        self._suppressed["light"] += 1
        self._background.refill(small, None)
        self._alignment = Alignment()
        self._tracker.clear(time_s)
        self._mask = np.zeros_like(self._mask)
        self._foreground = self._mask
        self._aligner = Aligner(small, ~self._hidden)

    def _apply_settings(self) -> None:
        sensitivity = min(100, max(0, self._settings.sensitivity))
        self._strictness = 2.0 ** ((50 - sensitivity) / 25)  # 4 at 0, 1 at 50, 1/4 at 100
        self._scale = self._strictness**0.5
        self._min_area = max(2, round(MIN_AREA_PIXELS * self._strictness))

    def _begin(self, luma: Gray, time_s: float) -> None:
        height, width = luma.shape
        self._shape = (height, width)
        self._factor = analysis_factor(height, width)
        small = area_average(luma, self._factor)
        self._mask = np.zeros(small.shape, np.bool_)
        self._draw_zones()
        small[self._hidden] = 0
        self._background = Background(self._primitives, small, time_s)
        self._tracker = Tracker(*small.shape)
        self._aligner = Aligner(small, ~self._hidden)
        self._alignment = Alignment()
        self._shake = 0.0
        self._place = (0.0, 0.0)
        self._foreground = np.zeros(small.shape, np.bool_)
        self._restless = Restlessness(small.shape, time_s)
        self._stillness = Stillness(self._primitives, *small.shape)
        self._previous = small

    def _draw_zones(self) -> None:
        """Draw the zones at the analysis size; a cell that touches privacy is hidden."""
        height, width = self._mask.shape
        zones = self._settings.zones
        self._hidden = zone_mask(zones, ZoneKind.PRIVACY, height, width)
        watched = zone_mask(zones, ZoneKind.WATCH, height, width)
        self._by_zone = {
            zone.name: zone_mask((zone,), ZoneKind.WATCH, height, width)
            for zone in zones
            if zone.kind is ZoneKind.WATCH
        }
        if not self._by_zone:
            watched[:] = True
        watched &= ~zone_mask(zones, ZoneKind.IGNORE, height, width) & ~self._hidden
        self._watched = watched
        self._watched_area = max(1, int(watched.sum()))

    def _reduce(self, luma: Gray) -> Gray:
        small = area_average(luma, self._factor)
        small[self._hidden] = 0
        return small

    def _align(self, small: Gray, time_s: float) -> Seen:
        """Bring a frame into the model's light and place."""
        elapsed_s, before = time_s - self._time_s, self._alignment
        steady = self._shake <= SHAKE_PIXELS
        found = self._aligner.fit(small, self._foreground, before, steady=steady)
        weight = min(1.0, elapsed_s / PLACE_MEMORY_S)
        place = (
            self._place[0] + weight * (found.dx - self._place[0]),
            self._place[1] + weight * (found.dy - self._place[1]),
        )
        step = max(abs(found.dx - before.dx), abs(found.dy - before.dy))
        shake = max(step, self._shake * 0.5 ** (elapsed_s / SHAKE_MEMORY_S))
        frame = found.lit(small)
        if found.is_shifted:
            moved = np.rint(shifted(frame.astype(np.float32), found.dx, found.dy)).astype(np.uint8)
            unseen = outside(frame.shape, found)
            if self._hidden.any():
                unseen |= shifted(self._hidden.astype(np.float32), found.dx, found.dy) > 0
            np.copyto(moved, self._background.picture(), where=unseen)
            frame = moved
        return Seen(small, frame, found, place, shake)

    def _within_reach(self, frame: Gray, steps: int) -> Mask:
        """Where the model's picture has this gray level within some pixels: blur of a shaken camera."""
        low = high = self._background.picture()
        for _ in range(steps):
            low, high = self._primitives.minimum3(low), self._primitives.maximum3(high)
        reach = self._background.tolerance
        low = low - np.minimum(low, reach)
        high = high + np.minimum(255 - high, reach)
        within: Mask = (frame >= low) & (frame <= high)
        return within

    def _is_light(self, seen: Seen, weak: Mask) -> bool:
        """Whether most of the picture changed since the last frame."""
        if np.count_nonzero(weak) < LIGHT_SHARE * weak.size and not seen.alignment.is_extreme:
            return False
        small, previous = seen.small, self._previous
        change = np.maximum(small, previous) - np.minimum(small, previous)
        changed = int(np.count_nonzero(change > self._background.tolerance))
        return changed > LIGHT_SHARE * weak.size

    def _find(self, seen: Seen, strong: Mask) -> None:
        """Find the regions that are not shade, not soft light and not outside the zones."""
        frame, picture = seen.frame, self._background.picture()
        mask = self._primitives.median3(seen.weak.view(np.uint8)).view(np.bool_)
        if mask.any():
            mask &= ~shaded(self._primitives, frame, picture, mask)
            mask = close(self._primitives, mask)
            if self._watched_area < mask.size:
                seen.in_zone = bool(np.any(mask & ~self._watched))
                mask &= self._watched
        regions = find_regions(self._primitives, mask, strong, self._min_area, self._restless.seconds)
        if seen.shake <= SHAKE_PIXELS:  # a blurred picture makes everything soft
            regions = drop_soft(regions, frame, picture, self._primitives)
        seen.mask, seen.regions = mask, regions

    def _follow(self, seen: Seen, regions: Regions, time_s: float) -> None:
        self._suppressed["zone"] += seen.in_zone
        self._suppressed["soft"] += len(regions.soft)
        self._suppressed["small"] += len(regions.small)
        self._suppressed["no_displacement"] += self._tracker.update(regions.regions, time_s, self._strictness)
        frame = seen.frame
        self._absorb(frame, regions, time_s)
        self._foreground = regions.mask([region.label for region in regions.regions])
        self._mask = moved_back(self._foreground, self._alignment)
        protected = regions.mask([label for track in self._tracker.tracks for label in track.labels])
        self._background.observe(frame, seen.weak, time_s)
        if self._restless.is_due(time_s):
            tracks = [track for track in self._tracker.tracks if track.confirmed_s is not None]
            confirmed = regions.mask([label for track in tracks for label in track.labels])
            self._restless.learn(seen.mask, confirmed, time_s)
        if self._background.learn(frame, time_s, protected):
            changed = self._follow_light()
            changed |= self._follow_place()
            self._aligner = Aligner(self._background.picture(), ~self._hidden)
            at = self._alignment
            cost = -1.0 if changed else self._aligner.cost(seen.small, self._foreground, at)
            self._alignment = replace(at, cost=min(cost, at.cost))

    def _follow_light(self) -> bool:
        """Take a lasting change of light into the model."""
        table = self._alignment.inverse_light_table()
        change = np.abs(table[self._background.picture()].astype(np.int16) - self._background.picture())
        if change.mean() < RELIGHT_LEVELS:
            return False
        self._background.relight(table)
        self._stillness.relight(table)
        self._suppressed["light"] += 1
        return True

    def _follow_place(self) -> bool:
        """Move the model to where the camera has mostly looked lately."""
        right, down = round(self._place[0]), round(self._place[1])
        if max(abs(right), abs(down)) < RECENTER_PIXELS:
            return False
        self._background.roll(right, down)
        self._tracker.move(right, down)
        self._place = (self._place[0] - right, self._place[1] - down)
        self._foreground = np.roll(self._foreground, (down, right), (0, 1))
        self._suppressed["moved_camera"] += 1
        return True

    def _absorb(self, frame: Gray, regions: Regions, time_s: float) -> None:
        """Give back to the background what has been still for long."""
        ghosts, still = self._stillness.update(
            frame, regions.components.labels > 0, self._background.picture(), self._elapsed_s
        )
        if ghosts is not None:
            self._background.refill(frame, ghosts)
            self._suppressed["ghost"] += 1
        if still is not None:
            self._background.refill(frame, still)
            self._suppressed["still"] += 1

    def _confirmed(self) -> list[Track]:
        return [track for track in self._tracker.tracks if track.confirmed_s is not None and track.labels]

    def _moving(self, regions: Regions, time_s: float) -> Moving | None:
        tracks = self._confirmed()
        if not tracks:
            return None
        mask = regions.mask([label for track in tracks for label in track.labels])
        best = max(tracks, key=lambda track: track.score)
        if best.reason is None:
            return None
        largest = max(tracks, key=lambda track: track.area)
        return Moving(
            tracks=frozenset(track.number for track in tracks),
            at_edge=all(track.at_edge for track in tracks),
            entered=all(track.entered for track in tracks),
            first_s=min(track.first_s for track in tracks),
            level=int(np.count_nonzero(mask)) / self._watched_area,
            box=self._relative(largest),
            zones=frozenset(name for name, zone in self._by_zone.items() if np.any(zone & mask)),
            score=best.score,
            reason=best.reason,
        )

    def _boxes(self) -> tuple[Box, ...]:
        return tuple(self._relative(track) for track in self._confirmed())

    def _relative(self, track: Track) -> Box:
        height, width = self._mask.shape
        left, top, right, bottom = track.box
        return (left / width, top / height, (right - left) / width, (bottom - top) / height)
