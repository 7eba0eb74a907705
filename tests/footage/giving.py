"""What tests give: a home, an agency that asks, clips of known bytes, and the package of them."""

from dataclasses import dataclass
import hashlib
import io
from pathlib import Path
import random
from typing import Any

from ringwatch.footage.age_file import Identity as AgeIdentity, generate_identity
from ringwatch.footage.custody import Changes, Clock, Custody, CustodyClip, Original
from ringwatch.footage.package import PackagePlan, Sealed, write_package
from ringwatch.footage.parties import Identity, Recipient
from ringwatch.neighborhood.bodies import Agency, FootageRequest
from ringwatch.neighborhood.bodies.agencies import (
    AgencyKind,
    FaceRecognition,
    Sharing,
    sign_profile,
)
from ringwatch.neighborhood.bodies.feed import Span
from ringwatch.neighborhood.bodies.requests import IncidentKind
from ringwatch.neighborhood.envelope import Record, sign_record
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.places import Place

NOON_S = 1_780_000_000
NEIGHBORHOOD = "9f" * 32


def key(name: str) -> PrivateKey:
    return PrivateKey(hashlib.sha256(name.encode()).digest())


MEMBER, DELIVERY, AGENCY, OFFICER, HOST = (
    key(name) for name in ("member", "delivery", "agency", "officer", "host")
)
POLICE: AgeIdentity = generate_identity()
HOME: AgeIdentity = generate_identity()


def agency_body(**changes: Any) -> Agency:
    fields: dict[str, Any] = {
        "name": "Chandler Police Department",
        "key": AGENCY.public,
        "age_recipient": POLICE.recipient,
        "domain": "police.chandler.example",
        "kind": AgencyKind.MUNICIPAL_POLICE,
        "jurisdiction": (
            Place(33_200_000, -111_970_000),
            Place(33_200_000, -111_780_000),
            Place(33_400_000, -111_780_000),
        ),
        "retention_days": 90,
        "sharing": Sharing.COURTS,
        "face_recognition": FaceRecognition.NEVER,
        "terms": "Deleted when the case is closed.",
        "replaces": None,
    }
    return sign_profile(AGENCY, Agency(**(fields | changes)))


def record(signer: PrivateKey, body: Any, number: int = 0) -> Record:
    return sign_record(
        signer,
        body,
        neighborhood=NEIGHBORHOOD,
        created_s=NOON_S,
        prev=None,
        head="1c" * 32,
        salt=bytes([number]) * 16,
    )


AGENCY_RECORD = record(HOST, agency_body())
REQUEST_RECORD = record(
    OFFICER,
    FootageRequest(
        details="4d" * 32,
        area=(
            Place(33_303_000, -111_844_000),
            Place(33_303_000, -111_839_000),
            Place(33_307_000, -111_839_000),
        ),
        window=Span(NOON_S - 7_200, NOON_S - 3_600),
        incident=IncidentKind.BURGLARY,
        retention_days=90,
        sharing=Sharing.COURTS,
        availability=False,
    ),
)


def recipient(**changes: Any) -> Recipient:
    body = agency_body()
    fields: dict[str, Any] = {
        "agency_id": AGENCY_RECORD.id,
        "name": body.name,
        "domain": body.domain,
        "key": body.key,
        "age_recipient": body.age_recipient,
        "retention_days": body.retention_days,
        "sharing": body.sharing.value,
        "face_recognition": body.face_recognition.value,
    }
    return Recipient(**(fields | changes))


def clip_bytes(number: int, size: int) -> bytes:
    return random.Random(number).randbytes(size)


def custody_clip(name: str, sha256: str, size: int) -> CustodyClip:
    """Return what a record says of a file."""
    start_ms = (NOON_S - 6_000) * 1000
    return CustodyClip(
        file=name,
        sha256=sha256,
        size_bytes=size,
        camera="Front yard",
        start_ms=start_ms,
        end_ms=start_ms + 20_000,
        clock=Clock("home_assistant", -120, "NTP"),
        original=Original("0a" * 32, size + 5, start_ms - 5_000, start_ms + 30_000),
        changes=Changes(trimmed=True, muted=True, faces_blurred=True, boxes=2, encoded=True),
    )


def write_clips(folder: Path, sizes: tuple[int, ...]) -> tuple[CustodyClip, ...]:
    """Write files and return what the record says of them."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, size in enumerate(sizes, 1):
        data = clip_bytes(number, size)
        name = f"clip-{number:02}.mp4"
        (folder / name).write_bytes(data)
        found.append(custody_clip(name, hashlib.sha256(data).hexdigest(), size))
    return tuple(found)


def custody(clips: tuple[CustodyClip, ...], **changes: Any) -> Custody:
    fields: dict[str, Any] = {
        "neighborhood": NEIGHBORHOOD,
        "request": REQUEST_RECORD.id,
        "recipient": recipient(),
        "delivery_key": DELIVERY.public,
        "created_s": NOON_S,
        "software": "Ringwatch 0.1.0",
        "identity": Identity(),
        "member_key": None,
        "clips": clips,
    }
    return Custody(**(fields | changes))


@dataclass
class Made:
    """A package and what it was made of."""

    data: bytes
    sealed: Sealed
    plan: PackagePlan


def make(folder: Path, sizes: tuple[int, ...] = (70_000, 3_000), **changes: Any) -> Made:
    clips = write_clips(folder, sizes)
    plan = PackagePlan(
        custody=custody(clips, **changes),
        folder=folder,
        delivery=DELIVERY,
        member=MEMBER,
        certificates=(AGENCY_RECORD, REQUEST_RECORD),
        own_recipient=HOME.recipient,
    )
    out = io.BytesIO()
    sealed = write_package(out, plan)
    return Made(out.getvalue(), sealed, plan)
