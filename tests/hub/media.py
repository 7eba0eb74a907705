"""Clips and pictures for uploads: made here, as the integration makes those that it shares."""

from fractions import Fraction
from functools import cache
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
import numpy as np
from PIL import Image

from ringwatch.neighborhood.bodies.feed import Media, MediaType
from script.lib.hub_client import describe

# Without messages between pictures (SEI), as the integration sends them
ONLY_PICTURES = {"libx264": "filter_units=pass_types=1-5|7|8", "libx265": "filter_units=pass_types=0-34"}
MUXER = {"movflags": "+faststart", "fflags": "+bitexact"}
WIDTH, HEIGHT, FPS, SECONDS = 160, 96, 10, 2


@cache
def film(
    codec: str = "libx264", *, sound: bool = False, seed: int = 0, messages: bool = False, **options: str
) -> bytes:
    """Return an MP4 of two seconds, with or without the encoder's messages between the pictures."""
    random = np.random.default_rng(seed)
    muxer = MUXER | options
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        _write(path, codec, random, muxer, sound=sound, messages=messages)
        return path.read_bytes()


def _write(
    path: Path,
    codec: str,
    random: np.random.Generator,
    muxer: dict[str, str],
    *,
    sound: bool,
    messages: bool,
) -> None:
    with av.open(str(path), "w", format="mp4", options=muxer) as container:
        stream: Any = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        if codec == "libx265":
            stream.codec_context.codec_tag = "hvc1"
            stream.options |= {"x265-params": f"log-level=none:info={int(messages)}"}
        audio: Any = container.add_stream("aac", rate=16_000) if sound else None
        container.start_encoding()
        units = "null" if messages else ONLY_PICTURES[codec]
        cleaner = BitStreamFilterContext(units, stream, stream)
        for number in range(FPS * SECONDS):
            noise = random.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
            frame = av.VideoFrame.from_ndarray(noise, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            for packet in stream.encode(frame):
                container.mux(cleaner.filter(packet))
        for packet in [*stream.encode(None), None]:
            container.mux(cleaner.filter(packet))
        if audio is not None:
            for number in range(SECONDS * 16_000 // 1_024):
                tone = av.AudioFrame.from_ndarray(np.zeros((1, 1_024), np.float32), "fltp", "mono")
                tone.sample_rate, tone.pts = 16_000, number * 1_024
                container.mux(audio.encode(tone))
            container.mux(audio.encode(None))


def film_media(data: bytes, *, duration_ms: int = SECONDS * 1_000) -> Media:
    """Return what is announced of a film."""
    return describe(data, MediaType.MP4, WIDTH, HEIGHT, duration_ms)


@cache
def picture(width: int = 64, height: int = 48, seed: int = 0) -> bytes:
    """Return a JPEG."""
    file = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(noise).save(file, "JPEG", quality=80)
    return file.getvalue()


def picture_media(data: bytes, width: int = 64, height: int = 48) -> Media:
    """Return what is announced of a picture."""
    return describe(data, MediaType.JPEG, width, height)
