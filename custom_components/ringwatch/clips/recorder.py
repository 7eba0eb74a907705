"""A camera's recorder: its last seconds of packets, and a thread that makes clips of them.

The camera's thread gives packets (`feed`) and is never held up. Anybody says what happened (`motion_started`,
`press`, ...), with times on the same clock as the packets' arrival. The recorder's own thread looks at both a
few times a second; nobody else touches its buffer, its plans and its open files.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
import logging
import threading
import time

from ..video import MediaPacket, PacketBuffer, StreamInfo
from ..vision import Box, MotionEnd, MotionStart, ZoneKind
from .inbox import Arrived, Gap, Inbox, Lost
from .model import CameraRef, Clip, ClipNews, PacketsDropped, RecordSettings
from .part import Stream
from .planner import Planner, Recording
from .store import ClipStore
from .take import Clocks, Take
from .timing import ClockMap

_LOGGER = logging.getLogger(__name__)

TICK_S = 0.5  # packets are looked at in heaps: waking up for each would cost more than writing them
STALL_S = 10.0  # a stream from which nothing came for so long doesn't tell the time any more
SOUND_APART_S = 10.0  # sound that is further from the picture has broken stamps, and would hold it up
STOP_S = 1.5
DECISION_DELAY_S = 3.0  # how late a motion may be confirmed, and a command be looked at


@dataclass(frozen=True, slots=True)
class RecorderState:
    """For diagnostics."""

    recording: bool
    buffer_s: float
    buffer_bytes: int
    packets_dropped: int
    refused: str | None


class Recorder:
    """Records one camera. All methods may be called from any thread and return at once but `stop`."""

    def __init__(
        self,
        camera: CameraRef,
        settings: RecordSettings,
        store: ClipStore,
        notify: Callable[[ClipNews], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        utc_offset_s: Callable[[datetime], int] = lambda _: 0,
        clock_offset_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        """`utc_offset_s` names files in local time; `clock_offset_s` is this machine's error, if known."""
        self.camera = camera
        self._settings = settings
        self._store = store
        self._notify = notify
        self._clock, self._now = clock, now
        self._inbox = Inbox()
        self._commands: deque[Callable[[], None]] = deque()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._times = ClockMap()
        self._planner = Planner(settings.pre_roll_s, settings.post_roll_s)
        self._buffer = self._new_buffer()
        self._takes: dict[int, Take] = {}
        self._infos: dict[int, StreamInfo] = {}
        self._sound = b""
        self._newest: MediaPacket | None = None
        self._dropped = 0
        self._clocks = Clocks(self._utc_at, self._to_stream, utc_offset_s, clock_offset_s)
        self._thread = threading.Thread(target=self._run, name=f"ringwatch clips {camera.name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> bool:
        """End what is being recorded and hand it over. Blocks up to 1.5 s; False if it took longer."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
        return not self._thread.is_alive()

    @property
    def state(self) -> RecorderState:
        """What is going on."""
        takes = list(self._takes.values())
        return RecorderState(
            recording=any(take.open_parts for take in takes),
            buffer_s=round(self._buffer.span_s, 1),
            buffer_bytes=self._buffer.size_bytes,
            packets_dropped=self._dropped,
            refused=next((take.refused for take in takes if take.refused), None),
        )

    # From the camera's thread

    def feed(self, packet: MediaPacket, info: StreamInfo) -> None:
        """Take a packet, and what its source's `info` says now."""
        if not self._inbox.put(packet, info):
            self._dropped += 1

    def disconnected(self) -> None:
        """Say that the connection has ended; the next packet is another's."""
        self._inbox.lost()
        self._wake.set()

    # From anybody. Times are on the clock that stamps the packets' arrival.

    def motion_started(self, motion: MotionStart, onset_s: float, jpeg: bytes = b"") -> None:
        """Record. `jpeg` becomes the thumbnail; private parts have to be black in it."""
        self._tell(lambda: self._motion_started(motion, onset_s, jpeg))

    def motion_seen(self, at_s: float, boxes: tuple[Box, ...]) -> None:
        """Note where something moves. Call it for every frame with boxes, or for some."""
        self._tell(lambda: self._motion_seen(at_s, boxes), soon=False)

    def motion_ended(self, motion: MotionEnd, last_s: float) -> None:
        """End the clip after the post-roll."""
        self._tell(lambda: self._motion_ended(motion, last_s))

    def press(self, at_s: float, jpeg: bytes = b"") -> None:
        """Record around a press of the doorbell."""
        self._tell(lambda: self._pressed(at_s, jpeg))

    def save(self, look_back_s: float, length_s: float) -> Future[list[Clip]]:
        """Record `length_s` seconds from `look_back_s` before now on; the clips, when they are in place.

        No clips if nothing came from the camera, or nothing could be recorded. Raise ValueError.
        """
        if not 0.0 <= look_back_s <= self._settings.look_back_s:
            raise ValueError(f"at most {self._settings.look_back_s:.0f} seconds are kept to look back on")
        if not 0.0 < length_s <= 3600.0:
            raise ValueError("a clip is up to an hour long")
        future: Future[list[Clip]] = Future()
        at_s = self._clock()
        if self._stop.is_set():
            future.set_result([])
        else:
            self._tell(lambda: self._save(at_s, look_back_s, length_s, future))
        return future

    def configure(self, settings: RecordSettings) -> None:
        """Change the settings; new zones hold for every picture that is written from now on."""
        self._tell(lambda: self._configure(settings))

    def _tell(self, command: Callable[[], None], *, soon: bool = True) -> None:
        self._commands.append(command)
        if soon:
            self._wake.set()

    # In the recorder's own thread

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(TICK_S)
            self._wake.clear()
            self._guarded(self._work)
        self._guarded(self._work)
        for take in self._takes.values():
            self._guarded(take.finish)
        self._takes.clear()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            _LOGGER.exception("%s: the recorder stumbled; what it was writing is ended", self.camera.name)
            takes, self._takes = self._takes, {}
            self._planner = Planner(self._settings.pre_roll_s, self._settings.post_roll_s)
            for take in takes.values():
                try:
                    take.finish()
                except Exception:
                    _LOGGER.exception("%s: a clip could not be ended", self.camera.name)

    def _work(self) -> None:
        for item in self._inbox.take():
            match item:
                case Arrived(packet, info):
                    self._arrived(packet, info)
                case Gap(packets, seconds):
                    self._gap(packets, seconds)
                case Lost():
                    self._lost()
        while self._commands:
            self._commands.popleft()()
        self._advance()

    def _new_buffer(self) -> PacketBuffer:
        longest_s = max(self._settings.pre_roll_s, self._settings.look_back_s)
        return PacketBuffer(longest_s, DECISION_DELAY_S)

    def _arrived(self, packet: MediaPacket, info: StreamInfo) -> None:
        known = self._infos.setdefault(packet.epoch, info)
        if not known.width and info.width:
            self._infos[packet.epoch] = info
        if packet.kind == "video":
            self._times.add(packet.time_s, packet.arrival_s)
            self._newest = packet
        elif self._newest is None or abs(packet.time_s - self._newest.time_s) > SOUND_APART_S:
            return
        elif not self._sound:
            self._sound = bytes(packet.packet)
        self._buffer.append(packet)
        if not self._takes:
            return
        stream = self._stream(packet)
        for take in self._takes.values():
            take.offer(packet, stream)
            if self._times.known:
                take.pump(self._times.early_s)

    def _stream(self, packet: MediaPacket) -> Stream:
        buffered_s = max(self._buffer.span_s, 1.0)
        return Stream(self._infos[packet.epoch], self._sound, self._buffer.size_bytes / buffered_s)

    def _gap(self, packets: int, seconds: float) -> None:
        for take in self._takes.values():
            take.dropped_s += seconds
        self._notify(PacketsDropped(self.camera.id, packets, round(seconds, 2)))

    def _lost(self) -> None:
        if self._times.known:
            for take in self._takes.values():
                take.pump(self._times.early_s)
        for take in self._takes.values():
            take.break_off()
            take.forget_held()
        self._buffer.clear()
        self._times.clear()
        self._infos.clear()
        self._sound = b""
        self._newest = None

    def _advance(self) -> None:
        now_s = self._clock()
        for take in self._takes.values():
            if self._times.known:
                take.pump(self._times.early_s)
            take.tick(now_s)
        for recording in self._planner.over(self._progress_s(now_s)):
            if (done := self._takes.pop(recording.number, None)) is not None:
                done.finish()

    def _progress_s(self, now_s: float) -> float:
        """Return up to when everything has arrived: what the stream says, unless it says nothing any more."""
        newest = self._newest
        if newest is None or not self._times.known:
            return now_s
        if self._inbox.empty and now_s - newest.arrival_s > STALL_S:
            return now_s
        return min(now_s, newest.time_s + self._times.early_s)

    def _reach_s(self) -> float:
        """Return the oldest time that the buffer still holds, on the machine's clock."""
        oldest = self._buffer.since(float("-inf"))[:1]
        return oldest[0].time_s + self._times.late_s if oldest and self._times.known else float("inf")

    def _to_stream(self, clock_s: float) -> float:
        return clock_s - self._times.early_s if self._times.known else clock_s

    def _utc_at(self, stream_s: float) -> datetime:
        made_s = stream_s + (self._times.early_s if self._times.known else 0.0)
        return self._now() - timedelta(seconds=self._clock() - made_s)

    def _motion_started(self, motion: MotionStart, onset_s: float, jpeg: bytes) -> None:
        take = self._take(self._planner.motion_started(onset_s, self._reach_s()))
        take.story.tell(motion.zones, motion.score, motion.reason)
        take.story.moved(onset_s, (motion.box,))
        take.story.jpeg = take.story.jpeg or jpeg

    def _motion_seen(self, at_s: float, boxes: tuple[Box, ...]) -> None:
        for recording in self._planner.recordings:
            if recording.moves and (take := self._takes.get(recording.number)) is not None:
                take.story.moved(at_s, boxes)

    def _motion_ended(self, motion: MotionEnd, last_s: float) -> None:
        recording = self._planner.motion_ended(last_s)
        if recording is not None and (take := self._takes.get(recording.number)) is not None:
            take.story.tell(motion.zones, motion.score, motion.reason)

    def _pressed(self, at_s: float, jpeg: bytes) -> None:
        take = self._take(self._planner.press(at_s, self._reach_s()))
        take.story.jpeg = take.story.jpeg or jpeg

    def _save(self, at_s: float, look_back_s: float, length_s: float, future: Future[list[Clip]]) -> None:
        take = self._take(self._planner.save(at_s, look_back_s, length_s))
        take.waiting_for_it.append(future)

    def _take(self, recording: Recording) -> Take:
        """Return what writes a recording; begin it, or begin it anew from an earlier start."""
        take = self._takes.get(recording.number)
        if take is None:
            take = Take(recording, self.camera, self._settings, self._store, self._clocks)
            self._takes[recording.number] = take
        elif take.rewound != recording.rewound:
            take.rewind()
        else:
            return take
        if self._times.known:
            self._give(take, recording.start_s - self._times.late_s)
        return take

    def _give(self, take: Take, since_s: float) -> None:
        """Give a take what the buffer holds from a time of the stream on."""
        for packet in self._buffer.since(since_s):
            take.offer(packet, self._stream(packet))
        if self._times.known:
            take.pump(self._times.early_s)

    def _configure(self, settings: RecordSettings) -> None:
        before, self._settings = self._settings, settings
        self._planner.pre_roll_s, self._planner.post_roll_s = settings.pre_roll_s, settings.post_roll_s
        changed = _as_written(before) != _as_written(settings)
        for take in self._takes.values() if changed else ():
            if (again_s := take.reconfigure(settings)) is not None:
                self._give(take, again_s)
        if max(before.pre_roll_s, before.look_back_s) != max(settings.pre_roll_s, settings.look_back_s):
            held, self._buffer = self._buffer.since(float("-inf")), self._new_buffer()
            for packet in held:
                self._buffer.append(packet)


def _as_written(settings: RecordSettings) -> RecordSettings:
    """Return what of the settings can be seen in a file: when nothing of it changes, a clip goes on."""
    private = tuple(zone for zone in settings.zones if zone.kind is ZoneKind.PRIVACY)
    return replace(settings, pre_roll_s=0.0, post_roll_s=0.0, look_back_s=0.0, zones=private)
