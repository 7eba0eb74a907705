"""The files of an answer: cut, muted and hidden as the owner wants, and nothing of the original in them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
import errno
import hashlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ringwatch.clips import Clip
from ringwatch.footage import prepare as preparing
from ringwatch.footage.answer_states import Answer, Prepared, Selection
from ringwatch.footage.faces import Found, Kind
from ringwatch.footage.limits import MAX_CLIPS
from ringwatch.footage.parties import Identity
from ringwatch.footage.prepare import PrepareError, Workshop, prepare

from .giving import NEIGHBORHOOD, NOON_S, REQUEST_RECORD

START = datetime.fromtimestamp(NOON_S - 5_000, UTC)
SECONDS, FPS = 4, 10
COMMENT = "12 Maple Street, Front door"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 4 s of a picture that is brighter each second, with a tone, and words in its header."""
    path = tmp_path_factory.mktemp("film") / "clip.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = COMMENT
        video = container.add_stream("libx264", rate=FPS, options={"g": "10", "bf": "0"})
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        audio = container.add_stream("aac", rate=16_000, layout="mono")
        for number in range(SECONDS * FPS):
            picture = np.full((240, 320, 3), 40 + 50 * (number // FPS), np.uint8)
            picture[100:140, 140:180] = np.random.default_rng(number).integers(0, 256, (40, 40, 3), np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for at in range(0, SECONDS * 16_000, 1_000):
            tone = (8_000 * np.sin(np.arange(at, at + 1_000) / 5)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, at
            container.mux(audio.encode(frame))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def clip(clip_id: str = "c1", **changes: Any) -> Clip:
    fields: dict[str, Any] = {
        "id": clip_id,
        "recording": "r",
        "part": 0,
        "camera_id": "front",
        "camera_name": "Front door",
        "start": START,
        "end": START + timedelta(seconds=SECONDS),
        "onset": None,
        "utc_offset_s": 0,
        "clock_offset_s": None,
        "triggers": frozenset(),
        "zones": frozenset(),
        "score": 0.0,
        "reason": None,
        "moments": (),
        "codec": "h264",
        "width": 320,
        "height": 240,
        "has_sound": True,
        "masked": False,
    }
    return Clip(**(fields | changes))


def no_faces(frame: Any) -> Sequence[Found]:
    return ()


def made(
    folder: Path,
    film: Path,
    *selections: Selection,
    clips: dict[str, Clip] | None = None,
    identity: Identity = Identity(),  # noqa: B008  frozen
    **workshop: Any,
) -> tuple[Prepared, ...]:
    answer = Answer("id", NEIGHBORHOOD, REQUEST_RECORD.id, selections, identity, 1, 1)
    shop = Workshop(lambda found: film, **({"find": no_faces} | workshop))
    return prepare(answer, {"c1": clip()} if clips is None else clips, folder / "out", shop)


def probe(path: Path) -> tuple[float, bool]:
    with av.open(str(path)) as found:
        return float((found.duration or 0) / av.time_base), bool(found.streams.audio)


def test_a_clip_is_cut_muted_and_described(tmp_path: Path, film: Path) -> None:
    [one] = made(tmp_path, film, Selection("c1", start_s=1.0, end_s=3.0))
    file = tmp_path / "out" / "clip-01.mp4"
    duration_s, has_sound = probe(file)
    assert duration_s == pytest.approx(2.0, abs=0.11)
    assert not has_sound
    data = file.read_bytes()
    assert (one.clip.size_bytes, one.clip.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert one.clip.start_ms == (NOON_S - 5_000 + 1) * 1000
    assert one.clip.end_ms - one.clip.start_ms == pytest.approx(2_000, abs=110)
    assert one.clip.original.sha256 == hashlib.sha256(film.read_bytes()).hexdigest()
    assert one.clip.original.size_bytes == film.stat().st_size
    assert one.clip.original.end_ms - one.clip.original.start_ms == SECONDS * 1000
    changes = one.clip.changes
    assert (changes.trimmed, changes.muted, changes.faces_blurred, changes.encoded) == (
        True,
        True,
        True,
        True,
    )
    assert one.clip.clock.offset_ms is None
    assert one.clip.camera == "Camera 1"


@pytest.mark.parametrize("kind", ["anonymous", "name", "address"])
def test_a_camera_goes_by_its_name_only_with_the_address(tmp_path: Path, film: Path, kind: str) -> None:
    """Owners name cameras after people and streets."""
    clips = {
        "c1": clip(camera_id="a", camera_name="Anna's porch, 12 Elm Street"),
        "c2": clip(id="c2", camera_id="b", camera_name="Garage"),
        "c3": clip(id="c3", camera_id="a", camera_name="Anna's porch, 12 Elm Street"),
    }
    selections = [Selection(one, blur_faces=False) for one in clips]
    identity = Identity.of(kind, "Anna", "12 Elm Street")
    found = made(tmp_path, film, *selections, clips=clips, identity=identity)
    anna = "Anna's porch, 12 Elm Street"
    names = [anna, "Garage", anna] if kind == "address" else ["Camera 1", "Camera 2", "Camera 1"]
    assert [one.clip.camera for one in found] == names


def test_an_untouched_clip_goes_without_what_the_camera_wrote(tmp_path: Path, film: Path) -> None:
    assert COMMENT.encode() in film.read_bytes()
    [one] = made(tmp_path, film, Selection("c1", mute=False, blur_faces=False))
    data = (tmp_path / "out" / "clip-01.mp4").read_bytes()
    assert COMMENT.encode() not in data
    assert probe(tmp_path / "out" / "clip-01.mp4")[1]
    changes = one.clip.changes
    assert not any(
        (changes.trimmed, changes.muted, changes.faces_blurred, changes.encoded, changes.keep_only)
    )
    assert one.clip.sha256 != one.clip.original.sha256


def test_what_is_hidden_is_counted(tmp_path: Path, film: Path) -> None:
    boxes = ((0.4, 0.4, 0.6, 0.6), (0.0, 0.0, 0.1, 0.1))
    selection = Selection("c1", boxes=boxes, keep_only=(0.0, 0.0, 0.5, 1.0), blur_faces=False)
    [one] = made(tmp_path, film, selection, clips={"c1": clip(masked=True, clock_offset_s=-0.25)})
    assert (one.clip.changes.boxes, one.clip.changes.keep_only, one.clip.changes.masked) == (2, True, True)
    assert one.clip.clock.offset_ms == -250


def test_faces_are_hidden_where_they_are_found(tmp_path: Path, film: Path) -> None:
    """The finder says where the noise is: in the file that is sent, it is flat."""

    def find(frame: Any) -> Sequence[Found]:
        return (Found(box=(0.42, 0.4, 0.58, 0.6), score=0.99, kind=Kind.FACE, sure=True),)

    [one] = made(tmp_path, film, Selection("c1"), find=find)
    assert one.clip.changes.faces_blurred

    def roughness(path: Path) -> float:
        with av.open(str(path)) as found:
            frame = next(found.decode(video=0)).to_ndarray(format="gray")
        return float(np.abs(np.diff(frame[100:140, 140:180].astype(int))).mean())

    assert roughness(film) > 20
    assert roughness(tmp_path / "out" / "clip-01.mp4") < 6


def test_without_a_way_to_find_faces_nothing_is_made(tmp_path: Path, film: Path) -> None:
    with pytest.raises(PrepareError, match="no_face_model"):
        made(tmp_path, film, Selection("c1", blur_faces=False), Selection("c1"), find=None)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("selection", "code"),
    [
        (Selection("c1", start_s=3.0, end_s=2.0), "bad_selection"),
        (Selection("c1", start_s=-1.0), "bad_selection"),
        (Selection("c1", start_s=float("nan")), "bad_selection"),
        (Selection("c1", start_s=99.0), "bad_selection"),
        (Selection("c1", boxes=((0.5, 0.5, 0.4, 0.6),)), "bad_selection"),
        (Selection("c1", boxes=((0.5, 0.5, 1.5, 0.6),)), "bad_selection"),
        (Selection("c1", keep_only=(0.1, 0.1, 0.1, 0.1)), "bad_selection"),
        (Selection("gone"), "clip_gone"),
    ],
)
def test_what_cant_be_is_refused(tmp_path: Path, film: Path, selection: Selection, code: str) -> None:
    with pytest.raises(PrepareError) as raised:
        made(tmp_path, film, selection)
    assert raised.value.code == code
    assert raised.value.clip_id in {"c1", "gone"}
    assert not (tmp_path / "out").exists()


def test_an_answer_has_limits(tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PrepareError, match="too_many_clips"):
        made(tmp_path, film, *[Selection("c1")] * (MAX_CLIPS + 1))
    with pytest.raises(PrepareError, match="nothing_left"):
        made(tmp_path, film)
    long = {"c1": clip(end=START + timedelta(seconds=301))}
    with pytest.raises(PrepareError, match="too_long"):
        made(tmp_path, film, Selection("c1"), Selection("c1"), clips=long)
    monkeypatch.setattr(preparing, "MAX_BYTES", 10_000)
    with pytest.raises(PrepareError, match="too_large"):
        made(tmp_path, film, Selection("c1"), Selection("c1"))
    assert not (tmp_path / "out").exists()


def test_a_clip_whose_file_is_gone_or_broken(tmp_path: Path, film: Path) -> None:
    with pytest.raises(PrepareError, match="clip_gone"):
        made(tmp_path, tmp_path / "nothing.mp4", Selection("c1"))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(film.read_bytes()[:500])
    with pytest.raises(PrepareError, match="unreadable"):
        made(tmp_path, broken, Selection("c1"))
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **more: Any) -> Any:
        (tmp_path / "out" / "half").write_bytes(b"")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(preparing, "redact", full)
    with pytest.raises(PrepareError, match="disk_full"):
        made(tmp_path, film, Selection("c1", blur_faces=False))
    assert not (tmp_path / "out").exists()


def test_it_can_be_stopped(tmp_path: Path, film: Path) -> None:
    for blur in (True, False):
        with pytest.raises(PrepareError, match="cancelled"):
            made(tmp_path, film, Selection("c1", blur_faces=blur), stopped=lambda: True)
    assert not (tmp_path / "out").exists()


def test_files_are_the_owners_alone(tmp_path: Path, film: Path) -> None:
    made(tmp_path, film, Selection("c1"), Selection("c1", start_s=2.0))
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["clip-01.mp4", "clip-02.mp4"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "out").iterdir())
