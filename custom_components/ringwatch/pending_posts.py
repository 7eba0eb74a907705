"""What waits for a person to look at it before it goes to a neighborhood: on disk, for a day.

A folder each: the body as it would be signed, and the very files that would go. Nothing is signed before
somebody says so.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
import logging
from pathlib import Path
import re
import secrets
import shutil
import time
from typing import Any, Final

from homeassistant.components import persistent_notification
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.json import save_json
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN, ISSUE_PENDING
from .neighborhood.bodies import Body, Moderation, Post, Remove, parse_body
from .neighborhood.bodies.feed import MediaType
from .neighborhood.types import Type
from .neighborhood.violations import RecordViolation
from .neighborhood_access import async_all_may_write
from .plain_text import harmless

_LOGGER = logging.getLogger(__name__)

PENDING_URL: Final = f"/api/{DOMAIN}/pending/{{pending_id}}/{{name}}"
KEPT_S: Final = 24 * 3600
LOOK_EVERY: Final = timedelta(minutes=10)
POST_FILE: Final = "post.json"
MAX_PENDING: Final = 50
ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class PendingPost:
    """Something that waits."""

    id: str
    subentry_id: str
    created_s: int
    body: Body
    files: tuple[str, ...]  # their names, in the order of the body's media
    hints: tuple[tuple[str, str], ...]  # what in the text looks private: kind, text
    clip: str | None = None  # which of the home's own it is made of

    @property
    def expires_s(self) -> int:
        """When it is thrown away."""
        return self.created_s + KEPT_S

    def path_of(self, name: str) -> str:
        """Return where one of its files is shown; it needs a login."""
        return PENDING_URL.format(pending_id=self.id, name=name)


class PendingPosts:
    """Owns `<config>/ringwatch/pending`."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; nothing is read yet."""
        self._hass = hass
        self.folder = Path(hass.config.path(DOMAIN, "pending"))
        self._posts: dict[str, PendingPost] = {}
        self._names: dict[str, str] = {}  # of the neighborhoods, by subentry
        self.sending: set[str] = set()
        self._unlisten: CALLBACK_TYPE | None = None

    async def async_start(self, names: dict[str, str]) -> None:
        """Read what waits, for the neighborhoods of these names, and throw away what nobody wanted."""
        self._names = names
        self._posts = await self._hass.async_add_executor_job(_read_all, self.folder)
        self._unlisten = async_track_time_interval(self._hass, self._async_look, LOOK_EVERY)
        await self._async_look(None)
        for post in self._posts.values():
            await self._async_show(post)

    @callback
    def async_stop(self) -> None:
        """End."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None

    def get(self, pending_id: str) -> PendingPost | None:
        """Return what waits under an id."""
        return self._posts.get(pending_id)

    def of(self, subentry_id: str) -> list[PendingPost]:
        """Return what waits for a neighborhood, oldest first."""
        return [post for post in self._posts.values() if post.subentry_id == subentry_id]

    @property
    def is_full(self) -> bool:
        """Whether so much waits that nothing more may."""
        return len(self._posts) >= MAX_PENDING

    def new_folder(self) -> Path:
        """Return where a new one's files go. It is there once somebody makes it."""
        return self.folder / secrets.token_hex(16)

    async def async_add(
        self,
        folder: Path,
        *,
        name: str,
        subentry_id: str,
        body: Body,
        files: Iterable[str],
        hints: tuple[tuple[str, str], ...],
        clip: str | None = None,
    ) -> PendingPost:
        """Keep a post until somebody has looked at it. Raise OSError."""
        post = PendingPost(folder.name, subentry_id, int(time.time()), body, tuple(files), hints, clip)
        await self._hass.async_add_executor_job(_write, folder, post)
        self._posts[post.id] = post
        self._names[subentry_id] = name
        await self._async_show(post)
        return post

    async def async_discard(self, pending_id: str) -> None:
        """Throw one away, with its files: it has gone, or nobody wanted it."""
        if (post := self._posts.pop(pending_id, None)) is None:
            return
        self._hide(post.id)
        await self._hass.async_add_executor_job(throw_away, self.folder / post.id)

    async def _async_look(self, _now: datetime | None) -> None:
        for post in list(self._posts.values()):
            if post.expires_s <= time.time() or post.subentry_id not in self._names:
                _LOGGER.info("A post that waited for somebody to look at it was thrown away")
                await self.async_discard(post.id)

    async def _async_show(self, post: PendingPost) -> None:
        """Ask for somebody: a notification, with the picture if all may see it, and a form to send it."""
        texts = await async_get_translations(self._hass, self._hass.config.language, "common", {DOMAIN})

        def text(key: str) -> str:
            return texts[f"component.{DOMAIN}.common.{key}"]

        name = self._names.get(post.subentry_id, "")
        # Notifications are everybody's; the form in the repairs is for administrators
        shows = await async_all_may_write(self._hass, post.subentry_id)
        picture = await self.async_picture(post) if shows else ""
        message = text("pending_message").format(name=plain(name), title=plain(title_of(post.body)))
        persistent_notification.async_create(
            self._hass,
            f"{picture}\n\n{message}\n\n[{text('pending_link')}](/config/repairs)",
            title=text("pending_title"),
            notification_id=f"{DOMAIN}_pending_{post.id}",
        )
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            f"{ISSUE_PENDING}_{post.id}",
            data={"pending_id": post.id},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=ISSUE_PENDING,
            translation_placeholders={"name": harmless(name), "title": harmless(title_of(post.body))},
        )

    async def async_picture(self, post: PendingPost) -> str:
        """Return the picture as Markdown, with a signed address that lasts as long; "" for none."""
        pictures = [name for name in post.files if name.endswith(".jpg")]
        if not pictures:
            return ""
        left = timedelta(seconds=max(60, post.expires_s - time.time()))
        return f"![]({async_sign_path(self._hass, post.path_of(pictures[0]), left, use_content_user=True)})"

    def _hide(self, pending_id: str) -> None:
        persistent_notification.async_dismiss(self._hass, f"{DOMAIN}_pending_{pending_id}")
        ir.async_delete_issue(self._hass, DOMAIN, f"{ISSUE_PENDING}_{pending_id}")


def title_of(body: Body) -> str:
    """Return how a waiting body is called."""
    return body.title if isinstance(body, Post) else text_of(body)[:60]


def text_of(body: Body) -> str:
    """Return what somebody wrote in a waiting body: its text, or a decision's reason."""
    if isinstance(body, Moderation | Remove):
        return body.reason
    return str(getattr(body, "text", ""))


def plain(text: str) -> str:
    """Return a text so that Markdown shows it as it is: no links, pictures or headings in it."""
    shown = "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!<>|~&:" else sign for sign in text)
    return shown.replace("\n", "\n\n")


async def async_details(hass: HomeAssistant, post: PendingPost) -> str:
    """Return in a few words what would go, and what in it looks private; as Markdown."""
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})

    def text(key: str) -> str:
        return texts[f"component.{DOMAIN}.common.{key}"]

    said = []
    for media in getattr(post.body, "media", ()):
        if media.type is MediaType.MP4:
            size, seconds = media.size_bytes / 1e6, media.duration_ms / 1000
            said.append(text("pending_media").format(size=f"{size:.1f}", seconds=f"{seconds:.0f}"))
    if isinstance(post.body, Post):
        place = post.body.place
        where = f"{place.lat_e6 / 1e6:.4f}, {place.lon_e6 / 1e6:.4f}" if place else text("pending_no_place")
        said.append(text("pending_place").format(place=where))
    if post.hints:
        hints = ", ".join(plain(hint) for _, hint in post.hints)
        said.append(text("pending_hints").format(hints=hints))
    return "\n\n".join(said)


def throw_away(folder: Path) -> None:
    """Delete a folder of ours."""
    shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, post: PendingPost) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "version": 1,
        "subentry_id": post.subentry_id,
        "created_s": post.created_s,
        "type": post.body.TYPE.value,
        "body": post.body.to_json(),
        "files": list(post.files),
        "hints": [list(hint) for hint in post.hints],
        "clip": post.clip,
    }
    save_json(str(folder / POST_FILE), content, private=True, atomic_writes=True)


def _read_all(folder: Path) -> dict[str, PendingPost]:
    """Return what is whole; what isn't, after a kill, is deleted."""
    found: dict[str, PendingPost] = {}
    paths: list[Path] = []
    with suppress(OSError):  # there is no such folder yet, or nobody may read it
        paths = sorted(folder.iterdir())
    for path in paths:
        post = None
        if ID.fullmatch(path.name):
            with suppress(OSError, ValueError, KeyError, TypeError, RecordViolation):
                post = _read(path)
        if post is None:
            throw_away(path)
        else:
            found[post.id] = post
    return dict(sorted(found.items(), key=lambda item: item[1].created_s))


def _read(folder: Path) -> PendingPost:
    content: dict[str, Any] = json.loads((folder / POST_FILE).read_text())
    files = tuple(str(name) for name in content["files"])
    if not all((folder / name).is_file() and "/" not in name for name in files):
        raise ValueError("a file is missing")
    return PendingPost(
        folder.name,
        str(content["subentry_id"]),
        int(content["created_s"]),
        parse_body(Type(content["type"]), content["body"]),
        files,
        tuple((str(kind), str(text)) for kind, text in content["hints"]),
        None if content.get("clip") is None else str(content["clip"]),
    )
