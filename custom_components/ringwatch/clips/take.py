"""One recording on its way to the disk: its span, its parts, and what is known of it by now."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
import logging
import math
from typing import Any
import uuid

from ..video import MediaPacket
from ..vision import Box, Reason
from .cutter import Cutter, Step
from .encode import is_masked
from .formats import FormatError
from .model import CameraRef, Clip, Moment, RecordSettings, moments_document
from .part import PartWriter, Stream
from .placing import FinishedPart
from .planner import Recording
from .store import ClipStore
from .thumbnail import shrunk

_LOGGER = logging.getLogger(__name__)

MOMENT_EVERY_S = 0.5  # enough to draw where something went, and little beside the pictures
MAX_MOMENTS = 2000  # of one recording: 16 min of motion, then it only says that there was some
MAX_BOXES = 4  # of one moment


@dataclass(frozen=True, slots=True)
class Clocks:
    """How a time of the stream is told on other clocks."""

    utc_at: Callable[[float], datetime]  # from the stream's time
    in_stream: Callable[[float], float]  # from the machine's clock
    utc_offset_s: Callable[[datetime], int]
    clock_offset_s: Callable[[], float | None]


@dataclass(slots=True)
class Story:
    """What a recording is about."""

    zones: set[str] = field(default_factory=set)
    score: float = 0.0
    reason: Reason | None = None
    moments: list[tuple[float, tuple[Box, ...]]] = field(default_factory=list)  # by the machine's clock
    jpeg: bytes = b""

    def tell(self, zones: Iterable[str], score: float, reason: Reason | None) -> None:
        """Add what a motion was about; the strongest one's reason stays."""
        self.zones.update(zones)
        if reason is not None and (self.reason is None or score >= self.score):
            self.reason = reason
        self.score = max(self.score, score)

    def moved(self, at_s: float, boxes: tuple[Box, ...]) -> None:
        """Add where something moves."""
        if len(self.moments) < MAX_MOMENTS and (
            not self.moments or at_s - self.moments[-1][0] >= MOMENT_EVERY_S
        ):
            self.moments.append((at_s, boxes[:MAX_BOXES]))


@dataclass(slots=True)
class _Part:
    writer: PartWriter
    clip: Clip


class Take:
    """Writes one recording. Belongs to the recorder's thread."""

    def __init__(
        self,
        recording: Recording,
        camera: CameraRef,
        settings: RecordSettings,
        store: ClipStore,
        clocks: Clocks,
    ) -> None:
        self.recording = recording
        self.rewound = recording.rewound
        self.id = uuid.uuid7().hex
        self.story = Story()
        self.waiting_for_it: list[Future[list[Clip]]] = []
        self.dropped_s = 0.0
        self._camera, self._settings, self._store, self._clocks = camera, settings, store, clocks
        self._cutter = Cutter(settings.max_part_s)
        self._parts: dict[int, _Part] = {}
        self._count = 0
        self._held: deque[tuple[MediaPacket, Stream]] = deque()
        self._shown_s = -math.inf  # the latest picture that was written
        self.refused: str | None = None  # why nothing is written though it should be

    @property
    def open_parts(self) -> int:
        """Return how many files are being written."""
        return len(self._parts)

    def offer(self, packet: MediaPacket, stream: Stream) -> None:
        """Take a packet; it is written once it is known to be within the span."""
        self._held.append((packet, stream))

    def pump(self, early_s: float) -> None:
        """Write what is within the span, and pictures that are shown before others that are."""
        while self._held:
            packet, stream = self._held[0]
            late = packet.dts_s + early_s > self.recording.end_s
            if late and (packet.kind == "audio" or packet.time_s >= self._shown_s):
                return
            self._held.popleft()
            self._push(packet, stream)

    def tick(self, now_s: float) -> None:
        """Flush and sync what is due."""
        for number, part in list(self._parts.items()):
            try:
                part.writer.tick(now_s, partial(self._document, part, moments=False))
            except OSError as error:
                self._fail(number, error)
        code = self._store.blocked(self._camera.id)
        if code is not None and self._parts:
            self.break_off()
            self.refused = code
        elif code is None and self.refused not in {None, "format"}:
            self.break_off()  # there is room again: go on with the next key frame
            self.refused = None

    def break_off(self) -> None:
        """End the part that is being written: the stream broke, or what is to be black changed."""
        self._do(self._cutter.end())

    def forget_held(self) -> None:
        """Forget what came after the end: another connection's packets don't follow it."""
        self._held.clear()
        self._shown_s = -math.inf

    def reconfigure(self, settings: RecordSettings) -> float | None:
        """Go on with other settings, in a new part. Return from when on it has to be given packets again.

        A part begins with a key frame: what follows the one before is written twice rather than not at all.
        """
        self.break_off()
        self._settings = settings
        shown_s = self._shown_s
        self.forget_held()
        return shown_s if math.isfinite(shown_s) else None

    def rewind(self) -> None:
        """Throw away what was written: it is written again from an earlier start."""
        for part in self._parts.values():
            with suppress(OSError, FormatError):
                part.writer.close()
            self._store.discard(part.writer.path)
        self._parts.clear()
        self._held.clear()
        self._shown_s = -math.inf
        self._cutter = Cutter(self._settings.max_part_s)
        self._count = 0
        self.rewound = self.recording.rewound

    def finish(self) -> None:
        """End it. Whoever waits for it gets its clips once they are in their place."""
        self.break_off()
        waiting, self.waiting_for_it = self.waiting_for_it, []
        if not waiting:
            return
        stored = self._store.when_stored(self.id)
        for future in waiting:
            stored.add_done_callback(partial(_pass_on, future))

    def _push(self, packet: MediaPacket, stream: Stream) -> None:
        new_format = False
        if packet.kind == "video":
            self._shown_s = max(self._shown_s, packet.time_s)
        part = self._parts.get(self._cutter.parts)
        if packet.kind == "video" and packet.is_key and part is not None:
            new_format = not part.writer.goes_on(packet, stream.info)
        self._do(self._cutter.push(packet, new_format=new_format), stream)

    def _do(self, steps: list[Step], stream: Stream | None = None) -> None:
        for step in steps:
            try:
                if step.action == "begin" and step.packet is not None and stream is not None:
                    self._begin(step.part, step.packet, stream)
                elif step.action == "end":
                    self._end(step.part)
                elif step.packet is not None and (part := self._parts.get(step.part)) is not None:
                    part.writer.write(step.packet)
            except FormatError as error:
                self._give_up(step.part, error)
            except OSError as error:
                self._fail(step.part, error)

    def _give_up(self, number: int, error: FormatError) -> None:
        """Leave this part; the next key frame may be of a format that can be recorded."""
        if self.refused is None:
            _LOGGER.warning("%s: a part of a clip can't be recorded: %s", self._camera.name, error)
        self.refused = "format"
        self._hand_over(number)
        for step in self._cutter.end():
            if step.action == "end":
                self._hand_over(step.part)

    def _begin(self, number: int, key: MediaPacket, stream: Stream) -> None:
        if (code := self._store.blocked(self._camera.id)) is not None:
            self.refused = code
            return
        self._count += 1
        start = self._clocks.utc_at(key.time_s)
        onset_s = self._clocks.in_stream(self.recording.onset_s)
        onset = start + timedelta(seconds=onset_s - key.time_s) if onset_s >= key.time_s else None
        clip = Clip(
            id=uuid.uuid7().hex,
            recording=self.id,
            part=self._count,
            camera_id=self._camera.id,
            camera_name=self._camera.name,
            start=start,
            end=start,
            onset=onset,
            utc_offset_s=self._clocks.utc_offset_s(start),
            clock_offset_s=self._clocks.clock_offset_s(),
            triggers=frozenset(self.recording.triggers),
            zones=frozenset(),
            score=0.0,
            reason=None,
            moments=(),
            codec=stream.info.codec,
            width=stream.info.width,
            height=stream.info.height,
            has_sound=False,
            masked=is_masked(self._settings.zones),
        )
        path = self._store.spool_file(clip.id)
        try:
            writer = PartWriter(
                path, key, stream, self._settings, start=start, onset_s=onset_s, document=clip.document()
            )
        except FormatError, OSError:
            self._store.discard(path)
            raise
        self._parts[number] = _Part(writer, clip)

    def _end(self, number: int) -> None:
        if (part := self._parts.get(number)) is not None:
            part.writer.close()
            self._hand_over(number)

    def _hand_over(self, number: int) -> None:
        """Give a part to the store: whole, or what is on the disk of it."""
        part = self._parts.pop(number, None)
        if part is None:
            return
        with suppress(OSError, FormatError):  # what is on the disk can be used all the same
            part.writer.close()
        if not part.writer.begun:
            self._store.discard(part.writer.path)
            return
        self.recording.fixed = True
        document, jpeg, thumbnail = self._document(part), self._picture(part.clip), part.writer.thumbnail
        finished = FinishedPart(part.writer.path, document, lambda: shrunk(jpeg) or thumbnail.jpeg())
        self._store.submit(finished, self._camera.id)

    def _picture(self, clip: Clip) -> bytes:
        """Return the picture that came with what happened, for the part that it happened in."""
        if clip.onset is None:
            return b""
        jpeg, self.story.jpeg = self.story.jpeg, b""
        return b"" if clip.masked else jpeg  # it may be from before something in it became private

    def _fail(self, number: int, error: OSError) -> None:
        self._store.failed(self._camera.id, error)
        self._hand_over(number)
        self.refused = "disk"

    def _document(self, part: _Part, *, moments: bool = True) -> dict[str, Any]:
        story = self.story
        document = part.clip.document() | {
            "triggers": sorted(self.recording.triggers),
            "zones": sorted(story.zones),
            "score": story.score,
            "dropped_s": round(self.dropped_s, 3),
        }
        if story.reason is not None:
            document["reason"] = {"code": story.reason.code, "values": dict(story.reason.values)}
        if moments:
            since_s, to_stream = part.writer.first_s, self._clocks.in_stream
            placed = [Moment(to_stream(at_s) - since_s, boxes) for at_s, boxes in story.moments]
            document["moments"] = moments_document(moment for moment in placed if moment.time_s >= 0.0)
        return document


def _pass_on(future: Future[list[Clip]], done: Future[list[Clip]]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    if (error := done.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(done.result())
