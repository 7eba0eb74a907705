"""The register as a page: no script, one style sheet in it, every word of others escaped."""

from base64 import b64encode
from collections.abc import Callable
import hashlib
from html import escape
from typing import Any, Final

from . import register_words as words
from .register_map import Shape, draw
from .register_style import STYLE
from .register_words import span, when, word

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'sha256-"
        + b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
        + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def write(register: dict[str, Any]) -> bytes:
    """Return the page."""
    hood = register["neighborhood"]
    names = {agency["id"]: agency["name"] for agency in register["agencies"]}
    parts = [
        _header(register),
        "<main>",
        _section("agencies", "Agencies", _agencies(register)),
        _section("requests", "Footage requests", _requests(register, names)),
        _section("partnerships", "Partnerships", _partnerships(register, names)),
        _section("demands", "Legal demands on this hub", _demands(register)),
        _section("moderation", "What moderators decided", _moderation(register)),
        "</main>",
        _footer(register),
    ]
    return _page(f"{hood['name']}: public register", "\n".join(parts))


def write_error(title: str, text: str) -> bytes:
    """Return a page that says what is wrong."""
    return _page(
        title, f'<header><h1>{escape(title)}</h1></header><main><p class="empty">{escape(text)}</p></main>'
    )


def _page(title: str, body: str) -> bytes:
    return _PAGE.format(title=escape(title), style=STYLE, body=body).encode()


def _header(register: dict[str, Any]) -> str:
    hood = register["neighborhood"]
    counts = (
        ("agencies", "Agencies", sum(one["standing"] == "enrolled" for one in register["agencies"])),
        ("requests", "Requests", register["requests_in_all"]),
        ("partnerships", "Partnerships", sum(not one["replaced"] for one in register["partnerships"])),
        ("demands", "Legal demands", len(register["demands"])),
        ("moderation", "Decisions", len(register["moderation"])),
    )
    links = "".join(f'<a href="#{place}"><b>{count}</b> {escape(name)}</a>' for place, name, count in counts)
    return (
        f'<header><p class="kicker">Public register</p><h1 dir="auto">{escape(hood["name"])}</h1>'
        "<p>Which agencies ask this neighborhood for footage, what they asked for, and what they promise."
        " Who answered is known to nobody but the agency; answering is up to each home.</p>"
        f'<nav aria-label="Sections">{links}</nav></header>'
    )


def _section(place: str, title: str, body: str) -> str:
    heading = f'<h2 id="{place}-title">{escape(title)}</h2>'
    return f'<section id="{place}" aria-labelledby="{place}-title">{heading}{body}</section>'


def _list(entries: list[Any], write_one: Callable[[Any], str], empty: str) -> str:
    if not entries:
        return f'<p class="empty">{escape(empty)}</p>'
    return f'<div class="cards">{"".join(write_one(one) for one in entries)}</div>'


def _facts(*facts: tuple[str, str | None]) -> str:
    """Return terms and what they are; the second is HTML already. Those without are left out."""
    shown = "".join(f"<div><dt>{escape(name)}</dt><dd>{text}</dd></div>" for name, text in facts if text)
    return f"<dl>{shown}</dl>"


def _text(text: str) -> str:
    return f'<span class="text" dir="auto">{escape(text)}</span>' if text else ""


def _more(title: str, text: str) -> str:
    if not text:
        return ""
    return f"<details><summary>{escape(title)}</summary><p>{_text(text)}</p></details>"


# ---- agencies ------------------------------------------------------------------------------------------


def _agencies(register: dict[str, Any]) -> str:
    agencies = register["agencies"]
    numbers = {one["id"]: number for number, one in enumerate(agencies, 1)}
    cards = _list(agencies, lambda one: _agency(one, numbers[one["id"]]), "No agency is enrolled here.")
    shapes = [
        Shape(one["jurisdiction"], str(numbers[one["id"]]), one["name"], "jurisdiction")
        for one in agencies
        if one["standing"] == "enrolled"
    ]
    return cards + _map(register, shapes, "Jurisdictions; the circle is the neighborhood")


def _agency(one: dict[str, Any], number: int) -> str:
    hold = one["hold_until"]
    facts = _facts(
        ("Kind", word(words.KINDS, one["kind"])),
        ("Website", f"<code>{escape(one['domain'])}</code>"),
        ("Footage is kept", f"{one['retention_days']} days"),
        ("Footage is", word(words.SHARING, one["sharing"])),
        ("Faces", word(words.FACES, one["face_recognition"])),
        ("Enrolled", when(one["enrolled"])),
        ("Key", f'<code class="key">{escape(one["fingerprint"])}</code> since {when(one["key_since"])}'),
        ("New key", f"Nothing is delivered before {when(hold)}" if hold else None),
    )
    return (
        f'<article class="{escape(one["standing"])}"><h3 dir="auto"><span class="badge">{number}</span> '
        f"{escape(one['name'])}</h3>{_standing(one['standing'])}{facts}"
        f"{_more('What it says about its use of footage', one['terms'])}</article>"
    )


def _standing(standing: str) -> str:
    if standing == "enrolled":
        return ""
    return f'<p class="warning">{word(words.STANDINGS, standing)}</p>'


def _map(register: dict[str, Any], shapes: list[Shape], caption: str) -> str:
    if not shapes:
        return ""
    hood = register["neighborhood"]
    drawing = draw(shapes, center=hood["center"], radius_m=hood["radius_m"], words=caption)
    return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


# ---- requests ------------------------------------------------------------------------------------------


def _requests(register: dict[str, Any], names: dict[str, str]) -> str:
    requests = register["requests"]
    waiting = register["requests_waiting"]
    notes = []
    if waiting:
        asked = "1 request waits" if waiting == 1 else f"{waiting} requests wait"
        notes.append(f"<p>{asked} for a moderator, and will be shown here after that.</p>")
    if register["requests_in_all"] > len(requests):
        notes.append(f"<p>The newest {len(requests)} of {register['requests_in_all']}.</p>")
    shapes = [
        Shape(
            one["area"],
            str(one["number"]),
            f"{words.INCIDENTS.get(one['incident'], one['incident'])}, {names.get(one['agency'], '')}",
            "open" if one["status"] == "open" else "ended",
        )
        for one in reversed(requests)
    ]
    cards = _list(requests, lambda one: _request(one, names), "Nothing has been asked for.")
    return "".join(notes) + _map(register, shapes, "What was asked for; open ones are filled") + cards


def _request(one: dict[str, Any], names: dict[str, str]) -> str:
    details = one["details"]
    facts = _facts(
        ("Agency", f"<bdi>{escape(names.get(one['agency'], 'unknown'))}</bdi>, {_text(one['officer'])}"),
        ("Time", span(one["from"], one["to"])),
        ("Asked", when(one["time"])),
        ("Let through", when(one["released"]) if one["released"] else None),
        ("Open until", when(one["expires"]) if one["status"] == "open" else None),
        ("Extended", "Once, by 7 days" if one["extended"] else None),
        ("Reminded", when(one["reminded"]) if one["reminded"] else None),
        ("Ended", when(one["closed"]) if one["closed"] else None),
        ("Outcome", word(words.OUTCOMES, one["outcome"]) if one["outcome"] else None),
        (
            "Homes that recorded",
            word(words.AVAILABILITY, one["availability"]) if one["availability"] else None,
        ),
        ("Packages sent", escape(one["answers"]["words"]) if one["released"] else None),
        ("Case", _text(details["case_number"]) if details else None),
        ("Purpose", _text(details["purpose"]) if details else None),
        ("Contact", _text(details["contact"]) if details else None),
    )
    more = _more("Description", details["description"]) if details else _gone(one)
    status = f'<span class="status">{word(words.STATUSES, one["status"])}</span>'
    return (
        f'<article class="{escape(one["status"])}"><h3><span class="badge">{one["number"]}</span> '
        f"{word(words.INCIDENTS, one['incident'])} {status}</h3>{facts}{more}</article>"
    )


def _gone(one: dict[str, Any]) -> str:
    why = "Case, purpose, contact and description were erased 90 days after the end of the request."
    if one["status"] in {"held", "refused"}:
        why = "Case, purpose, contact and description are kept back."
    return f'<p class="empty">{why}</p>'


# ---- the rest ------------------------------------------------------------------------------------------


def _partnerships(register: dict[str, Any], names: dict[str, str]) -> str:
    def card(one: dict[str, Any]) -> str:
        facts = _facts(
            ("Since", when(one["time"])),
            ("Code", f"<code>{escape(one['code'])}</code>"),
            ("Cameras at first", str(one["seed_cameras"])),
            (
                "Households that used the code",
                f"{one['households']}, in steps of 20" if one["households"] else "fewer than 20",
            ),
            ("Cameras given away", str(one["cameras_given"])),
        )
        replaced = '<p class="warning">Replaced by a newer agreement</p>' if one["replaced"] else ""
        return (
            f'<article><h3 dir="auto">{escape(names.get(one["agency"], "unknown"))}</h3>{replaced}{facts}'
            f"{_more('The agreement, in full', one['terms'])}</article>"
        )

    note = "<p>Cameras are given for using the code, never for sharing footage. To whom is not recorded.</p>"
    found = register["partnerships"]
    return (note if found else "") + _list(found, card, "There is no agreement with an agency.")


def _demands(register: dict[str, Any]) -> str:
    def card(one: dict[str, Any]) -> str:
        facts = _facts(
            ("By", _text(one["authority"])),
            ("Served", when(one["served"])),
            ("What was given", _text(one["given"])),
            ("Who was told", _text(one["told"])),
        )
        return f"<article><h3>{word(words.DEMANDS, one['kind'])}</h3>{facts}</article>"

    return _list(register["demands"], card, "Nobody has served this hub with a legal demand.")


def _moderation(register: dict[str, Any]) -> str:
    def line(one: dict[str, Any]) -> str:
        about = word(words.ABOUT, one["about"] or "something that is gone")
        by = "the host" if one["by"] == "host" else "a moderator"
        reason = f": {_text(one['reason'])}" if one["reason"] else ""
        return f"<li>{when(one['time'])} {word(words.ACTIONS, one['action'])} {about}, by {by}{reason}</li>"

    found = register["moderation"]
    if not found:
        return '<p class="empty">Moderators have decided nothing yet.</p>'
    return f'<ul class="log">{"".join(line(one) for one in found)}</ul>'


def _footer(register: dict[str, Any]) -> str:
    hood = register["neighborhood"]
    name = hood["id"]
    return (
        f'<footer><p>The same as data: <a href="/register/{name}.json" download>JSON</a>, '
        f'<a href="/register/{name}.csv" download>CSV</a></p>'
        f'<p>Neighborhood <code class="key">{name}</code></p>'
        f'<p>Hub <code class="key">{escape(hood["fingerprint"])}</code>, '
        f"up to record {register['position']['number']}.</p></footer>"
    )
