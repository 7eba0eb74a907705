"""What is done with a decoded picture: its luma looked at in place, its colors judged, a JPEG made of it."""

import io

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Formats whose first plane is 8-bit luma as it is.
_LUMA_8 = frozenset({
    "yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv440p", "yuvj440p", "yuv411p",
    "yuvj411p", "yuv410p", "yuva420p", "nv12", "nv21", "nv16", "gray", "gray8",
})  # fmt: skip
_LUMA_10 = frozenset({"yuv420p10le", "yuv422p10le", "yuv444p10le", "gray10le"})
_INTERLEAVED_CHROMA = frozenset({"nv12", "nv21", "nv16"})
_GRAY = frozenset({"gray", "gray8", "gray10le", "gray16le"})
FLAT_CHROMA = 4  # levels from the neutral 128; infrared pictures stay within 2 after coding, dull ones don't
CHROMA_STRIDE = 8  # every 8th row and column is plenty to tell color from none
GROW_PX = 2  # a scaled picture mixes in this many neighbors (bicubic)


def luma_view(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return the brightness, (height, width), as a view of the frame's own memory where possible.

    10-bit formats give their upper 8 bits, RGB and palettes a converted copy. Never write to it.
    """
    name = frame.format.name
    if name in _LUMA_8:
        return _plane(frame, 0, frame.height, frame.width)
    if name == "p010le":
        return _plane(frame, 0, frame.height, frame.width * 2)[:, 1::2]
    if name in _LUMA_10:
        wide = _plane(frame, 0, frame.height, frame.width * 2).view(np.uint16)
        return (wide >> 2).astype(np.uint8)
    return _plane(frame.reformat(format="gray"), 0, frame.height, frame.width)


def chroma_is_flat(frame: av.VideoFrame) -> bool:
    """Tell whether the picture has no color, as from a camera in infrared mode. Looks at few samples."""
    name = frame.format.name
    if name in _GRAY:
        return True
    if name in _LUMA_8:
        depth_shift = 0
    elif name in _LUMA_10:
        depth_shift = 2
    else:
        return False
    for index, plane in enumerate(frame.planes[1:3], 1):
        row_bytes = plane.width * (2 if name in _INTERLEAVED_CHROMA or depth_shift else 1)
        samples = _plane(frame, index, plane.height, row_bytes)
        values = samples.view(np.uint16) >> depth_shift if depth_shift else samples
        # An odd stride, so that both halves of interleaved chroma are looked at.
        sampled = values[::CHROMA_STRIDE, :: CHROMA_STRIDE - 1].astype(np.int16)
        if np.abs(sampled - 128).max(initial=0) > FLAT_CHROMA:
            return False
    return True


def _plane(frame: av.VideoFrame, index: int, height: int, row_bytes: int) -> NDArray[np.uint8]:
    plane = frame.planes[index]
    rows = np.frombuffer(plane, np.uint8)
    stride = plane.line_size
    return np.lib.stride_tricks.as_strided(rows, (height, row_bytes), (stride, 1), writeable=False)


def encode_jpeg(
    frame: av.VideoFrame, *, black: NDArray[np.bool_] | None = None, max_width: int = 0, quality: int = 80
) -> bytes:
    """Return the picture as a JPEG, at most `max_width` wide (0: as it is).

    Where `black`, a mask of any size, is true the picture is black: every pixel that a true cell touches.
    """
    width, height = frame.width, frame.height
    scaled = 0 < max_width < width
    if scaled:
        height = max(round(height * max_width / width), 1)
        width = max_width
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height)
    if black is not None:
        pixels[cover(black, height, width, GROW_PX if scaled else 0)] = 0
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


def cover(mask: NDArray[np.bool_], height: int, width: int, grow_px: int = 0) -> NDArray[np.bool_]:
    """Scale a mask to (height, width): true where a true cell touches a pixel, and `grow_px` around it."""
    rows, columns = mask.shape
    # Sums over the top left corner: a rectangle of cells holds a true one where its sum is not 0.
    corner = np.zeros((rows + 1, columns + 1), np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=corner[1:, 1:])
    top, bottom = _touched(height, rows, grow_px)
    left, right = _touched(width, columns, grow_px)
    count = (
        corner[np.ix_(bottom, right)]
        - corner[np.ix_(top, right)]
        - corner[np.ix_(bottom, left)]
        + corner[np.ix_(top, left)]
    )
    return count > 0


def _touched(pixels: int, cells: int, grow_px: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    at = np.arange(pixels, dtype=np.int64)
    first = np.clip(at - grow_px, 0, None) * cells // pixels
    last = -(-np.clip(at + 1 + grow_px, None, pixels) * cells // pixels)
    return first, last
