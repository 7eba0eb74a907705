"""An agency on a hub that runs as a process, its officers, and packages for it: for tests and benchmarks."""

from dataclasses import dataclass, replace
import hashlib
import os
import time
from typing import Any

from script.lib.core import load_core

load_core()

from ringwatch.footage.age_file import generate_identity
from ringwatch.neighborhood.bodies import Agency, FootageRequest, Moderation, Officer, RequestDetails
from ringwatch.neighborhood.bodies.agencies import (
    AgencyKind,
    FaceRecognition,
    OfficerAction,
    Sharing,
    sign_profile,
)  # fmt: skip
from ringwatch.neighborhood.bodies.care import Action
from ringwatch.neighborhood.bodies.feed import Span
from ringwatch.neighborhood.bodies.requests import IncidentKind
from ringwatch.neighborhood.canonical import Json
from ringwatch.neighborhood.delivery import Receipt, ReceiptKind, sign_receipt
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.places import Place
from script.lib.hub_client import CENTER, Answer, Member, Street

HOUR_S = 3_600
YEAR_S = 365 * 86_400
RETENTION_DAYS = 30
REACH_E6 = 60_000  # how far a jurisdiction reaches: about 6 km
AREA_E6 = 1_800  # half a request's area: 400 m by 300 m


@dataclass
class Police:
    """An agency that is enrolled, and what it signs with."""

    street: Street
    member: Member  # its key and its place in its own chain
    profile: Agency
    identity: str

    def officer(self, name: str = "Sgt. Reyes", *, valid_s: int = YEAR_S) -> Member:
        """Certify an officer."""
        found = Member(self.street.hub, neighborhood=self.street.id)
        self.member.catch_up()
        body = Officer(OfficerAction.CERTIFY, found.key.public, name, int(time.time()) + valid_s)
        _taken(self.member.post(body))
        found.catch_up()
        return found

    def revoke(self, officer: Member) -> None:
        """Take an officer's certificate back."""
        self.member.catch_up()
        body = Officer(OfficerAction.REVOKE, officer.key.public, "Sgt. Reyes", int(time.time()))
        _taken(self.member.post(body))

    def change(self, *, key: PrivateKey | None = None, **changes: Any) -> Police:
        """Have the host take in a changed profile, or another key."""
        signer = key or self.member.key
        changed = replace(
            self.profile,
            issued_s=max(int(time.time()), self.profile.issued_s + 1),
            replaces=self.id,
            **changes,
        )
        return _enrolled(self.street, signer, changed, self.identity)

    @property
    def id(self) -> str:
        """Its subject."""
        members = self.street.host.call("GET", "/members").json["members"]
        return str(next(one["subject"] for one in members if one["key"] == self.member.key.public))


def enrol(
    street: Street, name: str = "Chicago Police", domain: str = "police.example.gov", **changes: Any
) -> Police:
    """Have the host take in an agency."""
    key, identity = PrivateKey.generate(), generate_identity()
    made = profile(key, name=name, domain=domain, age_recipient=identity.recipient, **changes)
    return _enrolled(street, key, made, identity.secret)


def profile(key: PrivateKey, **changes: Any) -> Agency:
    """Return an agency's signed profile."""
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    body = Agency(
        name="Chicago Police",
        key=key.public,
        age_recipient=generate_identity().recipient,
        domain="police.example.gov",
        kind=AgencyKind.MUNICIPAL_POLICE,
        jurisdiction=tuple(
            Place(CENTER.lat_e6 + north * REACH_E6, CENTER.lon_e6 + east * REACH_E6)
            for north, east in corners
        ),
        retention_days=RETENTION_DAYS,
        sharing=Sharing.COURTS,
        face_recognition=FaceRecognition.NEVER,
        terms="Kept for thirty days.\nShown to courts only.",
        replaces=None,
        issued_s=int(time.time()),
    )
    return sign_profile(key, replace(body, **changes))


def _enrolled(street: Street, key: PrivateKey, profile: Agency, identity: str) -> Police:
    signed = sign_profile(key, profile)
    street.host.catch_up()
    _taken(street.host.post(signed))
    member = Member(street.hub, key=key, neighborhood=street.id)
    member.catch_up()
    member.tip = member.call("GET", "").json["you"]["prev"]
    return Police(street, member, signed, identity)


def details(case: str = "26-0815") -> RequestDetails:
    """Return what people are told of a request."""
    return RequestDetails(
        case, "Find who took it.", "Sgt. Reyes, 555 0100", "Between noon and one.\nA red van."
    )


def request(details_id: str, *, now_s: int | None = None, **changes: Any) -> FootageRequest:
    """Return a request for the hour before this one."""
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    now_s = int(time.time()) if now_s is None else now_s
    body = FootageRequest(
        details=details_id,
        area=tuple(
            Place(CENTER.lat_e6 + north * AREA_E6, CENTER.lon_e6 + east * AREA_E6) for north, east in corners
        ),
        window=Span(now_s - 2 * HOUR_S, now_s - HOUR_S),
        incident=IncidentKind.PACKAGE_THEFT,
        retention_days=RETENTION_DAYS,
        sharing=Sharing.COURTS,
        availability=False,
    )
    return replace(body, **changes)


def ask(officer: Member, case: str = "26-0815", **changes: Any) -> str:
    """Have an officer ask; return the request, which waits for a moderator."""
    officer.catch_up()
    _taken(officer.post(details(case)))
    _taken(officer.post(request(str(officer.tip), **changes)))
    return str(officer.tip)


def release(street: Street, request_id: str) -> None:
    """Let a request through, as the host."""
    street.host.catch_up()
    _taken(street.host.post(Moderation(request_id, Action.RESTORE, "")))


def ciphertext(size: int = 3_000, seed: int | None = None) -> bytes:
    """Return what looks like an age file from outside; nobody can open it."""
    filling = os.urandom(size) if seed is None else hashlib.shake_256(str(seed).encode()).digest(size)
    return b"age-encryption.org/v1\n-> X25519 " + filling


@dataclass
class Package:
    """A package on its way from a member: its own key, and what the hub calls it."""

    member: Member
    request: str
    data: bytes
    key: PrivateKey
    id: str = ""

    @classmethod
    def of(cls, member: Member, request_id: str, data: bytes | None = None) -> Package:
        """Make one."""
        return cls(member, request_id, ciphertext() if data is None else data, PrivateKey.generate())

    @property
    def sha256(self) -> str:
        """Of the ciphertext."""
        return hashlib.sha256(self.data).hexdigest()

    def announce(self, **changes: Any) -> Answer:
        """Announce it, signed by the member."""
        body: dict[str, Json] = {
            "request": self.request,
            "key": self.key.public,
            "sha256": self.sha256,
            "size": len(self.data),
        }
        answer = self.member.call("POST", "/deliveries", body | changes)
        if answer.status in {200, 201}:
            self.id = answer.json["delivery"]
        return answer

    def call(self, method: str, path: str = "", body: bytes = b"", **more: Any) -> Answer:
        """Call with the package's own key."""
        return self.member.call(method, f"/deliveries/{self.id}{path}", body, **({"key": self.key} | more))

    def put(self, offset: int, part: bytes | None = None) -> Answer:
        """Send a part."""
        size = 1024 * 1024
        sent = self.data[offset : offset + size] if part is None else part
        return self.call("PUT", f"?offset={offset}", sent, content_type="application/octet-stream")

    def send(self) -> Answer:
        """Announce it, send all of it and hand it over; return the last answer."""
        answer = self.announce()
        offset = 0
        while answer.status in {200, 201} and offset < len(self.data):
            answer = self.put(offset)
            offset += 1024 * 1024
        return self.call("POST", "/commit") if answer.status in {200, 201} else answer


def receipt(
    officer: Member, package: Package, kind: ReceiptKind = ReceiptKind.RECEIVED, **changes: Any
) -> Receipt:
    """Sign for a package."""
    fields: dict[str, Any] = {
        "delivery": package.id,
        "request": package.request,
        "sha256": package.sha256,
        "kind": kind,
        "time_s": int(time.time()),
        "retention_until_s": int(time.time()) + RETENTION_DAYS * 86_400,
    }
    return sign_receipt(officer.key, **(fields | changes))


def sign_for(officer: Member, package: Package, signed: Receipt | None = None) -> Answer:
    """Send a receipt."""
    made = signed or receipt(officer, package)
    return officer.call("POST", f"/deliveries/{package.id}/receipts", made.to_json())


def _taken(answer: Answer) -> None:
    if answer.status != 201:
        raise RuntimeError(f"not taken: {answer}")
