"""HTTP and HTTPS: MPEG-TS, FLV, MJPEG, HLS from a real server."""

from itertools import pairwise
from pathlib import Path
import ssl
import threading
import time

import av
import pytest
import trustme

from custom_components.ringwatch.video import (
    BrokenStream,
    EndOfStream,
    InvalidUrl,
    NotFound,
    NoVideo,
    Source,
    SourceConfig,
    SourceError,
    Stalled,
    TlsFailed,
    Unreachable,
    WrongCredentials,
    with_credentials,
)

from .http_camera import PASSWORD, USER, Handler, camera, fixed, multipart, redirect, stream
from .reading import read, read_on
from .samples import jpeg, sample


def open_error(config: SourceConfig) -> SourceError:
    source = Source(config, stop=threading.Event())
    with pytest.raises(SourceError) as raised:
        source.open()
    return raised.value


@pytest.mark.parametrize(
    ("container", "codec", "audio"),
    [("mpegts", "h264", "aac"), ("mpegts", "hevc", ""), ("flv", "h264", "aac")],
)
def test_streams_over_http(container: str, codec: str, audio: str) -> None:
    data = sample(container, codec, audio=audio)
    with camera({"/live": stream(data)}) as server:
        seen = read(server.url("/live"))
    assert (seen.info.codec, seen.info.width, seen.info.height) == (codec, 160, 120)
    assert seen.info.audio_codec == (audio or None)
    assert bool(seen.audio) == bool(audio)
    assert seen.ended
    assert len(seen.frames) == len(seen.video) == 40
    assert seen.decoder_errors == 0
    assert seen.video[0].time_s == 0.0
    assert [frame.time_s for frame in seen.frames] == pytest.approx([n / 10 for n in range(40)], abs=0.002)


def test_sound_and_picture_stay_in_step() -> None:
    data = sample("mpegts", "h264", audio="aac", start_pts=1234)
    with camera({"/live": stream(data)}) as server:
        seen = read(server.url("/live"))
    # The sample's sound begins 123.4 s before its picture, so none of it belongs to a picture.
    with av.open(_file(data)) as container:
        stamps = {p.stream.type: float(p.pts * p.time_base) for p in container.demux() if p.pts is not None}
    assert seen.video[-1].time_s == pytest.approx(3.9, abs=0.01)
    assert stamps["audio"] < stamps["video"]
    assert all(packet.time_s < 4.1 for packet in seen.audio)


def _file(data: bytes) -> object:
    import io

    return io.BytesIO(data)


def test_mjpeg_over_http() -> None:
    pictures = [jpeg(n) for n in range(8)]
    with camera({"/mjpeg": multipart(pictures, interval_s=0.1)}) as server:
        seen = read(server.url("/mjpeg"), frames=15)
    # Multipart has no stamps: the clock is the camera's pace, not what FFmpeg would make up. (The first ones
    # were waiting when the source was open.)
    steps_s = [b.time_s - a.time_s for a, b in pairwise(seen.frames[6:])]
    assert (
        0.06 < sum(steps_s) / len(steps_s) < 0.2
    )  # 0.04 would be FFmpeg's; a busy machine makes single ones long
    assert (seen.info.codec, seen.info.width, seen.info.height) == ("mjpeg", 160, 120)
    assert all(packet.is_key for packet in seen.video)
    assert all(a.time_s < b.time_s for a, b in pairwise(seen.frames))


@pytest.mark.parametrize("kind", ["basic", "digest", "digest256"])
def test_credentials_over_http(kind: str) -> None:
    with camera({"/mjpeg": multipart([jpeg()])}) as server:
        url = server.url(f"/{kind}/mjpeg")
        assert read(SourceConfig(url, USER, PASSWORD), frames=2).info.codec == "mjpeg"
        assert read(with_credentials(url, USER, PASSWORD), frames=2).info.codec == "mjpeg"
        assert isinstance(open_error(SourceConfig(url, USER, "wrong")), WrongCredentials)
        assert isinstance(open_error(SourceConfig(url)), WrongCredentials)


def test_credentials_are_not_given_to_another_host() -> None:
    with camera({"/mjpeg": multipart([jpeg()])}) as other:
        with camera({"/go": redirect(other.url("/basic/mjpeg"))}) as server:
            error = open_error(SourceConfig(server.url("/go"), USER, PASSWORD))
        assert isinstance(error, WrongCredentials)
        assert [authorization for _, authorization in other.requests] == [""]


def test_redirects_are_followed_but_not_for_ever_and_not_out_of_http() -> None:
    routes = {
        "/live": stream(sample()),
        "/once": redirect("/live"),
        "/loop": redirect("/loop"),
        "/file": redirect("file:///etc/passwd"),
    }
    with camera(routes) as server:
        assert read(server.url("/once"), frames=1).info.codec == "h264"
        assert isinstance(open_error(SourceConfig(server.url("/loop"))), BrokenStream)
        assert isinstance(open_error(SourceConfig(server.url("/file"))), InvalidUrl)


def test_what_is_wrong_is_told_apart() -> None:
    def error(status: int):
        return lambda handler: handler.answer(status, b"no")

    routes = {
        "/text": fixed(b"hello " * 1000, "text/plain"),
        "/sound": fixed(_sound_only(), "video/mp2t"),
        "/403": error(403),
        "/503": error(503),
        "/empty": fixed(b"", "video/mp2t"),
        "/still": fixed(jpeg(), "image/jpeg"),
    }
    with camera(routes) as server:
        expected = {
            "/none": NotFound,
            "/text": NoVideo,
            "/sound": NoVideo,
            "/403": WrongCredentials,
            "/503": Unreachable,
            "/empty": NoVideo,
            "/still": NoVideo,
        }
        assert {path: type(open_error(SourceConfig(server.url(path)))) for path in expected} == expected
        port = server.server_address[1]
        assert isinstance(open_error(SourceConfig(f"https://127.0.0.1:{port}/")), TlsFailed)
    assert isinstance(open_error(SourceConfig(f"http://127.0.0.1:{port}/")), Unreachable)


def _sound_only() -> bytes:
    import io

    import numpy as np

    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        for number in range(16):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, number * 1024
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return out.getvalue()


def test_https_checks_certificates_unless_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with camera({"/live": stream(sample())}, tls=context) as server:
        url = server.url("/live")
        assert isinstance(open_error(SourceConfig(url)), TlsFailed)
        assert len(read(SourceConfig(url, verify_tls=False)).frames) == 40
        trusted = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(trusted))
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert len(read(SourceConfig(url)).frames) == 40


def segments(folder: Path, seconds: float) -> list[Path]:
    """Cut a sample into HLS segments of a second, with a playlist live.m3u8; return the segments."""
    whole = folder / "whole.ts"
    whole.write_bytes(sample(seconds=seconds))
    options = {"hls_time": "1", "hls_list_size": "0"}
    with (
        av.open(str(whole)) as source,
        av.open(str(folder / "live.m3u8"), "w", format="hls", options=options) as hls,
    ):
        out = hls.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = out
                hls.mux(packet)
    return sorted(folder.glob("live*.ts"))


def test_hls(tmp_path: Path) -> None:
    assert len(segments(tmp_path, 6.0)) >= 5
    files = {f"/basic/{path.name}": path for path in tmp_path.iterdir()}
    routes = {
        f"/{path.name}": fixed(path.read_bytes(), "application/octet-stream") for path in files.values()
    }
    with camera(routes) as server:
        seen = read(SourceConfig(server.url("/basic/live.m3u8"), USER, PASSWORD))
        assert len([path for path, _ in server.requests if path.endswith(".ts")]) >= 5
    assert seen.ended
    assert len(seen.frames) == 60
    assert seen.frames[-1].time_s == pytest.approx(5.9, abs=0.01)


def test_live_hls_goes_on_and_stops_at_once(tmp_path: Path) -> None:
    """A playlist that grows in real time, then no more: FFmpeg sleeps between looks at it."""
    parts = segments(tmp_path, 6.0)
    began = time.monotonic()

    def playlist(handler: Handler) -> None:
        there = min(2 + int(time.monotonic() - began), len(parts))
        names = "".join(f"#EXTINF:1.0,\n{path.name}\n" for path in parts[:there])
        head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
        handler.answer(200, (head + names).encode(), "application/vnd.apple.mpegurl")

    routes = {f"/{path.name}": fixed(path.read_bytes(), "video/mp2t") for path in parts}
    stop = threading.Event()
    with camera(routes | {"/live.m3u8": playlist}) as server:
        with Source(SourceConfig(server.url("/live.m3u8")), stop=stop) as source:
            times: list[float] = []
            while len(times) < 45 and time.monotonic() - began < 10:
                packet = source.read()
                if packet is not None:
                    times.append(packet.time_s)
            assert len(times) == 45
            assert times == pytest.approx([times[0] + n / 10 for n in range(45)], abs=0.01)
            threading.Timer(0.3, stop.set).start()
            asked = time.monotonic()
            while not stop.is_set():
                source.read()
        assert time.monotonic() - asked < 1.5


def test_a_playlist_opens_nothing_but_http(tmp_path: Path) -> None:
    secret = tmp_path / "secret.ts"
    secret.write_bytes(sample())
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    concat = f"ffconcat version 1.0\nfile '{secret}'\n"
    with camera({
        "/live.m3u8": fixed(playlist.encode(), "application/vnd.apple.mpegurl"),
        "/live": fixed(concat.encode(), "text/plain"),
    }) as server:  # fmt: skip
        for path in ("/live.m3u8", "/live"):
            assert isinstance(open_error(SourceConfig(server.url(path))), (NoVideo, InvalidUrl, EndOfStream))


def test_a_server_that_stalls_without_closing_is_noticed() -> None:
    with camera({"/live": stream(sample(), then_hang=True)}) as server:
        config = SourceConfig(server.url("/live"), stall_timeout_s=1.0)
        with Source(config, stop=threading.Event()) as source:
            with pytest.raises(Stalled):
                read_on(source)
            ended = time.monotonic()
        assert time.monotonic() - ended < 0.5


def test_a_picture_that_stops_while_sound_goes_on_is_a_stall() -> None:
    def sound_goes_on(handler: Handler) -> None:
        data = sample("mpegts", "h264", audio="aac", seconds=3.0, audio_seconds=60.0)
        handler.begin("video/mp2t")
        for start in range(0, len(data), 1880):
            handler.wfile.write(data[start : start + 1880])
            handler.server.closing.wait(0.01)

    with camera({"/live": sound_goes_on}) as server:
        config = SourceConfig(server.url("/live"), stall_timeout_s=1.0)
        with Source(config, stop=threading.Event()) as source, pytest.raises(Stalled):
            read_on(source)


def test_no_thread_and_no_socket_is_left() -> None:
    def sockets() -> int:
        return sum(
            path.readlink().name.startswith("socket:")
            for path in Path("/proc/self/fd").iterdir()
            if path.is_symlink()
        )

    with camera({"/live": stream(sample()), "/text": fixed(b"hello", "text/plain")}) as server:
        read(server.url("/live"), frames=1)
        before, threads = sockets(), threading.active_count()
        for _ in range(5):
            read(server.url("/live"), frames=1)
            open_error(SourceConfig(server.url("/text")))
            open_error(SourceConfig(server.url("/none")))
        time.sleep(0.2)  # the server's own ends
        assert sockets() <= before
        assert threading.active_count() <= threads
