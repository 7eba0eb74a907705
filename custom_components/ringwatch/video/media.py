"""What crosses the border of this folder: configuration, packets, frames. Times are seconds."""

from dataclasses import dataclass, field
from typing import Any, Literal, override

import av

from .redaction import redact

type Kind = Literal["video", "audio"]
type CodedPacket = av.Packet[Any]


@dataclass(frozen=True, slots=True, repr=False)
class SourceConfig:
    """Where a camera's stream is and how to ask for it. Its repr never shows credentials."""

    url: str
    username: str = ""
    password: str = field(default="", repr=False)
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    verify_tls: bool = True
    open_timeout_s: float = 10.0
    read_timeout_s: float = 1.0  # how long a read may block: bounds how late a stop is seen
    stall_timeout_s: float = 10.0  # cameras with smart coding send a frame at least every few seconds

    @override
    def __repr__(self) -> str:
        return f"SourceConfig(url={redact(self.url)!r}, rtsp_transport={self.rtsp_transport!r})"


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream carries. Width and height are 0 before the first key frame if it doesn't say them."""

    codec: str
    width: int
    height: int
    fps: float | None
    audio_codec: str | None = None
    audio_rate_hz: int = 0
    audio_channels: int = 0
    extradata: bytes = field(default=b"", repr=False)
    audio_extradata: bytes = field(default=b"", repr=False)
    duration_s: float | None = None  # files only


@dataclass(frozen=True, slots=True, eq=False)
class MediaPacket:
    """A packet as the camera coded it.

    `packet` belongs to no container (it lives on when the source is closed); its stamps say the same as
    `time_s` and `dts_s`, in 1/90000 s. `epoch` grows when codec, parameter sets or size change.
    """

    kind: Kind
    time_s: float
    dts_s: float
    duration_s: float
    is_key: bool
    size_bytes: int
    arrival_s: float
    epoch: int
    packet: CodedPacket


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """A picture with the time of its packet."""

    time_s: float
    arrival_s: float
    is_key: bool
    frame: av.VideoFrame
