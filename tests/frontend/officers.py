"""What tests of the officer's page share: an agency with an officer, a browser, packages that really open."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
import functools
import hashlib
import http.server
import io
from pathlib import Path
import tempfile
import threading
import time

from playwright.async_api import Browser

from ringwatch.footage.age_file import generate_identity
from ringwatch.footage.custody import Changes, Clock, Custody, CustodyClip, Original
from ringwatch.footage.package import PackagePlan, write_package
from ringwatch.footage.parties import Identity, IdentityKind, Recipient
from ringwatch.neighborhood.envelope import Record
from ringwatch.neighborhood.hub_link import HubLink
from ringwatch.neighborhood.key_file import KeyFile, seal
from ringwatch.neighborhood.keys import PrivateKey
from ringwatch.neighborhood.segments import unpack_lines
from ringwatch.neighborhood.store import MemoryHistory
from script.lib.hub_agency import Package, Police, ask, enrol, release
from script.lib.hub_client import Member, Street, join, note
from tests.hub.media import film

from .neighbors import Neighbor, address, open_neighbor

PASSPHRASE = "correct horse battery staple"
ITERATIONS = 100_000  # the least that is taken: tests type it often


@dataclass
class Precinct:
    """A neighborhood with an agency, an officer's key file, and a home."""

    street: Street
    police: Police
    officer: Member
    home: Member

    @property
    def link(self) -> str:
        return HubLink(address(self.street), self.street.id, self.street.hub.key).link

    def key_file(self, *, reading_only: bool = False) -> dict[str, object]:
        """Return an officer's key file, as a browser's file chooser takes it."""
        seed = None if reading_only else self.officer.key.seed
        content = KeyFile(self.police.profile.name, self.link, seed, self.police.identity)
        data = seal(content, PASSPHRASE, iterations=ITERATIONS)
        return {"name": "officer.json", "mimeType": "application/json", "buffer": data}

    def asked(self, case: str = "26-0815", **changes: object) -> str:
        """Have the officer's records say that footage is asked for, released."""
        request = ask(self.officer, case, **changes)
        release(self.street, request)
        return request


def precinct(street: Street, *, officer: str = "Sgt. Reyes") -> Precinct:
    """Enrol an agency, certify an officer, and have a home join."""
    police = enrol(street)
    return Precinct(street, police, police.officer(officer), join(street, "Ann"))


async def open_desk(browser: Browser, page: str, at: Precinct, **more: bool) -> Neighbor:
    """Open the officer's page, use the key file, and enter the neighborhood."""
    desk = await open_neighbor(browser, **more)
    await desk.page.goto(page)
    await use_key_file(desk, at)
    await desk.page.get_by_role("button", name="It is the right one").click()
    await desk.connected()
    return desk


async def use_key_file(desk: Neighbor, at: Precinct, passphrase: str = PASSPHRASE) -> None:
    await desk.page.get_by_label("Key file", exact=True).set_input_files(at.key_file())  # type: ignore[arg-type]
    await desk.page.get_by_label("Passphrase").fill(passphrase)
    await desk.page.get_by_role("button", name="Use this key").click()


def as_officer_file(built: Path, folder: Path) -> str:
    """Return the address of a copy on the officer's own disk."""
    copy = folder / "officer.html"
    copy.write_bytes((built.parent / "officer.html").read_bytes())
    return copy.as_uri()


@contextmanager
def agency_site(built: Path, folder: Path) -> Iterator[str]:
    """Serve the page from a site that is not the hub's."""
    as_officer_file(built, folder)
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/officer.html"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def records(member: Member) -> dict[str, Record]:
    """Return all records of the order that somebody may read, by their ids."""
    history, number, found = MemoryHistory(), 0, {}
    while placed := unpack_lines(
        member.call("GET", f"/records?after={number}").body, member.neighborhood, history
    ):
        note(history, placed)
        number = placed[-1].entry.number
        found |= {one.record.id: one.record for one in placed}
    return found


def give(
    at: Precinct,
    request: str,
    *,
    name: str = "",
    camera: str = "Front door",
    clips: Sequence[bytes] = (),
    software: str = "Ringwatch 0.1.0",
    key: PrivateKey | None = None,
) -> Package:
    """Have the home pack clips for a request; the package isn't sent yet."""
    delivery = key or PrivateKey.generate()
    known = records(at.home)
    agency = next(record for record in known.values() if record.type == "agency")
    profile = at.police.profile
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for number, data in enumerate(clips or (film(),), 1):
            file = f"clip-{number:02}.mp4"
            (Path(folder) / file).write_bytes(data)
            start_ms = (int(time.time()) - 5_400) * 1000
            digest = hashlib.sha256(data).hexdigest()
            original = Original("0a" * 32, len(data) + 9, start_ms - 5_000, start_ms + 30_000)
            changes = Changes(trimmed=True, muted=True, faces_blurred=True, encoded=True)
            clock = Clock("home_assistant", -120, "NTP")
            made.append(
                CustodyClip(
                    file, digest, len(data), camera, start_ms, start_ms + 2_000, clock, original, changes
                )
            )
        kind = IdentityKind.NAME if name else IdentityKind.ANONYMOUS
        custody = Custody(
            neighborhood=at.street.id,
            request=request,
            recipient=Recipient(
                agency.id,
                profile.name,
                profile.domain,
                profile.key,
                profile.age_recipient,
                profile.retention_days,
                profile.sharing.value,
                profile.face_recognition.value,
            ),
            delivery_key=delivery.public,
            created_s=int(time.time()),
            software=software,
            identity=Identity(kind, name),
            member_key=at.home.key.public if name else None,
            clips=tuple(made),
        )
        plan = PackagePlan(
            custody,
            Path(folder),
            delivery,
            at.home.key,
            (agency, known[request]),
            generate_identity().recipient,
        )
        out = io.BytesIO()
        write_package(out, plan)
    return Package(at.home, request, out.getvalue(), delivery)
