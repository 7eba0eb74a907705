"""Pictures: luma in place, color told from none, JPEGs with nothing private in them."""

import io

import av
from hypothesis import given, settings, strategies as st
import numpy as np
from PIL import Image
import pytest

from custom_components.ringwatch.video import chroma_is_flat, encode_jpeg, luma_view
from custom_components.ringwatch.video.picture import cover

from .samples import picture


def frame(pixel_format: str, width: int = 162, height: int = 122) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(picture(3, width, height), format="rgb24").reformat(format=pixel_format)


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuvj420p", "nv12", "gray", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"]
)
def test_luma_is_a_view_of_the_frame(pixel_format: str) -> None:
    made = frame(pixel_format)
    luma = luma_view(made)
    plane = made.planes[0]
    assert luma.shape == (122, 162)
    assert luma.dtype == np.uint8
    assert not luma.flags.writeable
    assert np.may_share_memory(luma, np.frombuffer(plane, np.uint8))
    expected = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:122, :162]
    assert np.array_equal(luma, expected)


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "p010le", "yuv422p10le"])
def test_ten_bits_give_the_upper_eight(pixel_format: str) -> None:
    # At a width of 162 FFmpeg itself now and then spoils 16 bytes of a 10-bit picture that it scales.
    luma = luma_view(frame(pixel_format, 176, 144)).astype(int)
    assert luma.shape == (144, 176)
    assert np.abs(luma - luma_view(frame("yuv420p", 176, 144)).astype(int)).max() <= 1


def test_other_formats_are_converted() -> None:
    assert luma_view(frame("rgb24")).shape == (122, 162)


def test_a_view_outlives_its_frame() -> None:
    luma = luma_view(frame("yuv420p"))
    expected = luma_view(frame("yuv420p")).copy()
    for _ in range(20):
        frame("yuv420p")
    assert np.array_equal(luma, expected)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "nv12", "yuvj444p", "yuv420p10le"])
def test_infrared_is_told_from_color(pixel_format: str) -> None:
    assert not chroma_is_flat(frame(pixel_format))
    gray = frame("gray").reformat(format=pixel_format)
    assert chroma_is_flat(gray)
    assert chroma_is_flat(frame("gray"))


def test_a_little_color_somewhere_is_color() -> None:
    rgb = np.full((720, 1280, 3), 90, np.uint8)
    rgb[300:380, 600:680] = (120, 60, 60)
    made = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    assert not chroma_is_flat(made)


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def test_a_jpeg_of_the_picture() -> None:
    got = pixels(encode_jpeg(frame("yuv420p"), quality=95))
    assert got.shape == (122, 162, 3)
    assert np.abs(got.astype(int) - picture(3, 162, 122)).mean() < 4


def test_a_scaled_jpeg_is_never_larger() -> None:
    assert pixels(encode_jpeg(frame("yuv420p"), max_width=80)).shape == (60, 80, 3)
    assert pixels(encode_jpeg(frame("yuv420p"), max_width=800)).shape == (122, 162, 3)


@pytest.mark.parametrize("max_width", [0, 100])
@pytest.mark.parametrize("mask_size", [(9, 12), (122, 162), (400, 600)])
def test_what_is_private_is_black(mask_size: tuple[int, int], max_width: int) -> None:
    white = av.VideoFrame.from_ndarray(np.full((122, 162, 3), 255, np.uint8), format="rgb24")
    rows, columns = mask_size
    black = np.zeros(mask_size, np.bool_)
    black[rows // 3 : rows // 2, columns // 3 : columns // 2] = True
    got = pixels(encode_jpeg(white.reformat(format="yuv420p"), black=black, max_width=max_width, quality=100))
    height, width = got.shape[:2]
    y = slice(int(height * (rows // 3) / rows), int(np.ceil(height * (rows // 2) / rows)))
    x = slice(int(width * (columns // 3) / columns), int(np.ceil(width * (columns // 2) / columns)))
    assert got[y, x].max() < 30
    assert got[0, 0].min() > 230


def test_all_black() -> None:
    assert pixels(encode_jpeg(frame("yuv420p"), black=np.ones((1, 1), np.bool_))).max() == 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 3),
    st.data(),
)
def test_a_mask_covers_every_pixel_that_a_cell_touches(
    rows: int, columns: int, height: int, width: int, grow: int, data: st.DataObject
) -> None:
    cells = data.draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns))
    mask = np.array(cells, np.bool_).reshape(rows, columns)
    got = cover(mask, height, width, grow)
    for y in range(height):
        for x in range(width):
            top, bottom = max(y - grow, 0) * rows / height, min(y + 1 + grow, height) * rows / height
            left, right = max(x - grow, 0) * columns / width, min(x + 1 + grow, width) * columns / width
            expected = any(
                mask[r, c]
                for r in range(rows)
                for c in range(columns)
                if r < bottom - 1e-9 and r + 1 > top + 1e-9 and c < right - 1e-9 and c + 1 > left + 1e-9
            )
            assert got[y, x] == expected
