"""Which packet goes into which part of a recording. Packets in, decisions out: no files.

A part begins with a key frame, and the next one with the key frame from which on it would become too long.
Sound goes where its time belongs, however early or late it comes. Pictures that come after a key frame but
are shown before it (open GOPs) need both what was before and that key frame: they stay with the part before,
which gets the key frame too. So no picture is lost between parts.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from ..video import MediaPacket

CLOSING_S = 1.0  # sound comes at most so much later than the picture of the same moment
TOLERANCE_S = 0.02  # a GOP that is a frame's jitter longer than those before


@dataclass(frozen=True, slots=True)
class Step:
    """What to do: begin a part, write a packet into one, end one. Parts count from 1."""

    action: Literal["begin", "write", "end"]
    part: int
    packet: MediaPacket | None = None


class Cutter:
    """Cuts one recording."""

    def __init__(self, max_part_s: float) -> None:
        self._max_s = max_part_s
        self._parts = 0
        self._current: MediaPacket | None = None  # the key frame that the part began with
        self._closing: MediaPacket | None = None  # the key frame that ended the part before
        self._overlapped = False
        self._same_format = True
        self._gop_s = 0.0
        self._key_s = 0.0
        self._video_dts_s = 0.0
        self._sound: deque[MediaPacket] = deque()

    @property
    def parts(self) -> int:
        """Return how many parts were begun."""
        return self._parts

    def push(self, packet: MediaPacket, *, new_format: bool = False) -> list[Step]:
        """Take the next packet. `new_format` is for a key frame that can't go on in the same file."""
        if packet.kind == "audio":
            if self._current is None:
                return []
            self._sound.append(packet)
            return self._release(self._video_dts_s)
        steps: list[Step] = []
        if packet.is_key and self._cuts(packet, new_format):
            self._same_format = not new_format
            steps += self._begin(packet)
        current = self._current
        if current is None:
            return steps
        if packet.is_key:
            if packet is not current:
                self._gop_s = max(self._gop_s, packet.time_s - self._key_s)
            self._key_s = packet.time_s
        self._video_dts_s = packet.dts_s
        if packet.time_s < current.time_s:
            steps += self._leading(packet)
        else:
            steps.append(Step("write", self._parts, packet))
        steps += self._release(packet.dts_s)
        if self._closing is not None and packet.dts_s >= current.time_s + CLOSING_S:
            steps += self._close()
        return steps

    def end(self) -> list[Step]:
        """End the part: the recording is over, or the stream is broken. It may go on with a key frame."""
        if self._current is None:
            return []
        steps = self._release(self._video_dts_s + CLOSING_S)
        steps += self._close()
        steps.append(Step("end", self._parts))
        self._current = None
        self._sound.clear()
        self._gop_s = 0.0
        return steps

    def _cuts(self, key: MediaPacket, new_format: bool) -> bool:
        if self._current is None or new_format:
            return True
        expected_s = key.time_s + max(self._gop_s, key.time_s - self._key_s)
        return expected_s - self._current.time_s > self._max_s + TOLERANCE_S

    def _begin(self, key: MediaPacket) -> list[Step]:
        steps: list[Step] = []
        if self._current is not None:
            steps += self._close()
            self._closing = key
            self._overlapped = False
        self._parts += 1
        self._current = key
        steps.append(Step("begin", self._parts, key))
        return steps

    def _leading(self, packet: MediaPacket) -> list[Step]:
        if self._closing is None or not self._same_format:
            return []  # what it needs was never recorded
        steps = [] if self._overlapped else [Step("write", self._parts - 1, self._closing)]
        self._overlapped = True
        return [*steps, Step("write", self._parts - 1, packet)]

    def _release(self, until_s: float) -> list[Step]:
        """Let the sound go on that belongs to pictures which are written."""
        steps: list[Step] = []
        begin_s = self._current.time_s if self._current else 0.0
        while self._sound and self._sound[0].time_s <= until_s:
            sound = self._sound.popleft()
            if sound.time_s >= begin_s:
                steps.append(Step("write", self._parts, sound))
            elif self._closing is not None:
                steps.append(Step("write", self._parts - 1, sound))
        return steps

    def _close(self) -> list[Step]:
        if self._closing is None:
            return []
        self._closing = None
        return [Step("end", self._parts - 1)]
