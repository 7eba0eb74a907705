"""Cameras that give pictures, not streams."""

from itertools import pairwise
import threading
import time

import pytest

from custom_components.ringwatch.video import (
    BrokenStream,
    Decoder,
    StillSource,
    Stopped,
    Unreachable,
    UnsupportedCodec,
)

from .samples import jpeg, png

INTERVAL_S = 0.05


def source(pictures: list[bytes | Exception], stop: threading.Event | None = None) -> StillSource:
    waiting = iter(pictures)

    def fetch() -> bytes:
        picture = next(waiting)
        if isinstance(picture, Exception):
            raise picture
        return picture

    return StillSource(fetch, INTERVAL_S, stop=stop or threading.Event())


def next_packet(still: StillSource):
    while (packet := still.read()) is None:
        pass
    return packet


def test_pictures_are_polled_and_decoded() -> None:
    still = source([jpeg(n) for n in range(4)])
    info = still.open()
    assert (info.codec, info.width, info.height, info.fps) == ("mjpeg", 160, 120, 20.0)
    decoder = Decoder(still)
    began = time.monotonic()
    frames = [frame for _ in range(4) for frame in decoder.decode(next_packet(still))]
    assert time.monotonic() - began >= 3 * INTERVAL_S
    assert [f.frame.width for f in frames] == [160] * 4
    assert frames[0].time_s == pytest.approx(0.0, abs=0.02)
    assert all(b.time_s - a.time_s >= INTERVAL_S * 0.9 for a, b in pairwise(frames))


def test_another_kind_and_size_of_picture() -> None:
    still = source([jpeg(), png(), jpeg(0, 320, 240)])
    still.open()
    decoder = Decoder(still)
    packets, frames = [], []
    for _ in range(3):
        packets.append(next_packet(still))
        frames += decoder.decode(packets[-1])
    assert [p.epoch for p in packets] == [0, 1, 2]
    assert [f.frame.width for f in frames] == [160, 160, 320]
    assert decoder.errors == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"<html>please log in</html>", UnsupportedCodec),
        (b"", UnsupportedCodec),
        (OSError("no route"), BrokenStream),
        (Unreachable("nobody there"), Unreachable),
    ],
)
def test_what_is_no_picture(answer: bytes | Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        source([answer]).open()
    still = source([jpeg(), answer])
    still.open()
    next_packet(still)
    with pytest.raises(expected):
        next_packet(still)


def test_a_stop_ends_the_wait() -> None:
    stop = threading.Event()
    still = StillSource(jpeg, 60.0, stop=stop)
    still.open()
    assert still.read() is not None
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    assert still.read() is None
    assert time.monotonic() - began < 0.5
    with pytest.raises(Stopped):
        still.open()
