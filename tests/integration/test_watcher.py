"""One camera's threads, without a Home Assistant."""

from collections.abc import Iterator
from contextlib import contextmanager
import gc
import io
import logging
import queue
from queue import SimpleQueue
from random import Random
import threading
import time
from typing import Any

from PIL import Image
import pytest

from custom_components.ringwatch import watcher as watcher_module
from custom_components.ringwatch.video import (
    MediaPacket,
    Source,
    SourceConfig,
    SourceError,
    StreamInfo,
    Unreachable,
)
from custom_components.ringwatch.vision import (
    Box,
    DetectorSettings,
    MotionEnd,
    MotionStart,
    parse_zones,
    select_primitives,
)
from custom_components.ringwatch.watcher import CameraWatcher, OpenSource, WatcherConfig
from custom_components.ringwatch.watcher_events import (
    LevelChanged,
    MotionEnded,
    MotionStarted,
    StreamDown,
    StreamUp,
    WatcherEvent,
    WatchSettings,
)
from tests.fixtures.cameras import CameraServer
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import MIDDLE, PATIENCE_S, threads

PRIMITIVES = select_primitives("auto")
WATCHING = WatchSettings(True, DetectorSettings())


class Told:
    """What a watcher said."""

    def __init__(self) -> None:
        self.events: SimpleQueue[WatcherEvent] = SimpleQueue()

    def until[T](self, kind: type[T]) -> T:
        """Return the next event of a kind."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                event = self.events.get(timeout=left_s)
            except queue.Empty:
                break
            if isinstance(event, kind):
                return event
        raise AssertionError(f"no {kind.__name__} within {PATIENCE_S:.0f} s")


def opens(url: str) -> OpenSource:
    return lambda stop: Source(SourceConfig(url), stop=stop)


@contextmanager
def watching(
    record: OpenSource, detect: OpenSource | None = None, settings: WatchSettings = WATCHING, **changes: Any
) -> Iterator[tuple[CameraWatcher, Told]]:
    told = Told()
    config = WatcherConfig("front", record, detect, 5.0, **changes)
    watcher = CameraWatcher(config, settings, told.events.put, primitives=PRIMITIVES, random=Random(1))
    watcher.start()
    try:
        yield watcher, told
    finally:
        began_s = time.monotonic()
        assert watcher.stop()
        assert time.monotonic() - began_s < watcher_module.STOP_TIMEOUT_S
        assert not threads("front")


def until(condition: Any) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_a_stream_is_up_when_there_is_a_picture(live: LiveCamera) -> None:
    with watching(opens(live.url())) as (watcher, told):
        assert watcher.roles == ("record",)
        assert watcher.engine == PRIMITIVES.name
        up = told.until(StreamUp)
        assert (up.role, up.info.codec, up.info.width) == ("record", "h264", 320)
        jpeg = watcher.still(100)
        assert jpeg
        assert jpeg.startswith(b"\xff\xd8")


def test_a_connection_without_a_picture_is_not_up(camera_server: CameraServer) -> None:
    with watching(opens(camera_server.url("/audio.ts"))) as (watcher, told):
        down = told.until(StreamDown)
        assert down.error.code == "no_video"
        assert watcher.still() is None


def test_a_record_stream_is_up_when_it_has_sent_something_though_nothing_decodes_it(live: LiveCamera) -> None:
    with watching(opens(live.url()), opens(live.url("/sub.ts"))) as (watcher, told):
        ups = {told.until(StreamUp).role, told.until(StreamUp).role}
        assert ups == set(watcher.roles) == {"record", "detect"}
        assert {thread.name for thread in threads("front")} == {
            "ringwatch record front",
            "ringwatch detect front",
        }
        live.moving = True
        started = told.until(MotionStarted)
        assert b"\x00\x78\x00\xa0" in started.jpeg  # 120 x 160: the sub-stream's own size


def test_motion_begins_and_ends(live: LiveCamera) -> None:
    with watching(opens(live.url())) as (_, told):
        told.until(StreamUp)
        live.moving = True
        began_s = time.monotonic()
        started = told.until(MotionStarted)
        assert began_s - 1.0 < started.onset_s < time.monotonic()
        assert started.jpeg.startswith(b"\xff\xd8")
        assert started.taken_with == WATCHING.detector
        assert told.until(LevelChanged).level > 0
        live.moving = False
        ended = told.until(MotionEnded)
        assert ended.onset_s == started.onset_s < ended.last_s <= time.monotonic()
        assert ended.motion.start_s == started.motion.start_s


class Heard:
    """Writes down what there would be to record."""

    def __init__(self) -> None:
        self.packets: list[MediaPacket] = []
        self.words: list[str] = []

    def feed(self, packet: MediaPacket, info: StreamInfo) -> None:
        assert info.codec == "h264"
        self.packets.append(packet)

    def disconnected(self) -> None:
        self.words.append("disconnected")

    def motion_started(self, motion: MotionStart, onset_s: float, jpeg: bytes = b"") -> None:
        self.words.append("started")
        assert jpeg.startswith(b"\xff\xd8")

    def motion_seen(self, at_s: float, boxes: tuple[Box, ...]) -> None:
        if self.words[-1:] == ["started"]:
            self.words.append("seen")

    def motion_ended(self, motion: MotionEnd, last_s: float) -> None:
        self.words.append("ended")


def test_what_is_to_be_recorded_goes_to_the_sink(live: LiveCamera) -> None:
    heard = Heard()
    with watching(opens(live.url()), opens(live.url("/sub.ts"))) as (watcher, told):
        watcher.sink = heard
        live.moving = True
        told.until(MotionStarted)
        until(lambda: "seen" in heard.words)
        assert {packet.kind for packet in heard.packets} == {"video"}
        assert any(packet.is_key for packet in heard.packets)
        assert all(packet.packet.size > 0 for packet in heard.packets)
    assert heard.words[:2] == ["started", "seen"]
    assert sorted(heard.words[2:]) == ["disconnected", "ended"]


@pytest.mark.parametrize("path", ["/hang", "/small.ts"])
def test_it_stops_while_the_camera_is_silent(camera_server: CameraServer, path: str) -> None:
    with watching(opens(camera_server.url(path))):
        until(lambda: camera_server.requests)


def test_it_stops_while_it_waits_to_try_again(socket_enabled: None) -> None:
    with watching(opens("http://127.0.0.1:1/")) as (_, told):
        assert told.until(StreamDown).error.code == "unreachable"


def test_stopping_before_the_start_and_twice_is_fine(live: LiveCamera) -> None:
    told = Told()
    config = WatcherConfig("front", opens(live.url()), None, 5.0)
    watcher = CameraWatcher(config, WATCHING, told.events.put, primitives=PRIMITIVES)
    assert watcher.stop()
    assert watcher.stop()


def test_no_still_and_no_event_after_the_stop(live: LiveCamera) -> None:
    with watching(opens(live.url())) as (watcher, told):
        told.until(StreamUp)
        watcher.request_stop()
        assert watcher.still() is None
        assert watcher.stop()
        while not told.events.empty():
            told.events.get()
        decoded = watcher.statistics["frames_decoded"]
        live.moving = True
        time.sleep(0.1)
        assert told.events.empty()
        assert watcher.statistics["frames_decoded"] == decoded
        assert watcher.still() is None


def test_waits_grow_and_begin_anew_after_a_good_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    clock_s = [0.0]

    class Failing:
        def open(self) -> None:
            raise Unreachable("nobody there")

        def close(self) -> None:
            pass

    class Lasting(Failing):
        def open(self) -> None:
            clock_s[0] += watcher_module.STEADY_S
            raise Unreachable("gone again")

    sources = iter([Failing(), Failing(), Failing(), Failing(), Lasting(), Failing()])
    stop_now = threading.Event()

    def notify(event: WatcherEvent) -> None:
        assert isinstance(event, StreamDown)
        waits.append(event.retry_in_s)
        if len(waits) == 6:
            watcher._stop.set()
            stop_now.set()

    config = WatcherConfig("front", lambda stop: next(sources), None, 5.0)  # type: ignore[arg-type,return-value]
    watcher = CameraWatcher(
        config, WATCHING, notify, primitives=PRIMITIVES, clock=lambda: clock_s[0], random=Random(2)
    )
    monkeypatch.setattr(watcher._stop, "wait", lambda seconds: None)  # the waits themselves are not waited
    watcher.start()
    assert stop_now.wait(PATIENCE_S)
    assert watcher.stop()
    assert waits[0] == 1.0
    assert all(longest / 2 <= wait <= longest for wait, longest in zip(waits[:4], (1, 2, 4, 8), strict=True))
    assert waits[4:6] == [1.0, pytest.approx(1.5, abs=0.5)]


class Empty:
    """Opens, and then never has a picture."""

    info = None

    def __init__(self, clock_s: list[float]) -> None:
        self.clock_s = clock_s

    def open(self) -> None:
        pass

    def read(self) -> None:
        self.clock_s[0] += 1.0

    def close(self) -> None:
        pass


def test_a_stream_without_a_picture_is_given_up() -> None:
    clock_s = [0.0]
    told: SimpleQueue[WatcherEvent] = SimpleQueue()
    config = WatcherConfig("front", lambda stop: Empty(clock_s), None, 5.0)  # type: ignore[arg-type,return-value]
    watcher = CameraWatcher(config, WATCHING, told.put, primitives=PRIMITIVES, clock=lambda: clock_s[0])
    watcher.start()
    down = told.get(timeout=PATIENCE_S)
    assert watcher.stop()
    assert isinstance(down, StreamDown)
    assert down.error.code == "broken_stream"
    assert clock_s[0] == watcher_module.FIRST_PICTURE_S + 1


def test_a_machine_that_is_late_decodes_nothing_until_it_has_caught_up(live: LiveCamera) -> None:
    late_s = [0.0]
    told = Told()
    config = WatcherConfig("front", opens(live.url()), None, 0.0)
    watcher = CameraWatcher(
        config, WATCHING, told.events.put, primitives=PRIMITIVES, clock=lambda: time.monotonic() + late_s[0]
    )

    def decoded() -> int:
        return int(str(watcher.statistics["frames_decoded"]))

    heard = watcher.sink = Heard()

    def newest_s() -> float:
        return heard.packets[-1].time_s

    watcher.start()
    try:
        told.until(StreamUp)
        late_s[0] = 10.0  # the stream runs ten times as fast as the clock: caught up in about a second
        late_at_s = newest_s()
        until(lambda: newest_s() > late_at_s + 0.5)
        dropped_at_s, before = newest_s(), decoded()
        until(lambda: newest_s() > dropped_at_s + 4.0)
        assert decoded() == before
        assert watcher.still()  # the last one is still there
        until(lambda: decoded() > before + 20)
    finally:
        assert watcher.stop()


def test_an_unexpected_error_is_logged_whole_and_the_thread_starts_over(
    live: LiveCamera, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    def opened(stop: threading.Event) -> Source:
        tries.append(1)
        if len(tries) == 1:
            raise ZeroDivisionError("a mistake of ours")
        return Source(SourceConfig(live.url()), stop=stop)

    with watching(opened) as (_, told):
        [before] = threads("front")
        assert told.until(StreamDown).error.code == "broken_stream"
        told.until(StreamUp)
        assert threads("front") == {before}
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info
    assert "record thread" in record.getMessage()


def test_settings_change_while_it_runs(live: LiveCamera) -> None:
    with watching(opens(live.url())) as (watcher, told):
        told.until(StreamUp)
        hidden = parse_zones([{"name": "All", "kind": "privacy", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}])
        bright = watcher.still()
        watcher.configure(WatchSettings(True, DetectorSettings(zones=hidden)))
        black = watcher.still()  # at once, whether the thread has taken note or not
        assert bright
        assert black
        with Image.open(io.BytesIO(bright)) as one, Image.open(io.BytesIO(black)) as other:
            assert one.convert("L").getextrema()[1] > 100
            assert other.convert("L").getextrema()[1] < 10
        live.moving = True
        watcher.configure(WatchSettings(True, DetectorSettings(90, parse_zones([]))))
        watcher.configure(
            WatchSettings(
                True,
                DetectorSettings(zones=parse_zones([{"name": "Path", "kind": "watch", "points": MIDDLE}])),
            )
        )
        assert told.until(MotionStarted).motion.zones == {"Path"}
        watcher.configure(WatchSettings(False, DetectorSettings()))
        told.until(MotionEnded)
        analyzed = watcher.statistics["frames_analyzed"]
        decoded = watcher.statistics["frames_decoded"]
        until(lambda: watcher.statistics["frames_decoded"] > decoded + 2)
        assert watcher.statistics["frames_analyzed"] == analyzed


def test_settings_hold_from_the_first_frame(live: LiveCamera) -> None:
    settings = WatchSettings(False, DetectorSettings())
    live.moving = True
    with watching(opens(live.url()), settings=settings) as (watcher, told):
        told.until(StreamUp)
        until(lambda: watcher.statistics["frames_decoded"] > 3)
        assert watcher.statistics["frames_analyzed"] == 0


def test_a_source_that_breaks_is_opened_again_and_the_old_frame_is_gone(live: LiveCamera) -> None:
    with watching(opens(live.url())) as (watcher, told):
        told.until(StreamUp)
        live.away = True
        down = told.until(StreamDown)
        assert isinstance(down.error, SourceError)
        assert down.retry_in_s >= 1.0
        assert watcher.still() is None
        live.away = False
        told.until(StreamUp)
        assert watcher.still()


def test_twenty_starts_and_stops_leave_nothing(live: LiveCamera) -> None:
    before = threading.active_count()

    def start_and_stop() -> None:
        with watching(opens(live.url()), opens(live.url("/sub.ts"))) as (_, told):
            told.until(StreamUp)

    for _ in range(20):
        start_and_stop()
    until(lambda: not live.watching.total())
    until(lambda: threading.active_count() <= before)
    gc.collect()
    assert not [found for found in gc.get_objects() if type(found) is CameraWatcher]
