"""A film in which a flash and a beep come together, to measure how far apart they are in a clip."""

from fractions import Fraction
from functools import cache
import io
from itertools import pairwise
from pathlib import Path

import av
from av.video.frame import PictureType
import numpy as np

from script.lib.packets import SECOND_NS, LoopPacket, Track, write_tracks

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


def write_loop(path: Path, audio: str) -> None:
    """Write flashes and beeps as a test server's loop, as a camera sends them: coded, without a container.

    8 s are a whole number of packets of each coding, so that nothing drifts from lap to lap; and so is the
    1.6 s from one key frame to the next, where a server may begin.
    """
    seconds, rate, layout = 8, AUDIO[audio][1], AUDIO[audio][2]
    tracks = []
    with av.open(io.BytesIO(film("pcm_alaw", seconds=float(seconds), container="mov"))) as source:
        encoder = av.CodecContext.create("libx264", "w")
        if not isinstance(encoder, av.VideoCodecContext):
            raise TypeError("libx264 is not a video codec")
        encoder.width, encoder.height, encoder.pix_fmt = 160, 120, "yuv420p"
        encoder.framerate, encoder.time_base = Fraction(FPS), Fraction(1, FPS)
        encoder.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": "keyint=40:min-keyint=40:scenecut=0:repeat-headers=1:sliced-threads=0",
        }
        pictures = []
        for number, frame in enumerate(source.decode(video=0)):
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            frame.pict_type = PictureType.NONE
            pictures += encoder.encode(frame)
        pictures += encoder.encode(None)
    packets = [LoopPacket(n * SECOND_NS // FPS, p.is_keyframe, bytes(p)) for n, p in enumerate(pictures)]
    tracks.append(Track("h264", seconds * SECOND_NS, packets, width=160, height=120, fps=float(FPS)))
    sound = av.CodecContext.create(AUDIO[audio][0], "w")
    if not isinstance(sound, av.AudioCodecContext):
        raise TypeError(f"{audio} is not an audio codec")
    sound.sample_rate, sound.layout, sound.format, sound.time_base = rate, "mono", layout, Fraction(1, rate)
    sound.open()
    size = sound.frame_size or rate // 50
    coded: list[bytes] = []
    for start in range(0, (seconds + 1) * rate, size):
        times = np.arange(start, start + size) / rate
        wave = np.where(times % EVERY_S < 0.2, 0.5 * np.sin(2 * np.pi * 1000 * times), 0.0)
        samples = wave.astype(np.float32) if layout.startswith("flt") else (wave * 32767).astype(np.int16)
        tone = av.AudioFrame.from_ndarray(samples[np.newaxis], layout, "mono")
        tone.sample_rate, tone.pts, tone.time_base = rate, start, Fraction(1, rate)
        coded += [bytes(packet) for packet in sound.encode(tone)]
    count = seconds * rate // size
    first = 1 if audio == "aac" else 0  # the first packet of AAC is the encoder's delay, 1024 samples
    step_ns = size * SECOND_NS // rate
    heard = [LoopPacket(n * step_ns, True, data) for n, data in enumerate(coded[first : first + count])]
    config = bytes(sound.extradata or b"").hex() if audio == "aac" else ""
    name = {"pcm_alaw": "pcma"}.get(audio, audio)
    tracks.append(Track(name, seconds * SECOND_NS, heard, rate=rate, config=config))
    write_tracks(path, tracks)
