"""One camera's threads, without a Home Assistant."""

import gc
import io
import threading
import time

from PIL import Image
import pytest

from custom_components.ringwatch.vision import (
    DetectorSettings,
    parse_zones,
)
from custom_components.ringwatch.watcher import CameraWatcher, WatcherConfig
from custom_components.ringwatch.watcher_events import (
    LevelChanged,
    MotionEnded,
    MotionStarted,
    StreamUp,
    WatchSettings,
)
from tests.fixtures.cameras import CameraServer
from tests.fixtures.live import LiveCamera
from tests.fixtures.watcher import PRIMITIVES, WATCHING, Heard, Told, opens, until, watching
from tests.fixtures.watching import MIDDLE, threads


def test_a_stream_is_up_when_there_is_a_picture(live: LiveCamera) -> None:
    with watching(opens(live.url())) as (watcher, told):
        assert watcher.roles == ("record",)
        assert watcher.engine == PRIMITIVES.name
        up = told.until(StreamUp)
        assert (up.role, up.info.codec, up.info.width) == ("record", "h264", 320)
        jpeg = watcher.still(100)
        assert jpeg
        assert jpeg.startswith(b"\xff\xd8")


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
