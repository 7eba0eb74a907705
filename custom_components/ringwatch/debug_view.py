"""The debug view: one picture that shows what the detector sees and why each part counts or not.

At the left the frame with zones, boxes and reasons; at the right the model (what the scene looks like empty),
what differs from it, and where things move all the time without being confirmed. Privacy zones are black.
"""

from collections.abc import Iterable
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .video.picture import cover
from .vision import Explanation, Zone, ZoneKind, zone_mask

type Rgb = NDArray[np.uint8]

WIDTH_PX = 960  # of the frame; the panels at the right are a third of it each
TEXT_PX = 15
LINE_PX = 20
MARGIN_PX = 6
HATCH_PX = 8  # where nothing counts is striped
RESTLESS_FULL_S = 8.0  # shown at full strength
COLORS = {"motion": (40, 220, 90), "candidate": (255, 190, 0), "dropped": (150, 150, 165)}
WATCH_COLOR = (60, 160, 255)
IGNORE_COLOR = (190, 120, 190)
CHANGED_COLOR = (95, 95, 110)  # explained away: shade, single pixels, outside of zones
MASK_COLOR = (255, 255, 255)
RESTLESS_COLOR = (255, 120, 0)
TRUSTED_COLOR = (0, 140, 200)


def draw(frame: Rgb, explanation: Explanation, zones: Iterable[Zone] = (), note: str = "") -> Rgb:
    """Return the debug view of a frame (H, W, 3). `note` is a line of text: the camera's name, the time."""
    zones = tuple(zones)
    height = max(2, round(frame.shape[0] * WIDTH_PX / frame.shape[1]))
    panel_width = WIDTH_PX // 3
    panel_height = max(1, height // 3)
    lines = _footer(explanation)
    total = max(height, 3 * panel_height) + LINE_PX * (1 + len(lines)) + 2 * MARGIN_PX
    canvas = Image.new("RGB", (WIDTH_PX + panel_width, total // 2 * 2), (18, 18, 22))
    canvas.paste(_scene(frame, explanation, zones, height), (0, LINE_PX))
    panels = (
        ("model", _gray(explanation.model)),
        ("changed, and what is left of it", _mask(explanation)),
        ("restless (orange), busy (blue)", _restless(explanation)),
    )
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(TEXT_PX)
    pen.text((MARGIN_PX, 1), note or f"{explanation.time_s:.2f} s", "white", font)
    for number, (title, pixels) in enumerate(panels):
        top = LINE_PX + number * panel_height
        image = Image.fromarray(pixels).resize((panel_width, panel_height), Image.Resampling.NEAREST)
        canvas.paste(image, (WIDTH_PX, top))
        _label(pen, (WIDTH_PX + MARGIN_PX, top + 2), title, (255, 255, 255), font)
    for number, line in enumerate(lines):
        top = LINE_PX + max(height, 3 * panel_height) + MARGIN_PX + number * LINE_PX
        pen.text((MARGIN_PX, top), line, (215, 215, 220), font)
    return np.asarray(canvas)


def draw_jpeg(
    frame: Rgb, explanation: Explanation, zones: Iterable[Zone] = (), note: str = "", quality: int = 85
) -> bytes:
    """Return the debug view as a JPEG."""
    out = io.BytesIO()
    Image.fromarray(draw(frame, explanation, zones, note)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def _scene(frame: Rgb, explanation: Explanation, zones: tuple[Zone, ...], height: int) -> Image.Image:
    """Draw the frame with zones and boxes."""
    frame = frame.copy()
    if explanation.hidden.any():
        frame[cover(explanation.hidden, frame.shape[0], frame.shape[1])] = 0
    private = zone_mask(zones, ZoneKind.PRIVACY, frame.shape[0], frame.shape[1])
    frame[private] = 0
    if (explanation.unwatched & ~explanation.hidden).any():
        unwatched = cover(explanation.unwatched, frame.shape[0], frame.shape[1]) & ~private
        rows, columns = np.indices(unwatched.shape, np.int32, sparse=True)
        striped = unwatched & ((rows + columns) // HATCH_PX % 2 == 0)
        frame[striped] = (frame[striped] * 0.6).astype(np.uint8)
    image = Image.fromarray(frame).resize((WIDTH_PX, height), Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(TEXT_PX)
    for zone in zones:
        if zone.kind is ZoneKind.PRIVACY:
            continue
        color = WATCH_COLOR if zone.kind is ZoneKind.WATCH else IGNORE_COLOR
        points = [(x * WIDTH_PX, y * height) for x, y in zone.points]
        pen.line([*points, points[0]], color, 2)
        left, top = min(points, key=lambda point: point[1] + point[0])
        _label(pen, (left + 4, top + 4), f"{zone.kind}: {zone.name}", color, font)
    taken: list[tuple[float, float, float, float]] = []
    for part in sorted(explanation.shown, key=lambda part: part.kind != "motion"):
        x, y, width, tall = part.box
        box = (x * WIDTH_PX, y * height, (x + width) * WIDTH_PX, (y + tall) * height)
        pen.rectangle(box, outline=COLORS[part.kind], width=3 if part.kind == "motion" else 2)
        if part.kind != "dropped" or part.code == "soft":  # specks would bury the picture in words
            color = COLORS[part.kind]
            _place_label(pen, size=image.size, box=box, text=part.text, color=color, taken=taken)
    return image


def _place_label(
    pen: ImageDraw.ImageDraw,
    *,
    size: tuple[int, int],
    box: tuple[float, float, float, float],
    text: str,
    color: tuple[int, int, int],
    taken: list[tuple[float, float, float, float]],
) -> None:
    """Write above a box or, where there is no room or another label, below it; not at all on a third."""
    font = ImageFont.load_default(TEXT_PX)
    wide = pen.textlength(text, font) + 6
    left = max(0.0, min(box[0], size[0] - wide))
    for top in (box[1] - LINE_PX, box[3] + 2, box[1] + 2):
        place = (left, top, left + wide, top + LINE_PX)
        free = all(
            place[2] <= t[0] or place[0] >= t[2] or place[3] <= t[1] or place[1] >= t[3] for t in taken
        )
        if free and 0 <= top <= size[1] - LINE_PX:
            taken.append(place)
            _label(pen, (left + 3, top), text, color, font)
            return


def _label(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    color: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Write on a dark ground."""
    wide = pen.textlength(text, font)
    pen.rectangle((at[0] - 3, at[1], at[0] + wide + 3, at[1] + LINE_PX - 2), fill=(0, 0, 0))
    pen.text((at[0], at[1] - 1), text, color, font)


def _gray(levels: NDArray[np.uint8]) -> Rgb:
    return np.repeat(levels[:, :, None], 3, axis=2)


def _mask(explanation: Explanation) -> Rgb:
    pixels = np.zeros((*explanation.mask.shape, 3), np.uint8)
    pixels[explanation.changed] = CHANGED_COLOR
    pixels[explanation.mask] = MASK_COLOR
    return pixels


def _restless(explanation: Explanation) -> Rgb:
    pixels = _gray(explanation.model // 3).astype(np.float32)
    strength = np.clip(explanation.restless_s / RESTLESS_FULL_S, -1, 1)[:, :, None]
    for color, weight in (
        (RESTLESS_COLOR, np.maximum(strength, 0)),
        (TRUSTED_COLOR, np.maximum(-strength, 0)),
    ):
        pixels += weight * (np.array(color, np.float32) - pixels)
    return pixels.astype(np.uint8)


def _footer(explanation: Explanation) -> list[str]:
    """Say how the picture was corrected, and what has been suppressed so far."""
    right, down = explanation.shift
    light = f"light x{explanation.gain:.2f} {explanation.offset:+.0f}"
    jumped = "; the light has jumped: model made anew" if explanation.light_jumped else ""
    counts = ", ".join(f"{cause} {count}" for cause, count in sorted(explanation.suppressed.items()) if count)
    return [
        f"camera moved by {right:+.1f}, {down:+.1f} cells; {light}{jumped}",
        f"not counted so far: {counts or 'nothing'}",
    ]
