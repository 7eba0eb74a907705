"""The public register: what anybody sees of agencies and requests, and nothing of neighbors."""

from collections.abc import Iterator
import csv
from html.parser import HTMLParser
from io import StringIO
import json
import re
import sqlite3
import time
from typing import Any

from playwright.async_api import async_playwright
import pytest

from ringwatch.hub import register, register_csv, register_html
from ringwatch.hub.register import answers
from ringwatch.hub.schema import open_reader
from ringwatch.neighborhood.bodies import (
    Close,
    Extension,
    LegalDemand,
    Moderation,
    Partnership,
    PartnershipCount,
    Reminder,
    Role,
)  # fmt: skip
from ringwatch.neighborhood.bodies.agencies import DemandKind
from ringwatch.neighborhood.bodies.care import Action
from ringwatch.neighborhood.bodies.people import RoleName
from ringwatch.neighborhood.bodies.requests import Outcome, RequestDetails
from ringwatch.neighborhood.keys import PrivateKey
from script.lib.browser import ARGUMENTS, chromium
from script.lib.hub_agency import Package, ask, enrol, release, request, sign_for
from script.lib.hub_client import HubProcess, Member, Street, found, join, post

from .conftest import MakeStreet

HOSTILE = "</style><img src=x onerror=alert(1)><script>alert(2)</script>\"'{{7*7}}&lt;"


def read(street: Street) -> dict[str, Any]:
    """Return the register as it is now, not as it was half a minute ago."""
    db = open_reader(street.hub.data / street.id / "hub.db")
    try:
        return register.read(db, street.id)
    finally:
        db.close()


def say(member: Member, body: Any) -> str:
    member.catch_up()
    answer = member.post(body)
    assert answer.status == 201, answer
    return str(member.tip)


def test_every_step_of_a_request_is_shown(make_street: MakeStreet) -> None:
    street = make_street()
    police = enrol(street)
    officer = police.officer()
    robin = join(street, "Robin")
    asked = ask(officer)
    assert (read(street)["requests"], read(street)["requests_waiting"]) == ([], 1)
    release(street, asked)
    say(officer, Reminder(asked))
    say(officer, Extension(asked))
    package = Package.of(robin, asked)
    assert package.send().status == 200
    assert sign_for(officer, package).status == 201
    [shown] = read(street)["requests"]
    assert (shown["status"], shown["incident"], shown["officer"]) == ("open", "package_theft", "Sgt. Reyes")
    assert (shown["extended"], shown["outcome"], shown["closed"]) == (True, None, None)
    assert shown["details"]["case_number"] == "26-0815"
    assert shown["answers"] == {"at_least": 0, "exact": None, "words": "fewer than 5"}
    assert len(shown["area"]) == 4
    say(officer, Close(asked, Outcome.SOLVED))
    found_ = read(street)
    assert (found_["requests"][0]["status"], found_["requests"][0]["outcome"]) == ("closed", "solved")
    assert found_["requests_waiting"] == 0

    text = json.dumps(found_)
    for secret in ("Robin", robin.key.public, str(robin.tip), package.id, package.sha256):
        assert secret not in text


def test_few_answers_are_not_counted_aloud() -> None:
    few = {"at_least": 0, "exact": None, "words": "fewer than 5"}
    assert [answers(count, is_over=over) for count in (0, 1, 4) for over in (False, True)] == [few] * 6
    for count in (5, 6, 90):
        assert answers(count, is_over=False) == {"at_least": 5, "exact": None, "words": "5 or more"}
        assert answers(count, is_over=True) == {"at_least": count, "exact": count, "words": str(count)}


def test_a_count_is_told_when_nothing_can_come_any_more(make_street: MakeStreet) -> None:
    street = make_street()
    officer = enrol(street).officer()
    asked = ask(officer)
    release(street, asked)
    for number in range(3):
        member = join(street, f"Robin {number}")
        for _ in range(2):
            assert Package.of(member, asked).send().status == 200
    assert read(street)["requests"][0]["answers"]["words"] == "5 or more"
    say(officer, Close(asked, Outcome.UNSOLVED))
    assert read(street)["requests"][0]["answers"]["words"] == "5 or more"  # for a day packages may still come


def test_agencies_with_what_they_promise(make_street: MakeStreet) -> None:
    street = make_street()
    police = enrol(street)
    campus = enrol(street, "College Police", "police.college.example")
    street.host.catch_up()
    say(street.host, Role(campus.id, RoleName.NONE))
    key = PrivateKey.generate()
    police.change(key=key, retention_days=10)
    shown = {one["name"]: one for one in read(street)["agencies"]}
    assert shown.keys() == {"Chicago Police", "College Police"}
    assert shown["College Police"]["standing"] == "suspended"
    chicago = shown["Chicago Police"]
    assert (chicago["key"], chicago["retention_days"], chicago["standing"]) == (key.public, 10, "enrolled")
    assert abs(chicago["hold_until"] - time.time() - 72 * 3_600) < 60
    assert re.fullmatch(r"(?:\d{5} ){5}\d{5}", chicago["fingerprint"])


def test_partnerships_and_demands(make_street: MakeStreet) -> None:
    street = make_street()
    police = enrol(street)
    agreed = say(police.member, Partnership("All of it.\nIn two lines.", "MAPLE25", 25, None))
    say(street.host, PartnershipCount(agreed, 20, 21))
    say(
        street.host,
        LegalDemand(DemandKind.WARRANT, "A court", int(time.time()) - 60, "One post.", "Nobody yet."),
    )
    found_ = read(street)
    [shown] = found_["partnerships"]
    assert (shown["terms"], shown["code"], shown["households"]) == (
        "All of it.\nIn two lines.",
        "MAPLE25",
        20,
    )
    assert (shown["seed_cameras"], shown["cameras_given"], shown["replaced"]) == (25, 21, False)
    [demand] = found_["demands"]
    assert (demand["kind"], demand["given"], demand["told"]) == ("warrant", "One post.", "Nobody yet.")


def test_decisions_about_neighbors_are_told_without_words(make_street: MakeStreet) -> None:
    street = make_street()
    officer = enrol(street).officer()
    robin = join(street, "Robin")
    assert robin.post(post("A quarrel")).status == 201
    say(street.host, Moderation(str(robin.tip), Action.REMOVE, "Names the Smiths of number 12."))
    asked = ask(officer)
    say(street.host, Moderation(asked, Action.REMOVE, "Not about this street."))
    found_ = read(street)
    about = [(one["about"], one["action"], one["reason"]) for one in found_["moderation"]]
    assert about == [
        ("footage_request", "remove", "Not about this street."),
        ("post", "remove", None),
    ]
    text = json.dumps(found_)
    for secret in ("Smith", "quarrel", "Robin", "Holly"):
        assert secret not in text
    assert [one["status"] for one in found_["requests"]] == ["refused"]
    assert found_["requests"][0]["details"] is None


def test_what_was_erased_is_gone_from_the_register(make_street: MakeStreet) -> None:
    """As ninety days after the end: the request stays, its words are gone."""
    street = make_street()
    officer = enrol(street).officer()
    asked = ask(officer)
    release(street, asked)
    say(officer, Close(asked, Outcome.SOLVED))
    street.hub.stop()
    with sqlite3.connect(street.hub.data / street.id / "hub.db") as db:
        [details] = db.execute("SELECT key FROM state WHERE tbl = 'details'").fetchall()
        db.execute("DELETE FROM state WHERE tbl = 'details'")
        db.execute("UPDATE records SET body = NULL, salt = NULL WHERE id = ?", (bytes.fromhex(details[0]),))
    street.hub.start()
    page = street.hub.request("GET", f"/register/{street.id}").body.decode()
    assert "26-0815" not in page
    assert "erased 90 days after the end of the request" in page
    assert "Package theft" in page


# ---- as pages ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Return a neighborhood where every text is an attack."""
    import pytest_socket

    pytest_socket.enable_socket()
    street = found(HubProcess(tmp_path_factory.mktemp("hostile")), name=HOSTILE[:60])
    police = enrol(street, HOSTILE[:60], terms=HOSTILE + "\n=cmd|' /C calc'!A0")
    officer = police.officer(f"=1+1{HOSTILE}"[:60])
    officer.catch_up()
    details = RequestDetails(HOSTILE[:40], f"@SUM(1){HOSTILE}", f"+1{HOSTILE}", f"-1\n{HOSTILE}")
    assert officer.post(details).status == 201
    assert officer.post(request(str(officer.tip))).status == 201
    release(street, str(officer.tip))
    second = ask(officer)
    say(street.host, Moderation(second, Action.REMOVE, f"=1{HOSTILE}"))
    agreed = Partnership(f"=HYPERLINK(1)\n{HOSTILE}", "MAPLE25", 25, None)
    say(police.member, agreed)
    say(
        street.host,
        LegalDemand(DemandKind.OTHER, f"={HOSTILE}"[:60], int(time.time()) - 60, HOSTILE, f"+{HOSTILE}"),
    )
    yield street
    street.hub.stop()


def test_words_of_others_are_words(hostile: Street) -> None:
    answer = hostile.hub.request("GET", f"/register/{hostile.id}")
    page = answer.body.decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</style>") == 1
    assert page.count("&lt;script&gt;alert(2)") >= 8
    tags = _Tags()
    tags.feed(page)
    assert tags.names <= {
        "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "section",
        "article", "figure", "figcaption", "h1", "h2", "h3", "p", "a", "b", "bdi", "span", "code", "time",
        "dl", "div", "dt", "dd", "ul", "li", "details", "summary", "svg", "circle", "polygon", "path", "text",
    }  # fmt: skip
    assert tags.attributes <= {
        "lang", "charset", "name", "content", "class", "id", "dir", "href", "download", "datetime", "role",
        "aria-label", "aria-labelledby", "viewbox", "cx", "cy", "r", "points", "x", "y", "d",
    }  # fmt: skip
    assert all(link.startswith(("#", f"/register/{hostile.id}.")) for link in tags.links)


class _Tags(HTMLParser):
    """Collects which elements, attributes and links a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


async def _open(street: Street, path: str, **more: Any) -> dict[str, Any]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        try:
            context = await browser.new_context(**more)
            page = await context.new_page()
            said: list[str] = []
            asked: list[str] = []
            page.on("dialog", lambda dialog: said.append(dialog.message))
            page.on("console", lambda message: said.append(message.text))
            page.on("request", lambda one: asked.append(one.url))
            await page.goto(f"http://127.0.0.1:{street.hub.port}{path}")
            found_ = await page.evaluate(
                """() => ({
                    scripts: document.querySelectorAll('script, img, iframe, object, embed, link').length,
                    handlers: [...document.querySelectorAll('*')]
                        .filter((one) => [...one.attributes].some((a) => a.name.startsWith('on'))).length,
                    wide: document.documentElement.scrollWidth > innerWidth,
                    styled: getComputedStyle(document.querySelector('nav a, .empty')).color,
                    text: document.body.innerText,
                    shapes: document.querySelectorAll('svg polygon').length,
                })"""
            )
            return {**found_, "said": said, "asked": asked}
        finally:
            await browser.close()


@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="no Chromium")
@pytest.mark.parametrize("size", [(412, 915), (1280, 900)])
async def test_in_a_browser(hostile: Street, size: tuple[int, int]) -> None:
    found_ = await _open(hostile, f"/register/{hostile.id}", viewport={"width": size[0], "height": size[1]})
    assert found_["said"] == []
    assert (found_["scripts"], found_["handlers"], found_["wide"]) == (0, 0, False)
    assert found_["shapes"] == 3  # a jurisdiction, two areas
    assert "<script>alert(2)</script>" in found_["text"]
    assert found_["asked"] == [f"http://127.0.0.1:{hostile.hub.port}/register/{hostile.id}"]


@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="no Chromium")
async def test_light_and_dark(hostile: Street) -> None:
    path = f"/register/{hostile.id}"
    light, dark = [await _open(hostile, path, color_scheme=scheme) for scheme in ("light", "dark")]
    assert light["styled"] != dark["styled"]  # the style sheet is applied: its digest is right


def test_a_spreadsheet_is_told_no_formula(hostile: Street) -> None:
    answer = hostile.hub.request("GET", f"/register/{hostile.id}.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(answer.body.decode(), newline="")))
    assert {row["section"] for row in rows} == {
        "agency", "partnership", "request", "legal_demand", "moderation",
    }  # fmt: skip
    for row in rows:
        for value in row.values():
            assert not re.match(r"\s*[=+\-@|%\t\r]", value), value
            assert "\n" not in value
    assert any("alert(2)" in row["text"] for row in rows)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("=1+1", "'=1+1"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("\u3000\uff1d1", "'\u3000\uff1d1"),
        ("-2", "'-2"),
        ("@x", "'@x"),
        ("a=b", "a=b"),
        ("a\x00b\x1b[0m", "ab[0m"),
        ("a\nb", "a / b"),
        ("", ""),
        (None, ""),
        (0, "0"),
    ],
)
def test_cells(given: object, written: str) -> None:
    assert register_csv._cell(given) == written


def test_as_data(hostile: Street) -> None:
    answer = hostile.hub.request(
        "GET", f"/register/{hostile.id}.json", headers={"Origin": "https://x.example"}
    )
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json["format"] == "ringwatch-register/1"
    assert answer.json == json.loads(json.dumps(read(hostile)))


def test_what_has_not_changed_is_not_sent_again(hostile: Street) -> None:
    for suffix in ("", ".json", ".csv"):
        path = f"/register/{hostile.id}{suffix}"
        first = hostile.hub.request("GET", path)
        again = hostile.hub.request("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
        head = hostile.hub.request("HEAD", path)
        assert (head.status, head.body) == (200, b"")


def test_there_is_no_other_register(hostile: Street) -> None:
    for name in ("ab" * 32, "elsewhere", hostile.id.upper(), hostile.id[:-1]):
        answer = hostile.hub.request("GET", f"/register/{name}")
        assert answer.status == 404
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert name not in answer.body.decode()
    for name in ("ab" * 32 + ".json", f"{hostile.id}.xml", f"{hostile.id}.", f"{hostile.id}.json.csv"):
        assert hostile.hub.request("GET", f"/register/{name}").status == 404
    for path in ("/register", "/register/", f"/register/{hostile.id}/x"):
        assert hostile.hub.request("GET", path).status == 404
    assert hostile.hub.request("POST", f"/register/{hostile.id}").status == 405
    assert hostile.hub.request("GET", f"/register/{hostile.id}?x=1").status == 400


def test_a_page_for_what_is_wrong_is_a_page() -> None:
    page = register_html.write_error("<b>", "</style><script>").decode()
    assert "<b>" not in page
    assert page.count("</style>") == 1
