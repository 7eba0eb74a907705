"""script/demo: a real Home Assistant sees motion on real streams, and nothing is left when the demo ends."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import re
import select
import signal
import subprocess
import time

import pytest

from script.lib.core import ROOT
from script.lib.hass import free_port

pytestmark = pytest.mark.hass_process

START_S = 120.0
END_S = 25.0  # Home Assistant may take 20 s to stop


@contextmanager
def demo(*arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run the demo; kill what is left of it."""
    process = subprocess.Popen(
        [ROOT / "script" / "demo", "--port", str(free_port()), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[bytes], text: str) -> str:
    """Return what the demo says until a line has a text in it."""
    assert process.stdout
    said = ""
    deadline_s = time.monotonic() + START_S
    while text not in said:
        assert select.select([process.stdout], [], [], deadline_s - time.monotonic())[0], said
        chunk = os.read(process.stdout.fileno(), 4096)
        assert chunk, said
        said += chunk.decode()
    return said


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_the_end(pids: list[int]) -> None:
    deadline_s = time.monotonic() + END_S
    while left := [pid for pid in pids if Path(f"/proc/{pid}/cmdline").exists() and not is_zombie(pid)]:
        assert time.monotonic() < deadline_s, f"still running: {left}"
        time.sleep(0.1)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_demo_sees_motion_and_goes_on_where_it_was(tmp_path: Path, footage: Path) -> None:
    kept = tmp_path / "demo"
    with demo("--headless-check", "--keep", kept, "--footage", footage, footage) as process:
        first = process.communicate(timeout=400)[0].decode()
    assert process.returncode == 0, first
    assert re.search(r"binary_sensor\.\w+ went on", first)
    assert re.search(r"binary_sensor\.\w+ went off", first)
    assert re.search(r"image\.\w+ is a JPEG of \d+x\d+", first)
    assert "http:" not in re.findall(r"^\w+:", (kept / "configuration.yaml").read_text(), re.MULTILINE)
    with demo("--keep", kept) as process:
        again = read_until(process, "Ctrl-C ends all of it")
        started = children(process.pid)
        process.kill()
        wait_for_the_end(started)
    assert re.findall(r"password .*", first) == re.findall(r"password .*", again)


def test_ctrl_c_leaves_nothing_running_and_nothing_on_disk() -> None:
    """With the footage that it chooses itself."""
    with demo() as process:
        said = read_until(process, "Ctrl-C ends all of it")
        folder = re.search(r"--config (\S+)", commands(children(process.pid)))
        assert folder
        assert Path(folder[1]).is_dir()
        started = children(process.pid)
        assert len(started) == 2, said
        process.send_signal(signal.SIGINT)
        assert process.wait(END_S) == 0
        assert not Path(folder[1]).exists()
        wait_for_the_end(started)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["ended", "terminal closed"])
def test_ended_while_it_starts_it_leaves_nothing_running(number: signal.Signals) -> None:
    with demo() as process:
        read_until(process, "Starting Home Assistant")
        deadline_s = time.monotonic() + 10
        while len(started := children(process.pid)) < 2:
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        process.send_signal(number)
        process.wait(END_S)
        wait_for_the_end(started)


def test_footage_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video")
    with demo("--footage", tmp_path / "notes.txt") as process:
        said = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 1
    assert "notes.txt: Invalid data" in said


def test_a_folder_that_is_not_a_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "configuration.yaml").write_text("default_config:\n")
    with demo("--keep", tmp_path) as process:
        said = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 1
    assert "is not empty" in said
    assert [path.name for path in tmp_path.iterdir()] == ["configuration.yaml"]


def commands(pids: list[int]) -> str:
    return "\n".join(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids)
