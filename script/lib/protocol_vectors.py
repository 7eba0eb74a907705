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

from ringwatch.neighborhood.bodies import (
    Agency,
    Availability,
    Close,
    Comment,
    Extension,
    FootageRequest,
    Moderation,
    Officer,
    Partnership,
    PartnershipCount,
    Post,
    Reminder,
    RequestDetails,
)
from ringwatch.neighborhood.bodies.agencies import (
    AgencyKind,
    FaceRecognition,
    OfficerAction,
    Sharing,
    sign_profile,
)
from ringwatch.neighborhood.bodies.care import Action
from ringwatch.neighborhood.bodies.feed import Category, Media, MediaType, Span
from ringwatch.neighborhood.bodies.people import Founding, Mode
from ringwatch.neighborhood.bodies.requests import Answer, IncidentKind, Outcome
from ringwatch.neighborhood.canonical import encode
from ringwatch.neighborhood.envelope import Record, sign_record
from ringwatch.neighborhood.geometry import area_m2, contains, is_simple, touches_circle, within
from ringwatch.neighborhood.invites import create_invite, join_body
from ringwatch.neighborhood.keys import PrivateKey, fingerprint
from ringwatch.neighborhood.order import Entry, Position, next_entry, sign_checkpoint
from ringwatch.neighborhood.places import Place, snap
from ringwatch.neighborhood.segments import Placed, pack_lines
from ringwatch.neighborhood.signed_calls import refuse_time, sign_call
from ringwatch.neighborhood.store import MemoryHistory, RecordPlace
from ringwatch.neighborhood.types import ERASABLE

TIME_S = 1_780_000_000
NAMES = ("host", "hub", "ann", "invite", "agency", "officer")


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
            prev=self.tips.get(name) if name != "hub" else None,
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


def police() -> Street:
    """The same street with an agency, its officer, a request from its details to its end, a partnership."""
    found = street()
    found.say("host", profile())
    expires_s = TIME_S + 300 * 86_400
    found.say("agency", Officer(OfficerAction.CERTIFY, KEYS["officer"].public, "Badge 12", expires_s))
    told = found.say("officer", RequestDetails("24-1189", "Find a stolen car", "Sgt. Reyes", "A white van."))
    area = ((33_304_000, -111_843_000), (33_308_000, -111_843_000), (33_308_000, -111_839_000))
    asked = found.say(
        "officer",
        FootageRequest(
            details=told.id,
            area=tuple(Place(*corner) for corner in area),
            window=Span(TIME_S - 3_600, TIME_S),
            incident=IncidentKind.VEHICLE_THEFT,
            retention_days=90,
            sharing=Sharing.COURTS,
            availability=True,
        ),
    )
    found.say("host", Moderation(asked.id, Action.RESTORE, ""))
    found.say("officer", Extension(asked.id))
    found.say("officer", Reminder(asked.id))
    found.say("hub", Availability(asked.id, Answer.NOT_ENOUGH))
    found.say("officer", Close(asked.id, Outcome.SOLVED))
    agreed = found.say("agency", Partnership("Cameras for neighbors.", "MAPLE25", 25, None))
    found.say("host", PartnershipCount(agreed.id, 20, 26))
    return found


def profile() -> Agency:
    """An agency's profile, with its proof."""
    return sign_profile(
        KEYS["agency"],
        Agency(
            name="Chandler Police",
            key=KEYS["agency"].public,
            age_recipient="age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
            domain="police.example.gov",
            kind=AgencyKind.MUNICIPAL_POLICE,
            jurisdiction=(
                Place(33_200_000, -112_100_000),
                Place(33_400_000, -112_100_000),
                Place(33_400_000, -111_700_000),
                Place(33_200_000, -111_700_000),
            ),
            retention_days=90,
            sharing=Sharing.COURTS,
            face_recognition=FaceRecognition.NEVER,
            terms="We ask.\nYou choose.",
            replaces=None,
            issued_s=TIME_S,
        ),
    )


def areas() -> dict[str, Any]:
    """Polygons: their area, whether they are simple, what is in them, what is wrong with asking for them."""
    shapes = {
        "square": [(0, 0), (0, 9_000), (9_000, 9_000), (9_000, 0)],
        "turned": [(0, 5_000), (5_000, 0), (10_000, 5_000), (5_000, 10_000)],
        "arms": [
            (0, 0), (0, 30_000), (30_000, 30_000), (30_000, 20_000), (10_000, 20_000), (10_000, 10_000),
            (30_000, 10_000), (30_000, 0),
        ],
        "bow": [(0, 0), (9_000, 9_000), (0, 9_000), (9_000, 0)],
        "spike": [(0, 0), (0, 9_000), (0, 4_000)],
        "beam": [(25_000, 0), (25_000, 30_000), (30_000, 30_000), (30_000, 0)],
    }  # fmt: skip
    bases = [(33_300_000, -111_850_000), (-33_868_000, 151_200_000), (64_146_000, -21_950_000), (0, 0)]
    found: list[dict[str, Any]] = [
        {"name": name, "corners": [[lat + y, lon + x] for y, x in corners]}
        for lat, lon in bases
        for name, corners in shapes.items()
    ]
    polygons = [tuple(Place(*corner) for corner in one["corners"]) for one in found]
    center = Place(33_306_000, -111_841_000)
    for one, polygon in zip(found, polygons, strict=True):
        one["simple"] = is_simple(polygon)
        one["area_m2"] = area_m2(polygon)
        one["holds_first_corner_plus_2000"] = contains(
            polygon, Place(polygon[0].lat_e6 + 2_000, polygon[0].lon_e6 + 2_000)
        )
        one["touches_1609_m"] = touches_circle(polygon, center, 1_609)
        simple = [other for other in polygons if is_simple(other)]
        one["within"] = [
            at for at, other in enumerate(simple) if is_simple(polygon) and within(polygon, other)
        ]
    return {"center": [center.lat_e6, center.lon_e6], "polygons": found}


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
    placed = police().placed
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
        ("body_missing", placed[4].record.erased().to_wire()),
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
            for one in placed
            if one.record.type in ERASABLE
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
    "areas": areas,
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
