"""A verifier of its own for the vectors: JSON, SHA-256 and Ed25519, and nothing of Ringwatch's code.

    python tests/neighborhood/verify_vectors.py

It does what docs/protocol.md says, in as few lines as it takes, and ends with an error where the files say
something else.
"""

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from fractions import Fraction
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FOLDER = Path(__file__).parent / "vectors"
ERASABLE = {"post", "comment", "thanks", "flag", "appeal", "alert", "request_details", "footage_request"}
FIELDS = {"v", "type", "neighborhood", "author", "created", "prev", "head", "body_hash"}


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def canonical(value: Any) -> bytes:
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return b"{" + b",".join(canonical(name) + b":" + canonical(inner) for name, inner in pairs) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def signed(public: str, words: str, digest: bytes, signature: str) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), words.encode() + digest)
    except InvalidSignature:
        return False
    return True


def refusal(wire: bytes, types: set[str]) -> str | None:
    """Return why a record can't be taken, or None. The body's own fields are not looked at."""
    record = json.loads(wire)
    if canonical(record) != wire:
        return "not_canonical"
    envelope = record["envelope"]
    if envelope["v"] != 1:
        return "unknown_version"
    if envelope["type"] not in types:
        return "unknown_type"
    if not signed(envelope["author"], "ringwatch/record/v1", sha256(canonical(envelope)), record["sig"]):
        return "bad_signature"
    if "body" in record:
        salted = bytes.fromhex(record["salt"]) + canonical(record["body"])
        if sha256(salted).hex() != envelope["body_hash"]:
            return "body_altered"
    elif envelope["type"] not in ERASABLE:
        return "body_missing"
    if record.keys() - {"envelope", "sig", "body", "salt"} or envelope.keys() != FIELDS:
        return "bad_field"
    return None


def verify_canonical() -> None:
    vectors = load("canonical")
    for case in vectors["accepted"]:
        assert canonical(case["value"]).decode() == case["canonical"]
        assert canonical(json.loads(case["canonical"])).decode() == case["canonical"]
    for text in vectors["refused"]:
        try:
            value = json.loads(text, parse_constant=lambda _: 1 / 0)
            same = canonical(value) == text.encode("utf-8", "surrogatepass")
        except ValueError, ZeroDivisionError:
            continue
        too_much = isinstance(value, float) or (isinstance(value, int) and abs(value) >= 2**53)
        assert not same or too_much or text.startswith("[" * 17), text


def verify_places() -> None:
    vectors = load("places")
    widths = [round(1_800 / math.cos(math.radians(degree + 0.5))) for degree in range(89)]
    for case in vectors["snapped"]:
        (lat, lon), (place_lat, place_lon) = case["point"], case["place"]
        assert place_lat == lat // 1_800 * 1_800 + 900
        width = widths[abs(place_lat) // 10**6]
        place = lon // width * width + width // 2
        assert place_lon == place - width * (place >= 180_000_000) + width * (place < -180_000_000)
    assert [
        abs(width - written) <= 0 for width, written in zip(widths, vectors["cell_width_e6"], strict=True)
    ]
    assert widths == vectors["cell_width_e6"]


def cell_width(lat: int) -> int:
    return round(1_800 / math.cos(math.radians(abs(lat) // 10**6 + 0.5)))


def is_inside(corners: list[list[int]], lat: int, lon: int) -> bool:
    """Return whether a point that is on no edge is inside: whether the polygon goes round it."""
    turns = 0.0
    for (y1, x1), (y2, x2) in zip(corners, corners[1:] + corners[:1], strict=True):
        a, b = math.atan2(y1 - lat, x1 - lon), math.atan2(y2 - lat, x2 - lon)
        turns += (b - a + math.pi) % (2 * math.pi) - math.pi
    return abs(turns) > 1


def meet(a: list[int], b: list[int], c: list[int], d: list[int]) -> bool:
    """Return whether two segments have a point in common: by solving for it."""
    down = (b[0] - a[0]) * (d[1] - c[1]) - (b[1] - a[1]) * (d[0] - c[0])
    if not down:
        on_line = not (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        return on_line and max(min(a, b), min(c, d)) <= min(max(a, b), max(c, d))
    along = Fraction((c[0] - a[0]) * (d[1] - c[1]) - (c[1] - a[1]) * (d[0] - c[0]), down)
    other = Fraction((c[0] - a[0]) * (b[1] - a[1]) - (c[1] - a[1]) * (b[0] - a[0]), down)
    return 0 <= along <= 1 and 0 <= other <= 1


def verify_areas() -> None:
    vectors = load("areas")
    center_lat, center_lon = vectors["center"]
    for case in vectors["polygons"]:
        corners = case["corners"]
        edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
        doubled = sum(y1 * x2 - y2 * x1 for (y1, x1), (y2, x2) in edges)
        lats = [lat for lat, _ in corners]
        scale = Fraction(11_132**2 * 1_800, 10**10 * 2 * cell_width((min(lats) + max(lats)) // 2))
        assert case["area_m2"] == int(abs(doubled) * scale)
        apart = [
            (one, other) for at, one in enumerate(edges) for other in edges[at + 2 : len(edges) - (at == 0)]
        ]
        bent = all((y2 - y1) * (x3 - x2) != (x2 - x1) * (y3 - y2) for ((y1, x1), (y2, x2)), (_, (y3, x3)) in
                   zip(edges, edges[1:] + edges[:1], strict=True))  # fmt: skip
        assert case["simple"] == (bent and not any(meet(*one, *other) for one, other in apart))
        lat, lon = corners[0][0] + 2_000, corners[0][1] + 2_000
        if case["simple"] and not any(meet(a, b, [lat, lon], [lat, lon]) for a, b in edges):
            assert case["holds_first_corner_plus_2000"] == is_inside(corners, lat, lon)
        metres = [
            ((lon - center_lon) * 0.11132 * 1_800 / cell_width(center_lat), (lat - center_lat) * 0.11132)
            for lat, lon in corners
        ]
        nearest = min(
            abs(a + (b - a) * step / 500)
            for a, b in (
                (complex(*a), complex(*b)) for a, b in zip(metres, metres[1:] + metres[:1], strict=True)
            )
            for step in range(501)
        )
        assert case["touches_1609_m"] == (nearest <= 1_609 or is_inside(corners, center_lat, center_lon))
    assert {case["simple"] for case in vectors["polygons"]} == {True, False}
    assert {case["touches_1609_m"] for case in vectors["polygons"]} == {True, False}


def verify_profiles() -> None:
    wires = [json.loads(case["wire"]) for case in load("records")["accepted"]]
    [profile] = [wire["body"] for wire in wires if wire["envelope"]["type"] == "agency"]
    digest = sha256(canonical({k: v for k, v in profile.items() if k not in {"proof", "replaces"}}))
    assert signed(profile["key"], "ringwatch/agency/v1", digest, profile["proof"])
    by_id = {sha256(canonical(wire["envelope"])).hex(): wire for wire in wires}
    [asked] = [wire for wire in wires if wire["envelope"]["type"] == "footage_request"]
    assert asked["body"]["details"] == asked["envelope"]["prev"]
    assert by_id[asked["envelope"]["prev"]]["envelope"]["type"] == "request_details"


def verify_records() -> None:
    vectors = load("records")
    for key in vectors["keys"].values():
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key["seed"]))
        assert private.public_key().public_bytes_raw().hex() == key["public"]
        hashed = sha256(b"ringwatch/fingerprint/v1" + bytes.fromhex(key["public"]))
        groups = [int.from_bytes(hashed[at : at + 5]) % 100_000 for at in range(0, 30, 5)]
        assert key["fingerprint"] == " ".join(f"{group:05}" for group in groups)
    types = {json.loads(case["wire"])["envelope"]["type"] for case in vectors["accepted"]}
    for case in vectors["accepted"] + vectors["erased"]:
        assert refusal(case["wire"].encode(), types) is None
        assert sha256(canonical(json.loads(case["wire"])["envelope"])).hex() == case["id"]
    for case in vectors["refused"]:
        assert refusal(case["wire"].encode(), types) == case["code"]


def read_lines(lines: list[Any], vectors: Any, first: int) -> Iterator[tuple[int, Any]]:
    """Yield each line's number and the envelope it stands for."""
    entries = {entry["number"]: entry for entry in vectors["entries"]}
    number, time = first - 1, 0
    for line in lines:
        number += 1
        if number == first:
            assert (line["number"], line["previous"]) == (first, entries[first]["previous"])
        time = line["time"] if number == first else time + line["later"]
        assert time == entries[number]["time"]
        body_hash = line.get("body_hash")
        if body_hash is None:
            body_hash = sha256(bytes.fromhex(line["salt"]) + canonical(line["body"])).hex()
        yield (
            number,
            {
                "v": 1,
                "type": line["type"],
                "neighborhood": None if number == 1 else vectors["neighborhood"],
                "author": line["author"],
                "created": time - line["ago"],
                "prev": line["prev"] and entries[line["prev"]]["id"],
                "head": line["head"] and entries[line["head"]]["head"],
                "body_hash": body_hash,
            },
        )


def verify_order() -> None:
    vectors = load("order")
    hood, hub, before, number = vectors["neighborhood"], vectors["hub"], None, 0
    lines = [json.loads(line) for line in vectors["lines"].splitlines()]
    for entry, (number, rebuilt) in zip(vectors["entries"], read_lines(lines, vectors, 1), strict=True):
        assert (entry["number"], entry["previous"]) == (number, before)
        fields = {name: entry[name] for name in ("number", "id", "time", "previous")} | {"neighborhood": hood}
        head = sha256(canonical(fields))
        assert head.hex() == entry["head"]
        assert signed(hub, "ringwatch/order/v1", head, entry["sig"])
        line = lines[number - 1]
        assert ("signed" in line) == (number == len(lines))
        assert line.get("signed", entry["sig"]) == entry["sig"]
        assert sha256(canonical(rebuilt)).hex() == entry["id"]
        assert signed(rebuilt["author"], "ringwatch/record/v1", bytes.fromhex(entry["id"]), line["sig"])
        before = entry["head"]
    tail = [json.loads(line) for line in vectors["tail"].splitlines()]
    for at, rebuilt in read_lines(tail, vectors, number - 1):
        assert sha256(canonical(rebuilt)).hex() == vectors["entries"][at - 1]["id"]
    checkpoint = vectors["checkpoint"]
    fields = {name: checkpoint[name] for name in ("number", "head", "time")} | {"neighborhood": hood}
    assert (checkpoint["number"], checkpoint["head"]) == (number, before)
    assert signed(hub, "ringwatch/checkpoint/v1", sha256(canonical(fields)), checkpoint["sig"])


def verify_calls() -> None:
    vectors = load("calls")
    call = vectors["call"]
    headers = call["headers"]
    lines = [
        call["neighborhood"], call["hub"], call["method"], call["path"], sha256(call["body"].encode()).hex(),
        headers["Ringwatch-Time"],
    ]  # fmt: skip
    digest = sha256("\n".join(lines).encode())
    assert signed(headers["Ringwatch-Key"], "ringwatch/request/v1", digest, headers["Ringwatch-Signature"])
    told = vectors["time_refusal"]
    fields = {
        "neighborhood": call["neighborhood"],
        "request": headers["Ringwatch-Signature"],
        "time": told["time"],
    }
    assert signed(call["hub"], "ringwatch/time/v1", sha256(canonical(fields)), told["sig"])
    invite = vectors["invite"]
    certificate = invite["certificate"]
    fields = {name: value for name, value in certificate.items() if name != "sig"}
    assert signed(certificate["host"], "ringwatch/invite/v1", sha256(canonical(fields)), certificate["sig"])
    packed = urlsafe_b64decode(invite["link"].partition("#1.")[2] + "==")
    assert packed[0] == 1
    assert packed[1:97].hex() == certificate["neighborhood"] + call["hub"] + certificate["host"]
    assert packed[97:129].hex() == invite["seed"]
    assert int.from_bytes(packed[129:134]) == certificate["expires"]
    assert packed[134:].hex() == certificate["sig"]


CHECKS = (
    *(verify_canonical, verify_places, verify_areas, verify_records, verify_profiles),
    *(verify_order, verify_calls),
)

if __name__ == "__main__":
    for check in CHECKS:
        check()
