"""One camera's threads when something is wrong: the camera, the machine, or us."""

import logging
from queue import SimpleQueue
from random import Random
import threading
import time

import pytest

from custom_components.ringwatch import pressure, watcher as watcher_module
from custom_components.ringwatch.video import (
    Source,
    SourceConfig,
    SourceError,
    Unreachable,
)
from custom_components.ringwatch.watcher import CameraWatcher, WatcherConfig
from custom_components.ringwatch.watcher_events import (
    PressureChanged,
    StreamDown,
    StreamUp,
    WatcherEvent,
)
from tests.fixtures.cameras import CameraServer
from tests.fixtures.live import LiveCamera
from tests.fixtures.watcher import PRIMITIVES, WATCHING, Heard, Told, opens, until, watching
from tests.fixtures.watching import PATIENCE_S, threads


def test_a_connection_without_a_picture_is_not_up(camera_server: CameraServer) -> None:
    with watching(opens(camera_server.url("/audio.ts"))) as (watcher, told):
        down = told.until(StreamDown)
        assert down.error.code == "no_video"
        assert watcher.still() is None


def test_it_stops_while_it_waits_to_try_again(socket_enabled: None) -> None:
    with watching(opens("http://127.0.0.1:1/")) as (_, told):
        assert told.until(StreamDown).error.code == "unreachable"


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


def test_a_machine_that_falls_behind_for_long_says_so(
    live: LiveCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pressure, "WINDOW_S", 0.5)  # minutes, of the stream's time, are too long for a test
    monkeypatch.setattr(pressure, "WINDOWS_BEHIND", 2)
    told = Told()
    config = WatcherConfig("front", opens(live.url()), None, 5.0)
    watcher = CameraWatcher(
        config, WATCHING, told.events.put, primitives=PRIMITIVES, clock=lambda: 15 * time.monotonic()
    )  # by this clock the camera sends two thirds of what it should
    watcher.start()
    try:
        told.until(StreamUp)
        change = told.until(PressureChanged)
        assert change.behind
        assert change.dropped == 1.0
        assert watcher.statistics["dropped_share"] == 1.0
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
