"""Kills and a full disk: what was acknowledged is there, once; what wasn't left nothing behind."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import subprocess

import pytest

from script.lib.hub_client import HubProcess, Street, found, join, post
from script.lib.kill_hub import run

from . import media

KILLS = 20
HUBS = 2


def test_killed_while_homes_post_and_upload(tmp_path: Path) -> None:
    def kill(hub: int) -> dict[str, int]:
        return run(tmp_path / f"hub {hub}", KILLS // HUBS, homes=2, seed=hub, within_s=0.4)

    with ThreadPoolExecutor(HUBS) as pool:
        done = list(pool.map(kill, range(HUBS)))
    assert sum(one["kills"] for one in done) == KILLS
    assert sum(one["acknowledged"] for one in done) >= KILLS
    assert sum(one["retries"] for one in done) >= KILLS / 2  # or it was not killed while they were at it
    assert sum(one["pictures"] for one in done) >= 1


@pytest.fixture
def small_disk(tmp_path: Path) -> object:
    """Mount a disk of 3 MiB; only root may."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting is not permitted")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_and_nothing_is_half_written(small_disk: Path, tmp_path: Path) -> None:
    street: Street = found(HubProcess(tmp_path / "hub", data=str(small_disk / "data")))
    robin = join(street, "Robin")
    filling = small_disk / "filling"
    refused = 0
    try:
        with filling.open("wb", buffering=0) as file:  # somebody else's
            try:
                while True:
                    file.write(b"x" * 4_096)
            except OSError:
                pass
        for number in range(12):
            answer = robin.post(post(f"Post {number}", "y" * 3_900))
            if answer.status == 507:
                refused += 1
                assert answer.code == "storage_full"
            else:
                assert answer.status == 201
        assert refused
        assert street.hub.request("GET", "/health").json["status"] == "storage_full"
        data = media.picture(700, 700, 3)
        answer = robin.upload(data, media.picture_media(data, 700, 700))
        assert (answer.status, answer.code) == (507, "storage_full")
        assert robin.call("GET", "/records?after=0").status == 200  # reading goes on
        before = robin.call("GET", "").json["position"]
        filling.unlink()
        assert robin.post(post("There is space again")).status == 201
        assert robin.call("GET", "").json["position"]["number"] == before["number"] + 1
        assert street.hub.request("GET", "/health").json["status"] == "ok"
        assert robin.upload(data, media.picture_media(data, 700, 700)).json == {"state": "ready"}
        street.hub.kill()
        street.hub.start()
        assert robin.call("GET", "").json["position"]["number"] == before["number"] + 1
    finally:
        street.hub.kill()
