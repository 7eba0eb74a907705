"""The families of what can be wrong. The types themselves are in `violations` and `violations_requests`.

The code is what other programs and translations go by. `about` says in English what was wrong; it never
repeats what somebody else wrote, so it can be logged and sent as it is.
"""

from typing import ClassVar, override


class Violation(Exception):  # noqa: N818  what is violated is a rule, not a program
    """Something breaks the protocol or its rules."""

    code: ClassVar[str] = ""

    def __init__(self, about: str) -> None:
        super().__init__(about)
        self.about = about

    @override
    def __str__(self) -> str:
        return f"{self.code}: {self.about}"


class RecordViolation(Violation):
    """A record can't be taken: its author's fault."""

    forbidden: ClassVar[bool] = False  # the author may not, whatever the record says


class HubViolation(Violation):
    """What the hub said can't be: it lies, or it is broken."""


class CallViolation(Violation):
    """A signed call is refused."""


class LinkViolation(Violation):
    """An invite's link can't be used."""
