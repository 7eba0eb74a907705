"""The protocol's vectors: what the code writes and reads, and what a verifier of its own makes of them."""

import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.apply import apply
from custom_components.ringwatch.neighborhood.canonical import encode, parse
from custom_components.ringwatch.neighborhood.envelope import parse_record
from custom_components.ringwatch.neighborhood.geometry import (
    area_m2,
    is_simple,
    touches_circle,
    within,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.invites import parse_link
from custom_components.ringwatch.neighborhood.keys import PrivateKey
from custom_components.ringwatch.neighborhood.order import Checkpoint, Position, next_entry, verify_chain
from custom_components.ringwatch.neighborhood.places import Place, snap
from custom_components.ringwatch.neighborhood.segments import unpack_lines
from custom_components.ringwatch.neighborhood.state import State
from custom_components.ringwatch.neighborhood.store import MemoryHistory, MemoryStore, RecordPlace
from custom_components.ringwatch.neighborhood.types import Type
from custom_components.ringwatch.neighborhood.violations import CODES, Violation

from . import verify_vectors
from .street import NOON_S

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "vectors"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def test_the_script_writes_these_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "script/lib/protocol_vectors.py", tmp_path], check=True)
    assert sorted(path.stem for path in tmp_path.iterdir()) == NAMES
    for name in NAMES:
        assert (tmp_path / f"{name}.json").read_text() == (FOLDER / f"{name}.json").read_text()


@pytest.mark.parametrize("check", verify_vectors.CHECKS, ids=lambda check: check.__name__)
def test_another_implementation_agrees(check: Any) -> None:
    check()


def test_canonical_vectors() -> None:
    vectors = load("canonical")
    for case in vectors["accepted"]:
        assert encode(case["value"]).decode() == case["canonical"]
        assert parse(case["canonical"].encode(), 1_000) == case["value"]
    for text in vectors["refused"]:
        with pytest.raises(Violation):
            parse(text.encode(), 1_000)


def test_place_vectors() -> None:
    for case in load("places")["snapped"]:
        place = snap(*case["point"])
        assert [place.lat_e6, place.lon_e6] == case["place"]


def test_record_vectors() -> None:
    vectors = load("records")
    for case in vectors["accepted"] + vectors["erased"]:
        assert parse_record(case["wire"].encode()).id == case["id"]
    for case in vectors["refused"]:
        with pytest.raises(CODES[case["code"]]):
            parse_record(case["wire"].encode())


def test_the_rules_take_the_records_of_the_vectors() -> None:
    vectors = load("records")
    hub = PrivateKey(bytes.fromhex(vectors["keys"]["hub"]["seed"]))
    history = MemoryHistory()
    state = State(MemoryStore(), history)
    for at, case in enumerate(vectors["accepted"]):
        record = parse_record(case["wire"].encode())
        hood = vectors["accepted"][0]["id"]
        entry = next_entry(hub, hood, record.id, NOON_S + at, state.position)
        apply(record, state, entry, complete=True)
        history.add(record.id, RecordPlace(entry.number, record.author, record.envelope.prev), entry.head)
    assert {parse_record(case["wire"].encode()).type for case in vectors["accepted"]} >= {
        *(Type.AGENCY, Type.FOOTAGE_REQUEST, Type.AVAILABILITY, Type.CLOSE, Type.PARTNERSHIP_COUNT)
    }


def test_area_vectors() -> None:
    vectors = load("areas")
    center = Place(*vectors["center"])
    polygons = [tuple(Place(*corner) for corner in case["corners"]) for case in vectors["polygons"]]
    simple = [polygon for polygon in polygons if is_simple(polygon)]
    for case, polygon in zip(vectors["polygons"], polygons, strict=True):
        assert (is_simple(polygon), area_m2(polygon)) == (case["simple"], case["area_m2"])
        assert touches_circle(polygon, center, 1_609) == case["touches_1609_m"]
        found = [at for at, other in enumerate(simple) if is_simple(polygon) and within(polygon, other)]
        assert found == case["within"]


def test_order_vectors() -> None:
    vectors = load("order")
    history = MemoryHistory()
    read = unpack_lines(vectors["lines"].encode(), vectors["neighborhood"], history)
    for one in read:
        place = RecordPlace(one.entry.number, one.record.author, one.record.envelope.prev)
        history.add(one.record.id, place, one.entry.head)
    tail = unpack_lines(vectors["tail"].encode(), vectors["neighborhood"], history)
    assert [one.entry.head for one in tail] == [one.entry.head for one in read[-2:]]
    assert tail[-1].record.body is None
    end = verify_chain(
        [one.entry for one in read],
        neighborhood=vectors["neighborhood"],
        hub_key=vectors["hub"],
        after=Position(),
        now_s=NOON_S + 60,
    )
    checkpoint = Checkpoint.parse(vectors["checkpoint"], vectors["neighborhood"])
    assert (checkpoint.number, checkpoint.head) == (end.number, end.head)
    assert checkpoint.is_signed_by(vectors["hub"])


def test_invite_vector() -> None:
    vector = load("calls")["invite"]
    invite = parse_link(vector["link"], now_s=NOON_S)
    assert (invite.seed.hex(), invite.certificate.to_json()) == (vector["seed"], vector["certificate"])
