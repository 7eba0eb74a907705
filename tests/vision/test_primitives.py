"""The pixel primitives: OpenCV's and NumPy's forms agree exactly."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.ringwatch.vision import resize_mask, select_primitives
from custom_components.ringwatch.vision.primitives import analysis_factor, area_average

NUMPY = select_primitives("numpy")
OPENCV = select_primitives("opencv")


@st.composite
def frames(draw: st.DrawFn) -> np.ndarray:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.integers(1, 256))
    return rng.integers(0, levels, (height, width), dtype=np.uint8)


@given(frames())
def test_minimum_and_maximum_agree(frame: np.ndarray) -> None:
    np.testing.assert_array_equal(NUMPY.minimum3(frame), OPENCV.minimum3(frame))
    np.testing.assert_array_equal(NUMPY.maximum3(frame), OPENCV.maximum3(frame))


@given(frames(), st.floats(0, 1))
def test_median_agrees(frame: np.ndarray, share: float) -> None:
    mask = (frame < 256 * share).view(np.uint8)
    np.testing.assert_array_equal(NUMPY.median3(mask), OPENCV.median3(mask))


@settings(deadline=None)
@given(frames(), st.floats(0, 1))
def test_components_agree_but_for_their_order(frame: np.ndarray, share: float) -> None:
    mask = frame < 256 * share
    ours, theirs = NUMPY.components(mask), OPENCV.components(mask)
    assert len(ours.areas) == len(theirs.areas)
    np.testing.assert_array_equal(ours.labels > 0, mask)
    for label in range(1, len(ours.areas) + 1):
        where = ours.labels == label
        (other,) = np.unique(theirs.labels[where])
        assert np.array_equal(theirs.labels == other, where)
        assert ours.areas[label - 1] == theirs.areas[other - 1] == where.sum()
        np.testing.assert_array_equal(ours.boxes[label - 1], theirs.boxes[other - 1])
        np.testing.assert_allclose(ours.centers[label - 1], theirs.centers[other - 1], atol=1e-6)


def test_a_spiral_is_one_component() -> None:
    mask = np.zeros((41, 41), np.bool_)
    for ring in range(0, 20, 2):
        mask[ring, ring : 41 - ring] = True
        mask[ring : 41 - ring, 40 - ring] = True
        mask[40 - ring, ring : 41 - ring] = True
        mask[ring + 2 : 41 - ring, ring] = True
        mask[ring + 2, ring : ring + 2] = True
    assert len(NUMPY.components(mask).areas) == 1


@given(frames(), st.integers(1, 12))
def test_the_average_is_the_mean_of_the_rows_that_are_read(frame: np.ndarray, factor: int) -> None:
    small = area_average(frame, factor)
    assert small.shape == (frame.shape[0] // factor, frame.shape[1] // factor)
    if factor <= 4 and small.size:
        height, width = small.shape
        cells = frame[: height * factor, : width * factor].reshape(height, factor, width, factor)
        np.testing.assert_allclose(small, cells.mean(axis=(1, 3)), atol=0.5001)


def test_the_average_reads_a_strided_view_and_leaves_it_alone() -> None:
    buffer = np.full((64, 96), 7, np.uint8)
    buffer[:, :80] = 100
    view = buffer[:, :80]
    view.flags.writeable = False
    assert (area_average(view, 8) == 100).all()


@pytest.mark.parametrize(
    ("height", "width"), [(240, 320), (480, 640), (720, 1280), (1080, 1920), (1920, 1080), (2160, 3840)]
)
def test_every_camera_is_analyzed_at_about_the_same_number_of_pixels(height: int, width: int) -> None:
    factor = analysis_factor(height, width)
    assert 10_000 < (height // factor) * (width // factor) < 26_000


def test_a_mask_is_scaled_back_to_the_pixels_it_came_from() -> None:
    mask = np.array([[True, False], [False, True]])
    full = resize_mask(mask, 3, 7, 8)
    assert full.shape == (7, 8)
    assert full[:3, :3].all()
    assert full[3:, 3:].all()
    assert full.sum() == 9 + 4 * 5
