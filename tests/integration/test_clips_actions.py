"""The actions on clips that are there: find, delete, protect, export, read from the files again."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import av
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.ringwatch.clips import Clip, Trigger
from custom_components.ringwatch.const import DOMAIN
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized, UnknownUser
from tests.fixtures.clips import (
    NOBODY,
    async_ask,
    async_open,
    boxes,
    finished,
    furnish,
    media,
    multiply,
    pictures,
    store_of,
)
from tests.fixtures.watching import BACK, async_until_state, camera, stored

USED = "sensor.front_door_storage_used"


@pytest.fixture
def clip(hass: HomeAssistant, socket_enabled: None) -> Clip:
    """A clip from before Home Assistant started."""
    return furnish(hass, audio="aac")


@pytest.fixture
def ask(hass: HomeAssistant) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Perform an action as somebody."""

    async def as_somebody(user: User, action: str, **data: Any) -> dict[str, Any]:
        context = Context(user_id=user.id)
        answer = await hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=True, context=context
        )
        return dict(answer or {})

    return as_somebody


def somebody(hass: HomeAssistant, policy: dict[str, Any]) -> User:
    """Add a user who is no administrator."""
    user = MockUser(id="somebody").add_to_hass(hass)
    user.mock_policy({"entities": policy})
    found: User = user
    return found


def ids(answer: dict[str, Any]) -> list[str]:
    """Return the clips of an answer."""
    return [found["id"] for found in answer["clips"]]


async def test_clips_are_found_by_camera_time_cause_and_zone(hass: HomeAssistant, clip: Clip) -> None:
    saved = multiply(
        hass, clip, [timedelta(hours=1)], triggers=frozenset({Trigger.SAVE}), zones=frozenset({"Path"})
    )[0]
    other = multiply(hass, clip, [timedelta(hours=2)], camera_id=BACK, camera_name="Back door")[0]
    await async_open(hass, stored(camera(NOBODY)), stored(camera(NOBODY), "Back door", BACK))

    everything = await async_ask(hass, "get_clips")
    assert ids(everything) == [other.id, saved.id, clip.id]
    assert everything["cursor"] is None
    [_, _, found] = everything["clips"]
    assert found == {
        "id": clip.id,
        "camera": "Front door",
        "start": clip.start.isoformat(),
        "end": clip.end.isoformat(),
        "onset": clip.onset.isoformat() if clip.onset else "",
        "duration_s": round(clip.duration_s, 1),
        "triggers": ["press"],
        "zones": [],
        "score": 0.0,
        "clip": f"/api/ringwatch/clip/{clip.id}",
        "thumbnail": f"/api/ringwatch/clip/{clip.id}/thumbnail",
        "size_bytes": clip.size_bytes,
        "has_sound": False,
        "protected": False,
        "shared": [],
    }

    assert ids(await async_ask(hass, "get_clips", entity_id="camera.back_door")) == [other.id]
    assert ids(await async_ask(hass, "get_clips", entity_id="event.front_door_clip")) == [saved.id, clip.id]
    assert ids(await async_ask(hass, "get_clips", trigger="save")) == [saved.id]
    assert ids(await async_ask(hass, "get_clips", zone="Path", trigger="press")) == []
    assert ids(await async_ask(hass, "get_clips", zone="Path")) == [saved.id]
    window = {"start": saved.start.isoformat(), "end": other.start.isoformat()}
    assert ids(await async_ask(hass, "get_clips", **window)) == [saved.id]
    within = {"start": (saved.start + timedelta(seconds=1)).isoformat(), "end": other.start.isoformat()}
    assert ids(await async_ask(hass, "get_clips", **within)) == [saved.id]  # it had begun before
    await hass.config.async_set_time_zone("Europe/Berlin")  # 15:00:02 there, without saying so
    local = {"start": "2026-11-23 15:00:00", "end": "2026-11-23 15:00:10"}
    assert ids(await async_ask(hass, "get_clips", **local)) == [clip.id]


async def test_clips_come_a_page_at_a_time(hass: HomeAssistant, clip: Clip) -> None:
    copies = multiply(hass, clip, [timedelta(minutes=minute) for minute in range(1, 5)])
    await async_open(hass)
    cursor: dict[str, str] = {}
    pages = []
    while True:
        page = await async_ask(hass, "get_clips", limit=2, **cursor)
        pages.append(ids(page))
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    newest_first = [copy.id for copy in reversed(copies)] + [clip.id]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]


async def test_a_question_that_makes_no_sense_is_refused(hass: HomeAssistant, socket_enabled: None) -> None:
    await async_open(hass)
    for data, error in (
        ({"cursor": "nonsense"}, "This cursor was not given"),
        ({"start": "2026-11-24 12:00", "end": "2026-11-24 11:00"}, "The end has to be after the start"),
        ({"entity_id": "sun.sun"}, "sun.sun is not an entity of a camera"),
    ):
        with pytest.raises(ServiceValidationError, match=error):
            await async_ask(hass, "get_clips", **data)


async def test_without_a_running_entry_the_actions_say_so(hass: HomeAssistant, clip: Clip) -> None:
    entry = await async_open(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError, match="Ringwatch isn't running"):
        await async_ask(hass, "get_clips")


async def test_deleting_spares_what_is_protected_unless_told_otherwise(
    hass: HomeAssistant, clip: Clip
) -> None:
    [copy, shared] = multiply(hass, clip, [timedelta(minutes=1), timedelta(minutes=2)])
    entry = await async_open(hass)
    await async_until_state(hass, USED, str(3 * clip.size_bytes / 1e9))
    await hass.async_add_executor_job(store_of(entry).share, shared.id, "somewhere")

    answer = await async_ask(hass, "protect_clips", clips=[clip.id, "gone"])
    assert answer == {"changed": [clip.id], "unknown": ["gone"]}
    protected = {found["id"]: found["protected"] for found in (await async_ask(hass, "get_clips"))["clips"]}
    assert protected == {clip.id: True, copy.id: False, shared.id: False}

    with pytest.raises(ServiceValidationError, match="1 clips are deleted") as refused:
        await async_ask(hass, "delete_clips", clips=[clip.id, copy.id, shared.id, "gone"])
    assert clip.id in str(refused.value)
    assert shared.id in str(refused.value)
    assert {clip.path, shared.path} <= finished(media(hass))
    assert copy.path not in finished(media(hass))
    await async_until_state(hass, USED, str(2 * clip.size_bytes / 1e9))

    await async_ask(hass, "protect_clips", clips=[clip.id], protected=False)
    answer = await async_ask(hass, "delete_clips", clips=[clip.id, "gone"])
    assert answer == {"deleted": [clip.id], "unknown": ["gone"]}
    answer = await async_ask(hass, "delete_clips", clips=shared.id, force=True)
    assert answer == {"deleted": [shared.id], "unknown": []}
    assert not finished(media(hass))
    await async_until_state(hass, USED, "0.0")


async def test_people_see_and_change_only_what_they_may(
    hass: HomeAssistant,
    clip: Clip,
    ask: Callable[..., Awaitable[dict[str, Any]]],
    hass_admin_user: User,
    hass_read_only_user: User,
) -> None:
    other = multiply(hass, clip, [timedelta(hours=2)], camera_id=BACK, camera_name="Back door")[0]
    gone = multiply(hass, clip, [timedelta(hours=3)], camera_id="01REMOVED", camera_name="Garage")[0]
    await async_open(hass, stored(camera(NOBODY)), stored(camera(NOBODY), "Back door", BACK))
    neighbor = somebody(hass, {"entity_ids": {"camera.back_door": {"read": True, "control": True}}})
    target = str(media(hass) / "copy.mp4")

    assert ids(await ask(hass_admin_user, "get_clips")) == [gone.id, other.id, clip.id]
    assert ids(await ask(hass_read_only_user, "get_clips")) == [other.id, clip.id]
    assert ids(await ask(neighbor, "get_clips", limit=1)) == [other.id]
    assert ids(await ask(neighbor, "get_clips", entity_id="camera.back_door")) == [other.id]
    with pytest.raises(Unauthorized):
        await ask(neighbor, "get_clips", entity_id="camera.front_door")
    for user in (hass_read_only_user, neighbor):
        for action, data in (
            ("delete_clips", {"clips": [clip.id]}),
            ("protect_clips", {"clips": [clip.id, other.id]}),
            ("export_clip", {"clip": clip.id, "filename": target}),
            ("delete_clips", {"clips": [gone.id], "force": True}),
            ("rebuild_catalogue", {}),
        ):
            with pytest.raises(Unauthorized):
                await ask(user, action, **data)
    with pytest.raises(UnknownUser):
        await ask(MockUser(id="nobody"), "get_clips")
    assert (await ask(neighbor, "protect_clips", clips=[other.id]))["changed"] == [other.id]
    assert (await ask(hass_admin_user, "delete_clips", clips=[gone.id]))["deleted"] == [gone.id]
    assert {clip.path, other.path} <= finished(media(hass))
    assert "copy.mp4" not in finished(media(hass))


async def test_a_clip_is_exported_whole(hass: HomeAssistant, clip: Clip) -> None:
    await async_open(hass)
    target = media(hass) / "for the police.mp4"
    answer = await async_ask(hass, "export_clip", clip=clip.id, filename=str(target))
    assert answer["filename"] == str(target)
    assert answer["size_bytes"] == target.stat().st_size
    assert answer["duration_s"] == pytest.approx(clip.duration_s, abs=0.2)
    kinds = boxes(target)
    assert kinds.index("moov") < kinds.index("mdat")
    original = pictures(media(hass) / clip.path)
    assert [picture.tobytes() for picture in pictures(target)] == [p.tobytes() for p in original]


async def test_a_part_of_a_clip_is_exported_as_h264(hass: HomeAssistant, socket_enabled: None) -> None:
    clip = furnish(hass, codec="hevc", gop=10)
    await async_open(hass)
    target = media(hass) / "part.mp4"
    answer = await async_ask(
        hass,
        "export_clip",
        clip=clip.id,
        filename=str(target),
        start=(clip.start + timedelta(seconds=1.5)).isoformat(),
        end=(clip.start + timedelta(seconds=3)).isoformat(),
        mute=True,
        h264=True,
    )
    assert 1.5 <= answer["duration_s"] <= 3
    with av.open(str(target)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert not container.streams.audio
    assert len(pictures(target)) == pytest.approx(10 * answer["duration_s"], abs=1)


async def test_an_export_that_can_not_be_is_refused(hass: HomeAssistant, clip: Clip) -> None:
    await async_open(hass)
    there = media(hass) / "there.mp4"
    there.write_bytes(b"somebody's own")
    before = finished(media(hass))
    outside = "leave something of the clip"
    for data, error in (
        ({"filename": "/etc/clip.mp4"}, "is not in a folder that Home Assistant may write to"),
        (
            {"filename": f"{media(hass)}/../../clip.mp4"},
            "is not in a folder that Home Assistant may write to",
        ),
        ({"filename": "clip.mp4"}, "is not in a folder that Home Assistant may write to"),
        ({"filename": f"{media(hass)}/clip.py"}, "has to end in .mp4"),
        ({"filename": str(there)}, "exists already"),
        ({"filename": f"{media(hass)}/nowhere/clip.mp4"}, "does not exist"),
        ({"clip": "gone"}, "There is no clip gone"),
        ({"start": "2026-11-23T14:01:00+00:00"}, outside),
        ({"end": "2026-11-23T14:00:00+00:00"}, outside),
        ({"start": "2026-11-23T14:00:05+00:00", "end": "2026-11-23T14:00:04+00:00"}, outside),
    ):
        wanted = {"clip": clip.id, "filename": f"{media(hass)}/new.mp4"} | data
        with pytest.raises(ServiceValidationError, match=error):
            await async_ask(hass, "export_clip", **wanted)
    assert finished(media(hass)) == before
    assert there.read_bytes() == b"somebody's own"


async def test_what_fails_is_said_in_the_callers_language(hass: HomeAssistant, clip: Clip) -> None:
    entry = await async_open(hass)
    (media(hass) / clip.path).write_bytes(b"scratched")
    with pytest.raises(HomeAssistantError, match="can't be read, so it was not exported"):
        await async_ask(hass, "export_clip", clip=clip.id, filename=str(media(hass) / "new.mp4"))
    assert not (media(hass) / "new.mp4").exists()
    with pytest.raises(probatio.Invalid):
        await async_ask(hass, "delete_clips", clips=[])
    await hass.async_add_executor_job(store_of(entry).stop)
    with pytest.raises(HomeAssistantError, match=r"The clips can't be reached \(the clip store has been"):
        await async_ask(hass, "delete_clips", clips=[clip.id])


async def test_the_catalogue_is_read_from_the_files_again(hass: HomeAssistant, clip: Clip) -> None:
    await async_open(hass)
    await async_ask(hass, "protect_clips", clips=[clip.id])
    (media(hass) / clip.path).with_name("somebody's own.mp4").write_bytes(b"holiday")
    moved = (media(hass) / clip.path).rename((media(hass) / clip.path).with_name("renamed.mp4"))
    assert await async_ask(hass, "rebuild_catalogue") == {"found": 1, "foreign": 1}
    [found] = (await async_ask(hass, "get_clips"))["clips"]
    assert found["id"] == clip.id
    assert moved.exists()
