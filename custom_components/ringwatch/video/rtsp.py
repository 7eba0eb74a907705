"""RTSP before FFmpeg: is anybody there, does he speak RTSP, is the certificate trusted? Asked first.

FFmpeg's client can hang in a way that nothing interrupts, and gives the same error for most causes. One
OPTIONS request (which opens no session on the camera) answers those questions in interruptible slices.
"""

import threading

from .errors import BrokenStream
from .media import SourceConfig
from .net import Channel, tls_context
from .url import host_and_port

_OPTIONS = "OPTIONS {url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Ringwatch\r\n\r\n"


def check_server(config: SourceConfig, *, stop: threading.Event) -> None:
    """Raise a SourceError unless an RTSP server answers. The address has no credentials in it."""
    host, port = host_and_port(config.url)
    channel = Channel(host, port, stop=stop, timeout_s=config.open_timeout_s)
    channel.connect(tls_context(config.verify_tls) if config.url.startswith("rtsps:") else None)
    try:
        channel.send(_OPTIONS.format(url=config.url).encode())
        answer = channel.receive(1024)
    finally:
        channel.close()
    # Some cameras close on a request without credentials: FFmpeg, which sends them, is then to judge.
    if answer and not answer.startswith(b"RTSP/"):
        raise BrokenStream(f"{config.url}: the server there does not speak RTSP")
