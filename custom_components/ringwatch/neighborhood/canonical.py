"""Canonical JSON (RFC 8785), the part of it that records use: no floats, whole numbers up to 2^53 - 1.

What is signed is bytes, and the bytes are a function of the value: keys sorted by UTF-16 code units, no white
space, the
shortest escapes, UTF-8. `parse` takes only what `encode` would give, so two readers can't read two things
into one record.
"""

import hashlib
import json
import re
from typing import Final, NoReturn

from .violations import NotCanonical, TooDeep, TooLarge

type Json = bool | int | str | list[Json] | dict[str, Json] | None

MAX_DEPTH: Final = 16  # a record needs 6
MAX_INTEGER: Final = 2**53 - 1  # what every JSON reader takes exactly
_DIGITS: Final = len(str(MAX_INTEGER)) + 1  # with its sign

# A string, closed or not (so that every byte is looked at once), or a bracket
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z|\\\Z)|[\[{]|[\]}]', re.DOTALL)


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes, in lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def encode(value: Json) -> bytes:
    """Return the value's canonical form. Raise NotCanonical or TooDeep for what has none."""
    try:
        return json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a text has half a surrogate pair") from error


def parse(data: bytes, max_bytes: int) -> Json:
    """Read canonical JSON. Raise TooLarge, TooDeep or NotCanonical."""
    if len(data) > max_bytes:
        raise TooLarge(f"{len(data)} bytes, {max_bytes} at most")
    _check_depth(data)
    try:
        value: Json = json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_float=_refuse,
            parse_constant=_refuse,
            parse_int=_integer,
        )
    except ValueError as error:
        raise NotCanonical("not JSON in UTF-8") from error
    if encode(value) != data:
        raise NotCanonical("not in the canonical form of RFC 8785")
    return value


def _ordered(value: object, depth: int) -> Json:
    """Return the value with its keys in order; refuse what JSON here doesn't have."""
    if depth > MAX_DEPTH:
        raise TooDeep(f"nested more than {MAX_DEPTH} deep")
    match value:
        case None | bool() | str():
            return value
        case int():
            if abs(value) > MAX_INTEGER:
                raise NotCanonical("a number is larger than 2^53 - 1")
            return value
        case list():
            return [_ordered(item, depth + 1) for item in value]
        case dict():
            return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_utf16)}
    raise NotCanonical(f"a {type(value).__name__} has no place in a record")


def _utf16(key: object) -> bytes:
    if not isinstance(key, str):
        raise NotCanonical("a key is not a text")
    return key.encode("utf-16-be", "surrogatepass")


def _check_depth(data: bytes) -> None:
    """Look at the brackets before a recursive reader does."""
    depth = 0
    for token in _TOKENS.finditer(data):
        match token[0]:
            case b"[" | b"{":
                depth += 1
                if depth > MAX_DEPTH + 1:
                    raise TooDeep(f"nested more than {MAX_DEPTH} deep")
            case b"]" | b"}":
                depth -= 1


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("a key stands twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise NotCanonical("a number is larger than 2^53 - 1")
    return int(digits)


def _refuse(_: str) -> NoReturn:
    raise NotCanonical("numbers are whole")
