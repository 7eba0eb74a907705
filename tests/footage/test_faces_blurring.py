"""Faces are followed through a clip, and hidden between two looks, before the first and after the last.

A square of noise plays the face, and whatever finds it is a function of pictures as the real finder is.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
from hypothesis import given, strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.ringwatch.clips.redact import RedactError, Redaction
from custom_components.ringwatch.footage.blurring import (
    CARRY_S,
    LINK_S,
    LOOK_EVERY_S,
    BlurringStoppedError,
    Faces,
    blur_faces,
    find_faces,
)
from custom_components.ringwatch.footage.faces import Found, Kind
from custom_components.ringwatch.vision import Box

from ..clips.test_export import clip, kinds

FPS, WIDTH, HEIGHT, SIZE = 15, 320, 240, 24
GRAY = 96


def film(path: Path, places: Sequence[tuple[int, int] | None]) -> Path:
    """Write a gray film with a checkered square at these places (left, top), one a picture."""
    pattern = ((np.indices((SIZE, SIZE)).sum(axis=0) // 3) % 2 * 200 + 30).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "12", "g": "15"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for place in places:
            pixels = np.full((HEIGHT, WIDTH, 3), GRAY, np.uint8)
            if place is not None:
                pixels[place[1] : place[1] + SIZE, place[0] : place[0] + SIZE] = pattern[..., np.newaxis]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path


def find_square(frame: NDArray[np.uint8]) -> list[Found]:
    """Find what isn't gray."""
    rows, columns = np.nonzero(np.abs(frame[..., 1].astype(int) - GRAY) > 40)
    if len(rows) < SIZE:
        return []
    box = (
        columns.min() / WIDTH,
        rows.min() / HEIGHT,
        (columns.max() + 1) / WIDTH,
        (rows.max() + 1) / HEIGHT,
    )
    return [Found(box, 0.9, Kind.FACE, sure=True)]


def detail(path: Path) -> list[float]:
    """Return how much of the square's pattern is left in each picture: neighbors that differ much."""
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    return [float((np.abs(np.diff(picture, axis=1)) > 60).sum()) for picture in pictures]


def test_a_face_that_crosses_the_picture_is_in_no_picture_of_the_file(tmp_path: Path) -> None:
    places = [(4 + 6 * number, 60 + number) for number in range(45)]
    source, target = film(tmp_path / "in.mp4", places), tmp_path / "out.mp4"
    done = blur_faces(source, target, Redaction(), find_square)
    assert done.faces == 1
    assert done.redacted.encoded
    assert min(detail(source)) > 100
    assert max(detail(target)) == 0


def test_a_face_is_hidden_though_it_is_not_found_in_every_picture(tmp_path: Path) -> None:
    """A second of looks fails, as when a head turns."""
    places = [(40 + 2 * number, 80) for number in range(75)]
    source, target = film(tmp_path / "in.mp4", places), tmp_path / "out.mp4"
    looks = 0

    def forgetful(frame: NDArray[np.uint8]) -> list[Found]:
        nonlocal looks
        looks += 1
        return [] if looks <= 3 or 10 <= looks < 14 or looks > 22 else find_square(frame)

    done = blur_faces(source, target, Redaction(), forgetful)
    assert done.faces == 1
    assert 24 <= looks <= 26  # of 5 s, five a second
    assert max(detail(target)) == 0


def test_what_is_not_found_at_all_stays_and_far_from_a_face_nothing_is_hidden(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", [None] * 30 + [(200, 100)] * 30 + [None] * 30)
    done = blur_faces(source, tmp_path / "none.mp4", Redaction(), lambda _: [])
    assert done.faces == 0
    assert sum(value > 100 for value in detail(tmp_path / "none.mp4")) == 30
    faces = find_faces(source, find_square)
    for at_s in np.arange(0.0, 6.0, 0.1):
        boxes = faces.boxes(at_s)
        near = 2.0 - CARRY_S - 0.01 <= at_s <= 4.0 + CARRY_S + 0.01
        assert bool(boxes) == near or abs(at_s - 1.0) < 0.3 or abs(at_s - 5.0) < 0.3
        assert all(box[2] - box[0] < 0.3 for box in boxes)


def test_a_part_of_a_clip_is_looked_at_with_what_is_just_outside(tmp_path: Path) -> None:
    """The face is seen only before and after what is kept, where the finder sees it."""
    places = [(100, 60) if number < 20 else (104, 60) for number in range(75)]
    source = film(tmp_path / "in.mp4", places)
    seen: list[float] = []

    def early(frame: NDArray[np.uint8]) -> list[Found]:
        seen.append(1.0)
        return find_square(frame) if len(seen) <= 5 else []

    wanted = Redaction(start_s=2.0, end_s=2.8)
    blur_faces(source, tmp_path / "out.mp4", wanted, early)
    assert len(seen) < 20  # not the whole of it
    assert max(detail(tmp_path / "out.mp4")) == 0
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12


@pytest.mark.parametrize("mute", [True, False])
def test_sound_is_gone_not_silenced(tmp_path: Path, mute: bool) -> None:
    source = clip(tmp_path, audio="aac", audio_seconds=4.0)
    done = blur_faces(source, tmp_path / "out.mp4", Redaction(mute=mute), lambda _: [])
    assert kinds(tmp_path / "out.mp4") == (["video"] if mute else ["video", "audio"])
    assert done.redacted.has_sound is not mute


def test_the_same_clip_gives_the_same_bytes(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", [(40 + number, 80) for number in range(30)])
    one, other = (blur_faces(source, tmp_path / name, Redaction(), find_square) for name in ("a", "b"))
    assert one == other


def test_it_stops_when_nobody_wants_it_any_more(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", [None] * 30)
    with pytest.raises(BlurringStoppedError):
        blur_faces(source, tmp_path / "out.mp4", Redaction(), find_square, stopped=lambda: True)
    assert not (tmp_path / "out.mp4").exists()
    source.write_bytes(b"no film")
    with pytest.raises(RedactError, match="unreadable"):
        find_faces(source, find_square)


def at(x: float, y: float, *, sure: bool = True, kind: Kind = Kind.FACE, size: float = 0.1) -> Found:
    return Found((x, y, x + size, y + size), 0.9 if sure else 0.5, kind, sure)


def inside(box: Box, boxes: Sequence[Box]) -> bool:
    """Tell whether one of the boxes holds a whole box."""
    return any(
        b[0] <= box[0] + 1e-9 and b[1] <= box[1] + 1e-9 and b[2] >= box[2] - 1e-9 and b[3] >= box[3] - 1e-9
        for b in boxes
    )


def test_what_is_doubtful_counts_only_beside_what_is_sure() -> None:
    doubtful = [(n * LOOK_EVERY_S, [at(0.2, 0.2, sure=False)]) for n in range(5)]
    assert Faces(doubtful).count == 0
    later = [(1.0 + n * LOOK_EVERY_S, [at(0.22, 0.2)]) for n in range(2)]
    faces = Faces([*doubtful, *later])
    assert faces.count == 1
    assert inside((0.2, 0.2, 0.3, 0.3), faces.boxes(0.0))


def test_two_faces_are_two_tracks_and_one_that_left_for_long_is_another() -> None:
    both = [(n * LOOK_EVERY_S, [at(0.1, 0.2), at(0.7, 0.2)]) for n in range(5)]
    assert Faces(both).count == 2
    again_s = both[-1][0] + LINK_S + 0.5
    assert Faces([*both, (again_s, [at(0.1, 0.2)])]).count == 3
    assert Faces([(0.0, [at(0.1, 0.2), at(0.1, 0.2, kind=Kind.HEAD)])]).count == 2


def test_what_is_of_quite_another_size_is_not_taken_for_a_face() -> None:
    """A plant that is doubtfully a person doesn't become one by a face in front of it."""
    plant = at(0.0, 0.0, size=0.5, sure=False)
    looks = [(n * LOOK_EVERY_S, [plant, at(0.2, 0.2)] if n % 2 else [plant]) for n in range(8)]
    faces = Faces(looks)
    assert faces.count == 1
    assert all(right - left < 0.4 for left, _, right, _ in faces.boxes(0.7))


@given(
    st.lists(st.tuples(st.floats(0, 0.9), st.floats(0, 0.9)), min_size=2, max_size=8),
    st.floats(0, 1),
)
def test_the_way_between_two_looks_is_hidden(places: list[tuple[float, float]], part: float) -> None:
    """However fast it goes, as long as it is taken for the same face."""
    looks = [(n * LOOK_EVERY_S, [at(*place)]) for n, place in enumerate(places)]
    faces = Faces(looks)
    for number, place in enumerate(places):
        assert inside((*place, place[0] + 0.1, place[1] + 0.1), faces.boxes(number * LOOK_EVERY_S))
    if faces.count > 1:
        return
    for number, ((x, y), (next_x, next_y)) in enumerate(pairwise(places)):
        now_x, now_y = x + (next_x - x) * part, y + (next_y - y) * part
        boxes = faces.boxes((number + part) * LOOK_EVERY_S)
        assert inside((now_x, now_y, now_x + 0.1, now_y + 0.1), boxes)


@given(st.floats(-0.4, 0.4), st.floats(0, 0.95))
def test_a_face_goes_on_as_it_went_for_a_second(speed: float, later_s: float) -> None:
    looks = [(n * LOOK_EVERY_S, [at(0.45 + speed * n * LOOK_EVERY_S, 0.4)]) for n in range(4)]
    faces = Faces(looks)
    assert faces.count == 1
    for at_s in (looks[-1][0] + later_s, -later_s):
        x = 0.45 + speed * at_s
        if 0 <= x <= 0.9:
            assert inside((x, 0.4, x + 0.1, 0.5), faces.boxes(at_s))
    assert faces.boxes(looks[-1][0] + CARRY_S + 0.01) == faces.boxes(-CARRY_S - 0.01) == ()
