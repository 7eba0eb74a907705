"""The file: structure that Safari wants, whole after any cut, finished in place."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
import struct
from typing import Self

import av
from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.ringwatch.clips import mp4
from custom_components.ringwatch.clips.boxes import BrokenFileError, boxes, find
from custom_components.ringwatch.clips.formats import bare_aac, to_sample, video_format
from custom_components.ringwatch.clips.fragments import Sample
from custom_components.ringwatch.clips.mp4 import Mp4Writer, finish, inspect, room_for
from custom_components.ringwatch.clips.sound import SoundTrack

from ..video.samples import FPS, sample
from .house import packets_of, pictures

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
DOCUMENT = {"id": "x"}


def write(path: Path, data: bytes, *, notes: bool = False, room_bytes: int = 0) -> list[int]:
    """Record a sample as it is; return the file's size after each fragment."""
    packets = packets_of(data, path.with_suffix(".in"))
    info = packets[0][1]
    sizes: list[int] = []
    key = packets[0][0]
    form = video_format(info.codec, info.extradata, bytes(key.packet), info.width, info.height)
    first_sound = next((bytes(p.packet) for p, _ in packets if p.kind == "audio"), b"")
    sound = SoundTrack(info, key.time_s, first_sound) if info.audio_codec else None
    with Mp4Writer(
        path, form, sound.format if sound else None, start=START, document=DOCUMENT, room_bytes=room_bytes
    ) as writer:
        for number, (p, _) in enumerate(packets):
            coded = p.packet
            assert coded.pts is not None
            assert coded.dts is not None
            assert key.packet.dts is not None
            if p.kind == "video":
                picture = to_sample(form.codec, bytes(coded)) if form.sets else bytes(coded)
                dts = coded.dts - key.packet.dts
                writer.add_video(Sample(dts, coded.pts - coded.dts, coded.duration or 0, picture, p.is_key))
            elif sound is not None:
                for frame in sound.push(p):
                    writer.add_audio(frame)
            if number % 9 == 8:
                writer.flush()
                if notes:
                    writer.note(DOCUMENT | {"n": number})
                sizes.append(path.stat().st_size)
    return sizes


def moov_of(path: Path) -> bytes:
    with path.open("rb") as file:
        for found in boxes(file, 0, path.stat().st_size):
            if found.kind == b"moov":
                file.seek(found.start)
                return file.read(found.size)
    raise AssertionError("no moov")


def kinds(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [found.kind for found in boxes(file, 0, path.stat().st_size)]


@pytest.mark.parametrize(("codec", "tag"), [("h264", b"avc1"), ("hevc", b"hvc1")])
@pytest.mark.parametrize("container", ["mpegts", "mp4"])
@pytest.mark.parametrize("copied", [False, True])
def test_the_file_is_what_safari_wants(
    tmp_path: Path, codec: str, tag: bytes, container: str, copied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if copied:
        monkeypatch.setattr(mp4, "MIN_ROOM_BYTES", 64)  # the tables don't fit: the file is copied once
    path = tmp_path / "clip.mp4"
    write(path, sample(container, codec, seconds=6.0, audio="aac"))
    finish(path, lambda state, tables: state.document)
    order = kinds(path)
    assert order[0] == b"ftyp"
    assert order.index(b"moov") < order.index(b"mdat") == len(order) - 1  # faststart, and nothing after
    assert set(order) <= {b"ftyp", b"free", b"moov", b"mdat"}
    assert (b"free" not in order) == copied
    moov = moov_of(path)[8:]
    video, audio = find(moov, b"trak"), moov[moov.index(b"trak", moov.index(b"trak") + 4) + 4 :]
    assert find(video, b"mdia", b"minf", b"stbl", b"stsd")[12:16] == tag
    assert find(audio, b"mdia", b"minf", b"stbl", b"stsd")[12:16] == b"mp4a"
    assert struct.unpack(">I", find(video, b"edts", b"elst")[4:8]) == (1,)
    assert find(audio, b"edts", b"elst")
    assert b"mvex" not in moov
    sync = find(video, b"mdia", b"minf", b"stbl", b"stss")
    assert struct.unpack(">I", sync[8:12]) == (1,)  # the first picture is a key frame
    assert len(sync) == 8 + 4 * 6  # one a second
    # No parameter sets and no start codes in the pictures: that is what the entry is for.
    with av.open(str(path)) as container_:
        for packet in container_.demux(video=0):
            at, data = 0, bytes(packet)
            while at < len(data):
                (size,) = struct.unpack_from(">I", data, at)
                unit = data[at + 4]
                assert size > 0
                if container == "mpegts":
                    assert (
                        (unit & 0x1F) not in {7, 8, 9}
                        if codec == "h264"
                        else unit >> 1 not in {32, 33, 34, 35}
                    )
                at += 4 + size
            assert at == len(data)


@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 3), ("hevc", 0)])
def test_pictures_are_bit_identical_and_on_time(tmp_path: Path, codec: str, b_frames: int) -> None:
    data = sample("mpegts", codec, seconds=5.0, b_frames=b_frames, start_pts=7)
    path = tmp_path / "clip.mp4"
    write(path, data)
    unfinished = pictures(path)
    finish(path, lambda state, tables: state.document)
    source = pictures(path.with_suffix(".in"))
    for got in (unfinished, pictures(path)):
        assert len(got) == len(source) == 50
        assert all(np.array_equal(a, b) for a, b in zip(got, source, strict=True))
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([n / FPS for n in range(50)], abs=1e-4)


def test_a_file_cut_off_anywhere_plays_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    sizes = write(path, sample("mpegts", seconds=8.0, audio="aac"), notes=True)
    whole = path.read_bytes()
    front = sizes[0]
    source = pictures(path.with_suffix(".in"))

    @given(st.integers(0, len(whole)))
    @settings(max_examples=60, deadline=None)
    def cut_at(size: int) -> None:
        cut = tmp_path / "cut.mp4"
        cut.write_bytes(whole[:size])
        try:
            state = finish(cut, lambda found, tables: found.document)
        except BrokenFileError:
            assert size < front
            return
        assert state.finished
        got = pictures(cut)
        assert all(np.array_equal(a, b) for a, b in zip(got, source, strict=False))
        assert len(got) >= 4 * sum(one <= size for one in sizes)  # each fragment holds 4 or more
        assert cut.stat().st_size <= size + 100 or size < front * 2
        # What was noted last is known.
        noted = sum(one <= size for one in sizes)
        assert state.document.get("n", -1) >= (noted * 9 - 1 if noted else -1)

    cut_at()


def test_damage_in_the_middle_ends_the_file_there(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    sizes = write(path, sample("mpegts", seconds=8.0))
    data = bytearray(path.read_bytes())
    data[sizes[2] : sizes[2] + 200] = b"\x00" * 200  # as a file system leaves it after a power cut
    path.write_bytes(data)
    finish(path, lambda state, tables: state.document)
    assert len(pictures(path)) == 3 * 9


@pytest.mark.parametrize("step", range(1, 7))
def test_a_kill_while_finishing_is_repeated_at_the_next_start(
    tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ends the process, as it were, after every write there is."""
    path = tmp_path / "clip.mp4"
    write(path, sample("mpegts", seconds=4.0))
    count = 0
    real_open = Path.open

    class Killed(BaseException):
        pass

    def counted(target: Path, mode: str = "r", **options: int) -> object:
        file = real_open(target, mode, **options)  # type: ignore[call-overload]
        if "+" not in mode:
            return file
        real_write: Callable[[bytes], int] = file.write

        class Proxy:
            def __getattr__(self, name: str) -> object:
                return getattr(file, name)

            def write(self, data: bytes) -> int:
                nonlocal count
                count += 1
                if count == step and step < 4:
                    real_write(data[: len(data) // 2] if len(data) > 8 else b"")
                    raise Killed
                return real_write(data)

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

        return Proxy()

    monkeypatch.setattr(Path, "open", counted)
    try:
        finish(path, lambda state, tables: state.document)
    except Killed:
        assert not inspect(path).finished
        assert len(pictures(path)) == 40
    monkeypatch.undo()
    finish(path, lambda state, tables: state.document)
    assert inspect(path).finished
    assert len(pictures(path)) == 40


def test_finishing_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write(path, sample("mpegts", seconds=4.0))
    finish(path, lambda state, tables: state.document)
    once = path.read_bytes()
    finish(path, lambda state, tables: {"id": "other"})
    assert path.read_bytes() == once


def test_almost_nothing_is_written_beside_the_pictures(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    data = sample("mpegts", seconds=12.0, width=640, height=480)
    write(path, data, room_bytes=room_for(12.0, FPS, len(data) / 12))
    payload = sum(len(to_sample("h264", bytes(p.packet))) for p, _ in packets_of(data, tmp_path / "again.ts"))
    fragments = path.stat().st_size - payload
    finish(path, lambda state, tables: state.document)
    assert fragments < 8192 + 4000  # most of it is the hole for the tables, which isn't written


def test_other_files_are_not_taken_for_clips(tmp_path: Path) -> None:
    path = tmp_path / "other.mp4"
    for data in (b"", b"nonsense" * 100, sample("mp4", seconds=1.0), struct.pack(">I4s", 1, b"moov")):
        path.write_bytes(data)
        with pytest.raises(BrokenFileError):
            inspect(path)


def test_adts_headers_are_taken_off() -> None:
    frame = bytes.fromhex("fff16c4003bffc") + b"abc"
    assert bare_aac(frame) == b"abc"
    assert bare_aac(b"abc") == b"abc"
