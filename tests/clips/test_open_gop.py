"""Open GOPs of real encoders: pictures after a key frame that are shown before it, and need both sides."""

from fractions import Fraction
from functools import cache
import io
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.ringwatch.clips import RecordSettings

from .conftest import MakeHouse
from .house import ended, packets_of, started

FPS = 10
GOP = 12  # three pictures are between the last reference and the key frame
SECONDS = 40
SETTINGS = RecordSettings(pre_roll_s=2.0, post_roll_s=2.0, max_part_s=10.0)
ENCODERS = {
    "h264": ("libx264", "x264-params", "b-adapt=0:b-pyramid=none:threads=1"),
    "hevc": ("libx265", "x265-params", "b-adapt=0:log-level=error:pools=1"),
}


@cache
def stream(codec: str, container: str) -> bytes:
    """Return a stream whose key frames but the first are preceded by pictures that refer to them."""
    encoder, key, more = ENCODERS[codec]
    params = f"open-gop=1:keyint={GOP}:min-keyint={GOP}:bframes=3:scenecut=0:{more}"
    out = io.BytesIO()
    random = np.random.default_rng(5)
    ground = random.integers(60, 180, (120, 160, 3), np.uint8)
    with av.open(out, "w", format=container) as muxer:
        video = muxer.add_stream(encoder, rate=FPS, options={"preset": "ultrafast", key: params})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        for number in range(SECONDS * FPS):
            picture = np.roll(ground, 3 * number, axis=1)
            picture[:40] = number * 7 % 256
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            muxer.mux(video.encode(frame))
        muxer.mux(video.encode(None))
    return out.getvalue()


def decoded(path: Path) -> list[NDArray[np.uint8]]:
    """Decode a file, strictly: what misses something it refers to is an error, not a gray picture."""
    with av.open(str(path)) as container:
        found = list(container.decode(video=0))
    assert not any(frame.is_corrupt for frame in found)
    return [frame.to_ndarray(format="gray") for frame in found]


@pytest.mark.parametrize("container", ["mpegts", "mp4"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_open_gops_are_cut_without_losing_a_picture(
    make_house: MakeHouse, tmp_path: Path, codec: str, container: str
) -> None:
    source = tmp_path / "in"
    packets = packets_of(stream(codec, container), source)
    times = [packet.time_s for packet, _ in packets]
    keys = [packet for packet, _ in packets if packet.is_key]
    assert len(keys) > SECONDS * FPS // GOP
    leading = [t for n, t in enumerate(times) if any(p.time_s > t for p, _ in packets[:n] if p.is_key)]
    assert len(leading) >= 2 * (len(keys) - 1)  # these GOPs really are open
    house = make_house(SETTINGS)
    t = house.clock.now_s
    house.play(
        packets,
        [
            (8.0, lambda: house.recorder.motion_started(started(), t + 7.5)),
            (34.0, lambda: house.recorder.motion_ended(ended(), t + 33.5)),
        ],
    )
    house.silence(15.0)
    clips = house.clips()
    assert [clip.part for clip in clips] == [1, 2, 3, 4]
    wanted = decoded(source)
    place = None
    for clip in clips:
        got = decoded(house.path(clip))
        if place is None:
            place = next(n for n, picture in enumerate(wanted) if np.array_equal(picture, got[0]))
            assert place / FPS <= 5.6
        # Bit for bit what the stream shows there: nothing is missing, and all that is referred to is there.
        for n, picture in enumerate(got):
            assert np.array_equal(picture, wanted[place + n]), (clip.part, n)
        place += len(got) - 1  # the key frame that ends a part begins the next one
    assert place is not None
    assert place / FPS >= 35.4
