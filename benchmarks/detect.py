"""`script/bench detect`: every detector on every labeled sequence, at every frame and at five a second."""

import argparse
from itertools import pairwise
from pathlib import Path
import sys
from time import thread_time

from script.lib.core import ROOT, load_core

load_core()

from . import modes, motion_daemon, report
from .detectors import Contender, Ours, contenders
from .nuisance import stills
from .sequences import Sequence, Tally, Truth, find_sequences, read

COLUMNS = (
    "pixel_f", "frame_recall", "false_positives", "onset_delay_s", "events_per_minute", "ms_per_frame",
)  # fmt: skip
BARS = {
    "frame_recall": 0.98,
    "false_positives": 0.02,
    "pixel_f": 0.75,
    "ms_numpy": 2.0,
    "ms_opencv": 0.8,
}

SENSITIVITIES = (0, 25, 50, 75, 100)
ORDER_SLACK = 0.005  # a frame or two at the ends of events: there are 318 still ones at 25 a second
CURVE_COLUMNS = ("frame_recall", "false_positives", "pixel_recall", "precision", "pixel_f")

type Result = dict[str, dict[str, float | None]]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 where a bar is missed, 2 where there is nothing to measure."""
    parser = argparse.ArgumentParser(prog="script/bench detect", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "motion")
    parser.add_argument("--fps", type=float, choices=[0.0, 5.0], help="0: every frame; default: both")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--no-peers", action="store_true", help="ours only")
    parser.add_argument("--no-curve", action="store_true", help="without the curve of sensitivity")
    parser.add_argument("--no-modes", action="store_true", help="without auto against always full")
    options = parser.parse_args(arguments)
    try:
        sequences = find_sequences(options.data)
    except (OSError, ValueError, KeyError) as err:
        sys.stderr.write(f"No labeled sequences in {options.data}: {err}\n")
        return 2
    rates = [0.0, 5.0] if options.fps is None else [options.fps]
    figures: dict[str, dict[str, Result]] = {}
    for fps in rates:
        label = "every frame" if not fps else f"{fps:g} a second"
        measured = {s.name: measure(s, fps, contenders(peers=not options.no_peers)) for s in sequences}
        if not fps and not options.no_peers and motion_daemon.is_installed():
            for sequence in sequences:
                measured[sequence.name]["motion daemon"] = motion_daemon.measure(sequence)
        figures[label] = {**measured, "mean": _means(measured)}
        for name, result in figures[label].items():
            report.table(f"{name}, {label}", COLUMNS, list(result.items()))
        panels = {
            column: {
                name: {who: f.get(column) for who, f in result.items()} for name, result in measured.items()
            }
            for column in ("pixel_f", "frame_recall", "false_positives", "ms_per_frame")
        }
        marks = {column: BARS[column] for column in ("pixel_f", "frame_recall", "false_positives")}
        report.bars(options.out / f"detect-{fps:g}.png", panels, marks)
    holds = _holds(figures)
    if not options.no_curve:
        for fps in rates:
            label = "every frame" if not fps else f"{fps:g} a second"
            figures[f"sensitivity, {label}"] = {"mean": curve(sequences, fps)}
            result = figures[f"sensitivity, {label}"]["mean"]
            report.table(f"sensitivity, {label}", CURVE_COLUMNS, list(result.items()))
            holds |= {f"{name}, {label}": held for name, held in in_order(result).items()}
        _plot_curves(options.out / "sensitivity.png", figures)
    if not options.no_modes:
        for fps in rates:
            label = "every frame" if not fps else f"{fps:g} a second"
            figures[f"modes, {label}"] = _modes(sequences, fps, label)
            holds |= _mode_holds(figures[f"modes, {label}"], label)
        figures["short crossings, 5 a second"] = _short_crossings(options.data.parent / "footage")
    return report.finish(options.out, "detect", figures, BARS, holds)


def curve(sequences: list[Sequence], fps: float) -> Result:
    """Return the means over all sequences at every sensitivity, with NumPy."""
    measured: dict[str, Result] = {}
    for sequence in sequences:
        detectors: list[Contender] = []
        for sensitivity in SENSITIVITIES:
            detectors.append(Ours("numpy", sensitivity))
            detectors[-1].name = str(sensitivity)
        measured[sequence.name] = measure(sequence, fps, detectors)
    return _means(measured)


def in_order(result: Result) -> dict[str, bool]:
    """Whether more sensitivity never finds less, and never errs less."""
    rising = {"frame_recall": 1, "pixel_recall": 1, "false_positives": 1, "precision": -1}
    return {
        f"sensitivity 0 to 100: {column} {'rises' if sign > 0 else 'falls'} or stays": all(
            sign * (more[column] or 0.0) >= sign * (less[column] or 0.0) - ORDER_SLACK
            for less, more in pairwise(result.values())
        )
        for column, sign in rising.items()
    }


def _plot_curves(path: Path, figures: dict[str, dict[str, Result]]) -> None:
    frames: dict[str, list[tuple[float, float, str]]] = {}
    pixels: dict[str, list[tuple[float, float, str]]] = {}
    for name, results in figures.items():
        if not name.startswith("sensitivity, "):
            continue
        label = name.removeprefix("sensitivity, ")
        rows = results["mean"].items()
        frames[label] = [(f["false_positives"] or 0.0, f["frame_recall"] or 0.0, text) for text, f in rows]
        pixels[label] = [(1 - (f["precision"] or 0.0), f["pixel_recall"] or 0.0, text) for text, f in rows]
    panels = {
        "frame recall over false positives on still frames": frames,
        "pixel recall over the false share of the mask": pixels,
    }
    report.curves(path, panels)


def _modes(sequences: list[Sequence], fps: float, label: str) -> dict[str, Result]:
    """Play every sequence in every mode: real packets through the integration's pipeline."""
    measured = {sequence.name: modes.measure(sequence, fps) for sequence in sequences}
    measured["mean"] = _means(measured)
    for name, result in measured.items():
        report.table(f"{name}, {label}", modes.COLUMNS, list(result.items()))
    return measured


def _mode_holds(measured: dict[str, Result], label: str) -> dict[str, bool]:
    """Hold *auto* against the bars and against always full."""
    auto = {name: result["auto"] for name, result in measured.items() if name != "mean"}
    return {
        f"auto: frame recall >= {BARS['frame_recall']} on every sequence, {label}": all(
            (f["frame_recall"] or 0) >= BARS["frame_recall"] for f in auto.values()
        ),
        f"auto: false positives <= {BARS['false_positives']} on every sequence, {label}": all(
            (f["false_positives"] or 0) <= BARS["false_positives"] for f in auto.values()
        ),
        f"auto: every episode found that always full finds, {label}": all(
            f["episodes_found"] == measured[name]["always full"]["episodes_found"] for name, f in auto.items()
        ),
    }


def _short_crossings(footage: Path) -> dict[str, Result]:
    """Cross a still scene for parts of a GOP, with little and with much noise."""
    figures: dict[str, Result] = {}
    for sigma in (1.0, 3.0):
        name = f"noise {sigma:g}"
        figures[name] = modes.short_crossings(stills(footage)[0], 5.0, sigma)
        columns = list(next(iter(figures[name].values())))
        report.table(f"found by length, {name}", columns, list(figures[name].items()))
    return figures


def measure(sequence: Sequence, fps: float, detectors: list[Contender]) -> Result:
    """Play one sequence to all detectors at once; only their own work is timed."""
    truth = Truth()
    tallies = {detector.name: Tally() for detector in detectors}
    for shot in read(sequence, fps, color=any(d.color for d in detectors)):
        truth.add(shot)
        for detector in detectors:
            picture = shot.luma if shot.bgr is None or not detector.color else shot.bgr
            began_s = thread_time()
            mask = detector.look(picture, shot.time_s)
            spent_s = thread_time() - began_s
            tallies[detector.name].add(shot, detector.full_size(mask, *shot.luma.shape), spent_s)
    for detector in detectors:
        tallies[detector.name].events = detector.events()
    return {name: tally.figures(truth) for name, tally in tallies.items()}


def _means(measured: dict[str, Result]) -> Result:
    """Average every figure over the sequences that have it."""
    means: Result = {}
    for who in next(iter(measured.values())):
        columns: dict[str, float | None] = {}
        for column in next(iter(measured.values()))[who]:
            values = [v for r in measured.values() if who in r and (v := r[who].get(column)) is not None]
            columns[column] = sum(values) / len(values) if values else None
        means[who] = columns
    return means


def _holds(figures: dict[str, dict[str, Result]]) -> dict[str, bool]:
    """Hold ours with NumPy alone (and its time with OpenCV) against the bars."""
    holds: dict[str, bool] = {}
    for label, results in figures.items():
        ours = {name: r["ringwatch numpy"] for name, r in results.items() if name != "mean"}
        mean = results["mean"]
        recalls = [v for f in ours.values() if (v := f["frame_recall"]) is not None]
        false = [v for f in ours.values() if (v := f["false_positives"]) is not None]
        holds[f"frame recall >= {BARS['frame_recall']} on every sequence, {label}"] = all(
            v >= BARS["frame_recall"] for v in recalls
        )
        holds[f"false positives <= {BARS['false_positives']} on every sequence, {label}"] = all(
            v <= BARS["false_positives"] for v in false
        )
        holds[f"mean pixel F >= {BARS['pixel_f']}, {label}"] = (
            mean["ringwatch numpy"]["pixel_f"] or 0
        ) >= BARS["pixel_f"]
        for engine in ("numpy", "opencv"):
            bar = BARS[f"ms_{engine}"]
            holds[f"{engine} <= {bar} ms a frame, {label}"] = (
                mean[f"ringwatch {engine}"]["ms_per_frame"] or 0
            ) <= bar
    return holds


if __name__ == "__main__":
    sys.exit(main())
