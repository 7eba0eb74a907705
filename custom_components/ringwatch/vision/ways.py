"""How far a thing has gone: a way is straight and steady, and all of the thing goes along."""

import math

import numpy as np
from numpy.typing import NDArray

WHOLE_SHARE = 0.3  # of the way: what both ends of a box must go; a patch of light grows at one of them
STEADY_SHARE = 0.2  # of the way: what each third of the time must add; a jump adds all at once
STEADY_POINTS = 6  # two a third
MAX_SCATTER = 0.25  # scatter about a straight line, share of the displacement along it


def gone(points: NDArray[np.float64], free: tuple[bool, bool]) -> float:
    """Return the way along the line fitted to (n, 7) times, centers and boxes, 0 where they scatter about it.

    A jump from one place to another is no way. Both ends of the box have to go along where they are `free`
    (across, down): a patch of light or a picture on a screen grows on one side.
    """
    times, x, y, left, top, right, bottom = (points - points.mean(axis=0)).T
    square = float(times @ times)
    speed_x, speed_y = float(times @ x) / square, float(times @ y) / square
    lasted_s = float(times[-1] - times[0])
    distance = math.hypot(speed_x, speed_y) * lasted_s
    about_x, about_y = x - speed_x * times, y - speed_y * times
    scatter = math.sqrt(float(about_x @ about_x + about_y @ about_y) / (len(points) - 2))
    if distance == 0.0 or scatter > MAX_SCATTER * distance:
        return 0.0
    if len(points) >= STEADY_POINTS:
        way = (speed_x * x + speed_y * y) * (lasted_s / distance)
        thirds = [float(np.sort(part)[part.size // 2]) for part in np.array_split(way, 3)]  # medians
        if min(thirds[1] - thirds[0], thirds[2] - thirds[1]) < STEADY_SHARE * distance:
            return 0.0
    across = abs(speed_x) > abs(speed_y)
    if free[0] if across else free[1]:
        along, ends = (speed_x, (left, right)) if across else (speed_y, (top, bottom))
        if any(
            float(times @ end) / square * math.copysign(1, along) < WHOLE_SHARE * abs(along) for end in ends
        ):
            return 0.0
    return distance
