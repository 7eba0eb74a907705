"""Video made here with PyAV: a bright square that moves over a gradient, coded as needed."""

from fractions import Fraction
from functools import cache
import io

import av
import numpy as np
from numpy.typing import NDArray

FPS = 10
_ENCODERS = {"h264": "libx264", "hevc": "libx265", "mjpeg": "mjpeg", "mpeg2video": "mpeg2video"}
_AUDIO = {
    "aac": ("aac", 8000, "fltp"),
    "pcm_alaw": ("pcm_alaw", 8000, "s16"),
    "opus": ("libopus", 48_000, "flt"),
}


def picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw picture `number`, RGB."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[...] = np.linspace(40, 120, width, dtype=np.uint8)[None, :, None]
    side = height // 5
    x = number * side // 4 % (width - side)
    rgb[height // 2 : height // 2 + side, x : x + side] = (230, 200, 60)
    return rgb


@cache
def sample(
    container: str = "mpegts",
    codec: str = "h264",
    *,
    width: int = 160,
    height: int = 120,
    seconds: float = 4.0,
    fps: int = FPS,
    gop: int = FPS,
    b_frames: int = 0,
    audio: str = "",
    audio_seconds: float = 0.0,
    slices: int = 1,
    start_pts: int = 0,
) -> bytes:
    """Return an encoded file as bytes. `start_pts` is in frames."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as muxer:
        stream = muxer.add_stream(_ENCODERS[codec], rate=fps, options=_options(codec, gop, b_frames, slices))
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size = gop
        sound = None
        if audio:
            name, rate, sample_format = _AUDIO[audio]
            sound = muxer.add_stream(name, rate=rate, layout="mono", format=sample_format)
        for number in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(picture(number, width, height), format="rgb24")
            frame.pts, frame.time_base = number + start_pts, Fraction(1, fps)
            muxer.mux(stream.encode(frame))
        muxer.mux(stream.encode(None))
        if sound is not None:
            size = sound.codec_context.frame_size or rate // 50
            for start in range(0, round((audio_seconds or seconds) * rate) // size * size, size):
                samples = np.zeros((1, size), np.float32 if sample_format.startswith("flt") else np.int16)
                tone = av.AudioFrame.from_ndarray(samples, format=sample_format, layout="mono")
                tone.sample_rate, tone.pts, tone.time_base = rate, start, Fraction(1, rate)
                muxer.mux(sound.encode(tone))
            muxer.mux(sound.encode(None))
    return out.getvalue()


def _options(codec: str, gop: int, b_frames: int, slices: int) -> dict[str, str]:
    if codec == "h264":
        params = (
            f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:slices={slices}:sliced-threads=0"
        )
        tune = {} if b_frames else {"tune": "zerolatency"}
        return {"preset": "ultrafast", "x264-params": params, "threads": "1"} | tune
    if codec == "hevc":
        params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:log-level=error:pools=1"
        return {"preset": "ultrafast", "tune": "zerolatency", "x265-params": params}
    return {}


@cache
def jpeg(number: int = 0, width: int = 160, height: int = 120) -> bytes:
    """Return one picture as a JPEG."""
    return _image(number, width, height, "JPEG")


@cache
def png(number: int = 0, width: int = 160, height: int = 120) -> bytes:
    """Return one picture as a PNG."""
    return _image(number, width, height, "PNG")


def _image(number: int, width: int, height: int, kind: str) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture(number, width, height)).save(out, kind)
    return out.getvalue()
