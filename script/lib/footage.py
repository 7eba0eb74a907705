"""Turns any video file into loops that the test servers can send: one encode, kept in `.tools/media`.

Closed GOPs of 2 s without B-frames, one slice per picture, a constant frame rate: what a camera sends. Sound,
where it is asked for, is a quiet tone of its own (the footage has none).
"""

from dataclasses import dataclass
from fractions import Fraction
import hashlib
import math
import os
from pathlib import Path

import av
from av.video.frame import VideoFrame
import numpy as np

from script.lib.core import ROOT
from script.lib.packets import SECOND_NS, LoopPacket, Track, read_tracks, write_tracks

FORMAT = 3  # grows when what is written changes, so that older files are not used
GOP_S = 2.0
TONE_S = 5  # length of the sound's loop
TONE_HZ = 440.0
VIDEO_ENCODERS = {"h264": "libx264", "h265": "libx265", "mjpeg": "mjpeg"}
AUDIO_ENCODERS = {
    "aac": ("aac", 48_000, "fltp"),
    "opus": ("libopus", 48_000, "flt"),
    "pcma": ("pcm_alaw", 8_000, "s16"),
}


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How a loop is encoded. 0 means: as the footage is."""

    codec: str = "h264"
    audio: str = "none"
    fps: float = 0.0
    width: int = 0
    height: int = 0
    max_s: float = 120.0  # longer footage is cut


def prepare_loop(footage: Path, settings: LoopSettings = LoopSettings()) -> Path:
    """Encode footage as a loop unless that has been done before; return its file."""
    with footage.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    key = f"{FORMAT} {digest} {settings}"
    folder = ROOT / ".tools" / "media"
    loop = folder / f"{footage.stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.loop"
    if not loop.exists():
        folder.mkdir(parents=True, exist_ok=True)
        tracks = [_encode_video(footage, settings)]
        if settings.audio != "none":
            tracks.append(_encode_tone(settings.audio))
        part = loop.with_suffix(f".{os.getpid()}")
        write_tracks(part, tracks)
        part.replace(loop)
    return loop


def loop_duration_s(loop: Path) -> float:
    """Return the length of a loop's pictures."""
    return read_tracks(loop)[0].period_ns / SECOND_NS


def _encode_video(footage: Path, settings: LoopSettings) -> Track:
    with av.open(str(footage)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        source_fps = float(stream.average_rate or 25)
        fps = Fraction(settings.fps or source_fps).limit_denominator(1001)
        width = (settings.width or stream.width) // 2 * 2
        height = (settings.height or stream.height) // 2 * 2
        encoder = _video_encoder(settings.codec, width, height, fps)
        packets: list[LoopPacket] = []
        count = 0
        first_s: float | None = None
        for frame in container.decode(stream):
            time_s = frame.time or 0.0
            first_s = time_s if first_s is None else first_s
            if time_s - first_s > settings.max_s:
                break
            # Drop or repeat frames so that frame n is shown at n / fps.
            while count / fps <= time_s - first_s + 0.5 / source_fps:
                picture = frame.reformat(width, height, encoder.pix_fmt)
                picture.pts, picture.time_base = count, 1 / fps
                picture.pict_type = av.video.frame.PictureType.NONE
                packets += _packets(encoder, picture, fps)
                count += 1
        packets += _packets(encoder, None, fps)
    period_ns = round(count * SECOND_NS / fps)
    return Track(settings.codec, period_ns, packets, width=width, height=height, fps=float(fps))


def _video_encoder(codec: str, width: int, height: int, fps: Fraction) -> av.VideoCodecContext:
    encoder = av.CodecContext.create(VIDEO_ENCODERS[codec], "w")
    if not isinstance(encoder, av.VideoCodecContext):
        raise TypeError(f"{codec} is not a video codec")
    encoder.width, encoder.height, encoder.framerate, encoder.time_base = width, height, fps, 1 / fps
    encoder.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    gop = round(GOP_S * fps)
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:repeat-headers=1"
    if codec == "h264":
        params += ":sliced-threads=0"
        encoder.options = {"preset": "veryfast", "tune": "zerolatency", "crf": "24", "x264-params": params}
    elif codec == "h265":
        params = (
            f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:repeat-headers=1:open-gop=0:log-level=error"
        )
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "28", "x265-params": params}
    else:  # RTP carries JPEG without its Huffman tables, so they must be the standard's
        encoder.options = {"huffman": "default", "qmin": "6", "qmax": "6"}
    return encoder


def _packets(encoder: av.VideoCodecContext, frame: VideoFrame | None, fps: Fraction) -> list[LoopPacket]:
    return [
        LoopPacket(round((p.pts or 0) * SECOND_NS / fps), p.is_keyframe, bytes(p))
        for p in encoder.encode(frame)
    ]


def _encode_tone(codec: str) -> Track:
    name, rate, sample_format = AUDIO_ENCODERS[codec]
    encoder = av.CodecContext.create(name, "w")
    if not isinstance(encoder, av.AudioCodecContext):
        raise TypeError(f"{codec} is not an audio codec")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", sample_format
    encoder.time_base = Fraction(1, rate)
    encoder.open()
    size = encoder.frame_size or rate // 50
    packets: list[LoopPacket] = []
    for start in range(0, TONE_S * rate // size * size, size):
        wave = 0.05 * np.sin(2 * math.pi * TONE_HZ * np.arange(start, start + size) / rate)
        samples = (
            wave.astype(np.float32) if sample_format.startswith("flt") else (wave * 32767).astype(np.int16)
        )
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], sample_format, "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        packets += [LoopPacket(0, True, bytes(p)) for p in encoder.encode(frame)]
    # The encoder's own delay does not matter to a loop: packets follow each other without a gap.
    duration_ns = size * SECOND_NS / rate
    packets = [LoopPacket(round(i * duration_ns), True, p.data) for i, p in enumerate(packets)]
    config = bytes(encoder.extradata or b"").hex() if codec == "aac" else ""
    return Track(codec, round(len(packets) * duration_ns), packets, rate=rate, config=config)
