"""`script/agency`, as an agency runs it: from no key to a certified officer on a real hub."""

import contextlib
from dataclasses import dataclass
from io import StringIO
import json
import os
from pathlib import Path
import pty
import select
import shutil
import stat
import subprocess
import sys
import time
from typing import Any

import pytest

from ringwatch.footage.age_file import recipient_of
from ringwatch.neighborhood.agency_file import parse_profile
from ringwatch.neighborhood.enrolment import well_known
from ringwatch.neighborhood.hub_link import HubLink
from ringwatch.neighborhood.key_file import open_sealed
from ringwatch.neighborhood.keys import fingerprint
from script.lib.agency import main
from script.lib.core import ROOT
from script.lib.hub_agency import ask, release
from script.lib.hub_client import CENTER, Member, Street

TOOL = ROOT / "script/agency"
AGENCYS = "the agency's long passphrase"
OFFICERS = "an officer's long passphrase"
TERMS = "Kept for thirty days.\nShown to courts only."


def border(*, closed: bool = True) -> list[list[float]]:
    lat, lon = CENTER.lat_e6 / 1e6, CENTER.lon_e6 / 1e6
    corners = [[lon + x, lat + y] for x, y in ((-0.06, -0.06), (0.06, -0.06), (0.06, 0.06), (-0.06, 0.06))]
    return corners + corners[:1] if closed else corners


@dataclass(frozen=True)
class Done:
    """What came of it."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Tool:
    """The tool, and an agency's folder."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / "agency"

    def run(self, *arguments: str, secrets: str = f"{AGENCYS}\n{OFFICERS}\n") -> Done:
        """Run its program in this process, as most tests do: starting it takes seconds."""
        out, err = StringIO(), StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(self.home):
            before, sys.stdin = sys.stdin, StringIO(secrets)
            try:
                status = main(arguments)
            except SystemExit as left:
                status = int(left.code or 0)
            finally:
                sys.stdin = before
        return Done(status, out.getvalue(), err.getvalue())

    def start(self, *arguments: str) -> Done:
        """Run it as people do."""
        done = subprocess.run(
            [str(TOOL), *arguments], input=f"{AGENCYS}\n", capture_output=True, text=True, check=False,
            cwd=self.home,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def do(self, command: str, *arguments: str, **more: Any) -> str:
        if command != "well-known":
            arguments = ("--passphrase-file", "-", *arguments)
        done = self.run(command, "--folder", str(self.folder), *arguments, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def init(self, **changes: str) -> str:
        geojson = self.home / "border.json"
        geojson.write_text(json.dumps({"type": "Polygon", "coordinates": [border()]}))
        (self.home / "terms.txt").write_text(TERMS)
        given = {
            "name": "Chicago Police", "domain": "police.example.gov", "kind": "municipal_police",
            "jurisdiction": str(geojson), "retention-days": "30", "sharing": "courts",
            "face-recognition": "never", "terms": str(self.home / "terms.txt"),
        } | changes  # fmt: skip
        return self.do("init", *(part for name, value in given.items() for part in (f"--{name}", value)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which an agency has begun."""
    found = tmp_path_factory.mktemp("agency")
    Tool(found).init()
    return found


@pytest.fixture
def tool(tmp_path: Path, made: Path) -> Tool:
    """Return the tool, with an agency of one's own."""
    shutil.copytree(made, tmp_path / "home")
    return Tool(tmp_path / "home")


def link(street: Street) -> tuple[str, ...]:
    found = HubLink(f"http://127.0.0.1:{street.hub.port}", street.id, street.hub.key)
    return ("--hub", found.link, "--allow-http")


def test_from_no_key_to_an_officer_who_asks(street: Street, tool: Tool) -> None:
    profile = parse_profile((tool.folder / "profile.json").read_bytes())
    assert (profile.name, profile.domain, profile.terms) == ("Chicago Police", "police.example.gov", TERMS)
    assert len(profile.jurisdiction) == 4
    assert json.loads(tool.do("well-known")) == well_known(profile)
    street.host.catch_up()
    assert street.host.post(profile).status == 201

    output = tool.home / "reyes.key"
    public = tool.do(
        "keyfile", "--output", str(output), "--officer-passphrase-file", "-", *link(street)
    ).strip()
    opened = open_sealed(output.read_bytes(), OFFICERS)
    assert opened.key is not None
    assert opened.key.public == public
    assert opened.agency == "Chicago Police"
    assert opened.hub == link(street)[1]
    assert recipient_of(opened.age_identity) == profile.age_recipient
    certified = tool.start(
        "certify", "--folder", str(tool.folder), "--passphrase-file", "-", "--key", public,
        "--name", "Sgt. Reyes", *link(street),
    )  # fmt: skip
    assert (certified.returncode, certified.stdout) == (0, "")
    assert "Sgt. Reyes" in certified.stderr
    officer = Member(street.hub, key=opened.key, neighborhood=street.id)
    asked = ask(officer)
    release(street, asked)
    assert officer.call("GET", "/deliveries").json["deliveries"] == []

    (tool.home / "agreement.txt").write_text("Twenty-five cameras.\nNothing is asked for them.\n")
    agreed = tool.do(
        "partnership", "--terms", str(tool.home / "agreement.txt"), "--code", "MAPLE25",
        "--seed-cameras", "25", *link(street),
    ).strip()  # fmt: skip
    [shown] = street.host.call("GET", "/partnership").json["partnerships"]
    assert (shown["partnership"], shown["code"]) == (agreed, "MAPLE25")

    tool.do("revoke", "--key", public, *link(street))
    assert officer.call("GET", "/deliveries").status == 403


def test_another_key_and_what_was_sent_before_it(street: Street, tool: Tool) -> None:
    first = parse_profile((tool.folder / "profile.json").read_bytes())
    old = (tool.folder / "agency.key").read_bytes()
    tool.do("rotate")
    second = parse_profile((tool.folder / "profile.json").read_bytes())
    assert first.key != second.key
    assert first.age_recipient != second.age_recipient
    assert second.issued_s > first.issued_s
    assert (tool.folder / "agency-1.key").read_bytes() == old
    assert recipient_of(open_sealed(old, AGENCYS).age_identity) == first.age_recipient
    new = open_sealed((tool.folder / "agency.key").read_bytes(), AGENCYS)
    assert new.key is not None
    assert new.key.public == second.key
    tool.do("rotate")
    assert (tool.folder / "agency-2.key").exists()


def test_a_profile_is_changed_and_signed_anew(tool: Tool) -> None:
    first = parse_profile((tool.folder / "profile.json").read_bytes())
    assert tool.do("profile") == (tool.folder / "profile.json").read_text()
    tool.do("profile", "--retention-days", "10", "--sharing", "none")
    second = parse_profile((tool.folder / "profile.json").read_bytes())
    assert (second.retention_days, second.sharing, second.key) == (10, "none", first.key)
    assert second.issued_s > first.issued_s


def test_files_are_their_owners_alone(tool: Tool) -> None:
    tool.do("keyfile", "--output", str(tool.home / "a.key"), "--officer-passphrase-file", "-")
    tool.do("rotate")
    made = [tool.folder, *tool.folder.iterdir(), tool.home / "a.key"]
    assert {path.name for path in made} == {
        "agency", "agency.key", "agency-1.key", "profile.json", "a.key",
    }  # fmt: skip
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for path in made[1:]:
        data = path.read_bytes()
        assert b"AGE-SECRET-KEY" not in data
        assert AGENCYS.encode() not in data


def test_a_key_that_only_reads(tool: Tool) -> None:
    assert tool.do(
        "keyfile", "--output", str(tool.home / "r.key"), "--reading-only", "--officer-passphrase-file", "-"
    ) == ""  # fmt: skip
    assert open_sealed((tool.home / "r.key").read_bytes(), OFFICERS).key is None


def test_nothing_is_written_over(tool: Tool) -> None:
    before = (tool.folder / "agency.key").read_bytes()
    again = tool.run(
        "init", "--folder", str(tool.folder), "--passphrase-file", "-", "--name", "X Police",
        "--domain", "x.gov", "--kind", "fire", "--jurisdiction", str(tool.home / "border.json"),
        "--retention-days", "1", "--sharing", "none", "--face-recognition", "never",
    )  # fmt: skip
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert (tool.folder / "agency.key").read_bytes() == before
    taken = tool.home / "taken.key"
    taken.write_text("mine")
    done = tool.run(
        "keyfile", "--folder", str(tool.folder), "--passphrase-file", "-", "--officer-passphrase-file", "-",
        "--output", str(taken),
    )  # fmt: skip
    assert done.returncode == 1
    assert taken.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "secrets", "said"),
    [
        (("rotate",), "another long passphrase\n", "the passphrase is another one"),
        (("rotate",), "", "the passphrase is empty"),
        (
            ("keyfile", "--output", "k", "--officer-passphrase-file", "-"),
            f"{AGENCYS}\nshort\n",
            "at least 12",
        ),
        (
            ("certify", "--key", "ab" * 32, "--name", "A", "--hub", "http://hub.example/hub#1.x"),
            "",
            "bad_link",
        ),
        (
            ("certify", "--key", "ab" * 32, "--name", "A", "--hub", "https://hub.example/hub#1.x"),
            "",
            "damaged",
        ),
        (("partnership", "--terms", "terms.txt", "--code", "lower", "--hub", "x"), "", "code"),
        (("partnership", "--terms", "none.txt", "--code", "MAPLE25", "--hub", "x"), "", "none.txt"),
        (("profile", "--domain", "not a domain"), f"{AGENCYS}\n", "domain"),
        (("profile", "--domain", "tips.fbi.gov"), f"{AGENCYS}\n", "federal"),
        (("profile", "--name", "ICE"), f"{AGENCYS}\n", "immigration"),
        (("profile", "--jurisdiction", "terms.txt"), f"{AGENCYS}\n", "GeoJSON"),
    ],
)
def test_what_is_wrong_is_said(tool: Tool, arguments: tuple[str, ...], secrets: str, said: str) -> None:
    command, *rest = arguments
    done = tool.run(command, "--folder", str(tool.folder), "--passphrase-file", "-", *rest, secrets=secrets)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_federal_agencies_make_no_profile(tool: Tool) -> None:
    for words in ("federal", "immigration"):
        assert tool.run("init", "--folder", "x", "--kind", words).returncode == 2
    other = Tool(tool.home / "other")
    other.home.mkdir()
    with pytest.raises(AssertionError, match="federal_agency"):
        other.init(name="Federal Bureau of Investigation")
    assert not (other.folder / "agency.key").exists()


@pytest.mark.parametrize(
    "geojson",
    [
        {"type": "Polygon", "coordinates": [border(), border()]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [border()[:2]]},
        {"type": "Polygon", "coordinates": [[[200, 10], [10, 10], [0, 0]]]},
        {"type": "Polygon", "coordinates": [["x", "y", "z"]]},
        {"type": "Polygon", "coordinates": [[[n / 1000, n * n / 1000] for n in range(65)]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0]]]},
        {"type": "Point", "coordinates": [0, 0]},
        [],
    ],
)
def test_what_is_no_jurisdiction(tool: Tool, geojson: Any) -> None:
    path = tool.home / "wrong.json"
    path.write_text(json.dumps(geojson))
    done = tool.run(
        "profile", "--folder", str(tool.folder), "--passphrase-file", "-", "--jurisdiction", str(path)
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_geojson_as_mapping_programs_write_it(tool: Tool) -> None:
    polygon = {"type": "Polygon", "coordinates": [border(closed=False)]}
    path = tool.home / "feature.json"
    feature = {"type": "Feature", "properties": {"name": "x"}, "geometry": polygon}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    before = parse_profile((tool.folder / "profile.json").read_bytes())
    tool.do("profile", "--jurisdiction", str(path))
    assert parse_profile((tool.folder / "profile.json").read_bytes()).jurisdiction == before.jurisdiction


def test_a_hub_where_the_agency_is_not_enrolled(street: Street, tool: Tool) -> None:
    tool.do("rotate")  # no host has been given this profile
    done = tool.run(
        "certify", "--folder", str(tool.folder), "--passphrase-file", "-", "--key",
        street.host.key.public, "--name", "A", *link(street),
    )  # fmt: skip
    assert done.returncode == 1
    assert "not enrolled there" in done.stderr


def test_a_passphrase_is_typed_unseen(tool: Tool) -> None:
    """On a terminal, twice for a new one; what is typed isn't shown."""
    main, side = pty.openpty()
    command = [
        str(TOOL), "keyfile", "--folder", str(tool.folder), "--output", str(tool.home / "typed.key"),
    ]  # fmt: skip
    running = subprocess.Popen(
        command, stdin=side, stdout=side, stderr=side, start_new_session=True, cwd=tool.home
    )
    os.close(side)
    shown = b""
    for asked, typed in (
        (b"agency's key: ", AGENCYS), (b"key file: ", OFFICERS), (b"again: ", OFFICERS),
    ):  # fmt: skip
        end_s = time.monotonic() + 30
        while not shown.endswith(asked) and time.monotonic() < end_s:
            if select.select([main], [], [], 1)[0]:
                shown += os.read(main, 4_096)
        assert shown.endswith(asked)
        os.write(main, typed.encode() + b"\n")
    while running.poll() is None:
        if select.select([main], [], [], 0.2)[0]:
            try:
                shown += os.read(main, 4_096)
            except OSError:
                break
    assert running.wait(30) == 0
    os.close(main)
    assert AGENCYS.encode() not in shown
    assert OFFICERS.encode() not in shown
    opened = open_sealed((tool.home / "typed.key").read_bytes(), OFFICERS)
    assert opened.key is not None
    assert len(fingerprint(opened.key.public)) == 35
