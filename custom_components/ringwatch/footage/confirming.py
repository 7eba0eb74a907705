"""Who has looked at what, and the single-use codes that confirm it. Pure: no files, no network.

A code is given to a login only after that very login fetched every byte of every file of the answer as it is
now, and its page played each to the end. It is bound to the user, the login, and the contents; it works once,
for ten minutes. Whatever changes the answer changes its contents, and with them everything here is void.
What this can't know: whether a person was in front of the screen. A program with the owner's password that
imitates the page would pass.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
import hashlib
import hmac
import secrets
import time
from typing import Final, Literal

from .answer_states import Answer, State

CODE_S: Final = 600.0
CODE_BYTES: Final = 24
MAX_WRONG: Final = 5
MAX_VIEWS: Final = 200  # answers and logins that are remembered; the oldest goes
MAX_RANGES: Final = 1_000  # of one file; a player asks for a few dozen


class ConfirmError(Exception):
    """Not confirmed; `code`: not_seen, wrong_state, no_code, wrong_code, expired, contents_changed."""

    def __init__(self, code: str, about: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {about}")
        self.code = code
        self.about = about


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that was not looked at yet, and what is wanting."""

    file: str
    what: Literal["bytes", "playback"]


class NotSeenError(ConfirmError):
    """Not everything was looked at."""

    def __init__(self, missing: tuple[Missing, ...]) -> None:
        """Keep what is wanting."""
        super().__init__("not_seen", f"{len(missing)} files were not looked at to their end")
        self.missing = missing


class CodeError(ConfirmError):
    """The code is not good, or no longer."""


@dataclass(frozen=True, slots=True)
class Login:
    """A person's login: the user and the refresh token. Whether it is of a kind that may is the caller's."""

    user_id: str
    token_id: str


@dataclass(slots=True)
class _View:
    """What a login has seen of an answer as it is."""

    contents: str
    revision: int
    ranges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    watched: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Code:
    hashed: bytes
    contents: str
    request: str
    expires_s: float
    wrong: int = 0


class Confirming:
    """Kept in memory: after a restart people look again."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        """`clock` never goes back."""
        self._clock = clock
        self._random = random
        self._views: dict[tuple[str, Login], _View] = {}
        self._codes: dict[tuple[str, Login], _Code] = {}

    def fetched(self, answer: Answer, login: Login, file: str, start: int, stop: int) -> None:
        """Note that the bytes [start, stop) of a file went to a login, whole.

        `answer` is as it was when the file was opened: what came of an earlier revision doesn't count.
        """
        view = self._view(answer, login)
        if view is not None and file in answer.preview_files and 0 <= start < stop:
            view.ranges[file] = _joined([*view.ranges.get(file, []), (start, stop)])[:MAX_RANGES]

    def watched(self, answer: Answer, login: Login, file: str) -> None:
        """Note that the page says it was played, or scrolled through, to its end."""
        view = self._view(answer, login)
        if view is not None and file in answer.preview_files:
            view.watched.add(file)

    def missing(self, answer: Answer, login: Login) -> tuple[Missing, ...]:
        """Return what a login has still to look at."""
        view = self._view(answer, login) or _View("", 0)
        found: list[Missing] = []
        for one in answer.prepared:
            if view.ranges.get(one.clip.file) != [(0, one.clip.size_bytes)]:
                found.append(Missing(one.clip.file, "bytes"))
            if one.clip.file not in view.watched:
                found.append(Missing(one.clip.file, "playback"))
        return tuple(found)

    def issue(self, answer: Answer, login: Login) -> str:
        """Return a code; an earlier one of this login is void then. Raise ConfirmError."""
        if answer.state is not State.AWAITING_CONFIRMATION or answer.contents is None:
            raise ConfirmError("wrong_state", f"an answer that is {answer.state}")
        if missing := self.missing(answer, login):
            raise NotSeenError(missing)
        code = self._random(CODE_BYTES)
        self._codes[answer.id, login] = _Code(
            _hash(code), answer.contents, answer.request, self._clock() + CODE_S
        )
        return code

    def redeem(self, answer: Answer, login: Login, code: str) -> None:
        """Take a code; whatever comes of it, this one is used up if it was right. Raise ConfirmError."""
        known = self._codes.get((answer.id, login))
        if known is None:
            raise CodeError("no_code", "this login has no code for this answer")
        if self._clock() >= known.expires_s:
            del self._codes[answer.id, login]
            raise CodeError("expired", "the code is older than ten minutes")
        if not hmac.compare_digest(_hash(code), known.hashed):
            known.wrong += 1
            if known.wrong >= MAX_WRONG:
                del self._codes[answer.id, login]
            raise CodeError("wrong_code", "another code was given")
        del self._codes[answer.id, login]
        if answer.state is not State.AWAITING_CONFIRMATION or answer.request != known.request:
            raise ConfirmError("wrong_state", f"an answer that is {answer.state}")
        if answer.contents is None or not hmac.compare_digest(answer.contents, known.contents):
            raise CodeError("contents_changed", "the answer has changed since the code was given")
        if missing := self.missing(answer, login):
            raise NotSeenError(missing)

    def void(self, answer_id: str) -> None:
        """Forget all codes and views of an answer."""
        for kept in (self._codes, self._views):
            for key in [key for key in kept if key[0] == answer_id]:
                del kept[key]

    def forget_login(self, token_id: str) -> None:
        """Forget a login that is over."""
        self._codes = {key: code for key, code in self._codes.items() if key[1].token_id != token_id}
        self._views = {key: view for key, view in self._views.items() if key[1].token_id != token_id}

    def _view(self, answer: Answer, login: Login) -> _View | None:
        """Return what a login has seen of this very contents; what it saw of others is forgotten."""
        if answer.contents is None:
            return None
        view = self._views.get((answer.id, login))
        if view is not None and answer.revision < view.revision:
            return None
        if view is None or view.contents != answer.contents:
            self._views.pop((answer.id, login), None)
            view = self._views[answer.id, login] = _View(answer.contents, answer.revision)
            while len(self._views) > MAX_VIEWS:
                del self._views[next(iter(self._views))]
        return view


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges in order, those that touch made one."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
