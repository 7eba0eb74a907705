"""Reading what others wrote: an object's fields, each asked for by name and kind, and not one more."""

from collections.abc import Callable
from enum import StrEnum
from typing import Self

from .canonical import MAX_INTEGER, Json
from .keys import is_digest, is_public_key, is_salt, is_signature
from .places import Place, check_snapped
from .text import check_handle, check_text
from .violations import BadField

MAX_TIME_S = 4_102_444_800  # the year 2100


class Fields:
    """An object that is being read. Whoever has read all calls `end`, which refuses what is left."""

    def __init__(self, value: Json, what: str) -> None:
        """Begin to read. Raise BadField if it is no object."""
        if not isinstance(value, dict):
            raise BadField(f"{what} is not an object")
        self._left = dict(value)
        self._what = what

    def take(self, name: str) -> Json:
        """Return a field's value, whatever it is."""
        if name not in self._left:
            raise self._wrong(name, "missing")
        return self._left.pop(name)

    def peek(self, name: str) -> Json:
        """Return a field's value and leave it there; None if there is none."""
        return self._left.get(name)

    def has(self, name: str) -> bool:
        """Return whether there is such a field, not yet taken."""
        return name in self._left

    def end(self) -> None:
        """Refuse fields that nobody asked for."""
        if self._left:
            raise BadField(f"{self._what} has {len(self._left)} fields that this version doesn't know")

    def text(self, name: str, limit: int, *, lines: bool = False, empty: bool = True) -> str:
        """Return a text for people."""
        return check_text(self.string(name), limit, lines=lines, empty=empty)

    def handle(self, name: str) -> str:
        """Return a member's name."""
        return check_handle(self.string(name))

    def string(self, name: str) -> str:
        """Return any text: the caller looks at it."""
        value = self.take(name)
        if not isinstance(value, str):
            raise self._wrong(name, "not a text")
        return value

    def integer(self, name: str, low: int, high: int = MAX_INTEGER) -> int:
        """Return a whole number within limits."""
        value = self.take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(name, f"not a whole number from {low} to {high}")
        return value

    def boolean(self, name: str) -> bool:
        """Return true or false."""
        value = self.take(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "neither true nor false")
        return value

    def time(self, name: str) -> int:
        """Return a time in seconds since 1970."""
        return self.integer(name, 0, MAX_TIME_S)

    def choice[T: StrEnum](self, name: str, kind: type[T]) -> T:
        """Return one of the words of an enumeration."""
        value = self.string(name)
        try:
            return kind(value)
        except ValueError as error:
            raise self._wrong(name, f"not one of {', '.join(kind)}") from error

    def digest(self, name: str) -> str:
        """Return a SHA-256 or an id."""
        return self._checked(name, is_digest, "64 hexadecimal digits")

    def key(self, name: str) -> str:
        """Return an Ed25519 public key."""
        return self._checked(name, is_public_key, "an Ed25519 public key of 64 hexadecimal digits")

    def signature(self, name: str) -> str:
        """Return an Ed25519 signature."""
        return self._checked(name, is_signature, "128 hexadecimal digits")

    def salt(self, name: str) -> str:
        """Return a body's salt."""
        return self._checked(name, is_salt, "32 hexadecimal digits")

    def optional[T](self, name: str, read: Callable[[str], T]) -> T | None:
        """Return None if the field is null, else what `read` makes of it."""
        if self._left.get(name, "") is None:
            self.take(name)
            return None
        return read(name)

    def items(self, name: str, low: int, high: int) -> list[Json]:
        """Return an array with so many entries."""
        value = self.take(name)
        if not isinstance(value, list) or not low <= len(value) <= high:
            raise self._wrong(name, f"not an array of {low} to {high}")
        return value

    def inner(self, name: str) -> Self:
        """Return an object inside, to be read and ended like this one."""
        return type(self)(self.take(name), f"{self._what}.{name}")

    def place(self, name: str) -> Place:
        """Return a place on the grid."""
        return check_snapped(point(self.inner(name)))

    def _checked(self, name: str, fits: Callable[[object], bool], right: str) -> str:
        value = self.string(name)
        if not fits(value):
            raise self._wrong(name, f"not {right}")
        return value

    def _wrong(self, name: str, about: str) -> BadField:
        return BadField(f"{self._what}.{name}: {about}")


def point(fields: Fields) -> Place:
    """Return any point on the map, on the grid or not."""
    found = Place(
        fields.integer("lat_e6", -90_000_000, 90_000_000), fields.integer("lon_e6", -180_000_000, 180_000_000)
    )
    fields.end()
    return found


def point_to_json(place: Place) -> dict[str, Json]:
    """Return how a place is written."""
    return {"lat_e6": place.lat_e6, "lon_e6": place.lon_e6}
