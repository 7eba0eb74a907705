"""`kill -9` at random moments: no file without a row, no row without a file, and everything plays."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from script.lib.kill_recorder import Left, kill_once

from ..video.samples import sample

KILLS = 20
HOUSES = 4


def test_a_killed_process_leaves_whole_clips(tmp_path: Path) -> None:
    film = tmp_path / "film.ts"
    film.write_bytes(sample(seconds=20.0, audio="aac", gop=5))

    def kill(house: int) -> list[Left]:
        random = Random(house)
        return [kill_once(tmp_path / f"house {house}", film, random, 2.0) for _ in range(KILLS // HOUSES)]

    with ThreadPoolExecutor(HOUSES) as pool:  # most of the time they sleep
        lefts = [left for house in pool.map(kill, range(HOUSES)) for left in house]
    assert len(lefts) == KILLS
    assert sum(left.unfinished for left in lefts) >= KILLS / 2  # or it was not killed while recording
    assert max(left.lost_s for left in lefts) <= 0.001
    assert max(left.missing_s for left in lefts) <= 2.0
