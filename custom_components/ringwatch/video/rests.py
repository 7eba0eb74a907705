"""How long the reader of a stream may rest, where nobody waits for each picture: several are read at a time.

Waking up costs more than reading does: with rests of a fifth of a second, FFmpeg and Python together take
half the processor time. A reader that is behind never rests, and one that rests is never further behind than
what the network holds for it anyway.
"""

from .media import Kind

MAX_REST_S = 0.2  # less than the recorder's own half second
MIN_REST_S = 0.02  # below, it saves nothing: a frame of 25 a second is 0.04 s
# Less than the 64 KiB that a connection takes in at first: only a large key frame may wait in the camera.
MAX_WAITING_BYTES = 48 * 1024
BLOCKED_S = 0.002  # a read that took so long had to wait: nothing is left to be read
BEHIND_S = 0.3  # packets that much later than the least late one mean that more are waiting
DRIFT = 2e-4  # seconds a second: more than a camera's clock is wrong, far less than a backlog grows
RETRY_S = (
    2.0  # after a rest during which nothing came that could be read at once: slow cameras, busy machines
)
WINDOW_S = 10.0  # follows a rate that changes


class Rests:
    """Decides from what was read. Owned by the source's thread; times are those of its clock."""

    def __init__(self) -> None:
        self._late_s: dict[Kind, float] = {}
        self._least_late_s: dict[Kind, float] = {}
        self._arrival_s: dict[Kind, float] = {}
        self._rested_s: float | None = None
        self._at_once = 0  # packets that were there already, since the last rest
        self._windows: list[
            tuple[float, int]
        ] = []  # when they began, bytes; the present one is the last of two

    def add(self, kind: Kind, size_bytes: int, dts_s: float, arrival_s: float) -> None:
        """Take what was read: when it came, and when it should have by the stream's own clock."""
        if not self._windows or arrival_s - self._windows[-1][0] >= WINDOW_S:
            self._windows = [*self._windows[-1:], (arrival_s, 0)]
        began_s, before = self._windows[-1]
        self._windows[-1] = began_s, before + size_bytes
        late_s = arrival_s - dts_s
        least_s = self._least_late_s.get(kind, late_s)
        drift_s = (arrival_s - self._arrival_s.get(kind, arrival_s)) * DRIFT
        self._late_s[kind], self._arrival_s[kind] = late_s, arrival_s
        self._least_late_s[kind] = min(least_s + drift_s, late_s)

    def after(self, waited_s: float, now_s: float) -> float:
        """Return how long to rest after a read that took so long; 0 for not at all."""
        if waited_s < BLOCKED_S:
            self._at_once += 1
            return 0.0
        in_vain = self._rested_s is not None and not self._at_once and now_s - self._rested_s < RETRY_S
        if in_vain or not self._windows or self._behind():
            return 0.0
        elapsed_s = now_s - self._windows[0][0]
        size_bytes = sum(size for _, size in self._windows)
        if elapsed_s < 1.0 or not size_bytes:
            return 0.0
        rest_s = min(MAX_REST_S, MAX_WAITING_BYTES * elapsed_s / size_bytes)
        if rest_s < MIN_REST_S:
            return 0.0
        self._rested_s, self._at_once = now_s, 0
        return rest_s

    def _behind(self) -> bool:
        return any(late_s > self._least_late_s[kind] + BEHIND_S for kind, late_s in self._late_s.items())
