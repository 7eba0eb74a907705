"""A disk in a file that keeps a log of what is written to it, so that its power can be cut at any moment.

    python -m script.lib.disk_log IMAGE LOG PLACE

shows the image as the file PLACE, through the kernel's FUSE and without its library, until it is unmounted. A
loop device on PLACE is a disk: its writes come in the order in which the kernel hands them to a disk, and its
flushes (what `fsync` and the file system's journal ask for) come between them. Both are in the log, with the
time. Needs root.
"""

from collections.abc import Iterator
import ctypes
from dataclasses import dataclass
import errno
import os
from pathlib import Path
import struct
import sys
import time

GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE = 3, 4, 14, 15, 16, 17, 18
FSYNC, FLUSH, INIT, FORGET, INTERRUPT, DESTROY, BATCH_FORGET = 20, 25, 26, 2, 36, 38, 42
MAX_WRITE = 128 * 1024
DIRECT_IO = 1  # no page cache in between: what the disk is told comes here at once
MODE = 0o100600  # a file, not a folder

REQUEST = struct.Struct("<IIQQIIII")
ANSWER = struct.Struct("<IiQ")
SPAN = struct.Struct("<QQIIQII")  # of a read or a write: handle, offset, size, ...
ENTRY = struct.Struct("<dqI")  # of the log: time, offset (-1: a flush), size


@dataclass(frozen=True, slots=True)
class Written:
    """One write; a flush has no data and the offset -1."""

    time_s: float
    offset: int
    data: bytes

    @property
    def is_flush(self) -> bool:
        """Whether everything before it is on the disk for good."""
        return self.offset < 0


def read_log(path: Path) -> Iterator[Written]:
    """Yield what was written, in its order."""
    with path.open("rb") as log:
        while len(head := log.read(ENTRY.size)) == ENTRY.size:
            time_s, offset, size = ENTRY.unpack(head)
            yield Written(time_s, offset, log.read(size))


def serve(image: Path, log_path: Path, place: Path) -> None:
    """Show the image at a place until that is unmounted. Say "ready" once it is there."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode={MODE:o},user_id=0,group_id=0"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"disk", os.fsencode(place), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "the kernel's FUSE can't be used")
    size = image.stat().st_size
    with image.open("r+b", buffering=0) as file, log_path.open("ab") as log:
        print("ready", flush=True)
        while True:
            try:
                request = os.read(device, MAX_WRITE + 4096)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                if error.errno in {errno.EINTR, errno.ENOENT}:
                    continue
                raise
            _, kind, unique, *_ = REQUEST.unpack_from(request)
            body = request[REQUEST.size :]
            if kind in {FORGET, BATCH_FORGET, INTERRUPT}:
                continue
            code, answer = 0, b""
            if kind == INIT:
                answer = struct.pack("<IIIIHHIIHHI28x", 7, 31, MAX_WRITE, 0, 16, 12, MAX_WRITE, 1, 0, 0, 0)
            elif kind in {GETATTR, SETATTR}:
                attributes = struct.pack("<6Q10I", 1, size, size // 512, *[0] * 6, MODE, 1, 0, 0, 0, 4096, 0)
                answer = struct.pack("<QII", 3600, 0, 0) + attributes
            elif kind == OPEN:
                answer = struct.pack("<QII", 0, DIRECT_IO, 0)
            elif kind == READ:
                _, offset, length, *_ = SPAN.unpack_from(body)
                answer = os.pread(file.fileno(), length, offset)
            elif kind == WRITE:
                _, offset, length, *_ = SPAN.unpack_from(body)
                data = body[SPAN.size : SPAN.size + length]
                os.pwrite(file.fileno(), data, offset)
                log.write(ENTRY.pack(time.time(), offset, length) + data)
                answer = struct.pack("<II", length, 0)
            elif kind == FSYNC:
                log.write(ENTRY.pack(time.time(), -1, 0))
            elif kind == STATFS:
                answer = bytes(80)
            elif kind not in {FLUSH, RELEASE, DESTROY}:
                code = -errno.ENOSYS
            os.write(device, ANSWER.pack(ANSWER.size + len(answer), code, unique) + answer)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
