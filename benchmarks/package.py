"""Packing and opening footage: `.venv/bin/python -m benchmarks.package [--bytes 480000000] [--folder DIR]`.

Clips of random bytes are packed into an age file on disk, and opened again with every check. Printed, as one
JSON object: seconds, and by how much more memory the process had at its highest than with everything loaded.
"""

import argparse
import hashlib
from importlib import import_module
import io
import json
from pathlib import Path
import random
import tempfile
import time
from typing import Any

from script.lib.core import load_core

load_core()

from ringwatch.footage.package import PackagePlan, read_package, write_package

giving: Any = import_module("tests.footage.giving")  # what the tests give; its types aren't checked

PIECE_BYTES = 1_000_000


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=480_000_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        read_package(io.BytesIO(giving.make(folder).data), giving.POLICE.secret)  # everything is loaded
        print(json.dumps(measure(folder, arguments.bytes)))


def measure(folder: Path, size: int) -> dict[str, float]:
    """Pack and open so many bytes."""
    clips = tuple(write_clip(folder / f"clip-{number:02}.mp4", size // 10) for number in range(1, 11))
    plan = PackagePlan(
        giving.custody(clips),
        folder,
        giving.DELIVERY,
        None,
        (giving.AGENCY_RECORD, giving.REQUEST_RECORD),
        giving.HOME.recipient,
    )
    forget_highest()
    before, began_s = memory_mib("VmRSS"), time.perf_counter()
    with (folder / "sealed.age").open("wb") as out:
        sealed = write_package(out, plan)
    packed, packed_s = memory_mib("VmHWM"), time.perf_counter()
    with (folder / "sealed.age").open("rb") as file:
        found = read_package(file, giving.POLICE.secret)
        opened_s = time.perf_counter()
        for clip in clips:
            for _ in found.clip(clip.file):
                pass
    return {
        "clips_bytes": sum(clip.size_bytes for clip in clips),
        "sealed_bytes": sealed.size_bytes,
        "pack_s": round(packed_s - began_s, 2),
        "open_s": round(opened_s - packed_s, 2),
        "pack_mib": round(packed - before, 1),
        "open_mib": round(memory_mib("VmHWM") - before, 1),
    }


def write_clip(path: Path, size: int) -> Any:
    """Write random bytes, a piece at a time."""
    source, hashed = random.Random(path.name), hashlib.sha256()
    with path.open("wb") as file:
        for at in range(0, size, PIECE_BYTES):
            piece = source.randbytes(min(PIECE_BYTES, size - at))
            hashed.update(piece)
            file.write(piece)
    return giving.custody_clip(path.name, hashed.hexdigest(), size)


def memory_mib(name: str) -> float:
    """Return what the kernel says of this process: VmRSS now, VmHWM the most since `forget_highest`."""
    status = Path("/proc/self/status").read_text().split(f"{name}:")[1]
    return int(status.split()[0]) / 1024


def forget_highest() -> None:
    """Have the kernel look for the most memory anew (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()
