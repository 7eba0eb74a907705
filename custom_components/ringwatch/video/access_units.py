"""From what the demuxer hands out to whole pictures, free of the container.

Over RTSP a key frame of several slices can come as two packets with the same decoding time, which the MP4
muxer refuses and the decoder takes for two pictures. So RTSP video is held for one packet and joined.
"""

from dataclasses import dataclass, replace

from .media import CodedPacket, Kind


@dataclass(frozen=True, slots=True)
class CodedData:
    """A packet's bytes and stamps as they came, in seconds of the stream's clock (None: it has none)."""

    kind: Kind
    data: bytes
    pts_s: float | None
    dts_s: float | None
    duration_s: float
    is_key: bool
    arrival_s: float
    extradata: bytes = b""  # a new one that came with this packet


def take(packet: CodedPacket, kind: Kind, arrival_s: float) -> CodedData:
    """Copy a demuxed packet: its stream dies with its container, the copy doesn't (0.4 MB/s for 3 Mb/s)."""
    base = float(packet.time_base)
    extradata = b""
    if packet.has_sidedata("new_extradata"):
        extradata = bytes(packet.get_sidedata("new_extradata"))
    return CodedData(
        kind=kind,
        data=bytes(packet),
        pts_s=None if packet.pts is None else packet.pts * base,
        dts_s=None if packet.dts is None else packet.dts * base,
        duration_s=(packet.duration or 0) * base,
        is_key=packet.is_keyframe,
        arrival_s=arrival_s,
        extradata=extradata,
    )


class Joiner:
    """Joins neighboring video packets of one decoding time. Holds at most one packet."""

    def __init__(self, *, hold: bool) -> None:
        self._hold = hold
        self._held: CodedData | None = None
        self.joined = 0

    def push(self, unit: CodedData) -> list[CodedData]:
        """Take a packet, return those that are complete."""
        if not self._hold or unit.kind != "video":
            return [unit]
        held, self._held = self._held, unit
        if held is None:
            return []
        if unit.dts_s is None or held.dts_s != unit.dts_s:
            return [held]
        self.joined += 1
        self._held = replace(held, data=held.data + unit.data, is_key=held.is_key or unit.is_key)
        return []

    def flush(self) -> list[CodedData]:
        """Return what is held: nothing more is coming for now."""
        held, self._held = self._held, None
        return [] if held is None else [held]
