"""Motion in single pictures that are seconds or hours apart: what is there that was not there before.

Nothing can be followed from one still to the next, so the decision is on one: something with an outline, of a
person's size at least, that the last stills don't show. It is news until most of the last stills have it.
"""

from collections import Counter, deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .align import Aligner, Alignment, outside, shifted
from .primitives import Gray, Mask, Primitives, analysis_factor, area_average
from .regions import Regions, close, drop_soft, find_regions
from .shade import shaded
from .types import Box, DetectorSettings, FrameResult, MotionEnd, MotionStart, Reason
from .zones import ZoneKind, zone_mask

REMEMBERED = 5  # stills: what three of them show is how it looks here
MIN_SHARE = 0.003  # of the picture, at sensitivity 50: a person of an eighth of its height
BASE_TOLERANCE = 10.0  # gray levels at sensitivity 50; each still has its own exposure and its own JPEG noise
SPREAD_GAIN = 1.5  # and of how far the remembered stills themselves are apart
STRONG_RATIO = 2.0  # a region needs a core this much further off
LIGHT_SHARE = 0.5  # of the picture: another light or another view


class StillsDetector:
    """Looks at the stills of one camera. One thread at a time."""

    def __init__(self, settings: DetectorSettings, primitives: Primitives) -> None:
        """Start without a memory; the first still makes it."""
        self._settings = settings
        self._primitives = primitives
        self._suppressed: Counter[str] = Counter()
        self._shape: tuple[int, ...] = ()
        self._memory: deque[Gray] = deque(maxlen=REMEMBERED)
        self._open: MotionEnd | None = None

    @property
    def suppressed(self) -> Mapping[str, int]:
        """How often something was not counted as motion, by cause."""
        return dict(self._suppressed)

    def configure(self, settings: DetectorSettings) -> None:
        """Change the settings; what was remembered with other privacy zones is forgotten."""
        before = [zone for zone in self._settings.zones if zone.kind is ZoneKind.PRIVACY]
        after = [zone for zone in settings.zones if zone.kind is ZoneKind.PRIVACY]
        self._settings = settings
        if before != after:
            self._shape = ()

    def reset(self) -> None:
        """Forget the memory and any open event."""
        self._shape = ()
        self._open = None

    def finish(self) -> MotionEnd | None:
        """Close an open event: there are no more stills."""
        ended, self._open = self._open, None
        return ended

    def analyze(self, luma: NDArray[np.uint8], time_s: float) -> FrameResult:
        """Look at one luma plane (H, W), which may be a strided view and is never written to."""
        small = self._reduce(luma)
        regions = self._new_in(small) if self._memory else None
        if regions is None:
            self._memory.clear()
        self._memory.append(small)
        if regions is None or not regions.regions:
            return FrameResult(time_s, False, 0.0, (), frozenset(), None, self.finish())
        return self._moving(regions, time_s)

    def _reduce(self, luma: Gray) -> Gray:
        factor = analysis_factor(*luma.shape)
        small = area_average(luma, factor)
        if self._shape != luma.shape:
            self._shape = luma.shape
            self._memory.clear()
        small[zone_mask(self._settings.zones, ZoneKind.PRIVACY, *small.shape)] = 0
        return small

    def _new_in(self, small: Gray) -> Regions | None:
        """Return what is new in a still; None where everything is."""
        strictness = 2.0 ** ((50 - self._settings.sensitivity) / 25)
        hidden, watched = self._zones(small.shape)
        memory = np.stack(self._memory)
        picture: Gray = np.sort(memory, axis=0)[len(memory) // 2]
        alignment = Aligner(picture, ~hidden).fit(small, np.zeros_like(hidden), Alignment())
        frame = alignment.light_table()[small]
        if alignment.is_shifted:
            moved = np.rint(shifted(frame.astype(np.float32), alignment.dx, alignment.dy)).astype(np.uint8)
            unseen = outside(frame.shape, alignment)
            unseen |= shifted(hidden.astype(np.float32), alignment.dx, alignment.dy) > 0
            frame = np.where(unseen, picture, moved).astype(np.uint8)
        distance = np.maximum(frame, picture) - np.minimum(frame, picture)
        spread = np.median(np.maximum(memory, picture) - np.minimum(memory, picture), axis=0)
        tolerance = strictness**0.5 * (BASE_TOLERANCE + SPREAD_GAIN * spread)
        low, high = self._primitives.minimum3(picture), self._primitives.maximum3(picture)
        off = np.maximum(low.astype(np.int16) - frame, frame.astype(np.int16) - high)  # edges move by a pixel
        weak: Mask = off > tolerance
        if alignment.is_extreme or np.count_nonzero(weak) > LIGHT_SHARE * weak.size:
            self._suppressed["light"] += 1
            return None
        mask = self._primitives.median3(weak.view(np.uint8)).view(np.bool_)
        if mask.any():
            mask &= ~shaded(self._primitives, frame, picture, mask)
            mask = close(self._primitives, mask)
            self._suppressed["zone"] += bool(np.any(mask & ~watched))
            mask &= watched
        strong = mask & (distance > STRONG_RATIO * tolerance)
        min_area = max(2, round(MIN_SHARE * mask.size * strictness))
        found = find_regions(self._primitives, mask, strong, min_area, np.zeros(mask.shape, np.float32))
        found = drop_soft(found, frame, picture, self._primitives)
        self._suppressed["small"] += len(found.small)
        self._suppressed["soft"] += len(found.soft)
        return found

    def _zones(self, shape: tuple[int, ...]) -> tuple[Mask, Mask]:
        """Return where nothing may be looked at, and where what is seen counts."""
        zones = self._settings.zones
        hidden = zone_mask(zones, ZoneKind.PRIVACY, *shape)
        watched = np.ones(shape, np.bool_)
        if any(zone.kind is ZoneKind.WATCH for zone in zones):
            watched = zone_mask(zones, ZoneKind.WATCH, *shape)
        return hidden, watched & ~hidden & ~zone_mask(zones, ZoneKind.IGNORE, *shape)

    def _moving(self, regions: Regions, time_s: float) -> FrameResult:
        mask = regions.mask([region.label for region in regions.regions])
        shape = mask.shape
        level = int(np.count_nonzero(mask)) / max(1, int(np.count_nonzero(self._zones(shape)[1])))
        zones = frozenset(
            zone.name
            for zone in self._settings.zones
            if zone.kind is ZoneKind.WATCH and np.any(mask & zone_mask((zone,), ZoneKind.WATCH, *shape))
        )
        boxes = tuple(_relative(region.box, shape) for region in regions.regions)
        area = regions.regions[0].area / mask.size
        reason = Reason("appeared", {"area": 100 * area})
        score = min(1.0, area / MIN_SHARE / 4)  # four times as large as it has to be leaves no doubt
        before, started = self._open, None
        if before is None:
            started = MotionStart(time_s, time_s, boxes[0], zones, score, reason)
            before = MotionEnd(time_s, time_s, level, boxes[0], zones, score, reason)
        if level > before.peak:
            before = MotionEnd(before.start_s, time_s, level, boxes[0], before.zones, score, reason)
        self._open = MotionEnd(
            before.start_s, time_s, before.peak, before.box, before.zones | zones, before.score, before.reason
        )
        return FrameResult(time_s, True, level, boxes, zones, started, None)


def _relative(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> Box:
    height, width = shape
    left, top, right, bottom = box
    return (left / width, top / height, (right - left) / width, (bottom - top) / height)
