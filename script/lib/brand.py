"""Draws Ringwatch's mark: a house whose window is an open eye, and behind it the next house.

Everything is drawn here, at four times the size, from polygons and circles; the letters are the CC0 font
inside Pillow. Home Assistant shows `brand/` of a custom integration, and wants the icon square at 256 and
512 pixels and the logo's shorter side at 128 to 256 (twice that for @2x), both trimmed.
"""

import argparse
import math
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

from script.lib.core import ROOT

FOLDER = ROOT / "custom_components/ringwatch/brand"

ICON_PX = 256
LOGO_HEIGHT_PX = 160  # of 128 to 256
OVERSAMPLING = 4  # edges as smooth as 16 levels make them
GRID = 106.0  # the drawing's own units, across its square

CORAL = (226, 104, 60)  # as the privacy card's accent, darker so that it holds on white
TEAL = (38, 122, 130)
CREAM = (255, 250, 244)
SLATE = (32, 38, 50)
MIST = (226, 230, 237)

FLOOR = 91.0
HOUSE = ((5.0, 43.0), (38.0, 11.0), (71.0, 43.0), (71.0, FLOOR), (5.0, FLOOR))
NEIGHBOR = ((66.0, 62.0), (83.0, 45.0), (100.0, 62.0), (100.0, FLOOR), (66.0, FLOOR))
CORNER = 4.0  # rounding of both outlines
GAP = 4.5  # between the two houses, so that they part on any background
EYE = (38.0, 59.0, 23.0, 24.0)  # center, half its width, radius of the two lids' circles
IRIS = 11.2
GLINT = (41.4, 55.4, 2.2)


def draw_icon(size_px: int) -> Image.Image:
    """Return the mark on a transparent square."""
    mark = _mark(size_px * OVERSAMPLING)
    square = Image.new("RGBA", (max(mark.size), max(mark.size)))
    square.paste(mark, ((square.width - mark.width) // 2, (square.height - mark.height) // 2))
    return square.resize((size_px, size_px), Image.Resampling.LANCZOS)


def draw_logo(height_px: int, text: tuple[int, int, int]) -> Image.Image:
    """Return the mark with the name beside it; `text` is the letters' color."""
    height = height_px * OVERSAMPLING
    icon = _mark(height)
    icon = icon.resize((round(icon.width * height / icon.height), height), Image.Resampling.LANCZOS)
    font = ImageFont.load_default(height * 0.58)
    stroke = round(height * 0.012)  # the font comes in one weight, a thin one
    left, _, right, _ = font.getbbox("Ringwatch", stroke_width=stroke)
    _, capital_top, _, baseline = font.getbbox("R", stroke_width=stroke)
    gap = round(height * 0.16)
    logo = Image.new("RGBA", (icon.width + gap + round(right - left), height))
    logo.paste(icon)
    origin = (icon.width + gap - left, (height - (capital_top + baseline)) / 2 + height * 0.03)
    ImageDraw.Draw(logo).text(origin, "Ringwatch", text, font, stroke_width=stroke, stroke_fill=text)
    return logo.resize((round(logo.width / OVERSAMPLING), height_px), Image.Resampling.LANCZOS)


def draw_all() -> dict[str, Image.Image]:
    """Return every picture by its file name. The icon holds on light and dark, the letters do not."""
    return {
        "icon.png": draw_icon(ICON_PX),
        "icon@2x.png": draw_icon(2 * ICON_PX),
        "logo.png": draw_logo(LOGO_HEIGHT_PX, SLATE),
        "logo@2x.png": draw_logo(2 * LOGO_HEIGHT_PX, SLATE),
        "dark_logo.png": draw_logo(LOGO_HEIGHT_PX, MIST),
        "dark_logo@2x.png": draw_logo(2 * LOGO_HEIGHT_PX, MIST),
    }


def _mark(side: int) -> Image.Image:
    """Return the mark, drawn on a square of `side` pixels and trimmed."""
    icon = Image.new("RGBA", (side, side))
    house = _outline(side, HOUSE, CORNER)
    sunk = tuple((x, y + (GRID if y == FLOOR else 0)) for x, y in HOUSE)  # so that the gap goes down straight
    neighbor = ImageChops.subtract(_outline(side, NEIGHBOR, CORNER), _outline(side, sunk, CORNER + GAP))
    for color, mask in (
        (TEAL, neighbor),
        (CORAL, house),
        (CREAM, _eye(side)),
        (SLATE, ImageChops.darker(_eye(side), _disk(side, EYE[0], EYE[1], IRIS))),
        (CREAM, _disk(side, *GLINT)),
    ):
        icon.paste(Image.new("RGBA", (side, side), color), mask=mask)
    return icon.crop(icon.getbbox())


def _outline(side: int, points: tuple[tuple[float, float], ...], corner: float) -> Image.Image:
    """Return a polygon with round corners, grown by `corner` all round."""
    mask = Image.new("L", (side, side))
    draw = ImageDraw.Draw(mask)
    scale, radius = side / GRID, corner * side / GRID
    scaled = [(x * scale, y * scale) for x, y in points]
    draw.polygon(scaled, fill=255)
    for (x, y), (next_x, next_y) in zip(scaled, [*scaled[1:], scaled[0]], strict=True):
        length = math.hypot(next_x - x, next_y - y)
        over_x, over_y = radius * (next_y - y) / length, radius * (x - next_x) / length
        inside = ((next_x, next_y), (x, y))
        draw.polygon((*inside, (x + over_x, y + over_y), (next_x + over_x, next_y + over_y)), fill=255)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return mask


def _disk(side: int, x: float, y: float, radius: float) -> Image.Image:
    mask = Image.new("L", (side, side))
    scale = side / GRID
    ImageDraw.Draw(mask).ellipse(
        ((x - radius) * scale, (y - radius) * scale, (x + radius) * scale, (y + radius) * scale), fill=255
    )
    return mask


def _eye(side: int) -> Image.Image:
    """Return the almond between two circles that meet at the eye's corners."""
    x, y, half_width, radius = EYE
    rise = (radius**2 - half_width**2) ** 0.5
    return ImageChops.darker(_disk(side, x, y - rise, radius), _disk(side, x, y + rise, radius))


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(prog="script/brand", description="Draw the brand pictures.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in draw_all().items():
        picture.save(folder / name, optimize=True)


if __name__ == "__main__":
    main()
