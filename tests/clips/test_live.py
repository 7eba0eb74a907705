"""From a real RTSP server, with real threads and the real clock."""

from pathlib import Path
import threading
import time

import av
import pytest

from custom_components.ringwatch.clips import (
    CameraRef,
    ClipNews,
    ClipStore,
    Limits,
    Recorder,
    RecordSettings,
    RetentionPolicy,
)
from custom_components.ringwatch.video import Source, SourceConfig
from script.lib.core import ROOT
from script.lib.footage import LoopSettings
from script.lib.servers import RtspServer

from ..video.samples import sample
from .house import pictures

pytestmark = [
    pytest.mark.rtsp,
    pytest.mark.skipif(not RtspServer.available(), reason="GStreamer's RTSP server is not installed"),
]


@pytest.mark.parametrize(("codec", "audio"), [("h264", "pcma"), ("h265", "opus")])
def test_a_live_stream_is_recorded_with_what_came_before(tmp_path: Path, codec: str, audio: str) -> None:
    film = ROOT / ".tools" / "media" / "video-tests.mp4"  # the same one as the tests of `video`
    if not film.exists():
        film.parent.mkdir(parents=True, exist_ok=True)
        film.write_bytes(sample("mp4", seconds=4.0))
    (tmp_path / "media").mkdir()
    news: list[ClipNews] = []
    policy = RetentionPolicy(overall=Limits())
    store = ClipStore(tmp_path / "media", tmp_path / "config", news.append, policy=policy)
    settings = RecordSettings(pre_roll_s=0.0, post_roll_s=0.0, record_sound=True)
    recorder = Recorder(CameraRef("cam", "Front"), settings, store, news.append)
    store.start()
    recorder.start()
    stop = threading.Event()
    with RtspServer({"cam": film}, LoopSettings(codec=codec, audio=audio)) as server:
        with Source(SourceConfig(server.url("cam")), stop=stop) as source:
            begun_s, future = time.monotonic(), None
            while future is None or not future.done():
                packet = source.read()
                if packet is not None:
                    recorder.feed(packet, source.info)
                if future is None and time.monotonic() - begun_s > 2.5:
                    future = recorder.save(2.0, 3.0)
                assert time.monotonic() - begun_s < 20.0
        recorder.disconnected()
    assert recorder.stop()
    (clip,) = future.result()
    assert store.stop()
    assert 3.0 <= clip.duration_s <= 5.6  # from the key frame before, one every 2 s
    with av.open(str(tmp_path / "media" / clip.path)) as container:
        assert container.streams.video[0].codec_context.name == {"h264": "h264", "h265": "hevc"}[codec]
        assert container.streams.audio[0].codec_context.name == "aac"
        heard_s = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert heard_s == pytest.approx(clip.duration_s, abs=0.6)
    assert len(pictures(tmp_path / "media" / clip.path)) == pytest.approx(clip.duration_s * 10, abs=1)
