"""Kills a hub at random moments while homes post and upload, and checks what it left.

The tests do that a few times; by hand more often: `.venv/bin/python -m script.lib.kill_hub 100`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
import json
from pathlib import Path
from random import Random
import sys
import tempfile
import threading
import time

from script.lib.core import load_core

load_core()

from ringwatch.neighborhood.bodies import Body
from ringwatch.neighborhood.bodies.feed import Media, MediaType
from ringwatch.neighborhood.order import Position, verify_chain
from ringwatch.neighborhood.segments import unpack_lines
from ringwatch.neighborhood.store import MemoryHistory
from script.lib.hub_client import HubProcess, Member, Street, comment, describe, found, join, note, post

POSTS_A_DAY = 18  # the rules allow 20
COMMENTS_A_DAY = 190
WRITE_ON_S = 20.0


@dataclass
class Home:
    """A home that posts without end, and remembers what was acknowledged."""

    member: Member
    random: Random
    acknowledged: dict[str, int] = field(default_factory=dict)  # record -> number
    ready: dict[str, bytes] = field(default_factory=dict)  # digest -> bytes
    retries: int = 0
    broken: str = ""

    def run(self, stop: threading.Event) -> None:
        """Post and upload until told to stop; a lost connection means: the same again."""
        posted = commented = 0
        while not stop.is_set() and not self.broken:
            if posted < POSTS_A_DAY and (not posted or self.random.random() < 0.1):
                posted += self._until_done(stop, self._sending(post(f"Post {posted}")))
            elif commented < COMMENTS_A_DAY and self.random.random() < 0.8:
                target = next(iter(self.acknowledged))
                commented += self._until_done(stop, self._sending(comment(target)))
            else:
                self._until_done(stop, self._uploading())

    def _until_done(self, stop: threading.Event, step: Callable[[], bool]) -> bool:
        while not stop.is_set() and not self.broken:
            try:
                if step():
                    return True
            except OSError, HTTPException, ValueError:
                self.retries += 1
            time.sleep(0.02)
        return False

    def _sending(self, body: Body) -> Callable[[], bool]:
        record = self.member.sign(body)  # once: the same record again is the same record

        def step() -> bool:
            answer = self.member.send(record)
            if answer.status not in {200, 201}:
                self.broken = f"{answer.status} {answer.body[:200]!r}"
                return False
            number = answer.json["entry"]["number"]
            if self.acknowledged.setdefault(record.id, number) != number:
                self.broken = "the same record in two places"
            return True

        return step

    def _uploading(self) -> Callable[[], bool]:
        data, medium = picture(self.random)

        def step() -> bool:
            answer = self.member.upload(data, medium)
            if answer.status in {200, 201} and answer.json["state"] == "ready":
                self.ready[medium.sha256] = data
                return True
            if answer.status not in {200, 201, 403, 404, 409, 429, 503}:
                self.broken = f"{answer.status} {answer.body[:200]!r}"
            return False

        return step


def picture(random: Random) -> tuple[bytes, Media]:
    """Return a picture of its own."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.frombytes("RGB", (64, 48), random.randbytes(64 * 48 * 3)).save(file, "JPEG")
    data = file.getvalue()
    return data, describe(data, MediaType.JPEG, 64, 48)


def check(street: Street, homes: list[Home]) -> int:
    """Compare what was acknowledged with what is there; return how many records. Raise RuntimeError."""
    at, after = Position(), 0
    numbers: dict[str, int] = {}
    history = MemoryHistory()
    while True:
        answer = street.host.call("GET", f"/records?after={after}")
        placed = unpack_lines(answer.body, street.id, history)
        note(history, placed)
        if not placed:
            break
        at = verify_chain(
            [one.entry for one in placed],
            neighborhood=street.id,
            hub_key=street.hub.key,
            after=at,
            now_s=int(time.time()),
        )
        for one in placed:
            if one.record.id in numbers:
                raise RuntimeError("a record is in the order twice")
            numbers[one.record.id] = one.entry.number
        after = at.number
    for home in homes:
        if home.broken:
            raise RuntimeError(home.broken)
        for record_id, number in home.acknowledged.items():
            if numbers.get(record_id) != number:
                raise RuntimeError("an acknowledged record is lost or somewhere else")
        for sha256, data in home.ready.items():
            if home.member.call("GET", f"/blobs/{sha256}").body != data:
                raise RuntimeError("an acknowledged picture is lost")
    return len(numbers)


def run(folder: Path, kills: int, homes: int = 3, seed: int = 1, within_s: float = 0.5) -> dict[str, int]:
    """Kill a hub so many times. Raise RuntimeError if anything is lost, twice, or out of order."""
    random = Random(seed)
    street = found(HubProcess(folder))
    street.hub.settings["port"] = street.hub.port
    busy = [Home(join(street, f"Home {number}"), Random(seed * 100 + number)) for number in range(homes)]
    stop = threading.Event()
    threads = [threading.Thread(target=home.run, args=(stop,)) for home in busy]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            # Mostly in the middle of something; now and then late enough for an upload to be looked at
            time.sleep(random.uniform(0.02, within_s) if random.random() < 0.8 else random.uniform(1.0, 3.0))
            street.hub.kill()
            street.hub.start()
        _write_on(busy, kills)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    try:
        records = check(street, busy)
    finally:
        street.hub.stop()
    return {
        "kills": kills,
        "records": records,
        "acknowledged": sum(len(home.acknowledged) for home in busy),
        "pictures": sum(len(home.ready) for home in busy),
        "retries": sum(home.retries for home in busy),
    }


def _write_on(homes: list[Home], least: int) -> None:
    """Have the homes write for a moment; on a busy machine until they have got something from the kills."""
    deadline_s = time.monotonic() + WRITE_ON_S
    time.sleep(0.3)
    while sum(len(home.acknowledged) for home in homes) < least and time.monotonic() < deadline_s:
        time.sleep(0.1)


def main() -> int:
    """Kill as often as the first argument says, in rounds: a home may only write so much a day."""
    left = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = 0
    while left > 0:
        seed += 1
        with tempfile.TemporaryDirectory(prefix="ringwatch-kill-") as name:
            sys.stdout.write(json.dumps(run(Path(name), min(20, left), seed=seed)) + "\n")
        left -= 20
    return 0


if __name__ == "__main__":
    sys.exit(main())
