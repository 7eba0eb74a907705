"""Maps of the register as SVG: polygons on nothing, with a scale. No tiles: nobody else hears who looks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
import math
from typing import Any, Final

WIDTH, HEIGHT, MARGIN = 720, 480, 24  # of the drawing, in its own units
M_PER_E6: Final = 0.11132  # a microdegree of latitude
_STEPS_M: Final = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)


@dataclass(frozen=True, slots=True)
class Shape:
    """A polygon with a number in its middle and words for who points at it."""

    corners: Sequence[dict[str, int]]
    label: str
    words: str
    kind: str  # a class of the style sheet


def draw(shapes: Iterable[Shape], *, center: dict[str, int], radius_m: int, words: str) -> str:
    """Return an SVG of the shapes and the neighborhood's circle."""
    shown = list(shapes)
    sheet = _Sheet(shown, center, radius_m)
    x, y = sheet.point(center)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words)}">',
        f'<circle class="hood" cx="{x:.1f}" cy="{y:.1f}" r="{radius_m * sheet.per_m:.1f}"/>',
    ]
    for shape in shown:
        points = [sheet.point(corner) for corner in shape.corners]
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<polygon class="{shape.kind}" points="{text}"><title>{escape(shape.words)}</title></polygon>'
        )
    for shape in shown:  # above all shapes
        points = [sheet.point(corner) for corner in shape.corners]
        x = sum(x for x, _ in points) / len(points)
        y = sum(y for _, y in points) / len(points)
        parts.append(f'<text class="number" x="{x:.1f}" y="{y:.1f}">{escape(shape.label)}</text>')
    parts.append(sheet.scale())
    parts.append("</svg>")
    return "".join(parts)


class _Sheet:
    """From microdegrees to the drawing: flat, true to scale in its middle."""

    def __init__(self, shapes: list[Shape], center: dict[str, int], radius_m: int) -> None:
        self._center = center
        self._narrow = max(0.01, math.cos(math.radians(center["lat_e6"] / 1e6)))
        flat = [self._flat(corner) for shape in shapes for corner in shape.corners]
        reach = float(radius_m)
        left = min([-reach, *(x for x, _ in flat)])
        right = max([reach, *(x for x, _ in flat)])
        bottom = min([-reach, *(y for _, y in flat)])
        top = max([reach, *(y for _, y in flat)])
        self.per_m = min((WIDTH - 2 * MARGIN) / (right - left), (HEIGHT - 2 * MARGIN) / (top - bottom))
        self._middle = ((left + right) / 2, (bottom + top) / 2)

    def _flat(self, place: Any) -> tuple[float, float]:
        """Return metres east and north of the center."""
        east = (place["lon_e6"] - self._center["lon_e6"] + 540_000_000) % 360_000_000 - 180_000_000
        return east * M_PER_E6 * self._narrow, (place["lat_e6"] - self._center["lat_e6"]) * M_PER_E6

    def point(self, place: Any) -> tuple[float, float]:
        """Return where a place is in the drawing."""
        x, y = self._flat(place)
        return (
            WIDTH / 2 + (x - self._middle[0]) * self.per_m,
            HEIGHT / 2 - (y - self._middle[1]) * self.per_m,
        )

    def scale(self) -> str:
        """Return a bar of a round length."""
        length_m = max((step for step in _STEPS_M if step * self.per_m <= WIDTH / 4), default=_STEPS_M[0])
        length = length_m * self.per_m
        words = f"{length_m} m" if length_m < 1_000 else f"{length_m // 1_000} km"
        y = HEIGHT - 10
        return (
            f'<path class="scale" d="M10 {y - 6}V{y}H{10 + length:.1f}V{y - 6}"/>'
            f'<text class="scale" x="{16 + length:.1f}" y="{y}">{words}</text>'
        )
