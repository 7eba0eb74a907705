"""Nuisances, synthetic: models of weather, insects, light and cameras, drawn over a real still picture.

Every model is a function of (scene, time) with its own seeded generator: a picture of floats (H, W), gray
levels, in; the same out. What is on the scene itself (branches, a flag, a screen) is drawn before whoever
crosses, light and lens after.
"""

from collections.abc import Callable
from dataclasses import dataclass
import math

import cv2
import numpy as np
from numpy.typing import NDArray

type Picture = NDArray[np.float32]
type Model = Callable[[Picture, float], Picture]

FRAME_S = 1 / 25


@dataclass(frozen=True, slots=True)
class Nuisance:
    """One kind: `behind` changes the scene before somebody crosses it, `before` what the camera sees."""

    name: str
    behind: Model | None
    before: Model | None


def nuisances(shape: tuple[int, int], seed: int) -> list[Nuisance]:
    """Return all kinds for pictures of a shape, with fresh generators."""

    def rng(number: int) -> np.random.Generator:
        return np.random.default_rng((seed, number))

    return [
        Nuisance("rain", None, rain(rng(1))),
        Nuisance("snow", None, snow(rng(2), shape)),
        Nuisance("insects", None, chain(night, insects(rng(3), shape), noise(rng(30), 2))),
        Nuisance("spider web", None, chain(night, web(rng(4), shape), noise(rng(40), 2))),
        Nuisance("headlights", None, chain(night, headlights(rng(5), shape), noise(rng(50), 2))),
        Nuisance("cloud shadow", None, clouds(rng(6), shape)),
        Nuisance("exposure steps", None, exposure(rng(7))),
        Nuisance("infrared switch", None, infrared(rng(8), shape)),
        Nuisance("night noise", None, chain(night, noise(rng(9), 9))),
        Nuisance("compression", None, pumping(rng(10), shape)),
        Nuisance("branches", branches(rng(11), shape), noise(rng(110), 1.5)),
        Nuisance("camera shake", None, shake(rng(12))),
        Nuisance("flag", flag(rng(13), shape), noise(rng(130), 1.5)),
        Nuisance("screen", screen(rng(14), shape), noise(rng(140), 1.5)),
        Nuisance("lamp flicker", None, flicker(rng(15), shape)),
    ]


def chain(*models: Model) -> Model:
    """Apply models one after the other."""

    def apply(picture: Picture, time_s: float) -> Picture:
        for model in models:
            picture = model(picture, time_s)
        return picture

    return apply


def night(picture: Picture, time_s: float) -> Picture:
    """A lamp beside the lens: dark, little contrast, brightest in the middle."""
    del time_s
    height, width = picture.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    away = ((rows / height - 0.55) ** 2 + (columns / width - 0.5) ** 2) * 2.2
    lit: Picture = np.exp(-away)
    return picture * 0.45 * lit + 12


def noise(rng: np.random.Generator, sigma: float) -> Model:
    """A sensor's noise: Gaussian, a third of it shared by neighbors (demosaicing, compression)."""

    def apply(picture: Picture, time_s: float) -> Picture:
        del time_s
        grain: Picture = rng.standard_normal(picture.shape, np.float32) * np.float32(sigma)
        shared = np.asarray(cv2.blur(grain, (3, 3)), np.float32)
        seen: Picture = picture + 0.7 * grain + 0.6 * shared * 3 * 0.5
        return seen

    return apply


def rain(rng: np.random.Generator) -> Model:
    """Streaks as long as a drop falls in 1/60 s, new in every frame (Garg and Nayar 2007)."""

    def apply(picture: Picture, time_s: float) -> Picture:
        height, width = picture.shape
        layer = np.zeros_like(picture)
        drops = int(width * height / 900 * (1 + 0.6 * math.sin(time_s / 7)))
        for x, y, depth in rng.random((drops, 3)):
            length = 6 + 16 * depth
            start = (int(x * width), int(y * height))
            end = (int(start[0] + 0.15 * length), int(start[1] + length))
            cv2.line(layer, start, end, float(10 + 22 * depth), 1, cv2.LINE_AA)
        return picture + layer + rng.standard_normal(picture.shape, np.float32) * 1.5

    return apply


def snow(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """Flakes that fall and drift, the near ones large, fast and out of focus."""
    height, width = shape
    count = 110
    depth = rng.random(count) ** 2
    place = rng.random((count, 2)) * (width, height)
    phase = rng.random(count) * 7

    def apply(picture: Picture, time_s: float) -> Picture:
        layer = np.zeros_like(picture)
        wind = 12 * math.sin(time_s / 5)
        place[:, 0] += (wind + 10 * np.sin(1.5 * time_s + phase)) * (0.5 + depth) * FRAME_S
        place[:, 1] += (50 + 130 * depth) * FRAME_S
        place[:] %= (width, height)
        for (x, y), near in zip(place, depth, strict=True):
            cv2.circle(
                layer, (int(x), int(y)), int(1 + 2.6 * near), float(35 + 45 * (1 - near)), -1, cv2.LINE_AA
            )
        return picture + cv2.blur(layer, (3, 3)) + rng.standard_normal(shape, np.float32) * 1.5

    return apply


def insects(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """Bright, blurred, close to the lamp: each circles for a second or two, then another comes."""
    height, width = shape
    flights: list[list[float]] = []

    def apply(picture: Picture, time_s: float) -> Picture:
        if len(flights) < 3 and rng.random() < 0.04:
            until_s = time_s + rng.uniform(0.6, 2.5)
            flights.append(
                [
                    rng.uniform(0, width),
                    rng.uniform(0, height),
                    *rng.normal(0, 160, 2),
                    rng.uniform(2, 6),
                    until_s,
                ]
            )
        layer = np.zeros_like(picture)
        for flight in list(flights):
            flight[2] += rng.normal(0, 110)
            flight[3] += rng.normal(0, 110)
            flight[2] *= 0.9
            flight[3] *= 0.9
            before = (int(flight[0]), int(flight[1]))
            flight[0] += flight[2] * FRAME_S
            flight[1] += flight[3] * FRAME_S
            after = (int(flight[0]), int(flight[1]))
            cv2.line(layer, before, after, 120.0, int(2 * flight[4]), cv2.LINE_AA)
            if time_s > flight[5]:
                flights.remove(flight)
        return picture + cv2.GaussianBlur(layer, (0, 0), 2.5)

    return apply


def web(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """Threads close to the lens, bright in the lamp's light, swaying out of focus."""
    height, width = shape
    threads = [
        (rng.uniform(0, width), rng.uniform(-60, 60), rng.uniform(1.5, 4), rng.uniform(0, 6))
        for _ in range(4)
    ]

    def apply(picture: Picture, time_s: float) -> Picture:
        layer = np.zeros_like(picture)
        gust = 4 + 5 * max(0.0, math.sin(time_s / 6))
        for x, lean, period_s, phase in threads:
            sway = gust * math.sin(2 * math.pi * time_s / period_s + phase)
            points = [
                (int(x + lean * t + sway * math.sin(math.pi * t)), int(t * height))
                for t in np.linspace(0, 1, 9)
            ]
            cv2.polylines(layer, [np.array(points, np.int32)], isClosed=False, color=60.0, thickness=3)
        return picture + cv2.GaussianBlur(layer, (0, 0), 2.0)

    return apply


def headlights(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """The cone of a car that turns, out of view: a soft patch of light that sweeps the scene in 2 to 4 s."""
    height, width = shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    sweeps = [(12 + 16 * k + rng.uniform(0, 6), rng.uniform(2, 4), rng.choice((-1, 1))) for k in range(80)]

    def apply(picture: Picture, time_s: float) -> Picture:
        for begin_s, length_s, direction in sweeps:
            done = (time_s - begin_s) / length_s
            if -0.2 < done < 1.2:
                x = width * (done * 1.6 - 0.3 if direction > 0 else 1.3 - done * 1.6)
                beam: Picture = np.exp(
                    -(((columns - x) / (0.22 * width)) ** 2) - ((rows - 0.6 * height) / (0.3 * height)) ** 2
                )
                return picture * (1 + 1.3 * beam) + 10 * beam
        return picture

    return apply


def clouds(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """A field of soft shadows, 65 to 100 % of the light, that drifts over the scene.

    The sun is half a degree wide: a cloud 1 km up has an edge of 9 m on the ground, half of a yard's view.
    """
    height, width = shape
    field = rng.random((3, 22)).astype(np.float32)
    wide = cv2.resize(field, (width * 7, height * 2), interpolation=cv2.INTER_CUBIC)
    field = np.asarray(np.clip((wide - 0.2) / 0.6, 0, 1) * 0.35 + 0.65, np.float32)

    def apply(picture: Picture, time_s: float) -> Picture:
        left = int(time_s * 22) % (field.shape[1] - width)
        return picture * field[:height, left : left + width] + rng.standard_normal(shape, np.float32) * 1.5

    return apply


def exposure(rng: np.random.Generator) -> Model:
    """Automatic exposure: a step of the gain every 7 to 15 s, at once or over a third of a second."""
    steps = [(0.0, 1.0, 0.0)]
    while steps[-1][0] < 700:
        steps.append((steps[-1][0] + rng.uniform(7, 15), rng.uniform(0.65, 1.35), rng.choice((0.0, 0.35))))

    def apply(picture: Picture, time_s: float) -> Picture:
        index = max(i for i, step in enumerate(steps) if step[0] <= time_s)
        at_s, gain, over_s = steps[index]
        before = steps[max(0, index - 1)][1]
        if over_s and time_s < at_s + over_s:
            gain = before + (gain - before) * (time_s - at_s) / over_s
        return picture * gain + rng.standard_normal(picture.shape, np.float32) * 1.5

    return apply


def infrared(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """The filter swings in or out every 25 s: black for two frames, then another picture of the scene."""
    grain = noise(rng, 3)
    shades = cv2.resize(rng.random((9, 12)).astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)

    def apply(picture: Picture, time_s: float) -> Picture:
        half = time_s % 50
        if half % 25 < 0.08 and time_s > 1:
            return np.full_like(picture, 8)
        if half < 25:
            return picture + rng.standard_normal(shape, np.float32) * 1.5
        settling = 1 + 0.5 * math.exp(-(half - 25) / 0.3)  # exposure finds its level
        other = 255 * np.sqrt(np.clip(picture, 0, 255) / 255) * (0.55 + 0.4 * shades)
        return grain(night(other, time_s) * settling, time_s)

    return apply


def pumping(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """A starved encoder: every two seconds a key frame loses detail block by block, and it comes back."""
    height, width = shape
    state: dict[str, Picture] = {}

    def apply(picture: Picture, time_s: float) -> Picture:
        age_s = time_s % 2.0
        small = cv2.resize(picture, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
        blocky = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)
        if age_s < FRAME_S or "error" not in state:
            error = rng.normal(0, 3.5, (height // 8 + 1, width // 8 + 1)).astype(np.float32)
            state["error"] = error.repeat(8, 0).repeat(8, 1)[:height, :width]
        lost = 0.6 * math.exp(-age_s / 0.5)
        seen: Picture = picture * (1 - lost) + blocky * lost + state["error"] * (0.4 + lost)
        return seen

    return apply


def branches(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """Three parts of the scene are foliage in gusts of wind: leaves that each move on their own."""
    height, width = shape
    leaves = cv2.GaussianBlur(rng.normal(0, 90, shape).astype(np.float32), (0, 0), 1.6) + 75
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    cover = np.zeros(shape, np.float32)
    for x, y, size in ((0.05, 0.15, 0.28), (0.62, 0.05, 0.2), (0.95, 0.55, 0.22)):
        cv2.ellipse(
            cover,
            (int(x * width), int(y * height)),
            (int(size * width), int(size * height)),
            0,
            0,
            360,
            1.0,
            -1,
        )
    cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), 1.0), np.float32)
    phase = cv2.resize(
        rng.random((10, 14)).astype(np.float32) * 6, (width, height), interpolation=cv2.INTER_CUBIC
    )

    def apply(picture: Picture, time_s: float) -> Picture:
        gust = 1.2 + 3.0 * max(0.0, math.sin(time_s / 4)) ** 2
        x = columns + gust * np.sin(2 * math.pi * time_s / 1.3 + phase)
        y = rows + 0.5 * gust * np.sin(2 * math.pi * time_s / 0.9 + 1.7 * phase)
        moved = cv2.remap(leaves, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return picture * (1 - cover) + moved * cover

    return apply


def shake(rng: np.random.Generator) -> Model:
    """A mast in the wind: shifts of some pixels, in gusts."""
    place = np.zeros(2)
    speed = np.zeros(2)

    def apply(picture: Picture, time_s: float) -> Picture:
        gust = 1 + 2 * max(0.0, math.sin(time_s / 5))
        speed[:] = 0.6 * speed - 0.35 * place + rng.normal(0, 0.8 * gust, 2)
        place[:] += speed
        height, width = picture.shape
        matrix = np.array([[1, 0, place[0]], [0, 1, place[1]]], np.float32)
        moved = cv2.warpAffine(
            picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        return moved + rng.standard_normal(picture.shape, np.float32) * 1.5

    return apply


def flag(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """A striped flag on a pole, waves running along it."""
    height, width = shape
    top, left = int(0.08 * height), int(0.7 * width)
    tall, wide = int(0.2 * height), int(0.2 * width)
    stripes = np.where((np.arange(tall) // max(2, tall // 7)) % 2 == 0, 205.0, 60.0)[:, None] * np.ones(
        (1, wide)
    )
    stripes = stripes.astype(np.float32)
    rows, columns = np.mgrid[0:tall, 0:wide].astype(np.float32)
    start = rng.uniform(0, 6)

    def apply(picture: Picture, time_s: float) -> Picture:
        along = columns / wide
        wave = np.sin(2 * math.pi * (2.0 * along - 1.4 * time_s) + start + 0.6 * math.sin(time_s))
        cloth = cv2.remap(
            stripes, columns, rows + 5 * along * wave, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        picture = picture.copy()
        picture[top : top + tall, left : left + wide] = cloth * (1 + 0.15 * along * wave)
        return picture

    return apply


def screen(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """A television seen through a window: cuts every few seconds, bars of the refresh rolling through."""
    height, width = shape
    top, left, tall, wide = int(0.3 * height), int(0.4 * width), int(0.14 * height), int(0.14 * width)
    cuts = np.cumsum(rng.uniform(1.5, 6, 600))
    shots = rng.uniform(60, 220, (601, 4, 5)).astype(np.float32)

    def apply(picture: Picture, time_s: float) -> Picture:
        shot = shots[int(np.searchsorted(cuts, time_s))]
        shown = cv2.resize(shot, (wide, tall), interpolation=cv2.INTER_CUBIC)
        rolling = 14 * np.sin(2 * math.pi * (np.arange(tall) / tall + 3.7 * time_s))[:, None]
        picture = picture.copy()
        picture[top : top + tall, left : left + wide] = shown + rolling
        return picture

    return apply


def flicker(rng: np.random.Generator, shape: tuple[int, int]) -> Model:
    """Lamps on 50 and 60 Hz mains against a rolling shutter: bands of 5 % that drift over the picture."""
    rows = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]

    def apply(picture: Picture, time_s: float) -> Picture:
        band: Picture = np.sin(2 * math.pi * (1.3 * rows + 0.9 * time_s)) + np.sin(
            2 * math.pi * (1.9 * rows - 2.3 * time_s)
        )
        grain: Picture = rng.standard_normal(shape, np.float32)
        seen: Picture = picture * (1 + 0.05 * band) + grain * 1.5
        return seen

    return apply


def person(picture: Picture, progress: float) -> Picture:
    """Draw somebody who walks from the left edge (0) to the right one (1): head, body, swinging legs."""
    height, width = picture.shape
    tall = 0.26 * height
    x, foot = (1.16 * progress - 0.08) * width, 0.82 * height
    drawn = picture.copy()
    swing = 0.13 * tall * math.sin(progress * width / tall * 9)
    hip = (int(x), int(foot - 0.48 * tall))
    for side, shade in ((1, 38.0), (-1, 52.0)):
        cv2.line(drawn, hip, (int(x + side * swing), int(foot)), shade, max(2, int(0.1 * tall)), cv2.LINE_AA)
    neck = (int(x), int(foot - 0.84 * tall))
    cv2.line(drawn, hip, neck, 70.0, max(3, int(0.2 * tall)), cv2.LINE_AA)
    cv2.circle(drawn, (int(x), int(foot - 0.92 * tall)), max(2, int(0.08 * tall)), 150.0, -1, cv2.LINE_AA)
    return drawn


def car(picture: Picture, progress: float) -> Picture:
    """Draw a car that drives from the right edge (0) to the left one (1)."""
    height, width = picture.shape
    long = 0.24 * width
    x, y = (1.24 - 1.48 * progress) * width - long / 2 - 0.0 * width, 0.72 * height
    tall = 0.32 * long
    drawn = picture.copy()
    body = (int(x), int(y - 0.6 * tall)), (int(x + long), int(y))
    cv2.rectangle(drawn, *body, 175.0, -1)
    roof = np.array(
        [[x + 0.2 * long, y - 0.6 * tall], [x + 0.3 * long, y - tall], [x + 0.7 * long, y - tall],
         [x + 0.85 * long, y - 0.6 * tall]], np.int32,
    )  # fmt: skip
    cv2.fillPoly(drawn, [roof], 45.0)
    for wheel in (0.2, 0.8):
        cv2.circle(drawn, (int(x + wheel * long), int(y)), int(0.22 * tall), 25.0, -1, cv2.LINE_AA)
    return drawn
