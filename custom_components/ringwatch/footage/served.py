"""Warrants and subpoenas that were served on this home: a register of its own, in the audit log.

What the owner gave out under one is a disclosure like any other, so it stands in the same chain, and an
export of the register is a line there itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
import json
from typing import Final

from ..neighborhood.bodies.agencies import DemandKind
from ..neighborhood.text import clean
from .audit import AuditLog, Line
from .audit_text import Format, in_words

WHAT: Final = "demand_entered"
MAX_AUTHORITY: Final = 80
MAX_TEXT: Final = 2_000
MAX_CLIPS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Served:
    """A demand, as it was entered."""

    n: int  # of its line in the log
    entered_s: int
    kind: DemandKind
    authority: str
    served_s: int
    given: str
    clips: tuple[str, ...]
    by: str


class ServedRegister:
    """The register. Entries are never changed: a correction is another entry."""

    def __init__(self, log: AuditLog) -> None:
        """Everything is in the log."""
        self._log = log

    def add(
        self,
        kind: str,
        authority: str,
        served_s: int,
        given: str,
        clips: Sequence[str] = (),
        *,
        by: str,
    ) -> Line:
        """Enter a demand. Raise ValueError for another kind or without an authority, OSError."""
        authority, given = clean(authority, MAX_AUTHORITY), clean(given, MAX_TEXT, lines=True)
        if not authority or served_s < 0 or len(clips) > MAX_CLIPS:
            raise ValueError("a demand has an authority, a day, and a thousand clips at most")
        return self._log.append(
            WHAT,
            kind=DemandKind(kind).value,
            authority=authority,
            served=served_s,
            given=given,
            clips=list(clips),
            by=by,
        )

    def entries(self) -> tuple[Served, ...]:
        """Return what was entered, oldest first."""
        return tuple(_read(line) for line in self._log.all() if line.what == WHAT)

    def export(self, form: Format, by: str) -> str:
        """Return the register; the log says that it was exported."""
        lines = [line for line in self._log.all() if line.what == WHAT]
        self._log.append("exported", of="the register of demands", format=form, by=by)
        if form == "json":
            return json.dumps([line.to_json() for line in lines], indent=1, ensure_ascii=False) + "\n"
        return "".join(f"{in_words(line)}\n" for line in lines)


def _read(line: Line) -> Served:
    facts = line.facts
    clips, served = facts.get("clips"), facts.get("served")
    return Served(
        n=line.n,
        entered_s=line.time_s,
        kind=DemandKind(str(facts.get("kind"))),
        authority=str(facts.get("authority")),
        served_s=served if isinstance(served, int) else 0,
        given=str(facts.get("given")),
        clips=tuple(map(str, clips)) if isinstance(clips, list) else (),
        by=str(facts.get("by")),
    )
