"""A process that records and deletes without end, to be killed: `video` and `clips` alone.

    python -m script.lib.recording_process FOLDER FILE SEED

It plays a file in real time. One recording goes on all the time; others begin, clips are deleted. At each
packet that it gives to the recorder it prints the time.
"""

import os
from pathlib import Path
from random import Random
import sys
import threading
import time

from script.lib.core import load_core

load_core()

from ringwatch.clips import CameraRef, ClipReady, ClipStore, Limits, Recorder, RecordSettings, RetentionPolicy
from ringwatch.video import EndOfStream, Source, SourceConfig


def main(folder: Path, film: str, seed: int) -> None:
    """Record until killed."""
    random = Random(seed)
    ready: list[str] = []

    def notify(news: object) -> None:
        if isinstance(news, ClipReady):
            ready.append(news.clip.id)

    (folder / "media").mkdir(parents=True, exist_ok=True)
    store = ClipStore(
        folder / "media",
        folder / "config",
        notify,
        policy=RetentionPolicy(overall=Limits(size_bytes=60_000), reserve_bytes=0),
    )
    store.start()
    store.wait_ready(10.0)
    settings = RecordSettings(pre_roll_s=1.0, post_roll_s=0.2, max_part_s=10.0, record_sound=True)
    recorder = Recorder(CameraRef("cam", "Front door"), settings, store, notify)
    recorder.start()
    stop = threading.Event()
    recorder.save(0.0, 3600.0)
    while True:
        with Source(SourceConfig(film), stop=stop, realtime=True) as source:
            due_s = time.monotonic() + random.uniform(0.1, 0.4)
            try:
                while True:
                    packet = source.read()
                    if packet is not None:
                        recorder.feed(packet, source.info)
                        os.write(1, f"{time.time():.3f}\n".encode())
                    if time.monotonic() < due_s:
                        continue
                    due_s += random.uniform(0.1, 0.8)
                    if random.random() < 0.7 or not ready:
                        recorder.save(random.uniform(0.0, 1.0), random.uniform(0.3, 1.5))
                    else:
                        threading.Thread(target=store.delete, args=([ready.pop(0)],), daemon=True).start()
            except EndOfStream:
                recorder.disconnected()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
