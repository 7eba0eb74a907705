"""Which characters a text may have: none that mislead the reader or that no text needs.

`check_text` is for what others wrote, and refuses. `clean` is for what a person typed here, and repairs.
"""

from itertools import pairwise
import re
from typing import Final
import unicodedata

from .violations import BadText

# Control characters; what turns the direction of reading round, so that one thing is shown and another one
# meant;
# what is invisible; line and paragraph separators; tags; private use; what is no character at all.
_BARRED: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
    "|[\U0001fffe\U0001ffff\U0002fffe\U0002ffff\U0003fffe\U0003ffff\U0004fffe\U0004ffff\U0005fffe\U0005ffff]"
)
_BETWEEN: Final = " ._'-"  # in a name, one at a time, between letters or digits
_LOOKALIKES: Final = frozenset(
    {"LATIN", "GREEK", "CYRILLIC"}
)  # scripts whose letters are mistaken for each other
MIN_HANDLE: Final = 2
MAX_HANDLE: Final = 32


def check_text(text: str, limit: int, *, lines: bool = False, empty: bool = True) -> str:
    """Return the text as it is. Raise BadText. `limit` counts code points; `lines` allows line breaks."""
    if len(text) > limit:
        raise BadText(f"longer than {limit} characters")
    if not text.strip() and (text or not empty):
        raise BadText("only white space" if text else "empty")
    if text != text.strip():
        raise BadText("white space at its beginning or end")
    if _BARRED.search(text):
        raise BadText("a character that is invisible, controls something or turns the direction of reading")
    if "\n" in text and not lines:
        raise BadText("a line break")
    if not unicodedata.is_normalized("NFC", text):
        raise BadText("not in the normal form NFC")
    return text


def clean(text: str, limit: int, *, lines: bool = False) -> str:
    """Return what of the text can be sent, at most `limit` characters of it."""
    broken = re.sub(r"\r\n?|[\u2028\u2029\x85]", "\n", text)
    spaced = broken.replace("\t", " ") if lines else re.sub(r"\s+", " ", broken)
    kept = unicodedata.normalize("NFC", _BARRED.sub("", spaced)).strip()
    return kept[:limit].strip()


def check_handle(handle: str) -> str:
    """Return a member's name as it is. Raise BadText."""
    check_text(handle, MAX_HANDLE, empty=False)
    if len(handle) < MIN_HANDLE:
        raise BadText(f"a name has at least {MIN_HANDLE} characters")
    if unicodedata.category(handle[0])[0] not in "LN" or handle[-1] in _BETWEEN:
        raise BadText("a name begins and ends with a letter or a digit")
    if any(unicodedata.category(letter)[0] not in "LMN" for letter in handle if letter not in _BETWEEN):
        raise BadText(
            "a name has letters and digits, and between them a space, dot, dash, line or apostrophe"
        )
    if any(a in _BETWEEN and b in _BETWEEN and a + b != ". " for a, b in pairwise(handle)):
        raise BadText("a name has one mark at most between two letters")
    if len({unicodedata.name(letter, "").partition(" ")[0] for letter in handle} & _LOOKALIKES) > 1:
        raise BadText("a name mixes alphabets whose letters look alike")
    return handle


def folded(handle: str) -> str:
    """Return what two names have in common that people would take for the same."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", handle).casefold())
    return "".join(
        letter
        for letter in plain
        if letter.isalnum() or (unicodedata.category(letter)[0] == "M" and not unicodedata.combining(letter))
    )
