"""Starts, stops, kills, freezes and restarts the servers that play footage as cameras.

    with RtspServer({"front": Path("front.mp4")}, user="u", password="p") as server:
        av.open(server.url("front"))

`RtspServer` is GStreamer's from Debian; `TsServer` (MPEG-TS over HTTP) runs everywhere. A server ends with
the process that started it, however that one ends: it reads a pipe whose other end dies with us.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
import os
from pathlib import Path
import select
import signal
import subprocess
import sys
import time
from typing import Self, override
from urllib.parse import quote

from script.lib.core import ROOT
from script.lib.footage import LoopSettings, prepare_loop

READY_S = 20.0  # a cold start of Python and GStreamer on a busy machine
STOP_S = 5.0
SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's PyGObject is for this one only
PROBE = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
raise SystemExit(not all(map(Gst.ElementFactory.find, ("appsrc", "h264parse", "rtph264pay"))))
"""


class ServerError(RuntimeError):
    """A server did not start."""


class MediaServer:
    """A server process that plays loops; see its two kinds."""

    scheme = ""
    module = ""
    python = sys.executable

    def __init__(
        self,
        footage: Mapping[str, Path],
        settings: LoopSettings | None = None,
        *,
        port: int = 0,
        user: str = "",
        password: str = "",
    ) -> None:
        """Prepare each name's footage as a loop (encoded the first time). Port 0 is a free one, then kept."""
        self.loops = {name: prepare_loop(path, settings or LoopSettings()) for name, path in footage.items()}
        self.port = port
        self.user = user
        self.password = password
        self._began_s = time.monotonic()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str, *, credentials: bool = True) -> str:
        """Return a camera's address."""
        login = (
            f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
            if self.user and credentials
            else ""
        )
        return f"{self.scheme}://{login}127.0.0.1:{self.port}/{name}"

    @property
    def pid(self) -> int | None:
        """The server's process while it runs."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start, and wait until it accepts connections; after a stop, on the same port."""
        process = subprocess.Popen(
            [self.python, "-m", self.module, *self._options()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,  # Ctrl-C is for who started us, who then stops us
        )
        self._process = process
        line = _first_line(process)
        if not line.startswith("ready "):
            self.kill()
            raise ServerError(f"{type(self).__name__} did not start: {line or 'it said nothing'}")
        self.port = int(line.split()[1])
        return self

    def stop(self) -> None:
        """Stop as a server does that is shut down: it closes its connections."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            with suppress(subprocess.TimeoutExpired):  # frozen, or stuck: killed below
                self._process.wait(STOP_S)
        self.kill()

    def kill(self) -> None:
        """End it at once (the kernel still closes its sockets)."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def restart(self) -> Self:
        """Stop, and start on the same port."""
        self.stop()
        return self.start()

    def freeze(self) -> None:
        """Stall: connections stay open and nothing is sent."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(number)

    def _options(self) -> list[str]:
        options = ["--port", str(self.port), "--start", str(self._began_s)]
        if self.user:
            options += ["--user", self.user, "--password", self.password]
        return options + [f"{name}={loop}" for name, loop in self.loops.items()]

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


class RtspServer(MediaServer):
    """GStreamer's RTSP server, over TCP and UDP; RTSPS with a certificate."""

    scheme = "rtsp"
    module = "script.lib.rtsp_server"
    python = SYSTEM_PYTHON

    def __init__(
        self,
        footage: Mapping[str, Path],
        settings: LoopSettings | None = None,
        *,
        port: int = 0,
        user: str = "",
        password: str = "",
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        """As its base; `tls` is a certificate and its key, as PEM files."""
        super().__init__(footage, settings, port=port, user=user, password=password)
        self._tls = tls
        if tls:
            self.scheme = "rtsps"

    @staticmethod
    @cache
    def available() -> bool:
        """Whether Debian's packages for it are installed (script/bootstrap installs them as root)."""
        if not Path(SYSTEM_PYTHON).exists():
            return False
        return subprocess.run([SYSTEM_PYTHON, "-c", PROBE], capture_output=True, check=False).returncode == 0

    @override
    def _options(self) -> list[str]:
        options = super()._options()
        return ["--tls", *map(str, self._tls), *options] if self._tls else options


class TsServer(MediaServer):
    """MPEG-TS over HTTP, a real network stream too, for machines without GStreamer: H.264, H.265, AAC."""

    scheme = "http"
    module = "script.lib.ts_server"


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """Return what a server says first, or nothing if it ends or takes too long."""
    if process.stdout is None or not select.select([process.stdout], [], [], READY_S)[0]:
        return ""
    return process.stdout.readline().decode().strip()
