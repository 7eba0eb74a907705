"""Clips in the media browser, and their addresses: who may see them, and that a player can jump about."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
import io
from pathlib import Path

from aiohttp import ClientSession
import av
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.ringwatch.clips import Clip, Trigger
from custom_components.ringwatch.clips.catalogue import Catalogue
from custom_components.ringwatch.const import DOMAIN
from homeassistant.auth.models import User
from homeassistant.components.media_player import BrowseError, SearchMediaQuery
from homeassistant.components.media_source import (
    BrowseMediaSource,
    Unresolvable,
    async_browse_media,
    async_resolve_media,
    async_search_media,
)
from homeassistant.components.media_source.const import DOMAIN as MEDIA_SOURCE
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.fixtures.clips import NOBODY, async_open, furnish, gray, media, multiply, pictures, store_of
from tests.fixtures.watching import BACK, FRONT, camera, stored
from tests.video.samples import sample

ROOT = f"media-source://{DOMAIN}"


@pytest.fixture
def clip(hass: HomeAssistant, socket_enabled: None) -> Clip:
    """A clip from before Home Assistant started."""
    return furnish(hass)


def place(where: str) -> str:
    """Return what the media browser calls a folder."""
    return f"{ROOT}/{where}" if where else ROOT


async def async_look(hass: HomeAssistant, where: str = "") -> BrowseMediaSource:
    """Open a folder of the media browser."""
    found = await async_browse_media(hass, place(where))
    assert isinstance(found, BrowseMediaSource)
    return found


async def async_search(hass: HomeAssistant, words: str, where: str = "") -> list[str]:
    """Return the titles of what is found."""
    result = await async_search_media(hass, place(where), SearchMediaQuery(search_query=words))
    return [found.title for found in result.result]


def titles(folder: BrowseMediaSource) -> list[str]:
    """Return what a folder lists."""
    return [child.title for child in folder.children or ()]


async def test_clips_are_found_by_camera_then_by_day(hass: HomeAssistant, clip: Clip) -> None:
    multiply(
        hass,
        clip,
        [timedelta(hours=1), timedelta(days=2)],
        triggers=frozenset({Trigger.MOTION, Trigger.PRESS}),
        zones=frozenset({"Path"}),
    )
    await hass.config.async_set_time_zone("Europe/Berlin")
    multiply(hass, clip, [timedelta(hours=3)], camera_id="01REMOVED", camera_name="Garage")
    await async_open(hass, stored(camera(NOBODY)), stored(camera(NOBODY), "Back door", BACK))
    root = await async_look(hass)
    assert (root.title, titles(root)) == ("Ringwatch", ["Back door", "Front door", "Garage"])
    assert root.can_search
    back, front_door, garage = (child.thumbnail for child in root.children or ())
    assert back is None
    assert front_door
    assert "/thumbnail?authSig=" in front_door
    assert garage
    assert titles(await async_look(hass, "camera/01REMOVED")) == ["2026-11-23 (1)"]
    front = await async_look(hass, f"camera/{FRONT}")
    assert (front.title, titles(front)) == ("Front door", ["2026-11-25 (1)", "2026-11-23 (2)"])
    assert titles(await async_look(hass, f"camera/{BACK}")) == []

    day = await async_look(hass, f"day/{FRONT}/2026-11-23")
    assert day.title == "Front door, 2026-11-23"
    assert titles(day) == ["16:00 · Motion, Doorbell · Path · 5 s", "15:00 · Doorbell · 5 s"]
    [_, first] = day.children or ()
    assert (first.can_play, first.can_expand) == (True, False)
    assert first.media_content_id == f"{ROOT}/clip/{clip.id}"
    assert first.thumbnail
    assert first.thumbnail.startswith(f"/api/ringwatch/clip/{clip.id}/tile?authSig=")


async def test_a_clip_after_midnight_is_of_the_day_that_it_was_there(hass: HomeAssistant, clip: Clip) -> None:
    """In summer, too, seen in winter."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    [summer] = multiply(hass, clip, [timedelta(days=-130, hours=8, minutes=30)])  # 00:30:02 on July 17
    await async_open(hass)
    days = await async_look(hass, f"camera/{FRONT}")
    assert titles(days) == ["2026-11-23 (1)", "2026-07-17 (1)"]
    day = await async_look(hass, f"day/{FRONT}/2026-07-17")
    assert [child.identifier for child in day.children or () if isinstance(child, BrowseMediaSource)] == [
        f"clip/{summer.id}"
    ]


async def test_a_day_with_many_clips_is_no_wall(hass: HomeAssistant, clip: Clip) -> None:
    multiply(hass, clip, [timedelta(seconds=10 * number) for number in range(1, 250)])
    await async_open(hass)
    where: str | None = f"day/{FRONT}/2026-11-23"
    pages: list[list[str]] = []
    while where:
        page = await async_look(hass, where)
        children = list(page.children or ())
        where = None
        if children[-1].can_expand:
            last = children.pop()
            assert last.title == "Earlier clips"
            assert isinstance(last, BrowseMediaSource)
            where = last.identifier
        pages.append([child.media_content_id for child in children])
    assert [len(page) for page in pages] == [100, 100, 50]
    assert len({found for page in pages for found in page}) == 250
    assert pages[2][-1] == f"{ROOT}/clip/{clip.id}"


async def test_clips_are_searched_by_the_words_of_their_titles(hass: HomeAssistant, clip: Clip) -> None:
    multiply(hass, clip, [timedelta(hours=1)], triggers=frozenset({Trigger.SAVE}), zones=frozenset({"Path"}))
    multiply(hass, clip, [timedelta(hours=2)], camera_id=BACK, camera_name="Back door")
    await hass.config.async_set_time_zone("Europe/Berlin")
    await async_open(hass, stored(camera(NOBODY)), stored(camera(NOBODY), "Back door", BACK))
    assert await async_search(hass, "door") == [
        "2026-11-23 17:00 · Back door · Doorbell · 5 s",
        "2026-11-23 16:00 · Front door · Saved · Path · 5 s",
        "2026-11-23 15:00 · Front door · Doorbell · 5 s",
    ]
    assert len(await async_search(hass, "PATH front 2026-11")) == 1
    assert await async_search(hass, "front", f"camera/{BACK}") == []
    assert len(await async_search(hass, "15:00", f"day/{FRONT}/2026-11-23")) == 1
    assert await async_search(hass, "burglar") == []


async def test_the_address_of_a_clip_is_signed_and_can_be_jumped_about_in(
    hass: HomeAssistant,
    clip: Clip,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    await async_open(hass)
    await async_setup_component(hass, MEDIA_SOURCE, {})
    socket = await hass_ws_client()
    await socket.send_json_auto_id(
        {"type": "media_source/resolve_media", "media_content_id": f"{ROOT}/clip/{clip.id}"}
    )
    resolved = (await socket.receive_json())["result"]
    assert resolved["mime_type"] == "video/mp4"
    await socket.send_json_auto_id(
        {"type": "media_source/browse_media", "media_content_id": f"{ROOT}/day/{FRONT}/2026-11-23"}
    )
    [listed] = (await socket.receive_json())["result"]["children"]

    client = await hass_client_no_auth()  # as a television has none
    data = (media(hass) / clip.path).read_bytes()
    whole = await client.get(resolved["url"])
    assert (whole.status, whole.content_type) == (HTTPStatus.OK, "video/mp4")
    assert await whole.read() == data
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = await client.get(resolved["url"], headers={"Range": "bytes=100-199"})
    assert part.status == HTTPStatus.PARTIAL_CONTENT
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(data)}"
    assert await part.read() == data[100:200]
    beyond = await client.get(resolved["url"], headers={"Range": f"bytes={len(data)}-"})
    assert beyond.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    picture = await client.get(listed["thumbnail"])
    assert (picture.status, picture.content_type) == (HTTPStatus.OK, "image/jpeg")
    assert gray(await picture.read()).shape == (120, 120)
    # The signature is this address's.
    signature = resolved["url"].partition("?")[2]
    other = await client.get(f"/api/ringwatch/clip/{clip.id}/thumbnail?{signature}")
    assert other.status == HTTPStatus.UNAUTHORIZED


NOWHERE = (
    "clip/gone",
    "camera/gone",
    "camera",
    "camera/../..",
    f"day/{FRONT}/yesterday",
    f"day/{FRONT}/9999-12-31",
    f"day/{FRONT}/2026-11-23/nonsense",
    f"day/{FRONT}/2026-11-23/bm9uc2Vuc2U=",
    f"day/{FRONT}/2026-11-23/WzEsMiwzXQ==",
    "day/gone/2026-11-23",
    "everything",
)


async def test_what_is_not_there_is_said(hass: HomeAssistant, clip: Clip) -> None:
    entry = await async_open(hass)
    for where in NOWHERE:
        with pytest.raises(BrowseError, match="not there any more"):
            await async_look(hass, where)
        with pytest.raises(Unresolvable, match="not there any more"):
            await async_resolve_media(hass, place(where), None)
    await hass.config_entries.async_unload(entry.entry_id)
    for where in ("", f"camera/{FRONT}", f"day/{FRONT}/2026-11-23"):
        with pytest.raises(BrowseError, match="isn't running"):
            await async_look(hass, where)
        with pytest.raises(BrowseError, match="isn't running"):
            await async_search(hass, "door", where)
    with pytest.raises(Unresolvable, match="not there any more"):
        await async_resolve_media(hass, place(f"clip/{clip.id}"), None)


async def async_status(client: ClientSession, *paths: str) -> list[int]:
    """Return what is answered to each."""
    return [(await client.get(path)).status for path in paths]


async def test_addresses_need_a_login_and_a_permission(
    hass: HomeAssistant,
    clip: Clip,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_access_token: str,
    hass_admin_user: User,
) -> None:
    orphan = multiply(hass, clip, [timedelta(hours=3)], camera_id="01REMOVED", camera_name="Garage")[0]
    entry = await async_open(hass)
    each = tuple(f"/api/ringwatch/clip/{clip.id}{kind}" for kind in ("", "/thumbnail", "/tile"))
    encoded = f"/api/ringwatch/clip/{clip.id}/h264"
    of_removed = f"/api/ringwatch/clip/{orphan.id}"
    assert await async_status(await hass_client_no_auth(), *each, encoded) == [HTTPStatus.UNAUTHORIZED] * 4
    owner = await hass_client()
    assert await async_status(owner, *each, of_removed) == [HTTPStatus.OK] * 4
    reader = await hass_client(hass_read_only_access_token)
    assert await async_status(reader, *each, of_removed) == [HTTPStatus.OK] * 3 + [HTTPStatus.NOT_FOUND]

    stranger = MockUser(id="stranger").add_to_hass(hass)
    stranger.mock_policy({"entities": {"entity_ids": {"camera.garden": True}}})
    token = await hass.auth.async_create_refresh_token(stranger, "https://client")
    outside = await hass_client(hass.auth.async_create_access_token(token))
    assert await async_status(outside, *each, encoded, of_removed) == [HTTPStatus.NOT_FOUND] * 5

    await hass.config_entries.async_unload(entry.entry_id)
    assert await async_status(owner, *each, encoded) == [HTTPStatus.NOT_FOUND] * 4


@pytest.fixture
def modern(hass: HomeAssistant, socket_enabled: None) -> Clip:
    """A clip in H.265."""
    return furnish(hass, codec="hevc")


async def test_a_clip_in_h265_says_so_and_can_be_played_as_h264(
    hass: HomeAssistant, modern: Clip, hass_client: ClientSessionGenerator
) -> None:
    await async_open(hass)
    [listed] = (await async_look(hass, f"day/{FRONT}/2026-11-23")).children or ()
    assert (listed.can_play, listed.can_expand) == (True, True)
    assert listed.title.endswith(" · H.265")
    ways = (await async_look(hass, f"clip/{modern.id}")).children or ()
    assert [way.title for way in ways] == [
        "Play as recorded (H.265, which not every browser can play)",
        "Play as H.264 (in every browser; encoded while it plays)",
    ]
    client = await hass_client()
    codecs = []
    for way in ways:
        address = (await async_resolve_media(hass, way.media_content_id, None)).url
        answer = await client.get(address)
        assert (answer.status, answer.content_type) == (200, "video/mp4")
        with av.open(io.BytesIO(await answer.read())) as container:
            [stream] = container.streams.video
            codecs.append(stream.codec_context.name)
            assert len(list(container.decode(video=0))) == len(pictures(media(hass) / modern.path))
    assert codecs == ["hevc", "h264"]


async def test_whoever_leaves_does_not_keep_the_encoder(
    hass: HomeAssistant, modern: Clip, hass_client: ClientSessionGenerator
) -> None:
    long = furnish_long(hass, modern)
    await async_open(hass)
    client = await hass_client()
    address = f"/api/ringwatch/clip/{long.id}/h264"
    watched = await client.get(address)
    assert await watched.content.read(1)
    assert await async_status(client, address) == [HTTPStatus.SERVICE_UNAVAILABLE]  # one at a time
    watched.close()
    async with asyncio.timeout(20):
        while await async_status(client, f"/api/ringwatch/clip/{modern.id}/h264") != [HTTPStatus.OK]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def furnish_long(hass: HomeAssistant, clip: Clip) -> Clip:
    """Add a clip that takes some time to encode."""
    [long] = multiply(hass, clip, [timedelta(hours=1)])
    data = sample("mp4", "hevc", width=640, height=360, seconds=40.0)
    (media(hass) / long.path).write_bytes(data)
    return long


async def test_no_address_leads_out_of_the_storage_folder(
    hass: HomeAssistant, clip: Clip, hass_client: ClientSessionGenerator
) -> None:
    secret = media(hass).parent / "secrets.yaml"
    secret.write_text("password: 1234")
    (media(hass) / clip.path).with_name("linked.mp4").symlink_to(secret)
    bad = {
        "up": "../secrets.yaml",
        "absolute": str(secret),
        "dots": f"{Path(clip.path).parent}/../../../../secrets.yaml",
        "linked": str(Path(clip.path).with_name("linked.mp4")),
        "folder": str(Path(clip.path).parent),
    }
    entry = await async_open(hass)
    # Rows that somebody has tampered with: written once the comparison with the files is over.
    await hass.async_add_executor_job(store_of(entry).reconcile)
    tampered = Catalogue(Path(hass.config.path(DOMAIN)))
    for clip_id, path in bad.items():
        tampered._db.execute(
            "INSERT INTO clips (id, recording, camera, start_ms, end_ms, size, keep, state, path, document,"
            " shared) SELECT ?, recording, camera, start_ms, end_ms, size, keep, state, ?, document, shared"
            " FROM clips WHERE id = ?",
            (clip_id, path, clip.id),
        )
    tampered.close()
    client = await hass_client()
    tricks = [
        f"/api/ringwatch/clip/{clip_id}{rest}"
        for clip_id in bad
        for rest in ("", "/thumbnail", "/tile", "/h264")
    ]
    tricks += [
        "/api/ringwatch/clip/..%2f..%2fsecrets.yaml",
        "/api/ringwatch/clip/%2e%2e/thumbnail",
        "/api/ringwatch/clip/" + "x" * 5000,
        "/api/ringwatch/clip/%00",
    ]
    for trick in tricks:
        answer = await client.get(trick)
        # Home Assistant itself refuses some of these.
        assert answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}, trick
        assert "1234" not in await answer.text()


async def test_a_clip_whose_file_or_catalogue_is_gone_is_not_found(
    hass: HomeAssistant, clip: Clip, hass_client: ClientSessionGenerator
) -> None:
    entry = await async_open(hass)
    client = await hass_client()
    (media(hass) / clip.path).unlink()
    address = f"/api/ringwatch/clip/{clip.id}"
    assert await async_status(client, address) == [404]
    async with asyncio.timeout(10):  # the store is told, and forgets the clip
        while titles(await async_look(hass, f"camera/{FRONT}")):  # noqa: ASYNC110 - a thread's work
            await asyncio.sleep(0.02)
    assert await async_status(client, f"{address}/thumbnail") == [404]
    await hass.async_add_executor_job(store_of(entry).stop)
    (media(hass).parent / DOMAIN / "catalogue.db").unlink()
    assert await async_status(client, address, f"{address}/thumbnail", f"{address}/tile") == [404] * 3
    assert titles(await async_look(hass, f"camera/{FRONT}")) == []
    assert titles(await async_look(hass, f"day/{FRONT}/2026-11-23")) == []
    assert await async_search(hass, "door") == []
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, f"{ROOT}/clip/{clip.id}", None)
