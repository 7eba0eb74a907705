"""The packet buffer: long enough, never longer than its bytes, always from a key frame."""

import av
from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.video import MediaPacket, PacketBuffer

FPS = 10


def packet(
    time_s: float, *, key: bool = False, size: int = 1000, kind: str = "video", epoch: int = 0
) -> MediaPacket:
    return MediaPacket(
        kind=kind,
        time_s=time_s,
        dts_s=time_s,
        duration_s=0.1,
        is_key=key or kind == "audio",
        size_bytes=size,
        arrival_s=time_s,
        epoch=epoch,
        packet=av.Packet(0),
    )


def fill(buffer: PacketBuffer, seconds: float, gop_s: float = 2.0, size: int = 1000) -> None:
    gop = round(gop_s * FPS)
    for n in range(round(seconds * FPS)):
        buffer.append(packet(n / FPS, key=n % gop == 0, size=size))


def test_is_as_long_as_pre_roll_two_gops_and_the_decision() -> None:
    buffer = PacketBuffer(5.0, 1.0)
    fill(buffer, 60.0)
    assert buffer.longest_gop_s == pytest.approx(2.0)
    assert 10.0 <= buffer.span_s < 12.1


def test_since_begins_with_the_key_frame_at_or_before() -> None:
    buffer = PacketBuffer(5.0)
    fill(buffer, 30.0)
    newest = 29.9
    for back in (0.0, 1.0, 5.0, 6.0, 7.9):
        got = buffer.since(newest - back)
        assert got[0].is_key
        assert newest - back - 2.0 < got[0].time_s <= newest - back + 1e-9
        assert got[-1].time_s == newest
    assert buffer.since(24.0)[0].time_s == 24.0
    assert buffer.since(-100.0)[0].time_s == buffer.since(newest - buffer.span_s)[0].time_s
    assert buffer.since(1e9)[0].time_s == 28.0


def test_nothing_is_kept_before_the_first_key_frame() -> None:
    buffer = PacketBuffer(5.0)
    buffer.append(packet(0.0))
    buffer.append(packet(0.05, kind="audio"))
    assert buffer.since(0.0) == []
    assert buffer.size_bytes == 0
    buffer.append(packet(0.1, key=True))
    assert len(buffer.since(0.0)) == 1


def test_is_bounded_in_bytes() -> None:
    buffer = PacketBuffer(5.0, max_bytes=50_000)
    fill(buffer, 30.0, size=1000)
    assert buffer.size_bytes <= 50_000
    assert buffer.since(0.0)[0].is_key


def test_a_gop_that_is_too_large_alone_empties_it_until_the_next_key_frame() -> None:
    buffer = PacketBuffer(5.0, max_bytes=5_000)
    fill(buffer, 1.9, size=1000)
    assert buffer.since(0.0) == []
    buffer.append(packet(2.0, key=True))
    assert len(buffer.since(0.0)) == 1


def test_another_connection_begins_anew() -> None:
    buffer = PacketBuffer(5.0)
    fill(buffer, 10.0)
    buffer.append(packet(0.0, key=True))
    assert [p.time_s for p in buffer.since(0.0)] == [0.0]
    assert buffer.longest_gop_s == pytest.approx(2.0)  # the camera is the same


def test_sound_is_kept_with_its_picture() -> None:
    buffer = PacketBuffer(1.0, 0.0)
    for n in range(200):
        buffer.append(packet(n / FPS, key=n % 10 == 0))
        buffer.append(packet(n / FPS + 0.01, kind="audio", size=10))
    got = buffer.since(0.0)
    assert got[0].kind == "video"
    assert sum(p.kind == "audio" for p in got) == len(got) / 2


@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 3.0), st.booleans(), st.integers(1, 4000), st.sampled_from(["video", "audio"])
        ),
        max_size=80,
    ),
    st.integers(1000, 20_000),
    st.floats(-1, 100),
)
def test_whatever_comes(steps: list[tuple[float, bool, int, str]], max_bytes: int, asked_s: float) -> None:
    buffer = PacketBuffer(5.0, max_bytes=max_bytes)
    now = 0.0
    keys: list[float] = []
    for step, key, size, kind in steps:
        now += step
        buffer.append(packet(now, key=key, size=size, kind=kind))
        if key and kind == "video":
            keys.append(now)
    held = buffer.since(float("-inf"))
    assert buffer.size_bytes == sum(p.size_bytes for p in held) <= max_bytes
    assert not held or (held[0].kind == "video" and held[0].is_key)
    got = buffer.since(asked_s)
    assert got == held[len(held) - len(got) :]
    before = [p.time_s for p in held if p.kind == "video" and p.is_key and p.time_s <= asked_s]
    if before:
        assert got[0].time_s == before[-1]
