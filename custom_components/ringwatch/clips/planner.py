"""Decides which span of time each recording covers. Values in, values out: no clock, no packets, no files.

Times are seconds on one clock. Motion and presses share a recording when they touch; the second one extends
the first, to the front as well while the buffer still holds what that takes. Otherwise it gets a recording of
its own, as `save` always does. So whatever was asked for is covered by one recording, from its first second
to its last.
"""

from dataclasses import dataclass, field
import math

from .model import Trigger

# Motion is confirmed up to a second or so after its onset: so long it may still turn out that a recording
# that seems to be over goes on.
DECISION_DELAY_S = 2.0


@dataclass(slots=True, eq=False)
class Recording:
    """A span to be recorded. `end_s` is infinite while something moves."""

    number: int
    start_s: float
    end_s: float
    onset_s: float
    triggers: list[Trigger]
    moves: bool = False
    alone: bool = False  # asked for by `save`: neither joined nor extended
    rewound: int = 0  # how often its start was moved back
    fixed: bool = False  # its start can't be moved any more: the first file is done
    spans: list[tuple[float, float]] = field(default_factory=list)  # what was asked for

    def covers(self, start_s: float, end_s: float) -> bool:
        """Tell whether a span is in it."""
        return self.start_s <= start_s and end_s <= self.end_s


class Planner:
    """The recordings of one camera that are not over yet."""

    def __init__(self, pre_roll_s: float, post_roll_s: float) -> None:
        self.pre_roll_s = pre_roll_s
        self.post_roll_s = post_roll_s
        self.recordings: list[Recording] = []
        self._count = 0
        self._moving: Recording | None = None

    def motion_started(self, onset_s: float, reach_s: float = -math.inf) -> Recording:
        """Something moves since `onset_s`. `reach_s` is the oldest time that the buffer still holds."""
        if self._moving is not None:
            self.motion_ended(onset_s)
        found = self._join(onset_s, onset_s, Trigger.MOTION, reach_s)
        found.moves = True
        found.end_s = math.inf
        self._moving = found
        return found

    def motion_ended(self, last_s: float) -> Recording | None:
        """Nothing moves since `last_s`."""
        found, self._moving = self._moving, None
        if found is not None:
            found.moves = False
            found.spans.append((found.onset_s, last_s + self.post_roll_s))
            found.end_s = max(end for _, end in found.spans)
        return found

    def press(self, at_s: float, reach_s: float = -math.inf) -> Recording:
        """Somebody pressed the button."""
        return self._join(at_s, at_s + self.post_roll_s, Trigger.PRESS, reach_s)

    def save(self, at_s: float, look_back_s: float, length_s: float) -> Recording:
        """Record `length_s` seconds, beginning `look_back_s` before now, whatever else goes on."""
        start_s = at_s - look_back_s
        return self._add(start_s, start_s + length_s, at_s, Trigger.SAVE, alone=True)

    def over(self, now_s: float) -> list[Recording]:
        """Take out the recordings that nothing can extend any more."""
        done = [r for r in self.recordings if now_s >= r.end_s + (0.0 if r.alone else DECISION_DELAY_S)]
        self.recordings = [r for r in self.recordings if r not in done]
        return done

    def _join(self, onset_s: float, end_s: float, trigger: Trigger, reach_s: float) -> Recording:
        start_s = onset_s - self.pre_roll_s
        for found in self.recordings:
            if found.alone or onset_s > found.end_s or end_s < found.start_s:
                continue
            if start_s < found.start_s:
                if found.fixed or reach_s > found.start_s:
                    continue  # what lies between is gone: a recording of its own begins as early as it can
                found.start_s = start_s
                found.rewound += 1
                found.onset_s = min(found.onset_s, onset_s)
            found.spans.append((start_s, end_s))
            found.end_s = max(found.end_s, end_s)
            if trigger not in found.triggers:
                found.triggers.append(trigger)
            return found
        return self._add(start_s, end_s, onset_s, trigger, alone=False)

    def _add(
        self, start_s: float, end_s: float, onset_s: float, trigger: Trigger, *, alone: bool
    ) -> Recording:
        self._count += 1
        found = Recording(
            self._count, start_s, end_s, onset_s, [trigger], alone=alone, spans=[(start_s, end_s)]
        )
        self.recordings.append(found)
        return found
