"""RTSP from a real server (GStreamer's): transports, codings, credentials, TLS, kills, stalls."""

from collections.abc import Iterator
import io
from itertools import pairwise
from pathlib import Path
import threading
import time
from urllib.parse import urlsplit

import av
import pytest
import trustme

from custom_components.ringwatch.video import (
    BrokenStream,
    EndOfStream,
    NotFound,
    Source,
    SourceConfig,
    SourceError,
    Stalled,
    TlsFailed,
    Unreachable,
    WrongCredentials,
)
from script.lib.core import ROOT
from script.lib.footage import LoopSettings
from script.lib.packets import LoopPacket, Track, write_tracks
from script.lib.servers import RtspServer

from .http_camera import camera
from .reading import read, read_on
from .samples import FPS, sample

pytestmark = [
    pytest.mark.rtsp,
    pytest.mark.skipif(not RtspServer.available(), reason="GStreamer's RTSP server is not installed"),
]

USER = "admin"
PASSWORD = "p@ss/w:r#d? 1%"


@pytest.fixture(scope="module")
def footage() -> Path:
    """Return a video kept beside the loops made of it, so that those are made once, not in every run."""
    path = ROOT / ".tools" / "media" / "video-tests.mp4"
    data = sample("mp4", seconds=4.0)
    if not path.exists() or path.stat().st_size != len(data):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def plain(footage: Path) -> Iterator[RtspServer]:
    """Serve H.264 and AAC, to everybody."""
    with RtspServer({"cam": footage}, LoopSettings(audio="aac")) as server:
        yield server


@pytest.fixture(scope="module")
def protected(footage: Path) -> Iterator[RtspServer]:
    """Serve H.264 to who knows the password."""
    with RtspServer({"cam": footage}, user=USER, password=PASSWORD) as server:
        yield server


def open_error(config: SourceConfig) -> SourceError:
    with pytest.raises(SourceError) as raised:
        Source(config, stop=threading.Event()).open()
    return raised.value


def read_until_error(source: Source) -> SourceError:
    with pytest.raises(SourceError) as raised:
        read_on(source)
    return raised.value


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_h264_with_aac(plain: RtspServer, transport: str) -> None:
    seen = read(SourceConfig(plain.url("cam"), rtsp_transport=transport), frames=15)
    assert (seen.info.codec, seen.info.width, seen.info.height) == ("h264", 160, 120)
    assert (seen.info.audio_codec, seen.info.audio_rate_hz) == ("aac", 48_000)
    assert seen.info.fps == pytest.approx(FPS, rel=0.02)
    assert seen.audio
    assert seen.decoder_errors == 0
    assert seen.video[0].time_s == 0.0
    # The first packet has no stamp at all; still the clock neither jumps nor stands.
    assert all(0.05 < b.time_s - a.time_s < 0.15 for a, b in pairwise(seen.frames))
    assert abs(seen.audio[-1].time_s - seen.video[-1].time_s) < 0.5
    assert all(a.dts_s < b.dts_s for a, b in pairwise(seen.video))


@pytest.mark.parametrize(
    ("codec", "audio", "expected"),
    [
        ("h264", "pcma", ("h264", "pcm_alaw")),
        ("h265", "opus", ("hevc", "opus")),
        ("mjpeg", "none", ("mjpeg", None)),
    ],
)
def test_other_codings(footage: Path, codec: str, audio: str, expected: tuple[str, str | None]) -> None:
    with RtspServer({"cam": footage}, LoopSettings(codec=codec, audio=audio)) as server:
        seen = read(server.url("cam"), frames=15)
    assert (seen.info.codec, seen.info.audio_codec) == expected
    assert (seen.frames[0].frame.width, seen.frames[0].frame.height) == (160, 120)
    assert bool(seen.audio) == (audio != "none")
    assert seen.decoder_errors == 0


def test_credentials(protected: RtspServer) -> None:
    url = protected.url("cam", credentials=False)
    assert read(SourceConfig(url, USER, PASSWORD), frames=1).frames
    assert read(protected.url("cam"), frames=1).frames  # in the address, percent-encoded
    pasted = url.replace("rtsp://", f"rtsp://{USER}:{PASSWORD}@").replace(" ", "%20")
    assert read(pasted, frames=1).frames
    assert isinstance(open_error(SourceConfig(url, USER, "wrong")), WrongCredentials)
    assert isinstance(open_error(SourceConfig(url, "nobody", PASSWORD)), WrongCredentials)
    assert isinstance(open_error(SourceConfig(url)), WrongCredentials)


def test_what_is_wrong_is_told_apart(plain: RtspServer) -> None:
    assert isinstance(open_error(SourceConfig(plain.url("nothing-here"))), NotFound)
    with camera({}) as web:
        port = web.server_address[1]
        assert isinstance(open_error(SourceConfig(f"rtsp://127.0.0.1:{port}/")), BrokenStream)
    assert isinstance(open_error(SourceConfig(f"rtsp://127.0.0.1:{port}/")), Unreachable)
    tcp = urlsplit(plain.url("cam")).port
    assert isinstance(open_error(SourceConfig(f"rtsps://127.0.0.1:{tcp}/cam", open_timeout_s=2.0)), TlsFailed)


def test_rtsps(footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, key, trusted = (tmp_path / name for name in ("cert.pem", "key.pem", "ca.pem"))
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(trusted))
    with RtspServer({"cam": footage}, tls=(certificate, key)) as server:
        url = server.url("cam")
        assert url.startswith("rtsps:")
        assert isinstance(open_error(SourceConfig(url)), TlsFailed)
        assert read(SourceConfig(url, verify_tls=False), frames=2).frames
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert read(SourceConfig(url), frames=2).frames


def test_a_killed_server_ends_the_stream_and_a_restarted_one_is_read_again(footage: Path) -> None:
    with RtspServer({"cam": footage}) as server:
        source = Source(SourceConfig(server.url("cam")), stop=threading.Event())
        threads = set(threading.enumerate())
        for _ in range(2):
            source.open()
            assert source.read() is not None
            server.kill()
            assert isinstance(read_until_error(source), (EndOfStream, BrokenStream))
            source.close()
            assert isinstance(open_error(SourceConfig(server.url("cam"))), Unreachable)
            server.start()
        source.open()
        assert source.read() is not None
        source.close()
        assert set(threading.enumerate()) <= threads


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_frozen_server_is_a_stall(footage: Path, transport: str) -> None:
    with RtspServer({"cam": footage}) as server:
        config = SourceConfig(server.url("cam"), rtsp_transport=transport, stall_timeout_s=2.0)
        with Source(config, stop=threading.Event()) as source:
            for _ in range(3):
                source.read()
            server.freeze()
            frozen = time.monotonic()
            # Within an interleaved packet the connection is lost, which is noticed even sooner.
            assert isinstance(read_until_error(source), (Stalled, BrokenStream))
            assert time.monotonic() - frozen < 4.5
        server.thaw()


def test_key_frames_in_parts_are_made_whole(footage: Path, tmp_path: Path) -> None:
    """Slices with parameter sets before each, as GStreamer sends them here, are taken apart by FFmpeg."""
    loop = tmp_path / "slices.loop"
    with av.open(io.BytesIO(sample("h264", slices=4, seconds=2.0))) as container:
        coded = [(packet.is_keyframe, bytes(packet)) for packet in container.demux() if packet.size]
    second_ns = 10**9
    packets = [LoopPacket(n * second_ns // FPS, key, data) for n, (key, data) in enumerate(coded)]
    write_tracks(loop, [Track("h264", 2 * second_ns, packets, width=160, height=120, fps=float(FPS))])
    server = RtspServer({"cam": footage})
    server.loops["cam"] = loop
    with server:
        url = server.url("cam")
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=5.0) as container:
            stamps = [packet.dts for packet, _ in zip(container.demux(), range(30), strict=False)]
        assert len(set(stamps)) < len(stamps)  # it really happens
        seen = read(url, frames=25)
    assert seen.decoder_errors == 0
    assert all(a.dts_s < b.dts_s for a, b in pairwise(seen.video))
    assert [f.is_key for f in seen.frames] == [(n % 10) == 0 for n in range(25)]


def test_reading_goes_on_after_a_short_freeze(footage: Path) -> None:
    with RtspServer({"cam": footage}) as server:
        with Source(SourceConfig(server.url("cam")), stop=threading.Event()) as source:
            packets = [source.read() for _ in range(5)]
            server.freeze()
            until = time.monotonic() + 5
            while source.read() is not None and time.monotonic() < until:
                pass
            server.thaw()
            after = [source.read() for _ in range(3)]
        assert all(packet is not None for packet in packets + after)


def test_a_read_returns_within_its_timeout_and_a_stop_is_seen(footage: Path) -> None:
    with RtspServer({"cam": footage}) as server:
        stop = threading.Event()
        with Source(SourceConfig(server.url("cam")), stop=stop) as source:
            source.read()
            server.freeze()
            began = time.monotonic()
            threading.Timer(0.3, stop.set).start()
            while source.read() is not None:
                pass
        assert time.monotonic() - began < 1.5
        server.thaw()
