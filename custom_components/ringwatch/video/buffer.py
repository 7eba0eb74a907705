"""The last seconds of a stream, coded: what a clip takes its pre-roll from, a backlog is decoded from.

It is as long as the pre-roll plus two of the longest groups of pictures (GOPs) seen plus the time a decision
takes, and never longer than `max_bytes`. It always begins with a key frame.
"""

from collections import deque

from .media import MediaPacket

MAX_BYTES = 64 * 1024 * 1024  # 4 Mb/s for two minutes; more than any sensible pre-roll and GOP


class PacketBuffer:
    """Packets of one stream, oldest first. Owned by the stream's thread."""

    def __init__(self, pre_roll_s: float, decision_delay_s: float = 1.0, max_bytes: int = MAX_BYTES) -> None:
        self._wanted_s = pre_roll_s + decision_delay_s
        self._max_bytes = max_bytes
        self._packets: deque[MediaPacket] = deque()
        self._keys: deque[MediaPacket] = deque()  # the key frames among them
        self._newest_s = 0.0
        self.size_bytes = 0
        self.longest_gop_s = 0.0

    @property
    def span_s(self) -> float:
        """Seconds from the first key frame to the newest packet."""
        return self._newest_s - self._packets[0].time_s if self._packets else 0.0

    def append(self, packet: MediaPacket) -> None:
        """Add a packet and let go of what is too old. Before the first key frame nothing is kept."""
        is_key_frame = packet.kind == "video" and packet.is_key
        if self._packets and packet.kind == "video" and packet.dts_s < self._keys[-1].dts_s:
            self.clear()  # another connection: its clock has begun anew
        if not self._packets and not is_key_frame:
            return
        if is_key_frame:
            if self._keys:
                self.longest_gop_s = max(self.longest_gop_s, packet.time_s - self._keys[-1].time_s)
            self._keys.append(packet)
        self._packets.append(packet)
        self.size_bytes += packet.size_bytes
        if packet.kind == "video":
            self._newest_s = max(self._newest_s, packet.time_s) if len(self._packets) > 1 else packet.time_s
        self._trim()

    def since(self, time_s: float) -> list[MediaPacket]:
        """Return the packets from the last key frame at or before this time on; all, if it is older."""
        start = self._keys[0] if self._keys else None
        for key in reversed(self._keys):
            if key.time_s <= time_s:
                start = key
                break
        packets: list[MediaPacket] = []
        for packet in reversed(self._packets):
            packets.append(packet)
            if packet is start:
                break
        packets.reverse()
        return packets

    def clear(self) -> None:
        """Forget everything but how long a GOP may be."""
        self._packets.clear()
        self._keys.clear()
        self.size_bytes = 0
        self._newest_s = 0.0

    def _trim(self) -> None:
        keep_from_s = self._newest_s - self._wanted_s - 2 * self.longest_gop_s
        while len(self._keys) > 1 and self._keys[1].time_s <= keep_from_s:
            self._drop_gop()
        while self.size_bytes > self._max_bytes and self._keys:
            self._drop_gop()

    def _drop_gop(self) -> None:
        """Drop the oldest key frame and all that hangs on it; audio too, until the next key frame."""
        self._keys.popleft()
        following = self._keys[0] if self._keys else None
        while self._packets and self._packets[0] is not following:
            self.size_bytes -= self._packets.popleft().size_bytes
