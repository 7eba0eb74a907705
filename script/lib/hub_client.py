"""A hub as a process, and members that call it: for tests and benchmarks.

Blocking: `http.client` and the core's own signatures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import http.client
import json
import os
from pathlib import Path
import ssl
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

from script.lib.core import ROOT, load_core

load_core()

from ringwatch.neighborhood.bodies import Body, Comment, Founding, Post
from ringwatch.neighborhood.bodies.feed import Category, Media, MediaType, Span
from ringwatch.neighborhood.bodies.people import Mode
from ringwatch.neighborhood.canonical import Json, digest, encode
from ringwatch.neighborhood.envelope import Record, sign_record
from ringwatch.neighborhood.invites import Invite, create_invite, join_body, parse_link
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.places import Place, snap
from ringwatch.neighborhood.segments import Placed, unpack_lines
from ringwatch.neighborhood.signed_calls import sign_call
from ringwatch.neighborhood.store import MemoryHistory, RecordPlace

PROGRAM = ROOT / "custom_components/ringwatch/hub/__main__.py"
START_S = 20.0
CENTER = snap(41_880_000, -87_630_000)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.json["code"])


class HubProcess:
    """The real program, as Home Assistant starts it. Kept running in a `with`."""

    def __init__(self, folder: Path, arguments: Sequence[str] = (), **settings: Any) -> None:
        self.folder = folder
        self.settings: dict[str, Any] = {
            "data": str(folder / "data"),
            "listen": ["127.0.0.1"],
            "port": 0,
            "keep_free_bytes": 0,
            "calls_per_minute": 100_000,
            "calls_per_minute_per_address": 1_000_000,
            "records_per_hour": 100_000,
            "records_per_hour_per_address": 1_000_000,
            "max_connections_per_address": 10_000,
        } | settings
        self.arguments = arguments
        self.process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}
        self.tls: ssl.SSLContext | None = None

    @property
    def config(self) -> Path:
        """The configuration's file."""
        return self.folder / "hub.json"

    @property
    def log(self) -> Path:
        """What it wrote on standard error."""
        return self.folder / "hub.log"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.ready["port"])

    @property
    def key(self) -> str:
        """Its public key."""
        return str(self.ready["hub_key"])

    @property
    def data(self) -> Path:
        """Where it keeps everything."""
        return Path(self.settings["data"])

    def start(self) -> Self:
        """Start it and wait until it says that it serves."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps(self.settings))
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM), "--config", str(self.config), *self.arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd="/",
                env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            )
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise RuntimeError(f"no hub: {self.process.wait()}, {self.log.read_text()[-2000:]}")
        self.ready = json.loads(line)
        return self

    def stop(self) -> int:
        """Ask it to stop; return its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        return self._wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self._wait()

    def _wait(self) -> int:
        if self.process is None:
            return 0
        status = self.process.wait(START_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.process = None
        return status

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        timeout_s: float = 60.0,
    ) -> Answer:
        """Call without a signature."""
        connection: http.client.HTTPConnection
        if self.tls:
            connection = http.client.HTTPSConnection(
                "localhost", self.port, timeout=timeout_s, context=self.tls
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            found = connection.getresponse()
            return Answer(found.status, dict(found.getheaders()), found.read())
        finally:
            connection.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@dataclass
class Street:
    """A neighborhood on a hub, seen from its homes."""

    hub: HubProcess
    id: str
    host: Member


@dataclass
class Member:
    """A home: its key, and its place in its own chain."""

    hub: HubProcess
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    neighborhood: str = ""
    tip: str | None = None
    head: str | None = None
    invite: Invite | None = None
    clock_offset_s: int = 0

    @property
    def base(self) -> str:
        """Where its calls begin."""
        return f"/v1/{self.neighborhood}"

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Json = b"",
        headers: Mapping[str, str] | None = None,
        *,
        key: PrivateKey | None = None,
        content_type: str = "application/json",
        timeout_s: float = 60.0,
    ) -> Answer:
        """Make a signed call below the neighborhood's address."""
        data = body if isinstance(body, bytes) else encode(body)
        full = self.base + path
        signed = sign_call(
            key or self.key,
            neighborhood=self.neighborhood,
            hub_key=self.hub.key,
            method=method,
            path=full,
            body=data,
            time_s=int(time.time()) + self.clock_offset_s,
        )
        more = {"Content-Type": content_type} if data else {}
        return self.hub.request(method, full, data, signed | more | dict(headers or {}), timeout_s=timeout_s)

    def sign(self, body: Body, *, created_s: int | None = None, prev: str | None = "") -> Record:
        """Sign a record as this home's next one."""
        return sign_record(
            self.key,
            body,
            neighborhood=self.neighborhood or None,
            created_s=int(time.time()) if created_s is None else created_s,
            prev=self.tip if prev == "" else prev,
            head=self.head,
            salt=os.urandom(16),
        )

    def send(self, record: Record) -> Answer:
        """Send a record; take over where it stands."""
        answer = self.call("POST", "/records", record.to_wire())
        if answer.status in {200, 201}:
            self.tip, self.head = record.id, answer.json["entry"]["head"]
        return answer

    def post(self, body: Body) -> Answer:
        """Sign a record and send it."""
        return self.send(self.sign(body))

    def catch_up(self) -> None:
        """Learn the newest head."""
        self.head = self.call("GET", "").json["position"]["head"]

    def upload(self, data: bytes, media: Media) -> Answer:
        """Upload a clip or picture, in parts; return the last answer."""
        answer = self.call("POST", "/uploads", media.to_json())
        while answer.status in {200, 201} and answer.json["state"] == "open":
            state = answer.json
            part = data[state["offset"] : state["offset"] + state["part_bytes"]]
            answer = self.call(
                "PUT",
                f"/uploads/{media.sha256}?offset={state['offset']}",
                part,
                {"Ringwatch-Upload-Token": state["token"]},
                content_type="application/octet-stream",
            )
        return answer


def found(hub: HubProcess, *, mode: Mode = Mode.AFTER, name: str = "Elm Street", **settings: Any) -> Street:
    """Start a hub that the host may found a neighborhood on, and found one."""
    host = Member(hub)
    hub.settings["hosts"] = [*hub.settings.get("hosts", []), host.key.public]
    hub.settings |= settings
    if hub.process is not None:
        hub.stop()
    hub.start()
    record = host.sign(founding(hub, mode=mode, name=name))
    host.neighborhood = record.id
    answer = host.send(record)
    if answer.status != 201:
        raise RuntimeError(f"not founded: {answer}")
    return Street(hub, record.id, host)


def founding(hub: HubProcess, *, mode: Mode = Mode.AFTER, name: str = "Elm Street") -> Founding:
    """Return a founding."""
    return Founding(name, "Holly", CENTER, 1_609, hub.key, mode, 30, 14, "Be kind.")


def invited(street: Street, *, seed: bytes | None = None, now_s: int | None = None) -> Member:
    """Return a home that has an invite, and hasn't used it."""
    invite = create_invite(
        street.host.key,
        neighborhood=street.id,
        hub_key=street.hub.key,
        url="http://127.0.0.1",
        now_s=int(time.time()) if now_s is None else now_s,
        seed=seed or os.urandom(32),
    )
    return Member(
        street.hub, neighborhood=street.id, invite=parse_link(invite.link, now_s=0, allow_http=True)
    )


def invite_headers(member: Member) -> dict[str, str]:
    """Return the header that shows an invite."""
    from base64 import urlsafe_b64encode

    if member.invite is None:
        return {}
    packed = encode(member.invite.certificate.to_json())
    return {"Ringwatch-Invite": urlsafe_b64encode(packed).decode().rstrip("=")}


def ask_with_invite(
    member: Member, method: str, path: str, body: bytes | Json = b"", *, key: PrivateKey | None = None
) -> Answer:
    """Make a call that is signed with an invite's key."""
    if member.invite is None:
        raise ValueError("there is no invite")
    return member.call(method, path, body, invite_headers(member), key=key or member.invite.key)


def join(street: Street, handle: str) -> Member:
    """Invite a home and have it join."""
    member = invited(street)
    answer = send_join(member, handle)
    if answer.status != 201:
        raise RuntimeError(f"not joined: {answer}")
    return member


def send_join(member: Member, handle: str) -> Answer:
    """Join with the invite that a home has."""
    if member.invite is None:
        raise ValueError("there is no invite")
    member.head = ask_with_invite(member, "GET", "").json["position"]["head"]
    record = member.sign(join_body(member.invite, member.key, handle))
    answer = ask_with_invite(member, "POST", "/records", record.to_wire())
    if answer.status in {200, 201}:
        member.tip, member.head = record.id, answer.json["entry"]["head"]
    return answer


def join_by_link(link: str, port: int, handle: str) -> Member:
    """Join a neighborhood on a hub of this machine that somebody else runs."""
    invite = parse_link(link, now_s=int(time.time()), allow_http=True)
    hub = HubProcess(Path())
    hub.ready = {"port": port, "hub_key": invite.hub_key}
    member = Member(hub, neighborhood=invite.certificate.neighborhood, invite=invite)
    answer = send_join(member, handle)
    if answer.status != 201:
        raise RuntimeError(f"not joined: {answer}")
    return member


def post(
    title: str = "A parcel is gone",
    text: str = "It stood beside the door.",
    *,
    category: Category = Category.PACKAGE,
    place: Place | None = CENTER,
    media: tuple[Media, ...] = (),
) -> Post:
    """Return a post of something that happened a minute ago."""
    now_s = int(time.time())
    return Post(category, title, text, place, Span(now_s - 60, now_s - 60), media)


def comment(post_id: str, text: str = "I saw it, too.") -> Comment:
    """Return a comment."""
    return Comment(post_id, text)


def describe(data: bytes, kind: MediaType, width: int, height: int, duration_ms: int = 0) -> Media:
    """Return what is announced of a file."""
    return Media(digest(data), len(data), kind, duration_ms, width, height)


def note(history: MemoryHistory, placed: Sequence[Placed]) -> None:
    """Add what was read to what is known of the order."""
    for one in placed:
        place = RecordPlace(one.entry.number, one.record.author, one.record.envelope.prev)
        history.add(one.record.id, place, one.entry.head)


def history_of(member: Member) -> MemoryHistory:
    """Read the whole order, as somebody does who has just joined."""
    history = MemoryHistory()
    number = 0
    while placed := unpack_lines(
        member.call("GET", f"/records?after={number}").body, member.neighborhood, history
    ):
        note(history, placed)
        number = placed[-1].entry.number
    return history
