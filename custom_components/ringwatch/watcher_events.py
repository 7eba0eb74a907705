"""What a camera's threads are told, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .video import MediaPacket, SourceError, StreamInfo
from .vision import Box, DetectorSettings, MotionEnd, MotionStart


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What a running watcher can be told without reconnecting."""

    detection: bool
    detector: DetectorSettings


@dataclass(frozen=True, slots=True)
class StreamUp:
    """A source delivers."""

    role: str
    info: StreamInfo


@dataclass(frozen=True, slots=True)
class StreamDown:
    """A source broke or could not be opened; it is tried again in `retry_in_s`."""

    role: str
    error: SourceError
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """How much of the watched picture moves, 0..1, and in which zones motion is going on now."""

    level: float
    zones: frozenset[str]


@dataclass(frozen=True, slots=True)
class MotionStarted:
    """Motion was confirmed. `onset_s` is on the injected clock.

    `jpeg` is the frame that confirmed it, private parts black as `taken_with` says; empty if there is none.
    """

    motion: MotionStart
    onset_s: float
    jpeg: bytes
    taken_with: DetectorSettings


@dataclass(frozen=True, slots=True)
class MotionEnded:
    """Motion is over. `onset_s` and `last_s` are on the injected clock."""

    motion: MotionEnd
    onset_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class PressureChanged:
    """The machine fell behind the camera, or keeps up again. `dropped` is the share not looked at, 0..1."""

    behind: bool
    dropped: float


type WatcherEvent = StreamUp | StreamDown | LevelChanged | MotionStarted | MotionEnded | PressureChanged
type Notify = Callable[[WatcherEvent], None]


class Sink(Protocol):
    """Takes what is to be recorded. Called in the watcher's threads, which it never holds up."""

    def feed(self, packet: MediaPacket, info: StreamInfo) -> None:
        """Take a packet of the record source."""

    def disconnected(self) -> None:
        """Hear that the record source's connection has ended."""

    def motion_started(self, motion: MotionStart, onset_s: float, jpeg: bytes = b"") -> None:
        """Hear that motion was confirmed."""

    def motion_seen(self, at_s: float, boxes: tuple[Box, ...]) -> None:
        """Hear where something moves."""

    def motion_ended(self, motion: MotionEnd, last_s: float) -> None:
        """Hear that motion is over."""
