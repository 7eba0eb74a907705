"""Tables on the screen, JSON and a plot (PNG) in a folder, the last line for machines."""

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
import sys

from PIL import Image, ImageDraw, ImageFont

type Figures = Mapping[str, float | None]

_COLORS = ("#1b6ca8", "#5aa9e6", "#b5651d", "#e0a458", "#7a7a7a", "#b8b8b8", "#9b2226")
_WIDTH, _PANEL, _MARGIN = 1100, 230, 60


def table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, Figures]]) -> None:
    """Print rows of figures."""
    width = max([len(title), *(len(name) for name, _ in rows)])
    sys.stdout.write(
        f"{title:<{width}}" + "".join(f"{name:>{max(9, len(name) + 2)}}" for name in columns) + "\n"
    )
    for name, figures in rows:
        cells = "".join(f"{_cell(figures.get(c)):>{max(9, len(c) + 2)}}" for c in columns)
        sys.stdout.write(f"{name:<{width}}{cells}\n")
    sys.stdout.write("\n")


def finish(
    folder: Path, name: str, figures: object, bars: Mapping[str, object], holds: Mapping[str, bool]
) -> int:
    """Write the JSON, print the last line; return the exit status: 1 where a bar is missed."""
    document = {"figures": figures, "bars": bars, "holds": holds}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    for bar, held in holds.items():
        sys.stdout.write(f"{'holds ' if held else 'MISSED'}  {bar}\n")
    sys.stdout.write(json.dumps(document) + "\n")
    return 0 if all(holds.values()) else 1


def bars(path: Path, panels: Mapping[str, Mapping[str, Figures]], bar_at: Mapping[str, float]) -> None:
    """Draw one panel per figure: {panel: {group: {detector: value}}}, a line where the bar is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (_WIDTH, len(panels) * (_PANEL + _MARGIN) + _MARGIN), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    names = list(dict.fromkeys(n for groups in panels.values() for values in groups.values() for n in values))
    for place, name in enumerate(names):
        left = _MARGIN + place * 160
        draw.rectangle((left, 12, left + 12, 24), _COLORS[place % len(_COLORS)])
        draw.text((left + 18, 10), name, "black", font)
    for number, (panel, groups) in enumerate(panels.items()):
        top = _MARGIN + number * (_PANEL + _MARGIN)
        highest = max([1e-9, bar_at.get(panel, 0.0), *(v or 0 for g in groups.values() for v in g.values())])
        draw.text((_MARGIN, top - 18), f"{panel} (highest {highest:.3g})", "black", font)
        step = (_WIDTH - 2 * _MARGIN) / max(1, len(groups))
        for place, (group, values) in enumerate(groups.items()):
            start = _MARGIN + place * step
            thick = 0.8 * step / max(1, len(names))
            for index, name in enumerate(names):
                value = values.get(name)
                if value is not None:
                    x = start + index * thick
                    y = top + _PANEL - 25 - (_PANEL - 30) * value / highest
                    draw.rectangle((x, y, x + thick - 1, top + _PANEL - 25), _COLORS[index % len(_COLORS)])
            draw.text((start, top + _PANEL - 22), group[:18], "black", font)
        if panel in bar_at:
            y = top + _PANEL - 25 - (_PANEL - 30) * bar_at[panel] / highest
            draw.line((_MARGIN, y, _WIDTH - _MARGIN, y), "#c1121f", 1)
    picture.save(path)


def curves(path: Path, panels: Mapping[str, Mapping[str, Sequence[tuple[float, float, str]]]]) -> None:
    """Draw one panel per figure: {panel: {line: [(x, y, label), ...]}}, the axes from 0 to their highest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    side = (_WIDTH - _MARGIN) // max(1, len(panels)) - _MARGIN
    picture = Image.new("RGB", (_WIDTH, side + 3 * _MARGIN), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    for number, (panel, lines) in enumerate(panels.items()):
        left, bottom = _MARGIN + number * (side + _MARGIN), side + 2 * _MARGIN
        points = [point for line in lines.values() for point in line]
        most = max([1e-9, *(x for x, _, _ in points)])
        least = min([1.0, *(y for _, y, _ in points)])
        draw.text((left, 8), panel, "black", font)
        draw.line((left, bottom - side, left, bottom, left + side, bottom), "black")
        draw.text((left, bottom + 4), f"0 to {most:.3g}; upward from {least:.3g} to 1", "black", font)
        for index, (name, line) in enumerate(lines.items()):
            color = _COLORS[index % len(_COLORS)]
            draw.text((left + 150 * index, 26), name, color, font)
            placed = [
                (
                    left + (side - 40) * x / most,
                    bottom - (side - 10) * (y - least) / max(1e-9, 1 - least),
                    text,
                )
                for x, y, text in line
            ]
            draw.line([(x, y) for x, y, _ in placed], color, 2)
            for x, y, text in placed:
                draw.ellipse((x - 3, y - 3, x + 3, y + 3), color)
                draw.text((x + 6, y + 4 + 12 * index), text, color, font)
    picture.save(path)


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"
