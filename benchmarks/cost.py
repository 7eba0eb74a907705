"""`script/bench cost`: what watching costs, as a ratio to decoding alone, and what many cameras cost.

Per input frame of the same file in the same run: a bare full decode, ours (the pipeline of the camera's
thread, packet buffer and all), a pipe of small pictures at 5 a second into MOG2, and the Motion daemon. Then
1, 4 and 8 cameras over RTSP in a process of their own: CPU, memory, and how late the event loop is.
"""

import argparse
from collections.abc import Callable
import json
from pathlib import Path
import subprocess
import sys
import tempfile
import threading
from time import process_time, thread_time
from typing import Any, Literal

from script.lib.core import ROOT, load_core

load_core()

import av
import cv2
import numpy as np

from ringwatch.pipeline import Mode, Pipeline
from ringwatch.video import Decoder, EndOfStream, PacketBuffer, Source, SourceConfig
from ringwatch.vision import Detector, select_primitives
from script.lib.footage import LoopSettings
from script.lib.servers import RtspServer

from . import motion_daemon, report
from .films import LENGTH_S, camera_film
from .live import DEFAULT_FPS, crossing_film
from .nuisance import stills
from .nuisances import FRAME_S

SIZES = {"1080p": (1920, 1080, 3000), "360p": (640, 360, 800)}  # width, height, kb/s
SETTLED_S = 12.0  # a camera that has been on for a while: what comes before is not counted
ROUNDS = 3  # of each, in turn; the least counts: other processes only add
PIPE_WIDTH, PIPE_HEIGHT, PIPE_FPS = 640, 360, 5
BARS = {"moving": 1.10, "idle": 0.25, "latency_p95_s": 0.5}
DEFAULT_MODE = "ringwatch auto, numpy"

type Figures = dict[str, float | None]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="script/bench cost", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "footage")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--cameras", type=int, nargs="*", default=[1, 4, 8])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run over RTSP")
    parser.add_argument("--live-only", action="store_true", help="only what goes over RTSP")
    parser.add_argument("--files-only", action="store_true", help="nothing over RTSP")
    parser.add_argument("--no-peers", action="store_true", help="ours only")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--pipe", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.pipe:
        return _write_pipe(options.pipe)
    scene = stills(options.data)[0]
    figures: dict[str, dict[str, Figures]] = {}
    holds: dict[str, bool] = {}
    paths: dict[str, Path] = {}
    for size, (width, height, kbps) in SIZES.items():
        for state in ("moving", "idle"):
            name = f"{size}, {state}"
            paths[name] = camera_film(scene, width, height, kbps, moving=state == "moving")
            if options.live_only:
                continue
            figures[name] = _measure(paths[name], options.rounds, peers=not options.no_peers)
            report.table(name, ("ms_per_input", "ratio"), list(figures[name].items()))
            ratio = figures[name][DEFAULT_MODE]["ratio"] or 0.0
            holds[f"{name}: ratio to a full decode <= {BARS[state]}"] = ratio <= BARS[state]
    if options.files_only:
        pass
    elif not RtspServer.available():
        sys.stderr.write(
            "No RTSP server here (script/bootstrap installs GStreamer's as root): not measured\n"
        )
    else:
        for name, mode in (("1080p, idle", Mode.AUTO), ("360p, moving", Mode.FULL)):
            if not options.cameras:
                break
            figures[f"rtsp {name}, {mode}"] = _cameras(paths[name], mode, options.cameras, options.seconds)
        figures["rtsp latency"] = _latency(crossing_film(scene))
        worst = figures["rtsp latency"]["full"]["p95_s"] or 0.0
        holds[f"latency at 10 frames a second, full: p95 <= {BARS['latency_p95_s']} s"] = (
            worst <= BARS["latency_p95_s"]
        )
    panels = {"ratio": {n: {w: f["ratio"] for w, f in r.items()} for n, r in figures.items() if n in paths}}
    if not options.live_only:
        report.bars(options.out / "cost.png", panels, {"ratio": BARS["moving"]})
    return report.finish(options.out, "cost", figures, BARS, holds)


def _measure(path: Path, rounds: int, *, peers: bool) -> dict[str, Figures]:
    """Return CPU ms per input frame and its ratio to a bare decode of the same file."""
    runs: dict[str, Callable[[], float]] = {
        "bare full decode": lambda: bare(path),
        "ringwatch auto, numpy": lambda: ours(path, Mode.AUTO, "numpy"),
        "ringwatch full, numpy": lambda: ours(path, Mode.FULL, "numpy"),
        "ringwatch auto, opencv": lambda: ours(path, Mode.AUTO, "opencv"),
        "ringwatch full, opencv": lambda: ours(path, Mode.FULL, "opencv"),
    }
    if peers:
        runs["pipe at 5 fps, MOG2"] = lambda: pipe(path)
    spent: dict[str, float] = {}
    for _ in range(rounds):  # in turn: a busy minute hits all alike
        for name, run in runs.items():
            spent[name] = min(spent.get(name, float("inf")), run())
    if peers and motion_daemon.is_installed():
        spent["motion daemon"] = daemon(path)
    base = spent["bare full decode"]
    return {name: {"ms_per_input": 1000 * s, "ratio": s / base} for name, s in spent.items()}


def bare(path: Path) -> float:
    """Demux and decode, one thread, nothing else; CPU seconds per frame once settled."""
    spent_s = 0.0
    frames = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        began_s = thread_time()
        for packet in container.demux(stream):
            stream.codec_context.decode(packet)
            if (packet.pts is not None) and float(packet.pts * packet.time_base) < SETTLED_S:
                began_s = thread_time()
            else:
                frames += 1
        spent_s = thread_time() - began_s
    return spent_s / frames


def ours(path: Path, mode: Mode, engine: Literal["numpy", "opencv"]) -> float:
    """Run the pipeline as the camera's thread does; CPU seconds per frame once settled."""
    frames = 0
    with Source(SourceConfig(str(path)), stop=threading.Event()) as source:
        detector = Detector(primitives=select_primitives(engine))
        pipeline = Pipeline(Decoder(source), detector, fps=DEFAULT_FPS, mode=mode)
        buffer = PacketBuffer(5.0)
        began_s = thread_time()
        try:
            while True:
                packet = source.read()
                if packet is None:
                    continue
                buffer.append(packet)
                pipeline.feed(packet)
                if packet.time_s < SETTLED_S:
                    began_s = thread_time()
                else:
                    frames += 1
        except EndOfStream:
            spent_s = thread_time() - began_s
    return spent_s / frames


def pipe(path: Path) -> float:
    """Decode in another process, five small pictures a second through a pipe, MOG2 here."""
    size = PIPE_WIDTH * PIPE_HEIGHT * 3
    model: Any = cv2.createBackgroundSubtractorMOG2()
    command = [sys.executable, "-m", "benchmarks.cost", "--pipe", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("no pipes")
        began_s = process_time()
        while len(data := process.stdout.read(size)) == size:
            model.apply(np.frombuffer(data, np.uint8).reshape(PIPE_HEIGHT, PIPE_WIDTH, 3))
        spent_s = process_time() - began_s
        theirs = json.loads(process.stderr.read())
    return float(spent_s + theirs["cpu_s"]) / int(theirs["frames"])


def _write_pipe(path: Path) -> int:
    """Be what `ffmpeg -vf fps=5,scale=640:360 -pix_fmt bgr24 -f rawvideo -` is, without it."""
    frames = 0
    began_s = process_time()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        every = round(1 / FRAME_S / PIPE_FPS)
        for frame in container.decode(stream):
            if frames % every == 0:
                small = frame.reformat(PIPE_WIDTH, PIPE_HEIGHT, "bgr24")
                sys.stdout.buffer.write(small.to_ndarray().tobytes())
            frames += 1
    sys.stderr.write(json.dumps({"cpu_s": process_time() - began_s, "frames": frames}))
    return 0


def daemon(path: Path) -> float:
    """Run the Motion daemon over the file's length, which it plays in real time."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        size = (stream.height, stream.width)
    with tempfile.TemporaryDirectory() as folder:
        _, cpu_s = motion_daemon.run(
            path, Path(folder), fps=1 / FRAME_S, size=size, length_s=LENGTH_S, hooks=False
        )
    return cpu_s / (LENGTH_S / FRAME_S)


def _cameras(path: Path, mode: Mode, counts: list[int], seconds: float) -> dict[str, Figures]:
    """Watch one to many cameras over RTSP, each time in a fresh process."""
    figures: dict[str, Figures] = {}
    with RtspServer({"cam": path}, LoopSettings(max_s=LENGTH_S)) as server:
        for count in counts:
            options = ["--cameras", str(count), "--mode", mode, "--seconds", str(seconds)]
            figures[f"{count} cameras"] = _live(["cameras", server.url("cam"), *options])
    report.table(f"RTSP {path.stem}, {mode}", list(next(iter(figures.values()))), list(figures.items()))
    return figures


def _latency(path: Path) -> dict[str, Figures]:
    figures: dict[str, Figures] = {}
    with RtspServer({"cam": path}, LoopSettings(max_s=600.0)) as server:
        for mode in Mode:
            figures[mode] = _live(["latency", server.url("cam"), "--mode", mode])
    report.table("latency over RTSP", list(next(iter(figures.values()))), list(figures.items()))
    return figures


def _live(arguments: list[str]) -> Figures:
    command = [sys.executable, "-m", "benchmarks.live", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    sys.exit(main())
