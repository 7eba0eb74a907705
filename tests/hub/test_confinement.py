"""The process that opens uploads: what it can't reach, whose fault it is if it fails, what is said."""

import json
from pathlib import Path
import platform
import struct
import subprocess
import sys
import time

import pytest

from ringwatch.hub.confinement import ARCHITECTURES, program
from ringwatch.hub.errors import Refusal
from ringwatch.hub.log import Log
from ringwatch.hub.media_check import MediaCheck
from script.lib.core import ROOT

from . import media
from .conftest import MakeStreet

WALLS = {
    "both": "confine()",
    "landlock": "confine(with_seccomp=False)",
    "seccomp": "confine(with_landlock=False)",
}
TRIES = """
import ctypes, mmap, os, resource, socket, sys
sys.path.insert(0, {root!r})
from script.lib.core import load_core
load_core()
from ringwatch.hub import confinement
from ringwatch.hub.confinement import confine, limit
resource.setrlimit = lambda *_: None
key, held = {key!r}, os.open({other!r}, os.O_RDONLY)
os.dup2(held, 0)
left = socket.socketpair()[0]
walls = confinement.{how}
def tried(name, do):
    try:
        do()
    except OSError:
        print(name, "refused")
    else:
        print(name, "done")
print("walls", ",".join(walls))
tried("key", lambda: open(key))
tried("write", lambda: open(key, "w"))
tried("list", lambda: os.listdir("/"))
tried("remove", lambda: os.unlink(key))
tried("parent", lambda: open("/proc/%d/mem" % os.getppid(), "rb"))
tried("signal", lambda: os.kill(os.getppid(), 0))
tried("socket", lambda: socket.socket().connect(("127.0.0.1", {port})))
tried("left_open", lambda: os.write(left.fileno(), b"x"))
tried("program", lambda: os.execv("/bin/true", ["true"]))
tried("code", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC))
tried("memory", lambda: mmap.mmap(-1, 4096))
tried("upload", lambda: os.read(0, 8))
"""


def tries(tmp_path: Path, how: str, port: int) -> dict[str, str]:
    """Shut a real process in, and have it try what it must not."""
    key, other = tmp_path / "hub.key", tmp_path / "upload"
    key.write_text("secret")
    other.write_text("a film")
    code = TRIES.format(root=str(ROOT), key=str(key), other=str(other), how=WALLS[how], port=port)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert key.read_text() == "secret"
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.fixture
def listening() -> object:
    """Return a port that would answer."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("how", list(WALLS))
def test_it_reaches_nothing_but_the_upload(how: str, tmp_path: Path, listening: int) -> None:
    """Each wall by itself, and both: without the limits, which would hide them."""
    found = tries(tmp_path, how, listening)
    walls = found.pop("walls").split(",")
    for wall in ("landlock", "seccomp") if how == "both" else (how,):
        if wall not in walls:
            pytest.skip(f"this kernel ({platform.release()}) has no {wall}")
    done = {name for name, what in found.items() if what == "done"}
    # Landlock is about files, connections and signals, not about memory
    assert done == {"memory", "upload"} | ({"code"} if how == "landlock" else set())


def test_limits_hold_as_well() -> None:
    code = (
        f"import sys;sys.path.insert(0,{str(ROOT)!r});from script.lib.core import load_core;load_core();"
        "import os,resource as r;from ringwatch.hub.confinement import confine,limit;"
        "limit(cpu_s=20,memory_bytes=1024**3);print(*(r.getrlimit(x) for x in (r.RLIMIT_CPU,r.RLIMIT_AS,"
        "r.RLIMIT_FSIZE,r.RLIMIT_CORE,r.RLIMIT_NPROC)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == f"(20, 21) ({1024**3}, {1024**3}) (0, 0) (0, 0) (0, 0)"


# ---- the filter, on every architecture ----------------------------------------------------------------


def judged(code: bytes, architecture: int, number: int, *arguments: int) -> str:
    """Run a filter as the kernel does (classic BPF), and return what it says."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(*arguments, *[0] * (6 - len(arguments))))
    lines = list(struct.iter_unpack("=HBBI", code))
    at = value = 0
    while True:
        operation, yes, no, k = lines[at]
        at += 1
        match operation:
            case 0x20:
                [value] = struct.unpack_from("=I", data, k)
            case 0x15:
                at += yes if value == k else no
            case 0x45:
                at += yes if value & k else no
            case 0x06:
                return {0x7FFF0000: "allow", 0x80000000: "kill"}.get(k, "fail")
            case _:
                raise AssertionError(operation)


OTHERS = {  # calls that must fail: asm/unistd_64.h, asm-generic/unistd.h
    "x86_64": {"open": 2, "socket": 41, "clone": 56, "execve": 59, "kill": 62, "ptrace": 101, "openat": 257,
               "prlimit64": 302, "process_vm_readv": 310, "io_uring_setup": 425, "openat2": 437,
               "x32 read": 0x40000000},
    "aarch64": {"openat": 56, "ptrace": 117, "kill": 129, "socket": 198, "clone": 220, "execve": 221,
                "prlimit64": 261, "process_vm_readv": 270, "io_uring_setup": 425, "openat2": 437},
}  # fmt: skip


@pytest.mark.parametrize("machine", list(ARCHITECTURES))
def test_the_filter_lets_through_what_decoding_takes(machine: str) -> None:
    code = program(machine)
    assert code is not None
    architecture, calls = ARCHITECTURES[machine]
    for name, number in calls.items():
        assert judged(code, architecture, number, 1, 0, 3) == "allow", name
    for name, number in OTHERS[machine].items():
        assert judged(code, architecture, number, 1) == "fail", name
    assert judged(code, architecture, calls["write"], 2) == "fail"
    assert judged(code, architecture, calls["mmap"], 0, 4096, 5) == "fail"
    assert judged(code, architecture, calls["mprotect"], 0, 4096, 7) == "fail"
    assert judged(code, 0x40000003, calls["read"]) == "kill"  # 32-bit calls


def test_there_is_no_filter_for_others() -> None:
    assert program("riscv64") is None


# ---- whose fault it is --------------------------------------------------------------------------------

SHUT_IN = 'print(\'{"walls": ["landlock"]}\', flush=True)\n'


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        (SHUT_IN + "import time; time.sleep(60)", 503, "busy"),  # the wall's clock: a machine that is starved
        (SHUT_IN + "import os; os.kill(os.getpid(), 9)", 503, "busy"),  # out of memory: the system's choice
        ("raise ImportError", 503, "busy"),  # it never got as far as the file
        ("", 503, "busy"),
        (SHUT_IN + 'print(\'{"failed": "av.video"}\')', 503, "busy"),
        (SHUT_IN + "import os; os.abort()", 422, "media_refused"),
        (SHUT_IN + "raise RecursionError", 422, "media_refused"),
        (SHUT_IN + "print('nonsense')", 422, "media_refused"),
        (SHUT_IN + "print('x' * 100_000)", 422, "media_refused"),
        (
            SHUT_IN + "import resource as r; r.setrlimit(r.RLIMIT_CPU, (1, 2))\nwhile True: pass",
            422,
            "media_refused",
        ),
    ],
)
async def test_only_its_own_doing_makes_a_file_bad(code: str, status: int, why: str, tmp_path: Path) -> None:
    """What is refused as not decodable is refused for good: so never because a machine was busy."""
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(code)
    data = media.picture()
    (tmp_path / "picture").write_bytes(data)
    check = MediaCheck(Log(), program=stand_in, timeout_s=4.0)
    medium = media.picture_media(data)
    with pytest.raises(Refusal) as refused:
        await check.check(tmp_path / "picture", medium, medium.sha256)
    assert (refused.value.status, refused.value.code) == (status, why)
    if status == 503:
        assert refused.value.retry_after_s


async def test_what_passes_passes(tmp_path: Path) -> None:
    check = MediaCheck(Log())
    for data, medium in (
        (media.picture(), media.picture_media(media.picture())),
        (media.film(sound=True), media.film_media(media.film(sound=True))),
    ):
        (tmp_path / "file").write_bytes(data)
        await check.check(tmp_path / "file", medium, medium.sha256)
    assert check.walls


async def test_a_system_without_walls_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text("print('{\"walls\": []}')")
    check = MediaCheck(Log(), program=stand_in)
    await check.look_at_walls()
    assert check.walls == ()
    [line] = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["level"], line["event"]) == ("warning", "media_check_open")


def test_the_hub_says_what_holds(make_street: MakeStreet) -> None:
    street = make_street()
    for _ in range(100):
        if "media_check" in street.hub.log.read_text():
            break
        time.sleep(0.1)
    usage = street.host.call("GET", "/usage").json
    assert set(usage["media_check"]) <= {"landlock", "seccomp"}
    said = [json.loads(line) for line in street.hub.log.read_text().splitlines()]
    [walls] = [line for line in said if line["event"].startswith("media_check")]
    assert walls["event"] == ("media_check" if usage["media_check"] else "media_check_open")
