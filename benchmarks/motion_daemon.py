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

from .sequences import QUIET_S, Sequence, Truth, read, spans

STANDARD_THRESHOLD = 1500  # pixels of 640x480
START_S = 3.0  # how long it may take to open the file


def is_installed() -> bool:
    """Whether `motion` is on the path."""
    return shutil.which("motion") is not None


def measure(sequence: Sequence) -> dict[str, float | None]:
    """Return frame recall, false positives and CPU ms per frame (all in)."""
    truth = Truth()
    size = (0, 0)
    for shot in read(sequence, 0):
        truth.add(shot)
        size = (shot.luma.shape[0], shot.luma.shape[1])
    length_s = len(truth.times_s) / sequence.fps
    with tempfile.TemporaryDirectory() as name:
        times_s, cpu_s = run(
            sequence.video, Path(name), fps=sequence.fps, size=size, length_s=length_s, hooks=True
        )
    # It does not say when the first frame was played, so the start that suits it best is taken.
    starts_s = [number / sequence.fps for number in range(round(START_S * sequence.fps))]
    recall, false, events = max(
        (_score(truth, [t - start_s for t in times_s if t - start_s <= length_s]) for start_s in starts_s),
        key=lambda scored: (scored[0] or 0.0) - (scored[1] or 0.0),
    )
    return {
        "frame_recall": recall,
        "false_positives": false,
        "events_per_minute": 60 * events / max(1e-9, truth.times_s[-1]),
        "ms_per_frame": 1000 * cpu_s / len(truth.times_s),
    }


def _score(truth: Truth, times_s: list[float]) -> tuple[float | None, float | None, int]:
    """Return frame recall, false positives and the number of events."""
    events = spans(times_s, QUIET_S)
    inside = [any(s <= t <= e for s, e in events) for t in truth.times_s]

    def share(chosen: list[bool]) -> float | None:
        counted = [i for i, c in zip(inside, chosen, strict=True) if c]
        return sum(counted) / len(counted) if counted else None

    return share(truth.moving), share(truth.still), len(events)


def run(
    video: Path, folder: Path, *, fps: float, size: tuple[int, int], length_s: float, hooks: bool
) -> tuple[list[float], float]:
    """Play a video for its length; return when it saw motion, since its start, and CPU seconds.

    Hooks cost CPU of their own: without them no times are returned.
    """
    seen = folder / "seen"
    hook = folder / "hook"
    hook.write_text(f'#!/bin/bash\necho "$EPOCHREALTIME" >> "{seen}"\n')
    hook.chmod(0o755)
    height, width = size
    threshold = round(STANDARD_THRESHOLD * height * width / (640 * 480))
    configuration = folder / "motion.conf"
    configuration.write_text(
        f"netcam_url file://{video}\nnetcam_params capture_rate={fps:g}\n"
        f"framerate {fps:g}\nwidth {width}\nheight {height}\nthreshold {threshold}\n"
        "noise_tune on\ndespeckle_filter EedDl\nevent_gap 5\nminimum_motion_frames 1\n"
        "picture_output off\nmovie_output off\nwebcontrol_port 0\nstream_port 0\ndaemon off\n"
        f"target_dir {folder}\n" + (f"on_motion_detected {hook}\n" if hooks else "")
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.time()
    with subprocess.Popen(
        ["motion", "-n", "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            process.wait(length_s + (START_S if hooks else 0.0))
        except subprocess.TimeoutExpired:
            process.terminate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    times_s = [float(line) - began_s for line in seen.read_text().splitlines()] if seen.exists() else []
    return times_s, cpu_s
