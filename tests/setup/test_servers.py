"""The servers that play footage as cameras: no seam in a loop, the same port again, no orphans."""

from collections.abc import Callable
from fractions import Fraction
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest

from script.lib.core import ROOT
from script.lib.footage import LoopSettings
from script.lib.packets import SECOND_NS, LoopPacket, Track, read_tracks, write_tracks
from script.lib.servers import MediaServer, RtspServer, TsServer

FPS = 10
LOOP_S = 2.0

SERVERS = [
    pytest.param(
        RtspServer,
        marks=[
            pytest.mark.rtsp,
            pytest.mark.skipif(not RtspServer.available(), reason="GStreamer's RTSP server is not installed"),
        ],
        id="rtsp",
    ),
    pytest.param(TsServer, id="ts"),
]

PARENT = """
import sys, time
from pathlib import Path
from script.lib import servers
server = getattr(servers, sys.argv[1])({"camera": Path(sys.argv[2])}).start()
print(server.pid, flush=True)
time.sleep(60)
"""

type Server = Callable[..., MediaServer]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two seconds of a square that moves."""
    path = tmp_path_factory.mktemp("footage") / "square.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(round(LOOP_S * FPS)):
            picture = np.full((120, 160, 3), 90, np.uint8)
            picture[40:80, index * 6 : index * 6 + 30] = 220
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def read(url: str, count: int) -> list[av.Packet]:
    packets = []
    with av.open(url, timeout=(10, 5), options={"rtsp_transport": "tcp"}) as container:
        for packet in container.demux(container.streams.video[0]):
            packets.append(packet)
            if len(packets) == count:
                break
    return packets


@pytest.mark.parametrize("server", SERVERS)
def test_a_loop_goes_on_without_a_seam(server: Server, footage: Path) -> None:
    with server({"camera": footage}) as running:
        packets = read(running.url("camera"), round(2.5 * LOOP_S * FPS))
    times = [float(p.pts * p.time_base) for p in packets if p.pts is not None]
    assert np.diff(times) == pytest.approx(1 / FPS, abs=0.002)
    assert sum(p.is_keyframe for p in packets) >= 2


@pytest.mark.parametrize("server", SERVERS)
def test_the_address_stays_after_a_restart(server: Server, footage: Path) -> None:
    with server({"camera": footage}) as running:
        url = running.url("camera")
        running.kill()
        with pytest.raises(OSError, match="refused"):
            read(url, 1)
        running.start()
        assert running.url("camera") == url
        assert len(read(url, 3)) == 3


@pytest.mark.parametrize("server", SERVERS)
def test_a_wrong_password_is_refused(server: Server, footage: Path) -> None:
    with server({"camera": footage}, user="viewer", password="p:/@ä") as running:
        assert len(read(running.url("camera"), 3)) == 3
        with pytest.raises(av.error.HTTPUnauthorizedError):
            read(running.url("camera", credentials=False), 1)


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_ends_with_who_started_it(server: type[MediaServer], footage: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", PARENT, server.__name__, footage],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline_s = time.monotonic() + 5
    while is_running(pid):
        assert time.monotonic() < deadline_s, "the server goes on without its parent"
        time.sleep(0.05)


@pytest.mark.rtsp
@pytest.mark.skipif(not RtspServer.available(), reason="GStreamer's RTSP server is not installed")
@pytest.mark.parametrize(
    ("codec", "audio", "names"),
    [
        ("h265", "aac", {"hevc", "aac"}),
        ("mjpeg", "opus", {"mjpeg", "opus"}),
        ("h264", "pcma", {"h264", "pcm_alaw"}),
    ],
)
def test_codecs(codec: str, audio: str, names: set[str], footage: Path) -> None:
    with (
        RtspServer({"camera": footage}, LoopSettings(codec=codec, audio=audio)) as running,
        av.open(running.url("camera"), timeout=(10, 5), options={"rtsp_transport": "tcp"}) as container,
    ):
        assert {stream.codec_context.name for stream in container.streams} == names


def test_tracks_survive_their_file(tmp_path: Path) -> None:
    packets = [LoopPacket(0, True, b"key"), LoopPacket(SECOND_NS, False, b"")]
    track = Track("h264", 2 * SECOND_NS, packets, width=4, height=2, fps=1.0)
    write_tracks(tmp_path / "loop", [track])
    assert read_tracks(tmp_path / "loop") == [track]


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
