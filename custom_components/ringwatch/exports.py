"""Files that `export_feed` wrote: what its author takes back, or what has expired, is taken out of them.

Which files there are stands in `<config>/ringwatch/exports.json`. A file that was moved or copied is out of
reach, and one that isn't ours any more is left alone.
"""

import asyncio
from functools import partial
import json
import logging
from pathlib import Path
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.json import save_json
from homeassistant.util.file import WriteError, write_utf8_file_atomic

from .const import DOMAIN
from .neighborhood.home import Home
from .neighborhood.ledger import Ledger
from .neighborhood.state import may_see_body

_LOGGER = logging.getLogger(__name__)

FORMAT: Final = "ringwatch-feed"  # what says that a file is ours
COMMENTS: Final = "comments_below"


class Exports:
    """Owned by `Neighborhoods`."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; nothing is read yet."""
        self.stale: set[str] = set()
        """The subentries of those whose files may have something in them that is gone."""
        self._hass = hass
        self._entry = entry
        self._index = Path(hass.config.path(DOMAIN, "exports.json"))
        self._files: dict[str, str] = {}  # neighborhoods, by path
        self._lock = asyncio.Lock()

    async def async_start(self) -> None:
        """Read which files there are."""
        self._files = await self._hass.async_add_executor_job(_read_index, self._index)

    async def async_write(self, target: Path, neighborhood: str, content: dict[str, Any]) -> None:
        """Write a file and remember it. Raise OSError or WriteError."""
        async with self._lock:
            self._files[str(target)] = neighborhood
            # It is noted first: a file that nobody knows of would never be brought up to date
            await self._hass.async_add_executor_job(_write_index, self._index, self._files)
            text = _text({"format": FORMAT, "id": neighborhood} | content)
            await self._hass.async_add_executor_job(_write_new, target, text)

    @callback
    def async_follow(self, subentry_id: str, home: Home, name: str) -> None:
        """Look at a neighborhood's files, if there is reason to. The home has caught up."""
        if subentry_id in self.stale:
            self.stale.discard(subentry_id)
            erasing = self._async_erase(subentry_id, home, name)
            self._entry.async_create_background_task(self._hass, erasing, "Ringwatch exports")

    async def _async_erase(self, subentry_id: str, home: Home, name: str) -> None:
        """Take out of a neighborhood's files what isn't there any more."""
        neighborhood = home.config.neighborhood
        async with self._lock:
            mine = [Path(path) for path, whose in self._files.items() if whose == neighborhood]
            for path in mine:
                try:
                    content = await self._hass.async_add_executor_job(_read, path, neighborhood)
                except OSError as err:
                    self.stale.add(subentry_id)
                    _LOGGER.warning("An export of %s can't be read; this is tried again: %s", name, err)
                    continue
                if content is None:
                    del self._files[str(path)]
                    continue
                asked = ids_of(content)
                there = await home.async_ask(partial(_still_there, key=home.public_key, ids=asked))
                if asked <= there:
                    continue
                text = _text(without(content, asked - there))
                try:
                    await self._hass.async_add_executor_job(write_utf8_file_atomic, str(path), text)
                except (WriteError, OSError) as err:
                    self.stale.add(subentry_id)
                    _LOGGER.warning("An export of %s can't be written; this is tried again: %s", name, err)
            if len(mine) != sum(whose == neighborhood for whose in self._files.values()):
                try:
                    await self._hass.async_add_executor_job(_write_index, self._index, self._files)
                except (WriteError, OSError) as err:
                    _LOGGER.warning("The list of exports can't be written: %s", err)


def _still_there(ledger: Ledger, *, key: str, ids: set[str]) -> set[str]:
    """Return which of some items this home may still see. In the ledger's thread."""
    me = ledger.state.subject_of(key)
    found = ((one, ledger.state.item(one)) for one in ids)
    return {one for one, item in found if item is not None and may_see_body(item, me)}


def ids_of(content: dict[str, Any]) -> set[str]:
    """Return the ids of all posts and comments of an export that have something in them."""
    items = [post for post in content["posts"] if post.get("status") != "erased"]
    comments = [comment for post in items for comment in post.get(COMMENTS, ())]
    return {item["id"] for item in (*items, *comments)}


def without(content: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    """Return an export in which of some posts only their ids are left, and nothing of some comments."""
    posts = []
    for post in content["posts"]:
        if post["id"] in gone:
            posts.append({"id": post["id"], "status": "erased"})
        elif COMMENTS in post:
            kept = [comment for comment in post[COMMENTS] if comment["id"] not in gone]
            posts.append(post | {COMMENTS: kept})
        else:
            posts.append(post)
    return content | {"posts": posts}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)


def _write_new(target: Path, text: str) -> None:
    with target.open("x", encoding="utf-8") as file:  # never over what is there
        file.write(text)


def _read(path: Path, neighborhood: str) -> dict[str, Any] | None:
    """Return an export of ours; None if the file is gone, or is something else now. Raise OSError."""
    try:
        if path.is_symlink():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        is_ours = (content["format"], content["id"]) == (FORMAT, neighborhood)
        ids_of(content)
    except FileNotFoundError, NotADirectoryError:
        return None
    except ValueError, KeyError, TypeError, AttributeError:
        return None
    return content if is_ours else None


def _read_index(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {str(file): str(whose) for file, whose in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        _LOGGER.warning("The list of exports can't be read: %s", err)
        return {}


def _write_index(path: Path, files: dict[str, str]) -> None:
    if not files:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    save_json(str(path), {"version": 1, "files": files}, private=True, atomic_writes=True)
