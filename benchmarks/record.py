"""Recording: pre-roll kept, CPU and bytes against `ffmpeg -c copy`, and the catalogue with 100,000 rows.

    .venv/bin/python -m benchmarks.record [--events 200] [--seconds 120] [--clips 100000] [--ffmpeg PATH]

A real server (GStreamer's RTSP, else MPEG-TS over HTTP) plays to fresh processes. `ffmpeg` is Debian's;
without it that ratio is not measured. The last line is one JSON object; the exit status is 1 where a bar is
missed.
"""

import argparse
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
import json
import os
from pathlib import Path
from random import Random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import av
import numpy as np

from benchmarks.memory import scene
from benchmarks.recording import busy
from benchmarks.report import finish, table
from ringwatch.clips import Questions, Trigger
from ringwatch.footage.matching import CameraPlace, matching_clips
from ringwatch.neighborhood.places import Place
from script.lib.core import ROOT
from script.lib.footage import LoopSettings
from script.lib.many_clips import CAMERAS, START, fill
from script.lib.servers import RtspServer, TsServer

BARS = {
    "pre_roll_kept": 1.0,
    "cpu_ratio": 1.5,
    "bytes_ratio": 1.02,
    "page_ms": 10.0,
    "overlap_ms": 5.0,
    "match_ms": 20.0,
}
QUESTIONS = 200
REQUEST_S = (15 * 60, 12 * 3600)  # the shortest and longest window of a footage request
AREA = tuple(Place(lat, lon) for lat, lon in ((0, 0), (0, 9000), (5000, 9000), (9000, 4000), (4000, 0)))
PLACES = tuple(
    CameraPlace(f"camera {number}", 3000 if number % 2 else 90_000, 3000) for number in range(CAMERAS)
)
SCENE_S, SCENE_FPS = 100, 15


def long_scene() -> Path:
    """Return 100 s of pictures of which no two are alike: each is told by its bytes. Made once."""
    path = ROOT / ".tools" / "media" / "record-100s.mp4"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(3)
    part = path.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=SCENE_FPS, options={"preset": "ultrafast", "crf": "28"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(SCENE_S * SCENE_FPS):
            coarse = random.integers(0, 256, (9, 16, 3), np.uint8).repeat(40, 0).repeat(40, 1)
            frame = av.VideoFrame.from_ndarray(coarse, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, SCENE_FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    part.replace(path)
    return path


def child(what: str, url: str, amount: float) -> dict[str, Any]:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.recording", what, url, str(amount)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def start_ffmpeg(program: str, url: str, seconds: float, folder: Path) -> subprocess.Popen[bytes]:
    """Let ffmpeg copy so much of a stream into an MP4 file."""
    options = ["-rtsp_transport", "tcp"] if url.startswith("rtsp") else []
    command = [
        program,
        "-v",
        "error",
        "-nostdin",
        *options,
        "-i",
        url,
        "-t",
        str(seconds),
        "-an",
        "-c",
        "copy",
    ]
    return subprocess.Popen([*command, str(folder / "copy.mp4")])


def cpu_s_of(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; return the CPU seconds it took."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"ffmpeg ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def catalogue(count: int) -> dict[str, float]:
    """Return median and 95th percentile of the questions that matter, in ms, asked at random."""
    random = Random(7)
    with tempfile.TemporaryDirectory(prefix="ringwatch-bench-") as name:
        folder = Path(name)
        last = fill(folder, count)
        questions = Questions(folder)

        def moment() -> Any:
            return START + random.random() * (last - START)

        def page() -> object:
            start = moment()
            return questions.page(
                camera_id=f"camera {random.randrange(CAMERAS)}",
                start=start - timedelta(days=30),
                end=start,
                trigger=random.choice([None, *Trigger]),
            )

        def overlap() -> object:
            start = moment()
            return questions.overlapping(start, start + timedelta(minutes=15), camera_id=None)

        def match() -> object:
            """Answer a footage request: any window that there may be, half of the cameras in the area."""
            start_s = int(moment().timestamp())
            end_s = start_s + random.randint(*REQUEST_S)
            return matching_clips(questions, PLACES, AREA, start_s, end_s)

        figures: dict[str, float] = {"clips": count}
        figures["database_mb"] = round((folder / "catalogue.db").stat().st_size / 1e6, 1)
        for label, ask in (("page", page), ("overlap", overlap), ("match", match)):
            figures |= {f"{label}_{key}": value for key, value in timed(ask).items()}
    return figures


def timed(ask: Callable[[], object]) -> dict[str, float]:
    """Return how long a question takes, in ms of the clock and of the processor."""
    walls, cpus = [], []
    for _ in range(QUESTIONS):
        wall_s, cpu_s = time.perf_counter(), time.thread_time()
        ask()
        walls.append((time.perf_counter() - wall_s) * 1000)
        cpus.append((time.thread_time() - cpu_s) * 1000)
    return {
        "ms": round(statistics.median(walls), 2),
        "p95_ms": round(statistics.quantiles(walls, n=20)[-1], 2),
        "cpu_ms": round(statistics.median(cpus), 2),
        "cpu_p95_ms": round(statistics.quantiles(cpus, n=20)[-1], 2),
    }


def main() -> int:
    """Measure everything, print tables, and say which bars hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--ffmpeg", default=shutil.which("ffmpeg") or "")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    given = parser.parse_args()
    kind = RtspServer if RtspServer.available() else TsServer
    figures: dict[str, Any] = {"load_at_start": round(os.getloadavg()[0], 2), "cores": os.cpu_count()}
    holds: dict[str, bool] = {}
    films = {"cam": scene(), "long": long_scene()}
    with kind(films, LoopSettings()) as server, tempfile.TemporaryDirectory() as name:
        url = server.url("cam")
        if given.seconds:
            # Both at once: whatever else this machine does costs both the same.
            peer = start_ffmpeg(given.ffmpeg, url, given.seconds, Path(name)) if given.ffmpeg else None
            ours = child("record", url, given.seconds)
            theirs = cpu_s_of(peer) * ours["seconds"] / given.seconds if peer else 0.0
            masked = child("masked", url, min(given.seconds, 20.0))
            figures |= {"record": ours, "masked": masked}
            # Of the clip's file, and of all that the process wrote: thumbnail and database too.
            size_ratio = ours["file_bytes"] / ours["stream_bytes"]
            written_ratio = ours["written_bytes"] / ours["stream_bytes"]
            figures |= {"bytes_ratio": round(size_ratio, 4), "written_ratio": round(written_ratio, 4)}
            holds["bytes of a clip against the stream's"] = size_ratio <= BARS["bytes_ratio"]
            if theirs:
                figures |= {"ffmpeg_cpu_s": round(theirs, 2), "cpu_ratio": round(ours["cpu_s"] / theirs, 2)}
                holds["CPU against ffmpeg -c copy"] = ours["cpu_s"] / theirs <= BARS["cpu_ratio"]
            else:
                print("There is no ffmpeg here: the ratio to it is not measured.", file=sys.stderr)
        if given.events:
            with busy(os.cpu_count() or 1):
                figures["pre_roll"] = child("pre_roll", server.url("long"), given.events)
            holds["pre-roll kept"] = figures["pre_roll"]["kept_share"] >= BARS["pre_roll_kept"]
    if given.clips:
        figures["catalogue"] = catalogue(given.clips)
        holds["a page of the catalogue"] = figures["catalogue"]["page_ms"] <= BARS["page_ms"]
        holds["what matches a footage request"] = figures["catalogue"]["match_ms"] <= BARS["match_ms"]
        holds["what overlaps a window"] = figures["catalogue"]["overlap_ms"] <= BARS["overlap_ms"]
    for part, found in figures.items():
        if isinstance(found, dict):
            rows = [(part, {key: value for key, value in found.items() if isinstance(value, int | float)})]
            table("", list(rows[0][1]), rows)
    return finish(given.out, "record", figures, BARS, holds)


if __name__ == "__main__":
    sys.exit(main())
