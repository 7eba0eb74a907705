"""Trying a source once: does it open, and what is to be seen? For the setup, before anything is saved."""

from dataclasses import dataclass, field, replace
import threading
import time

from .decoder import Decoder
from .errors import NoVideo, Stopped, TimedOut
from .media import SourceConfig, StreamInfo
from .net import Deadline
from .picture import encode_jpeg
from .source import Source

PREVIEW_WIDTH = 640  # pixels: as wide as a dialog


@dataclass(frozen=True, slots=True)
class Probe:
    """What a source carries, and its first picture."""

    info: StreamInfo
    jpeg: bytes = field(repr=False)


def probe(config: SourceConfig, *, stop: threading.Event, timeout_s: float = 15.0) -> Probe:
    """Open the source and decode its first picture. Blocks for `timeout_s` at most; raises SourceError."""
    began_s = time.monotonic()
    source = Source(replace(config, open_timeout_s=min(config.open_timeout_s, timeout_s)), stop=stop)
    try:
        source.open()
        late = Deadline(stop, timeout_s - (time.monotonic() - began_s))
        decoder = Decoder(source)
        while not late.is_set():
            packet = source.read()
            if packet is None or packet.kind != "video":
                continue
            for decoded in decoder.decode(packet):
                return Probe(source.info, encode_jpeg(decoded.frame, max_width=PREVIEW_WIDTH))
        if not late.late:
            raise Stopped("stopped")
        if decoder.errors:
            raise NoVideo(f"{source.shown} sends pictures that cannot be decoded")
        raise TimedOut(f"{source.shown} sent no whole picture within {timeout_s:.0f} s")
    finally:
        source.close()
