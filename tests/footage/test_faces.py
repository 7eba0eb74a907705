"""The finder with its real models on real footage, skipped where they are not there; its arithmetic."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.ringwatch.clips.redact import Redaction
from custom_components.ringwatch.footage.blurring import blur_faces
from custom_components.ringwatch.footage.faces import FaceFinder, Found, Kind, _heads, suppress
from custom_components.ringwatch.footage.faces_model import FacesUnavailableError, check_faces

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
HALL = DATA / "motion" / "HallAndMonitor.mp4"
# The face of the man who comes nearer, marked by hand: picture -> left, top, right, bottom in pixels
FACES = {215: (196, 75, 207, 89), 230: (199, 75, 211, 89), 245: (199, 75, 210, 89), 260: (205, 72, 216, 88)}


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    try:
        check_faces(DATA / "models")
    except FacesUnavailableError as error:
        pytest.skip(f"faces can't be found here: {error.code} ({DATA / 'models'})")
    return FaceFinder(DATA / "models")


@pytest.fixture(scope="module")
def hall() -> list[NDArray[np.uint8]]:
    if not HALL.exists():
        pytest.skip(f"there is no footage in {HALL}")
    with av.open(str(HALL)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


type Mark = tuple[int, int, int, int]


def sure_faces(found: tuple[Found, ...], mark: Mark, shape: tuple[int, ...]) -> list[Found]:
    """Return the faces whose middle is in what was marked."""
    middles = [
        (one, (one.box[0] + one.box[2]) / 2 * shape[1], (one.box[1] + one.box[3]) / 2 * shape[0])
        for one in found
        if one.kind is Kind.FACE and one.sure
    ]
    return [one for one, x, y in middles if mark[0] <= x <= mark[2] and mark[1] <= y <= mark[3]]


def test_faces_of_fourteen_pixels_are_found(finder: FaceFinder, hall: list[NDArray[np.uint8]]) -> None:
    for number, mark in FACES.items():
        assert sure_faces(finder.find(hall[number]), mark, hall[number].shape), number


def test_a_head_from_behind_is_found(finder: FaceFinder, hall: list[NDArray[np.uint8]]) -> None:
    heads = [one.box for one in finder.find(hall[50]) if one.kind is Kind.HEAD and one.sure]
    left, top, right, bottom = 140 / 352, 60 / 240, 152 / 352, 76 / 240
    assert any(x0 <= left and y0 <= top and x1 >= right and y1 >= bottom for x0, y0, x1, y1 in heads)


def test_nothing_is_found_where_there_is_nothing(finder: FaceFinder, hall: list[NDArray[np.uint8]]) -> None:
    assert not [one for one in finder.find(hall[2]) if one.sure]
    assert finder.find(np.full((240, 320, 3), 128, np.uint8)) == ()


@pytest.mark.parametrize("size", [(16, 16), (217, 333), (640, 360), (120, 1999), (1080, 1920)])
def test_pictures_of_any_size_are_looked_at(finder: FaceFinder, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8)
    for one in finder.find(noise):
        assert 0 <= one.box[0] < one.box[2] <= 1
        assert 0 <= one.box[1] < one.box[3] <= 1


def test_the_same_picture_gives_the_same_faces(finder: FaceFinder, hall: list[NDArray[np.uint8]]) -> None:
    assert finder.find(hall[230]) == finder.find(hall[230]) == FaceFinder(DATA / "models").find(hall[230])


def test_no_face_is_left_in_what_would_be_sent(
    finder: FaceFinder, hall: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    wanted = Redaction(start_s=8.4, end_s=10.6)
    assert blur_faces(HALL, target, wanted, finder.find).faces > 0
    with av.open(str(target)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 55
    for number, mark in FACES.items():
        hidden = pictures[number - 210]
        assert not sure_faces(finder.find(hidden), mark, hidden.shape), number
        left, top, right, bottom = mark
        before = hall[number][top:bottom, left:right].astype(float)
        after = hidden[top:bottom, left:right].astype(float)
        assert after.std(axis=(0, 1)).max() < 12 < before.std(axis=(0, 1)).max()


def test_of_boxes_over_each_other_the_best_stays() -> None:
    rows = np.array([[0, 0, 10, 10, 0.5], [1, 1, 11, 11, 0.9], [20, 0, 30, 10, 0.4]], np.float32)
    assert suppress(rows, 0.4).tolist() == [rows[1].tolist(), rows[2].tolist()]
    assert suppress(rows, 0.99).shape == (3, 5)
    assert suppress(np.zeros((0, 5), np.float32), 0.4).shape == (0, 5)


def test_a_head_is_the_upper_part_of_who_stands_and_more_of_who_does_not() -> None:
    people = np.array([[0, 0, 40, 160, 1], [0, 0, 100, 100, 1], [0, 0, 200, 60, 1]], np.float32)
    assert _heads(people)[:, 3] == pytest.approx([40, 55, 60])
