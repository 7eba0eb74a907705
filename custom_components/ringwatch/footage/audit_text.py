"""The log as people read it, and as other programs do."""

from collections.abc import Mapping
from datetime import UTC, datetime
import json
from typing import Final, Literal

from ..neighborhood.canonical import Json
from .audit import Anchor, AuditLog, Line

type Format = Literal["json", "text"]

JSON_FORMAT: Final = "ringwatch-audit/1"
# What a line says. Facts that a sentence doesn't name stand behind it.
SENTENCES: Final[Mapping[str, str]] = {
    "request_seen": "Footage request {request} came from {agency}.",
    "request_shown": "Footage request {request} was shown to {by}.",
    "answer_opened": "{by} opened an answer to request {request}.",
    "answer_edited": "Answer {answer} was changed; what had been made ready was thrown away.",
    "answer_prepared": "Answer {answer} was made ready with {clips} clips; contents {contents}.",
    "preview_shown": "{file} of answer {answer} was shown to {by}.",
    "confirmed": "{by} confirmed answer {answer} to request {request} of {agency}.",
    "undone": "{by} took the confirmation of answer {answer} back.",
    "renewed": "Answer {answer} has to be looked at and confirmed again, for {agency}.",
    "withdrawn": "{by} withdrew answer {answer}. Nothing was sent.",
    "declined": "{by} declined request {request}. Nobody was told.",
    "undeclined": "{by} took back that request {request} was declined.",
    "sending": "Answer {answer} to request {request} of {agency} begins to be sent.",
    "sent": "Answer {answer} was sent to {agency}: {size} bytes, SHA-256 {sha256}.",
    "arrived": "The hub says that delivery {delivery} arrived at {arrived}.",
    "receipt": "The agency says of answer {answer}: {kind}.",
    "receipt_refused": "A receipt for answer {answer} was not taken: {code}.",
    "stale": "Answer {answer} was not sent, since things have changed: {code}.",
    "failed": "Answer {answer} was not sent: {code}.",
    "shown_at_door": "{by} showed clip {clip} to an officer at the door: {officer}.",
    "clip_held": "Clips are held from deletion for request {request}.",
    "demand_entered": "{by} entered a {kind} by {authority}, served on {served}.",
    "exported": "{by} exported {of} as {format}.",
    "took_part": "This home took part in what was asked about request {request}: did anybody record?",
    "restored_backup": "Restored from a backup: what was confirmed then has to be confirmed anew.",
    "log_cut": "The end of this log was missing: it had had {had} lines.",
    "log_repaired": "A line that a power cut had left unfinished was cut off.",
    "answers_lost": "The list of answers was damaged and set aside; a new one was begun.",
}
_TIMES: Final = frozenset({"arrived", "served", "release", "retention_until", "said"})


def export(log: AuditLog, form: Format, by: str, anchor: Anchor | None = None) -> str:
    """Return the whole log, with a last line that says so. `anchor` is the newest head that is known."""
    trouble = log.verify(anchor)
    log.append("exported", of="the audit log", format=form, by=by)
    lines, head = list(log.all()), log.head
    if form == "json":
        found: dict[str, object] = {
            "format": JSON_FORMAT,
            "head": {"n": head.n, "hash": head.hash},
            "trouble": None if trouble is None else {"line": trouble.n, "code": trouble.code},
            "lines": [line.to_json() for line in lines],
        }
        return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    said = "nothing in it was changed" if trouble is None else f"line {trouble.n} is {trouble.code}"
    intro = [
        "Ringwatch: what was asked, shown, confirmed, sent and withdrawn. Times are UTC.",
        f"{head.n} lines; {said}. The last line's hash is {head.hash}.",
        "",
    ]
    return "\n".join([*intro, *(in_words(line) for line in lines)]) + "\n"


def in_words(line: Line) -> str:
    """Return a line for people, on one line whatever others wrote into it."""
    sentence = SENTENCES.get(line.what, line.what.replace("_", " ").capitalize() + ".")
    used = _Used(line.facts)
    text = sentence.format_map(used)
    rest = [f"{name}={_shown(name, value)}" for name, value in line.facts.items() if name not in used.names]
    behind = f"  [{', '.join(rest)}]" if rest else ""
    return f"{_time(line.time_s)}  #{line.n}  {text}{behind}"


class _Used(dict[str, str]):
    """Facts for a sentence; remembers which were used."""

    def __init__(self, facts: Mapping[str, Json]) -> None:
        super().__init__()
        self._facts = facts
        self.names: set[str] = {"ref"}

    def __missing__(self, name: str) -> str:
        self.names.add(name)
        value = self._facts.get(name)
        return "somebody" if value is None and name == "by" else _shown(name, value)


def _shown(name: str, value: Json) -> str:
    if name in _TIMES and isinstance(value, int):
        return _time(value)
    if isinstance(value, list):
        return " ".join(_shown("", one) for one in value)
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _time(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
