"""Resident memory per 1080p camera: what a camera's thread holds.

    .venv/bin/python -m benchmarks.memory [--cameras 3] [--seconds 30] [--codec h264] [--transport tcp]

A real server (GStreamer's RTSP, else MPEG-TS over HTTP) plays to a fresh process. Printed for each number of
cameras is the growth since before the first was opened, less what the packet buffers hold (bar: 60 MB).
"""

import argparse
from fractions import Fraction
import gc
import json
from pathlib import Path
import subprocess
import sys
import threading
import time
from typing import Any, override

import av
import numpy as np

from script.lib.core import ROOT, load_core
from script.lib.footage import LoopSettings
from script.lib.servers import RtspServer, TsServer

load_core()

from ringwatch.pipeline import Pipeline
from ringwatch.video import Decoder, PacketBuffer, Source, SourceConfig, SourceError
from ringwatch.vision import Detector

WIDTH, HEIGHT, FPS = 1920, 1080, 25
SCENE_S = 4
MIB = 1024 * 1024


def scene() -> Path:
    """Return 4 s of a textured picture that pans, with a sensor's noise, about 5 Mb/s; made once."""
    path = ROOT / ".tools" / "media" / "memory-1080p-noise.mp4"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    texture = random.integers(0, 256, (HEIGHT // 8, WIDTH // 4, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    part = path.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(SCENE_S * FPS):
            view = texture[:, number * 8 : number * 8 + WIDTH]
            noise = random.normal(0, 3, (HEIGHT, WIDTH, 1))
            frame = av.VideoFrame.from_ndarray(np.clip(view + noise, 0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    part.replace(path)
    return path


def resident_bytes() -> int:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


class Camera(threading.Thread):
    """What a camera's thread does, without Home Assistant."""

    def __init__(self, config: SourceConfig, stop: threading.Event) -> None:
        """Prepare."""
        super().__init__()
        self._config = config
        self._stopped = stop
        self.buffer = PacketBuffer(5.0)
        self.frames = 0
        self.failure = ""

    @override
    def run(self) -> None:
        """Read, keep, decode and look until told to stop."""
        try:
            with Source(self._config, stop=self._stopped) as source:
                pipeline = Pipeline(Decoder(source), Detector(), fps=5.0)
                while not self._stopped.is_set():
                    packet = source.read()
                    if packet is not None:
                        self.buffer.append(packet)
                        pipeline.feed(packet)
                        self.frames = pipeline.frames_decoded
        except SourceError as error:
            self.failure = str(error)


def measure(config: SourceConfig, cameras: int, seconds: float) -> dict[str, Any]:
    """Run so many cameras for so long in this process; return memory and CPU."""
    stop = threading.Event()
    Detector()  # loads OpenCV where there is one: once a process, not once a camera
    gc.collect()
    before = resident_bytes()
    cpu_s = time.process_time()
    threads = [Camera(config, stop) for _ in range(cameras)]
    for thread in threads:
        thread.start()
    highest = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.5)
        highest = max(highest, resident_bytes() - before - sum(t.buffer.size_bytes for t in threads))
    buffers = sum(t.buffer.size_bytes for t in threads)
    frames = sum(t.frames for t in threads)
    stop.set()
    asked = time.monotonic()
    for thread in threads:
        thread.join()
    failures = [thread.failure for thread in threads if thread.failure]
    if failures:
        raise SystemExit(failures[0])
    return {
        "cameras": cameras,
        "without_buffers_mb_per_camera": round(highest / MIB / cameras, 1),
        "buffer_mb_per_camera": round(buffers / MIB / cameras, 1),
        "cpu_ms_per_frame": round((time.process_time() - cpu_s) * 1000 / max(frames, 1), 2),
        "frames": frames,
        "stop_s": round(time.monotonic() - asked, 2),
    }


def main() -> None:
    """Serve, and measure one to so many cameras, each time in a fresh process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cameras", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--codec", choices=("h264", "h265"), default="h264")
    parser.add_argument("--transport", choices=("tcp", "udp"), default="tcp")
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.url:
        config = SourceConfig(given.url, rtsp_transport=given.transport)
        print(json.dumps(measure(config, given.cameras, given.seconds)))
        return
    kind = RtspServer if RtspServer.available() else TsServer
    with kind({"cam": scene()}, LoopSettings(codec=given.codec)) as server:
        for cameras in range(1, given.cameras + 1):
            options = [
                "--cameras",
                str(cameras),
                "--seconds",
                str(given.seconds),
                "--transport",
                given.transport,
            ]
            command = [sys.executable, "-m", "benchmarks.memory", "--url", server.url("cam"), *options]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
