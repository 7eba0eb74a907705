"""Who gets in: every call signed, by somebody who belongs here, for this hub, now. And every refusal."""

from dataclasses import replace
import json
import time
from typing import Any

import pytest

from ringwatch.hub.routes import ROUTES
from ringwatch.neighborhood.bodies import Leave, Remove, Rotate
from ringwatch.neighborhood.canonical import encode
from ringwatch.neighborhood.invites import rotate_body
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.signed_calls import read_time_refusal, sign_call
from script.lib.hub_client import HubProcess, Member, Street, comment, found, founding, join, post

from . import media
from .conftest import MakeStreet

DIGEST = "ab" * 32


def path_of(parts: tuple[str, ...]) -> str:
    return "".join(f"/{part}" for part in parts).replace("{digest}", DIGEST).replace("{number}", "1")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {path_of(route.parts)[:20]}")
def test_no_call_is_answered_without_a_signature(street: Street, route: Any) -> None:
    path = f"/v1/{street.id}{path_of(route.parts)}"
    body = b"{}" if route.method in {"POST", "PUT"} else b""
    answer = street.hub.request(route.method, path, body, {"Content-Type": "application/json"})
    assert answer.status == 403
    if route.method != "HEAD":
        assert answer.code == "bad_call"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {path_of(route.parts)[:20]}")
def test_no_call_is_answered_to_a_stranger(street: Street, route: Any) -> None:
    stranger = Member(street.hub, neighborhood=street.id)
    answer = stranger.call(route.method, path_of(route.parts), b"{}" if route.body else b"")
    expected = (404, "not_found") if route.who == "delivery" else (403, "not_a_member")
    assert answer.status == expected[0]
    if route.method != "HEAD":
        assert answer.code == expected[1]


@pytest.mark.parametrize("path", ["/usage", "/quotas", "/invites"])
def test_what_is_the_hosts_is_only_the_hosts(street: Street, robin: Member, path: str) -> None:
    answer = robin.call("GET", path)
    assert (answer.status, answer.code) == (403, "host_only")
    assert street.host.call("GET", path).status == 200


def test_quotas_are_the_hosts_to_set(street: Street, robin: Member) -> None:
    before = street.host.call("GET", "/quotas").json
    assert robin.call("PUT", "/quotas", before).code == "host_only"
    changed = before | {"member_media_bytes": 12_345}
    assert street.host.call("PUT", "/quotas", changed).json == changed
    assert street.host.call("GET", "/quotas").json == changed
    assert street.host.call("PUT", "/quotas", {"member_media_bytes": 1}).code == "bad_field"
    assert street.host.call("PUT", "/quotas", before).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"method": "POST"},
        {"path": "/v1/NEIGHBORHOOD/members"},
        {"body": b"x"},
        {"neighborhood": "cd" * 32},
        {"hub_key": PrivateKey.generate().public},
    ],
)
def test_a_signature_is_for_one_call_only(street: Street, robin: Member, change: dict[str, Any]) -> None:
    path = f"{robin.base}/log"
    signed: dict[str, Any] = {
        "neighborhood": street.id, "hub_key": street.hub.key, "method": "GET", "path": path, "body": b"",
    }  # fmt: skip
    now_s = int(time.time())
    right = sign_call(robin.key, **signed, time_s=now_s)
    assert street.hub.request("GET", path, headers=right).status == 200
    if "path" in change:
        change = {"path": change["path"].replace("NEIGHBORHOOD", street.id)}
    wrong = sign_call(robin.key, **(signed | change), time_s=now_s)
    answer = street.hub.request("GET", path, headers=wrong)
    assert (answer.status, answer.code) == (403, "bad_call")


def test_another_key_beside_the_signature_is_refused(street: Street, robin: Member) -> None:
    path = f"{robin.base}/log"
    signed = sign_call(
        PrivateKey.generate(), neighborhood=street.id, hub_key=street.hub.key, method="GET", path=path,
        body=b"", time_s=int(time.time()),
    )  # fmt: skip
    answer = street.hub.request("GET", path, headers=signed | {"Ringwatch-Key": robin.key.public})
    assert (answer.status, answer.code) == (403, "bad_call")


@pytest.mark.parametrize("key", ["00" * 32, "01" + "00" * 31, "zz" * 32, "", "A" * 64])
def test_keys_that_fit_every_signature_are_none(street: Street, key: str) -> None:
    headers = {
        "Ringwatch-Key": key,
        "Ringwatch-Time": str(int(time.time())),
        "Ringwatch-Signature": "0" * 128,
    }
    answer = street.hub.request("GET", f"/v1/{street.id}/log", headers=headers)
    assert (answer.status, answer.code) == (403, "bad_call")


@pytest.mark.parametrize("offset_s", [-3_600, 3_600, -130, 130])
def test_a_wrong_clock_is_told_the_hubs_time(street: Street, robin: Member, offset_s: int) -> None:
    path = f"{robin.base}/log"
    signed = sign_call(
        robin.key, neighborhood=street.id, hub_key=street.hub.key, method="GET", path=path, body=b"",
        time_s=int(time.time()) + offset_s,
    )  # fmt: skip
    answer = street.hub.request("GET", path, headers=signed)
    assert (answer.status, answer.code) == (403, "wrong_time")
    told = read_time_refusal(
        answer.json, neighborhood=street.id, hub_key=street.hub.key, signature=signed["Ringwatch-Signature"]
    )
    assert abs(told - time.time()) <= 2


def test_a_recorded_call_is_worth_nothing_later(street: Street, robin: Member) -> None:
    path = f"{robin.base}/log"
    signed = sign_call(
        robin.key, neighborhood=street.id, hub_key=street.hub.key, method="GET", path=path, body=b"",
        time_s=int(time.time()) - 121,
    )  # fmt: skip
    assert street.hub.request("GET", path, headers=signed).code == "wrong_time"


def test_a_removed_member_is_out(street: Street, robin: Member) -> None:
    assert robin.call("GET", "/records?after=0").status == 200
    street.host.catch_up()
    subject = robin.call("GET", "").json["you"]["subject"]
    assert robin.tip is not None
    assert street.host.post(Remove(subject, robin.tip, "Spam")).status == 201
    for method, path in (("GET", "/records?after=0"), ("GET", ""), ("GET", "/members")):
        answer = robin.call(method, path)
        assert (answer.status, answer.code) == (403, "removed")
    answer = robin.send(robin.sign(post()))
    assert (answer.status, answer.code) == (403, "removed")


def test_who_left_is_out(street: Street, robin: Member) -> None:
    assert robin.post(Leave()).status == 201
    assert robin.call("GET", "/log").code == "removed"


def test_a_rotated_key_replaces_the_old_one(street: Street, robin: Member) -> None:
    new = PrivateKey.generate()
    rotated: Rotate = rotate_body(new, robin.key.public, street.id)
    assert robin.post(rotated).status == 201
    assert robin.call("GET", "/log").code == "removed"
    robin.key = new
    assert robin.call("GET", "/log").status == 200
    assert robin.post(post()).status == 201


def test_neighborhoods_of_one_hub_know_nothing_of_each_other(tmp_path: Any) -> None:
    hub = HubProcess(tmp_path)
    other_host = Member(hub)
    hub.settings["hosts"] = [other_host.key.public]
    first = found(hub)
    try:
        record = other_host.sign(founding(hub, name="Oak Street"))
        other_host.neighborhood = record.id
        assert other_host.send(record).status == 201
        second = Street(hub, record.id, other_host)
        robin, rita = join(first, "Robin"), join(second, "Rita")
        assert rita.post(post()).status == 201
        spy = replace(robin, neighborhood=second.id)
        for path in ("", "/records?after=0", "/members", f"/posts/{rita.tip}", f"/blobs/{DIGEST}"):
            answer = spy.call("GET", path)
            assert (answer.status, answer.code) == (403, "not_a_member")
        answer = spy.send(spy.sign(comment(rita.tip or "")))
        assert answer.status == 403
        # a record of one neighborhood in the other one
        foreign = robin.sign(post())
        assert rita.call("POST", "/records", foreign.to_wire()).status in {403, 422}
        assert robin.call("GET", f"/posts/{rita.tip}").status == 404
        assert robin.call("POST", "/bodies", {"ids": [rita.tip]}).json == {"records": []}
    finally:
        hub.stop()


def test_only_who_may_founds(street: Street) -> None:
    stranger = Member(street.hub)
    record = stranger.sign(founding(street.hub))
    stranger.neighborhood = record.id
    answer = stranger.send(record)
    assert answer.status == 404
    assert not (street.hub.data / record.id).exists()


def test_a_founding_for_another_hub_is_refused(make_street: MakeStreet, tmp_path: Any) -> None:
    street = make_street()
    body = replace(founding(street.hub), hub_key=PrivateKey.generate().public)
    host = Member(street.hub, key=street.host.key)
    record = host.sign(body)
    host.neighborhood = record.id
    answer = host.send(record)
    assert (answer.status, answer.code) == (403, "other_hub")
    assert [path.name for path in street.hub.data.iterdir() if path.is_dir()] == [street.id]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/", 404, "not_found"),
        ("GET", "/v1/xyz", 404, "not_found"),
        ("GET", f"/v1/{DIGEST.upper()}", 404, "not_found"),
        ("GET", f"/v1/{DIGEST}/", 404, "not_found"),
        ("GET", f"/v1/{DIGEST}/blobs/../../hub.key", 404, "not_found"),
        ("GET", f"/v1/{DIGEST}/blobs/%2e%2e%2fhub.key", 400, "bad_request"),
        ("GET", f"/v1/{DIGEST}/blobs/..%2f..%2fhub.key", 400, "bad_request"),
        ("GET", f"/v1/{DIGEST}/blobs/{'a' * 63}", 404, "not_found"),
        ("GET", f"/v1/{DIGEST}/blobs/{'a' * 63}\\", 400, "bad_request"),
        ("GET", f"/v1/{DIGEST}/segments/-1", 404, "not_found"),
        ("DELETE", f"/v1/{DIGEST}/records", 405, "method_not_allowed"),
        ("PATCH", f"/v1/{DIGEST}", 405, "method_not_allowed"),
        ("POST", "/health", 405, "method_not_allowed"),
        ("GET", "/health?x=1", 400, "bad_request"),
        ("GET", "/health?", 400, "bad_request"),
        ("GET", "/health?a=1&a=2", 400, "bad_request"),
        ("GET", "//health", 404, "not_found"),
        ("GET", f"/v1/{DIGEST}", 403, "bad_call"),
    ],
)
def test_odd_addresses(street: Street, method: str, path: str, status: int, code: str) -> None:
    answer = street.hub.request(method, path)
    assert (answer.status, answer.code) == (status, code)


def test_a_neighborhood_that_is_not_here_is_not_found(street: Street, robin: Member) -> None:
    robin.neighborhood = DIGEST
    assert robin.call("GET", "").status == 404


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/records", "bad_request"),
        ("/records?after=x", "bad_request"),
        ("/records?after=-1", "bad_request"),
        ("/records?after=99999", "bad_request"),
        ("/records?after=0&wait=51", "bad_request"),
        ("/records?after=0&more=1", "bad_request"),
        ("/log?cursor=0", "bad_request"),
        ("/members?limit=5", "bad_request"),
        ("/segments/1", "not_found"),
        ("/segments/99999999999", "bad_request"),
        (f"/posts/{DIGEST}", "not_found"),
        (f"/posts/{DIGEST}/comments", "not_found"),
        (f"/uploads/{DIGEST}", "not_found"),
        (f"/blobs/{DIGEST}", "not_found"),
    ],
)
def test_odd_questions(robin: Member, path: str, code: str) -> None:
    answer = robin.call("GET", path)
    assert (answer.status, answer.code) == (404 if code == "not_found" else 400, code)


@pytest.mark.parametrize(
    "body",
    [
        b'{"ids": []}',  # a blank too many
        b'{"ids":[],"ids":[]}',
        b'{"ids":[],"more":1}',
        b'{"ids":["../../hub.key"]}',
        b'{"ids":[1]}',
        b'{"ids":' + b"[" * 30 + b"]" * 30 + b"}",
        b'{"ids":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"ids":[1e999]}',
        b"",
        encode({"ids": [DIGEST] * 101}),
    ],
)
def test_odd_bodies(robin: Member, body: bytes) -> None:
    answer = robin.call("POST", "/bodies", body, {"Content-Type": "application/json"})
    assert answer.status == 422
    assert answer.code in {"not_canonical", "bad_field", "too_deep"}


def test_bodies_of_another_type_or_length(street: Street, robin: Member) -> None:
    assert robin.call("POST", "/bodies", b"{}", content_type="text/plain").status == 415
    assert robin.call("POST", "/bodies", b"{}", {"Content-Encoding": "gzip"}).status == 415
    assert robin.call("POST", "/bodies", b"x" * 70_000).status == 413
    assert robin.call("POST", "/records", b"x" * 33_000).status == 413
    assert robin.call("GET", "/log", b"{}").status == 413
    assert street.hub.request("GET", "/health").status == 200


def test_answers_protect_the_reader(street: Street, robin: Member) -> None:
    plain = robin.call("GET", "/members")
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    assert plain.headers["Cache-Control"] == "no-store"
    assert plain.headers["Server"] == "-"
    assert "Access-Control-Allow-Origin" not in plain.headers
    asked = robin.call("GET", "/members", headers={"Origin": "https://elsewhere.example"})
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in asked.headers
    assert "Ringwatch-Checkpoint" in asked.headers["Access-Control-Expose-Headers"]
    assert "default-src 'none'" in asked.headers["Content-Security-Policy"]
    refused = street.hub.request("GET", robin.base, headers={"Origin": "null"})
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (403, "*")
    preflight = street.hub.request("OPTIONS", f"{robin.base}/records", headers={"Origin": "null"})
    assert preflight.status == 204
    assert "Ringwatch-Signature" in preflight.headers["Access-Control-Allow-Headers"]


def test_health_tells_counts_only(street: Street) -> None:
    found_ = street.hub.request("GET", "/health").json
    assert found_["status"] == "ok"
    assert street.id not in json.dumps(found_)
    assert all(isinstance(value, int | float) for key, value in found_.items() if key != "status")


def test_calls_are_limited_by_member_and_by_address(make_street: MakeStreet) -> None:
    street = make_street(calls_per_minute=60, calls_per_minute_per_address=1_000_000)
    robin, rita = join(street, "Robin"), join(street, "Rita")
    answers = [robin.call("GET", "/log") for _ in range(130)]
    refused = [answer for answer in answers if answer.status == 429]
    assert 1 <= len(refused) <= 20
    assert refused[0].code == "rate_limited"
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert rita.call("GET", "/log").status == 200
    # somebody else's signature doesn't use up what is Rita's
    for _ in range(150):
        rita.call("GET", "/log", key=PrivateKey.generate(), headers={"Ringwatch-Key": rita.key.public})
    assert rita.call("GET", "/log").status == 200


def test_an_address_is_limited_before_anything_is_looked_at(make_street: MakeStreet) -> None:
    street = make_street(calls_per_minute_per_address=60)
    statuses = [street.hub.request("GET", "/nothing").status for _ in range(640)]
    assert statuses.count(429) >= 20
    assert street.hub.request("GET", "/health").status == 429


def test_records_and_bytes_are_limited(make_street: MakeStreet) -> None:
    street = make_street(records_per_hour=3, records_per_hour_per_address=9)
    robin, rita = join(street, "Robin"), join(street, "Rita")
    answers = [robin.post(post(f"Post {number}")) for number in range(5)]
    assert [answer.status for answer in answers] == [201, 201, 201, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 600
    assert [rita.post(post()).status for _ in range(5)] == [201, 201, 201, 429, 429]
    bounded = make_street(upload_bytes_per_hour_per_address=5_000)
    mia = join(bounded, "Mia")
    data = media.picture(120, 120, 1)
    assert len(data) > 5_000
    assert mia.upload(data, media.picture_media(data, 120, 120)).code == "rate_limited"


def test_a_proxy_is_believed_only_if_it_is_trusted(make_street: MakeStreet) -> None:
    street = make_street(calls_per_minute_per_address=60)
    lies = [
        street.hub.request(
            "GET", "/nothing", headers={"X-Forwarded-For": f"10.1.{n // 200}.{n % 200}"}
        ).status
        for n in range(640)
    ]
    assert lies.count(429) >= 20
    trusted = make_street(calls_per_minute_per_address=60, trusted_proxies=["127.0.0.0/8"])
    statuses = [
        trusted.hub.request(
            "GET", "/nothing", headers={"X-Forwarded-For": f"10.1.{n // 200}.{n % 200}"}
        ).status
        for n in range(640)
    ]
    assert statuses.count(429) == 0
    # what a client writes into the header itself, in front of what the proxy adds, counts for nothing
    statuses = [
        trusted.hub.request(
            "GET", "/nothing", headers={"X-Forwarded-For": f"9.9.9.{n % 200}, 10.7.7.7"}
        ).status
        for n in range(640)
    ]
    assert statuses.count(429) >= 20
