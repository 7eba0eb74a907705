"""Clips and pictures for uploads: made here, as the integration makes those that it shares."""

from fractions import Fraction
from functools import cache
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from PIL import Image

from ringwatch.neighborhood.bodies.feed import Media, MediaType
from script.lib.hub_client import describe

MUXER = {"movflags": "+faststart", "fflags": "+bitexact"}
WIDTH, HEIGHT, FPS, SECONDS = 160, 96, 10, 2


@cache
def film(codec: str = "libx264", *, sound: bool = False, seed: int = 0, **options: str) -> bytes:
    """Return an MP4 of two seconds."""
    random = np.random.default_rng(seed)
    muxer = MUXER | options
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        _write(path, codec, sound, random, muxer)
        return path.read_bytes()


def _write(path: Path, codec: str, sound: bool, random: np.random.Generator, muxer: dict[str, str]) -> None:
    with av.open(str(path), "w", format="mp4", options=muxer) as container:
        stream: Any = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "ultrafast"}
        if codec == "libx265":
            stream.codec_context.codec_tag = "hvc1"
        audio: Any = container.add_stream("aac", rate=16_000) if sound else None
        for number in range(FPS * SECONDS):
            noise = random.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
            frame = av.VideoFrame.from_ndarray(noise, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
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
