"""Opening a container, with options that keep memory and delay low; a stop event is seen within 0.1 s.

HTTP(S) is read by our own client. RTSP is FFmpeg's: the server is checked first, then FFmpeg opens in a
thread of its own; when a stop comes meanwhile, that thread ends by itself at its time-out and closes what it
opened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import threading
from urllib.parse import urlsplit

import av
from av.container import InputContainer
import av.error
import av.logging

from .errors import NotFound, NoVideo
from .http import HttpClient, HttpFile
from .media import SourceConfig
from .net import run_interruptibly, trusted_certificates
from .rtsp import check_server
from .url import is_network, with_credentials

PROBE_BYTES = 2_000_000  # a 4K key frame fits; FFmpeg's default of 5 MB is held in memory while opening
ANALYZE_US = (
    2_000_000  # most cameras send a key frame within 2 s; the picture's size may come later than this
)
RATE_FRAMES = 3  # looked at for the frame rate; FFmpeg's default of 20 is 4 s of a 5 fps sub-stream
REORDER_US = 500_000  # wait this long for a late UDP packet
HTTP_BUFFER_BYTES = 32_768
# What may be recognized in what a network sends: no format that names other files (concat, image sequences).
HTTP_FORMATS = "mpegts,flv,live_flv,mpjpeg,mjpeg,jpeg_pipe,png_pipe,hls,mov,matroska,h264,hevc,aac"


@dataclass(frozen=True, slots=True)
class Opened:
    """A container and, for HTTP, the client that reads for it. Not `stamped`: FFmpeg made the stamps up."""

    container: InputContainer
    http: HttpClient | None = None
    stamped: bool = True


def open_container(config: SourceConfig, *, stop: threading.Event, on_read: Callable[[], None]) -> Opened:
    """Open what `config.url` (without credentials) names. Raises SourceError, PyAV's errors and OSError."""
    scheme = urlsplit(config.url).scheme if is_network(config.url) else "file"
    match scheme:
        case "rtsp" | "rtsps":
            return Opened(_open_rtsp(config, stop))
        case "http" | "https":
            return _open_http(config, stop, on_read)
        case _:
            return Opened(_open_file(config))


def _open_file(config: SourceConfig) -> InputContainer:
    path = Path(config.url)
    if not path.exists():
        raise NotFound(f"{path} does not exist")
    if path.is_dir():
        raise NoVideo(f"{path} is a folder, not a video")
    return av.open(config.url, mode="r", timeout=(config.open_timeout_s, config.read_timeout_s))


def _open_rtsp(config: SourceConfig, stop: threading.Event) -> InputContainer:
    check_server(config, stop=stop)
    secure = config.url.startswith("rtsps:")
    transport = "tcp" if secure else config.rtsp_transport
    options = _common() | {
        "rtsp_transport": transport,
        "allowed_media_types": "video+audio",
        "timeout": str(round(config.stall_timeout_s * 1e6)),
        "max_delay": str(REORDER_US),
        "protocol_whitelist": "rtp,rtcp,tcp,udp,tls,srtp,crypto",
        "user_agent": "Ringwatch",
    }
    if secure:
        # Checked here again: check_server's connection was another one.
        options |= (
            {"tls_verify": "1", "ca_file": trusted_certificates()}
            if config.verify_tls
            else {"tls_verify": "0"}
        )
    address = with_credentials(config.url, config.username, config.password)

    def work() -> InputContainer:
        with av.logging.Capture():
            return av.open(
                address,
                mode="r",
                format="rtsp",
                options=options,
                timeout=(config.open_timeout_s, config.read_timeout_s),
            )

    return run_interruptibly(
        work,
        stop=stop,
        discard=lambda container: container.close(),
        name="ringwatch-open",
    )


def _open_http(config: SourceConfig, stop: threading.Event, on_read: Callable[[], None]) -> Opened:
    client = HttpClient(config, stop=stop, on_read=on_read)
    first: list[HttpFile] = [client.open(config.url)]
    if first[0].content_type.startswith("image/"):
        client.close()
        raise NoVideo(f"{config.url} is a single picture, not a stream")
    multipart = first[0].content_type.startswith("multipart/")

    def open_part(url: str, flags: int, options: dict[str, str]) -> HttpFile:
        return first.pop() if first else client.open(url)

    try:
        container = av.open(
            first[0].url,
            mode="r",
            format="mpjpeg" if multipart else None,
            options=_common() | {"format_whitelist": HTTP_FORMATS},
            container_options={"http_persistent": "0"} if not multipart else {},
            buffer_size=HTTP_BUFFER_BYTES,
            timeout=(config.open_timeout_s, config.read_timeout_s),
            io_open=open_part,
        )
    except BaseException:
        client.close()
        raise
    return Opened(container, client, stamped=not multipart)  # FFmpeg counts 25 frames/s there, whatever comes


def _common() -> dict[str, str]:
    return {
        "probesize": str(PROBE_BYTES),
        "analyzeduration": str(ANALYZE_US),
        "fpsprobesize": str(RATE_FRAMES),
    }
