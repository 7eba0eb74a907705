"""Key frames only while nothing moves (*auto*) against decoding everything (*full*), over real H.264.

The same sequences and labels as the detectors', and a film of short crossings over a still scene: what lies
between two key frames is what a key frame cannot show.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
import tempfile
import threading
from time import thread_time
from typing import override

from ringwatch.idle import SizeHint
from ringwatch.pipeline import Mode, Pipeline
from ringwatch.video import Decoder, EndOfStream, MediaPacket, Source, SourceConfig
from ringwatch.vision import Detector, select_primitives

from .films import GOP_S, encode, film
from .nuisances import FRAME_S, Picture
from .sequences import Sequence, Tally, Truth, read, spans

COLUMNS = (
    "frame_recall", "false_positives", "onset_delay_s", "alert_late_s", "episodes", "episodes_found",
    "without_key", "without_key_found", "decoded_share", "dozing_share", "cpu_ms_per_input",
)  # fmt: skip
WARM_S = 20.0  # before the first crossing: the camera has been on for a while
PAUSE_S = 9.0  # between crossings, plus a phase, so that key frames fall everywhere
LENGTHS_S = (0.4, 0.6, 1.0, 1.5, 2.0, 4.0)
PHASES = 4

type Spans = list[tuple[float, float]]


class DeafHint(SizeHint):
    """Never wakes: key frames alone."""

    @override
    def add(self, packet: MediaPacket) -> bool:
        return False


@dataclass(slots=True)
class Run:
    """What one mode made of one file."""

    events: Spans = field(default_factory=list)
    keys_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)  # stream time from confirmation to being told
    packets: int = 0
    decoded: int = 0
    dozed: int = 0
    cpu_s: float = 0.0

    def figures(self, truth: Truth) -> dict[str, float | None]:
        """Return the columns."""
        scored = Tally(frames=max(1, self.packets), events=self.events).figures(truth)
        moving = [t for t, moves in zip(truth.times_s, truth.moving, strict=True) if moves]
        step_s = min((b - a for a, b in pairwise(truth.times_s)), default=FRAME_S)
        episodes = spans(moving, 1.5 * step_s)  # without joining those less than a second apart
        hidden = [(a, b) for a, b in episodes if not any(a <= key <= b for key in self.keys_s)]
        return {
            "frame_recall": scored["frame_recall"],
            "false_positives": scored["false_positives"],
            "onset_delay_s": scored["onset_delay_s"],
            "alert_late_s": max(self.late_s) if self.late_s else None,
            "episodes": float(len(episodes)),
            "episodes_found": float(found(episodes, self.events)),
            "without_key": float(len(hidden)),
            "without_key_found": float(found(hidden, self.events)),
            "decoded_share": self.decoded / max(1, self.packets),
            "dozing_share": self.dozed / max(1, self.packets),
            "cpu_ms_per_input": 1000 * self.cpu_s / max(1, self.packets),
        }


def contenders() -> dict[str, tuple[Mode, SizeHint]]:
    """Return the modes that are compared."""
    return {
        "always full": (Mode.FULL, SizeHint()),
        "auto": (Mode.AUTO, SizeHint()),
        "auto, key frames alone": (Mode.AUTO, DeafHint()),
    }


def found(wanted: Spans, events: Spans) -> int:
    """Count those that some event overlaps."""
    return sum(any(s <= b and e >= a for s, e in events) for a, b in wanted)


def play(path: Path, mode: Mode, hint: SizeHint, fps: float) -> Run:
    """Run a file through the integration's own pipeline, with NumPy."""
    run = Run()
    with Source(SourceConfig(str(path)), stop=threading.Event()) as source:
        detector = Detector(primitives=select_primitives("numpy"))
        pipeline = Pipeline(Decoder(source), detector, fps=fps, mode=mode, size_hint=hint)
        began_s = thread_time()
        try:
            while True:
                packet = source.read()
                if packet is None or packet.kind != "video":
                    continue
                run.packets += 1
                if packet.is_key:
                    run.keys_s.append(packet.time_s)
                for analyzed in pipeline.feed(packet):
                    result = analyzed.result
                    if result.started:
                        run.late_s.append(packet.time_s - result.started.confirmed_s)
                    if result.ended:
                        run.events.append((result.ended.start_s, result.ended.end_s))
                run.dozed += pipeline.dozing
        except EndOfStream:
            for analyzed in pipeline.finish():
                if ended := analyzed.result.ended:
                    run.events.append((ended.start_s, ended.end_s))
        run.cpu_s = thread_time() - began_s
        if last := detector.finish():
            run.events.append((last.start_s, last.end_s))
        run.decoded = pipeline.frames_decoded
    return run


def measure(sequence: Sequence, fps: float) -> dict[str, dict[str, float | None]]:
    """Play a labeled sequence in every mode."""
    truth = Truth()
    for shot in read(sequence, fps):
        truth.add(shot)
    return {
        name: play(sequence.video, mode, hint, fps).figures(truth)
        for name, (mode, hint) in contenders().items()
    }


def crossings() -> list[tuple[str, float, float]]:
    """Return (kind, begin, end): every length at several places between key frames."""
    planned = []
    at_s = WARM_S
    for phase in range(PHASES):
        for length_s in LENGTHS_S:
            begin_s = at_s - at_s % GOP_S + GOP_S * phase / PHASES + 0.1
            planned.append(("person" if length_s > GOP_S else "car", begin_s, begin_s + length_s))
            at_s = begin_s + length_s + PAUSE_S
    return planned


def short_crossings(scene: Picture, fps: float, sigma: float) -> dict[str, dict[str, float | None]]:
    """Return per mode how many crossings of each length are found, and what else."""
    planned = crossings()
    figures: dict[str, dict[str, float | None]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crossings.mp4"
        encode(film(scene, sigma, planned, planned[-1][2] + PAUSE_S), path)
        for name, (mode, hint) in contenders().items():
            run = play(path, mode, hint, fps)
            columns: dict[str, float | None] = {}
            for length_s in LENGTHS_S:
                those = [(a, b) for _, a, b in planned if abs(b - a - length_s) < 1e-6]
                columns[f"{length_s:g} s"] = found(those, run.events) / len(those)
            others = [e for e in run.events if not found([e], [(a - 0.5, b + 0.5) for _, a, b in planned])]
            figures[name] = {
                **columns,
                "other_events": float(len(others)),
                "alert_late_s": max(run.late_s) if run.late_s else None,
                "decoded_share": run.decoded / run.packets,
                "cpu_ms_per_input": 1000 * run.cpu_s / run.packets,
            }
    return figures
