"""A film in which a flash and a beep come together, to measure how far apart they are in a clip."""

from fractions import Fraction
from functools import cache
import io
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

FPS = 25
EVERY_S = 2.0
AUDIO = {
    "aac": ("aac", 16_000, "fltp"),
    "pcm_alaw": ("pcm_alaw", 8000, "s16"),
    "opus": ("libopus", 48_000, "flt"),
}


@cache
def film(
    audio: str, *, seconds: float = 16.0, container: str = "mpegts", skip: tuple[float, float] = (0.0, 0.0)
) -> bytes:
    """Return H.264 and sound; between the two times of `skip` there is no sound at all, not even silence."""
    name, rate, layout = AUDIO[audio]
    out = io.BytesIO()
    with av.open(out, "w", format=container) as muxer:
        options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": "keyint=25:min-keyint=25:scenecut=0",
        }
        video = muxer.add_stream("libx264", rate=FPS, options=options)
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        sound = muxer.add_stream(name, rate=rate, layout="mono", format=layout)
        size = sound.codec_context.frame_size or rate // 50
        sent = 0
        for number in range(round(seconds * FPS)):
            at_s = number / FPS
            level = 230 if at_s % EVERY_S < 0.2 else 30
            frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), level, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            muxer.mux(video.encode(frame))
            while sent / rate < at_s:
                times = np.arange(sent, sent + size) / rate
                wave = np.where(times % EVERY_S < 0.2, 0.5 * np.sin(2 * np.pi * 1000 * times), 0.0)
                if not skip[0] <= times[0] < skip[1]:
                    samples = (
                        wave.astype(np.float32)
                        if layout.startswith("flt")
                        else (wave * 32767).astype(np.int16)
                    )
                    tone = av.AudioFrame.from_ndarray(samples[np.newaxis], layout, "mono")
                    tone.sample_rate, tone.pts, tone.time_base = rate, sent, Fraction(1, rate)
                    muxer.mux(sound.encode(tone))
                sent += size
        muxer.mux(video.encode(None))
        muxer.mux(sound.encode(None))
    return out.getvalue()


def apart(path: Path) -> list[float]:
    """Return how much later each beep begins than its flash, in seconds."""
    flashes = []
    with av.open(str(path)) as container:
        before = 255.0
        for frame in container.decode(video=0):
            now = float(frame.to_ndarray(format="gray").mean())
            if now > 150 > before and frame.time is not None:
                flashes.append(frame.time)
            before = now
    loud_s: list[float] = []  # every millisecond in which there is something to hear
    with av.open(str(path)) as container:
        for tone in container.decode(audio=0):
            wave = np.abs(tone.to_ndarray()[0].astype(np.float64))
            wave /= 1.0 if tone.format.name.startswith("flt") else 32768.0
            step = tone.sample_rate // 1000
            whole = wave[: wave.size // step * step].reshape(-1, step).max(axis=1)
            loud_s += [
                (tone.time or 0.0) + at * step / tone.sample_rate for at in np.flatnonzero(whole > 0.2)
            ]
    beeps = [at for before, at in pairwise([-9.0, *loud_s]) if at - before > 0.3]
    if beeps and beeps[0] < 0.001:
        beeps.pop(0)  # it began before the clip
    return [
        min((beep - flash for beep in beeps), key=abs)
        for flash in flashes
        if beeps and flash > beeps[0] - 1.0
    ]
