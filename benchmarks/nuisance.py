"""`script/bench nuisance`: nuisances with nobody there must start no event; whoever crosses must be found.

The scenes are real (the median of a video's frames) where footage is at hand; nuisances and whoever crosses
are synthetic.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
import sys

from script.lib.core import ROOT, load_core

load_core()

import av
import cv2
import numpy as np

from . import report
from .detectors import Contender, Ours, Subtractor
from .nuisances import FRAME_S, Nuisance, Picture, car, nuisances, person

WIDTH = 320
WARM_UP_S = 10.0  # a camera that has just been switched on may err; what happens then is not counted
CROSSING_S = {"person": 6.0, "car": 2.5}
SEED = 20261123
PLAYED = ("front_yard.mp4", "parking_lot.mp4")

type Crossings = list[tuple[str, float, float]]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 where ours starts an event without a crossing or misses one."""
    parser = argparse.ArgumentParser(prog="script/bench nuisance", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "footage")
    parser.add_argument("--full", action="store_true", help="10 minutes of each instead of 2")
    parser.add_argument("--seconds", type=float, help="another length")
    parser.add_argument("--only", action="append", help="a nuisance by name; may be given several times")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="other random numbers than the rules were made on"
    )
    parser.add_argument("--no-peers", action="store_true", help="ours only, with NumPy")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args(arguments)
    length_s = options.seconds or (600.0 if options.full else 120.0)
    scenes = stills(options.data)
    names = [n.name for n in nuisances(scenes[0].shape, options.seed)]
    if unknown := set(options.only or ()).difference(names):
        sys.stderr.write(f"No nuisance is called {', '.join(sorted(unknown))}\n")
        return 2
    figures: dict[str, dict[str, dict[str, float | None]]] = {}
    for number, name in enumerate(names):
        if options.only and name not in options.only:
            continue
        scene = scenes[number % len(scenes)]
        figures[name] = _measure(scene, name, length_s, options.seed, peers=not options.no_peers)
        columns = list(next(iter(figures[name].values())))
        report.table(name, columns, list(figures[name].items()))
    panels = {
        column: {name: {who: f[column] for who, f in result.items()} for name, result in figures.items()}
        for column in ("events_per_hour", "crossings_found")
    }
    report.bars(options.out / "nuisance.png", panels, {"crossings_found": 1.0})
    ours = [(n, who, f) for n, r in figures.items() for who, f in r.items() if who.startswith("ringwatch")]
    holds = {
        f"{name}, {who}: quiet, and every crossing found": f["events_per_hour"] == 0
        and f["crossings_found"] == 1
        for name, who, f in ours
    }
    bars = {"events_per_hour": 0, "crossings_found": 1}
    return report.finish(options.out, "nuisance", figures, bars, holds)


def stills(folder: Path) -> list[Picture]:
    """Return the empty scenes: medians of footage, or a drawn one where there is none."""
    scenes = []
    for path in (folder / name for name in PLAYED):
        if path.is_file():
            with av.open(str(path)) as video:
                step = max(1, video.streams.video[0].frames // 25)
                frames = [
                    np.asarray(f.to_ndarray(format="gray"), np.uint8)
                    for i, f in enumerate(video.decode(video=0))
                    if i % step == 0
                ]
            middle = np.median(np.stack(frames), axis=0).astype(np.float32)
            height = round(middle.shape[0] * WIDTH / middle.shape[1])
            scenes.append(
                np.asarray(cv2.resize(middle, (WIDTH, height), interpolation=cv2.INTER_AREA), np.float32)
            )
    return scenes or [drawn()]


def drawn() -> Picture:
    """A house's front: sky, wall, door, path and lawn, with texture."""
    rng = np.random.default_rng(SEED)
    picture = np.full((180, WIDTH), 190, np.float32)
    picture[40:110, 60:260] = 140
    picture[60:110, 140:170] = 70
    picture[110:] = 105
    picture[110:, 130:180] = 160
    return picture + cv2.GaussianBlur(rng.normal(0, 22, picture.shape).astype(np.float32), (0, 0), 1.2)


def play(
    scene: Picture, name: str, length_s: float, crossings: Crossings, seed: int = SEED
) -> Iterator[tuple[Picture, float]]:
    """Yield (luma, time) at 25 frames a second."""
    (nuisance,) = (n for n in nuisances((scene.shape[0], scene.shape[1]), seed) if n.name == name)
    for number in range(round(length_s / FRAME_S)):
        yield render(scene, nuisance, number * FRAME_S, crossings), number * FRAME_S


def render(scene: Picture, nuisance: Nuisance, time_s: float, crossings: Crossings) -> Picture:
    """Draw one frame; return it in 8 bits."""
    picture = scene if nuisance.behind is None else nuisance.behind(scene, time_s)
    for kind, begin_s, end_s in crossings:
        if begin_s <= time_s <= end_s:
            draw = person if kind == "person" else car
            picture = draw(picture, (time_s - begin_s) / (end_s - begin_s))
    if nuisance.before is not None:
        picture = nuisance.before(picture, time_s)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _measure(
    scene: Picture, name: str, length_s: float, seed: int = SEED, *, peers: bool
) -> dict[str, dict[str, float | None]]:
    crossings: Crossings = [
        (kind, place * length_s, place * length_s + CROSSING_S[kind])
        for place, kind in ((0.3, "person"), (0.45, "car"), (0.68, "person"), (0.85, "car"))
    ]
    quiet = _run(scene, name, length_s, [], seed, peers=peers)
    crossed = _run(scene, name, length_s, crossings, seed, peers=peers)
    figures: dict[str, dict[str, float | None]] = {}
    for who, events in quiet.items():
        counted = [event for event in events if event[1] > WARM_UP_S]
        found = [any(s <= end and e >= begin for s, e in crossed[who]) for _, begin, end in crossings]
        figures[who] = {
            "events_per_hour": 3600 * len(counted) / (length_s - WARM_UP_S),
            "warm_up_events": float(len(events) - len(counted)),
            "crossings_found": sum(found) / len(found),
        }
    return figures


def _run(
    scene: Picture, name: str, length_s: float, crossings: Crossings, seed: int, *, peers: bool
) -> dict[str, list[tuple[float, float]]]:
    """Play once to all detectors, each at 25 and at 5 frames a second."""
    detectors: dict[str, tuple[int, Contender]] = {}
    for every, rate in ((1, "25 fps"), (5, "5 fps")):
        detectors[f"ringwatch numpy, {rate}"] = (every, Ours("numpy"))
        if peers:
            detectors[f"MOG2 160, {rate}"] = (every, Subtractor("MOG2", full=False))
            detectors[f"KNN 160, {rate}"] = (every, Subtractor("KNN", full=False))
    for number, (luma, time_s) in enumerate(play(scene, name, length_s, crossings, seed)):
        for every, detector in detectors.values():
            if number % every == 0:
                detector.look(np.asarray(luma, np.uint8), time_s)
    return {who: detector.events() for who, (_, detector) in detectors.items()}


if __name__ == "__main__":
    sys.exit(main())
