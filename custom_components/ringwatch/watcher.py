"""One camera's threads: packets in, motion out.

A camera has a record source and, where it offers a smaller stream, a detect source. Each has one thread
that alone touches its connection, decoder and detector. With one source its thread does both. A thread
says what happened by calling `notify`, is told what to do through its queue, and ends within 1.5 s of
`stop`. Nothing here knows Home Assistant: the clock, the random numbers and the way to open a source
are handed in.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
import logging
from queue import Empty, SimpleQueue
from random import Random
import threading
import time

from .pipeline import Mode
from .seeing import Seeing, Stills
from .video import (
    Backoff,
    BrokenStream,
    EndOfStream,
    MediaPacket,
    Source,
    SourceError,
    StillSource,
    Stopped,
)
from .vision import Activity, Primitives, Zone
from .watcher_events import Notify, Sink, StreamDown, StreamUp, WatchSettings

_LOGGER = logging.getLogger(__name__)

STOP_TIMEOUT_S = 1.5
FIRST_PICTURE_S = 30.0  # cameras with a "smart" codec send a key frame only every 10 s or so
STEADY_S = 10.0  # a connection that lasted so long was a good one: start over with short waits


type OpenSource = Callable[[threading.Event], Source | StillSource]
"""Makes a source that is not open yet; may block while an address is asked for, may raise SourceError."""


@dataclass(frozen=True, slots=True)
class WatcherConfig:
    """How to watch one camera. `detect` is None where one connection feeds both."""

    name: str
    record: OpenSource
    detect: OpenSource | None
    analyzed_fps: float
    mode: Mode = Mode.FULL


class CameraWatcher:
    """Runs a camera's threads, keeps its last frame, and hands its packets to whoever records them."""

    def __init__(
        self,
        config: WatcherConfig,
        settings: WatchSettings,
        notify: Notify,
        *,
        primitives: Primitives,
        sink: Sink | None = None,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        """Prepare; nothing is opened before `start`."""
        self._notify = notify
        self._clock = clock
        self._settings = settings
        self._stop = threading.Event()
        self._primitives = primitives
        self.sink = sink  # may be changed while the threads run
        self._stills = Stills()
        make = random or Random()
        sees = Seeing(
            self._stills,
            lambda: self._settings,
            notify,
            sink=lambda: self.sink,
            primitives=primitives,
            clock=clock,
            fps=config.analyzed_fps,
            mode=config.mode,
        )
        if config.detect is None:
            self._loops = [_SourceLoop(self, "record", config.record, make, sees=sees, records=True)]
        else:
            self._loops = [
                _SourceLoop(self, "record", config.record, make, records=True),
                _SourceLoop(self, "detect", config.detect, make, sees=sees),
            ]
        self._seeing = sees
        self._threads = [
            threading.Thread(target=loop.run, name=f"ringwatch {loop.role} {config.name}", daemon=True)
            for loop in self._loops
        ]

    @property
    def roles(self) -> tuple[str, ...]:
        """The sources there are: "record" and perhaps "detect"."""
        return tuple(loop.role for loop in self._loops)

    @property
    def engine(self) -> str:
        """The name of the pixel primitives in use."""
        return self._primitives.name

    @property
    def statistics(self) -> dict[str, object]:
        """Counters for diagnostics."""
        return self._seeing.statistics

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def request_stop(self) -> None:
        """Tell the threads to end; from now on no frame is decoded and no still is given."""
        self._stop.set()
        self._stills.close()

    def stop(self) -> bool:
        """End the threads; blocks up to 1.5 s. False if one did not end in time (it still will)."""
        self.request_stop()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        self._stills.clear()
        return not any(thread.is_alive() for thread in self._threads)

    def configure(self, settings: WatchSettings) -> None:
        """Change what is looked for; holds for every picture made from now on."""
        self._settings = settings
        for loop in self._loops:
            loop.commands.put(lambda sees: sees.configure(settings))

    def explain(self, note: str, proposed: tuple[Zone, ...] = ()) -> Future[bytes | None]:
        """Have the debug view drawn as JPEG, by the thread that sees; None without a picture."""
        return self._ask(lambda sees: sees.explain(note, proposed))

    def take_activity(self) -> Future[Activity | None]:
        """Ask for where things moved since the last time."""
        return self._ask(Seeing.take_activity)

    def _ask[T](self, question: Callable[[Seeing], T]) -> Future[T]:
        """Have the thread that sees answer."""
        future: Future[T] = Future()

        def answer(sees: Seeing) -> None:
            if future.set_running_or_notify_cancel():  # whoever asked may have given up
                future.set_result(question(sees))

        self._loops[-1].commands.put(answer)
        return future

    def still(self, max_width: int = 0) -> bytes | None:
        """Encode the last frame as JPEG, private parts black. Blocks for some milliseconds."""
        self._seeing.looked_at_s = self._clock()
        return self._stills.jpeg(self._settings.detector, max_width)


class _SourceLoop:
    """One thread's life: open, read, feed, and open again after a wait that grows."""

    def __init__(
        self,
        watcher: CameraWatcher,
        role: str,
        open_source: OpenSource,
        random: Random,
        *,
        sees: Seeing | None = None,
        records: bool = False,
    ) -> None:
        self.role = role
        self.commands: SimpleQueue[Callable[[Seeing], None]] = SimpleQueue()
        self._watcher = watcher
        self._open_source = open_source
        self._sees = sees
        self._records = records
        self._backoff = Backoff(random)

    def run(self) -> None:
        stop = self._watcher._stop
        while not stop.is_set():
            began_s = self._watcher._clock()
            try:
                self._watch_once(stop)
            except Stopped:
                return
            except SourceError as err:
                if stop.is_set():
                    return
                if self._watcher._clock() - began_s >= STEADY_S:
                    self._backoff.reset()
                self._wait(stop, err)
            except Exception:
                _LOGGER.exception("The %s thread of a camera broke and starts over", self.role)
                self._wait(stop, BrokenStream("Something unexpected happened; the log tells what"))

    def _wait(self, stop: threading.Event, error: SourceError) -> None:
        retry_in_s = self._backoff.next_s()
        self._watcher._notify(StreamDown(self.role, error, retry_in_s))
        stop.wait(retry_in_s)

    def _watch_once(self, stop: threading.Event) -> None:
        source = self._open_source(stop)
        try:
            source.open()
            if self._sees is not None:
                self._sees.begin(source)
            self._read(source, stop)
        except EndOfStream:
            if self._sees is not None:
                self._sees.finish()
            raise
        finally:
            if self._sees is not None:
                self._sees.end()
            if self._records and (sink := self._watcher.sink) is not None:
                sink.disconnected()
            source.close()

    def _read(self, source: Source | StillSource, stop: threading.Event) -> None:
        up, opened_s = False, self._watcher._clock()
        while not stop.is_set():
            self._obey()
            packet = source.read()
            if stop.is_set():
                return
            if packet is not None:
                self._take(source, packet)
            if up:
                continue
            if self._delivers(packet):
                up = True
                self._watcher._notify(StreamUp(self.role, source.info))
            elif self._watcher._clock() - opened_s > FIRST_PICTURE_S:
                raise BrokenStream("The stream has no picture that can be decoded")

    def _take(self, source: Source | StillSource, packet: MediaPacket) -> None:
        if self._records and (sink := self._watcher.sink) is not None:
            sink.feed(packet, source.info)
        if self._sees is not None and packet.kind == "video":
            self._sees.feed(packet)

    def _delivers(self, packet: MediaPacket | None) -> bool:
        if self._sees is not None:
            return self._sees.has_picture
        return packet is not None and packet.kind == "video"

    def _obey(self) -> None:
        try:
            while True:
                command = self.commands.get_nowait()
                if self._sees is not None:
                    command(self._sees)
        except Empty:
            return
