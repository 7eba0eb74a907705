"""Writes the protocol's test vectors: tests/neighborhood/vectors/*.json (see docs/protocol.md).

    python script/lib/protocol_vectors.py [FOLDER]

Keys come from seeds that stand in the files, times are fixed, so the same code writes the same bytes.
"""

from collections.abc import Callable
from dataclasses import replace
import hashlib
import json
from pathlib import Path
import sys
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/neighborhood/vectors"
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from script.lib.core import load_core

load_core()

from ringwatch.neighborhood.bodies import Comment, Post
from ringwatch.neighborhood.bodies.feed import Category, Media, MediaType, Span
from ringwatch.neighborhood.bodies.people import Founding, Mode
from ringwatch.neighborhood.canonical import encode
from ringwatch.neighborhood.envelope import Record, sign_record
from ringwatch.neighborhood.invites import create_invite, join_body
from ringwatch.neighborhood.keys import PrivateKey, fingerprint
from ringwatch.neighborhood.order import Entry, Position, next_entry, sign_checkpoint
from ringwatch.neighborhood.places import snap
from ringwatch.neighborhood.segments import Placed, pack_lines
from ringwatch.neighborhood.signed_calls import refuse_time, sign_call
from ringwatch.neighborhood.store import MemoryHistory, RecordPlace

TIME_S = 1_780_000_000
NAMES = ("host", "hub", "ann", "invite")


def seed(name: str) -> bytes:
    """Return the seed of a key of the vectors: SHA-256 of its name."""
    return hashlib.sha256(f"ringwatch vector {name}".encode()).digest()


KEYS = {name: PrivateKey(seed(name)) for name in NAMES}


def canonical() -> dict[str, Any]:
    """Values and their bytes, and bytes that are refused."""
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        2**53 - 1,
        "",
        '\u20ac$\u000f\nA\'B"\\"/\u007f\u2028',
        [[], {}, [1, "a"]],
        {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7},
        {"b": {"d": 1, "c": 2}, "a": []},
    ]
    refused = [
        '{"a":1,"a":1}', '{"b":1,"a":1}', '{"a": 1}', "1.0", "1e3", "-0", "01", "NaN", "9007199254740992",
        '"\\ud800"',
        '"\\u00e9"', '"\\/"', "\ufeff1", "[1,]", "1 ", "[" * 18 + "]" * 18,
    ]  # fmt: skip
    return {
        "accepted": [{"value": value, "canonical": encode(value).decode()} for value in values],
        "refused": refused,
    }


def places() -> dict[str, Any]:
    """Points and the middle of their cell; the width of a cell for each degree of latitude."""
    points = [
        (33_306_123, -111_841_987), (0, 0), (-1, -1), (1_000_800, -179_999_145), (88_999_000, 179_999_999),
        (-33_868_820, 151_209_290), (64_146_600, -21_942_600), (51_507_400, -127_758),
    ]  # fmt: skip
    snapped = [(point, snap(*point)) for point in points]
    middles = [degree * 10**6 + 500_000 for degree in range(89)]
    widths = [next(at for at in range(10**6) if snap(lat, at) != snap(lat, 0)) for lat in middles]
    return {
        "snapped": [
            {"point": list(point), "place": [place.lat_e6, place.lon_e6]} for point, place in snapped
        ],
        "cell_width_e6": widths,
    }


class Street:
    """Records in an order, as they are written into the vectors."""

    def __init__(self) -> None:
        self.at = Position()
        self.placed: list[Placed] = []
        self.history = MemoryHistory()
        self.id: str | None = None
        self.tips: dict[str, str] = {}

    def say(self, name: str, body: Any) -> Record:
        """Sign a record and give it its place."""
        record = sign_record(
            KEYS[name],
            body,
            neighborhood=self.id,
            created_s=TIME_S + len(self.placed),
            prev=self.tips.get(name),
            head=self.at.head,
            salt=seed(f"salt {len(self.placed)}")[:16],
        )
        self.id = self.id or record.id
        entry: Entry = next_entry(KEYS["hub"], self.id, record.id, TIME_S + len(self.placed), self.at)
        self.placed.append(Placed(entry, record))
        place = RecordPlace(entry.number, record.author, record.envelope.prev)
        self.history.add(record.id, place, entry.head)
        self.tips[name] = record.id
        self.at = entry.position
        return record


def street() -> Street:
    """A founding, somebody who joins, a post with a clip, a comment."""
    found = Street()
    center = snap(33_306_000, -111_841_000)
    hub = KEYS["hub"].public
    found.say("host", Founding("Maple Street", "Host", center, 1_609, hub, Mode.AFTER, 30, 14, "Be kind."))
    found.say("ann", join_body(invite(str(found.id)), KEYS["ann"], "Zo\u00eb"))
    clip = Media(hashlib.sha256(b"a clip").hexdigest(), 6, MediaType.MP4, 12_000, 1_280, 720)
    span = Span(TIME_S - 60, TIME_S)
    post = Post(
        Category.PACKAGE, "Package \U0001f4e6 taken", "Two of them.\nA gray van.", center, span, (clip,)
    )
    told = found.say("ann", post)
    found.say("host", Comment(told.id, "Seen it too."))
    return found


def invite(neighborhood: str) -> Any:
    """An invite of the host."""
    return create_invite(
        KEYS["host"],
        neighborhood=neighborhood,
        hub_key=KEYS["hub"].public,
        url="https://hub.example",
        now_s=TIME_S,
        seed=seed("invite"),
    )


def records() -> dict[str, Any]:
    """Whole records with their ids, erased ones, and such as are refused with the code of the refusal."""
    placed = street().placed
    wires = [one.record.to_wire() for one in placed]
    post = placed[2].record
    other: dict[str, Any] = post.to_wire()
    forged = replace(post.envelope, created_s=1)
    refused: list[tuple[str, dict[str, Any]]] = [
        ("bad_signature", other | {"envelope": forged.to_json()}),
        ("body_altered", other | {"body": other["body"] | {"title": "Package taken"}}),
        ("body_altered", other | {"salt": "00" * 16}),
        ("bad_field", other | {"extra": 1}),
        ("body_missing", placed[0].record.erased().to_wire()),
        ("unknown_version", other | {"envelope": other["envelope"] | {"v": 2}}),
        ("unknown_type", other | {"envelope": other["envelope"] | {"type": "gossip"}}),
    ]
    return {
        "keys": {
            name: {"seed": key.seed.hex(), "public": key.public, "fingerprint": fingerprint(key.public)}
            for name, key in KEYS.items()
        },
        "accepted": [
            {"id": one.record.id, "wire": encode(wire).decode()}
            for one, wire in zip(placed, wires, strict=True)
        ],
        "erased": [
            {"id": one.record.id, "wire": encode(one.record.erased().to_wire()).decode()}
            for one in placed[2:]
        ],
        "refused": [{"code": code, "wire": encode(wire).decode()} for code, wire in refused],
    }


def order() -> dict[str, Any]:
    """Entries with their heads, a tail as a hub sends it, a checkpoint."""
    found = street()
    hub = KEYS["hub"]
    erased = replace(found.placed[-1], record=found.placed[-1].record.erased())
    checkpoint = sign_checkpoint(hub, str(found.id), found.at.number, str(found.at.head), TIME_S + 9)
    return {
        "hub": hub.public,
        "neighborhood": found.id,
        "entries": [one.entry.to_json() | {"head": one.entry.head} for one in found.placed],
        "lines": pack_lines(found.placed, found.history).decode(),
        "tail": pack_lines([found.placed[-2], erased], found.history).decode(),
        "checkpoint": checkpoint.to_json(),
    }


def calls() -> dict[str, Any]:
    """A signed call, a refusal for time, an invite's link."""
    hood, hub = str(street().id), KEYS["hub"]
    path = f"/v1/{hood}/search?text=union%20station%20select%20(blue)"
    headers = sign_call(
        KEYS["ann"],
        neighborhood=hood,
        hub_key=hub.public,
        method="POST",
        path=path,
        body=b"{}",
        time_s=TIME_S,
    )
    signature = headers["Ringwatch-Signature"]
    made = invite(hood)
    return {
        "call": {
            "method": "POST",
            "path": path,
            "body": "{}",
            "headers": headers,
            "neighborhood": hood,
            "hub": hub.public,
        },
        "time_refusal": refuse_time(hub, neighborhood=hood, signature=signature, now_s=TIME_S + 999),
        "invite": {"link": made.link, "certificate": made.certificate.to_json(), "seed": made.seed.hex()},
    }


VECTORS: dict[str, Callable[[], dict[str, Any]]] = {
    "canonical": canonical,
    "places": places,
    "records": records,
    "order": order,
    "calls": calls,
}


def written(name: str) -> str:
    """Return a file of vectors."""
    return json.dumps(VECTORS[name](), indent=1, ensure_ascii=True, sort_keys=True) + "\n"


def main() -> None:
    """Write all of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in VECTORS:
        (folder / f"{name}.json").write_text(written(name))


if __name__ == "__main__":
    main()
