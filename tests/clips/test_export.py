"""Copies of clips for somebody else."""

from pathlib import Path

import av
import pytest

from custom_components.ringwatch.clips.export import ExportError, export

from ..video.samples import sample
from .house import pictures


def clip(folder: Path, **kind: object) -> Path:
    """Return a file: 4 s at 10 pictures a second, a key frame every second."""
    path = folder / "clip.mp4"
    path.write_bytes(sample("mp4", **{"seconds": 4.0, **kind}))  # type: ignore[arg-type]
    return path


def packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """Return times and contents of a track's packets."""
    with av.open(str(path)) as container:
        [stream] = [found for found in container.streams if found.type == kind]
        return [
            (float((packet.pts or 0) * (packet.time_base or 0)), bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]


def kinds(path: Path) -> list[str]:
    """Return the tracks of a file."""
    with av.open(str(path)) as container:
        return [stream.type for stream in container.streams]


def faststart(path: Path) -> bool:
    """Tell whether a player can begin before it has the whole file."""
    data = path.read_bytes()
    return data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_whole_copy_has_the_same_pictures_and_sound(tmp_path: Path, b_frames: int) -> None:
    source, target = clip(tmp_path, audio="aac", audio_seconds=4.0, b_frames=b_frames), tmp_path / "copy.mp4"
    done = export(source, target)
    assert faststart(target)
    assert done.size_bytes == target.stat().st_size
    assert (done.start_s, done.end_s) == (0.0, pytest.approx(4.0, abs=0.3))
    for kind in ("video", "audio"):
        # The encoder's first packet of sound is from before the first picture, and empty.
        before = [(time_s, data) for time_s, data in packets(source, kind) if time_s >= 0]
        after = packets(target, kind)
        assert [data for _, data in after] == [data for _, data in before]
        assert [time_s for time_s, _ in after] == pytest.approx([time_s for time_s, _ in before], abs=0.002)


def test_a_part_begins_at_the_key_frame_before_and_holds_what_was_asked_for(tmp_path: Path) -> None:
    source, target = clip(tmp_path, audio="aac", audio_seconds=4.0), tmp_path / "part.mp4"
    done = export(source, target, start_s=1.5, end_s=2.75)
    assert done.start_s == pytest.approx(1.0)
    assert done.end_s == pytest.approx(2.8, abs=0.15)
    assert [p.tobytes() for p in pictures(target)] == [p.tobytes() for p in pictures(source)[10:28]]
    sound = packets(target, "audio")
    assert sound[0][0] == pytest.approx(0.0, abs=0.13)  # a packet of this sound is 0.128 s
    assert sound[-1][0] == pytest.approx(1.75, abs=0.26)


def test_without_sound_if_wished(tmp_path: Path) -> None:
    source, target = clip(tmp_path, audio="aac", audio_seconds=4.0), tmp_path / "mute.mp4"
    export(source, target, mute=True)
    assert kinds(source) == ["video", "audio"]
    assert kinds(target) == ["video"]


@pytest.mark.parametrize(("codec", "b_frames"), [("hevc", 0), ("h264", 2)])
@pytest.mark.parametrize(("start_s", "end_s", "count"), [(0.0, None, 40), (1.5, None, 30), (0.0, 2.0, 20)])
def test_another_coding_has_every_picture(
    tmp_path: Path, codec: str, b_frames: int, start_s: float, end_s: float | None, count: int
) -> None:
    source = clip(tmp_path, codec=codec, b_frames=b_frames, audio="aac", audio_seconds=4.0)
    target = tmp_path / "h264.mp4"
    done = export(source, target, start_s=start_s, end_s=end_s, h264=True)
    assert kinds(target) == ["video", "audio"]
    with av.open(str(target)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert faststart(target)
    first = round(10 * done.start_s)
    originals, copies = pictures(source)[first : first + count], pictures(target)
    assert len(copies) == count
    for original, copy in zip(originals, copies, strict=True):
        assert abs(original.astype(int) - copy).mean() < 3.0  # the same but for the coding


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\0\0\0\x10ftypisom\0\0\0\0" * 4])
def test_what_can_not_be_read_leaves_nothing_behind(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(content)
    with pytest.raises(ExportError) as refused:
        export(source, tmp_path / "copy.mp4")
    assert refused.value.code == "unreadable"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_what_is_after_the_end_is_nothing(tmp_path: Path) -> None:
    source = clip(tmp_path)
    with pytest.raises(ExportError) as refused:
        export(source, tmp_path / "copy.mp4", start_s=0.0, end_s=0.0)
    assert refused.value.code == "nothing_left"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_sound_without_pictures_is_no_clip(tmp_path: Path) -> None:
    source = tmp_path / "clip.m4a"
    with av.open(str(source), "w", format="mp4") as muxer, av.open(str(clip(tmp_path, audio="aac"))) as clip_:
        track = muxer.add_stream_from_template(clip_.streams.audio[0])
        for packet in clip_.demux(clip_.streams.audio[0]):
            if packet.size:
                packet.stream = track
                muxer.mux(packet)
    with pytest.raises(ExportError) as refused:
        export(source, tmp_path / "copy.mp4")
    assert refused.value.code == "unreadable"


def test_a_disk_that_does_not_do_says_so(tmp_path: Path) -> None:
    source = clip(tmp_path)
    with pytest.raises(FileNotFoundError):
        export(source, tmp_path / "nowhere" / "copy.mp4")
    with pytest.raises(FileNotFoundError):
        export(tmp_path / "gone.mp4", tmp_path / "copy.mp4")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    source = clip(tmp_path)
    (tmp_path / ".copy.mp4.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="space"):
        export(source, tmp_path / "copy.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
