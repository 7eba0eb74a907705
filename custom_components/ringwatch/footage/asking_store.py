"""Which questions "did anybody record?" this home has answered: written down before anything is sent.

A home that forgot would answer again, and each answer tells a little. So a file that can't be read means that
nothing is answered; and what was once made to be sent is sent again as it was, never made anew.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
import json
import os
from pathlib import Path
from typing import Any, Final

from ..neighborhood.availability import Cell
from ..neighborhood.limits import DAY_S

NAME: Final = "asking.json"
VERSION: Final = 1
KEPT_S: Final = 62 * DAY_S  # a request asks about the last 30 days and lives 15 at most


class AskingDamagedError(Exception):
    """The file is there and can't be read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that this home has answered, or is about to."""

    neighborhood: str
    request: str
    cells: tuple[Cell, ...]
    hours: tuple[int, ...]
    made_s: int
    send_s: int
    closes_s: int
    share: str | None  # until it is sent, or too late

    def overlaps(self, cells: tuple[Cell, ...], hours: tuple[int, ...]) -> bool:
        """Tell whether it was about a place and a time that are asked about again."""
        return not (set(self.cells).isdisjoint(cells) or set(self.hours).isdisjoint(hours))


@dataclass(frozen=True, slots=True)
class _Content:
    consents: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()


class AskingStore:
    """One for all neighborhoods of a home: what was answered in one counts in all."""

    def __init__(self, folder: Path) -> None:
        """Read nothing yet."""
        self._path = folder / NAME
        self._content: _Content | None = None
        self._writing = asyncio.Lock()
        self.lock = asyncio.Lock()
        """Held from looking at what was answered until the next answer is written down."""

    async def async_asked(self) -> tuple[Asked, ...]:
        """Return all that was answered. Raise AskingDamagedError or OSError."""
        return (await self._async_content()).asked

    async def async_consents(self, neighborhood: str) -> bool:
        """Return whether the hub may have this home's consent. Raise AskingDamagedError or OSError."""
        return neighborhood in (await self._async_content()).consents

    async def async_set_consent(self, neighborhood: str, given: bool) -> None:
        """Note it: before it is given, after it was taken back. Raise AskingDamagedError or OSError."""

        def change(content: _Content) -> _Content:
            others = tuple(one for one in content.consents if one != neighborhood)
            return replace(content, consents=(*others, neighborhood) if given else others)

        await self._async_change(change)

    async def async_add(self, asked: Asked) -> None:
        """Write down what is about to be sent; forget what is long ago."""

        def change(content: _Content) -> _Content:
            young = (one for one in content.asked if one.made_s > asked.made_s - KEPT_S)
            return replace(content, asked=(*young, asked))

        await self._async_change(change)

    async def async_over(self, *requests: str) -> None:
        """Let go of what was sent, or is not to be sent any more. That it was made stays written down."""

        def change(content: _Content) -> _Content:
            asked = tuple(
                replace(one, share=None) if one.request in requests else one for one in content.asked
            )
            return replace(content, asked=asked)

        await self._async_change(change)

    async def _async_content(self) -> _Content:
        if self._content is None:
            self._content = await asyncio.to_thread(_read, self._path)
        return self._content

    async def _async_change(self, change: Callable[[_Content], _Content]) -> None:
        async with self._writing:
            before = await self._async_content()
            changed = change(before)
            if changed != before:
                await asyncio.to_thread(_write, self._path, changed)
                self._content = changed


def _read(path: Path) -> _Content:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return _Content()
    except ValueError as error:
        raise AskingDamagedError(f"{path.name} can't be read") from error
    try:
        found: Any = json.loads(text)
        version = found["version"]
        content = _Content(
            tuple(str(one) for one in found["consents"]), tuple(_asked(one) for one in found["asked"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise AskingDamagedError(f"{path.name} can't be read: {error}") from error
    if version != VERSION:
        raise AskingDamagedError(f"{path.name} is of another version")
    return content


def _asked(value: Any) -> Asked:
    share = value["share"]
    return Asked(
        str(value["neighborhood"]),
        str(value["request"]),
        tuple((int(row), int(column)) for row, column in value["cells"]),
        tuple(int(hour) for hour in value["hours"]),
        int(value["made_s"]),
        int(value["send_s"]),
        int(value["closes_s"]),
        None if share is None else str(share),
    )


def _write(path: Path, content: _Content) -> None:
    written = json.dumps({"version": VERSION, **asdict(content)})
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(written)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
