"""Clips in Home Assistant's media browser: by camera, then by day, newest first, and by search."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
import sqlite3
from typing import override

from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.media_player import (
    BrowseError,
    BrowseMedia,
    MediaClass,
    MediaType,
    SearchMedia,
    SearchMediaQuery,
)
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .clip_h264 import h264_path
from .clip_views import VIDEO, async_recordings, clip_path, thumbnail_path, tile_path
from .clips import Clip, Trigger
from .clips.queries import MAX_PAGE
from .const import DOMAIN, SUBENTRY_CAMERA, TITLE
from .recording import Recordings

PAGE = 100  # a browser draws so many thumbnails at once without a wall
SEARCHED = 20_000  # the newest clips, where the words name no day: a second on a small computer
SEARCH_MARGIN = timedelta(hours=3)  # the title tells the onset, which is later than the start; summer time
H265 = "hevc"
SIGNED_FOR = timedelta(hours=6)  # as long as a tab with the media browser may stay open


async def async_get_media_source(hass: HomeAssistant) -> ClipSource:
    """Return the source of clips."""
    return ClipSource(hass)


class ClipSource(MediaSource):
    """Identifiers: "" · camera/<id> · day/<id>/<date>[/<cursor>] · clip/<id> · h264/<id>."""

    name = TITLE

    def __init__(self, hass: HomeAssistant) -> None:
        """Belong to the integration."""
        super().__init__(DOMAIN)
        self._hass = hass

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Return the signed address of a clip; it can be jumped about in."""
        kind, _, clip_id = _identifier(item).partition("/")
        recordings = async_recordings(self._hass)
        clip = None
        if recordings is not None and kind in {"clip", "h264"}:
            clip = await self._hass.async_add_executor_job(_get, recordings, clip_id)
        if clip is None:
            raise Unresolvable(translation_domain=DOMAIN, translation_key="clip_gone")
        return PlayMedia(self._signed(h264_path(clip) if kind == "h264" else clip_path(clip)), VIDEO)

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """Return a folder and what is in it."""
        recordings = async_recordings(self._hass)
        if recordings is None:
            raise BrowseError(translation_domain=DOMAIN, translation_key="not_loaded")
        match _identifier(item).split("/"):
            case [""]:
                return await self._async_root(recordings)
            case ["camera", camera_id]:
                return await self._async_camera(recordings, camera_id)
            case ["day", camera_id, day, *cursor]:
                return await self._async_day(recordings, camera_id, day, cursor[0] if cursor else None)
            case ["clip", clip_id]:
                return await self._async_ways_to_play(recordings, clip_id)
        raise BrowseError(translation_domain=DOMAIN, translation_key="clip_gone")

    @override
    async def async_search_media(self, item: MediaSourceItem, query: SearchMediaQuery) -> SearchMedia:
        """Find clips by the words of their title: camera, trigger, zone, date."""
        recordings = async_recordings(self._hass)
        if recordings is None:
            raise BrowseError(translation_domain=DOMAIN, translation_key="not_loaded")
        parts = _identifier(item).split("/")
        camera_id = parts[1] if parts[0] in {"camera", "day"} and len(parts) > 1 else None
        words = query.search_query.casefold().split()
        triggers = await self._async_trigger_names()
        found = await self._hass.async_add_executor_job(_search, recordings, camera_id, words, triggers)
        return SearchMedia(result=[self._clip(clip, triggers, with_camera=True) for clip in found])

    async def _async_root(self, recordings: Recordings) -> BrowseMediaSource:
        cameras = await self._async_cameras(recordings)
        newest = await self._hass.async_add_executor_job(_newest, recordings, list(cameras))
        folders = []
        for camera_id, name in sorted(cameras.items(), key=lambda camera: camera[1].casefold()):
            folder = self._folder(f"camera/{camera_id}", name)
            if clip := newest.get(camera_id):
                folder.thumbnail = self._signed(thumbnail_path(clip))
            folders.append(folder)
        return self._folder("", TITLE, folders)

    async def _async_camera(self, recordings: Recordings, camera_id: str) -> BrowseMediaSource:
        name = await self._async_camera_name(recordings, camera_id)
        days = await self._hass.async_add_executor_job(
            _days, recordings, camera_id, dt_util.get_default_time_zone()
        )
        folders = [self._folder(f"day/{camera_id}/{day}", f"{day} ({count})") for day, count in days]
        return self._folder(f"camera/{camera_id}", name, folders)

    async def _async_day(
        self, recordings: Recordings, camera_id: str, day: str, cursor: str | None
    ) -> BrowseMediaSource:
        name = await self._async_camera_name(recordings, camera_id)
        try:
            begin = dt_util.start_of_local_day(date.fromisoformat(day))
            end = dt_util.start_of_local_day(date.fromisoformat(day) + timedelta(days=1))
            clips, following = await self._hass.async_add_executor_job(
                _page, recordings, camera_id, begin, end, cursor
            )
        except (ValueError, OverflowError) as err:  # a bad date, one at the end of time, or a bad cursor
            raise BrowseError(translation_domain=DOMAIN, translation_key="clip_gone") from err
        triggers = await self._async_trigger_names()
        children: list[BrowseMediaSource] = [self._clip(clip, triggers) for clip in clips]
        if following is not None:
            title = await self._async_text("earlier")
            children.append(self._folder(f"day/{camera_id}/{day}/{following}", title))
        identifier = f"day/{camera_id}/{day}" + (f"/{cursor}" if cursor else "")
        return self._folder(identifier, f"{name}, {day}", children, MediaClass.VIDEO)

    async def _async_ways_to_play(self, recordings: Recordings, clip_id: str) -> BrowseMediaSource:
        """Offer a clip of H.265 as H.264 too: nobody here knows what the browser can play."""
        clip = await self._hass.async_add_executor_job(_get, recordings, clip_id)
        if clip is None:
            raise BrowseError(translation_domain=DOMAIN, translation_key="clip_gone")
        item = self._clip(clip, await self._async_trigger_names(), with_camera=True)
        if clip.codec == H265:
            item.children_media_class = MediaClass.VIDEO
            item.children = [
                BrowseMediaSource(
                    domain=DOMAIN,
                    identifier=f"{kind}/{clip.id}",
                    media_class=MediaClass.VIDEO,
                    media_content_type=MediaType.VIDEO,
                    title=await self._async_text(text),
                    can_play=True,
                    can_expand=False,
                    thumbnail=item.thumbnail,
                )
                for kind, text in (("clip", "as_recorded"), ("h264", "as_h264"))
            ]
        return item

    async def _async_text(self, key: str) -> str:
        texts = await async_get_translations(self._hass, self._hass.config.language, "common", {DOMAIN})
        return texts.get(f"component.{DOMAIN}.common.{key}", "")

    def _folder(
        self,
        identifier: str,
        title: str,
        children: Iterable[BrowseMediaSource] | None = None,
        children_class: MediaClass = MediaClass.DIRECTORY,
    ) -> BrowseMediaSource:
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=identifier,
            media_class=MediaClass.DIRECTORY,
            media_content_type=MediaType.VIDEO,
            title=title,
            can_play=False,
            can_expand=True,
            can_search=True,
            children=None if children is None else list[BrowseMedia](children),
            children_media_class=children_class,
        )

    def _clip(
        self, clip: Clip, triggers: dict[Trigger, str], *, with_camera: bool = False
    ) -> BrowseMediaSource:
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=f"clip/{clip.id}",
            media_class=MediaClass.VIDEO,
            media_content_type=MediaType.VIDEO,
            title=_text(clip, triggers) if with_camera else _title(clip, triggers),
            can_play=True,
            can_expand=clip.codec == H265,
            thumbnail=self._signed(tile_path(clip)),
        )

    def _signed(self, path: str) -> str:
        return async_sign_path(self._hass, path, SIGNED_FOR)

    async def _async_camera_name(self, recordings: Recordings, camera_id: str) -> str:
        cameras = await self._async_cameras(recordings)
        if camera_id not in cameras:
            raise BrowseError(translation_domain=DOMAIN, translation_key="clip_gone")
        return cameras[camera_id]

    async def _async_cameras(self, recordings: Recordings) -> dict[str, str]:
        """Return the names of the cameras that are there, and of those that only clips are left of."""
        recorded = await self._hass.async_add_executor_job(_cameras, recordings)
        return recorded | {
            subentry.subentry_id: subentry.title
            for entry in self._hass.config_entries.async_loaded_entries(DOMAIN)
            for subentry in entry.get_subentries_of_type(SUBENTRY_CAMERA)
        }

    async def _async_trigger_names(self) -> dict[Trigger, str]:
        texts = await async_get_translations(self._hass, self._hass.config.language, "selector", {DOMAIN})
        return {
            trigger: texts.get(f"component.{DOMAIN}.selector.trigger.options.{trigger}", str(trigger))
            for trigger in Trigger
        }


def _identifier(item: MediaSourceItem) -> str:
    return item.identifier or ""  # None, whatever its type says, for the source itself


def _title(clip: Clip, triggers: dict[Trigger, str]) -> str:
    """Return time, cause, zones and length, short: on a phone there is room for twenty letters."""
    local = dt_util.as_local(clip.onset or clip.start)
    causes = ", ".join(triggers[trigger] for trigger in sorted(clip.triggers))
    zones = f" · {', '.join(sorted(clip.zones))}" if clip.zones else ""
    coding = " · H.265" if clip.codec == H265 else ""
    return f"{local:%H:%M} · {causes}{zones} · {clip.duration_s:.0f} s{coding}"


def _text(clip: Clip, triggers: dict[Trigger, str]) -> str:
    """Return the title where clips of many days and cameras are in one list."""
    local = dt_util.as_local(clip.onset or clip.start)
    time, _, rest = _title(clip, triggers).partition(" · ")
    return f"{local:%Y-%m-%d} {time} · {clip.camera_name} · {rest}"


def _get(recordings: Recordings, clip_id: str) -> Clip | None:
    try:
        return recordings.store.questions.get(clip_id)
    except sqlite3.Error:
        return None


def _search(
    recordings: Recordings, camera_id: str | None, words: list[str], triggers: dict[Trigger, str]
) -> list[Clip]:
    """Return the newest clips whose text has all the words, a page of them at most."""
    start, end = _day_of(words)
    found: list[Clip] = []
    cursor = None
    try:
        for _ in range(SEARCHED // MAX_PAGE):
            page = recordings.store.questions.page(
                camera_id=camera_id, start=start, end=end, limit=MAX_PAGE, cursor=cursor
            )
            for clip in page.clips:
                text = _text(clip, triggers).casefold()
                if all(word in text for word in words):
                    found.append(clip)
            cursor = page.cursor
            if cursor is None or len(found) >= PAGE:
                break
    except sqlite3.Error:
        pass
    return found[:PAGE]


def _day_of(words: Iterable[str]) -> tuple[datetime | None, datetime | None]:
    """Return the day that one of the words is, with the time before it in which a clip of it may begin."""
    for word in words:
        try:
            begin = dt_util.start_of_local_day(date.fromisoformat(word))
            return begin - SEARCH_MARGIN, begin + timedelta(days=1) + SEARCH_MARGIN
        except ValueError, OverflowError:
            continue
    return None, None


def _cameras(recordings: Recordings) -> dict[str, str]:
    try:
        return recordings.store.questions.cameras()
    except sqlite3.Error:
        return {}


def _newest(recordings: Recordings, cameras: list[str]) -> dict[str, Clip]:
    try:
        pages = {
            camera_id: recordings.store.questions.page(camera_id=camera_id, limit=1).clips
            for camera_id in cameras
        }
    except sqlite3.Error:
        return {}
    return {camera_id: clips[0] for camera_id, clips in pages.items() if clips}


def _days(recordings: Recordings, camera_id: str, zone: tzinfo) -> list[tuple[str, int]]:
    try:
        return recordings.store.questions.days(camera_id, zone)
    except sqlite3.Error:
        return []


def _page(
    recordings: Recordings, camera_id: str, begin: datetime, end: datetime, cursor: str | None
) -> tuple[tuple[Clip, ...], str | None]:
    try:
        page = recordings.store.questions.page(
            camera_id=camera_id, start=begin, end=end, limit=PAGE, cursor=cursor
        )
    except sqlite3.Error:
        return (), None
    return page.clips, page.cursor
