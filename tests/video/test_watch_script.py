"""`script/watch`, run as a person or a program runs it."""

from dataclasses import replace
import json
import os
from pathlib import Path
import signal
import subprocess
import threading
import time

import av
import numpy as np
import pytest

from script.lib.core import ROOT
from script.lib.watch import Watch, main, parse_options
from script.lib.watch_output import JsonReport

from .http_camera import camera, stream
from .samples import sample

WATCH = str(ROOT / "script" / "watch")
SUMMARY = {
    "type", "duration_s", "frames_decoded", "frames_analysed", "cpu_s", "moving_s", "events", "engine"
}  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 8 s of a square that moves all the time, in a folder with a space in its name."""
    path = tmp_path_factory.mktemp("a folder") / "clip.mp4"
    path.write_bytes(sample("mp4", seconds=8.0, width=322, height=242))
    return path


def watch(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [WATCH, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def lines(*arguments: object) -> list[dict]:
    result = watch(*arguments, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_lines(clip: Path) -> None:
    got = lines(clip, "--frames", "--engine", "numpy")
    frames = [line for line in got if line["type"] == "frame"]
    summary = got[-1]
    assert [f["t"] for f in frames] == pytest.approx([n / 5 for n in range(40)])
    assert all(set(f) == {"type", "t", "moving", "level", "boxes"} for f in frames)
    assert any(f["moving"] and f["boxes"] for f in frames)
    assert all(0 <= value <= 1 for f in frames for box in f["boxes"] for value in box)
    starts, ends = ([line for line in got if line["type"] == kind] for kind in ("start", "end"))
    assert len(starts) == len(ends) == summary["events"] >= 1
    assert all(set(line) == {"type", "t"} for line in starts)
    assert all(set(line) == {"type", "t", "start", "peak", "box", "reason"} for line in ends)
    assert [line["t"] for line in starts] == [line["start"] for line in ends]
    assert set(summary) == SUMMARY
    assert summary["type"] == "summary"
    assert (summary["frames_decoded"], summary["frames_analysed"], summary["engine"]) == (80, 40, "numpy")
    assert summary["duration_s"] == pytest.approx(8.0, abs=0.11)
    assert summary["moving_s"] == pytest.approx(sum(line["t"] - line["start"] for line in ends), abs=0.01)
    assert summary["cpu_s"] > 0


def test_rates_and_duration(clip: Path) -> None:
    assert lines(clip, "--fps", 0)[-1]["frames_analysed"] == 80
    summary = lines(clip, "--fps", 2, "--duration", 3)[-1]
    assert (summary["frames_analysed"], summary["duration_s"]) == (6, 3.0)


def test_zones(clip: Path, tmp_path: Path) -> None:
    zones = tmp_path / "zones.json"
    everything = [[0, 0], [1, 0], [1, 1], [0, 1]]
    zones.write_text(json.dumps([{"name": "All", "kind": "ignore", "points": everything}]))
    assert lines(clip, "--zones", zones)[-1]["events"] == 0


def test_masks(clip: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks.mkv"
    got = lines(clip, "--masks", masks, "--fps", 5, "--frames")
    with av.open(str(masks)) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.format.name) == ("ffv1", "gray")
        frames = list(container.decode(video))
    assert len(frames) == got[-1]["frames_analysed"] == 40
    pixels = [frame.to_ndarray() for frame in frames]
    assert {plane.shape for plane in pixels} == {(242, 322)}
    assert set(np.unique(np.stack(pixels))) == {0, 255}
    assert [frame.time for frame in frames] == pytest.approx(
        [line["t"] for line in got if line["type"] == "frame"]
    )


def test_for_people(clip: Path) -> None:
    result = watch(clip)
    assert result.returncode == 0
    assert "h264 322x242, 10 frames/s" in result.stdout
    assert "40 of 80 frames" in result.stdout
    assert result.stderr == ""  # the bar is for terminals


def test_a_live_address(clip: Path) -> None:
    with camera({"/live": stream(sample(seconds=4.0), seconds=1.0)}) as server:
        assert lines(server.url("/live"))[-1]["frames_decoded"] == 40


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["/no/such/file.mp4"], "does not exist"),
        (["/"], "folder"),
        ([WATCH], "not a video"),
        (["{clip}", "--fps", "-1"], "0 to 240"),
        (["{clip}", "--fps", "nan"], "0 to 240"),
        (["{clip}", "--sensitivity", "101"], "0 to 100"),
        (["{clip}", "--sensitivity", "5.5"], "0 to 100"),
        (["{clip}", "--duration", "0"], "number from"),
        (["{clip}", "--engine", "cuda"], "invalid choice"),
        (["{clip}", "--zones", "/no/such/zones.json"], "No such file"),
        (["{clip}", "--zones", WATCH], "not JSON"),
        (["{clip}", "--zones", "{bad_zones}"], "zones.json"),
        (["{clip}", "--masks", "/no/such/folder/m.mkv"], "folder"),
        (["{clip}", "--masks", "m.avi"], ".mkv"),
        (["{clip}", "--nonsense"], "unrecognized"),
        ([], "SOURCE"),
        (["ftp://10.0.0.5/x"], "not supported"),
        (["rtsp://127.0.0.1:1/x"], "does not answer"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    bad_zones = tmp_path / "zones.json"
    bad_zones.write_text('[{"name": "A", "kind": "watch", "points": [[0, 0], [2, 2], [0, 1]]}]')
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        status = main([*(part.format(clip=clip, bad_zones=bad_zones) for part in arguments), "--json"])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    output, errors = capfd.readouterr()
    assert (status, output) == (2, "")
    assert len(errors.splitlines()) == 1
    assert says in errors


@pytest.mark.parametrize(
    ("argument", "says"),
    [("/no/such/file.mp4", "does not exist"), ("http://u:secret@no-such-host.invalid/secret", "not known")],
)
def test_bad_input_in_a_shell(argument: str, says: str) -> None:
    result = watch(argument)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert says in result.stderr
    assert "secret" not in result.stderr


def test_an_engine_that_is_not_there(clip: Path) -> None:
    # A module of that name that cannot be imported, found before the real one.
    code = (
        "import sys; sys.modules['cv2'] = None; sys.argv[1:] = [sys.argv[1], '--engine', 'opencv'];"
        "from script.lib.watch import main; sys.exit(main(sys.argv[1:]))"
    )
    result = subprocess.run(
        [ROOT / ".venv/bin/python", "-c", code, clip], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "OpenCV" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_closed_pipe_is_no_error(clip: Path) -> None:
    result = subprocess.run(
        ["bash", "-c", '"$0" "$1" --json --frames --fps 0 | head -n 1', WATCH, clip],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_the_summary(number: signal.Signals) -> None:
    with camera({"/live": stream(sample(seconds=4.0), seconds=8.0)}) as server:
        process = subprocess.Popen(
            [WATCH, server.url("/live"), "--json", "--frames"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["type"] == "frame"
        os.kill(process.pid, number)
        began = time.monotonic()
        output, errors = process.communicate(timeout=10)
        assert time.monotonic() - began < 1.5
    assert (process.returncode, errors) == (0, "")
    assert json.loads(output.splitlines()[-1])["type"] == "summary"


def test_a_stream_that_breaks_is_said_after_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    with camera({"/live": stream(sample(seconds=2.0), then_hang=True)}) as server:
        options = parse_options([server.url("/live"), "--json"])
        options = replace(options, config=replace(options.config, stall_timeout_s=0.5))
        broken = Watch(options, JsonReport(flush=True), threading.Event()).run()
    assert "says nothing" in broken
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["type"] == "summary"
    # What follows ends a picture in MPEG-TS, and so in FFmpeg's parser: the last ones never came whole.
    assert 17 <= summary["frames_decoded"] <= 20
