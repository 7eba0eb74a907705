"""From what the demuxer hands out to whole pictures, free of the container.

Over RTSP a key frame of several slices can come as several packets: FFmpeg's parser parts them where a camera
repeats its parameter sets. The MP4 muxer refuses such packets for their equal stamps, and the decoder takes
them for damaged pictures. So RTSP video is held for one packet, and joined by what its slices say (stamps may
be missing or stuck).
"""

from dataclasses import dataclass, replace

from .bitstream import starts_picture
from .media import CodedPacket, Kind

MAX_PICTURE_BYTES = 16 * 1024 * 1024  # far above any coded picture: parts are not collected without end


@dataclass(slots=True)  # not frozen: one is made for each packet
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
    if packet.is_keyframe and packet.has_sidedata("new_extradata"):
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
    """Joins video packets that are parts of one picture; holds one at most. `codec` "" joins nothing."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._held: CodedData | None = None
        self._held_begins: bool | None = None  # what `starts_picture` says of it
        self.joined = 0

    def push(self, unit: CodedData) -> list[CodedData]:
        """Take a packet, return those that are complete."""
        if not self._codec or unit.kind != "video":
            return [unit]
        begins = starts_picture(self._codec, unit.data)
        held, held_begins = self._held, self._held_begins
        self._held, self._held_begins = unit, begins
        if held is None:
            return []
        belongs = begins is False or (begins is True and held_begins is None)
        if not belongs or len(held.data) + len(unit.data) > MAX_PICTURE_BYTES:
            return [held]
        self.joined += 1
        stamped = held if held.dts_s is not None or held.pts_s is not None else unit
        self._held_begins = begins if held_begins is None else held_begins
        self._held = replace(
            held,
            data=held.data + unit.data,
            pts_s=stamped.pts_s,
            dts_s=stamped.dts_s,
            is_key=held.is_key or unit.is_key,
        )
        return []

    def flush(self) -> list[CodedData]:
        """Return what is held: nothing more is coming for now."""
        held, self._held = self._held, None
        return [] if held is None else [held]
