"""From a camera's address to packets and pictures, through PyAV. No Home Assistant, no thread of its own.

A `Source` gives packets with repaired time stamps, a `Decoder` makes pictures of them, a `PacketBuffer` keeps
the last seconds. All three belong to the camera's thread. Errors are `SourceError`s whose texts never hold
credentials.
"""

from .backoff import Backoff
from .buffer import PacketBuffer
from .decoder import Decoder
from .errors import (
    BrokenStream,
    EndOfStream,
    InvalidUrl,
    NotFound,
    NoVideo,
    SourceError,
    Stalled,
    Stopped,
    TimedOut,
    TlsFailed,
    Unreachable,
    UnsupportedCodec,
    WrongCredentials,
)
from .media import DecodedFrame, MediaPacket, SourceConfig, StreamInfo
from .picture import chroma_is_flat, encode_jpeg, luma_view
from .probe import Probe, probe
from .redaction import redact
from .source import Source
from .still import StillSource
from .templates import BRANDS, Brand, addresses
from .url import is_network, split_credentials, validate_url, with_credentials

__all__ = [
    "BRANDS",
    "Backoff",
    "Brand",
    "BrokenStream",
    "DecodedFrame",
    "Decoder",
    "EndOfStream",
    "InvalidUrl",
    "MediaPacket",
    "NoVideo",
    "NotFound",
    "PacketBuffer",
    "Probe",
    "Source",
    "SourceConfig",
    "SourceError",
    "Stalled",
    "StillSource",
    "Stopped",
    "StreamInfo",
    "TimedOut",
    "TlsFailed",
    "Unreachable",
    "UnsupportedCodec",
    "WrongCredentials",
    "addresses",
    "chroma_is_flat",
    "encode_jpeg",
    "is_network",
    "luma_view",
    "probe",
    "redact",
    "split_credentials",
    "validate_url",
    "with_credentials",
]
