"""Sound of real servers, copied or made into AAC: how far a beep is from its flash in the clip, measured."""

from concurrent.futures import Future
from pathlib import Path
import threading
import time

import av
import pytest

from custom_components.ringwatch.clips import (
    CameraRef,
    Clip,
    ClipStore,
    Limits,
    Recorder,
    RecordSettings,
    RetentionPolicy,
)
from custom_components.ringwatch.video import Source, SourceConfig
from script.lib.servers import MediaServer, RtspServer, TsServer

from .flashes import AUDIO, apart, write_loop

IN_STEP_S = 0.08
LOOK_BACK_S = 3.0
LENGTH_S = 9.0


def record_all(folder: Path, urls: dict[str, str]) -> dict[str, Path]:
    """Record the same seconds of all cameras at once; return each one's clip."""
    (folder / "media").mkdir()
    policy = RetentionPolicy(overall=Limits())
    store = ClipStore(folder / "media", folder / "config", lambda _: None, policy=policy)
    store.start()
    settings = RecordSettings(pre_roll_s=0.0, post_roll_s=0.0, record_sound=True)
    clips: dict[str, Clip] = {}
    stop = threading.Event()

    def run(name: str, url: str) -> None:
        recorder = Recorder(CameraRef(name, name), settings, store, lambda _: None)
        recorder.start()
        future: Future[list[Clip]] | None = None
        with Source(SourceConfig(url), stop=stop) as source:
            begun_s = time.monotonic()
            while not (future and future.done()) and time.monotonic() - begun_s < 30.0:
                if (packet := source.read()) is not None:
                    recorder.feed(packet, source.info)
                if future is None and time.monotonic() - begun_s > LOOK_BACK_S:
                    future = recorder.save(LOOK_BACK_S - 1.0, LENGTH_S)
        recorder.stop()
        if future is not None:
            (clips[name],) = future.result(10.0)

    threads = [threading.Thread(target=run, args=item) for item in urls.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.stop()
    return {name: folder / "media" / clip.path for name, clip in clips.items()}


def measure(server: MediaServer, tmp_path: Path, codings: list[str]) -> None:
    for name in codings:
        server.loops[name] = tmp_path / f"{name}.loop"
        write_loop(server.loops[name], name)
    with server:
        clips = record_all(tmp_path, {name: server.url(name) for name in codings})
    assert clips.keys() == set(codings)
    for name, path in clips.items():
        with av.open(str(path)) as container:
            assert container.streams.audio[0].codec_context.name == "aac"
        late = apart(path)
        print(name, [f"{one * 1000:+.0f} ms" for one in late])  # pytest -s shows the figures of docs/clips.md
        assert len(late) >= 3
        assert max(map(abs, late)) < IN_STEP_S, name


@pytest.mark.rtsp
@pytest.mark.skipif(not RtspServer.available(), reason="GStreamer's RTSP server is not installed")
def test_sound_over_rtsp_is_in_step(tmp_path: Path) -> None:
    measure(RtspServer({}), tmp_path, list(AUDIO))


def test_sound_in_mpeg_ts_over_http_is_in_step(tmp_path: Path) -> None:
    measure(TsServer({}), tmp_path, ["aac"])
