"""Between a camera's thread and its recorder's: bounded, never blocks, and knows what it dropped."""

from collections import deque
from dataclasses import dataclass
import threading

from ..video import MediaPacket, StreamInfo

# A disk that stands still for half a minute at 4 Mb/s; the packets in it are in the packet buffer as well,
# so that only what has left that one costs memory.
MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrived:
    """A packet, and what its stream carries."""

    packet: MediaPacket
    info: StreamInfo


@dataclass(frozen=True, slots=True)
class Gap:
    """Here so many packets are missing, over so many seconds."""

    packets: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """Here the connection ended."""


type Item = Arrived | Gap | Lost


class Inbox:
    """A queue of packets with a bound in bytes. One thread puts, another takes all there is."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._dropped = 0
        self._last_dts_s = 0.0
        self._broken = False  # a picture was dropped: what follows can't be decoded before a key frame

    @property
    def empty(self) -> bool:
        """Whether everything was taken out."""
        return not self._items

    def put(self, packet: MediaPacket, info: StreamInfo) -> bool:
        """Add a packet. False if it had to be dropped."""
        with self._lock:
            is_key = packet.kind == "video" and packet.is_key
            full = self._bytes + packet.size_bytes > self._max_bytes
            if self._broken and is_key and not full:
                self._items.append(Gap(self._dropped, max(0.0, packet.dts_s - self._last_dts_s)))
                self._dropped, self._broken = 0, False
            if self._broken or full:
                self._dropped += 1
                self._broken |= packet.kind == "video" or self._broken
                return False
            self._items.append(Arrived(packet, info))
            self._bytes += packet.size_bytes
            if packet.kind == "video":
                self._last_dts_s = packet.dts_s
            return True

    def lost(self) -> None:
        """Say that the connection ended."""
        with self._lock:
            self._broken, self._dropped = False, 0
            self._items.append(Lost())

    def take(self) -> list[Item]:
        """Take out everything."""
        with self._lock:
            items = list(self._items)
            self._items.clear()
            self._bytes = 0
            return items
