"""A call that was let in: who, what, and the neighborhood it is about."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from ..neighborhood.canonical import Json
from ..neighborhood.fields import Fields
from ..neighborhood.rows import Subject
from ..neighborhood.violations import RecordViolation
from .callers import Caller, subject_of
from .errors import bad_request, of_violation
from .hood import Hood
from .messages import MAX_JSON_BYTES, Target, json_of

if TYPE_CHECKING:
    from .server import Hub


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets."""

    hub: Hub
    request: web.BaseRequest
    target: Target
    hood: Hood
    caller: Caller
    body: bytes
    names: tuple[str, ...]  # what stood in the path where the route has a place for it
    address: str  # as far as limits count it: kept no longer than they need it

    @property
    def subject(self) -> Subject:
        """The caller, who has joined. Raise Refusal."""
        return subject_of(self.caller)

    def json(self) -> Json:
        """Return the body. Raise Refusal."""
        return json_of(self.request, self.body)

    def fields[T](self, read: Callable[[Fields], T]) -> T:
        """Read the body's fields and refuse others. Raise Refusal."""
        try:
            fields = Fields(self.json(), "body")
            found = read(fields)
            fields.end()
        except RecordViolation as violation:
            raise of_violation(violation) from violation
        return found

    def number(self) -> int:
        """Return the number in the path. Raise Refusal."""
        text = self.names[-1]
        if not text.isdigit() or len(text) > 9 or int(text) < 1:
            raise bad_request("a number from 1")
        return int(text)


type Handler = Callable[[Call], Coroutine[Any, Any, web.StreamResponse]]

DIGEST: Final = "{digest}"
NUMBER: Final = "{number}"


@dataclass(frozen=True, slots=True)
class Route:
    """One call below a neighborhood's address."""

    method: str
    parts: tuple[str, ...]
    handler: Handler
    summary: str
    who: str = "member"  # or invited, host, delivery: a key that was made for one package
    query: tuple[str, ...] = ()
    max_body: int = MAX_JSON_BYTES
    body: str | None = None  # the schema of the body
    answers: tuple[tuple[int, str], ...] = ((200, "Json"),)
