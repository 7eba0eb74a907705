"""Clips and pictures: sent in parts, looked at, named by a record, then to be had. Nothing else."""

import contextlib
from dataclasses import replace
import os
from pathlib import Path
import socket
import sqlite3
import time

import pytest

from ringwatch.hub import blobs
from ringwatch.hub.server import BODIES
from ringwatch.neighborhood.bodies import Withdraw
from ringwatch.neighborhood.bodies.feed import Media, MediaType
from ringwatch.neighborhood.bodies.people import Mode
from ringwatch.neighborhood.canonical import digest
from script.lib.hub_client import Answer, HubProcess, Member, Street, describe, join, post

from . import media
from .conftest import MakeStreet

_seed = [1_000]


def fresh() -> tuple[bytes, Media]:
    """Return a picture that nobody has uploaded."""
    _seed[0] += 1
    data = media.picture(seed=_seed[0])
    return data, media.picture_media(data)


def large() -> tuple[bytes, Media]:
    """Return a picture of more than two parts."""
    _seed[0] += 1
    data = media.picture(1_900, 1_900, _seed[0])
    assert len(data) > 2 * 1024 * 1024
    return data, media.picture_media(data, 1_900, 1_900)


def put(member: Member, medium: Media, offset: int, token: str, data: bytes) -> Answer:
    return member.call(
        "PUT", f"/uploads/{medium.sha256}?offset={offset}", data, {"Ringwatch-Upload-Token": token},
        content_type="application/octet-stream",
    )  # fmt: skip


def blobs_of(street: Street) -> set[str]:
    return {path.name for path in (street.hub.data / street.id / "blobs").rglob("*") if path.is_file()}


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_clip_goes_up_and_comes_down(street: Street, robin: Member, codec: str) -> None:
    data = media.film(codec, seed=7)
    medium = media.film_media(data)
    assert robin.upload(data, medium).json == {"state": "ready"}
    rita = join(street, f"Rita {codec}")
    assert rita.call("GET", f"/blobs/{medium.sha256}").status == 404  # no record names it yet
    assert robin.call("GET", f"/blobs/{medium.sha256}").body == data
    assert robin.post(post(media=(medium,))).status == 201
    answer = rita.call("GET", f"/blobs/{medium.sha256}")
    assert answer.body == data
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["ETag"] == f'"{medium.sha256}"'
    assert answer.headers["Content-Disposition"] == "attachment"


def test_ranges(street: Street, robin: Member) -> None:
    data, medium = fresh()
    robin.upload(data, medium)
    path = f"/blobs/{medium.sha256}"
    for asked, wanted, told in (
        ("bytes=0-9", data[:10], f"bytes 0-9/{len(data)}"),
        ("bytes=5-", data[5:], f"bytes 5-{len(data) - 1}/{len(data)}"),
        ("bytes=-7", data[-7:], f"bytes {len(data) - 7}-{len(data) - 1}/{len(data)}"),
        (f"bytes=3-{10**14}", data[3:], f"bytes 3-{len(data) - 1}/{len(data)}"),
    ):
        answer = robin.call("GET", path, headers={"Range": asked})
        assert (answer.status, answer.body, answer.headers["Content-Range"]) == (206, wanted, told)
    for asked in ("bytes=9-3", f"bytes={len(data)}-", "bytes=0-1,3-4", "bytes=-0", "lines=1-2", "bytes=--1"):
        assert robin.call("GET", path, headers={"Range": asked}).status == 416, asked
    head = robin.call("HEAD", path)
    assert (head.status, int(head.headers["Content-Length"]), head.body) == (200, len(data), b"")
    assert robin.call("GET", path, headers={"If-None-Match": f'"{medium.sha256}"'}).status == 304


def test_an_upload_goes_on_where_it_stopped(street: Street, robin: Member) -> None:
    data, medium = large()
    state = robin.call("POST", "/uploads", medium.to_json()).json
    size = state["part_bytes"]
    assert (state["state"], state["offset"], size) == ("open", 0, 1024 * 1024)
    first = put(robin, medium, 0, state["token"], data[:size])
    assert (first.status, first.json["offset"]) == (200, size)
    street.hub.kill()
    street.hub.settings["port"] = 0
    street.hub.start()
    state = robin.call("GET", f"/uploads/{medium.sha256}").json
    assert state["offset"] == size
    assert (
        put(robin, medium, size, first.json["token"], data[size : 2 * size]).code == "bad_token"
    )  # void now
    state = robin.call("GET", f"/uploads/{medium.sha256}").json
    second = put(robin, medium, size, state["token"], data[size : 2 * size]).json
    last = put(robin, medium, 2 * size, second["token"], data[2 * size :])
    assert last.json == {"state": "ready"}
    assert robin.call("POST", "/uploads", medium.to_json()).json == {"state": "ready"}


def test_a_token_is_for_one_part_of_one_upload_of_one_member(street: Street, robin: Member) -> None:
    data, medium = large()
    other_data, other = large()
    token = robin.call("POST", "/uploads", medium.to_json()).json["token"]
    robin.call("POST", "/uploads", other.to_json())
    rita = join(street, f"Rita {os.urandom(4).hex()}")
    rita.call("POST", "/uploads", medium.to_json())
    size = 1024 * 1024
    assert put(rita, medium, 0, token, data[:size]).code == "bad_token"
    assert put(robin, other, 0, token, other_data[:size]).code == "bad_token"
    assert put(robin, medium, size, token, data[size : 2 * size]).code == "offset_moved"
    assert put(robin, medium, 0, "", data[:size]).code == "bad_token"
    assert put(robin, medium, 0, token, data[: size - 1]).code == "bad_request"
    assert put(robin, medium, 0, token, data[:size]).status == 200
    answer = put(robin, medium, 0, token, data[:size])
    assert (answer.status, answer.code) == (403, "bad_token")
    assert put(robin, medium, 0, token, data[: size + 1]).status == 413


def test_other_bytes_than_announced_are_refused(robin: Member) -> None:
    data, medium = fresh()
    answer = robin.upload(bytes(reversed(data)), medium)
    assert (answer.status, answer.code, answer.json["reason"]) == (422, "media_refused", "digest")
    assert robin.call("GET", f"/uploads/{medium.sha256}").status == 404


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda data: data + b"PK\x03\x04", "hidden_data"),
        (lambda data: data[:2] + b"\xff\xe1\x00\x0aExif\0\0ab" + data[2:], "metadata"),
        (lambda _: b"<html><script>alert(1)</script></html>", "not_jpeg"),
        (lambda _: b"\x1f\x8b" + os.urandom(100), "not_jpeg"),
    ],
)
def test_what_is_no_picture_is_never_kept(street: Street, robin: Member, make: object, reason: str) -> None:
    data = make(fresh()[0])  # type: ignore[operator]
    medium = media.picture_media(data)
    answer = robin.upload(data, medium)
    assert (answer.status, answer.json["reason"]) == (422, reason)
    assert medium.sha256 not in blobs_of(street)
    assert robin.call("GET", f"/blobs/{medium.sha256}").status == 404
    assert not list((street.hub.data / street.id / "parts").glob(f"{medium.sha256}*"))


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "../../../hub.key"},
        {"sha256": "A" * 64},
        {"size": 0},
        {"size": 200_000_000},
        {"type": "image/svg+xml"},
        {"type": "text/html"},
        {"duration_ms": 1},
        {"width": 9_000},
        {"more": 1},
    ],
)
def test_what_may_be_announced(robin: Member, change: dict[str, object]) -> None:
    answer = robin.call("POST", "/uploads", fresh()[1].to_json() | change)  # type: ignore[operator,arg-type]
    assert (answer.status, answer.code) == (422, "bad_field")


def test_a_record_names_only_what_is_there(street: Street, robin: Member) -> None:
    data, medium = fresh()
    answer = robin.post(post(media=(medium,)))
    assert (answer.status, answer.code, answer.json["media"]) == (409, "media_missing", [medium.sha256])
    rita = join(street, f"Rita {os.urandom(4).hex()}")
    assert rita.upload(data, medium).json == {"state": "ready"}
    # Rita's upload is nobody else's, as long as she hasn't posted it
    assert robin.post(post(media=(medium,))).code == "media_missing"
    assert rita.post(post(media=(replace(medium, width=640),))).code == "media_missing"
    assert rita.post(post(media=(medium,))).status == 201
    # That everybody sees it now makes it nobody else's either
    assert robin.post(post(media=(medium,))).code == "media_missing"


def test_who_has_only_seen_a_file_has_to_send_it_too(street: Street, robin: Member) -> None:
    """Or it would stay, in nobody's quota, after the one who sent it has taken it back."""
    data, medium = fresh()
    robin.upload(data, medium)
    first = robin.sign(post(media=(medium,)))
    assert robin.send(first).status == 201
    rita = join(street, f"Rita {os.urandom(4).hex()}")
    assert rita.call("GET", f"/blobs/{medium.sha256}").status == 200
    again = rita.post(post(media=(medium,)))
    assert (again.status, again.json["media"]) == (409, [medium.sha256])
    rita.upload(data, medium)
    assert rita.post(post(media=(medium,))).status == 201


def test_who_sends_what_is_not_as_announced_has_few_tries(make_street: MakeStreet) -> None:
    street = make_street()
    quotas = street.host.call("GET", "/quotas").json
    street.host.call("PUT", "/quotas", quotas | {"member_upload_bytes_day": 2 * blobs.REFUSED_BYTES})
    robin = join(street, "Robin")
    for _ in range(2):
        assert robin.upload(*_broken()).code == "media_refused"
    assert robin.upload(*_broken()).code == "quota_exceeded"


def _broken() -> tuple[bytes, Media]:
    data = os.urandom(1_000)
    return data, media.picture_media(data)


def test_one_address_does_not_hold_all_places_for_large_bodies(
    make_street: MakeStreet, tmp_path: Path
) -> None:
    """Who sends is known once all is there; up to there a member's key is enough, which all members know."""
    hub = HubProcess(tmp_path / "held", trusted_proxies=["127.0.0.1/32"]).start()
    street = make_street(hub=hub)
    robin = join(street, "Robin")
    announced = (
        f"PUT {robin.base}/uploads/{'0' * 64}?offset=0 HTTP/1.1\r\nHost: hub\r\nContent-Length: 1000000\r\n"
        f"Content-Type: application/octet-stream\r\nX-Forwarded-For: 192.0.2.1\r\n"
        f"Ringwatch-Key: {robin.key.public}\r\n\r\n"
    )
    with contextlib.ExitStack() as held:
        for _ in range(2 * BODIES):
            one = held.enter_context(socket.create_connection(("127.0.0.1", hub.port)))
            one.sendall(announced.encode() + bytes(10))
        time.sleep(0.5)
        assert street.host.upload(*large()).json == {"state": "ready"}


def test_kept_back_with_its_post(make_street: MakeStreet) -> None:
    street = make_street(mode=Mode.BEFORE)
    robin, rita = join(street, "Robin"), join(street, "Rita")
    data, medium = fresh()
    robin.upload(data, medium)
    assert robin.post(post(media=(medium,))).status == 201
    assert rita.call("GET", f"/blobs/{medium.sha256}").status == 404
    assert street.host.call("GET", f"/blobs/{medium.sha256}").body == data
    assert robin.call("GET", f"/blobs/{medium.sha256}").body == data


def test_media_go_with_the_post(street: Street, robin: Member) -> None:
    data, medium = fresh()
    robin.upload(data, medium)
    rita = join(street, f"Rita {os.urandom(4).hex()}")
    rita.upload(data, medium)
    robin.post(post(media=(medium,)))
    first = robin.tip
    rita.catch_up()
    rita.post(post(media=(medium,)))
    assert medium.sha256 in blobs_of(street)
    assert robin.call("DELETE", f"/uploads/{medium.sha256}").code == "media_named"
    assert robin.post(Withdraw(str(first))).status == 201
    assert rita.call("GET", f"/blobs/{medium.sha256}").body == data  # Rita's post still has it
    assert rita.post(Withdraw(str(rita.tip))).status == 201
    assert rita.call("GET", f"/blobs/{medium.sha256}").status == 404
    assert rita.call("GET", "/log").status == 200  # one more round of the writer
    assert medium.sha256 not in blobs_of(street)


def test_an_upload_can_be_forgotten(street: Street, robin: Member) -> None:
    data, medium = fresh()
    robin.upload(data, medium)
    assert medium.sha256 in blobs_of(street)
    assert robin.call("DELETE", f"/uploads/{medium.sha256}").status == 204
    assert robin.call("DELETE", f"/uploads/{medium.sha256}").status == 404
    assert medium.sha256 not in blobs_of(street)


def test_quotas_of_bytes(make_street: MakeStreet) -> None:
    street = make_street()
    quotas = street.host.call("GET", "/quotas").json
    data, medium = fresh()
    size = len(data)
    robin = join(street, "Robin")
    for name in ("member_media_bytes", "member_upload_bytes_day", "total_media_bytes"):
        assert street.host.call("PUT", "/quotas", quotas | {name: size - 1}).status == 200
        answer = robin.call("POST", "/uploads", medium.to_json())
        assert (answer.status, answer.code) == (429, "quota_exceeded"), name
        assert int(answer.headers["Retry-After"]) > 0
    assert street.host.call("PUT", "/quotas", quotas | {"member_download_bytes_day": size}).status == 200
    assert robin.upload(data, medium).json == {"state": "ready"}
    assert robin.call("GET", f"/blobs/{medium.sha256}").status == 200
    assert robin.call("GET", f"/blobs/{medium.sha256}").code == "quota_exceeded"
    for _ in range(10):
        assert robin.call("POST", "/uploads", fresh()[1].to_json()).status == 201
    assert robin.call("POST", "/uploads", fresh()[1].to_json()).code == "quota_exceeded"
    usage = street.host.call("GET", "/usage").json
    assert usage["media_bytes"] == size
    assert usage["members"][0]["uploads_bytes"] > 0


def test_what_lies_in_the_folder_without_a_row_is_swept_up(street: Street, robin: Member) -> None:
    stray = street.hub.data / street.id / "blobs" / "ab" / ("ab" * 32)
    stray.parent.mkdir(mode=0o700, exist_ok=True)
    stray.write_bytes(b"x")
    part = street.hub.data / street.id / "parts" / f"{'cd' * 32}.{'ef' * 32}"
    part.write_bytes(b"x")
    data, medium = fresh()
    robin.upload(data, medium)
    street.hub.kill()
    street.hub.start()
    assert not stray.exists()
    assert not part.exists()
    assert robin.call("GET", f"/blobs/{medium.sha256}").body == data


def test_files_are_the_hubs_alone(street: Street, robin: Member) -> None:
    robin.upload(*fresh())
    for path in [street.hub.data, *street.hub.data.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path, make_street: MakeStreet) -> None:
    street = make_street()
    street.hub.stop()
    with sqlite3.connect(street.hub.data / street.id / "hub.db") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(RuntimeError, match="no hub: 5"):
        street.hub.start()


def test_two_kinds_of_the_same_bytes(robin: Member) -> None:
    data, medium = fresh()
    robin.call("POST", "/uploads", medium.to_json())
    other = describe(data, MediaType.JPEG, 32, 32)
    assert other.sha256 == medium.sha256 == digest(data)
    assert robin.call("POST", "/uploads", other.to_json()).code == "media_differs"
