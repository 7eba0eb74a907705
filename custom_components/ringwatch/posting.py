"""From what an action was given to what is signed: texts looked at, places snapped, clips made ready.

What has clips or pictures in it, or a text that looks as if it pointed at somebody, waits for a person
(pending_posts.py) unless the owner has said otherwise for this neighborhood.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
import logging
from pathlib import Path
import sqlite3
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .clip_views import async_recordings
from .clips import Clip
from .clips.redact import Redaction
from .const import CONF_CONFIRM, DOMAIN
from .neighborhood.bodies import Body, Comment, Post
from .neighborhood.bodies.feed import MAX_COMMENT, MAX_TEXT, MAX_TITLE, Category, Media, Span
from .neighborhood.envelope import Record
from .neighborhood.limits import AREA_SLACK_M
from .neighborhood.places import Place, distance_m, snap_degrees
from .neighborhood.text import clean
from .neighborhood.text_check import find_private
from .neighborhood.violations import BadField, RecordViolation
from .neighborhood_answers import place_answer, time_answer
from .neighborhood_home import Neighborhood
from .neighborhoods import Neighborhoods
from .outgoing import Outgoing, OutgoingError, prepare_clip
from .pending_posts import PendingPost, text_of, throw_away, title_of
from .recording import FAILURES

_LOGGER = logging.getLogger(__name__)

# What the rules refuse and people can understand, each with a sentence of its own.
RULES: Final = frozenset(
    {
        "already_done",
        "bad_text",
        "frozen",
        "limit_reached",
        "not_a_member",
        "not_allowed",
        "not_founded",
        "outside_area",
        "own_item",
        "removed",
        "too_large",
        "too_old",
        "unknown_target",
        "wrong_target",
    }
)


@dataclass(frozen=True, slots=True)
class Written:
    """What an action asked to post, before any file is made ready."""

    category: Category
    title: str
    text: str
    place: Place | None
    happened: Span

    def to_post(self, media: tuple[Media, ...] = ()) -> Post:
        """Return the post, with its files."""
        return Post(self.category, self.title, self.text, self.place, self.happened, media)


def write_post(
    hass: HomeAssistant, neighborhood: Neighborhood, data: dict[str, Any], happened: Span
) -> Written:
    """Take over what was typed, as it would be signed. Raise ServiceValidationError."""
    title = clean(data["title"], MAX_TITLE)
    if not title:
        raise refused(translation_key="no_title")
    where: dict[str, Any] | None = data.get("location")
    if where is None and data["with_place"]:
        where = {"latitude": hass.config.latitude, "longitude": hass.config.longitude}
    place = None
    if where is not None and data["with_place"]:
        try:
            place = snap_degrees(float(where["latitude"]), float(where["longitude"]))
        except (BadField, KeyError, TypeError, ValueError) as err:
            raise refused(translation_key="bad_place") from err
        hood = neighborhood.hood
        if hood is not None and distance_m(place, hood.center) > hood.radius_m + AREA_SLACK_M:
            raise refused(translation_key="rule_outside_area")
    return Written(
        Category(data["category"]), title, clean(data["text"], MAX_TEXT, lines=True), place, happened
    )


def write_comment(post: str, text: str) -> Comment:
    """Take over a comment. Raise ServiceValidationError."""
    cleaned = clean(text, MAX_COMMENT, lines=True)
    if not cleaned:
        raise refused(translation_key="no_text")
    return Comment(post, cleaned)


def hints_of(body: Body) -> tuple[tuple[str, str], ...]:
    """Return what in a body's texts looks as if it pointed at somebody: kind, text."""
    texts = (body.title, body.text) if isinstance(body, Post) else (text_of(body),)
    return tuple(
        (hint.kind.value, text[hint.start : hint.end]) for text in texts for hint in find_private(text)
    )


async def async_send_or_ask(
    neighborhoods: Neighborhoods, neighborhood: Neighborhood, body: Body
) -> dict[str, Any]:
    """Send a text, or have it wait for a person if something in it looks private."""
    hints = hints_of(body)
    if not hints:
        record = await async_submit(neighborhood, body)
        return answer_of(neighborhood, body, hints, record=record)
    return await _async_wait(
        neighborhoods, neighborhood, body, folder=neighborhoods.pending.new_folder(), files=(), hints=hints
    )


async def async_post_clip(
    hass: HomeAssistant,
    neighborhoods: Neighborhoods,
    neighborhood: Neighborhood,
    written: Written,
    *,
    clip: Clip,
    path: Path,
    wanted: Redaction,
) -> dict[str, Any]:
    """Make a clip ready and have it wait for a person; send it if the owner wants no such look."""
    if neighborhoods.pending.is_full:
        raise refused(translation_key="too_many_pending")
    folder = neighborhoods.pending.new_folder()
    try:
        files = await hass.async_add_executor_job(prepare_clip, path, folder, wanted)
        post = written.to_post(tuple(file.media for file in files))
        hints = hints_of(post)
        if hints or neighborhood.subentry.data[CONF_CONFIRM]:
            return await _async_wait(
                neighborhoods, neighborhood, post, folder=folder, files=files, hints=hints, clip=clip.id
            )
        record = await async_submit(neighborhood, post, [folder / file.name for file in files])
        await hass.async_add_executor_job(throw_away, folder)
        await _async_note(neighborhood, clip.id)
        return answer_of(neighborhood, post, hints, files, record=record)
    except (OutgoingError, OSError) as err:
        await hass.async_add_executor_job(throw_away, folder)
        if isinstance(err, OutgoingError):
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key=f"outgoing_{err.code}"
            ) from err
        raise disk_failed(err) from err
    except HomeAssistantError:
        await hass.async_add_executor_job(throw_away, folder)
        raise


async def _async_wait(
    neighborhoods: Neighborhoods,
    neighborhood: Neighborhood,
    body: Body,
    *,
    folder: Path,
    files: Sequence[Outgoing],
    hints: tuple[tuple[str, str], ...],
    clip: str | None = None,
) -> dict[str, Any]:
    if neighborhoods.pending.is_full:
        raise refused(translation_key="too_many_pending")
    try:
        pending = await neighborhoods.pending.async_add(
            folder,
            name=neighborhood.title,
            subentry_id=neighborhood.subentry_id,
            body=body,
            files=[file.name for file in files],
            hints=hints,
            clip=clip,
        )
    except OSError as err:
        raise disk_failed(err) from err
    return answer_of(neighborhood, body, hints, files, pending=pending)


async def async_confirm(neighborhoods: Neighborhoods, post: PendingPost) -> Record:
    """Send what waited: somebody has looked at it. Raise HomeAssistantError."""
    neighborhood = neighborhoods.get(post.subentry_id)
    if neighborhood is None:
        raise refused(translation_key="neighborhood_not_running")
    pending = neighborhoods.pending
    if post.id in pending.sending:
        raise refused(translation_key="pending_unknown")
    pending.sending.add(post.id)
    try:
        # What is sent is moved away; if it is refused, what waits has to be whole still.
        copies = await neighborhood.hass.async_add_executor_job(_link, pending.folder / post.id, post.files)
        record = await async_submit(neighborhood, post.body, copies)
    except OSError as err:
        raise disk_failed(err) from err
    finally:
        pending.sending.discard(post.id)
    await pending.async_discard(post.id)
    if post.clip is not None:
        await _async_note(neighborhood, post.clip)
    return record


async def _async_note(neighborhood: Neighborhood, clip_id: str) -> None:
    """Note with a clip of the home's own where it was shared, so that it isn't deleted unawares."""
    recordings = async_recordings(neighborhood.hass)
    if recordings is None:
        return
    try:
        await neighborhood.hass.async_add_executor_job(recordings.store.share, clip_id, neighborhood.title)
    except FAILURES as err:
        _LOGGER.warning("It could not be noted that a clip was shared: %s", err)


def _link(folder: Path, names: Sequence[str]) -> list[Path]:
    """Give files a second name each."""
    links = []
    for name in names:
        link = folder / f"sending-{name}"
        link.unlink(missing_ok=True)
        link.hardlink_to(folder / name)
        links.append(link)
    return links


async def async_submit(neighborhood: Neighborhood, body: Body, files: Sequence[Path] = ()) -> Record:
    """Sign something and have it sent. Raise HomeAssistantError if the rules, or the disk, refuse it."""
    try:
        return await neighborhood.home.async_submit(body, files)
    except RecordViolation as err:
        key = err.code if err.code in RULES else "other"
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=f"rule_{key}",
            translation_placeholders={"code": err.code},
        ) from err
    except (OSError, sqlite3.Error) as err:
        raise disk_failed(err) from err


def answer_of(
    neighborhood: Neighborhood,
    body: Body,
    hints: tuple[tuple[str, str], ...],
    files: Sequence[Outgoing] = (),
    *,
    pending: PendingPost | None = None,
    record: Record | None = None,
) -> dict[str, Any]:
    """Return exactly what will leave the house, or has left it."""
    media = [
        {
            "type": file.media.type.value,
            "size_bytes": file.media.size_bytes,
            "duration_s": file.media.duration_ms / 1000,
            "width": file.media.width,
            "height": file.media.height,
            "has_sound": file.has_sound,
            "sha256": file.media.sha256,
            "preview": pending.path_of(file.name) if pending else None,
        }
        for file in files
    ]
    found: dict[str, Any] = {
        "neighborhood": neighborhood.title,
        "id": record.id if record else None,
        "pending": pending.id if pending else None,
        "needs_confirmation": [{"kind": kind, "text": text} for kind, text in hints],
        "title": title_of(body),
        "text": text_of(body),
        "media": media,
    }
    if isinstance(body, Post):
        found |= {
            "category": body.category.value,
            "place": place_answer(body.place),
            "start": time_answer(body.happened.start_s),
            "end": time_answer(body.happened.end_s),
        }
    if pending is not None:
        found["expires"] = time_answer(pending.expires_s)
    return found


def cut(wanted: Redaction, start_s: float, end_s: float | None) -> Redaction:
    """Return a redaction that leaves out what is earlier or later."""
    return replace(wanted, start_s=max(0.0, start_s), end_s=end_s)


def disk_failed(error: Exception) -> HomeAssistantError:
    """Return what to say of a disk that doesn't do."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="neighborhood_disk",
        translation_placeholders={"error": str(error)},
    )


def refused(*, translation_key: str, **placeholders: str) -> ServiceValidationError:
    """Return what to say of a wish that can't be fulfilled."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=translation_key, translation_placeholders=placeholders
    )
