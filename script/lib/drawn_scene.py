"""Draws a front yard where, after some quiet, a person walks to the door, and later a car drives by.

Used only where there is no real footage. It has sensor noise, so that it isn't easier than a camera's.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 640, 360, 15
LENGTH_S = 60
NOISE = 2.5  # standard deviation in gray levels, a mid-priced camera by day
GRAINS = 13  # pictures of noise, used in turn
WALK_S = (12.0, 24.0)  # the person is in the picture
DRIVE_S = (38.0, 43.0)  # the car is

type Picture = NDArray[np.float32]


def draw_scene(path: Path) -> None:
    """Write the scene as a video file."""
    yard = _yard()
    grain = np.random.default_rng(7).normal(0, NOISE, (GRAINS, HEIGHT, WIDTH, 1)).astype(np.float32)
    with av.open(str(path), "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "24"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(LENGTH_S * FPS):
            picture = yard.copy()
            _person(picture, index / FPS)
            _car(picture, index / FPS)
            picture += grain[index % GRAINS]
            frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _yard() -> Picture:
    """Return the still parts: sky, a house with a door and windows, lawn, a path, a street."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    picture += np.array([150, 185, 225], np.float32) + rows * 30
    texture = np.random.default_rng(1).normal(0, 9, (HEIGHT, WIDTH, 1)).astype(np.float32)
    picture[190:] = np.array([86, 128, 66], np.float32) + texture[190:]  # lawn
    picture[300:] = np.array([105, 105, 110], np.float32) + texture[300:] / 2  # street
    picture[60:200, 330:600] = np.array([186, 160, 134], np.float32) + texture[60:200, 330:600] / 3  # house
    for x in (355, 545):
        picture[90:135, x : x + 32] = (70, 85, 100)
    picture[115:200, 440:485] = (92, 58, 40)  # door
    for y in range(200, 300):  # the path widens towards the street
        half = 14 + (y - 200) // 4
        picture[y, 462 - half : 462 + half] = (165, 160, 150)
    return picture


def _person(picture: Picture, time_s: float) -> None:
    """Draw somebody who comes from the left, goes up the path, waits at the door and goes back."""
    start_s, end_s = WALK_S
    if not start_s <= time_s < end_s:
        return
    share = (time_s - start_s) / (end_s - start_s)
    x, feet = np.interp([share], [0, 0.3, 0.45, 0.6, 0.75, 1], [-30, 420, 462, 462, 420, -30])[0], 0.0
    feet = float(np.interp(share, [0, 0.3, 0.45, 0.6, 0.75, 1], [292, 280, 215, 215, 280, 292]))
    tall = 0.42 * (feet - 40)
    step = 0.10 * tall * np.sin(time_s * 9)
    _ellipse(picture, x, feet - 0.92 * tall, (0.09 * tall, 0.10 * tall), (205, 165, 140))
    _ellipse(picture, x, feet - 0.60 * tall, (0.15 * tall, 0.26 * tall), (45, 60, 120))
    for side in (-1, 1):
        _ellipse(picture, x + side * step, feet - 0.18 * tall, (0.07 * tall, 0.22 * tall), (40, 40, 45))


def _car(picture: Picture, time_s: float) -> None:
    start_s, end_s = DRIVE_S
    if not start_s <= time_s < end_s:
        return
    x = WIDTH + 110 - (time_s - start_s) / (end_s - start_s) * (WIDTH + 220)
    _ellipse(picture, x, 322, (62, 24), (150, 30, 35))
    _ellipse(picture, x, 334, (98, 17), (165, 35, 40))
    for wheel in (-55, 55):
        _ellipse(picture, x + wheel, 348, (14, 10), (25, 25, 28))


def _ellipse(
    picture: Picture, x: float, y: float, half: tuple[float, float], color: tuple[int, int, int]
) -> None:
    half_width, half_height = half
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    inside = ((columns - x) / half_width) ** 2 + ((rows - y) / half_height) ** 2 <= 1
    picture[inside] = color
