"""Reads a source as a camera's thread does, for a while."""

from dataclasses import dataclass, field
import threading
import time

from custom_components.ringwatch.video import (
    DecodedFrame,
    Decoder,
    EndOfStream,
    MediaPacket,
    Source,
    SourceConfig,
    StreamInfo,
)


@dataclass
class Seen:
    """What came out of a source."""

    info: StreamInfo
    packets: list[MediaPacket] = field(default_factory=list)
    frames: list[DecodedFrame] = field(default_factory=list)
    ended: bool = False
    decoder_errors: int = 0

    @property
    def video(self) -> list[MediaPacket]:
        return [packet for packet in self.packets if packet.kind == "video"]

    @property
    def audio(self) -> list[MediaPacket]:
        return [packet for packet in self.packets if packet.kind == "audio"]


def read(
    config: SourceConfig | str, *, frames: int = 10**9, packets: int = 10**9, seconds: float = 10.0
) -> Seen:
    """Read until there are so many frames or packets, the end, or the time is up."""
    if isinstance(config, str):
        config = SourceConfig(config)
    with Source(config, stop=threading.Event()) as source:
        seen = Seen(source.info)
        decoder = Decoder(source)
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until and len(seen.frames) < frames and len(seen.packets) < packets:
                packet = source.read()
                if packet is not None:
                    seen.packets.append(packet)
                    seen.frames += decoder.decode(packet)
        except EndOfStream:
            seen.ended = True
            seen.frames += decoder.finish()
        seen.info = source.info
        seen.decoder_errors = decoder.errors
    return seen


def read_on(source: Source, seconds: float = 10.0) -> None:
    """Read and throw away until it raises."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        source.read()
