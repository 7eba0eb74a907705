"""No user name, password or stream key in a log line, an error or a repr, even with FFmpeg's log open."""

from collections.abc import Iterator
import logging
import threading
import traceback

import av.logging
import pytest

from custom_components.ringwatch.video import Source, SourceConfig, SourceError, probe
from script.lib.servers import RtspServer

from .http_camera import camera, multipart, stream
from .reading import read
from .samples import jpeg, sample
from .test_source_rtsp import footage  # noqa: F401
from .test_stop import listener

USER = "s3cretuser"
PASSWORD = "s3cret/p@ss w:r#d"
KEY = "s3cretkey"


@pytest.fixture(autouse=True)
def _ffmpeg_talks() -> Iterator[None]:
    """As when somebody sets Home Assistant's stream component to debug."""
    before = av.logging.get_level()
    av.logging.set_level(av.logging.TRACE)
    logging.getLogger("libav").setLevel(1)
    yield
    av.logging.set_level(before)


def everything_said(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    chain, current = [], error
    while current is not None:
        chain.append(f"{current!r} {current!s} {vars(current)}")
        current = current.__context__ or current.__cause__
    return " ".join([*chain, *traceback.format_exception(error), caplog.text])


def fail(config: SourceConfig) -> SourceError:
    source = Source(config, stop=threading.Event())
    assert "s3cret" not in f"{source!r} {source.shown} {config!r}"
    with pytest.raises(SourceError) as raised:
        source.open()
    return raised.value


def test_nothing_leaks_when_opening_fails(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    with camera({"/text": lambda handler: handler.answer(200, b"hello")}) as server, listener({}) as port:
        host = f"127.0.0.1:{server.server_address[1]}"
        for config in (
            SourceConfig(f"http://{host}/{KEY}", USER, PASSWORD),
            SourceConfig(f"http://{USER}:{KEY}@{host}/text"),
            SourceConfig(f"http://{host}/text?password={KEY}", USER, PASSWORD),
            SourceConfig(f"rtsp://{host}/{KEY}", USER, PASSWORD),
            SourceConfig(f"rtsp://127.0.0.1:{port}/{KEY}", USER, PASSWORD, open_timeout_s=0.3),
            SourceConfig(f"rtsp://127.0.0.1:1/{KEY}", USER, PASSWORD),
            SourceConfig(f"https://{host}/{KEY}", USER, PASSWORD),
        ):
            assert "s3cret" not in everything_said(fail(config), caplog)
    with pytest.raises(SourceError) as raised:
        Source(SourceConfig(f"rtsp://{USER}:{PASSWORD}@:1/{KEY}"), stop=threading.Event())
    assert "s3cret" not in everything_said(raised.value, caplog)


@pytest.mark.rtsp
@pytest.mark.skipif(not RtspServer.available(), reason="GStreamer's RTSP server is not installed")
def test_nothing_leaks_over_rtsp(footage, caplog: pytest.LogCaptureFixture) -> None:  # noqa: F811
    caplog.set_level(1)
    with RtspServer({"cam": footage}, user=USER, password=PASSWORD) as server:
        url = server.url("cam", credentials=False)
        assert read(SourceConfig(url, USER, PASSWORD), frames=1).frames
        assert "s3cret" not in everything_said(fail(SourceConfig(url, USER, "s3cret-wrong")), caplog)
        assert "s3cret" not in everything_said(fail(SourceConfig(f"{url}{KEY}", USER, PASSWORD)), caplog)


def test_nothing_leaks_while_reading(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    with camera({f"/{KEY}": stream(sample()), f"/{KEY}/m": multipart([jpeg()])}) as server:
        seen = read(SourceConfig(server.url(f"/{KEY}"), USER, PASSWORD))
        assert seen.ended
        probe(SourceConfig(server.url(f"/{KEY}/m"), USER, PASSWORD), stop=threading.Event())
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(seen.packets[0]) + repr(seen.frames[0]) + repr(seen.info)
