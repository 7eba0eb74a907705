"""When a camera may doze: key frames only while nothing moves, and what wakes it.

A dozing pipeline decodes one key frame a group of pictures (GOP) and keeps the packets since. It wakes when a
key frame shows something, when packets grow beyond what they were while nothing moved, or when the next key
frame is overdue; what was kept is then decoded, so that nothing in between is lost.
"""

from collections import deque

from .video import MediaPacket

WARM_UP_S = 6.0  # until a new model samples at its slowest
QUIET_S = 2.0  # an event is over after one; one more, so that who stops for a moment costs one waking only
MAX_GOP_S = 2.1  # two seconds, with jittered stamps: an alert is at most this late
MIN_INTERVAL_S = 0.9  # streams of key frames only (MJPEG, stills) are looked at once a second

WINDOW_S = 0.4  # sizes are averaged over this: single packets vary by more than a person adds
MEMORY_WINDOWS = 150  # a minute of windows in which nothing moved
ENOUGH_WINDOWS = 10  # fewer tell nothing of how sizes vary
HIGH_QUANTILE = 0.95
SPREAD_RATIO = 0.5  # a window stands out above the high quantile by this share of its distance to the median
FLOOR_RATIO = 0.1  # or of the median, where sizes hardly vary
FALSE_ALARM_GROWTH = 1.5  # each waking for nothing asks for so much more
FALSE_ALARM_CEILING = 16.0
FALSE_ALARM_RECOVERY = 0.7  # a waking for something takes back as much


class GopWatch:
    """How far apart key frames are, and whether that is close enough to doze in between."""

    def __init__(self) -> None:
        self._key_s: float | None = None
        self._last_s: float | None = None

    def add(self, packet: MediaPacket) -> None:
        """Take a video packet."""
        if self._key_s is not None and packet.time_s < self._key_s:
            self._key_s = self._last_s = None  # another clock
        if packet.is_key:
            self._last_s = packet.time_s - self._key_s if self._key_s is not None else None
            self._key_s = packet.time_s

    @property
    def is_short(self) -> bool:
        """Whether the last whole GOP was short enough."""
        return self._last_s is not None and self._last_s <= MAX_GOP_S


class SizeHint:
    """Tells from the sizes of predicted packets alone that something may move. A hint: it only wakes.

    What it learns are windows in which nothing moved, so foliage and noise make it deaf, not nervous.
    """

    def __init__(self) -> None:
        self._quiet: deque[float] = deque(maxlen=MEMORY_WINDOWS)
        self._limit = 0.0
        self._caution = 1.0
        self.restart()

    def restart(self) -> None:
        """Begin a new window: what came last belongs to motion."""
        self._since_s: float | None = None
        self._sum = self._count = 0

    def add(self, packet: MediaPacket) -> bool:
        """Take a packet; True when it completes a window that stands out. Key frames don't count."""
        if packet.is_key:
            return False
        if self._since_s is None:
            self._since_s = packet.time_s
        self._sum += packet.size_bytes
        self._count += 1
        if 0 <= packet.time_s - self._since_s < WINDOW_S:
            return False
        mean = self._sum / self._count
        self.restart()
        if len(self._quiet) >= ENOUGH_WINDOWS and mean > self._limit:
            return True
        self._quiet.append(mean)
        self._set_limit()
        return False

    def judge(self, *, something: bool) -> None:
        """Learn whether the last waking was for something."""
        change = FALSE_ALARM_RECOVERY if something else FALSE_ALARM_GROWTH
        self._caution = min(FALSE_ALARM_CEILING, max(1.0, self._caution * change))
        self._set_limit()

    def _set_limit(self) -> None:
        if not self._quiet:
            return
        ordered = sorted(self._quiet)
        middle = ordered[len(ordered) // 2]
        high = ordered[int(HIGH_QUANTILE * (len(ordered) - 1))]
        self._limit = high + self._caution * max(SPREAD_RATIO * (high - middle), FLOOR_RATIO * middle)
