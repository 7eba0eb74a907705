"""Cameras over RTSP in a process of their own, run by `script/bench cost`; prints one JSON object.

`cameras`: CPU, memory and the event loop's lag while threads watch. `latency`: a film whose frames carry
their number as a row of blocks, so that the arrival of the frame in which somebody has come far enough into
the picture is known, and the time from there to the start of the event.
"""

import argparse
import asyncio
from collections.abc import Iterator
import gc
import json
from pathlib import Path
import sys
import threading
import time
from typing import override

from script.lib.core import ROOT, load_core

load_core()

import cv2
import numpy as np

from ringwatch.pipeline import AnalyzedFrame, Mode, Pipeline
from ringwatch.video import Decoder, PacketBuffer, Source, SourceConfig, SourceError, luma_view
from ringwatch.vision import Detector, DetectorSettings, Zone, ZoneKind, select_primitives

from .films import Crossing, drawn, encode, film
from .nuisances import FRAME_S, Picture

DEFAULT_FPS = 5.0
LATENCY_FPS = 10.0
SETTLE_S = 14.0  # connecting, and the first seconds in which nothing dozes yet
TICK_S = 0.01
SEEN_SHARE = 0.005  # of the picture, covered by whoever comes in
WIDTH, HEIGHT = 640, 360
BLOCK_PX, BITS = 12, 14
PAUSE_S = 6.0
CROSSINGS = 24
LENGTHS_S = {"person": (4.0, 5.0, 6.5), "car": (2.5, 3.0, 3.7)}
MARKER = Zone("Marker", ZoneKind.PRIVACY, ((0.0, 0.94), (0.4, 0.94), (0.4, 1.0), (0.0, 1.0)))
MIB = 1024 * 1024


def planned() -> list[Crossing]:
    """Return who crosses the latency film, and when."""
    crossings: list[Crossing] = []
    at_s = PAUSE_S
    for number in range(CROSSINGS):
        kind = ("person", "car")[number % 2]
        long_s = LENGTHS_S[kind][number // 2 % 3]
        crossings.append((kind, at_s, at_s + long_s))
        at_s += long_s + PAUSE_S + 0.13 * (number % 7)  # key frames fall everywhere
    return crossings


def crossing_film(scene: Picture) -> Path:
    """Return the latency film, made once."""
    path = ROOT / ".tools" / "media" / "cost-latency.mp4"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        large = np.asarray(cv2.resize(scene, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)
        crossings = planned()
        encode(_marked(film(large, 1.5, crossings, crossings[-1][2] + PAUSE_S)), path, kbps=800)
    return path


def _marked(pictures: Iterator[Picture]) -> Iterator[Picture]:
    for number, picture in enumerate(pictures):
        for bit in range(BITS):
            left = bit * BLOCK_PX
            picture[-BLOCK_PX:, left : left + BLOCK_PX] = 210 if number >> bit & 1 else 40
        yield picture


def _number(luma: np.ndarray) -> int:
    middle = luma[-BLOCK_PX // 2, BLOCK_PX // 2 : BITS * BLOCK_PX : BLOCK_PX]
    return int(sum(1 << bit for bit, level in enumerate(middle) if level > 125))


def first_seen() -> list[tuple[int, int]]:
    """Return for every crossing the frame in which it covers enough of the picture, and its last."""
    empty = np.full((HEIGHT, WIDTH), 100, np.float32)
    spans = []
    for crossing in planned():
        number = round(crossing[1] / FRAME_S)
        while np.count_nonzero(drawn(empty, [crossing], number * FRAME_S) != empty) < SEEN_SHARE * empty.size:
            number += 1
        spans.append((number, round(crossing[2] / FRAME_S)))
    return spans


def latency(url: str, mode: Mode) -> dict[str, float]:
    """Watch the film once; return how late its events started."""
    spans = first_seen()
    length_s = planned()[-1][2] + PAUSE_S
    late_s: dict[int, float] = {}
    passed: set[int] = set()
    settings = DetectorSettings(zones=(MARKER,))
    with Source(SourceConfig(url), stop=threading.Event()) as source:
        detector = Detector(settings, select_primitives("numpy"))
        pipeline = Pipeline(Decoder(source), detector, fps=LATENCY_FPS, mode=mode)
        began_s = time.monotonic()
        while (now_s := time.monotonic()) < began_s + length_s + SETTLE_S:
            packet = source.read()
            if packet is None or packet.kind != "video":
                continue
            analyzed = pipeline.feed(packet)
            told_s = time.monotonic()
            if now_s > began_s + SETTLE_S:
                _note(analyzed, told_s, spans, late_s, passed)
    times = sorted(late_s.values())
    return {
        "crossings": len(passed | set(late_s)),
        "found": len(late_s),
        "median_s": times[len(times) // 2],
        "p95_s": times[min(len(times) - 1, round(0.95 * (len(times) - 1)))],
        "highest_s": times[-1],
    }


def _note(
    analyzed: list[AnalyzedFrame],
    told_s: float,
    spans: list[tuple[int, int]],
    late_s: dict[int, float],
    passed: set[int],
) -> None:
    for picture in analyzed:
        number = _number(luma_view(picture.decoded.frame))
        for index, (first, last) in enumerate(spans):
            if number >= last > number - LATENCY_FPS:
                passed.add(index)
            if picture.result.started and first - 1 / FRAME_S <= number <= last and index not in late_s:
                arrival_s = picture.decoded.arrival_s - (number - first) * FRAME_S
                late_s[index] = told_s - arrival_s


class Camera(threading.Thread):
    """What a camera's thread does, without Home Assistant."""

    def __init__(self, url: str, mode: Mode, stop: threading.Event) -> None:
        super().__init__()
        self._url, self._mode, self._stopped = url, mode, stop
        self.buffer = PacketBuffer(5.0)
        self.packets = 0
        self.failure = ""

    @override
    def run(self) -> None:
        """Read, keep, decode and look until told to stop."""
        try:
            with Source(SourceConfig(self._url), stop=self._stopped) as source:
                detector = Detector(primitives=select_primitives("numpy"))
                pipeline = Pipeline(Decoder(source), detector, fps=DEFAULT_FPS, mode=self._mode)
                while not self._stopped.is_set():
                    packet = source.read()
                    if packet is not None:
                        self.buffer.append(packet)
                        pipeline.feed(packet)
                        self.packets += 1
        except SourceError as error:
            self.failure = str(error)


def resident_bytes() -> int:
    """Return this process's resident memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


async def cameras(url: str, mode: Mode, count: int, seconds: float) -> dict[str, float]:
    """Watch so many cameras beside an event loop; return what it costs and how late the loop is."""
    stop = threading.Event()
    Detector()
    gc.collect()
    before = resident_bytes()
    threads = [Camera(url, mode, stop) for _ in range(count)]
    for thread in threads:
        thread.start()
    await asyncio.sleep(SETTLE_S)
    packets = sum(thread.packets for thread in threads)
    cpu_s, began_s = time.process_time(), time.monotonic()
    late_s = []
    loop = asyncio.get_running_loop()
    while time.monotonic() < began_s + seconds:
        due_s = loop.time() + TICK_S
        await asyncio.sleep(TICK_S)
        late_s.append(loop.time() - due_s)
    spent_s, wall_s = time.process_time() - cpu_s, time.monotonic() - began_s
    packets = sum(thread.packets for thread in threads) - packets
    memory = resident_bytes() - before
    stop.set()
    for thread in threads:
        thread.join()
    if failures := [thread.failure for thread in threads if thread.failure]:
        raise SystemExit(failures[0])
    late_s.sort()
    return {
        "cpu_percent": 100 * spent_s / wall_s,
        "cpu_ms_per_input": 1000 * spent_s / max(1, packets),
        "fps": packets / wall_s / count,
        "memory_mb": memory / MIB,
        "buffers_mb": sum(thread.buffer.size_bytes for thread in threads) / MIB,
        "lag_median_ms": 1000 * late_s[len(late_s) // 2],
        "lag_p99_ms": 1000 * late_s[round(0.99 * (len(late_s) - 1))],
        "lag_highest_ms": 1000 * late_s[-1],
    }


def main() -> None:
    """Run one of the two and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("cameras", "latency"))
    parser.add_argument("url")
    parser.add_argument("--mode", type=Mode, default=Mode.FULL)
    parser.add_argument("--cameras", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    if given.what == "latency":
        figures = latency(given.url, given.mode)
    else:
        figures = asyncio.run(cameras(given.url, given.mode, given.cameras, given.seconds))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
