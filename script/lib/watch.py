"""`script/watch SOURCE`: the integration's own pipeline on a file or an address, printing what it sees.

    {"type":"frame","t":12.4,"moving":true,"level":0.031,"boxes":[[x,y,w,h],...]}   with --frames
    {"type":"start","t":12.2}                                                       t: the onset
    {"type":"end","t":15.8,"start":12.2,"peak":0.04,"box":[x,y,w,h],"reason":"..."} t: the last moving frame
    {"type":"summary","duration_s":...,"frames_decoded":...,"frames_analysed":...,"cpu_s":...,"moving_s":...,
     "events":...,"engine":"opencv"}

Times are seconds since the first frame of the stream. Bad input: a line on standard error and exit status 2;
a broken stream: status 1, after what was seen until then.
"""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
import json
import math
import os
from pathlib import Path
import signal
import sys
import threading
import time
from typing import NoReturn, override

from script.lib.core import load_core
from script.lib.view_output import ViewWriter
from script.lib.watch_output import HumanReport, JsonReport, MaskWriter, Report

load_core()

from ringwatch.pipeline import AnalyzedFrame, Mode, Pipeline
from ringwatch.video import (
    Decoder,
    EndOfStream,
    MediaPacket,
    Source,
    SourceConfig,
    SourceError,
    Stopped,
    is_network,
    split_credentials,
    validate_url,
)
from ringwatch.vision import (
    Detector,
    DetectorSettings,
    EngineError,
    MotionEnd,
    Primitives,
    Zone,
    ZoneError,
    parse_zones,
    select_primitives,
)

DEFAULT_FPS = 5.0  # what the integration looks at by default
MAX_FPS = 240.0
BAD_INPUT = 2
BROKEN_PIPE = 128 + signal.SIGPIPE  # what the shell reports for a program that a closed pipe ended
MAX_ZONES_BYTES = 1_000_000


class BadInputError(Exception):
    """Something the user gave is wrong; the text says what."""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, checked."""

    config: SourceConfig
    zones: tuple[Zone, ...]
    primitives: Primitives
    sensitivity: int
    fps: float
    mode: Mode
    duration_s: float
    masks: Path | None
    show: Path | None
    json: bool
    frames: bool


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are one line."""

    @override
    def error(self, message: str) -> NoReturn:
        raise BadInputError(message)


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return parse


def _sensitivity(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 100")
    return int(text)


def parse_options(arguments: list[str]) -> Options:
    """Check the command line and what it names. Raises BadInputError."""
    parser = _Parser(prog="script/watch", description="Watch a video file or a camera and print what moves.")
    parser.add_argument(
        "source", metavar="SOURCE", help="a file, or an rtsp://, rtsps://, http:// or https:// address"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line on standard output")
    parser.add_argument("--frames", action="store_true", help="tell about every analyzed frame too")
    parser.add_argument(
        "--fps",
        type=_number(0, MAX_FPS),
        default=DEFAULT_FPS,
        help="analyzed frames per second, 0: all (default 5)",
    )
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=Mode.FULL.value,
        help="auto: decode key frames only while nothing moves (default full)",
    )
    parser.add_argument("--sensitivity", type=_sensitivity, default=50, help="0 to 100 (default 50)")
    parser.add_argument(
        "--zones", type=Path, metavar="FILE.json", help="zones, as ringwatch.set_zones takes them"
    )
    parser.add_argument("--engine", choices=("auto", "opencv", "numpy"), default="auto")
    parser.add_argument(
        "--duration", type=_number(0.001, 1e9), default=math.inf, metavar="S", help="stop after S seconds"
    )
    parser.add_argument(
        "--masks",
        type=Path,
        metavar="OUT.mkv",
        help="write each analyzed frame's foreground (FFV1 gray, 0 or 255)",
    )
    parser.add_argument(
        "--show",
        type=Path,
        metavar="OUT.mp4",
        help="write what the detector sees and why each part counts or not",
    )
    given = parser.parse_args(arguments)
    try:
        address, username, password = split_credentials(validate_url(given.source, allow_files=True))
        return Options(
            config=SourceConfig(address, username, password),
            zones=_read_zones(given.zones) if given.zones else (),
            primitives=select_primitives(given.engine),
            sensitivity=given.sensitivity,
            fps=given.fps,
            mode=Mode(given.mode),
            duration_s=given.duration,
            masks=_check_output(given.masks, ".mkv", "masks are written as Matroska")
            if given.masks
            else None,
            show=_check_output(given.show, ".mp4", "the view is written as MP4") if given.show else None,
            json=given.json,
            frames=given.frames,
        )
    except (SourceError, EngineError) as error:
        raise BadInputError(str(error)) from None


def _read_zones(path: Path) -> tuple[Zone, ...]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ZONES_BYTES + 1)
        if len(data) > MAX_ZONES_BYTES:
            raise BadInputError(f"{path} is too large to be a list of zones")
        return parse_zones(json.loads(data))
    except OSError as error:
        raise BadInputError(f"{path}: {error.strerror}") from None
    except ZoneError as error:
        raise BadInputError(f"{path}: {error}") from None
    except ValueError, RecursionError:
        raise BadInputError(f"{path} is not JSON") from None


def _check_output(path: Path, suffix: str, what: str) -> Path:
    if path.suffix != suffix:
        raise BadInputError(f"{path}: {what}; the name should end in {suffix}")
    if path.is_dir() or not path.parent.is_dir():
        raise BadInputError(f"{path} is not a file that can be written: its folder has to exist")
    return path


class Watch:
    """One run: source, pipeline, report."""

    def __init__(self, options: Options, report: Report, stop: threading.Event) -> None:
        self._options = options
        self._report = report
        self._stop = stop
        self._source = Source(options.config, stop=stop)
        self._detector = Detector(DetectorSettings(options.sensitivity, options.zones), options.primitives)
        decoder = Decoder(self._source)
        self._pipeline = Pipeline(
            decoder, self._detector, fps=options.fps, mode=options.mode, observe=self._draw
        )
        self._masks: MaskWriter | None = None
        self._view: ViewWriter | None = None
        self._duration_s = 0.0
        self._moving_s = 0.0
        self._events = 0

    def run(self) -> str:
        """Watch to the end; return what broke the stream, or "". Raises SourceError if it does not open."""
        cpu_s = time.process_time()
        with ExitStack() as stack:
            stack.callback(self._source.close)
            info = self._source.open()
            if self._options.masks:
                self._masks = stack.enter_context(MaskWriter(self._options.masks))
            if self._options.show:
                self._view = stack.enter_context(ViewWriter(self._options.show))
            self._report.begin(info, self._options.duration_s)
            broken = self._watch()
        self._report.summary(
            duration_s=self._duration_s,
            frames_decoded=self._pipeline.frames_decoded,
            frames_analysed=self._pipeline.frames_analyzed,
            cpu_s=time.process_time() - cpu_s,
            moving_s=self._moving_s,
            events=self._events,
            engine=self._options.primitives.name,
        )
        return broken

    def _watch(self) -> str:
        broken = ""
        try:
            while not self._stop.is_set() and self._duration_s < self._options.duration_s:
                packet = self._source.read()
                if packet is not None and packet.kind == "video":
                    self._look(packet)
        except EndOfStream:
            self._look(None)
        except Stopped:
            pass
        except SourceError as error:
            broken = str(error)
        if ended := self._detector.finish():
            self._end(ended)
        return broken

    def _look(self, packet: MediaPacket | None) -> None:
        """Feed a packet, or at the end what the decoder held back, and report."""
        analyzed = self._pipeline.finish() if packet is None else self._pipeline.feed(packet)
        for picture in analyzed:
            result = picture.result
            if result.time_s >= self._options.duration_s:
                continue
            if result.ended:
                self._end(result.ended)
            if result.started:
                self._report.start(result.started)
            if self._options.frames:
                self._report.frame(result)
        if packet is not None:
            end_s = packet.time_s + packet.duration_s
            self._duration_s = max(self._duration_s, min(end_s, self._options.duration_s))
            self._report.progress(self._duration_s)

    def _draw(self, analyzed: AnalyzedFrame) -> None:
        """Write the mask and the view of a frame, as the detector is right after it."""
        frame, time_s = analyzed.decoded.frame, analyzed.result.time_s
        if time_s >= self._options.duration_s:
            return
        if self._masks:
            self._masks.write(self._detector.mask, frame.width, frame.height, time_s)
        if self._view and (explanation := self._detector.explain()):
            self._view.write(frame, explanation, self._options.zones)

    def _end(self, ended: MotionEnd) -> None:
        self._events += 1
        self._moving_s += ended.end_s - ended.start_s
        self._report.end(ended)


def main(arguments: list[str]) -> int:
    """Run and return the exit status."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        options = parse_options(arguments)
        live = is_network(options.config.url)
        report: Report = JsonReport(flush=live) if options.json else HumanReport()
        broken = Watch(options, report, stop).run()
        sys.stdout.flush()
    except Stopped:
        return 0  # interrupted before anything was seen
    except (BadInputError, SourceError) as error:
        print(f"script/watch: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # Whoever read has gone; nothing more can be said, and Python must not try when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    if broken:
        print(f"script/watch: {broken}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
