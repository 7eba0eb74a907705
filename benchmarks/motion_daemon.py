"""Debian's Motion daemon on a labeled sequence. It plays in real time, so this takes as long as the video.

It runs at the file's own frame rate with the threshold scaled to the picture's size, and tells of every
frame with motion through a script that writes the time. Its CPU is that of the whole daemon with decoding.
"""

from pathlib import Path
import resource
import shutil
import subprocess
import tempfile
import time

import av

from .sequences import QUIET_S, Sequence, Truth, read, spans

STANDARD_THRESHOLD = 1500  # pixels of 640x480
START_S = 10.0  # how long it may take to open the file


def is_installed() -> bool:
    """Whether `motion` is on the path."""
    return shutil.which("motion") is not None


def measure(sequence: Sequence) -> dict[str, float | None]:
    """Return frame recall, false positives and CPU ms per frame (all in)."""
    truth = Truth()
    height = width = 0
    for shot in read(sequence, 0):
        truth.add(shot)
        height, width = shot.luma.shape
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        times_s, cpu_s = _run(sequence, folder, height, width)
    events = spans(times_s, QUIET_S)
    inside = [any(s <= t <= e for s, e in events) for t in truth.times_s]

    def share(chosen: list[bool]) -> float | None:
        counted = [i for i, c in zip(inside, chosen, strict=True) if c]
        return sum(counted) / len(counted) if counted else None

    return {
        "frame_recall": share(truth.moving),
        "false_positives": share(truth.still),
        "events_per_minute": 60 * len(events) / max(1e-9, truth.times_s[-1]),
        "ms_per_frame": 1000 * cpu_s / len(truth.times_s),
    }


def _run(sequence: Sequence, folder: Path, height: int, width: int) -> tuple[list[float], float]:
    """Play the sequence once; return the stream times of frames with motion, and CPU seconds."""
    seen = folder / "seen"
    hook = folder / "hook"
    hook.write_text(f'#!/bin/bash\necho "$1 $EPOCHREALTIME" >> "{seen}"\n')
    hook.chmod(0o755)
    threshold = round(STANDARD_THRESHOLD * height * width / (640 * 480))
    configuration = folder / "motion.conf"
    configuration.write_text(
        f"netcam_url file://{sequence.video}\nnetcam_params capture_rate={sequence.fps:g}\n"
        f"framerate {sequence.fps:g}\nwidth {width}\nheight {height}\nthreshold {threshold}\n"
        "noise_tune on\ndespeckle_filter EedDl\nevent_gap 5\nminimum_motion_frames 1\n"
        "picture_output off\nmovie_output off\nwebcontrol_port 0\nstream_port 0\ndaemon off\n"
        f"target_dir {folder}\non_motion_detected {hook} motion\non_camera_found {hook} found\n"
    )
    with av.open(str(sequence.video)) as video:
        length_s = float(video.streams.video[0].frames) / sequence.fps
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.time()
    with subprocess.Popen(
        ["motion", "-n", "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            process.wait(length_s + START_S / 5)
        except subprocess.TimeoutExpired:
            process.terminate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    marks = [line.split() for line in seen.read_text().splitlines()] if seen.exists() else []
    first_s = next((float(at) for kind, at in marks if kind == "found"), began_s)
    return [float(at) - first_s for kind, at in marks if kind == "motion"], cpu_s
