"""The stream's own clock, repaired: from whatever stamps a camera sends to seconds that only grow.

Zero is the first video packet of a connection. Missing stamps are filled from the pace so far, 32- and 33-bit
counters that wrap go on, and a jump is closed to the time that really passed. Sound and picture share one
offset, so closing a jump keeps them in step.
"""

from dataclasses import dataclass

TICK_S = 1 / 90_000  # the least step between two decoding times: one tick of the packets' time base
BACK_STEP_S = 0.1  # stamps this little late are jitter of one packet; later ones are a jump
FILE_GAP_S = 10.0  # a longer hole in a file is a jump (the threshold of ffmpeg's own -dts_delta_threshold)
LIVE_GAP_S = 5.0  # live, stamps may run this far ahead of arrival (a server's burst) before it is a jump
STEP_RANGE_S = (1 / 240, 2.0)  # believable distance between frames
DEFAULT_STEP_S = 0.04
MPEG_WRAP_S = 2**33 / 90_000  # ISO/IEC 13818-1: 33 bits of 90 kHz, 26.5 hours
RTP_WRAP_S = 2**32 / 90_000  # RFC 3550: 32 bits; 90 kHz for video
WRAP_APART_S = 10.0  # sound and picture are sent with less between them; wraps are hours
MAX_REORDER_S = 10.0  # pts this far from dts is a broken stamp, not B-frames


@dataclass(slots=True)
class _Track:
    offset_s: float | None = None
    last_dts_s: float | None = None
    last_arrival_s: float = 0.0
    step_s: float = DEFAULT_STEP_S
    late: int = 0  # stamps in a row that did not grow


@dataclass(slots=True)
class Placed:
    """Presentation and decoding time and duration, in seconds of the repaired clock."""

    time_s: float
    dts_s: float
    duration_s: float


class Timeline:
    """Repairs the stamps of one connection."""

    def __init__(self, *, live: bool, fps: float | None = None) -> None:
        self._live = live
        self._video = _Track(step_s=_believable(1 / fps) if fps else DEFAULT_STEP_S)
        self._audio = _Track()
        self.jumps = 0
        self.filled = 0

    def video(self, pts_s: float | None, dts_s: float | None, duration_s: float, arrival_s: float) -> Placed:
        """Place a video packet. Stamps as the stream has them, None where it has none."""
        return self._place(
            self._video, self._audio, pts_s=pts_s, dts_s=dts_s, duration_s=duration_s, arrival_s=arrival_s
        )

    def audio(
        self, pts_s: float | None, dts_s: float | None, duration_s: float, arrival_s: float
    ) -> Placed | None:
        """Place an audio packet, or return None while there is no picture to be in step with."""
        if self._video.last_dts_s is None or self._video.offset_s is None:
            return None
        if self._audio.offset_s is None:
            raw = dts_s if dts_s is not None else pts_s
            self._audio.offset_s = _same_round(raw, self._video.offset_s, self._video.last_dts_s)
        return self._place(
            self._audio, self._video, pts_s=pts_s, dts_s=dts_s, duration_s=duration_s, arrival_s=arrival_s
        )

    def _place(
        self,
        track: _Track,
        other: _Track,
        *,
        pts_s: float | None,
        dts_s: float | None,
        duration_s: float,
        arrival_s: float,
    ) -> Placed:
        raw = dts_s if dts_s is not None else pts_s
        ahead = _reorder(pts_s, dts_s)
        last = track.last_dts_s
        waited = max(arrival_s - track.last_arrival_s, 0.0) if last is not None else 0.0
        if last is None:
            dts = -ahead
            if raw is not None and track.offset_s is None:
                track.offset_s = raw + ahead
            elif raw is not None and track.offset_s is not None:
                dts = raw - track.offset_s
        elif raw is None:
            self.filled += 1
            dts = last + track.step_s
        elif track.offset_s is None:
            dts = last + self._pace(track, waited)
            track.offset_s = raw - dts
        else:
            dts = self._follow(track, other, raw, last, waited)
        if last is not None:
            step = dts - last
            if STEP_RANGE_S[0] <= step <= STEP_RANGE_S[1]:
                track.step_s += 0.2 * (step - track.step_s)
        track.last_dts_s = dts
        track.last_arrival_s = arrival_s
        return Placed(dts + ahead, dts, duration_s if duration_s > 0 else track.step_s)

    def _follow(self, track: _Track, other: _Track, raw: float, last: float, waited: float) -> float:
        """Return the decoding time for a stamp, moving the offset where the stamps jumped."""
        offset = track.offset_s or 0.0
        limit = waited + LIVE_GAP_S if self._live else FILE_GAP_S
        gap = raw - offset - last
        if 0 < gap <= limit:
            track.late = 0
            return last + gap
        if -BACK_STEP_S <= gap <= 0:
            track.late += 1
            # A second one in a row: these stamps stand still, so the pace so far has to do.
            return last + (TICK_S if track.late == 1 else track.step_s)
        track.late = 0
        for candidate in (offset - MPEG_WRAP_S, offset - RTP_WRAP_S, other.offset_s):
            if (
                candidate is not None
                and candidate != offset
                and 0 < raw - candidate - last <= STEP_RANGE_S[1]
            ):
                track.offset_s = candidate
                return raw - candidate
        self.jumps += 1
        dts = last + self._pace(track, waited)
        track.offset_s = raw - dts
        return dts

    def _pace(self, track: _Track, waited: float) -> float:
        """How far the clock goes on where stamps don't say: one frame, or live what has passed."""
        if self._live and waited > STEP_RANGE_S[1]:
            return waited
        return track.step_s


def _reorder(pts_s: float | None, dts_s: float | None) -> float:
    if pts_s is None or dts_s is None:
        return 0.0
    ahead = pts_s - dts_s
    return ahead if 0.0 < ahead <= MAX_REORDER_S else 0.0


def _same_round(raw: float | None, offset_s: float, now_s: float) -> float:
    """Return the offset for a first stamp: another one if the counter wrapped between it and the others."""
    if raw is not None:
        for wrap_s in (0.0, MPEG_WRAP_S, -MPEG_WRAP_S, RTP_WRAP_S, -RTP_WRAP_S):
            if abs(raw - offset_s - wrap_s - now_s) <= WRAP_APART_S:
                return offset_s + wrap_s
    return offset_s


def _believable(step_s: float) -> float:
    return min(max(step_s, STEP_RANGE_S[0]), STEP_RANGE_S[1])
