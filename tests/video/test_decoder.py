"""Decoding what real streams do: damage, changes of format, no key frame at first."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
import threading

import numpy as np
import pytest

from custom_components.ringwatch.video import (
    BrokenStream,
    DecodedFrame,
    Decoder,
    EndOfStream,
    MediaPacket,
    Source,
    SourceConfig,
    Stalled,
    luma_view,
)
from custom_components.ringwatch.video.decoder import FRUITLESS_PACKETS

from .http_camera import Handler, camera
from .reading import read
from .samples import sample


@pytest.fixture
def file(tmp_path: Path):
    """Return a function that writes bytes to a file and returns its path."""

    def write(data: bytes, name: str = "a.ts") -> str:
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    return write


def packets_of(path: str) -> tuple[Source, list[MediaPacket]]:
    source = Source(SourceConfig(path), stop=threading.Event())
    source.open()
    packets = []
    try:
        while True:
            packet = source.read()
            if packet is not None:
                packets.append(packet)
    except EndOfStream:
        source.close()
    return source, packets


def decode_all(decoder: Decoder, packets: list[MediaPacket]) -> list[DecodedFrame]:
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    return frames + decoder.finish()


def same(a: DecodedFrame, b: DecodedFrame) -> bool:
    return a.time_s == b.time_s and np.array_equal(luma_view(a.frame), luma_view(b.frame))


@pytest.mark.parametrize("codec", ["h264", "hevc", "mjpeg"])
def test_decodes(codec: str, file) -> None:
    seen = read(file(sample("matroska", codec), "a.mkv"))
    assert len(seen.frames) == 40
    assert [f.time_s for f in seen.frames] == pytest.approx([n / 10 for n in range(40)])
    assert {packet.epoch for packet in seen.packets} == {0}


@pytest.mark.parametrize("b_frames", [0, 3])
def test_pictures_come_in_order_with_their_own_times(b_frames: int, file) -> None:
    seen = read(file(sample("mp4", b_frames=b_frames), "a.mp4"))
    assert [f.time_s for f in seen.frames] == pytest.approx([n / 10 for n in range(40)])
    assert [f.is_key for f in seen.frames] == [n % 10 == 0 for n in range(40)]


def test_nothing_is_decoded_before_the_first_key_frame(file) -> None:
    source, packets = packets_of(file(sample()))
    decoder = Decoder(source)
    frames = decode_all(decoder, packets[3:])
    assert len(frames) == 30
    assert frames[0].time_s == pytest.approx(1.0)
    assert decoder.errors == 0


def test_a_stream_that_is_joined_in_the_middle(file) -> None:
    data = sample(gop=20)
    seen = read(file(data[len(data) // 8 // 188 * 188 :]))
    assert 20 <= len(seen.frames) < 40
    assert seen.frames[0].is_key


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_damaged_packets_are_survived(codec: str, file) -> None:
    source, packets = packets_of(file(sample("mpegts", codec)))
    random = Random(1)
    damaged = []
    for number, packet in enumerate(packets):
        data = bytearray(bytes(packet.packet))
        if 5 <= number < 15:
            for _ in range(8):
                data[random.randrange(len(data))] = random.randrange(256)
        copy = type(packet.packet)(len(data))
        copy.update(bytes(data))
        copy.pts, copy.dts, copy.time_base = packet.packet.pts, packet.packet.dts, packet.packet.time_base
        damaged.append(replace(packet, packet=copy))
    decoder = Decoder(source)
    frames = decode_all(decoder, damaged)
    # From the next key frame on everything is as it should be.
    assert len([f for f in frames if f.time_s >= 1.99]) == 20
    assert all(a.time_s < b.time_s for a, b in pairwise(frames))


def test_damaged_transport_streams_are_survived(file) -> None:
    data = bytearray(sample(seconds=8.0))
    random = Random(2)
    for _ in range(40):
        at = random.randrange(len(data) // 4, len(data) // 2)
        data[at] ^= 0xFF
    seen = read(file(bytes(data)))
    assert len([f for f in seen.frames if f.time_s > 5.0]) >= 28
    assert all(a.time_s < b.time_s for a, b in pairwise(seen.frames))


def test_another_resolution_in_mid_stream(file) -> None:
    seen = read(file(sample(seconds=2.0) + sample(width=320, height=240, seconds=2.0, start_pts=20)))
    assert [(f.frame.width, f.frame.height) for f in seen.frames] == [(160, 120)] * 20 + [(320, 240)] * 20
    assert [p.epoch for p in seen.video] == [0] * 20 + [1] * 20
    assert (seen.info.width, seen.info.height) == (320, 240)
    assert [f.time_s for f in seen.frames] == pytest.approx([n / 10 for n in range(40)], abs=0.001)


def test_another_resolution_in_flv_whose_parameter_sets_are_apart(file) -> None:
    header = 13  # bytes, of a second file's own
    first, second = (sample("flv", width=w, height=w * 3 // 4, seconds=2.0) for w in (160, 320))
    seen = read(file(first + second[header:], "a.flv"))
    assert [f.frame.width for f in seen.frames] == [160] * 20 + [320] * 20
    assert [p.epoch for p in seen.video] == [0] * 20 + [1] * 20
    assert (seen.info.width, seen.info.height) == (320, 240)


@pytest.mark.parametrize("codec", ["mpeg2video", "hevc"])
def test_another_coding_in_mid_stream_is_found_by_opening_again(codec: str) -> None:
    """PyAV never says that FFmpeg has changed its mind: that must not look like a dark picture for ever."""
    changed = threading.Event()

    def route(handler: Handler) -> None:
        handler.begin("video/mp2t")
        handler.wfile.write(sample(seconds=6.0))
        while handler.alive and not changed.wait(0.02):
            pass
        handler.wfile.write(sample(seconds=20.0, codec=codec, start_pts=60))
        handler.hang()

    with camera({"/live": route}) as server:
        config = SourceConfig(server.url("/live"), stall_timeout_s=2.0)
        with Source(config, stop=threading.Event()) as source:
            assert source.info.codec == "h264"
            changed.set()
            decoder = Decoder(source)
            with pytest.raises((Stalled, BrokenStream)):
                decode_on(source, decoder)
        assert 55 <= decoder.frames_decoded <= 61
        assert read(config, frames=1).frames


def decode_on(source: Source, decoder: Decoder) -> None:
    while True:
        packet = source.read()
        if packet is not None:
            decoder.decode(packet)


def test_another_resolution_in_mjpeg(file) -> None:
    first, second = (
        sample("matroska", "mjpeg", seconds=1.0),
        sample("matroska", "mjpeg", width=320, height=240),
    )
    small, large = packets_of(file(first, "a.mkv"))[1], packets_of(file(second, "b.mkv"))[1]
    from custom_components.ringwatch.video.bitstream import format_signature

    signatures = {format_signature("mjpeg", memoryview(bytes(p.packet))) for p in small + large}
    assert signatures == {b"(160, 120)", b"(320, 240)"}


def test_stamps_that_begin_anew_in_mid_stream(file) -> None:
    seen = read(file(sample(seconds=2.0, start_pts=5000) + sample(seconds=2.0)))
    assert [f.time_s for f in seen.frames] == pytest.approx([n / 10 for n in range(40)], abs=0.05)


def test_a_wrapping_transport_stream_clock(file) -> None:
    # 95443.7 s is where 33 bits of 90 kHz are full; the muxer adds 1.4 s.
    data = sample(seconds=4.0, start_pts=954_437 - 14 - 20)
    seen = read(file(data))
    assert [f.time_s for f in seen.frames] == pytest.approx([n / 10 for n in range(40)], abs=0.001)


def test_slices_of_one_picture_that_come_apart(file) -> None:
    from custom_components.ringwatch.video.access_units import CodedData, Joiner

    _, packets = packets_of(file(sample(slices=2, seconds=1.0)))
    whole = bytes(packets[0].packet)
    cut = whole.rfind(b"\x00\x00\x01")
    joiner = Joiner("h264")

    def unit(data: bytes, dts_s: float | None, key: bool) -> CodedData:
        return CodedData("video", data, dts_s, dts_s, 0.1, key, 0.0)

    assert joiner.push(unit(whole[:cut], None, True)) == []  # as RTSP's first packet
    assert joiner.push(unit(whole[cut:], 1.0, False)) == []
    (joined,) = joiner.push(unit(bytes(packets[1].packet), 1.1, False))
    assert joined.data == whole
    assert joined.is_key
    assert joined.dts_s == 1.0
    assert joiner.joined == 1
    assert [u.dts_s for u in joiner.flush()] == [1.1]
    assert joiner.flush() == []


@pytest.mark.parametrize("b_frames", [0, 3])
def test_key_frames_only_then_the_backlog_is_bit_identical(b_frames: int, file) -> None:
    source, packets = packets_of(file(sample("mp4", b_frames=b_frames), "a.mp4"))
    everything = decode_all(Decoder(source), packets)
    decoder = Decoder(source)
    decoder.key_frames_only = True
    keys = []
    for packet in packets[:25]:
        got = decoder.decode(packet)
        assert len(got) == packet.is_key  # at once, not with the next
        keys += got
    decoder.key_frames_only = False
    backlog = decode_all(decoder, packets[20:])
    assert all(same(a, b) for a, b in zip(keys, everything[0:30:10], strict=True))
    assert len(backlog) == 20
    assert all(same(a, b) for a, b in zip(backlog, everything[20:], strict=True))


def test_dropping_until_a_key_frame(file) -> None:
    source, packets = packets_of(file(sample()))
    decoder = Decoder(source)
    frames = [f for p in packets[:15] for f in decoder.decode(p)]
    decoder.drop_until_key()
    late = decode_all(decoder, packets[15:])
    assert len(frames) == 15
    assert [f.time_s for f in late] == pytest.approx([n / 10 for n in range(20, 40)])
    assert decoder.frames_decoded == 35


def test_a_stream_of_which_nothing_can_be_decoded_is_broken(file) -> None:
    source, packets = packets_of(file(sample()))
    decoder = Decoder(source)
    noise = type(packets[0].packet)(500)
    noise.update(Random(3).randbytes(500))
    noisy = [replace(packet, packet=noise) for packet in packets]
    for number in range(FRUITLESS_PACKETS - 1):
        assert decoder.decode(noisy[number % 40]) == []
    with pytest.raises(BrokenStream):
        decoder.decode(noisy[0])


def test_key_frames_of_which_none_can_be_decoded_are_a_broken_stream(file) -> None:
    source, packets = packets_of(file(sample(seconds=8.0)))
    decoder = Decoder(source)
    noise = type(packets[0].packet)(500)
    noise.update(Random(3).randbytes(500))
    for packet in packets[:50]:
        assert decoder.decode(replace(packet, packet=noise)) == []
    with pytest.raises(BrokenStream):
        decoder.decode(replace(packets[50], packet=noise))


def test_packets_live_on_when_their_source_is_closed(file) -> None:
    source, packets = packets_of(file(sample()))
    del source
    assert sum(len(bytes(packet.packet)) for packet in packets) == sum(p.size_bytes for p in packets)


def test_files_are_paced_where_that_is_wished(file) -> None:
    import time

    path = file(sample("mp4", seconds=0.8), "a.mp4")
    stop = threading.Event()
    with Source(SourceConfig(path), stop=stop, realtime=True) as source:
        began = time.monotonic()
        packets = [source.read() for _ in range(8)]
        took_s = time.monotonic() - began
    assert 0.65 < took_s < 1.0
    assert all(packet is not None for packet in packets)
