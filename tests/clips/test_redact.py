"""What leaves the house of a clip: what was asked for, and nothing else."""

import hashlib
from itertools import pairwise
from pathlib import Path
import subprocess
import sys

import av
import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.ringwatch.clips.redact import RedactError, Redaction, redact
from custom_components.ringwatch.vision import Box

from ..video.samples import sample
from .test_export import clip, faststart, kinds, packets

FACE: Box = (0.25, 0.25, 0.5, 0.5)
SECRETS = ("Front door of 12 Elm Street", "+47.6062-122.3321", "AcmeCam 3000", "Ringwatch")


def noisy(folder: Path, *, seconds: float = 3.0, width: int = 160, height: int = 120) -> Path:
    """Return a file of fresh noise in each picture: any pixel that is left can be told."""
    path = folder / "noisy.mp4"
    random = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "10", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(round(seconds * 10)):
            pixels = random.integers(0, 255, (height, width, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path


def lumas(path: Path) -> list[NDArray[np.float64]]:
    """Decode a file; brightness."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]


def likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return how alike the details of two parts are, 0..1."""
    if other.std() < 1:
        return 0.0  # one flat color
    return abs(float(np.corrcoef(one.ravel(), other.ravel())[0, 1]))


def part(picture: NDArray[np.float64], box: Box) -> NDArray[np.float64]:
    """Cut out a box."""
    height, width = picture.shape
    left, top, right, bottom = box
    return picture[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def test_a_whole_clip_is_copied_without_sound(tmp_path: Path) -> None:
    source, target = clip(tmp_path, audio="aac", audio_seconds=4.0), tmp_path / "out.mp4"
    done = redact(source, target, Redaction())
    assert kinds(target) == ["video"]
    assert not done.encoded
    assert not done.has_sound
    assert (done.width_px, done.height_px) == (160, 120)
    assert done.duration_s == pytest.approx(4.0, abs=0.01)
    assert done.size_bytes == target.stat().st_size
    assert done.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert faststart(target)
    assert [picture.tobytes() for picture in lumas(target)] == [p.tobytes() for p in lumas(source)]


def test_sound_stays_only_if_asked_for(tmp_path: Path) -> None:
    source, target = clip(tmp_path, audio="aac", audio_seconds=4.0), tmp_path / "out.mp4"
    done = redact(source, target, Redaction(start_s=1.0, end_s=3.0, mute=False))
    assert done.has_sound
    sound = [at_s for at_s, _ in packets(target, "audio")]
    assert sound[0] == pytest.approx(0.0, abs=0.05)
    assert sound[-1] < 2.0


def test_sound_stays_beside_pictures_that_are_encoded_anew(tmp_path: Path) -> None:
    source, target = clip(tmp_path, audio="aac", audio_seconds=4.0), tmp_path / "out.mp4"
    done = redact(source, target, Redaction(mute=False, blur=(FACE,)))
    assert done.has_sound
    assert done.encoded
    assert len(lumas(target)) == len(lumas(source))
    assert [at_s for at_s, _ in packets(target, "audio")][-1] > 3.5


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(("start_s", "end_s"), [(1.0, 3.0), (1.35, 2.95), (0.0, 0.55), (3.9, None)])
def test_what_is_cut_is_not_in_the_file(
    tmp_path: Path, start_s: float, end_s: float | None, b_frames: int
) -> None:
    source, target = clip(tmp_path, b_frames=b_frames), tmp_path / "out.mp4"
    done = redact(source, target, Redaction(start_s=start_s, end_s=end_s))
    with av.open(str(source)) as container:
        times = [frame.time or 0.0 for frame in container.decode(video=0)]
    begin = start_s + times[0] * 0  # the clip's own clock begins at its first picture
    wanted = [i for i, at in enumerate(times) if at >= begin - 0.02 and (end_s is None or at < end_s)]
    got, originals = lumas(target), lumas(source)
    assert len(got) == len(wanted)
    for picture, index in zip(got, wanted, strict=True):
        assert np.abs(picture - originals[index]).mean() < 4
    assert done.encoded == (start_s not in {0.0, 1.0} or (b_frames > 0 and end_s is not None))


@pytest.mark.parametrize("box", [FACE, (0.0, 0.0, 0.1, 0.1), (0.9, 0.95, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)])
def test_nothing_of_a_blurred_box_is_left(tmp_path: Path, box: Box) -> None:
    source, target = noisy(tmp_path), tmp_path / "out.mp4"
    done = redact(source, target, Redaction(blur=(box,)))
    assert done.encoded
    before, after = lumas(source), lumas(target)
    assert len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        hidden = part(other, box)
        assert len(np.unique(np.round(hidden / 12))) <= 12  # a few flat cells
        assert likeness(part(one, box), hidden) < 0.25
    if box == FACE:
        assert likeness(before[0][:, 90:], after[0][:, 90:]) > 0.9


def twins(folder: Path, box: Box) -> tuple[Path, Path]:
    """Return two files, without loss, whose pictures differ in a box only."""
    paths = folder / "one.mp4", folder / "other.mp4"
    area = tuple(round(edge * size) for edge, size in zip(box, (160, 120, 160, 120), strict=True))
    for path in paths:
        same, own = np.random.default_rng(1), np.random.default_rng(len(path.name))
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"qp": "0", "g": "10"})
            stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
            for _ in range(20):
                planes = same.integers(16, 235, (180, 160), np.uint8)
                luma, chroma = planes[:120], planes[120:].reshape(2, 60, 80)
                left, top, right, bottom = area
                for layer, scale in ((luma, 1), (chroma[0], 2), (chroma[1], 2)):
                    inside = layer[top // scale : bottom // scale, left // scale : right // scale]
                    inside[:] = own.integers(16, 235, inside.shape, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
            container.mux(stream.encode(None))
    return paths


@pytest.mark.parametrize("box", [FACE, (0.0, 0.0, 0.25, 0.2), (0.0, 0.0, 1.0, 1.0)])
@pytest.mark.parametrize("moves", [False, True])
def test_what_is_hidden_makes_no_difference_at_all(tmp_path: Path, box: Box, moves: bool) -> None:
    """So no number of pictures, and no cleverness, can bring it back."""
    one, other = twins(tmp_path, box)
    assert one.read_bytes() != other.read_bytes()
    outs = [tmp_path / "out1.mp4", tmp_path / "out2.mp4"]
    for source, target in zip((one, other), outs, strict=True):
        if moves:
            redact(source, target, Redaction(), moving=lambda _: [box])
        else:
            redact(source, target, Redaction(blur=(box,)))
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert len(lumas(outs[0])) == 20


def test_boxes_that_move_hide_what_they_are_over_and_nothing_else(tmp_path: Path) -> None:
    source, target = noisy(tmp_path), tmp_path / "out.mp4"

    def moving(at_s: float) -> list[Box]:
        return [(at_s / 4, 0.25, at_s / 4 + 0.25, 0.75)] if at_s < 2.0 else []

    done = redact(source, target, Redaction(start_s=0.5), moving=moving)
    assert done.encoded
    for number, (one, other) in enumerate(zip(lumas(source)[5:], lumas(target), strict=True), 5):
        boxes = moving(number / 10)
        for box in boxes:
            assert likeness(part(one, box), part(other, box)) < 0.25
        right = boxes[0][2] if boxes else 0.0
        assert (
            likeness(part(one, (right + 0.02, 0.0, 1.0, 1.0)), part(other, (right + 0.02, 0.0, 1.0, 1.0)))
            > 0.9
        )


def test_a_film_in_which_nothing_has_to_be_hidden_is_encoded_anew_all_the_same(tmp_path: Path) -> None:
    """Or its bytes would tell whether there was a face."""
    source, target = clip(tmp_path), tmp_path / "out.mp4"
    assert redact(source, target, Redaction(), moving=lambda _: ()).encoded


def test_a_mosaic_of_the_place_stays_for_half_a_second(tmp_path: Path) -> None:
    """Many pictures together give no more than one, whatever moves beneath the cells."""
    source, target = noisy(tmp_path), tmp_path / "out.mp4"
    redact(source, target, Redaction(keep_only=FACE))
    hidden = [part(picture, (0.6, 0.0, 1.0, 1.0)) for picture in lumas(target)]
    changes = [float(np.abs(b - a).mean()) for a, b in pairwise(hidden)]
    still = [change for number, change in enumerate(changes, 1) if number % 5]
    assert max(still) < 2.0


def test_everything_but_a_box_is_hidden(tmp_path: Path) -> None:
    source, target = noisy(tmp_path), tmp_path / "out.mp4"
    redact(source, target, Redaction(keep_only=FACE))
    for one, other in zip(lumas(source), lumas(target), strict=True):
        assert likeness(part(one, FACE), part(other, FACE)) > 0.9
        for outside in ((0.0, 0.0, 1.0, 0.25), (0.5, 0.0, 1.0, 1.0), (0.0, 0.5, 1.0, 1.0)):
            assert likeness(part(one, outside), part(other, outside)) < 0.25


@pytest.mark.parametrize(("codec", "source_size"), [("hevc", (160, 120)), ("h264", (2560, 1440))])
def test_other_codings_and_sizes_become_what_every_browser_plays(
    tmp_path: Path, codec: str, source_size: tuple[int, int]
) -> None:
    width, height = source_size
    source = tmp_path / "in.mp4"
    source.write_bytes(sample("mp4", codec, width=width, height=height, seconds=1.0))
    done = redact(source, tmp_path / "out.mp4", Redaction(blur=((0.0, 0.0, 0.1, 0.1),)))
    assert done.height_px == min(height, 1080)
    assert done.width_px == round(width * done.height_px / height)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"


@pytest.mark.parametrize("blur", [(), (FACE,)])
def test_names_places_and_devices_stay_at_home(tmp_path: Path, blur: tuple[Box, ...]) -> None:
    plain, source, target = clip(tmp_path), tmp_path / "tagged.mp4", tmp_path / "out.mp4"
    with (
        av.open(str(plain)) as reader,
        av.open(str(source), "w", options={"movflags": "use_metadata_tags"}) as writer,
    ):
        writer.metadata.update(
            {
                "title": SECRETS[0],
                "location": SECRETS[1],
                "make": SECRETS[2],
                "creation_time": "2026-11-23T12:00:00Z",
            }
        )
        output = writer.add_stream_from_template(reader.streams.video[0])
        output.metadata["handler_name"] = SECRETS[0]
        # What cameras write between the pictures: user data, as SEI.
        named = av.bitstream.BitStreamFilterContext(
            f"h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{SECRETS[3]}", output, output
        )
        for packet in reader.demux(video=0):
            packet.stream = output
            for tagged in named.filter(packet if packet.size else None):
                tagged.stream = output
                writer.mux(tagged)
    inside = source.read_bytes()
    assert all(secret.encode() in inside for secret in SECRETS)
    redact(source, target, Redaction(blur=blur))
    data = target.read_bytes()
    assert not [secret for secret in (*SECRETS, "Lavf", "x264", "2026") if secret.encode() in data]
    with av.open(str(target)) as container:
        assert "creation_time" not in container.metadata
    assert len(lumas(target)) == len(lumas(plain))


def test_a_clip_that_nothing_is_left_of_is_refused(tmp_path: Path) -> None:
    source, target = clip(tmp_path), tmp_path / "out.mp4"
    with pytest.raises(RedactError, match="nothing_left"):
        redact(source, target, Redaction(start_s=60.0))
    source.write_bytes(b"no clip at all")
    with pytest.raises(RedactError, match="unreadable"):
        redact(source, target, Redaction())
    assert list(tmp_path.iterdir()) == [source]


def test_a_disk_that_is_full_is_said_as_such(tmp_path: Path) -> None:
    source = clip(tmp_path)
    with pytest.raises(OSError, match="No such file"):
        redact(source, tmp_path / "missing" / "out.mp4", Redaction())


def test_ffprobe_like_readers_find_one_stream_that_plays(tmp_path: Path) -> None:
    """Another process, so that nothing of this one's state helps it."""
    source, target = clip(tmp_path), tmp_path / "out.mp4"
    redact(source, target, Redaction(start_s=1.0, end_s=2.0))
    code = "import av,sys; print(sum(1 for _ in av.open(sys.argv[1]).decode(video=0)))"
    found = subprocess.run(
        [sys.executable, "-c", code, str(target)], capture_output=True, check=True, text=True
    )
    assert found.stdout.strip() == "10"
