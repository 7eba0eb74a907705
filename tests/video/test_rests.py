"""Several packets at one waking where nobody waits for them: never more than the network holds, none lost."""

from itertools import pairwise
import threading
import time

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ringwatch.video import Decoder, MediaPacket, Source, SourceConfig
from custom_components.ringwatch.video.rests import MAX_REST_S, MAX_WAITING_BYTES, Rests

from .http_camera import Handler, camera, multipart
from .samples import jpeg, sample


class Reader:
    """A camera's packets in a socket, and somebody who reads them; only the test lets time pass."""

    def __init__(self, step_s: float, size_bytes: int, *, cost_s: float = 0.0002, drift: float = 0.0) -> None:
        self.step_s, self.size_bytes, self.cost_s, self.drift = step_s, size_bytes, cost_s, drift
        self.rests = Rests()
        self.now_s = 0.0
        self.read = 0
        self.rested_s: list[float] = []
        self.late_s: list[float] = []

    def run(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            began_s = self.now_s
            came_s = self.read * self.step_s
            self.now_s = max(self.now_s + self.cost_s, came_s)
            self.late_s.append(self.now_s - came_s)
            self.rests.add("video", self.size_bytes, came_s * (1.0 - self.drift), self.now_s)
            self.read += 1
            if rest_s := self.rests.after(self.now_s - began_s, self.now_s):
                self.rested_s.append(rest_s)
                self.now_s += rest_s


@given(st.sampled_from([0.02, 0.04, 0.1]), st.integers(500, 100_000))
@settings(max_examples=40, deadline=None)
def test_what_waits_during_a_rest_is_bounded(step_s: float, size_bytes: int) -> None:
    reader = Reader(step_s, size_bytes)
    reader.run(60.0)
    for rest_s in reader.rested_s:
        assert rest_s <= MAX_REST_S
        assert (
            rest_s * size_bytes / step_s <= MAX_WAITING_BYTES * 1.2
        )  # the first second knows the rate roughly
    assert max(reader.late_s) <= MAX_REST_S + 20 * reader.cost_s


def test_it_wakes_up_for_several_at_once_for_hours_though_the_clocks_drift_apart() -> None:
    for drift in (0.0, 2e-4, -2e-4):
        reader = Reader(0.04, 8000, drift=drift)
        reader.run(7200.0)
        wakings_per_s = len(reader.rested_s) / 7200.0
        assert 3.0 < wakings_per_s < 6.0, drift


def test_a_reader_that_is_behind_does_not_rest_and_catches_up() -> None:
    reader = Reader(0.04, 8000)
    reader.run(30.0)
    reader.now_s += 5.0  # the machine was busy with something else
    reader.cost_s = 0.03  # and still is: each read takes long though nothing has to be waited for
    rested = len(reader.rested_s)
    behind = reader.read
    reader.run(13.0)
    assert (reader.read - behind) * 0.03 == pytest.approx(13.0, abs=0.1)  # as fast as it goes
    assert len(reader.rested_s) == rested
    reader.run(10.0)
    assert reader.late_s[-1] < 0.6


def test_a_machine_at_its_limit_does_not_fall_behind_by_resting() -> None:
    reader = Reader(0.04, 8000, cost_s=0.036)
    reader.run(600.0)
    assert max(reader.late_s) < 0.7


def heaps(packets: list[MediaPacket]) -> int:
    """Count the wakings: packets read at one go arrive within a few milliseconds."""
    return 1 + sum(b.arrival_s - a.arrival_s > 0.01 for a, b in pairwise(packets))


def read_for(source: Source, seconds: float) -> list[MediaPacket]:
    found = []
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        if (packet := source.read()) is not None:
            found.append(packet)
    return found


def test_a_stream_that_is_only_recorded_is_read_in_heaps_without_losing_any() -> None:
    data = sample("mpegts", "h264", seconds=5.0, fps=25)

    def live(handler: Handler) -> None:
        handler.begin("video/mp2t")
        for start in range(0, len(data), 188):  # a packet of MPEG-TS at a time, as encoders send them
            handler.wfile.write(data[start : start + 188])
            handler.server.closing.wait(5.0 * 188 / len(data))
        handler.hang()

    shares = []
    with camera({"/live": live}) as server:
        for _ in range(3):  # a reader that a busy machine has put behind doesn't rest: then again
            with Source(SourceConfig(server.url("/live")), stop=threading.Event()) as source:
                packets = read_for(source, 4.5)
            with Source(SourceConfig(server.url("/live")), stop=threading.Event()) as source:
                Decoder(source)
                looked_at = read_for(source, 4.5)
            assert len(packets) > 80
            assert [b.dts_s - a.dts_s for a, b in pairwise(packets)] == pytest.approx(
                [0.04] * (len(packets) - 1)
            )
            shares.append(heaps(packets) / heaps(looked_at))
            if shares[-1] < 0.5:
                break
    assert min(shares) < 0.5


def test_pictures_that_are_stamped_by_their_arrival_are_read_as_they_come() -> None:
    pictures = [jpeg(n) for n in range(8)]
    with (
        camera({"/mjpeg": multipart(pictures, interval_s=0.05)}) as server,
        Source(SourceConfig(server.url("/mjpeg")), stop=threading.Event()) as source,
    ):
        packets = read_for(source, 4.0)[20:]
    assert heaps(packets) > 0.9 * len(packets)
