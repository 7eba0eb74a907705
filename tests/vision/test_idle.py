"""Mode *auto* on real files: key frames only while nothing moves, and nothing lost by it."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
import threading

import av
import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components.ringwatch.idle import MAX_GOP_S, SizeHint
from custom_components.ringwatch.pipeline import Mode, Pipeline
from custom_components.ringwatch.video import Decoder, EndOfStream, MediaPacket, Source, SourceConfig
from custom_components.ringwatch.vision import Detector, MotionEnd

FPS, WIDTH, HEIGHT = 10, 320, 240
LENGTH_S = 30.0
type Frame = NDArray[np.uint8]


def crosses(frame: Frame, time_s: float, begin_s: float, end_s: float) -> None:
    """Somebody 30x70 pixels large goes from the left edge to the right one."""
    if begin_s <= time_s < end_s:
        left = round((time_s - begin_s) / (end_s - begin_s) * (WIDTH + 30)) - 30
        frame[110:180, max(0, left) : max(0, left + 30)] = 25


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a maker of films of a still scene with a sensor's noise, and somebody who crosses it."""
    folder = tmp_path_factory.mktemp("films")

    @cache
    def encode(
        *crossings: tuple[float, float], gop_s: float = 2.0, b_frames: int = 0, codec: str = "libx264"
    ) -> Path:
        path = folder / f"{len(list(folder.iterdir()))}.mkv"
        rng = np.random.default_rng(4)
        scene = np.full((HEIGHT, WIDTH), 120, np.uint8)
        scene[160:] = 90
        scene[60:150, 200:260] = rng.integers(40, 200, (90, 60), np.uint8)
        options = {}
        if codec == "libx264":
            gop = round(gop_s * FPS)
            params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}"
            options = {"preset": "veryfast", "crf": "26", "x264-params": params}
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=FPS, options=options)
            stream.width, stream.height = WIDTH, HEIGHT
            stream.pix_fmt = "yuv420p" if codec == "libx264" else "yuvj420p"
            for number in range(round(LENGTH_S * FPS)):
                frame = scene.copy()
                for begin_s, end_s in crossings:
                    crosses(frame, number / FPS, begin_s, end_s)
                noisy = np.clip(np.rint(frame + rng.normal(0, 1.5, frame.shape)), 0, 255).astype(np.uint8)
                picture = av.VideoFrame.from_ndarray(noisy, format="gray").reformat(format=stream.pix_fmt)
                picture.pts, picture.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        return path

    return encode


class Run:
    """What a pipeline made of a film."""

    def __init__(
        self,
        path: Path,
        mode: Mode,
        hint: SizeHint | None = None,
        each: Callable[[Pipeline, MediaPacket], None] | None = None,
    ) -> None:
        self.events: list[MotionEnd] = []
        self.times_s: list[float] = []
        self.told_s: list[float] = []
        self.dozed = self.packets = 0
        with Source(SourceConfig(str(path)), stop=threading.Event()) as source:
            detector = Detector()
            self.pipeline = Pipeline(Decoder(source), detector, fps=5, mode=mode, size_hint=hint)
            try:
                while True:
                    packet = source.read()
                    if packet is None:
                        continue
                    if each:
                        each(self.pipeline, packet)
                    self._take(self.pipeline.feed(packet), packet.time_s)
                    self.packets += 1
                    self.dozed += self.pipeline.dozing
            except EndOfStream:
                self._take(self.pipeline.finish(), LENGTH_S)
            if last := detector.finish():
                self.events.append(last)

    def _take(self, analyzed: list, now_s: float) -> None:
        for frame in analyzed:
            self.times_s.append(frame.result.time_s)
            if frame.result.started:
                self.told_s.append(now_s)
            if frame.result.ended:
                self.events.append(frame.result.ended)

    @property
    def spans(self) -> list[tuple[float, float]]:
        return [(event.start_s, event.end_s) for event in self.events]


class Deaf(SizeHint):
    """Key frames alone wake."""

    def add(self, packet: MediaPacket) -> bool:
        return False


def test_dozes_while_nothing_moves(make: Callable[..., Path]) -> None:
    run = Run(make(), Mode.AUTO)
    assert run.spans == []
    assert run.dozed > 0.6 * run.packets
    # 8 s awake at first, the last GOP's backlog, and one frame a GOP in between
    assert run.pipeline.frames_decoded < 0.45 * run.packets


def test_full_is_what_it_was(make: Callable[..., Path]) -> None:
    run = Run(make(), Mode.FULL)
    assert run.pipeline.frames_decoded == run.packets
    assert run.dozed == 0


@pytest.mark.parametrize("hint", [SizeHint, Deaf])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_events_are_those_of_full(make: Callable[..., Path], hint: type[SizeHint], b_frames: int) -> None:
    path = make((13.1, 17.0), (23.3, 28.0), b_frames=b_frames)
    full, auto = Run(path, Mode.FULL), Run(path, Mode.AUTO, hint())
    assert len(full.spans) == 2
    assert np.allclose(auto.spans, full.spans, atol=0.21)  # one analyzed frame
    assert [e.reason.code for e in auto.events] == [e.reason.code for e in full.events]
    assert auto.dozed > 0.2 * auto.packets
    late_s = [a - f for a, f in zip(auto.told_s, full.told_s, strict=True)]
    assert max(late_s) <= MAX_GOP_S
    assert auto.times_s == sorted(set(auto.times_s))


def test_what_lies_between_two_key_frames_is_found_by_the_size_of_packets(make: Callable[..., Path]) -> None:
    path = make((18.2, 19.7))  # key frames at 18 and 20
    assert Run(path, Mode.AUTO, Deaf()).spans == []
    ((start_s, end_s),) = Run(path, Mode.AUTO).spans
    assert start_s == pytest.approx(18.2, abs=0.3)
    assert end_s == pytest.approx(19.6, abs=0.3)


def test_long_groups_of_pictures_are_decoded_whole(make: Callable[..., Path]) -> None:
    run = Run(make(gop_s=5.0), Mode.AUTO)
    assert run.dozed == 0
    assert run.pipeline.frames_decoded == run.packets


def test_a_backlog_comes_one_frame_at_a_time(make: Callable[..., Path]) -> None:
    path = make((18.6, 22.0))
    longest = [0, 0]
    held = []
    with Source(SourceConfig(str(path)), stop=threading.Event()) as source:
        pipeline = Pipeline(Decoder(source), Detector(), fps=5, mode=Mode.AUTO, size_hint=Deaf())
        while packet := source.read():
            count = 0
            for frame in pipeline.each(packet):
                count += 1
                held.append(frame.result.time_s)
                assert pipeline.frames_analyzed == len(held)  # the next one has not been looked at yet
            longest = max(longest, [count, round(packet.time_s)])
            if packet.time_s > 25:
                break
    assert longest[0] > 3
    assert longest[1] == 20


def test_motion_jpeg_is_looked_at_once_a_second(make: Callable[..., Path]) -> None:
    path = make((17.0, 21.0), codec="mjpeg")
    full, auto = Run(path, Mode.FULL), Run(path, Mode.AUTO)
    assert np.allclose(auto.spans, full.spans, atol=0.21)
    assert auto.pipeline.frames_decoded < 0.75 * full.pipeline.frames_decoded


def test_the_end_of_the_stream_is_not_slept_through(make: Callable[..., Path]) -> None:
    path = make((28.1, 29.9))
    assert len(Run(path, Mode.AUTO, Deaf()).spans) == 1


def test_full_can_be_chosen_while_it_dozes(make: Callable[..., Path]) -> None:
    states = []

    def each(pipeline: Pipeline, packet: MediaPacket) -> None:
        if packet.time_s >= 15 and pipeline.mode is Mode.AUTO:
            states.append(pipeline.dozing)
            pipeline.mode = Mode.FULL

    run = Run(make((20.0, 24.0)), Mode.AUTO, each=each)
    assert states == [True]
    assert len(run.spans) == 1
    assert run.times_s[-1] == pytest.approx(LENGTH_S - 0.2)


def test_detection_can_be_switched_off_and_on_while_it_dozes(make: Callable[..., Path]) -> None:
    def each(pipeline: Pipeline, packet: MediaPacket) -> None:
        pipeline.analyzing = not 14 <= packet.time_s < 17

    run = Run(make((20.0, 24.0)), Mode.AUTO, each=each)
    assert len(run.spans) == 1
    assert not any(14 < time_s < 17 for time_s in run.times_s)


def sized(size: float, time_s: float, *, key: bool = False) -> MediaPacket:
    return MediaPacket("video", time_s, time_s, 0.1, key, round(size), time_s, 0, av.Packet())


def test_the_size_hint_learns_what_is_usual() -> None:
    hint = SizeHint()
    rng = np.random.default_rng(2)
    times = iter(np.arange(0, 1000, 0.1))

    def wakes(mean: float, count: int) -> int:
        return sum(hint.add(sized(mean + rng.normal(0, 0.05 * mean), next(times))) for _ in range(count))

    assert wakes(5000, 20) == 0  # nothing is known yet
    assert wakes(1000, 400) == 0
    assert not hint.add(sized(50_000, next(times), key=True))
    assert wakes(2000, 20) >= 1
    for _ in range(8):
        hint.judge(something=False)
    assert wakes(2000, 20) == 0
    for _ in range(12):
        hint.judge(something=True)
    assert wakes(9000, 20) >= 1


def test_looking_changes_nothing() -> None:
    looked, plain = Detector(), Detector()
    rng = np.random.default_rng(3)
    scene = rng.integers(60, 180, (HEIGHT, WIDTH), np.uint8)
    other = scene.copy()
    crosses(other, 0.5, 0, 1)
    for number in range(60):
        frame = np.roll(scene, number % 3, 1)
        crosses(frame, number / 10, 2, 5)
        looked.look(other, number / 10)
        sight = looked.look(frame, number / 10)
        assert looked.take(sight) == plain.analyze(frame, number / 10)
        np.testing.assert_array_equal(looked.mask, plain.mask)
    assert looked.suppressed == plain.suppressed
