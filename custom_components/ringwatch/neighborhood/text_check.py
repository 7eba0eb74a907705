"""What in a text may point at somebody: a telephone number, a licence plate, an e-mail or a street address.

It is for asking before something is posted. It finds too much rather than too little, and blocks nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final


class HintKind(StrEnum):
    """What it looks like."""

    PHONE = "phone"
    PLATE = "plate"
    EMAIL = "email"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Hint:
    """A part of the text, from `start` up to `end`."""

    kind: HintKind
    start: int
    end: int


_STREETS: Final = (
    "alley|ally|avenue|ave|av|boulevard|blvd|circle|cir|court|ct|crescent|cres|drive|dr|gardens|gdns|highway|hwy|"
    "lane|ln|"
    "loop|parkway|pkwy|place|pl|road|rd|row|square|sq|street|str|st|terrace|ter|trail|trl|way"
)
# In this order: what one has found, the next ones pass over. Every repetition is bounded, so time grows with
# length only.
_PATTERNS: Final = (
    (HintKind.EMAIL, re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")),
    (
        HintKind.ADDRESS,
        re.compile(
            rf"\b\d{{1,6}}[A-Za-z]?,? +(?:[NSEW]\.? +)?(?:[\w.'-]{{1,30}} +){{1,3}}(?:{_STREETS})\b\.?"
            r"|\b\w{3,30}(?:stra(?:ß|ss)e|weg|gasse|laan|straat|gatan|vej) +\d{1,4}[a-z]?\b"
            r"|\b\d{1,4},? +(?:rue|avenue|boulevard|place|chemin|calle|via|viale) +[\w'-]{2,30}",
            re.IGNORECASE,
        ),
    ),
    (
        HintKind.PHONE,
        re.compile(
            r"(?<![\w-])(?:\+\d{1,3}[ ./-]?)?(?:\(\d{1,5}\)[ ./-]?)?"
            r"\d{2,5}(?:[ ./-]?\d{2,5}){1,4}(?![\w-])"
        ),
    ),
    (
        HintKind.PLATE,
        re.compile(
            r"(?<![\w#-])(?=[A-Z0-9 -]{0,9}\d)(?=[A-Z0-9 -]{0,9}[A-Z])"
            r"[A-Z0-9]{1,4}(?:[ -]?[A-Z0-9]{1,4}){1,2}(?![\w-])"
        ),
    ),
)
_PHONE_DIGITS: Final = range(7, 16)  # E.164 has 15 at most
_PLATE_SIGNS: Final = range(5, 9)
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")  # a date is no telephone number


def find_private(text: str) -> tuple[Hint, ...]:
    """Return what the author should be asked about, in the text's order."""
    found: list[Hint] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if _is_meant(kind, match[0]) and not any(hint.start < end and start < hint.end for hint in found):
                found.append(Hint(kind, start, end))
    return tuple(sorted(found, key=lambda hint: hint.start))


def _is_meant(kind: HintKind, text: str) -> bool:
    if kind is HintKind.PHONE:
        return sum(sign.isdigit() for sign in text) in _PHONE_DIGITS and not _TIME.fullmatch(text)
    if kind is HintKind.PLATE:
        return sum(sign.isalnum() for sign in text) in _PLATE_SIGNS
    return True
