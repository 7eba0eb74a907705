"""Trying a source before it is saved."""

import io
import threading
import time

from PIL import Image
import pytest

from custom_components.ringwatch.video import (
    BRANDS,
    NotFound,
    SourceConfig,
    SourceError,
    Stopped,
    addresses,
    probe,
    validate_url,
)

from .http_camera import camera, multipart, silent, stream
from .samples import jpeg, sample


def test_a_probe_shows_the_picture() -> None:
    routes = {"/live": stream(sample(audio="aac")), "/mjpeg": multipart([jpeg()])}
    with camera(routes) as server:
        for path, codec in (("/live", "h264"), ("/mjpeg", "mjpeg")):
            found = probe(SourceConfig(server.url(path)), stop=threading.Event())
            assert (found.info.codec, found.info.width, found.info.height) == (codec, 160, 120)
            assert Image.open(io.BytesIO(found.jpeg)).size == (160, 120)


def test_a_probe_of_a_stream_without_a_size_before_its_first_key_frame() -> None:
    data = sample(gop=35, seconds=7.0)
    middle = data[len(data) // 5 // 188 * 188 :]
    with camera({"/live": stream(data[: 188 * 2] + middle, seconds=1.0)}) as server:
        found = probe(SourceConfig(server.url("/live")), stop=threading.Event())
    assert (found.info.width, found.info.height) == (160, 120)


def test_a_probe_ends_in_time() -> None:
    with camera({"/hang": silent, "/cut": stream(sample()[:2000], then_hang=True)}) as server:
        for path in ("/hang", "/cut"):
            began = time.monotonic()
            with pytest.raises(SourceError):
                probe(SourceConfig(server.url(path)), stop=threading.Event(), timeout_s=1.0)
            assert time.monotonic() - began < 2.0
        with pytest.raises(NotFound):
            probe(SourceConfig(server.url("/none")), stop=threading.Event())


def test_a_probe_can_be_stopped() -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with camera({"/hang": silent}) as server:
        began = time.monotonic()
        with pytest.raises(Stopped):
            probe(SourceConfig(server.url("/hang")), stop=stop)
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.key)
@pytest.mark.parametrize("host", ["192.168.1.20", "camera.local", "fe80::1"])
def test_every_template_gives_valid_addresses(brand, host: str) -> None:
    main, sub = addresses(brand.key, host, 2)
    for url in filter(None, (main, sub)):
        assert validate_url(url) == url
        assert host in url
        assert f":{brand.port}/" in url
    assert main != sub


def test_channels_are_counted_as_the_brands_do() -> None:
    assert addresses("reolink", "h", 3)[0] == "rtsp://h:554/h264Preview_03_main"
    assert addresses("hikvision", "h", 3)[1] == "rtsp://h:554/Streaming/Channels/302"
    assert "channel=3&subtype=1" in str(addresses("dahua", "h", 3)[1])
