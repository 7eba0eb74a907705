"""The pipeline: which frames are looked at, and what with."""

from itertools import pairwise
from pathlib import Path
import threading

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.pipeline import Pipeline, Throttle
from custom_components.ringwatch.video import Decoder, EndOfStream, Source, SourceConfig
from custom_components.ringwatch.vision import Detector

from .samples import sample


def picked(fps: float, times: list[float]) -> list[float]:
    throttle = Throttle(fps)
    return [time for time in times if throttle.wants(time)]


@pytest.mark.parametrize("source_fps", [10, 15, 20, 25, 30])
def test_five_of_them_evenly(source_fps: int) -> None:
    got = picked(5, [round(n / source_fps, 3) for n in range(source_fps * 60)])  # stamps in milliseconds
    assert len(got) == 300
    assert all(0.198 < b - a < 0.202 for a, b in pairwise(got))


def test_a_rate_that_does_not_divide_drifts_nowhere() -> None:
    got = picked(5, [n / 12 for n in range(12 * 3600)])
    assert len(got) == 5 * 3600
    assert all(b - a < 0.2 + 1 / 12 for a, b in pairwise(got))


def test_slower_sources_are_looked_at_whole() -> None:
    times = [n / 3 for n in range(100)]
    assert picked(5, times) == times
    assert picked(0, times) == times


def test_a_clock_that_begins_anew_is_followed() -> None:
    assert picked(5, [100.0, 100.1, 100.2, 0.0, 0.1, 0.2]) == [100.0, 100.2, 0.0, 0.2]


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=300), st.floats(1, 30))
def test_never_more_than_asked_for(steps: list[float], fps: float) -> None:
    times = [sum(steps[: n + 1]) for n in range(len(steps))]
    got = picked(fps, times)
    assert got[0] == times[0]
    assert len(got) <= (times[-1] - times[0] + 0.002) * fps + 1
    # Nothing is skipped for longer than two frames' time, unless the source had nothing.
    longest = max(steps)
    assert all(b - a <= 1 / fps + longest + 0.002 for a, b in pairwise(got))


def run(path: Path, fps: float, *, analyzing: bool = True) -> tuple[Pipeline, list]:
    path.write_bytes(sample(seconds=4.0, b_frames=2, container="mp4"))
    frames = []
    with Source(SourceConfig(str(path)), stop=threading.Event()) as source:
        pipeline = Pipeline(Decoder(source), Detector(), fps=fps)
        pipeline.analyzing = analyzing
        try:
            while True:
                packet = source.read()
                if packet is not None:
                    frames += pipeline.feed(packet)
        except EndOfStream:
            frames += pipeline.finish()
    return pipeline, frames


def test_decodes_all_and_looks_at_some(tmp_path: Path) -> None:
    pipeline, frames = run(tmp_path / "a.mp4", 5)
    assert pipeline.frames_decoded == 40
    assert pipeline.frames_analyzed == len(frames) == 20
    assert [f.result.time_s for f in frames] == [f.decoded.time_s for f in frames]
    assert [f.result.time_s for f in frames] == pytest.approx([n / 5 for n in range(20)])


def test_without_analyzing_there_is_still_a_last_frame(tmp_path: Path) -> None:
    pipeline, frames = run(tmp_path / "a.mp4", 5, analyzing=False)
    assert frames == []
    assert pipeline.frames_decoded == 40
    assert pipeline.last_frame is not None
    assert (pipeline.last_frame.width, pipeline.last_frame.height) == (160, 120)
