"""Encoded video and sound that play in a loop without a seam in their time stamps.

`footage.py` writes such a file once; the servers read it whole (a few megabytes) and send its packets again
and again: nothing is encoded while they run. Each track has its own loop, as long as its packets together.

Runs on the system's Python too (the RTSP server needs its GStreamer): standard library and Python 3.9 only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
import json
from pathlib import Path
import struct

SECOND_NS = 1_000_000_000
_RECORD = struct.Struct("<qBI")  # time in ns, key frame, size in bytes


@dataclass(frozen=True)
class LoopPacket:
    """One access unit (video, with its parameter sets if it is a key frame) or audio frame."""

    time_ns: int
    is_key: bool
    data: bytes


@dataclass(frozen=True)
class Track:
    """One elementary stream. `codec` is h264, h265, mjpeg, aac, opus or pcma."""

    codec: str
    period_ns: int  # the length of the loop
    packets: Sequence[LoopPacket] = field(repr=False)
    width: int = 0
    height: int = 0
    fps: float = 0.0
    rate: int = 0  # of sound, in Hz
    config: str = ""  # AAC's AudioSpecificConfig, in hex

    @property
    def is_video(self) -> bool:
        """Whether this is pictures."""
        return self.width > 0

    def play(self, phase_ns: int = 0) -> Iterator[LoopPacket]:
        """Yield packets for ever, times counted from 0, beginning at the key frame at or before a phase."""
        phase_ns %= self.period_ns
        first = max(i for i, p in enumerate(self.packets) if (p.is_key and p.time_ns <= phase_ns) or i == 0)
        origin = self.packets[first].time_ns
        index = first
        while True:
            laps, i = divmod(index, len(self.packets))
            packet = self.packets[i]
            time_ns = packet.time_ns + laps * self.period_ns - origin
            yield LoopPacket(time_ns, packet.is_key, packet.data)
            index += 1


def in_step(tracks: Sequence[Track], phase_ns: int) -> int:
    """Return the time of the key frame at or before a phase: where all tracks have to begin to be in step."""
    for track in tracks:
        if track.is_video:
            within_ns = phase_ns % track.period_ns
            return (
                phase_ns
                - within_ns
                + max((p.time_ns for p in track.packets if p.is_key and p.time_ns <= within_ns), default=0)
            )
    return phase_ns


def write_tracks(path: Path, tracks: Sequence[Track]) -> None:
    """Write tracks to a file: a line of JSON, then every packet with its header."""
    header = []
    for track in tracks:
        details = {key: value for key, value in vars(track).items() if key != "packets"}
        header.append({**details, "count": len(track.packets)})
    with path.open("wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        for track in tracks:
            for packet in track.packets:
                file.write(_RECORD.pack(packet.time_ns, packet.is_key, len(packet.data)))
                file.write(packet.data)


def read_tracks(path: Path) -> list[Track]:
    """Read what `write_tracks` wrote."""
    with path.open("rb") as file:
        header = json.loads(file.readline())
        tracks = []
        for details in header:
            packets = []
            for _ in range(details.pop("count")):
                time_ns, is_key, size = _RECORD.unpack(file.read(_RECORD.size))
                packets.append(LoopPacket(time_ns, bool(is_key), file.read(size)))
            tracks.append(Track(packets=packets, **details))
    return tracks
